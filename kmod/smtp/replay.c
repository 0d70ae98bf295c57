// SPDX-License-Identifier: GPL-2.0
/*
 * The envelope again, for a server that has left while a message was held: what
 * the client said of the message is kept as it stood on the wire and said to the
 * server's next connection, before DATA. Threading as in smtp.c.
 */
#include "envelope.h"
#include "internal.h"
#include "portable.h"
#include "smtp.h"
#include "syntax.h"

/* Length of EHLO and of HELO. */
#define VERB_LEN	4

bool ss_smtp_can_replay(const struct ss_smtp *e)
{
	return ss_smtp_is_at_hand(e) && !e->lost && !e->passed &&
	       !e->lines_cut && !e->auth_used && e->tls != SS_SMTP_TLS_ON &&
	       e->helo_len < SS_SMTP_ADDRESS_MAX &&
	       (e->tls != SS_SMTP_TLS_REQUIRED || e->greeting == VERB_EHLO);
}

void ss_smtp_replay(struct ss_smtp *e, u64 len)
{
	if (e->stage != STAGE_HELD || !e->lost)
		return;
	e->lost = false;
	e->server_seen = 0;
	e->server_tls = false;
	e->replay_len = len;
	e->replay_pos = 0;
	e->replay_greeted = e->greeting == VERB_NONE;
	ss_smtp_enter(e, STAGE_REPLAY);
	ss_smtp_push(e, VERB_REPLAY_BANNER, 0);
}

static void greet(struct ss_smtp *e, struct ss_smtp_buf *srv)
{
	bool ehlo = e->greeting == VERB_EHLO;
	const char *verb = ehlo ? "EHLO" : "HELO";
	u8 line[VERB_LEN + 1 + SS_SMTP_ADDRESS_MAX];
	u32 n;

	for (n = 0; n < VERB_LEN; n++)
		line[n] = (u8)verb[n];
	if (e->helo_len)
		line[n++] = ' ';
	memcpy(line + n, e->helo, e->helo_len);
	ss_smtp_push(e, ehlo ? VERB_REPLAY_EHLO : VERB_REPLAY, 0);
	ss_smtp_put_line(e, srv, (struct ss_span){ line, n + e->helo_len });
	e->replay_greeted = true;
}

bool ss_smtp_replay_next(struct ss_smtp *e, struct ss_smtp_buf *srv)
{
	const u8 *line;
	int n;

	if (e->stage != STAGE_REPLAY_NEXT)
		return true;
	ss_smtp_enter(e, STAGE_REPLAY);
	if (!e->replay_greeted) {
		greet(e, srv);
		return true;
	}
	n = ss_envelope_next(&e->lines, &e->replay_pos, &line);
	if (n < 0) {
		ss_smtp_enter(e, STAGE_HELD);
		ss_smtp_release(e, e->replay_len, srv);
		return false;
	}
	ss_smtp_push(e, VERB_REPLAY, 0);
	ss_smtp_put_line(e, srv, (struct ss_span){ line, (u32)n });
	return true;
}

/* Is this another server than the first, of which the message asks too much? */
static bool lacks(const struct ss_smtp *e, u8 verb)
{
	if (verb != VERB_REPLAY_EHLO)
		return false;
	return (e->chunked && !e->server_chunking) ||
	       (e->tls == SS_SMTP_TLS_REQUIRED && e->server_tls);
}

void ss_smtp_replay_reply(struct ss_smtp *e, u8 verb)
{
	if (e->reply_code >= 300 || lacks(e, verb))
		e->gone = true;
	else
		ss_smtp_enter(e, STAGE_REPLAY_NEXT);
}
