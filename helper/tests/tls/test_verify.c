// SPDX-License-Identifier: GPL-2.0
/*
 * Certificates of servers: which are good, and of what the others are told.
 */
#include "tests/support/verify.h"

#include "lib/cleanup.h"

/* A leaf of the trusted intermediate, or of another issuer */
static void check_leaf(const struct pki_spec *spec, const struct pki *issuer, uint32_t want)
{
	struct pki chain[2] = { {}, issuer ? *issuer : inter };

	pki_make(&chain[0], spec, &chain[1]);
	check(chain, 2, want);
	pki_free(&chain[0]);
}

static void make_inter(struct pki *made, struct pki_spec spec, const struct pki *issuer)
{
	spec.dn = "CN=another intermediate";
	spec.ca = true;
	pki_make(made, &spec, issuer ?: &root);
}

/* A good leaf of a bad intermediate of the trusted root */
static void check_inter(struct pki_spec spec, uint32_t want)
{
	struct pki bad;

	make_inter(&bad, spec, NULL);
	check_leaf(&(struct pki_spec){}, &bad, want);
	pki_free(&bad);
}

static void takes_what_is_good(void **state)
{
	struct pki chain[4] = { {}, inter, root };

	(void)state;
	check_leaf(&(struct pki_spec){}, NULL, 0);
	check_leaf(&(struct pki_spec){ .pk = GNUTLS_PK_RSA }, NULL, 0);
	check_leaf(&(struct pki_spec){ .extras = true }, NULL, 0);
	/* With the root, in the wrong order, with something else between */
	pki_leaf(&chain[0], &inter);
	check(chain, 3, 0);
	chain[1] = root;
	chain[2] = inter;
	check(chain, 3, 0);
	pki_root(&chain[1], "CN=not asked for");
	check(chain, 3, 0);
	pki_free(&chain[1]);
	pki_free(&chain[0]);
}

static void knows_time(void **state)
{
	(void)state;
	check_leaf(&(struct pki_spec){ .from = -9 * PKI_DAY, .to = -PKI_DAY }, NULL, B(EXPIRED));
	check_leaf(&(struct pki_spec){ .from = PKI_DAY, .to = 9 * PKI_DAY }, NULL, B(EXPIRED));
	check_inter((struct pki_spec){ .from = -9 * PKI_DAY, .to = -PKI_DAY }, B(EXPIRED));
}

static void knows_trust(void **state)
{
	struct pki chain[3] = {}, other, self;

	(void)state;
	/* An unknown root, sent along or not; incomplete; self-signed */
	pki_root(&other, "CN=unknown root");
	check_leaf(&(struct pki_spec){}, &other, B(UNTRUSTED));
	pki_leaf(&chain[0], &other);
	check(chain, 1, B(UNTRUSTED));
	pki_free(&chain[0]);
	pki_leaf(&chain[0], &inter);
	check(chain, 1, B(UNTRUSTED));
	pki_free(&chain[0]);
	pki_make(&self, &(struct pki_spec){}, NULL);
	check(&self, 1, B(UNTRUSTED));
	pki_free(&self);
	/* One that only bears the root's name */
	pki_root(&self, "CN=test root");
	pki_leaf(&chain[0], &self);
	chain[1] = self;
	check(chain, 2, B(UNTRUSTED) | B(VALIDATION_FAILURE));
	pki_free(&chain[0]);
	pki_free(&self);
	/* All of it is told, not only that */
	check_leaf(&(struct pki_spec){ .from = -9 * PKI_DAY, .to = -PKI_DAY,
				       .purpose = GNUTLS_KP_TLS_WWW_CLIENT,
				       .host = "other.example.com", .dn = "CN=x" }, &other,
		   B(UNTRUSTED) | B(EXPIRED) | B(VALIDATION_FAILURE) | B(SERVER_NAME));
	pki_free(&other);
}

static void knows_what_is_weak(void **state)
{
	struct pki self;

	(void)state;
	check_leaf(&(struct pki_spec){ .pk = GNUTLS_PK_RSA, .bits = 1024 }, NULL,
		   B(VALIDATION_FAILURE));
	check_leaf(&(struct pki_spec){ .digest = GNUTLS_DIG_SHA1 }, NULL, B(VALIDATION_FAILURE));
	check_inter((struct pki_spec){ .pk = GNUTLS_PK_RSA, .bits = 1024, .pathlen = -1 },
		    B(VALIDATION_FAILURE));
	check_inter((struct pki_spec){ .digest = GNUTLS_DIG_SHA1, .pathlen = -1 },
		    B(VALIDATION_FAILURE));
	/* Where nobody else has signed it as well */
	pki_make(&self, &(struct pki_spec){ .pk = GNUTLS_PK_RSA, .bits = 1024 }, NULL);
	check(&self, 1, B(UNTRUSTED) | B(VALIDATION_FAILURE));
	pki_free(&self);
}

