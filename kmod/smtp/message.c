// SPDX-License-Identifier: GPL-2.0
/*
 * A message, from the caller's word on DATA or the first BDAT until the caller
 * has sent it: where it ends, how much of it may leave before the verdict, and
 * what the server is told of it. Its octets are not kept. Threading as in smtp.c.
 */
#include "canned.h"
#include "eod.h"
#include "internal.h"
#include "portable.h"
#include "smtp.h"
#include "syntax.h"

/*
 * The end-of-data with the line end before it, but for its last octet: so much
 * of a message may turn out to be of its end.
 */
#define TAIL		4

/* ---- what the server has of it ---- */

bool ss_smtp_is_at_hand(const struct ss_smtp *e)
{
	return e->stage == STAGE_BODY || e->stage == STAGE_HELD ||
	       e->stage == STAGE_CHUNK_END || e->stage == STAGE_CHUNKS;
}

bool ss_smtp_has_part(const struct ss_smtp *e)
{
	return e->stage == STAGE_SEND || (e->passed && ss_smtp_is_at_hand(e));
}

/* Would the server take a command for mail? */
static bool is_inside(const struct ss_smtp *e)
{
	return !e->lost && ss_smtp_has_part(e) &&
	       (!e->chunked || e->stage == STAGE_SEND || e->chunk_open);
}

/* Has the server said that it will not have the message? */
static bool is_refused(const struct ss_smtp *e)
{
	return e->early || e->early_taken;
}

bool ss_smtp_can_leave(const struct ss_smtp *e)
{
	return e->chunked && e->stage != STAGE_SEND && !e->chunk_open &&
	       ss_smtp_idle(e);
}

/* ---- its octets ---- */

bool ss_smtp_body_ok(const struct ss_smtp *e)
{
	return !(e->body_flags & e->body_bad);
}

/* The same, however the octets came. */
static void note_safe(struct ss_smtp *e, u64 len)
{
	if (ss_smtp_body_ok(e) && len > e->body_safe + TAIL)
		e->body_safe = len - TAIL;
}

static void chunk_end(struct ss_smtp *e)
{
	if (!e->chunk_last) {
		ss_smtp_enter(e, STAGE_CHUNK_END);
		return;
	}
	if (ss_eod_ends_in_cr(e->body_state))
		e->body_flags |= SS_EOD_BARE_CR;
	ss_smtp_enter(e, STAGE_HELD);
}

void ss_smtp_chunk_begin(struct ss_smtp *e)
{
	ss_smtp_enter(e, STAGE_BODY);
	if (!e->chunk_left)
		chunk_end(e);
}

/* Takes octets of a chunk: none of them ends it, nor is any dot of it stuffed. */
static u32 chunk_body(struct ss_smtp *e, const u8 *p, u32 n)
{
	u32 done = 0, used;

	if (n > e->chunk_left)
		n = (u32)e->chunk_left;
	while (done < n) {
		ss_eod_scan(&e->body_state, &e->body_flags, p + done, n - done,
			    &used);
		done += used;
	}
	e->body_flags &= ~(u32)SS_EOD_DOT_LINE;
	e->body_len += n;
	e->chunk_left -= n;
	note_safe(e, e->body_len);
	if (!e->chunk_left)
		chunk_end(e);
	return n;
}

u64 ss_smtp_body_room(const struct ss_smtp *e)
{
	if (e->stage != STAGE_BODY)
		return 0;
	return e->chunked ? e->chunk_left : ~(u64)0;
}

u32 ss_smtp_body(struct ss_smtp *e, const u8 *p, u32 n)
{
	u32 used;
	bool ended;

	if (e->stage != STAGE_BODY)
		return 0;
	if (e->chunked)
		return chunk_body(e, p, n);
	ended = ss_eod_scan(&e->body_state, &e->body_flags, p, n, &used);
	e->body_len += used;
	/* the last octet only ends it */
	note_safe(e, e->body_len - ended);
	if (ended) {
		e->body_len -= SS_EOD_SIZE;
		ss_smtp_enter(e, STAGE_HELD);
	}
	return used;
}

/* ---- what the caller does with it ---- */

void ss_smtp_data_accept(struct ss_smtp *e, struct ss_smtp_buf *cli)
{
	if (e->stage != STAGE_DATA && e->stage != STAGE_GO_ON)
		return;
	e->passed = e->stage == STAGE_GO_ON;
	e->body_len = 0;
	e->body_safe = 0;
	e->body_flags = 0;
	e->body_state = SS_EOD_START;
	e->done_code = 0;
	e->announced = 0;
	e->early_taken = false;
	e->chunk_open = false;
	if (e->chunked) {
		ss_smtp_chunk_begin(e);
		return;
	}
	if (!e->passed)
		ss_smtp_put_canned(e, cli, CANNED_GO_ON);
	ss_smtp_enter(e, STAGE_BODY);
}

void ss_smtp_data_pass(struct ss_smtp *e, struct ss_smtp_buf *srv)
{
	if (e->stage != STAGE_DATA)
		return;
	if (e->chunked) {
		ss_smtp_enter(e, STAGE_GO_ON);
		return;
	}
	ss_smtp_enter(e, STAGE_PASS);
	ss_smtp_forward_own(e, VERB_PASS, "DATA", srv);
}

