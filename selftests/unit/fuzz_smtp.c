// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzing of the SMTP engine. An input is text:
 *
 *	mode, 3 octets of chance, then pieces that begin with '|' and a letter:
 *	|C octets from the client	|S octets from the server (raw mode)
 *	|A accept the next message	|R refuse it	|D refuse the next DATA
 *	|K keepalive			|H hang up
 *	|L the server leaves, where another connection would do
 *
 * In raw mode the server says what the input says. Otherwise a polite server
 * reads what it gets, knows its own state, and answers by chance; the octets
 * of both sides come in pieces, and sinks are emptied, by chance.
 *
 * What must hold, whatever is said: see check_*() and rig.c.
 */
#include <stdio.h>
#include <strings.h>

#include "reader.h"
#include "rig.h"

/* The low bits of the first octet. */
#define MODE_RAW	1	/* the server's octets are in the input */
#define MODE_ALLOW	2	/* messages with bare CR or LF are accepted */
#define MODE_TWICE	4	/* polite server: splits must not matter */
#define MODE_CRAWL	8	/* few octets at a time */
#define MODE_TLS	16	/* STARTTLS is offered */
#define MODE_SPLICE	64	/* messages go on while they come in */
#define MODE_REQUIRE	128	/* no mail outside of TLS */

/**
 * struct server - the polite server
 * @reader: cuts what it gets
 * @out: its replies
 * @read: octets of to_server that it has read
 * @chance: what it answers; apart from that of the splits, so that the same
 *	commands get the same replies
 * @mail: it accepted MAIL
 * @rcpts: and so many recipients
 * @banner: it has greeted
 * @auth: inside an AUTH dialogue
 * @unsure: it refused a BDAT, so that only RSET helps
 * @early: what it said to a message or chunk that was not there yet, or 0
 * @rig: the gateway
 * @dialled: to which of its connections it listens
 * @orderly: never says 421
 */
struct server {
	struct reader reader;
	struct bytes out;
	size_t read;
	uint32_t chance;
	bool mail;
	unsigned int rcpts;
	bool banner;
	bool auth;
	bool unsure;
	int early;
	const struct rig *rig;
	unsigned int dialled;
	bool orderly;
};

/**
 * struct run - one session
 * @mode: MODE_*
 * @chance: of splits and of what comes next
 * @messages: ends of messages that were seen
 */
struct run {
	int mode;
	uint32_t chance;
	unsigned int messages;
	struct rig rig;
	struct server server;
};

static uint32_t draw(uint32_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return (*state >> 8) % n;
}

/* ---- the polite server ---- */

static void say(struct server *s, int code, const char *more)
{
	char text[64];
	int i, n, lines = draw(&s->chance, 4) ? 0 : (int)draw(&s->chance, 3);

	for (i = 0; i < lines; i++) {
		n = snprintf(text, sizeof(text), "%d-line %d\r\n", code, i);
		bytes_add(&s->out, text, (size_t)n);
	}
	bytes_add(&s->out, more, strlen(more));
	n = snprintf(text, sizeof(text),
		     draw(&s->chance, 8) ? "%d done\r\n" : "%d\n", code);
	bytes_add(&s->out, text, (size_t)n);
}

static bool is(const char *line, size_t n, const char *verb)
{
	return n >= strlen(verb) && !strncasecmp(line, verb, strlen(verb));
}

static int ok_or(struct server *s, int code)
{
	return draw(&s->chance, 5) ? 250 : code;
}

static int decide_mail(struct server *s)
{
	/* the gateway has to know of it, or it left an envelope behind */
	RIG_CHECK(!s->mail || s->rig->e.mail_ok);
	RIG_CHECK(!s->unsure);
	if (s->mail)
		return 503;
	s->mail = ok_or(s, 550) == 250;
	return s->mail ? 250 : 550;
}

static int decide_rcpt(struct server *s)
{
	if (!s->mail)
		return 503;
	if (ok_or(s, 550) == 550)
		return 550;
	s->rcpts++;
	return 251;
}

