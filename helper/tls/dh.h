/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_DH_H
#define SS_TLS_DH_H

#include <stdbool.h>

#include <gnutls/gnutls.h>

/**
 * ss_dh_is_bounded() - Look at the group that a server has chosen, before anything is
 * computed in it.
 * @session: the session with the server
 * @message: its ServerKeyExchange (RFC 5246 7.4.3), unread so far
 *
 * Return: true where there is no Diffie-Hellman over a finite field, or its modulus is
 * short enough to be looked at, or is one of RFC 7919, whose exponents are short.
 */
bool ss_dh_is_bounded(gnutls_session_t session, const gnutls_datum_t *message);

/**
 * ss_dh_is_sound() - Look at the group of a finished handshake.
 * @session: the session with the server
 *
 * Return: true where there was no Diffie-Hellman over a finite field, or its group
 * is one of RFC 7919 or that of a safe prime.
 */
bool ss_dh_is_sound(gnutls_session_t session);

#endif /* SS_TLS_DH_H */
