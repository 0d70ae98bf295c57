/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	uapi/smtpsplice.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_SMTPSPLICE_GEN_H
#define _LINUX_SMTPSPLICE_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/smtpsplice.h>

/* Common nested types */
extern const struct nla_policy smtpsplice_av_profile_nl_policy[SMTPSPLICE_A_AV_PROFILE_REPLY_ENCRYPTED + 1];
extern const struct nla_policy smtpsplice_prefix_nl_policy[SMTPSPLICE_A_PREFIX_LEN + 1];
extern const struct nla_policy smtpsplice_tls_profile_nl_policy[SMTPSPLICE_A_TLS_PROFILE_EXEMPT_REGEX + 1];

int smtpsplice_nl_tls_get_start(struct netlink_callback *cb);
int smtpsplice_nl_av_get_start(struct netlink_callback *cb);

int smtpsplice_nl_register_doit(struct sk_buff *skb, struct genl_info *info);
int smtpsplice_nl_scan_accept_doit(struct sk_buff *skb, struct genl_info *info);
int smtpsplice_nl_scan_verdict_doit(struct sk_buff *skb,
				    struct genl_info *info);
int smtpsplice_nl_handshake_accept_doit(struct sk_buff *skb,
					struct genl_info *info);
int smtpsplice_nl_handshake_done_doit(struct sk_buff *skb,
				      struct genl_info *info);
int smtpsplice_nl_tls_add_doit(struct sk_buff *skb, struct genl_info *info);
int smtpsplice_nl_tls_set_doit(struct sk_buff *skb, struct genl_info *info);
int smtpsplice_nl_tls_del_doit(struct sk_buff *skb, struct genl_info *info);
int smtpsplice_nl_tls_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int smtpsplice_nl_av_add_doit(struct sk_buff *skb, struct genl_info *info);
int smtpsplice_nl_av_set_doit(struct sk_buff *skb, struct genl_info *info);
int smtpsplice_nl_av_del_doit(struct sk_buff *skb, struct genl_info *info);
int smtpsplice_nl_av_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int smtpsplice_nl_policy_add_doit(struct sk_buff *skb, struct genl_info *info);
int smtpsplice_nl_policy_del_doit(struct sk_buff *skb, struct genl_info *info);
int smtpsplice_nl_policy_get_dumpit(struct sk_buff *skb,
				    struct netlink_callback *cb);
int smtpsplice_nl_settings_get_doit(struct sk_buff *skb,
				    struct genl_info *info);
int smtpsplice_nl_settings_set_doit(struct sk_buff *skb,
				    struct genl_info *info);
int smtpsplice_nl_session_get_dumpit(struct sk_buff *skb,
				     struct netlink_callback *cb);
int smtpsplice_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	SMTPSPLICE_NLGRP_WORK,
	SMTPSPLICE_NLGRP_EVENTS,
};

extern struct genl_family smtpsplice_nl_family;

#endif /* _LINUX_SMTPSPLICE_GEN_H */
