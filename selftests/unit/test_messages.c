// SPDX-License-Identifier: GPL-2.0
/* From DATA to the server's reply to the message. */
#include "dialogue.h"

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

/*
 * Behind a message with bare CR or LF nobody knows what is a command and what was
 * meant to be mail: the client is hung up on, as Postfix does.
 */
static void test_K11_bad_newline_is_the_end(void **state)
{
	(void)state;
	session(ENVELOPE, C("DATA\r\n"), CC(GO_ON),
		C("a\nb\r\n.\r\nMAIL FROM:<c@x>\r\nQUIT\r\n"), LEFT(23),
		REFUSE("550 5.5.2 bad"), CC("550 5.5.2 bad\r\n"), SS("RSET\r\n"),
		IS(CLOSE), WANTS_CLIENT(0), LEFT(23), S("250 ok\r\n"), CC(""),
		SS(""));
	session(ENVELOPE, C("DATA\r\na\rb\r\n.\r\n"), CC(GO_ON),
		REFUSE("550 5.5.2 bad"), CC("550 5.5.2 bad\r\n"), IS(CLOSE));
	session(ENVELOPE, C("DATA\r\n\0.\r\n.\r\n"), CC(GO_ON),
		REFUSE("550 5.5.2 bad"), CC("550 5.5.2 bad\r\n"), IS(CLOSE));
	/* whatever else it was refused for */
	session(ENVELOPE, C("DATA\r\na\nb\r\n.\r\n"), CC(GO_ON),
		REFUSE("552 5.3.4 too big"), CC("552 5.3.4 too big\r\n"),
		IS(CLOSE));
	/* but not because of the message before */
	session(ENVELOPE, C("DATA\r\na\r\n.\r\n"), CC(GO_ON),
		REFUSE("554 no"), CC("554 no\r\n"), SS("RSET\r\n"), IS(NONE),
		WANTS_CLIENT(0), S("250 ok\r\n"), CC(""), WANTS_CLIENT(1));
}

static void begin_transaction(struct rig *r)
{
	rig_exchange(r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\n",
		     "250 ok\r\n250 ok\r\n");
}

/* A bare LF that was let pass is no reason to hang up on the next message. */
static void test_K11_allowed_before(void **state)
{
	struct rig r;

	(void)state;
	rig_greeted(&r);
	r.body_bad = SS_EOD_BARE_CR;
	begin_transaction(&r);
	rig_exchange(&r, "DATA\r\na\nb\r\n.\r\n", "");
	r.verdict = RIG_REFUSE;
	rig_pump(&r);
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	rig_exchange(&r, "", "250 reset\r\n");
	/* DATA that is refused says nothing of octets */
	r.e.body_bad = SS_EOD_BAD;
	begin_transaction(&r);
	r.refuse_data = true;
	r.body_bad = SS_EOD_BAD;
	rig_exchange(&r, "DATA\r\n", "250 reset\r\n");
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	rig_free(&r);
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

static void test_longest_refusal(void **state)
{
	char reply[600], want[513];

	(void)state;
	memset(reply, 'x', sizeof(reply));
	memcpy(reply, "554 ", 4);
	memcpy(want, reply, 510);
	memcpy(want + 510, "\r\n", 2);
	reply[sizeof(reply) - 1] = '\0';
	session(ENVELOPE, { REFUSE_DATA, reply, 0 }, C("DATA\r\n"),
		{ CLIENT_HEARS, want, 512 });
	reply[510] = '\0';
	session(ENVELOPE, { REFUSE_DATA, reply, 0 }, C("DATA\r\n"),
		{ CLIENT_HEARS, want, 512 });
	reply[509] = '\0';
	memcpy(want + 509, "\r\n", 2);
	session(ENVELOPE, { REFUSE_DATA, reply, 0 }, C("DATA\r\n"),
		{ CLIENT_HEARS, want, 511 });
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
	rig_greeted(&r);
	r.always = RIG_ACCEPT;
	r.piece = 1;
	rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\nabc\r\n.\r\n",
		     "250 ok\r\n250 ok\r\n");
	rig_exchange(&r, "", "354 go\r\n250 already\r\n");
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
}

static void test_server_gone_inside_a_message(void **state)
{
	(void)state;
	/* where test_replay.c has no way on */
	session(LOGIN, ENVELOPE, C("DATA\r\nx"), CC(GO_ON), S("421 idle\r\n"),
		CC("421 idle\r\n"), IS(CLOSE), C("y\r\n.\r\n"), IS(CLOSE));
	session(LOGIN, ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), IS(BODY_END),
		S("421 idle\r\n"), CC("421 idle\r\n"), IS(CLOSE));
	session(LOGIN, ENVELOPE, C("DATA\r\nx"), CC(GO_ON), IDLE, SS("NOOP\r\n"),
		S("421-a\r\n421 bye\r\n"), CC("421 bye\r\n"), IS(CLOSE));
	session(ENVELOPE, C("DATA\r\nx\r\n.\r\n"), CC(GO_ON), IS(BODY_END),
		S("250 what\r\n"), CC(BROKE), IS(ERROR));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_D2_refuse_then_next_message),
		cmocka_unit_test(test_K11_bad_newline_is_the_end),
		cmocka_unit_test(test_K11_allowed_before),
		cmocka_unit_test(test_D2_refuse_data),
		cmocka_unit_test(test_refusal_is_one_line),
		cmocka_unit_test(test_longest_refusal),
		cmocka_unit_test(test_D2_server_refuses_data),
		cmocka_unit_test(test_D3_reply_before_the_message),
		cmocka_unit_test(test_end_of_data_refused),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_server_gone_inside_a_message),
	};

	return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}
