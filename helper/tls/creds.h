/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_CREDS_H
#define SS_TLS_CREDS_H

#include <stddef.h>
#include <stdint.h>

#include <gnutls/x509.h>

#define SS_CREDS_KEY_SIZE	32

/**
 * struct ss_creds - A certificate and its key, to show to clients. Counted,
 * since a handshake may still use it when the cache has dropped it.
 * @cred: for GnuTLS
 * @users: how many use it
 */
struct ss_creds {
	gnutls_certificate_credentials_t cred;
	unsigned int users;
};

/**
 * struct ss_creds_slot - A place in the cache.
 * @key: what it was made from
 * @creds: it
 * @used: when it was last used
 */
struct ss_creds_slot {
	uint8_t key[SS_CREDS_KEY_SIZE];
	struct ss_creds *creds;
	uint64_t used;
};

/**
 * struct ss_creds_cache - Those that were used last.
 * @slots: the first @count are taken
 * @count: how many there are
 * @max: how many there may be
 * @clock: counts the uses
 */
struct ss_creds_cache {
	struct ss_creds_slot *slots;
	unsigned int count;
	unsigned int max;
	uint64_t clock;
};

/**
 * ss_creds_new() - Make ready a certificate to be shown.
 * @chain: the certificate and those of CAs, in order; copied
 * @count: how many
 * @key: its key; copied
 *
 * Return: the credentials, to be given back with ss_creds_put(), or NULL.
 */
struct ss_creds *ss_creds_new(gnutls_x509_crt_t *chain, unsigned int count,
			      gnutls_x509_privkey_t key);

/**
 * ss_creds_get() - Use it once more.
 * @creds: the certificate
 *
 * Return: @creds.
 */
struct ss_creds *ss_creds_get(struct ss_creds *creds);

/**
 * ss_creds_put() - Use it no more.
 * @creds: the certificate, or NULL
 */
void ss_creds_put(struct ss_creds *creds);

/**
 * ss_creds_cache_init() - Make an empty cache.
 * @cache: the cache
 * @max: how many it takes, at least 1
 *
 * Return: 0 or -ENOMEM.
 */
int ss_creds_cache_init(struct ss_creds_cache *cache, unsigned int max);

/**
 * ss_creds_cache_clear() - Drop all that is in it.
 * @cache: the cache
 */
void ss_creds_cache_clear(struct ss_creds_cache *cache);

/**
 * ss_creds_cache_free() - Drop all, and the cache.
 * @cache: the cache
 */
void ss_creds_cache_free(struct ss_creds_cache *cache);

/**
 * ss_creds_cache_find() - Look for credentials.
 * @cache: the cache
 * @key: what they were made from
 *
 * Return: the credentials, to be given back with ss_creds_put(), or NULL.
 */
struct ss_creds *ss_creds_cache_find(struct ss_creds_cache *cache,
				     const uint8_t key[SS_CREDS_KEY_SIZE]);

/**
 * ss_creds_cache_add() - Keep one that was just made.
 * @cache: the cache; @key is not in it
 * @key: what it was made from
 * @creds: it; stays the caller's as well
 */
void ss_creds_cache_add(struct ss_creds_cache *cache,
			const uint8_t key[SS_CREDS_KEY_SIZE], struct ss_creds *creds);

#endif /* SS_TLS_CREDS_H */
