/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_CLIENT_HELLO_H
#define SS_TLS_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/smtpsplice.h>

/* Longest ClientHello, and the octets of TLS records that it may come in */
#define SS_CLIENT_HELLO_MAX	(16 << 10)
#define SS_CLIENT_HELLO_RAW	(32 << 10)

/**
 * enum ss_client_hello_status - What the first octets of a client are.
 * @SS_CLIENT_HELLO_OK: a ClientHello
 * @SS_CLIENT_HELLO_MORE: the beginning of one
 * @SS_CLIENT_HELLO_BROKEN: TLS records, but not with a ClientHello as it should be
 * @SS_CLIENT_HELLO_ALIEN: not TLS at all; the client would not know an alert
 */
enum ss_client_hello_status {
	SS_CLIENT_HELLO_OK,
	SS_CLIENT_HELLO_MORE,
	SS_CLIENT_HELLO_BROKEN,
	SS_CLIENT_HELLO_ALIEN,
};

/**
 * struct ss_client_hello_offer - What a client offers for one version of TLS.
 * @offered: it offers the version
 * @aes128: with a suite of the kernel that has AES-128
 * @aes256: with a suite of the kernel that is stronger than that
 * @ecdsa: one of them goes with an ECDSA certificate
 */
struct ss_client_hello_offer {
	bool offered;
	bool aes128;
	bool aes256;
	bool ecdsa;
};

/**
 * struct ss_client_hello - What a ClientHello says.
 * @tls12: what is offered for TLS 1.2
 * @tls13: and for TLS 1.3
 * @alpn: it names application protocols
 * @alpn_smtp: "smtp" is among them
 * @name: server name (SNI) as it was sent, a valid DNS name; empty where there
 *   is none
 */
struct ss_client_hello {
	struct ss_client_hello_offer tls12;
	struct ss_client_hello_offer tls13;
	bool alpn;
	bool alpn_smtp;
	char name[SMTPSPLICE_PATTERN_MAX + 1];
};

/**
 * ss_client_hello_parse() - Read the first octets of a client.
 * @hello: what they say; complete only for SS_CLIENT_HELLO_OK, but the name is valid
 *   in any case
 * @buf: the octets
 * @len: how many; more than SS_CLIENT_HELLO_RAW is never needed
 *
 * Return: what they are.
 */
enum ss_client_hello_status ss_client_hello_parse(struct ss_client_hello *hello, const void *buf,
						  size_t len);

#endif /* SS_TLS_CLIENT_HELLO_H */