static void knows_constraints(void **state)
{
	struct pki first, second, chain[3];

	(void)state;
	check_leaf(&(struct pki_spec){ .purpose = GNUTLS_KP_TLS_WWW_CLIENT }, NULL,
		   B(VALIDATION_FAILURE));
	check_leaf(&(struct pki_spec){ .unknown = "1.2.3.4.5" }, NULL, B(VALIDATION_FAILURE));
	check_inter((struct pki_spec){ .pathlen = -1, .permit = "example.com" }, 0);
	check_inter((struct pki_spec){ .pathlen = -1, .permit = "example.org" },
		    B(VALIDATION_FAILURE));
	/* Issuers that are no CA: an end entity, and one of version 1 */
	pki_make(&first, &(struct pki_spec){ .dn = "CN=no CA" }, &root);
	check_leaf(&(struct pki_spec){}, &first, B(VALIDATION_FAILURE));
	pki_free(&first);
	pki_make(&first, &(struct pki_spec){ .dn = "CN=old", .v1 = true }, &root);
	check_leaf(&(struct pki_spec){}, &first, B(VALIDATION_FAILURE));
	pki_free(&first);
	pki_make(&first, &(struct pki_spec){ .dn = "CN=odd", .no_basic = true }, &root);
	check_leaf(&(struct pki_spec){}, &first, B(VALIDATION_FAILURE));
	pki_free(&first);
	/* A CA below one that may have none */
	make_inter(&first, (struct pki_spec){ .pathlen = 0 }, NULL);
	pki_make(&second, &(struct pki_spec){ .dn = "CN=second", .ca = true, .pathlen = -1 },
		 &first);
	pki_leaf(&chain[0], &second);
	chain[1] = second;
	chain[2] = first;
	check(chain, 3, B(VALIDATION_FAILURE));
	pki_free(&chain[0]);
	pki_free(&second);
	pki_free(&first);
}

