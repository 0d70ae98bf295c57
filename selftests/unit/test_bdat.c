// SPDX-License-Identifier: GPL-2.0
/* BDAT and CHUNKING (RFC 3030), in both modes; the attacks of THREATS 1C. */
#include "dialogue.h"

#define chunking(...) dialogue(GREETING, C("EHLO me\r\n"), SS("EHLO me\r\n"), \
	S("250-mx\r\n250-CHUNKING\r\n250 BINARYMIME\r\n"), \
	CC("250-mx\r\n250-CHUNKING\r\n250 BINARYMIME\r\n"), __VA_ARGS__)
#define CHUNK		"250 2.0.0 Chunk received\r\n"
#define SYNTAX		"501 5.5.4 Syntax: BDAT octets [LAST]\r\n"
#define MAIL_FIRST	"503 5.5.1 MAIL first\r\n"
#define INCOMPLETE	"503 5.5.1 Message by BDAT is not complete\r\n"
#define ALONE		"421 4.3.0 No mail server any more, closing connection\r\n"

static void test_hold(void **state)
{
	(void)state;
	/* one BDAT for the server, however many the client says */
	chunking(ENVELOPE, C("BDAT 4\r\nab\r\n"), CC(CHUNK), SS(""), IS(NONE),
		 WANTS_CLIENT(1), C("BDAT 0\r\n"), CC(CHUNK),
		 C("bdat 4 last\r\ncd\r\n"), CC(""), IS(BODY_END),
		 HAS("ab\r\ncd\r\n"), IDLE, SS("NOOP\r\n"), S("250 ok\r\n"),
		 ACCEPT, SS("BDAT 8 LAST\r\nab\r\ncd\r\n"),
		 S("250-2.0.0\r\n250 queued\r\n"),
		 CC("250-2.0.0\r\n250 queued\r\n"), DONE_CODE(250), TO(""),
		 ENVELOPE, C("BDAT 0 LAST\r\n"), HAS(""), IS(BODY_END), ACCEPT,
		 SS("BDAT 0 LAST\r\n"), S("550 empty\r\n"),
		 CC("550 empty\r\n"), C("NOOP\r\n"), SS("RSET\r\n"),
		 S("250 ok\r\n"), CC(""), SS("NOOP\r\n"));
	/* the next mail right behind it waits for the reply */
	chunking(ENVELOPE, C("BDAT 1\r\naBDAT 1 LAST\r\nbMAIL FROM:<c>\r\n"),
		 CC(CHUNK), HAS("ab"), LEFT(15), ACCEPT,
		 SS("BDAT 2 LAST\r\nab"), S("250 ok\r\n"),
		 SS("MAIL FROM:<c>\r\n"), CC("250 ok\r\n"));
	/* and DATA after BDAT, BDAT after DATA */
	chunking(ENVELOPE, C("DATA\r\n"), CC(GO_ON), C("BDAT 1\r\n.\r\n"),
		 HAS("BDAT 1\r\n"), REFUSE("554 no"), CC("554 no\r\n"),
		 SS("RSET\r\n"), S("250 ok\r\n"), ENVELOPE,
		 C("BDAT 1 LAST\r\nx"), ACCEPT, SS("BDAT 1 LAST\r\nx"));
}

static void test_C6_pipelined(void **state)
{
	(void)state;
	chunking(C("MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 2\r\nhiBDAT 1 LAST\r\n!"),
		 SS("MAIL FROM:<a>\r\nRCPT TO:<b>\r\n"), CC(""),
		 S("250 ok\r\n250 ok\r\n"), CC("250 ok\r\n250 ok\r\n" CHUNK),
		 HAS("hi!"), REFUSE("554 5.7.1 Infected"),
		 CC("554 5.7.1 Infected\r\n"), SS("RSET\r\n"),
		 S("250 ok\r\n"), IS(NONE), WANTS_CLIENT(1));
}

static void test_C3_swallowed(void **state)
{
	(void)state;
	/* whatever is wrong, the octets are no commands */
	chunking(C("BDAT 10\r\nQUIT\r\nRSETBDAT 6 LAST\r\nQUIT\r\n"),
		 CC(MAIL_FIRST MAIL_FIRST), SS(""), IS(NONE), C("BDAT 0\r\n"),
		 CC(MAIL_FIRST), REFUSALS(3));
	chunking(C("MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"),
		 SS("MAIL FROM:<a>\r\nRCPT TO:<b>\r\n"),
		 S("250 ok\r\n550 no\r\n"),
		 CC("250 ok\r\n550 no\r\n554 5.5.1 No valid recipients\r\n"),
		 SS("NOOP\r\n"));
	/* a server without it; HELO, and TLS that was not there */
	session(C("BDAT 6 LAST\r\nQUIT\r\n"),
		CC("502 5.5.1 Command not implemented\r\n"), SS(""), IS(NONE));
	chunking(C("HELO me\r\n"), S("250 mx\r\n"), SS("HELO me\r\n"),
		 CC("250 mx\r\n"), C("BDAT 6 LAST\r\nQUIT\r\n"),
		 CC("502 5.5.1 Command not implemented\r\n"), SS(""));
	session(OFFER(REQUIRED), C("EHLO me\r\n"),
		S("250-mx\r\n250-STARTTLS\r\n250 CHUNKING\r\n"),
		SS("EHLO me\r\n"),
		CC("250-mx\r\n250-STARTTLS\r\n250 CHUNKING\r\n"),
		C("BDAT 6 LAST\r\nQUIT\r\n"),
		CC("530 5.7.0 Must issue a STARTTLS command first\r\n"), SS(""));
	/* the gateway cannot hold it: told so at the end of the chunk */
	chunking(ENVELOPE, NO_DATA("452 full"), C("BDAT 6\r\nQUIT\r\n"),
		 CC("452 full\r\n"), SS("RSET\r\n"), S("250 ok\r\n"),
		 C("BDAT 6 LAST\r\nQUIT\r\n"), CC(MAIL_FIRST), SS(""));
	/* more than anybody would read */
	chunking(C("BDAT 4000003\r\n"), CC(""), IS(NONE));
	chunking(C("BDAT 4000004\r\n"),
		 CC("552 5.3.4 Message size exceeds limit\r\n"), IS(ERROR));
}

