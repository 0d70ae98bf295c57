// SPDX-License-Identifier: GPL-2.0
/*
 * Certificates of all kinds, good and bad.
 */
#include "tests/support/unit.h"

#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509-ext.h>

#include "tests/support/pki.h"

#define OK(call) assert_int_equal((call), 0)

static void set_serial(gnutls_x509_crt_t crt)
{
	static uint32_t count;
	uint8_t serial[5] = { 1, count >> 24, count >> 16, count >> 8, count };

	count++;
	OK(gnutls_x509_crt_set_serial(crt, serial, sizeof(serial)));
}

static void set_permit(gnutls_x509_crt_t crt, const char *name)
{
	gnutls_x509_name_constraints_t nc;
	gnutls_datum_t datum = { (unsigned char *)name, strlen(name) };

	OK(gnutls_x509_name_constraints_init(&nc));
	OK(gnutls_x509_name_constraints_add_permitted(nc, GNUTLS_SAN_DNSNAME, &datum));
	OK(gnutls_x509_crt_set_name_constraints(crt, nc, 1));
	gnutls_x509_name_constraints_deinit(nc);
}

static void set_must_staple(gnutls_x509_crt_t crt)
{
	gnutls_x509_tlsfeatures_t f;

	OK(gnutls_x509_tlsfeatures_init(&f));
	OK(gnutls_x509_tlsfeatures_add(f, 5));
	OK(gnutls_x509_crt_set_tlsfeatures(crt, f));
	gnutls_x509_tlsfeatures_deinit(f);
}

static void set_extras(gnutls_x509_crt_t crt)
{
	static const char url[] = "http://ca.example.com/x";
	static const char domain_validated[] = "\x30\x0a\x30\x08\6\6\x67\x81\x0c\1\2\1";
	gnutls_datum_t datum = { (unsigned char *)url, sizeof(url) - 1 };

	OK(gnutls_x509_crt_set_authority_info_access(crt, GNUTLS_IA_OCSP_URI, &datum));
	OK(gnutls_x509_crt_set_crl_dist_points2(crt, GNUTLS_SAN_URI, url,
						sizeof(url) - 1, 0));
	OK(gnutls_x509_crt_set_extension_by_oid(crt, "1.3.6.1.4.1.11129.2.4.2", "\4\2ab",
						4, 0));
	OK(gnutls_x509_crt_set_extension_by_oid(crt, "2.5.29.32", domain_validated,
						sizeof(domain_validated) - 1, 0));
}

static void set_usage(gnutls_x509_crt_t crt, const struct pki_spec *spec)
{
	gnutls_datum_t der;

	OK(gnutls_x509_ext_export_key_usage(spec->usage, &der));
	OK(gnutls_x509_crt_set_extension_by_oid(crt, GNUTLS_X509EXT_OID_KEY_USAGE, der.data,
						der.size, !spec->lax_usage));
	gnutls_free(der.data);
}

/* Odd, and of so many bits */
static gnutls_datum_t make_number(unsigned int bits)
{
	unsigned int size = (bits + 7) / 8;
	uint8_t *n = malloc(size);

	assert_non_null(n);
	OK(gnutls_rnd(GNUTLS_RND_NONCE, n, size));
	n[0] &= 0xff >> (8 * size - bits);
	n[0] |= 1 << ((bits - 1) % 8);
	n[size - 1] |= 1;
	return (gnutls_datum_t){ n, size };
}

/* A key that can only be used to verify, and takes its time for that */
static void set_public_rsa(gnutls_x509_crt_t crt, const struct pki_spec *spec)
{
	gnutls_datum_t m = make_number(spec->modulus), e = make_number(spec->exponent);
	gnutls_pubkey_t key;

	OK(gnutls_pubkey_init(&key));
	OK(gnutls_pubkey_import_rsa_raw(key, &m, &e));
	OK(gnutls_x509_crt_set_pubkey(crt, key));
	gnutls_pubkey_deinit(key);
	free(m.data);
	free(e.data);
}

