// SPDX-License-Identifier: GPL-2.0
/*
 * TNEF, the winmail.dat of Outlook (MS-OXTNEF): the files in it. It is a list of
 * attributes; those of an attachment follow one another, and one of them may be a
 * list of MAPI properties. All that is not about a file is skipped.
 *
 * Whoever wants a file not to be seen breaks something in front of it, and there are
 * readers that do not mind. So nothing ends this one but the end of the bytes, which
 * is why libytnef is of no use here: it stops at a wrong checksum, an empty attribute,
 * a long title or a property that it does not know. Nothing is allocated, and
 * no byte is read more than a few times. No state outside of a call.
 */
#include <string.h>

#include <glib.h>

#include "scanner/files/tnef.h"

#define STREAM_HEAD	6u	/* the mark and a key, which nobody needs */
#define ATTRIBUTE_HEAD	9u	/* level, number, type, length */
#define NAME_SIZE	1024u
#define NAME_UNITS	(NAME_SIZE / 3)		/* of UTF-16, which fit in any case */
#define MULTIPLE	0x1000u	/* a property with many values */
#define GUID_SIZE	16u

/* Attributes, by the lower half of their number: the upper one is a type */
enum attribute_id {
	ATTRIBUTE_DATA		= 0x800f,
	ATTRIBUTE_TITLE		= 0x8010,
	ATTRIBUTE_TRANSPORT	= 0x9001,
	ATTRIBUTE_RENDERING	= 0x9002,	/* begins an attachment */
	ATTRIBUTE_PROPERTIES	= 0x9005,
};

enum property_id {
	PROPERTY_DISPLAY	= 0x3001,
	PROPERTY_DATA		= 0x3701,
	PROPERTY_SHORT		= 0x3704,
	PROPERTY_LONG		= 0x3707,
	PROPERTY_TRANSPORT	= 0x370c,
};

enum property_type {
	TYPE_OBJECT	= 0x000d,
	TYPE_STRING	= 0x001e,
	TYPE_UNICODE	= 0x001f,
	TYPE_BINARY	= 0x0102,
};

/**
 * enum rank - The names of an attachment, the one first that Outlook shows.
 * @RANK_LONG: the name
 * @RANK_TITLE: the same in eight and three letters
 * @RANK_SHORT: likewise
 * @RANK_TRANSPORT: what another mailer made of it
 * @RANK_DISPLAY: the subject of a message, the name of another file
 * @RANK_NONE: it is no name, but content
 */
enum rank {
	RANK_LONG,
	RANK_TITLE,
	RANK_SHORT,
	RANK_TRANSPORT,
	RANK_DISPLAY,
	RANK_NONE,
};

/**
 * struct span - Bytes that are still to be read.
 * @at: the first
 * @left: how many
 */
struct span {
	const uint8_t *at;
	size_t left;
};

/**
 * struct item - A name or the content of an attachment.
 * @rank: which name it is
 * @type: enum property_type
 * @value: its bytes
 */
struct item {
	enum rank rank;
	uint16_t type;
	struct span value;
};

/**
 * struct name - A name.
 * @text: its bytes, in UTF-8 where they were UTF-16
 * @len: how many
 */
struct name {
	char text[NAME_SIZE];
	size_t len;
};

/**
 * struct tnef - A stream that is being read.
 * @inner: takes the files
 * @stop: it takes no more
 * @sound: all of it was as it should be so far
 * @best: the name of this attachment
 * @rank: which name that is
 * @files: contents of this attachment: one, but for who deceives
 * @object: one of them is an object: a message, or a document
 */
struct tnef {
	const struct ss_extract_sink *inner;
	bool stop;
	bool sound;
	struct name best;
	enum rank rank;
	unsigned int files;
	bool object;
};

/**
 * struct property - A property, up to its values.
 * @type: enum property_type
 * @id: enum property_id
 * @size: bytes of a value, 0 where each has a length in front
 * @count: how many values there are
 */
struct property {
	uint16_t type;
	uint16_t id;
	unsigned int size;
	uint32_t count;
};

typedef void (*item_fn)(struct tnef *t, const struct item *item);

static uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

/* Take @len bytes, or as many as there are. Return: whether there were so many. */
static bool take(struct span *s, size_t len, struct span *out)
{
	bool all = len <= s->left;

	out->at = s->at;
	out->left = all ? len : s->left;
	s->at += out->left;
	s->left -= out->left;
	return all;
}

static bool take32(struct span *s, uint32_t *value)
{
	struct span bytes;

	if (!take(s, 4, &bytes))
		return false;
	*value = get32(bytes.at);
	return true;
}

/* -- names ---------------------------------------------------------------- */

