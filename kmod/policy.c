// SPDX-License-Identifier: GPL-2.0
/*
 * The policies of a network namespace: which flows are picked, in order, first
 * match wins. Readers (softirq) go under RCU; writers hold ss_net.lock.
 */
#include <linux/netdevice.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/ipv6.h>

#include "addr.h"
#include "events.h"
#include "listener.h"
#include "net.h"
#include "netlink-msg.h"
#include "policy.h"
#include "prefix.h"
#include "profile-class.h"
#include "profile.h"

static bool port_match(const struct ss_policy *p, __be16 port)
{
	u32 i;

	for (i = 0; i < p->port_count; i++) {
		if (p->ports[i] == ntohs(port))
			return true;
	}
	return false;
}

bool ss_policy_off(const struct ss_policy *p, u16 port)
{
	const struct ss_profile *tls;

	tls = rcu_dereference(p->profiles[SS_PROFILE_TLS]);
	return tls && tls->tls.smtps == SMTPSPLICE_TLS_MODE_OFF &&
	       ss_profile_smtps(tls, port);
}

struct ss_policy *ss_policy_match(struct ss_net *sn,
				  const struct net_device *dev,
				  const struct ss_addr *src,
				  const struct ss_addr *dst)
{
	struct ss_policy *p;

	list_for_each_entry_rcu(p, &sn->policies, node) {
		if (port_match(p, dst->port) &&
		    (!p->iif[0] || !strcmp(p->iif, dev->name)) &&
		    ss_prefix_match_any(p->dst, p->dst_count, dst) &&
		    ss_prefix_match_any(p->src, p->src_count, src))
			return p;
	}
	return NULL;
}

struct sock *ss_policy_listener(const struct ss_policy *p, sa_family_t family)
{
	return ss_listener_sock(p->listeners[family == AF_INET6]);
}

void ss_policy_hold(struct ss_policy *p)
{
	refcount_inc(&p->users);
}

void ss_policy_put(struct ss_policy *p)
{
	int class;

	if (!refcount_dec_and_test(&p->users))
		return;
	for (class = 0; class < SS_PROFILE_CLASSES; class++) {
		struct ss_profile *profile;

		profile = rcu_dereference_protected(p->profiles[class],
						    !refcount_read(&p->users));
		ss_profile_put(profile);
	}
	kfree_rcu(p, rcu);
}

struct ss_profile *ss_policy_profile(struct ss_policy *p,
				     enum ss_profile_class class)
{
	struct ss_profile *profile;

	rcu_read_lock();
	do {
		profile = rcu_dereference(p->profiles[class]);
	} while (profile && !refcount_inc_not_zero(&profile->users));
	rcu_read_unlock();
	return profile;
}

static struct ss_profile *bound(const struct ss_policy *p,
				enum ss_profile_class class)
{
	return rcu_dereference_protected(p->profiles[class],
					 lockdep_is_held(&p->sn->lock));
}

/* Binds a policy to a profile that is in the list, or to none. */
static void bind(struct ss_policy *p, enum ss_profile_class class,
		 struct ss_profile *profile)
{
	struct ss_profile *old = bound(p, class);

	lockdep_assert_held(&p->sn->lock);
	if (profile) {
		refcount_inc(&profile->users);
		profile->policies++;
	}
	rcu_assign_pointer(p->profiles[class], profile);
	if (old)
		old->policies--;
	ss_profile_put(old);
}

static void unbind(struct ss_policy *p)
{
	int class;

	lockdep_assert_held(&p->sn->lock);
	for (class = 0; class < SS_PROFILE_CLASSES; class++)
		bind(p, class, NULL);
}

void ss_policy_rebind(struct ss_net *sn, struct ss_profile *old,
		      struct ss_profile *new)
{
	struct ss_policy *p;

	lockdep_assert_held(&sn->lock);
	list_for_each_entry(p, &sn->policies, node) {
		if (bound(p, new->class) == old)
			bind(p, new->class, new);
	}
}

static struct ss_policy *find_policy(struct ss_net *sn, const char *name)
{
	struct ss_policy *p;

