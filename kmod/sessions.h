/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SESSIONS_H
#define SS_SESSIONS_H

#include <linux/types.h>

struct netlink_callback;
struct sk_buff;
struct socket;
struct ss_net;
struct ss_policy;
struct ss_session;

/**
 * ss_sessions_start() - make a session of an accepted connection
 * @policy: the policy that picked it
 * @sock: the client's socket, owned by the callee in any case
 *
 * A client for whom there is no room is told so. Context: process.
 */
void ss_sessions_start(struct ss_policy *policy, struct socket *sock);

/**
 * ss_sessions_free_port() - a port for a session's connection to the server
 * @s: the session
 *
 * Conntrack knows a session's two connections apart by the client's port: no
 * client port of a living session may be the port of another one's server leg.
 *
 * Return: the port, or 0 where none was found.
 */
__be16 ss_sessions_free_port(const struct ss_session *s);

/**
 * ss_sessions_flush() - end all sessions and wait for it
 * @sn: the namespace, which gets no new ones
 *
 * Context: process, sleeps.
 */
void ss_sessions_flush(struct ss_net *sn);

/**
 * ss_sessions_dump() - list the sessions in a netlink dump
 * @sn: the namespace
 * @skb: message to fill
 * @cb: the dump
 *
 * Return: length filled, 0 at the end, or -errno.
 */
int ss_sessions_dump(struct ss_net *sn, struct sk_buff *skb,
		     struct netlink_callback *cb);

#endif /* SS_SESSIONS_H */
