// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the SMTP engine. A dialogue is an array of steps, run with the
 * octets of both sides as a whole and in pieces of every small size: what is
 * heard must not depend on it. The ids of THREATS.md are in the names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "eod.h"
#include "reader.h"
#include "rig.h"

struct step {
	enum {
		CLIENT_SAYS, SERVER_SAYS, CLIENT_HEARS, SERVER_HEARS, VERDICT,
		REFUSE_DATA, KEEPALIVE, HANGUP, EVENT, CODE, MESSAGE, FLAGS,
		REFUSED, WANTS, SMTPUTF8, SENDER, RCPTS,
	} what;
	const char *text;
	size_t n;
};

#define TEXT(x)		(x), sizeof(x) - 1
#define NUMBER(x)	NULL, (x)
#define C(x)		{ CLIENT_SAYS, TEXT(x) }
#define S(x)		{ SERVER_SAYS, TEXT(x) }
/* all that was heard since the last such step */
#define CC(x)		{ CLIENT_HEARS, TEXT(x) }
#define SS(x)		{ SERVER_HEARS, TEXT(x) }
#define ACCEPT		{ VERDICT, NUMBER(RIG_ACCEPT) }
#define REFUSE(x)	{ VERDICT, (x), RIG_REFUSE }
#define NO_DATA(x)	{ REFUSE_DATA, TEXT(x) }
#define IDLE		{ KEEPALIVE, NUMBER(0) }
#define HANG_UP(x)	{ HANGUP, TEXT(x) }
#define IS(x)		{ EVENT, NUMBER(SS_SMTP_##x) }
#define DONE_CODE(x)	{ CODE, NUMBER(x) }
/* the octets of the message at hand, end-of-data excluded */
#define HAS(x)		{ MESSAGE, TEXT(x) }
#define BODY_FLAGS(x)	{ FLAGS, NUMBER(x) }
#define REFUSALS(x)	{ REFUSED, NUMBER(x) }
#define WANTS_CLIENT(x)	{ WANTS, NUMBER(x) }
#define UTF8(x)		{ SMTPUTF8, NUMBER(x) }
#define FROM(x)		{ SENDER, TEXT(x) }
/* addresses, each with a '|' behind */
#define TO(x)		{ RCPTS, TEXT(x) }

#define GREETING	S("220 mx\r\n"), CC("220 mx\r\n")
#define ENVELOPE \
	C("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"), \
	SS("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"), \
	S("250 ok\r\n250 ok\r\n"), CC("250 ok\r\n250 ok\r\n")
#define GO_ON		"354 End data with <CR><LF>.<CR><LF>\r\n"
#define BROKE		"421 4.3.0 Server broke the protocol\r\n"

static void expect(const char *what, const struct step *at, unsigned int i,
		   struct bytes *got)
{
	if (got->n != at->n || (at->n && memcmp(got->p, at->text, at->n)))
		fail_msg("step %u: %s heard \"%.*s\", not \"%.*s\"", i, what,
			 got->n < 500 ? (int)got->n : 500,
			 (const char *)got->p, at->n < 500 ? (int)at->n : 500,
			 at->text);
	got->n = 0;
}

static void expect_rcpts(const struct rig *r, const struct step *at)
{
	char list[SS_SMTP_ENVELOPE_MAX + 256] = "";
	size_t n = 0;
	const u8 *addr;
	u32 pos = 0;
	int len;

	while ((len = ss_smtp_rcpt(&r->e, &pos, &addr)) >= 0) {
		memcpy(list + n, addr, (size_t)len);
		n += (size_t)len;
		list[n++] = '|';
	}
	list[n] = 0;
	assert_string_equal(list, at->text);
}

static void say(struct rig *r, struct bytes *to, const struct step *at,
		size_t piece)
{
	size_t i;

	for (i = 0; i < at->n; i += piece) {
		size_t n = at->n - i < piece ? at->n - i : piece;

		bytes_add(to, at->text + i, n);
		rig_pump(r);
	}
}

static void check_step(struct rig *r, const struct step *at, unsigned int i)
{
	switch (at->what) {
	case CLIENT_HEARS:
		expect("client", at, i, &r->to_client);
		break;
	case SERVER_HEARS:
		expect("server", at, i, &r->to_server);
		break;
	case EVENT:
		assert_int_equal(r->e.event, at->n);
		break;
	case CODE:
		assert_int_equal(r->e.done_code, at->n);
		break;
	case MESSAGE:
		assert_int_equal(r->e.body_len, at->n);
		assert_memory_equal(r->body.p, at->text, at->n);
		break;
	case FLAGS:
		assert_int_equal(r->e.body_flags, at->n);
		break;
	case REFUSED:
		assert_int_equal(r->e.refused, at->n);
		break;
	case WANTS:
		assert_int_equal(ss_smtp_wants_client(&r->e), at->n);
		break;
	case SMTPUTF8:
		assert_int_equal(r->e.smtputf8, at->n);
		break;
	case SENDER:
		assert_int_equal(r->e.sender_len, at->n);
		assert_memory_equal(r->e.sender, at->text, at->n);
		break;
	case RCPTS:
		expect_rcpts(r, at);
		break;
	default:
		fail();
	}
}

static void run_step(struct rig *r, const struct step *at, unsigned int i,
		     size_t piece)
{
	switch (at->what) {
	case CLIENT_SAYS:
		say(r, &r->from_client, at, piece);
		break;
	case SERVER_SAYS:
		say(r, &r->from_server, at, piece);
		break;
	case VERDICT:
		r->verdict = (enum rig_verdict)at->n;
		r->reply = at->text;
		break;
	case REFUSE_DATA:
		r->refuse_data = true;
		r->reply = at->text;
		break;
	case KEEPALIVE:
		ss_smtp_keepalive(&r->e, &r->srv);
		break;
	case HANGUP:
		ss_smtp_hangup(&r->e, at->text, &r->cli);
		break;
	default:
		check_step(r, at, i);
	}
	rig_pump(r);
}

/* The client says it, then the server. */
static void exchange(struct rig *r, const char *client, const char *server)
{
	bytes_add(&r->from_client, client, strlen(client));
	rig_pump(r);
	bytes_add(&r->from_server, server, strlen(server));
	rig_pump(r);
}

/* A rig behind the banner. */
static void greeted(struct rig *r)
{
	rig_init(r, SS_SMTP_SINK_MIN, 1000);
	exchange(r, "", "220 mx\r\n");
	r->to_client.n = 0;
}

static void dialogue_of(const struct step *steps, unsigned int n)
{
	static const size_t pieces[] = { (size_t)1 << 30, 1, 2, 3, 5, 7, 11 };
	unsigned int i, k;

	for (k = 0; k < sizeof(pieces) / sizeof(*pieces); k++) {
		struct rig r;

		rig_init(&r, SS_SMTP_SINK_MIN + 1000, 1000000);
		for (i = 0; i < n; i++)
			run_step(&r, &steps[i], i, pieces[k]);
		rig_free(&r);
	}
}

#define dialogue(...) do { \
		const struct step steps[] = { __VA_ARGS__ }; \
		dialogue_of(steps, sizeof(steps) / sizeof(*steps)); \
	} while (0)

/* Steps behind banner and EHLO. */
#define session(...) dialogue(GREETING, C("EHLO me\r\n"), SS("EHLO me\r\n"), \
	S("250-mx\r\n250 PIPELINING\r\n"), CC("250-mx\r\n250 PIPELINING\r\n"), \
	__VA_ARGS__)

/* ---- start and end of a session ---- */

static void test_banner(void **state)
{
	(void)state;
	dialogue(S("220-one\r\n220 two\r\n"), CC("220-one\r\n220 two\r\n"),
		 IS(NONE), WANTS_CLIENT(1));
	dialogue(S("554 go away\r\n"), CC("554 go away\r\n"), C("QUIT\r\n"),
		 SS("QUIT\r\n"), S("221 bye\r\n"), CC("221 bye\r\n"), IS(CLOSE));
	dialogue(S("421 busy\r\n"), CC("421 busy\r\n"), IS(CLOSE));
	dialogue(S("220\r\n"), CC("220\r\n"), IS(NONE));
	dialogue(S("250 mx\r\n"), CC(BROKE), IS(ERROR));
	dialogue(S("354 mx\r\n"), CC(BROKE), IS(ERROR));
}

