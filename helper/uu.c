// SPDX-License-Identifier: GPL-2.0
/*
 * uuencode (POSIX uuencode(1)): the files that are in a text. A block of it goes from
 * "begin 644 name" to "end", and each line between them has as many octets as its first
 * character says. libarchive reads one block where all else has to be one, too; mail
 * programs find any of them in any text, and so does this. Decoders differ, in what they
 * take for the end, in blanks at the end of a line and in what is no line of a block at
 * all: what any of them may see is handed out. Nothing is allocated, the time is linear,
 * and there is no state outside of a call.
 */
#include <string.h>

#include "lines.h"
#include "uu.h"

#define MODE_MIN	3u	/* octal digits */
#define MODE_MAX	4u
#define FULL		45u	/* octets in all lines but the last of a block */
#define RUN		3u	/* lines that are no accident though they are odd */
#define BUFFER		4096u

/**
 * enum kind - What a line is to a block.
 * @EMPTY: nothing: it is skipped
 * @BEGIN: it begins another one
 * @STOP: it ends it
 * @ZERO: no octets: the end to some
 * @EXACT: as many characters as it says
 * @SHORT: fewer, as where blanks at its end were lost, which stand for zeros
 * @LONG: more
 * @WILD: other characters, of which some take the lower six bits
 * @JUNK: others, and not as many as it says
 */
enum kind {
	EMPTY,
	BEGIN,
	STOP,
	ZERO,
	EXACT,
	SHORT,
	LONG,
	WILD,
	JUNK,
};

/**
 * struct block - A block, or what begins like one.
 * @name: of the file
 * @body: the lines in it
 * @is: it is one
 * @sound: all decoders agree on it
 * @on: there is more behind a line without octets
 */
struct block {
	struct ss_lines name;
	struct ss_lines body;
	bool is;
	bool sound;
	bool on;
};

/**
 * struct output - A file on its way out.
 * @inner: takes it
 * @data: octets that it has not been given
 * @used: how many
 */
struct output {
	const struct ss_inner *inner;
	uint8_t data[BUFFER];
	size_t used;
};

/* Whether a line begins a block; @name is that of the file, and may be empty */
static bool is_begin(const struct ss_lines *line, struct ss_lines *name)
{
	static const char word[] = "begin";
	const uint8_t *s = line->at, *end = ss_lines_trim(line), *digits;

	if ((size_t)(end - s) < sizeof(word) || memcmp(s, word, sizeof(word) - 1))
		return false;
	s += sizeof(word) - 1;
	digits = ss_lines_skip_blanks(s, end);
	if (digits == s)
		return false;
	for (s = digits; s < end && *s >= '0' && *s <= '7';)
		s++;
	if (s - digits < MODE_MIN || s - digits > MODE_MAX || (s < end && *s != ' ' && *s != '\t'))
		return false;
	*name = (struct ss_lines){ ss_lines_skip_blanks(s, end), end };
	return true;
}

static size_t count_octets(const struct ss_lines *line)
{
	return (*line->at - ' ') & 0x3f;
}

/* How a line fits its first character, which says how many octets it has */
static enum kind compare_length(const struct ss_lines *line)
{
	size_t octets = count_octets(line), all = line->end - line->at - 1;
	size_t some = ss_lines_trim(line) - line->at - 1;

	if (!octets)
		return some > 1 ? JUNK : ZERO;
	/* some have a checksum behind it */
	if (some > (octets + 2) / 3 * 4 + 1)
		return LONG;
	return all < (octets * 8 + 5) / 6 ? SHORT : EXACT;
}

static enum kind classify(const struct ss_lines *line)
{
	const uint8_t *end = ss_lines_trim(line);
	struct ss_lines name;
	enum kind kind;

	/* of blanks alone: a space is the digit zero */
	if (end == line->at)
		return line->end > end && *end == ' ' ? ZERO : EMPTY;
	if (end - line->at == 3 && !memcmp(line->at, "end", 3))
		return STOP;
	if (is_begin(line, &name))
		return BEGIN;
	kind = compare_length(line);
	for (const uint8_t *s = line->at; s < end; s++)
		if (*s < ' ' || *s > '`')
			return kind == EXACT ? WILD : JUNK;
	return kind;
}

/**
 * struct tally - What the lines of a block are.
 * @first: the first that has octets
 * @run: how many there are in front of any junk
 * @full: there is one of full length, which is no accident anywhere
 * @zero: there is one without octets
 * @junk: there is junk
 * @odd: there is one that does not belong there
 * @ended: there is an end
 */
