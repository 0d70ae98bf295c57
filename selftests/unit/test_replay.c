// SPDX-License-Identifier: GPL-2.0
/* A server that leaves while a message is held: its envelope is said again. */
#include "dialogue.h"

#define LOST		"451 4.4.2 Connection to the mail server lost\r\n"
#define HELD		ENVELOPE, C("DATA\r\n"), CC(GO_ON), C("x\r\n.\r\n"), SS("")
/* Behind the verdict: the new connection, up to the end of the message. */
#define AGAIN \
	SS(""), S("220-mx\r\n220 mx2\r\n"), SS("EHLO me\r\n"), \
	S("250-mx2\r\n250-CHUNKING\r\n250 X-NEW\r\n"), SS("MAIL FROM:<a@x>\r\n"), \
	S("250 ok\r\n"), SS("RCPT TO:<b@y>\r\n"), S("250 ok\r\n"), \
	SS("DATA\r\n"), S("354 go\r\n"), SS("x\r\n.\r\n"), CC("")

static void test_K6_leaves_in_scan(void **state)
{
	(void)state;
	session(HELD, LEAVES, CC(""), IS(BODY_END), FROM("a@x"), TO("b@y|"), ACCEPT,
		AGAIN, S("250 queued\r\n"), CC("250 queued\r\n"), DONE_CODE(250),
		/* and it is as good as the first one */
		HELD, ACCEPT, SS("DATA\r\n"), S("354 go\r\n"), SS("x\r\n.\r\n"),
		S("250 ok\r\n"), CC("250 ok\r\n"), HELD, LEAVES, ACCEPT, AGAIN,
		S("452 full\r\n"), CC("452 full\r\n"), IS(NONE));
}

static void test_K6_leaves_in_body(void **state)
{
	(void)state;
	session(ENVELOPE, C("DATA\r\n"), CC(GO_ON), LEAVES, CC(""),
		C("x\r\n.\r\nQUIT\r\n"), IDLE, SS(""), ACCEPT, AGAIN,
		S("250 ok\r\n"), SS("QUIT\r\n"), CC("250 ok\r\n"),
		S("221 bye\r\n"), CC("221 bye\r\n"), IS(CLOSE));
}

/* The client does not hear the 421 or 554 with which the server leaves. */
static void test_K6_says_so(void **state)
{
	(void)state;
	session(HELD, S("421-4.4.2 you are\r\n421 too slow\r\n"), CC(""), ACCEPT,
		AGAIN, S("250 ok\r\n"), CC("250 ok\r\n"));
	/* it began before the message did */
	session(ENVELOPE, S("421-too slow\r\n"), C("DATA\r\n"), CC(GO_ON),
		C("x\r\n.\r\n"), S("421 bye\r\n"), CC(""), ACCEPT, AGAIN,
		S("250 ok\r\n"), CC("250 ok\r\n"));
	/* to a NOOP of ours */
	session(HELD, IDLE, SS("NOOP\r\n"), S("421 bye\r\n"), CC(""), ACCEPT, AGAIN,
		S("250 ok\r\n"), CC("250 ok\r\n"));
	session(HELD, IDLE, SS("NOOP\r\n"), S("554 too many\r\n"), LEAVES, CC(""),
		ACCEPT, AGAIN, S("250 ok\r\n"), CC("250 ok\r\n"));
	/* amid its answer */
	session(HELD, IDLE, SS("NOOP\r\n"), S("250-a\r\n25"), LEAVES, CC(""), ACCEPT,
		AGAIN, S("250 ok\r\n"), CC("250 ok\r\n"));
}

