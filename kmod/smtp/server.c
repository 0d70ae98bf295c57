// SPDX-License-Identifier: GPL-2.0
/*
 * The server's side: finds the command that a reply belongs to, what of it the client
 * hears, and what it changes. Threading as in smtp.c.
 */
#include "canned.h"
#include "envelope.h"
#include "internal.h"
#include "portable.h"
#include "smtp.h"
#include "syntax.h"

/* ---- what the client hears ---- */

static void put_keyword(struct ss_smtp *e, struct ss_smtp_buf *cli, u8 sep)
{
	if (!e->keyword_len)
		return;
	e->keyword[3] = sep;
	ss_smtp_put_line(e, cli,
			 (struct ss_span){ e->keyword, e->keyword_len });
	e->keyword_len = 0;
}

/* Keeps a line of the server's that goes to the client later, or not at all. */
static void keep_line(struct ss_smtp *e, struct ss_span line)
{
	memcpy(e->keyword, line.p, line.n);
	e->keyword_len = (u16)(line.n > 4 ? line.n : 4);
}

/* Keeps the last line of a reply, which goes to the client later. */
static void keep_last(struct ss_smtp *e, struct ss_span line)
{
	if (line.n > SS_SMTP_KEYWORD_MAX)
		line.n = SS_SMTP_KEYWORD_MAX;
	keep_line(e, line);
}

/* May the client see this line of an EHLO reply? */
static bool shows_keyword(struct ss_smtp *e, struct ss_span keyword)
{
	if (ss_syntax_same(keyword, "CHUNKING"))
		e->server_chunking = true;
	if (!ss_syntax_same(keyword, "STARTTLS"))
		return ss_syntax_ehlo_allowed(keyword);
	e->server_tls = true;
	return e->tls == SS_SMTP_TLS_OFFERED || e->tls == SS_SMTP_TLS_REQUIRED;
}

/*
 * A line of an EHLO reply is kept back until it is known whether another one
 * follows: the last line that is passed needs the space after its code.
 */
static void filter_ehlo(struct ss_smtp *e, struct ss_span line, bool last,
			struct ss_smtp_buf *cli)
{
	struct ss_span rest = ss_syntax_skip(line, line.n > 4 ? 4 : line.n);
	bool fits = line.n <= SS_SMTP_KEYWORD_MAX;

	/* the greeting is for people, it may be cut */
	if (e->ehlo_first && !fits)
		line.n = SS_SMTP_KEYWORD_MAX;
	if (e->ehlo_first ||
	    (fits && shows_keyword(e, ss_syntax_take_word(&rest)))) {
		put_keyword(e, cli, '-');
		keep_line(e, line);
	}
	e->ehlo_first = false;
	if (last)
		put_keyword(e, cli, ' ');
}

/* Will the open reply be the one to a message that is still on its way? */
static bool is_early(const struct ss_smtp *e)
{
	return ss_smtp_has_part(e) && !e->early_taken &&
	       (e->reply_verb == VERB_EARLY ||
		(e->reply_verb == VERB_OWN_CHUNK && e->reply_code >= 400));
}

/* Notes a keyword of a new server; the client has those of the first one. */
static void note_keyword(struct ss_smtp *e, struct ss_span line)
{
	struct ss_span rest = ss_syntax_skip(line, line.n > 4 ? 4 : line.n);

	if (!e->ehlo_first)
		shows_keyword(e, ss_syntax_take_word(&rest));
	e->ehlo_first = false;
}

/* May another connection to the server make the client hear nothing of this one? */
static bool is_for_us(const struct ss_smtp *e)
{
	return e->stage == STAGE_REPLAY ||
	       (e->reply_code == 421 && ss_smtp_can_replay(e));
}

static void relay(struct ss_smtp *e, struct ss_span line, bool last,
		  struct ss_smtp_buf *cli)
{
	u8 verb = e->reply_verb;
	bool own = verb >= VERB_REPLAY_BANNER;

	if (is_early(e)) {
		keep_last(e, line);
		return;
	}
	if (verb == VERB_REPLAY_EHLO)
		note_keyword(e, line);
	if (is_for_us(e))
		return;

	/*
	 * The client does not wait for the reply to a command of the gateway's
	 * own. A 421 it has to know of, but only in one piece: its lines must
	 * not mix with a reply from the gateway.
	 */
	if (own ? e->reply_code != 421 || !last :
		  e->reply_code == 354 && verb == VERB_RELEASE)
		return;
	if (verb == VERB_EHLO && e->reply_code < 300)
		filter_ehlo(e, line, last, cli);
	else if (verb == VERB_STARTTLS && e->reply_code == 220)
		keep_last(e, line);
	else
		ss_smtp_put_line(e, cli, line);
}