/* By hand: GnuTLS copies all that it has for each one more */
static void add_names(gnutls_x509_crt_t crt, unsigned int count)
{
	enum { DNS_NAME = 0x82, MOST = 16 };
	uint8_t *names = malloc((size_t)count * MOST);
	gnutls_datum_t list = { names, 0 }, der;

	assert_non_null(names);
	for (unsigned int i = 0; i < count; i++) {
		uint8_t *at = names + list.size;

		at[0] = DNS_NAME;
		at[1] = snprintf((char *)at + 2, MOST - 2, "%x.a", i);
		list.size += 2 + at[1];
	}
	der = pki_der_join(0x30, &list, 1);
	OK(gnutls_x509_crt_set_extension_by_oid(crt, GNUTLS_X509EXT_OID_SAN, der.data, der.size,
						0));
	free(der.data);
	free(names);
}

static void set_leaf(gnutls_x509_crt_t crt, const struct pki_spec *spec)
{
	const char *host = spec->host ?: PKI_HOST;

	if (spec->names)
		add_names(crt, spec->names);
	else if (*host)
		OK(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host,
							strlen(host), GNUTLS_FSAN_SET));
	OK(gnutls_x509_crt_set_key_purpose_oid(crt, spec->purpose ?: GNUTLS_KP_TLS_WWW_SERVER,
					       0));
	if (spec->usage)
		set_usage(crt, spec);
	if (spec->must_staple)
		set_must_staple(crt);
	if (spec->extras)
		set_extras(crt);
}

static void set_contents(gnutls_x509_crt_t crt, const struct pki_spec *spec,
			 gnutls_x509_privkey_t key)
{
	time_t now = time(NULL);

	OK(gnutls_x509_crt_set_version(crt, spec->v1 ? 1 : 3));
	set_serial(crt);
	OK(gnutls_x509_crt_set_activation_time(crt, now + (spec->from ?: -PKI_DAY)));
	OK(gnutls_x509_crt_set_expiration_time(crt, now + (spec->to ?: 30 * PKI_DAY)));
	OK(gnutls_x509_crt_set_key(crt, key));
	if (spec->modulus)
		set_public_rsa(crt, spec);
	if (!spec->dn || *spec->dn)
		OK(gnutls_x509_crt_set_dn(crt, spec->dn ?: "CN=" PKI_HOST ",O=Example", NULL));
	if (spec->v1)
		return;
	if (!spec->no_basic)
		OK(gnutls_x509_crt_set_basic_constraints(crt, spec->ca, spec->ca ?
							 spec->pathlen : -1));
	if (spec->ca)
		OK(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN |
						 GNUTLS_KEY_CRL_SIGN));
	else if (!spec->no_basic)
		set_leaf(crt, spec);
	if (spec->permit)
		set_permit(crt, spec->permit);
	if (spec->unknown)
		OK(gnutls_x509_crt_set_extension_by_oid(crt, spec->unknown, "\5\0", 2, 1));
}

static size_t der_header(const uint8_t *d, size_t *size)
{
	size_t octets = d[1] & 0x80 ? d[1] & 0x7f : 0;

	*size = octets ? 0 : d[1];
	for (size_t i = 0; i < octets; i++)
		*size = *size << 8 | d[2 + i];
	return 2 + octets;
}

unsigned int pki_der_split(gnutls_datum_t whole, gnutls_datum_t *parts, unsigned int max)
{
	size_t size, at = der_header(whole.data, &size), end = at + size;
	unsigned int count = 0;

	assert_true(end <= whole.size);
	while (at < end) {
		size_t head = der_header(whole.data + at, &size);

		assert_true(count < max && at + head + size <= end);
		parts[count++] = (gnutls_datum_t){ whole.data + at, head + size };
		at += head + size;
	}
	return count;
}

