// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: checks, then calls the file that owns the thing.
 *
 * Who may do what: see uapi/smtpsplice.yaml. GENL_ADMIN_PERM asks for
 * CAP_NET_ADMIN in the initial user namespace, on purpose: a user namespace is
 * no reason to reach this code. Taking and answering scan requests asks for no
 * capability but for the registered port, so that the helper can drop its own.
 */
#include <linux/ctype.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "helper.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "policy.h"
#include "scan.h"
#include "session.h"
#include "smtpsplice.h"

/* A scan request: the envelope that is kept, and what goes with it. */
#define SCAN_REPLY_SIZE	(2 * SS_SMTP_ENVELOPE_MAX + 4096)

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

/* Sessions outlive the family; its groups then belong to somebody else. */
static bool registered;

static struct ss_net *info_net(struct genl_info *info)
{
	return ss_net_get(genl_info_net(info));
}

int smtpsplice_nl_register_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, SMTPSPLICE_A_HELPER_ROLES))
		return -EINVAL;
	return ss_helper_register(info_net(info),
				  nla_get_u32(info->attrs[SMTPSPLICE_A_HELPER_ROLES]),
				  NETLINK_CB(skb).sk, info);
}

static int addr_len(const struct ss_addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

static int put_envelope(struct sk_buff *skb, const struct ss_smtp *e)
{
	const u8 *addr;
	u32 pos = 0;
	int len;

	if (nla_put(skb, SMTPSPLICE_A_SCAN_HELO, e->helo_len, e->helo) ||
	    nla_put(skb, SMTPSPLICE_A_SCAN_SENDER, e->sender_len, e->sender) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SCAN_RCPT_COUNT, e->rcpt_count))
		return -EMSGSIZE;
	while ((len = ss_smtp_rcpt(e, &pos, &addr)) >= 0) {
		/* those that do not fit are in the count */
		if (nla_put(skb, SMTPSPLICE_A_SCAN_RCPT, len, addr))
			break;
	}
	return 0;
}

static int put_scan(struct sk_buff *skb, const struct ss_session *s,
		    u64 cookie, int fd)
{
	long left = s->scan.deadline - jiffies;

	if (nla_put_u64_64bit(skb, SMTPSPLICE_A_SCAN_COOKIE, cookie, 0) ||
	    nla_put_s32(skb, SMTPSPLICE_A_SCAN_FD, fd) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_SCAN_SIZE, s->hold.len, 0) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SCAN_TIMEOUT,
			jiffies_to_msecs(max(left, 0L))) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SCAN_ATTEMPT, s->scan.attempt) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SCAN_PENDING,
			READ_ONCE(s->sn->scan_queued)) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_SCAN_SESSION, s->id, 0) ||
	    nla_put_string(skb, SMTPSPLICE_A_SCAN_POLICY, s->policy->name) ||
	    nla_put_string(skb, SMTPSPLICE_A_SCAN_IIF, s->iif) ||
	    nla_put(skb, SMTPSPLICE_A_SCAN_CLIENT, addr_len(&s->client_addr),
		    &s->client_addr.ip) ||
	    nla_put_u16(skb, SMTPSPLICE_A_SCAN_CLIENT_PORT,
			ntohs(s->client_addr.port)) ||
	    nla_put(skb, SMTPSPLICE_A_SCAN_SERVER, addr_len(&s->server_addr),
		    &s->server_addr.ip) ||
	    nla_put_u16(skb, SMTPSPLICE_A_SCAN_SERVER_PORT,
			ntohs(s->server_addr.port)))
		return -EMSGSIZE;
	return put_envelope(skb, &s->smtp);
}

/*
 * Hands the message of @s to the caller of the netlink request. The file
 * appears in its table only once nothing can fail any more.
 */
