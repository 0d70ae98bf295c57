// SPDX-License-Identifier: GPL-2.0
/*
 * CMS (RFC 5652, once PKCS#7), the smime.p7m of S/MIME: what can be read in it without
 * a key. Content that is signed, has a digest or is compressed is handed out as a file;
 * of content that is encrypted there is nothing to hand out.
 *
 * S/MIME senders write as they sign: in BER, with lengths that are not known yet and the
 * content in pieces. GnuTLS's reader wants DER and all of the structure in order, while
 * mailers show what they have got as they read it. So this one takes BER, checks no
 * signature and needs nothing behind the content. It allocates nothing but zlib's state,
 * reads each byte a few times at most, and has no state outside of a call.
 */
#include <string.h>

#include <zlib.h>

#include "lib/cleanup.h"
#include "scanner/files/cms.h"
#include "scanner/mime/coding.h"

#define TAG_OCTETS	0x04
#define TAG_OID		0x06
#define TAG_SEQUENCE	0x30
#define TAG_CONTENT	0xa0	/* [0] EXPLICIT */
#define CONSTRUCTED	0x20
#define LONG_TAG	0x1f
#define MAX_NEST	64	/* pieces of pieces of a string */
#define BUFFER		16384u
#define PROBE		64u	/* digits of base64 to tell it by */
#define NO_NAME		"data"	/* libarchive's word for it, see scanner/files/inspect.c */

/**
 * enum type - What a content is, by its object identifier.
 * @TYPE_OTHER: anything, to be taken as it is
 * @TYPE_DATA: likewise
 * @TYPE_READABLE: it has a content in it: signed, digested or authenticated
 * @TYPE_COMPRESSED: likewise, by zlib (RFC 3274)
 * @TYPE_ENCRYPTED: enveloped or encrypted
 */
enum type {
	TYPE_OTHER,
	TYPE_DATA,
	TYPE_READABLE,
	TYPE_COMPRESSED,
	TYPE_ENCRYPTED,
};

static const struct {
	const char *oid;
	size_t len;
	enum type type;
} types[] = {
#define PKCS7(number)	"\x2a\x86\x48\x86\xf7\x0d\x01\x07" number, 9
#define SMIME(number)	"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01" number, 11
	{ PKCS7("\x01"), TYPE_DATA },
	{ PKCS7("\x02"), TYPE_READABLE },	/* signed */
	{ PKCS7("\x03"), TYPE_ENCRYPTED },	/* enveloped */
	{ PKCS7("\x04"), TYPE_ENCRYPTED },	/* signed and enveloped */
	{ PKCS7("\x05"), TYPE_READABLE },	/* with a digest */
	{ PKCS7("\x06"), TYPE_ENCRYPTED },	/* by a shared key */
	{ SMIME("\x02"), TYPE_READABLE },	/* authenticated */
	{ SMIME("\x09"), TYPE_COMPRESSED },
	{ SMIME("\x17"), TYPE_ENCRYPTED },	/* authenticated and enveloped */
};

/**
 * struct span - Bytes of a file.
 * @at: the first
 * @end: behind the last
 */
struct span {
	const uint8_t *at;
	const uint8_t *end;
};

/**
 * struct element - An element of BER.
 * @tag: its first byte
 * @endless: no length is given: an end-of-contents ends it
 * @cut: the file ends before it does
 * @head: with its tag
 * @content: its content; where it is @endless, all up to the end of what it is in
 */
struct element {
	uint8_t tag;
	bool endless;
	bool cut;
	struct span head;
	struct span content;
};

/* The length behind a tag. Return: whether there is one. */
static bool read_length(struct span *in, struct element *el)
{
	uint64_t len = 0;
	unsigned int count;
	uint8_t first;

	if (in->at == in->end)
		return false;
	first = *in->at++;
	el->endless = first == 0x80;
	if (el->endless)
		return true;
	count = first & 0x80 ? first & 0x7f : 0;
	if (!count)
		len = first;
	for (; count && in->at < in->end; count--) {
		/* one that does not fit is longer than any file */
		len = len >> 55 ? UINT64_MAX >> 8 : len << 8 | *in->at;
		in->at++;
	}
	el->cut = count || len > (uint64_t)(in->end - in->at);
	if (!el->cut)
		el->content.end = in->at + len;
	return true;
}