static void test_D4_client_before_banner(void **state)
{
	static const char text[] =
		"554 5.5.0 SMTP protocol synchronization error\r\n";

	(void)state;
	dialogue(WANTS_CLIENT(1), C("EHLO me\r\n"), CC(text), SS(""), IS(ERROR),
		 S("220 mx\r\n"), CC(""));
	dialogue(S("220-wait\r\n"), CC("220-wait\r\n"), C("E"), CC(text),
		 IS(ERROR));
}

static void test_D5_early_talkers(void **state)
{
	(void)state;
	session(C("\x16\x03\x01\x02"), SS(""), CC("500 5.5.1 Bad command\r\n"),
		IS(ERROR));
	session(C("\x03"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	session(C("\x80 bad\r\n"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	session(C(" MAIL FROM:<a@x>\r\n"), CC("500 5.5.1 Bad command\r\n"),
		SS(""), IS(ERROR));
	/* in its place */
	session(C("NOOP\r\n\x16"), SS("NOOP\r\n"), CC(""), WANTS_CLIENT(0),
		S("250 ok\r\n"), CC("250 ok\r\n500 5.5.1 Bad command\r\n"),
		IS(ERROR));
}

static void test_E1_http_is_not_spoken(void **state)
{
	static const char * const verbs[] = {
		"GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "CONNECT",
		"TRACE", "PATCH", "get",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		char line[64];
		int n = snprintf(line, sizeof(line),
				 "%s /<script> HTTP/1.1\r\nHost: x\r\n",
				 verbs[i]);

		session({ CLIENT_SAYS, line, (size_t)n }, SS(""),
			CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	}
	session(C("GET\r\n"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	session(C("GET /\x01\r\n"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
}

static void test_E1_client_text_is_not_echoed(void **state)
{
	(void)state;
	session(C("<script>\r\n"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	session(C("Host: <script>\r\nMAIL <script>\r\nRCPT <script>\r\n"),
		CC("502 5.5.1 Command not implemented\r\n"
		   "501 5.5.4 Syntax: MAIL FROM:<address>\r\n"
		   "501 5.5.4 Syntax: RCPT TO:<address>\r\n"), SS(""));
}

static void test_E1_long_http_line(void **state)
{
	char line[5000];

	(void)state;
	memset(line, 'a', sizeof(line));
	memcpy(line, "GET /", 5);
	session({ CLIENT_SAYS, line, sizeof(line) },
		CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
}

static void test_D4_data_after_quit(void **state)
{
	(void)state;
	session(C("QUIT\r\nMAIL FROM:<a@x>\r\nRC"), SS("QUIT\r\n"), CC(""),
		WANTS_CLIENT(1), C("\0\r\n.\r\nDATA\r\n"), SS(""), IS(NONE),
		S("221 bye\r\n"), CC("221 bye\r\n"), IS(CLOSE),
		C("NOOP\r\n"), SS(""), CC(""), WANTS_CLIENT(0));
	session(C("NOOP\r\nQUIT\r\n"), SS("NOOP\r\nQUIT\r\n"),
		S("250 ok\r\n221-good\r\n221 bye\r\n"),
		CC("250 ok\r\n221-good\r\n221 bye\r\n"), IS(CLOSE));
}

static void test_hangup(void **state)
{
	(void)state;
	session(HANG_UP("421 4.4.2 Timeout"), CC("421 4.4.2 Timeout\r\n"),
		IS(CLOSE), HANG_UP("421 again"), CC(""));
	session(C("QUIT\r\n"), SS("QUIT\r\n"), HANG_UP("421 4.4.2 Timeout"),
		CC("221 2.0.0 Bye\r\n"), IS(CLOSE));
	session(C("NOOP\r\nQUIT\r\n"), SS("NOOP\r\nQUIT\r\n"),
		HANG_UP("421 4.4.2 Timeout"), CC("421 4.4.2 Timeout\r\n"));
	dialogue(C("x"), { CLIENT_HEARS, TEXT(
		 "554 5.5.0 SMTP protocol synchronization error\r\n") },
		 HANG_UP("421 4.4.2 Timeout"), CC(""), IS(ERROR));
	/* what the caller says stays one line */
	session(HANG_UP("421 a\r\n250 b"), CC("421 a\r\n"), IS(CLOSE));
}

/* ---- commands ---- */

static void test_commands_are_passed(void **state)
{
	(void)state;
	session(C("NOOP x\r\nVRFY a\r\nEXPN b\r\nHELP\r\nETRN c\r\nRSET\r\n"),
		SS("NOOP x\r\nVRFY a\r\nEXPN b\r\nHELP\r\nETRN c\r\nRSET\r\n"),
		S("250 1\r\n252 2\r\n550 3\r\n214-4\r\n214 4\r\n458 5\r\n"
		  "250 6\r\n"),
		CC("250 1\r\n252 2\r\n550 3\r\n214-4\r\n214 4\r\n458 5\r\n"
		   "250 6\r\n"), REFUSALS(0));
	session(C("noop\r\nmAiL fRoM:<a@x>\r\n"),
		SS("noop\r\nmAiL fRoM:<a@x>\r\n"));
	dialogue(GREETING, C("HELO me\r\n"), SS("HELO me\r\n"),
		 S("250-X-ANY me\r\n250 STARTTLS\r\n"),
		 CC("250-X-ANY me\r\n250 STARTTLS\r\n"));
}

static void test_D1_other_commands_are_refused(void **state)
{
	static const char no[] = "502 5.5.1 Command not implemented\r\n";

	(void)state;
	session(C("STARTTLS\r\n"), CC(no), C("BDAT 1 LAST\r\n"), CC(no),
		C("XCLIENT NAME=x\r\n"), CC(no), C("XFORWARD NAME=x\r\n"),
		CC(no), C("BURL imap://x LAST\r\n"), CC(no), C("TURN\r\n"),
		CC(no), C("ATRN x\r\n"), CC(no), C("XEXCH50 4 2\r\n"), CC(no),
		C("LHLO me\r\n"), CC(no), C("SEND FROM:<a>\r\n"), CC(no),
		C("NOOPX\r\n"), CC(no), C("MAILFROM:<a>\r\n"), CC(no),
		SS(""), REFUSALS(12), IS(NONE));
}

static void test_D7_bad_octets(void **state)
{
	static const char bad[] = "500 5.5.2 Bad character in command\r\n";

	(void)state;
	session(C("NOOP\0\r\n"), CC(bad), C("NO\0OP\r\n"), CC(bad),
		C("NOOP\rMAIL FROM:<a@x>\r\n"), CC(bad), C("NOOP\r\r\n"),
		CC(bad), C("NOOP \x7f\r\n"), CC(bad), C("NOOP \x1b\r\n"),
		CC(bad), C("MAIL FROM:<a\0@x>\r\n"), CC(bad), C("DATA\0\r\n"),
		CC(bad), SS(""), C("NOOP a\tb\xc3\xa4\r\n"),
		SS("NOOP a\tb\xc3\xa4\r\n"));
	session(C("\r\n"), CC("500 5.5.2 Bad command\r\n"), C("\n"),
		CC("500 5.5.2 Bad command\r\n"), C("\r\r\n"), CC(bad), SS(""),
		IS(NONE));
}

static void test_bare_newline_ends_a_command(void **state)
{
	(void)state;
	session(C("NOOP\nRSET\n"), SS("NOOP\r\nRSET\r\n"));
}

static void test_D7_long_lines(void **state)
{
	static char line[100000];
	char max[SS_SMTP_COMMAND_MAX], over[SS_SMTP_COMMAND_MAX + 1];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "NOOP ", 5);
	session({ CLIENT_SAYS, line, sizeof(line) }, C("\r\nNOOP\r\n"),
		CC("500 5.5.2 Line too long\r\n"), SS("NOOP\r\n"));
	memcpy(line, "AUTH ", 5);
	session({ CLIENT_SAYS, line, sizeof(line) }, C("\nNOOP\r\n"),
		CC("500 5.5.2 Line too long\r\n"), SS("NOOP\r\n"));
	memset(max, 'x', sizeof(max));
	memcpy(max, "NOOP ", 5);
	memcpy(over, max, sizeof(max));
	memcpy(max + sizeof(max) - 2, "\r\n", 2);
	memcpy(over + sizeof(over) - 2, "\r\n", 2);
	session({ CLIENT_SAYS, max, sizeof(max) },
		{ SERVER_HEARS, max, sizeof(max) },
		{ CLIENT_SAYS, over, sizeof(over) }, SS(""), CC(""),
		S("250 ok\r\n"),
		CC("250 ok\r\n500 5.5.2 Line too long\r\n"));
}

static void test_D7_long_line_in_small_sinks(void **state)
{
	static char line[SS_SMTP_LINE_MAX];
	struct rig r;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "AUTH ", 5);
	memcpy(line + sizeof(line) - 1, "\n", 1);
	greeted(&r);
	bytes_add(&r.from_client, line, sizeof(line));
	rig_pump(&r);
	assert_int_equal(r.to_server.n, sizeof(line) + 1);
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	memcpy(line, "535 ", 4);
	bytes_add(&r.from_server, line, sizeof(line));
	rig_pump(&r);
	assert_int_equal(r.to_client.n, sizeof(line) + 1);
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	rig_free(&r);
}

static void test_too_many_errors(void **state)
{
	struct rig r;
	int i;

	(void)state;
	greeted(&r);
	for (i = 0; i < SS_SMTP_ERRORS_MAX; i++) {
		bytes_add(&r.from_client, "FOO\r\n", 5);
		rig_pump(&r);
		assert_int_equal(r.e.event, SS_SMTP_NONE);
	}
	r.to_client.n = 0;
	bytes_add(&r.from_client, "FOO\r\nFOO\r\n", 10);
	rig_pump(&r);
	assert_int_equal(r.e.event, SS_SMTP_ERROR);
	assert_int_equal(r.e.refused, SS_SMTP_ERRORS_MAX + 1);
	assert_int_equal(r.to_client.n, strlen("421 4.7.0 Too many errors\r\n"));
	assert_memory_equal(r.to_client.p, "421 4.7.0 Too many errors\r\n",
			    r.to_client.n);
	rig_free(&r);
}

static void test_D7_many_noops(void **state)
{
	struct rig r;
	int i;

	(void)state;
	greeted(&r);
	for (i = 0; i < 100000; i++)
		bytes_add(&r.from_client, "NOOP\r\n", 6);
	rig_pump(&r);
	/* stops at the limit, and goes on */
	assert_int_equal(r.to_server.n, 6 * SS_SMTP_FIFO_MAX);
	assert_false(ss_smtp_wants_client(&r.e));
	for (i = 0; i < 1000; i++)
		exchange(&r, "", "250\r\n");
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	assert_int_equal(r.to_server.n, 6 * (1000 + SS_SMTP_FIFO_MAX));
	rig_free(&r);
}

/* ---- MAIL and RCPT ---- */

static void test_mail_syntax(void **state)
{
	static const char no[] = "501 5.5.4 Syntax: MAIL FROM:<address>\r\n";
	static const char rno[] = "501 5.5.4 Syntax: RCPT TO:<address>\r\n";

	(void)state;
	session(C("MAIL\r\n"), CC(no), C("MAIL FROM\r\n"), CC(no),
		C("MAIL FROM:\r\n"), CC(no), C("MAIL FROM:  \r\n"), CC(no),
		C("MAIL TO:<a>\r\n"), CC(no), C("MAIL FROM <a>\r\n"), CC(no),
		C("MAIL FROM:<a\r\n"), CC(no), C("MAIL FROM:<\"a>\r\n"),
		CC(no), C("RCPT\r\n"), CC(rno), C("RCPT TO:\r\n"), CC(rno),
		C("RCPT FROM:<a>\r\n"), CC(rno), C("RCPT TO:<a\r\n"), CC(rno),
		SS(""), REFUSALS(12));
}

static void test_paths(void **state)
{
	(void)state;
	session(C("MAIL FROM:<a@x>\r\n"), S("250 ok\r\n"), FROM("a@x"));
	session(C("MAIL FROM:<>\r\n"), S("250 ok\r\n"), FROM(""));
	session(C("MAIL FROM: <a@x> X=1\r\n"), S("250 ok\r\n"), FROM("a@x"));
	session(C("MAIL FROM:a@x X=1\r\n"), S("250 ok\r\n"), FROM("a@x"));
	session(C("MAIL FROM:<\"a> \\\" b\"@x>\r\n"), S("250 ok\r\n"),
		FROM("\"a> \\\" b\"@x"));
	session(C("MAIL FROM:<@r,@s:a@x>\r\n"), S("250 ok\r\n"),
		FROM("@r,@s:a@x"));
	session(C("MAIL FROM:<a@x>\r\n"), S("550 no\r\n"), FROM(""));
	session(C("MAIL FROM:<a@x>\r\n"), S("250 ok\r\n"),
		C("MAIL FROM:<b@x>\r\n"), S("503 nested\r\n"), FROM("a@x"));
	session(C("MAIL FROM:<a@x>\r\n"), S("250 ok\r\n"),
		C("RCPT TO:<b@y>\r\nRCPT TO: <c@y>\r\nRCPT TO:d@y A=B\r\n"),
		S("250 ok\r\n550 no\r\n251 ok\r\n"), TO("b@y|d@y|"));
}

static void test_long_addresses(void **state)
{
	char line[1000];
	struct rig r;
	const u8 *addr;
	u32 pos = 0;

	(void)state;
	memset(line, 'a', sizeof(line));
	memcpy(line, "MAIL FROM:<", 11);
	memcpy(line + sizeof(line) - 3, ">\r\n", 3);
	session({ CLIENT_SAYS, line, sizeof(line) },
		{ SERVER_HEARS, line, sizeof(line) }, S("250 ok\r\n"),
		{ SENDER, line + 11, SS_SMTP_ADDRESS_MAX });
	greeted(&r);
	memcpy(line, "RCPT TO:<aa", 11);
	bytes_add(&r.from_client, line, sizeof(line));
	exchange(&r, "", "");
	exchange(&r, "", "250 ok\r\n");
	assert_int_equal(ss_smtp_rcpt(&r.e, &pos, &addr), SS_SMTP_ADDRESS_MAX);
	assert_memory_equal(addr, line + 9, SS_SMTP_ADDRESS_MAX);
	assert_int_equal(ss_smtp_rcpt(&r.e, &pos, &addr), -1);
	rig_free(&r);
}

static void test_envelope_overflow(void **state)
{
	struct rig r;
	const u8 *addr;
	u32 pos = 0, n = 0;
	int i;

	(void)state;
	greeted(&r);
	exchange(&r, "MAIL FROM:<a@x>\r\n", "250 ok\r\n");
	for (i = 0; i < 999; i += 3) {
		char lines[100];

		snprintf(lines, sizeof(lines), "RCPT TO:<r%03d@y>\r\n"
			 "RCPT TO:<r%03d@y>\r\nRCPT TO:<r%03d@y>\r\n",
			 i, i + 1, i + 2);
		/* refused ones take no space in the end */
		exchange(&r, lines, "550 no\r\n250 ok\r\n250 ok\r\n");
	}
	assert_int_equal(r.e.rcpt_count, 666);
	while (ss_smtp_rcpt(&r.e, &pos, &addr) == 6) {
		char want[8];

		snprintf(want, sizeof(want), "r%03d@y", (int)(n / 2 * 3 + n % 2 + 1));
		assert_memory_equal(addr, want, 6);
		n++;
	}
	/* the last gap was taken by one that was refused afterwards */
	assert_int_equal(n, SS_SMTP_ENVELOPE_MAX / 9 - 1);
	exchange(&r, "RSET\r\n", "250 ok\r\n");
	assert_int_equal(r.e.rcpt_count, 0);
	assert_int_equal(r.e.envelope_len, 0);
	rig_free(&r);
}

static void test_size(void **state)
{
	static const char no[] = "552 5.3.4 Message size exceeds limit\r\n";

	(void)state;
	session(C("MAIL FROM:<a@x> SIZE=1000001\r\n"), CC(no),
		C("MAIL FROM:<a@x> X=Y size=18446744073709551615\r\n"), CC(no),
		C("MAIL FROM:<a@x> SIZE=18446744073709551616\r\n"), CC(no),
		C("MAIL FROM:<a@x> SIZE=99999999999999999999\r\n"), CC(no),
		SS(""), C("MAIL FROM:<a@x> SIZE=1000000\r\n"),
		SS("MAIL FROM:<a@x> SIZE=1000000\r\n"), S("550 no\r\n"),
		CC("550 no\r\n"), C("MAIL FROM:<a@x> SIZE=-1\r\n"),
		SS("MAIL FROM:<a@x> SIZE=-1\r\n"), S("501 no\r\n"),
		C("MAIL FROM:<a@x> SIZE=\r\n"), SS("MAIL FROM:<a@x> SIZE=\r\n"),
		S("501 no\r\n"),
		C("MAIL FROM:<a@x> SIZE=999999999999999999999\r\n"),
		SS("MAIL FROM:<a@x> SIZE=999999999999999999999\r\n"));
}

static void test_oversize_is_no_error(void **state)
{
	struct rig r;
	int i;

	(void)state;
	greeted(&r);
	for (i = 0; i < 100; i++) {
		bytes_add(&r.from_client, "MAIL FROM:<a@x> SIZE=1001\r\n", 27);
		rig_pump(&r);
	}
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	assert_int_equal(r.e.oversize, 100);
	rig_free(&r);
}

static void test_C7_binarymime(void **state)
{
	(void)state;
	session(C("MAIL FROM:<a@x> SIZE=1 body=BinaryMime\r\n"), SS(""),
		CC("555 5.5.4 BODY=BINARYMIME is not supported\r\n"),
		C("MAIL FROM:<a@x> BODY=8BITMIME\r\n"),
		SS("MAIL FROM:<a@x> BODY=8BITMIME\r\n"));
}

static void test_smtputf8(void **state)
{
	(void)state;
	session(C("MAIL FROM:<\xc3\xa4@x> SMTPUTF8\r\n"), UTF8(0),
		SS("MAIL FROM:<\xc3\xa4@x> SMTPUTF8\r\n"), S("250 ok\r\n"),
		UTF8(1), FROM("\xc3\xa4@x"), C("RSET\r\n"), S("250 ok\r\n"),
		UTF8(0), FROM(""));
	session(C("MAIL FROM:<SMTPUTF8> A=SMTPUTF8\r\n"), S("250 ok\r\n"),
		UTF8(0));
}

static void test_transaction_follows_replies(void **state)
{
	(void)state;
	/* RSET refused: nothing is forgotten */
	session(ENVELOPE, C("RSET\r\n"), S("500 no\r\n"), TO("b@y|"),
		C("RSET\r\n"), S("250 ok\r\n"), TO(""));
	session(ENVELOPE, C("EHLO me\r\n"), S("550 no\r\n"), TO("b@y|"),
		C("EHLO me\r\n"), S("250 ok\r\n"), TO(""));
	session(ENVELOPE, C("HELO me\r\n"), S("250 ok\r\n"), TO(""), FROM(""));
	/* a second MAIL that the server takes starts anew */
	session(ENVELOPE, C("MAIL FROM:<c@x>\r\n"), S("250 ok\r\n"), TO(""),
		FROM("c@x"));
	/* RSET and the next envelope in one go */
	session(ENVELOPE, C("RSET\r\nMAIL FROM:<c@x>\r\nRCPT TO:<d@y>\r\n"
			    "RCPT TO:<e@y>\r\n"),
		SS("RSET\r\nMAIL FROM:<c@x>\r\nRCPT TO:<d@y>\r\n"
		   "RCPT TO:<e@y>\r\n"), TO("b@y|"), S("250 ok\r\n"), TO(""),
		S("250 ok\r\n"), FROM("c@x"), S("250 ok\r\n"), TO("d@y|"),
		S("250 ok\r\n"), TO("d@y|e@y|"));
}

static void test_two_mails_in_a_group(void **state)
{
	(void)state;
	session(C("MAIL FROM:<a@x>\r\nRSET\r\nMAIL FROM:<c@x>\r\nNOOP\r\n"),
		SS("MAIL FROM:<a@x>\r\nRSET\r\n"), WANTS_CLIENT(0),
		S("250 a\r\n"), SS("MAIL FROM:<c@x>\r\nNOOP\r\n"), FROM("a@x"),
		S("250 r\r\n"), FROM(""), S("250 c\r\n"), FROM("c@x"),
		CC("250 a\r\n250 r\r\n250 c\r\n"));
}

static void test_helo_name(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, SS_SMTP_SINK_MIN, 1000);
	bytes_add(&r.from_server, "220 mx\r\n250 mx\r\n", 8);
	rig_pump(&r);
	bytes_add(&r.from_client, "EHLO  me.example x\r\n", 20);
	rig_pump(&r);
	assert_int_equal(r.e.helo_len, 10);
	assert_memory_equal(r.e.helo, "me.example", 10);
	rig_free(&r);
}

/* ---- pipelining ---- */

static void test_local_replies_keep_their_place(void **state)
{
	(void)state;
	session(C("NOOP\r\nFOO\r\nRSET\r\nMAIL\r\nMAIL FROM:<a> SIZE=9999999\r\n"
		  "NOOP\r\nSTARTTLS\r\n"),
		SS("NOOP\r\nRSET\r\nNOOP\r\n"), CC(""),
		S("250 1\r\n"),
		CC("250 1\r\n502 5.5.1 Command not implemented\r\n"),
		S("250 2\r\n"),
		CC("250 2\r\n501 5.5.4 Syntax: MAIL FROM:<address>\r\n"
		   "552 5.3.4 Message size exceeds limit\r\n"),
		S("250 3\r\n"),
		CC("250 3\r\n502 5.5.1 Command not implemented\r\n"));
}

static void test_many_local_replies(void **state)
{
	struct rig r;
	int i;

	(void)state;
	greeted(&r);
	bytes_add(&r.from_client, "NOOP\r\n", 6);
	for (i = 0; i < 200; i++)
		bytes_add(&r.from_client, "MAIL FROM:<a> SIZE=9999\r\n", 25);
	rig_pump(&r);
	assert_false(ss_smtp_wants_client(&r.e));
	/* the longest reply, and behind it all that is due */
	for (i = 0; i < SS_SMTP_LINE_MAX - 1; i++)
		bytes_add(&r.from_server, &"550 "[i < 3 ? i : 3], 1);
	bytes_add(&r.from_server, "\n", 1);
	rig_pump(&r);
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	assert_int_equal(r.from_client.n, 0);
	assert_int_equal(r.e.oversize, 200);
	rig_free(&r);
}

static void test_barriers(void **state)
{
	(void)state;
	session(C("EHLO me\r\nNOOP\r\n"), SS("EHLO me\r\n"), WANTS_CLIENT(0),
		S("250 mx\r\n"), SS("NOOP\r\n"));
	session(C("HELO me\r\nNOOP\r\n"), SS("HELO me\r\n"), S("250-mx\r\n"),
		SS(""), S("250 mx\r\n"), SS("NOOP\r\n"));
	session(C("AUTH PLAIN eA==\r\nNOOP\r\n"), SS("AUTH PLAIN eA==\r\n"),
		S("235 ok\r\n"), SS("NOOP\r\n"));
}

static void test_pipelined_message(void **state)
{
	(void)state;
	session(C("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"),
		SS("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"), CC(""),
		WANTS_CLIENT(0), S("250 1\r\n"), CC("250 1\r\n"), IS(NONE),
		S("250 2\r\n"), CC("250 2\r\n" GO_ON), SS(""),
		C("x\r\n.\r\nMAIL FROM:<c@x>\r\nRCPT TO:<d@y>\r\nDATA\r\n"),
		IS(BODY_END), CC(""), ACCEPT, SS("DATA\r\n"),
		S("354 go\r\n"), SS("x\r\n.\r\n"), S("250 queued\r\n"),
		CC("250 queued\r\n"),
		SS("MAIL FROM:<c@x>\r\nRCPT TO:<d@y>\r\n"),
		S("250 3\r\n250 4\r\n"), CC("250 3\r\n250 4\r\n" GO_ON));
}

static void test_body_before_354_is_body(void **state)
{
	(void)state;
	session(C("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n.\r\n"),
		SS("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"),
		S("250 1\r\n250 2\r\n"), IS(BODY_END), HAS("QUIT\r\n"), SS(""));
}

static void test_D2_data_needs_mail_and_rcpt(void **state)
{
	static const char first[] = "503 5.5.1 MAIL first\r\n";
	static const char none[] = "554 5.5.1 No valid recipients\r\n";

	(void)state;
	session(C("DATA\r\n"), CC(first), C("DATA x\r\n"),
		CC("501 5.5.4 Syntax: DATA\r\n"), C("DATA \t\r\n"), CC(first),
		C("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nNOOP\r\n"),
		SS("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"),
		S("250 1\r\n550 2\r\n"), CC("250 1\r\n550 2\r\n554 5.5.1 "
					   "No valid recipients\r\n"),
		SS("NOOP\r\n"), S("250 ok\r\n"), CC("250 ok\r\n"),
		C("DATA\r\n"), CC(none), IS(NONE), SS(""), REFUSALS(5));
	session(C("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"),
		S("550 1\r\n503 2\r\n"),
		CC("550 1\r\n503 2\r\n503 5.5.1 MAIL first\r\n"));
	/* a recipient without MAIL is a server's mistake, not a message */
	session(C("RCPT TO:<b@y>\r\nDATA\r\n"), S("250 1\r\n"),
		CC("250 1\r\n503 5.5.1 MAIL first\r\n"));
}

/* ---- messages ---- */

static void test_message(void **state)
{
	(void)state;
	session(ENVELOPE, C("DATA\r\n"), CC(GO_ON), SS(""), WANTS_CLIENT(0),
		C("Subject: x\r\n\r\n..dot\r\nbody\r\n.\r\n"), IS(BODY_END),
		HAS("Subject: x\r\n\r\n..dot\r\nbody\r\n"), BODY_FLAGS(0),
		SS(""), FROM("a@x"), TO("b@y|"), ACCEPT, SS("DATA\r\n"),
		S("354-go\r\n354 on\r\n"), CC(""),
		SS("Subject: x\r\n\r\n..dot\r\nbody\r\n.\r\n"),
		S("250-2.0.0\r\n250 queued\r\n"),
		CC("250-2.0.0\r\n250 queued\r\n"), DONE_CODE(250), TO(""),
		FROM(""), IS(NONE), ENVELOPE, C("DATA\r\n"), CC(GO_ON),
		C(".\r\n"), HAS(""), ACCEPT, SS("DATA\r\n"), S("354 go\r\n"),
		SS(".\r\n"), S("550 empty\r\n"), CC("550 empty\r\n"),
		DONE_CODE(550), C("QUIT\r\n"), SS("QUIT\r\n"));
}

static void test_D2_refuse_then_next_message(void **state)
{
	(void)state;
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\nRCPT TO:<c@y>\r\nDATA\r\n"),
		CC(GO_ON), REFUSE("554 5.7.1 Infected"),
		CC("554 5.7.1 Infected\r\n"), SS("RSET\r\n"), WANTS_CLIENT(0),
		S("250 flushed\r\n"), SS("RCPT TO:<c@y>\r\n"),
		S("503 no\r\n"), CC("503 no\r\n503 5.5.1 MAIL first\r\n"),
		ENVELOPE, C("DATA\r\ny\r\n.\r\n"), CC(GO_ON), HAS("y\r\n"),
		ACCEPT, SS("DATA\r\n"), S("354 go\r\n"), SS("y\r\n.\r\n"),
		S("250 ok\r\n"), CC("250 ok\r\n"), IS(NONE));
	/* the server must not refuse RSET */
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON),
		REFUSE("554 5.7.1 Infected"), CC("554 5.7.1 Infected\r\n"),
		S("500 no\r\n"), CC(BROKE), IS(ERROR));
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON),
		REFUSE("554 5.7.1 Infected"), CC("554 5.7.1 Infected\r\n"),
		S("421-a\r\n421 b\r\n"), CC("421 b\r\n"), IS(CLOSE));
}

static void test_D2_refuse_data(void **state)
{
	(void)state;
	session(ENVELOPE, NO_DATA("452 4.3.1 Full"), C("DATA\r\n"),
		CC("452 4.3.1 Full\r\n"), SS("RSET\r\n"), S("250 ok\r\n"),
		CC(""), IS(NONE), TO(""), ENVELOPE, C("DATA\r\n"), CC(GO_ON));
}

static void test_refusal_is_one_line(void **state)
{
	(void)state;
	session(ENVELOPE, NO_DATA("452 a\r\n250 b\n"), C("DATA\r\n"),
		CC("452 a\r\n"), SS("RSET\r\n"));
}

static void test_D2_server_refuses_data(void **state)
{
	(void)state;
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), ACCEPT,
		SS("DATA\r\n"), S("451-4.3.0\r\n451 later\r\n"),
		CC("451-4.3.0\r\n451 later\r\n"), DONE_CODE(451), IS(NONE),
		TO(""), SS(""),
		/* the server still has its envelope */
		C("MAIL FROM:<c@x>\r\n"), SS("RSET\r\n"), S("250 reset\r\n"),
		CC(""), SS("MAIL FROM:<c@x>\r\n"), S("250 ok\r\n"),
		CC("250 ok\r\n"), FROM("c@x"), TO(""));
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), ACCEPT,
		SS("DATA\r\n"), S("554 no\r\n"), CC("554 no\r\n"),
		DONE_CODE(554));
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), ACCEPT,
		SS("DATA\r\n"), S("421 bye\r\n"), CC("421 bye\r\n"),
		DONE_CODE(421), IS(CLOSE));
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), ACCEPT,
		SS("DATA\r\n"), S("250 ok\r\n"), CC(BROKE), IS(ERROR));
}

