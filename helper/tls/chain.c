// SPDX-License-Identifier: GPL-2.0
/*
 * Bounds of what a server sends of certificates, so that none takes longer to look
 * at than a handshake may: all servers share one process. GnuTLS has no such bounds.
 *
 * In two steps: the message in its octets, before GnuTLS reads it (it takes quadratic
 * time for names, and for lists in extensions), and the keys, before the first of them
 * is used to verify something, be it a certificate, the handshake or a stapled
 * response. Pure functions.
 */
#include <stdint.h>
#include <string.h>

#include <gnutls/abstract.h>

#include "lib/cleanup.h"
#include "tls/chain.h"

/* Elements of ASN.1 in a chain: one of the public CAs has about 150 a certificate */
#define ELEMENTS_MAX	2000
/* Alternative names, those of all certificates */
#define NAMES_MAX	10240
#define WRAPS_MAX	3	/* a response, a certificate in it, an extension of that */

/* Go's limit for certificates, and OpenSSL's for the exponents of long keys */
#define RSA_MODULUS_MAX	8192
#define RSA_EXPONENT_MAX 64
#define DSA_PRIME_MAX	4096
#define DSA_ORDER_MAX	512
#define CURVE_MAX	1024

#define TAG_OCTET_STRING	0x04
#define TAG_OID			0x06
#define TAG_SEQUENCE		0x30
#define CONSTRUCTED		0x20
#define LONG_TAG		0x1f
#define MORE			0x80	/* octets of a tag or length */

static const uint8_t oid_san[] = { 0x55, 0x1d, 0x11 };

/**
 * struct bytes - Octets that are still to be read.
 * @at: the next one
 * @left: how many
 */
struct bytes {
	const uint8_t *at;
	size_t left;
};

/**
 * struct tally - What was counted so far.
 * @elements: elements of ASN.1, but for those of alternative names
 * @names: those
 */
struct tally {
	unsigned int elements;
	unsigned int names;
};

static bool take(struct bytes *b, size_t n, struct bytes *out)
{
	if (b->left < n)
		return false;
	*out = (struct bytes){ b->at, n };
	b->at += n;
	b->left -= n;
	return true;
}

/* Take a vector, whose length is in its first @n octets */
static bool take_vector(struct bytes *b, size_t n, struct bytes *out)
{
	struct bytes raw;
	size_t len = 0;

	if (!take(b, n, &raw))
		return false;
	for (size_t i = 0; i < n; i++)
		len = len << 8 | raw.at[i];
	return take(b, len, out);
}

/* Take a tag, which may have more octets. Return: its first. */
static bool take_tag(struct bytes *b, uint8_t *tag)
{
	struct bytes octet;

	if (!take(b, 1, &octet))
		return false;
	*tag = octet.at[0];
	if ((*tag & LONG_TAG) != LONG_TAG)
		return true;
	do {
		if (!take(b, 1, &octet))
			return false;
	} while (octet.at[0] & MORE);
	return true;
}

/* Take an element of DER, but of a constructed one only the header: its parts follow */
static bool take_element(struct bytes *b, uint8_t *tag, struct bytes *value)
{
	size_t octets = 0, len = 0;
	struct bytes head;

	if (!take_tag(b, tag) || !take(b, 1, &head))
		return false;
	if (head.at[0] & MORE)
		octets = head.at[0] & ~MORE;
	else
		len = head.at[0];
	if (head.at[0] == MORE || octets > sizeof(uint32_t) || !take(b, octets, &head))
		return false;
	for (size_t i = 0; i < octets; i++)
		len = len << 8 | head.at[i];
	return take(b, *tag & CONSTRUCTED ? 0 : len, value);
}

static void count_parts(struct bytes value, struct tally *t, unsigned int *counter, int wraps);

/* Count elements, those in OCTET STRINGs as well. Return: whether it is DER. */
static bool count_elements(struct bytes *b, struct tally *t, unsigned int *counter, int wraps)
{
	bool names = false;

	while (b->left && *counter <= NAMES_MAX) {
		struct bytes value;
		uint8_t tag;

		if (!take_element(b, &tag, &value))
			return false;
		++*counter;
		if (tag == TAG_OID)
			names = value.left == sizeof(oid_san) &&
				!memcmp(value.at, oid_san, sizeof(oid_san));
		else if (tag == TAG_OCTET_STRING && value.left && value.at[0] == TAG_SEQUENCE &&
			 wraps < WRAPS_MAX)
			count_parts(value, t, names ? &t->names : counter, wraps + 1);
	}
	return true;
}

