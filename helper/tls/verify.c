// SPDX-License-Identifier: GPL-2.0
/*
 * The checks of a server's certificate. GnuTLS does them; what is done here is
 * to have it say all that is wrong and not only the first thing, since each has
 * an action of its own in the TLS profile.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/ocsp.h>

#include "lib/cleanup.h"
#include "tls/chain.h"
#include "tls/verify.h"

#define STATUS_REQUEST	5	/* the TLS feature "must staple" (RFC 7633) */
#define CLOCK_SLACK	300	/* seconds that an OCSP responder's clock is fast */

/* RSA of 2048 bits, curves of 224, and hashes that fit */
#define FLAGS		(GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM) |	\
			 GNUTLS_VERIFY_DISABLE_CRL_CHECKS)

/* Universal tags of ASN.1 */
#define ASN1_UTF8STRING		12
#define ASN1_PRINTABLESTRING	19
#define ASN1_TELETEXSTRING	20
#define ASN1_IA5STRING		22

#define TIME_BITS	(GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)

static void cleanup_list(gnutls_x509_trust_list_t *list)
{
	/* The CAs in it are not its own */
	if (*list)
		gnutls_x509_trust_list_deinit(*list, 0);
}

static void cleanup_crt(gnutls_x509_crt_t *crt)
{
	if (*crt)
		gnutls_x509_crt_deinit(*crt);
}

static void cleanup_ocsp(gnutls_ocsp_resp_t *resp)
{
	if (*resp)
		gnutls_ocsp_resp_deinit(*resp);
}

static void cleanup_datum(gnutls_datum_t *d)
{
	gnutls_free(d->data);
}

static void cleanup_features(gnutls_x509_tlsfeatures_t *f)
{
	if (*f)
		gnutls_x509_tlsfeatures_deinit(*f);
}

static int load_crls(struct ss_verify *v, const char *file, char *err, size_t errlen)
{
	gnutls_datum_t text __cleanup(cleanup_datum) = {};
	int ret = gnutls_load_file(file, &text);

	if (!ret)
		ret = gnutls_x509_crl_list_import2(&v->crls, &v->crl_count, &text,
						   GNUTLS_X509_FMT_PEM, 0);
	if (!ret)
		return 0;
	snprintf(err, errlen, "CRL file %s: %s", file, gnutls_strerror(ret));
	return -EINVAL;
}

int ss_verify_init(struct ss_verify *verify, const char *trust, const char *crl,
		   const struct ss_ca *own, char *err, size_t errlen)
{
	int ret;

	*verify = (struct ss_verify){ .own = own };
	ret = gnutls_x509_trust_list_init(&verify->trust, 0);
	if (!ret)
		ret = trust ? gnutls_x509_trust_list_add_trust_file(verify->trust, trust,
								    NULL, GNUTLS_X509_FMT_PEM,
								    0, 0) :
		      gnutls_x509_trust_list_add_system_trust(verify->trust, 0, 0);
	/* No CA at all is no error: all servers are untrusted then */
	if (ret < 0 && (trust || ret != GNUTLS_E_UNIMPLEMENTED_FEATURE)) {
		snprintf(err, errlen, "trusted CAs %s: %s", trust ?: "of the system",
			 gnutls_strerror(ret));
		return -EINVAL;
	}
	return crl ? load_crls(verify, crl, err, errlen) : 0;
}

void ss_verify_free(struct ss_verify *verify)
{
	if (verify->trust)
		gnutls_x509_trust_list_deinit(verify->trust, 1);
	for (unsigned int i = 0; i < verify->crl_count; i++)
		gnutls_x509_crl_deinit(verify->crls[i]);
	gnutls_free(verify->crls);
	memset(verify, 0, sizeof(*verify));
}

static void set_failed(struct ss_verify_result *r, enum smtpsplice_tls_cause cause)
{
	r->failed |= SS_VERIFY_BIT(cause);
}

static void set_broken(struct ss_verify_result *r, const char *detail)
{
	set_failed(r, SMTPSPLICE_TLS_CAUSE_VALIDATION_FAILURE);
	if (!r->detail)
		r->detail = detail;
}

/*
 * From the leaf on, each followed by its issuer, as far as the server has sent
 * them. What else it has sent is left out.
 */
static unsigned int build_path(gnutls_x509_crt_t *path, gnutls_x509_crt_t *chain,
			       unsigned int count)
{
	bool used[SS_CHAIN_MAX] = { true };
	unsigned int len = 1, i = 1;

	path[0] = chain[0];
	while (i < count) {
		if (used[i] || !gnutls_x509_crt_check_issuer(path[len - 1], chain[i]) ||
		    gnutls_x509_crt_equals(path[len - 1], chain[i])) {
			i++;
			continue;
		}
		used[i] = true;
		path[len++] = chain[i];
		i = 1;
	}
	return len;
}

