// SPDX-License-Identifier: GPL-2.0
/*
 * The keys of a finished handshake, from GnuTLS to the kernel (Documentation/
 * networking/tls.rst). GnuTLS is not built to do so itself, not in Debian.
 *
 * Of the 12 octets of a nonce the kernel calls the first four salt and the rest
 * iv, other than for CHACHA20-POLY1305, where all are iv. With TLS 1.2 and an
 * AES suite, the eight octets are sent with each record (RFC 5288 3), and only
 * have to differ: they count up from the sequence number, as in GnuTLS.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>

#include "lib/cleanup.h"
#include "tls/ktls.h"

#ifndef SOL_TLS
#define SOL_TLS		282
#endif

#define SALT_SIZE	4
#define EXPLICIT_SIZE	8
#define NONCE_SIZE	12
#define SEQ_SIZE	8

/**
 * struct layout - Where things are in the structure of a cipher.
 * @cipher: GnuTLS's number
 * @type: the kernel's
 * @len: bytes of the structure
 * @iv: offset of the iv
 * @iv_size: bytes of the iv
 * @key: offset of the key
 * @key_size: bytes of the key
 * @salt: offset of the salt, 0 where there is none
 * @seq: offset of the sequence number
 */
struct layout {
	gnutls_cipher_algorithm_t cipher;
	uint16_t type;
	size_t len;
	size_t iv;
	size_t iv_size;
	size_t key;
	size_t key_size;
	size_t salt;
	size_t seq;
};

#define LAYOUT(_cipher, _type, _struct, _salt)				\
	{								\
		.cipher = (_cipher), .type = (_type),			\
		.len = sizeof(struct _struct),				\
		.iv = offsetof(struct _struct, iv),			\
		.iv_size = sizeof(((struct _struct *)0)->iv),		\
		.key = offsetof(struct _struct, key),			\
		.key_size = sizeof(((struct _struct *)0)->key),		\
		.salt = (_salt) ? offsetof(struct _struct, salt) : 0,	\
		.seq = offsetof(struct _struct, rec_seq),		\
	}

static const struct layout layouts[] = {
	LAYOUT(GNUTLS_CIPHER_AES_128_GCM, TLS_CIPHER_AES_GCM_128,
	       tls12_crypto_info_aes_gcm_128, true),
	LAYOUT(GNUTLS_CIPHER_AES_256_GCM, TLS_CIPHER_AES_GCM_256,
	       tls12_crypto_info_aes_gcm_256, true),
	LAYOUT(GNUTLS_CIPHER_AES_128_CCM, TLS_CIPHER_AES_CCM_128,
	       tls12_crypto_info_aes_ccm_128, true),
	LAYOUT(GNUTLS_CIPHER_CHACHA20_POLY1305, TLS_CIPHER_CHACHA20_POLY1305,
	       tls12_crypto_info_chacha20_poly1305, false),
};

static const struct layout *find_layout(gnutls_cipher_algorithm_t cipher)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].cipher == cipher)
			return &layouts[i];
	return NULL;
}

static void fill_keys(struct ss_ktls_keys *keys, const struct layout *l,
		      const gnutls_datum_t *key, const gnutls_datum_t *iv,
		      const uint8_t seq[SEQ_SIZE])
{
	uint8_t *at = (uint8_t *)&keys->info;

	memcpy(at + l->key, key->data, l->key_size);
	memcpy(at + l->seq, seq, SEQ_SIZE);
	if (!l->salt) {
		memcpy(at + l->iv, iv->data, l->iv_size);
		return;
	}
	memcpy(at + l->salt, iv->data, SALT_SIZE);
	if (keys->info.head.version == TLS_1_2_VERSION)
		memcpy(at + l->iv, seq, EXPLICIT_SIZE);
	else
		memcpy(at + l->iv, iv->data + SALT_SIZE, l->iv_size);
}

int ss_ktls_export(struct ss_ktls_keys *keys, gnutls_session_t session, bool receive)
{
	const struct layout *l = find_layout(gnutls_cipher_get(session));
	gnutls_protocol_t version = gnutls_protocol_get_version(session);
	gnutls_datum_t mac, iv, key;
	uint8_t seq[SEQ_SIZE];
	bool explicit;

	memset(keys, 0, sizeof(*keys));
	if (!l || (version != GNUTLS_TLS1_2 && version != GNUTLS_TLS1_3))
		return -EOPNOTSUPP;
	if (gnutls_record_get_state(session, receive, &mac, &iv, &key, seq))
		return -EINVAL;
	explicit = l->salt && version == GNUTLS_TLS1_2;
	if (key.size != l->key_size || iv.size < (explicit ? SALT_SIZE : NONCE_SIZE))
		return -EINVAL;
	keys->len = l->len;
	keys->info.head.cipher_type = l->type;
	keys->info.head.version = version == GNUTLS_TLS1_2 ? TLS_1_2_VERSION :
				  TLS_1_3_VERSION;
	fill_keys(keys, l, &key, &iv, seq);
	return 0;
}

static int install_direction(int sock, gnutls_session_t session, bool receive)
{
	struct ss_ktls_keys keys;
	int ret = ss_ktls_export(&keys, session, receive);

	if (!ret && setsockopt(sock, SOL_TLS, receive ? TLS_RX : TLS_TX, &keys.info,
			       keys.len))
		ret = -errno;
	gnutls_memset(&keys, 0, sizeof(keys));
	return ret;
}

int ss_ktls_install(int sock, gnutls_session_t session)
{
	int ret;

	if (setsockopt(sock, SOL_TCP, TCP_ULP, "tls", sizeof("tls")))
		return -errno;
	ret = install_direction(sock, session, false);
	return ret ?: install_direction(sock, session, true);
}
