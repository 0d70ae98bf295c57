/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of the SMTP engine are dialogues: arrays of steps, which a rig goes
 * through with the octets of both sides as a whole and in pieces of every small
 * size; what is heard must not depend on it. The ids of THREATS.md are in the
 * names of the tests.
 */
#ifndef SS_UNIT_DIALOGUE_H
#define SS_UNIT_DIALOGUE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "rig.h"

/**
 * struct step - something that is said, done or checked
 * @what: which
 * @text: octets
 * @n: how many octets, or a number where @what needs no text
 */
struct step {
	enum {
		CLIENT_SAYS, SERVER_SAYS, CLIENT_HEARS, SERVER_HEARS, VERDICT,
		REFUSE_DATA, KEEPALIVE, HANGUP, EVENT, CODE, MESSAGE, FLAGS,
		REFUSED, WANTS, SMTPUTF8, SENDER, RCPTS, OFFER_TLS, TLS_DOWN,
		TLS_GO, TLS_DONE, UNREAD, SPLICE_MODE, SERVER_FORGETS, HELO,
		SERVER_LEAVES,
	} what;
	const char *text;
	size_t n;
};

#define TEXT(x)		.text = (x), .n = sizeof(x) - 1
#define NUMBER(x)	.n = (x)
#define C(x)		{ CLIENT_SAYS, TEXT(x) }
#define S(x)		{ SERVER_SAYS, TEXT(x) }
/* all that was heard since the last such step */
#define CC(x)		{ CLIENT_HEARS, TEXT(x) }
#define SS(x)		{ SERVER_HEARS, TEXT(x) }
/* what the server heard so far depends on the pieces */
#define SS_ANY		{ SERVER_FORGETS, NUMBER(0) }
#define ACCEPT		{ VERDICT, NUMBER(RIG_ACCEPT) }
#define REFUSE(x)	{ VERDICT, (x), RIG_REFUSE }
#define NO_DATA(x)	{ REFUSE_DATA, TEXT(x) }
/* messages go to the server while they come in */
#define SPLICE		{ SPLICE_MODE, NUMBER(1) }
/* it closes its leg */
#define LEAVES		{ SERVER_LEAVES, NUMBER(0) }
#define IDLE		{ KEEPALIVE, NUMBER(0) }
#define HANG_UP(x)	{ HANGUP, TEXT(x) }
#define IS(x)		{ EVENT, NUMBER(SS_SMTP_##x) }
#define DONE_CODE(x)	{ CODE, NUMBER(x) }
/* the octets of the message at hand, end-of-data excluded */
#define HAS(x)		{ MESSAGE, TEXT(x) }
#define BODY_FLAGS(x)	{ FLAGS, NUMBER(x) }
#define REFUSALS(x)	{ REFUSED, NUMBER(x) }
#define WANTS_CLIENT(x)	{ WANTS, NUMBER(x) }
#define UTF8(x)		{ SMTPUTF8, NUMBER(x) }
#define FROM(x)		{ SENDER, TEXT(x) }
/* what the client said after EHLO or HELO */
#define NAME(x)		{ HELO, TEXT(x) }
/* enum ss_smtp_tls, at the start */
#define OFFER(x)	{ OFFER_TLS, NUMBER(SS_SMTP_TLS_##x) }
#define NO_HELPER(x)	{ TLS_DOWN, NUMBER(x) }
/* the handshakes begin, and are done */
#define GO		{ TLS_GO, NUMBER(0) }
#define INSIDE		{ TLS_DONE, NUMBER(0) }
/* octets of both sides that the engine has left alone */
#define LEFT(x)		{ UNREAD, NUMBER(x) }
/* addresses, each with a '|' behind */
#define TO(x)		{ RCPTS, TEXT(x) }

#define GREETING	S("220 mx\r\n"), CC("220 mx\r\n")
#define ENVELOPE \
	C("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"), \
	SS("MAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\n"), \
	S("250 ok\r\n250 ok\r\n"), CC("250 ok\r\n250 ok\r\n")
#define LOGIN \
	C("AUTH PLAIN AGEAYg==\r\n"), SS("AUTH PLAIN AGEAYg==\r\n"), \
	S("235 ok\r\n"), CC("235 ok\r\n")
#define GO_ON		"354 End data with <CR><LF>.<CR><LF>\r\n"
#define BROKE		"421 4.3.0 Server broke the protocol\r\n"

/* Runs steps on new rigs; use dialogue() or session(). */
void dialogue_run(const struct step *steps, unsigned int n);

#define dialogue(...) do { \
		const struct step steps[] = { __VA_ARGS__ }; \
		dialogue_run(steps, sizeof(steps) / sizeof(*steps)); \
	} while (0)

/* Steps behind banner and EHLO. */
#define session(...) dialogue(GREETING, C("EHLO me\r\n"), SS("EHLO me\r\n"), \
	S("250-mx\r\n250 PIPELINING\r\n"), CC("250-mx\r\n250 PIPELINING\r\n"), \
	__VA_ARGS__)

#endif