/* Return: GnuTLS's bits */
static unsigned int verify_path(gnutls_x509_trust_list_t list, gnutls_x509_crt_t *path,
				unsigned int len, unsigned int flags)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER,
	};
	unsigned int bits = 0;

	if (gnutls_x509_trust_list_verify_crt2(list, path, len, &purpose, 1,
					       FLAGS | flags, &bits, NULL))
		bits |= GNUTLS_CERT_INVALID;
	return bits;
}

/* Time is asked for by itself: GnuTLS stops at what is out of date */
static unsigned int ask_twice(gnutls_x509_trust_list_t list, gnutls_x509_crt_t *path,
			      unsigned int len)
{
	return verify_path(list, path, len, GNUTLS_VERIFY_DISABLE_TIME_CHECKS) |
	       (verify_path(list, path, len, 0) & TIME_BITS);
}

/*
 * Where nobody trusted has signed, see what else is wrong: ask again, as if the
 * end of the path was trusted.
 */
static unsigned int ask_untrusted(gnutls_x509_crt_t *path, unsigned int len)
{
	gnutls_x509_trust_list_t list __cleanup(cleanup_list) = NULL;

	if (gnutls_x509_trust_list_init(&list, 1) ||
	    gnutls_x509_trust_list_add_cas(list, &path[len - 1], 1, 0) != 1)
		return GNUTLS_CERT_INVALID;
	return ask_twice(list, path, len) & ~GNUTLS_CERT_SIGNER_NOT_FOUND;
}

static void check_bits(unsigned int bits, struct ss_verify_result *r)
{
	static const struct {
		unsigned int bits;
		const char *detail;
	} broken[] = {
		{ GNUTLS_CERT_SIGNATURE_FAILURE, "its signature is wrong" },
		{ GNUTLS_CERT_SIGNER_NOT_CA, "it was signed by what is no CA" },
		{ GNUTLS_CERT_INSECURE_ALGORITHM, "a key or signature is too weak" },
		{ GNUTLS_CERT_PURPOSE_MISMATCH, "it is not for a server" },
		{ GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE,
		  "it is against the constraints of a CA" },
		{ GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, "an extension is not known" },
	};

	if (bits & TIME_BITS)
		set_failed(r, SMTPSPLICE_TLS_CAUSE_EXPIRED);
	if (bits & GNUTLS_CERT_REVOKED)
		set_failed(r, SMTPSPLICE_TLS_CAUSE_REVOKED);
	/* A wrong signature of a trusted name is no sign of trust either */
	if (bits & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNATURE_FAILURE))
		set_failed(r, SMTPSPLICE_TLS_CAUSE_UNTRUSTED);
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
		if (bits & broken[i].bits)
			set_broken(r, broken[i].detail);
	/* Invalid, but no word of why */
	if (bits && !r->failed)
		set_broken(r, "it is not valid");
}

static void check_time(gnutls_x509_crt_t crt, struct ss_verify_result *r)
{
	time_t now = time(NULL);

	if (gnutls_x509_crt_get_activation_time(crt) > now ||
	    gnutls_x509_crt_get_expiration_time(crt) < now)
		set_failed(r, SMTPSPLICE_TLS_CAUSE_EXPIRED);
}

/* Check the strength, which GnuTLS does not for a certificate that is trusted as it is */
static void check_strength(gnutls_x509_crt_t crt, struct ss_verify_result *r)
{
	unsigned int bits = 0;
	int pk = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
	int sign = gnutls_x509_crt_get_signature_algorithm(crt);

	if (pk < 0 || gnutls_pk_bits_to_sec_param(pk, bits) < GNUTLS_SEC_PARAM_MEDIUM ||
	    sign < 0 ||
	    !gnutls_sign_is_secure2(sign, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS))
		set_broken(r, "a key or signature is too weak");
}

static bool own_ca_signed(const struct ss_ca *own, gnutls_x509_crt_t crt)
{
	for (int kind = 0; own && kind < SS_CA_KINDS; kind++)
		if (own->crt[kind] &&
		    (gnutls_x509_crt_check_issuer(crt, own->crt[kind]) ||
		     gnutls_x509_crt_equals(crt, own->crt[kind])))
			return true;
	return false;
}