static void test_D3_reply_before_the_message(void **state)
{
	struct rig r;

	(void)state;
	greeted(&r);
	r.always = RIG_ACCEPT;
	r.piece = 1;
	exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\nabc\r\n.\r\n",
		 "250 ok\r\n250 ok\r\n");
	exchange(&r, "", "354 go\r\n250 already\r\n");
	assert_int_equal(r.e.event, SS_SMTP_ERROR);
	assert_int_equal(r.accepted.n, 0);
	rig_free(&r);
}

static void test_end_of_data_refused(void **state)
{
	(void)state;
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), ACCEPT,
		SS("DATA\r\n"), S("354 go\r\n"), SS("x\r\n.\r\n"),
		S("421 bye\r\n"), CC("421 bye\r\n"), DONE_CODE(421), IS(CLOSE));
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), ACCEPT,
		SS("DATA\r\n"), S("354 go\r\n"), SS("x\r\n.\r\n"),
		S("354 again\r\n"), CC(BROKE), IS(ERROR));
}

static void test_keepalive(void **state)
{
	(void)state;
	session(IDLE, SS(""), ENVELOPE, IDLE, SS(""), C("DATA\r\nx"),
		CC(GO_ON), IDLE, SS("NOOP\r\n"), IDLE, SS(""),
		S("250-alive\r\n250 ok\r\n"), CC(""), IDLE, SS("NOOP\r\n"),
		S("500 what\r\n"), CC(""), C("\r\n.\r\n"), IS(BODY_END), IDLE,
		SS("NOOP\r\n"), IS(BODY_END), S("250 ok\r\n"), IS(BODY_END),
		HAS("x\r\n"), ACCEPT, SS("DATA\r\n"), IDLE, SS(""),
		S("354 go\r\n"), SS("x\r\n.\r\n"), IDLE, SS(""),
		S("250 ok\r\n"), CC("250 ok\r\n"), IDLE, SS(""));
	/* a verdict while its reply is outstanding */
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), IDLE,
		SS("NOOP\r\n"), ACCEPT, SS("DATA\r\n"), S("250 ok\r\n"), CC(""),
		S("354 go\r\n"), SS("x\r\n.\r\n"), S("250 ok\r\n"),
		CC("250 ok\r\n"));
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), IDLE,
		SS("NOOP\r\n"), REFUSE("554 no"), SS("RSET\r\n"),
		CC("554 no\r\n"), S("250 ok\r\n250 ok\r\n"), CC(""), IS(NONE));
	session(ENVELOPE, C("DATA\r\nx"), CC(GO_ON), IDLE, S("421 bye\r\n"),
		CC("421 bye\r\n"), IS(CLOSE));
}

