// SPDX-License-Identifier: GPL-2.0
/*
 * Address prefixes of policies and profiles.
 */
#include <linux/inetdevice.h>
#include <net/ipv6.h>
#include <net/netlink.h>

#include "addr.h"
#include "netlink-gen.h"
#include "prefix.h"

static bool prefix_match(const struct ss_prefix *p, const struct ss_addr *a)
{
	if (p->family != a->family)
		return false;
	if (p->family == AF_INET)
		return !((p->ip.s6_addr32[0] ^ a->ip.v4) &
			 inet_make_mask(p->len));
	return ipv6_prefix_equal(&p->ip, &a->ip.v6, p->len);
}

bool ss_prefix_match_any(const struct ss_prefix *p, u32 count,
			 const struct ss_addr *a)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (prefix_match(&p[i], a))
			return true;
	}
	return !count;
}

static bool has_host_bits(const struct ss_prefix *p)
{
	struct in6_addr net;

	if (p->family == AF_INET)
		return p->ip.s6_addr32[0] & ~inet_make_mask(p->len);
	ipv6_addr_prefix(&net, &p->ip, p->len);
	return !ipv6_addr_equal(&net, &p->ip);
}

int ss_prefix_parse(struct ss_prefix *p, const struct nlattr *nest,
		    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[SMTPSPLICE_A_PREFIX_MAX + 1];
	int err, len;

	err = nla_parse_nested(tb, SMTPSPLICE_A_PREFIX_MAX, nest,
			       smtpsplice_prefix_nl_policy, extack);
	if (err)
		return err;
	if (!tb[SMTPSPLICE_A_PREFIX_ADDR] || !tb[SMTPSPLICE_A_PREFIX_LEN]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "prefix lacks address or length");
		return -EINVAL;
	}
	len = nla_len(tb[SMTPSPLICE_A_PREFIX_ADDR]);
	if (len != 4 && len != 16) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "address is neither IPv4 nor IPv6");
		return -EINVAL;
	}
	p->family = len == 4 ? AF_INET : AF_INET6;
	nla_memcpy(&p->ip, tb[SMTPSPLICE_A_PREFIX_ADDR], sizeof(p->ip));
	p->len = nla_get_u8(tb[SMTPSPLICE_A_PREFIX_LEN]);
	if (p->len > len * 8) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "prefix is longer than its address");
		return -EINVAL;
	}
	if (has_host_bits(p)) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "prefix has host bits set");
		return -EINVAL;
	}
	return 0;
}

int ss_prefix_put(struct sk_buff *skb, int attr, const struct ss_prefix *p,
		  u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		struct nlattr *nest = nla_nest_start(skb, attr);

		if (!nest ||
		    nla_put(skb, SMTPSPLICE_A_PREFIX_ADDR,
			    p[i].family == AF_INET ? 4 : 16, &p[i].ip) ||
		    nla_put_u8(skb, SMTPSPLICE_A_PREFIX_LEN, p[i].len))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}
