// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: checks, then calls the file that owns the thing.
 *
 * Who may do what: see uapi/smtpsplice.yaml. GENL_ADMIN_PERM asks for
 * CAP_NET_ADMIN in the initial user namespace, on purpose: a user namespace is
 * no reason to reach this code. Taking and answering requests asks for no
 * capability but for the registered port, so that the helper can drop its own.
 */
#include <linux/ctype.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/rwsem.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "handoff.h"
#include "helper.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "policy.h"
#include "profile.h"
#include "request.h"
#include "session.h"
#include "sessions.h"
#include "smtpsplice.h"

/* A scan request: the envelope that is kept, the profile, and what goes with it. */
#define SCAN_REPLY_SIZE	(2 * SS_ENVELOPE_MAX + SS_PROFILE_SIZE_MAX + 4096)

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

/* Sessions outlive the family; its groups may then be somebody else's. */
static bool registered;
static DECLARE_RWSEM(registered_lock);

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

int ss_netlink_put_addr(struct sk_buff *skb, int addr, int port,
			const struct ss_addr *a)
{
	return nla_put(skb, addr, addr_len(a), &a->ip) ?:
	       nla_put_u16(skb, port, ntohs(a->port));
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
	long left = s->request.deadline - jiffies;

	if (nla_put_u64_64bit(skb, SMTPSPLICE_A_SCAN_COOKIE, cookie, 0) ||
	    nla_put_s32(skb, SMTPSPLICE_A_SCAN_FD, fd) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_SCAN_SIZE, s->hold.len, 0) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SCAN_TIMEOUT,
			jiffies_to_msecs(max(left, 0L))) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SCAN_ATTEMPT, s->request.attempt) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SCAN_PENDING,
			READ_ONCE(s->sn->queues[SS_REQUEST_SCAN].queued)) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_SCAN_SESSION, s->id, 0) ||
	    nla_put_string(skb, SMTPSPLICE_A_SCAN_POLICY, s->policy->name) ||
	    nla_put_string(skb, SMTPSPLICE_A_SCAN_IIF, s->iif) ||
	    ss_netlink_put_addr(skb, SMTPSPLICE_A_SCAN_CLIENT,
				SMTPSPLICE_A_SCAN_CLIENT_PORT, &s->client_addr) ||
	    ss_netlink_put_addr(skb, SMTPSPLICE_A_SCAN_SERVER,
				SMTPSPLICE_A_SCAN_SERVER_PORT, &s->server_addr))
		return -EMSGSIZE;
	if ((s->smtp.chunked && nla_put_flag(skb, SMTPSPLICE_A_SCAN_CHUNKED)) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SCAN_MODE, s->smtp.passed ?
			SMTPSPLICE_MODE_SPLICE : SMTPSPLICE_MODE_HOLD) ||
	    ss_profile_fill(s->av, skb, SMTPSPLICE_A_SCAN_AV))
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

static void give_back(struct ss_session *s, u64 cookie,
		      enum ss_request_kind kind)
{
	ss_request_untake(s, cookie);
	ss_netlink_doorbell(s->sn, kind, READ_ONCE(s->sn->queues[kind].queued));
}

static void say_unregistered(struct genl_info *info, enum ss_request_kind kind)
{
	if (kind == SS_REQUEST_SCAN)
		GENL_SET_ERR_MSG(info, "not registered for the role scan");
	else
		GENL_SET_ERR_MSG(info, "not registered for the role tls");
}

/* Hands the oldest request of a kind that is still wanted to the helper. */
static int accept(struct sk_buff *skb, struct genl_info *info,
		  enum ss_request_kind kind,
		  int (*hand_over)(struct ss_session *s, u64 cookie,
				   struct genl_info *info))
{
	struct ss_net *sn = info_net(info);
	struct ss_session *s;
	u64 cookie;
	bool ours;
	int err;