/* String types of one byte a character, in which a NUL ends it for some */
static bool is_octet_string_type(unsigned long tag)
{
	switch (tag) {
	case ASN1_UTF8STRING:
	case ASN1_PRINTABLESTRING:
	case ASN1_TELETEXSTRING:
	case ASN1_IA5STRING:
		return true;
	}
	return false;
}

static bool subject_has_nul(gnutls_x509_crt_t crt)
{
	gnutls_x509_ava_st ava;
	gnutls_x509_dn_t dn;

	if (gnutls_x509_crt_get_subject(crt, &dn))
		return false;
	for (int rdn = 0; !gnutls_x509_dn_get_rdn_ava(dn, rdn, 0, &ava); rdn++)
		for (int i = 0; !gnutls_x509_dn_get_rdn_ava(dn, rdn, i, &ava); i++)
			if (is_octet_string_type(ava.value_tag) &&
			    memchr(ava.value.data, '\0', ava.value.size))
				return true;
	return false;
}

/* Read an alternative name, however long. Return: its type, or a GnuTLS error. */
static int read_alt_name(gnutls_x509_crt_t crt, unsigned int i, gnutls_datum_t *name)
{
	size_t size = 0;
	int ret = gnutls_x509_crt_get_subject_alt_name(crt, i, NULL, &size, NULL);

	if (ret != GNUTLS_E_SHORT_MEMORY_BUFFER)
		return ret;
	name->data = gnutls_malloc(size);
	if (!name->data)
		return GNUTLS_E_MEMORY_ERROR;
	ret = gnutls_x509_crt_get_subject_alt_name(crt, i, name->data, &size, NULL);
	name->size = size;
	return ret;
}

