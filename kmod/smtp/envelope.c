// SPDX-License-Identifier: GPL-2.0
/*
 * The recipients of a transaction. RCPTs are answered in their order, so that
 * the entries that were accepted always come before those that wait.
 */
#include "envelope.h"
#include "portable.h"
#include "syntax.h"

/* Header of an entry: state, length in two bytes; the address follows. */
#define HEADER		3
#define WAITS		0
#define ACCEPTED	1

static u32 entry_size(const struct ss_envelope *e, u32 at)
{
	return HEADER + (u32)(e->data[at + 1] << 8 | e->data[at + 2]);
}

/* Finds where those that wait begin. */
static u32 accepted_end(const struct ss_envelope *e)
{
	u32 at = 0;

	while (at < e->len && e->data[at] == ACCEPTED)
		at += entry_size(e, at);
	return at;
}

static void cut(struct ss_envelope *e, u32 at, u32 n)
{
	memmove(e->data + at, e->data + at + n, e->len - at - n);
	e->len -= (u16)n;
}

bool ss_envelope_add(struct ss_envelope *e, struct ss_span addr)
{
	u8 *p = e->data + e->len;

	if (e->len + HEADER + addr.n > SS_ENVELOPE_MAX)
		return false;
	p[0] = WAITS;
	p[1] = (u8)(addr.n >> 8);
	p[2] = (u8)addr.n;
	memcpy(p + HEADER, addr.p, addr.n);
	e->len += (u16)(addr.n + HEADER);
	return true;
}

void ss_envelope_answer(struct ss_envelope *e, bool ok)
{
	u32 at = accepted_end(e);

	if (at >= e->len)
		return;
	if (ok)
		e->data[at] = ACCEPTED;
	else
		cut(e, at, entry_size(e, at));
}

void ss_envelope_clear(struct ss_envelope *e)
{
	cut(e, 0, accepted_end(e));
}

int ss_envelope_next(const struct ss_envelope *e, u32 *pos, const u8 **addr)
{
	u32 at = *pos;

	if (at >= e->len || e->data[at] != ACCEPTED)
		return -1;
	*pos += entry_size(e, at);
	*addr = e->data + at + HEADER;
	return (int)(*pos - at - HEADER);
}
