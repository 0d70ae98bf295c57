// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/x509-ext.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "tests/support/pki.h"
#include "tls/mint.h"

static char *dir;
static struct ss_ca ca;
static struct ss_mint mint;
static struct pki root;

static gnutls_x509_crt_t make(gnutls_x509_crt_t original, enum ss_ca_kind kind,
			      enum ss_mint_key key)
{
	gnutls_x509_crt_t made;

	assert_int_equal(ss_mint_make(&mint, original, kind, key, &made), 0);
	return made;
}

static void expect_same_subject(gnutls_x509_crt_t a, gnutls_x509_crt_t b)
{
	gnutls_datum_t x, y;

	assert_int_equal(gnutls_x509_crt_get_raw_dn(a, &x), 0);
	assert_int_equal(gnutls_x509_crt_get_raw_dn(b, &y), 0);
	assert_int_equal(x.size, y.size);
	assert_memory_equal(x.data, y.data, x.size);
	gnutls_free(x.data);
	gnutls_free(y.data);
}

/* An extension's octets, empty where there is none */
static gnutls_datum_t get_ext(gnutls_x509_crt_t crt, const char *want, unsigned int *critical)
{
	gnutls_datum_t value = {};
	char oid[128];

	for (int i = 0;; i++) {
		size_t size = sizeof(oid);

		if (gnutls_x509_crt_get_extension_info(crt, i, oid, &size, critical))
			return value;
		if (!strcmp(oid, want)) {
			gnutls_x509_crt_get_extension_data2(crt, i, &value);
			return value;
		}
	}
}

static void expect_same_san(gnutls_x509_crt_t a, gnutls_x509_crt_t b)
{
	unsigned int x_critical = 0, y_critical = 0;
	gnutls_datum_t x = get_ext(a, "2.5.29.17", &x_critical);
	gnutls_datum_t y = get_ext(b, "2.5.29.17", &y_critical);

	assert_int_equal(x.size, y.size);
	if (x.size)
		assert_memory_equal(x.data, y.data, x.size);
	assert_int_equal(x_critical, y_critical);
	gnutls_free(x.data);
	gnutls_free(y.data);
}

static void copies_names_to_the_octet(void **state)
{
	static const char *const names[] = {
		"C=DE,ST=Bavaria,L=Munich,O=Example\\, Inc.,CN=mx.example.com,EMAIL=root@example.com",
		"EMAIL=a@example.com,CN=mx,O=Ex\xc3\xa4mple,C=DE",
		"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct pki original;
		gnutls_x509_crt_t made;

		pki_make(&original, &(struct pki_spec){ .dn = names[i] }, &root);
		made = make(original.crt, SS_CA_TRUSTED, i % 2);
		expect_same_subject(original.crt, made);
		expect_same_san(original.crt, made);
		assert_true(gnutls_x509_crt_check_hostname(made, PKI_HOST));
		gnutls_x509_crt_deinit(made);
		pki_free(&original);
	}
}

/* What stands together in one RDN stays so; GnuTLS cannot make that */
static void copies_multiple_values(void **state)
{
	gnutls_x509_crt_t original, made;
	gnutls_datum_t pem, dn;
	char *cmd, *file;

	(void)state;
	assert_true(asprintf(&file, "%s/multi.pem", dir) > 0);
	assert_true(asprintf(&cmd, "openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null "
			     "-subj /C=DE/OU=b+CN=mx/O=x -out %s 2>/dev/null", file) > 0);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(gnutls_load_file(file, &pem), 0);
	gnutls_x509_crt_init(&original);
	assert_int_equal(gnutls_x509_crt_import(original, &pem, GNUTLS_X509_FMT_PEM), 0);
	assert_int_equal(gnutls_x509_crt_get_dn3(original, &dn, 0), 0);
	assert_non_null(strchr((char *)dn.data, '+'));
	made = make(original, SS_CA_TRUSTED, SS_MINT_ECDSA);
	expect_same_subject(original, made);
	gnutls_x509_crt_deinit(made);
	gnutls_x509_crt_deinit(original);
	gnutls_free(pem.data);
	gnutls_free(dn.data);
	free(cmd);
	free(file);
}

/* Signed anew, with that extension; there are no names, unless these are it */
static void with_ext(struct pki *original, const char *oid, const void *der, size_t len,
		     bool critical)
{
	pki_make(original, &(struct pki_spec){ .host = "" }, &root);
	assert_int_equal(gnutls_x509_crt_set_extension_by_oid(original->crt, oid, der, len,
							      critical), 0);
	assert_int_equal(gnutls_x509_crt_sign2(original->crt, root.crt, root.key,
					       GNUTLS_DIG_SHA256, 0), 0);
}

