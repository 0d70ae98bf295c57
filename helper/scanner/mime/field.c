// SPDX-License-Identifier: GPL-2.0
/*
 * The fields of a header that MIME goes by (RFC 2045, 2183, 2231), read strictly:
 * each reader here says as well whether others may read the field otherwise. What
 * common mailers get wrong and no reader minds is let through: a ";" at the end,
 * blanks and encoded words in file names.
 */
#include <string.h>
#include <strings.h>

#include "lib/cleanup.h"
#include "scanner/mime/field.h"
#include "scanner/mime/flags.h"

#define MAX_FIELD	4096	/* bytes of a MIME field, more than any mailer needs */
#define MAX_LINE	998	/* RFC 5322 2.1.1 */
#define MAX_PARAMETERS	64
#define MAX_NAMES	16	/* parameters with a part of the file name */

static const char *const names[] = {
	[SS_MIME_FIELD_TYPE] = "content-type",
	[SS_MIME_FIELD_ENCODING] = "content-transfer-encoding",
	[SS_MIME_FIELD_DISPOSITION] = "content-disposition",
	[SS_MIME_FIELD_VERSION] = "mime-version",
};

/**
 * struct span - A piece of text.
 * @s: its first byte
 * @len: its length in bytes
 */
struct span {
	const char *s;
	size_t len;
};

/**
 * struct parameter - One parameter.
 * @name: its name
 * @value: its value, without the quotes
 * @flawed: it is not as RFC 2045 has it, and readers may differ
 * @quoted: the value is a quoted string
 */
struct parameter {
	struct span name;
	struct span value;
	bool flawed;
	bool quoted;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_token(unsigned char c)
{
	return c > 32 && c < 127 && !strchr("()<>@,;:\\\"/[]?=", c);
}

static bool is_bchar(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("'()+_,-./:=? ", c));
}

static struct span trim(const char *s, size_t len)
{
	while (len && is_blank(*s)) {
		s++;
		len--;
	}
	while (len && is_blank(s[len - 1]))
		len--;
	return (struct span){ s, len };
}

static bool span_is(const struct span *span, const char *word)
{
	return span->len == strlen(word) && !strncasecmp(span->s, word, span->len);
}

static bool span_begins(const struct span *span, const char *word)
{
	return span->len >= strlen(word) && !strncasecmp(span->s, word, strlen(word));
}

/* Find the value of a field: what is behind the first ":" */
static struct span field_value(const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);

	if (!colon)
		return (struct span){ s, 0 };
	return trim(colon + 1, s + len - colon - 1);
}

bool ss_mime_field_is_field(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] > 32 && s[n] < 127 && s[n] != ':')
		n++;
	if (!n)
		return false;
	while (n < len && (s[n] == ' ' || s[n] == '\t'))
		n++;
	return n < len && s[n] == ':';
}

/* The field that the letters of a name are those of, or OTHER */
static enum ss_mime_field_id match_letters(const char *s, size_t len)
{
	for (size_t id = 0; id < ARRAY_SIZE(names); id++) {
		const char *name = names[id];
		size_t i;

		for (i = 0; i < len && i < 64; i++) {
			char c = s[i] | 0x20;

			if (c < 'a' || c > 'z')
				continue;
			while (*name == '-')
				name++;
			if (c != *name)
				break;
			name++;
		}
		if (i == len && !*name)
			return id;
	}
	return SS_MIME_FIELD_OTHER;
}

bool ss_mime_field_looks_so(const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len < 64 ? len : 64);

	return colon && match_letters(s, colon - s) != SS_MIME_FIELD_OTHER;
}

enum ss_mime_field_id ss_mime_field_identify(const char *s, size_t len)
{
	const char *colon = memchr(s, ':', len);
	struct span name = { s, colon ? (size_t)(colon - s) : 0 };
	enum ss_mime_field_id id = match_letters(name.s, name.len);

	if (id == SS_MIME_FIELD_OTHER || span_is(&name, names[id]))
		return id;
	return SS_MIME_FIELD_DISGUISED;
}

uint32_t ss_mime_field_check_shape(const char *s, size_t len)
{
	size_t line = 0;

	if (len > MAX_FIELD)
		return SS_AMBIGUITY_LIMIT;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];

		line = c == '\n' ? 0 : line + 1;
		if (line > MAX_LINE || c == 127 || (c < 32 && !is_blank(c)))
			return SS_AMBIGUITY_FIELD;
	}
	return 0;
}

/* Skip a quoted string; *s is behind its first quote */
static bool skip_quoted(const char **s, const char *end)
{
	for (; *s < end; (*s)++) {
		if (**s == '"') {
			(*s)++;
			return true;
		}
		if (**s == '\\' && *s + 1 < end)
			(*s)++;
	}
	return false;
}

