// SPDX-License-Identifier: GPL-2.0
/*
 * Certificates with their keys that clients are shown, and a cache of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>

#include "tls/creds.h"

/*
 * Set chain and key. By hand: gnutls_certificate_set_x509_key() reads each one twice more
 * to find its names, by which nothing is chosen where there is but one.
 */
static int set_key(gnutls_certificate_credentials_t cred, gnutls_x509_crt_t *chain,
		   unsigned int count, gnutls_x509_privkey_t key)
{
	const char *no_names[] = { "" };
	gnutls_pcert_st *shown = gnutls_calloc(count, sizeof(*shown));
	gnutls_privkey_t own = NULL;
	unsigned int i = 0;
	int ret = shown ? gnutls_privkey_init(&own) : GNUTLS_E_MEMORY_ERROR;

	if (!ret)
		ret = gnutls_privkey_import_x509(own, key, GNUTLS_PRIVKEY_IMPORT_COPY);
	for (; !ret && i < count; i++)
		ret = gnutls_pcert_import_x509(&shown[i], chain[i], 0);
	if (!ret)
		ret = gnutls_certificate_set_key(cred, no_names, 0, shown, count, own);
	if (ret < 0) {
		while (i--)
			gnutls_pcert_deinit(&shown[i]);
		if (own)
			gnutls_privkey_deinit(own);
	}
	gnutls_free(shown);
	return ret;
}

struct ss_creds *ss_creds_new(gnutls_x509_crt_t *chain, unsigned int count,
			      gnutls_x509_privkey_t key)
{
	struct ss_creds *creds = calloc(1, sizeof(*creds));

	if (!creds)
		return NULL;
	creds->users = 1;
	if (!gnutls_certificate_allocate_credentials(&creds->cred) &&
	    set_key(creds->cred, chain, count, key) >= 0 &&
	    /* For clients that do not say which groups they have (RFC 7919) */
	    !gnutls_certificate_set_known_dh_params(creds->cred, GNUTLS_SEC_PARAM_MEDIUM))
		return creds;
	ss_creds_put(creds);
	return NULL;
}

struct ss_creds *ss_creds_get(struct ss_creds *creds)
{
	creds->users++;
	return creds;
}

void ss_creds_put(struct ss_creds *creds)
{
	if (!creds || --creds->users)
		return;
	if (creds->cred)
		gnutls_certificate_free_credentials(creds->cred);
	free(creds);
}

int ss_creds_cache_init(struct ss_creds_cache *cache, unsigned int max)
{
	*cache = (struct ss_creds_cache){ .max = max };
	cache->slots = calloc(max, sizeof(*cache->slots));
	return cache->slots ? 0 : -ENOMEM;
}

void ss_creds_cache_clear(struct ss_creds_cache *cache)
{
	for (unsigned int i = 0; i < cache->count; i++)
		ss_creds_put(cache->slots[i].creds);
	cache->count = 0;
}

void ss_creds_cache_free(struct ss_creds_cache *cache)
{
	ss_creds_cache_clear(cache);
	free(cache->slots);
	memset(cache, 0, sizeof(*cache));
}

struct ss_creds *ss_creds_cache_find(struct ss_creds_cache *cache,
				     const uint8_t key[SS_CREDS_KEY_SIZE])
{
	for (unsigned int i = 0; i < cache->count; i++) {
		struct ss_creds_slot *slot = &cache->slots[i];

		if (memcmp(slot->key, key, SS_CREDS_KEY_SIZE))
			continue;
		slot->used = ++cache->clock;
		return ss_creds_get(slot->creds);
	}
	return NULL;
}

/* A free place, or that of the one that was not used for longest */
static struct ss_creds_slot *make_room(struct ss_creds_cache *cache)
{
	struct ss_creds_slot *oldest = cache->slots;

	if (cache->count < cache->max)
		return &cache->slots[cache->count++];
	for (unsigned int i = 1; i < cache->count; i++)
		if (cache->slots[i].used < oldest->used)
			oldest = &cache->slots[i];
	ss_creds_put(oldest->creds);
	return oldest;
}

void ss_creds_cache_add(struct ss_creds_cache *cache,
			const uint8_t key[SS_CREDS_KEY_SIZE], struct ss_creds *creds)
{
	struct ss_creds_slot *slot = make_room(cache);

	memcpy(slot->key, key, SS_CREDS_KEY_SIZE);
	slot->creds = ss_creds_get(creds);
	slot->used = ++cache->clock;
}
