// SPDX-License-Identifier: GPL-2.0
/* MAIL and RCPT, and what is kept of them. */
#include "dialogue.h"

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

/*
 * Readers of an address disagree about display names, comments and text that is
 * not RFC 5321's (THREATS H7): Exim takes "evil@x" of most of these.
 */
static void test_M6_forged_paths(void **state)
{
	static const char * const bad[] = {
		/* in front of the brackets */
		"\"ceo@y\" <evil@x>", "\"ceo@y\"<evil@x>", "ceo@y <evil@x>",
		"ceo@y<evil@x>", "boss<evil@x>", "boss <evil@x>", "(c)<evil@x>",
		"(ceo@y) <evil@x>", "(ceo@y) evil@x", "ceo:<evil@x>;",
		"ceo X=<evil@x>", "ceo@y A=B X=<evil@x>", "ceo\t<evil@x>",
		",<evil@x>", "@<evil@x>", "><evil@x>",
		/* in them */
		"<(ceo@y) evil@x>", "<evil(ceo)@x>", "<evil@x(ceo@y)>",
		"<evil@x (ceo@y)>", "<ceo evil@x>", "<ceo@y <evil@x>>",
		"<ceo@y<evil@x>", "<ceo@y,evil@x>", "<ceo@y;evil@x>",
		"<ceo@y,@r:evil@x>", "<@r,ceo@y:evil@x>", "<@ceo y:evil@x>",
		"<ceo\\@y@x>", "<ceo\\>evil@x>", "<\"ceo>", "<\"ceo\\\">",
		"<\"ceo\"@y", "< ceo@y", "<ceo@y >evil@x>", "<\\", "<", "< ",
		/* behind them */
		"<ceo@y> <evil@x>", "<ceo@y><evil@x>", "<ceo@y>, <evil@x>",
		"<ceo@y>,<evil@x>", "<ceo@y> (evil@x)", "<ceo@y>@x",
		"<ceo@y> evil@x", "<ceo@y> =x", "<ceo@y> A=B -C=D",
		"<ceo@y> A_B=C", "<ceo@y>>", "<> <evil@x>",
		/* without them */
		"ceo@y, evil@x", "ceo@y,evil@x", "ceo@y;evil@x", "\"a\"@x",
		"a\"b@x", "a\\@b@x", "@r:evil@x", "ceo@y evil@x",
		"ceo@y (evil@x)", "ceo(evil)@y",
	};
	static const char no[] = "501 5.5.4 Syntax: MAIL FROM:<address>\r\n";
	static const char rno[] = "501 5.5.4 Syntax: RCPT TO:<address>\r\n";
	char line[100];
	unsigned int i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		n = snprintf(line, sizeof(line), "MAIL FROM:%s\r\n", bad[i]);
		session({ CLIENT_SAYS, line, (size_t)n }, SS(""), CC(no));
		n = snprintf(line, sizeof(line), "RCPT TO: %s\r\n", bad[i]);
		session({ CLIENT_SAYS, line, (size_t)n }, SS(""), CC(rno));
	}
}

/* What any server takes for the same address passes as it is. */
static void test_M6_kept_paths(void **state)
{
	static const struct {
		const char *text;
		const char *address;
	} good[] = {
		{ "<a@x>", "a@x" }, { "<>", "" }, { "<postmaster>", "postmaster" },
		{ "< a@x>", "a@x" }, { "<a@x\t >", "a@x" }, { "< >", "" },
		{ "<\"a b\"@x>", "\"a b\"@x" },
		{ "<\"(a)<b>,;:\\\\\\\"\"@x>", "\"(a)<b>,;:\\\\\\\"\"@x" },
		{ "<\"a\".\"b c\"@x>", "\"a\".\"b c\"@x" },
		{ "<@r:a@x>", "@r:a@x" }, { "<@r,@s.t:a@x>", "@r,@s.t:a@x" },
		{ "<@[10.0.0.1],@s:\"a b\"@x>", "@[10.0.0.1],@s:\"a b\"@x" },
		{ "<a@[IPv6:fd00::1]>", "a@[IPv6:fd00::1]" },
		{ "<a!#$%&'*+-/=?^_`{|}~.b@x>", "a!#$%&'*+-/=?^_`{|}~.b@x" },
		{ "<b\xc3\xa4@x>", "b\xc3\xa4@x" },
		{ "<a@x>SIZE=1", "a@x" }, { "<a@x>  SIZE=1\tX-Y=Z ", "a@x" },
		{ "<a@x> AUTH=<> ENVID=<x@y>=(z)", "a@x" },
		{ "<a@x> ORCPT=rfc822;b@y NOTIFY=NEVER 8X", "a@x" },
		{ "a@x", "a@x" }, { "a@x SIZE=1", "a@x" }, { "a", "a" },
		{ "a.b+c@[10.0.0.1]\tBODY=8BITMIME ", "a.b+c@[10.0.0.1]" },
	};
	char line[100], list[100];
	unsigned int i;
	int n;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		size_t len = strlen(good[i].address);

		n = snprintf(line, sizeof(line), "MAIL FROM:%s\r\n", good[i].text);
		session({ CLIENT_SAYS, line, (size_t)n },
			{ SERVER_HEARS, line, (size_t)n }, S("250 ok\r\n"),
			{ SENDER, good[i].address, len });
		n = snprintf(line, sizeof(line), "RCPT TO:%s\r\n", good[i].text);
		snprintf(list, sizeof(list), "%s|", good[i].address);
		session({ CLIENT_SAYS, line, (size_t)n },
			{ SERVER_HEARS, line, (size_t)n }, S("250 ok\r\n"),
			{ RCPTS, list, 0 });
	}
}