/* Its octets earn time as those of a message do; those of a long line do not. */
static void test_K9_swallowed_octets(void **state)
{
	static char line[3000];
	struct rig r;

	(void)state;
	rig_greeted(&r);
	rig_exchange(&r, "BDAT 10\r\n", "");
	assert_int_equal(r.e.swallowed, 0);
	rig_exchange(&r, "0123", "");
	assert_int_equal(r.e.swallowed, 4);
	rig_exchange(&r, "456789NOOP\r\n", "250 ok\r\n");
	assert_int_equal(r.e.swallowed, 10);
	memset(line, 'x', sizeof(line));
	bytes_add(&r.from_client, line, sizeof(line));
	rig_pump(&r);
	assert_int_equal(r.from_client.n, 0);
	assert_int_equal(r.e.swallowed, 10);
	/* nor do those of a chunk that is taken */
	rig_exchange(&r, "\r\nEHLO me\r\n", "250-mx\r\n250 CHUNKING\r\n");
	rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 2\r\nhi",
		     "250 ok\r\n250 ok\r\n");
	assert_int_equal(r.e.body_len, 2);
	assert_int_equal(r.e.swallowed, 10);
	rig_free(&r);
}

static void test_C4_sizes(void **state)
{
	static const char * const bad[] = {
		"BDAT\r\n", "BDAT -1\r\n", "BDAT +1\r\n", "BDAT 1e3\r\n",
		"BDAT 0x10\r\n", "BDAT 10 LASTX\r\n", "BDAT 10 LAST x\r\n",
		"BDAT LAST\r\n", "BDAT 10 LAS\r\n", "BDAT 10LAST\r\n",
		"BDAT 18446744073709551615\r\n", "BDAT 1\x01\r\n",
		"BDAT 99999999999999999999999\r\n", "BDAT \x7f\r\n",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		chunking({ CLIENT_SAYS, bad[i], strlen(bad[i]) }, CC(SYNTAX),
			 IS(ERROR), SS(""));
	chunking(C(" BDAT\t10\r\n"), CC("500 5.5.1 Bad command\r\n"), IS(ERROR));
	chunking(ENVELOPE, C("BDAT\t02  LAST \r\nab"), HAS("ab"), IS(BODY_END));
	chunking(ENVELOPE, C("BDAT 10\r\n012345678"), CC(""), IS(NONE),
		 C("9"), CC(CHUNK));
	/* malformed amid a message */
	chunking(ENVELOPE, C("BDAT 1\r\nxBDAT y\r\n"), CC(CHUNK SYNTAX),
		 IS(ERROR));
}

static void test_C4_long_line(void **state)
{
	static char line[SS_SMTP_COMMAND_MAX + 100];

	(void)state;
	memset(line, '0', sizeof(line));
	memcpy(line, "BDAT ", 5);
	chunking({ CLIENT_SAYS, line, sizeof(line) }, CC(SYNTAX), IS(ERROR));
}

static void test_C2_content(void **state)
{
	(void)state;
	/* no end-of-data, no dot to be taken away */
	chunking(ENVELOPE, C("BDAT 11 LAST\r\n.\r\n\r\n.\r\n..a"),
		 HAS(".\r\n\r\n.\r\n..a"), BODY_FLAGS(0), ACCEPT,
		 SS("BDAT 11 LAST\r\n.\r\n\r\n.\r\n..a"));
	chunking(ENVELOPE, C("BDAT 6 LAST\r\n\r\n\0.\r\n"), BODY_FLAGS(0),
		 ACCEPT, SS("BDAT 6 LAST\r\n\r\n\0.\r\n"));
	/* one that ends amid a line says nothing of the next one's first */
	chunking(ENVELOPE, C("BDAT 1 LAST\r\nx"), ACCEPT, SS("BDAT 1 LAST\r\nx"),
		 S("250 ok\r\n"), CC("250 ok\r\n"), ENVELOPE, C("DATA\r\n"),
		 CC(GO_ON), C(".\r\n"), IS(BODY_END), HAS(""));
	/* a bare CR or LF is what it is in DATA (THREATS B1, E4) */
	chunking(ENVELOPE, C("BDAT 3\r\na\nb"), CC("554 5.7.1 Refused\r\n"),
		 SS("RSET\r\n"));
	chunking(ENVELOPE, C("BDAT 2\r\na\r"), CC(CHUNK),
		 C("BDAT 1 LAST\r\n\n"), BODY_FLAGS(0), HAS("a\r\n"));
	chunking(ENVELOPE, C("BDAT 2 LAST\r\na\r"),
		 BODY_FLAGS(SS_EOD_BARE_CR), IS(BODY_END));
	chunking(ENVELOPE, C("BDAT 4 LAST\r\n\r\n.\r"),
		 BODY_FLAGS(SS_EOD_BARE_CR), IS(BODY_END));
	chunking(ENVELOPE, C("BDAT 2 LAST\r\n.\r"),
		 BODY_FLAGS(SS_EOD_BARE_CR), IS(BODY_END));
	chunking(ENVELOPE, C("BDAT 1 LAST\r\n\r"),
		 BODY_FLAGS(SS_EOD_BARE_CR), IS(BODY_END));
	chunking(ENVELOPE, C("BDAT 1 LAST\r\n."), BODY_FLAGS(0), IS(BODY_END));
}

static void test_K11_bad_newline_is_the_end(void **state)
{
	(void)state;
	/* at the end of the chunk that has it, and of the last one */
	chunking(ENVELOPE, C("BDAT 3\r\na\nbBDAT 1 LAST\r\nxNOOP\r\n"),
		 CC("554 5.7.1 Refused\r\n"), SS("RSET\r\n"), IS(CLOSE),
		 WANTS_CLIENT(0), LEFT(20), S("250 ok\r\n"), CC(""), SS(""));
	chunking(ENVELOPE, C("BDAT 2\r\na\r"), CC(CHUNK), IS(NONE),
		 C("BDAT 0 LAST\r\n"), BODY_FLAGS(SS_EOD_BARE_CR),
		 REFUSE("550 5.5.2 bad"), CC("550 5.5.2 bad\r\n"), IS(CLOSE));
}

/* The same where the server has a part of the message. */
static void test_K11_splice(void **state)
{
	struct rig r;

	(void)state;
	rig_greeted(&r);
	r.splice = true;
	rig_exchange(&r, "EHLO me\r\n", "250-mx\r\n250 CHUNKING\r\n");
	rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 8\r\nabcdefgh",
		     "250 ok\r\n250 ok\r\n");
	rig_exchange(&r, "", "250 chunk\r\n");
	r.to_server.n = 0;
	r.to_client.n = 0;
	rig_exchange(&r, "BDAT 3\r\n\nabQUIT\r\n", "");
	assert_int_equal(r.e.event, SS_SMTP_CLOSE);
	assert_int_equal(r.from_client.n, 6);
	assert_int_equal(r.to_server.n, 6);
	assert_memory_equal(r.to_server.p, "RSET\r\n", 6);
	assert_int_equal(r.to_client.n, 19);
	assert_memory_equal(r.to_client.p, "554 5.7.1 Refused\r\n", 19);
	rig_free(&r);
}

