// SPDX-License-Identifier: GPL-2.0
/* Start and end of a session, and what its caller may do. */
#include "dialogue.h"

#define TOO_EARLY	"554 5.5.0 SMTP protocol synchronization error\r\n"

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
	(void)state;
	dialogue(WANTS_CLIENT(1), C("EHLO me\r\n"), CC(TOO_EARLY), SS(""),
		 IS(ERROR), S("220 mx\r\n"), CC(""));
	dialogue(S("220-wait\r\n"), CC("220-wait\r\n"), C("E"), CC(TOO_EARLY),
		 IS(ERROR));
}

static void test_D5_early_talkers(void **state)
{
	(void)state;
	session(C("\x16\x03\x01\x02"), SS(""), CC("500 5.5.1 Bad command\r\n"),
		IS(ERROR));
	session(C("\x03"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	session(C("\x80 bad\r\n"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	session(C("\x7f"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	session(C("\x1f"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	session(C("\0"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	session(C("\xff"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	/* in its place */
	session(C("NOOP\r\n\x16"), SS("NOOP\r\n"), CC(""), WANTS_CLIENT(0),
		S("250 ok\r\n"), CC("250 ok\r\n500 5.5.1 Bad command\r\n"),
		IS(ERROR));
}

/* A typing error is no reason to hang up; whoever is mad makes more than one. */
static void test_K10_first_octet(void **state)
{
	static const char first[] = "\t !\"#$%&'()*+,-./09:;<=>?@[\\]^_`{|}~";
	static const char no[] = "500 5.5.2 Bad command\r\n";
	char line[64];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(first) - 1; i++) {
		int n = snprintf(line, sizeof(line), "%cMAIL FROM:<a@x>\r\n",
				 first[i]);

		session({ CLIENT_SAYS, line, (size_t)n }, SS(""), CC(no),
			IS(NONE), REFUSALS(1), C("NOOP\r\n"), SS("NOOP\r\n"));
		session({ CLIENT_SAYS, line, 1 }, SS(""), CC(""), IS(NONE),
			WANTS_CLIENT(1), C("\r\n"), CC(no));
	}
	/* in its place */
	session(C("NOOP\r\n MAIL FROM:<a@x>\r\nRSET\r\n"),
		SS("NOOP\r\nRSET\r\n"), S("250 1\r\n250 2\r\n"),
		CC("250 1\r\n500 5.5.2 Bad command\r\n250 2\r\n"));
	/* what would carry octets, and what a browser was made to say, are */
	session(C(" BDAT 5 LAST\r\nQUIT\r\n"), CC("500 5.5.1 Bad command\r\n"),
		SS(""), IS(ERROR));
	session(C("\tPOST / HTTP/1.1\r\n"), CC("500 5.5.1 Bad command\r\n"),
		SS(""), IS(ERROR));
}

/* Nor do they go on for ever. */
static void test_K10_too_many(void **state)
{
	struct rig r;
	int i;

	(void)state;
	rig_greeted(&r);
	for (i = 0; i < SS_SMTP_ERRORS_MAX; i++)
		rig_exchange(&r, "<script>\r\n", "");
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	rig_exchange(&r, "<script>\r\n", "");
	assert_int_equal(r.e.event, SS_SMTP_ERROR);
	assert_int_equal(r.to_server.n, 0);
	rig_free(&r);
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
	session(C("<script>\r\n"), CC("500 5.5.2 Bad command\r\n"), IS(NONE));
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
	dialogue(C("x"), CC(TOO_EARLY), HANG_UP("421 4.4.2 Timeout"), CC(""),
		 IS(ERROR));
	/* what the caller says stays one line */
	session(HANG_UP("421 a\r\n250 b"), CC("421 a\r\n"), IS(CLOSE));
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
	rig_greeted(&r);
	ss_smtp_data_accept(&r.e, &r.cli);
	ss_smtp_release(&r.e, r.e.body_len, &r.srv);
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
		cmocka_unit_test(test_K10_first_octet),
		cmocka_unit_test(test_K10_too_many),
		cmocka_unit_test(test_E1_http_is_not_spoken),
		cmocka_unit_test(test_E1_client_text_is_not_echoed),
		cmocka_unit_test(test_E1_long_http_line),
		cmocka_unit_test(test_D4_data_after_quit),
		cmocka_unit_test(test_hangup),
		cmocka_unit_test(test_full_sinks),
		cmocka_unit_test(test_calls_out_of_place),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
