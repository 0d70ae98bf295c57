// SPDX-License-Identifier: GPL-2.0
/*
 * More than one reading of a message: what lenient readers may get out of it, for
 * one that ss_ambiguity_check() finds ambiguous. There is no one structure to go by
 * then. So whatever may begin a content is taken for one, each coding is tried on
 * it, whatever the fields say, and its decoders differ as those of others do: in
 * what they make of padding, junk, and line ends. No state outside of a call; time,
 * output and memory are bounded by the length of the message.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/cleanup.h"
#include "scanner/mime/coding.h"
#include "scanner/mime/lenient.h"

#define MIN_READING	16		/* bytes; fewer are nothing */
#define MAX_READINGS	4096
#define MAX_OUTPUT	8		/* of the length of the message */
#define MAX_WORK	96		/* the same */
#define SLACK		(256 << 10)	/* added to these, for short messages */
#define MAX_STARTS	5		/* of content in a section */
#define RUN_LINES	3		/* of base64 that are no accident */
#define RUN_LENGTH	60		/* bytes, the same in fewer lines */

/**
 * struct region - A piece of the message.
 * @s: its first byte
 * @end: behind it
 */
struct region {
	const char *s;
	const char *end;
};

/**
 * struct readings - All readings of a message.
 * @fn: takes each one
 * @arg: for @fn
 * @buffer: what is decoded, by depth of content in content
 * @size: of each @buffer in bytes
 * @depth: which one is used now
 * @messages: there is a message in what is decoded
 * @deeper: look into these, too
 * @seen: hashes of those that were handed out
 * @count: how many these are
 * @output: how many bytes may still be handed out
 * @work: how many bytes may still be read
 * @stop: no more of them
 * @ret: see ss_lenient_all()
 */
struct readings {
	ss_lenient_fn fn;
	void *arg;
	char *buffer[2];
	size_t size;
	unsigned int depth;
	bool messages;
	bool deeper;
	uint64_t seen[MAX_READINGS];
	unsigned int count;
	uint64_t output;
	uint64_t work;
	bool stop;
	int ret;
};

/**
 * enum base64_way - What a decoder of base64 does with what it does not expect.
 * @PADDING_ENDS: begins anew behind padding, skips other bytes
 * @PADDING_IS_JUNK: skips padding as well
 * @LINES_WITH_JUNK: skips whole lines
 */
enum base64_way {
	PADDING_ENDS,
	PADDING_IS_JUNK,
	LINES_WITH_JUNK,
};

/**
 * enum quoted_way - What a decoder of quoted-printable does with a stray "=".
 * @KEEP: takes it as it is
 * @DROP: skips it, and NULs
 * @DROP_ALL: skips it and what is in the place of two digits
 * @JOIN: joins the lines first
 */
enum quoted_way {
	KEEP,
	DROP,
	DROP_ALL,
	JOIN,
};

static void read_message(struct readings *r, const struct region *message);

static bool is_eol(char c)
{
	return c == '\r' || c == '\n';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\0';
}

/* The next line, ended by anything that ends lines to somebody */
static bool next_line(const char **at, const char *end, struct region *line)
{
	const char *s = *at;

	if (s == end)
		return false;
	line->s = s;
	while (s < end && !is_eol(*s))
		s++;
	line->end = s;
	if (s < end)
		s += s + 1 < end && s[0] == '\r' && s[1] == '\n' ? 2 : 1;
	*at = s;
	return true;
}

static const char *skip_blanks(const struct region *line)
{
	const char *s = line->s;

	while (s < line->end && is_blank(*s))
		s++;
	return s;
}

static bool fail(struct readings *r, int ret)
{
	if (!r->stop)
		r->ret = ret;
	r->stop = true;
	return false;
}

/* May @len bytes more be read? */
static bool take_work(struct readings *r, size_t len)
{
	if (r->stop)
		return false;
	if (r->work < len)
		return fail(r, -E2BIG);
	r->work -= len;
	return true;
}

static uint64_t hash(const char *s, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001b3;
	return h;
}