/* DATA must never come when the server itself would refuse it. */
static int decide_data(struct server *s)
{
	RIG_CHECK(s->mail && s->rcpts);
	RIG_CHECK(s->rcpts == s->rig->e.rcpt_count);
	return draw(&s->chance, 6) ? 354 : 451;
}

static void forget(struct server *s)
{
	s->mail = false;
	s->rcpts = 0;
	s->unsure = false;
}

/* The octets of the chunk are there; @early is what was said before. */
static int decide_bdat(struct server *s, bool last, int early)
{
	int code = 250;

	/*
	 * In what is read after the end of the connection there is no order, and
	 * the gateway may know already that it was refused.
	 */
	if (!s->rig->lost && !early) {
		RIG_CHECK(s->mail && s->rcpts && !s->unsure);
		RIG_CHECK(s->rcpts == s->rig->e.rcpt_count);
	}
	if (early)
		code = early;
	else if (last || !s->orderly)
		code = ok_or(s, 452);
	if (last)
		forget(s);
	s->unsure = code != 250;
	return code;
}

static int decide_auth(struct server *s, const char *line, size_t n)
{
	static const int codes[] = { 334, 334, 235, 535 };
	int code = codes[draw(&s->chance, 4)];

	if (s->auth && n == 1 && *line == '*')
		code = 501;
	s->auth = code == 334;
	return code;
}

/* It always offers STARTTLS, so that nothing else may come where that is required. */
static void check_clear(const struct server *s, const char *line, size_t n)
{
	static const char * const verbs[] = {
		"EHLO", "HELO", "NOOP", "QUIT", "STARTTLS",
	};
	unsigned int i;

	if (s->rig->e.tls != SS_SMTP_TLS_REQUIRED)
		return;
	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (is(line, n, verbs[i]))
			return;
	RIG_CHECK(false);
}

static int decide(struct server *s, const char *line, size_t n)
{
	if (!s->banner) {
		s->banner = true;
		return 220;
	}
	check_clear(s, line, n);
	if (s->auth)
		return decide_auth(s, line, n);
	/* one that is refused changes nothing (RFC 5321 4.1.4) */
	if (!s->orderly && (is(line, n, "EHLO") || is(line, n, "HELO")) &&
	    !draw(&s->chance, 4))
		return 501;
	if (is(line, n, "EHLO") || is(line, n, "HELO") || is(line, n, "RSET")) {
		forget(s);
		return 250;
	}
	if (is(line, n, "MAIL"))
		return decide_mail(s);
	if (is(line, n, "RCPT"))
		return decide_rcpt(s);
	if (is(line, n, "DATA"))
		return decide_data(s);
	if (is(line, n, "BDAT"))
		return decide_bdat(s, n > 4, 0);
	if (is(line, n, "AUTH"))
		return decide_auth(s, line, n);
	if (is(line, n, "QUIT"))
		return 221;
	if (is(line, n, "STARTTLS")) {
		/* never inside of it */
		RIG_CHECK(s->rig->e.tls == SS_SMTP_TLS_OFFERED ||
			  s->rig->e.tls == SS_SMTP_TLS_REQUIRED);
		if (!draw(&s->chance, 3))
			return 454;
		forget(s);
		return 220;
	}
	return ok_or(s, 502);
}

/* Takes note of the end of what it has answered before. */
static int answered(struct server *s, size_t n)
{
	int early = s->early;

	s->early = 0;
	if (s->reader.in_message)
		forget(s);
	else
		decide_bdat(s, n > 4, early);
	return early;
}

static int answer(void *ctx, const char *line, size_t n)
{
	struct server *s = ctx;
	bool is_chunk = n == 4 && is(line, n, "BDAT") && !s->auth;
	const char *more = "";
	int code;

	if (s->early)
		return answered(s, n);
	if (s->reader.in_message) {
		forget(s);
		code = ok_or(s, 554);
	} else {
		code = decide(s, line, n);
	}
	/* how many chunks there are does depend on the splits */
	if (s->orderly && is_chunk) {
		bytes_add(&s->out, "250 chunk\r\n", 11);
		return code;
	}
	if (!s->orderly && n && !draw(&s->chance, 60))
		code = 421;
	if (is(line, n, "EHLO") && code == 250)
		more = "250-SIZE 1\r\n250-STARTTLS\r\n250-CHUNKING\r\n";
	say(s, code, more);
	return code;
}

