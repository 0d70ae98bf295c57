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

#define TLS_FIRST	"530 5.7.0 Must issue a STARTTLS command first\r\n"
#define MAIL_IS_REFUSED \
	C("MAIL FROM:<a@x>\r\n"), SS(""), CC(TLS_FIRST), \
	C("AUTH PLAIN eA==\r\n"), SS(""), CC(TLS_FIRST), \
	C("RCPT TO:<b@y>\r\nDATA\r\n"), SS(""), CC(TLS_FIRST TLS_FIRST)

/* RFC 5321 4.1.4: a refused EHLO changes nothing, whatever the code. */
static void test_M4_refused_ehlo(void **state)
{
	static const char * const refusals[] = {
		"501 5.5.4 no name\r\n", "500 what?\r\n", "502 no\r\n",
		"504 no\r\n", "550-you\r\n550 never\r\n", "451 later\r\n",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		size_t n = strlen(refusals[i]);

		/* the server was never asked in a way that it answers */
		dialogue(OFFER(REQUIRED), GREETING, C("EHLO\r\n"),
			 SS("EHLO\r\n"), { SERVER_SAYS, refusals[i], n },
			 { CLIENT_HEARS, refusals[i], n }, MAIL_IS_REFUSED,
			 C("HELO x\r\n"), SS("HELO x\r\n"), S("250 mx\r\n"),
			 CC("250 mx\r\n"), MAIL_IS_REFUSED);
		/* it had been, and had offered it */
		dialogue(OFFER(REQUIRED), GREETING, BOTH_WAYS, C("EHLO\r\n"),
			 SS("EHLO\r\n"), { SERVER_SAYS, refusals[i], n },
			 { CLIENT_HEARS, refusals[i], n }, MAIL_IS_REFUSED,
			 C("HELO x\r\n"), SS("HELO x\r\n"), S("250 mx\r\n"),
			 CC("250 mx\r\n"), MAIL_IS_REFUSED);
		/* it had been, and had not offered it */
		dialogue(OFFER(REQUIRED), GREETING, C("EHLO me\r\n"),
			 SS("EHLO me\r\n"), S("250 mx\r\n"),
			 CC("250 mx\r\n"), C("EHLO\r\n"), SS("EHLO\r\n"),
			 { SERVER_SAYS, refusals[i], n },
			 { CLIENT_HEARS, refusals[i], n },
			 C("MAIL FROM:<a@x>\r\n"), SS("MAIL FROM:<a@x>\r\n"));
	}
}

static void test_M4_no_accepted_ehlo(void **state)
{
	(void)state;
	/* what the server would offer is not known */
	dialogue(OFFER(REQUIRED), GREETING, MAIL_IS_REFUSED, C("HELO x\r\n"),
		 SS("HELO x\r\n"), S("250 mx\r\n"), CC("250 mx\r\n"),
		 MAIL_IS_REFUSED);
	/* both at once: one after the other */
	dialogue(OFFER(REQUIRED), GREETING,
		 C("EHLO\r\nHELO x\r\nMAIL FROM:<a@x>\r\n"),
		 SS("EHLO\r\n"), S("501 no\r\n"), SS("HELO x\r\n"),
		 S("250 mx\r\n"), SS(""),
		 CC("501 no\r\n250 mx\r\n" TLS_FIRST));
	dialogue(OFFER(REQUIRED), GREETING,
		 C("HELO x\r\nEHLO\r\nMAIL FROM:<a@x>\r\n"),
		 SS("HELO x\r\n"), S("250 mx\r\n"), SS("EHLO\r\n"),
		 S("501 no\r\n"), SS(""),
		 CC("250 mx\r\n501 no\r\n" TLS_FIRST));
	/* one that is accepted in the end counts */
	dialogue(OFFER(REQUIRED), GREETING, C("EHLO\r\nEHLO me\r\n"),
		 S("501 no\r\n"), S("250 mx\r\n"), SS_ANY,
		 CC("501 no\r\n250 mx\r\n"), C("MAIL FROM:<a@x>\r\n"),
		 SS("MAIL FROM:<a@x>\r\n"));
}