static bool is_new(struct readings *r, const char *s, size_t len)
{
	uint64_t h = hash(s, len);

	for (unsigned int i = 0; i < r->count; i++)
		if (r->seen[i] == h)
			return false;
	if (r->count == MAX_READINGS)
		return fail(r, -E2BIG);
	r->seen[r->count++] = h;
	return true;
}

static bool has_fields(const char *s, size_t len)
{
	static const char word[] = "content-t";
	const char *end = s + len;

	for (; (size_t)(end - s) >= sizeof(word) - 1; s++)
		if ((*s | 0x20) == 'c' && !strncasecmp(s, word, sizeof(word) - 1))
			return true;
	return false;
}

static void hand_out(struct readings *r, const char *s, size_t len)
{
	if (r->stop || len < MIN_READING || !take_work(r, len) || !is_new(r, s, len))
		return;
	if (r->output < len) {
		fail(r, -E2BIG);
		return;
	}
	r->output -= len;
	if (!r->fn(s, len, r->arg))
		fail(r, 0);
}

/* Hand out what was decoded into the buffer, and what is in it if it is a message */
static void hand_out_decoded(struct readings *r, size_t len)
{
	const char *s = r->buffer[r->depth];
	const struct region inner = { s, s + len };

	hand_out(r, s, len);
	if (r->depth + 1 == ARRAY_SIZE(r->buffer) || !take_work(r, len) ||
	    !has_fields(s, len))
		return;
	r->messages = true;
	if (!r->deeper)
		return;
	r->depth++;
	read_message(r, &inner);
	r->depth--;
}

/**
 * struct digits - The digits of base64 that are not bytes yet.
 * @bits: their bits
 * @count: how many
 */
struct digits {
	uint32_t bits;
	unsigned int count;
};

static char *flush_digits(struct digits *digits, char *out)
{
	if (digits->count >= 2) {
		uint32_t bits = digits->bits << 6 * (4 - digits->count);

		*out++ = bits >> 16;
		if (digits->count >= 3)
			*out++ = bits >> 8;
		if (digits->count == 4)
			*out++ = bits;
	}
	*digits = (struct digits){ 0 };
	return out;
}

static bool has_junk(const struct region *line)
{
	for (const char *s = line->s; s < line->end; s++)
		if (ss_coding_digit(*s) < 0 && *s != '=' && !is_blank(*s))
			return true;
	return false;
}

static size_t decode_base64(char *out, const struct region *in, enum base64_way way)
{
	const char *at = in->s, *begin = out;
	struct digits digits = { 0 };
	struct region line;

	while (next_line(&at, in->end, &line)) {
		if (way == LINES_WITH_JUNK && has_junk(&line))
			continue;
		for (const char *s = line.s; s < line.end; s++) {
			int digit = ss_coding_digit(*s);

			if (digit >= 0) {
				digits.bits = digits.bits << 6 | digit;
				digits.count++;
			}
			if (digits.count == 4 || (*s == '=' && way != PADDING_IS_JUNK))
				out = flush_digits(&digits, out);
		}
	}
	return flush_digits(&digits, out) - begin;
}

/* Skip a soft line break: blanks and a line end. Return: NULL where it is none. */
static const char *skip_break(const char *s, const char *end)
{
	while (s < end && is_blank(*s))
		s++;
	if (s < end && !is_eol(*s))
		return NULL;
	while (s < end && *s == '\r')
		s++;
	if (s < end && *s == '\n')
		s++;
	/* LF CR is the end of a line to some */
	return end - s > 1 && s[0] == '\r' && s[1] != '\n' ? s + 1 : s;
}

/* Skip a stray "=" and what may be meant by it */
static const char *skip_stray(const char *s, const char *end)
{
	int i;

	for (s++; s < end && is_blank(*s);)
		s++;
	for (i = 0; i < 2 && s < end && !is_eol(*s); i++)
		s++;
	if (i < 2 && s < end)
		s += end - s > 1 && s[0] == '\r' && s[1] == '\n' ? 2 : 1;
	return s;
}

