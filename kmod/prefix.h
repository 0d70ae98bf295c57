/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_PREFIX_H
#define SS_PREFIX_H

#include <linux/in6.h>
#include <linux/types.h>

struct netlink_ext_ack;
struct nlattr;
struct sk_buff;
struct ss_addr;

/**
 * struct ss_prefix - an address prefix
 * @family: AF_INET or AF_INET6
 * @len: length in bits
 * @ip: the address, host bits zero
 */
struct ss_prefix {
	sa_family_t family;
	u8 len;
	struct in6_addr ip;
};

/**
 * ss_prefix_match_any() - does an address match one of some prefixes?
 * @p: the prefixes
 * @count: number of them; 0 matches any address
 * @a: the address
 */
bool ss_prefix_match_any(const struct ss_prefix *p, u32 count,
			 const struct ss_addr *a);

/**
 * ss_prefix_parse() - read a prefix from a netlink attribute
 * @p: set to the prefix
 * @nest: the attribute
 * @extack: told what is wrong
 *
 * Return: 0 or -EINVAL.
 */
int ss_prefix_parse(struct ss_prefix *p, const struct nlattr *nest,
		    struct netlink_ext_ack *extack);

/**
 * ss_prefix_put() - put prefixes into a netlink message
 * @skb: the message
 * @attr: type of the attribute that each becomes
 * @p: the prefixes
 * @count: number of them
 *
 * Return: 0 or -EMSGSIZE.
 */
int ss_prefix_put(struct sk_buff *skb, int attr, const struct ss_prefix *p,
		  u32 count);

#endif /* SS_PREFIX_H */
