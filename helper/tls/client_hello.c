// SPDX-License-Identifier: GPL-2.0
/*
 * The ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2): the first octets of a
 * client, which may be anything. Pure functions; what they are given was only
 * peeked at, so they start anew with each octet that comes.
 *
 * Whoever goes on to shake hands has a TLS library check all that is not looked
 * at here. What is looked at, is what decides about whom to shake hands with.
 */
#include <string.h>

#include <gnutls/gnutls.h>

#include "lib/cleanup.h"
#include "tls/client_hello.h"

#define RECORD_HEADER		5
#define RECORD_MAX		(16 << 10)
#define RECORD_HANDSHAKE	22
#define MESSAGE_HEADER		4
#define MESSAGE_CLIENT_HELLO	1
#define RANDOM_SIZE		32
#define SESSION_ID_MAX		32

#define EXT_SERVER_NAME		0
#define EXT_ALPN		16
#define EXT_SUPPORTED_VERSIONS	43
#define NAME_HOST		0

#define TLS12			0x0303
#define TLS13			0x0304

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
 * struct extensions - What the extensions are read into.
 * @hello: the result
 * @seen: bit mask of EXT_* that were there; an extension comes once
 * @versions: there were supported_versions
 * @bad: one of them is broken
 */
struct extensions {
	struct ss_client_hello *hello;
	uint64_t seen;
	bool versions;
	bool bad;
};

/**
 * struct suite - A cipher suite that the kernel has the cipher of.
 * @id: its number
 * @tls13: of TLS 1.3, else of TLS 1.2
 * @strong: more than AES-128
 * @ecdsa: goes with an ECDSA certificate
 */
struct suite {
	uint16_t id;
	bool tls13;
	bool strong;
	bool ecdsa;
};

static const struct suite suites[] = {
	{ 0x1301, true, false, true },	/* AES_128_GCM */
	{ 0x1302, true, true, true },	/* AES_256_GCM */
	{ 0x1303, true, true, true },	/* CHACHA20_POLY1305 */
	{ 0x1304, true, false, true },	/* AES_128_CCM */
	{ 0xc02b, false, false, true },	/* ECDHE_ECDSA, AES_128_GCM */
	{ 0xc02c, false, true, true },	/* AES_256_GCM */
	{ 0xcca9, false, true, true },	/* CHACHA20_POLY1305 */
	{ 0xc0ac, false, false, true },	/* AES_128_CCM */
	{ 0xc02f, false, false, false }, /* ECDHE_RSA, AES_128_GCM */
	{ 0xc030, false, true, false },	/* AES_256_GCM */
	{ 0xcca8, false, true, false },	/* CHACHA20_POLY1305 */
	{ 0x009e, false, false, false }, /* DHE_RSA, AES_128_GCM */
	{ 0x009f, false, true, false },	/* AES_256_GCM */
	{ 0xccaa, false, true, false },	/* CHACHA20_POLY1305 */
	{ 0xc09e, false, false, false }, /* AES_128_CCM */
};

/* Take @n octets. Return: whether there were so many. */
static bool take(struct bytes *b, size_t n, struct bytes *out)
{
	if (b->left < n)
		return false;
	out->at = b->at;
	out->left = n;
	b->at += n;
	b->left -= n;
	return true;
}

/* Take a number of @n octets */
static bool take_number(struct bytes *b, size_t n, uint32_t *number)
{
	struct bytes raw;

	if (!take(b, n, &raw))
		return false;
	*number = 0;
	for (size_t i = 0; i < n; i++)
		*number = *number << 8 | raw.at[i];
	return true;
}

/* Take a vector, whose length is in its first @n octets */
static bool take_vector(struct bytes *b, size_t n, struct bytes *out)
{
	uint32_t len;

	return take_number(b, n, &len) && take(b, len, out);
}

/*
 * Put the message together from the records it came in. Return: OK where it is
 * all there.
 */
static enum ss_client_hello_status join_records(uint8_t message[SS_CLIENT_HELLO_MAX], size_t *size,
						const uint8_t *raw, size_t len)
{
	size_t at = 0, have = 0, want;

	while (at + RECORD_HEADER <= len) {
		size_t body = raw[at + 3] << 8 | raw[at + 4], part;

		if (raw[at] != RECORD_HANDSHAKE || raw[at + 1] != 3 || !body ||
		    body > RECORD_MAX)
			return SS_CLIENT_HELLO_BROKEN;
		at += RECORD_HEADER;
		part = body < len - at ? body : len - at;
		if (part > SS_CLIENT_HELLO_MAX - have)
			part = SS_CLIENT_HELLO_MAX - have;
		memcpy(message + have, raw + at, part);
		have += part;
		at += body;
		if (have && message[0] != MESSAGE_CLIENT_HELLO)
			return SS_CLIENT_HELLO_BROKEN;
		if (have < MESSAGE_HEADER)
			continue;
		want = MESSAGE_HEADER +
		       ((size_t)message[1] << 16 | message[2] << 8 | message[3]);
		/* Nothing may follow it before the server's answer */
		if (want > SS_CLIENT_HELLO_MAX || have - part + body > want)
			return SS_CLIENT_HELLO_BROKEN;
		if (have == want) {
			*size = want;
			return SS_CLIENT_HELLO_OK;
		}
	}
	return len < SS_CLIENT_HELLO_RAW ? SS_CLIENT_HELLO_MORE : SS_CLIENT_HELLO_BROKEN;
}

