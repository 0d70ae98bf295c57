// SPDX-License-Identifier: GPL-2.0
/*
 * The base64 of POSIX uuencode(1): the files that are in a text. A file goes from
 * "begin-base64 644 name" to "====". Nobody begins a line so by accident, and so any such
 * line is one; what is no digit is skipped, as uudecode does. Nothing is allocated, the
 * time is linear, and there is no state outside of a call.
 */
#include <string.h>

#include "scanner/files/lines.h"
#include "scanner/files/uu64.h"
#include "scanner/mime/coding.h"

#define BEGIN	"begin-base64"
#define CODED	"-encoded"	/* the name is in base64, too */
#define END	"===="
#define BUFFER	4095u

/**
 * struct output - Bytes that are decoded.
 * @inner: takes them; NULL: they are a name
 * @data: those that it has not been given
 * @used: how many
 * @bits: digits of the bytes to come
 * @count: how many bits
 */
struct output {
	const struct ss_extract_sink *inner;
	uint8_t data[BUFFER];
	size_t used;
	uint32_t bits;
	unsigned int count;
};

static bool begins(const uint8_t *s, const uint8_t *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - s) >= len && !memcmp(s, word, len);
}

/* Does a line begin a file? @name is set to its name, which is in base64 if @coded. */
static bool is_begin(const struct ss_lines *line, struct ss_lines *name, bool *coded)
{
	const uint8_t *end = ss_lines_trim(line), *s = line->at, *mode;

	if (!begins(s, end, BEGIN))
		return false;
	s += sizeof(BEGIN) - 1;
	*coded = begins(s, end, CODED);
	if (*coded)
		s += sizeof(CODED) - 1;
	mode = ss_lines_skip_blanks(s, end);
	if (mode == s || mode == end)
		return false;
	for (s = mode; s < end && *s >= '0' && *s <= '7';)
		s++;
	if (s == mode)
		return false;
	name->at = ss_lines_skip_blanks(s, end);
	name->end = end;
	return true;
}

static bool next_file(struct ss_lines *text, const uint8_t *start, struct ss_lines *name,
		      bool *coded)
{
	struct ss_lines line;

	while (ss_lines_find(text, start, BEGIN, &line))
		if (is_begin(&line, name, coded))
			return true;
	return false;
}

static bool flush(struct output *out)
{
	size_t used = out->used;

	out->used = 0;
	return !used || out->inner->octets(out->inner->arg, out->data, used);
}

/* Return: whether more is taken */
static bool decode_line(struct output *out, const struct ss_lines *line)
{
	for (const uint8_t *s = line->at; s < line->end; s++) {
		int digit = ss_coding_digit(*s);

		/* behind "=" other bytes begin anew */
		if (*s == '=')
			out->count = 0;
		if (digit < 0)
			continue;
		out->bits = out->bits << 6 | (uint32_t)digit;
		out->count += 6;
		if (out->count < 8)
			continue;
		out->count -= 8;
		if (out->used == BUFFER && (!out->inner || !flush(out)))
			return false;
		out->data[out->used++] = out->bits >> out->count;
	}
	return true;
}

static bool begin_file(const struct ss_lines *name, bool coded, const struct ss_extract_sink *inner)
{
	struct output out = {};

	if (!coded)
		return inner->file(inner->arg, (const char *)name->at, name->end - name->at);
	decode_line(&out, name);
	return inner->file(inner->arg, (const char *)out.data, out.used);
}

/* Return: whether more is taken; @sound where the file has an end */
static bool read_file(struct ss_lines *text, const struct ss_extract_sink *inner, bool *sound)
{
	struct output out = { .inner = inner };
	struct ss_lines line, rest = *text, name;
	bool coded;

	*sound = false;
	while (!*sound && ss_lines_next(&rest, &line) && !is_begin(&line, &name, &coded)) {
		*text = rest;
		*sound = begins(line.at, line.end, END);
		if (!*sound && !decode_line(&out, &line))
			return false;
	}
	return flush(&out);
}

bool ss_uu64_is(const uint8_t *data, size_t len)
{
	struct ss_lines text = { data, data + len, false }, name;
	bool coded;

	return next_file(&text, data, &name, &coded);
}

bool ss_uu64_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner)
{
	struct ss_lines text = { data, data + len, false }, name;
	bool all = true, sound, coded;

	while (next_file(&text, data, &name, &coded)) {
		if (!begin_file(&name, coded, inner) || !read_file(&text, inner, &sound))
			break;
		all &= sound;
	}
	return all;
}
