// SPDX-License-Identifier: GPL-2.0
/*
 * The verdicts that a scan worker has given last, by what was scanned: a mail that
 * is sent again is not scanned again. It is the worker's own, and ends with it: so
 * one that was taken over by a message can lie to nobody else, and new signatures
 * come with new workers.
 */
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "scanner/cache.h"

/**
 * struct ss_cache - Values by key; the oldest goes first.
 * @size: bytes of a value
 * @count: most values
 * @used: how many there are
 * @next: where the next one goes
 * @keys: the keys
 * @values: the values
 */
struct ss_cache {
	size_t size;
	size_t count;
	size_t used;
	size_t next;
	unsigned char (*keys)[SS_CACHE_KEY_SIZE];
	unsigned char *values;
};

struct ss_cache *ss_cache_new(size_t size, size_t count)
{
	struct ss_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->size = size;
	cache->count = count;
	cache->keys = calloc(count, sizeof(*cache->keys));
	cache->values = calloc(count, size);
	if (cache->keys && cache->values)
		return cache;
	ss_cache_free(cache);
	return NULL;
}

void ss_cache_free(struct ss_cache *cache)
{
	if (!cache)
		return;
	free(cache->keys);
	free(cache->values);
	free(cache);
}

void ss_cache_key(unsigned char key[SS_CACHE_KEY_SIZE], const struct ss_cache_text *texts,
		  size_t count)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize len = SS_CACHE_KEY_SIZE;

	for (size_t i = 0; i < count; i++) {
		g_checksum_update(sum, (const guchar *)&texts[i].len, sizeof(texts[i].len));
		if (texts[i].len)
			g_checksum_update(sum, texts[i].data, texts[i].len);
	}
	g_checksum_get_digest(sum, key, &len);
	g_checksum_free(sum);
}

static size_t find_key(const struct ss_cache *cache, const unsigned char *key)
{
	size_t i = 0;

	while (i < cache->used && memcmp(cache->keys[i], key, SS_CACHE_KEY_SIZE))
		i++;
	return i;
}

const void *ss_cache_find(const struct ss_cache *cache,
			  const unsigned char key[SS_CACHE_KEY_SIZE])
{
	size_t i = find_key(cache, key);

	return i < cache->used ? cache->values + i * cache->size : NULL;
}

void ss_cache_put(struct ss_cache *cache, const unsigned char key[SS_CACHE_KEY_SIZE],
		  const void *value)
{
	size_t i = find_key(cache, key);

	if (i == cache->used) {
		i = cache->next;
		cache->next = (cache->next + 1) % cache->count;
		if (cache->used < cache->count)
			cache->used++;
	}
	memcpy(cache->keys[i], key, SS_CACHE_KEY_SIZE);
	memcpy(cache->values + i * cache->size, value, cache->size);
}