static bool alt_name_has_nul(gnutls_x509_crt_t crt)
{
	int ret = 0;

	for (unsigned int i = 0; ret >= 0; i++) {
		gnutls_datum_t name __cleanup(cleanup_datum) = {};

		ret = read_alt_name(crt, i, &name);
		if (ret == GNUTLS_SAN_DNSNAME && name.data &&
		    memchr(name.data, '\0', name.size))
			return true;
	}
	/* Of a name that cannot be read, nobody knows */
	return ret != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

static void check_name(gnutls_x509_crt_t crt, const char *name,
		       struct ss_verify_result *r)
{
	char bare[SMTPSPLICE_PATTERN_MAX + 1];
	size_t len;

	if (!name || !*name)
		return;
	len = snprintf(bare, sizeof(bare), "%s", name);
	if (len < sizeof(bare) && bare[len - 1] == '.')
		bare[len - 1] = '\0';
	if (!gnutls_x509_crt_check_hostname2(crt, bare, 0))
		set_failed(r, SMTPSPLICE_TLS_CAUSE_SERVER_NAME);
}

static bool same_datum(const gnutls_datum_t *a, const gnutls_datum_t *b)
{
	return a->size == b->size && !memcmp(a->data, b->data, a->size);
}

/* Are there lists of the certificate's issuer, but none that is still valid? */
static bool crl_is_old(const struct ss_verify *v, gnutls_x509_crt_t crt)
{
	gnutls_datum_t issuer __cleanup(cleanup_datum) = {};
	bool old = false;

	if (!v->crl_count || gnutls_x509_crt_get_raw_issuer_dn(crt, &issuer))
		return false;
	for (unsigned int i = 0; i < v->crl_count; i++) {
		gnutls_datum_t dn __cleanup(cleanup_datum) = {};

		if (gnutls_x509_crl_get_raw_issuer_dn(v->crls[i], &dn) ||
		    !same_datum(&dn, &issuer))
			continue;
		if (gnutls_x509_crl_get_next_update(v->crls[i]) >= time(NULL))
			return false;
		old = true;
	}
	return old;
}

static void check_crls(const struct ss_verify *v, gnutls_x509_crt_t *path,
		       unsigned int len, struct ss_verify_result *r)
{
	for (unsigned int i = 0; v->crl_count && i < len; i++) {
		if (gnutls_x509_crt_check_revocation(path[i], v->crls, v->crl_count) == 1)
			set_failed(r, SMTPSPLICE_TLS_CAUSE_REVOKED);
		if (crl_is_old(v, path[i]))
			set_failed(r, SMTPSPLICE_TLS_CAUSE_VALIDATION_TIMEOUT);
	}
}

static bool must_staple(gnutls_x509_crt_t crt)
{
	gnutls_x509_tlsfeatures_t features __cleanup(cleanup_features) = NULL;
	unsigned int feature;

	if (gnutls_x509_tlsfeatures_init(&features) ||
	    gnutls_x509_crt_get_tlsfeatures(crt, features, 0, NULL))
		return false;
	for (unsigned int i = 0; !gnutls_x509_tlsfeatures_get(features, i, &feature); i++)
		if (feature == STATUS_REQUEST)
			return true;
	return false;
}

/* The leaf's issuer, a copy of it */
static gnutls_x509_crt_t find_issuer(const struct ss_verify *v,
				     gnutls_x509_crt_t *path, unsigned int len)
{
	gnutls_datum_t der __cleanup(cleanup_datum) = {};
	gnutls_x509_crt_t issuer = NULL;

	if (!gnutls_x509_trust_list_get_issuer(v->trust, path[0], &issuer,
					       GNUTLS_TL_GET_COPY))
		return issuer;
	if (len < 2 || gnutls_x509_crt_export2(path[1], GNUTLS_X509_FMT_DER, &der) ||
	    gnutls_x509_crt_init(&issuer))
		return NULL;
	if (!gnutls_x509_crt_import(issuer, &der, GNUTLS_X509_FMT_DER))
		return issuer;
	gnutls_x509_crt_deinit(issuer);
	return NULL;
}

/**
 * enum staple - What a stapled OCSP response says.
 * @STAPLE_GOOD: not revoked
 * @STAPLE_REVOKED: revoked
 * @STAPLE_UNKNOWN: nothing that is of use now
 * @STAPLE_WRONG: it is not one of the certificate's CA
 * @STAPLE_LARGE: to see that would take too long
 */
enum staple {
	STAPLE_GOOD,
	STAPLE_REVOKED,
	STAPLE_UNKNOWN,
	STAPLE_WRONG,
	STAPLE_LARGE,
};

static enum staple read_single(gnutls_ocsp_resp_t resp)
{
	time_t now = time(NULL), this_update = -1, next_update = -1;
	unsigned int status;

	if (gnutls_ocsp_resp_get_single(resp, 0, NULL, NULL, NULL, NULL, &status,
					&this_update, &next_update, NULL, NULL))
		return STAPLE_WRONG;
	if (status == GNUTLS_OCSP_CERT_REVOKED)
		return STAPLE_REVOKED;
	if (status != GNUTLS_OCSP_CERT_GOOD || this_update > now + CLOCK_SLACK ||
	    (next_update != -1 && next_update < now))
		return STAPLE_UNKNOWN;
	return STAPLE_GOOD;
}

/* The CA may have left it to somebody else to sign, whose certificate is in it then */
static bool signers_are_bounded(gnutls_ocsp_resp_t resp)
{
	gnutls_x509_crt_t *certs = NULL;
	size_t count = 0;
	bool bounded;

	if (gnutls_ocsp_resp_get_certs(resp, &certs, &count))
		return true;	/* there are none */
	bounded = !ss_chain_check_keys(certs, count);
	for (size_t i = 0; i < count; i++)
		gnutls_x509_crt_deinit(certs[i]);
	gnutls_free(certs);
	return bounded;
}

static enum staple read_staple(const struct ss_verify *v, gnutls_x509_crt_t *path,
			       unsigned int len, const gnutls_datum_t *staple)
{
	gnutls_ocsp_resp_t resp __cleanup(cleanup_ocsp) = NULL;
	gnutls_x509_crt_t issuer __cleanup(cleanup_crt) = NULL;
	unsigned int wrong = 0;

	if (!ss_chain_is_plain(staple))
		return STAPLE_LARGE;
	if (gnutls_ocsp_resp_init(&resp) || gnutls_ocsp_resp_import(resp, staple))
		return STAPLE_WRONG;
	if (!signers_are_bounded(resp))
		return STAPLE_LARGE;
	if (gnutls_ocsp_resp_get_status(resp) != GNUTLS_OCSP_RESP_SUCCESSFUL)
		return STAPLE_UNKNOWN;
	issuer = find_issuer(v, path, len);
	if (!issuer)
		return STAPLE_UNKNOWN;
	if (gnutls_ocsp_resp_check_crt(resp, 0, path[0]) ||
	    gnutls_ocsp_resp_verify_direct(resp, issuer, &wrong, 0) || wrong)
		return STAPLE_WRONG;
	return read_single(resp);
}

static void check_staple(const struct ss_verify *v, gnutls_x509_crt_t *path,
			 unsigned int len, const gnutls_datum_t *staple,
			 struct ss_verify_result *r)
{
	bool must = must_staple(path[0]);
	enum staple said;

	if (!staple || !staple->size) {
		if (must)
			set_broken(r, "its OCSP response is missing");
		return;
	}
	said = read_staple(v, path, len, staple);
	if (said == STAPLE_REVOKED)
		set_failed(r, SMTPSPLICE_TLS_CAUSE_REVOKED);
	else if (said == STAPLE_WRONG)
		set_broken(r, "its OCSP response is wrong");
	else if (said == STAPLE_LARGE)
		set_broken(r, "its OCSP response takes too long to verify");
	else if (said == STAPLE_UNKNOWN && must)
		set_broken(r, "its OCSP response says nothing");
	else if (said == STAPLE_UNKNOWN)
		set_failed(r, SMTPSPLICE_TLS_CAUSE_VALIDATION_TIMEOUT);
}

void ss_verify_chain(const struct ss_verify *verify, gnutls_x509_crt_t *chain,
		     unsigned int count, const gnutls_datum_t *staple,
		     const char *name, struct ss_verify_result *result)
{
	gnutls_x509_crt_t path[SS_CHAIN_MAX];
	unsigned int len, bits;
	const char *refused;

	if (count > SS_CHAIN_MAX)
		count = SS_CHAIN_MAX;
	*result = (struct ss_verify_result){};
	refused = ss_chain_check_keys(chain, count);
	if (refused) {
		set_broken(result, refused);
		return;
	}
	len = build_path(path, chain, count);
	bits = ask_twice(verify->trust, path, len);
	if (bits & GNUTLS_CERT_SIGNER_NOT_FOUND)
		bits |= ask_untrusted(path, len);
	check_bits(bits, result);
	check_time(path[0], result);
	check_strength(path[0], result);
	check_crls(verify, path, len, result);
	check_staple(verify, path, len, staple, result);
	/* Some readers of such a name see another name */
	if (subject_has_nul(path[0]) || alt_name_has_nul(path[0]))
		set_broken(result, "a name in it has a NUL");
	check_name(path[0], name, result);
	for (unsigned int i = 0; i < count; i++)
		if (own_ca_signed(verify->own, chain[i]))
			set_failed(result, SMTPSPLICE_TLS_CAUSE_OWN_CA);
}

static uint32_t action_of(const struct ss_tls_profile *p, enum smtpsplice_tls_cause cause)
{
	switch (cause) {
	case SMTPSPLICE_TLS_CAUSE_EXPIRED:
		return p->expired;
	case SMTPSPLICE_TLS_CAUSE_REVOKED:
		return p->revoked;
	case SMTPSPLICE_TLS_CAUSE_UNTRUSTED:
		return p->untrusted;
	case SMTPSPLICE_TLS_CAUSE_VALIDATION_TIMEOUT:
		return p->validation_timeout;
	case SMTPSPLICE_TLS_CAUSE_VALIDATION_FAILURE:
		return p->validation_failure;
	case SMTPSPLICE_TLS_CAUSE_SERVER_NAME:
		return p->sni_check == SMTPSPLICE_SNI_CHECK_STRICT ?
		       SMTPSPLICE_TLS_ACTION_BLOCK : SMTPSPLICE_TLS_ACTION_IGNORE;
	default:	/* a server with our own CA's certificate is an attack */
		return SMTPSPLICE_TLS_ACTION_BLOCK;
	}
}

enum smtpsplice_tls_action ss_verify_decide(const struct ss_tls_profile *profile,
					    const struct ss_verify_result *result,
					    enum smtpsplice_tls_cause *cause)
{
	static const enum smtpsplice_tls_cause order[] = {
		SMTPSPLICE_TLS_CAUSE_OWN_CA,
		SMTPSPLICE_TLS_CAUSE_REVOKED,
		SMTPSPLICE_TLS_CAUSE_VALIDATION_FAILURE,
		SMTPSPLICE_TLS_CAUSE_EXPIRED,
		SMTPSPLICE_TLS_CAUSE_SERVER_NAME,
		SMTPSPLICE_TLS_CAUSE_UNTRUSTED,
		SMTPSPLICE_TLS_CAUSE_VALIDATION_TIMEOUT,
	};
	/* From the strictest on */
	static const enum smtpsplice_tls_action actions[] = {
		SMTPSPLICE_TLS_ACTION_BLOCK,
		SMTPSPLICE_TLS_ACTION_ALLOW,
		SMTPSPLICE_TLS_ACTION_IGNORE,
	};

	for (size_t a = 0; a < ARRAY_SIZE(actions); a++)
		for (size_t i = 0; i < ARRAY_SIZE(order); i++)
			if (result->failed & SS_VERIFY_BIT(order[i]) &&
			    action_of(profile, order[i]) == actions[a]) {
				*cause = order[i];
				return actions[a];
			}
	*cause = SMTPSPLICE_TLS_CAUSE_NONE;
	return SMTPSPLICE_TLS_ACTION_IGNORE;
}
