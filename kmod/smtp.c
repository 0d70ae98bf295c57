// SPDX-License-Identifier: GPL-2.0
/*
 * The SMTP engine. It owns the dialogue of one session: what is outstanding at
 * the server, the envelope, where a message ends. It owns no buffer, takes no
 * lock and never sleeps: the caller serialises the calls for one engine.
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
#include "portable.h"
#include "smtp.h"
#include "smtp-internal.h"
#include "syntax.h"

/*
 * Most own replies in the FIFO: they all may have to go out behind one line of
 * the server, and SS_SMTP_SINK_MIN leaves 1024 octets for them.
 */
#define LOCAL_MAX	16
/* Longest reply line that ss_smtp_refuse() sends (RFC 5321 4.5.3.1.5). */
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

static void forward(struct ss_smtp *e, enum ss_smtp_verb verb, u16 arg,
		    struct ss_span line, struct ss_smtp_buf *srv)
{
	ss_smtp_push(e, verb, arg);
	ss_smtp_put_line(e, srv, line);
}

void ss_smtp_forward_own(struct ss_smtp *e, enum ss_smtp_verb verb,
			 const char *line, struct ss_smtp_buf *srv)
{
	ss_smtp_push(e, verb, 0);
	put_text(e, srv, line);
}

/* Notes a refusal; returns the reply to it. */
static enum ss_canned refusal(struct ss_smtp *e, enum ss_canned which)
{
	e->refused++;
	if (ss_canned[which].junk && e->errors++ >= SS_SMTP_ERRORS_MAX)
		return CANNED_TOO_MANY;
	return which;
}

/* Why may no message come? */
static enum ss_canned out_of_order(const struct ss_smtp *e)
{
	if (!e->mail_ok)
		return CANNED_MAIL_FIRST;
	return e->rcpt_count ? CANNED_NONE : CANNED_NO_RCPT;
}

/* The octets of a refused chunk come in any case (RFC 3030 2). */
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

/* DATA has got its turn: every reply to the commands before it is known. */
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

/* The same for the first BDAT of a message. */
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
	/* what is outstanding there is of the gateway's own */
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
	e->rcpt_count = 0;
	e->mail_ok = false;
	e->smtputf8 = false;
	e->binary = false;
	e->sender_len = 0;
}

static void transaction_start(struct ss_smtp *e)
{
	ss_smtp_transaction_clear(e);
	e->mail_ok = true;
	e->smtputf8 = e->pending_smtputf8;
	e->binary = e->pending_binary;
	e->sender_len = e->pending_sender_len;
	memcpy(e->sender, e->pending_sender, e->sender_len);
}

static u16 keep_address(u8 *to, struct ss_span s)
{
	u16 n = (u16)(s.n < SS_SMTP_ADDRESS_MAX ? s.n : SS_SMTP_ADDRESS_MAX);

	memcpy(to, s.p, n);
	return n;
}

/* ---- commands ---- */

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

	if (!ss_syntax_take_path(&args, "FROM:", &path)) {
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
		forward(e, VERB_MAIL, 0, line, srv);
}

static void rcpt(struct ss_smtp *e, struct ss_span line, struct ss_span args,
		 struct ss_smtp_buf *srv, struct ss_smtp_buf *cli)
{
	struct ss_span path;

	if (ss_syntax_take_path(&args, "TO:", &path))
		forward(e, VERB_RCPT, ss_envelope_add(&e->envelope, path), line,
			srv);
	else
		ss_smtp_answer(e, cli, CANNED_RCPT_SYNTAX);
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
	/* whatever is wrong with it, its octets follow */
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

/* Returns false if the command has to wait. */
static bool command(struct ss_smtp *e, struct ss_span line,
		    struct ss_smtp_buf *srv, struct ss_smtp_buf *cli)
{
	struct ss_span args = line;
	enum ss_smtp_verb verb = ss_syntax_verb(ss_syntax_take_word(&args));