static int hand_over(struct ss_session *s, u64 cookie, struct genl_info *info)
{
	struct file *file;
	struct sk_buff *skb;
	void *hdr;
	int fd, err;

	lockdep_assert_held(&s->lock);
	file = ss_hold_reader(&s->hold);
	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		err = fd;
		goto out_file;
	}
	err = -ENOMEM;
	skb = genlmsg_new(SCAN_REPLY_SIZE, GFP_KERNEL);
	if (!skb)
		goto out_fd;
	err = -EMSGSIZE;
	hdr = genlmsg_put_reply(skb, info, &smtpsplice_nl_family, 0,
				SMTPSPLICE_CMD_SCAN_ACCEPT);
	if (!hdr || put_scan(skb, s, cookie, fd))
		goto out_skb;
	genlmsg_end(skb, hdr);
	err = genlmsg_reply(skb, info);
	if (err)
		goto out_fd;
	fd_install(fd, file);
	return 0;

out_skb:
	nlmsg_free(skb);
out_fd:
	put_unused_fd(fd);
out_file:
	fput(file);
	return err;
}

static void give_back(struct ss_session *s, u64 cookie)
{
	ss_scan_untake(s, cookie);
	ss_netlink_doorbell(s->sn, READ_ONCE(s->sn->scan_queued));
}

int smtpsplice_nl_scan_accept_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ss_net *sn = info_net(info);
	struct ss_session *s;
	u64 cookie;
	bool ours;
	int err;

	do {
		s = ss_scan_take(sn, NETLINK_CB(skb).sk, &cookie);
		if (s == ERR_PTR(-EPERM))
			GENL_SET_ERR_MSG(info, "not registered for the role scan");
		if (IS_ERR(s))
			return PTR_ERR(s);
		mutex_lock(&s->lock);
		/* it may have timed out, or its client may have gone */
		ours = ss_scan_is(s, cookie);
		if (ours) {
			err = hand_over(s, cookie, info);
			if (err)
				give_back(s, cookie);
			/* -EAGAIN says that none waits */
			if (err == -EAGAIN)
				err = -ENOBUFS;
		}
		mutex_unlock(&s->lock);
		ss_session_put(s);
	} while (!ours);
	return err;
}

/*
 * What the helper wants the client to be told. The helper is not trusted to
 * keep to one line, or to the class of reply that goes with its verdict.
 */
static int check_reply(const struct ss_verdict *v, struct genl_info *info)
{
	char class = v->verdict == SMTPSPLICE_VERDICT_REJECT ? '5' : '4';
	const char *c;

	if (!v->reply[0] || v->verdict == SMTPSPLICE_VERDICT_ACCEPT)
		return 0;
	for (c = v->reply; *c; c++) {
		if ((u8)*c < 0x20 || *c == 0x7f) {
			GENL_SET_ERR_MSG(info, "reply has control characters");
			return -EINVAL;
		}
	}
	if (v->reply[0] != class || !isdigit(v->reply[1]) ||
	    !isdigit(v->reply[2]) || (v->reply[3] && v->reply[3] != ' ')) {
		GENL_SET_ERR_MSG(info, "reply does not begin with a code that fits the verdict");
		return -EINVAL;
	}
	return 0;
}

static void get_string(char *to, size_t size, const struct nlattr *attr)
{
	if (attr)
		nla_strscpy(to, attr, size);
}

int smtpsplice_nl_scan_verdict_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ss_net *sn = info_net(info);
	struct ss_verdict *v;
	u64 cookie;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, SMTPSPLICE_A_SCAN_COOKIE) ||
	    GENL_REQ_ATTR_CHECK(info, SMTPSPLICE_A_SCAN_VERDICT))
		return -EINVAL;
	v = kzalloc(sizeof(*v), GFP_KERNEL);
	if (!v)
		return -ENOMEM;
	cookie = nla_get_u64(info->attrs[SMTPSPLICE_A_SCAN_COOKIE]);
	v->verdict = nla_get_u32(info->attrs[SMTPSPLICE_A_SCAN_VERDICT]);
	get_string(v->reply, sizeof(v->reply),
		   info->attrs[SMTPSPLICE_A_SCAN_REPLY]);
	get_string(v->virus, sizeof(v->virus),
		   info->attrs[SMTPSPLICE_A_SCAN_VIRUS]);
	get_string(v->file, sizeof(v->file),
		   info->attrs[SMTPSPLICE_A_SCAN_FILE]);
	err = check_reply(v, info);
	if (!err) {
		err = ss_scan_answer(sn, NETLINK_CB(skb).sk, cookie, v);
		if (err)
			ss_stats_inc(sn, VERDICT_STALE);
		if (err == -EPERM)
			GENL_SET_ERR_MSG(info, "not registered for the role scan");
		else if (err)
			GENL_SET_ERR_MSG(info, "no such scan request");
	}
	kfree(v);
	return err;
}