static void test_C7_binarymime(void **state)
{
	(void)state;
#define BINARY_ENVELOPE \
	C("MAIL FROM:<a> BODY=BINARYMIME\r\nRCPT TO:<b>\r\n"), \
	SS("MAIL FROM:<a> BODY=BINARYMIME\r\nRCPT TO:<b>\r\n"), \
	S("250 ok\r\n250 ok\r\n"), CC("250 ok\r\n250 ok\r\n")
	chunking(BINARY_ENVELOPE, C("DATA\r\n"),
		 CC("503 5.5.1 BODY=BINARYMIME needs BDAT\r\n"),
		 C("BDAT 3\r\na\nb"), CC(CHUNK), C("BDAT 1 LAST\r\n\r"),
		 HAS("a\nb\r"), ACCEPT, SS("BDAT 4 LAST\r\na\nb\r"),
		 S("250 ok\r\n"), CC("250 ok\r\n"),
		 /* the next is none, and has no flags of this one */
		 ENVELOPE, C("DATA\r\n"), CC(GO_ON), C(".\r\n"), HAS(""),
		 BODY_FLAGS(0), IS(BODY_END), ACCEPT, SS("DATA\r\n"));
	session(C("MAIL FROM:<a> BODY=BINARYMIME\r\n"),
		CC("555 5.5.4 BODY=BINARYMIME is not supported\r\n"));
}

static void test_between_chunks(void **state)
{
	(void)state;
	chunking(ENVELOPE, C("BDAT 1\r\nxNOOP\r\nMAIL FROM:<c>\r\nRCPT TO:<d>\r\n"
			     "DATA\r\nEHLO me\r\nVRFY x\r\nSTARTTLS\r\n"),
		 CC(CHUNK "250 2.0.0 Ok\r\n" INCOMPLETE INCOMPLETE INCOMPLETE
		    INCOMPLETE INCOMPLETE INCOMPLETE), SS(""),
		 C("BDAT 1 LAST\r\ny"), HAS("xy"), TO("b@y|"));
	/* RSET gives the message up */
	chunking(ENVELOPE, C("BDAT 1\r\nxRSET\r\nBDAT 1 LAST\r\ny"),
		 CC(CHUNK), SS("RSET\r\n"), S("250 ok\r\n"),
		 CC("250 ok\r\n" MAIL_FIRST), ENVELOPE,
		 C("BDAT 1 LAST\r\nz"), HAS("z"), ACCEPT,
		 SS("BDAT 1 LAST\r\nz"));
	/* a server that does not drop it is a danger */
	chunking(ENVELOPE, C("BDAT 1\r\nxRSET\r\n"), CC(CHUNK), SS("RSET\r\n"),
		 S("500 what?\r\n"), CC(BROKE), IS(ERROR));
	chunking(ENVELOPE, C("BDAT 1\r\nxQUIT\r\n"), CC(CHUNK), SS("QUIT\r\n"),
		 S("221 bye\r\n"), CC("221 bye\r\n"), IS(CLOSE));
}

