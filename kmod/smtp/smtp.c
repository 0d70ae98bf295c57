// SPDX-License-Identifier: GPL-2.0
/*
 * The SMTP engine: where the dialogue of one session is, what is outstanding at
 * the server, and what the gateway answers itself. It owns no buffer, takes no
 * lock and never sleeps: the caller serialises the calls for one engine.
 *
 * client.c and server.c take what the two sides say, message.c what is mail, and
 * replay.c says the envelope again. They call this file, which calls none of them.
 *
 * Each line of the client becomes an entry of a FIFO, those that the gateway
 * answers itself too, so that every answer keeps its place (RFC 2920 3.1).
 * Replies of the server are matched to entries by count alone; whatever does
 * not fit ends the session, since from there on gateway and server would
 * disagree about which octets are commands and which are mail.
 *
 * Nothing of what the client said is ever in a reply of the gateway's own.
 */
#include "canned.h"
#include "envelope.h"
#include "eod.h"
#include "internal.h"
#include "portable.h"
#include "smtp.h"
#include "syntax.h"

/* Longest reply line that is taken from the caller (RFC 5321 4.5.3.1.5). */
#define REPLY_MAX	510

/* ---- stages and events ---- */

void ss_smtp_enter(struct ss_smtp *e, enum ss_smtp_stage stage)
{
	static const enum ss_smtp_event event[] = {
		[STAGE_DATA] = SS_SMTP_DATA,
		[STAGE_GO_ON] = SS_SMTP_GO_ON,
		[STAGE_CHUNK_END] = SS_SMTP_CHUNK,
		[STAGE_ABANDON] = SS_SMTP_ABANDON,
		[STAGE_HELD] = SS_SMTP_BODY_END,
		[STAGE_REPLAY_NEXT] = SS_SMTP_REPLAY,
		[STAGE_SEND] = SS_SMTP_SEND,
		[STAGE_DONE] = SS_SMTP_DONE,
		[STAGE_STARTTLS] = SS_SMTP_STARTTLS,
		[STAGE_CLOSED] = SS_SMTP_CLOSE,
		[STAGE_FAILED] = SS_SMTP_ERROR,
	};

	if (e->stage >= STAGE_CLOSED)
		return;
	e->stage = stage;
	e->event = event[stage];
}

/* ---- sinks ---- */

void ss_smtp_put_line(struct ss_smtp *e, struct ss_smtp_buf *b,
		      struct ss_span s)
{
	if (b->cap - b->len < s.n + 2) {
		ss_smtp_enter(e, STAGE_FAILED);
		return;
	}
	memcpy(b->data + b->len, s.p, s.n);
	b->len += s.n;
	b->data[b->len++] = '\r';
	b->data[b->len++] = '\n';
}

static void put_text(struct ss_smtp *e, struct ss_smtp_buf *b, const char *text)
{
	struct ss_span s = { (const u8 *)text, (u32)strlen(text) };

	ss_smtp_put_line(e, b, s);
}

void ss_smtp_put_reply(struct ss_smtp *e, struct ss_smtp_buf *cli,
		       const char *reply)
{
	struct ss_span s = { (const u8 *)reply, 0 };

	while (s.n < REPLY_MAX && s.p[s.n] && !ss_syntax_is_control(s.p[s.n]))
		s.n++;
	ss_smtp_put_line(e, cli, s);
}

void ss_smtp_put_canned(struct ss_smtp *e, struct ss_smtp_buf *cli,
			enum ss_canned which)
{
	put_text(e, cli, ss_canned[which].text);
	if (ss_canned[which].fatal)
		ss_smtp_enter(e, STAGE_FAILED);
}

/* ---- the FIFO of what awaits an answer ---- */

void ss_smtp_push(struct ss_smtp *e, enum ss_smtp_verb verb, u16 arg)
{
	if (e->fifo_len >= SS_SMTP_FIFO_MAX) {
		ss_smtp_enter(e, STAGE_FAILED);
		return;
	}
	e->fifo[(e->fifo_head + e->fifo_len++) % SS_SMTP_FIFO_MAX] =
		(struct ss_smtp_pending){ .verb = (u8)verb, .arg = arg };
	if (verb == VERB_LOCAL)
		e->fifo_local++;
	if (verb == VERB_MAIL)
		e->mail_out = true;
}

struct ss_smtp_pending ss_smtp_pop(struct ss_smtp *e)
{
	struct ss_smtp_pending head = *ss_smtp_fifo_at(e, 0);

	e->fifo_head = (u8)(e->fifo_head + 1) % SS_SMTP_FIFO_MAX;
	e->fifo_len--;
	if (head.verb == VERB_LOCAL)
		e->fifo_local--;
	return head;
}

void ss_smtp_forward_own(struct ss_smtp *e, enum ss_smtp_verb verb,
			 const char *line, struct ss_smtp_buf *srv)
{
	ss_smtp_push(e, verb, 0);
	put_text(e, srv, line);
}

bool ss_smtp_idle(const struct ss_smtp *e)
{
	return !e->fifo_len && !e->reply_open;
}

/* ---- what the gateway answers itself, each in its turn ---- */

