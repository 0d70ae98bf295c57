// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <strings.h>

#include "reader.h"

/* Length of the line end at @i, 0 if there is none, -1 if not known yet. */
static int line_end(const struct reader *r, size_t i)
{
	const uint8_t *p = r->in.p;

	if (p[i] == '\r') {
		if (i + 1 == r->in.n)
			return -1;
		if (p[i + 1] == '\n')
			return 2;
		return r->lax ? 1 : 0;
	}
	return p[i] == '\n' && (r->lax || (r->lf && !r->in_message));
}

static bool is(const char *p, size_t n, const char *verb)
{
	return n >= strlen(verb) && !strncasecmp(p, verb, strlen(verb));
}

/* Where the blanks from @i on end. */
static size_t skip_blanks(const char *p, size_t n, size_t i)
{
	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return i;
}

/*
 * Is it BDAT, and well-formed? Then its octets come next. Blanks are taken as
 * any server does: more than one, tabs, and behind (RFC 5321 4.1.1).
 */
static bool begins_chunk(struct reader *r, const char *p, size_t n)
{
	size_t i = 4, end;

	if (!is(p, n, "BDAT") || skip_blanks(p, n, i) == i)
		return false;
	i = skip_blanks(p, n, i);
	r->chunk = 0;
	for (end = i; end < n && p[end] >= '0' && p[end] <= '9'; end++)
		if (r->chunk < SIZE_MAX / 100)
			r->chunk = r->chunk * 10 + (size_t)(p[end] - '0');
	if (end == i)
		return false;
	i = skip_blanks(p, n, end);
	r->last = i > end && is(p + i, n - i, "LAST");
	return skip_blanks(p, n, r->last ? i + 4 : i) == n;
}

/* Takes one line off; false if there is no whole one. */
static bool take_line(struct reader *r)
{
	const char *p = (const char *)r->in.p;
	size_t i;

	for (i = 0; i < r->in.n; i++) {
		int end = line_end(r, i), code;

		if (end < 0)
			return false;
		if (!end)
			continue;
		r->in_chunk = !r->in_auth && begins_chunk(r, p, i);
		if (r->in_chunk) {
			bytes_drop(&r->in, i + (size_t)end);
			return true;
		}
		code = r->reply(r->ctx, p, i);
		r->ended = !code;
		if (r->ended)
			return false;
		r->in_auth = code == 334;
		r->in_message = code == 354 && is(p, i, "DATA");
		if (code / 100 == 2 && (is(p, i, "RSET") || is(p, i, "MAIL") ||
					is(p, i, "EHLO") || is(p, i, "HELO")))
			r->chunks.n = 0;
		bytes_drop(&r->in, i + (size_t)end);
		return true;
	}
	return false;
}

/* Takes one chunk off; false if it is not there. */
static bool take_chunk(struct reader *r)
{
	int code;

	if (r->in.n < r->chunk)
		return false;
	code = r->last ? r->reply(r->ctx, "BDAT LAST", 9) :
			 r->reply(r->ctx, "BDAT", 4);
	r->in_chunk = false;
	r->ended = !code;
	if (code / 100 == 2 || r->last) {
		size_t i;

		for (i = 0; i < r->chunk; i++)
			if (r->in.p[i] || !r->lax)
				bytes_add(&r->chunks, r->in.p + i, 1);
	} else {
		r->chunks.n = 0;
	}
	if (r->last) {
		bytes_add_message(&r->messages, r->chunks.p, r->chunks.n);
		if (code / 100 == 2)
			bytes_add_message(&r->acked, r->chunks.p, r->chunks.n);
		r->chunks.n = 0;
	}
	bytes_drop(&r->in, r->chunk);
	return !r->ended;
}

static void end_message(struct reader *r, size_t n)
{
	int code = r->reply(r->ctx, ".", 1);

	bytes_add_message(&r->messages, r->in.p, n);
	if (code / 100 == 2)
		bytes_add_message(&r->acked, r->in.p, n);
	r->in_message = false;
	r->ended = !code;
}

/* Takes one message off; false if its end is not there. */
static bool take_message(struct reader *r)
{
	bool at_start = true;
	size_t i;

	for (i = 0; i < r->in.n; i++) {
		int end;

		if (at_start && r->in.p[i] == '.' && i + 1 < r->in.n) {
			end = line_end(r, i + 1);
			if (end < 0)
				return false;
			if (end) {
				end_message(r, i);
				bytes_drop(&r->in, i + 1 + (size_t)end);
				return !r->ended;
			}
		}
		end = line_end(r, i);
		if (end < 0)
			return false;
		at_start = end;
		if (end == 2)
			i++;
	}
	return false;
}

static void take_all(struct reader *r)
{
	bool more = true;

	while (!r->ended && more) {
		if (r->in_chunk)
			more = take_chunk(r);
		else
			more = r->in_message ? take_message(r) : take_line(r);
	}
}

void reader_feed(struct reader *r, const void *p, size_t n)
{
	const uint8_t *octets = p;
	size_t i;

	if (!r->lax)
		bytes_add(&r->in, p, n);
	if (!r->greeted) {
		r->greeted = true;
		r->ended = !r->reply(r->ctx, "", 0);
	}
	for (i = 0; r->lax && i < n; i++) {
		if (!octets[i] && !r->in_chunk)
			continue;
		bytes_add(&r->in, octets + i, 1);
		/* in a chunk NULs count, so it must be known where it begins */
		if (r->in_chunk || octets[i] == '\n' || (i && octets[i - 1] == '\r'))
			take_all(r);
	}
	take_all(r);
}

void reader_free(struct reader *r)
{
	bytes_free(&r->in);
	bytes_free(&r->messages);
	bytes_free(&r->acked);
	bytes_free(&r->chunks);
}