void ss_smtp_chunk_ok(struct ss_smtp *e, struct ss_smtp_buf *cli)
{
	if (e->stage != STAGE_CHUNK_END)
		return;
	ss_smtp_enter(e, STAGE_CHUNKS);
	ss_smtp_put_canned(e, cli, CANNED_CHUNK);
}

static void put_bdat(struct ss_smtp *e, struct ss_smtp_buf *srv, u64 n,
		     bool last)
{
	u8 line[sizeof("BDAT 18446744073709551615 LAST")];
	u8 *p = line + sizeof(line);

	if (last) {
		p -= 5;
		memcpy(p, " LAST", 5);
	}
	do {
		*--p = (u8)('0' + n % 10);
		n /= 10;
	} while (n);
	p -= 5;
	memcpy(p, "BDAT ", 5);
	ss_smtp_put_line(e, srv,
			 (struct ss_span){ p, (u32)(line + sizeof(line) - p) });
}

bool ss_smtp_chunk(struct ss_smtp *e, u64 n, struct ss_smtp_buf *srv)
{
	if (!e->chunked || e->stage == STAGE_SEND || !ss_smtp_has_part(e) ||
	    e->lost || is_refused(e) || e->chunk_open || !ss_smtp_idle(e))
		return false;
	put_bdat(e, srv, n, false);
	ss_smtp_push(e, VERB_OWN_CHUNK, 0);
	e->announced += n;
	e->chunk_open = true;
	return true;
}

void ss_smtp_chunk_sent(struct ss_smtp *e)
{
	e->chunk_open = false;
	e->stalled = false;
}

bool ss_smtp_keepalive(struct ss_smtp *e, struct ss_smtp_buf *srv)
{
	if (!ss_smtp_is_at_hand(e) || e->lost || !ss_smtp_idle(e) ||
	    (e->passed && !ss_smtp_can_leave(e)))
		return false;
	ss_smtp_forward_own(e, VERB_OWN_NOOP, "NOOP", srv);
	return true;
}

void ss_smtp_lose(struct ss_smtp *e)
{
	e->lost = true;
	e->gone = false;
	/* refused amid its envelope, the message is at hand again */
	if (e->stage == STAGE_REPLAY)
		ss_smtp_enter(e, STAGE_HELD);
	e->chunk_open = false;
	e->stalled = false;
	e->reply_open = false;
	e->fifo_len = 0;
	e->fifo_local = 0;
}

const char *ss_smtp_early_reply(struct ss_smtp *e)
{
	e->early = false;
	e->early_taken = true;
	return (const char *)e->keyword;
}

void ss_smtp_release(struct ss_smtp *e, u64 len, struct ss_smtp_buf *srv)
{
	if (e->stage != STAGE_HELD || is_refused(e))
		return;
	e->last_empty = e->chunked && len == e->announced;
	if (e->chunked)
		put_bdat(e, srv, len - e->announced, true);
	if (e->chunked || e->passed) {
		ss_smtp_enter(e, STAGE_SEND);
		return;
	}
	ss_smtp_enter(e, STAGE_RELEASE);
	ss_smtp_forward_own(e, VERB_RELEASE, "DATA", srv);
}

void ss_smtp_refuse(struct ss_smtp *e, const char *reply,
		    struct ss_smtp_buf *srv, struct ss_smtp_buf *cli)
{
	/*
	 * Client and gateway may disagree about where such a message ends, so that
	 * nothing behind it is known to be a command. Postfix hangs up, too.
	 */
	bool is_end = e->stage != STAGE_DATA && !ss_smtp_body_ok(e);

	if ((e->stage != STAGE_DATA || e->chunked) && e->stage != STAGE_HELD &&
	    e->stage != STAGE_CHUNK_END && e->stage != STAGE_SEND)
		return;
	ss_smtp_put_reply(e, cli, reply);
	if (is_inside(e)) {
		ss_smtp_enter(e, STAGE_FAILED);
		return;
	}
	ss_smtp_transaction_clear(e);
	/* the client has a reply; what the server said is of no use any more */
	e->early = false;
	if (e->lost) {
		is_end |= !strncmp(reply, "421", 3);
		ss_smtp_enter(e, is_end ? STAGE_CLOSED : STAGE_ALONE);
		return;
	}
	ss_smtp_enter(e, is_end ? STAGE_CLOSED : STAGE_COMMAND);
	ss_smtp_forward_own(e, VERB_OWN_RSET, "RSET", srv);
}

void ss_smtp_sent(struct ss_smtp *e)
{
	if (e->stage != STAGE_SEND)
		return;
	ss_smtp_enter(e, STAGE_REPLY);
	ss_smtp_push(e, VERB_EOD, 0);
	/* a reply that has begun early, but not ended, is the message's after all */
	if (e->reply_open)
		e->reply_verb = VERB_EOD;
}

void ss_smtp_next(struct ss_smtp *e)
{
	if (e->stage == STAGE_DONE)
		ss_smtp_transaction_clear(e);
	if (e->stage == STAGE_DONE || e->stage == STAGE_ABANDON)
		ss_smtp_enter(e, STAGE_COMMAND);
}
