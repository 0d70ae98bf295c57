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

/**
 * ss_ca_present() - Look whether there are CAs.
 * @dir: their folder
 *
 * Return: whether there are.
 */
bool ss_ca_present(const char *dir);

/**
 * ss_ca_create() - Make the CAs.
 * @dir: their folder: made, together with the one it is in, or there and empty
 * @names: what they are called
 * @err: what is wrong, for people
 * @errlen: room at @err
 *
 * All is written to a folder beside it, which is renamed at the end, so that
 * there are both CAs or none, whenever the power fails.
 *
 * Return: 0, -EEXIST where there is something in @dir, -EINVAL for a subject that
 * is none, or another errno.
 */
int ss_ca_create(const char *dir, const struct ss_ca_names *names,
		 char *err, size_t errlen);

/**
 * ss_ca_load() - Read the CAs.
 * @ca: where to; to be freed with ss_ca_free(), after an error as well
 * @dir: their folder
 * @err: what is wrong, for people
 * @errlen: room at @err
 *
 * Return: 0 or an errno.
 */
int ss_ca_load(struct ss_ca *ca, const char *dir, char *err, size_t errlen);

/**
 * ss_ca_free() - Forget the CAs.
 * @ca: the CAs
 */
void ss_ca_free(struct ss_ca *ca);

/**
 * ss_ca_describe() - Say what the CAs are. Needs no right to read their keys.
 * @dir: their folder
 * @ca: the one that clients are to trust
 * @untrusted: the other one
 * @err: what is wrong, for people
 * @errlen: room at @err
 *
 * Return: 0 or an errno, -ENOENT where there is none.
 */
int ss_ca_describe(const char *dir, struct ss_ca_info *ca,
		   struct ss_ca_info *untrusted, char *err, size_t errlen);

/**
 * ss_ca_random_serial() - Give a certificate a serial number.
 * @crt: the certificate; gets a random positive number of 128 bits
 *
 * Return: 0 or a GnuTLS error.
 */
int ss_ca_random_serial(gnutls_x509_crt_t crt);

#endif /* SS_COMMON_CA_H */
