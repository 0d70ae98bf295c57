// SPDX-License-Identifier: GPL-2.0
/* Splice mode: messages that go to the server while they come in. */
#include "dialogue.h"

#define PASSED	SPLICE, ENVELOPE, C("DATA\r\n"), SS("DATA\r\n"), CC(""), \
		WANTS_CLIENT(0), S("354 go\r\n"), CC("354 go\r\n")
#define ALONE	"421 4.3.0 No mail server any more, closing connection\r\n"

static void test_message(void **state)
{
	(void)state;
	/* the server's own 354; the last octets wait for the verdict */
	session(PASSED, WANTS_CLIENT(0), C("Subject: x\r\n\r\n..dot\r\n"),
		SS("Subject: x\r\n\r\n..d"), C(".\r\n"), IS(BODY_END),
		SS("ot"), HAS("Subject: x\r\n\r\n..dot\r\n"), IDLE, SS(""),
		ACCEPT, SS("\r\n.\r\n"), S("250-2.0.0\r\n250 queued\r\n"),
		CC("250-2.0.0\r\n250 queued\r\n"), DONE_CODE(250), TO(""),
		IS(NONE),
		/* and one more */
		ENVELOPE, C("DATA\r\n"), SS("DATA\r\n"), S("354 go\r\n"),
		CC("354 go\r\n"), C(".\r\n"), HAS(""), SS(""), ACCEPT,
		SS(".\r\n"), S("550 empty\r\n"), CC("550 empty\r\n"),
		C("QUIT\r\n"), SS("QUIT\r\n"));
}

/* One that is held, though the last one was not: there was no room, say. */
static void test_hold_behind_splice(void **state)
{
	(void)state;
	session(PASSED, C("abc\r\n.\r\n"), ACCEPT, SS("abc\r\n.\r\n"),
		S("250 ok\r\n"), CC("250 ok\r\n"), { SPLICE_MODE, NUMBER(0) },
		ENVELOPE, C("DATA\r\nabcdefgh\r\n.\r\n"), CC(GO_ON), SS(""),
		S("421 bye\r\n"), CC(""), IS(BODY_END));
	session(PASSED, C("abc\r\n.\r\n"), ACCEPT, SS("abc\r\n.\r\n"),
		S("250 ok\r\n"), CC("250 ok\r\n"), { SPLICE_MODE, NUMBER(0) },
		ENVELOPE, C("DATA\r\nabcdefgh\r\n.\r\n"), CC(GO_ON), ACCEPT,
		SS("DATA\r\n"), S("354 go\r\n"), SS("abcdefgh\r\n.\r\n"));
}

static void test_D2_server_refuses_data(void **state)
{
	(void)state;
	session(SPLICE, ENVELOPE, C("DATA\r\n"), SS("DATA\r\n"),
		S("451-4.3.0\r\n451 later\r\n"),
		CC("451-4.3.0\r\n451 later\r\n"), DONE_CODE(451), IS(NONE),
		TO(""), C("MAIL FROM:<c@x>\r\n"), SS("RSET\r\n"),
		S("250 reset\r\n"), CC(""), SS("MAIL FROM:<c@x>\r\n"),
		S("250 ok\r\n"), CC("250 ok\r\n"));
	session(SPLICE, ENVELOPE, C("DATA\r\n"), SS("DATA\r\n"),
		S("250 ok\r\n"), CC(BROKE), IS(ERROR));
	session(SPLICE, ENVELOPE, NO_DATA("452 full"), C("DATA\r\n"),
		CC("452 full\r\n"), SS("RSET\r\n"), S("250 ok\r\n"), CC(""),
		IS(NONE));
}

static void test_D2_reject(void **state)
{
	(void)state;
	/* the server is closed, the client may only go */
	session(PASSED, C("abcdefgh\r\n.\r\n"), SS("abcdefgh"),
		REFUSE("554 5.7.1 Infected"), CC("554 5.7.1 Infected\r\n"),
		SS(""), IS(NONE), WANTS_CLIENT(1), C("QUIT\r\n"),
		CC("221 2.0.0 Bye\r\n"), SS(""), IS(CLOSE));
	session(PASSED, C("abcdefgh\r\n.\r\n"), SS("abcdefgh"),
		REFUSE("554 5.7.1 Infected"), CC("554 5.7.1 Infected\r\n"),
		C("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nQUIT\r\n"),
		CC(ALONE), SS(""), IS(CLOSE));
	/* both were said before the verdict */
	session(PASSED, C("a\r\n.\r\nQUIT\r\n"), SS("a"), REFUSE("554 no"),
		CC("554 no\r\n221 2.0.0 Bye\r\n"), SS(""), IS(CLOSE));
	session(PASSED, C("a\r\n.\r\nRSET\r\nQUIT\r\n"), SS("a"),
		REFUSE("451 no"), CC("451 no\r\n" ALONE), SS(""), IS(CLOSE));
}

