/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SHARE_H
#define SS_SHARE_H

#include <linux/list.h>
#include <linux/socket.h>
#include <linux/types.h>

#include "answer.h"

struct ss_addr;
struct ss_net;

/**
 * struct ss_request_count - requests of one kind
 * @asked: requests that wait for a helper or that one has
 * @taken: requests that a helper has
 */
struct ss_request_count {
	u32 asked;
	u32 taken;
};

/**
 * struct ss_share - one client's share of the budgets of a namespace
 * @node: link in ss_net.shares
 * @users: references of sessions and held messages, covered by ss_net.shares_lock
 * @family: AF_INET or AF_INET6
 * @prefix: IPv4 address or IPv6 /64 of the client
 * @sessions: number of sessions, covered by ss_net.sessions_lock
 * @held: bytes held in messages
 * @requests: numbers of requests, by kind, covered by ss_net.request_lock
 */
struct ss_share {
	struct hlist_node node;
	u32 users;
	sa_family_t family;
	__be32 prefix[2];
	u32 sessions;
	atomic64_t held;
	struct ss_request_count requests[SS_REQUEST_KINDS];
};

/**
 * ss_share_init() - make the table of a namespace
 * @sn: the namespace
 */
void ss_share_init(struct ss_net *sn);

/**
 * ss_share_get() - find or make the share of a client
 * @sn: the namespace
 * @client: its address
 *
 * Context: process. Return: the share, with a reference, or NULL without memory.
 */
struct ss_share *ss_share_get(struct ss_net *sn, const struct ss_addr *client);

/**
 * ss_share_hold() - take another reference
 * @sn: the namespace
 * @share: the share, to which the caller has one
 *
 * Context: any, without ss_net.shares_lock.
 */
void ss_share_hold(struct ss_net *sn, struct ss_share *share);

/**
 * ss_share_put() - give a reference back
 * @sn: the namespace
 * @share: the share, or NULL
 *
 * Context: any, without ss_net.shares_lock.
 */
void ss_share_put(struct ss_net *sn, struct ss_share *share);

#endif /* SS_SHARE_H */