/* In chunks of the gateway's own; its last octets come with LAST. */
static void test_splice_chunks(void **state)
{
	struct rig r;

	(void)state;
	rig_greeted(&r);
	r.splice = true;
	rig_exchange(&r, "EHLO me\r\n", "250-mx\r\n250 CHUNKING\r\n");
	rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\n",
		     "250 ok\r\n250 ok\r\n");
	r.to_server.n = 0;
	r.to_client.n = 0;
	bytes_add(&r.from_client, "BDAT 20 LAST\r\n0123456789", 24);
	rig_pump(&r);
	/* all but four octets, and no more before the reply */
	assert_int_equal(r.to_server.n, 8 + 6);
	assert_memory_equal(r.to_server.p, "BDAT 6\r\n012345", 14);
	rig_exchange(&r, "0123456789", "");
	assert_int_equal(r.to_server.n, 14);
	assert_false(ss_smtp_can_leave(&r.e));
	r.verdict = RIG_ACCEPT;
	rig_pump(&r);
	assert_int_equal(r.to_server.n, 14);
	rig_exchange(&r, "", "250 ok\r\n");
	rig_exchange(&r, "", "250 ok\r\n");
	assert_memory_equal(r.to_server.p + r.to_server.n - 17,
			    "BDAT 4 LAST\r\n6789", 17);
	assert_int_equal(r.to_client.n, 0);
	rig_exchange(&r, "", "250 queued\r\n");
	assert_memory_equal(r.to_client.p, "250 queued\r\n", 12);
	assert_int_equal(r.done, 1);
	rig_free(&r);
}

#define SPLICED(...) chunking(SPLICE, ENVELOPE, C("BDAT 8\r\n"), \
	C("abcdefgh"), CC(CHUNK), SS_ANY, __VA_ARGS__)

static void test_D2_splice_reject(void **state)
{
	struct rig r;

	(void)state;
	/* at a boundary RSET does, and both legs live on */
	rig_greeted(&r);
	r.splice = true;
	rig_exchange(&r, "EHLO me\r\n", "250-mx\r\n250 CHUNKING\r\n");
	rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 10 LAST\r\n0123456789",
		     "250 ok\r\n250 ok\r\n");
	r.verdict = RIG_REFUSE;
	rig_exchange(&r, "", "250 chunk\r\n");
	assert_memory_equal(r.to_server.p + r.to_server.n - 6, "RSET\r\n", 6);
	assert_false(r.lost);
	r.to_server.n = 0;
	rig_exchange(&r, "", "250 ok\r\n");
	rig_exchange(&r, "MAIL FROM:<a>\r\n", "250 ok\r\n");
	assert_memory_equal(r.to_server.p, "MAIL FROM:<a>\r\n", 15);
	rig_free(&r);
	/* amid one only closing does */
	rig_greeted(&r);
	r.splice = true;
	r.hasty = true;
	rig_exchange(&r, "EHLO me\r\n", "250-mx\r\n250 CHUNKING\r\n");
	r.verdict = RIG_REFUSE;
	rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 10 LAST\r\n0123456789",
		     "250 ok\r\n250 ok\r\n");
	assert_true(r.lost);
	rig_exchange(&r, "NOOP\r\n", "");
	assert_memory_equal(r.to_client.p + r.to_client.n - strlen(ALONE), ALONE,
			    strlen(ALONE));
	rig_free(&r);
}

static void test_splice_early(void **state)
{
	(void)state;
	/* the server refuses a chunk: told at the end of the client's next one */
	SPLICED(S("552-5.3.4 much\r\n552 5.3.4 too much\r\n"), CC(""),
		SS(""), C("BDAT 8\r\nabcdefgh"), CC("552 5.3.4 too much\r\n"),
		SS("RSET\r\n"), C("BDAT 1 LAST\r\nx"), S("250 reset\r\n"),
		CC(MAIL_FIRST), ENVELOPE, WANTS_CLIENT(1));
	/* and another one that nobody asked for, which ends too late */
	SPLICED(S("552 too much\r\n552-and\r\n"), C("BDAT 8\r\nabcdefgh"),
		CC("552 too much\r\n"), SS("RSET\r\n"),
		S("552 more\r\n250 reset\r\n"), CC(""), ENVELOPE,
		WANTS_CLIENT(1));
	/* a 421 leaves nothing to talk to */
	SPLICED(S("421 bye\r\n"), CC(""), C("BDAT 1 LAST\r\nx"),
		CC("421 bye\r\n"), IS(CLOSE));
	SPLICED(S("421 bye\r\n"), CC(""), C("QUIT\r\n"),
		CC("221 2.0.0 Bye\r\n"), IS(CLOSE), SS(""));
	SPLICED(S("421 bye\r\n"), CC(""), C("RSET\r\n"), CC(ALONE),
		IS(CLOSE), SS(""));
	/* RSET and QUIT wait for the reply to the chunk */
	SPLICED(C("RSET\r\n"), CC(""), SS(""), S("552 no\r\n"), CC(""),
		SS("RSET\r\n"), S("250 reset\r\n"), CC("250 reset\r\n"),
		WANTS_CLIENT(1));
	SPLICED(C("QUIT\r\n"), SS(""), S("552 no\r\n"), CC(""),
		SS("QUIT\r\n"), S("221 bye\r\n"), CC("221 bye\r\n"),
		IS(CLOSE));
}