/* It may refuse what it has not got whole. */
static void refuse_early(struct server *s)
{
	static const int codes[] = { 452, 552, 421 };

	if (s->orderly || s->early || s->rig->lost ||
	    !(s->reader.in_chunk || s->reader.in_message) ||
	    draw(&s->chance, 16))
		return;
	s->early = codes[draw(&s->chance, 3)];
	say(s, s->early, "");
}

/* Another connection, on which nothing was said. */
static void accept(struct server *s)
{
	struct bytes messages = s->reader.messages;

	RIG_CHECK(!s->reader.in_message && !s->reader.in_chunk);
	s->reader.messages = (struct bytes){ 0 };
	reader_free(&s->reader);
	s->reader = (struct reader){
		.reply = answer, .ctx = s, .messages = messages,
	};
	s->dialled = s->rig->dialled;
	s->read = s->rig->dials[s->dialled - 1].to_server;
	s->out.n = 0;
	s->banner = false;
	s->auth = false;
	s->early = 0;
	forget(s);
}

/* The server reads what has come; answers are put into @out. */
static void serve(struct server *s)
{
	const struct bytes *in = &s->rig->to_server;

	if (s->dialled != s->rig->dialled)
		accept(s);
	if (s->read < in->n || !s->reader.greeted)
		reader_feed(&s->reader, in->p ? in->p + s->read : in->p,
			    in->n - s->read);
	s->read = in->n;
	refuse_early(s);
}

/* ---- what must hold in the end ---- */

/* The codes of the replies in a stream from @at to @end, one a call. */
struct codes {
	const struct bytes *from;
	size_t at;
	size_t end;
};

static int next_code(void *ctx, const char *line, size_t n)
{
	struct codes *c = ctx;
	const struct bytes *b = c->from;

	(void)line;
	(void)n;
	while (c->at < c->end) {
		const uint8_t *p = b->p + c->at;
		const uint8_t *lf = memchr(p, '\n', c->end - c->at);
		int code = 0, i;

		if (!lf || lf - p < 3)
			return 0;
		for (i = 0; i < 3; i++) {
			if (p[i] < '0' || p[i] > '9')
				return 0;
			code = 10 * code + p[i] - '0';
		}
		c->at += (size_t)(lf - p) + 1;
		if (p[3] != '-')
			return code;
	}
	return 0;
}

/* The messages that the client sent, going by the replies that it got. */
static struct reader read_client(const struct rig *r)
{
	struct codes codes = { &r->to_client, 0, r->to_client.n };
	struct reader out = { .lf = true, .reply = next_code, .ctx = &codes };

	reader_feed(&out, r->said.p, r->said.n);
	out.ctx = NULL;
	return out;
}

/* The messages that the server got on all its connections, going by its replies. */
static struct reader read_server(const struct rig *r, bool lax)
{
	const u8 *sent = r->to_server.p ? r->to_server.p : (const u8 *)"";
	struct rig_dial end, from = { 0, 0 };
	struct reader all = { 0 };
	unsigned int i;

	for (i = 0; i <= r->dialled; i++, from = end) {
		struct codes codes = { &r->heard, from.heard, 0 };
		struct reader one = {
			.lax = lax, .reply = next_code, .ctx = &codes,
		};

		end = (struct rig_dial){ r->to_server.n, r->heard.n };
		if (i < r->dialled)
			end = r->dials[i];
		codes.end = end.heard;
		reader_feed(&one, sent + from.to_server,
			    end.to_server - from.to_server);
		bytes_add(&all.messages, one.messages.p, one.messages.n);
		bytes_add(&all.acked, one.acked.p, one.acked.n);
		reader_free(&one);
	}
	return all;
}

