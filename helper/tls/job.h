/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_JOB_H
#define SS_TLS_JOB_H

#include <netlink/attr.h>

#include "tls/tls_profile.h"

/**
 * struct ss_job - A pair of handshakes that the kernel wants done.
 * @cookie: names it in the result
 * @timeout: milliseconds left when it was handed out
 * @server: address of the server in network byte order
 * @server_size: its size, 4 or 16; 0 where it is not known
 * @server_port: its port
 * @starttls: a STARTTLS came before; else the connection begins with TLS
 * @profile: what the policy's TLS profile says
 */
struct ss_job {
	uint64_t cookie;
	uint32_t timeout;
	uint8_t server[16];
	uint8_t server_size;
	uint16_t server_port;
	bool starttls;
	struct ss_tls_profile profile;
};

/**
 * ss_job_parse() - Read the answer to a handshake-accept.
 * @job: where to; all but the cookie is set
 * @attrs: the first attribute
 * @len: bytes of attributes
 *
 * Return: 0 or -EPROTO.
 */
int ss_job_parse(struct ss_job *job, const struct nlattr *attrs, int len);

#endif /* SS_TLS_JOB_H */
