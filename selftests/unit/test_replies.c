// SPDX-License-Identifier: GPL-2.0
/* What a server may say, THREATS D3, and what of its EHLO is passed on. */
#include "dialogue.h"

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
	rig_greeted(&r);
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
	     "250-AUTH PLAIN LOGIN\r\n250-AUTH=PLAIN\r\n250-CHUNKING\r\n"
	     "250-dsn\r\n250 SMTPUTF8\r\n");
	/* the last lines are removed */
	EHLO("250-mx\r\n250-8BITMIME\r\n250-STARTTLS\r\n250 XCLIENT NAME\r\n",
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_D3_extra_reply),
		cmocka_unit_test(test_D3_421_between_own_replies),
		cmocka_unit_test(test_D3_second_banner),
		cmocka_unit_test(test_D3_malformed_replies),
		cmocka_unit_test(test_D3_reply_without_end),
		cmocka_unit_test(test_D3_codes_of_commands),
		cmocka_unit_test(test_D1_ehlo_filter),
		cmocka_unit_test(test_D1_long_keywords),
		cmocka_unit_test(test_D3_ehlo_reply_breaks),
	};

	return cmocka_run_group_tests_name("replies", tests, NULL, NULL);
}
