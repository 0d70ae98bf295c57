// SPDX-License-Identifier: GPL-2.0
/* STARTTLS (RFC 3207): who may say it when, and what is forgotten. */
#include "dialogue.h"

#define BOTH_WAYS \
	C("EHLO me\r\n"), SS("EHLO me\r\n"), \
	S("250-mx\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 HELP\r\n"), \
	CC("250-mx\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 HELP\r\n")
/* up to the server's 220 */
#define ASKED \
	OFFER(OFFERED), GREETING, BOTH_WAYS, C("STARTTLS\r\n"), \
	SS("STARTTLS\r\n"), CC("")
#define INSIDE_TLS \
	ASKED, S("220 2.0.0 Ready\r\n"), IS(STARTTLS), GO, \
	CC("220 2.0.0 Ready\r\n"), INSIDE, IS(NONE)

static void test_hidden(void **state)
{
	(void)state;
	dialogue(OFFER(HIDDEN), GREETING, C("EHLO me\r\n"), SS("EHLO me\r\n"),
		 S("250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n"),
		 CC("250-mx\r\n250 PIPELINING\r\n"), C("STARTTLS\r\n"), SS(""),
		 CC("502 5.5.1 Command not implemented\r\n"));
}

static void test_inspected(void **state)
{
	(void)state;
	dialogue(INSIDE_TLS, C("EHLO me\r\n"), SS("EHLO me\r\n"),
		 S("250-mx\r\n250-STARTTLS\r\n250 PIPELINING\r\n"),
		 CC("250-mx\r\n250 PIPELINING\r\n"));
	/* inside TLS from the start (RFC 8314) */
	dialogue(OFFER(OFFERED), INSIDE, GREETING, C("EHLO me\r\n"),
		 SS("EHLO me\r\n"), S("250-mx\r\n250 STARTTLS\r\n"),
		 CC("250 mx\r\n"));
	/* of more lines the last one is enough */
	dialogue(ASKED, S("220-one\r\n220 two\r\n"), GO, CC("220 two\r\n"));
	dialogue(ASKED, S("220\r\n"), GO, CC("220 \r\n"));
}

static void test_A1_client_pipelines(void **state)
{
	(void)state;
	/* what is behind it stays where it is: the caller sees it there */
	dialogue(OFFER(OFFERED), GREETING, BOTH_WAYS,
		 C("NOOP\r\nSTARTTLS\r\nRSET\r\n"), SS("NOOP\r\nSTARTTLS\r\n"),
		 S("250 ok\r\n"), CC("250 ok\r\n"), S("220 go\r\n"),
		 IS(STARTTLS), LEFT(6), CC(""), GO, LEFT(6), SS(""));
	dialogue(ASKED, C("MAIL FROM:<evil@x"), S("220 go\r\n"), IS(STARTTLS),
		 LEFT(17), SS(""));
}

static void test_A2_server_pipelines(void **state)
{
	(void)state;
	dialogue(ASKED, S("220 go\r\n250-evil\r\n250 AUTH LOGIN\r\n"),
		 IS(STARTTLS), LEFT(26), CC(""), GO, LEFT(26), CC("220 go\r\n"));
	dialogue(ASKED, S("220 go\r\n250-evil"), IS(STARTTLS), LEFT(8));
}

static void test_A1_syntax(void **state)
{
	(void)state;
	dialogue(OFFER(OFFERED), GREETING, BOTH_WAYS, C("STARTTLS foo\r\n"),
		 SS(""), CC("501 5.5.4 Syntax: STARTTLS\r\n"),
		 C("starttls \r\n"), SS("starttls \r\n"));
	/* never inside of TLS */
	dialogue(INSIDE_TLS, C("STARTTLS\r\n"), SS(""),
		 CC("503 5.5.1 TLS is active already\r\n"), IS(NONE));
}