int smtpsplice_nl_policy_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_policy_add(info_net(info), info);
}

int smtpsplice_nl_policy_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_policy_del(info_net(info), info);
}

int smtpsplice_nl_policy_get_dumpit(struct sk_buff *skb,
				    struct netlink_callback *cb)
{
	return ss_policy_dump(ss_net_get(sock_net(cb->skb->sk)), skb, cb);
}

int smtpsplice_nl_session_get_dumpit(struct sk_buff *skb,
				     struct netlink_callback *cb)
{
	return ss_session_dump(ss_net_get(sock_net(cb->skb->sk)), skb, cb);
}

static int put_settings(struct ss_net *sn, struct sk_buff *skb)
{
	const struct ss_settings *s = &sn->settings;

	if (nla_put_u32(skb, SMTPSPLICE_A_SETTINGS_MAX_SESSIONS,
			s->max_sessions) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_SETTINGS_MAX_MESSAGE,
			      s->max_message, 0) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_SETTINGS_MAX_HELD,
			      s->max_held, 0) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SETTINGS_DIAL_TIMEOUT,
			s->dial_timeout) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SETTINGS_COMMAND_TIMEOUT,
			s->command_timeout) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SETTINGS_DATA_TIMEOUT,
			s->data_timeout) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SETTINGS_SCAN_TIMEOUT,
			s->scan_timeout) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SETTINGS_REPLY_TIMEOUT,
			s->reply_timeout) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SETTINGS_BARE_NEWLINE,
			s->bare_newline))
		return -EMSGSIZE;
	return 0;
}

/* Replies with what @fill puts into a message for @cmd. */
static int reply(struct genl_info *info, u8 cmd,
		 int (*fill)(struct ss_net *sn, struct sk_buff *skb))
{
	struct ss_net *sn = info_net(info);
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

static int fill_settings(struct ss_net *sn, struct sk_buff *skb)
{
	int err;

	mutex_lock(&sn->lock);
	err = put_settings(sn, skb);
	mutex_unlock(&sn->lock);
	return err;
}

int smtpsplice_nl_settings_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return reply(info, SMTPSPLICE_CMD_SETTINGS_GET, fill_settings);
}

int smtpsplice_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return reply(info, SMTPSPLICE_CMD_STATS_GET, ss_stats_fill);
}

int smtpsplice_nl_settings_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **a = info->attrs;
	struct ss_net *sn = info_net(info);
	struct ss_settings *s = &sn->settings;

	/* the netlink policy has checked each value, so nothing fails half-way */
