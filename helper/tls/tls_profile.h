/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_TLS_PROFILE_H
#define SS_TLS_TLS_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include <netlink/attr.h>
#include <linux/smtpsplice.h>

#include "lib/addr.h"

/**
 * struct ss_tls_profile - A TLS profile, as far as it is about handshakes.
 * @expired: enum smtpsplice_tls_action, as are the next four
 * @revoked: the server's certificate was revoked
 * @untrusted: it is of no trusted CA
 * @validation_timeout: nobody knows whether it was revoked
 * @validation_failure: it is broken or weak
 * @sni_check: enum smtpsplice_sni_check
 * @version: enum smtpsplice_tls_support, as are the next two
 * @cipher: no cipher suite of ours
 * @negotiation: no ClientHello
 * @client_certificate: enum smtpsplice_client_certificate
 * @cert_mode: enum smtpsplice_cert_mode
 * @cert: name of the certificate for the mode replace; empty where there is none
 * @addresses: server prefixes to bypass
 * @address_count: how many
 * @names: server names to bypass
 * @name_count: how many
 * @regexes: regular expressions of server names to bypass
 * @regex_count: how many
 */
struct ss_tls_profile {
	uint32_t expired;
	uint32_t revoked;
	uint32_t untrusted;
	uint32_t validation_timeout;
	uint32_t validation_failure;
	uint32_t sni_check;
	uint32_t version;
	uint32_t cipher;
	uint32_t negotiation;
	uint32_t client_certificate;
	uint32_t cert_mode;
	char cert[SMTPSPLICE_NAME_MAX + 1];
	struct ss_prefix addresses[SMTPSPLICE_EXEMPT_MAX];
	unsigned int address_count;
	char names[SMTPSPLICE_EXEMPT_MAX][SMTPSPLICE_PATTERN_MAX + 1];
	unsigned int name_count;
	char regexes[SMTPSPLICE_EXEMPT_MAX][SMTPSPLICE_PATTERN_MAX + 1];
	unsigned int regex_count;
};

/**
 * ss_tls_profile_default() - A profile that says nothing.
 * @profile: gets the defaults named in uapi/smtpsplice.yaml
 */
void ss_tls_profile_default(struct ss_tls_profile *profile);

/**
 * ss_tls_profile_parse() - Read a profile.
 * @profile: where to; what @nest does not say, gets its default
 * @nest: attribute with a nested attribute set tls-profile, or NULL
 *
 * Return: 0 or -EPROTO.
 */
int ss_tls_profile_parse(struct ss_tls_profile *profile, const struct nlattr *nest);

/**
 * ss_tls_profile_exempts_address() - Look for a server's address.
 * @profile: the profile
 * @addr: the address in network byte order
 * @size: its size, 4 or 16
 *
 * Return: whether sessions with that server are to be bypassed.
 */
bool ss_tls_profile_exempts_address(const struct ss_tls_profile *profile,
				    const uint8_t *addr, size_t size);

/**
 * ss_tls_profile_exempts_name() - Look for a server's name.
 * @profile: the profile
 * @name: the name (SNI); an empty one is never exempt
 *
 * Return: whether sessions with that server are to be bypassed.
 */
bool ss_tls_profile_exempts_name(const struct ss_tls_profile *profile, const char *name);

#endif /* SS_TLS_TLS_PROFILE_H */