/* All that the server accepted, and nothing else. */
static void test_K6_envelope(void **state)
{
	(void)state;
	dialogue(GREETING, C("EHLO one\r\nHELO two\r\n"), S("250 ok\r\n"),
		 S("250 ok\r\n"), CC("250 ok\r\n250 ok\r\n"),
		 SS("EHLO one\r\nHELO two\r\n"),
		 C("MAIL FROM:<old@x>\r\nRCPT TO:<old@y>\r\n"), S("250 1\r\n250 2\r\n"),
		 CC("250 1\r\n250 2\r\n"), SS("MAIL FROM:<old@x>\r\nRCPT TO:<old@y>\r\n"),
		 C("RSET\r\nmail  from:<a@x>  SIZE=4 BODY=8BITMIME\r\n"
		   "RCPT TO:<b@y> NOTIFY=NEVER\r\nRCPT TO:<no@y>\r\nRCPT TO:<c@y>\r\n"),
		 SS("RSET\r\nmail  from:<a@x>  SIZE=4 BODY=8BITMIME\r\n"
		    "RCPT TO:<b@y> NOTIFY=NEVER\r\nRCPT TO:<no@y>\r\nRCPT TO:<c@y>\r\n"),
		 S("250 3\r\n250 4\r\n250 5\r\n550 6\r\n250 7\r\n"),
		 CC("250 3\r\n250 4\r\n250 5\r\n550 6\r\n250 7\r\n"),
		 C("DATA\r\n"), CC(GO_ON), LEAVES, C("x\r\n.\r\n"), ACCEPT,
		 S("220 mx\r\n"), SS("HELO two\r\n"), S("250 mx\r\n"),
		 SS("mail  from:<a@x>  SIZE=4 BODY=8BITMIME\r\n"), S("250 ok\r\n"),
		 SS("RCPT TO:<b@y> NOTIFY=NEVER\r\n"), S("251 ok\r\n"),
		 SS("RCPT TO:<c@y>\r\n"), S("250 ok\r\n"), SS("DATA\r\n"));
	/* there need not be a HELO */
	dialogue(GREETING, ENVELOPE, C("DATA\r\n"), CC(GO_ON), C("x\r\n.\r\n"), LEAVES,
		 ACCEPT, S("220 mx\r\n"), SS("MAIL FROM:<a@x>\r\n"));
	/* one that was refused is none */
	dialogue(GREETING, C("HELO a\r\n"), S("250 ok\r\n"), C("EHLO b\r\n"),
		 S("550 no\r\n"), CC("250 ok\r\n550 no\r\n"), SS("HELO a\r\nEHLO b\r\n"),
		 ENVELOPE, C("DATA\r\n"), CC(GO_ON), C("x\r\n.\r\n"), LEAVES, ACCEPT,
		 S("220 mx\r\n"), SS("HELO a\r\n"));
}

static void test_K6_is_refused(void **state)
{
	(void)state;
	/* by the banner, and by each line */
	session(HELD, LEAVES, ACCEPT, S("554 no\r\n"), CC(LOST), SS(""), IS(NONE),
		C("NOOP\r\n"),
		CC("421 4.3.0 No mail server any more, closing connection\r\n"));
	session(HELD, LEAVES, ACCEPT, S("421 busy\r\n"), CC(LOST), SS(""));
	session(HELD, LEAVES, ACCEPT, S("220 mx\r\n"), SS("EHLO me\r\n"),
		S("500-what\r\n500 no\r\n"), CC(LOST), SS(""), C("QUIT\r\n"),
		CC("221 2.0.0 Bye\r\n"));
	session(HELD, LEAVES, ACCEPT, S("220 mx\r\n"), SS("EHLO me\r\n"),
		S("250 mx\r\n"), SS("MAIL FROM:<a@x>\r\n"), S("451 no\r\n"), CC(LOST));
	session(HELD, LEAVES, ACCEPT, S("220 mx\r\n"), SS("EHLO me\r\n"),
		S("250 mx\r\n"), SS("MAIL FROM:<a@x>\r\n"), S("250 ok\r\n"),
		SS("RCPT TO:<b@y>\r\n"), S("550 no\r\n"), CC(LOST));
	/* DATA is answered by the client's server, as ever */
	session(HELD, LEAVES, ACCEPT, S("220 mx\r\n250 mx\r\n"), S("250 ok\r\n"),
		S("250 ok\r\n"), S("452 full\r\n"), CC("452 full\r\n"), IS(NONE));
}

/* The new server may be faster than whoever looks whether it is there. */
static void test_K6_early_banner(void **state)
{
	static const u8 banner[] = "220 mx\r\n";
	const u32 n = sizeof(banner) - 1;
	struct rig r;

	(void)state;
	rig_greeted(&r);
	rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\n", "250 ok\r\n250 ok\r\n");
	rig_exchange(&r, "DATA\r\nx\r\n.\r\n", "");
	assert_true(ss_smtp_can_replay(&r.e));
	ss_smtp_lose(&r.e);
	assert_int_equal(ss_smtp_server(&r.e, banner, n, &r.cli), 0);
	ss_smtp_replay(&r.e, 3);
	assert_int_equal(ss_smtp_server(&r.e, banner, n, &r.cli), n);
	assert_int_equal(r.e.event, SS_SMTP_REPLAY);
	rig_free(&r);
}

/* A 250 for HELO is no banner, nor a 220 a reply to MAIL. */
static void test_K6_protocol(void **state)
{
	(void)state;
	session(HELD, LEAVES, ACCEPT, S("250 mx\r\n"), CC(BROKE), IS(ERROR));
	session(HELD, LEAVES, ACCEPT, S("354 mx\r\n"), CC(BROKE), IS(ERROR));
	session(HELD, LEAVES, ACCEPT, S("220 mx\r\n"), SS("EHLO me\r\n"),
		S("220 mx\r\n"), CC(BROKE), IS(ERROR));
	session(HELD, LEAVES, ACCEPT, S("220 mx\r\n"), SS("EHLO me\r\n"),
		S("250 mx\r\n"), SS("MAIL FROM:<a@x>\r\n"), S("354 go\r\n"), CC(BROKE));
}

