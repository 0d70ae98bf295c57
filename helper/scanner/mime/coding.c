// SPDX-License-Identifier: GPL-2.0
/*
 * Content transfer encodings (RFC 2045 6), strictly: whether a decoder that stops
 * at what it does not like, one that skips it and one that guesses all get the same.
 */
#include <string.h>

#include "scanner/mime/coding.h"
#include "scanner/mime/flags.h"

#define MAX_LINE	998	/* RFC 5322 2.1.1 */

int ss_coding_digit(unsigned char c)
{
	/* from '+' on: no branch can foresee what is coded */
	static const int8_t values['z' - '+' + 1] = {
		62, -1, -1, -1, 63,
		52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
		-1, -1, -1, -1, -1, -1, -1,
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
		21, 22, 23, 24, 25,
		-1, -1, -1, -1, -1, -1,
		26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44,
		45, 46, 47, 48, 49, 50, 51,
	};
	size_t at = (size_t)c - '+';

	return at < sizeof(values) ? values[at] : -1;
}

int ss_coding_hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool check_base64(struct ss_coding *coding, const char *s, size_t len)
{
	size_t i = 0;

	if (len > MAX_LINE)
		return false;
	while (i < len && !coding->pads && ss_coding_digit(s[i]) >= 0)
		i++;
	coding->digits += i;
	for (; i < len; i++, coding->pads++)
		if (s[i] != '=')
			return false;
	return true;
}

static bool is_blank(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] != ' ' && s[i] != '\t')
			return false;
	return true;
}

/* Blanks at the end of a line are common, and all decoders drop or keep them alike */
static bool check_quoted(const char *s, size_t len, enum ss_coding_end end)
{
	const char *stop = s + len;

	if (memchr(s, '\0', len))
		return false;
	while ((s = memchr(s, '=', stop - s))) {
		size_t left = stop - ++s;

		if (!left)
			return end == SS_CODING_CRLF;
		if (is_blank(s, left) || left < 2 || ss_coding_hex(s[0]) < 0 ||
		    ss_coding_hex(s[1]) < 0)
			return false;
		s += 2;
	}
	return true;
}

bool ss_coding_check_line(struct ss_coding *coding, const char *s, size_t len,
			  enum ss_coding_end end)
{
	if (coding->kind == SS_CODING_NONE)
		return true;
	if (end == SS_CODING_ODD)
		return false;
	if (coding->kind == SS_CODING_BASE64)
		return check_base64(coding, s, len);
	return !len || check_quoted(s, len, end);
}

bool ss_coding_check_end(const struct ss_coding *coding)
{
	if (coding->kind != SS_CODING_BASE64)
		return true;
	/* one digit over is less than a byte: is none of it good, all but that, or more? */
	return coding->digits % 4 != 1 && coding->pads == -coding->digits % 4;
}

uint32_t ss_coding_flag(const struct ss_coding *coding)
{
	return coding->kind == SS_CODING_BASE64 ? SS_AMBIGUITY_BASE64 : SS_AMBIGUITY_QUOTED;
}
