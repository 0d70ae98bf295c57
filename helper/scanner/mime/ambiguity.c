// SPDX-License-Identifier: GPL-2.0
/*
 * The gate: whether all who read a message see the same content in it. Where two
 * reasonable readers can differ, a scanner may see one thing and the receiver
 * another, so such a message is told from those that are plain. One pass over the
 * lines, by a strict reading of RFC 5322, 2045, 2046, 2047 and 2231, with a stack of
 * the multiparts that are open. No state outside of a call.
 *
 * Lets through what mailers commonly do though it is not strict: see
 * scanner/mime/field.c, and is_returned() for messages that a bounce quotes a part of.
 */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "lib/cleanup.h"
#include "scanner/mime/ambiguity.h"
#include "scanner/mime/coding.h"
#include "scanner/mime/field.h"
#include "scanner/mime/flags.h"

#define MAX_DEPTH	100
#define MAX_PARTS	10000

/**
 * enum state - What the next line belongs to.
 * @HEADER: a header
 * @MARGIN: what is in front of the first part, or behind the last one
 * @LEAF: the content of a leaf
 */
enum state {
	HEADER,
	MARGIN,
	LEAF,
};

/**
 * struct line - A line.
 * @s: its first byte
 * @len: bytes without what ends it
 * @end: what ends it
 * @first: nothing is in front of it, or the end of a line as it should be
 */
struct line {
	const char *s;
	size_t len;
	enum ss_coding_end end;
	bool first;
};

/**
 * struct level - A multipart that is open.
 * @boundary: no terminator
 * @len: its length in bytes
 * @dashes: how many "-" it begins with
 * @digest: its parts are messages if they do not say otherwise
 * @report: it may hold the beginning of a message
 * @returned: it is in such a message itself
 * @begun: there has been a delimiter
 * @closed: there has been the last one
 * @messages: the depth of messages in messages that it is in
 */
struct level {
	char boundary[SS_MIME_FIELD_BOUNDARY];
	size_t len;
	size_t dashes;
	bool digest;
	bool report;
	bool returned;
	bool begun;
	bool closed;
	unsigned int messages;
};

/**
 * struct block - A header.
 * @part: of a part, rather than of a message
 * @lines: how many so far
 * @field: begin of the field being read, or NULL
 * @end: behind that field's last line
 * @has: there was such a field, by enum ss_mime_field_id
 * @type: the first Content-Type
 * @coding: the first Content-Transfer-Encoding
 */
struct block {
	bool part;
	size_t lines;
	const char *field;
	const char *end;
	bool has[SS_MIME_FIELD_OTHER + 1];
	struct ss_mime_field_type type;
	enum ss_coding_kind coding;
};

/**
 * struct walk - A walk over the lines of a message.
 * @text: the message
 * @at: where the next line begins
 * @end: behind the message
 * @lf: the first LF that is not in front of @at, or @end
 * @lf_only: there is no CR: then LF ends lines
 * @odd: the last line did not end as it should
 * @state: what the next line belongs to
 * @block: the header that was read last
 * @coding: the content of the leaf being read
 * @stray: a leaf's boundary, which is to be found nowhere in it
 * @levels: the open multiparts, the outer ones first
 * @depth: how many there are
 * @messages: how deep messages are in messages
 * @parts: how many there were
 * @returned: in a message that may be cut off
 * @flags: what was found
 */
struct walk {
	const char *text;
	const char *at;
	const char *end;
	const char *lf;
	bool lf_only;
	bool odd;
	enum state state;
	struct block block;
	struct ss_coding coding;
	struct level stray;
	struct level levels[MAX_DEPTH];
	unsigned int depth;
	unsigned int messages;
	unsigned int parts;
	bool returned;
	uint32_t flags;
};

static bool next_line(struct walk *w, struct line *line)
{
	const char *s = w->at, *cr;

	if (s == w->end)
		return false;
	if (w->lf < s) {
		w->lf = memchr(s, '\n', w->end - s);
		w->lf = w->lf ? w->lf : w->end;
	}
	cr = w->lf_only ? NULL : memchr(s, '\r', w->lf - s);
	*line = (struct line){ .s = s, .first = !w->odd };
	if (cr && cr + 1 < w->end && cr[1] == '\n') {
		line->len = cr - s;
		w->at = cr + 2;
	} else if (cr) {
		line->len = cr - s;
		line->end = SS_CODING_ODD;
		w->at = cr + 1;
	} else if (w->lf < w->end) {
		line->len = w->lf - s;
		line->end = w->lf_only ? SS_CODING_CRLF : SS_CODING_ODD;
		w->at = w->lf + 1;
	} else {
		line->len = w->end - s;
		line->end = SS_CODING_NOTHING;
		w->at = w->end;
	}
	w->odd = line->end == SS_CODING_ODD;
	return true;
}

