// SPDX-License-Identifier: GPL-2.0
/* The grammar of SMTP lines, see syntax.h. No state, no threading rules. */
#include "portable.h"
#include "syntax.h"

static u8 upper(u8 c)
{
	return c >= 'a' && c <= 'z' ? (u8)(c - 'a' + 'A') : c;
}

static bool is_blank(u8 c)
{
	return c == ' ' || c == '\t';
}

static bool is_alnum(u8 c)
{
	return ss_syntax_is_letter(c) || (c >= '0' && c <= '9');
}

bool ss_syntax_has_control(struct ss_span s)
{
	u32 i;

	for (i = 0; i < s.n; i++)
		if (ss_syntax_is_control(s.p[i]))
			return true;
	return false;
}

bool ss_syntax_same(struct ss_span s, const char *word)
{
	u32 i;

	for (i = 0; i < s.n && word[i]; i++)
		if (upper(s.p[i]) != (u8)word[i])
			return false;
	return i == s.n && !word[i];
}

bool ss_syntax_starts(struct ss_span s, const char *word)
{
	u32 n = (u32)strlen(word);

	if (s.n < n)
		return false;
	s.n = n;
	return ss_syntax_same(s, word);
}

struct ss_span ss_syntax_skip_blanks(struct ss_span s)
{
	while (s.n && is_blank(*s.p))
		s = ss_syntax_skip(s, 1);
	return s;
}

struct ss_span ss_syntax_take_word(struct ss_span *s)
{
	struct ss_span word = ss_syntax_skip_blanks(*s);
	u32 n = 0;

	while (n < word.n && !is_blank(word.p[n]))
		n++;
	*s = ss_syntax_skip(word, n);
	word.n = n;
	return word;
}

u32 ss_syntax_find_line(const u8 *p, u32 n, u16 *seen)
{
	u32 from = *seen < n ? *seen : n;
	const u8 *lf = memchr(p + from, '\n', n - from);

	if (!lf) {
		*seen = (u16)n;
		return 0;
	}
	*seen = 0;
	return (u32)(lf - p) + 1;
}

struct ss_span ss_syntax_line(const u8 *p, u32 len)
{
	len--;
	if (len && p[len - 1] == '\r')
		len--;
	return (struct ss_span){ p, len };
}

enum ss_smtp_verb ss_syntax_verb(struct ss_span word)
{
	static const struct {
		const char *name;
		enum ss_smtp_verb verb;
	} verbs[] = {
		{ "MAIL", VERB_MAIL }, { "RCPT", VERB_RCPT },
		{ "DATA", VERB_DATA }, { "EHLO", VERB_EHLO },
		{ "BDAT", VERB_BDAT },
		{ "QUIT", VERB_QUIT }, { "RSET", VERB_RSET },
		{ "NOOP", VERB_NOOP }, { "AUTH", VERB_AUTH },
		{ "HELO", VERB_HELO }, { "VRFY", VERB_VRFY },
		{ "EXPN", VERB_EXPN }, { "HELP", VERB_HELP },
		{ "ETRN", VERB_ETRN }, { "STARTTLS", VERB_STARTTLS },
		/* a browser was lured here (THREATS E1) */
		{ "GET", VERB_HTTP }, { "POST", VERB_HTTP },
		{ "PUT", VERB_HTTP }, { "HEAD", VERB_HTTP },
		{ "DELETE", VERB_HTTP }, { "OPTIONS", VERB_HTTP },
		{ "CONNECT", VERB_HTTP }, { "TRACE", VERB_HTTP },
		{ "PATCH", VERB_HTTP },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (ss_syntax_same(word, verbs[i].name))
			return verbs[i].verb;
	return VERB_UNKNOWN;
}

/*
 * Has the octet a meaning outside of quotes, but none in RFC 5321? Comments, lists
 * and the like are RFC 5322's, and servers differ in what they make of them.
 */
static bool is_special(u8 c)
{
	switch (c) {
	case '(':
	case ')':
	case '<':
	case '>':
	case ',':
	case ';':
	case '\\':
		return true;
	}
	return is_blank(c);
}

/* Octets of the source route "@a,@b:" at the start of @s; 0 where there is none. */
static u32 route_size(struct ss_span s)
{
	u32 i = 0;

	while (i < s.n && s.p[i] == '@') {
		do
			i++;
		while (i < s.n && !is_special(s.p[i]) && s.p[i] != '@' &&
		       s.p[i] != '"' && s.p[i] != ':');
		if (i < s.n && s.p[i] == ':')
			return i + 1;
		if (i == s.n || s.p[i] != ',')
			return 0;
		i++;
	}
	return 0;
}

/* Octets of the path at the start of @s, up to what no path has outside of quotes. */
static u32 path_size(struct ss_span s)
{
	bool quoted = false;
	u32 i;

	for (i = route_size(s); i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && is_special(s.p[i]))
			return i;
	}
	return s.n;
}

