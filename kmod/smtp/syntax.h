/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The grammar of SMTP lines, without any state: commands, paths, replies. Pure C
 * like all of the engine, and for it alone.
 */
#ifndef SS_SYNTAX_H
#define SS_SYNTAX_H

#include "portable.h"

/**
 * struct ss_span - a piece of a line; owns nothing
 * @p: first octet
 * @n: number of octets
 */
struct ss_span {
	const u8 *p;
	u32 n;
};

/* Verbs: commands of a client, and what else can await a reply. */
enum ss_smtp_verb {
	/* commands of the client that are passed on */
	VERB_HELO,
	VERB_EHLO,
	VERB_MAIL,
	VERB_RCPT,
	VERB_RSET,
	VERB_NOOP,
	VERB_QUIT,
	VERB_VRFY,
	VERB_EXPN,
	VERB_HELP,
	VERB_AUTH,
	VERB_ETRN,
	VERB_STARTTLS,
	/* not passed on */
	VERB_DATA,		/* in the FIFO: DATA that waits for its turn */
	VERB_BDAT,		/* the same (RFC 3030) */
	VERB_HTTP,
	VERB_UNKNOWN,
	/* what else the FIFO may hold */
	VERB_BANNER,
	VERB_RELEASE,		/* DATA, sent when the message was accepted */
	VERB_PASS,		/* DATA, passed on before there is a message */
	VERB_DROP,		/* RSET that drops chunks which the server has */
	VERB_EOD,
	VERB_LOCAL,		/* a reply of the gateway's own, no command */
	/* commands of the gateway's own, their replies are swallowed */
	VERB_REPLAY_BANNER,	/* of a new connection to a server that had left */
	VERB_REPLAY_EHLO,
	VERB_REPLAY,		/* HELO, MAIL or RCPT, said again */
	VERB_OWN_RSET,
	VERB_OWN_NOOP,
	VERB_OWN_CANCEL,	/* "*" that ends an AUTH (RFC 4954 4) */
	VERB_OWN_CHUNK,		/* BDAT of what has come of a message so far */
	VERB_EARLY,		/* nothing was outstanding but a whole message */
	VERB_NONE,		/* nothing was outstanding */
};

static inline bool ss_syntax_is_letter(u8 c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static inline bool ss_syntax_is_control(u8 c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* Skips the first @n octets of @s. */
static inline struct ss_span ss_syntax_skip(struct ss_span s, u32 n)
{
	return (struct ss_span){ s.p + n, s.n - n };
}

/* Is there an octet in @s that no command or reply line may have? */
bool ss_syntax_has_control(struct ss_span s);

/* Is @s the @word, in any case? @word is in upper case. */
bool ss_syntax_same(struct ss_span s, const char *word);

/* Does @s start with @word, in any case? @word is in upper case. */
bool ss_syntax_starts(struct ss_span s, const char *word);

/* Skips the spaces and tabs at the start of @s. */
struct ss_span ss_syntax_skip_blanks(struct ss_span s);

/* Cuts the next word off @s; it is empty at the end. */
struct ss_span ss_syntax_take_word(struct ss_span *s);

/**
 * ss_syntax_find_line() - find the length of a line, LF included
 * @p: start of the line
 * @n: octets that are there
 * @seen: octets that were searched before, 0 to begin with; kept up to date,
 *	so that one octet a segment does not make it quadratic
 *
 * Return: the length, 0 if there is no LF yet.
 */
u32 ss_syntax_find_line(const u8 *p, u32 n, u16 *seen);

/* Takes LF, and a CR before it, off a line of @len octets, LF included. */
struct ss_span ss_syntax_line(const u8 *p, u32 len);

/* Finds the command that a word is, or %VERB_HTTP or %VERB_UNKNOWN. */
enum ss_smtp_verb ss_syntax_verb(struct ss_span word);

/**
 * ss_syntax_take_path() - take "FROM:<path>" or "TO:<path>" off a command
 * @s: text that follows MAIL or RCPT; the parameters are left
 * @keyword: "FROM:" or "TO:"
 * @path: set to the path without its angle brackets
 *
 * RFC 5321 4.1.1.2. Blanks after the colon or inside the brackets and a path
 * without brackets are common enough to be let through. All that servers read in
 * different ways is not: a display name, a comment, more than one address.
 *
 * Return: false if there is no path, or something that is no parameter behind it.
 */
bool ss_syntax_take_path(struct ss_span *s, const char *keyword,
			 struct ss_span *path);

/**
 * ss_syntax_take_chunk() - read what stands behind BDAT (RFC 3030 2)
 * @s: the rest of the line
 * @size: set to the octets of the chunk
 * @last: set to true where it is the last of its message
 *
 * Return: false if it is malformed, or a size that no message has.
 */
bool ss_syntax_take_chunk(struct ss_span s, u64 *size, bool *last);

/**
 * ss_syntax_size_exceeds() - does a SIZE= parameter announce too much?
 * @digits: value of the parameter
 * @limit: limit of octets
 *
 * Return: false also if it is not 1 to 20 digits (RFC 1870 3): that is for the
 * server to refuse.
 */
bool ss_syntax_size_exceeds(struct ss_span digits, u64 limit);

/* May @s be a client's line in an AUTH dialogue: base64, "*" or nothing? */
bool ss_syntax_is_auth(struct ss_span s);

/* Reads the code of "NNN", "NNN text" or "NNN-text" (RFC 5321 4.2), or 0. */
u16 ss_syntax_reply_code(struct ss_span s);

/* May a line of an EHLO reply that starts with @keyword be passed on? */
bool ss_syntax_ehlo_allowed(struct ss_span keyword);

#endif /* SS_SYNTAX_H */
