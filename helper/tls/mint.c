// SPDX-License-Identifier: GPL-2.0
/*
 * The certificates that clients are shown in place of the servers' own.
 *
 * Each server certificate gets one of ours: its names, its key usage and its time
 * of validity, our key, signed by one of our CAs. It is for a server, whatever
 * else the original is for: our CA does not vouch for a client of that name. What
 * would have the client ask the server's CA about it is not copied: AIA, CRL
 * distribution points, must-staple, SCTs.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509-ext.h>

#include "lib/cleanup.h"
#include "tls/mint.h"

#define CACHE_MAX	1000
#define CHAIN_MAX	10
#define PATH_SIZE	4096
#define FILE_MAX	(256 << 10)
#define OID_KEY_USAGE	"2.5.29.15"
#define OID_SAN		"2.5.29.17"
#define OID_SIZE	128

#define DER_SEQUENCE	0x30
#define DER_BIT_STRING	0x03

static const uint8_t ecdsa_sha256[] = {
	0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02
};

/* Usages of a key that signs no certificates: RFC 5480 3, RFC 3279 2.3.1 */
static const unsigned int usages[SS_MINT_KEYS] = {
	[SS_MINT_ECDSA] = GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION |
			  GNUTLS_KEY_KEY_AGREEMENT,
	[SS_MINT_RSA] = GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_NON_REPUDIATION |
			GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_DATA_ENCIPHERMENT,
};

static void cleanup_crt(gnutls_x509_crt_t *crt)
{
	if (*crt)
		gnutls_x509_crt_deinit(*crt);
}

static void cleanup_crq(gnutls_x509_crq_t *crq)
{
	if (*crq)
		gnutls_x509_crq_deinit(*crq);
}

static void cleanup_key(gnutls_x509_privkey_t *key)
{
	if (*key)
		gnutls_x509_privkey_deinit(*key);
}

static void cleanup_privkey(gnutls_privkey_t *key)
{
	if (*key)
		gnutls_privkey_deinit(*key);
}

static void cleanup_pubkey(gnutls_pubkey_t *key)
{
	if (*key)
		gnutls_pubkey_deinit(*key);
}

static void cleanup_datum(gnutls_datum_t *d)
{
	gnutls_free(d->data);
}

/* Free a datum that may be a key, which is wiped first */
static void cleanup_secret(gnutls_datum_t *d)
{
	if (d->data)
		gnutls_memset(d->data, 0, d->size);
	gnutls_free(d->data);
}

static int make_key(gnutls_x509_privkey_t *key, gnutls_pk_algorithm_t pk,
		    unsigned int bits)
{
	int ret = gnutls_x509_privkey_init(key);

	return ret ?: gnutls_x509_privkey_generate(*key, pk, bits, 0);
}

int ss_mint_init(struct ss_mint *mint, const struct ss_ca *ca, const char *cert_dir)
{
	*mint = (struct ss_mint){ .ca = ca, .cert_dir = cert_dir };
	if (make_key(&mint->key[SS_MINT_ECDSA], GNUTLS_PK_ECDSA,
		     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)))
		return -EINVAL;
	return ss_creds_cache_init(&mint->cache, CACHE_MAX);
}

void ss_mint_free(struct ss_mint *mint)
{
	for (int i = 0; i < SS_MINT_KEYS; i++)
		cleanup_key(&mint->key[i]);
	ss_creds_cache_free(&mint->cache);
}

/* Have the key of that kind; RSA takes a moment, and hardly anybody wants it */
static int have_key(struct ss_mint *mint, enum ss_mint_key key)
{
	gnutls_x509_privkey_t *slot = &mint->key[key];
	int ret = *slot ? 0 : make_key(slot, GNUTLS_PK_RSA, 2048);

	if (ret) {
		cleanup_key(slot);
		*slot = NULL;
	}
	return ret;
}

/* Append a DER element of @count parts. Return: 0 or a GnuTLS error. */
static int der_wrap(gnutls_datum_t *out, uint8_t tag, const gnutls_datum_t *parts,
		    size_t count)
{
	size_t body = 0, at = 0;
	uint8_t *d;

	for (size_t i = 0; i < count; i++)
		body += parts[i].size;
	if (body > 0xffffff)
		return GNUTLS_E_MEMORY_ERROR;
	d = gnutls_malloc(body + 5);
	if (!d)
		return GNUTLS_E_MEMORY_ERROR;
	d[at++] = tag;
	if (body < 0x80) {
		d[at++] = body;
	} else {
		int octets = body > 0xffff ? 3 : body > 0xff ? 2 : 1;

		d[at++] = 0x80 | octets;
		while (octets--)
			d[at++] = body >> (8 * octets);
	}
	for (size_t i = 0; i < count; i++) {
		memcpy(d + at, parts[i].data, parts[i].size);
		at += parts[i].size;
	}
	*out = (gnutls_datum_t){ d, at };
	return 0;
}

