/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_LEG_H
#define SS_TLS_LEG_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>
#include <linux/smtpsplice.h>

#include "proto/tls_msg.h"
#include "tls/chain.h"
#include "tls/creds.h"

/* What a leg may use: versions, and strengths of ciphers */
#define SS_TLS_LEG_TLS12	1
#define SS_TLS_LEG_TLS13	2
#define SS_TLS_LEG_VERSIONS	3
#define SS_TLS_LEG_AES128	1
#define SS_TLS_LEG_STRONG	2
#define SS_TLS_LEG_CIPHERS	3

/* In place of the number of an alert: none is sent */
#define SS_TLS_LEG_NO_ALERT	(-1)

/**
 * struct ss_legs - What all legs share.
 * @priority: by versions and strengths
 * @dial_cred: for the legs to servers
 */
struct ss_legs {
	gnutls_priority_t priority[SS_TLS_LEG_VERSIONS + 1][SS_TLS_LEG_CIPHERS + 1];
	gnutls_certificate_credentials_t dial_cred;
};

/**
 * struct ss_tls_leg - One side of the gateway.
 * @fd: the socket
 * @session: GnuTLS's, NULL before its handshake
 * @serves: the gateway is the server
 * @done: the handshake is done
 * @asked: the server has asked for the client's certificate
 * @refuse_asking: that ends the handshake
 * @short_records: the server wants shorter records than the kernel makes
 * @chain: what the server has sent, its own certificate first
 * @chain_count: how many; 0 before it was looked at
 * @refused: why the server's certificates cannot be looked at, or NULL
 * @secrets: from which the keys come, and the next ones will
 */
struct ss_tls_leg {
	int fd;
	gnutls_session_t session;
	bool serves;
	bool done;
	bool asked;
	bool refuse_asking;
	bool short_records;
	gnutls_x509_crt_t chain[SS_CHAIN_MAX];
	unsigned int chain_count;
	const char *refused;
	struct ss_tls_secrets secrets;
};

int ss_legs_init(struct ss_legs *legs);
void ss_legs_free(struct ss_legs *legs);
int ss_tls_leg_dial(struct ss_tls_leg *leg, const struct ss_legs *legs, unsigned int versions,
		    unsigned int ciphers, const char *name, bool alpn);
int ss_tls_leg_serve(struct ss_tls_leg *leg, const struct ss_legs *legs, unsigned int versions,
		     unsigned int ciphers, struct ss_creds *creds, bool alpn);
int ss_tls_leg_handshake(struct ss_tls_leg *leg);
unsigned int ss_tls_leg_version(const struct ss_tls_leg *leg);
unsigned int ss_tls_leg_cipher(const struct ss_tls_leg *leg);
int ss_tls_leg_listen(struct ss_tls_leg *leg);
enum smtpsplice_tls_cause ss_tls_leg_cause(const struct ss_tls_leg *leg, int error,
					   enum smtpsplice_tls_cause peer);
void ss_tls_leg_explain(const struct ss_tls_leg *leg, int error, char *text, size_t size);
int ss_tls_leg_error_alert(int error);
bool ss_tls_leg_is_ready(const struct ss_tls_leg *leg);
void ss_tls_leg_alert(struct ss_tls_leg *leg, int alert);
void ss_tls_leg_hang_up(struct ss_tls_leg *leg);
void ss_tls_leg_release(struct ss_tls_leg *leg);

#endif /* SS_TLS_LEG_H */
