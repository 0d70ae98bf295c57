/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_PROFILE_H
#define SS_PROFILE_H

#include <linux/types.h>
#include <linux/smtpsplice.h>

#include "net.h"
#include "profile-class.h"

struct genl_info;
struct netlink_callback;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;
struct ss_net;

/* Limit of the bytes of a profile's attributes: a dump's message is to hold one. */
#define SS_PROFILE_SIZE_MAX	8192

/**
 * ss_profile_init() - make the profiles "default"
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
 * @class: the class of the profile
 * @info: the request; its extack says what is wrong
 *
 * Context of this and the following: process. Return: 0, -EINVAL, -EEXIST,
 * -EMSGSIZE (too large) or -ENOMEM.
 */
int ss_profile_add(struct ss_net *sn, enum ss_profile_class class,
		   struct genl_info *info);

/**
 * ss_profile_set() - replace a profile, for sessions to come
 * @sn: the namespace
 * @class: the class of the profile
 * @info: the request
 * @rebind: makes policies that name the old one name the new one; called under
 *	ss_net.lock
 *
 * Return: 0, -EINVAL, -ENOENT, -EMSGSIZE or -ENOMEM.
 */
int ss_profile_set(struct ss_net *sn, enum ss_profile_class class,
		   struct genl_info *info,
		   void (*rebind)(struct ss_net *sn, struct ss_profile *old,
				  struct ss_profile *new));

/**
 * ss_profile_del() - delete the profile that a netlink request names
 * @sn: the namespace
 * @class: the class of the profile
 * @info: the request
 *
 * Return: 0, -EINVAL, -ENOENT, or -EBUSY where a policy names it or it is
 * "default".
 */
int ss_profile_del(struct ss_net *sn, enum ss_profile_class class,
		   struct genl_info *info);

/**
 * ss_profile_dump() - list the profiles in a netlink dump
 * @sn: the namespace
 * @class: class of the profiles
 * @skb: message to fill
 * @cb: the dump
 *
 * Return: length filled, 0 at the end, or -errno.
 */
int ss_profile_dump(struct ss_net *sn, enum ss_profile_class class,
		    struct sk_buff *skb, struct netlink_callback *cb);

/**
 * ss_profile_find() - find a profile by name
 * @sn: the namespace
 * @class: the class
 * @name: the name
 *
 * Context: under ss_net.lock. Return: the profile, without a reference, or NULL.
 */
struct ss_profile *ss_profile_find(struct ss_net *sn,
				   enum ss_profile_class class,
				   const char *name);

/**
 * ss_profile_need() - find the profile that the attribute of a request names
 * @sn: the namespace
 * @class: the class
 * @attr: the attribute, a string, or NULL for "default"
 * @extack: told where there is none
 *
 * Context: under ss_net.lock. Return: the profile, without a reference, or
 * ERR_PTR(-ENOENT).
 */
struct ss_profile *ss_profile_need(struct ss_net *sn,
				   enum ss_profile_class class,
				   const struct nlattr *attr,
				   struct netlink_ext_ack *extack);

/**
 * ss_profile_fill() - put all options of a profile into a message
 * @p: the profile
 * @skb: the message
 * @attr: the attribute that they become
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
