// SPDX-License-Identifier: GPL-2.0
/*
 * The TLS profiles of a network namespace. The kernel itself heeds little of
 * what they say (when TLS begins, and whether to look inside); the rest is kept
 * for the helper, who gets it with each handshake, so that there is one place
 * where the configuration is.
 *
 * ss_net.lock covers the list. A profile that is set anew is replaced whole.
 */
#include <linux/slab.h>
#include <net/genetlink.h>

#include "netlink-gen.h"
#include "netlink.h"
#include "policy.h"
#include "profile.h"
#include "smtpsplice.h"

#define ATTR(name)	(SMTPSPLICE_A_TLS_PROFILE_##name)
#define DEFAULT_PORT	465

static const char default_name[] = "default";

/* The options that are one word, and what they are where they are absent. */
static const struct {
	int attr;
	u32 value;
} options[] = {
	{ ATTR(SMTPS), SMTPSPLICE_TLS_MODE_INSPECT },
	{ ATTR(STARTTLS), SMTPSPLICE_STARTTLS_MODE_INSPECT },
	{ ATTR(EXPIRED_SERVER_CERT), SMTPSPLICE_TLS_ACTION_BLOCK },
	{ ATTR(REVOKED_SERVER_CERT), SMTPSPLICE_TLS_ACTION_BLOCK },
	{ ATTR(UNTRUSTED_SERVER_CERT), SMTPSPLICE_TLS_ACTION_ALLOW },
	{ ATTR(CERT_VALIDATION_TIMEOUT), SMTPSPLICE_TLS_ACTION_ALLOW },
	{ ATTR(CERT_VALIDATION_FAILURE), SMTPSPLICE_TLS_ACTION_BLOCK },
	{ ATTR(SNI_SERVER_CERT_CHECK), SMTPSPLICE_SNI_CHECK_ENABLE },
	{ ATTR(UNSUPPORTED_SSL_VERSION), SMTPSPLICE_TLS_SUPPORT_BLOCK },
	{ ATTR(UNSUPPORTED_SSL_CIPHER), SMTPSPLICE_TLS_SUPPORT_BLOCK },
	{ ATTR(UNSUPPORTED_SSL_NEGOTIATION), SMTPSPLICE_TLS_SUPPORT_BLOCK },
	{ ATTR(CLIENT_CERTIFICATE), SMTPSPLICE_CLIENT_CERTIFICATE_BYPASS },
	{ ATTR(SERVER_CERT_MODE), SMTPSPLICE_CERT_MODE_RE_SIGN },
};

void ss_profile_put(struct ss_profile *p)
{
	if (p && refcount_dec_and_test(&p->users))
		kfree_rcu(p, rcu);
}

struct ss_profile *ss_profile_find(struct ss_net *sn, const char *name)
{
	struct ss_profile *p;

	lockdep_assert_held(&sn->lock);
	list_for_each_entry(p, &sn->profiles, node) {
		if (!strcmp(p->name, name))
			return p;
	}
	return NULL;
}

bool ss_profile_smtps(const struct ss_profile *p, u16 port)
{
	u32 i;

	for (i = 0; i < p->port_count; i++) {
		if (p->ports[i] == port)
			return true;
	}
	return false;
}

int ss_profile_fill(const struct ss_profile *p, struct sk_buff *skb, int attr)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest || nla_append(skb, p->len, p->said))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* ---- from and to netlink ---- */

/* Puts every option of one word, given or not. */
static int put_options(struct sk_buff *said, struct nlattr *const *tb)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		const struct nlattr *attr = tb[options[i].attr];

		if (nla_put_u32(said, options[i].attr,
				attr ? nla_get_u32(attr) : options[i].value))
			return -EMSGSIZE;
	}
	if (tb[ATTR(SERVER_CERT)])
		return nla_put_string(said, ATTR(SERVER_CERT),
				      nla_data(tb[ATTR(SERVER_CERT)]));
	return 0;
}

static int check_one(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	struct ss_prefix prefix;

	if (nla_type(attr) == ATTR(EXEMPT_ADDRESS))
		return ss_prefix_parse(&prefix, attr, extack);
	if (nla_type(attr) != ATTR(SMTPS_PORT) && !*(char *)nla_data(attr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "empty pattern");
		return -EINVAL;
	}
	return 0;
}

/* Puts the options that may be given more than once. */
static int put_lists(struct sk_buff *said, const struct nlattr *nest,
		     struct netlink_ext_ack *extack)
{
	u32 count[SMTPSPLICE_A_TLS_PROFILE_MAX + 1] = {};
	const struct nlattr *attr;
	int rem, err;

