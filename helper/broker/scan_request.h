/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_SCAN_REQUEST_H
#define SS_BROKER_SCAN_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <netlink/attr.h>
#include <linux/smtpsplice.h>

#include "broker/flow.h"

/* Cleaning makes no text longer */
#define SS_SCAN_REQUEST_ADDRESS_SIZE	(SMTPSPLICE_ADDRESS_MAX + 1)

/**
 * struct ss_scan_request - A message that the kernel wants a verdict on. All strings
 * are valid UTF-8 without NUL; peers chose what is in helo, sender and rcpts.
 * @cookie: names it in the verdict
 * @fd: the message
 * @size: its length in bytes
 * @timeout: milliseconds left when it was handed out
 * @attempt: how often it was handed out
 * @received: when it was handed out, see ss_process_now()
 * @flow: the session
 * @helo: what the client calls itself
 * @sender: reverse-path
 * @rcpts: forward-paths, comma-separated, allocated; NULL where there is none
 * @rcpt_list: the same, each with its NUL, and an empty one behind them
 * @rcpt_list_size: bytes of @rcpt_list without the empty one
 * @rcpt_count: how many the server accepted
 * @chunked: it came by BDAT (RFC 3030), not dot-stuffed
 * @splice: the server has most of it already
 * @tls: it came inside TLS
 * @av: attributes of the AV profile, allocated; NULL where there is none
 * @av_len: bytes of them
 */
struct ss_scan_request {
	uint64_t cookie;
	int fd;
	uint64_t size;
	uint32_t timeout;
	uint32_t attempt;
	uint64_t received;
	struct ss_flow flow;
	char helo[SS_SCAN_REQUEST_ADDRESS_SIZE];
	char sender[SS_SCAN_REQUEST_ADDRESS_SIZE];
	char *rcpts;
	char *rcpt_list;
	size_t rcpt_list_size;
	uint32_t rcpt_count;
	bool chunked;
	bool splice;
	bool tls;
	void *av;
	size_t av_len;
};

/**
 * ss_scan_request_parse() - Read the answer to a scan-accept.
 * @out: the request, to be freed with ss_scan_request_free()
 * @attrs: the first attribute
 * @len: bytes of attributes
 *
 * Return: 0, -ENOMEM or -EPROTO; the descriptor is closed then.
 */
int ss_scan_request_parse(struct ss_scan_request **out, struct nlattr *attrs, int len);

/**
 * ss_scan_request_free() - Free a request and close its message.
 * @req: the request, or NULL
 */
void ss_scan_request_free(struct ss_scan_request *req);

#endif /* SS_BROKER_SCAN_REQUEST_H */
