// SPDX-License-Identifier: GPL-2.0
/*
 * The client's side, line by line: passes commands on, refuses them, or has them
 * wait, and decides when the client is listened to at all. Threading as in smtp.c.
 */
#include "canned.h"
#include "envelope.h"
#include "internal.h"
#include "portable.h"
#include "smtp.h"
#include "syntax.h"

/* ---- commands ---- */

static void forward(struct ss_smtp *e, enum ss_smtp_verb verb, u16 arg,
		    struct ss_span line, struct ss_smtp_buf *srv)
{
	ss_smtp_push(e, verb, arg);
	ss_smtp_put_line(e, srv, line);
}

/*
 * A path, as ss_syntax_take_path() does. One that is longer than what is recorded
 * of it would hide the mailbox behind its source route.
 */
static bool take_path(struct ss_span *args, const char *keyword,
		      struct ss_span *path)
{
	return ss_syntax_take_path(args, keyword, path) &&
	       path->n <= SS_SMTP_ADDRESS_MAX;
}

static u16 keep_address(u8 *to, struct ss_span s)
{
	u16 n = (u16)(s.n < SS_SMTP_ADDRESS_MAX ? s.n : SS_SMTP_ADDRESS_MAX);

	memcpy(to, s.p, n);
	return n;
}

/* Keeps a line of the envelope, in case that it has to be said again. */
static u16 keep_line(struct ss_smtp *e, struct ss_span line)
{
	return ss_envelope_add(&e->lines, line) ? SS_SMTP_KEPT_LINE : 0;
}

static enum ss_canned mail_params(struct ss_smtp *e, struct ss_span s)
{
	struct ss_span word;

	while ((word = ss_syntax_take_word(&s)).n) {
		if (ss_syntax_starts(word, "SIZE=") &&
		    ss_syntax_size_exceeds(ss_syntax_skip(word, 5),
					   e->max_message)) {
			e->oversize++;
			return CANNED_SIZE;
		}
		/* needs BDAT (RFC 3030 3) */
		if (ss_syntax_same(word, "BODY=BINARYMIME")) {
			if (!e->server_chunking)
				return CANNED_BINARYMIME;
			e->pending_binary = true;
		}
		if (ss_syntax_same(word, "SMTPUTF8"))
			e->pending_smtputf8 = true;
	}
	return CANNED_NONE;
}

static void mail(struct ss_smtp *e, struct ss_span line, struct ss_span args,
		 struct ss_smtp_buf *srv, struct ss_smtp_buf *cli)
{
	struct ss_span path;
	enum ss_canned error;

	if (!take_path(&args, "FROM:", &path)) {
		ss_smtp_answer(e, cli, CANNED_MAIL_SYNTAX);
		return;
	}
	if (e->banned) {
		e->bans++;
		ss_smtp_answer(e, cli, CANNED_BANNED);
		return;
	}
	e->pending_smtputf8 = false;
	e->pending_binary = false;
	e->pending_sender_len = keep_address(e->pending_sender, path);
	error = mail_params(e, args);
	if (error)
		ss_smtp_answer(e, cli, error);
	else
		forward(e, VERB_MAIL, keep_line(e, line), line, srv);
}

static void rcpt(struct ss_smtp *e, struct ss_span line, struct ss_span args,
		 struct ss_smtp_buf *srv, struct ss_smtp_buf *cli)
{
	struct ss_span path;

	if (!take_path(&args, "TO:", &path)) {
		ss_smtp_answer(e, cli, CANNED_RCPT_SYNTAX);
		return;
	}
	forward(e, VERB_RCPT,
		keep_line(e, line) | (ss_envelope_add(&e->envelope, path) ?
				      SS_SMTP_KEPT_ADDRESS : 0), line, srv);
}

static void data(struct ss_smtp *e, struct ss_span args,
		 struct ss_smtp_buf *cli)
{
	if (ss_syntax_skip_blanks(args).n) {
		ss_smtp_answer(e, cli, CANNED_DATA_SYNTAX);
		return;
	}
	ss_smtp_push(e, VERB_DATA, 0);
	ss_smtp_drain(e, cli);
}

static void refuse_busy(struct ss_smtp *e, struct ss_smtp_buf *cli)
{
	e->busy++;
	ss_smtp_answer(e, cli, CANNED_TLS_DOWN);
}

