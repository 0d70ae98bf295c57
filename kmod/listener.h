/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LISTENER_H
#define SS_LISTENER_H

#include <linux/types.h>

struct sock;
struct ss_listener;
struct ss_net;
struct ss_policy;

/**
 * ss_listener_open() - make a transparent listening socket for a policy
 * @sn: the namespace
 * @owner: the policy, which outlives the listener
 * @family: AF_INET or AF_INET6
 *
 * The socket is bound to the loopback address and a free port, so it is in
 * nobody's way; connection requests for any address and port are handed to it
 * by steer.c. Accepted connections go to ss_net.accept().
 *
 * Context: process. Return: the listener or an ERR_PTR().
 */
struct ss_listener *ss_listener_open(struct ss_net *sn, struct ss_policy *owner,
				     sa_family_t family);

/**
 * ss_listener_close() - close it; connections not yet accepted are reset
 * @l: the listener, or NULL; no new packet can be steered to it any more
 *
 * Context: process, sleeps for a grace period.
 */
void ss_listener_close(struct ss_listener *l);

/**
 * ss_listener_sock() - get the socket that connection requests go to
 * @l: the listener, or NULL
 *
 * Context: under RCU. Return: the socket, without a reference, or NULL.
 */
struct sock *ss_listener_sock(const struct ss_listener *l);

#endif /* SS_LISTENER_H */
