// SPDX-License-Identifier: GPL-2.0
/*
 * Shared by all handshakes of the tls process: the gateway's CAs, what servers'
 * certificates are checked against, and more. The former two come from files and can be
 * read anew; all else is made once. A single thread uses it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/context.h"

/* Read the files. @own: where the gateway's CAs will be when they are in service */
static int read_files(struct ss_ca *ca, struct ss_verify *verify, const struct ss_ca *own,
		      const struct ss_conf *conf, char *err, size_t errlen)
{
	int ret = ss_ca_load(ca, conf->ca_dir, err, errlen);

	return ret ?: ss_verify_init(verify, conf->trust, conf->crl, own, err, errlen);
}

static int init(struct ss_tls_context *ctx, const struct ss_conf *conf, char *err,
		size_t errlen)
{
	int ret = read_files(&ctx->ca, &ctx->verify, &ctx->ca, conf, err, errlen);

	if (ret)
		return ret;
	ret = ss_mint_init(&ctx->mint, &ctx->ca, conf->cert_dir);
	if (ret) {
		snprintf(err, errlen, "cannot make a key: %s", strerror(-ret));
		return ret;
	}
	ret = ss_legs_init(&ctx->legs);
	if (ret)
		snprintf(err, errlen, "GnuTLS: %s", gnutls_strerror(ret));
	return ret;
}

struct ss_tls_context *ss_tls_context_new(const struct ss_conf *conf, char *err, size_t errlen)
{
	struct ss_tls_context *ctx = calloc(1, sizeof(*ctx));

	if (!ctx) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	if (!init(ctx, conf, err, errlen))
		return ctx;
	ss_tls_context_free(ctx);
	return NULL;
}

int ss_tls_context_reload(struct ss_tls_context *ctx, const struct ss_conf *conf, char *err,
			  size_t errlen)
{
	struct ss_verify verify = {}, old_verify = ctx->verify;
	struct ss_ca ca = {}, old_ca = ctx->ca;
	int ret = read_files(&ca, &verify, &ctx->ca, conf, err, errlen);

	if (ret) {
		ss_verify_free(&verify);
		ss_ca_free(&ca);
		return ret;
	}
	ctx->ca = ca;
	ctx->verify = verify;
	/* Drop those of another CA; a handshake that shows one holds it as long as it needs */
	ss_creds_cache_clear(&ctx->mint.cache);
	ss_verify_free(&old_verify);
	ss_ca_free(&old_ca);
	return 0;
}

void ss_tls_context_free(struct ss_tls_context *ctx)
{
	if (!ctx)
		return;
	ss_legs_free(&ctx->legs);
	ss_mint_free(&ctx->mint);
	ss_verify_free(&ctx->verify);
	ss_ca_free(&ctx->ca);
	free(ctx);
}
