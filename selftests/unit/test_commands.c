// SPDX-License-Identifier: GPL-2.0
/* Which commands pass, in which form. */
#include "dialogue.h"

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
	session(C("STARTTLS\r\n"), CC(no), C("BDAT 1 LAST\r\nx"), CC(no),
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
	rig_greeted(&r);
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
	rig_greeted(&r);
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
	rig_greeted(&r);
	for (i = 0; i < 100000; i++)
		bytes_add(&r.from_client, "NOOP\r\n", 6);
	rig_pump(&r);
	/* stops at the limit, and goes on */
	assert_int_equal(r.to_server.n, 6 * SS_SMTP_FIFO_MAX);
	assert_false(ss_smtp_wants_client(&r.e));
	for (i = 0; i < 1000; i++)
		rig_exchange(&r, "", "250\r\n");
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	assert_int_equal(r.to_server.n, 6 * (1000 + SS_SMTP_FIFO_MAX));
	rig_free(&r);
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_are_passed),
		cmocka_unit_test(test_D1_other_commands_are_refused),
		cmocka_unit_test(test_D7_bad_octets),
		cmocka_unit_test(test_bare_newline_ends_a_command),
		cmocka_unit_test(test_D7_long_lines),
		cmocka_unit_test(test_D7_long_line_in_small_sinks),
		cmocka_unit_test(test_too_many_errors),
		cmocka_unit_test(test_D7_many_noops),
		cmocka_unit_test(test_D6_auth),
		cmocka_unit_test(test_D6_bad_base64),
		cmocka_unit_test(test_D6_long_auth),
		cmocka_unit_test(test_D6_overlong_auth),
	};

	return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
