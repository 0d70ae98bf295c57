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

/* Versions, and strengths of ciphers, that a leg may use */
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

/**
 * ss_legs_init() - Make what all legs share.
 * @legs: to be freed with ss_legs_free(), after an error as well
 *
 * Return: 0 or a GnuTLS error.
 */
int ss_legs_init(struct ss_legs *legs);

/**
 * ss_legs_free() - Free what all legs share.
 * @legs: it
 */
void ss_legs_free(struct ss_legs *legs);

/**
 * ss_tls_leg_dial() - Prepare the handshake with a server.
 * @leg: the leg
 * @legs: what all share
 * @versions: SS_TLS_LEG_TLS*
 * @ciphers: SS_TLS_LEG_AES128, SS_TLS_LEG_STRONG
 * @name: the server's name (SNI), or ""
 * @alpn: name "smtp" as the application protocol
 *
 * Return: 0 or a GnuTLS error.
 */
int ss_tls_leg_dial(struct ss_tls_leg *leg, const struct ss_legs *legs, unsigned int versions,
		    unsigned int ciphers, const char *name, bool alpn);

/**
 * ss_tls_leg_serve() - Prepare the handshake with a client.
 * @leg: the leg
 * @legs: what all share
 * @versions: SS_TLS_LEG_TLS*
 * @ciphers: SS_TLS_LEG_AES128, SS_TLS_LEG_STRONG
 * @creds: what to show; must live as long as the leg
 * @alpn: the client has named "smtp"
 *
 * Return: 0 or a GnuTLS error.
 */
int ss_tls_leg_serve(struct ss_tls_leg *leg, const struct ss_legs *legs, unsigned int versions,
		     unsigned int ciphers, struct ss_creds *creds, bool alpn);

/**
 * ss_tls_leg_handshake() - Go on with a handshake, as far as it goes.
 * @leg: the leg
 *
 * Return: 0 when it is done, GNUTLS_E_AGAIN where something new has to happen to
 * the socket, or another GnuTLS error.
 */
int ss_tls_leg_handshake(struct ss_tls_leg *leg);

/**
 * ss_tls_leg_version() - The version of a leg that has agreed on one.
 * @leg: the leg
 *
 * Return: SS_TLS_LEG_TLS12 or SS_TLS_LEG_TLS13.
 */
unsigned int ss_tls_leg_version(const struct ss_tls_leg *leg);

/**
 * ss_tls_leg_cipher() - The strength of a leg that is done.
 * @leg: the leg
 *
 * Return: SS_TLS_LEG_AES128 or SS_TLS_LEG_STRONG.
 */
unsigned int ss_tls_leg_cipher(const struct ss_tls_leg *leg);

/**
 * ss_tls_leg_listen() - Hear whether a server takes our last flight of TLS 1.3, of which
 * it says nothing in the handshake.
 * @leg: a leg that is done; of what it sends, only what can be an alert is read
 *
 * Return: 0 where it goes on, GNUTLS_E_AGAIN where it has said nothing so far, or
 * another GnuTLS error where it does not.
 */
int ss_tls_leg_listen(struct ss_tls_leg *leg);

/**
 * ss_tls_leg_cause() - Why a handshake failed.
 * @leg: the leg
 * @error: what ss_tls_leg_handshake() said
 * @peer: the cause where the peer ended it: CLIENT or SERVER
 *
 * Return: the cause.
 */
enum smtpsplice_tls_cause ss_tls_leg_cause(const struct ss_tls_leg *leg, int error,
					   enum smtpsplice_tls_cause peer);

/**
 * ss_tls_leg_explain() - Why a handshake failed, in words.
 * @leg: the leg
 * @error: what ss_tls_leg_handshake() said
 * @text: where to
 * @size: room at @text
 */
void ss_tls_leg_explain(const struct ss_tls_leg *leg, int error, char *text, size_t size);

/**
 * ss_tls_leg_error_alert() - What to tell a peer whose handshake failed.
 * @error: what ss_tls_leg_handshake() said
 *
 * Return: the alert, or SS_TLS_LEG_NO_ALERT where the peer knows or is gone.
 */
int ss_tls_leg_error_alert(int error);

/**
 * ss_tls_leg_is_ready() - Whether the kernel can take over.
 * @leg: a leg that is done
 *
 * Return: whether GnuTLS has read nothing that it holds back, and the peer takes
 * records as the kernel makes them.
 */
bool ss_tls_leg_is_ready(const struct ss_tls_leg *leg);

/**
 * ss_tls_leg_alert() - Tell a peer that this is the end.
 * @leg: the leg
 * @alert: why; GNUTLS_A_CLOSE_NOTIFY is none of the peer's doing
 *
 * Sends the alert if there is room for it in the socket.
 */
void ss_tls_leg_alert(struct ss_tls_leg *leg, int alert);

/**
 * ss_tls_leg_hang_up() - End the connection.
 * @leg: the leg; its socket is still open
 *
 * Throws away what has come first: closing a socket with data in it resets
 * the connection, and the peer might not get to read the alert. So would what is
 * still to come, if we did not let the kernel read on.
 */
void ss_tls_leg_hang_up(struct ss_tls_leg *leg);

/**
 * ss_tls_leg_release() - Let go of the connection, which goes on without us.
 * @leg: the leg; its socket is still open
 */
void ss_tls_leg_release(struct ss_tls_leg *leg);

#endif /* SS_TLS_LEG_H */