static uint8_t version_0[] = { 0x02, 0x01, 0x00 };
static uint8_t no_attributes[] = { 0xa0, 0x00 };

/* Make the part of a certification request that is signed (RFC 2986 4.1) */
static int make_request_info(gnutls_datum_t *info, const gnutls_datum_t *subject,
			     gnutls_privkey_t key)
{
	gnutls_pubkey_t public __cleanup(cleanup_pubkey) = NULL;
	gnutls_datum_t spki __cleanup(cleanup_datum) = {};
	int ret = gnutls_pubkey_init(&public);

	if (!ret)
		ret = gnutls_pubkey_import_privkey(public, key, 0, 0);
	if (!ret)
		ret = gnutls_pubkey_export2(public, GNUTLS_X509_FMT_DER, &spki);
	if (ret)
		return ret;
	return der_wrap(info, DER_SEQUENCE, (gnutls_datum_t[]){
			{ version_0, sizeof(version_0) }, *subject, spki,
			{ no_attributes, sizeof(no_attributes) } }, 4);
}

static int make_request_der(gnutls_datum_t *der, const gnutls_datum_t *subject,
			    gnutls_privkey_t key)
{
	gnutls_datum_t info __cleanup(cleanup_datum) = {};
	gnutls_datum_t signature __cleanup(cleanup_datum) = {};
	gnutls_datum_t bits __cleanup(cleanup_datum) = {};
	uint8_t unused = 0;
	int ret = make_request_info(&info, subject, key);

	if (!ret)
		ret = gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &info, &signature);
	if (!ret)
		ret = der_wrap(&bits, DER_BIT_STRING,
			       (gnutls_datum_t[]){ { &unused, 1 }, signature }, 2);
	if (ret)
		return ret;
	return der_wrap(der, DER_SEQUENCE, (gnutls_datum_t[]){
			info, { (uint8_t *)ecdsa_sha256, sizeof(ecdsa_sha256) }, bits }, 3);
}

/*
 * Copy the subject, byte for byte. GnuTLS has no call that sets one as it is,
 * and would lose the string types, and what stands together in one RDN. But it
 * takes the subject of a certification request as it is, so make one.
 */
static int copy_subject(struct ss_mint *mint, gnutls_x509_crt_t made,
			gnutls_x509_crt_t original)
{
	gnutls_privkey_t key __cleanup(cleanup_privkey) = NULL;
	gnutls_x509_crq_t crq __cleanup(cleanup_crq) = NULL;
	gnutls_datum_t subject __cleanup(cleanup_datum) = {};
	gnutls_datum_t der __cleanup(cleanup_datum) = {};
	int ret = gnutls_x509_crt_get_raw_dn(original, &subject);

	if (!ret)
		ret = gnutls_privkey_init(&key);
	if (!ret)
		ret = gnutls_privkey_import_x509(key, mint->key[SS_MINT_ECDSA], 0);
	if (!ret)
		ret = make_request_der(&der, &subject, key);
	if (!ret)
		ret = gnutls_x509_crq_init(&crq);
	if (!ret)
		ret = gnutls_x509_crq_import(crq, &der, GNUTLS_X509_FMT_DER);
	return ret ?: gnutls_x509_crt_set_crq(made, crq);
}

/* Copy the alternative names, byte for byte; none where there are none */
static int copy_names(gnutls_x509_crt_t made, gnutls_x509_crt_t original)
{
	for (unsigned int i = 0;; i++) {
		gnutls_datum_t value __cleanup(cleanup_datum) = {};
		char oid[OID_SIZE];
		size_t size = sizeof(oid);
		unsigned int critical;
		int ret = gnutls_x509_crt_get_extension_info(original, i, oid, &size,
							     &critical);

		if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return 0;
		if (ret == GNUTLS_E_SHORT_MEMORY_BUFFER || (!ret && strcmp(oid, OID_SAN)))
			continue;
		if (!ret)
			ret = gnutls_x509_crt_get_extension_data2(original, i, &value);
		return ret ?: gnutls_x509_crt_set_extension_by_oid(made, OID_SAN,
								  value.data, value.size,
								  critical);
	}
}

/*
 * Copy the key usage, as far as the new key can be used so; none, which allows
 * all, where there is none. The handshake has to be signed, whatever the original
 * says, and even where that cannot be read.
 */