static void test_server_gone_inside_a_message(void **state)
{
	(void)state;
	session(ENVELOPE, C("DATA\r\nx"), CC(GO_ON), S("421 idle\r\n"),
		CC("421 idle\r\n"), IS(CLOSE), C("y\r\n.\r\n"), IS(CLOSE));
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), IS(BODY_END),
		S("421 idle\r\n"), CC("421 idle\r\n"), IS(CLOSE));
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), IS(BODY_END),
		S("250 what\r\n"), CC(BROKE), IS(ERROR));
}

/* ---- end-of-data, THREATS 1B ---- */

static void in_body(struct ss_smtp *e)
{
	struct rig r;

	greeted(&r);
	exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n",
		 "250 ok\r\n250 ok\r\n");
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	*e = r.e;
	rig_free(&r);
}

/* @text and the end-of-data in two parts, split anywhere, and octet by octet. */
static void check_body(const char *text, size_t n, u32 flags)
{
	static const char more[] = "\r\n.\r\nNOOP\r\n";
	u8 all[256];
	struct ss_smtp start, e;
	size_t i, len = n + 2;
	u32 used;

	in_body(&start);
	memcpy(all, text, n);
	memcpy(all + n, more, sizeof(more) - 1);
	for (i = 0; i <= len + 3; i++) {
		e = start;
		used = ss_smtp_body(&e, all, (u32)i);
		assert_int_equal(used, i);
		assert_int_equal(e.event, i == len + 3 ? SS_SMTP_BODY_END :
							 SS_SMTP_NONE);
		used = ss_smtp_body(&e, all + i,
				    (u32)(n + sizeof(more) - 1 - i));
		assert_int_equal(used, len + 3 - i);
		assert_int_equal(e.event, SS_SMTP_BODY_END);
		assert_int_equal(e.body_len, len);
		assert_int_equal(e.body_flags, flags);
	}
	e = start;
	for (i = 0; i < len + 3; i++)
		assert_int_equal(ss_smtp_body(&e, all + i, 1), 1);
	assert_int_equal(ss_smtp_body(&e, all + i, 1), 0);
	assert_int_equal(e.event, SS_SMTP_BODY_END);
	assert_int_equal(e.body_flags, flags);
}

