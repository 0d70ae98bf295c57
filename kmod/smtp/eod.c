// SPDX-License-Identifier: GPL-2.0
/* The search for the end of a message, see eod.h. The caller owns the state. */
#include "eod.h"
#include "portable.h"

/*
 * Places in a line of the message. The end-of-data is the way SOL, DOT,
 * DOT_CR, LF and no other (RFC 5321 4.1.1.4). The LAX states follow what a
 * server may take for a line end that is not CRLF, or that drops NULs.
 */
enum body {
	BODY_SOL,		/* behind CRLF, or at the start */
	BODY_TEXT,
	BODY_CR,
	BODY_DOT,
	BODY_DOT_CR,
	BODY_LAX,
	BODY_LAX_DOT,
	BODY_STATES,
};

enum octet {
	OCTET_OTHER,
	OCTET_CR,
	OCTET_LF,
	OCTET_DOT,
	OCTET_NUL,
	OCTETS,
};

#define NEXT		0x0f
#define BARE_CR		(SS_EOD_BARE_CR << 4)
#define BARE_LF		(SS_EOD_BARE_LF << 4)
#define DOT_LINE	(SS_EOD_DOT_LINE << 4)
#define END		0x80

/* Steps in the order of enum octet: other, CR, LF, dot, NUL. */
static const u8 body_next[BODY_STATES][OCTETS] = {
	[BODY_SOL] = { BODY_TEXT, BODY_CR, BODY_LAX | BARE_LF, BODY_DOT,
		       BODY_LAX },
	[BODY_TEXT] = { BODY_TEXT, BODY_CR, BODY_LAX | BARE_LF, BODY_TEXT,
			BODY_TEXT },
	[BODY_CR] = { BODY_TEXT | BARE_CR, BODY_CR | BARE_CR, BODY_SOL,
		      BODY_LAX_DOT | BARE_CR, BODY_LAX | BARE_CR },
	[BODY_DOT] = { BODY_TEXT, BODY_DOT_CR, BODY_LAX | BARE_LF | DOT_LINE,
		       BODY_TEXT, BODY_LAX_DOT },
	[BODY_DOT_CR] = { BODY_TEXT | BARE_CR | DOT_LINE,
			  BODY_CR | BARE_CR | DOT_LINE, BODY_SOL | END,
			  BODY_LAX_DOT | BARE_CR | DOT_LINE,
			  BODY_LAX | BARE_CR | DOT_LINE },
	[BODY_LAX] = { BODY_TEXT, BODY_CR, BODY_LAX | BARE_LF, BODY_LAX_DOT,
		       BODY_LAX },
	[BODY_LAX_DOT] = { BODY_TEXT, BODY_CR | DOT_LINE,
			   BODY_LAX | BARE_LF | DOT_LINE, BODY_TEXT,
			   BODY_LAX_DOT },
};

static enum octet octet_class(u8 c)
{
	switch (c) {
	case '\r':
		return OCTET_CR;
	case '\n':
		return OCTET_LF;
	case '.':
		return OCTET_DOT;
	case '\0':
		return OCTET_NUL;
	}
	return OCTET_OTHER;
}

/* Counts octets up to the first CR or LF: eight at a time, most of a mail is text. */
static u32 text_run(const u8 *p, u32 n)
{
	const u64 ones = ~(u64)0 / 255;
	u32 i = 0;

	while (n - i >= sizeof(u64)) {
		u64 w;

		memcpy(&w, p + i, sizeof(w));
		/* is any octet less than 0x0e? */
		if ((w - ones * 0x0e) & ~w & (ones << 7))
			break;
		i += sizeof(w);
	}
	while (i < n && p[i] != '\r' && p[i] != '\n')
		i++;
	return i;
}

bool ss_eod_scan(u8 *state, u32 *flags, const u8 *p, u32 n, u32 *used)
{
	u32 i = 0;

	while (i < n) {
		u8 next;

		if (*state == BODY_TEXT) {
			i += text_run(p + i, n - i);
			if (i == n)
				break;
		}
		next = body_next[*state][octet_class(p[i++])];
		*state = next & NEXT;
		*flags |= (next >> 4) & 7;
		if (next & END) {
			*used = i;
			return true;
		}
	}
	*used = i;
	return false;
}

bool ss_eod_ends_in_cr(u8 state)
{
	return state == BODY_CR || state == BODY_DOT_CR;
}

bool ss_eod_at_line_start(u8 state)
{
	return state == BODY_SOL;
}