static void copies_odd_names(void **state)
{
	/* DNS, IP, mail, URI, and an otherName */
	static const char der[] = "\x30\x30\x82\1a\x87\4\1\2\3\4\x81\3a@b\x86\6http:x"
				  "\xa0\x10\6\x08\x2b\6\1\5\5\7\x08\7\xa0\4\x16\2hi"
				  "\x82\x06*.a.b.";
	struct pki original;
	gnutls_x509_crt_t made;

	(void)state;
	with_ext(&original, "2.5.29.17", der, 2 + der[1], true);
	made = make(original.crt, SS_CA_TRUSTED, SS_MINT_ECDSA);
	expect_same_san(original.crt, made);
	gnutls_x509_crt_deinit(made);
	pki_free(&original);
	/* None is none */
	pki_make(&original, &(struct pki_spec){ .host = "" }, &root);
	made = make(original.crt, SS_CA_TRUSTED, SS_MINT_ECDSA);
	expect_same_san(original.crt, made);
	gnutls_x509_crt_deinit(made);
	pki_free(&original);
}

#define SIGN	GNUTLS_KEY_DIGITAL_SIGNATURE
#define COMMIT	GNUTLS_KEY_NON_REPUDIATION
#define WRAP	GNUTLS_KEY_KEY_ENCIPHERMENT
#define CIPHER	GNUTLS_KEY_DATA_ENCIPHERMENT
#define AGREE	GNUTLS_KEY_KEY_AGREEMENT
#define CERTS	GNUTLS_KEY_KEY_CERT_SIGN
#define CRLS	GNUTLS_KEY_CRL_SIGN
#define ONLY	(GNUTLS_KEY_ENCIPHER_ONLY | GNUTLS_KEY_DECIPHER_ONLY)

