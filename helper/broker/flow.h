/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_FLOW_H
#define SS_BROKER_FLOW_H

#include <stddef.h>
#include <stdint.h>

#include <netlink/attr.h>
#include <linux/smtpsplice.h>

#include "lib/addr.h"

/**
 * struct ss_flow - The session that some work is for. All strings are valid
 * UTF-8.
 * @session: id of the session
 * @policy: name of the policy
 * @iif: input interface
 * @client: address of the client
 * @client_port: its port
 * @server: address of the server
 * @server_port: its port
 */
struct ss_flow {
	uint64_t session;
	char policy[SMTPSPLICE_NAME_MAX + 1];
	char iif[SMTPSPLICE_IFNAME_MAX + 1];
	char client[SS_ADDR_SIZE];
	uint16_t client_port;
	char server[SS_ADDR_SIZE];
	uint16_t server_port;
};

/**
 * ss_flow_read() - Take an attribute if it is one that tells the session.
 * @flow: the session
 * @first: attribute of the session's id in this set
 * @nla: the attribute
 *
 * Return: 0, or -EPROTO where it is too short.
 */
int ss_flow_read(struct ss_flow *flow, int first, const struct nlattr *nla);

/**
 * ss_flow_take_fd() - Take a descriptor, whatever else is wrong with the work.
 * @attrs: the first attribute
 * @len: bytes of attributes
 * @type: the attribute of the descriptor
 *
 * Return: the descriptor, the caller's and closed on exec, or -1.
 */
int ss_flow_take_fd(struct nlattr *attrs, int len, int type);

#endif /* SS_BROKER_FLOW_H */
