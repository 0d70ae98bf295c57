/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_CACHE_H
#define SS_SCANNER_CACHE_H

#include <stddef.h>

#define SS_CACHE_KEY_SIZE	32	/* SHA-256, bytes */

struct ss_cache;

/**
 * struct ss_cache_text - Bytes that are a part of a key.
 * @data: the bytes
 * @len: how many
 */
struct ss_cache_text {
	const void *data;
	size_t len;
};

/**
 * ss_cache_new() - Make an empty cache.
 * @size: bytes of a value
 * @count: most values, at least 1
 *
 * Return: the cache, to be freed with ss_cache_free(), or NULL without memory.
 */
struct ss_cache *ss_cache_new(size_t size, size_t count);

/**
 * ss_cache_free() - Free a cache.
 * @cache: the cache, or NULL
 */
void ss_cache_free(struct ss_cache *cache);

/**
 * ss_cache_key() - Make a key.
 * @key: the key, a SHA-256 over all of @texts and their lengths
 * @texts: what it stands for
 * @count: how many
 */
void ss_cache_key(unsigned char key[SS_CACHE_KEY_SIZE], const struct ss_cache_text *texts,
		  size_t count);

/**
 * ss_cache_find() - Look a value up.
 * @cache: the cache
 * @key: its key
 *
 * Return: the value, valid until the next ss_cache_put(), or NULL.
 */
const void *ss_cache_find(const struct ss_cache *cache,
			  const unsigned char key[SS_CACHE_KEY_SIZE]);

/**
 * ss_cache_put() - Remember a value.
 * @cache: the cache
 * @key: its key
 * @value: the value, copied
 */
void ss_cache_put(struct ss_cache *cache, const unsigned char key[SS_CACHE_KEY_SIZE],
		  const void *value);

#endif /* SS_SCANNER_CACHE_H */