/* The element that begins at in->at, which goes to its content. Return: is there one? */
static bool read_head(struct span *in, struct element *el)
{
	*el = (struct element){ .head = *in, .content = *in };
	if (in->at == in->end)
		return false;
	el->tag = *in->at++;
	if ((el->tag & LONG_TAG) == LONG_TAG)
		while (in->at < in->end && *in->at++ & 0x80)
			;
	if (!read_length(in, el))
		return false;
	el->content.at = in->at;
	return true;
}

static bool is_end(const struct element *el)
{
	return !el->tag && !el->endless && el->content.at == el->content.end;
}

/*
 * Go behind an element, of which in->at is at the content. Return: whether there may be
 * another one.
 */
static bool skip_element(struct span *in, const struct element *el)
{
	unsigned int open = el->endless;
	struct element inner;

	if (el->cut)
		return false;
	in->at = el->endless ? in->at : el->content.end;
	while (open) {
		if (!read_head(in, &inner) || inner.cut)
			return false;
		if (inner.endless)
			open++;
		else if (is_end(&inner))
			open--;
		else
			in->at = inner.content.end;
	}
	return true;
}

static enum type read_type(const struct element *oid)
{
	size_t len = oid->content.end - oid->content.at;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].len == len && !memcmp(types[i].oid, oid->content.at, len))
			return types[i].type;
	return TYPE_OTHER;
}

/**
 * struct named - A content and what it is: ContentInfo, and what is like it.
 * @type: what the content is
 * @oid: the same, as an element
 * @there: there is a content
 * @content: the content
 */
struct named {
	enum type type;
	struct span oid;
	bool there;
	struct span content;
};

/* Read a sequence of an object identifier and [0]. Return: whether it is one. */
static bool read_named(const struct element *sequence, struct named *named)
{
	struct span in = sequence->content;
	struct element el;

	if (sequence->tag != TAG_SEQUENCE || !read_head(&in, &el) || el.tag != TAG_OID ||
	    el.endless || el.cut)
		return false;
	named->type = read_type(&el);
	named->oid = (struct span){ el.head.at, el.content.end };
	in.at = el.content.end;
	named->there = read_head(&in, &el) && el.tag == TAG_CONTENT;
	named->content = el.content;
	return true;
}

static bool read_first(const uint8_t *data, size_t len, struct named *named)
{
	struct span in = { data, data + len };
	struct element el;

	return read_head(&in, &el) && read_named(&el, named) && named->type != TYPE_OTHER;
}

bool ss_cms_is(const uint8_t *data, size_t len)
{
	struct named named;

	return read_first(data, len, &named);
}

bool ss_cms_is_enveloped(const uint8_t *data, size_t len)
{
	struct named named;

	return read_first(data, len, &named) && named.type == TYPE_ENCRYPTED;
}

/**
 * struct output - Content on its way out.
 * @inner: takes it
 * @compressed: it is
 * @zlib: takes the compression off then
 * @done: the compressed bytes of a file have come to their end
 * @sound: nothing of it was odd
 */
struct output {
	const struct ss_extract_sink *inner;
	bool compressed;
	z_stream zlib;
	bool done;
	bool sound;
};

static bool put_bytes(struct output *out, const uint8_t *data, size_t len)
{
	return !len || out->inner->octets(out->inner->arg, data, len);
}