/* Set a name of bytes. Of a long one the end counts, as it does for the rules. */
static void set_narrow(struct name *name, const struct span *value)
{
	const uint8_t *nul = memchr(value->at, '\0', value->left);
	size_t len = nul ? (size_t)(nul - value->at) : value->left;
	size_t cut = len > NAME_SIZE ? len - NAME_SIZE : 0;

	name->len = len - cut;
	memcpy(name->text, value->at + cut, name->len);
}

static gunichar get_unit(const uint8_t *units, size_t i, size_t count)
{
	uint16_t unit = get16(units + 2 * i);

	if (unit >= 0xd800 && unit < 0xdc00 && i + 1 < count) {
		uint16_t low = get16(units + 2 * i + 2);

		if (low >= 0xdc00 && low < 0xe000)
			return 0x10000 + ((unit & 0x3ffu) << 10) + (low & 0x3ffu);
	}
	return unit;
}

static void set_wide(struct name *name, const struct span *value)
{
	const uint8_t *units = value->at;
	size_t count = 0;

	while (count < value->left / 2 && get16(units + 2 * count))
		count++;
	if (count > NAME_UNITS) {
		units += 2 * (count - NAME_UNITS);
		count = NAME_UNITS;
	}
	name->len = 0;
	for (size_t i = 0; i < count; i++) {
		gunichar c = get_unit(units, i, count);

		name->len += g_unichar_to_utf8(c, name->text + name->len);
		i += c >= 0x10000;
	}
}

static void set_name(struct name *name, const struct item *item)
{
	if (item->type == TYPE_UNICODE)
		set_wide(name, &item->value);
	else
		set_narrow(name, &item->value);
}

/* -- one attachment ------------------------------------------------------- */

static void begin_file(struct tnef *t, const struct name *name)
{
	t->stop |= !t->inner->file(t->inner->arg, name->text, name->len);
}

/* The first time over an attachment */
static void choose_name(struct tnef *t, const struct item *item)
{
	struct name name;

	if (item->rank == RANK_NONE) {
		t->files++;
		t->object |= item->type == TYPE_OBJECT;
		return;
	}
	if (item->rank >= t->rank)
		return;
	set_name(&name, item);
	if (!name.len)
		return;
	t->best = name;
	t->rank = item->rank;
}

static void hand_out(struct tnef *t, const struct span *value)
{
	begin_file(t, &t->best);
	if (!t->stop && value->left)
		t->stop = !t->inner->octets(t->inner->arg, value->at, value->left);
}

/* The second time */
static void hand_out_content(struct tnef *t, const struct item *item)
{
	struct span value = item->value, guid;

	if (item->rank != RANK_NONE)
		return;
	hand_out(t, &value);
	/* The kind of the object stands in front, which not all readers know */
	if (t->stop || item->type != TYPE_OBJECT || value.left < GUID_SIZE)
		return;
	take(&value, GUID_SIZE, &guid);
	hand_out(t, &value);
}

/* The third time: another reader may prefer another name */
static void hand_out_name(struct tnef *t, const struct item *item)
{
	struct name name;

	if (item->rank >= RANK_DISPLAY)
		return;
	set_name(&name, item);
	if (name.len &&
	    (name.len != t->best.len || memcmp(name.text, t->best.text, name.len)))
		begin_file(t, &name);
}

static enum rank property_rank(const struct property *p)
{
	switch (p->id) {
	case PROPERTY_LONG:
		return RANK_LONG;
	case PROPERTY_SHORT:
		return RANK_SHORT;
	case PROPERTY_TRANSPORT:
		return RANK_TRANSPORT;
	case PROPERTY_DISPLAY:
		return RANK_DISPLAY;
	}
	return RANK_NONE;
}

static void see_value(struct tnef *t, const struct property *p, const struct span *value,
		      item_fn fn)
{
	const struct item item = {
		.rank = property_rank(p), .type = p->type & ~MULTIPLE, .value = *value,
	};
	bool text = item.type == TYPE_STRING || item.type == TYPE_UNICODE;
	bool bytes = item.type == TYPE_BINARY || item.type == TYPE_OBJECT;

	if (item.rank == RANK_NONE ? p->id == PROPERTY_DATA && bytes : text)
		fn(t, &item);
}

/* Return: whether the type is known */
static bool set_size(struct property *p)
{
	switch (p->type & ~MULTIPLE) {
	case 0x0002:	/* an integer of two bytes takes four, as all do */
	case 0x0003:
	case 0x0004:
	case 0x000a:
	case 0x000b:
		p->size = 4;
		return true;
	case 0x0005:
	case 0x0006:
	case 0x0007:
	case 0x0014:
	case 0x0040:
		p->size = 8;
		return true;
	case 0x0048:
		p->size = GUID_SIZE;
		return true;
	case TYPE_OBJECT:
	case TYPE_STRING:
	case TYPE_UNICODE:
	case TYPE_BINARY:
		p->size = 0;
		return true;
	}
	return false;
}

