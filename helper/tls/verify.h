/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_VERIFY_H
#define SS_TLS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/x509.h>
#include <linux/smtpsplice.h>

#include "common/ca.h"
#include "tls/tls_profile.h"

/* A failed check, by its enum smtpsplice_tls_cause */
#define SS_VERIFY_BIT(cause)	(1u << (cause))

/**
 * struct ss_verify - What servers' certificates are checked against.
 * @trust: the trusted CAs
 * @crls: certificates that were revoked
 * @crl_count: how many lists
 * @own: the gateway's CAs, which no server has a certificate of
 */
struct ss_verify {
	gnutls_x509_trust_list_t trust;
	gnutls_x509_crl_t *crls;
	unsigned int crl_count;
	const struct ss_ca *own;
};

/**
 * struct ss_verify_result - What the checks say.
 * @failed: SS_VERIFY_BIT() of each check that failed
 * @detail: what it is that is wrong, for VALIDATION_FAILURE; or NULL
 */
struct ss_verify_result {
	uint32_t failed;
	const char *detail;
};

/**
 * ss_verify_init() - Read what servers' certificates are checked against.
 * @verify: where to; to be freed with ss_verify_free(), after an error as well
 * @trust: PEM bundle of CAs, or NULL for those that the system trusts
 * @crl: PEM file of CRLs, or NULL; they are trusted like the CAs
 * @own: the gateway's CAs, which must live on
 * @err: what is wrong, for people
 * @errlen: room at @err
 *
 * Return: 0 or an errno.
 */
int ss_verify_init(struct ss_verify *verify, const char *trust, const char *crl,
		   const struct ss_ca *own, char *err, size_t errlen);

/**
 * ss_verify_free() - Forget what certificates are checked against.
 * @verify: it
 */
void ss_verify_free(struct ss_verify *verify);

/**
 * ss_verify_chain() - Check a server's certificate.
 * @verify: what to check it against
 * @chain: what the server sent, its own certificate first
 * @count: how many, at least 1
 * @staple: the OCSP response that came with it, or NULL
 * @name: the name that it has to be for, or NULL where that does not matter
 * @result: what is wrong with it, all of it
 */
void ss_verify_chain(const struct ss_verify *verify, gnutls_x509_crt_t *chain,
		     unsigned int count, const gnutls_datum_t *staple,
		     const char *name, struct ss_verify_result *result);

/**
 * ss_verify_decide() - What to do, by the TLS profile.
 * @profile: the profile
 * @result: what is wrong with the certificate
 * @cause: the check that decided it; NONE where nothing is wrong
 *
 * Return: the strictest of the actions for all that is wrong; IGNORE where
 * nothing is.
 */
enum smtpsplice_tls_action ss_verify_decide(const struct ss_tls_profile *profile,
					    const struct ss_verify_result *result,
					    enum smtpsplice_tls_cause *cause);

#endif /* SS_TLS_VERIFY_H */
