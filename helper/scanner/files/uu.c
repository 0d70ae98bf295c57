// SPDX-License-Identifier: GPL-2.0
/*
 * uuencode (POSIX uuencode(1)): the files that are in a text. A block of it goes from
 * "begin 644 name" to "end", and each line between them has as many bytes as its first
 * character says. libarchive reads one block where all else has to be one, too; mail
 * programs find any of them in any text, and so does this. Decoders differ, in what they
 * take for the end, in blanks at the end of a line and in what is no line of a block at
 * all: what any of them may see is handed out, several times where that differs. Nothing
 * is allocated, the time is linear, and there is no state outside of a call.
 */
#include <string.h>

#include "scanner/files/lines.h"
#include "scanner/files/uu.h"

#define FULL		30u	/* bytes: a line of so many is no accident */
#define RUN		3u	/* lines that are no accident though they are odd */
#define BUFFER		4096u

/**
 * enum kind - What a line is to a block.
 * @EMPTY: nothing: it is skipped
 * @BEGIN: it begins another one
 * @STOP: it ends it
 * @ZERO: no bytes: the end to some
 * @EXACT: as many characters as it says
 * @SHORT: fewer, as where blanks at its end were lost, which stand for zeros
 * @LONG: more, behind those that it says anything
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
 * @loose: there is no mode in front of that
 * @body: the lines in it
 * @is: it is one
 * @sound: all decoders agree on it
 * @on: there is more behind a line without bytes
 * @junk: there is junk
 */
struct block {
	struct ss_lines name;
	bool loose;
	struct ss_lines body;
	bool is;
	bool sound;
	bool on;
	bool junk;
};

/**
 * enum junk - What a decoder does with junk.
 * @JUNK_SKIP: it skips it
 * @JUNK_TAKE: it takes it for a line as any other
 * @JUNK_STOP: it ends there
 * @JUNK_WAYS: how many there are
 */
enum junk {
	JUNK_SKIP,
	JUNK_TAKE,
	JUNK_STOP,
	JUNK_WAYS,
};

/**
 * struct way - How a block is decoded.
 * @on: also behind a line without bytes
 * @junk: what is done with junk
 */
struct way {
	bool on;
	enum junk junk;
};

/**
 * struct output - A file on its way out.
 * @inner: takes it
 * @data: bytes that it has not been given
 * @used: how many
 */
struct output {
	const struct ss_extract_sink *inner;
	uint8_t data[BUFFER];
	size_t used;
};

/*
 * Does a line begin a block? @name is set to that of the file, and may be empty. Decoders
 * want a mode or not, and take any digits for one.
 */
static bool is_begin(const struct ss_lines *line, struct ss_lines *name, bool *loose)
{
	static const char word[] = "begin";
	const uint8_t *s = line->at, *end = ss_lines_trim(line), *mode;

	if ((size_t)(end - s) < sizeof(word) || memcmp(s, word, sizeof(word) - 1))
		return false;
	s += sizeof(word) - 1;
	mode = ss_lines_skip_blanks(s, end);
	if (mode == s)
		return false;
	for (s = mode; s < end && *s >= '0' && *s <= '7';)
		s++;
	*loose = s == mode;
	name->at = ss_lines_skip_blanks(s, end);
	name->end = end;
	return true;
}

static size_t count_bytes(const struct ss_lines *line)
{
	return (*line->at - ' ') & 0x3f;
}

/* Characters behind the first that a line must have, and may have */
static size_t count_needed(size_t bytes)
{
	return (bytes * 8 + 5) / 6;
}

static size_t count_usual(size_t bytes)
{
	return (bytes + 2) / 3 * 4;
}

/* Tell how a line fits its first character, which says how many bytes it has */
static enum kind compare_length(const struct ss_lines *line)
{
	size_t bytes = count_bytes(line), all = line->end - line->at - 1;
	size_t some = ss_lines_trim(line) - line->at - 1;

	if (!bytes)
		return some > 1 ? JUNK : ZERO;
	/* some have a checksum behind it */
	if (some > count_usual(bytes) + 1)
		return LONG;
	return all < count_needed(bytes) ? SHORT : EXACT;
}

static enum kind classify_line(const struct ss_lines *line)
{
	const uint8_t *end = ss_lines_trim(line);
	struct ss_lines name;
	enum kind kind;
	bool loose;

	/* of blanks alone: a space is the digit zero */
	if (end == line->at)
		return line->end > end && *end == ' ' ? ZERO : EMPTY;
	if (end - line->at == 3 && !memcmp(line->at, "end", 3))
		return STOP;
	if (is_begin(line, &name, &loose) && !loose)
		return BEGIN;
	kind = compare_length(line);
	/* what is behind them does not matter */
	if (kind == LONG)
		end = line->at + 1 + count_usual(count_bytes(line));
	for (const uint8_t *s = line->at; s < end; s++)
		if (*s < ' ' || *s > '`')
			return kind == EXACT ? WILD : JUNK;
	return kind;
}

/**
 * struct tally - What the lines of a block are.
 * @first: the first that has bytes
 * @run: how many there are in front of any junk
 * @whole: how many have as many characters as they say, whatever these are
 * @full: there is a long one
 * @zero: there is one without bytes
 * @junk: there is junk
 * @odd: there is one that does not belong there
 * @ended: there is an end
 */
struct tally {
	enum kind first;
	unsigned int run;
	unsigned int whole;
	bool full;
	bool zero;
	bool junk;
	bool odd;
	bool ended;
};

