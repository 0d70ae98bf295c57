// SPDX-License-Identifier: GPL-2.0
/*
 * Text that peers control, made fit for a log, a terminal or an SMTP reply.
 * Pure functions.
 */
#include <stdbool.h>
#include <string.h>

#include "lib/text.h"

int ss_text_decode(const void *src, size_t len, uint32_t *rune)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = src;
	uint32_t r;
	int n, i;

	if (s[0] < 0x80) {
		*rune = s[0];
		return 1;
	}
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len < (size_t)n)
		return 0;
	r = s[0] & (0xff >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		r = r << 6 | (s[i] & 0x3f);
	}
	if (r < least[n] || r > 0x10ffff || (r >= 0xd800 && r <= 0xdfff))
		return 0;
	*rune = r;
	return n;
}

static bool is_control(enum ss_text_mode mode, uint32_t r)
{
	if (r >= 0x7f && r <= 0x9f)
		return true;
	/* Line and paragraph separators, and what turns the writing round */
	if (r == 0x2028 || r == 0x2029 || (r >= 0x202a && r <= 0x202e) ||
	    (r >= 0x2066 && r <= 0x2069))
		return true;
	if (mode == SS_TEXT_JSON)
		return r == 0;
	return r < 0x20 && (mode != SS_TEXT_LINES || r != '\n');
}

size_t ss_text_clean(enum ss_text_mode mode, char *dst, size_t size,
		     const void *src, size_t len)
{
	const char *s = src;
	size_t i = 0, o = 0;

	while (i < len) {
		uint32_t rune = 0;
		int n = ss_text_decode(s + i, len - i, &rune);
		bool keep = n && !is_control(mode, rune) &&
			    (mode != SS_TEXT_REPLY || rune < 0x80);
		size_t out = keep ? (size_t)n : 1;

		if (out > size - 1 - o)
			break;
		if (keep)
			memcpy(dst + o, s + i, out);
		else
			dst[o] = '?';
		if (mode == SS_TEXT_REPLY && dst[o] == '"')
			dst[o] = '\'';
		o += out;
		i += n ? n : 1;
	}
	dst[o] = '\0';
	return o;
}

size_t ss_text_clean_str(enum ss_text_mode mode, char *dst, size_t size,
			 const char *src)
{
	return ss_text_clean(mode, dst, size, src, src ? strlen(src) : 0);
}
