// SPDX-License-Identifier: GPL-2.0
/*
 * yEnc (yEnc draft 1.3): the files that are in a text, as Usenet has them. Thunderbird
 * finds them in mail, too. A file goes from "=ybegin line=N size=N name=NAME" to "=yend";
 * its octets are those of the lines between, less 42, where "=" adds 64 to the next one.
 * What sizes and checksums say does not matter. Nothing is allocated, the time is linear,
 * and there is no state outside of a call.
 */
#include <string.h>

#include "lines.h"
#include "yenc.h"

#define BEGIN	"=ybegin "
#define PART	"=ypart "
#define END	"=yend"
#define BUFFER	4096u

static bool begins(const struct ss_lines *line, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(line->end - line->at) >= len && !memcmp(line->at, word, len);
}

/* Behind " WORD=" and a number, or NULL where there is none */
static const uint8_t *find_number(const struct ss_lines *line, const char *word)
{
	const uint8_t *s = memmem(line->at, line->end - line->at, word, strlen(word));

	if (!s)
		return NULL;
	s += strlen(word);
	return s < line->end && *s >= '0' && *s <= '9' ? s : NULL;
}

/* Whether a file begins with a line, and what it is called: that comes last */
static bool is_begin(const struct ss_lines *line, struct ss_lines *name)
{
	static const char word[] = " name=";
	const uint8_t *s = memmem(line->at, line->end - line->at, word, sizeof(word) - 1);

	if (!begins(line, BEGIN) || !s || !find_number(line, " line=") ||
	    !find_number(line, " size="))
		return false;
	*name = (struct ss_lines){ s + sizeof(word) - 1, ss_lines_trim(line) };
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

/* Return: whether more is taken */
static bool decode_line(const struct ss_lines *line, const struct ss_inner *inner)
{
	const uint8_t *s = line->at;
	uint8_t out[BUFFER];

	while (s < line->end) {
		size_t used = 0;

		for (; s < line->end && used < BUFFER; s++) {
			bool escaped = *s == '=' && s + 1 < line->end;

			s += escaped;
			out[used++] = *s - 42 - 64 * escaped;
		}
		if (!inner->octets(inner->arg, out, used))
			return false;
	}
	return true;
}

/* Return: whether more is taken; @sound where the file has an end */
static bool read_file(struct ss_lines *text, const struct ss_lines *name,
		      const struct ss_inner *inner, bool *sound)
{
	struct ss_lines line, rest = *text, other;

	*sound = false;
	if (!inner->file(inner->arg, (const char *)name->at, name->end - name->at))
		return false;
	while (!*sound && ss_lines_next(&rest, &line) && !is_begin(&line, &other)) {
		*text = rest;
		*sound = begins(&line, END);
		if (!*sound && !begins(&line, PART) && !decode_line(&line, inner))
			return false;
	}
	return true;
}

/**
 * ss_yenc_is() - Whether there is a file in a text by yEnc.
 * @data: the text
 * @len: its length in octets
 *
 * Return: whether there is.
 */
bool ss_yenc_is(const uint8_t *data, size_t len)
{
	struct ss_lines text = { data, data + len }, name;

	return next_file(&text, data, &name);
}

/**
 * ss_yenc_read() - Go over the files that are in a text by yEnc.
 * @data: the text
 * @len: its length in octets
 * @inner: takes the files
 *
 * Return: whether each has an end; nothing where @inner did not take all.
 */
bool ss_yenc_read(const uint8_t *data, size_t len, const struct ss_inner *inner)
{
	struct ss_lines text = { data, data + len }, name;
	bool all = true, sound;

	while (next_file(&text, data, &name)) {
		if (!read_file(&text, &name, inner, &sound))
			break;
		all &= sound;
	}
	return all;
}
