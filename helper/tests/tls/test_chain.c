// SPDX-License-Identifier: GPL-2.0
/*
 * Bounds of what servers send of certificates: how large each may be and is taken, and
 * that one more is not.
 */
#include "tests/support/unit.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "lib/cleanup.h"
#include "tests/support/pki.h"
#include "tls/chain.h"

#define TOO_LARGE	"a key in its chain is too large"
#define TOO_MANY	"there are too many in its chain"
#define TOO_LONG	"its chain takes too long to read"
#define NOT_DER		"its chain is not in DER"

#define NAMES_MAX	10240
#define ELEMENTS_MAX	2000

static void expect(const char *why, const char *want)
{
	if (want)
		assert_non_null(why);
	else
		assert_null(why);
	if (want)
		assert_string_equal(why, want);
}

static void rsa_row(unsigned int modulus, unsigned int exponent, const char *want)
{
	struct pki chain[2] = {};
	gnutls_x509_crt_t crts[2];

	pki_leaf(&chain[0], NULL);
	pki_make(&chain[1], &(struct pki_spec){ .modulus = modulus, .exponent = exponent }, NULL);
	for (int i = 0; i < 2; i++)
		crts[i] = chain[i].crt;
	expect(ss_chain_check_keys(crts, 1), NULL);
	expect(ss_chain_check_keys(crts, 2), want);
	expect(ss_chain_check_keys(crts + 1, 1), want);
	for (int i = 0; i < 2; i++)
		pki_free(&chain[i]);
}

static void test_N4_rsa(void **state)
{
	(void)state;
	rsa_row(2048, 17, NULL);
	rsa_row(8192, 64, NULL);
	rsa_row(8193, 2, TOO_LARGE);
	rsa_row(2048, 65, TOO_LARGE);
	rsa_row(16384, 16375, TOO_LARGE);
	rsa_row(32768, 32759, TOO_LARGE);
}

static gnutls_datum_t make_number(unsigned int bits)
{
	gnutls_datum_t n = { calloc(1, bits / 8 + 1), bits / 8 + 1 };

	n.data[0] = 1 << bits % 8 >> 1;	/* 0 in front of a whole octet */
	if (!n.data[0])
		n.data[1] = 0x80;
	n.data[n.size - 1] |= 1;
	return n;
}

static void dsa_row(unsigned int prime, unsigned int order, const char *want)
{
	gnutls_datum_t p = make_number(prime), q = make_number(order), g = make_number(64);
	gnutls_x509_crt_t crt;
	gnutls_pubkey_t key;

	assert_int_equal(gnutls_pubkey_init(&key), 0);
	assert_int_equal(gnutls_pubkey_import_dsa_raw(key, &p, &q, &g, &g), 0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_set_pubkey(crt, key), 0);
	expect(ss_chain_check_keys(&crt, 1), want);
	gnutls_x509_crt_deinit(crt);
	gnutls_pubkey_deinit(key);
	free(p.data);
	free(q.data);
	free(g.data);
}

static void test_N4_dsa(void **state)
{
	(void)state;
	dsa_row(2048, 256, NULL);
	dsa_row(4096, 512, NULL);
	dsa_row(4097, 256, TOO_LARGE);
	dsa_row(2048, 513, TOO_LARGE);
	dsa_row(16384, 16000, TOO_LARGE);
}

/* A message Certificate of these; with TLS 1.3, each with an extension */
static gnutls_datum_t make_message(const gnutls_datum_t *der, unsigned int count, bool tls13)
{
	gnutls_datum_t m = { calloc(1, 16 << 20), 0 };
	size_t head = tls13 ? 4 : 3, at = head;

	for (unsigned int i = 0; i < count; i++) {
		memcpy(m.data + at, (uint8_t[]){ der[i].size >> 16, der[i].size >> 8,
						 der[i].size }, 3);
		memcpy(m.data + at + 3, der[i].data, der[i].size);
		at += 3 + der[i].size;
		if (tls13) {
			memcpy(m.data + at, "\0\5\x12\x34\0\1x", 7);
			at += 7;
		}
	}
	m.size = at;
	at -= head;
	memcpy(m.data + head - 3, (uint8_t[]){ at >> 16, at >> 8, at }, 3);
	return m;
}

static void message_row(const gnutls_datum_t *der, unsigned int count, const char *want)
{
	for (int tls13 = 0; tls13 < 2; tls13++) {
		gnutls_datum_t m = make_message(der, count, tls13);

		expect(ss_chain_check_message(&m, tls13), want);
		/* The last is looked at like the first; what breaks off, GnuTLS refuses */
		m.size--;
		if (count == 1 && want)
			expect(ss_chain_check_message(&m, tls13), NULL);
		free(m.data);
	}
}