#define CR	SS_SMTP_BODY_BARE_CR
#define LF	SS_SMTP_BODY_BARE_LF
#define DOT	SS_SMTP_BODY_DOT_LINE

static const struct {
	const char *text;
	size_t n;
	u32 flags;
} sequences[] = {
	{ TEXT("\n.\n"), LF | DOT },
	{ TEXT("\n.\r"), CR | LF | DOT },
	{ TEXT("\r.\n"), CR | LF | DOT },
	{ TEXT("\r.\r"), CR | DOT },
	{ TEXT("\n.\r\n"), LF | DOT },
	{ TEXT("\r.\r\n"), CR | DOT },
	{ TEXT("\r\n.\n"), LF | DOT },
	{ TEXT("\r\n.\r"), CR | DOT },
	{ TEXT("\r\n.\r\r\n"), CR | DOT },
	{ TEXT("\r\r\n.\r\r\n"), CR | DOT },
	{ TEXT("\r\n\0.\r\n"), DOT },
	{ TEXT("\r\n.\0\r\n"), DOT },
	{ TEXT("\r\n.\r\0\n"), CR | LF | DOT },
	{ TEXT("\r\0\n.\r\n"), CR | LF | DOT },
	{ TEXT("\r\n\0\0.\0\0\r\n"), DOT },
	{ TEXT("\n\r\n\0.\r\n"), LF | DOT },
	/* at the first octet */
	{ TEXT(".\n"), LF | DOT },
	{ TEXT(".\r"), CR | DOT },
	{ TEXT(".\r\r\n"), CR | DOT },
	{ TEXT("\0.\r\n"), DOT },
	{ TEXT(".\0\r\n"), DOT },
	{ TEXT(".\0\n"), LF | DOT },
	/* no dot alone on a line */
	{ TEXT("\r\n. \r\n"), 0 },
	{ TEXT("\r\n..\r\n"), 0 },
	{ TEXT("\r\n.\x20\r\n"), 0 },
	{ TEXT("\r\n.\x0b\r\n"), 0 },
	{ TEXT("\r\n.\x0c\r\n"), 0 },
	{ TEXT("\r\n.\x85\r\n"), 0 },
	{ TEXT("\r\n.\xc2\x85\r\n"), 0 },
	{ TEXT("\r\n.x\r\n"), 0 },
	{ TEXT("\r\nx.\r\n"), 0 },
	{ TEXT("\r\nx\0.\r\n"), 0 },
	{ TEXT("..\r\n"), 0 },
	{ TEXT("\n..\n"), LF },
	{ TEXT("\r..\r"), CR },
	{ TEXT("a\rb"), CR },
	{ TEXT("a\nb"), LF },
	{ TEXT("a\0b"), 0 },
	{ TEXT("\n\r"), CR | LF },
	{ TEXT(""), 0 },
};

