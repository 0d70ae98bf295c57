// SPDX-License-Identifier: GPL-2.0
/*
 * yEnc (yEnc draft 1.3): the files that are in a text, as Usenet has them. Thunderbird
 * finds them in mail, too. A file goes from "=ybegin line=N size=N name=NAME" to "=yend";
 * its bytes are those of the lines between, less 42, where "=" adds 64 to the next one.
 * Sizes and checksums that it states do not matter. Nothing is allocated, the time is linear,
 * and there is no state outside of a call.
 */
#include <string.h>

#include "scanner/files/lines.h"
#include "scanner/files/yenc.h"

#define BEGIN	"=ybegin "
#define PART	"=ypart "
#define END	"=yend"
#define SIZED_END	"=yend size="
#define BUFFER	4096u

static bool begins(const struct ss_lines *line, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(line->end - line->at) >= len && !memcmp(line->at, word, len);
}

/**
 * struct output - A file on its way out.
 * @inner: takes it
 * @data: bytes that it has not been given
 * @used: how many
 * @lax: what Thunderbird's decoder makes of it: NUL ends a line, "=" takes what ends the
 *   line, "=ypart" is content, and "=yend" is no end without a size
 * @odd: that is something else
 */
struct output {
	const struct ss_extract_sink *inner;
	uint8_t data[BUFFER];
	size_t used;
	bool lax;
	bool odd;
};

/* Does a line have " WORD=" and a number, or a space, which some take for a number? */
static bool has_number(const struct ss_lines *line, const char *word)
{
	const uint8_t *s = memmem(line->at, line->end - line->at, word, strlen(word));

	if (!s)
		return false;
	s += strlen(word);
	return s < line->end && ((*s >= '0' && *s <= '9') || *s == ' ');
}

/* Does a line begin a file? @name is set to its name, which is the last word. */
static bool is_begin(const struct ss_lines *line, struct ss_lines *name)
{
	static const char word[] = " name=";
	const uint8_t *s;

	if (!begins(line, BEGIN) || !has_number(line, " line=") || !has_number(line, " size="))
		return false;
	s = memmem(line->at, line->end - line->at, word, sizeof(word) - 1);
	if (!s)
		return false;
	name->at = s + sizeof(word) - 1;
	name->end = ss_lines_trim(line);
	return name->at <= name->end;
}

static bool next_file(struct ss_lines *text, const uint8_t *start, struct ss_lines *name)
{
	struct ss_lines line;

	while (ss_lines_find(text, start, BEGIN, &line))
		if (is_begin(&line, name))
			return true;
	return false;
}

static bool flush(struct output *out)
{
	size_t used = out->used;

	out->used = 0;
	return !used || out->inner->octets(out->inner->arg, out->data, used);
}

/* @end: behind the text. Return: whether more is taken. */
static bool decode_line(struct output *out, const struct ss_lines *line, const uint8_t *end)
{
	for (const uint8_t *s = line->at; s < line->end; s++) {
		bool escaped = *s == '=', last = s + 1 == line->end;

		out->odd |= !*s || (escaped && last);
		if (!*s && out->lax)
			break;
		if (escaped && (!last || (out->lax && line->end < end)))
			s++;
		else
			escaped = false;
		if (out->used == BUFFER && !flush(out))
			return false;
		out->data[out->used++] = *s - 42 - 64 * escaped;
	}
	return true;
}

/* Does a line end the file? */
static bool is_end(struct output *out, const struct ss_lines *line)
{
	if (begins(line, SIZED_END))
		return true;
	out->odd |= begins(line, END);
	return begins(line, END) && !out->lax;
}

static bool is_part(struct output *out, const struct ss_lines *line)
{
	out->odd |= begins(line, PART);
	return begins(line, PART) && !out->lax;
}

/*
 * @text begins behind the line that begins the file, and is taken as far as it goes.
 * Return: whether more is taken; @sound where the file has an end.
 */
static bool read_file(struct ss_lines *text, const struct ss_lines *name, struct output *out,
		      bool *sound)
{
	const struct ss_extract_sink *inner = out->inner;
	struct ss_lines line, rest = *text, other;

	*sound = false;
	if (!inner->file(inner->arg, (const char *)name->at, name->end - name->at))
		return false;
	while (!*sound && ss_lines_next(&rest, &line) && !is_begin(&line, &other)) {
		*text = rest;
		*sound = is_end(out, &line);
		if (!*sound && !is_part(out, &line) && !decode_line(out, &line, text->end))
			return false;
	}
	return flush(out);
}

bool ss_yenc_is(const uint8_t *data, size_t len)
{
	struct ss_lines text = { data, data + len, false }, name;

	return next_file(&text, data, &name);
}

bool ss_yenc_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner)
{
	struct ss_lines text = { data, data + len, false }, name;
	bool all = true, sound, same;

	while (next_file(&text, data, &name)) {
		struct output out = { .inner = inner };
		struct ss_lines again = text;

		if (!read_file(&text, &name, &out, &sound))
			break;
		all &= sound;
		if (!out.odd)
			continue;
		out.lax = true;
		if (!read_file(&again, &name, &out, &same))
			break;
	}
	return all;
}