/* A client that finds an EHLO to which the server offers less gains nothing. */
static void test_M4_offered_once(void **state)
{
	(void)state;
	dialogue(OFFER(REQUIRED), GREETING, BOTH_WAYS, C("EHLO you\r\n"),
		 SS("EHLO you\r\n"), S("250 mx\r\n"), CC("250 mx\r\n"),
		 MAIL_IS_REFUSED, C("STARTTLS\r\n"), SS("STARTTLS\r\n"),
		 S("454 not now\r\n"), CC("454 not now\r\n"),
		 MAIL_IS_REFUSED, C("STARTTLS\r\n"), SS("STARTTLS\r\n"),
		 S("220 go\r\n"), GO, INSIDE, CC("220 go\r\n"),
		 C("MAIL FROM:<a@x>\r\n"), SS("MAIL FROM:<a@x>\r\n"));
}

static void test_M4_chunking_is_kept(void **state)
{
#define OFFERS_CHUNKS	C("EHLO me\r\n"), SS("EHLO me\r\n"), \
			S("250-mx\r\n250 CHUNKING\r\n"), \
			CC("250-mx\r\n250 CHUNKING\r\n")
#define NO_CHUNKS	C("BDAT 6 LAST\r\nQUIT\r\n"), SS(""), \
			CC("502 5.5.1 Command not implemented\r\n")
	(void)state;
	dialogue(GREETING, OFFERS_CHUNKS, C("EHLO\r\n"), SS("EHLO\r\n"),
		 S("501-no\r\n501 no\r\n"), CC("501-no\r\n501 no\r\n"),
		 C("MAIL FROM:<a@x> BODY=BINARYMIME\r\nRCPT TO:<b@y>\r\n"),
		 S("250 ok\r\n250 ok\r\n"), CC("250 ok\r\n250 ok\r\n"),
		 C("BDAT 1 LAST\r\nx"), HAS("x"), IS(BODY_END));
	dialogue(GREETING, OFFERS_CHUNKS, C("HELO me\r\n"), SS("HELO me\r\n"),
		 S("501 no\r\n"), CC("501 no\r\n"), ENVELOPE,
		 C("BDAT 1 LAST\r\nx"), HAS("x"), IS(BODY_END));
	/* another answer, and TLS, do end it */
	dialogue(GREETING, OFFERS_CHUNKS, C("EHLO me\r\n"), SS("EHLO me\r\n"),
		 S("250 mx\r\n"), CC("250 mx\r\n"), NO_CHUNKS);
	dialogue(OFFER(OFFERED), GREETING, OFFERS_CHUNKS, C("STARTTLS\r\n"),
		 SS("STARTTLS\r\n"), S("220 go\r\n"), GO, INSIDE,
		 CC("220 go\r\n"), NO_CHUNKS);
	/* nor does what a refused EHLO lists begin it */
	dialogue(GREETING, C("EHLO\r\n"), SS("EHLO\r\n"),
		 S("501-no\r\n501 CHUNKING\r\n"),
		 CC("501-no\r\n501 CHUNKING\r\n"), NO_CHUNKS);
}

/* The name is the one that the server did not refuse. */
static void test_M4_name_is_kept(void **state)
{
	(void)state;
	dialogue(OFFER(OFFERED), GREETING, NAME(""), C("EHLO zero\r\n"),
		 S("501 no\r\n"), NAME(""), C("EHLO one\r\n"),
		 S("250 mx\r\n"), NAME("one"), C("EHLO two\r\n"),
		 S("501 no\r\n"), NAME("one"), C("HELO three\r\n"),
		 S("550 no\r\n"), NAME("one"), C("HELO  four x\r\n"),
		 S("250 mx\r\n"), NAME("four"), C("EHLO\r\n"),
		 S("250 mx\r\n"), NAME(""), C("EHLO five\r\n"),
		 S("250 mx\r\n"), NAME("five"), C("STARTTLS\r\n"),
		 S("220 go\r\n"), GO, INSIDE, NAME(""));
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
		cmocka_unit_test(test_M4_refused_ehlo),
		cmocka_unit_test(test_M4_no_accepted_ehlo),
		cmocka_unit_test(test_M4_offered_once),
		cmocka_unit_test(test_M4_chunking_is_kept),
		cmocka_unit_test(test_M4_name_is_kept),
		cmocka_unit_test(test_no_helper),
	};

	return cmocka_run_group_tests_name("starttls", tests, NULL, NULL);
}