static void test_B1_every_sequence_at_every_split(void **state)
{
	static const char mail[] = "mail FROM:<smuggled@x>\r\ndata\r\n";
	char text[128];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(sequences) / sizeof(*sequences); i++) {
		const char *s = sequences[i].text;
		size_t n = sequences[i].n;

		/* at the start; what ends in CR needs more behind it */
		memcpy(text, s, n);
		memcpy(text + n, mail, sizeof(mail) - 1);
		check_body(text, n + sizeof(mail) - 1, sequences[i].flags);
		if (n && (*s == '\r' || *s == '\n')) {
			memcpy(text, "text", 4);
			memcpy(text + 4, s, n);
			memcpy(text + 4 + n, mail, sizeof(mail) - 1);
			check_body(text, 4 + n + sizeof(mail) - 1,
				   sequences[i].flags);
		}
	}
}

static void test_B1_empty_message(void **state)
{
	struct ss_smtp e;

	(void)state;
	in_body(&e);
	assert_int_equal(ss_smtp_body(&e, (const u8 *)".\r\nQ", 4), 3);
	assert_int_equal(e.event, SS_SMTP_BODY_END);
	assert_int_equal(e.body_len, 0);
	in_body(&e);
	assert_int_equal(ss_smtp_body(&e, (const u8 *)".", 1), 1);
	assert_int_equal(ss_smtp_body(&e, (const u8 *)"\r", 1), 1);
	assert_int_equal(ss_smtp_body(&e, (const u8 *)"\n\n", 2), 1);
	assert_int_equal(e.event, SS_SMTP_BODY_END);
	assert_int_equal(e.body_len, 0);
}

static void test_B1_real_end_behind_bare_cr(void **state)
{
	struct ss_smtp e;

	(void)state;
	in_body(&e);
	assert_int_equal(ss_smtp_body(&e, (const u8 *)"x\r\r\n.\r\ny", 8), 7);
	assert_int_equal(e.event, SS_SMTP_BODY_END);
	assert_int_equal(e.body_len, 4);
	assert_int_equal(e.body_flags, CR);
}

static int reply_one_message(void *ctx, const char *line, size_t n)
{
	(void)ctx;
	(void)line;
	return n == 4 ? 354 : 250;
}

/* The first message that a server reads from @p, its length or -1. */
static long first_message(bool lax, const u8 *p, size_t n)
{
	struct reader r = { .lax = lax, .reply = reply_one_message };
	size_t len;

	reader_feed(&r, "DATA\r\n", 6);
	reader_feed(&r, p, n);
	if (!r.messages.n) {
		reader_free(&r);
		return -1;
	}
	memcpy(&len, r.messages.p, sizeof(len));
	reader_free(&r);
	return (long)len;
}

/*
 * Every text of up to seven octets out of those that matter. A strict server
 * must see the end where the engine does; a lax one too, unless DOT_LINE warns.
 */
static void test_B1_all_short_bodies(void **state)
{
	static const u8 octets[] = { '\r', '\n', '.', '\0', 'a' };
	struct ss_smtp start;
	u32 n, i, k, count = 1;

	(void)state;
	in_body(&start);
	for (n = 0; n <= 7; n++, count *= 5) {
		for (i = 0; i < count; i++) {
			struct ss_smtp e = start;
			u8 text[16], bare[16];
			u32 rest = i, used, nuls = 0;

			for (k = 0; k < n; k++, rest /= 5)
				text[k] = octets[rest % 5];
			memcpy(text + n, "\r\n.\r\n", 5);
			used = ss_smtp_body(&e, text, n + 5);
			assert_int_equal(e.event, SS_SMTP_BODY_END);
			assert_int_equal(first_message(false, text, n + 5),
					 e.body_len);
			assert_int_equal(used, e.body_len + 3);
			for (k = 0; k < used; k++) {
				bare[k - nuls] = text[k];
				nuls += !text[k];
			}
			if (first_message(true, bare, used - nuls) !=
			    (long)(e.body_len - nuls))
				assert_true(e.body_flags & DOT);
			else
				assert_false(e.body_flags & DOT);
		}
	}
}

static void test_B4_long_lines(void **state)
{
	static u8 text[1 << 20];
	struct ss_smtp e;
	u32 at;

	(void)state;
	memset(text, 'x', sizeof(text));
	in_body(&e);
	assert_int_equal(ss_smtp_body(&e, text, sizeof(text)), sizeof(text));
	memcpy(text, "\r\n.\r\n", 5);
	assert_int_equal(ss_smtp_body(&e, text, sizeof(text)), 5);
	assert_int_equal(e.body_len, sizeof(text) + 2);
	assert_int_equal(e.body_flags, 0);
	/* the end at every alignment of the fast path */
	memset(text, 'x', 64);
	for (at = 0; at < 40; at++) {
		memset(text, at & 1 ? '\t' : 0xff, 64);
		memcpy(text + at, "\r\n.\r\n", 5);
		in_body(&e);
		assert_int_equal(ss_smtp_body(&e, text, 64), at + 5);
		assert_int_equal(e.body_len, at + 2);
	}
}

