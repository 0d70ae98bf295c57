// SPDX-License-Identifier: GPL-2.0
/*
 * The lines of a text, for those who look for files in it. No state.
 */
#include <string.h>

#include "scanner/files/lines.h"

static bool is_eol(uint8_t c)
{
	return c == '\r' || c == '\n';
}

/* Does a line end here? To some a CR ends it, to others (@lf) that is as any byte. */
static bool ends_line(const uint8_t *s, bool lf)
{
	return lf ? *s == '\n' : is_eol(*s);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool ss_lines_next(struct ss_lines *text, struct ss_lines *line)
{
	const uint8_t *s = text->at, *end = text->end;

	if (s == end)
		return false;
	line->at = s;
	while (s < end && !ends_line(s, text->lf))
		s++;
	line->end = s;
	if (text->lf && line->end > line->at && line->end[-1] == '\r')
		line->end--;
	if (s < end)
		s += end - s > 1 && s[0] == '\r' && s[1] == '\n' ? 2 : 1;
	text->at = s;
	return true;
}

bool ss_lines_find(struct ss_lines *text, const uint8_t *start, const char *word,
		   struct ss_lines *line)
{
	size_t len = strlen(word);
	const uint8_t *s;

	while (text->at < text->end) {
		s = memmem(text->at, text->end - text->at, word, len);
		if (!s)
			break;
		text->at = s;
		if (s == start || ends_line(s - 1, text->lf))
			return ss_lines_next(text, line);
		text->at += len;
	}
	text->at = text->end;
	return false;
}

bool ss_lines_has_bare_cr(const struct ss_lines *text)
{
	const uint8_t *s = text->at;

	while ((s = memchr(s, '\r', text->end - s))) {
		if (++s == text->end)
			return false;
		if (*s != '\n')
			return true;
	}
	return false;
}

const uint8_t *ss_lines_skip_blanks(const uint8_t *s, const uint8_t *end)
{
	while (s < end && is_blank(*s))
		s++;
	return s;
}

const uint8_t *ss_lines_trim(const struct ss_lines *line)
{
	const uint8_t *end = line->end;

	while (end > line->at && is_blank(end[-1]))
		end--;
	return end;
}