static size_t count_blanks(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && (s[n] == ' ' || s[n] == '\t'))
		n++;
	return n;
}

/* Has a header without fields MIME fields to any reader, in any place? */
static bool has_mime_line(const struct walk *w)
{
	struct walk look = { .at = w->text, .end = w->end, .lf = w->text - 1,
			     .lf_only = w->lf_only };
	struct line line;

	look.lf = memchr(w->text, '\n', w->end - w->text);
	look.lf = look.lf ? look.lf : w->end;
	while (next_line(&look, &line))
		if (ss_mime_field_looks_so(line.s, line.len))
			return true;
	return false;
}

static void read_mime_field(struct walk *w, enum ss_mime_field_id id, const char *s,
			    size_t len)
{
	struct block *b = &w->block;
	struct ss_mime_field_type type;
	enum ss_coding_kind coding;

	switch (id) {
	case SS_MIME_FIELD_TYPE:
		w->flags |= ss_mime_field_read_type(s, len, &type);
		if (!b->has[id])
			b->type = type;
		break;
	case SS_MIME_FIELD_ENCODING:
		w->flags |= ss_mime_field_read_encoding(s, len, &coding);
		if (!b->has[id])
			b->coding = coding;
		break;
	case SS_MIME_FIELD_DISPOSITION:
		w->flags |= ss_mime_field_read_disposition(s, len);
		break;
	case SS_MIME_FIELD_VERSION:
		if (!b->part)
			w->flags |= ss_mime_field_read_version(s, len);
		break;
	default:
		w->flags |= SS_AMBIGUITY_FIELD;
	}
}

/* The field that was being read is complete */
static void end_field(struct walk *w)
{
	struct block *b = &w->block;
	const char *s = b->field;
	enum ss_mime_field_id id;
	size_t len;

	if (!s)
		return;
	len = b->end - s;
	b->field = NULL;
	id = ss_mime_field_identify(s, len);
	if (id == SS_MIME_FIELD_OTHER)
		return;
	w->flags |= ss_mime_field_check_shape(s, len);
	read_mime_field(w, id, s, len);
	/* Version 1.0 twice is version 1.0 */
	if (b->has[id] && id != SS_MIME_FIELD_VERSION)
		w->flags |= SS_AMBIGUITY_DUPLICATE;
	b->has[id] = true;
}

static void begin_header(struct walk *w, bool part)
{
	w->block = (struct block){ .part = part };
	w->state = HEADER;
}

static void begin_leaf(struct walk *w, enum ss_coding_kind coding)
{
	w->coding = (struct ss_coding){ .kind = coding };
	w->state = LEAF;
}

static void set_boundary(struct level *level, const struct ss_mime_field_type *type)
{
	level->len = type->boundary_len;
	memcpy(level->boundary, type->boundary, type->boundary_len);
	while (level->dashes < level->len && level->boundary[level->dashes] == '-')
		level->dashes++;
}

/*
 * Does one boundary begin with the other, so that some take a delimiter of one for that
 * of the other? Mailers are fond of "x" with "x_alt" in it. That does no harm: who takes
 * the delimiter of the inner one for that of the outer finds the same parts.
 */
static bool boundaries_clash(const struct level *outer, const struct level *inner)
{
	size_t len = outer->len < inner->len ? outer->len : inner->len;

	if (strncasecmp(outer->boundary, inner->boundary, len))
		return false;
	return inner->len <= outer->len || inner->boundary[len] == '-';
}

static void begin_multipart(struct walk *w, const struct ss_mime_field_type *type)
{
	struct level *level = &w->levels[w->depth];

	if (w->depth == MAX_DEPTH) {
		w->flags |= SS_AMBIGUITY_LIMIT;
		begin_leaf(w, SS_CODING_NONE);
		return;
	}
	*level = (struct level){ .digest = type->digest, .report = type->report,
				 .returned = w->returned, .messages = w->messages };
	set_boundary(level, type);
	for (unsigned int i = 0; i < w->depth; i++)
		if (boundaries_clash(&w->levels[i], level))
			w->flags |= SS_AMBIGUITY_BOUNDARY;
	w->depth++;
	w->state = MARGIN;
}

/*
 * Is it a message that comes back? Bounces have a message/rfc822 of only its header, or its
 * first lines, with the multipart that it says it is cut off.
 */
static bool is_returned(const struct walk *w)
{
	return w->returned || (w->depth && w->levels[w->depth - 1].report);
}