static void count_line(struct tally *tally, struct block *block, enum kind kind,
		       const struct ss_lines *line)
{
	size_t bytes, digits;

	if (kind == EMPTY)
		return;
	if (kind == ZERO) {
		tally->zero = true;
		return;
	}
	bytes = count_bytes(line);
	digits = line->end - line->at - 1;
	if (tally->first == EMPTY)
		tally->first = kind;
	tally->full |= bytes >= FULL && (kind == EXACT || kind == LONG);
	tally->whole += bytes && digits >= count_needed(bytes);
	tally->junk |= kind == JUNK;
	tally->run += !tally->junk;
	tally->odd |= kind >= LONG;
	block->on |= tally->zero;
}

static bool is_block(const struct tally *tally)
{
	return tally->full || tally->first == EXACT || tally->run >= RUN || tally->whole >= RUN ||
	       (tally->ended && (tally->whole ||
				 (!tally->junk && (tally->run || tally->zero))));
}

/* Is the next line one of a block? Without a mode "begin" says little. */
static bool goes_on(const struct ss_lines *text)
{
	struct ss_lines rest = *text, line;
	enum kind kind = EMPTY;

	while (kind == EMPTY && ss_lines_next(&rest, &line))
		kind = classify_line(&line);
	return kind == EXACT;
}

/*
 * Find out how far a block goes, and whether it is one: a line like "begin 644 x" may
 * be in any letter. @text begins behind that line, and is taken as far as it goes.
 */
static void measure_block(struct ss_lines *text, struct block *block)
{
	struct tally tally = { .first = EMPTY };
	struct ss_lines line, rest = *text;

	block->body = (struct ss_lines){ text->at, text->at, text->lf };
	while (!tally.ended && ss_lines_next(&rest, &line)) {
		enum kind kind = classify_line(&line);

		if (kind == BEGIN)
			break;
		if (kind == STOP)
			tally.ended = true;
		else
			block->body.end = rest.at;
		count_line(&tally, block, kind == STOP ? EMPTY : kind, &line);
		*text = rest;
	}
	block->is = is_block(&tally);
	block->junk = tally.junk;
	block->sound = tally.ended && !tally.odd && !block->on && !block->loose;
}

static bool next_block(struct ss_lines *text, const uint8_t *start, struct block *block)
{
	struct ss_lines line, name;
	bool loose;

	while (ss_lines_find(text, start, "begin", &line)) {
		if (!is_begin(&line, &name, &loose) || (loose && !goes_on(text)))
			continue;
		*block = (struct block){ .name = name, .loose = loose };
		measure_block(text, block);
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

/* Decode a line; digits that are missing at its end are zeros */
static void decode_line(struct output *out, const struct ss_lines *line)
{
	size_t left = count_bytes(line), len = line->end - line->at, at = 1;

	while (left) {
		uint32_t bits = 0;

		for (int i = 0; i < 4; i++, at++)
			bits = bits << 6 | (at < len ? (line->at[at] - ' ') & 0x3f : 0);
		for (int shift = 16; left && shift >= 0; shift -= 8, left--)
			out->data[out->used++] = bits >> shift;
	}
}

/* Return: whether @out takes more */
static bool decode_block(struct output *out, const struct block *block, const struct way *way)
{
	const struct ss_extract_sink *inner = out->inner;
	struct ss_lines text = block->body, line;

	if (!inner->file(inner->arg, (const char *)block->name.at,
			 block->name.end - block->name.at))
		return false;
	while (ss_lines_next(&text, &line)) {
		enum kind kind = classify_line(&line);

		if ((kind == ZERO && !way->on) || (kind == JUNK && way->junk == JUNK_STOP))
			break;
		if (kind < EXACT || (kind == JUNK && way->junk == JUNK_SKIP))
			continue;
		if (out->used > BUFFER - 0x40 && !flush(out))
			return false;
		decode_line(out, &line);
	}
	return flush(out);
}

/* Hand out all that decoders make of a block. Return: whether @out takes more. */
static bool decode_all(struct output *out, const struct block *block)
{
	int ways = block->junk ? JUNK_WAYS : 1;

	for (int junk = 0; junk < ways; junk++) {
		const struct way one = { .junk = junk }, other = { .on = true, .junk = junk };

		if (!decode_block(out, block, &one) ||
		    (block->on && !decode_block(out, block, &other)))
			return false;
	}
	return true;
}

/* Return: whether decoders agree */
static bool read_blocks(struct ss_lines text, const struct ss_extract_sink *inner, bool *stop)
{
	const uint8_t *start = text.at;
	struct output out = { .inner = inner };
	struct block block;
	bool sound = true;

	while (!*stop && next_block(&text, start, &block)) {
		sound &= block.sound;
		*stop = !decode_all(&out, &block);
	}
	return sound;
}

bool ss_uu_is(const uint8_t *data, size_t len)
{
	struct ss_lines text = { data, data + len, false }, lf = { data, data + len, true };
	struct block block;

	return next_block(&text, data, &block) ||
	       (ss_lines_has_bare_cr(&lf) && next_block(&lf, data, &block));
}

bool ss_uu_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner)
{
	struct ss_lines text = { data, data + len, false };
	bool stop = false, sound = read_blocks(text, inner, &stop);

	text.lf = true;
	if (!stop && ss_lines_has_bare_cr(&text))
		sound &= read_blocks(text, inner, &stop);
	return sound;
}