static void test_D3_splice_replies(void **state)
{
	struct rig r;

	(void)state;
	/* two for one chunk */
	rig_greeted(&r);
	r.splice = true;
	rig_exchange(&r, "EHLO me\r\n", "250-mx\r\n250 CHUNKING\r\n");
	rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 9\r\n012345678",
		     "250 ok\r\n250 ok\r\n");
	rig_exchange(&r, "", "250 ok\r\n250 ok\r\n");
	assert_int_equal(r.e.event, SS_SMTP_ERROR);
	rig_free(&r);
	/* or one for none */
	SPLICED(S("250 ok\r\n"), CC(""), SS_ANY, S("552 much\r\n552 more\r\n"),
		CC(""), IS(NONE), S("250 ok\r\n"), CC(BROKE), IS(ERROR));
	SPLICED(S("354 go\r\n"), CC(BROKE), IS(ERROR));
	SPLICED(S("221 bye\r\n"), CC(BROKE), IS(ERROR));
	SPLICED(S("250-ok\r\n251 ok\r\n"), CC(BROKE), IS(ERROR));
	chunking(ENVELOPE, C("BDAT 1\r\nx"), CC(CHUNK), S("552 what?\r\n"),
		 CC(BROKE), IS(ERROR));
	chunking(ENVELOPE, C("BDAT 1\r\nx"), CC(CHUNK),
		 S("421-what?\r\n421 bye\r\n"), CC(""), IS(NONE));
	/* a 421 of more than one line is the message's as well */
	SPLICED(S("421-bye\r\n421 now\r\n"), CC(""), C("NOOP\r\n"),
		CC("250 2.0.0 Ok\r\n"), C("BDAT 0\r\n"), CC("421 now\r\n"),
		IS(CLOSE));
	/* RSET waits for a reply that nobody asked for, too */
	SPLICED(S("552 too much\r\n552-and\r\n"), C("RSET\r\n"), SS_ANY,
		S("552 more\r\n"), CC(""), SS("RSET\r\n"),
		S("250 reset\r\n"), CC("250 reset\r\n"), WANTS_CLIENT(1));
}

/* A session with a chunk at the server, and one that is all of a message. */
static void begin_streamed(struct rig *r)
{
	rig_greeted(r);
	r->splice = true;
	rig_exchange(r, "EHLO me\r\n", "250-mx\r\n250 CHUNKING\r\n");
	rig_exchange(r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 10 LAST\r\n0123456789",
		     "250 ok\r\n250 ok\r\n");
	assert_int_equal(r->e.event, SS_SMTP_BODY_END);
	r->to_client.n = 0;
	r->to_server.n = 0;
}