static void test_K6_verdict_refuses(void **state)
{
	(void)state;
	session(HELD, LEAVES, REFUSE("554 5.7.1 Infected"), CC("554 5.7.1 Infected\r\n"),
		SS(""), IS(NONE), C("QUIT\r\n"), CC("221 2.0.0 Bye\r\n"), IS(CLOSE));
}

/* What it had of the message by BDAT is not asked for again. */
static void test_K6_chunks(void **state)
{
	(void)state;
	dialogue(GREETING, C("EHLO me\r\n"), S("250-mx\r\n250 CHUNKING\r\n"),
		 CC("250-mx\r\n250 CHUNKING\r\n"), SS("EHLO me\r\n"), ENVELOPE,
		 C("BDAT 2\r\nx\r"), CC("250 2.0.0 Chunk received\r\n"), LEAVES,
		 C("NOOP\r\n"), CC("250 2.0.0 Ok\r\n"), C("BDAT 1 LAST\r\n\n"),
		 ACCEPT, S("220 mx\r\n"), SS("EHLO me\r\n"),
		 S("250-mx\r\n250 chunking\r\n"), SS("MAIL FROM:<a@x>\r\n"),
		 S("250 ok\r\n"), SS("RCPT TO:<b@y>\r\n"), S("250 ok\r\n"),
		 SS("BDAT 3 LAST\r\nx\r\n"), S("250 ok\r\n"), CC("250 ok\r\n"));
	/* another server, which has no BDAT */
	dialogue(GREETING, C("EHLO me\r\n"), S("250-mx\r\n250 CHUNKING\r\n"),
		 CC("250-mx\r\n250 CHUNKING\r\n"), SS("EHLO me\r\n"), ENVELOPE,
		 C("BDAT 1 LAST\r\nx"), LEAVES, ACCEPT, S("220 mx\r\n"), SS("EHLO me\r\n"),
		 S("250-CHUNKING\r\n250 SIZE\r\n"), CC(LOST), SS(""));
}

#define LEFT_ALONE \
	LEAVES, CC("421 4.4.2 Connection to the mail server lost\r\n"), IS(CLOSE)

static void test_K6_cannot(void **state)
{
	(void)state;
	/* somebody has logged in, or has tried to */
	session(C("AUTH PLAIN\r\n"), SS("AUTH PLAIN\r\n"), S("334 \r\n"), CC("334 \r\n"),
		C("AGEAYg==\r\n"), SS("AGEAYg==\r\n"), S("235 ok\r\n"),
		CC("235 ok\r\n"), HELD, LEFT_ALONE);
	session(LOGIN, HELD, LEFT_ALONE);
	session(C("AUTH PLAIN AGEAYg==\r\n"), SS("AUTH PLAIN AGEAYg==\r\n"),
		S("535 no\r\n"), CC("535 no\r\n"), HELD, S("421 bye\r\n"),
		CC("421 bye\r\n"), IS(CLOSE));
	/* inside TLS */
	dialogue(OFFER(OFFERED), GREETING, C("EHLO a\r\nSTARTTLS\r\n"),
		 S("250-mx\r\n250 STARTTLS\r\n"), S("220 go\r\n"),
		 CC("250-mx\r\n250 STARTTLS\r\n"), GO, CC("220 go\r\n"), INSIDE,
		 SS("EHLO a\r\nSTARTTLS\r\n"), HELD, LEFT_ALONE);
	/* it has a part of the message */
	session(SPLICE, ENVELOPE, C("DATA\r\n"), SS("DATA\r\n"), S("354 go\r\n"),
		CC("354 go\r\n"), C("x\r\n.\r\n"), LEFT_ALONE);
	/* outside of a message */
	session(ENVELOPE, LEFT_ALONE);
	session(HELD, ACCEPT, SS("DATA\r\n"), LEFT_ALONE);
	session(HELD, ACCEPT, SS("DATA\r\n"), S("354 go\r\n"), SS("x\r\n.\r\n"),
		LEFT_ALONE);
}

