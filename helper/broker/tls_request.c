// SPDX-License-Identifier: GPL-2.0
/*
 * A request for TLS handshakes as it comes from the kernel. What it asks for is
 * the tls process's to read; here is what names it, and what the log tells.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "broker/tls_request.h"
#include "lib/cleanup.h"
#include "lib/process.h"

static int read_one(struct ss_tls_request *hs, const struct nlattr *nla)
{
	switch (nla_type(nla)) {
	case SMTPSPLICE_A_HANDSHAKE_COOKIE:
		if (nla_len(nla) < (int)sizeof(hs->cookie))
			return -EPROTO;
		memcpy(&hs->cookie, nla_data(nla), sizeof(hs->cookie));
		return 0;
	case SMTPSPLICE_A_HANDSHAKE_TIMEOUT:
		if (nla_len(nla) < (int)sizeof(hs->timeout))
			return -EPROTO;
		hs->timeout = nla_get_u32(nla);
		return 0;
	default:
		return ss_flow_read(&hs->flow, SMTPSPLICE_A_HANDSHAKE_SESSION, nla);
	}
}

static int read_all(struct ss_tls_request *hs, struct nlattr *attrs, int len)
{
	struct nlattr *nla;
	int rem, ret = 0;

	nla_for_each_attr(nla, attrs, len, rem)
		if (!ret)
			ret = read_one(hs, nla);
	if (!ret && (!nla_find(attrs, len, SMTPSPLICE_A_HANDSHAKE_COOKIE) ||
		     hs->client_fd < 0 || hs->server_fd < 0 ||
		     sizeof(*hs->job) + len > SS_TLS_JOB_MAX))
		ret = -EPROTO;
	return ret;
}

static int make_job(struct ss_tls_request *hs, const struct nlattr *attrs, int len)
{
	hs->job_len = sizeof(*hs->job) + len;
	hs->job = malloc(hs->job_len);
	if (!hs->job)
		return -ENOMEM;
	hs->job->cookie = hs->cookie;
	memcpy(hs->job + 1, attrs, len);
	return 0;
}

int ss_tls_request_parse(struct ss_tls_request **out, struct nlattr *attrs, int len)
{
	int client = ss_flow_take_fd(attrs, len, SMTPSPLICE_A_HANDSHAKE_CLIENT_FD);
	int server = ss_flow_take_fd(attrs, len, SMTPSPLICE_A_HANDSHAKE_SERVER_FD);
	struct ss_tls_request *hs = calloc(1, sizeof(*hs));
	int ret;

	if (!hs) {
		ss_cleanup_fd(&client);
		ss_cleanup_fd(&server);
		return -ENOMEM;
	}
	hs->client_fd = client;
	hs->server_fd = server == client ? -1 : server;
	hs->timeout = SS_TLS_JOB_TIMEOUT_MS;
	hs->received = ss_process_now();
	ret = read_all(hs, attrs, len) ?: make_job(hs, attrs, len);
	if (ret) {
		ss_tls_request_free(hs);
		return ret;
	}
	*out = hs;
	return 0;
}

void ss_tls_request_sent(struct ss_tls_request *hs)
{
	ss_cleanup_fd(&hs->client_fd);
	ss_cleanup_fd(&hs->server_fd);
	free(hs->job);
	hs->job = NULL;
}

void ss_tls_request_free(struct ss_tls_request *hs)
{
	if (!hs)
		return;
	ss_tls_request_sent(hs);
	free(hs);
}