static void begin_message(struct walk *w)
{
	if (++w->messages > MAX_DEPTH) {
		w->flags |= SS_AMBIGUITY_LIMIT;
		begin_leaf(w, SS_CODING_NONE);
		return;
	}
	w->returned = is_returned(w);
	begin_header(w, false);
}

/* A header is complete, and what it is of begins */
static void end_header(struct walk *w)
{
	struct ss_mime_field_type type;
	struct block *b = &w->block;

	end_field(w);
	type = b->type;
	if (!b->has[SS_MIME_FIELD_TYPE] && b->part && w->depth &&
	    w->levels[w->depth - 1].digest)
		type.kind = SS_MIME_FIELD_MESSAGE;
	w->stray = (struct level){ 0 };
	if (type.kind == SS_MIME_FIELD_LEAF) {
		set_boundary(&w->stray, &type);
		begin_leaf(w, b->coding);
		return;
	}
	/* RFC 2045 6.4 */
	if (b->coding != SS_CODING_NONE)
		w->flags |= SS_AMBIGUITY_ENCODING;
	if (type.kind == SS_MIME_FIELD_MESSAGE)
		begin_message(w);
	else if (type.boundary_len)
		begin_multipart(w, &type);
	else
		begin_leaf(w, b->coding);
}

/* Bytes that no header has, and that some take as the end of a line or of the text */
static bool has_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];

		if (!c || c == '\v' || c == '\f' || (c >= 0x1c && c <= 0x1e))
			return true;
	}
	return false;
}

/* A line of a header that neither begins a field nor goes on with one */
static void read_no_field(struct walk *w, const struct line *line)
{
	static const char mbox[] = "From ";
	bool from = line->len >= sizeof(mbox) - 1 && !memcmp(line->s, mbox, sizeof(mbox) - 1);

	/* Text without any header, as scripts and people at a terminal send it */
	if (line->s == w->text && !from && !has_mime_line(w)) {
		begin_leaf(w, SS_CODING_NONE);
		return;
	}
	w->flags |= SS_AMBIGUITY_HEADER;
	end_field(w);
}

static void read_header(struct walk *w, const struct line *line)
{
	struct block *b = &w->block;
	size_t blanks = count_blanks(line->s, line->len);

	if (!line->len) {
		if (line->end == SS_CODING_ODD)
			w->flags |= SS_AMBIGUITY_SEPARATOR;
		end_header(w);
		return;
	}
	if (blanks == line->len)
		w->flags |= SS_AMBIGUITY_SEPARATOR;
	if (blanks && b->field) {
		b->end = line->s + line->len;
	} else if (!blanks && ss_mime_field_is_field(line->s, line->len)) {
		end_field(w);
		b->field = line->s;
		b->end = line->s + line->len;
	} else {
		read_no_field(w, line);
	}
	if (w->state != HEADER)
		return;
	if (line->end == SS_CODING_ODD)
		w->flags |= SS_AMBIGUITY_LINE_END;
	if (has_control(line->s, line->len))
		w->flags |= SS_AMBIGUITY_HEADER;
	b->lines++;
}

/* End a header that has no more lines, and flag it where a reader may miss something */
static void cut_header(struct walk *w)
{
	struct block *b = &w->block;
	bool mime = false;

	end_field(w);
	for (size_t id = 0; id < SS_MIME_FIELD_OTHER; id++)
		mime |= b->has[id];
	if (b->lines && !w->returned && (b->part || mime))
		w->flags |= SS_AMBIGUITY_SEPARATOR;
}

static void end_content(struct walk *w)
{
	if (w->state == HEADER)
		cut_header(w);
	else if (w->state == LEAF && !ss_coding_check_end(&w->coding) && !w->returned)
		w->flags |= ss_coding_flag(&w->coding);
}

static void pop_level(struct walk *w)
{
	const struct level *level = &w->levels[--w->depth];

	if (!level->closed && !level->returned)
		w->flags |= SS_AMBIGUITY_UNCLOSED;
}

static void read_leaf(struct walk *w, const struct line *line)
{
	if (!ss_coding_check_line(&w->coding, line->s, line->len, line->end))
		w->flags |= ss_coding_flag(&w->coding);
}

/* A part that hides from those who skip what is between the parts */
static void read_margin(struct walk *w, const struct line *line)
{
	static const char begin[] = "begin ";

	if (ss_mime_field_looks_so(line->s, line->len))
		w->flags |= SS_AMBIGUITY_MARGIN;
	if (line->len > sizeof(begin) && !memcmp(line->s, begin, sizeof(begin) - 1) &&
	    line->s[sizeof(begin) - 1] >= '0' && line->s[sizeof(begin) - 1] <= '7')
		w->flags |= SS_AMBIGUITY_MARGIN;
}