/* An OCTET STRING need not be DER. Where it is not, it is taken for all that it may be. */
static void count_parts(struct bytes value, struct tally *t, unsigned int *counter, int wraps)
{
	if (!count_elements(&value, t, counter, wraps))
		*counter += value.left / 2;
}

static bool is_bounded(const struct tally *t)
{
	return t->elements <= ELEMENTS_MAX && t->names <= NAMES_MAX;
}

bool ss_chain_is_plain(const gnutls_datum_t *der)
{
	struct bytes b = { der->data, der->size };
	struct tally t = {};

	return count_elements(&b, &t, &t.elements, 0) && is_bounded(&t);
}

const char *ss_chain_check_message(const gnutls_datum_t *message, bool tls13)
{
	struct bytes b = { message->data, message->size }, skip, list, crt;
	unsigned int certs = 0;
	struct tally t = {};

	if ((tls13 && !take_vector(&b, 1, &skip)) || !take_vector(&b, 3, &list))
		return NULL;
	while (list.left) {
		if (!take_vector(&list, 3, &crt))
			return NULL;
		if (++certs > SS_CHAIN_MAX)
			return "there are too many in its chain";
		if (!count_elements(&crt, &t, &t.elements, 0))
			return "its chain is not in DER";
		if (!is_bounded(&t))
			return "its chain takes too long to read";
		if (tls13 && !take_vector(&list, 2, &skip))
			return NULL;
	}
	return NULL;
}

static size_t count_bits(const gnutls_datum_t *number)
{
	size_t at = 0, bits;

	while (at < number->size && !number->data[at])
		at++;
	if (at == number->size)
		return 0;
	bits = 8 * (number->size - at);
	for (uint8_t top = number->data[at]; !(top & 0x80); top <<= 1)
		bits--;
	return bits;
}

static void cleanup_datum(gnutls_datum_t *d)
{
	gnutls_free(d->data);
}

static void cleanup_pubkey(gnutls_pubkey_t *key)
{
	if (*key)
		gnutls_pubkey_deinit(*key);
}

static bool rsa_is_bounded(gnutls_pubkey_t key)
{
	gnutls_datum_t modulus __cleanup(cleanup_datum) = {};
	gnutls_datum_t exponent __cleanup(cleanup_datum) = {};

	return !gnutls_pubkey_export_rsa_raw(key, &modulus, &exponent) &&
	       count_bits(&modulus) <= RSA_MODULUS_MAX &&
	       count_bits(&exponent) <= RSA_EXPONENT_MAX;
}

static bool dsa_is_bounded(gnutls_pubkey_t key)
{
	gnutls_datum_t p __cleanup(cleanup_datum) = {};
	gnutls_datum_t q __cleanup(cleanup_datum) = {};
	gnutls_datum_t g __cleanup(cleanup_datum) = {};
	gnutls_datum_t y __cleanup(cleanup_datum) = {};

	return !gnutls_pubkey_export_dsa_raw(key, &p, &q, &g, &y) &&
	       count_bits(&p) <= DSA_PRIME_MAX && count_bits(&q) <= DSA_ORDER_MAX;
}

static bool key_is_bounded(gnutls_x509_crt_t crt)
{
	gnutls_pubkey_t key __cleanup(cleanup_pubkey) = NULL;
	unsigned int bits = 0;

	if (gnutls_pubkey_init(&key))
		return false;
	/* A key that GnuTLS does not know verifies nothing */
	if (gnutls_pubkey_import_x509(key, crt, 0))
		return true;
	switch (gnutls_pubkey_get_pk_algorithm(key, &bits)) {
	case GNUTLS_PK_RSA:
	case GNUTLS_PK_RSA_PSS:
		return rsa_is_bounded(key);
	case GNUTLS_PK_DSA:
		return dsa_is_bounded(key);
	default:
		/* On a curve that has a name: others GnuTLS does not read */
		return bits <= CURVE_MAX;
	}
}

const char *ss_chain_check_keys(gnutls_x509_crt_t *chain, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (!key_is_bounded(chain[i]))
			return "a key in its chain is too large";
	return NULL;
}
