/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_PEER_H
#define SS_TESTS_SUPPORT_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include <gnutls/gnutls.h>

#include "tests/support/pki.h"

#define PEER_PRIORITY	"NORMAL"
#define PEER_CHAIN_MAX	100

/* One end of a connection, and what it is to do */
struct peer {
	int fd;
	gnutls_session_t session;
	gnutls_certificate_credentials_t cred;
	const char *first;	/* to be sent in the segment of its last flight */
	bool started, done;
	int error;
	uint8_t out[160 << 10];
	size_t out_len;
};

/* A TCP connection over the loopback; neither end blocks */
void peer_connect(int fds[2]);

void peer_client(struct peer *peer, int fd, const char *priority, const char *name);
void peer_server(struct peer *peer, int fd, const char *priority,
		 const struct pki *chain, unsigned int count);
void peer_alpn(struct peer *peer, const char *const *names, unsigned int count);
void peer_step(struct peer *peer);
void peer_send(struct peer *peer, const char *text);
/* Wait for a text. Return: octets, or a GnuTLS error. */
ssize_t peer_receive(struct peer *peer, char *text, size_t size);
void peer_free(struct peer *peer);
/* Wait for one record on a socket; without a TLS library. Return: octets. */
size_t peer_read_record(int fd, uint8_t *record, size_t size);
void peer_wait(int fd, short events);

#endif /* SS_TESTS_SUPPORT_PEER_H */