static size_t decode_quoted(char *out, const struct region *in, enum quoted_way way)
{
	const char *s = in->s, *end = in->end, *begin = out, *next;

	while (s < end) {
		if (*s != '=') {
			if (*s || way == KEEP)
				*out++ = *s;
			s++;
		} else if (end - s > 2 && ss_coding_hex(s[1]) >= 0 && ss_coding_hex(s[2]) >= 0) {
			*out++ = ss_coding_hex(s[1]) << 4 | ss_coding_hex(s[2]);
			s += 3;
		} else if ((next = skip_break(s + 1, end))) {
			s = next;
		} else if (way == DROP_ALL) {
			s = skip_stray(s, end);
		} else {
			if (way == KEEP)
				*out++ = '=';
			s++;
		}
	}
	return out - begin;
}

/* Copy a text without its soft line breaks, which may be within a "=XX" */
static size_t join_quoted(char *out, const struct region *in)
{
	const char *s = in->s, *begin = out, *next;
	struct region joined;

	while (s < in->end) {
		next = *s == '=' ? skip_break(s + 1, in->end) : NULL;
		if (next)
			s = next;
		else
			*out++ = *s++;
	}
	joined = (struct region){ begin, out };
	/* In place: what is decoded is never longer */
	return decode_quoted((char *)begin, &joined, KEEP);
}

static void try_base64(struct readings *r, const struct region *in)
{
	for (int way = PADDING_ENDS; way <= LINES_WITH_JUNK; way++) {
		if (!take_work(r, in->end - in->s))
			return;
		hand_out_decoded(r, decode_base64(r->buffer[r->depth], in, way));
	}
}

static void try_quoted(struct readings *r, const struct region *in)
{
	char *out = r->buffer[r->depth];

	if (!memchr(in->s, '=', in->end - in->s))
		return;
	for (int way = KEEP; way <= JOIN; way++) {
		if (!take_work(r, in->end - in->s))
			return;
		hand_out_decoded(r, way == JOIN ? join_quoted(out, in) :
					decode_quoted(out, in, way));
	}
}

static void try_all(struct readings *r, const struct region *in)
{
	if (in->end - in->s < MIN_READING)
		return;
	try_base64(r, in);
	try_quoted(r, in);
	hand_out(r, in->s, in->end - in->s);
}

/* May a line be a field, or go on with one? */
static bool is_header(const struct region *line)
{
	const char *s = line->s;

	if (s < line->end && (*s == ' ' || *s == '\t'))
		return true;
	while (s < line->end && *s != ':' && *s != ' ')
		s++;
	return s < line->end && s > line->s;
}

/* Content begins here, or behind blank lines that are here. Return: where. */
static const char *add_start(const char **starts, unsigned int *count, const char *s,
			     const char *end)
{
	const char *at = s;
	struct region line;

	while (next_line(&at, end, &line) && skip_blanks(&line) == line.end)
		s = at;
	for (unsigned int i = 0; i < *count; i++)
		if (starts[i] == s)
			return s;
	starts[(*count)++] = s;
	return s;
}

/*
 * Read what is between two lines that may be delimiters. Its content may begin behind any
 * line that may be taken as blank, or with the first one that looks like no field.
 */
static void read_section(struct readings *r, const struct region *section)
{
	const char *starts[MAX_STARTS], *at = section->s, *text = NULL;
	unsigned int count = 0;
	struct region line;

	while (count < MAX_STARTS && next_line(&at, section->end, &line)) {
		bool blank = skip_blanks(&line) == line.end;

		if (!text && !is_header(&line)) {
			text = add_start(starts, &count, line.s, section->end);
			at = blank ? text : at;
		} else if (blank) {
			at = add_start(starts, &count, at, section->end);
		}
	}
	for (unsigned int i = 0; i < count; i++)
		try_all(r, &(struct region){ starts[i], section->end });
}

/* Any line that begins with "--" may be a delimiter */
static bool is_dashed(const struct region *line)
{
	const char *s = skip_blanks(line);

	return line->end - s >= 2 && !memcmp(s, "--", 2);
}

