// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzing of the checks of a server's certificates, and of the copies that are
 * made of them. An input is a list of changes to a good chain, of 4 octets each:
 * where (3), and what (1); what is left over comes as the OCSP response. What
 * must hold, whatever is changed: see check_*().
 */
#include "tests/support/unit.h"

#include <time.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/pki.h"
#include "tls/mint.h"
#include "tls/verify.h"

#define CHAIN		2
#define CHANGE		4
#define CHANGES_MAX	16
#define DER_MAX		4096

/* One certificate, as it was and as it is sent */
struct octets {
	uint8_t der[DER_MAX];
	size_t len;
};

static struct ss_ca ca;
static struct ss_mint mint;
static struct ss_verify verify;
static struct octets good[CHAIN];

static void export(const struct pki *pki, struct octets *out)
{
	gnutls_datum_t der;

	CHECK(!gnutls_x509_crt_export2(pki->crt, GNUTLS_X509_FMT_DER, &der));
	CHECK(der.size <= sizeof(out->der));
	memcpy(out->der, der.data, der.size);
	out->len = der.size;
	gnutls_free(der.data);
}

/* Change one octet, or a bit of it; leave one out, or put one in */
static void change(struct octets *c, size_t at, uint8_t how, uint8_t value)
{
	at %= c->len;
	if (how == 0) {
		c->der[at] = value;
	} else if (how == 1) {
		c->der[at] ^= 1 << value % 8;
	} else if (how == 2 && c->len > 1) {
		c->len--;
		memmove(c->der + at, c->der + at + 1, c->len - at);
	} else if (how == 3 && c->len < sizeof(c->der)) {
		memmove(c->der + at + 1, c->der + at, c->len - at);
		c->der[at] = value;
		c->len++;
	}
}

/* What is signed of a certificate of ours is its first part */
static bool is_as_signed(const struct octets *now, const struct octets *was)
{
	/* SEQUENCE with a length of two octets, in it another one */
	size_t len = 4 + (was->der[6] << 8 | was->der[7]);

	CHECK(was->der[1] == 0x82 && was->der[5] == 0x82);
	return now->len >= 4 + len && !memcmp(now->der + 4, was->der + 4, len);
}

/* Nothing is wrong only with what was signed */
static void check_result(const struct ss_verify_result *r, const struct octets *sent,
			 unsigned int count)
{
	uint32_t broken = r->failed & SS_VERIFY_BIT(SMTPSPLICE_TLS_CAUSE_VALIDATION_FAILURE);

	CHECK(!!r->detail == !!broken);
	if (r->failed)
		return;
	CHECK(count == CHAIN);
	for (unsigned int i = 0; i < CHAIN; i++)
		CHECK(is_as_signed(&sent[i], &good[i]));
}

/* A copy has the names and the time of the original, and can be used */
static void check_copy(gnutls_x509_crt_t original)
{
	gnutls_datum_t was = {}, is = {};
	unsigned int bits = 0, usage = 0;
	gnutls_x509_crt_t made;
	int ret;

	if (ss_mint_make(&mint, original, SS_CA_UNTRUSTED, SS_MINT_ECDSA, &made))
		return;
	CHECK(gnutls_x509_crt_get_activation_time(made) >=
	      gnutls_x509_crt_get_activation_time(original));
	CHECK(gnutls_x509_crt_get_expiration_time(made) <=
	      gnutls_x509_crt_get_expiration_time(original));
	CHECK(!gnutls_x509_crt_get_raw_dn(original, &was) &&
	      !gnutls_x509_crt_get_raw_dn(made, &is));
	CHECK(was.size == is.size && !memcmp(was.data, is.data, was.size));
	CHECK(!gnutls_x509_crt_verify(made, &ca.crt[SS_CA_UNTRUSTED], 1,
				      GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &bits));
	CHECK(!(bits & (GNUTLS_CERT_SIGNATURE_FAILURE | GNUTLS_CERT_SIGNER_NOT_FOUND)));
	CHECK(!gnutls_x509_crt_get_ca_status(made, NULL));
	ret = gnutls_x509_crt_get_key_usage(made, &usage, NULL);
	CHECK(!ret || ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
	CHECK(ret || (usage & GNUTLS_KEY_DIGITAL_SIGNATURE &&
		      !(usage & ~(GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION |
				  GNUTLS_KEY_KEY_AGREEMENT))));
	gnutls_free(was.data);
	gnutls_free(is.data);
	gnutls_x509_crt_deinit(made);
}

/* As the helper does it: up to the first that cannot be read */
static unsigned int import(gnutls_x509_crt_t crts[CHAIN], const struct octets *sent)
{
	unsigned int count = 0;

	for (; count < CHAIN; count++) {
		gnutls_datum_t der = { (unsigned char *)sent[count].der, sent[count].len };

		CHECK(!gnutls_x509_crt_init(&crts[count]));
		if (!gnutls_x509_crt_import(crts[count], &der, GNUTLS_X509_FMT_DER))
			continue;
		gnutls_x509_crt_deinit(crts[count]);
		break;
	}
	return count;
}

/* Return: what is wrong with the chain, or -1 where it cannot be read. */
static int run(const struct octets *sent, const uint8_t *staple, size_t n)
{
	gnutls_datum_t datum = { (unsigned char *)staple, n };
	struct ss_verify_result result;
	gnutls_x509_crt_t crts[CHAIN];
	unsigned int count = import(crts, sent);

	if (!count)
		return -1;
	ss_verify_chain(&verify, crts, count, &datum, PKI_HOST, &result);
	check_result(&result, sent, count);
	check_copy(crts[0]);
	for (unsigned int i = 0; i < count; i++)
		gnutls_x509_crt_deinit(crts[i]);
	return result.failed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct octets sent[CHAIN];

	memcpy(sent, good, sizeof(sent));
	for (int i = 0; i < CHANGES_MAX && n >= CHANGE; i++, data += CHANGE, n -= CHANGE)
		change(&sent[data[0] & 1], data[1] << 8 | data[2], data[0] >> 1 & 3, data[3]);
	run(sent, data, n);
	return 0;
}

/* What is kept is only in memory: each run has keys of its own */
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct pki root, inter, leaf;
	char *dir, *trust, err[512];

	(void)argc;
	(void)argv;
	dir = pki_folder(&ca);
	CHECK(!ss_mint_init(&mint, &ca, NULL));
	pki_root(&root, "CN=test root");
	pki_make(&inter, &(struct pki_spec){ .dn = "CN=intermediate", .ca = true, .pathlen = 0,
					     .permit = "example.com" }, &root);
	pki_make(&leaf, &(struct pki_spec){ .extras = true, .usage = GNUTLS_KEY_DIGITAL_SIGNATURE |
					    GNUTLS_KEY_KEY_AGREEMENT }, &inter);
	export(&leaf, &good[0]);
	export(&inter, &good[1]);
	trust = pki_file(dir, "root.pem", &root, false);
	CHECK(!ss_verify_init(&verify, trust, NULL, &ca, err, sizeof(err)));
	ss_process_remove_tree(dir);
	free(trust);
	free(dir);
	pki_free(&root);
	pki_free(&inter);
	pki_free(&leaf);
	/* Else nothing of this would tell anything */
	CHECK(!run(good, NULL, 0));
	return 0;
}