/* ---- what it changes ---- */

static void transaction_start(struct ss_smtp *e)
{
	ss_smtp_transaction_clear(e);
	e->mail_ok = true;
	e->smtputf8 = e->pending_smtputf8;
	e->binary = e->pending_binary;
	e->sender_len = e->pending_sender_len;
	memcpy(e->sender, e->pending_sender, e->sender_len);
}

/* Takes the reply to MAIL or RCPT. */
static void line_reply(struct ss_smtp *e, u16 kept, bool ok)
{
	if (kept & SS_SMTP_KEPT_LINE)
		ss_envelope_answer(&e->lines, ok);
	else
		e->lines_cut |= ok;
}

/* Takes the reply to HELO or EHLO; a refused one changes nothing (RFC 5321 4.1.4). */
static void helo_reply(struct ss_smtp *e, u8 verb, bool ok)
{
	if (!ok) {
		e->helo_len = e->old_helo_len;
		memcpy(e->helo, e->old_helo, e->helo_len);
		return;
	}
	ss_smtp_transaction_clear(e);
	e->greeting = verb;
	if (verb == VERB_EHLO)
		e->ehlo_answered = true;
	else
		e->server_chunking = false;
}

/* Takes the answer to the message, or to DATA in its stead. */
static void message_reply(struct ss_smtp *e, u8 verb)
{
	if (e->reply_code == 354) {
		ss_smtp_enter(e, verb == VERB_PASS ? STAGE_GO_ON : STAGE_SEND);
		return;
	}
	/*
	 * Unlike the end-of-data, a refused DATA leaves the envelope there; what
	 * a refused BDAT leaves is not defined.
	 */
	e->rset_due = verb != VERB_EOD ||
		      (e->chunked && e->reply_code >= 300);
	e->done_code = e->reply_code;
	ss_smtp_enter(e, e->done_code == 421 ? STAGE_CLOSED : STAGE_DONE);
}

/* Makes the changes that a reply brings, which is there in full. */
static void reply_end(struct ss_smtp *e)
{
	struct ss_smtp_pending head = { .verb = VERB_NONE };
	bool ok = e->reply_code < 300;

	e->reply_open = false;
	e->turns++;
	/* the client's line may have waited for this reply */
	e->stalled = false;
	if (is_early(e)) {
		if (e->reply_verb == VERB_OWN_CHUNK)
			ss_smtp_pop(e);
		e->early = true;
		e->keyword[3] = ' ';
		e->keyword[e->keyword_len] = '\0';
		return;
	}
	if (is_for_us(e)) {
		if (e->reply_verb != VERB_NONE)
			ss_smtp_pop(e);
		if (e->stage == STAGE_REPLAY)
			ss_smtp_replay_reply(e, e->reply_verb);
		else
			e->gone = true;
		return;
	}
	/* a reply that began amid a message may end behind it */
	if (e->reply_verb != VERB_NONE && e->reply_verb != VERB_EARLY)
		head = ss_smtp_pop(e);
	if (head.verb == VERB_RELEASE || head.verb == VERB_PASS ||
	    head.verb == VERB_EOD) {
		message_reply(e, head.verb);
	} else if (e->reply_code == 421 || head.verb == VERB_QUIT) {
		ss_smtp_enter(e, STAGE_CLOSED);
	} else if (head.verb == VERB_BANNER) {
		ss_smtp_enter(e, STAGE_COMMAND);
	} else if (head.verb == VERB_STARTTLS) {
		if (ok)
			ss_smtp_enter(e, STAGE_STARTTLS);
	} else if (head.verb == VERB_AUTH) {
		e->auth = e->reply_code == 334;
	} else if (head.verb == VERB_RCPT) {
		e->rcpt_count += ok;
		if (head.arg & SS_SMTP_KEPT_ADDRESS)
			ss_envelope_answer(&e->envelope, ok);
		line_reply(e, head.arg, ok);
	} else if (head.verb == VERB_MAIL) {
		e->mail_out = false;
		if (ok)
			transaction_start(e);
		line_reply(e, head.arg, ok);
	} else if (head.verb == VERB_HELO || head.verb == VERB_EHLO) {
		helo_reply(e, head.verb, ok);
	} else if (ok && (head.verb == VERB_RSET || head.verb == VERB_DROP)) {
		ss_smtp_transaction_clear(e);
	}
}

