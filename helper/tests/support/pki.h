/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_PKI_H
#define SS_TESTS_SUPPORT_PKI_H

#include <stdbool.h>
#include <stdint.h>

#include <gnutls/x509.h>

#include "common/ca.h"

#define PKI_HOST	"mx.example.com"
#define PKI_DAY		(24 * 3600L)

/* A certificate and its key */
struct pki {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	unsigned int modulus;	/* as in its struct pki_spec */
};

/* What certificate to make; zero is what is usual */
struct pki_spec {
	const char *dn;		/* RFC 4514 */
	const char *host;	/* DNS name; "" is none */
	long from, to;		/* seconds from now */
	bool ca;
	int pathlen;		/* of a CA, less than 0 is none */
	const char *purpose;	/* of a leaf: OID */
	unsigned int usage;	/* of a leaf: GNUTLS_KEY_*, 0 is no extension */
	bool lax_usage;		/* it is not critical */
	gnutls_pk_algorithm_t pk;
	unsigned int bits;
	gnutls_digest_algorithm_t digest;
	unsigned int modulus;	/* bits of an RSA key in place of its own, which is of RSA then */
	unsigned int exponent;	/* bits of that one's public exponent */
	unsigned int names;	/* of a leaf: so many more DNS names */
	bool no_basic;		/* version 3, but without basic constraints */
	bool v1;
	bool must_staple;
	bool extras;		/* AIA, CRL distribution point, SCTs, policy */
	const char *permit;	/* name constraint of a CA */
	const char *unknown;	/* OID of an unknown critical extension */
};

/* The elements of one in DER, or an element of these; the caller's to free */
unsigned int pki_der_split(gnutls_datum_t whole, gnutls_datum_t *parts, unsigned int max);
gnutls_datum_t pki_der_join(uint8_t tag, const gnutls_datum_t *parts, unsigned int count);

void pki_make(struct pki *made, const struct pki_spec *spec, const struct pki *issuer);
void pki_free(struct pki *pki);
/* The usual: a root, and a server's certificate of it */
void pki_root(struct pki *root, const char *name);
void pki_leaf(struct pki *leaf, const struct pki *root);
/* A new folder with the gateway's CAs in ca/, which are loaded; to be removed and freed */
char *pki_folder(struct ss_ca *own);
/* Files; the names are to be freed */
char *pki_file(const char *dir, const char *name, const struct pki *pki, bool key);
char *pki_crl(const char *dir, const struct pki *issuer, const struct pki *revoked,
	      long next_update);
/*
 * An OCSP response, by openssl: @signer says that the leaf is good ("V") or revoked ("R"),
 * or that it does not know (""). To be freed with gnutls_free().
 */
gnutls_datum_t pki_staple(const char *dir, const struct pki *leaf, const struct pki *issuer,
			  const struct pki *signer, const char *letter);

#endif /* SS_TESTS_SUPPORT_PKI_H */
