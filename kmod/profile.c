// SPDX-License-Identifier: GPL-2.0
/*
 * The profiles of a network namespace: named sets of options that policies refer
 * to. The particulars of a class of them are in profile-tls.c and profile-av.c.
 * All that a profile says is kept as netlink attributes, for whoever lists it and
 * for the helper, who gets it with each piece of work, so that there is one place
 * where the configuration is.
 *
 * ss_net.lock covers the lists. A profile that is set anew is replaced whole.
 */
#include <linux/slab.h>
#include <net/genetlink.h>

#include "events.h"
#include "net.h"
#include "netlink-msg.h"
#include "profile-class.h"
#include "profile.h"

/* The attribute sets "tls" and "av" are alike. */
enum {
	A_NAME = SMTPSPLICE_A_TLS_NAME,
	A_PROFILE = SMTPSPLICE_A_TLS_PROFILE,
	A_POLICIES = SMTPSPLICE_A_TLS_POLICIES,
};

static_assert(A_NAME == (int)SMTPSPLICE_A_AV_NAME);
static_assert(A_PROFILE == (int)SMTPSPLICE_A_AV_PROFILE);
static_assert(A_POLICIES == (int)SMTPSPLICE_A_AV_POLICIES);

#define ATTR_MAX	SMTPSPLICE_A_AV_PROFILE_MAX
static_assert((int)ATTR_MAX >= SMTPSPLICE_A_TLS_PROFILE_MAX);

static const char default_name[] = "default";

static const struct ss_profile_kind *const kinds[SS_PROFILE_CLASSES] = {
	[SS_PROFILE_TLS] = &ss_profile_kind_tls,
	[SS_PROFILE_AV] = &ss_profile_kind_av,
};

void ss_profile_put(struct ss_profile *p)
{
	if (p && refcount_dec_and_test(&p->users))
		kfree_rcu(p, rcu);
}

struct ss_profile *ss_profile_find(struct ss_net *sn,
				   enum ss_profile_class class,
				   const char *name)
{
	struct ss_profile *p;

	lockdep_assert_held(&sn->lock);
	list_for_each_entry(p, &sn->profiles[class].list, node) {
		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

struct ss_profile *ss_profile_need(struct ss_net *sn,
				   enum ss_profile_class class,
				   const struct nlattr *attr,
				   struct netlink_ext_ack *extack)
{
	const char *name = attr ? nla_data(attr) : default_name;
	struct ss_profile *p = ss_profile_find(sn, class, name);

	lockdep_assert_held(&sn->lock);
	if (p)
		return p;
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "no %s profile \"%s\"",
				kinds[class]->what, name);
	return ERR_PTR(-ENOENT);
}

int ss_profile_fill(const struct ss_profile *p, struct sk_buff *skb, int attr)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest || nla_append(skb, p->len, p->attrs))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* ---- from and to netlink ---- */

/* Puts every option that is a number, given or not. */
static int put_options(struct sk_buff *attrs,
		       const struct ss_profile_kind *kind,
		       struct nlattr *const *tb)
{
	int i;

	for (i = 0; i < kind->option_count; i++) {
		const struct ss_profile_option *option = &kind->options[i];
		const struct nlattr *attr = tb[option->attr];

		if (nla_put_u32(attrs, option->attr,
				attr ? nla_get_u32(attr) : option->value))
			return -EMSGSIZE;
	}
	return 0;
}

static int fill_attrs(struct sk_buff *attrs, const struct ss_profile_kind *kind,
		      const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ATTR_MAX + 1] = {};
	int err = 0;

	if (nest)
		err = nla_parse_nested(tb, kind->max, nest, kind->policy,
				       extack);
	err = err ?: put_options(attrs, kind, tb);
	return err ?: kind->put(attrs, tb, nest, extack);
}

static void apply_attrs(struct ss_profile *p)
{
	const struct nlattr *attr;
	int rem;

	nla_for_each_attr(attr, (struct nlattr *)p->attrs, p->len, rem)
		kinds[p->class]->apply(p, attr);
}

/* Builds a profile of an attribute, or of defaults where there is none. */
static struct ss_profile *build_profile(enum ss_profile_class class,
					const char *name,
					const struct nlattr *nest,
					struct netlink_ext_ack *extack)
{
	struct ss_profile *p = NULL;
	struct sk_buff *attrs;
	int err;

	attrs = nlmsg_new(SS_PROFILE_SIZE_MAX, GFP_KERNEL);
	if (!attrs)
		return ERR_PTR(-ENOMEM);
	err = fill_attrs(attrs, kinds[class], nest, extack);
	if (!err && attrs->len > SS_PROFILE_SIZE_MAX)
		err = -EMSGSIZE;
	if (err == -EMSGSIZE)
		NL_SET_ERR_MSG_FMT(extack, "%s profile is too large",
				   kinds[class]->what);
	if (!err) {
		p = kzalloc(struct_size(p, attrs, attrs->len),
			    GFP_KERNEL_ACCOUNT);
		err = p ? 0 : -ENOMEM;
	}
	if (p) {
		refcount_set(&p->users, 1);
		p->class = class;
		strscpy(p->name, name, sizeof(p->name));
		p->len = attrs->len;
		memcpy(p->attrs, attrs->data, attrs->len);
		apply_attrs(p);
	}
	nlmsg_free(attrs);
	return err ? ERR_PTR(err) : p;
}