static void starttls(struct ss_smtp *e, struct ss_span line,
		     struct ss_span args, struct ss_smtp_buf *srv,
		     struct ss_smtp_buf *cli)
{
	if (e->tls == SS_SMTP_TLS_HIDDEN)
		ss_smtp_answer(e, cli, CANNED_UNKNOWN);
	else if (e->tls == SS_SMTP_TLS_ON)
		ss_smtp_answer(e, cli, CANNED_TLS_ON);
	else if (ss_syntax_skip_blanks(args).n)
		ss_smtp_answer(e, cli, CANNED_TLS_SYNTAX);
	else if (e->tls_down)
		ss_smtp_answer(e, cli, CANNED_TLS_DOWN);
	else if (e->tls_busy)
		refuse_busy(e, cli);
	else
		forward(e, VERB_STARTTLS, 0, line, srv);
}

/* Must it wait until there is TLS? RFC 3207 4 */
static bool needs_tls(const struct ss_smtp *e, enum ss_smtp_verb verb)
{
	return e->tls == SS_SMTP_TLS_REQUIRED &&
	       (e->server_tls || !e->ehlo_answered) &&
	       verb != VERB_EHLO && verb != VERB_HELO && verb != VERB_NOOP &&
	       verb != VERB_QUIT && verb != VERB_STARTTLS;
}

/* ---- BDAT (RFC 3030) ---- */

static void bdat(struct ss_smtp *e, struct ss_span args,
		 struct ss_smtp_buf *cli)
{
	/* octets follow, whatever is wrong with it */
	if (!ss_syntax_take_chunk(args, &e->chunk_left, &e->chunk_last)) {
		ss_smtp_answer(e, cli, CANNED_BDAT_SYNTAX);
		return;
	}
	if (e->stage == STAGE_CHUNKS) {
		ss_smtp_chunk_begin(e);
		return;
	}
	e->chunk_error = CANNED_NONE;
	if (needs_tls(e, VERB_BDAT))
		e->chunk_error = CANNED_TLS_FIRST;
	else if (!e->server_chunking)
		e->chunk_error = CANNED_UNKNOWN;
	ss_smtp_push(e, VERB_BDAT, 0);
	ss_smtp_drain(e, cli);
}

/* The only commands that there are without a server. */
static void lone_command(struct ss_smtp *e, struct ss_span line,
			 struct ss_smtp_buf *cli)
{
	bool quit = ss_syntax_verb(ss_syntax_take_word(&line)) == VERB_QUIT;

	ss_smtp_put_canned(e, cli, quit ? CANNED_BYE : CANNED_ALONE);
	ss_smtp_enter(e, STAGE_CLOSED);
}

/*
 * Between two chunks. The server may have the first ones, so that nothing may
 * reach it there but what is of this message, or drops it.
 * Returns false if the command has to wait.
 */
static bool chunk_command(struct ss_smtp *e, enum ss_smtp_verb verb,
			  struct ss_span line, struct ss_smtp_buf *srv,
			  struct ss_smtp_buf *cli)
{
	if (verb == VERB_NOOP) {
		ss_smtp_put_canned(e, cli, CANNED_NOOP);
		return true;
	}
	if (verb != VERB_RSET && verb != VERB_QUIT) {
		ss_smtp_answer(e, cli, CANNED_INCOMPLETE);
		return true;
	}
	if (e->lost) {
		lone_command(e, line, cli);
		return true;
	}
	e->stalled = !ss_smtp_idle(e) || e->chunk_open;
	if (e->stalled)
		return false;
	e->quit = verb == VERB_QUIT;
	forward(e, e->quit ? VERB_QUIT : VERB_DROP, 0, line, srv);
	ss_smtp_enter(e, STAGE_ABANDON);
	return true;
}

/* Takes octets of a chunk that was refused. */
static u32 swallow_octets(struct ss_smtp *e, u32 n, struct ss_smtp_buf *cli)
{
	if (n > e->chunk_left)
		n = (u32)e->chunk_left;
	e->chunk_left -= n;
	e->swallowed += n;
	if (!e->chunk_left) {
		ss_smtp_enter(e, STAGE_COMMAND);
		ss_smtp_put_canned(e, cli, e->chunk_error);
	}
	return n;
}

