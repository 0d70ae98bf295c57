/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The replies that the SMTP engine gives of its own, and it alone: all else that
 * a client hears is the server's, or was given to the engine by its caller.
 */
#ifndef SS_CANNED_H
#define SS_CANNED_H

#include "portable.h"

enum ss_canned {
	CANNED_NONE,
	CANNED_EARLY,
	CANNED_CHARACTER,
	CANNED_LONG,
	CANNED_NO_VERB,
	CANNED_UNKNOWN,
	CANNED_BAD,
	CANNED_TOO_MANY,
	CANNED_MAIL_SYNTAX,
	CANNED_RCPT_SYNTAX,
	CANNED_DATA_SYNTAX,
	CANNED_BASE64,
	CANNED_SIZE,
	CANNED_BINARYMIME,
	CANNED_MAIL_FIRST,
	CANNED_NO_RCPT,
	CANNED_SERVER,
	CANNED_GO_ON,
	CANNED_BDAT_SYNTAX,
	CANNED_CHUNK_SIZE,
	CANNED_CHUNK,
	CANNED_INCOMPLETE,
	CANNED_BINARY,
	CANNED_NOOP,
	CANNED_TLS_SYNTAX,
	CANNED_TLS_ON,
	CANNED_TLS_DOWN,
	CANNED_TLS_FIRST,
	CANNED_BYE,
	CANNED_ALONE,
	CANNED_BANNED,
};

/**
 * struct ss_canned_reply - a reply of the gateway's own
 * @text: line of the reply, without CRLF
 * @fatal: the session ends with it
 * @junk: answer to what no sane client sends; counted up to %SS_SMTP_ERRORS_MAX.
 *	The others happen to a pipelining client whenever a server refuses its
 *	recipients.
 */
struct ss_canned_reply {
	const char *text;
	bool fatal;
	bool junk;
};

/* Replies in the order of enum ss_canned. */
extern const struct ss_canned_reply ss_canned[];

#endif /* SS_CANNED_H */
