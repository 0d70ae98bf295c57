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

int ss_flow_read(struct ss_flow *flow, int first, const struct nlattr *nla);
int ss_flow_take_fd(struct nlattr *attrs, int len, int type);

#endif /* SS_BROKER_FLOW_H */