/**
 * enum match - How a line is like the delimiter of a multipart.
 * @NO_MATCH: not at all
 * @LOOSE: to some readers
 * @OPEN: it is the delimiter of a part
 * @CLOSE: it is the last delimiter
 */
enum match {
	NO_MATCH,
	LOOSE,
	OPEN,
	CLOSE,
};

/* @s: behind the blanks that @line begins with; @dashes: how many are there */
static enum match match_level(const struct level *level, const struct line *line,
			      const char *s, size_t dashes)
{
	const char *stop = line->s + line->len, *rest;

	if (!level->len || dashes < level->dashes + 2)
		return NO_MATCH;
	rest = s + dashes - level->dashes;
	if ((size_t)(stop - rest) < level->len ||
	    strncasecmp(rest, level->boundary, level->len))
		return NO_MATCH;
	if (s != line->s || rest != s + 2 || !line->first || line->end == SS_CODING_ODD ||
	    memcmp(rest, level->boundary, level->len))
		return LOOSE;
	rest += level->len;
	if (rest == stop)
		return OPEN;
	return stop - rest == 2 && rest[0] == '-' && rest[1] == '-' ? CLOSE : LOOSE;
}

static void take_delimiter(struct walk *w, unsigned int depth, enum match match)
{
	struct level *level = &w->levels[depth];

	end_content(w);
	while (w->depth > depth + 1)
		pop_level(w);
	w->returned = level->returned;
	w->messages = level->messages;
	/* A delimiter after the last, or nothing but the last */
	if (level->closed || (match == CLOSE && !level->begun))
		w->flags |= SS_AMBIGUITY_DELIMITER;
	level->begun = true;
	if (match == CLOSE) {
		level->closed = true;
		w->state = MARGIN;
		return;
	}
	if (++w->parts > MAX_PARTS)
		w->flags |= SS_AMBIGUITY_LIMIT;
	begin_header(w, true);
}

/* Return: whether the line is a delimiter, and taken */
static bool read_delimiter(struct walk *w, const struct line *line)
{
	size_t blanks = count_blanks(line->s, line->len), dashes = 0;
	const char *s = line->s + blanks;

	while (blanks + dashes < line->len && s[dashes] == '-')
		dashes++;
	if (dashes < 2)
		return false;
	if (w->state == LEAF && match_level(&w->stray, line, s, dashes) != NO_MATCH)
		w->flags |= SS_AMBIGUITY_DELIMITER;
	for (unsigned int i = w->depth; i--;) {
		enum match match = match_level(&w->levels[i], line, s, dashes);

		if (match == OPEN || match == CLOSE) {
			take_delimiter(w, i, match);
			return true;
		}
		if (match == LOOSE)
			w->flags |= SS_AMBIGUITY_DELIMITER;
	}
	return false;
}

static void read_line(struct walk *w, const struct line *line)
{
	if (read_delimiter(w, line))
		return;
	if (w->state == HEADER)
		read_header(w, line);
	else if (w->state == LEAF)
		read_leaf(w, line);
	else
		read_margin(w, line);
}

uint32_t ss_ambiguity_check(const char *text, size_t len)
{
	struct walk w;
	struct line line;

	if (!len)
		return 0;
	memset(&w, 0, sizeof(w));
	w.text = text;
	w.at = text;
	w.end = text + len;
	w.lf = memchr(text, '\n', len);
	w.lf = w.lf ? w.lf : w.end;
	w.lf_only = !memchr(text, '\r', len);
	while (next_line(&w, &line) && !(w.flags & SS_AMBIGUITY_LIMIT))
		read_line(&w, &line);
	end_content(&w);
	while (w.depth)
		pop_level(&w);
	return w.flags;
}

const char *ss_ambiguity_name(uint32_t flags)
{
	static const char *const words[] = {
		"Mime.Ambiguous.Separator", "Mime.Ambiguous.Header",
		"Mime.Ambiguous.LineEnd", "Mime.Ambiguous.Duplicate",
		"Mime.Ambiguous.Field", "Mime.Ambiguous.Type",
		"Mime.Ambiguous.Encoding", "Mime.Ambiguous.Boundary",
		"Mime.Ambiguous.Delimiter", "Mime.Ambiguous.Unclosed",
		"Mime.Ambiguous.Margin", "Mime.Ambiguous.Base64",
		"Mime.Ambiguous.Quoted", "Mime.Ambiguous.Name",
		"Mime.Ambiguous.Charset", "Mime.Ambiguous.Limit",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (flags & 1u << i)
			return words[i];
	return "";
}
