// SPDX-License-Identifier: GPL-2.0
/* Commands that come before the reply to others. */
#include "dialogue.h"

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

/* The longest reply of the server's, and behind it all that is due. */
static void end_longest_reply(struct rig *r)
{
	int i;

	assert_false(ss_smtp_wants_client(&r->e));
	for (i = 0; i < SS_SMTP_LINE_MAX - 1; i++)
		bytes_add(&r->from_server, &"550 "[i < 3 ? i : 3], 1);
	bytes_add(&r->from_server, "\n", 1);
	rig_pump(r);
	assert_int_equal(r->e.event, SS_SMTP_NONE);
	assert_int_equal(r->from_client.n, 0);
}

static void test_many_local_replies(void **state)
{
	struct rig r;
	int i;

	(void)state;
	rig_greeted(&r);
	bytes_add(&r.from_client, "NOOP\r\n", 6);
	for (i = 0; i < 200; i++)
		bytes_add(&r.from_client, "MAIL FROM:<a> SIZE=9999\r\n", 25);
	rig_pump(&r);
	end_longest_reply(&r);
	assert_int_equal(r.e.oversize, 200);
	rig_free(&r);
}

/* However long the gateway's own replies are, as many as may wait find room. */
static void test_K8_longest_local_replies(void **state)
{
	struct rig r;
	int i;

	(void)state;
	rig_greeted(&r);
	r.e.banned = true;
	bytes_add(&r.from_client, "NOOP\r\n", 6);
	for (i = 0; i < 200; i++)
		bytes_add(&r.from_client, "MAIL FROM:<a>\r\n", 15);
	rig_pump(&r);
	end_longest_reply(&r);
	assert_int_equal(r.e.bans, 200);
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
		S("250 1\r\n550 2\r\n"),
		CC("250 1\r\n550 2\r\n554 5.5.1 No valid recipients\r\n"),
		SS("NOOP\r\n"), S("250 ok\r\n"), CC("250 ok\r\n"),
		C("DATA\r\n"), CC(none), IS(NONE), SS(""), REFUSALS(5));
	session(C("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n"),
		S("550 1\r\n503 2\r\n"),
		CC("550 1\r\n503 2\r\n503 5.5.1 MAIL first\r\n"));
	/* a recipient without MAIL is a server's mistake, not a message */
	session(C("RCPT TO:<b@y>\r\nDATA\r\n"), S("250 1\r\n"),
		CC("250 1\r\n503 5.5.1 MAIL first\r\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_local_replies_keep_their_place),
		cmocka_unit_test(test_many_local_replies),
		cmocka_unit_test(test_K8_longest_local_replies),
		cmocka_unit_test(test_barriers),
		cmocka_unit_test(test_pipelined_message),
		cmocka_unit_test(test_body_before_354_is_body),
		cmocka_unit_test(test_D2_data_needs_mail_and_rcpt),
	};

	return cmocka_run_group_tests_name("pipelining", tests, NULL, NULL);
}