/* Return: whether to go on */
static bool inflate_some(struct output *out, const struct span *in)
{
	uint8_t buf[BUFFER];
	int ret = Z_OK;

	/* avail_in has 32 bits: a length of CMS may have more */
	for (const uint8_t *at = in->at; at < in->end && !out->done;) {
		size_t some = in->end - at < (1 << 30) ? in->end - at : 1 << 30;

		out->zlib.next_in = (Bytef *)at;
		out->zlib.avail_in = some;
		do {
			out->zlib.next_out = buf;
			out->zlib.avail_out = sizeof(buf);
			ret = inflate(&out->zlib, Z_SYNC_FLUSH);
			if (!put_bytes(out, buf, sizeof(buf) - out->zlib.avail_out))
				return false;
		} while (ret == Z_OK && !out->zlib.avail_out);
		at += some;
		out->sound &= ret == Z_OK || ret == Z_STREAM_END || ret == Z_BUF_ERROR;
		out->done = ret != Z_OK && ret != Z_BUF_ERROR;
	}
	return true;
}

static bool put_piece(struct output *out, const struct span *piece)
{
	if (out->compressed)
		return inflate_some(out, piece);
	return put_bytes(out, piece->at, piece->end - piece->at);
}

/*
 * Hand out a string that may be in pieces, which may be in pieces. Of one that is cut
 * off, what there is. Return: whether to go on.
 */
static bool put_string(struct output *out, const struct element *string)
{
	struct span in = string->content;
	/* where those that have a length end; NULL for the others */
	const uint8_t *ends[MAX_NEST] = { string->endless ? NULL : in.end };
	unsigned int depth = 1;
	struct element el;

	out->sound &= !string->cut;
	if (!(string->tag & CONSTRUCTED))
		return put_piece(out, &string->content);
	while (depth) {
		if (ends[depth - 1] && in.at >= ends[depth - 1]) {
			depth--;
			continue;
		}
		if (!read_head(&in, &el)) {
			out->sound = false;
			break;
		}
		if (is_end(&el)) {
			/* where a length is given, some readers go on to there */
			out->sound &= !ends[depth - 1];
			depth -= !ends[depth - 1];
			continue;
		}
		out->sound &= !el.cut && (el.tag & ~CONSTRUCTED) == TAG_OCTETS;
		/* of one that does not end with what it is in, readers differ */
		if (ends[depth - 1] && !el.endless && el.content.end > ends[depth - 1])
			out->sound = false;
		if (el.tag & CONSTRUCTED) {
			if (depth == MAX_NEST) {
				out->sound = false;
				break;
			}
			ends[depth++] = el.endless ? NULL : el.content.end;
			continue;
		}
		if (!put_piece(out, &el.content))
			return false;
		in.at = el.content.end;
	}
	return true;
}

/* Make CMS of a content that has only its type outside, to be read in turn */
static bool put_wrapping(struct output *out, const struct named *named)
{
	static const uint8_t sequence[] = { TAG_SEQUENCE, 0x80 };
	static const uint8_t content[] = { TAG_CONTENT, 0x80 };

	return put_bytes(out, sequence, sizeof(sequence)) &&
	       put_bytes(out, named->oid.at, named->oid.end - named->oid.at) &&
	       put_bytes(out, content, sizeof(content));
}

/* Hand out one file, @wrapped to be read as CMS. Return: whether to go on. */
static bool put_file(struct output *out, const struct named *named, const struct element *el,
		     bool wrapped)
{
	struct span in = { el->head.at, el->endless ? named->content.end : el->content.end };
	bool more;

	if (!out->inner->file(out->inner->arg, NO_NAME, strlen(NO_NAME)) ||
	    (wrapped && !put_wrapping(out, named)))
		return false;
	/* each is compressed by itself: the end of one is not that of the next */
	if (out->compressed && inflateReset(&out->zlib) != Z_OK)
		out->sound = false;
	out->done = false;
	/* PKCS#7 had any element there, and not a string alone */
	more = (el->tag & ~CONSTRUCTED) == TAG_OCTETS ? put_string(out, el) : put_piece(out, &in);
	/* all of it is there only where it says that it ends */
	out->sound &= !out->compressed || out->done;
	return more;
}

