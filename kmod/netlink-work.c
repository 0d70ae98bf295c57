// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family's commands of the helper: it takes requests and
 * answers them. What it says is checked here, whose it is by request.c.
 */
#include <linux/ctype.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "answer.h"
#include "hold.h"
#include "net.h"
#include "netlink-gen.h"
#include "netlink-msg.h"
#include "profile-class.h"
#include "profile.h"
#include "rekey.h"
#include "request.h"
#include "session-table.h"
#include "session.h"
#include "smtp/smtp.h"
#include "stats.h"
#include "waker.h"

/* Room for a handshake request: the profile, and what goes with it. */
#define HANDSHAKE_REPLY_SIZE	(SS_PROFILE_SIZE_MAX + 1024)
/* Room for a scan request: the envelope that is kept, the profile, and the rest. */
#define SCAN_REPLY_SIZE	(2 * SS_ENVELOPE_MAX + SS_PROFILE_SIZE_MAX + 4096)

static const struct ss_session_attrs scan_attrs = {
	.id = SMTPSPLICE_A_SCAN_SESSION,
	.policy = SMTPSPLICE_A_SCAN_POLICY,
	.iif = SMTPSPLICE_A_SCAN_IIF,
	.client = SMTPSPLICE_A_SCAN_CLIENT,
	.client_port = SMTPSPLICE_A_SCAN_CLIENT_PORT,
	.server = SMTPSPLICE_A_SCAN_SERVER,
	.server_port = SMTPSPLICE_A_SCAN_SERVER_PORT,
};

static const struct ss_session_attrs handshake_attrs = {
	.id = SMTPSPLICE_A_HANDSHAKE_SESSION,
	.policy = SMTPSPLICE_A_HANDSHAKE_POLICY,
	.iif = SMTPSPLICE_A_HANDSHAKE_IIF,
	.client = SMTPSPLICE_A_HANDSHAKE_CLIENT,
	.client_port = SMTPSPLICE_A_HANDSHAKE_CLIENT_PORT,
	.server = SMTPSPLICE_A_HANDSHAKE_SERVER,
	.server_port = SMTPSPLICE_A_HANDSHAKE_SERVER_PORT,
};

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
		/* recipients that do not fit are in the count */
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
	    ss_session_table_put(skb, s, &scan_attrs))
		return -EMSGSIZE;
	if ((s->smtp.chunked && nla_put_flag(skb, SMTPSPLICE_A_SCAN_CHUNKED)) ||
	    (s->handshaken && s->tls == SMTPSPLICE_TLS_RESULT_INSPECTED &&
	     nla_put_flag(skb, SMTPSPLICE_A_SCAN_TLS)) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SCAN_MODE, s->smtp.passed ?
			SMTPSPLICE_MODE_SPLICE : SMTPSPLICE_MODE_HOLD) ||
	    ss_profile_fill(s->av, skb, SMTPSPLICE_A_SCAN_AV))
		return -EMSGSIZE;
	return put_envelope(skb, &s->smtp);
}

/*
 * Hands the message of @s, which stays while it is told of, to the caller of the
 * netlink request. The file appears in its table only once nothing can fail any
 * more.
 */
static int hand_over_message(struct ss_session *s, u64 cookie,
			     struct genl_info *info)
{
	struct file *file;
	struct sk_buff *skb;
	void *hdr;
	int fd, err;

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

static int put_handshake(struct sk_buff *skb, const struct ss_session *s,
			 u64 cookie, const int *fds)
{
	const struct ss_queue *q = &s->sn->queues[SS_REQUEST_HANDSHAKE];
	long left = s->request.deadline - jiffies;

	if (nla_put_u64_64bit(skb, SMTPSPLICE_A_HANDSHAKE_COOKIE, cookie, 0) ||
	    nla_put_s32(skb, SMTPSPLICE_A_HANDSHAKE_CLIENT_FD, fds[0]) ||
	    nla_put_s32(skb, SMTPSPLICE_A_HANDSHAKE_SERVER_FD, fds[1]) ||
	    nla_put_u32(skb, SMTPSPLICE_A_HANDSHAKE_TIMEOUT,
			jiffies_to_msecs(max(left, 0L))) ||
	    nla_put_u32(skb, SMTPSPLICE_A_HANDSHAKE_PENDING,
			READ_ONCE(q->queued)) ||
	    ss_session_table_put(skb, s, &handshake_attrs))
		return -EMSGSIZE;
	if (!ss_profile_smtps(s->profile, ntohs(s->server_addr.port)) &&
	    nla_put_flag(skb, SMTPSPLICE_A_HANDSHAKE_STARTTLS))
		return -EMSGSIZE;
	return ss_profile_fill(s->profile, skb, SMTPSPLICE_A_HANDSHAKE_TLS);
}

static int reply_handshake(struct ss_session *s, u64 cookie,
			   struct genl_info *info, const int *fds)
{
	struct sk_buff *skb;
	void *hdr;