/* Skip the name that properties from 0x8000 on have, which is a number or a text */
static bool skip_property_name(struct span *s)
{
	struct span skipped;
	uint32_t kind, len;

	if (!take(s, GUID_SIZE, &skipped) || !take32(s, &kind) || !take32(s, &len))
		return false;
	return !kind || take(s, (len + 3ull) & ~3ull, &skipped);
}

static bool take_property(struct span *s, struct property *p)
{
	uint32_t tag;

	if (!take32(s, &tag))
		return false;
	*p = (struct property){ .type = tag, .id = tag >> 16, .count = 1 };
	if (!set_size(p) || (p->id >= 0x8000 && !skip_property_name(s)))
		return false;
	return (p->size && !(p->type & MULTIPLE)) || take32(s, &p->count);
}

/* Return: whether it was all there */
static bool read_values(struct tnef *t, struct span *s, const struct property *p, item_fn fn)
{
	struct span value, padding;

	for (uint32_t i = 0; i < p->count && !t->stop; i++) {
		uint32_t len = p->size;
		bool whole;

		if (!len && !take32(s, &len))
			return false;
		whole = take(s, len, &value);
		see_value(t, p, &value, fn);
		if (!whole)
			return false;
		take(s, -len & 3, &padding);
	}
	return true;
}

static bool read_properties(struct tnef *t, struct span s, item_fn fn)
{
	struct property p;
	uint32_t count;

	if (!take32(&s, &count))
		return false;
	for (uint32_t i = 0; i < count && !t->stop; i++)
		if (!take_property(&s, &p) || !read_values(t, &s, &p, fn))
			return false;
	return true;
}

/* -- attributes ----------------------------------------------------------- */

/* Return: whether all of it is there; the checksum is not looked at for @sum NULL */
static bool take_attribute(struct span *s, uint16_t *id, struct span *value, bool *sum)
{
	struct span head, tail;
	uint16_t said = 0;
	bool whole;

	take(s, ATTRIBUTE_HEAD, &head);
	*id = get16(head.at + 1);
	whole = take(s, get32(head.at + 5), value);
	whole &= take(s, 2, &tail);
	if (!sum)
		return whole;
	for (size_t i = 0; i < value->left; i++)
		said += value->at[i];
	*sum = whole && get16(tail.at) == said;
	return whole;
}

/* Call @fn for all names and contents of an attachment */
static void read_items(struct tnef *t, struct span s, item_fn fn)
{
	struct item item;
	uint16_t id;

	while (s.left >= ATTRIBUTE_HEAD && !t->stop) {
		item = (struct item){ .rank = RANK_NONE, .type = TYPE_BINARY };
		take_attribute(&s, &id, &item.value, NULL);
		switch (id) {
		case ATTRIBUTE_PROPERTIES:
			t->sound &= read_properties(t, item.value, fn);
			continue;
		case ATTRIBUTE_TITLE:
			item.rank = RANK_TITLE;
			break;
		case ATTRIBUTE_TRANSPORT:
			item.rank = RANK_TRANSPORT;
			break;
		case ATTRIBUTE_DATA:
			break;
		default:
			continue;
		}
		fn(t, &item);
	}
}

static void read_attachment(struct tnef *t, const struct span *s)
{
	t->best.len = 0;
	t->rank = RANK_NONE;
	t->files = 0;
	t->object = false;
	read_items(t, *s, choose_name);
	/* The subject of a message is no name of a file */
	if (t->rank == RANK_DISPLAY && t->object) {
		t->best.len = 0;
		t->rank = RANK_NONE;
	}
	if (!t->files && t->rank != RANK_NONE && !t->stop)
		begin_file(t, &t->best);
	read_items(t, *s, hand_out_content);
	read_items(t, *s, hand_out_name);
}

/* Is it what some programs put behind the last attribute? */
static bool is_padding(const struct span *s)
{
	for (size_t i = 0; i < s->left; i++)
		if (s->at[i] && s->at[i] != '\r' && s->at[i] != '\n')
			return false;
	return true;
}

bool ss_tnef_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner)
{
	struct tnef t = { .inner = inner, .sound = true };
	struct span s = { data, len }, attachment, value;

	if (!take(&s, STREAM_HEAD, &value))
		return false;
	attachment = (struct span){ s.at, 0 };
	while (s.left >= ATTRIBUTE_HEAD && !t.stop) {
		const uint8_t *at = s.at;
		bool sum;
		uint16_t id;

		take_attribute(&s, &id, &value, &sum);
		t.sound &= sum;
		if (id == ATTRIBUTE_RENDERING) {
			read_attachment(&t, &attachment);
			attachment.at = at;
		}
		attachment.left = s.at - attachment.at;
	}
	read_attachment(&t, &attachment);
	return t.sound && is_padding(&s);
}
