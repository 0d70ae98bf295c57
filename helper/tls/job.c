// SPDX-License-Identifier: GPL-2.0
/*
 * A handshake request as it comes from the kernel, by way of the broker.
 */
#include <errno.h>
#include <string.h>

#include "proto/tls_msg.h"
#include "tls/job.h"

static int read_server(struct ss_job *job, const struct nlattr *nla)
{
	if (nla_len(nla) != 4 && nla_len(nla) != 16)
		return -EPROTO;
	job->server_size = nla_len(nla);
	memcpy(job->server, nla_data(nla), job->server_size);
	return 0;
}

static int read_one(struct ss_job *job, const struct nlattr *nla)
{
	switch (nla_type(nla)) {
	case SMTPSPLICE_A_HANDSHAKE_TIMEOUT:
		if (nla_len(nla) < (int)sizeof(uint32_t))
			return -EPROTO;
		job->timeout = nla_get_u32(nla);
		break;
	case SMTPSPLICE_A_HANDSHAKE_SERVER:
		return read_server(job, nla);
	case SMTPSPLICE_A_HANDSHAKE_SERVER_PORT:
		if (nla_len(nla) < (int)sizeof(uint16_t))
			return -EPROTO;
		job->server_port = nla_get_u16(nla);
		break;
	case SMTPSPLICE_A_HANDSHAKE_STARTTLS:
		job->starttls = true;
		break;
	case SMTPSPLICE_A_HANDSHAKE_TLS:
		return ss_tls_profile_parse(&job->profile, nla);
	}
	return 0;
}

int ss_job_parse(struct ss_job *job, const struct nlattr *attrs, int len)
{
	struct nlattr *nla;
	int rem;

	job->timeout = SS_TLS_JOB_TIMEOUT_MS;
	job->server_size = 0;
	job->server_port = 0;
	job->starttls = false;
	ss_tls_profile_default(&job->profile);
	nla_for_each_attr(nla, (struct nlattr *)attrs, len, rem) {
		int ret = read_one(job, nla);

		if (ret)
			return ret;
	}
	return rem ? -EPROTO : 0;
}
