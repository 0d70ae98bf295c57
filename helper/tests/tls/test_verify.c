// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include <gnutls/abstract.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "tests/support/pki.h"
#include "tls/verify.h"

#define B(cause)	SS_VERIFY_BIT(SMTPSPLICE_TLS_CAUSE_##cause)

static char *dir, *trust;
static struct ss_ca own;
static struct ss_verify verify;
static struct pki root, inter;

static struct ss_verify_result last;	/* of check_with() */

static void check_with(const struct ss_verify *v, const struct pki *chain, unsigned int count,
		       const gnutls_datum_t *staple, const char *name, uint32_t want)
{
	gnutls_x509_crt_t crts[32];
	struct ss_verify_result r;

	for (unsigned int i = 0; i < count; i++)
		crts[i] = chain[i].crt;
	ss_verify_chain(v, crts, count, staple, name, &r);
	if (r.failed != want)
		print_message("# failed %#x, not %#x (%s)\n", r.failed, want, r.detail ?: "");
	assert_int_equal(r.failed, want);
	assert_int_equal(!!r.detail, !!(want & B(VALIDATION_FAILURE)));
	last = r;
}

static void check(const struct pki *chain, unsigned int count, uint32_t want)
{
	check_with(&verify, chain, count, NULL, PKI_HOST, want);
}

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

static int setup(void **state)
{
	char err[512];

	(void)state;
	dir = pki_folder(&own);
	pki_root(&root, "CN=test root");
	pki_make(&inter, &(struct pki_spec){ .dn = "CN=intermediate", .ca = true,
					     .pathlen = -1 }, &root);
	trust = pki_file(dir, "root.pem", &root, false);
	return ss_verify_init(&verify, trust, NULL, &own, err, sizeof(err));
}

static int teardown(void **state)
{
	(void)state;
	ss_verify_free(&verify);
	ss_ca_free(&own);
	pki_free(&root);
	pki_free(&inter);
	ss_process_remove_tree(dir);
	free(trust);
	free(dir);
	return 0;
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
		cmocka_unit_test(knows_crls),
		cmocka_unit_test(knows_staples),
		cmocka_unit_test(stands_long_chains),
		cmocka_unit_test(knows_staples_from_the_future),
		cmocka_unit_test(knows_staples_that_are_old),
		cmocka_unit_test(test_N4_large_staples),
		cmocka_unit_test(test_N4_large_keys),
		cmocka_unit_test(checks_a_leaf_that_is_trusted_as_it_is),
		cmocka_unit_test(takes_the_strictest),
		cmocka_unit_test(has_an_option_for_each),
		cmocka_unit_test(tells_of_bad_files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
