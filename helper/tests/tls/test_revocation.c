// SPDX-License-Identifier: GPL-2.0
/*
 * Certificates that were revoked, by lists and by responses of OCSP that come with them.
 */
#include "tests/support/verify.h"

#include <gnutls/abstract.h>

static void knows_crls(void **state)
{
	struct pki chain[2] = { {}, inter }, other[2] = { {}, inter };
	struct ss_verify v;
	char err[512], *crl;

	(void)state;
	pki_leaf(&chain[0], &inter);
	pki_leaf(&other[0], &inter);
	crl = pki_crl(dir, &inter, &chain[0], PKI_DAY);
	assert_int_equal(ss_verify_init(&v, trust, crl, &own, err, sizeof(err)), 0);
	check_with(&v, chain, 2, NULL, PKI_HOST, B(REVOKED));
	check_with(&v, other, 2, NULL, PKI_HOST, 0);
	ss_verify_free(&v);
	free(crl);
	/* A list that is too old says only who was revoked then */
	crl = pki_crl(dir, &inter, &chain[0], -PKI_DAY);
	assert_int_equal(ss_verify_init(&v, trust, crl, &own, err, sizeof(err)), 0);
	check_with(&v, chain, 2, NULL, PKI_HOST, B(REVOKED) | B(VALIDATION_TIMEOUT));
	check_with(&v, other, 2, NULL, PKI_HOST, B(VALIDATION_TIMEOUT));
	ss_verify_free(&v);
	free(crl);
	/* A CA that was revoked */
	crl = pki_crl(dir, &root, &inter, PKI_DAY);
	assert_int_equal(ss_verify_init(&v, trust, crl, &own, err, sizeof(err)), 0);
	check_with(&v, chain, 2, NULL, PKI_HOST, B(REVOKED));
	ss_verify_free(&v);
	free(crl);
	pki_free(&chain[0]);
	pki_free(&other[0]);
}

static void check_staple(const struct pki *leaf, const struct pki *asked,
			 const struct pki *signer, const char *letter, uint32_t want)
{
	gnutls_datum_t staple = pki_staple(dir, asked, &inter, signer, letter);

	check_with(&verify, (struct pki[]){ *leaf, inter }, 2, &staple, PKI_HOST, want);
	gnutls_free(staple.data);
}

static void knows_staples(void **state)
{
	const gnutls_datum_t junk = { (unsigned char *)"junk", 4 }, none = {};
	struct pki leaf, must, other;

	(void)state;
	pki_leaf(&leaf, &inter);
	pki_leaf(&other, &inter);
	pki_make(&must, &(struct pki_spec){ .must_staple = true }, &inter);
	check_staple(&leaf, &leaf, &inter, "V", 0);
	check_staple(&must, &must, &inter, "V", 0);
	check_staple(&leaf, &leaf, &inter, "R", B(REVOKED));
	check_staple(&must, &must, &inter, "R", B(REVOKED));
	/* One that does not know, one of another certificate, one of a stranger */
	check_staple(&leaf, &leaf, &inter, "", B(VALIDATION_TIMEOUT));
	check_staple(&must, &must, &inter, "", B(VALIDATION_FAILURE));
	check_staple(&leaf, &other, &inter, "V", B(VALIDATION_FAILURE));
	check_staple(&leaf, &leaf, &other, "V", B(VALIDATION_FAILURE));
	check_with(&verify, (struct pki[]){ leaf, inter }, 2, &junk, PKI_HOST,
		   B(VALIDATION_FAILURE));
	check_with(&verify, (struct pki[]){ leaf, inter }, 2, &none, PKI_HOST, 0);
	check_with(&verify, (struct pki[]){ must, inter }, 2, &none, PKI_HOST,
		   B(VALIDATION_FAILURE));
	pki_free(&leaf);
	pki_free(&must);
	pki_free(&other);
}

/* The times in a response, in their order: when it was made, and when that is true */
enum staple_time { PRODUCED_AT, THIS_UPDATE, NEXT_UPDATE };

/*
 * Change what a response says, and sign it again: @which of its times is @ahead seconds
 * from now; and, with @shown, that certificate is in it as that of who has signed.
 */
