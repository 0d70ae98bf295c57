// SPDX-License-Identifier: GPL-2.0
/*
 * The hand-off: a session's two sockets are lent to the helper for the TLS
 * handshakes, and taken back with kTLS on both, or with nothing changed.
 *
 * It runs under the session's lock, but for the hand-over to the helper, see
 * ss_request_tell(). Exactly one ends a hand-off: the helper's answer, its death,
 * the time-out or the end of the session (see request.c). The helper's descriptors
 * are references of its own to the files; it has to close them before it answers.
 * Others that look at them (ss -p, lsof) have them for a moment, which is waited
 * for; whoever keeps one until the time is up gets a dead connection. So nobody
 * else can reach a socket that is ours again, and no callback of ours is ever
 * beneath those of kTLS.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <net/genetlink.h>
#include <net/tls_prot.h>

#include "addr.h"
#include "answer.h"
#include "handoff.h"
#include "leg.h"
#include "net.h"
#include "netlink-gen.h"
#include "policy.h"
#include "profile-class.h"
#include "profile.h"
#include "request.h"
#include "session.h"

/* What goes with a request besides the profile. */
#define REPLY_SIZE	(SS_PROFILE_SIZE_MAX + 1024)

int ss_handoff_lend(struct ss_session *s)
{
	int err;

	lockdep_assert_held(&s->lock);
	err = ss_leg_lend(&s->client);
	if (!err)
		err = ss_leg_lend(&s->server);
	if (!err)
		ss_request_submit(s, SS_REQUEST_HANDSHAKE, s->deadline);
	return err;
}

static int put_request(struct sk_buff *skb, const struct ss_session *s,
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
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_HANDSHAKE_SESSION, s->id, 0) ||
	    nla_put_string(skb, SMTPSPLICE_A_HANDSHAKE_POLICY,
			   s->policy->name) ||
	    nla_put_string(skb, SMTPSPLICE_A_HANDSHAKE_IIF, s->iif) ||
	    ss_addr_put(skb, SMTPSPLICE_A_HANDSHAKE_CLIENT,
			SMTPSPLICE_A_HANDSHAKE_CLIENT_PORT, &s->client_addr) ||
	    ss_addr_put(skb, SMTPSPLICE_A_HANDSHAKE_SERVER,
			SMTPSPLICE_A_HANDSHAKE_SERVER_PORT, &s->server_addr))
		return -EMSGSIZE;
	if (!ss_profile_smtps(s->profile, ntohs(s->server_addr.port)) &&
	    nla_put_flag(skb, SMTPSPLICE_A_HANDSHAKE_STARTTLS))
		return -EMSGSIZE;
	return ss_profile_fill(s->profile, skb, SMTPSPLICE_A_HANDSHAKE_TLS);
}

static int reply(struct ss_session *s, u64 cookie, struct genl_info *info,
		 const int *fds)
{
	struct sk_buff *skb;
	void *hdr;

	skb = genlmsg_new(REPLY_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &smtpsplice_nl_family, 0,
				SMTPSPLICE_CMD_HANDSHAKE_ACCEPT);
	if (!hdr || put_request(skb, s, cookie, fds)) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

/* The files appear in the caller's table only once nothing can fail any more. */
int ss_handoff_accept(struct ss_session *s, u64 cookie, struct genl_info *info)
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
	err = err ?: reply(s, cookie, info, fds);
	while (i--) {
		if (err)
			put_unused_fd(fds[i]);
		else
			fd_install(fds[i], get_file(files[i]));
	}
	return err;
}

/* A TLS alert in plain text, for a client that may not have got any further. */
static void alert(struct ss_leg *leg)
{
	static const u8 record[] = {
		TLS_RECORD_TYPE_ALERT, 3, 3, 0, 2,
		TLS_ALERT_LEVEL_FATAL, TLS_ALERT_DESC_INTERNAL_ERROR,
	};
	struct kvec iov = {
		.iov_base = (void *)record,
		.iov_len = sizeof(record),
	};
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };

	if (leg->sock && leg->lent && !ss_leg_has_ulp(leg))
		kernel_sendmsg(leg->sock, &msg, &iov, 1, iov.iov_len);
}

static void give_up(struct ss_leg *leg)
{
	if (leg->sock && leg->lent && ss_leg_reclaim(leg, SS_LEG_ANY))
		ss_leg_close(leg);
	/* the kernel has its keys, but the other leg is not as it should be */
	if (leg->tls)
		ss_leg_break(leg, TLS_ALERT_DESC_INTERNAL_ERROR);
}

void ss_handoff_abort(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!s->client.lent)
		return;
	ss_request_cancel(s, &s->answer);
	alert(&s->client);
	give_up(&s->client);
	give_up(&s->server);
}

static bool is_shared(const struct ss_leg *leg)
{
	return leg->file && file_count(leg->file) != 1;
}

bool ss_handoff_shared(const struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	return is_shared(&s->client) || is_shared(&s->server);
}

static void refute(struct ss_handshake *h, const char *text)
{
	h->result = SMTPSPLICE_TLS_RESULT_FAILED;
	h->cause = SMTPSPLICE_TLS_CAUSE_HELPER;
	strscpy(h->text, text, sizeof(h->text));
}

static void reclaim_both(struct ss_session *s, struct ss_handshake *h,
			 enum ss_leg_security want)
{
	struct ss_leg *c = &s->client, *v = &s->server;

	if (ss_leg_reclaim(c, want) || ss_leg_reclaim(v, want))
		refute(h, "sockets are not as the helper says");
	else if (want == SS_LEG_TLS &&
		 ss_leg_tls_version(c) > ss_leg_tls_version(v))
		refute(h, "TLS of the client is newer than the server's");
	if (want == SS_LEG_TLS) {
		c->secrets = h->client;
		v->secrets = h->server;
	}
}

void ss_handoff_reclaim(struct ss_session *s, struct ss_handshake *h)
{
	lockdep_assert_held(&s->lock);
	if (!s->client.sock || !s->server.sock)
		refute(h, "sockets cannot be lent");
	else if (h->result == SMTPSPLICE_TLS_RESULT_INSPECTED)
		reclaim_both(s, h, SS_LEG_TLS);
	else if (h->result == SMTPSPLICE_TLS_RESULT_BYPASSED)
		reclaim_both(s, h, SS_LEG_PLAIN);
	memzero_explicit(&h->client, sizeof(h->client));
	memzero_explicit(&h->server, sizeof(h->server));
	if (h->result != SMTPSPLICE_TLS_RESULT_FAILED)
		return;
	/* the helper has told the peers of what it has noticed itself */
	if (h->cause == SMTPSPLICE_TLS_CAUSE_HELPER ||
	    h->cause == SMTPSPLICE_TLS_CAUSE_TIMEOUT)
		alert(&s->client);
	give_up(&s->client);
	give_up(&s->server);
}