/* A session in hold mode with a message that is all there. */
static void begin_held(struct rig *r, const char *chunk)
{
	rig_greeted(r);
	rig_exchange(r, "EHLO me\r\n", "250-mx\r\n250 CHUNKING\r\n");
	rig_exchange(r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\n", "250 ok\r\n250 ok\r\n");
	rig_exchange(r, chunk, "");
	assert_int_equal(r->e.event, SS_SMTP_BODY_END);
	r->to_client.n = 0;
	r->to_server.n = 0;
}

static void server_says(struct rig *r, const char *text)
{
	u32 n = (u32)strlen(text);

	assert_int_equal(ss_smtp_server(&r->e, (const u8 *)text, n, &r->cli), n);
}

/* A caller with a verdict that has not seen yet what the server said. */
static void test_D2_early_against_verdict(void **state)
{
	struct rig r;

	(void)state;
	begin_streamed(&r);
	server_says(&r, "552 no\r\n");
	assert_true(r.e.early);
	ss_smtp_release(&r.e, r.e.body_len, &r.srv);
	assert_int_equal(r.e.event, SS_SMTP_BODY_END);
	assert_int_equal(r.srv.len, 0);
	assert_string_equal(ss_smtp_early_reply(&r.e), "552 no");
	/* nor is there any more to send */
	ss_smtp_release(&r.e, r.e.body_len, &r.srv);
	assert_false(ss_smtp_chunk(&r.e, 1, &r.srv));
	assert_int_equal(r.srv.len, 0);
	rig_free(&r);
	/* refused by verdict: that is the reply, and the server goes on */
	begin_streamed(&r);
	server_says(&r, "552 no\r\n");
	ss_smtp_refuse(&r.e, "554 5.7.1 Infected", &r.srv, &r.cli);
	assert_false(r.e.early);
	r.streaming = false;
	rig_exchange(&r, "MAIL FROM:<c>\r\n", "250 reset\r\n");
	rig_exchange(&r, "", "250 ok\r\n");
	assert_memory_equal(r.to_server.p, "RSET\r\nMAIL FROM:<c>\r\n", 21);
	assert_memory_equal(r.to_client.p, "554 5.7.1 Infected\r\n250 ok\r\n",
			    28);
	rig_free(&r);
}

/* A caller that forgot to close the server's leg must not put RSET into mail. */
static void test_D2_refused_inside(void **state)
{
	struct rig r;

	(void)state;
	begin_streamed(&r);
	rig_exchange(&r, "", "250 ok\r\n");
	r.srv.len = 0;
	ss_smtp_release(&r.e, r.e.body_len, &r.srv);
	assert_int_equal(r.e.event, SS_SMTP_SEND);
	r.srv.len = 0;
	ss_smtp_refuse(&r.e, "451 no", &r.srv, &r.cli);
	assert_int_equal(r.srv.len, 0);
	assert_int_equal(r.e.event, SS_SMTP_ERROR);
	rig_free(&r);
	/* amid a chunk */
	begin_streamed(&r);
	rig_exchange(&r, "", "250 ok\r\n");
	assert_true(ss_smtp_chunk(&r.e, 1, &r.srv));
	r.srv.len = 0;
	ss_smtp_refuse(&r.e, "451 no", &r.srv, &r.cli);
	assert_int_equal(r.srv.len, 0);
	assert_int_equal(r.e.event, SS_SMTP_ERROR);
	rig_free(&r);
}

/* A session in splice mode whose server has refused the first chunk of a message. */
static void begin_refused(struct rig *r)
{
	rig_greeted(r);
	r->splice = true;
	rig_exchange(r, "EHLO me\r\n", "250-mx\r\n250 CHUNKING\r\n");
	rig_exchange(r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 10\r\n0123456789",
		     "250 ok\r\n250 ok\r\n");
	rig_exchange(r, "", "552 much\r\n");
	assert_int_equal(r->e.body_safe, 6);
	r->to_client.n = 0;
}

/* The next message goes all its way, and nothing of the one before is in it. */
static void check_next_message(struct rig *r)
{
	static const char replies[] =
		"250 ok\r\n250 ok\r\n250 2.0.0 Chunk received\r\n250 queued\r\n";

	r->to_server.n = 0;
	r->to_client.n = 0;
	r->done = 0;
	rig_exchange(r, "MAIL FROM:<c>\r\nRCPT TO:<d>\r\nBDAT 8\r\nabcdefgh",
		     "250 ok\r\n250 ok\r\n");
	assert_int_equal(r->e.body_len, 8);
	assert_int_equal(r->e.body_safe, 4);
	assert_int_equal(r->e.body_flags, 0);
	rig_exchange(r, "BDAT 2 LAST\r\nij", "250 chunk\r\n");
	assert_int_equal(r->e.event, SS_SMTP_BODY_END);
	rig_exchange(r, "", "250 chunk\r\n");
	r->verdict = RIG_ACCEPT;
	rig_exchange(r, "", "250 queued\r\n");
	assert_int_equal(r->done, 1);
	assert_int_equal(r->to_client.n, sizeof(replies) - 1);
	assert_memory_equal(r->to_client.p, replies, sizeof(replies) - 1);
	assert_memory_equal(r->to_server.p,
			    "MAIL FROM:<c>\r\nRCPT TO:<d>\r\nBDAT 4\r\nabcdBDAT 2\r\nefBDAT 4 LAST\r\nghij",
			    67);
	assert_int_equal(r->to_server.n, 67);
	assert_true(ss_smtp_wants_client(&r->e));
}

static void test_next_after_early(void **state)
{
	struct rig r;

	(void)state;
	begin_refused(&r);
	rig_exchange(&r, "BDAT 1\r\nx", "250 reset\r\n");
	assert_memory_equal(r.to_client.p, "552 much\r\n", 10);
	check_next_message(&r);
	rig_free(&r);
	/* a reply that nobody asked for has begun by then, and ends too late */
	begin_refused(&r);
	rig_exchange(&r, "", "552-and\r\n");
	rig_exchange(&r, "BDAT 1\r\nx", "552 more\r\n250 reset\r\n");
	assert_int_equal(r.to_client.n, 10);
	check_next_message(&r);
	rig_free(&r);
	/* or the client gives up */
	begin_refused(&r);
	rig_exchange(&r, "RSET\r\n", "250 reset\r\n");
	check_next_message(&r);
	rig_free(&r);
}

/* A part of a chunk is out, and what the server says to it means what it says. */
static void test_D3_reply_to_half_a_chunk(void **state)
{
	struct rig r;

	(void)state;
	begin_streamed(&r);
	rig_exchange(&r, "", "250 ok\r\n");
	assert_true(ss_smtp_chunk(&r.e, 1, &r.srv));
	assert_false(ss_smtp_can_leave(&r.e));
	server_says(&r, "250 ok\r\n");
	assert_int_equal(r.e.event, SS_SMTP_ERROR);
	rig_free(&r);
	begin_streamed(&r);
	rig_exchange(&r, "", "250 ok\r\n");
	assert_true(ss_smtp_chunk(&r.e, 1, &r.srv));
	server_says(&r, "552 no\r\n");
	assert_true(r.e.early);
	assert_int_equal(r.e.event, SS_SMTP_BODY_END);
	/* the server still waits for the rest */
	assert_false(ss_smtp_can_leave(&r.e));
	rig_free(&r);
	/* and when it is there */
	begin_streamed(&r);
	rig_exchange(&r, "", "250 ok\r\n");
	assert_true(ss_smtp_chunk(&r.e, 1, &r.srv));
	ss_smtp_chunk_sent(&r.e);
	assert_false(ss_smtp_chunk(&r.e, 1, &r.srv));
	server_says(&r, "250 ok\r\n");
	assert_int_equal(r.e.event, SS_SMTP_BODY_END);
	assert_true(ss_smtp_can_leave(&r.e));
	rig_free(&r);
}

/* Nothing is for a server that was left, whatever is still to come. */
static void test_lost_server(void **state)
{
	struct rig r;

	(void)state;
	begin_streamed(&r);
	ss_smtp_lose(&r.e);
	assert_true(ss_smtp_idle(&r.e));
	assert_false(ss_smtp_chunk(&r.e, 1, &r.srv));
	ss_smtp_keepalive(&r.e, &r.srv);
	assert_int_equal(ss_smtp_server(&r.e, (const u8 *)"250 ok\r\n", 8, &r.cli), 0);
	assert_int_equal(r.srv.len + r.cli.len, 0);
	assert_int_equal(r.e.event, SS_SMTP_BODY_END);
	ss_smtp_refuse(&r.e, "451 4.4.2 Lost", &r.srv, &r.cli);
	assert_int_equal(r.srv.len, 0);
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	assert_true(ss_smtp_wants_client(&r.e));
	r.streaming = false;
	r.lost = true;
	rig_exchange(&r, "quit\r\n", "");
	assert_memory_equal(r.to_client.p, "451 4.4.2 Lost\r\n221 2.0.0 Bye\r\n",
			    31);
	assert_int_equal(r.e.event, SS_SMTP_CLOSE);
	rig_free(&r);
	/* amid a reply of its own, which will not end */
	begin_streamed(&r);
	server_says(&r, "552-no\r\n");
	ss_smtp_lose(&r.e);
	assert_true(ss_smtp_idle(&r.e));
	ss_smtp_refuse(&r.e, "421 4.4.2 Lost", &r.srv, &r.cli);
	assert_int_equal(r.e.event, SS_SMTP_CLOSE);
	assert_int_equal(r.srv.len, 0);
	rig_free(&r);
}

/* What is sent in all may be more or less than what came in, and as BDAT says. */
static void test_other_length(void **state)
{
	struct rig r;

	(void)state;
	/* nothing is left of it: the reply may be there before ss_smtp_sent() */
	begin_held(&r, "BDAT 10 LAST\r\n0123456789");
	ss_smtp_release(&r.e, 0, &r.srv);
	assert_memory_equal(r.srv.data, "BDAT 0 LAST\r\n", r.srv.len);
	bytes_add(&r.from_server, "250 queued\r\n", 12);
	assert_false(rig_server(&r));
	ss_smtp_sent(&r.e);
	assert_true(rig_server(&r));
	assert_int_equal(r.e.event, SS_SMTP_DONE);
	assert_int_equal(r.e.done_code, 250);
	rig_free(&r);
	/* there was nothing, but something is sent: refused before it is there */
	begin_held(&r, "BDAT 0 LAST\r\n");
	ss_smtp_release(&r.e, 7, &r.srv);
	assert_memory_equal(r.srv.data, "BDAT 7 LAST\r\n", r.srv.len);
	server_says(&r, "552 no\r\n");
	assert_true(r.e.early);
	rig_free(&r);
}

/* Its BDAT is all of it: the reply may be there before ss_smtp_sent(). */
static void test_empty_last(void **state)
{
	static const char * const replies[] = {
		"250 queued\r\n", "552 empty\r\n",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		const char *reply = replies[i % 2];
		struct rig r;

		rig_greeted(&r);
		r.splice = i / 2;
		rig_exchange(&r, "EHLO me\r\n", "250-mx\r\n250 CHUNKING\r\n");
		rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 0\r\nBDAT 0 LAST\r\n",
			     "250 ok\r\n250 ok\r\n");
		r.to_client.n = 0;
		ss_smtp_release(&r.e, r.e.body_len, &r.srv);
		assert_int_equal(r.e.event, SS_SMTP_SEND);
		rig_flush_server(&r);
		bytes_add(&r.from_server, reply, strlen(reply));
		assert_false(rig_server(&r));
		rig_pump(&r);
		assert_int_equal(r.to_client.n, strlen(reply));
		assert_memory_equal(r.to_client.p, reply, strlen(reply));
		assert_int_equal(r.done, 1);
		assert_false(r.lost);
		rig_free(&r);
	}
}