/* Notes a refusal. Return: the reply to it. */
static enum ss_canned refusal(struct ss_smtp *e, enum ss_canned which)
{
	e->refused++;
	if (ss_canned[which].junk && e->errors++ >= SS_SMTP_ERRORS_MAX)
		return CANNED_TOO_MANY;
	return which;
}

/* Finds why no message may come now; CANNED_NONE where it may. */
static enum ss_canned out_of_order(const struct ss_smtp *e)
{
	if (!e->mail_ok)
		return CANNED_MAIL_FIRST;
	return e->rcpt_count ? CANNED_NONE : CANNED_NO_RCPT;
}

/* Reads the octets of a refused chunk, which come in any case (RFC 3030 2). */
static void swallow(struct ss_smtp *e, struct ss_smtp_buf *cli,
		    enum ss_canned which)
{
	which = refusal(e, which);
	if (e->chunk_left / SS_SMTP_DRAIN_MAX > e->max_message)
		which = CANNED_CHUNK_SIZE;
	e->chunk_error = (u8)which;
	if (ss_canned[which].fatal || !e->chunk_left)
		ss_smtp_put_canned(e, cli, which);
	else
		ss_smtp_enter(e, STAGE_SWALLOW);
}

/* Gives DATA its turn: every reply to the commands before it is known. */
static void data_turn(struct ss_smtp *e, struct ss_smtp_buf *cli)
{
	enum ss_canned error = out_of_order(e);

	if (!error && e->binary)
		error = CANNED_BINARY;
	if (error) {
		ss_smtp_put_canned(e, cli, refusal(e, error));
		return;
	}
	e->chunked = false;
	ss_smtp_enter(e, STAGE_DATA);
}

/* Gives the first BDAT of a message its turn, likewise. */
static void bdat_turn(struct ss_smtp *e, struct ss_smtp_buf *cli)
{
	enum ss_canned error = e->chunk_error;

	if (!error)
		error = out_of_order(e);
	if (error) {
		swallow(e, cli, error);
		return;
	}
	e->chunked = true;
	ss_smtp_enter(e, STAGE_DATA);
}

void ss_smtp_drain(struct ss_smtp *e, struct ss_smtp_buf *cli)
{
	while (e->fifo_len && e->event == SS_SMTP_NONE) {
		u8 verb = ss_smtp_fifo_at(e, 0)->verb;
		u16 arg = ss_smtp_fifo_at(e, 0)->arg;

		if (verb != VERB_LOCAL && verb != VERB_DATA &&
		    verb != VERB_BDAT)
			break;
		ss_smtp_pop(e);
		if (verb == VERB_LOCAL)
			ss_smtp_put_canned(e, cli, arg);
		else if (verb == VERB_DATA)
			data_turn(e, cli);
		else
			bdat_turn(e, cli);
	}
}

void ss_smtp_answer(struct ss_smtp *e, struct ss_smtp_buf *cli,
		    enum ss_canned which)
{
	which = refusal(e, which);
	/* only commands of the gateway's own are outstanding there */
	if (e->stage == STAGE_CHUNKS) {
		ss_smtp_put_canned(e, cli, which);
		return;
	}
	ss_smtp_push(e, VERB_LOCAL, (u16)which);
	ss_smtp_drain(e, cli);
}

/* ---- the transaction ---- */

void ss_smtp_transaction_clear(struct ss_smtp *e)
{
	ss_envelope_clear(&e->envelope);
	ss_envelope_clear(&e->lines);
	e->lines_cut = false;
	e->rcpt_count = 0;
	e->mail_ok = false;
	e->smtputf8 = false;
	e->binary = false;
	e->sender_len = 0;
}

/* ---- the session as a whole ---- */

void ss_smtp_init(struct ss_smtp *e, u64 max_message)
{
	memset(e, 0, sizeof(*e));
	e->max_message = max_message;
	e->body_bad = SS_EOD_BAD;
	e->greeting = VERB_NONE;
	ss_smtp_push(e, VERB_BANNER, 0);
}

void ss_smtp_tls_done(struct ss_smtp *e)
{
	if (e->stage == STAGE_HANDSHAKE) {
		ss_smtp_enter(e, STAGE_COMMAND);
		ss_smtp_transaction_clear(e);
		e->envelope.len = 0;
		e->lines.len = 0;
		e->greeting = VERB_NONE;
		e->helo_len = 0;
		e->rset_due = false;
		e->client_seen = 0;
		e->server_seen = 0;
	}
	e->tls = SS_SMTP_TLS_ON;
	e->server_tls = false;
	e->server_chunking = false;
}

void ss_smtp_hangup(struct ss_smtp *e, const char *reply,
		    struct ss_smtp_buf *cli)
{
	if (ss_smtp_is_final(e))
		return;
	if (e->fifo_len == 1 && ss_smtp_fifo_at(e, 0)->verb == VERB_QUIT)
		ss_smtp_put_canned(e, cli, CANNED_BYE);
	else
		ss_smtp_put_reply(e, cli, reply);
	ss_smtp_enter(e, STAGE_CLOSED);
}

int ss_smtp_rcpt(const struct ss_smtp *e, u32 *pos, const u8 **addr)
{
	return ss_envelope_next(&e->envelope, pos, addr);
}
