/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_CACHE_H
#define SS_SCANNER_CACHE_H

#include <stddef.h>

#define SS_CACHE_KEY_SIZE	32	/* SHA-256, octets */

struct ss_cache;

/**
 * struct ss_cache_text - Octets that are a part of a key.
 * @data: the octets
 * @len: how many
 */
struct ss_cache_text {
	const void *data;
	size_t len;
};

struct ss_cache *ss_cache_new(size_t size, size_t count);
void ss_cache_free(struct ss_cache *cache);
void ss_cache_key(unsigned char key[SS_CACHE_KEY_SIZE], const struct ss_cache_text *texts,
		  size_t count);
const void *ss_cache_find(const struct ss_cache *cache,
			  const unsigned char key[SS_CACHE_KEY_SIZE]);
void ss_cache_put(struct ss_cache *cache, const unsigned char key[SS_CACHE_KEY_SIZE],
		  const void *value);

#endif /* SS_SCANNER_CACHE_H */