/* 0 is none at all */
static void expect_usage(gnutls_x509_crt_t original, enum ss_mint_key key,
			 unsigned int want, bool want_critical)
{
	gnutls_x509_crt_t made = make(original, SS_CA_TRUSTED, key);
	unsigned int usage = 0, critical = 0;
	int ret = gnutls_x509_crt_get_key_usage(made, &usage, &critical);

	assert_int_equal(ret, want ? 0 : GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
	assert_int_equal(usage, want);
	assert_int_equal(!!critical, want_critical);
	gnutls_x509_crt_deinit(made);
}

static void copies_the_key_usage(void **state)
{
	static const struct {
		gnutls_pk_algorithm_t pk;
		unsigned int was;
		bool lax;
		unsigned int is[SS_MINT_KEYS];
	} rows[] = {
		{ GNUTLS_PK_RSA, SIGN | WRAP, false, { SIGN, SIGN | WRAP } },
		{ GNUTLS_PK_RSA, WRAP, false, { SIGN, SIGN | WRAP } },
		{ GNUTLS_PK_RSA, WRAP | CIPHER | COMMIT, true,
		  { SIGN | COMMIT, SIGN | COMMIT | WRAP | CIPHER } },
		{ GNUTLS_PK_RSA, 0, false, { 0, 0 } },
		{ GNUTLS_PK_ECDSA, 0, false, { 0, 0 } },
		{ GNUTLS_PK_ECDSA, SIGN, false, { SIGN, SIGN } },
		{ GNUTLS_PK_ECDSA, SIGN, true, { SIGN, SIGN } },
		{ GNUTLS_PK_ECDSA, SIGN | COMMIT, false, { SIGN | COMMIT, SIGN | COMMIT } },
		{ GNUTLS_PK_ECDSA, SIGN | AGREE, false, { SIGN | AGREE, SIGN } },
		{ GNUTLS_PK_ECDSA, AGREE, true, { SIGN | AGREE, SIGN } },
		{ GNUTLS_PK_ECDSA, AGREE | ONLY, false, { SIGN | AGREE, SIGN } },
		{ GNUTLS_PK_ECDSA, SIGN | CERTS | CRLS, false, { SIGN, SIGN } },
		{ GNUTLS_PK_ECDSA, CERTS, false, { SIGN, SIGN } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pki original;

		pki_make(&original, &(struct pki_spec){ .pk = rows[i].pk, .usage = rows[i].was,
							.lax_usage = rows[i].lax }, &root);
		for (int key = 0; key < SS_MINT_KEYS; key++)
			expect_usage(original.crt, key, rows[i].is[key],
				     rows[i].is[key] && !rows[i].lax);
		pki_free(&original);
	}
}

/* It cannot be copied, but the client's handshake is signed all the same */
static void minds_no_broken_key_usage(void **state)
{
	static const char *const ders[] = { "\3\1", "\3\2\x09\x80", "\4\2\5\xa0", "\3\1\0" };
	static const size_t lens[] = { 2, 4, 4, 3 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ders); i++) {
		struct pki original;

		with_ext(&original, "2.5.29.15", ders[i], lens[i], i % 2);
		expect_usage(original.crt, SS_MINT_ECDSA, SIGN, i % 2);
		pki_free(&original);
	}
}

static void copies_nothing_else(void **state)
{
	static const char *const not_copied[] = {
		"1.3.6.1.5.5.7.1.1", "2.5.29.31", "1.3.6.1.5.5.7.1.24",
		"1.3.6.1.4.1.11129.2.4.2", "2.5.29.32", "1.2.3.4.5",
	};
	struct pki original;
	gnutls_x509_crt_t made;
	unsigned int critical, is_ca;
	char oid[64];
	size_t size = sizeof(oid);
	gnutls_datum_t value;

	(void)state;
	pki_make(&original, &(struct pki_spec){ .must_staple = true, .extras = true,
						.purpose = GNUTLS_KP_TLS_WWW_CLIENT,
						.unknown = "1.2.3.4.5" }, &root);
	for (size_t i = 0; i < ARRAY_SIZE(not_copied); i++) {
		value = get_ext(original.crt, not_copied[i], &critical);
		assert_true(value.size > 0);
		gnutls_free(value.data);
	}
	made = make(original.crt, SS_CA_TRUSTED, SS_MINT_ECDSA);
	for (size_t i = 0; i < ARRAY_SIZE(not_copied); i++)
		assert_int_equal(get_ext(made, not_copied[i], &critical).size, 0);
	assert_int_equal(gnutls_x509_crt_get_version(made), 3);
	assert_int_equal(gnutls_x509_crt_get_key_purpose_oid(made, 0, oid, &size, &critical), 0);
	assert_string_equal(oid, GNUTLS_KP_TLS_WWW_SERVER);
	assert_int_equal(gnutls_x509_crt_get_key_purpose_oid(made, 1, oid, &size, &critical),
			 GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
	assert_int_equal(gnutls_x509_crt_get_ca_status(made, &critical), 0);
	gnutls_x509_crt_get_basic_constraints(made, &critical, &is_ca, NULL);
	assert_true(critical && !is_ca);
	gnutls_x509_crt_deinit(made);
	pki_free(&original);
}

static void signs_with_either_ca(void **state)
{
	struct pki original;

	(void)state;
	pki_leaf(&original, &root);
	for (int kind = 0; kind < SS_CA_KINDS; kind++)
		for (int key = 0; key < SS_MINT_KEYS; key++) {
			gnutls_x509_crt_t made = make(original.crt, kind, key);
			unsigned int bits = 0, status = 1;
			uint8_t serial[2][64];
			size_t size[2] = { 64, 64 };

			assert_true(gnutls_x509_crt_check_issuer(made, ca.crt[kind]));
			assert_int_equal(gnutls_x509_crt_verify(made, &ca.crt[kind], 1, 0,
								&status), 0);
			assert_int_equal(status, 0);
			assert_int_equal(gnutls_x509_crt_get_signature_algorithm(made),
					 GNUTLS_SIGN_ECDSA_SHA256);
			assert_int_equal(gnutls_x509_crt_get_pk_algorithm(made, &bits),
					 key == SS_MINT_RSA ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA);
			assert_int_equal(bits, key == SS_MINT_RSA ? 2048 : 256);
			gnutls_x509_crt_get_serial(made, serial[0], &size[0]);
			gnutls_x509_crt_deinit(made);
			made = make(original.crt, kind, key);
			gnutls_x509_crt_get_serial(made, serial[1], &size[1]);
			gnutls_x509_crt_deinit(made);
			assert_int_equal(size[0], 16);
			assert_true(serial[0][0] < 0x80);
			assert_memory_not_equal(serial[0], serial[1], 16);
		}
	pki_free(&original);
}

static void lives_no_longer(void **state)
{
	static const struct {
		long from, to;
	} rows[] = {
		{ -PKI_DAY, PKI_DAY }, { -100 * PKI_DAY, -PKI_DAY }, { PKI_DAY, 9 * PKI_DAY },
		{ -PKI_DAY, 30 * 365 * PKI_DAY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pki original;
		gnutls_x509_crt_t made;
		time_t end, ca_end = gnutls_x509_crt_get_expiration_time(ca.crt[0]);

		pki_make(&original, &(struct pki_spec){ .from = rows[i].from,
							.to = rows[i].to }, &root);
		made = make(original.crt, SS_CA_TRUSTED, SS_MINT_ECDSA);
		assert_int_equal(gnutls_x509_crt_get_activation_time(made),
				 gnutls_x509_crt_get_activation_time(original.crt));
		end = gnutls_x509_crt_get_expiration_time(original.crt);
		assert_int_equal(gnutls_x509_crt_get_expiration_time(made),
				 end < ca_end ? end : ca_end);
		gnutls_x509_crt_deinit(made);
		pki_free(&original);
	}
}

static void keeps_what_it_made(void **state)
{
	struct pki a, b;
	struct ss_creds *first, *other;
	unsigned int count = mint.cache.count;

	(void)state;
	pki_leaf(&a, &root);
	pki_leaf(&b, &root);
	first = ss_mint_re_sign(&mint, a.crt, "a", SS_CA_TRUSTED, SS_MINT_ECDSA);
	assert_non_null(first);
	other = ss_mint_re_sign(&mint, a.crt, "a", SS_CA_TRUSTED, SS_MINT_ECDSA);
	assert_ptr_equal(first, other);
	assert_int_equal(first->users, 3);
	ss_creds_put(other);
	other = ss_mint_re_sign(&mint, a.crt, "a", SS_CA_UNTRUSTED, SS_MINT_ECDSA);
	assert_ptr_not_equal(first, other);
	ss_creds_put(other);
	/* A client that has nothing but RSA could do nothing with the first */
	other = ss_mint_re_sign(&mint, a.crt, "a", SS_CA_TRUSTED, SS_MINT_RSA);
	assert_ptr_not_equal(first, other);
	ss_creds_put(other);
	other = ss_mint_re_sign(&mint, a.crt, "b", SS_CA_TRUSTED, SS_MINT_ECDSA);
	assert_ptr_not_equal(first, other);
	ss_creds_put(other);
	other = ss_mint_re_sign(&mint, b.crt, "a", SS_CA_TRUSTED, SS_MINT_ECDSA);
	assert_ptr_not_equal(first, other);
	ss_creds_put(other);
	assert_int_equal(mint.cache.count, count + 5);
	ss_creds_put(first);
	pki_free(&a);
	pki_free(&b);
}

static void keeps_what_was_used_last(void **state)
{
	struct ss_creds_cache cache;
	uint8_t keys[4][SS_CREDS_KEY_SIZE] = { "a", "b", "c", "d" };
	struct ss_creds *creds[4], *found;

	(void)state;
	assert_int_equal(ss_creds_cache_init(&cache, 3), 0);
	for (int i = 0; i < 4; i++) {
		creds[i] = ss_creds_new(&root.crt, 1, root.key);
		assert_non_null(creds[i]);
	}
	for (int i = 0; i < 3; i++)
		ss_creds_cache_add(&cache, keys[i], creds[i]);
	ss_creds_put(ss_creds_cache_find(&cache, keys[0]));
	ss_creds_cache_add(&cache, keys[3], creds[3]);
	assert_int_equal(cache.count, 3);
	/* The second was not used for longest; who has it, still has it */
	assert_null(ss_creds_cache_find(&cache, keys[1]));
	assert_int_equal(creds[1]->users, 1);
	found = ss_creds_cache_find(&cache, keys[0]);
	assert_ptr_equal(found, creds[0]);
	ss_creds_put(found);
	ss_creds_cache_free(&cache);
	for (int i = 0; i < 4; i++)
		ss_creds_put(creds[i]);
}

/* A key is all of its octets: two that differ in any one of them are of two */
static void knows_all_of_a_key(void **state)
{
	struct ss_creds *creds = ss_creds_new(&root.crt, 1, root.key);
	struct ss_creds_cache cache;
	uint8_t key[SS_CREDS_KEY_SIZE];

	(void)state;
	assert_non_null(creds);
	assert_int_equal(ss_creds_cache_init(&cache, 1), 0);
	memset(key, 'k', sizeof(key));
	ss_creds_cache_add(&cache, key, creds);
	for (size_t i = 0; i < sizeof(key); i++) {
		key[i] ^= 1;
		assert_null(ss_creds_cache_find(&cache, key));
		key[i] ^= 1;
	}
	assert_ptr_equal(ss_creds_cache_find(&cache, key), creds);
	ss_creds_put(creds);
	ss_creds_cache_free(&cache);
	ss_creds_put(creds);
}

/* Put a certificate and key in place of others, as an administrator does it */
static void put_pair(const char *name, const struct pki *pki)
{
	static const char *const ends[] = { "pem", "key" };

	for (int key = 0; key < 2; key++) {
		char *made = pki_file(dir, "new", pki, key), *file;

		assert_true(asprintf(&file, "%s/%s.%s", dir, name, ends[key]) > 0);
		assert_int_equal(rename(made, file), 0);
		free(made);
		free(file);
	}
}

static void expect_shown(struct ss_creds *creds, const struct pki *pki)
{
	gnutls_datum_t shown, want;

	assert_non_null(creds);
	assert_int_equal(gnutls_certificate_get_crt_raw(creds->cred, 0, 0, &shown), 0);
	assert_int_equal(gnutls_x509_crt_export2(pki->crt, GNUTLS_X509_FMT_DER, &want), 0);
	assert_int_equal(shown.size, want.size);
	assert_memory_equal(shown.data, want.data, want.size);
	gnutls_free(want.data);
}

static void gives_what_it_was_given(void **state)
{
	struct ss_creds *first, *second, *third;
	struct pki other = {};
	char *crt, *key;

	(void)state;
	assert_null(ss_mint_replace(&mint, "mx"));
	crt = pki_file(dir, "mx.pem", &root, false);
	assert_null(ss_mint_replace(&mint, "mx"));
	key = pki_file(dir, "mx.key", &root, true);
	first = ss_mint_replace(&mint, "mx");
	second = ss_mint_replace(&mint, "mx");
	expect_shown(first, &root);
	assert_ptr_equal(first, second);
	ss_creds_put(second);
	/* A file that was replaced is another */
	pki_leaf(&other, &root);
	put_pair("mx", &other);
	second = ss_mint_replace(&mint, "mx");
	assert_ptr_not_equal(first, second);
	expect_shown(second, &other);
	/* So is one that was written anew where it is, be it only one of the two */
	for (int i = 0; i < 2; i++) {
		const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

		assert_int_equal(utimensat(AT_FDCWD, i ? key : crt, times, 0), 0);
		third = ss_mint_replace(&mint, "mx");
		assert_ptr_not_equal(second, third);
		expect_shown(third, &other);
		ss_creds_put(second);
		second = third;
	}
	/* Who is shown the old one still is */
	expect_shown(first, &root);
	assert_int_equal(unlink(key), 0);
	assert_null(ss_mint_replace(&mint, "mx"));
	ss_creds_put(first);
	ss_creds_put(second);
	pki_free(&other);
	free(crt);
	free(key);
}

/* A name is one in the folder, whatever there is below it or elsewhere */
static void takes_no_path_for_a_name(void **state)
{
	struct ss_creds *creds;
	char *sub, *up;

	(void)state;
	assert_true(asprintf(&sub, "%s/sub", dir) > 0);
	assert_int_equal(mkdir(sub, 0700), 0);
	free(sub);
	put_pair("sub/mx", &root);
	put_pair("ok", &root);
	put_pair(".mx", &root);
	assert_null(ss_mint_replace(&mint, "sub/mx"));
	assert_null(ss_mint_replace(&mint, "sub/../ok"));
	assert_null(ss_mint_replace(&mint, "/ok"));
	assert_null(ss_mint_replace(&mint, ".mx"));
	assert_null(ss_mint_replace(&mint, ""));
	assert_true(asprintf(&up, "..%s/ok", strrchr(dir, '/')) > 0);
	assert_null(ss_mint_replace(&mint, up));
	free(up);
	creds = ss_mint_replace(&mint, "ok");
	expect_shown(creds, &root);
	ss_creds_put(creds);
}

static int setup(void **state)
{
	(void)state;
	dir = pki_folder(&ca);
	pki_root(&root, "CN=test root");
	return ss_mint_init(&mint, &ca, dir);
}

static int teardown(void **state)
{
	(void)state;
	ss_mint_free(&mint);
	ss_ca_free(&ca);
	pki_free(&root);
	ss_process_remove_tree(dir);
	free(dir);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_names_to_the_octet),
		cmocka_unit_test(copies_multiple_values),
		cmocka_unit_test(copies_odd_names),
		cmocka_unit_test(copies_the_key_usage),
		cmocka_unit_test(minds_no_broken_key_usage),
		cmocka_unit_test(copies_nothing_else),
		cmocka_unit_test(signs_with_either_ca),
		cmocka_unit_test(lives_no_longer),
		cmocka_unit_test(keeps_what_it_made),
		cmocka_unit_test(keeps_what_was_used_last),
		cmocka_unit_test(knows_all_of_a_key),
		cmocka_unit_test(gives_what_it_was_given),
		cmocka_unit_test(takes_no_path_for_a_name),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
