/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_TLS_REQUEST_H
#define SS_BROKER_TLS_REQUEST_H

#include <stdint.h>

#include <netlink/attr.h>

#include "broker/flow.h"
#include "proto/tls_msg.h"

/**
 * struct ss_handshake - A pair of handshakes that the kernel wants done.
 * @next: in a list of the owner's
 * @cookie: names it in the result
 * @client_fd: socket of the client, or -1
 * @server_fd: socket of the server, or -1
 * @timeout: milliseconds left when it was handed out
 * @received: when it was handed out, see ss_process_now()
 * @flow: the session
 * @job: what the tls process is sent, allocated; NULL once it was
 * @job_len: octets of @job
 */
struct ss_handshake {
	struct ss_handshake *next;
	uint64_t cookie;
	int client_fd;
	int server_fd;
	uint32_t timeout;
	uint64_t received;
	struct ss_flow flow;
	struct ss_tls_job *job;
	size_t job_len;
};

int ss_handshake_parse(struct ss_handshake **out, struct nlattr *attrs, int len);
void ss_handshake_sent(struct ss_handshake *hs);
void ss_handshake_free(struct ss_handshake *hs);

#endif /* SS_BROKER_TLS_REQUEST_H */