gnutls_datum_t pki_der_join(uint8_t tag, const gnutls_datum_t *parts, unsigned int count)
{
	size_t size = 0, at = 5;
	uint8_t *d;

	for (unsigned int i = 0; i < count; i++)
		size += parts[i].size;
	d = malloc(at + size);
	assert_non_null(d);
	/* Always of three octets: no DER, but all take it */
	memcpy(d, (uint8_t[]){ tag, 0x83, size >> 16, size >> 8, size }, at);
	for (unsigned int i = 0; i < count; i++) {
		memcpy(d + at, parts[i].data, parts[i].size);
		at += parts[i].size;
	}
	return (gnutls_datum_t){ d, at };
}

/* A wrong signature, but of the length that one of the issuer's key would have */
static void sign_long(gnutls_datum_t *der, unsigned int bits)
{
	gnutls_datum_t parts[3], number = make_number(bits - 1), bit_string, whole;
	uint8_t unused = 0;

	assert_int_equal(pki_der_split(*der, parts, 3), 3);
	bit_string = pki_der_join(3, (gnutls_datum_t[]){ { &unused, 1 }, number }, 2);
	parts[2] = bit_string;
	whole = pki_der_join(0x30, parts, 3);
	free(number.data);
	free(bit_string.data);
	gnutls_free(der->data);
	der->data = gnutls_malloc(whole.size);
	der->size = whole.size;
	memcpy(der->data, whole.data, whole.size);
	free(whole.data);
}

void pki_make(struct pki *made, const struct pki_spec *spec, const struct pki *issuer)
{
	gnutls_pk_algorithm_t pk = spec->modulus ? GNUTLS_PK_RSA : spec->pk ?: GNUTLS_PK_ECDSA;
	unsigned int bits = spec->bits ?: pk == GNUTLS_PK_RSA ? 2048 : 256;
	gnutls_digest_algorithm_t digest = spec->digest ?: GNUTLS_DIG_SHA256;
	uint8_t id[20];
	size_t size = sizeof(id);
	gnutls_datum_t der;

	made->modulus = spec->modulus;
	OK(gnutls_x509_privkey_init(&made->key));
	OK(gnutls_x509_privkey_generate(made->key, pk, pk == GNUTLS_PK_RSA ? bits :
					GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	OK(gnutls_x509_crt_init(&made->crt));
	set_contents(made->crt, spec, made->key);
	if (!spec->v1) {
		OK(gnutls_x509_crt_get_key_id(made->crt, 0, id, &size));
		OK(gnutls_x509_crt_set_subject_key_id(made->crt, id, size));
	}
	if (!issuer)
		issuer = made;
	OK(gnutls_x509_crt_sign2(made->crt, issuer->crt, issuer->key, digest, 0));
	/* As it looks to others */
	OK(gnutls_x509_crt_export2(made->crt, GNUTLS_X509_FMT_DER, &der));
	gnutls_x509_crt_deinit(made->crt);
	if (issuer->modulus)
		sign_long(&der, issuer->modulus);
	OK(gnutls_x509_crt_init(&made->crt));
	OK(gnutls_x509_crt_import(made->crt, &der, GNUTLS_X509_FMT_DER));
	gnutls_free(der.data);
}

void pki_free(struct pki *pki)
{
	if (pki->crt)
		gnutls_x509_crt_deinit(pki->crt);
	if (pki->key)
		gnutls_x509_privkey_deinit(pki->key);
	memset(pki, 0, sizeof(*pki));
}

void pki_root(struct pki *root, const char *name)
{
	struct pki_spec spec = {
		.dn = name, .ca = true, .pathlen = -1,
		.from = -1000 * PKI_DAY, .to = 1000 * PKI_DAY,
	};

	pki_make(root, &spec, NULL);
}

void pki_leaf(struct pki *leaf, const struct pki *root)
{
	pki_make(leaf, &(struct pki_spec){}, root);
}

char *pki_folder(struct ss_ca *own)
{
	char *dir = strdup("/tmp/smtpsplice-test.XXXXXX"), *ca_dir, err[512];

	assert_non_null(dir);
	assert_non_null(mkdtemp(dir));
	assert_true(asprintf(&ca_dir, "%s/ca", dir) > 0);
	OK(ss_ca_create(ca_dir, &(struct ss_ca_names){}, err, sizeof(err)));
	OK(ss_ca_load(own, ca_dir, err, sizeof(err)));
	free(ca_dir);
	return dir;
}

static char *write_file(const char *dir, const char *name, gnutls_datum_t *text)
{
	char *path;
	FILE *f;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text->data, 1, text->size, f), text->size);
	fclose(f);
	gnutls_free(text->data);
	return path;
}

