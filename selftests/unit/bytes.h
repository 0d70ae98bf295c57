/* SPDX-License-Identifier: GPL-2.0 */
/* A growing array of octets, for tests only: out of memory is a crash. */
#ifndef SS_UNIT_BYTES_H
#define SS_UNIT_BYTES_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	uint8_t *p;
	size_t n;
	size_t cap;
};

static inline void bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = 2 * (b->n + n);
		b->p = realloc(b->p, b->cap);
		if (!b->p)
			abort();
	}
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void bytes_drop(struct bytes *b, size_t n)
{
	b->n -= n;
	if (n && b->n)
		memmove(b->p, b->p + n, b->n);
}

static inline void bytes_free(struct bytes *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

/* Messages one behind the other, each with its length before it. */
static inline void bytes_add_message(struct bytes *b, const void *p, size_t n)
{
	bytes_add(b, &n, sizeof(n));
	bytes_add(b, p, n);
}

static inline int bytes_equal(const struct bytes *a, const struct bytes *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->p, b->p, a->n));
}

#endif
