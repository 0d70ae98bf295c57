/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_POLICY_H
#define SS_POLICY_H

#include <linux/if.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/smtpsplice.h>

#include "prefix.h"
#include "profile.h"

struct genl_info;
struct net_device;
struct netlink_callback;
struct sk_buff;
struct sock;
struct ss_addr;
struct ss_listener;
struct ss_net;

/**
 * struct ss_policy - picks flows
 * @node: link in ss_net.policies
 * @rcu: frees it
 * @users: references: 1 for the list and 1 a session
 * @sn: the namespace
 * @name: unique there
 * @iif: input interface by name, "" for any: it may come and go
 * @mode: enum smtpsplice_mode
 * @profiles: profiles by class, each with a reference; NULL for TLS where it has
 *	none; written under ss_net.lock, read under RCU
 * @sessions: sessions it has picked
 * @messages: messages received in those
 * @listeners: the sockets its connection requests go to, IPv4 and IPv6
 * @src_count: length of @src, 0 for any source
 * @dst_count: length of @dst, 0 for any destination
 * @port_count: length of @ports
 * @src: source prefixes
 * @dst: destination prefixes
 * @ports: destination ports, host byte order
 *
 * But for @profiles it does not change once it is in the list.
 */
struct ss_policy {
	struct list_head node;
	struct rcu_head rcu;
	refcount_t users;
	struct ss_net *sn;
	char name[SMTPSPLICE_NAME_MAX + 1];
	char iif[IFNAMSIZ];
	u32 mode;
	struct ss_profile __rcu *profiles[SS_PROFILE_CLASSES];
	atomic64_t sessions;
	atomic64_t messages;
	struct ss_listener *listeners[2];
	u32 src_count;
	u32 dst_count;
	u32 port_count;
	struct ss_prefix src[SMTPSPLICE_PREFIX_MAX];
	struct ss_prefix dst[SMTPSPLICE_PREFIX_MAX];
	u16 ports[SMTPSPLICE_PREFIX_MAX];
};

/**
 * ss_policy_match() - find the first policy that picks a flow
 * @sn: the namespace
 * @dev: interface on which it came in
 * @src: address it comes from
 * @dst: address it goes to
 *
 * Context: any, under RCU. Return: the policy, without a reference, or NULL.
 */
struct ss_policy *ss_policy_match(struct ss_net *sn,
				  const struct net_device *dev,
				  const struct ss_addr *src,
				  const struct ss_addr *dst);

/**
 * ss_policy_off() - does a policy leave flows to a port alone?
 * @p: the policy
 * @port: the port
 *
 * Context: any, under RCU.
 */
bool ss_policy_off(const struct ss_policy *p, u16 port);

/**
 * ss_policy_listener() - get the socket that a policy's connection requests go to
 * @p: the policy
 * @family: AF_INET or AF_INET6
 *
 * Context: any, under RCU. Return: the socket, without a reference, or NULL.
 */
struct sock *ss_policy_listener(const struct ss_policy *p, sa_family_t family);

/**
 * ss_policy_add() - add the policy that a netlink request describes
 * @sn: the namespace
 * @info: the request; its extack says what is wrong
 * @start: begins to steer flows, where that has not begun, under ss_net.lock
 *
 * Context: process. Return: 0, -EINVAL, -EEXIST, -ENOENT (no such profile),
 * -ENODEV, -ENOMEM, or an error of opening the listeners or of @start.
 */
int ss_policy_add(struct ss_net *sn, struct genl_info *info,
		  int (*start)(struct ss_net *sn));

/**
 * ss_policy_del() - delete the policy that a netlink request names
 * @sn: the namespace
 * @info: the request
 *
 * Context: process. Return: 0, -EINVAL or -ENOENT.
 */
int ss_policy_del(struct ss_net *sn, struct genl_info *info);

/**
 * ss_policy_flush() - delete all policies
 * @sn: the namespace
 *
 * Context: process, may sleep.
 */
void ss_policy_flush(struct ss_net *sn);

/**
 * ss_policy_dump() - list the policies in a netlink dump
 * @sn: the namespace
 * @skb: message to fill
 * @cb: the dump
 *
 * Return: length filled, 0 at the end, or -errno.
 */
int ss_policy_dump(struct ss_net *sn, struct sk_buff *skb,
		   struct netlink_callback *cb);

/**
 * ss_policy_rebind() - bind policies to the profile that replaces another one
 * @sn: the namespace
 * @old: the profile that policies name so far
 * @new: the one that they will name, of the same class
 *
 * Context: process, under ss_net.lock.
 */
void ss_policy_rebind(struct ss_net *sn, struct ss_profile *old,
		      struct ss_profile *new);

/**
 * ss_policy_profile() - get a profile of a policy, for a session
 * @p: the policy
 * @class: class of the profile
 *
 * Return: the profile with a reference, or NULL.
 */
struct ss_profile *ss_policy_profile(struct ss_policy *p,
				     enum ss_profile_class class);

/**
 * ss_policy_hold() - take a reference
 * @p: the policy, which the caller knows to be alive
 */
void ss_policy_hold(struct ss_policy *p);

/**
 * ss_policy_put() - give a reference back
 * @p: the policy
 */
void ss_policy_put(struct ss_policy *p);

#endif /* SS_POLICY_H */