char *pki_file(const char *dir, const char *name, const struct pki *pki, bool key)
{
	gnutls_datum_t text;

	if (key)
		OK(gnutls_x509_privkey_export2(pki->key, GNUTLS_X509_FMT_PEM, &text));
	else
		OK(gnutls_x509_crt_export2(pki->crt, GNUTLS_X509_FMT_PEM, &text));
	return write_file(dir, name, &text);
}

char *pki_crl(const char *dir, const struct pki *issuer, const struct pki *revoked,
	      long next_update)
{
	time_t now = time(NULL);
	gnutls_x509_crl_t crl;
	gnutls_datum_t text;

	OK(gnutls_x509_crl_init(&crl));
	OK(gnutls_x509_crl_set_version(crl, 2));
	OK(gnutls_x509_crl_set_this_update(crl, now - 10 * PKI_DAY));
	OK(gnutls_x509_crl_set_next_update(crl, now + next_update));
	if (revoked)
		OK(gnutls_x509_crl_set_crt(crl, revoked->crt, now - PKI_DAY));
	OK(gnutls_x509_crl_set_number(crl, "\1", 1));
	OK(gnutls_x509_crl_sign2(crl, issuer->crt, issuer->key, GNUTLS_DIG_SHA256, 0));
	OK(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &text));
	gnutls_x509_crl_deinit(crl);
	return write_file(dir, "crl.pem", &text);
}

static void run(char *const argv[])
{
	posix_spawn_file_actions_t quiet;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", 1, 0);
	assert_int_equal(posix_spawnp(&pid, argv[0], &quiet, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&quiet);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

gnutls_datum_t pki_staple(const char *dir, const struct pki *leaf, const struct pki *issuer,
			  const struct pki *signer, const char *letter)
{
	char *leaf_pem = pki_file(dir, "leaf.pem", leaf, false);
	char *issuer_pem = pki_file(dir, "issuer.pem", issuer, false);
	char *signer_pem = pki_file(dir, "signer.pem", signer, false);
	char *signer_key = pki_file(dir, "signer.key", signer, true);
	char *index, *out, serial[64] = "";
	uint8_t raw[32];
	size_t size = sizeof(raw);
	gnutls_datum_t der;
	FILE *f;

	gnutls_x509_crt_get_serial(leaf->crt, raw, &size);
	for (size_t i = 0; i < size; i++)
		sprintf(serial + 2 * i, "%02X", raw[i]);
	assert_true(asprintf(&index, "%s/index", dir) > 0);
	assert_true(asprintf(&out, "%s/staple", dir) > 0);
	f = fopen(index, "w");
	if (*letter)
		fprintf(f, "%s\t351231235959Z\t%s\t%s\tunknown\t/CN=x\n", letter,
			*letter == 'R' ? "250101000000Z" : "", serial);
	fclose(f);
	run((char *[]){ "openssl", "ocsp", "-index", index, "-rsigner", signer_pem, "-rkey",
			signer_key, "-CA", issuer_pem, "-issuer", issuer_pem, "-cert",
			leaf_pem, "-respout", out, "-ndays", "1", "-noverify",
			NULL });
	assert_int_equal(gnutls_load_file(out, &der), 0);
	free(leaf_pem);
	free(issuer_pem);
	free(signer_pem);
	free(signer_key);
	free(index);
	free(out);
	return der;
}
