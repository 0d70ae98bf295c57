/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_REKEY_H
#define SS_REKEY_H

#include <linux/types.h>

struct sock;

/* Bytes of the longest secret, which SHA-384 makes; the other one is SHA-256's. */
#define SS_SECRET_MAX	48

/**
 * struct ss_secrets - the traffic secrets of a leg (RFC 8446 7.1)
 * @len: bytes of each, by the hash of the cipher suite; 0 where there are none
 * @recv: secret of what the peer sends
 * @send: secret of what we send
 */
struct ss_secrets {
	u8 len;
	u8 recv[SS_SECRET_MAX];
	u8 send[SS_SECRET_MAX];
};

/**
 * ss_rekey() - go on to the next key of one direction (RFC 8446 7.2)
 * @sk: the socket, with kTLS in software
 * @secrets: secrets of the leg; that of the direction is replaced by the next
 * @send: the direction: what we send, else what we receive
 *
 * To be called behind the record of the KeyUpdate: when it was sent whole, or was
 * read and no record behind it.
 *
 * Context: process. Return: 0, -EOPNOTSUPP (no secrets, or not TLS 1.3) or
 * another -errno; then nothing can be sent or received any more.
 */
int ss_rekey(struct sock *sk, struct ss_secrets *secrets, bool send);

/**
 * ss_rekey_expand() - HKDF-Expand-Label with an empty context (RFC 8446 7.1)
 * @secret: the secret
 * @secret_len: bytes of @secret, which say what the hash is
 * @label: the label, without "tls13 ", at most 12 characters
 * @out: set to the result
 * @len: bytes of the result, at most @secret_len
 *
 * Context: process. Return: 0 or -errno.
 */
int ss_rekey_expand(const u8 *secret, u8 secret_len, const char *label,
		    u8 *out, u8 len);

#endif /* SS_REKEY_H */