static void test_A3_server_refuses(void **state)
{
	(void)state;
	dialogue(ASKED, S("454 4.7.0 not now\r\n"), CC("454 4.7.0 not now\r\n"),
		 IS(NONE), C("STARTTLS\r\n"), SS("STARTTLS\r\n"),
		 S("502 no\r\n"), CC("502 no\r\n"), C("MAIL FROM:<a@x>\r\n"),
		 SS("MAIL FROM:<a@x>\r\n"));
	dialogue(ASKED, S("421 bye\r\n"), CC("421 bye\r\n"), IS(CLOSE));
	dialogue(ASKED, S("250 ok\r\n"), CC(BROKE), IS(ERROR));
	dialogue(ASKED, S("221 ok\r\n"), CC(BROKE), IS(ERROR));
	dialogue(ASKED, S("354 ok\r\n"), CC(BROKE), IS(ERROR));
	dialogue(ASKED, S("334 ok\r\n"), CC(BROKE), IS(ERROR));
	/* 220 is for STARTTLS alone */
	dialogue(OFFER(OFFERED), GREETING, C("NOOP\r\n"), S("220 go\r\n"),
		 CC(BROKE), IS(ERROR));
}

static void test_A4_forgotten(void **state)
{
	(void)state;
	dialogue(OFFER(OFFERED), GREETING, BOTH_WAYS, ENVELOPE, FROM("a@x"),
		 TO("b@y|"), SS(""), C("STARTTLS\r\n"), SS("STARTTLS\r\n"),
		 S("220 go\r\n"), GO, INSIDE, CC("220 go\r\n"), FROM(""), TO(""),
		 C("DATA\r\n"), SS(""), CC("503 5.5.1 MAIL first\r\n"));
	/* the server's part of the list too */
	dialogue(OFFER(REQUIRED), GREETING, BOTH_WAYS, C("STARTTLS\r\n"),
		 SS("STARTTLS\r\n"), S("220 go\r\n"), GO, INSIDE,
		 CC("220 go\r\n"), C("MAIL FROM:<a@x>\r\n"),
		 SS("MAIL FROM:<a@x>\r\n"));
}

static void test_required(void **state)
{
	(void)state;
	dialogue(OFFER(REQUIRED), GREETING, BOTH_WAYS,
		 C("MAIL FROM:<a@x>\r\n"), SS(""),
		 CC("530 5.7.0 Must issue a STARTTLS command first\r\n"),
		 C("AUTH PLAIN AAAA\r\n"), SS(""),
		 CC("530 5.7.0 Must issue a STARTTLS command first\r\n"),
		 C("NOOP\r\n"), SS("NOOP\r\n"), S("250 ok\r\n"), CC("250 ok\r\n"),
		 C("QUIT\r\n"), SS("QUIT\r\n"));
	/* a server that does not offer it cannot be made to */
	dialogue(OFFER(REQUIRED), GREETING, C("EHLO me\r\n"), SS("EHLO me\r\n"),
		 S("250 mx\r\n"), CC("250 mx\r\n"), C("MAIL FROM:<a@x>\r\n"),
		 SS("MAIL FROM:<a@x>\r\n"));
}

static void test_no_helper(void **state)
{
	(void)state;
	dialogue(OFFER(OFFERED), NO_HELPER(1), GREETING, BOTH_WAYS,
		 C("STARTTLS\r\n"), SS(""),
		 CC("454 4.7.0 TLS not available due to temporary reason\r\n"),
		 NO_HELPER(0), C("STARTTLS\r\n"), SS("STARTTLS\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_inspected),
		cmocka_unit_test(test_A1_client_pipelines),
		cmocka_unit_test(test_A2_server_pipelines),
		cmocka_unit_test(test_A1_syntax),
		cmocka_unit_test(test_A3_server_refuses),
		cmocka_unit_test(test_A4_forgotten),
		cmocka_unit_test(test_required),
		cmocka_unit_test(test_no_helper),
	};

	return cmocka_run_group_tests_name("starttls", tests, NULL, NULL);
}
