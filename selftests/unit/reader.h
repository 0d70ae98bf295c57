/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mail server's reading of what it is sent: which octets are commands and
 * which are messages. Written for the tests, apart from the engine and shares
 * nothing with it, so that the two can be compared.
 */
#ifndef SS_UNIT_READER_H
#define SS_UNIT_READER_H

#include <stdbool.h>

#include "bytes.h"

/**
 * struct reader - one connection
 * @lax: takes any CR, LF or CRLF for a line end, and drops NULs: the worst
 *	server there is (THREATS B1)
 * @lf: a command may end in LF alone; for the gateway's own view of a client
 * @reply: which code does the server answer to this command line? 0: none yet,
 *	stop reading here. "." is the end of a message, "" the banner; a BDAT is
 *	answered behind its octets.
 * @ctx: for @reply
 * @in: octets that were not understood yet
 * @messages: the messages, see bytes_add_message(); raw, but without NULs
 *	where @lax, and without the end-of-data
 * @acked: those of them that got a 2xx
 * @chunks: those that came of a message by BDAT (RFC 3030), which got a 2xx
 * @in_auth: the next line is the client's turn in an AUTH dialogue (RFC 4954 4),
 *	whatever it looks like
 * @chunk: octets of the chunk that comes in, which @last ends the message
 */
struct reader {
	bool lax;
	bool lf;
	int (*reply)(void *ctx, const char *line, size_t n);
	void *ctx;
	struct bytes in;
	struct bytes messages;
	struct bytes acked;
	struct bytes chunks;
	size_t chunk;
	bool last;
	bool in_chunk;
	bool in_auth;
	bool greeted;
	bool in_message;
	bool ended;
};

/* Reads on; @in is kept as far as it is incomplete. */
void reader_feed(struct reader *r, const void *p, size_t n);
void reader_free(struct reader *r);

#endif