	do {
		s = ss_request_take(sn, kind, NETLINK_CB(skb).sk, &cookie);
		if (s == ERR_PTR(-EPERM))
			say_unregistered(info, kind);
		if (IS_ERR(s))
			return PTR_ERR(s);
		mutex_lock(&s->lock);
		/* it may have timed out, or its client may have gone */
		ours = ss_request_is(s, cookie);
		if (ours) {
			err = hand_over(s, cookie, info);
			if (err)
				give_back(s, cookie, kind);
			/* -EAGAIN says that none waits */
			if (err == -EAGAIN)
				err = -ENOBUFS;
		}
		mutex_unlock(&s->lock);
		ss_session_put(s);
	} while (!ours);
	return err;
}

int smtpsplice_nl_scan_accept_doit(struct sk_buff *skb, struct genl_info *info)
{
	return accept(skb, info, SS_REQUEST_SCAN, hand_over);
}

int smtpsplice_nl_handshake_accept_doit(struct sk_buff *skb,
					struct genl_info *info)
{
	return accept(skb, info, SS_REQUEST_HANDSHAKE, ss_handoff_accept);
}

/* Neither of the two may bring another line with it. */
static bool has_control(const char *text)
{
	for (; *text; text++) {
		if ((u8)*text < 0x20 || *text == 0x7f)
			return true;
	}
	return false;
}

/*
 * What the helper wants the client to be told. The helper is not trusted to
 * keep to one line, or to the class of reply that goes with its verdict.
 */
static int check_reply(const struct ss_verdict *v, struct genl_info *info)
{
	char class = v->verdict == SMTPSPLICE_VERDICT_REJECT ? '5' :
		     v->verdict == SMTPSPLICE_VERDICT_DISCARD ? '2' : '4';

	if (!v->reply[0] || v->verdict == SMTPSPLICE_VERDICT_ACCEPT)
		return 0;
	if (has_control(v->reply)) {
		GENL_SET_ERR_MSG(info, "reply has control characters");
		return -EINVAL;
	}
	if (v->reply[0] != class || !isdigit(v->reply[1]) ||
	    !isdigit(v->reply[2]) || (v->reply[3] && v->reply[3] != ' ')) {
		GENL_SET_ERR_MSG(info, "reply does not begin with a code that fits the verdict");
		return -EINVAL;
	}
	return 0;
}

/* Is it one whole header field? RFC 5322 2.2 */
static bool is_field(const char *text)
{
	const char *c = text;

	while (*c > ' ' && *c < 0x7f && *c != ':')
		c++;
	/* a dot in front would have to be stuffed */
	if (c == text || *c != ':' || *text == '.')
		return false;
	for (; *c; c++) {
		if (*c < ' ' || *c >= 0x7f)
			return false;
	}
	return true;
}

/* What goes with the verdict accept alone. */
static int check_accept(const struct ss_verdict *v, struct genl_info *info)
{
	if (v->verdict != SMTPSPLICE_VERDICT_ACCEPT &&
	    (v->unscanned || v->tag[0] ||
	     info->attrs[SMTPSPLICE_A_SCAN_REPLACEMENT])) {
		GENL_SET_ERR_MSG(info, "verdict is not accept");
		return -EINVAL;
	}
	if (v->tag[0] && !is_field(v->tag)) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[SMTPSPLICE_A_SCAN_TAG],
				    "tag is not a header field");
		return -EINVAL;
	}
	return 0;
}

/* The file that the helper holds: its own, not the session's. */
static struct file *get_replacement(struct genl_info *info)
{
	struct nlattr *attr = info->attrs[SMTPSPLICE_A_SCAN_REPLACEMENT];
	struct file *file;

	if (!attr)
		return NULL;
	file = fget(nla_get_s32(attr));
	if (file && ss_hold_can_be(file))
		return file;
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "replacement is not a sealed memory file");
	if (file)
		fput(file);
	return ERR_PTR(-EINVAL);
}

static void get_string(char *to, size_t size, const struct nlattr *attr)
{
	if (attr)
		nla_strscpy(to, attr, size);
}