static void set_extack_name(struct genl_info *info, enum ss_profile_class class,
			    const char *name, bool there)
{
	if (there)
		NL_SET_ERR_MSG_ATTR_FMT(info->extack,
					info->attrs[A_NAME],
					"%s profile \"%s\" exists",
					kinds[class]->what, name);
	else
		NL_SET_ERR_MSG_ATTR_FMT(info->extack,
					info->attrs[A_NAME],
					"no %s profile \"%s\"",
					kinds[class]->what, name);
}

static void send_event(struct ss_net *sn, enum smtpsplice_event kind,
		       enum ss_profile_class class, const char *name)
{
	ss_event_send(sn, &(struct ss_event){
		.kind = kind,
		.tls = class == SS_PROFILE_TLS ? name : NULL,
		.av = class == SS_PROFILE_AV ? name : NULL,
	});
}

int ss_profile_add(struct ss_net *sn, enum ss_profile_class class,
		   struct genl_info *info)
{
	char name[SMTPSPLICE_NAME_MAX + 1];
	struct ss_profile *p;
	int err;

	err = ss_netlink_get_name(info, A_NAME, "profile", name);
	if (err)
		return err;
	p = build_profile(class, name, info->attrs[A_PROFILE], info->extack);
	if (IS_ERR(p))
		return PTR_ERR(p);
	mutex_lock(&sn->lock);
	if (ss_profile_find(sn, class, name)) {
		set_extack_name(info, class, name, true);
		err = -EEXIST;
	} else {
		list_add_tail(&p->node, &sn->profiles[class].list);
		sn->profiles[class].gen++;
	}
	mutex_unlock(&sn->lock);
	if (err)
		ss_profile_put(p);
	else
		send_event(sn, kinds[class]->event_add, class, name);
	return err;
}

int ss_profile_set(struct ss_net *sn, enum ss_profile_class class,
		   struct genl_info *info,
		   void (*rebind)(struct ss_net *sn, struct ss_profile *old,
				  struct ss_profile *new))
{
	char name[SMTPSPLICE_NAME_MAX + 1];
	struct ss_profile *old, *new;
	int err;

	err = ss_netlink_get_name(info, A_NAME, "profile", name);
	if (err)
		return err;
	new = build_profile(class, name, info->attrs[A_PROFILE], info->extack);
	if (IS_ERR(new))
		return PTR_ERR(new);
	mutex_lock(&sn->lock);
	old = ss_profile_find(sn, class, name);
	if (old) {
		rebind(sn, old, new);
		list_replace(&old->node, &new->node);
		sn->profiles[class].gen++;
	} else {
		set_extack_name(info, class, name, false);
		err = -ENOENT;
	}
	mutex_unlock(&sn->lock);
	ss_profile_put(err ? new : old);
	if (!err)
		send_event(sn, kinds[class]->event_add, class, name);
	return err;
}

int ss_profile_del(struct ss_net *sn, enum ss_profile_class class,
		   struct genl_info *info)
{
	char name[SMTPSPLICE_NAME_MAX + 1];
	struct ss_profile *p;
	int err;

	err = ss_netlink_get_name(info, A_NAME, "profile", name);
	if (err)
		return err;
	mutex_lock(&sn->lock);
	p = ss_profile_find(sn, class, name);
	if (!p) {
		set_extack_name(info, class, name, false);
		err = -ENOENT;
	} else if (p->policies || !strcmp(name, default_name)) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack,
					info->attrs[A_NAME],
					"%s profile \"%s\" is in use",
					kinds[class]->what, name);
		err = -EBUSY;
	} else {
		list_del(&p->node);
		sn->profiles[class].gen++;
	}
	mutex_unlock(&sn->lock);
	if (err)
		return err;
	ss_profile_put(p);
	send_event(sn, kinds[class]->event_del, class, name);
	return 0;
}

int ss_profile_dump(struct ss_net *sn, enum ss_profile_class class,
		    struct sk_buff *skb, struct netlink_callback *cb)
{
	u32 pos = 0, start = cb->args[0];
	const struct ss_profile *p;
	int err = 0;

	mutex_lock(&sn->lock);
	cb->seq = sn->profiles[class].gen;
	list_for_each_entry(p, &sn->profiles[class].list, node) {
		void *hdr;

		if (pos++ < start)
			continue;
		hdr = ss_netlink_dump_begin(skb, cb, kinds[class]->cmd_get);
		if (hdr)
			err = nla_put_string(skb, A_NAME, p->name) ?:
			      ss_profile_fill(p, skb, A_PROFILE) ?:
			      nla_put_u32(skb, A_POLICIES, p->policies);
		err = ss_netlink_dump_put(skb, hdr, err);
		if (err)
			break;
		cb->args[0] = pos;
	}
	mutex_unlock(&sn->lock);
	return ss_netlink_dump_end(skb, err);
}

int ss_profile_init(struct ss_net *sn)
{
	int class;

	for (class = 0; class < SS_PROFILE_CLASSES; class++)
		INIT_LIST_HEAD(&sn->profiles[class].list);
	for (class = 0; class < SS_PROFILE_CLASSES; class++) {
		struct ss_profile *p;

		p = build_profile(class, default_name, NULL, NULL);
		if (IS_ERR(p)) {
			ss_profile_flush(sn);
			return PTR_ERR(p);
		}
		list_add_tail(&p->node, &sn->profiles[class].list);
	}
	return 0;
}

void ss_profile_flush(struct ss_net *sn)
{
	struct ss_profile *p, *next;
	int class;

	for (class = 0; class < SS_PROFILE_CLASSES; class++) {
		list_for_each_entry_safe(p, next, &sn->profiles[class].list,
					 node) {
			WARN_ON_ONCE(p->policies);
			list_del(&p->node);
			ss_profile_put(p);
		}
	}
}