	nla_for_each_nested(attr, nest, rem) {
		u32 most = SMTPSPLICE_EXEMPT_MAX;

		switch (nla_type(attr)) {
		case ATTR(SMTPS_PORT):
			most = SMTPSPLICE_PREFIX_MAX;
			break;
		case ATTR(EXEMPT_ADDRESS):
		case ATTR(EXEMPT_NAME):
		case ATTR(EXEMPT_REGEX):
			break;
		default:
			continue;
		}
		if (++count[nla_type(attr)] > most) {
			NL_SET_ERR_MSG_ATTR(extack, attr, "too many of these");
			return -EINVAL;
		}
		err = check_one(attr, extack) ?:
		      nla_put(said, nla_type(attr), nla_len(attr),
			      nla_data(attr));
		if (err)
			return err;
	}
	return count[ATTR(SMTPS_PORT)] ? 0 :
	       nla_put_u16(said, ATTR(SMTPS_PORT), DEFAULT_PORT);
}

static int check_cert(struct nlattr *const *tb, struct netlink_ext_ack *extack)
{
	const struct nlattr *mode = tb[ATTR(SERVER_CERT_MODE)];
	const struct nlattr *cert = tb[ATTR(SERVER_CERT)];

	/* it becomes a file name */
	if (cert && (!ss_policy_name_ok(nla_data(cert)) ||
		     *(char *)nla_data(cert) == '.')) {
		NL_SET_ERR_MSG_ATTR(extack, cert, "bad name of a certificate");
		return -EINVAL;
	}
	if (!cert && mode &&
	    nla_get_u32(mode) == SMTPSPLICE_CERT_MODE_REPLACE) {
		NL_SET_ERR_MSG_ATTR(extack, mode, "replace needs server-cert");
		return -EINVAL;
	}
	return 0;
}

/* Reads back what the kernel itself heeds. */
static void heed(struct ss_profile *p)
{
	const struct nlattr *attr;
	int rem;

	nla_for_each_attr(attr, (struct nlattr *)p->said, p->len, rem) {
		switch (nla_type(attr)) {
		case ATTR(SMTPS):
			p->smtps = nla_get_u32(attr);
			break;
		case ATTR(STARTTLS):
			p->starttls = nla_get_u32(attr);
			break;
		case ATTR(SMTPS_PORT):
			p->ports[p->port_count++] = nla_get_u16(attr);
			break;
		}
	}
}

static int fill_said(struct sk_buff *said, const struct nlattr *nest,
		     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[SMTPSPLICE_A_TLS_PROFILE_MAX + 1] = {};
	int err = 0;

	if (!nest)
		return put_options(said, tb) ?:
		       nla_put_u16(said, ATTR(SMTPS_PORT), DEFAULT_PORT);
	err = nla_parse_nested(tb, SMTPSPLICE_A_TLS_PROFILE_MAX, nest,
			       smtpsplice_tls_profile_nl_policy, extack);
	err = err ?: check_cert(tb, extack);
	err = err ?: put_options(said, tb);
	return err ?: put_lists(said, nest, extack);
}

/* Makes a profile of an attribute, or of defaults where there is none. */
static struct ss_profile *make(const char *name, const struct nlattr *nest,
			       struct netlink_ext_ack *extack)
{
	struct ss_profile *p = NULL;
	struct sk_buff *said;
	int err;

	said = nlmsg_new(SS_PROFILE_SIZE_MAX, GFP_KERNEL);
	if (!said)
		return ERR_PTR(-ENOMEM);
	err = fill_said(said, nest, extack);
	if (!err && said->len > SS_PROFILE_SIZE_MAX)
		err = -EMSGSIZE;
	if (err == -EMSGSIZE)
		NL_SET_ERR_MSG(extack, "TLS profile is too large");
	if (!err) {
		p = kzalloc(struct_size(p, said, said->len), GFP_KERNEL_ACCOUNT);
		err = p ? 0 : -ENOMEM;
	}
	if (p) {
		refcount_set(&p->users, 1);
		strscpy(p->name, name, sizeof(p->name));
		p->len = said->len;
		memcpy(p->said, said->data, said->len);
		heed(p);
	}
	nlmsg_free(said);
	return err ? ERR_PTR(err) : p;
}

static int get_name(char *name, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, SMTPSPLICE_A_TLS_NAME))
		return -EINVAL;
	nla_strscpy(name, info->attrs[SMTPSPLICE_A_TLS_NAME],
		    SMTPSPLICE_NAME_MAX + 1);
	if (!ss_policy_name_ok(name)) {
		GENL_SET_ERR_MSG(info, "profile name must be printable ASCII without blanks, '\"' and '/'");
		return -EINVAL;
	}
	return 0;
}

static void say(struct genl_info *info, const char *name, bool there)
{
	if (there)
		NL_SET_ERR_MSG_ATTR_FMT(info->extack,
					info->attrs[SMTPSPLICE_A_TLS_NAME],
					"TLS profile \"%s\" exists", name);
	else
		NL_SET_ERR_MSG_ATTR_FMT(info->extack,
					info->attrs[SMTPSPLICE_A_TLS_NAME],
					"no TLS profile \"%s\"", name);
}