static void test_D2_next_behind_last(void **state)
{
	(void)state;
	/* too short for anything to leave before the verdict */
	chunking(SPLICE, ENVELOPE, C("BDAT 4 LAST\r\nabcdMAIL FROM:<c>\r\n"),
		 SS(""), REFUSE("554 no"), CC("554 no\r\n"), SS("RSET\r\n"),
		 LEFT(15), S("250 reset\r\n"), SS("MAIL FROM:<c>\r\n"), CC(""));
	/* what a server that refuses it keeps is not known */
	chunking(SPLICE, ENVELOPE, C("BDAT 4 LAST\r\nabcdMAIL FROM:<c>\r\n"),
		 ACCEPT, SS("BDAT 4 LAST\r\nabcd"), LEFT(15),
		 S("452-full\r\n"), LEFT(15), S("452 later\r\n"),
		 CC("452-full\r\n452 later\r\n"), SS("RSET\r\n"),
		 S("250 reset\r\n"), CC(""), SS("MAIL FROM:<c>\r\n"));
	chunking(ENVELOPE, C("BDAT 1 LAST\r\nx"), ACCEPT, SS("BDAT 1 LAST\r\nx"),
		 S("421 bye\r\n"), CC("421 bye\r\n"), IS(CLOSE));
	/* one that keeps it after that is a danger */
	chunking(ENVELOPE, C("BDAT 1 LAST\r\nx"), ACCEPT, SS("BDAT 1 LAST\r\nx"),
		 S("452 later\r\n"), CC("452 later\r\n"), C("NOOP\r\n"),
		 SS("RSET\r\n"), S("452 later\r\n"), CC(BROKE), IS(ERROR));
	/* the envelope of a refused DATA is none for BDAT */
	chunking(ENVELOPE, C("DATA\r\n"), CC(GO_ON), C("x\r\n.\r\n"), ACCEPT,
		 SS("DATA\r\n"), S("451 later\r\n"), CC("451 later\r\n"),
		 C("BDAT 6 LAST\r\nQUIT\r\n"), SS("RSET\r\n"), CC(""),
		 S("250 reset\r\n"), CC(MAIL_FIRST), SS(""));
}