/* ---- replies, THREATS D3 ---- */

static void test_D3_extra_reply(void **state)
{
	(void)state;
	session(C("NOOP\r\n"), S("250 ok\r\n250 ok\r\n"),
		CC("250 ok\r\n" BROKE), IS(ERROR));
	session(S("250 ok\r\n"), CC(BROKE), IS(ERROR));
	session(S("421-shut\r\n421 down\r\n"), CC("421 down\r\n"), IS(CLOSE));
	session(C("NOOP\r\n"), S("421-shut\r\n421 down\r\n"),
		CC("421-shut\r\n421 down\r\n"), IS(CLOSE));
}

static void test_D3_421_between_own_replies(void **state)
{
	(void)state;
	session(S("421-shut\r\n"), C("FOO\r\nNOOP\r\n"),
		CC("502 5.5.1 Command not implemented\r\n"),
		S("421 down\r\n"), CC("421 down\r\n"), IS(CLOSE));
}

static void test_D3_second_banner(void **state)
{
	(void)state;
	dialogue(S("220 mx\r\n220 mx\r\n"), CC("220 mx\r\n" BROKE), IS(ERROR));
	dialogue(GREETING, C("EHLO me\r\n"), S("220 mx\r\n"), CC(BROKE),
		 IS(ERROR));
}

static void test_D3_malformed_replies(void **state)
{
	static const char * const bad[] = {
		"25\r\n", "\r\n", "x\r\n", "2x0 ok\r\n", "250x\r\n",
		"250\tok\r\n", "199 ok\r\n", "600 ok\r\n", "000 ok\r\n",
		"250 a\rb\r\n", "250 ok\r\r\n", "250 \x01\r\n", "250 \x7f\r\n",
		"2500 ok\r\n", " 250 ok\r\n", "-250 ok\r\n", "300 ok\r\n",
		"354 go\r\n", "334 go\r\n", "220 hi\r\n", "221 bye\r\n",
		"399 x\r\n",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		session(C("NOOP\r\n"), { SERVER_SAYS, bad[i], strlen(bad[i]) },
			CC(BROKE), IS(ERROR));
	session(C("NOOP\r\n"), S("250 a\0b\r\n"), CC(BROKE), IS(ERROR));
	session(C("NOOP\r\n"), S("250-a\r\n251 b\r\n"),
		CC("250-a\r\n" BROKE), IS(ERROR));
	session(C("NOOP\r\n"), S("250\n"), CC("250\r\n"), IS(NONE));
	session(C("NOOP\r\n"), S("250-\n250 \xff\n"), CC("250-\r\n250 \xff\r\n"),
		IS(NONE));
}

static void test_D3_reply_without_end(void **state)
{
	static char line[65536];
	struct rig r;
	int i;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "250 ", 4);
	session(C("NOOP\r\n"), { SERVER_SAYS, line, SS_SMTP_LINE_MAX - 1 },
		CC(""), IS(NONE), S("x"), CC(BROKE), IS(ERROR));
	session(C("NOOP\r\n"), { SERVER_SAYS, line, sizeof(line) }, CC(BROKE),
		IS(ERROR));
	greeted(&r);
	bytes_add(&r.from_client, "HELP\r\n", 6);
	rig_pump(&r);
	for (i = 0; i < SS_SMTP_REPLY_LINES_MAX; i++)
		bytes_add(&r.from_server, "214-x\r\n", 7);
	rig_pump(&r);
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	bytes_add(&r.from_server, "214 x\r\n", 7);
	rig_pump(&r);
	assert_int_equal(r.e.event, SS_SMTP_ERROR);
	rig_free(&r);
}

static void test_D3_codes_of_commands(void **state)
{
	(void)state;
	session(C("QUIT\r\n"), S("354 go\r\n"), CC(BROKE), IS(ERROR));
	session(C("QUIT\r\n"), S("250 bye\r\n"), CC("250 bye\r\n"), IS(CLOSE));
	session(C("MAIL FROM:<a>\r\n"), S("354 go\r\n"), CC(BROKE), IS(ERROR));
	session(C("AUTH PLAIN\r\n"), S("354 go\r\n"), CC(BROKE), IS(ERROR));
	session(C("RCPT TO:<a>\r\n"), S("421 bye\r\n"), CC("421 bye\r\n"),
		IS(CLOSE));
}

/* ---- EHLO ---- */

#define EHLO(from, to) dialogue(GREETING, C("EHLO me\r\n"), S(from), CC(to), \
				IS(NONE))

static void test_D1_ehlo_filter(void **state)
{
	(void)state;
	EHLO("250-mx hello\r\n250-PIPELINING\r\n250-SIZE 100\r\n"
	     "250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250-AUTH=PLAIN\r\n"
	     "250-CHUNKING\r\n250-dsn\r\n250-X-EXPS\r\n250 SMTPUTF8\r\n",
	     "250-mx hello\r\n250-PIPELINING\r\n250-SIZE 100\r\n"
	     "250-AUTH PLAIN LOGIN\r\n250-AUTH=PLAIN\r\n250-dsn\r\n"
	     "250 SMTPUTF8\r\n");
	/* the last lines are removed */
	EHLO("250-mx\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250 CHUNKING\r\n",
	     "250-mx\r\n250 8BITMIME\r\n");
	EHLO("250-mx\r\n250 STARTTLS\r\n", "250 mx\r\n");
	EHLO("250 mx\r\n", "250 mx\r\n");
	EHLO("250\r\n", "250 \r\n");
	EHLO("250-\r\n250\r\n", "250 \r\n");
	EHLO("250-mx\r\n250-XCLIENT NAME\r\n250-XFORWARD\r\n250-BURL imap\r\n"
	     "250-SIZED\r\n250-SIZ\r\n250-REQUIRETLS\r\n250 HELP\r\n",
	     "250-mx\r\n250 HELP\r\n");
	/* the greeting is no keyword */
	EHLO("250-STARTTLS\r\n250 STARTTLS\r\n", "250 STARTTLS\r\n");
	/* and what is refused is no list of keywords */
	EHLO("550-a\r\n550 STARTTLS\r\n", "550-a\r\n550 STARTTLS\r\n");
}

static void test_D1_long_keywords(void **state)
{
	char from[8192], to[8192];
	int n, m;

	(void)state;
	n = sprintf(from, "250-%02000d\r\n250-SIZE %01500d\r\n250 DSN\r\n", 1, 1);
	m = sprintf(to, "250-%01020d", 0);
	m += sprintf(to + m, "\r\n250 DSN\r\n");
	dialogue(GREETING, C("EHLO me\r\n"), { SERVER_SAYS, from, (size_t)n },
		 { CLIENT_HEARS, to, (size_t)m });
	n = sprintf(from, "250-mx\r\n250 AUTH %01015d\r\n", 1);
	dialogue(GREETING, C("EHLO me\r\n"), { SERVER_SAYS, from, (size_t)n },
		 { CLIENT_HEARS, from, (size_t)n });
}

static void test_D3_ehlo_reply_breaks(void **state)
{
	(void)state;
	dialogue(GREETING, C("EHLO me\r\n"),
		 S("250-mx\r\n250-SIZE\r\n550 DSN\r\n"),
		 CC("250-mx\r\n" BROKE), IS(ERROR));
	/* the line kept back does not come up again */
	session(C("EHLO me\r\n"), S("250-a\r\n250 DSN\r\n"),
		CC("250-a\r\n250 DSN\r\n"), C("EHLO me\r\n"), S("250 b\r\n"),
		CC("250 b\r\n"));
}

/* ---- AUTH, THREATS D6 ---- */