#define SET(member, type, attr)						\
	do {								\
		if (a[SMTPSPLICE_A_SETTINGS_##attr])			\
			WRITE_ONCE(s->member, nla_get_##type(		\
				   a[SMTPSPLICE_A_SETTINGS_##attr]));	\
	} while (0)
	mutex_lock(&sn->lock);
	SET(max_sessions, u32, MAX_SESSIONS);
	SET(max_message, u64, MAX_MESSAGE);
	SET(max_held, u64, MAX_HELD);
	SET(dial_timeout, u32, DIAL_TIMEOUT);
	SET(command_timeout, u32, COMMAND_TIMEOUT);
	SET(data_timeout, u32, DATA_TIMEOUT);
	SET(scan_timeout, u32, SCAN_TIMEOUT);
	SET(reply_timeout, u32, REPLY_TIMEOUT);
	SET(bare_newline, u32, BARE_NEWLINE);
	mutex_unlock(&sn->lock);
#undef SET
	ss_netlink_event(sn, SMTPSPLICE_EVENT_SETTINGS);
	return 0;
}

/* Begins a message to a group, or returns NULL where nobody listens. */
static struct sk_buff *begin(struct ss_net *sn, int group, u8 cmd, void **hdr)
{
	struct sk_buff *skb;

	if (!READ_ONCE(registered) ||
	    !genl_has_listeners(&smtpsplice_nl_family, sn->net, group))
		return NULL;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return NULL;
	*hdr = genlmsg_put(skb, 0, 0, &smtpsplice_nl_family, 0, cmd);
	return skb;
}

static void send(struct ss_net *sn, int group, struct sk_buff *skb, void *hdr)
{
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&smtpsplice_nl_family, sn->net, skb, 0, group,
				GFP_KERNEL);
}

void ss_netlink_doorbell(struct ss_net *sn, u32 queued)
{
	struct sk_buff *skb;
	void *hdr;

	skb = begin(sn, SMTPSPLICE_NLGRP_WORK, SMTPSPLICE_CMD_SCAN_READY, &hdr);
	if (!skb)
		return;
	if (nla_put_u32(skb, SMTPSPLICE_A_SCAN_PENDING, queued))
		nlmsg_free(skb);
	else
		send(sn, SMTPSPLICE_NLGRP_WORK, skb, hdr);
}

static int put_event_session(struct sk_buff *skb, const struct ss_session *s)
{
	if (nla_put_u64_64bit(skb, SMTPSPLICE_A_EVENT_SESSION, s->id, 0) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_IIF, s->iif) ||
	    nla_put(skb, SMTPSPLICE_A_EVENT_CLIENT, addr_len(&s->client_addr),
		    &s->client_addr.ip) ||
	    nla_put_u16(skb, SMTPSPLICE_A_EVENT_CLIENT_PORT,
			ntohs(s->client_addr.port)) ||
	    nla_put(skb, SMTPSPLICE_A_EVENT_SERVER, addr_len(&s->server_addr),
		    &s->server_addr.ip) ||
	    nla_put_u16(skb, SMTPSPLICE_A_EVENT_SERVER_PORT,
			ntohs(s->server_addr.port)))
		return -EMSGSIZE;
	return 0;
}

static int put_event_verdict(struct sk_buff *skb, const struct ss_verdict *v)
{
	if (nla_put_u32(skb, SMTPSPLICE_A_EVENT_VERDICT, v->verdict) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_REPLY, v->reply) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_VIRUS, v->virus) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_FILE, v->file))
		return -EMSGSIZE;
	return 0;
}

static void event(struct ss_net *sn, enum smtpsplice_event kind,
		  const struct ss_session *s, const struct ss_policy *p,
		  const struct ss_verdict *v)
{
	struct sk_buff *skb;
	void *hdr;

	skb = begin(sn, SMTPSPLICE_NLGRP_EVENTS, SMTPSPLICE_CMD_EVENT, &hdr);
	if (!skb)
		return;
	if (nla_put_u32(skb, SMTPSPLICE_A_EVENT_KIND, kind) ||
	    (s && put_event_session(skb, s)) ||
	    (p && nla_put_string(skb, SMTPSPLICE_A_EVENT_POLICY, p->name)) ||
	    (v && put_event_verdict(skb, v)))
		nlmsg_free(skb);
	else
		send(sn, SMTPSPLICE_NLGRP_EVENTS, skb, hdr);
}

void ss_netlink_event(struct ss_net *sn, enum smtpsplice_event kind)
{
	event(sn, kind, NULL, NULL, NULL);
}

void ss_netlink_policy_event(struct ss_net *sn, enum smtpsplice_event kind,
			     const struct ss_policy *p)
{
	event(sn, kind, NULL, p, NULL);
}

void ss_netlink_session_event(const struct ss_session *s,
			      enum smtpsplice_event kind,
			      const struct ss_verdict *v)
{
	event(s->sn, kind, s, s->policy, v);
}

int __init ss_netlink_init(void)
{
	int err;

	smtpsplice_nl_family.mcgrps = groups;
	err = genl_register_family(&smtpsplice_nl_family);
	WRITE_ONCE(registered, !err);
	return err;
}

void ss_netlink_exit(void)
{
	WRITE_ONCE(registered, false);
	genl_unregister_family(&smtpsplice_nl_family);
}