static struct bytes without_nuls(const struct bytes *messages)
{
	struct bytes out = { 0 };
	size_t at = 0;

	while (at < messages->n) {
		struct bytes one = { 0 };
		size_t n, i;

		memcpy(&n, messages->p + at, sizeof(n));
		at += sizeof(n);
		for (i = 0; i < n; i++)
			if (messages->p[at + i])
				bytes_add(&one, messages->p + at + i, 1);
		at += n;
		bytes_add_message(&out, one.p, one.n);
		bytes_free(&one);
	}
	return out;
}

/* What the server takes for messages is what was accepted, and no more. */
static void check_delivered(const struct rig *r)
{
	struct reader strict = read_server(r, false);
	struct reader lax = read_server(r, true);
	struct bytes bare = without_nuls(&r->accepted);

	RIG_CHECK(bytes_equal(&strict.messages, &r->accepted));
	if (!(r->flags & SS_EOD_DOT_LINE))
		RIG_CHECK(bytes_equal(&lax.messages, &bare));
	reader_free(&strict);
	reader_free(&lax);
	bytes_free(&bare);
}

/* What the client was told is delivered, the server said so (promise 1). */
static void check_custody(const struct rig *r)
{
	struct reader client = read_client(r);
	struct reader server = read_server(r, false);

	RIG_CHECK(client.acked.n <= server.acked.n);
	RIG_CHECK(!client.acked.n ||
		  !memcmp(client.acked.p, server.acked.p, client.acked.n));
	if (r->e.event == SS_SMTP_NONE)
		RIG_CHECK(client.acked.n == server.acked.n);
	reader_free(&client);
	reader_free(&server);
}

/* The client has a reply to each of its commands and chunks, and no more. */
static void check_replies(const struct rig *r)
{
	struct codes codes = { &r->to_client, 0, r->to_client.n };
	struct reader client = {
		.lf = true, .reply = next_code, .ctx = &codes,
	};

	if (r->e.event != SS_SMTP_NONE || !ss_smtp_idle(&r->e))
		return;
	reader_feed(&client, r->said.p, r->said.n);
	RIG_CHECK(!client.ended);
	RIG_CHECK(codes.at == r->to_client.n);
	reader_free(&client);
}

/* Nothing waits where only the gateway could go on (promise 7). */
static void check_alive(const struct rig *r)
{
	const struct bytes *left = &r->from_client;

	switch (r->e.event) {
	case SS_SMTP_NONE:
		if (ss_smtp_idle(&r->e) && left->n)
			RIG_CHECK(!memchr(left->p, '\n', left->n));
		break;
	case SS_SMTP_CHUNK:
		RIG_CHECK(!ss_smtp_idle(&r->e));
		break;
	default:
		RIG_CHECK(r->e.event == SS_SMTP_BODY_END ||
			  r->e.event == SS_SMTP_CLOSE ||
			  r->e.event == SS_SMTP_ERROR);
	}
}

/* ---- a session ---- */

/* Returns whether there was something to do. */
static bool act(struct run *run)
{
	struct rig *r = &run->rig;

	if (r->e.event == SS_SMTP_BODY_END && !ss_smtp_body_ok(&r->e))
		r->verdict = RIG_REFUSE;
	if (r->e.event == SS_SMTP_BODY_END && !r->verdict &&
	    !(run->mode & MODE_RAW)) {
		if (run->mode & MODE_TWICE)
			r->verdict = run->messages % 3 ? RIG_REFUSE : RIG_ACCEPT;
		else
			r->verdict = draw(&run->chance, 4) ? RIG_ACCEPT :
							     RIG_REFUSE;
		run->messages++;
	}
	/* what was said in the meantime is the end, as in session.c */
	if (r->e.event == SS_SMTP_STARTTLS) {
		if (r->from_client.n || r->from_server.n) {
			ss_smtp_hangup(&r->e, "554 5.5.0 Out of step", &r->cli);
		} else {
			ss_smtp_tls_go(&r->e, &r->cli);
			ss_smtp_tls_done(&r->e);
			RIG_CHECK(!r->e.rcpt_count && !r->e.mail_ok);
		}
	}
	return rig_event(r);
}