/* Gives an answer to the session that waits for it. */
static int answer(struct sk_buff *skb, struct genl_info *info,
		  enum ss_request_kind kind, u64 cookie,
		  const union ss_answer *answer, struct file *replacement)
{
	struct ss_net *sn = info_net(info);
	int err = ss_request_answer(sn, kind, NETLINK_CB(skb).sk, cookie,
				    answer, replacement);

	if (err)
		ss_stats_inc(sn, VERDICT_STALE);
	if (err == -EPERM)
		say_unregistered(info, kind);
	else if (err)
		GENL_SET_ERR_MSG(info, "no such request");
	return err;
}

static void get_verdict(struct ss_verdict *v, struct genl_info *info)
{
	const struct nlattr *unscanned = info->attrs[SMTPSPLICE_A_SCAN_UNSCANNED];

	v->verdict = nla_get_u32(info->attrs[SMTPSPLICE_A_SCAN_VERDICT]);
	if (unscanned)
		v->unscanned = nla_get_u32(unscanned);
	v->infected = nla_get_flag(info->attrs[SMTPSPLICE_A_SCAN_INFECTED]);
	get_string(v->tag, sizeof(v->tag), info->attrs[SMTPSPLICE_A_SCAN_TAG]);
	get_string(v->reply, sizeof(v->reply),
		   info->attrs[SMTPSPLICE_A_SCAN_REPLY]);
	get_string(v->virus, sizeof(v->virus),
		   info->attrs[SMTPSPLICE_A_SCAN_VIRUS]);
	get_string(v->file, sizeof(v->file),
		   info->attrs[SMTPSPLICE_A_SCAN_FILE]);
}

int smtpsplice_nl_scan_verdict_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct file *replacement;
	union ss_answer *a;
	u64 cookie;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, SMTPSPLICE_A_SCAN_COOKIE) ||
	    GENL_REQ_ATTR_CHECK(info, SMTPSPLICE_A_SCAN_VERDICT))
		return -EINVAL;
	replacement = get_replacement(info);
	if (IS_ERR(replacement))
		return PTR_ERR(replacement);
	err = -ENOMEM;
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		goto out;
	cookie = nla_get_u64(info->attrs[SMTPSPLICE_A_SCAN_COOKIE]);
	get_verdict(&a->verdict, info);
	err = check_reply(&a->verdict, info) ?:
	      check_accept(&a->verdict, info) ?:
	      answer(skb, info, SS_REQUEST_SCAN, cookie, a, replacement);
	kfree(a);
out:
	if (replacement)
		fput(replacement);
	return err;
}

/* Those of both directions, one behind the other. Nothing of them is left. */
static int get_secrets(struct ss_secrets *secrets, struct nlattr *attr,
		       struct genl_info *info)
{
	int len;

	if (!attr)
		return 0;
	len = nla_len(attr) / 2;
	if (nla_len(attr) % 2 || (len != 32 && len != SS_SECRET_MAX)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "secrets are of 32 or 48 octets each");
		return -EINVAL;
	}
	secrets->len = len;
	memcpy(secrets->recv, nla_data(attr), len);
	memcpy(secrets->send, nla_data(attr) + len, len);
	memzero_explicit(nla_data(attr), nla_len(attr));
	return 0;
}

static int get_handshake(struct ss_handshake *h, struct genl_info *info)
{
	const struct nlattr *cause = info->attrs[SMTPSPLICE_A_HANDSHAKE_CAUSE];

	h->result = nla_get_u32(info->attrs[SMTPSPLICE_A_HANDSHAKE_RESULT]);
	if (cause)
		h->cause = nla_get_u32(cause);
	get_string(h->server_name, sizeof(h->server_name),
		   info->attrs[SMTPSPLICE_A_HANDSHAKE_SERVER_NAME]);
	get_string(h->version, sizeof(h->version),
		   info->attrs[SMTPSPLICE_A_HANDSHAKE_VERSION]);
	get_string(h->cipher, sizeof(h->cipher),
		   info->attrs[SMTPSPLICE_A_HANDSHAKE_CIPHER]);
	get_string(h->text, sizeof(h->text),
		   info->attrs[SMTPSPLICE_A_HANDSHAKE_TEXT]);
	return get_secrets(&h->client,
			   info->attrs[SMTPSPLICE_A_HANDSHAKE_CLIENT_SECRETS],
			   info) ?:
	       get_secrets(&h->server,
			   info->attrs[SMTPSPLICE_A_HANDSHAKE_SERVER_SECRETS],
			   info);
}