static const char *skip_blanks(const char *s, const char *end)
{
	while (s < end && is_blank(*s))
		s++;
	return s;
}

static const char *find(const char *s, const char *end, char c)
{
	const char *found = s < end ? memchr(s, c, end - s) : NULL;

	return found ? found : end;
}

static void read_value(struct parameter *p, const char **s, const char *end)
{
	const char *value = skip_blanks(*s, end), *semicolon;

	if (value != *s)
		p->flawed = true;
	if (value < end && *value == '"') {
		const char *stop = ++value;
		bool closed = skip_quoted(&stop, end);

		p->quoted = true;
		p->value = (struct span){ value, stop - value - closed };
		*s = skip_blanks(stop, end);
		semicolon = find(*s, end, ';');
		if (!closed || semicolon != *s)
			p->flawed = true;
		*s = semicolon;
		return;
	}
	semicolon = find(value, end, ';');
	p->value = trim(value, semicolon - value);
	if (!p->value.len)
		p->flawed = true;
	for (size_t i = 0; i < p->value.len; i++) {
		unsigned char c = p->value.s[i];

		/* "/", "=" and ":" should be quoted; often they are not */
		if (!is_token(c) && !(c && strchr("/=:", c)))
			p->flawed = true;
	}
	*s = semicolon;
}

/* The next parameter; *s is at its semicolon. Return: false at the end. */
static bool next_parameter(const char **s, const char *end, struct parameter *p)
{
	const char *name, *stop;

	*p = (struct parameter){ 0 };
	if (*s < end)
		(*s)++;
	name = skip_blanks(*s, end);
	if (name == end)
		return false;
	for (stop = name; stop < end && *stop != '=' && *stop != ';'; stop++)
		if (!is_token(*stop))
			p->flawed = true;
	p->name = trim(name, stop - name);
	p->value.s = stop;
	*s = stop;
	if (stop == end || *stop == ';' || !p->name.len) {
		p->flawed = true;
		*s = find(stop, end, ';');
		return true;
	}
	(*s)++;
	read_value(p, s, end);
	return true;
}

/* Has a value an encoded word in it (RFC 2047)? */
static bool has_encoded_word(const struct span *value)
{
	const char *s = memmem(value->s, value->len, "=?", 2);

	return s && memmem(s + 2, value->s + value->len - s - 2, "?=", 2);
}

static uint32_t read_boundary(struct ss_mime_field_type *type, const struct parameter *p)
{
	const struct span *value = &p->value;
	uint32_t flags = 0;

	/* Continued or encoded by RFC 2231, or a second one */
	if (!span_is(&p->name, "boundary") || type->boundary_len)
		return SS_AMBIGUITY_BOUNDARY;
	if (p->flawed || !value->len || value->len > SS_MIME_FIELD_BOUNDARY ||
	    has_encoded_word(value) || trim(value->s, value->len).len != value->len)
		flags |= SS_AMBIGUITY_BOUNDARY;
	for (size_t i = 0; i < value->len; i++)
		if (!is_bchar(value->s[i]))
			flags |= SS_AMBIGUITY_BOUNDARY;
	type->boundary_len = value->len < SS_MIME_FIELD_BOUNDARY ?
			     value->len : SS_MIME_FIELD_BOUNDARY;
	memcpy(type->boundary, value->s, type->boundary_len);
	return flags;
}

/* A parameter with the file name, or a part of it: the same one, but another? */
static uint32_t check_name(struct parameter *seen, unsigned int *count,
			   const struct parameter *p)
{
	if (!span_begins(&p->name, "name") && !span_begins(&p->name, "filename"))
		return 0;
	for (unsigned int i = 0; i < *count; i++)
		if (seen[i].name.len == p->name.len &&
		    !strncasecmp(seen[i].name.s, p->name.s, p->name.len))
			return seen[i].value.len == p->value.len &&
			       !memcmp(seen[i].value.s, p->value.s, p->value.len) ?
			       0 : SS_AMBIGUITY_NAME;
	if (*count == MAX_NAMES)
		return 0;
	seen[(*count)++] = *p;
	return 0;
}

static bool hides_ascii(const struct span *charset)
{
	return span_begins(charset, "utf-7") || span_begins(charset, "utf-16") ||
	       span_begins(charset, "utf-32") || span_begins(charset, "unicode-1-1-utf-7") ||
	       span_begins(charset, "utf7") || span_begins(charset, "utf16") ||
	       span_begins(charset, "utf32");
}

