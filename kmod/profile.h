/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_PROFILE_H
#define SS_PROFILE_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/smtpsplice.h>

struct genl_info;
struct netlink_callback;
struct sk_buff;
struct ss_net;

/* Most octets of attributes in a profile: a dump's message is to hold one. */
#define SS_PROFILE_SIZE_MAX	8192

/**
 * struct ss_profile - what is done with TLS
 * @node: in ss_net.profiles
 * @rcu: frees it
 * @users: 1 for the list, 1 a policy that names it and 1 a session
 * @name: unique in the namespace
 * @policies: how many policies name it, covered by ss_net.lock
 * @smtps: enum smtpsplice_tls_mode
 * @starttls: enum smtpsplice_starttls_mode
 * @port_count: length of @ports
 * @ports: ports that begin with TLS, host byte order
 * @len: octets of @said
 * @said: all of it as netlink attributes (set "tls-profile"): most of it is
 *	for the helper
 *
 * But for @policies it does not change: another one takes its place.
 */
struct ss_profile {
	struct list_head node;
	struct rcu_head rcu;
	refcount_t users;
	char name[SMTPSPLICE_NAME_MAX + 1];
	u32 policies;
	u32 smtps;
	u32 starttls;
	u32 port_count;
	u16 ports[SMTPSPLICE_PREFIX_MAX];
	u32 len;
	u8 said[] __aligned(4);
};

/**
 * ss_profile_init() - make the profile "default"
 * @sn: the namespace
 *
 * Return: 0 or -ENOMEM.
 */
int ss_profile_init(struct ss_net *sn);

/**
 * ss_profile_flush() - delete all profiles; no policy is left
 * @sn: the namespace
 */
void ss_profile_flush(struct ss_net *sn);

/**
 * ss_profile_add() - add the profile that a netlink request describes
 * @sn: the namespace
 * @info: the request; its extack says what is wrong
 *
 * Context of this and the following: process. Return: 0, -EINVAL, -EEXIST,
 * -EMSGSIZE (too large) or -ENOMEM.
 */
int ss_profile_add(struct ss_net *sn, struct genl_info *info);

/**
 * ss_profile_set() - replace a profile, for sessions to come
 * @sn: the namespace
 * @info: the request
 *
 * Return: 0, -EINVAL, -ENOENT, -EMSGSIZE or -ENOMEM.
 */
int ss_profile_set(struct ss_net *sn, struct genl_info *info);

/**
 * ss_profile_del() - delete the profile that a netlink request names
 * @sn: the namespace
 * @info: the request
 *
 * Return: 0, -EINVAL, -ENOENT, or -EBUSY where a policy names it or it is
 * "default".
 */
int ss_profile_del(struct ss_net *sn, struct genl_info *info);

/**
 * ss_profile_dump() - list the profiles in a netlink dump
 * @sn: the namespace
 * @skb: message to fill
 * @cb: the dump
 *
 * Return: length filled, 0 at the end, or -errno.
 */
int ss_profile_dump(struct ss_net *sn, struct sk_buff *skb,
		    struct netlink_callback *cb);

/**
 * ss_profile_find() - a profile by name
 * @sn: the namespace
 * @name: the name
 *
 * Context: under ss_net.lock. Return: the profile, without a reference, or NULL.
 */
struct ss_profile *ss_profile_find(struct ss_net *sn, const char *name);

/**
 * ss_profile_smtps() - does a connection to this port begin with TLS?
 * @p: the profile
 * @port: the port, host byte order
 */
bool ss_profile_smtps(const struct ss_profile *p, u16 port);

/**
 * ss_profile_fill() - put all that a profile says into a message
 * @p: the profile
 * @skb: the message
 * @attr: the attribute that it becomes
 *
 * Return: 0 or -EMSGSIZE.
 */
int ss_profile_fill(const struct ss_profile *p, struct sk_buff *skb, int attr);

/**
 * ss_profile_put() - give a reference back
 * @p: the profile, or NULL
 *
 * Context: any.
 */
void ss_profile_put(struct ss_profile *p);

#endif /* SS_PROFILE_H */