static void test_D6_auth(void **state)
{
	(void)state;
	session(C("AUTH LOGIN\r\n"), SS("AUTH LOGIN\r\n"), S("334 VXNlcg==\r\n"),
		CC("334 VXNlcg==\r\n"), C("bWU=\r\n"), SS("bWU=\r\n"),
		WANTS_CLIENT(0), S("334 UGFzcw==\r\n"), CC("334 UGFzcw==\r\n"),
		C("c2VjcmV0\nNOOP\r\n"), SS("c2VjcmV0\r\n"), S("235 ok\r\n"),
		CC("235 ok\r\n"), SS("NOOP\r\n"), S("250 ok\r\n"));
	/* an empty answer, and cancelling */
	session(C("AUTH X\r\n"), SS("AUTH X\r\n"), S("334 \r\n"),
		C("\r\n"), SS("\r\n"), S("334\r\n"), C("*\r\n"), SS("*\r\n"),
		S("501 cancelled\r\n"), CC("334 \r\n334\r\n501 cancelled\r\n"),
		C("RSET\r\n"), SS("RSET\r\n"));
	/* digits first are no early talker here */
	session(C("AUTH X\r\n"), SS("AUTH X\r\n"), S("334 \r\n"),
		C("0+/=\r\n"), SS("0+/=\r\n"), IS(NONE));
	/* commands are no commands inside, and pipelined ones wait */
	session(C("AUTH X\r\nQUIT\r\n"), SS("AUTH X\r\n"), S("334 \r\n"),
		SS("QUIT\r\n"), S("535 no\r\n"), C("NOOP\r\n"), SS("NOOP\r\n"));
}

static void test_D6_bad_base64(void **state)
{
	(void)state;
	session(C("AUTH X\r\n"), SS("AUTH X\r\n"), S("334 a\r\n"),
		CC("334 a\r\n"), C("MAIL FROM:<a@x>\r\nNOOP\r\n"),
		CC("501 5.5.2 Bad base64\r\n"), SS("*\r\n"), WANTS_CLIENT(0),
		S("501 cancelled\r\n"), CC(""), SS("NOOP\r\n"));
	session(C("AUTH X\r\n"), SS("AUTH X\r\n"), S("334 a\r\n"),
		C("a\0b\r\n"), SS("*\r\n"), S("235 ok\r\n"),
		CC("334 a\r\n501 5.5.2 Bad base64\r\n" BROKE), IS(ERROR));
	session(C("AUTH X\r\n"), SS("AUTH X\r\n"), S("334 a\r\n"),
		C("ab\rcd\r\n"), SS("*\r\n"));
}

static void test_D6_long_auth(void **state)
{
	static char line[20000];

	(void)state;
	memset(line, 'A', sizeof(line));
	memcpy(line, "AUTH PLAIN ", 11);
	line[SS_SMTP_LINE_MAX - 2] = '\r';
	line[SS_SMTP_LINE_MAX - 1] = '\n';
	line[SS_SMTP_LINE_MAX + 5000] = '\r';
	line[SS_SMTP_LINE_MAX + 5001] = '\n';
	session({ CLIENT_SAYS, line, SS_SMTP_LINE_MAX },
		{ SERVER_HEARS, line, SS_SMTP_LINE_MAX }, S("334 \r\n"),
		CC("334 \r\n"), { CLIENT_SAYS, line + SS_SMTP_LINE_MAX, 5002 },
		{ SERVER_HEARS, line + SS_SMTP_LINE_MAX, 5002 });
}

static void test_D6_overlong_auth(void **state)
{
	static char line[100000];

	(void)state;
	memset(line, 'A', sizeof(line));
	session(C("AUTH X\r\n"), SS("AUTH X\r\n"), S("334 \r\n"),
		CC("334 \r\n"), { CLIENT_SAYS, line, sizeof(line) }, SS(""),
		C("\r\n"), CC("500 5.5.2 Line too long\r\n"), SS("*\r\n"),
		S("501 cancelled\r\n"), CC(""), C("NOOP\r\n"), SS("NOOP\r\n"));
}

/* ---- sinks ---- */

static void test_full_sinks(void **state)
{
	struct rig r;
	u8 full[16];
	struct ss_smtp_buf none = { full, sizeof(full), sizeof(full) };

	(void)state;
	rig_init(&r, SS_SMTP_SINK_MIN, 1000);
	assert_int_equal(ss_smtp_server(&r.e, (const u8 *)"220 x\r\n", 7, &none),
			 0);
	bytes_add(&r.from_server, "220 mx\r\n", 8);
	rig_pump(&r);
	assert_int_equal(ss_smtp_client(&r.e, (const u8 *)"NOOP\r\n", 6, &none,
					&r.cli), 0);
	assert_int_equal(ss_smtp_client(&r.e, (const u8 *)"NOOP\r\n", 6, &r.srv,
					&none), 0);
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	ss_smtp_hangup(&r.e, "421 4.4.2 Timeout", &none);
	assert_int_equal(r.e.event, SS_SMTP_ERROR);
	assert_int_equal(none.len, sizeof(full));
	rig_free(&r);
}

static void test_calls_out_of_place(void **state)
{
	struct rig r;

	(void)state;
	greeted(&r);
	ss_smtp_data_accept(&r.e, &r.cli);
	ss_smtp_release(&r.e, &r.srv);
	ss_smtp_refuse(&r.e, "554 no", &r.srv, &r.cli);
	ss_smtp_sent(&r.e);
	ss_smtp_next(&r.e);
	ss_smtp_keepalive(&r.e, &r.srv);
	assert_int_equal(ss_smtp_body(&r.e, (const u8 *)"x", 1), 0);
	assert_int_equal(r.cli.len + r.srv.len, 0);
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	assert_true(ss_smtp_idle(&r.e));
	rig_free(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_banner),
		cmocka_unit_test(test_D4_client_before_banner),
		cmocka_unit_test(test_D5_early_talkers),
		cmocka_unit_test(test_E1_http_is_not_spoken),
		cmocka_unit_test(test_E1_client_text_is_not_echoed),
		cmocka_unit_test(test_E1_long_http_line),
		cmocka_unit_test(test_D4_data_after_quit),
		cmocka_unit_test(test_hangup),
		cmocka_unit_test(test_commands_are_passed),
		cmocka_unit_test(test_D1_other_commands_are_refused),
		cmocka_unit_test(test_D7_bad_octets),
		cmocka_unit_test(test_bare_newline_ends_a_command),
		cmocka_unit_test(test_D7_long_lines),
		cmocka_unit_test(test_D7_long_line_in_small_sinks),
		cmocka_unit_test(test_too_many_errors),
		cmocka_unit_test(test_D7_many_noops),
		cmocka_unit_test(test_mail_syntax),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_long_addresses),
		cmocka_unit_test(test_envelope_overflow),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_oversize_is_no_error),
		cmocka_unit_test(test_C7_binarymime),
		cmocka_unit_test(test_smtputf8),
		cmocka_unit_test(test_transaction_follows_replies),
		cmocka_unit_test(test_two_mails_in_a_group),
		cmocka_unit_test(test_helo_name),
		cmocka_unit_test(test_local_replies_keep_their_place),
		cmocka_unit_test(test_many_local_replies),
		cmocka_unit_test(test_barriers),
		cmocka_unit_test(test_pipelined_message),
		cmocka_unit_test(test_body_before_354_is_body),
		cmocka_unit_test(test_D2_data_needs_mail_and_rcpt),
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_D2_refuse_then_next_message),
		cmocka_unit_test(test_D2_refuse_data),
		cmocka_unit_test(test_refusal_is_one_line),
		cmocka_unit_test(test_D2_server_refuses_data),
		cmocka_unit_test(test_D3_reply_before_the_message),
		cmocka_unit_test(test_end_of_data_refused),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_server_gone_inside_a_message),
		cmocka_unit_test(test_B1_every_sequence_at_every_split),
		cmocka_unit_test(test_B1_empty_message),
		cmocka_unit_test(test_B1_real_end_behind_bare_cr),
		cmocka_unit_test(test_B1_all_short_bodies),
		cmocka_unit_test(test_B4_long_lines),
		cmocka_unit_test(test_D3_extra_reply),
		cmocka_unit_test(test_D3_421_between_own_replies),
		cmocka_unit_test(test_D3_second_banner),
		cmocka_unit_test(test_D3_malformed_replies),
		cmocka_unit_test(test_D3_reply_without_end),
		cmocka_unit_test(test_D3_codes_of_commands),
		cmocka_unit_test(test_D1_ehlo_filter),
		cmocka_unit_test(test_D1_long_keywords),
		cmocka_unit_test(test_D3_ehlo_reply_breaks),
		cmocka_unit_test(test_D6_auth),
		cmocka_unit_test(test_D6_bad_base64),
		cmocka_unit_test(test_D6_long_auth),
		cmocka_unit_test(test_D6_overlong_auth),
		cmocka_unit_test(test_full_sinks),
		cmocka_unit_test(test_calls_out_of_place),
	};

	return cmocka_run_group_tests_name("smtp", tests, NULL, NULL);
}
