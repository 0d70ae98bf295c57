/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_PROTO_TLS_MSG_H
#define SS_PROTO_TLS_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/smtpsplice.h>

/* A profile with all the exemptions that it may have, and then some */
#define SS_TLS_JOB_MAX	(64 << 10)

/* For a job that does not say how long it may take */
#define SS_TLS_JOB_TIMEOUT_MS	30000

/**
 * struct ss_tls_job - From the broker: a pair of handshakes. Behind it come the
 * attributes of the kernel's answer to handshake-accept (attribute set
 * handshake); with it come the sockets of client and server, in that order.
 * @cookie: names it in the result
 */
struct ss_tls_job {
	uint64_t cookie;
};

/* Of SHA-384; the other one is of SHA-256 */
#define SS_TLS_SECRET_MAX	48

/**
 * struct ss_tls_secrets - The traffic secrets of a leg (RFC 8446 7.1).
 * @size: bytes of each; 0 with TLS 1.2
 * @recv: of what the peer sends
 * @send: of what the gateway sends
 */
struct ss_tls_secrets {
	uint32_t size;
	uint8_t recv[SS_TLS_SECRET_MAX];
	uint8_t send[SS_TLS_SECRET_MAX];
};

/**
 * struct ss_tls_result - To the broker: what became of it. The sockets are
 * closed by then. Strings are terminated and printable.
 * @cookie: that of the job
 * @result: enum smtpsplice_tls_result
 * @cause: enum smtpsplice_tls_cause
 * @server_name: the name that the client asked for (SNI), or ""
 * @version: version of TLS on the client's leg
 * @cipher: cipher suite on the client's leg
 * @text: what failed, in words
 * @client: of the client's leg, where it is inspected
 * @server: of the server's leg
 */
struct ss_tls_result {
	uint64_t cookie;
	uint32_t result;
	uint32_t cause;
	char server_name[SMTPSPLICE_PATTERN_MAX + 1];
	char version[SMTPSPLICE_NAME_MAX + 1];
	char cipher[SMTPSPLICE_TEXT_MAX + 1];
	char text[SMTPSPLICE_TEXT_MAX + 1];
	struct ss_tls_secrets client;
	struct ss_tls_secrets server;
};

/**
 * ss_tls_result_check() - Check a result that came from the tls process, which
 * may have been taken over by a peer.
 * @r: the result
 *
 * Return: whether it can be used: the numbers are in range and fit each other,
 * the strings are terminated and printable.
 */
bool ss_tls_result_check(const struct ss_tls_result *result);

#endif /* SS_PROTO_TLS_MSG_H */