/* STARTTLS was not there for a client that has to use it; now it is. */
static void test_K6_tls_required(void **state)
{
	(void)state;
	dialogue(OFFER(REQUIRED), GREETING, C("EHLO me\r\n"), S("250 mx\r\n"),
		 CC("250 mx\r\n"), SS("EHLO me\r\n"), HELD, LEAVES, ACCEPT,
		 S("220 mx\r\n"), SS("EHLO me\r\n"), S("250-mx\r\n250 STARTTLS\r\n"),
		 CC(LOST), SS(""));
	dialogue(OFFER(OFFERED), GREETING, C("EHLO me\r\n"), S("250 mx\r\n"),
		 CC("250 mx\r\n"), SS("EHLO me\r\n"), HELD, LEAVES, ACCEPT,
		 S("220 mx\r\n"), SS("EHLO me\r\n"), S("250-mx\r\n250 STARTTLS\r\n"),
		 SS("MAIL FROM:<a@x>\r\n"));
}

/* HELO asks nobody whether there is STARTTLS. */
static void test_K6_tls_required_helo(void **state)
{
	(void)state;
	dialogue(OFFER(REQUIRED), GREETING, C("EHLO me\r\n"), S("250 mx\r\n"),
		 C("HELO me\r\n"), S("250 mx\r\n"), CC("250 mx\r\n250 mx\r\n"),
		 SS("EHLO me\r\nHELO me\r\n"), HELD, LEFT_ALONE);
	dialogue(OFFER(OFFERED), GREETING, C("HELO me\r\n"), S("250 mx\r\n"),
		 CC("250 mx\r\n"), SS("HELO me\r\n"), HELD, LEAVES, ACCEPT,
		 S("220 mx\r\n"), SS("HELO me\r\n"), S("250 mx\r\n"),
		 SS("MAIL FROM:<a@x>\r\n"));
}

/* Fills the lines to their last octet, and one more. */
static void say_recipients(struct rig *r, size_t n)
{
	char line[128];

	while (n) {
		/* three octets of each are the list's own */
		size_t len = n > 96 ? 48 : n;

		n -= len;
		snprintf(line, sizeof(line), "RCPT TO:<%0*d@y>\r\n", (int)len - 15, 0);
		rig_exchange(r, line, "250 ok\r\n");
	}
}

static void fill(struct rig *r, size_t more)
{
	static const char mail[] = "MAIL FROM:<a>";

	rig_greeted(r);
	rig_exchange(r, "MAIL FROM:<a>\r\n", "250 ok\r\n");
	say_recipients(r, SS_ENVELOPE_MAX - (sizeof(mail) - 1 + 3) + more);
	rig_exchange(r, "DATA\r\n", "");
}

static void test_K6_many_recipients(void **state)
{
	struct rig r;

	(void)state;
	fill(&r, 0);
	assert_int_equal(r.e.lines.len, SS_ENVELOPE_MAX);
	assert_true(ss_smtp_can_replay(&r.e));
	rig_free(&r);
	fill(&r, 1);
	assert_false(ss_smtp_can_replay(&r.e));
	rig_exchange(&r, "x\r\n.\r\n", "");
	r.verdict = RIG_REFUSE;
	rig_exchange(&r, "", "250 reset\r\n");
	/* the next message is not to blame */
	rig_exchange(&r, "MAIL FROM:<a>\r\n", "250 ok\r\n");
	rig_exchange(&r, "RCPT TO:<b>\r\n", "250 ok\r\n");
	rig_exchange(&r, "DATA\r\n", "");
	assert_true(ss_smtp_can_replay(&r.e));
	rig_free(&r);
}

/* A name of which not all is kept */
static void test_K6_long_name(void **state)
{
	char line[SS_SMTP_ADDRESS_MAX + 16];

	(void)state;
	for (int more = 0; more < 2; more++) {
		struct rig r;

		rig_greeted(&r);
		snprintf(line, sizeof(line), "HELO %0*d\r\n", SS_SMTP_ADDRESS_MAX - 1 + more,
			 0);
		rig_exchange(&r, line, "250 ok\r\n");
		rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\n",
			     "250 ok\r\n250 ok\r\n");
		rig_exchange(&r, "DATA\r\n", "");
		assert_int_equal(ss_smtp_can_replay(&r.e), !more);
		rig_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_K6_leaves_in_scan),
		cmocka_unit_test(test_K6_leaves_in_body),
		cmocka_unit_test(test_K6_says_so),
		cmocka_unit_test(test_K6_envelope),
		cmocka_unit_test(test_K6_is_refused),
		cmocka_unit_test(test_K6_early_banner),
		cmocka_unit_test(test_K6_protocol),
		cmocka_unit_test(test_K6_verdict_refuses),
		cmocka_unit_test(test_K6_chunks),
		cmocka_unit_test(test_K6_cannot),
		cmocka_unit_test(test_K6_tls_required),
		cmocka_unit_test(test_K6_tls_required_helo),
		cmocka_unit_test(test_K6_many_recipients),
		cmocka_unit_test(test_K6_long_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