static void test_B1_nothing_lax_leaves(void **state)
{
	(void)state;
	/* from the first bare CR or LF on, the message is sure to be refused */
	session(PASSED, C("abcdefgh\n.\nMAIL FROM:<evil@x>\r\n.\r\n"),
		IS(BODY_END), REFUSE("550 no"), CC("550 no\r\n"));
	session(PASSED, C("abcdefgh"), SS("abcd"), C("\n.\n"), SS(""),
		C("0123456789"), SS(""), C("\r\n.\r\n"), IS(BODY_END), SS(""));
	session(PASSED, C("abcdefgh\r\n.\r"), SS("abcdefgh"), C("x"), SS(""),
		C("0123456789"), SS(""), C("\r\n.\r\n"), IS(BODY_END), SS(""));
}

static void test_K11_bad_newline_is_the_end(void **state)
{
	(void)state;
	session(PASSED, C("a\nb\r\n.\r\nQUIT\r\n"), IS(BODY_END), SS(""),
		REFUSE("550 5.5.2 bad"), CC("550 5.5.2 bad\r\n"), SS(""),
		IS(CLOSE), LEFT(6));
	/* the server would not have it either */
	session(PASSED, C("abcdefgh"), SS("abcd"), S("552 much\r\n"), CC(""),
		C("\n\r\n.\r\nQUIT\r\n"), CC("552 much\r\n"), SS(""),
		IS(CLOSE), LEFT(6));
}

static void test_early_reply(void **state)
{
	(void)state;
	/* it is the message's, and waits for its end */
	session(PASSED, C("abcdefgh"), SS("abcd"),
		S("552-5.3.4 much\r\n552 5.3.4 too much\r\n"), CC(""),
		C("0123456789"), SS(""), C("\r\n.\r\n"),
		CC("552 5.3.4 too much\r\n"), SS(""), C("QUIT\r\n"),
		CC("221 2.0.0 Bye\r\n"), IS(CLOSE));
	/* while the verdict is awaited */
	session(PASSED, C("abcdefgh\r\n.\r\n"), SS("abcdefgh"), IS(BODY_END),
		S("451 later\r\n"), CC("451 later\r\n"), SS(""),
		C("NOOP\r\n"), CC(ALONE), IS(CLOSE));
	/* after a 421 nothing more is heard */
	session(PASSED, C("abcdefgh"), SS("abcd"), S("421 bye\r\n"), CC(""),
		C("\r\n.\r\n"), CC("421 bye\r\n"), IS(CLOSE), SS(""));
	/* never a 250 for what was not sent */
	session(PASSED, C("abcdefgh"), SS("abcd"), S("250 ok\r\n"), CC(BROKE),
		IS(ERROR));
	session(PASSED, C("abcdefgh\r\n.\r\n"), SS("abcdefgh"), S("250 ok\r\n"),
		CC(BROKE), IS(ERROR));
}

static void test_early_reply_in_hold(void **state)
{
	struct rig r;

	(void)state;
	rig_greeted(&r);
	rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\nabcde\r\n.\r\n",
		     "250 ok\r\n250 ok\r\n");
	r.verdict = RIG_ACCEPT;
	rig_pump(&r);
	r.piece = 1;
	r.to_client.n = 0;
	rig_exchange(&r, "", "354 go\r\n552 full\r\n");
	assert_memory_equal(r.to_client.p, "552 full\r\n", 10);
	assert_int_equal(r.accepted.n, 0);
	assert_true(r.lost);
	rig_free(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_hold_behind_splice),
		cmocka_unit_test(test_D2_server_refuses_data),
		cmocka_unit_test(test_D2_reject),
		cmocka_unit_test(test_B1_nothing_lax_leaves),
		cmocka_unit_test(test_K11_bad_newline_is_the_end),
		cmocka_unit_test(test_early_reply),
		cmocka_unit_test(test_early_reply_in_hold),
	};

	return cmocka_run_group_tests_name("splice", tests, NULL, NULL);
}
