/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_TLS_REQUEST_H
#define SS_BROKER_TLS_REQUEST_H

#include <stdint.h>

#include <netlink/attr.h>

#include "broker/flow.h"
#include "proto/tls_msg.h"

/**
 * struct ss_tls_request - A pair of handshakes that the kernel wants done.
 * @next: in a list of the owner's
 * @cookie: names it in the result
 * @client_fd: socket of the client, or -1
 * @server_fd: socket of the server, or -1
 * @timeout: milliseconds left when it was handed out
 * @received: when it was handed out, see ss_process_now()
 * @flow: the session
 * @job: what the tls process is sent, allocated; NULL once it was
 * @job_len: bytes of @job
 */
struct ss_tls_request {
	struct ss_tls_request *next;
	uint64_t cookie;
	int client_fd;
	int server_fd;
	uint32_t timeout;
	uint64_t received;
	struct ss_flow flow;
	struct ss_tls_job *job;
	size_t job_len;
};

/**
 * ss_tls_request_parse() - Read the answer to a handshake-accept.
 * @out: the request, to be freed with ss_tls_request_free()
 * @attrs: the first attribute
 * @len: bytes of attributes
 *
 * Return: 0, -ENOMEM or -EPROTO; the descriptors are closed then.
 */
int ss_tls_request_parse(struct ss_tls_request **out, struct nlattr *attrs, int len);

/**
 * ss_tls_request_sent() - Drop what only the tls process needs.
 * @hs: the request
 */
void ss_tls_request_sent(struct ss_tls_request *hs);

/**
 * ss_tls_request_free() - Free a request and close its sockets.
 * @hs: the request, or NULL
 */
void ss_tls_request_free(struct ss_tls_request *hs);

#endif /* SS_BROKER_TLS_REQUEST_H */
