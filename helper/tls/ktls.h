/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_KTLS_H
#define SS_TLS_KTLS_H

#include <stdbool.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>
#include <linux/tls.h>

/**
 * struct ss_ktls_keys - The keys of one direction of a connection, as the
 * kernel wants them.
 * @info: what to give to setsockopt()
 * @info.head: which version and cipher, and so which of the next
 * @info.gcm128: AES-128-GCM
 * @info.gcm256: AES-256-GCM
 * @info.ccm128: AES-128-CCM
 * @info.chacha: CHACHA20-POLY1305
 * @len: bytes of it
 */
struct ss_ktls_keys {
	union {
		struct tls_crypto_info head;
		struct tls12_crypto_info_aes_gcm_128 gcm128;
		struct tls12_crypto_info_aes_gcm_256 gcm256;
		struct tls12_crypto_info_aes_ccm_128 ccm128;
		struct tls12_crypto_info_chacha20_poly1305 chacha;
	} info;
	socklen_t len;
};

/**
 * ss_ktls_export() - Get the keys of one direction.
 * @keys: the keys; the caller wipes them
 * @session: a session that has done its handshake
 * @receive: of what the peer sends
 *
 * Return: 0, -EOPNOTSUPP where the kernel has no such cipher or version, or
 * -EINVAL where GnuTLS says something strange.
 */
int ss_ktls_export(struct ss_ktls_keys *keys, gnutls_session_t session, bool receive);

/**
 * ss_ktls_install() - Give the keys of both directions to the kernel.
 * @sock: the TCP socket of the session
 * @session: a session that has done its handshake, and is not used any more
 *   after this
 *
 * Return: 0 or an errno. After an error the connection is of no use.
 */
int ss_ktls_install(int sock, gnutls_session_t session);

#endif /* SS_TLS_KTLS_H */
