// SPDX-License-Identifier: GPL-2.0
/*
 * The sessions of a network namespace: who is let in, the list of those alive
 * (covered by ss_net.sessions_lock), and their end when the namespace or the
 * module goes. What one session does is in session.c.
 */
#include <linux/random.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "addr.h"
#include "leg.h"
#include "netlink-msg.h"
#include "policy.h"
#include "session.h"
#include "sessions.h"
#include "share.h"
#include "stats.h"

/* Caller holds sessions_lock. */
static bool over_limit(const struct ss_session *new)
{
	const struct ss_settings *set = &new->sn->settings;

	lockdep_assert_held(&new->sn->sessions_lock);
	return atomic_read(&new->sn->session_count) >=
	       READ_ONCE(set->max_sessions) ||
	       new->share->sessions >= READ_ONCE(set->max_client_sessions);
}

/* Adds a session to the namespace, unless that goes away or has enough. */
static int link_session(struct ss_session *s)
{
	static atomic64_t last_id;
	struct ss_net *sn = s->sn;
	int err = 0;

	spin_lock_bh(&sn->sessions_lock);
	if (sn->dying) {
		err = -ESHUTDOWN;
	} else if (over_limit(s)) {
		err = -EUSERS;
	} else {
		s->id = atomic64_inc_return(&last_id);
		refcount_inc(&sn->users);
		atomic_inc(&sn->session_count);
		s->share->sessions++;
		list_add_tail(&s->node, &sn->sessions);
		sn->session_gen++;
	}
	spin_unlock_bh(&sn->sessions_lock);
	return err;
}

/* Best effort, without a session: there may be no memory for one. */
static void turn_away(struct ss_net *sn, struct socket *sock)
{
	static const char reply[] = "421 4.3.2 Too many sessions, try again later\r\n";
	struct kvec iov = { .iov_base = (void *)reply, .iov_len = sizeof(reply) - 1 };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };

	ss_stats_inc(sn, OVER_LIMIT);
	kernel_sendmsg(sock, &msg, &iov, 1, iov.iov_len);
	/*
	 * Nobody will wait for the end of the FIN: with a reference to the
	 * namespace the socket keeps its timers and does so itself. Where the
	 * namespace goes away there is no end to wait for.
	 */
	if (!ss_leg_pin_net(sock->sk))
		sock_no_linger(sock->sk);
	sock_release(sock);
}

static struct ss_session *new_session(struct ss_policy *policy,
				      const struct sock *sk)
{
	struct ss_session *s = ss_session_new(policy);

	if (!s)
		return NULL;
	ss_addr_read(sk, &s->client_addr, &s->server_addr);
	s->share = ss_share_get(s->sn, &s->client_addr);
	if (s->share)
		return s;
	ss_session_discard(s);
	return NULL;
}

void ss_sessions_start(struct ss_policy *policy, struct socket *sock)
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

	/* from here on it can be found and killed, but waits for the lock */
	ss_session_hold(s);
	mutex_lock(&s->lock);
	err = link_session(s);
	if (!err) {
		ss_stats_inc(sn, ACCEPTED);
		atomic64_inc(&policy->sessions);
		ss_session_begin(s, sock);
	}
	mutex_unlock(&s->lock);
	if (!err) {
		ss_session_put(s);
		return;
	}
	ss_session_discard(s);
	if (err == -EUSERS)
		turn_away(sn, sock);
	else
		sock_release(sock);
}

static bool port_taken(const struct ss_session *new, __be16 port)
{
	struct ss_addr client = new->client_addr;
	const struct ss_session *s;

	lockdep_assert_held(&new->sn->sessions_lock);
	list_for_each_entry(s, &new->sn->sessions, node) {
		if (s->client_addr.port == port &&
		    s->client_addr.family == client.family &&
		    ss_addr_same_client(&s->client_addr, &client))
			return true;
	}
	return false;
}

__be16 ss_sessions_free_port(const struct ss_session *s)
{
	struct net *net = s->sn->net;
	int low, high, tries;
	__be16 found = 0;

	inet_get_local_port_range(net, &low, &high);
	spin_lock_bh(&s->sn->sessions_lock);
	for (tries = 0; tries < 16 && !found; tries++) {
		u16 port = get_random_u32_inclusive(low, high);

		if (!inet_is_local_reserved_port(net, port) &&
		    !port_taken(s, htons(port)))
			found = htons(port);
	}
	spin_unlock_bh(&s->sn->sessions_lock);
	return found;
}

void ss_sessions_flush(struct ss_net *sn)
{
	struct ss_session *s;

	spin_lock_bh(&sn->sessions_lock);
	sn->dying = true;
	list_for_each_entry(s, &sn->sessions, node) {
		WRITE_ONCE(s->killed, true);
		ss_session_wake(s);
	}
	spin_unlock_bh(&sn->sessions_lock);
	if (refcount_dec_and_test(&sn->users))
		complete(&sn->idle);
	wait_for_completion(&sn->idle);
}

static int put_session(struct sk_buff *skb, const struct ss_session *s)
{
	u64 held = READ_ONCE(s->state) < SMTPSPLICE_STATE_BODY ? 0 :
		   READ_ONCE(s->hold.len);

	if (nla_put_u64_64bit(skb, SMTPSPLICE_A_SESSION_ID, s->id, 0) ||
	    nla_put_string(skb, SMTPSPLICE_A_SESSION_POLICY, s->policy->name) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SESSION_STATE, READ_ONCE(s->state)) ||
	    nla_put_string(skb, SMTPSPLICE_A_SESSION_IIF, s->iif) ||
	    ss_addr_put(skb, SMTPSPLICE_A_SESSION_CLIENT,
			SMTPSPLICE_A_SESSION_CLIENT_PORT, &s->client_addr) ||
	    ss_addr_put(skb, SMTPSPLICE_A_SESSION_SERVER,
			SMTPSPLICE_A_SESSION_SERVER_PORT, &s->server_addr) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_SESSION_AGE,
			      jiffies_to_msecs(jiffies - s->born), 0) ||
	    (READ_ONCE(s->handshaken) &&
	     nla_put_u32(skb, SMTPSPLICE_A_SESSION_TLS, READ_ONCE(s->tls))) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SESSION_MESSAGES,
			READ_ONCE(s->messages)) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_SESSION_HELD, held, 0))
		return -EMSGSIZE;
	return 0;
}

/* The id of the last session listed is the cursor: ids only grow. */
int ss_sessions_dump(struct ss_net *sn, struct sk_buff *skb,
		     struct netlink_callback *cb)
{
	const struct ss_session *s;
	int err = 0;

	spin_lock_bh(&sn->sessions_lock);
	cb->seq = sn->session_gen;
	list_for_each_entry(s, &sn->sessions, node) {
		void *hdr;

		if (s->id <= cb->args[0])
			continue;
		hdr = ss_netlink_dump_begin(skb, cb, SMTPSPLICE_CMD_SESSION_GET);
		if (hdr)
			err = put_session(skb, s);
		err = ss_netlink_dump_put(skb, hdr, err);
		if (err)
			break;
		cb->args[0] = s->id;
	}
	spin_unlock_bh(&sn->sessions_lock);
	return ss_netlink_dump_end(skb, err);
}
