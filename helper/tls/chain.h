/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_CHAIN_H
#define SS_TLS_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/x509.h>

/* Certificates that a server may send */
#define SS_CHAIN_MAX	10

/* Octets of a message in a handshake with a server, as OpenSSL's for certificates */
#define SS_CHAIN_OCTETS	(100 << 10)

/**
 * ss_chain_check_message() - Look at the certificates that a server sends.
 * @message: the message Certificate (RFC 5246 7.4.2, RFC 8446 4.4.2), unread so far
 * @tls13: it is of TLS 1.3
 *
 * Return: why it cannot be read, or NULL. What is no such message at all, GnuTLS finds.
 */
const char *ss_chain_check_message(const gnutls_datum_t *message, bool tls13);

/**
 * ss_chain_check_keys() - Look at the keys of certificates.
 * @chain: the certificates
 * @count: how many
 *
 * Return: why they cannot be used to verify anything, or NULL.
 */
const char *ss_chain_check_keys(gnutls_x509_crt_t *chain, unsigned int count);

/**
 * ss_chain_is_plain() - Look for whether something in DER is quick to read.
 * @der: it
 *
 * Return: whether it has no more elements than a chain may have.
 */
bool ss_chain_is_plain(const gnutls_datum_t *der);

#endif /* SS_TLS_CHAIN_H */