static void change_staple(gnutls_datum_t *staple, enum staple_time which, long ahead,
			  const struct pki *signer, const struct pki *shown)
{
	gnutls_datum_t whole[2], bytes[1], response[2], basic[4], signature, crt, inner, tmp;
	time_t at = time(NULL) + ahead;
	unsigned int count;
	int times = -1;
	gnutls_privkey_t key;
	uint8_t unused = 0;
	char text[16];

	assert_int_equal(pki_der_split(*staple, whole, 2), 2);
	assert_int_equal(pki_der_split(whole[1], bytes, 1), 1);
	assert_int_equal(pki_der_split(bytes[0], response, 2), 2);
	/* An OCTET STRING has its content where an element has its parts */
	assert_int_equal(pki_der_split(response[1], &inner, 1), 1);
	count = pki_der_split(inner, basic, 4);
	assert_true(count >= 3);
	strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", gmtime(&at));
	for (size_t i = 0; i + 17 <= basic[0].size && times < (int)which; i++)
		if (!memcmp(basic[0].data + i, "\x18\x0f" "20", 4) && ++times == (int)which)
			memcpy(basic[0].data + i + 2, text, 15);
	assert_int_equal(times, which);
	gnutls_privkey_init(&key);
	assert_int_equal(gnutls_privkey_import_x509(key, signer->key, 0), 0);
	assert_int_equal(gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &basic[0],
						  &signature), 0);
	gnutls_privkey_deinit(key);
	basic[2] = pki_der_join(3, (gnutls_datum_t[]){ { &unused, 1 }, signature }, 2);
	gnutls_free(signature.data);
	if (shown) {
		assert_int_equal(gnutls_x509_crt_export2(shown->crt, GNUTLS_X509_FMT_DER,
							 &crt), 0);
		tmp = pki_der_join(0x30, &crt, 1);
		basic[3] = pki_der_join(0xa0, &tmp, 1);
		gnutls_free(crt.data);
		free(tmp.data);
		count = 4;
	}
	inner = pki_der_join(0x30, basic, count);
	free(basic[2].data);
	if (shown)
		free(basic[3].data);
	response[1] = pki_der_join(4, &inner, 1);
	free(inner.data);
	bytes[0] = pki_der_join(0x30, response, 2);
	free(response[1].data);
	whole[1] = pki_der_join(0xa0, bytes, 1);
	free(bytes[0].data);
	tmp = pki_der_join(0x30, whole, 2);
	free(whole[1].data);
	gnutls_free(staple->data);
	staple->data = gnutls_malloc(tmp.size);
	staple->size = tmp.size;
	memcpy(staple->data, tmp.data, tmp.size);
	free(tmp.data);
}

static void check_future(const struct pki *leaf, long ahead, uint32_t want)
{
	gnutls_datum_t staple = pki_staple(dir, leaf, &inter, &inter, "V");

	change_staple(&staple, THIS_UPDATE, ahead, &inter, NULL);
	check_with(&verify, (struct pki[]){ *leaf, inter }, 2, &staple, PKI_HOST, want);
	gnutls_free(staple.data);
}

/* What is said of a time that has not come says nothing of today */
static void knows_staples_from_the_future(void **state)
{
	struct pki leaf = {}, must = {};

	(void)state;
	pki_leaf(&leaf, &inter);
	pki_make(&must, &(struct pki_spec){ .must_staple = true }, &inter);
	check_future(&leaf, -60, 0);
	check_future(&must, -60, 0);
	/* A clock may be a bit ahead */
	check_future(&leaf, 200, 0);
	check_future(&leaf, 3600, B(VALIDATION_TIMEOUT));
	check_future(&must, 3600, B(VALIDATION_FAILURE));
	pki_free(&leaf);
	pki_free(&must);
}

static void check_past(const struct pki *leaf, long until, uint32_t want)
{
	gnutls_datum_t staple = pki_staple(dir, leaf, &inter, &inter, "V");

	change_staple(&staple, THIS_UPDATE, -2 * PKI_DAY, &inter, NULL);
	change_staple(&staple, NEXT_UPDATE, until, &inter, NULL);
	check_with(&verify, (struct pki[]){ *leaf, inter }, 2, &staple, PKI_HOST, want);
	gnutls_free(staple.data);
}

/* What was true once need not be so today: a server could keep it and be revoked */
static void knows_staples_that_are_old(void **state)
{
	struct pki leaf = {}, must = {};

	(void)state;
	pki_leaf(&leaf, &inter);
	pki_make(&must, &(struct pki_spec){ .must_staple = true }, &inter);
	check_past(&leaf, 3600, 0);
	check_past(&must, 3600, 0);
	check_past(&leaf, -60, B(VALIDATION_TIMEOUT));
	check_past(&must, -60, B(VALIDATION_FAILURE));
	pki_free(&leaf);
	pki_free(&must);
}

/* Somebody whom the CA lets sign, with a key that takes seconds */
static void test_N4_large_staples(void **state)
{
	struct pki_spec spec = { .dn = "CN=responder", .purpose = GNUTLS_KP_OCSP_SIGNING,
				 .pk = GNUTLS_PK_RSA };
	struct pki leaf = {}, signer = {}, large = {}, chain[2];
	gnutls_datum_t staple;

	(void)state;
	pki_leaf(&leaf, &inter);
	chain[0] = leaf;
	chain[1] = inter;
	pki_make(&signer, &spec, &inter);
	staple = pki_staple(dir, &leaf, &inter, &signer, "V");
	check_with(&verify, chain, 2, &staple, PKI_HOST, 0);
	spec.modulus = 16384;
	spec.exponent = 16375;
	pki_make(&large, &spec, &inter);
	change_staple(&staple, THIS_UPDATE, 0, &signer, &large);
	check_with(&verify, chain, 2, &staple, PKI_HOST, B(VALIDATION_FAILURE));
	assert_string_equal(last.detail, "its OCSP response takes too long to verify");
	gnutls_free(staple.data);
	/* One that has too much in it to be read */
	staple.size = 50000;
	staple.data = gnutls_malloc(staple.size);
	memset(staple.data, 0, staple.size);
	check_with(&verify, chain, 2, &staple, PKI_HOST, B(VALIDATION_FAILURE));
	assert_string_equal(last.detail, "its OCSP response takes too long to verify");
	gnutls_free(staple.data);
	pki_free(&large);
	pki_free(&signer);
	pki_free(&leaf);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_crls),
		cmocka_unit_test(knows_staples),
		cmocka_unit_test(knows_staples_from_the_future),
		cmocka_unit_test(knows_staples_that_are_old),
		cmocka_unit_test(test_N4_large_staples),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, verify_setup, verify_teardown);
}