/* ---- AUTH ---- */

/* Ends an AUTH that the client spoilt; the client got its answer already. */
static void auth_cancel(struct ss_smtp *e, struct ss_smtp_buf *srv)
{
	e->auth = false;
	if (!ss_smtp_is_final(e))
		ss_smtp_forward_own(e, VERB_OWN_CANCEL, "*", srv);
}

/* A line of an AUTH dialogue: base64, nothing, or "*" (RFC 4954 4). */
static void auth_line(struct ss_smtp *e, struct ss_span line,
		      struct ss_smtp_buf *srv, struct ss_smtp_buf *cli)
{
	if (!ss_syntax_is_auth(line)) {
		ss_smtp_answer(e, cli, CANNED_BASE64);
		auth_cancel(e, srv);
		return;
	}
	e->auth = false;
	forward(e, VERB_AUTH, 0, line, srv);
}

/* ---- lines ---- */

/* Notes the name behind HELO or EHLO; the last one is kept for a refusal. */
static void name_client(struct ss_smtp *e, struct ss_span name)
{
	e->old_helo_len = e->helo_len;
	memcpy(e->old_helo, e->helo, e->helo_len);
	e->helo_len = keep_address(e->helo, name);
}

/* Returns false if the command has to wait. */
static bool command(struct ss_smtp *e, struct ss_span line,
		    struct ss_smtp_buf *srv, struct ss_smtp_buf *cli)
{
	struct ss_span args = line;
	enum ss_smtp_verb verb = ss_syntax_verb(ss_syntax_take_word(&args));
	bool begins = line.n && ss_syntax_is_letter(*line.p);

	/* octets follow where it would be a chunk */
	if (verb == VERB_HTTP || (verb == VERB_BDAT && !begins)) {
		ss_smtp_answer(e, cli, CANNED_BAD);
	} else if (verb == VERB_BDAT) {
		bdat(e, args, cli);
	} else if (ss_syntax_has_control(line)) {
		ss_smtp_answer(e, cli, CANNED_CHARACTER);
	} else if (!begins) {
		ss_smtp_answer(e, cli, CANNED_NO_VERB);
	} else if (verb == VERB_UNKNOWN) {
		ss_smtp_answer(e, cli, CANNED_UNKNOWN);
	} else if (e->stage == STAGE_CHUNKS) {
		return chunk_command(e, verb, line, srv, cli);
	} else if (needs_tls(e, verb)) {
		ss_smtp_answer(e, cli, CANNED_TLS_FIRST);
	} else if (verb == VERB_STARTTLS) {
		starttls(e, line, args, srv, cli);
	} else if (verb == VERB_MAIL) {
		/* there is room for one sender whose reply is outstanding */
		e->stalled = e->mail_out;
		if (e->stalled)
			return false;
		mail(e, line, args, srv, cli);
	} else if (verb == VERB_RCPT) {
		rcpt(e, line, args, srv, cli);
	} else if (verb == VERB_DATA) {
		data(e, args, cli);
	} else {
		if (verb == VERB_EHLO || verb == VERB_HELO)
			name_client(e, ss_syntax_take_word(&args));
		e->quit = verb == VERB_QUIT;
		e->auth_used |= verb == VERB_AUTH;
		forward(e, verb, 0, line, srv);
	}
	return true;
}

/* Drops the rest of an overlong line. */
static u32 skip_line(struct ss_smtp *e, const u8 *p, u32 n,
		     struct ss_smtp_buf *srv, struct ss_smtp_buf *cli)
{
	const u8 *lf = memchr(p, '\n', n);

	if (!lf)
		return n;
	e->skip = false;
	ss_smtp_answer(e, cli, CANNED_LONG);
	if (e->auth)
		auth_cancel(e, srv);
	return (u32)(lf - p) + 1;
}

/* A line that is too long already, and has not ended. */
static u32 overlong(struct ss_smtp *e, struct ss_span line,
		    struct ss_smtp_buf *cli)
{
	struct ss_span rest = line;
	enum ss_smtp_verb verb = ss_syntax_verb(ss_syntax_take_word(&rest));