/* ---- lines ---- */

/* Finds what a reply that begins now would answer. */
static enum ss_smtp_verb answered(struct ss_smtp *e)
{
	if (e->fifo_len)
		return ss_smtp_fifo_at(e, 0)->verb;
	return ss_smtp_has_part(e) ? VERB_EARLY : VERB_NONE;
}

/* May a reply of this code answer this entry? */
static bool is_plausible(u8 verb, u16 code)
{
	u16 class = code / 100;

	if (code == 421)
		return true;
	switch (code) {
	case 220:
		return verb == VERB_BANNER || verb == VERB_STARTTLS ||
		       verb == VERB_REPLAY_BANNER;
	case 221:
		return verb == VERB_QUIT;
	case 334:
		return verb == VERB_AUTH;
	case 354:
		return verb == VERB_RELEASE || verb == VERB_PASS;
	}
	switch (verb) {
	case VERB_BANNER:
	case VERB_REPLAY_BANNER:
	case VERB_STARTTLS:
	case VERB_RELEASE:
	case VERB_PASS:
	case VERB_EARLY:
	case VERB_OWN_CANCEL:
		return class >= 4;
	case VERB_OWN_RSET:
	case VERB_DROP:
		return class == 2;
	case VERB_NONE:
	case VERB_LOCAL:
	case VERB_DATA:
	case VERB_BDAT:
		return false;
	}
	return class != 3;
}

/* Takes one line of a reply. Return: false if it breaks the protocol. */
static bool server_line(struct ss_smtp *e, struct ss_span line,
			struct ss_smtp_buf *cli)
{
	u16 code = ss_syntax_reply_code(line);
	bool last;

	if (!code)
		return false;
	last = line.n == 3 || line.p[3] == ' ';
	if (!e->reply_open) {
		e->reply_verb = (u8)answered(e);
		if (!is_plausible(e->reply_verb, code))
			return false;
		/* the server cannot have what was not sent */
		if (e->reply_verb == VERB_OWN_CHUNK && code < 400 &&
		    e->chunk_open)
			return false;
		e->reply_open = true;
		e->reply_code = code;
		e->reply_lines = 0;
		e->ehlo_first = true;
		/*
		 * The list of keywords begins anew, but for STARTTLS: where a
		 * client has to use it, another EHLO is no way around that.
		 */
		if (e->reply_verb == VERB_REPLAY_EHLO ||
		    (e->reply_verb == VERB_EHLO && code < 300))
			e->server_chunking = false;
		e->keyword_len = 0;
	}
	if (code != e->reply_code || ++e->reply_lines > SS_SMTP_REPLY_LINES_MAX)
		return false;
	relay(e, line, last, cli);
	if (last) {
		reply_end(e);
		ss_smtp_drain(e, cli);
	}
	return true;
}

/*
 * Has the server all of the message, though the caller has yet to say so? With
 * an empty last chunk it has that as soon as it is announced.
 */
static bool has_whole(const struct ss_smtp *e)
{
	return e->stage == STAGE_SEND && e->last_empty;
}

u32 ss_smtp_server(struct ss_smtp *e, const u8 *p, u32 n,
		   struct ss_smtp_buf *cli)
{
	enum ss_smtp_event event = e->event;
	u32 done = 0;

	/* octets that come then are of the next connection */
	if (e->lost || ss_smtp_is_final(e) || event == SS_SMTP_DONE ||
	    event == SS_SMTP_GO_ON || event == SS_SMTP_REPLAY ||
	    event == SS_SMTP_STARTTLS || e->stage == STAGE_HANDSHAKE ||
	    has_whole(e))
		return 0;
	while (done < n && e->event == event && !e->early && !e->gone &&
	       ss_smtp_has_room(cli)) {
		u32 max = n - done < SS_SMTP_LINE_MAX ? n - done :
							SS_SMTP_LINE_MAX;
		u32 len = ss_syntax_find_line(p + done, max, &e->server_seen);

		if (!len && max < SS_SMTP_LINE_MAX)
			break;
		if (!len ||
		    !server_line(e, ss_syntax_line(p + done, len), cli)) {
			ss_smtp_put_canned(e, cli, CANNED_SERVER);
			return n;
		}
		done += len;
	}
	return done;
}

/* ---- TLS ---- */

void ss_smtp_tls_go(struct ss_smtp *e, struct ss_smtp_buf *cli)
{
	if (e->stage != STAGE_STARTTLS)
		return;
	ss_smtp_enter(e, STAGE_HANDSHAKE);
	put_keyword(e, cli, ' ');
}