int smtpsplice_nl_handshake_done_doit(struct sk_buff *skb,
				      struct genl_info *info)
{
	union ss_answer *a;
	u64 cookie;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, SMTPSPLICE_A_HANDSHAKE_COOKIE) ||
	    GENL_REQ_ATTR_CHECK(info, SMTPSPLICE_A_HANDSHAKE_RESULT))
		return -EINVAL;
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	cookie = nla_get_u64(info->attrs[SMTPSPLICE_A_HANDSHAKE_COOKIE]);
	err = get_handshake(&a->handshake, info);
	if (!err)
		err = answer(skb, info, SS_REQUEST_HANDSHAKE, cookie, a, NULL);
	kfree_sensitive(a);
	return err;
}

/* The first message of a dump is to hold the largest profile. */
static int profile_get_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = SS_PROFILE_SIZE_MAX + 1024;
	return 0;
}

int smtpsplice_nl_tls_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_profile_add(info_net(info), SS_PROFILE_TLS, info);
}

int smtpsplice_nl_tls_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_profile_set(info_net(info), SS_PROFILE_TLS, info);
}

int smtpsplice_nl_tls_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_profile_del(info_net(info), SS_PROFILE_TLS, info);
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
	return ss_profile_add(info_net(info), SS_PROFILE_AV, info);
}

int smtpsplice_nl_av_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_profile_set(info_net(info), SS_PROFILE_AV, info);
}

int smtpsplice_nl_av_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_profile_del(info_net(info), SS_PROFILE_AV, info);
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
	return ss_sessions_dump(ss_net_get(sock_net(cb->skb->sk)), skb, cb);
}

/* Each setting: its attribute, and where it is in struct ss_settings. */
static const struct setting {
	int attr;
	size_t at;
	size_t size;
} all_settings[] = {
#define SETTING(name, member)						\
	{ SMTPSPLICE_A_SETTINGS_##name,					\
	  offsetof(struct ss_settings, member),				\
	  sizeof_field(struct ss_settings, member) }
	SETTING(MAX_SESSIONS, max_sessions),
	SETTING(MAX_CLIENT_SESSIONS, max_client_sessions),
	SETTING(MAX_MESSAGE, max_message),
	SETTING(MAX_HELD, max_held),
	SETTING(DIAL_TIMEOUT, dial_timeout),
	SETTING(HANDSHAKE_TIMEOUT, handshake_timeout),
	SETTING(COMMAND_TIMEOUT, command_timeout),
	SETTING(DATA_TIMEOUT, data_timeout),
	SETTING(SCAN_TIMEOUT, scan_timeout),
	SETTING(REPLY_TIMEOUT, reply_timeout),
	SETTING(KEEPALIVE, keepalive),
	SETTING(BARE_NEWLINE, bare_newline),
	SETTING(MESSAGE_TIMEOUT, message_timeout),
	SETTING(CONSERVE_GREEN, conserve_green),
	SETTING(CONSERVE_RED, conserve_red),
	SETTING(CONSERVE_EXTREME, conserve_extreme),
#undef SETTING
};

static u64 get_setting(const struct ss_settings *s, const struct setting *one)
{
	const void *at = (const void *)s + one->at;

	return one->size == sizeof(u64) ? *(u64 *)at : *(u32 *)at;
}

/* Others read it at the same time. */
static void set_setting(struct ss_settings *s, const struct setting *one,
			u64 value)
{
	void *at = (void *)s + one->at;

	if (one->size == sizeof(u64))
		WRITE_ONCE(*(u64 *)at, value);
	else
		WRITE_ONCE(*(u32 *)at, value);
}

static int put_settings(struct ss_net *sn, struct sk_buff *skb)
{
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(all_settings) && !err; i++) {
		const struct setting *one = &all_settings[i];
		u64 value = get_setting(&sn->settings, one);

		err = one->size == sizeof(u64) ?
		      nla_put_u64_64bit(skb, one->attr, value, 0) :
		      nla_put_u32(skb, one->attr, value);
	}
	return err;
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

