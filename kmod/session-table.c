// SPDX-License-Identifier: GPL-2.0
/*
 * The sessions of a network namespace: the list of those alive (covered by
 * ss_net.sessions_lock), how many there may be, and their end when the
 * namespace or the module goes. What one session does is in session.c.
 */
#include <linux/random.h>
#include <net/genetlink.h>
#include <net/ip.h>

#include "addr.h"
#include "netlink-msg.h"
#include "policy.h"
#include "session-table.h"
#include "session.h"
#include "share.h"
#include "waker.h"

static bool over_limit(const struct ss_session *new)
	__must_hold(&new->sn->sessions_lock)
{
	const struct ss_settings *set = &new->sn->settings;

	lockdep_assert_held(&new->sn->sessions_lock);
	return atomic_read(&new->sn->session_count) >=
	       READ_ONCE(set->max_sessions) ||
	       new->share->sessions >= READ_ONCE(set->max_client_sessions);
}

int ss_session_table_add(struct ss_session *s)
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
		s->waker.id = atomic64_inc_return(&last_id);
		refcount_inc(&sn->users);
		atomic_inc(&sn->session_count);
		s->share->sessions++;
		list_add_tail(&s->node, &sn->sessions);
		sn->session_gen++;
	}
	spin_unlock_bh(&sn->sessions_lock);
	return err;
}

void ss_session_table_unlink(struct ss_session *s)
{
	struct ss_net *sn = s->sn;

	spin_lock_bh(&sn->sessions_lock);
	list_del(&s->node);
	s->share->sessions--;
	sn->session_gen++;
	spin_unlock_bh(&sn->sessions_lock);
}

static bool port_taken(const struct ss_session *new, __be16 port)
	__must_hold(&new->sn->sessions_lock)
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

__be16 ss_session_table_free_port(const struct ss_session *s)
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

void ss_session_table_flush(struct ss_net *sn)
{
	struct ss_session *s;

	spin_lock_bh(&sn->sessions_lock);
	sn->dying = true;
	list_for_each_entry(s, &sn->sessions, node) {
		WRITE_ONCE(s->waker.killed, true);
		ss_waker_wake(&s->waker);
	}
	spin_unlock_bh(&sn->sessions_lock);
	if (refcount_dec_and_test(&sn->users))
		complete(&sn->idle);
	wait_for_completion(&sn->idle);
}

int ss_session_table_put(struct sk_buff *skb, const struct ss_session *s,
			 const struct ss_session_attrs *a)
{
	if (nla_put_u64_64bit(skb, a->id, s->waker.id, 0) ||
	    nla_put_string(skb, a->policy, s->policy->name) ||
	    nla_put_string(skb, a->iif, s->iif) ||
	    ss_addr_put(skb, a->client, a->client_port, &s->client_addr) ||
	    ss_addr_put(skb, a->server, a->server_port, &s->server_addr))
		return -EMSGSIZE;
	return 0;
}

static int put_session(struct sk_buff *skb, const struct ss_session *s)
	__must_hold(&s->sn->sessions_lock)
{
	static const struct ss_session_attrs attrs = {
		.id = SMTPSPLICE_A_SESSION_ID,
		.policy = SMTPSPLICE_A_SESSION_POLICY,
		.iif = SMTPSPLICE_A_SESSION_IIF,
		.client = SMTPSPLICE_A_SESSION_CLIENT,
		.client_port = SMTPSPLICE_A_SESSION_CLIENT_PORT,
		.server = SMTPSPLICE_A_SESSION_SERVER,
		.server_port = SMTPSPLICE_A_SESSION_SERVER_PORT,
	};
	u64 held = READ_ONCE(s->state) < SMTPSPLICE_STATE_BODY ? 0 :
		   READ_ONCE(s->hold.len);

	lockdep_assert_held(&s->sn->sessions_lock);
	if (ss_session_table_put(skb, s, &attrs) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SESSION_STATE, READ_ONCE(s->state)) ||
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
int ss_session_table_dump(struct ss_net *sn, struct sk_buff *skb,
			  struct netlink_callback *cb)
{
	const struct ss_session *s;
	int err = 0;

	spin_lock_bh(&sn->sessions_lock);
	cb->seq = sn->session_gen;
	list_for_each_entry(s, &sn->sessions, node) {
		void *hdr;

		if (s->waker.id <= cb->args[0])
			continue;
		hdr = ss_netlink_dump_begin(skb, cb, SMTPSPLICE_CMD_SESSION_GET);
		if (hdr)
			err = put_session(skb, s);
		err = ss_netlink_dump_put(skb, hdr, err);
		if (err)
			break;
		cb->args[0] = s->waker.id;
	}
	spin_unlock_bh(&sn->sessions_lock);
	return ss_netlink_dump_end(skb, err);
}