static bool is_name_octet(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* RFC 6066 3: one host_name, a DNS name in ASCII */
static bool read_name(struct ss_client_hello *hello, struct bytes ext)
{
	struct bytes list, name;
	uint32_t type;

	if (!take_vector(&ext, 2, &list) || ext.left ||
	    !take_number(&list, 1, &type) || type != NAME_HOST ||
	    !take_vector(&list, 2, &name) || list.left)
		return false;
	if (!name.left || name.left >= sizeof(hello->name) || name.at[0] == '.')
		return false;
	for (size_t i = 0; i < name.left; i++)
		if (!is_name_octet(name.at[i]) ||
		    (i && name.at[i] == '.' && name.at[i - 1] == '.'))
			return false;
	memcpy(hello->name, name.at, name.left);
	hello->name[name.left] = '\0';
	return true;
}

/* RFC 7301 3.1 */
static bool read_alpn(struct ss_client_hello *hello, struct bytes ext)
{
	struct bytes list, name;

	if (!take_vector(&ext, 2, &list) || ext.left || !list.left)
		return false;
	hello->alpn = true;
	while (list.left) {
		if (!take_vector(&list, 1, &name) || !name.left)
			return false;
		if (name.left == 4 && !memcmp(name.at, "smtp", 4))
			hello->alpn_smtp = true;
	}
	return true;
}

/* RFC 8446 4.2.1: where it is there, it alone counts */
static bool read_versions(struct ss_client_hello *hello, struct bytes ext)
{
	struct bytes list;
	uint32_t version;

	if (!take_vector(&ext, 1, &list) || ext.left || !list.left || list.left % 2)
		return false;
	hello->tls12.offered = false;
	while (take_number(&list, 2, &version)) {
		hello->tls12.offered |= version == TLS12;
		hello->tls13.offered |= version == TLS13;
	}
	return true;
}

static int read_extension(void *ctx, unsigned int id, const unsigned char *data,
			  unsigned int size)
{
	struct bytes ext = { .at = data, .left = size };
	struct extensions *x = ctx;
	bool good = true;

	if (id != EXT_SERVER_NAME && id != EXT_ALPN && id != EXT_SUPPORTED_VERSIONS)
		return 0;
	if (x->seen & 1ull << id)
		good = false;
	x->seen |= 1ull << id;
	if (id == EXT_SERVER_NAME)
		good = good && read_name(x->hello, ext);
	else if (id == EXT_ALPN)
		good = good && read_alpn(x->hello, ext);
	else
		good = good && read_versions(x->hello, ext);
	x->bad |= !good;
	return good ? 0 : GNUTLS_E_UNEXPECTED_EXTENSIONS_LENGTH;
}

static void add_suite(struct ss_client_hello *hello, uint32_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(suites); i++) {
		const struct suite *s = &suites[i];
		struct ss_client_hello_offer *o = s->tls13 ? &hello->tls13 : &hello->tls12;

		if (s->id != id)
			continue;
		o->aes128 |= !s->strong;
		o->aes256 |= s->strong;
		o->ecdsa |= s->ecdsa;
	}
}

/* The message without its header */
static bool read_body(struct ss_client_hello *hello, struct bytes body)
{
	gnutls_datum_t whole = { (unsigned char *)body.at, body.left };
	struct extensions x = { .hello = hello };
	struct bytes random, id, list, methods;
	uint32_t version, suite;

	if (!take_number(&body, 2, &version) || version >> 8 != 3 ||
	    !take(&body, RANDOM_SIZE, &random) || !take_vector(&body, 1, &id) ||
	    id.left > SESSION_ID_MAX || !take_vector(&body, 2, &list) ||
	    !list.left || list.left % 2 || !take_vector(&body, 1, &methods) ||
	    !methods.left)
		return false;
	hello->tls12.offered = version >= TLS12;
	while (take_number(&list, 2, &suite))
		add_suite(hello, suite);
	if (!body.left)
		return true;
	return !gnutls_ext_raw_parse(&x, read_extension, &whole,
				     GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO) && !x.bad;
}

enum ss_client_hello_status ss_client_hello_parse(struct ss_client_hello *hello, const void *buf,
						  size_t len)
{
	const uint8_t *raw = buf;
	uint8_t message[SS_CLIENT_HELLO_MAX];
	enum ss_client_hello_status status;
	struct bytes body;
	size_t size = 0;

	memset(hello, 0, sizeof(*hello));
	if (len && (raw[0] != RECORD_HANDSHAKE || (len > 1 && raw[1] != 3)))
		return SS_CLIENT_HELLO_ALIEN;
	status = join_records(message, &size, raw, len);
	if (status != SS_CLIENT_HELLO_OK)
		return status;
	body.at = message + MESSAGE_HEADER;
	body.left = size - MESSAGE_HEADER;
	return read_body(hello, body) ? SS_CLIENT_HELLO_OK : SS_CLIENT_HELLO_BROKEN;
}
