// SPDX-License-Identifier: GPL-2.0
/*
 * Dot-stuffing (RFC 5321 4.5.2), done and undone. Pure functions.
 */
#include <stdbool.h>
#include <string.h>

#include "scanner/mime/dots.h"

size_t ss_dots_unstuff(enum ss_dots_mode mode, void *dst, const void *src,
		       size_t len)
{
	const char *s = src, *end = s + len;
	char *d = dst;
	bool start = mode != SS_DOTS_NONE;

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
		start = mode != SS_DOTS_NONE && lf &&
			(mode == SS_DOTS_LAX ||
			 (lf > (const char *)src && lf[-1] == '\r'));
		d += n;
		s += n;
	}
	return d - (char *)dst;
}

size_t ss_dots_stuff(void *dst, const void *src, size_t len)
{
	const char *s = src, *end = s + len;
	bool start = true;
	size_t used = 0;

	while (s < end) {
		const char *lf = memchr(s, '\n', end - s);
		size_t n = lf ? (size_t)(lf - s) + 1 : (size_t)(end - s);

		if (start && *s == '.') {
			if (dst)
				((char *)dst)[used] = '.';
			used++;
		}
		if (dst)
			memcpy((char *)dst + used, s, n);
		start = lf && lf > (const char *)src && lf[-1] == '\r';
		used += n;
		s += n;
	}
	return used;
}

void ss_dots_bare_cr(void *text, size_t len)
{
	char *s = text, *end = s + len;

	while (s < end && (s = memchr(s, '\r', end - s))) {
		if (s + 1 == end || s[1] != '\n')
			*s = '\n';
		s++;
	}
}
