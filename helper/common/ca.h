/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_COMMON_CA_H
#define SS_COMMON_CA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/x509.h>

/* Folder, and files in it that are for others to read */
#define SS_CA_DIR		"/etc/smtpsplice/ca"
#define SS_CA_CERT		"ca.pem"
#define SS_CA_UNTRUSTED_CERT	"untrusted-ca.pem"

/**
 * enum ss_ca_kind - Which of the two CAs.
 * @SS_CA_TRUSTED: clients trust it; signs for servers whose certificate is good
 * @SS_CA_UNTRUSTED: nobody trusts it; signs for servers whose certificate is
 *   not, but that the profile lets through
 */
enum ss_ca_kind {
	SS_CA_TRUSTED,
	SS_CA_UNTRUSTED,
	SS_CA_KINDS,
};

/**
 * struct ss_ca - The CAs.
 * @crt: their certificates
 * @key: and the keys of these
 */
struct ss_ca {
	gnutls_x509_crt_t crt[SS_CA_KINDS];
	gnutls_privkey_t key[SS_CA_KINDS];
};

/**
 * struct ss_ca_names - Subjects of the two CAs, like "CN=Mail gateway CA,O=Example"
 * (RFC 4514); NULL is a default.
 * @subject: of the CA that clients are to trust
 * @untrusted_subject: of the CA that they must not trust
 */
struct ss_ca_names {
	const char *subject;
	const char *untrusted_subject;
};

/**
 * struct ss_ca_info - What there is to tell about a CA.
 * @subject: its subject, printable
 * @fingerprint: SHA-256 of its certificate, "AB:CD:..."
 * @not_before: valid from
 * @not_after: valid until
 */
struct ss_ca_info {
	char subject[256];
	char fingerprint[96];
	time_t not_before;
	time_t not_after;
};

bool ss_ca_present(const char *dir);
int ss_ca_create(const char *dir, const struct ss_ca_names *names,
		 char *err, size_t errlen);
int ss_ca_load(struct ss_ca *ca, const char *dir, char *err, size_t errlen);
void ss_ca_free(struct ss_ca *ca);
int ss_ca_describe(const char *dir, struct ss_ca_info *ca,
		   struct ss_ca_info *untrusted, char *err, size_t errlen);
int ss_ca_random_serial(gnutls_x509_crt_t crt);

#endif /* SS_COMMON_CA_H */