int ss_profile_add(struct ss_net *sn, struct genl_info *info)
{
	char name[SMTPSPLICE_NAME_MAX + 1];
	struct ss_profile *p;
	int err;

	err = get_name(name, info);
	if (err)
		return err;
	p = make(name, info->attrs[SMTPSPLICE_A_TLS_PROFILE], info->extack);
	if (IS_ERR(p))
		return PTR_ERR(p);
	mutex_lock(&sn->lock);
	if (ss_profile_find(sn, name)) {
		say(info, name, true);
		err = -EEXIST;
	} else {
		list_add_tail(&p->node, &sn->profiles);
		sn->profile_gen++;
	}
	mutex_unlock(&sn->lock);
	if (err)
		ss_profile_put(p);
	else
		ss_netlink_profile_event(sn, SMTPSPLICE_EVENT_TLS_ADD, name);
	return err;
}

int ss_profile_set(struct ss_net *sn, struct genl_info *info)
{
	char name[SMTPSPLICE_NAME_MAX + 1];
	struct ss_profile *old, *new;
	int err;

	err = get_name(name, info);
	if (err)
		return err;
	new = make(name, info->attrs[SMTPSPLICE_A_TLS_PROFILE], info->extack);
	if (IS_ERR(new))
		return PTR_ERR(new);
	mutex_lock(&sn->lock);
	old = ss_profile_find(sn, name);
	if (old) {
		ss_policy_retie(sn, old, new);
		list_replace(&old->node, &new->node);
		sn->profile_gen++;
	} else {
		say(info, name, false);
		err = -ENOENT;
	}
	mutex_unlock(&sn->lock);
	ss_profile_put(err ? new : old);
	if (!err)
		ss_netlink_profile_event(sn, SMTPSPLICE_EVENT_TLS_ADD, name);
	return err;
}

int ss_profile_del(struct ss_net *sn, struct genl_info *info)
{
	char name[SMTPSPLICE_NAME_MAX + 1];
	struct ss_profile *p;
	int err;

	err = get_name(name, info);
	if (err)
		return err;
	mutex_lock(&sn->lock);
	p = ss_profile_find(sn, name);
	if (!p) {
		say(info, name, false);
		err = -ENOENT;
	} else if (p->policies || !strcmp(name, default_name)) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack,
					info->attrs[SMTPSPLICE_A_TLS_NAME],
					"TLS profile \"%s\" is in use", name);
		err = -EBUSY;
	} else {
		list_del(&p->node);
		sn->profile_gen++;
	}
	mutex_unlock(&sn->lock);
	if (err)
		return err;
	ss_profile_put(p);
	ss_netlink_profile_event(sn, SMTPSPLICE_EVENT_TLS_DEL, name);
	return 0;
}

int ss_profile_dump(struct ss_net *sn, struct sk_buff *skb,
		    struct netlink_callback *cb)
{
	u32 pos = 0, start = cb->args[0];
	const struct ss_profile *p;
	int err = 0;

	mutex_lock(&sn->lock);
	cb->seq = sn->profile_gen;
	list_for_each_entry(p, &sn->profiles, node) {
		void *hdr;

		if (pos++ < start)
			continue;
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				  cb->nlh->nlmsg_seq, &smtpsplice_nl_family,
				  NLM_F_MULTI, SMTPSPLICE_CMD_TLS_GET);
		if (!hdr) {
			err = -EMSGSIZE;
			break;
		}
		genl_dump_check_consistent(cb, hdr);
		err = nla_put_string(skb, SMTPSPLICE_A_TLS_NAME, p->name) ?:
		      ss_profile_fill(p, skb, SMTPSPLICE_A_TLS_PROFILE) ?:
		      nla_put_u32(skb, SMTPSPLICE_A_TLS_POLICIES, p->policies);
		if (err) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		cb->args[0] = pos;
	}
	mutex_unlock(&sn->lock);
	/* what did not fit goes into the next message */
	return err == -EMSGSIZE && skb->len ? skb->len : err ?: skb->len;
}

int ss_profile_init(struct ss_net *sn)
{
	struct ss_profile *p = make(default_name, NULL, NULL);

	if (IS_ERR(p))
		return PTR_ERR(p);
	INIT_LIST_HEAD(&sn->profiles);
	list_add_tail(&p->node, &sn->profiles);
	return 0;
}

void ss_profile_flush(struct ss_net *sn)
{
	struct ss_profile *p, *next;

	list_for_each_entry_safe(p, next, &sn->profiles, node) {
		WARN_ON_ONCE(p->policies);
		list_del(&p->node);
		ss_profile_put(p);
	}
}