	e->client_seen = 0;
	if (!e->auth && verb == VERB_HTTP)
		ss_smtp_answer(e, cli, CANNED_BAD);
	else if (!e->auth && verb == VERB_BDAT)
		ss_smtp_answer(e, cli, CANNED_BDAT_SYNTAX);
	else
		e->skip = true;
	return line.n;
}

/* Takes one line, or a part of one; returns 0 if it has to wait. */
static u32 client_line(struct ss_smtp *e, const u8 *p, u32 n,
		       struct ss_smtp_buf *srv, struct ss_smtp_buf *cli)
{
	struct ss_span line = { p, n };
	u32 max = SS_SMTP_COMMAND_MAX;
	u32 len;

	if (e->skip)
		return skip_line(e, p, n, srv, cli);
	/* TLS, RDP and the like have no lines, so do not wait for one */
	if (!e->auth && (*p >= 0x80 || ss_syntax_is_control(*p)) &&
	    *p != '\r' && *p != '\n') {
		ss_smtp_answer(e, cli, CANNED_BAD);
		return n;
	}
	if (e->auth || ss_syntax_starts(line, "AUTH"))
		max = SS_SMTP_LINE_MAX;
	line.n = n < max ? n : max;
	len = ss_syntax_find_line(p, line.n, &e->client_seen);
	if (!len)
		return n < max ? 0 : overlong(e, line, cli);
	line = ss_syntax_line(p, len);
	if (e->stage == STAGE_ALONE)
		lone_command(e, line, cli);
	else if (e->auth)
		auth_line(e, line, srv, cli);
	else if (!command(e, line, srv, cli))
		return 0;
	return len;
}

/*
 * Must the last entry be answered before the client may go on? RFC 2920 3.1;
 * also for the gateway's own commands: the client may not know PIPELINING, and
 * the server may not have it.
 */
static bool is_barrier(const struct ss_smtp *e)
{
	const struct ss_smtp_pending *last;

	if (!e->fifo_len)
		return false;
	last = ss_smtp_fifo_at(e, e->fifo_len - 1u);
	switch (last->verb) {
	case VERB_HELO:
	case VERB_EHLO:
	case VERB_AUTH:
	case VERB_STARTTLS:
	case VERB_DATA:
	case VERB_BDAT:
	case VERB_DROP:
	case VERB_OWN_RSET:
	case VERB_OWN_NOOP:
	case VERB_OWN_CANCEL:
		return true;
	case VERB_LOCAL:
		return ss_canned[last->arg].fatal;
	}
	return false;
}

bool ss_smtp_wants_client(const struct ss_smtp *e)
{
	if (e->event != SS_SMTP_NONE)
		return false;
	if (e->stage == STAGE_GREET || e->stage == STAGE_ALONE ||
	    e->stage == STAGE_SWALLOW || e->quit)
		return true;
	return (e->stage == STAGE_COMMAND || e->stage == STAGE_CHUNKS) &&
	       !e->early && !e->stalled && !is_barrier(e) &&
	       e->fifo_len < SS_SMTP_FIFO_MAX && e->fifo_local < SS_SMTP_LOCAL_MAX;
}

u32 ss_smtp_client(struct ss_smtp *e, const u8 *p, u32 n,
		   struct ss_smtp_buf *srv, struct ss_smtp_buf *cli)
{
	u32 done = 0;

	if (!n || !ss_smtp_wants_client(e) || !ss_smtp_has_room(srv) ||
	    !ss_smtp_has_room(cli))
		return 0;
	if (e->stage == STAGE_GREET) {
		ss_smtp_put_canned(e, cli, CANNED_EARLY);
		return n;
	}
	if (e->rset_due) {
		e->rset_due = false;
		ss_smtp_forward_own(e, VERB_OWN_RSET, "RSET", srv);
	}
	while (done < n && ss_smtp_wants_client(e)) {
		u32 used;

		if (e->quit)
			return n;
		if (!ss_smtp_has_room(srv) || !ss_smtp_has_room(cli))
			break;
		if (e->stage == STAGE_SWALLOW)
			used = swallow_octets(e, n - done, cli);
		else
			used = client_line(e, p + done, n - done, srv, cli);
		if (!used)
			break;
		done += used;
		if (!e->skip && e->stage != STAGE_SWALLOW)
			e->turns++;
	}
	return done;
}
