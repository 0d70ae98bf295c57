// SPDX-License-Identifier: GPL-2.0
/*
 * Things that the commands of the generic netlink family have in common: replies,
 * dumps, names. None of the objects is known here.
 */
#include <net/genetlink.h>
#include <net/sock.h>

#include "netlink-gen.h"
#include "netlink-msg.h"

int ss_netlink_reply(struct genl_info *info, u8 cmd,
		     int (*fill)(struct ss_net *sn, struct sk_buff *skb))
{
	struct ss_net *sn = ss_netlink_net(info);
	struct sk_buff *skb;
	void *hdr;
	int err;

	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &smtpsplice_nl_family, 0, cmd);
	err = hdr ? fill(sn, skb) : -EMSGSIZE;
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

void *ss_netlink_dump_begin(struct sk_buff *skb, struct netlink_callback *cb,
			    u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &smtpsplice_nl_family,
				NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

int ss_netlink_dump_put(struct sk_buff *skb, void *hdr, int err)
{
	if (!hdr)
		return -EMSGSIZE;
	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return err;
}

int ss_netlink_dump_end(const struct sk_buff *skb, int err)
{
	if (err == -EMSGSIZE && skb->len)
		return skb->len;
	return err ?: skb->len;
}

int ss_netlink_put_each(struct sk_buff *skb, const struct nlattr *attr,
			u32 *count, u32 most, struct netlink_ext_ack *extack)
{
	if (++*count > most) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "too many of these");
		return -EINVAL;
	}
	return nla_put(skb, nla_type(attr), nla_len(attr), nla_data(attr));
}

bool ss_netlink_name_ok(const char *name)
{
	if (!*name)
		return false;
	for (; *name; name++) {
		if (*name <= ' ' || *name > '~' || strchr("\"/", *name))
			return false;
	}
	return true;
}

int ss_netlink_get_name(struct genl_info *info, int attr, const char *what,
			char *name)
{
	if (GENL_REQ_ATTR_CHECK(info, attr))
		return -EINVAL;
	nla_strscpy(name, info->attrs[attr], SMTPSPLICE_NAME_MAX + 1);
	if (!ss_netlink_name_ok(name)) {
		GENL_SET_ERR_MSG_FMT(info,
				     "%s name must be printable ASCII without blanks, '\"' and '/'",
				     what);
		return -EINVAL;
	}
	return 0;
}
