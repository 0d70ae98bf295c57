/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_PKI_H
#define SS_TESTS_PKI_H

#include <stdbool.h>

#include <gnutls/x509.h>

#include "ca.h"

#define PKI_HOST	"mx.example.com"
#define PKI_DAY		(24 * 3600L)

/* A certificate and its key */
struct pki {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
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
	bool no_basic;		/* version 3, but without basic constraints */
	bool v1;
	bool must_staple;
	bool extras;		/* AIA, CRL distribution point, SCTs, policy */
	const char *permit;	/* name constraint of a CA */
	const char *unknown;	/* OID of an unknown critical extension */
};

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

#endif /* SS_TESTS_PKI_H */
