/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A profile, and the particulars of a class of them: for profile.c, its classes
 * profile-tls.c and profile-av.c, and the files that read the options of one.
 */
#ifndef SS_PROFILE_CLASS_H
#define SS_PROFILE_CLASS_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/smtpsplice.h>

struct netlink_ext_ack;
struct nla_policy;
struct nlattr;
struct sk_buff;

/**
 * struct ss_profile_tls - options of a TLS profile that the kernel itself heeds
 * @smtps: enum smtpsplice_tls_mode
 * @starttls: enum smtpsplice_starttls_mode
 * @port_count: length of @ports
 * @ports: ports that begin with TLS, host byte order
 */
struct ss_profile_tls {
	u32 smtps;
	u32 starttls;
	u32 port_count;
	u16 ports[SMTPSPLICE_PREFIX_MAX];
};

/**
 * struct ss_profile_av - options of an AV profile that the kernel itself heeds
 * @scan: enum smtpsplice_av_scan
 * @infected: enum smtpsplice_infected
 * @scan_timeout: enum smtpsplice_fail_action
 * @helper_down: enum smtpsplice_fail_action
 * @over_budget: enum smtpsplice_fail_action
 * @sender_ban: seconds, 0 for never
 */
struct ss_profile_av {
	u32 scan;
	u32 infected;
	u32 scan_timeout;
	u32 helper_down;
	u32 over_budget;
	u32 sender_ban;
};

/**
 * struct ss_profile - a named set of options that policies refer to
 * @node: link in ss_profiles.list
 * @rcu: frees it
 * @users: references: 1 for the list, 1 a policy that names it and 1 a session
 * @class: enum ss_profile_class
 * @name: unique in its class and namespace
 * @policies: number of policies that name it, covered by ss_net.lock
 * @tls: options that the kernel heeds, of the class %SS_PROFILE_TLS
 * @av: the same of the class %SS_PROFILE_AV
 * @len: bytes of @attrs
 * @attrs: netlink attributes of all its options (set "tls-profile" or
 *	"av-profile"): most of them are for the helper
 *
 * But for @policies it does not change: another one takes its place.
 */
struct ss_profile {
	struct list_head node;
	struct rcu_head rcu;
	refcount_t users;
	u32 class;
	char name[SMTPSPLICE_NAME_MAX + 1];
	u32 policies;
	union {
		struct ss_profile_tls tls;
		struct ss_profile_av av;
	};
	u32 len;
	u8 attrs[] __aligned(4);
};

/**
 * ss_profile_smtps() - does a connection to this port begin with TLS?
 * @p: a TLS profile
 * @port: the port, host byte order
 */
static inline bool ss_profile_smtps(const struct ss_profile *p, u16 port)
{
	u32 i;

	for (i = 0; i < p->tls.port_count; i++) {
		if (p->tls.ports[i] == port)
			return true;
	}
	return false;
}

/**
 * struct ss_profile_option - an option that is one number
 * @attr: attribute of the option
 * @value: default, where the attribute is absent
 */
struct ss_profile_option {
	int attr;
	u32 value;
};

/**
 * struct ss_profile_kind - the particulars of a class of profiles
 * @what: word for it in messages
 * @policy: netlink policy of its attributes
 * @max: largest number of its attributes
 * @options: options that are one number of 32 bits
 * @option_count: length of @options
 * @cmd_get: command of a dump
 * @event_add: event that tells of one that is new, or was replaced
 * @event_del: event that tells of one that was deleted
 * @put: puts all attributes that are not in @options, from @tb and @nest, which
 *	is NULL where nothing was given; checks them
 * @apply: copies an option that the kernel itself heeds out of its attribute
 */
struct ss_profile_kind {
	const char *what;
	const struct nla_policy *policy;
	int max;
	const struct ss_profile_option *options;
	int option_count;
	u8 cmd_get;
	u32 event_add;
	u32 event_del;
	int (*put)(struct sk_buff *attrs, struct nlattr *const *tb,
		   const struct nlattr *nest, struct netlink_ext_ack *extack);
	void (*apply)(struct ss_profile *p, const struct nlattr *attr);
};

extern const struct ss_profile_kind ss_profile_kind_tls;
extern const struct ss_profile_kind ss_profile_kind_av;

#endif /* SS_PROFILE_CLASS_H */