static void test_D6_auth(void **state)
{
	(void)state;
	/* no AUTH between chunks, and what looks like a chunk in AUTH is none */
	chunking(ENVELOPE, C("BDAT 1\r\nxAUTH PLAIN eA==\r\nBDAT 1 LAST\r\ny"),
		 CC(CHUNK INCOMPLETE), SS(""), HAS("xy"));
	chunking(C("AUTH LOGIN\r\n"), SS("AUTH LOGIN\r\n"), S("334 x\r\n"),
		 CC("334 x\r\n"), C("BDAT 6\r\nQUIT\r\n"), SS("*\r\n"),
		 CC("501 5.5.2 Bad base64\r\n"), S("501 no\r\n"), CC(""),
		 SS("QUIT\r\n"));
	/* too many of what is not for there */
	chunking(ENVELOPE, C("BDAT 1\r\nx"), CC(CHUNK),
		 C("x\r\nx\r\nx\r\nx\r\nx\r\nx\r\nx\r\nx\r\nx\r\nx\r\n"
		   "x\r\nx\r\nx\r\nx\r\nx\r\nx\r\nx\r\nx\r\nx\r\nx\r\n"),
		 IS(NONE), REFUSALS(20), C("EHLO me\r\n"), IS(ERROR), SS(""));
}

static void test_hangup(void **state)
{
#define TIMEOUT	HANG_UP("421 4.4.2 Timeout"), CC("421 4.4.2 Timeout\r\n"), \
		IS(CLOSE), SS("")
	(void)state;
	chunking(C("BDAT 6\r\nQU"), TIMEOUT);
	chunking(ENVELOPE, C("BDAT 6\r\nQU"), TIMEOUT);
	chunking(ENVELOPE, C("BDAT 1\r\nx"), CC(CHUNK), TIMEOUT);
	chunking(ENVELOPE, C("BDAT 1 LAST\r\nx"), IS(BODY_END), TIMEOUT);
	chunking(ENVELOPE, C("BDAT 1 LAST\r\nx"), ACCEPT, SS_ANY, TIMEOUT);
	chunking(ENVELOPE, C("BDAT 1\r\nxRSET\r\n"), CC(CHUNK), SS_ANY, TIMEOUT);
	chunking(ENVELOPE, C("BDAT 1\r\nxQUIT\r\n"), CC(CHUNK),
		 HANG_UP("421 4.4.2 Lost"), CC("221 2.0.0 Bye\r\n"), IS(CLOSE));
	SPLICED(TIMEOUT);
	SPLICED(C("QUIT\r\n"), TIMEOUT);
	SPLICED(C("BDAT 1 LAST\r\nx"), TIMEOUT);
	SPLICED(S("552 much\r\n"), CC(""), TIMEOUT);
}

/* Each of a lot of tiny chunks costs nothing that stays. */
static void test_C5_tiny_chunks(void **state)
{
	struct rig r;
	u32 i;

	(void)state;
	rig_greeted(&r);
	rig_exchange(&r, "EHLO me\r\n", "250-mx\r\n250 CHUNKING\r\n");
	rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nBDAT 0\r\n",
		     "250 ok\r\n250 ok\r\n");
	for (i = 0; i < 1000000; i++) {
		r.cli.len = 0;
		assert_int_equal(ss_smtp_client(&r.e, (const u8 *)"BDAT 1\r\nX", 9,
						&r.srv, &r.cli), 8);
		assert_int_equal(ss_smtp_body_room(&r.e), 1);
		assert_int_equal(ss_smtp_body(&r.e, (const u8 *)"X", 1), 1);
		ss_smtp_chunk_ok(&r.e, &r.cli);
	}
	assert_int_equal(r.e.body_len, 1000000);
	assert_true(ss_smtp_idle(&r.e));
	assert_int_equal(r.srv.len, 0);
	assert_true(ss_smtp_wants_client(&r.e));
	rig_free(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_C6_pipelined),
		cmocka_unit_test(test_C3_swallowed),
		cmocka_unit_test(test_K9_swallowed_octets),
		cmocka_unit_test(test_C4_sizes),
		cmocka_unit_test(test_C4_long_line),
		cmocka_unit_test(test_C2_content),
		cmocka_unit_test(test_K11_bad_newline_is_the_end),
		cmocka_unit_test(test_K11_splice),
		cmocka_unit_test(test_C7_binarymime),
		cmocka_unit_test(test_between_chunks),
		cmocka_unit_test(test_splice_chunks),
		cmocka_unit_test(test_D2_splice_reject),
		cmocka_unit_test(test_splice_early),
		cmocka_unit_test(test_D3_splice_replies),
		cmocka_unit_test(test_D2_early_against_verdict),
		cmocka_unit_test(test_D2_refused_inside),
		cmocka_unit_test(test_next_after_early),
		cmocka_unit_test(test_D3_reply_to_half_a_chunk),
		cmocka_unit_test(test_lost_server),
		cmocka_unit_test(test_empty_last),
		cmocka_unit_test(test_other_length),
		cmocka_unit_test(test_D2_next_behind_last),
		cmocka_unit_test(test_D6_auth),
		cmocka_unit_test(test_hangup),
		cmocka_unit_test(test_C5_tiny_chunks),
	};

	return cmocka_run_group_tests_name("bdat", tests, NULL, NULL);
}
