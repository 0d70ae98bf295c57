// SPDX-License-Identifier: GPL-2.0
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
		code = r->reply(r->ctx, p, i);
		r->ended = !code;
		if (r->ended)
			return false;
		r->in_message = code == 354 && i >= 4 &&
				!strncasecmp(p, "DATA", 4);
		bytes_drop(&r->in, i + (size_t)end);
		return true;
	}
	return false;
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

void reader_feed(struct reader *r, const void *p, size_t n)
{
	const uint8_t *octets = p;
	size_t i;

	if (!r->lax)
		bytes_add(&r->in, p, n);
	for (i = 0; r->lax && i < n; i++)
		if (octets[i])
			bytes_add(&r->in, octets + i, 1);
	if (!r->greeted) {
		r->greeted = true;
		r->ended = !r->reply(r->ctx, "", 0);
	}
	while (!r->ended && (r->in_message ? take_message(r) : take_line(r)))
		;
}

void reader_free(struct reader *r)
{
	bytes_free(&r->in);
	bytes_free(&r->messages);
	bytes_free(&r->acked);
}
