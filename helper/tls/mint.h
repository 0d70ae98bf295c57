/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_MINT_H
#define SS_TLS_MINT_H

#include <gnutls/x509.h>

#include "common/ca.h"
#include "tls/creds.h"

/**
 * enum ss_mint_key - Which key the client's certificate is for.
 * @SS_MINT_ECDSA: P-256
 * @SS_MINT_RSA: RSA of 2048 bits, for clients of TLS 1.2 that know no ECDSA
 */
enum ss_mint_key {
	SS_MINT_ECDSA,
	SS_MINT_RSA,
	SS_MINT_KEYS,
};

/**
 * struct ss_mint - Where clients' certificates come from.
 * @ca: the gateway's CAs
 * @cert_dir: folder of the certificates for the mode replace
 * @key: the keys that certificates are made for, new with each process; that
 *   for RSA is made when it is first wanted
 * @cache: those that were made or read
 */
struct ss_mint {
	const struct ss_ca *ca;
	const char *cert_dir;
	gnutls_x509_privkey_t key[SS_MINT_KEYS];
	struct ss_creds_cache cache;
};

/**
 * ss_mint_init() - Open the mint.
 * @mint: to be freed with ss_mint_free(), after an error as well
 * @ca: the gateway's CAs, which must live on
 * @cert_dir: folder of the certificates for the mode replace
 *
 * Return: 0 or an errno.
 */
int ss_mint_init(struct ss_mint *mint, const struct ss_ca *ca, const char *cert_dir);

/**
 * ss_mint_free() - Close the mint.
 * @mint: the mint
 */
void ss_mint_free(struct ss_mint *mint);

/**
 * ss_mint_make() - Make a certificate.
 * @mint: the mint
 * @original: the server's certificate
 * @kind: the CA that signs it
 * @key: the key that it is for
 * @made: the certificate, the caller's
 *
 * Return: 0 or a GnuTLS error.
 */
int ss_mint_make(struct ss_mint *mint, gnutls_x509_crt_t original, enum ss_ca_kind kind,
		 enum ss_mint_key key, gnutls_x509_crt_t *made);

/**
 * ss_mint_re_sign() - Get a certificate to be shown for a server's own.
 * @mint: the mint
 * @original: the server's certificate
 * @name: the name that the client asked for, or ""
 * @kind: the CA that signs it
 * @key: the key that it is for
 *
 * The certificate of the CA goes with it: clients cannot tell an unknown CA by
 * name otherwise.
 *
 * Return: the credentials, to be given back with ss_creds_put(), or NULL.
 */
struct ss_creds *ss_mint_re_sign(struct ss_mint *mint, gnutls_x509_crt_t original,
				 const char *name, enum ss_ca_kind kind,
				 enum ss_mint_key key);

/**
 * ss_mint_replace() - Get a certificate that the helper was given.
 * @mint: the mint
 * @name: its name; NAME.pem and NAME.key are read anew when they have changed
 *
 * Return: the credentials, to be given back with ss_creds_put(), or NULL.
 */
struct ss_creds *ss_mint_replace(struct ss_mint *mint, const char *name);

#endif /* SS_TLS_MINT_H */