	skb = genlmsg_new(HANDSHAKE_REPLY_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &smtpsplice_nl_family, 0,
				SMTPSPLICE_CMD_HANDSHAKE_ACCEPT);
	if (!hdr || put_handshake(skb, s, cookie, fds)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

/*
 * Hands both sockets of @s, which stay lent while it is told of, to the caller
 * of the netlink request. The files appear in its table only once
 * nothing can fail any more.
 */
static int hand_over_sockets(struct ss_session *s, u64 cookie,
			     struct genl_info *info)
{
	struct file *files[] = { s->client.file, s->server.file };
	int fds[ARRAY_SIZE(files)];
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = get_unused_fd_flags(O_CLOEXEC);
		if (fds[i] < 0) {
			err = fds[i];
			break;
		}
	}
	err = err ?: reply_handshake(s, cookie, info, fds);
	while (i--) {
		if (err)
			put_unused_fd(fds[i]);
		else
			fd_install(fds[i], get_file(files[i]));
	}
	return err;
}

static void give_back(struct ss_session *s, u64 cookie)
{
	ss_request_untake(&s->request, cookie);
	ss_request_ring(&s->request);
	/* the session has to ring again */
	if (ss_request_unrung(&s->request))
		ss_waker_wake(&s->waker);
}

static void say_unregistered(struct genl_info *info, enum ss_request_kind kind)
{
	if (kind == SS_REQUEST_SCAN)
		GENL_SET_ERR_MSG(info, "not registered for the role scan");
	else
		GENL_SET_ERR_MSG(info, "not registered for the role tls");
}

/* Hands the oldest request of a kind that is still wanted to the helper. */
static int accept_request(struct sk_buff *skb, struct genl_info *info,
			  enum ss_request_kind kind,
			  int (*hand_over)(struct ss_session *s, u64 cookie,
					   struct genl_info *info))
{
	struct ss_net *sn = ss_netlink_net(info);
	struct ss_session *s;
	struct ss_request *r;
	u64 cookie;
	bool ours;
	int err;

	do {
		r = ss_request_take(sn, kind, NETLINK_CB(skb).sk, &cookie);
		if (r == ERR_PTR(-EPERM))
			say_unregistered(info, kind);
		if (IS_ERR(r))
			return PTR_ERR(r);
		s = container_of(r, struct ss_session, request);
		ss_request_tell(r);
		/* the request may have timed out, or its client have gone */
		ours = ss_request_is(r, cookie);
		if (ours) {
			err = hand_over(s, cookie, info);
			if (err)
				give_back(s, cookie);
			/* -EAGAIN says that none waits */
			if (err == -EAGAIN)
				err = -ENOBUFS;
		}
		ss_request_told(r);
		ss_waker_put(&s->waker);
	} while (!ours);
	return err;
}

int smtpsplice_nl_scan_accept_doit(struct sk_buff *skb, struct genl_info *info)
{
	return accept_request(skb, info, SS_REQUEST_SCAN, hand_over_message);
}

int smtpsplice_nl_handshake_accept_doit(struct sk_buff *skb,
					struct genl_info *info)
{
	return accept_request(skb, info, SS_REQUEST_HANDSHAKE,
			      hand_over_sockets);
}

/* Has the text a control character, which could bring another line with it? */
static bool has_control(const char *text)
{
	for (; *text; text++) {
		if ((u8)*text < 0x20 || *text == 0x7f)
			return true;
	}
	return false;
}

/*
 * Checks the reply that the helper wants the client to be told. The helper is not
 * trusted to keep to one line, or to the class of reply that goes with its verdict.
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

/* Checks what goes with the verdict accept alone. */
static int check_accept(const struct ss_verdict *v, struct genl_info *info)
{
	if (v->verdict != SMTPSPLICE_VERDICT_ACCEPT &&
	    (v->tag[0] || info->attrs[SMTPSPLICE_A_SCAN_REPLACEMENT])) {
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

/* Gets the replacement that the helper names by a descriptor, where there is one. */
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
static int answer_request(struct sk_buff *skb, struct genl_info *info,
			  enum ss_request_kind kind, u64 cookie,
			  const union ss_answer *answer,
			  struct file *replacement)
{
	struct ss_net *sn = ss_netlink_net(info);
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
	      answer_request(skb, info, SS_REQUEST_SCAN, cookie, a,
			     replacement);
	kfree(a);
out:
	if (replacement)
		fput(replacement);
	return err;
}

/* Takes the secrets of both directions, and leaves none in the request. */
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
		err = answer_request(skb, info, SS_REQUEST_HANDSHAKE, cookie, a,
				     NULL);
	kfree_sensitive(a);
	return err;
}