	lockdep_assert_held(&sn->lock);
	list_for_each_entry_rcu(p, &sn->policies, node,
				lockdep_is_held(&sn->lock)) {
		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

/* Reads the attributes that may come more than once: src, dst, port. */
static int parse_multi(struct ss_policy *p, struct genl_info *info)
{
	const struct nlattr *attr;
	int rem, err = 0;

	nlmsg_for_each_attr(attr, info->nlhdr,
			    GENL_HDRLEN + info->family->hdrsize, rem) {
		u32 *count;

		switch (nla_type(attr)) {
		case SMTPSPLICE_A_POLICY_SRC:
			count = &p->src_count;
			break;
		case SMTPSPLICE_A_POLICY_DST:
			count = &p->dst_count;
			break;
		case SMTPSPLICE_A_POLICY_PORT:
			count = &p->port_count;
			break;
		default:
			continue;
		}
		if (*count == SMTPSPLICE_PREFIX_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "more than 32 prefixes or ports");
			return -EINVAL;
		}
		if (count == &p->port_count)
			p->ports[*count] = nla_get_u16(attr);
		else if (count == &p->src_count)
			err = ss_prefix_parse(&p->src[*count], attr, info->extack);
		else
			err = ss_prefix_parse(&p->dst[*count], attr, info->extack);
		if (err)
			return err;
		(*count)++;
	}
	if (!p->port_count) {
		GENL_SET_ERR_MSG(info, "policy has no port");
		return -EINVAL;
	}
	return 0;
}

static int parse_policy(struct ss_policy *p, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct net_device *dev;
	int err;

	err = ss_netlink_get_name(info, SMTPSPLICE_A_POLICY_NAME, "policy",
				  p->name);
	if (err)
		return err;
	if (attrs[SMTPSPLICE_A_POLICY_IIF]) {
		nla_strscpy(p->iif, attrs[SMTPSPLICE_A_POLICY_IIF],
			    sizeof(p->iif));
		dev = dev_get_by_name(p->sn->net, p->iif);
		if (!dev) {
			NL_SET_ERR_MSG_ATTR_FMT(info->extack,
						attrs[SMTPSPLICE_A_POLICY_IIF],
						"no interface \"%s\"", p->iif);
			return -ENODEV;
		}
		dev_put(dev);
	}
	p->mode = SMTPSPLICE_MODE_HOLD;
	if (attrs[SMTPSPLICE_A_POLICY_MODE])
		p->mode = nla_get_u32(attrs[SMTPSPLICE_A_POLICY_MODE]);
	return parse_multi(p, info);
}

/* Finds the profiles and binds the policy to them, which the lock keeps there. */
static int parse_profiles(struct ss_policy *p, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[SMTPSPLICE_A_POLICY_TLS];
	struct ss_profile *tls = NULL, *av;

	lockdep_assert_held(&p->sn->lock);
	if (attr)
		tls = ss_profile_need(p->sn, SS_PROFILE_TLS, attr, info->extack);
	if (IS_ERR(tls))
		return PTR_ERR(tls);
	attr = info->attrs[SMTPSPLICE_A_POLICY_AV];
	av = ss_profile_need(p->sn, SS_PROFILE_AV, attr, info->extack);
	if (IS_ERR(av))
		return PTR_ERR(av);
	bind(p, SS_PROFILE_TLS, tls);
	bind(p, SS_PROFILE_AV, av);
	return 0;
}

static void send_event(struct ss_net *sn, enum smtpsplice_event kind,
		       const struct ss_policy *p)
{
	ss_event_send(sn, &(struct ss_event){
		.kind = kind,
		.policy = p->name,
	});
}

static int open_listeners(struct ss_policy *p)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	int i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		struct ss_listener *l;

		if (families[i] == AF_INET6 && !ipv6_mod_enabled())
			continue;
		l = ss_listener_open(p->sn, p, families[i]);

		if (IS_ERR(l)) {
			if (i)
				ss_listener_close(p->listeners[0]);
			return PTR_ERR(l);
		}
		p->listeners[i] = l;
	}
	return 0;
}

static void close_listeners(struct ss_policy *p)
{
	ss_listener_close(p->listeners[0]);
	ss_listener_close(p->listeners[1]);
}

/* Puts @p at @position, counted from 1, or at the end. */
static void insert_policy(struct ss_net *sn, struct ss_policy *p, u32 position)
{
	struct list_head *at = &sn->policies;

	lockdep_assert_held(&sn->lock);
	while (--position && !list_is_last(at, &sn->policies))
		at = at->next;
	list_add_rcu(&p->node, at);
	sn->policy_count++;
	sn->policy_gen++;
}

int ss_policy_add(struct ss_net *sn, struct genl_info *info,
		  int (*start)(struct ss_net *sn))
{
	struct nlattr *position = info->attrs[SMTPSPLICE_A_POLICY_POSITION];
	struct ss_policy *p;
	int err;

	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return -ENOMEM;
	refcount_set(&p->users, 1);
	p->sn = sn;
	err = parse_policy(p, info);
	if (err)
		goto out_free;

	mutex_lock(&sn->lock);
	if (find_policy(sn, p->name)) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack,
					info->attrs[SMTPSPLICE_A_POLICY_NAME],
					"policy \"%s\" exists", p->name);
		err = -EEXIST;
		goto out_unlock;
	}
	err = parse_profiles(p, info);
	if (err)
		goto out_unlock;
	err = open_listeners(p);
	if (err)
		goto out_unbind;
	err = start(sn);
	if (err)
		goto out_close;
	send_event(sn, SMTPSPLICE_EVENT_POLICY_ADD, p);
	insert_policy(sn, p, position ? nla_get_u32(position) : U32_MAX);
	mutex_unlock(&sn->lock);
	return 0;