/* A comment in front of a name; in a value it may be part of a file name */
static bool has_comment(const struct span *name)
{
	return memchr(name->s, '(', name->len) || memchr(name->s, ')', name->len);
}

/*
 * All parameters. Where there are parts (@type), each has to be as it should; of a
 * leaf all that matters is its name.
 */
static uint32_t read_parameters(const char *s, const char *end, bool html,
				struct ss_mime_field_type *type)
{
	struct parameter seen[MAX_NAMES], p;
	unsigned int count = 0, known = 0;
	uint32_t flags = 0;

	while (next_parameter(&s, end, &p)) {
		if (++count > MAX_PARAMETERS)
			return flags | SS_AMBIGUITY_LIMIT;
		if (type && span_begins(&p.name, "boundary") &&
		    (p.name.len == 8 || p.name.s[8] == '*'))
			flags |= read_boundary(type, &p);
		else if (p.flawed && type && type->kind == SS_MIME_FIELD_MULTIPART)
			flags |= SS_AMBIGUITY_TYPE;
		if (has_comment(&p.name))
			flags |= SS_AMBIGUITY_TYPE;
		if (html && span_is(&p.name, "charset") && hides_ascii(&p.value))
			flags |= SS_AMBIGUITY_CHARSET;
		flags |= check_name(seen, &known, &p);
	}
	return flags;
}

static size_t token_length(const char *s, const char *end)
{
	const char *stop = s;

	while (stop < end && is_token(*stop))
		stop++;
	return stop - s;
}

static void set_kind(struct ss_mime_field_type *type, const struct span *major,
		     const struct span *minor)
{
	if (span_is(major, "multipart")) {
		type->kind = SS_MIME_FIELD_MULTIPART;
		type->digest = span_is(minor, "digest");
		type->report = span_is(minor, "report");
	} else if (span_is(major, "message") &&
		   (span_is(minor, "rfc822") || span_is(minor, "news") ||
		    span_is(minor, "global"))) {
		type->kind = SS_MIME_FIELD_MESSAGE;
	}
}

uint32_t ss_mime_field_read_type(const char *s, size_t len, struct ss_mime_field_type *type)
{
	struct span value = field_value(s, len), major, minor;
	const char *end = value.s + value.len, *at;
	uint32_t flags = 0;

	*type = (struct ss_mime_field_type){ 0 };
	major = (struct span){ value.s, token_length(value.s, end) };
	at = major.s + major.len;
	if (!major.len || at == end || *at != '/')
		return SS_AMBIGUITY_TYPE;
	minor = (struct span){ at + 1, token_length(at + 1, end) };
	set_kind(type, &major, &minor);
	at = skip_blanks(minor.s + minor.len, end);
	if (!minor.len || (at < end && *at != ';'))
		flags |= SS_AMBIGUITY_TYPE;
	flags |= read_parameters(find(at, end, ';'), end,
				 span_is(&major, "text") && span_is(&minor, "html"), type);
	if (type->kind == SS_MIME_FIELD_MULTIPART)
		return type->boundary_len ? flags : flags | SS_AMBIGUITY_BOUNDARY;
	/* The boundary of a leaf means nothing; the caller sees whether it is used all the same */
	return flags & ~SS_AMBIGUITY_BOUNDARY;
}

uint32_t ss_mime_field_read_encoding(const char *s, size_t len, enum ss_coding_kind *kind)
{
	/* The latter ones mean nothing but what they say */
	static const char *const plain[] = { "7bit", "8bit", "binary", "7-bit", "8-bit",
					     "7bits", "8bits" };
	struct span value = field_value(s, len);

	*kind = SS_CODING_NONE;
	if (span_is(&value, "base64")) {
		*kind = SS_CODING_BASE64;
		return 0;
	}
	if (span_is(&value, "quoted-printable")) {
		*kind = SS_CODING_QUOTED;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (span_is(&value, plain[i]))
			return 0;
	return SS_AMBIGUITY_ENCODING;
}

uint32_t ss_mime_field_read_disposition(const char *s, size_t len)
{
	struct span value = field_value(s, len);
	const char *end = value.s + value.len;

	return read_parameters(find(value.s, end, ';'), end, false, NULL);
}

uint32_t ss_mime_field_read_version(const char *s, size_t len)
{
	struct span value = field_value(s, len);

	/* Apple says what made it in a comment */
	if (!span_begins(&value, "1.0"))
		return SS_AMBIGUITY_TYPE;
	value = trim(value.s + 3, value.len - 3);
	if (value.len && (value.s[0] != '(' || value.s[value.len - 1] != ')'))
		return SS_AMBIGUITY_TYPE;
	return 0;
}