struct tally {
	enum kind first;
	unsigned int run;
	bool full;
	bool zero;
	bool junk;
	bool odd;
	bool ended;
};

static void count_line(struct tally *tally, struct block *block, enum kind kind,
		       const struct ss_lines *line)
{
	if (kind == EMPTY)
		return;
	if (kind == ZERO) {
		tally->zero = true;
		return;
	}
	if (tally->first == EMPTY)
		tally->first = kind;
	tally->full |= kind == EXACT && count_octets(line) == FULL;
	tally->junk |= kind == JUNK;
	tally->run += !tally->junk;
	tally->odd |= kind >= LONG;
	block->on |= tally->zero;
}

/*
 * Find out how far a block goes, and whether it is one: a line like "begin 644 x" may
 * be in any letter. @text begins behind that line, and is taken as far as it goes.
 */
static void measure(struct ss_lines *text, struct block *block)
{
	struct tally tally = { .first = EMPTY };
	struct ss_lines line, rest = *text;

	block->body = (struct ss_lines){ text->at, text->at };
	while (!tally.ended && ss_lines_next(&rest, &line)) {
		enum kind kind = classify(&line);

		if (kind == BEGIN)
			break;
		if (kind == STOP)
			tally.ended = true;
		else
			block->body.end = rest.at;
		count_line(&tally, block, kind == STOP ? EMPTY : kind, &line);
		*text = rest;
	}
	block->is = tally.full || tally.first == EXACT || tally.run >= RUN ||
		    (tally.ended && !tally.junk && (tally.run || tally.zero));
	block->sound = tally.ended && !tally.odd && !block->on;
}

static bool next_block(struct ss_lines *text, const uint8_t *start, struct block *block)
{
	struct ss_lines line, name;

	while (ss_lines_find(text, start, "begin", &line)) {
		if (!is_begin(&line, &name))
			continue;
		*block = (struct block){ .name = name };
		measure(text, block);
		if (block->is)
			return true;
	}
	return false;
}

static bool flush(struct output *out)
{
	size_t used = out->used;

	out->used = 0;
	return !used || out->inner->octets(out->inner->arg, out->data, used);
}

/* What is missing at the end of the line are zeros */
static void decode_line(struct output *out, const struct ss_lines *line)
{
	size_t left = count_octets(line), len = line->end - line->at, at = 1;

	while (left) {
		uint32_t bits = 0;

		for (int i = 0; i < 4; i++, at++)
			bits = bits << 6 | (at < len ? (line->at[at] - ' ') & 0x3f : 0);
		for (int shift = 16; left && shift >= 0; shift -= 8, left--)
			out->data[out->used++] = bits >> shift;
	}
}

/* Return: whether @out takes more */
static bool decode(struct output *out, const struct block *block, bool on)
{
	const struct ss_inner *inner = out->inner;
	struct ss_lines text = block->body, line;

	if (!inner->file(inner->arg, (const char *)block->name.at,
			 block->name.end - block->name.at))
		return false;
	while (ss_lines_next(&text, &line)) {
		enum kind kind = classify(&line);

		if (kind == ZERO && !on)
			break;
		if (kind < EXACT || kind == JUNK)
			continue;
		if (out->used > BUFFER - 0x40 && !flush(out))
			return false;
		decode_line(out, &line);
	}
	return flush(out);
}

/**
 * ss_uu_is() - Whether there is a file in a text by uuencode.
 * @data: the text
 * @len: its length in octets
 *
 * Return: whether there is.
 */
bool ss_uu_is(const uint8_t *data, size_t len)
{
	struct ss_lines text = { data, data + len };
	struct block block;

	return next_block(&text, data, &block);
}

/**
 * ss_uu_read() - Go over the files that are in a text by uuencode.
 * @data: the text
 * @len: its length in octets
 * @inner: takes the files; one that goes on behind what is its end to some comes twice
 *
 * Return: whether all decoders agree on them; nothing where @inner did not take all.
 */
bool ss_uu_read(const uint8_t *data, size_t len, const struct ss_inner *inner)
{
	struct ss_lines text = { data, data + len };
	struct output out = { .inner = inner };
	struct block block;
	bool sound = true;

	while (next_block(&text, data, &block)) {
		sound &= block.sound;
		if (!decode(&out, &block, false) || (block.on && !decode(&out, &block, true)))
			break;
	}
	return sound;
}
