// SPDX-License-Identifier: GPL-2.0
/* The replies that the SMTP engine gives of its own, see canned.h. */
#include "canned.h"

const struct ss_canned_reply ss_canned[] = {
	[CANNED_EARLY] = { "554 5.5.0 SMTP protocol synchronization error",
			   .fatal = true },
	[CANNED_CHARACTER] = { "500 5.5.2 Bad character in command",
			       .junk = true },
	[CANNED_LONG] = { "500 5.5.2 Line too long", .junk = true },
	[CANNED_NO_VERB] = { "500 5.5.2 Bad command", .junk = true },
	[CANNED_UNKNOWN] = { "502 5.5.1 Command not implemented",
			     .junk = true },
	[CANNED_BAD] = { "500 5.5.1 Bad command", .fatal = true },
	[CANNED_TOO_MANY] = { "421 4.7.0 Too many errors", .fatal = true },
	[CANNED_MAIL_SYNTAX] = { "501 5.5.4 Syntax: MAIL FROM:<address>",
				 .junk = true },
	[CANNED_RCPT_SYNTAX] = { "501 5.5.4 Syntax: RCPT TO:<address>",
				 .junk = true },
	[CANNED_DATA_SYNTAX] = { "501 5.5.4 Syntax: DATA", .junk = true },
	[CANNED_BASE64] = { "501 5.5.2 Bad base64", .junk = true },
	[CANNED_SIZE] = { .text = "552 5.3.4 Message size exceeds limit" },
	[CANNED_BINARYMIME] = { "555 5.5.4 BODY=BINARYMIME is not supported",
				.junk = true },
	[CANNED_MAIL_FIRST] = { .text = "503 5.5.1 MAIL first" },
	[CANNED_NO_RCPT] = { .text = "554 5.5.1 No valid recipients" },
	[CANNED_SERVER] = { "421 4.3.0 Server broke the protocol",
			    .fatal = true },
	[CANNED_GO_ON] = { .text = "354 End data with <CR><LF>.<CR><LF>" },
	/* where the chunk ends is not known, or too far away */
	[CANNED_BDAT_SYNTAX] = { "501 5.5.4 Syntax: BDAT octets [LAST]",
				 .fatal = true },
	[CANNED_CHUNK_SIZE] = { "552 5.3.4 Message size exceeds limit",
				.fatal = true },
	[CANNED_CHUNK] = { .text = "250 2.0.0 Chunk received" },
	[CANNED_INCOMPLETE] = {
		"503 5.5.1 Message by BDAT is not complete", .junk = true,
	},
	[CANNED_BINARY] = { "503 5.5.1 BODY=BINARYMIME needs BDAT",
			    .junk = true },
	[CANNED_NOOP] = { .text = "250 2.0.0 Ok" },
	[CANNED_TLS_SYNTAX] = { "501 5.5.4 Syntax: STARTTLS", .junk = true },
	[CANNED_TLS_ON] = { "503 5.5.1 TLS is active already", .junk = true },
	[CANNED_TLS_DOWN] = {
		.text = "454 4.7.0 TLS not available due to temporary reason",
	},
	[CANNED_TLS_FIRST] = {
		.text = "530 5.7.0 Must issue a STARTTLS command first",
	},
	[CANNED_BYE] = { .text = "221 2.0.0 Bye" },
	[CANNED_ALONE] = {
		.text = "421 4.3.0 No mail server any more, closing connection",
	},
	[CANNED_BANNED] = {
		.text = "554 5.7.1 An infected message came from your address, try again later",
	},
};