/* At most @n octets from @from, from @at on, come in. */
static size_t arrive(struct bytes *to, const struct bytes *from, size_t at,
		     size_t n)
{
	if (n > from->n - at)
		n = from->n - at;
	if (n)
		bytes_add(to, from->p + at, n);
	return n;
}

static size_t piece(struct run *run)
{
	if (run->mode & MODE_CRAWL)
		return 1 + draw(&run->chance, 3);
	return draw(&run->chance, 2) ? 1 + draw(&run->chance, 20) :
				       1 + draw(&run->chance, 5000);
}

static void step(struct run *run)
{
	struct rig *r = &run->rig;

	switch (draw(&run->chance, 6)) {
	case 0:
		rig_client(r);
		break;
	case 1:
		rig_server(r);
		break;
	case 2:
		act(run);
		break;
	case 3:
		rig_flush_client(r);
		break;
	case 4:
		rig_flush_server(r);
		break;
	case 5:
		r->piece = piece(run);
		break;
	}
}

static void settle(struct run *run)
{
	struct rig *r = &run->rig;
	bool moved;

	do {
		size_t before = r->to_server.n + r->to_client.n + r->said.n +
				r->heard.n;

		moved = act(run);
		rig_server(r);
		moved |= act(run);
		rig_client(r);
		rig_flush_client(r);
		rig_flush_server(r);
		moved |= act(run);
		moved |= before != r->to_server.n + r->to_client.n + r->said.n +
				   r->heard.n;
		if (!(run->mode & MODE_RAW)) {
			serve(&run->server);
			moved |= run->server.out.n;
			bytes_add(&r->from_server, run->server.out.p,
				  run->server.out.n);
			run->server.out.n = 0;
		}
	} while (moved || r->e.event == SS_SMTP_SEND);
}

static void run_polite(struct run *run, const struct bytes *client, bool split)
{
	struct server *s = &run->server;
	struct rig *r = &run->rig;
	size_t at = 0;

	settle(run);
	if (!split)
		at = arrive(&r->from_client, client, 0, client->n);
	while (at < client->n) {
		if (!draw(&run->chance, 3))
			at += arrive(&r->from_client, client, at, piece(run));
		if (!draw(&run->chance, 3)) {
			serve(s);
			bytes_drop(&s->out, arrive(&r->from_server, &s->out, 0,
						   piece(run)));
		}
		if (!(run->mode & MODE_TWICE) && !draw(&run->chance, 50) &&
		    !r->srv.len)
			ss_smtp_keepalive(&r->e, &r->srv);
		if (!(run->mode & MODE_TWICE) && ss_smtp_can_replay(&r->e) &&
		    !draw(&run->chance, 8))
			rig_server_leaves(r);
		step(run);
	}
	settle(run);
}

/* The pieces of the input in their order; by chance something in between. */
static void run_raw(struct run *run, const uint8_t *p, size_t n)
{
	struct rig *r = &run->rig;
	size_t i, end;

	for (i = 0; i + 1 < n; i = end) {
		uint32_t k = draw(&run->chance, 4);

		for (end = i + 2; end < n && p[end] != '|'; end++)
			;
		if (p[i + 1] == 'C')
			bytes_add(&r->from_client, p + i + 2, end - i - 2);
		if (p[i + 1] == 'S')
			bytes_add(&r->from_server, p + i + 2, end - i - 2);
		if (p[i + 1] == 'A')
			r->verdict = RIG_ACCEPT;
		if (p[i + 1] == 'R')
			r->verdict = RIG_REFUSE;
		if (p[i + 1] == 'D')
			r->refuse_data = true;
		if (p[i + 1] == 'L' && ss_smtp_can_replay(&r->e))
			rig_server_leaves(r);
		if (p[i + 1] == 'K' && !r->srv.len)
			ss_smtp_keepalive(&r->e, &r->srv);
		if (p[i + 1] == 'H' && !r->cli.len)
			ss_smtp_hangup(&r->e, "421 4.4.2 Timeout", &r->cli);
		if (!k)
			settle(run);
		while (k--)
			step(run);
	}
	settle(run);
}

