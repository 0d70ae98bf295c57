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

const char *ss_chain_check_message(const gnutls_datum_t *message, bool tls13);
const char *ss_chain_check_keys(gnutls_x509_crt_t *chain, unsigned int count);
bool ss_chain_is_plain(const gnutls_datum_t *der);

#endif /* SS_TLS_CHAIN_H */
