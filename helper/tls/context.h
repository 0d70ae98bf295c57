/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_CONTEXT_H
#define SS_TLS_CONTEXT_H

#include "common/ca.h"
#include "common/conf.h"
#include "tls/client_hello.h"
#include "tls/leg.h"
#include "tls/mint.h"
#include "tls/mtls_servers.h"
#include "tls/verify.h"

/**
 * struct ss_tls_context - What all handshakes share.
 * @ca: the gateway's CAs
 * @verify: what servers' certificates are checked against
 * @mint: where clients' certificates come from
 * @legs: what all legs share
 * @mtls_servers: servers that ask for the client's certificate
 * @mtls_optional: of those, the ones that do without it
 * @peeked: what was peeked at last
 */
struct ss_tls_context {
	struct ss_ca ca;
	struct ss_verify verify;
	struct ss_mint mint;
	struct ss_legs legs;
	struct ss_mtls_servers mtls_servers;
	struct ss_mtls_servers mtls_optional;
	uint8_t peeked[SS_CLIENT_HELLO_RAW];
};

/**
 * ss_tls_context_new() - Read and make what handshakes need.
 * @conf: the command line
 * @err: what is wrong, for people
 * @errlen: room at @err
 *
 * Return: the context, to be freed with ss_tls_context_free(), or NULL.
 */
struct ss_tls_context *ss_tls_context_new(const struct ss_conf *conf, char *err, size_t errlen);

/**
 * ss_tls_context_reload() - Read anew what is in files.
 * @ctx: what handshakes share; they may be under way
 * @conf: the command line
 * @err: what is wrong, for people
 * @errlen: room at @err
 *
 * All of it takes the place of what was, or nothing: of a file that is half there, or
 * of a new list to old CAs, nobody is to know.
 *
 * Return: 0, or an errno and nothing has changed.
 */
int ss_tls_context_reload(struct ss_tls_context *ctx, const struct ss_conf *conf, char *err,
			  size_t errlen);

/**
 * ss_tls_context_free() - Free what handshakes share; none may be left.
 * @ctx: the context, or NULL
 */
void ss_tls_context_free(struct ss_tls_context *ctx);

#endif /* SS_TLS_CONTEXT_H */
