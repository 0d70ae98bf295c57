/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_NETLINK_MSG_H
#define SS_NETLINK_MSG_H

#include <linux/types.h>
#include <net/genetlink.h>

#include "net.h"

struct netlink_callback;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;

/**
 * ss_netlink_net() - find the namespace of a request
 * @info: the request
 *
 * Return: the state of the namespace, which stays as long as the request runs.
 */
static inline struct ss_net *ss_netlink_net(struct genl_info *info)
{
	return ss_net_get(genl_info_net(info));
}

/**
 * ss_netlink_reply() - reply to a request
 * @info: the request
 * @cmd: command of the reply
 * @fill: puts into the reply what it is to say
 *
 * Context: process. Return: 0 or -errno.
 */
int ss_netlink_reply(struct genl_info *info, u8 cmd,
		     int (*fill)(struct ss_net *sn, struct sk_buff *skb));

/**
 * ss_netlink_dump_begin() - begin the message of one object of a dump
 * @skb: the dump's part
 * @cb: the dump; its seq has been set
 * @cmd: command of the message
 *
 * Context of this and the following two: any.
 *
 * Return: the message, for ss_netlink_dump_put(); NULL if it does not fit.
 */
void *ss_netlink_dump_begin(struct sk_buff *skb, struct netlink_callback *cb,
			    u8 cmd);

/**
 * ss_netlink_dump_put() - end the message, or take it back
 * @skb: the dump's part
 * @hdr: the message, or NULL
 * @err: 0 if the object is in it, else -errno
 *
 * Return: 0 or -errno, which ends this part.
 */
int ss_netlink_dump_put(struct sk_buff *skb, void *hdr, int err);

/**
 * ss_netlink_dump_end() - end the dump's part
 * @skb: the part
 * @err: error of the last message, or 0; -EMSGSIZE if more are to come in another part
 *
 * Return: the value that dumpit() returns.
 */
int ss_netlink_dump_end(const struct sk_buff *skb, int err);

/**
 * ss_netlink_put_each() - put an attribute that may be given more than once
 * @skb: the message
 * @attr: the attribute
 * @count: number of those of its type that were put; grows by one
 * @most: limit of that number
 * @extack: told where there are more
 *
 * Return: 0, -EINVAL or -EMSGSIZE.
 */
int ss_netlink_put_each(struct sk_buff *skb, const struct nlattr *attr,
			u32 *count, u32 most, struct netlink_ext_ack *extack);

/**
 * ss_netlink_name_ok() - may an object of ours be named so?
 * @name: the name
 */
bool ss_netlink_name_ok(const char *name);

/**
 * ss_netlink_get_name() - read the name of an object from a request
 * @info: the request; its extack says what is wrong
 * @attr: the attribute
 * @what: word for the object in messages
 * @name: gets it, %SMTPSPLICE_NAME_MAX characters at most
 *
 * Return: 0 or -EINVAL.
 */
int ss_netlink_get_name(struct genl_info *info, int attr, const char *what,
			char *name);

#endif /* SS_NETLINK_MSG_H */