	if (verb == VERB_HTTP) {
		ss_smtp_answer(e, cli, CANNED_BAD);
	} else if (verb == VERB_BDAT) {
		bdat(e, args, cli);
	} else if (ss_syntax_has_control(line)) {
		ss_smtp_answer(e, cli, CANNED_CHARACTER);
	} else if (!line.n) {
		ss_smtp_answer(e, cli, CANNED_EMPTY);
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
			e->helo_len = keep_address(e->helo,
						   ss_syntax_take_word(&args));
		e->quit = verb == VERB_QUIT;
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
	if (!e->auth && !ss_syntax_is_letter(*p) && *p != '\r' && *p != '\n') {
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

bool ss_smtp_wants_client(const struct ss_smtp *e)
{
	if (e->event != SS_SMTP_NONE)
		return false;
	if (e->stage == STAGE_GREET || e->stage == STAGE_ALONE ||
	    e->stage == STAGE_SWALLOW || e->quit)
		return true;
	return (e->stage == STAGE_COMMAND || e->stage == STAGE_CHUNKS) &&
	       !e->early && !e->stalled && !is_barrier(e) &&
	       e->fifo_len < SS_SMTP_FIFO_MAX && e->fifo_local < LOCAL_MAX;
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

/* ---- replies ---- */

/* May a reply of this code answer this entry? */
static bool is_plausible(u8 verb, u16 code)
{
	u16 class = code / 100;

	if (code == 421)
		return true;
	switch (code) {
	case 220:
		return verb == VERB_BANNER || verb == VERB_STARTTLS;
	case 221:
		return verb == VERB_QUIT;
	case 334:
		return verb == VERB_AUTH;
	case 354:
		return verb == VERB_RELEASE || verb == VERB_PASS;
	}
	switch (verb) {
	case VERB_BANNER:
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

static void put_keyword(struct ss_smtp *e, struct ss_smtp_buf *cli, u8 sep)
{
	if (!e->keyword_len)
		return;
	e->keyword[3] = sep;
	ss_smtp_put_line(e, cli,
			 (struct ss_span){ e->keyword, e->keyword_len });
	e->keyword_len = 0;
}

/* A line of the server's that goes to the client later, or not at all. */
static void keep_line(struct ss_smtp *e, struct ss_span line)
{
	memcpy(e->keyword, line.p, line.n);
	e->keyword_len = (u16)(line.n > 4 ? line.n : 4);
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

/*
 * Has the server all of it, though the caller has yet to say so? With an empty
 * last chunk it has that as soon as it is announced.
 */
static bool has_whole(const struct ss_smtp *e)
{
	return e->stage == STAGE_SEND && e->last_empty;
}

/* Will the open reply be the one to a message that is still on its way? */
static bool is_early(const struct ss_smtp *e)
{
	return ss_smtp_has_part(e) && !e->early_taken &&
	       (e->reply_verb == VERB_EARLY ||
		(e->reply_verb == VERB_OWN_CHUNK && e->reply_code >= 400));
}

/* What goes to the client later: the last line of a reply. */
static void keep_last(struct ss_smtp *e, struct ss_span line)
{
	if (line.n > SS_SMTP_KEYWORD_MAX)
		line.n = SS_SMTP_KEYWORD_MAX;
	keep_line(e, line);
}

static void relay(struct ss_smtp *e, struct ss_span line, bool last,
		  struct ss_smtp_buf *cli)
{
	u8 verb = e->reply_verb;
	bool own = verb == VERB_NONE || verb == VERB_OWN_RSET ||
		   verb == VERB_OWN_NOOP || verb == VERB_OWN_CANCEL ||
		   verb == VERB_OWN_CHUNK || verb == VERB_EARLY;

	if (is_early(e)) {
		keep_last(e, line);
		return;
	}

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

/* The server has answered the message, or DATA in its stead. */
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

/* The whole reply is there: what does it change? */
static void reply_end(struct ss_smtp *e)
{
	struct ss_smtp_pending head = { .verb = VERB_NONE };
	bool ok = e->reply_code < 300;

	e->reply_open = false;
	e->turns++;
	/* whatever the client's line waits for, it may have been this one */
	e->stalled = false;
	if (is_early(e)) {
		if (e->reply_verb == VERB_OWN_CHUNK)
			ss_smtp_pop(e);
		e->early = true;
		e->keyword[3] = ' ';
		e->keyword[e->keyword_len] = '\0';
		return;
	}
	/* one that began amid a message may end behind it */
	if (e->reply_verb != VERB_NONE && e->reply_verb != VERB_EARLY)
		head = ss_smtp_pop(e);
	if (head.verb == VERB_EHLO)
		e->ehlo_answered = true;
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
		if (head.arg)
			ss_envelope_answer(&e->envelope, ok);
	} else if (head.verb == VERB_MAIL) {
		e->mail_out = false;
		if (ok)
			transaction_start(e);
	} else if (ok && (head.verb == VERB_HELO || head.verb == VERB_EHLO ||
			  head.verb == VERB_RSET || head.verb == VERB_DROP)) {
		ss_smtp_transaction_clear(e);
		if (head.verb == VERB_HELO)
			e->server_chunking = false;
	}
}

/* What would a reply that begins now answer? */
static enum ss_smtp_verb answered(struct ss_smtp *e)
{
	if (e->fifo_len)
		return ss_smtp_fifo_at(e, 0)->verb;
	return ss_smtp_has_part(e) ? VERB_EARLY : VERB_NONE;
}

/* Takes one line of a reply; returns false if it breaks the protocol. */
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
		/* it cannot have what was not sent */
		if (e->reply_verb == VERB_OWN_CHUNK && code < 400 &&
		    e->chunk_open)
			return false;
		e->reply_open = true;
		e->reply_code = code;
		e->reply_lines = 0;
		e->ehlo_first = true;
		if (e->reply_verb == VERB_EHLO) {
			e->server_tls = false;
			e->server_chunking = false;
		}
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

u32 ss_smtp_server(struct ss_smtp *e, const u8 *p, u32 n,
		   struct ss_smtp_buf *cli)
{
	enum ss_smtp_event event = e->event;
	u32 done = 0;

	if (e->lost)
		return n;
	if (ss_smtp_is_final(e) || event == SS_SMTP_DONE ||
	    event == SS_SMTP_GO_ON || event == SS_SMTP_STARTTLS ||
	    e->stage == STAGE_HANDSHAKE || has_whole(e))
		return 0;
	while (done < n && e->event == event && !e->early &&
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

bool ss_smtp_idle(const struct ss_smtp *e)
{
	return !e->fifo_len && !e->reply_open;
}

/* ---- TLS ---- */

void ss_smtp_tls_go(struct ss_smtp *e, struct ss_smtp_buf *cli)
{
	if (e->stage != STAGE_STARTTLS)
		return;
	ss_smtp_enter(e, STAGE_HANDSHAKE);
	put_keyword(e, cli, ' ');
}

void ss_smtp_tls_done(struct ss_smtp *e)
{
	if (e->stage == STAGE_HANDSHAKE) {
		ss_smtp_enter(e, STAGE_COMMAND);
		ss_smtp_transaction_clear(e);
		e->envelope.len = 0;
		e->helo_len = 0;
		e->rset_due = false;
		e->client_seen = 0;
		e->server_seen = 0;
	}
	e->tls = SS_SMTP_TLS_ON;
	e->server_tls = false;
	e->server_chunking = false;
}

/* ---- the session as a whole ---- */

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

void ss_smtp_init(struct ss_smtp *e, u64 max_message)
{
	memset(e, 0, sizeof(*e));
	e->max_message = max_message;
	e->body_bad = SS_SMTP_BODY_BAD;
	ss_smtp_push(e, VERB_BANNER, 0);
}