static void run_init(struct run *run, const uint8_t *p, bool split)
{
	uint32_t seed = 1 + (uint32_t)(p[1] | p[2] << 8 | p[3] << 16);

	memset(run, 0, sizeof(*run));
	run->mode = p[0] & (31 | MODE_SPLICE | MODE_REQUIRE);
	run->chance = seed;
	rig_init(&run->rig, SS_SMTP_SINK_MIN + draw(&run->chance, 2048), 1000);
	if (!split)
		run->mode &= ~MODE_CRAWL;
	/* what comes behind STARTTLS is too early or not, by the splits */
	if ((run->mode & MODE_TLS) && !(run->mode & MODE_TWICE))
		run->rig.e.tls = run->mode & MODE_REQUIRE ?
				 SS_SMTP_TLS_REQUIRED : SS_SMTP_TLS_OFFERED;
	run->rig.splice = run->mode & MODE_SPLICE;
	if (run->mode & MODE_ALLOW)
		run->rig.body_bad = SS_EOD_DOT_LINE;
	run->rig.hasty = !(run->mode & MODE_TWICE) && (seed & 1);
	run->server.rig = &run->rig;
	run->server.chance = seed;
	run->server.orderly = run->mode & MODE_TWICE;
	run->server.reader.reply = answer;
	run->server.reader.ctx = &run->server;
}

static void run_free(struct run *run)
{
	rig_free(&run->rig);
	reader_free(&run->server.reader);
	bytes_free(&run->server.out);
}

/* With a polite server, only the client can break the protocol. */
static void check_polite(const struct run *run)
{
	static const char * const faults[] = {
		"500 5.5.1 Bad command\r\n", "421 4.7.0 Too many errors\r\n",
		"554 5.5.0 SMTP protocol synchronization error\r\n",
		"501 5.5.4 Syntax: BDAT octets [LAST]\r\n",
		"552 5.3.4 Message size exceeds limit\r\n",
	};
	const struct bytes *said = &run->rig.to_client;
	unsigned int i, found = 0;

	RIG_CHECK(bytes_equal(&run->server.reader.messages,
			      &run->rig.accepted));
	if (run->rig.e.event != SS_SMTP_ERROR)
		return;
	for (i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		size_t n = strlen(faults[i]);

		found += said->n >= n &&
			 !memcmp(said->p + said->n - n, faults[i], n);
	}
	RIG_CHECK(found);
}

static void check(const struct run *run)
{
	const struct rig *r = &run->rig;

	check_delivered(r);
	check_custody(r);
	check_replies(r);
	check_alive(r);
	if (!(run->mode & MODE_RAW))
		check_polite(run);
}

static struct bytes client_octets(const uint8_t *p, size_t n)
{
	struct bytes out = { 0 };
	size_t i, end;

	for (i = 0; i + 1 < n; i = end) {
		for (end = i + 2; end < n && p[end] != '|'; end++)
			;
		bytes_add(&out, p + i + 2, end - i - 2);
	}
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes client;
	struct run run, whole;

	if (n < 4)
		return 0;
	run_init(&run, p, true);
	if (run.mode & MODE_RAW) {
		run_raw(&run, p + 4, n - 4);
		check(&run);
		run_free(&run);
		return 0;
	}
	client = client_octets(p + 4, n - 4);
	run_polite(&run, &client, true);
	check(&run);
	if (run.mode & MODE_TWICE) {
		run_init(&whole, p, false);
		run_polite(&whole, &client, false);
		check(&whole);
		RIG_CHECK(bytes_equal(&run.rig.to_client,
				      &whole.rig.to_client));
		/* how much of what is refused was sent does depend on them */
		if (!(run.mode & MODE_SPLICE))
			RIG_CHECK(bytes_equal(&run.rig.to_server,
					      &whole.rig.to_server));
		run_free(&whole);
	}
	run_free(&run);
	bytes_free(&client);
	return 0;
}