static void test_N4_length(void **state)
{
	gnutls_datum_t der[SS_CHAIN_MAX + 1];
	struct pki pki = {};

	(void)state;
	pki_leaf(&pki, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(der); i++)
		assert_int_equal(gnutls_x509_crt_export2(pki.crt, GNUTLS_X509_FMT_DER,
							 &der[i]), 0);
	message_row(der, 0, NULL);
	message_row(der, 1, NULL);
	message_row(der, SS_CHAIN_MAX, NULL);
	message_row(der, SS_CHAIN_MAX + 1, TOO_MANY);
	for (size_t i = 0; i < ARRAY_SIZE(der); i++)
		gnutls_free(der[i].data);
	pki_free(&pki);
}

/* An element of that many, each of it these octets */
static gnutls_datum_t make_list(uint8_t tag, const void *one, size_t size, unsigned int count)
{
	gnutls_datum_t body = { malloc(size * count + 1), size * count }, list;

	for (unsigned int i = 0; i < count; i++)
		memcpy(body.data + i * size, one, size);
	list = pki_der_join(tag, &body, 1);
	free(body.data);
	return list;
}

/* An extension: OID, and an OCTET STRING of it; frees @value */
static gnutls_datum_t make_ext(const void *oid, gnutls_datum_t value)
{
	gnutls_datum_t wrap = pki_der_join(4, &value, 1), ext;

	ext = pki_der_join(0x30, (gnutls_datum_t[]){ { (unsigned char *)oid, 5 }, wrap }, 2);
	free(value.data);
	free(wrap.data);
	return ext;
}

static void list_row(gnutls_datum_t der, const char *want)
{
	message_row(&der, 1, want);
	/* Nor in pieces; a response of OCSP has no alternative names but in certificates */
	assert_int_equal(ss_chain_is_plain(&der), !want);
	free(der.data);
}

#define SAN	"\6\3\x55\x1d\x11"
#define EKU	"\6\3\x55\x1d\x25"

static void test_N4_intricacy(void **state)
{
	gnutls_datum_t halves[2];

	(void)state;
	/* Elements themselves, and those in an OCTET STRING of an OCTET STRING */
	list_row(make_list(0x30, "\5\0", 2, ELEMENTS_MAX - 1), NULL);
	list_row(make_list(0x30, "\5\0", 2, ELEMENTS_MAX), TOO_LONG);
	list_row(make_list(0x30, "\x31\2\5\0", 4, ELEMENTS_MAX / 2), TOO_LONG);
	list_row(make_list(0x30, "\x1f\x81\1\0", 4, ELEMENTS_MAX), TOO_LONG);
	list_row(make_ext(EKU, make_list(0x30, "\6\1*", 3, ELEMENTS_MAX - 4)), NULL);
	list_row(make_ext(EKU, make_list(0x30, "\6\1*", 3, ELEMENTS_MAX)), TOO_LONG);
	list_row(make_ext(EKU, make_ext(EKU, make_list(0x30, "\6\1*", 3, ELEMENTS_MAX))),
		 TOO_LONG);
	/* Alternative names have room of their own */
	list_row(make_ext(SAN, make_list(0x30, "\x82\1a", 3, NAMES_MAX - 1)), NULL);
	list_row(make_ext(SAN, make_list(0x30, "\x82\1a", 3, NAMES_MAX)), TOO_LONG);
	list_row(make_ext(EKU, make_list(0x30, "\x82\1a", 3, NAMES_MAX - 1)), TOO_LONG);
	/* Behind something that cannot be read */
	list_row(make_ext(SAN, make_list(0x30, "\x82\x85", 2, NAMES_MAX + 4)), TOO_LONG);
	list_row(make_ext(EKU, make_list(0x30, "\x82\x85", 2, ELEMENTS_MAX)), TOO_LONG);
	/* In all of a chain */
	for (int i = 0; i < 2; i++)
		halves[i] = make_list(0x30, "\5\0", 2, ELEMENTS_MAX / 2);
	message_row(halves, 1, NULL);
	message_row(halves, 2, TOO_LONG);
	for (int i = 0; i < 2; i++)
		free(halves[i].data);
}

static void not_der_row(const void *octets, size_t size)
{
	gnutls_datum_t der = { (unsigned char *)octets, size };

	message_row(&der, 1, NOT_DER);
	assert_false(ss_chain_is_plain(&der));
}

/* What GnuTLS would not read either, but who knows */
static void test_N4_octets(void **state)
{
	uint8_t junk[64];

	(void)state;
	not_der_row("\x30", 1);
	not_der_row("\x30\x80\5\0\0\0", 6);
	not_der_row("\4\x85\0\0\0\0\1x", 8);
	not_der_row("\4\4abc", 5);
	not_der_row("\x1f\x81", 2);
	not_der_row("\4\x84\xff\xff\xff\xff", 6);
	for (int i = 0; i < 20000; i++) {
		gnutls_datum_t m = { junk, i % sizeof(junk) };

		gnutls_rnd(GNUTLS_RND_NONCE, junk, sizeof(junk));
		memset(junk, 0, i % 4);
		ss_chain_check_message(&m, i % 2);
		ss_chain_is_plain(&m);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_N4_rsa),
		cmocka_unit_test(test_N4_dsa),
		cmocka_unit_test(test_N4_length),
		cmocka_unit_test(test_N4_intricacy),
		cmocka_unit_test(test_N4_octets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
