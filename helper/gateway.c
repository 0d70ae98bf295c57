// SPDX-License-Identifier: GPL-2.0
/*
 * What the handshakes of the tls process share, read and made once. One thread
 * uses it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway.h"

static int init(struct ss_gateway *gw, const struct ss_conf *conf, char *err,
		size_t errlen)
{
	int ret = ss_ca_load(&gw->ca, conf->ca_dir, err, errlen);

	if (!ret)
		ret = ss_verify_init(&gw->verify, conf->trust, conf->crl, &gw->ca, err,
				     errlen);
	if (ret)
		return ret;
	ret = ss_mint_init(&gw->mint, &gw->ca, conf->cert_dir);
	if (ret) {
		snprintf(err, errlen, "cannot make a key: %s", strerror(-ret));
		return ret;
	}
	ret = ss_legs_init(&gw->legs);
	if (ret)
		snprintf(err, errlen, "GnuTLS: %s", gnutls_strerror(ret));
	return ret;
}

/**
 * ss_gateway_new() - Read and make what handshakes need.
 * @conf: the command line
 * @err: what is wrong, for people
 * @errlen: room at @err
 *
 * Return: it, to be freed with ss_gateway_free(), or NULL.
 */
struct ss_gateway *ss_gateway_new(const struct ss_conf *conf, char *err, size_t errlen)
{
	struct ss_gateway *gw = calloc(1, sizeof(*gw));

	if (!gw) {
		snprintf(err, errlen, "out of memory");
		return NULL;
	}
	if (!init(gw, conf, err, errlen))
		return gw;
	ss_gateway_free(gw);
	return NULL;
}

/**
 * ss_gateway_free() - Free what handshakes share; none may be left.
 * @gw: it, or NULL
 */
void ss_gateway_free(struct ss_gateway *gw)
{
	if (!gw)
		return;
	ss_legs_free(&gw->legs);
	ss_mint_free(&gw->mint);
	ss_verify_free(&gw->verify);
	ss_ca_free(&gw->ca);
	free(gw);
}