/* All of a path is recorded, or it is refused: the mailbox is its end (M6) */
static void test_M6_long_paths(void **state)
{
	static const char no[] = "501 5.5.4 Syntax: MAIL FROM:<address>\r\n";
	static const char rno[] = "501 5.5.4 Syntax: RCPT TO:<address>\r\n";
	char path[SS_SMTP_ADDRESS_MAX + 2], line[400], list[400];
	int n;

	(void)state;
	for (int more = 0; more <= 1; more++) {
		memset(path, 'a', sizeof(path));
		path[0] = '@';
		memcpy(path + SS_SMTP_ADDRESS_MAX + more - 4, ":b@c", 5);
		n = snprintf(line, sizeof(line), "MAIL FROM:<%s>\r\n", path);
		if (more)
			session({ CLIENT_SAYS, line, (size_t)n }, SS(""), CC(no));
		else
			session({ CLIENT_SAYS, line, (size_t)n },
				{ SERVER_HEARS, line, (size_t)n }, S("250 ok\r\n"),
				{ SENDER, path, strlen(path) });
		n = snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", path);
		snprintf(list, sizeof(list), "%s|", path);
		if (more)
			session({ CLIENT_SAYS, line, (size_t)n }, SS(""), CC(rno));
		else
			session({ CLIENT_SAYS, line, (size_t)n },
				{ SERVER_HEARS, line, (size_t)n }, S("250 ok\r\n"),
				{ RCPTS, list, 0 });
	}
}

static void test_envelope_overflow(void **state)
{
	struct rig r;
	const u8 *addr;
	u32 pos = 0, n = 0;
	int i;

	(void)state;
	rig_greeted(&r);
	rig_exchange(&r, "MAIL FROM:<a@x>\r\n", "250 ok\r\n");
	for (i = 0; i < 999; i += 3) {
		char lines[100];

		snprintf(lines, sizeof(lines), "RCPT TO:<r%03d@y>\r\n"
			 "RCPT TO:<r%03d@y>\r\nRCPT TO:<r%03d@y>\r\n",
			 i, i + 1, i + 2);
		/* refused ones take no space in the end */
		rig_exchange(&r, lines, "550 no\r\n250 ok\r\n250 ok\r\n");
	}
	assert_int_equal(r.e.rcpt_count, 666);
	while (ss_smtp_rcpt(&r.e, &pos, &addr) == 6) {
		char want[8];

		snprintf(want, sizeof(want), "r%03d@y", (int)(n / 2 * 3 + n % 2 + 1));
		assert_memory_equal(addr, want, 6);
		n++;
	}
	/* the last gap was taken by one that was refused afterwards */
	assert_int_equal(n, SS_ENVELOPE_MAX / 9 - 1);
	rig_exchange(&r, "RSET\r\n", "250 ok\r\n");
	assert_int_equal(r.e.rcpt_count, 0);
	assert_int_equal(r.e.envelope.len, 0);
	rig_free(&r);
}

/* Recipients that fill the space to the last octet, and one that finds none. */
static void test_envelope_is_full(void **state)
{
	char addr[SS_SMTP_ADDRESS_MAX + 1], line[SS_SMTP_ADDRESS_MAX + 20];
	u32 pos = 0, left = SS_ENVELOPE_MAX, n = 0;
	struct rig r;
	const u8 *p;
	int len;

	(void)state;
	memset(addr, 'a', sizeof(addr));
	addr[sizeof(addr) - 1] = '\0';
	rig_greeted(&r);
	rig_exchange(&r, "MAIL FROM:<a@x>\r\n", "250 ok\r\n");
	while (left) {
		u32 take = left - 3 < SS_SMTP_ADDRESS_MAX ? left - 3 :
							    SS_SMTP_ADDRESS_MAX;

		snprintf(line, sizeof(line), "RCPT TO:<%.*s>\r\n", (int)take, addr);
		rig_exchange(&r, line, "250 ok\r\n");
		left -= take + 3;
		n++;
	}
	assert_int_equal(r.e.envelope.len, SS_ENVELOPE_MAX);
	rig_exchange(&r, "RCPT TO:<>\r\n", "250 ok\r\n");
	assert_int_equal(r.e.envelope.len, SS_ENVELOPE_MAX);
	assert_int_equal(r.e.rcpt_count, n + 1);
	while ((len = ss_smtp_rcpt(&r.e, &pos, &p)) >= 0) {
		assert_memory_equal(p, addr, (size_t)len);
		n--;
	}
	assert_int_equal(n, 0);
	assert_int_equal(pos, SS_ENVELOPE_MAX);
	/* the last one is the one that is refused, too */
	rig_exchange(&r, "RSET\r\n", "250 ok\r\n");
	assert_int_equal(r.e.envelope.len, 0);
	rig_exchange(&r, "MAIL FROM:<a@x>\r\nRCPT TO:<b>\r\nRCPT TO:<c>\r\n",
		     "250 ok\r\n250 ok\r\n550 no\r\n");
	assert_int_equal(r.e.envelope.len, 4);
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
	rig_greeted(&r);
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail_syntax),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_M6_forged_paths),
		cmocka_unit_test(test_M6_kept_paths),
		cmocka_unit_test(test_M6_long_paths),
		cmocka_unit_test(test_envelope_overflow),
		cmocka_unit_test(test_envelope_is_full),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_oversize_is_no_error),
		cmocka_unit_test(test_C7_binarymime),
		cmocka_unit_test(test_smtputf8),
		cmocka_unit_test(test_transaction_follows_replies),
		cmocka_unit_test(test_two_mails_in_a_group),
		cmocka_unit_test(test_helo_name),
	};

	return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