static int copy_usage(gnutls_x509_crt_t made, gnutls_x509_crt_t original,
		      enum ss_mint_key key)
{
	gnutls_datum_t value __cleanup(cleanup_datum) = {};
	unsigned int usage = 0, critical = 0;
	int ret = gnutls_x509_crt_get_key_usage(original, &usage, &critical);

	if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return 0;
	if (ret)
		usage = 0;
	usage = (usage & usages[key]) | GNUTLS_KEY_DIGITAL_SIGNATURE;
	ret = gnutls_x509_ext_export_key_usage(usage, &value);
	return ret ?: gnutls_x509_crt_set_extension_by_oid(made, OID_KEY_USAGE, value.data,
							  value.size, critical);
}

/* Never valid when the original is not, nor when the CA is not any more */
static int copy_validity(gnutls_x509_crt_t made, gnutls_x509_crt_t original,
			 gnutls_x509_crt_t ca)
{
	time_t end = gnutls_x509_crt_get_expiration_time(original);
	time_t ca_end = gnutls_x509_crt_get_expiration_time(ca);
	time_t start = gnutls_x509_crt_get_activation_time(original);
	int ret;

	if (start == -1 || end == -1 || ca_end == -1)
		return GNUTLS_E_ASN1_DER_ERROR;
	ret = gnutls_x509_crt_set_activation_time(made, start);
	return ret ?: gnutls_x509_crt_set_expiration_time(made, end < ca_end ? end : ca_end);
}

static int set_key_ids(gnutls_x509_crt_t made, gnutls_x509_crt_t ca)
{
	uint8_t id[64];
	size_t size = sizeof(id);
	int ret = gnutls_x509_crt_get_key_id(made, GNUTLS_KEYID_USE_SHA1, id, &size);

	if (!ret)
		ret = gnutls_x509_crt_set_subject_key_id(made, id, size);
	size = sizeof(id);
	if (!ret)
		ret = gnutls_x509_crt_get_subject_key_id(ca, id, &size, NULL);
	/* A CA of somebody's own making need not have one */
	if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return 0;
	return ret ?: gnutls_x509_crt_set_authority_key_id(made, id, size);
}

static int set_contents(struct ss_mint *mint, gnutls_x509_crt_t made,
			gnutls_x509_crt_t original, gnutls_x509_crt_t ca,
			enum ss_mint_key key)
{
	int ret = copy_subject(mint, made, original);

	if (!ret)
		ret = gnutls_x509_crt_set_version(made, 3);
	if (!ret)
		ret = ss_ca_random_serial(made);
	if (!ret)
		ret = copy_validity(made, original, ca);
	if (!ret)
		ret = gnutls_x509_crt_set_key(made, mint->key[key]);
	if (!ret)
		ret = gnutls_x509_crt_set_basic_constraints(made, 0, -1);
	if (!ret)
		ret = copy_usage(made, original, key);
	if (!ret)
		ret = gnutls_x509_crt_set_key_purpose_oid(made, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (!ret)
		ret = copy_names(made, original);
	return ret ?: set_key_ids(made, ca);
}

/* Read a certificate as others do: GnuTLS keeps no names of one it has made */
static int read_back(gnutls_x509_crt_t made, gnutls_x509_crt_t *out)
{
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;
	gnutls_datum_t der __cleanup(cleanup_datum) = {};
	int ret = gnutls_x509_crt_export2(made, GNUTLS_X509_FMT_DER, &der);

	if (ret >= 0)
		ret = gnutls_x509_crt_init(&crt);
	if (ret >= 0)
		ret = gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER);
	if (ret < 0)
		return ret;
	*out = crt;
	crt = NULL;
	return 0;
}

/* Make a certificate that can be shown, but of which GnuTLS does not know the names */
static int make_crt(struct ss_mint *mint, gnutls_x509_crt_t original, enum ss_ca_kind kind,
		    enum ss_mint_key key, gnutls_x509_crt_t *made)
{
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;
	int ret = have_key(mint, key);

	if (!ret)
		ret = gnutls_x509_crt_init(&crt);
	if (!ret)
		ret = set_contents(mint, crt, original, mint->ca->crt[kind], key);
	if (!ret)
		ret = gnutls_x509_crt_privkey_sign(crt, mint->ca->crt[kind],
						   mint->ca->key[kind], GNUTLS_DIG_SHA256,
						   0);
	if (ret)
		return ret;
	*made = crt;
	crt = NULL;
	return 0;
}

int ss_mint_make(struct ss_mint *mint, gnutls_x509_crt_t original, enum ss_ca_kind kind,
		 enum ss_mint_key key, gnutls_x509_crt_t *made)
{
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;
	int ret = make_crt(mint, original, kind, key, &crt);

