// SPDX-License-Identifier: GPL-2.0
/*
 * Dot-stuffing undone (RFC 5321 4.5.2). Pure functions.
 */
#include <stdbool.h>
#include <string.h>

#include "unstuff.h"

/**
 * ss_unstuff_copy() - Copy a message as on the wire without its stuffed dots.
 * @mode: what ends a line
 * @dst: where to, room for @len octets
 * @src: the message, dot-stuffed
 * @len: its length in octets
 *
 * Return: octets written; @len less one for each line that began with a dot.
 */
size_t ss_unstuff_copy(enum ss_unstuff_mode mode, void *dst, const void *src,
		       size_t len)
{
	const char *s = src, *end = s + len;
	char *d = dst;
	bool start = mode != SS_UNSTUFF_NONE;

	while (s < end) {
		const char *lf;
		size_t n;

		if (start && *s == '.') {
			s++;
			start = false;
			continue;
		}
		lf = memchr(s, '\n', end - s);
		n = lf ? (size_t)(lf - s) + 1 : (size_t)(end - s);
		memcpy(d, s, n);
		start = mode != SS_UNSTUFF_NONE && lf &&
			(mode == SS_UNSTUFF_LAX ||
			 (lf > (const char *)src && lf[-1] == '\r'));
		d += n;
		s += n;
	}
	return d - (char *)dst;
}

/**
 * ss_unstuff_bare_cr() - Make each CR that is not part of CRLF a LF.
 * @text: the text
 * @len: its length in octets
 */
void ss_unstuff_bare_cr(void *text, size_t len)
{
	char *s = text, *end = s + len;

	while (s < end && (s = memchr(s, '\r', end - s))) {
		if (s + 1 == end || s[1] != '\n')
			*s = '\n';
		s++;
	}
}