/*
 * Hand out what is behind a type: as it stands, since who shows mail need not ask for
 * the type, and as the CMS that it is said to be. Return: whether to go on.
 */
static bool put_content(struct output *out, const struct named *named)
{
	bool is_cms = named->type != TYPE_DATA && named->type != TYPE_OTHER;
	struct span in = named->content;
	struct element el;

	if (!read_head(&in, &el)) {
		out->sound = false;
		return true;
	}
	return put_file(out, named, &el, false) && (!is_cms || put_file(out, named, &el, true));
}

/* The content of what is signed, or compressed, is the one with a type and [0] */
static void read_readable(struct output *out, const struct span *content)
{
	struct span in = *content;
	struct element outer, el;
	struct named named;
	bool seen = false;

	if (!read_head(&in, &outer) || outer.tag != TAG_SEQUENCE) {
		out->sound = false;
		return;
	}
	in.end = outer.content.end;
	while (read_head(&in, &el) && !(outer.endless && is_end(&el))) {
		if (read_named(&el, &named)) {
			/* an algorithm is much like it, but for the [0] */
			seen = true;
			if (named.there && !put_content(out, &named))
				return;
		}
		if (!skip_element(&in, &el))
			break;
	}
	out->sound &= seen;
}

static void read_compressed(struct output *out, const struct span *content)
{
	if (inflateInit(&out->zlib) != Z_OK) {
		out->sound = false;
		return;
	}
	out->compressed = true;
	read_readable(out, content);
	inflateEnd(&out->zlib);
}

bool ss_cms_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner)
{
	struct output out = { .inner = inner, .sound = true };
	struct named named;

	if (!read_first(data, len, &named))
		return false;
	switch (named.type) {
	case TYPE_ENCRYPTED:
		break;
	case TYPE_DATA:
		if (named.there)
			put_content(&out, &named);
		break;
	case TYPE_COMPRESSED:
		read_compressed(&out, &named.content);
		break;
	default:
		read_readable(&out, &named.content);
	}
	return out.sound;
}

/* -- as a text ------------------------------------------------------------ */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Go behind the line that says what follows, if there is one */
static const uint8_t *skip_label(const uint8_t *at, const uint8_t *end)
{
	static const char begin[] = "-----BEGIN ";
	const uint8_t *line;

	while (at < end && is_blank(*at))
		at++;
	if ((size_t)(end - at) < sizeof(begin) || memcmp(at, begin, sizeof(begin) - 1) != 0)
		return at;
	line = memchr(at, '\n', end - at);
	return line ? line + 1 : end;
}

/* Decode up to @room bytes, to what is no base64. Return: how many. */
static size_t decode_base64(const uint8_t **at, const uint8_t *end, uint8_t *out, size_t room)
{
	unsigned int bits = 0, value = 0;
	size_t used = 0;

	/* four digits are three bytes: stop between two such groups */
	for (; *at < end && (bits || used + 3 <= room); (*at)++) {
		int digit = ss_coding_digit(**at);

		if (is_blank(**at))
			continue;
		if (digit < 0)
			break;
		value = value << 6 | digit;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[used++] = value >> bits;
			value &= (1u << bits) - 1;
		}
	}
	return used;
}

bool ss_cms_text_is(const uint8_t *data, size_t len)
{
	const uint8_t *at = skip_label(data, data + len);
	uint8_t bytes[PROBE];

	/* 0x30 and a length of more than some bytes */
	if (at == data + len || *at != 'M')
		return false;
	return ss_cms_is(bytes, decode_base64(&at, data + len, bytes, sizeof(bytes)));
}

bool ss_cms_text_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner)
{
	const uint8_t *at = skip_label(data, data + len);
	uint8_t bytes[BUFFER];
	size_t used;

	if (!inner->file(inner->arg, NO_NAME, strlen(NO_NAME)))
		return true;
	do {
		used = decode_base64(&at, data + len, bytes, sizeof(bytes));
	} while (used && inner->octets(inner->arg, bytes, used));
	return true;
}
