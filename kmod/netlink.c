// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: checks, then calls the file that owns the thing.
 *
 * Who may do what: see uapi/smtpsplice.yaml. GENL_ADMIN_PERM asks for
 * CAP_NET_ADMIN in the initial user namespace, on purpose: a user namespace is
 * no reason to reach this code. Taking and answering requests asks for no
 * capability but for the registered port, so that the helper can drop its own.
 */
#include <net/genetlink.h>
#include <net/sock.h>

#include "events.h"
#include "helper.h"
#include "net.h"
#include "netlink-gen.h"
#include "netlink-msg.h"
#include "netlink.h"
#include "policy.h"
#include "profile.h"
#include "session-table.h"
#include "stats.h"
#include "steer.h"

/* The generator knows no flags: only who may administrate may listen. */
static const struct genl_multicast_group groups[] = {
	[SMTPSPLICE_NLGRP_WORK] = {
		.name = SMTPSPLICE_MCGRP_WORK,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
	[SMTPSPLICE_NLGRP_EVENTS] = {
		.name = SMTPSPLICE_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

int smtpsplice_nl_register_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, SMTPSPLICE_A_HELPER_ROLES))
		return -EINVAL;
	return ss_helper_register(ss_netlink_net(info),
				  nla_get_u32(info->attrs[SMTPSPLICE_A_HELPER_ROLES]),
				  NETLINK_CB(skb).sk, info);
}

/* The first message of a dump is to hold the largest profile. */
static int profile_get_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = SS_PROFILE_SIZE_MAX + 1024;
	return 0;
}

int smtpsplice_nl_tls_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_profile_add(ss_netlink_net(info), SS_PROFILE_TLS, info);
}

int smtpsplice_nl_tls_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_profile_set(ss_netlink_net(info), SS_PROFILE_TLS, info,
			      ss_policy_rebind);
}

int smtpsplice_nl_tls_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_profile_del(ss_netlink_net(info), SS_PROFILE_TLS, info);
}

int smtpsplice_nl_tls_get_start(struct netlink_callback *cb)
{
	return profile_get_start(cb);
}

int smtpsplice_nl_tls_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	return ss_profile_dump(ss_net_get(sock_net(cb->skb->sk)),
			       SS_PROFILE_TLS, skb, cb);
}

int smtpsplice_nl_av_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_profile_add(ss_netlink_net(info), SS_PROFILE_AV, info);
}

int smtpsplice_nl_av_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_profile_set(ss_netlink_net(info), SS_PROFILE_AV, info,
			      ss_policy_rebind);
}

int smtpsplice_nl_av_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_profile_del(ss_netlink_net(info), SS_PROFILE_AV, info);
}

int smtpsplice_nl_av_get_start(struct netlink_callback *cb)
{
	return profile_get_start(cb);
}

int smtpsplice_nl_av_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	return ss_profile_dump(ss_net_get(sock_net(cb->skb->sk)),
			       SS_PROFILE_AV, skb, cb);
}

int smtpsplice_nl_policy_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_policy_add(ss_netlink_net(info), info, ss_steer_start);
}

int smtpsplice_nl_policy_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_policy_del(ss_netlink_net(info), info);
}

int smtpsplice_nl_policy_get_dumpit(struct sk_buff *skb,
				    struct netlink_callback *cb)
{
	return ss_policy_dump(ss_net_get(sock_net(cb->skb->sk)), skb, cb);
}

int smtpsplice_nl_session_get_dumpit(struct sk_buff *skb,
				     struct netlink_callback *cb)
{
	return ss_session_table_dump(ss_net_get(sock_net(cb->skb->sk)), skb,
				     cb);
}

int smtpsplice_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_netlink_reply(info, SMTPSPLICE_CMD_STATS_GET, ss_stats_fill);
}

int __init ss_netlink_init(void)
{
	int err;

	smtpsplice_nl_family.mcgrps = groups;
	err = genl_register_family(&smtpsplice_nl_family);
	ss_event_registered(!err);
	return err;
}

void ss_netlink_exit(void)
{
	ss_event_registered(false);
	genl_unregister_family(&smtpsplice_nl_family);
}