static void read_sections(struct readings *r, const struct region *message)
{
	struct region section = { message->s, message->s }, line;
	const char *at = message->s;

	while (!r->stop && next_line(&at, message->end, &line)) {
		if (!is_dashed(&line)) {
			section.end = at;
			continue;
		}
		read_section(r, &section);
		section = (struct region){ at, at };
	}
	read_section(r, &section);
}

static bool looks_base64(const struct region *line)
{
	const char *s = skip_blanks(line), *end = line->end;

	while (end > s && is_blank(end[-1]))
		end--;
	if (end - s < 4)
		return false;
	for (; s < end; s++)
		if (ss_coding_digit(*s) < 0 && *s != '=')
			return false;
	return true;
}

/* Base64, wherever it is, with what may be a delimiter or not between its lines */
static void read_runs(struct readings *r, const struct region *message)
{
	struct region run = { NULL, NULL }, line;
	const char *at = message->s;
	size_t lines = 0, total = 0;

	while (!r->stop && next_line(&at, message->end, &line)) {
		if (looks_base64(&line)) {
			if (!lines++)
				run.s = line.s;
			run.end = line.end;
			total += line.end - line.s;
			if (at < message->end)
				continue;
		} else if (lines && is_dashed(&line) && at < message->end) {
			continue;
		}
		if (lines >= RUN_LINES || total >= RUN_LENGTH)
			try_base64(r, &run);
		lines = 0;
		total = 0;
	}
}

static char *decode_uu_line(char *out, const struct region *line)
{
	size_t left = (line->s[0] - ' ') & 0x3f;

	for (const char *s = line->s + 1; left && s < line->end; s += 4) {
		uint32_t bits = 0;

		for (int i = 0; i < 4; i++)
			bits = bits << 6 | ((s + i < line->end ? s[i] - ' ' : 0) & 0x3f);
		for (int shift = 16; left && shift >= 0; shift -= 8, left--)
			*out++ = bits >> shift;
	}
	return out;
}

/* Files in text by uuencode */
static void read_uu(struct readings *r, const struct region *message)
{
	static const char begin[] = "begin ", stop[] = "end";
	const char *at = message->s;
	char *out = r->buffer[r->depth];
	bool within = false;
	struct region line;

	while (!r->stop && next_line(&at, message->end, &line)) {
		size_t len = line.end - line.s;

		if (within && len && (len < 3 || memcmp(line.s, stop, 3)))
			out = decode_uu_line(out, &line);
		else if (within && len)
			within = false;
		if (!within && out != r->buffer[r->depth]) {
			hand_out_decoded(r, out - r->buffer[r->depth]);
			out = r->buffer[r->depth];
		}
		if (!within && len > sizeof(begin) && !memcmp(line.s, begin, sizeof(begin) - 1))
			within = line.s[sizeof(begin) - 1] >= '0' &&
				 line.s[sizeof(begin) - 1] <= '7';
	}
	if (within)
		hand_out_decoded(r, out - r->buffer[r->depth]);
}

static void read_message(struct readings *r, const struct region *message)
{
	if (!r->buffer[r->depth])
		r->buffer[r->depth] = malloc(r->size);
	if (!r->buffer[r->depth]) {
		fail(r, -ENOMEM);
		return;
	}
	if (!take_work(r, 4 * (message->end - message->s)))
		return;
	read_sections(r, message);
	read_runs(r, message);
	read_uu(r, message);
}

int ss_lenient_all(const char *text, size_t len, ss_lenient_fn fn, void *arg)
{
	const struct region message = { text, text + len };
	struct readings *r;
	int ret;

	if (len < MIN_READING)
		return 0;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->fn = fn;
	r->arg = arg;
	r->size = len;
	r->output = (uint64_t)len * MAX_OUTPUT + SLACK;
	r->work = (uint64_t)len * MAX_WORK + SLACK;
	read_message(r, &message);
	r->deeper = r->messages;
	if (r->deeper && !r->stop)
		read_message(r, &message);
	ret = r->ret;
	for (size_t i = 0; i < ARRAY_SIZE(r->buffer); i++)
		free(r->buffer[i]);
	free(r);
	return ret;
}