/* Takes what is in angle brackets off @s, of which it is the start. */
static bool take_bracketed(struct ss_span *s, struct ss_span *path)
{
	struct ss_span rest = ss_syntax_skip_blanks(ss_syntax_skip(*s, 1));

	*path = (struct ss_span){ rest.p, path_size(rest) };
	rest = ss_syntax_skip_blanks(ss_syntax_skip(rest, path->n));
	if (!rest.n || *rest.p != '>')
		return false;
	*s = ss_syntax_skip(rest, 1);
	return true;
}

/*
 * Takes a path without angle brackets off @s. There is none where a server could
 * take it for what stands in front of another one.
 */
static bool take_bare(struct ss_span *s, struct ss_span *path)
{
	u32 i;

	*path = ss_syntax_take_word(s);
	for (i = 0; i < path->n; i++)
		if (is_special(path->p[i]) || path->p[i] == '"' ||
		    path->p[i] == ':')
			return false;
	return path->n && !(s->n && memchr(s->p, '<', s->n));
}

/* Is all of @s parameters, "KEYWORD" or "KEYWORD=value" (RFC 5321 4.1.2)? */
static bool is_params(struct ss_span s)
{
	struct ss_span word;

	while ((word = ss_syntax_take_word(&s)).n) {
		u32 i;

		if (!is_alnum(*word.p))
			return false;
		for (i = 1; i < word.n && word.p[i] != '='; i++)
			if (!is_alnum(word.p[i]) && word.p[i] != '-')
				return false;
	}
	return true;
}

bool ss_syntax_take_path(struct ss_span *s, const char *keyword,
			 struct ss_span *path)
{
	struct ss_span rest = ss_syntax_skip_blanks(*s);
	bool taken;

	if (!ss_syntax_starts(rest, keyword))
		return false;
	rest = ss_syntax_skip_blanks(ss_syntax_skip(rest, (u32)strlen(keyword)));
	if (rest.n && *rest.p == '<')
		taken = take_bracketed(&rest, path);
	else
		taken = take_bare(&rest, path);
	*s = rest;
	return taken && is_params(rest);
}

/*
 * Takes a number of at most @max digits, which are at most 20; one that no u64
 * holds becomes the largest. Returns false where it is none.
 */
static bool take_number(struct ss_span digits, u32 max, u64 *value)
{
	u32 i;

	if (!digits.n || digits.n > max)
		return false;
	*value = 0;
	for (i = 0; i < digits.n; i++) {
		u8 d = (u8)(digits.p[i] - '0');

		if (d > 9)
			return false;
		/* the largest u64 is 18446744073709551615 */
		if (*value > 1844674407370955161ULL ||
		    (*value == 1844674407370955161ULL && d > 5))
			*value = ~(u64)0;
		else
			*value = *value * 10 + d;
	}
	return true;
}

bool ss_syntax_size_exceeds(struct ss_span digits, u64 limit)
{
	u64 size;

	return take_number(digits, 20, &size) && size > limit;
}

bool ss_syntax_take_chunk(struct ss_span s, u64 *size, bool *last)
{
	struct ss_span word;

	/* no message has 10^19 octets */
	if (!take_number(ss_syntax_take_word(&s), 19, size))
		return false;
	word = ss_syntax_take_word(&s);
	*last = word.n;
	return (!word.n || ss_syntax_same(word, "LAST")) &&
	       !ss_syntax_skip_blanks(s).n;
}

bool ss_syntax_is_auth(struct ss_span s)
{
	u32 i;

	for (i = 0; i < s.n; i++) {
		u8 c = s.p[i];

		if (!is_alnum(c) && c != '+' && c != '/' && c != '=' &&
		    c != '*')
			return false;
	}
	return true;
}

u16 ss_syntax_reply_code(struct ss_span s)
{
	u16 code = 0;
	u32 i;

	if (s.n < 3 || ss_syntax_has_control(s))
		return 0;
	for (i = 0; i < 3; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		code = (u16)(code * 10 + s.p[i] - '0');
	}
	if (s.n > 3 && s.p[3] != ' ' && s.p[3] != '-')
		return 0;
	return code >= 200 && code < 600 ? code : 0;
}

/*
 * Extensions that the gateway understands, or that change nothing for it. All
 * others are hidden: what cannot be inspected must not be used (THREATS D1).
 */
bool ss_syntax_ehlo_allowed(struct ss_span keyword)
{
	static const char * const allowed[] = {
		"PIPELINING", "SIZE", "8BITMIME", "DSN", "CHUNKING", "BINARYMIME",
		"ENHANCEDSTATUSCODES", "AUTH", "DELIVERBY", "HELP", "SMTPUTF8",
		"VRFY", "EXPN", "ETRN", "MT-PRIORITY", "FUTURERELEASE",
		"NO-SOLICITING", "LIMITS", "SUBMITTER",
	};
	u32 i;

	/* "AUTH=LOGIN" is for clients that are older than RFC 2554 */
	if (ss_syntax_starts(keyword, "AUTH="))
		return true;
	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		if (ss_syntax_same(keyword, allowed[i]))
			return true;
	return false;
}