out_close:
	close_listeners(p);
out_unbind:
	unbind(p);
out_unlock:
	mutex_unlock(&sn->lock);
out_free:
	kfree(p);
	return err;
}

/* Unlinks, waits until no packet can reach the listeners, closes them, puts. */
static void remove_policy(struct ss_net *sn, struct ss_policy *p)
{
	lockdep_assert_held(&sn->lock);
	list_del_rcu(&p->node);
	sn->policy_count--;
	sn->policy_gen++;
	synchronize_net();
	close_listeners(p);
	unbind(p);
	ss_policy_put(p);
}

int ss_policy_del(struct ss_net *sn, struct genl_info *info)
{
	char name[SMTPSPLICE_NAME_MAX + 1];
	struct ss_policy *p;
	int err = 0;

	if (GENL_REQ_ATTR_CHECK(info, SMTPSPLICE_A_POLICY_NAME))
		return -EINVAL;
	nla_strscpy(name, info->attrs[SMTPSPLICE_A_POLICY_NAME], sizeof(name));

	mutex_lock(&sn->lock);
	p = find_policy(sn, name);
	if (p) {
		send_event(sn, SMTPSPLICE_EVENT_POLICY_DEL, p);
		remove_policy(sn, p);
	} else {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack,
					info->attrs[SMTPSPLICE_A_POLICY_NAME],
					"no policy \"%s\"", name);
		err = -ENOENT;
	}
	mutex_unlock(&sn->lock);
	return err;
}

void ss_policy_flush(struct ss_net *sn)
{
	struct ss_policy *p, *next;

	mutex_lock(&sn->lock);
	list_for_each_entry_safe(p, next, &sn->policies, node)
		remove_policy(sn, p);
	mutex_unlock(&sn->lock);
}

static int put_policy(struct sk_buff *skb, const struct ss_policy *p, u32 pos)
{
	const struct ss_profile *tls = bound(p, SS_PROFILE_TLS);
	u32 i;

	lockdep_assert_held(&p->sn->lock);
	if (nla_put_string(skb, SMTPSPLICE_A_POLICY_NAME, p->name) ||
	    (p->iif[0] &&
	     nla_put_string(skb, SMTPSPLICE_A_POLICY_IIF, p->iif)) ||
	    ss_prefix_put(skb, SMTPSPLICE_A_POLICY_SRC, p->src, p->src_count) ||
	    ss_prefix_put(skb, SMTPSPLICE_A_POLICY_DST, p->dst, p->dst_count))
		return -EMSGSIZE;
	for (i = 0; i < p->port_count; i++) {
		if (nla_put_u16(skb, SMTPSPLICE_A_POLICY_PORT, p->ports[i]))
			return -EMSGSIZE;
	}
	if (nla_put_u32(skb, SMTPSPLICE_A_POLICY_MODE, p->mode) ||
	    (tls && nla_put_string(skb, SMTPSPLICE_A_POLICY_TLS, tls->name)) ||
	    nla_put_string(skb, SMTPSPLICE_A_POLICY_AV,
			   bound(p, SS_PROFILE_AV)->name) ||
	    nla_put_u32(skb, SMTPSPLICE_A_POLICY_POSITION, pos) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_POLICY_SESSIONS,
			      atomic64_read(&p->sessions), 0) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_POLICY_MESSAGES,
			      atomic64_read(&p->messages), 0))
		return -EMSGSIZE;
	return 0;
}

int ss_policy_dump(struct ss_net *sn, struct sk_buff *skb,
		   struct netlink_callback *cb)
{
	u32 pos = 0, start = cb->args[0];
	const struct ss_policy *p;
	int err = 0;

	mutex_lock(&sn->lock);
	cb->seq = sn->policy_gen;
	list_for_each_entry(p, &sn->policies, node) {
		void *hdr;

		if (pos++ < start)
			continue;
		hdr = ss_netlink_dump_begin(skb, cb, SMTPSPLICE_CMD_POLICY_GET);
		if (hdr)
			err = put_policy(skb, p, pos);
		err = ss_netlink_dump_put(skb, hdr, err);
		if (err)
			break;
		cb->args[0] = pos;
	}
	mutex_unlock(&sn->lock);
	return ss_netlink_dump_end(skb, err);
}
