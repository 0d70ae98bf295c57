// SPDX-License-Identifier: GPL-2.0
/*
 * A connection that was accepted becomes a session, or is turned away.
 */
#include <linux/netdevice.h>
#include <net/sock.h>

#include "accept.h"
#include "addr.h"
#include "leg.h"
#include "policy.h"
#include "session-run.h"
#include "session-table.h"
#include "session.h"
#include "share.h"
#include "stats.h"
#include "waker.h"

/* Best effort, without a session: there may be no memory for one. */
static void turn_away(struct ss_net *sn, struct socket *sock)
{
	static const char reply[] = "421 4.3.2 Too many sessions, try again later\r\n";
	struct kvec iov = { .iov_base = (void *)reply, .iov_len = sizeof(reply) - 1 };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };

	ss_stats_inc(sn, OVER_LIMIT);
	kernel_sendmsg(sock, &msg, &iov, 1, iov.iov_len);
	/*
	 * A reference to the namespace lets the socket keep its timers, so that
	 * it sees to its FIN itself: nobody else will wait for that. Where the
	 * namespace goes away there is no end to wait for.
	 */
	if (!ss_leg_pin_net(sock->sk))
		sock_no_linger(sock->sk);
	sock_release(sock);
}

static struct ss_session *new_session(struct ss_policy *policy,
				      const struct sock *sk)
{
	struct ss_session *s = ss_session_new(policy, ss_session_work);

	if (!s)
		return NULL;
	ss_addr_read(sk, &s->client_addr, &s->server_addr);
	s->share = ss_share_get(s->sn, &s->client_addr);
	if (!s->share) {
		ss_session_discard(s);
		return NULL;
	}
	s->request.share = s->share;
	return s;
}

void ss_accept(struct ss_policy *policy, struct socket *sock)
{
	struct ss_net *sn = policy->sn;
	struct net_device *dev;
	struct ss_session *s;
	int err;

	s = new_session(policy, sock->sk);
	if (!s) {
		turn_away(sn, sock);
		return;
	}
	rcu_read_lock();
	dev = dev_get_by_index_rcu(sn->net,
				   READ_ONCE(sock->sk->sk_rx_dst_ifindex));
	strscpy(s->iif, dev ? dev->name : policy->iif, sizeof(s->iif));
	rcu_read_unlock();

	/* the session can be found and killed now, but its work waits */
	ss_waker_get(&s->waker);
	mutex_lock(&s->lock);
	err = ss_session_table_add(s);
	if (!err) {
		ss_stats_inc(sn, ACCEPTED);
		atomic64_inc(&policy->sessions);
		ss_session_begin(s, sock);
	}
	mutex_unlock(&s->lock);
	if (!err) {
		ss_waker_put(&s->waker);
		return;
	}
	ss_session_discard(s);
	if (err == -EUSERS)
		turn_away(sn, sock);
	else
		sock_release(sock);
}
