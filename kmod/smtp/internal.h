/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Things that the files of the SMTP engine know of each other, and nobody else does.
 * The private part of struct ss_smtp is theirs; what is for the caller is in smtp.h.
 *
 * Calls go one way: client.c and server.c know nothing of each other and call
 * replay.c and message.c, the first of which calls the second; all four call
 * smtp.c.
 */
#ifndef SS_SMTP_INTERNAL_H
#define SS_SMTP_INTERNAL_H

#include "canned.h"
#include "smtp.h"
#include "syntax.h"

/* Stages of the dialogue; ss_smtp_enter() makes every change. */
enum ss_smtp_stage {
	STAGE_GREET,		/* the banner is awaited */
	STAGE_COMMAND,
	STAGE_DATA,		/* the caller decides about DATA */
	STAGE_PASS,		/* DATA was passed on */
	STAGE_GO_ON,		/* and the server gave its 354 */
	STAGE_BODY,
	STAGE_CHUNK_END,	/* the caller decides about a chunk */
	STAGE_CHUNKS,		/* between two chunks of a message */
	STAGE_ABANDON,		/* the client gave the chunks up */
	STAGE_SWALLOW,		/* inside a chunk that is not taken */
	STAGE_HELD,		/* the caller decides about the message */
	STAGE_REPLAY,		/* a line of the envelope is at the new server */
	STAGE_REPLAY_NEXT,	/* and was accepted */
	STAGE_RELEASE,		/* DATA is at the server */
	STAGE_SEND,		/* the caller sends the message */
	STAGE_REPLY,		/* the end-of-data is at the server */
	STAGE_DONE,
	STAGE_STARTTLS,		/* the caller decides about the handshakes */
	STAGE_HANDSHAKE,
	STAGE_ALONE,		/* there is no server any more */
	STAGE_CLOSED,
	STAGE_FAILED,
};

/* Bits of ss_smtp_pending.arg for a MAIL or RCPT: it has an entry in these lists. */
#define SS_SMTP_KEPT_LINE	0x1	/* in ss_smtp.lines */
#define SS_SMTP_KEPT_ADDRESS	0x2	/* in ss_smtp.envelope */

static inline bool ss_smtp_is_final(const struct ss_smtp *e)
{
	return e->stage >= STAGE_CLOSED;
}

static inline bool ss_smtp_has_room(const struct ss_smtp_buf *b)
{
	return b->cap - b->len >= SS_SMTP_SINK_MIN;
}

/* Finds an entry of the FIFO, of which the oldest is 0. */
static inline const struct ss_smtp_pending *
ss_smtp_fifo_at(const struct ss_smtp *e, u32 i)
{
	return &e->fifo[(e->fifo_head + i) % SS_SMTP_FIFO_MAX];
}

/* ---- smtp.c ---- */

/* Changes the stage, and raises the event that belongs to it. */
void ss_smtp_enter(struct ss_smtp *e, enum ss_smtp_stage stage);

/* Puts a line whole or not at all: half a line would join the next one. */
void ss_smtp_put_line(struct ss_smtp *e, struct ss_smtp_buf *b,
		      struct ss_span s);

/* Puts a reply from the caller: whatever it holds, it must stay one line. */
void ss_smtp_put_reply(struct ss_smtp *e, struct ss_smtp_buf *cli,
		       const char *reply);

/* Puts a reply of the engine's own; ends the session if it is a fatal one. */
void ss_smtp_put_canned(struct ss_smtp *e, struct ss_smtp_buf *cli,
			enum ss_canned which);

/* Adds to the FIFO what awaits an answer. */
void ss_smtp_push(struct ss_smtp *e, enum ss_smtp_verb verb, u16 arg);

/* Takes the oldest entry, which was answered, off the FIFO; there is one. */
struct ss_smtp_pending ss_smtp_pop(struct ss_smtp *e);

/* Puts a command of the gateway's own to the server. */
void ss_smtp_forward_own(struct ss_smtp *e, enum ss_smtp_verb verb,
			 const char *line, struct ss_smtp_buf *srv);

/* Answers what has got to the head of the FIFO and is not for the server. */
void ss_smtp_drain(struct ss_smtp *e, struct ss_smtp_buf *cli);

/* Refuses a command, once those before it were answered. */
void ss_smtp_answer(struct ss_smtp *e, struct ss_smtp_buf *cli,
		    enum ss_canned which);

/* Forgets the transaction, but not the RCPTs that were sent after its end. */
void ss_smtp_transaction_clear(struct ss_smtp *e);

/* ---- message.c ---- */

/* Begins a chunk, of which the octets come next, if it has any. */
void ss_smtp_chunk_begin(struct ss_smtp *e);

/* Does a message come in, or await the caller's word? */
bool ss_smtp_is_at_hand(const struct ss_smtp *e);

/* Has the server a part of the message, but not the end-of-data? */
bool ss_smtp_has_part(const struct ss_smtp *e);

/* ---- replay.c ---- */

/* Takes the new server's answer to a line of the envelope. */
void ss_smtp_replay_reply(struct ss_smtp *e, u8 verb);

#endif /* SS_SMTP_INTERNAL_H */