	return ret ?: read_back(crt, made);
}

static int hash_crt(gnutls_hash_hd_t hash, gnutls_x509_crt_t crt)
{
	gnutls_datum_t der __cleanup(cleanup_datum) = {};
	int ret = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der);

	return ret < 0 ? ret : gnutls_hash(hash, der.data, der.size);
}

static int make_cache_key(uint8_t out[SS_CREDS_KEY_SIZE], gnutls_x509_crt_t original,
			  const char *name, enum ss_ca_kind kind, enum ss_mint_key key)
{
	const uint8_t kinds[] = { kind, key };
	gnutls_hash_hd_t hash;
	int ret = gnutls_hash_init(&hash, GNUTLS_DIG_SHA256);

	if (ret)
		return ret;
	ret = gnutls_hash(hash, kinds, sizeof(kinds));
	if (!ret)
		ret = gnutls_hash(hash, name, strlen(name) + 1);
	if (!ret)
		ret = hash_crt(hash, original);
	gnutls_hash_deinit(hash, out);
	return ret;
}

struct ss_creds *ss_mint_re_sign(struct ss_mint *mint, gnutls_x509_crt_t original,
				 const char *name, enum ss_ca_kind kind,
				 enum ss_mint_key key)
{
	gnutls_x509_crt_t made __cleanup(cleanup_crt) = NULL;
	uint8_t id[SS_CREDS_KEY_SIZE];
	struct ss_creds *creds;

	if (make_cache_key(id, original, name, kind, key))
		return NULL;
	creds = ss_creds_cache_find(&mint->cache, id);
	if (creds)
		return creds;
	if (make_crt(mint, original, kind, key, &made))
		return NULL;
	creds = ss_creds_new((gnutls_x509_crt_t[]){ made, mint->ca->crt[kind] }, 2,
			     mint->key[key]);
	if (creds)
		ss_creds_cache_add(&mint->cache, id, creds);
	return creds;
}

/* A name of a file in the folder, and not of one outside */
static bool is_file_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

static int load_file(gnutls_datum_t *text, const char *path)
{
	struct stat st;

	if (stat(path, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return GNUTLS_E_FILE_ERROR;
	return gnutls_load_file(path, text);
}

static struct ss_creds *load_creds(const char *crt_path, const char *key_path)
{
	gnutls_datum_t public __cleanup(cleanup_datum) = {};
	gnutls_datum_t secret __cleanup(cleanup_secret) = {};
	gnutls_x509_privkey_t key __cleanup(cleanup_key) = NULL;
	gnutls_x509_crt_t chain[CHAIN_MAX];
	unsigned int count = CHAIN_MAX;
	struct ss_creds *creds;

	if (load_file(&public, crt_path) || load_file(&secret, key_path) ||
	    gnutls_x509_privkey_init(&key) ||
	    gnutls_x509_privkey_import2(key, &secret, GNUTLS_X509_FMT_PEM, NULL, 0) ||
	    gnutls_x509_crt_list_import(chain, &count, &public, GNUTLS_X509_FMT_PEM,
					GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED) < 0)
		return NULL;
	creds = ss_creds_new(chain, count, key);
	for (unsigned int i = 0; i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	return creds;
}

struct ss_creds *ss_mint_replace(struct ss_mint *mint, const char *name)
{
	char crt_path[PATH_SIZE], key_path[PATH_SIZE], state[PATH_SIZE];
	uint8_t id[SS_CREDS_KEY_SIZE];
	struct ss_creds *creds;
	struct stat crt, key;

	if (!is_file_name(name))
		return NULL;
	snprintf(crt_path, sizeof(crt_path), "%s/%s.pem", mint->cert_dir, name);
	snprintf(key_path, sizeof(key_path), "%s/%s.key", mint->cert_dir, name);
	if (stat(crt_path, &crt) || stat(key_path, &key))
		return NULL;
	snprintf(state, sizeof(state), "%s %ld.%ld.%ld %ld.%ld.%ld", name,
		 (long)crt.st_ino, (long)crt.st_mtim.tv_sec, crt.st_mtim.tv_nsec,
		 (long)key.st_ino, (long)key.st_mtim.tv_sec, key.st_mtim.tv_nsec);
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, state, strlen(state), id))
		return NULL;
	creds = ss_creds_cache_find(&mint->cache, id);
	if (creds)
		return creds;
	creds = load_creds(crt_path, key_path);
	if (creds)
		ss_creds_cache_add(&mint->cache, id, creds);
	return creds;
}
