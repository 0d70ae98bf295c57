// SPDX-License-Identifier: GPL-2.0
/* The replies that the SMTP engine gives of its own, see canned.h. */
#include "canned.h"
#include "smtp.h"

/* A reply's text, which with its CRLF fits what a sink has for it. */
#define TEXT(s)	(&(s)[BUILD_BUG_ON_ZERO(sizeof(s) - 1 + 2 > SS_SMTP_LOCAL_LEN)])

const struct ss_canned_reply ss_canned[] = {
	[CANNED_EARLY] = { TEXT("554 5.5.0 SMTP protocol synchronization error"),
			   .fatal = true },
	[CANNED_CHARACTER] = { TEXT("500 5.5.2 Bad character in command"),
			       .junk = true },
	[CANNED_LONG] = { TEXT("500 5.5.2 Line too long"), .junk = true },
	[CANNED_NO_VERB] = { TEXT("500 5.5.2 Bad command"), .junk = true },
	[CANNED_UNKNOWN] = { TEXT("502 5.5.1 Command not implemented"),
			     .junk = true },
	[CANNED_BAD] = { TEXT("500 5.5.1 Bad command"), .fatal = true },
	[CANNED_TOO_MANY] = { TEXT("421 4.7.0 Too many errors"), .fatal = true },
	[CANNED_MAIL_SYNTAX] = { TEXT("501 5.5.4 Syntax: MAIL FROM:<address>"),
				 .junk = true },
	[CANNED_RCPT_SYNTAX] = { TEXT("501 5.5.4 Syntax: RCPT TO:<address>"),
				 .junk = true },
	[CANNED_DATA_SYNTAX] = { TEXT("501 5.5.4 Syntax: DATA"), .junk = true },
	[CANNED_BASE64] = { TEXT("501 5.5.2 Bad base64"), .junk = true },
	[CANNED_SIZE] = { .text = TEXT("552 5.3.4 Message size exceeds limit") },
	[CANNED_BINARYMIME] = { TEXT("555 5.5.4 BODY=BINARYMIME is not supported"),
				.junk = true },
	[CANNED_MAIL_FIRST] = { .text = TEXT("503 5.5.1 MAIL first") },
	[CANNED_NO_RCPT] = { .text = TEXT("554 5.5.1 No valid recipients") },
	[CANNED_SERVER] = { TEXT("421 4.3.0 Server broke the protocol"),
			    .fatal = true },
	[CANNED_GO_ON] = { .text = TEXT("354 End data with <CR><LF>.<CR><LF>") },
	/* the end of the chunk is not known, or too far away */
	[CANNED_BDAT_SYNTAX] = { TEXT("501 5.5.4 Syntax: BDAT octets [LAST]"),
				 .fatal = true },
	[CANNED_CHUNK_SIZE] = { TEXT("552 5.3.4 Message size exceeds limit"),
				.fatal = true },
	[CANNED_CHUNK] = { .text = TEXT("250 2.0.0 Chunk received") },
	[CANNED_INCOMPLETE] = {
		TEXT("503 5.5.1 Message by BDAT is not complete"), .junk = true,
	},
	[CANNED_BINARY] = { TEXT("503 5.5.1 BODY=BINARYMIME needs BDAT"),
			    .junk = true },
	[CANNED_NOOP] = { .text = TEXT("250 2.0.0 Ok") },
	[CANNED_TLS_SYNTAX] = { TEXT("501 5.5.4 Syntax: STARTTLS"), .junk = true },
	[CANNED_TLS_ON] = { TEXT("503 5.5.1 TLS is active already"), .junk = true },
	[CANNED_TLS_DOWN] = {
		.text = TEXT("454 4.7.0 TLS not available due to temporary reason"),
	},
	[CANNED_TLS_FIRST] = {
		.text = TEXT("530 5.7.0 Must issue a STARTTLS command first"),
	},
	[CANNED_BYE] = { .text = TEXT("221 2.0.0 Bye") },
	[CANNED_ALONE] = {
		.text = TEXT("421 4.3.0 No mail server any more, closing connection"),
	},
	[CANNED_BANNED] = {
		.text =
		TEXT("554 5.7.1 An infected message came from your address, try again later"),
	},
};