/* The watermarks have an order, the rest is as it is. */
static int check_settings(const struct ss_settings *new, struct genl_info *info)
{
	if (new->conserve_green < new->conserve_red &&
	    new->conserve_red <= new->conserve_extreme)
		return 0;
	GENL_SET_ERR_MSG(info, "conserve-green must be below conserve-red, and that not above conserve-extreme");
	return -EINVAL;
}

/* The netlink policy has checked each value for itself. */
static void take_settings(struct ss_settings *new, struct genl_info *info)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(all_settings); i++) {
		const struct setting *one = &all_settings[i];
		const struct nlattr *attr = info->attrs[one->attr];

		if (attr)
			set_setting(new, one, one->size == sizeof(u64) ?
				    nla_get_u64(attr) : nla_get_u32(attr));
	}
}

int smtpsplice_nl_settings_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ss_net *sn = info_net(info);
	struct ss_settings new;
	int i, err;

	mutex_lock(&sn->lock);
	new = sn->settings;
	take_settings(&new, info);
	err = check_settings(&new, info);
	for (i = 0; i < ARRAY_SIZE(all_settings) && !err; i++)
		set_setting(&sn->settings, &all_settings[i],
			    get_setting(&new, &all_settings[i]));
	mutex_unlock(&sn->lock);
	if (!err)
		ss_netlink_event(sn, SMTPSPLICE_EVENT_SETTINGS);
	return err;
}

/* Begins a message to a group, or returns NULL where nobody listens. */
static struct sk_buff *begin(struct ss_net *sn, int group, u8 cmd, void **hdr)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(&smtpsplice_nl_family, sn->net, group))
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

static void doorbell(struct ss_net *sn, enum ss_request_kind kind, u32 queued)
{
	static const struct {
		u8 cmd;
		int pending;
	} bells[] = {
		[SS_REQUEST_SCAN] = { SMTPSPLICE_CMD_SCAN_READY,
				      SMTPSPLICE_A_SCAN_PENDING },
		[SS_REQUEST_HANDSHAKE] = { SMTPSPLICE_CMD_HANDSHAKE_READY,
					   SMTPSPLICE_A_HANDSHAKE_PENDING },
	};
	struct sk_buff *skb;
	void *hdr;

	skb = begin(sn, SMTPSPLICE_NLGRP_WORK, bells[kind].cmd, &hdr);
	if (!skb)
		return;
	if (nla_put_u32(skb, bells[kind].pending, queued))
		nlmsg_free(skb);
	else
		send(sn, SMTPSPLICE_NLGRP_WORK, skb, hdr);
}

void ss_netlink_doorbell(struct ss_net *sn, enum ss_request_kind kind,
			 u32 queued)
{
	down_read(&registered_lock);
	if (registered)
		doorbell(sn, kind, queued);
	up_read(&registered_lock);
}

static int put_event_session(struct sk_buff *skb, const struct ss_session *s)
{
	if (nla_put_u64_64bit(skb, SMTPSPLICE_A_EVENT_SESSION, s->id, 0) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_IIF, s->iif) ||
	    ss_netlink_put_addr(skb, SMTPSPLICE_A_EVENT_CLIENT,
				SMTPSPLICE_A_EVENT_CLIENT_PORT, &s->client_addr) ||
	    ss_netlink_put_addr(skb, SMTPSPLICE_A_EVENT_SERVER,
				SMTPSPLICE_A_EVENT_SERVER_PORT, &s->server_addr))
		return -EMSGSIZE;
	return 0;
}

static int put_event_verdict(struct sk_buff *skb, const struct ss_verdict *v)
{
	if (nla_put_u32(skb, SMTPSPLICE_A_EVENT_VERDICT, v->verdict) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_REPLY, v->reply) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_VIRUS, v->virus) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_FILE, v->file) ||
	    nla_put_u32(skb, SMTPSPLICE_A_EVENT_UNSCANNED, v->unscanned))
		return -EMSGSIZE;
	return 0;
}