static void knows_forgeries(void **state)
{
	struct pki forged, chain[2];
	gnutls_datum_t der;

	(void)state;
	/* The right names and key ids, but the wrong key has signed */
	pki_leaf(&chain[0], &inter);
	chain[1] = inter;
	assert_int_equal(gnutls_x509_crt_export2(chain[0].crt, GNUTLS_X509_FMT_DER, &der), 0);
	der.data[der.size - 5] ^= 1;
	memset(&forged, 0, sizeof(forged));
	gnutls_x509_crt_init(&forged.crt);
	assert_int_equal(gnutls_x509_crt_import(forged.crt, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_free(der.data);
	check((struct pki[]){ forged, inter }, 2, B(VALIDATION_FAILURE) | B(UNTRUSTED));
	pki_free(&forged);
	pki_free(&chain[0]);
}

static void knows_names(void **state)
{
	struct pki chain[2] = { {}, inter };
	static const struct {
		const char *host, *name;
		bool good;
	} rows[] = {
		{ "mx.example.com", "MX.example.com.", true },
		{ "*.example.com", "mx.example.com", true },
		{ "*.example.com", "a.b.example.com", false },
		{ "mx.example.com", "example.com", false },
		{ "mx.example.com", NULL, true },
		{ "mx.example.com", "", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		pki_make(&chain[0], &(struct pki_spec){ .dn = "O=x", .host = rows[i].host },
			 &inter);
		check_with(&verify, chain, 2, NULL, rows[i].name,
			   rows[i].good ? 0 : B(SERVER_NAME));
		pki_free(&chain[0]);
	}
}

/* Sign a leaf anew that was changed, and see it as others do */
static void sign_again(struct pki *made)
{
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_crt_sign2(made->crt, inter.crt, inter.key,
					       GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(gnutls_x509_crt_export2(made->crt, GNUTLS_X509_FMT_DER, &der), 0);
	gnutls_x509_crt_deinit(made->crt);
	gnutls_x509_crt_init(&made->crt);
	assert_int_equal(gnutls_x509_crt_import(made->crt, &der, GNUTLS_X509_FMT_DER), 0);
	gnutls_free(der.data);
}

static void check_common_name(const void *name, size_t size, uint32_t want)
{
	struct pki chain[2] = { {}, inter };

	pki_make(&chain[0], &(struct pki_spec){ .dn = "O=x" }, NULL);
	assert_int_equal(gnutls_x509_crt_set_dn_by_oid(chain[0].crt,
		GNUTLS_OID_X520_COMMON_NAME, 0, name, size), 0);
	sign_again(&chain[0]);
	check_with(&verify, chain, 2, NULL, NULL, want);
	pki_free(&chain[0]);
}

/* A DNS name in front of a good one */
static void check_alt_name(void *name, size_t size, uint32_t want)
{
	const gnutls_datum_t text = { name, size };
	const gnutls_datum_t good = { (uint8_t *)PKI_HOST, strlen(PKI_HOST) };
	gnutls_datum_t parts[2] = { pki_der_join(0x82, &text, 1), pki_der_join(0x82, &good, 1) };
	gnutls_datum_t whole = pki_der_join(0x30, parts, 2);
	struct pki chain[2] = { {}, inter };

	pki_make(&chain[0], &(struct pki_spec){ .dn = "O=x", .host = "" }, NULL);
	assert_int_equal(gnutls_x509_crt_set_extension_by_oid(chain[0].crt, "2.5.29.17",
							      whole.data, whole.size, 0), 0);
	sign_again(&chain[0]);
	check_with(&verify, chain, 2, NULL, NULL, want);
	pki_free(&chain[0]);
	free(parts[0].data);
	free(parts[1].data);
	free(whole.data);
}

/*
 * CN and alternative name with a NUL, as an own key of the CA would sign it. How long the
 * name is does not matter, nor how far behind the NUL is.
 */
static void knows_nul_in_names(void **state)
{
	static const size_t sizes[] = { 24, 1023, 1024, 1025, 4000 };
	char name[4000];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t places[] = { 14, sizes[i] / 2, sizes[i] - 1 };

		memset(name, 'x', sizeof(name));
		memcpy(name, PKI_HOST, strlen(PKI_HOST));
		check_common_name(name, sizes[i], 0);
		check_alt_name(name, sizes[i], 0);
		for (size_t n = 0; n < ARRAY_SIZE(places); n++) {
			char was = name[places[n]];

			name[places[n]] = '\0';
			check_common_name(name, sizes[i], B(VALIDATION_FAILURE));
			check_alt_name(name, sizes[i], B(VALIDATION_FAILURE));
			name[places[n]] = was;
		}
	}
}

static void knows_its_own_cas(void **state)
{
	struct pki chain[4] = {};

	(void)state;
	for (int kind = 0; kind < SS_CA_KINDS; kind++) {
		gnutls_x509_crt_t made;
		struct pki original;
		gnutls_datum_t der;

		/* Signed by the key of our CA, trusted or not */
		pki_leaf(&original, &root);
		assert_int_equal(gnutls_x509_crt_init(&made), 0);
		gnutls_x509_crt_set_version(made, 3);
		gnutls_x509_crt_set_serial(made, "\1", 1);
		gnutls_x509_crt_set_activation_time(made, time(NULL) - PKI_DAY);
		gnutls_x509_crt_set_expiration_time(made, time(NULL) + PKI_DAY);
		gnutls_x509_crt_set_dn(made, "CN=" PKI_HOST, NULL);
		gnutls_x509_crt_set_subject_alt_name(made, GNUTLS_SAN_DNSNAME, PKI_HOST,
						     strlen(PKI_HOST), GNUTLS_FSAN_SET);
		gnutls_x509_crt_set_key(made, original.key);
		assert_int_equal(gnutls_x509_crt_privkey_sign(made, own.crt[kind], own.key[kind],
							      GNUTLS_DIG_SHA256, 0), 0);
		gnutls_x509_crt_export2(made, GNUTLS_X509_FMT_DER, &der);
		gnutls_x509_crt_deinit(made);
		gnutls_x509_crt_init(&chain[0].crt);
		assert_int_equal(gnutls_x509_crt_import(chain[0].crt, &der,
							GNUTLS_X509_FMT_DER), 0);
		gnutls_free(der.data);
		check(chain, 1, B(OWN_CA) | B(UNTRUSTED));
		/* Anywhere in what was sent */
		chain[3] = chain[0];
		chain[0] = original;
		chain[1] = root;
		chain[2] = chain[3];
		check(chain, 3, B(OWN_CA));
		pki_free(&chain[3]);
		pki_free(&original);
		chain[0] = (struct pki){};
	}
	pki_leaf(&chain[0], &root);
	chain[1] = (struct pki){ .crt = own.crt[SS_CA_TRUSTED] };
	check(chain, 2, B(OWN_CA));
	pki_free(&chain[0]);
}

/* No key is used that is too large, whoever asks for a chain to be checked */
static void test_N4_large_keys(void **state)
{
	struct pki_spec spec = { .dn = "CN=large", .ca = true, .pathlen = -1,
				 .modulus = 32768, .exponent = 32759 };
	struct pki chain[2] = {};

	(void)state;
	for (int self = 0; self < 2; self++) {
		pki_make(&chain[1], &spec, self ? NULL : &root);
		pki_leaf(&chain[0], &chain[1]);
		check(chain, 2, B(VALIDATION_FAILURE));
		assert_string_equal(last.detail, "a key in its chain is too large");
		pki_free(&chain[0]);
		pki_free(&chain[1]);
	}
}

/* A leaf that is in the list of the trusted ones itself: GnuTLS looks no further */
static void check_trusted_leaf(const struct pki_spec *spec, uint32_t want)
{
	struct pki leaf = {}, other = {};
	struct ss_verify v;
	char err[512], *pem;

	for (int self = 0; self < 2; self++) {
		if (!self)
			pki_root(&other, "CN=other");
		pki_make(&leaf, spec, self ? NULL : &other);
		pem = pki_file(dir, "trusted.pem", &leaf, false);
		assert_int_equal(ss_verify_init(&v, pem, NULL, &own, err, sizeof(err)), 0);
		check_with(&v, &leaf, 1, NULL, PKI_HOST, want);
		ss_verify_free(&v);
		free(pem);
		pki_free(&leaf);
		pki_free(&other);
	}
}

static void checks_a_leaf_that_is_trusted_as_it_is(void **state)
{
	(void)state;
	check_trusted_leaf(&(struct pki_spec){}, 0);
	check_trusted_leaf(&(struct pki_spec){ .from = -9 * PKI_DAY, .to = -PKI_DAY },
			   B(EXPIRED));
	check_trusted_leaf(&(struct pki_spec){ .from = PKI_DAY, .to = 9 * PKI_DAY },
			   B(EXPIRED));
	check_trusted_leaf(&(struct pki_spec){ .pk = GNUTLS_PK_RSA, .bits = 1024 },
			   B(VALIDATION_FAILURE));
	assert_string_equal(last.detail, "a key or signature is too weak");
	check_trusted_leaf(&(struct pki_spec){ .digest = GNUTLS_DIG_SHA1 },
			   B(VALIDATION_FAILURE));
	check_trusted_leaf(&(struct pki_spec){ .must_staple = true }, B(VALIDATION_FAILURE));
	check_trusted_leaf(&(struct pki_spec){ .host = "other.example.com", .dn = "CN=x" },
			   B(SERVER_NAME));
}

/* GnuTLS has been hurt by long chains (CVE-2024-28835) */
static void stands_long_chains(void **state)
{
	struct pki chain[30] = {};

	(void)state;
	pki_make(&chain[29], &(struct pki_spec){ .dn = "CN=29", .ca = true, .pathlen = -1 }, &root);
	for (int i = 28; i > 0; i--) {
		char dn[16];

		snprintf(dn, sizeof(dn), "CN=%d", i);
		pki_make(&chain[i], &(struct pki_spec){ .dn = dn, .ca = true, .pathlen = -1 },
			 &chain[i + 1]);
	}
	pki_leaf(&chain[0], &chain[1]);
	check(chain, 30, B(UNTRUSTED));
	for (int i = 0; i < 30; i++)
		pki_free(&chain[i]);
}

static void takes_the_strictest(void **state)
{
	struct ss_verify_result r = { .failed = B(EXPIRED) | B(UNTRUSTED) | B(SERVER_NAME) };
	enum smtpsplice_tls_cause cause;
	struct ss_tls_profile p;

	(void)state;
	ss_tls_profile_default(&p);
	p.expired = SMTPSPLICE_TLS_ACTION_IGNORE;
	p.untrusted = SMTPSPLICE_TLS_ACTION_ALLOW;
	/* Another name is for sni-server-cert-check alone */
	p.validation_failure = SMTPSPLICE_TLS_ACTION_IGNORE;
	p.sni_check = SMTPSPLICE_SNI_CHECK_STRICT;
	assert_int_equal(ss_verify_decide(&p, &r, &cause), SMTPSPLICE_TLS_ACTION_BLOCK);
	assert_int_equal(cause, SMTPSPLICE_TLS_CAUSE_SERVER_NAME);
	p.validation_failure = SMTPSPLICE_TLS_ACTION_BLOCK;
	p.sni_check = SMTPSPLICE_SNI_CHECK_ENABLE;
	assert_int_equal(ss_verify_decide(&p, &r, &cause), SMTPSPLICE_TLS_ACTION_ALLOW);
	assert_int_equal(cause, SMTPSPLICE_TLS_CAUSE_UNTRUSTED);
	p.untrusted = SMTPSPLICE_TLS_ACTION_IGNORE;
	assert_int_equal(ss_verify_decide(&p, &r, &cause), SMTPSPLICE_TLS_ACTION_IGNORE);
	r.failed |= B(OWN_CA);
	assert_int_equal(ss_verify_decide(&p, &r, &cause), SMTPSPLICE_TLS_ACTION_BLOCK);
	assert_int_equal(cause, SMTPSPLICE_TLS_CAUSE_OWN_CA);
	r.failed = 0;
	assert_int_equal(ss_verify_decide(&p, &r, &cause), SMTPSPLICE_TLS_ACTION_IGNORE);
	assert_int_equal(cause, SMTPSPLICE_TLS_CAUSE_NONE);
}

/* What is wrong is acted on by its own option, whatever the others say */
static void has_an_option_for_each(void **state)
{
	struct ss_tls_profile p;
	const struct {
		enum smtpsplice_tls_cause cause;
		uint32_t *action;
	} rows[] = {
		{ SMTPSPLICE_TLS_CAUSE_EXPIRED, &p.expired },
		{ SMTPSPLICE_TLS_CAUSE_REVOKED, &p.revoked },
		{ SMTPSPLICE_TLS_CAUSE_UNTRUSTED, &p.untrusted },
		{ SMTPSPLICE_TLS_CAUSE_VALIDATION_TIMEOUT, &p.validation_timeout },
		{ SMTPSPLICE_TLS_CAUSE_VALIDATION_FAILURE, &p.validation_failure },
	};

	(void)state;
	ss_tls_profile_default(&p);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		*rows[i].action = SMTPSPLICE_TLS_ACTION_IGNORE;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		*rows[i].action = SMTPSPLICE_TLS_ACTION_BLOCK;
		for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
			struct ss_verify_result r = { .failed = SS_VERIFY_BIT(rows[n].cause) };
			enum smtpsplice_tls_cause cause;

			assert_int_equal(ss_verify_decide(&p, &r, &cause), n == i ?
					 SMTPSPLICE_TLS_ACTION_BLOCK :
					 SMTPSPLICE_TLS_ACTION_IGNORE);
			assert_int_equal(cause, rows[n].cause);
		}
		*rows[i].action = SMTPSPLICE_TLS_ACTION_IGNORE;
	}
}

static void tells_of_bad_files(void **state)
{
	struct ss_verify v;
	char err[512];

	(void)state;
	assert_int_not_equal(ss_verify_init(&v, "/nonexistent", NULL, &own, err, sizeof(err)), 0);
	assert_non_null(strstr(err, "/nonexistent"));
	ss_verify_free(&v);
	assert_int_not_equal(ss_verify_init(&v, trust, "/nonexistent", &own, err, sizeof(err)), 0);
	assert_non_null(strstr(err, "CRL file /nonexistent"));
	ss_verify_free(&v);
	assert_int_equal(ss_verify_init(&v, NULL, NULL, &own, err, sizeof(err)), 0);
	ss_verify_free(&v);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_good),
		cmocka_unit_test(knows_time),
		cmocka_unit_test(knows_trust),
		cmocka_unit_test(knows_what_is_weak),
		cmocka_unit_test(knows_constraints),
		cmocka_unit_test(knows_forgeries),
		cmocka_unit_test(knows_names),
		cmocka_unit_test(knows_nul_in_names),
		cmocka_unit_test(knows_its_own_cas),
		cmocka_unit_test(stands_long_chains),
		cmocka_unit_test(test_N4_large_keys),
		cmocka_unit_test(checks_a_leaf_that_is_trusted_as_it_is),
		cmocka_unit_test(takes_the_strictest),
		cmocka_unit_test(has_an_option_for_each),
		cmocka_unit_test(tells_of_bad_files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, verify_setup, verify_teardown);
}