static int put_event_handshake(struct sk_buff *skb, const struct ss_handshake *h)
{
	if (nla_put_u32(skb, SMTPSPLICE_A_EVENT_RESULT, h->result) ||
	    nla_put_u32(skb, SMTPSPLICE_A_EVENT_CAUSE, h->cause) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_SERVER_NAME,
			   h->server_name) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_VERSION, h->version) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_CIPHER, h->cipher) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_TEXT, h->text))
		return -EMSGSIZE;
	return 0;
}

/**
 * struct event - something that happened
 * @kind: what
 * @s: the session that it happened to, or NULL
 * @policy: name of the policy, or NULL
 * @tls: name of the TLS profile, or NULL
 * @av: name of the AV profile, or NULL
 * @v: the verdict, or NULL
 * @h: the handshakes, or NULL
 */
struct event {
	enum smtpsplice_event kind;
	const struct ss_session *s;
	const char *policy;
	const char *tls;
	const char *av;
	const struct ss_verdict *v;
	const struct ss_handshake *h;
};

static void send_event(struct ss_net *sn, const struct event *e)
{
	struct sk_buff *skb;
	void *hdr;

	skb = begin(sn, SMTPSPLICE_NLGRP_EVENTS, SMTPSPLICE_CMD_EVENT, &hdr);
	if (!skb)
		return;
	if (nla_put_u32(skb, SMTPSPLICE_A_EVENT_KIND, e->kind) ||
	    (e->s && put_event_session(skb, e->s)) ||
	    (e->policy &&
	     nla_put_string(skb, SMTPSPLICE_A_EVENT_POLICY, e->policy)) ||
	    (e->tls && nla_put_string(skb, SMTPSPLICE_A_EVENT_TLS, e->tls)) ||
	    (e->av && nla_put_string(skb, SMTPSPLICE_A_EVENT_AV, e->av)) ||
	    (e->v && put_event_verdict(skb, e->v)) ||
	    (e->h && put_event_handshake(skb, e->h)))
		nlmsg_free(skb);
	else
		send(sn, SMTPSPLICE_NLGRP_EVENTS, skb, hdr);
}

static void tell(struct ss_net *sn, const struct event *e)
{
	down_read(&registered_lock);
	if (registered)
		send_event(sn, e);
	up_read(&registered_lock);
}

void ss_netlink_event(struct ss_net *sn, enum smtpsplice_event kind)
{
	tell(sn, &(struct event){ .kind = kind });
}

void ss_netlink_policy_event(struct ss_net *sn, enum smtpsplice_event kind,
			     const struct ss_policy *p)
{
	tell(sn, &(struct event){ .kind = kind, .policy = p->name });
}

void ss_netlink_profile_event(struct ss_net *sn, enum smtpsplice_event kind,
			      enum ss_profile_class class, const char *name)
{
	tell(sn, &(struct event){
		.kind = kind,
		.tls = class == SS_PROFILE_TLS ? name : NULL,
		.av = class == SS_PROFILE_AV ? name : NULL,
	});
}

void ss_netlink_session_event(const struct ss_session *s,
			      enum smtpsplice_event kind,
			      const struct ss_verdict *v)
{
	tell(s->sn, &(struct event){
		.kind = kind, .s = s, .policy = s->policy->name, .v = v,
	});
}

void ss_netlink_handshake_event(const struct ss_session *s,
				const struct ss_handshake *h)
{
	tell(s->sn, &(struct event){
		.kind = SMTPSPLICE_EVENT_HANDSHAKE, .s = s,
		.policy = s->policy->name,
		.tls = s->profile ? s->profile->name : NULL, .h = h,
	});
}

int __init ss_netlink_init(void)
{
	int err;

	smtpsplice_nl_family.mcgrps = groups;
	err = genl_register_family(&smtpsplice_nl_family);
	down_write(&registered_lock);
	registered = !err;
	up_write(&registered_lock);
	return err;
}

void ss_netlink_exit(void)
{
	down_write(&registered_lock);
	registered = false;
	up_write(&registered_lock);
	genl_unregister_family(&smtpsplice_nl_family);
}
