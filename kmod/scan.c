// SPDX-License-Identifier: GPL-2.0
/*
 * Scan requests: held messages that wait for a helper, or that a helper has.
 *
 * ss_net.scan_lock covers all of it. A request is part of its session; whoever
 * gets a session from here holds a reference to it. Each request ends in
 * exactly one way, decided under the lock: a verdict, or the session takes it
 * back. The order is "oldest first"; a request that a dead helper had keeps
 * its place at the front.
 */
#include <linux/jiffies.h>
#include <linux/random.h>

#include "netlink.h"
#include "scan.h"
#include "session.h"
#include "smtpsplice.h"
#include "trace.h"

static struct ss_session *session_of(struct ss_scan *scan)
{
	return container_of(scan, struct ss_session, scan);
}

/* The one place where a request changes its state. */
static void set_state(struct ss_session *s, enum ss_scan_state state)
{
	struct ss_scan *scan = &s->scan;
	struct ss_net *sn = s->sn;

	lockdep_assert_held(&sn->scan_lock);
	trace_smtpsplice_scan_state(s->id, scan->state, state, scan->portid);
	if (scan->state == SS_SCAN_PENDING)
		sn->scan_queued--;
	if (state == SS_SCAN_PENDING)
		sn->scan_queued++;
	scan->state = state;
}

void ss_scan_submit(struct ss_session *s, unsigned long deadline)
{
	struct ss_net *sn = s->sn;
	u32 queued;

	spin_lock_bh(&sn->scan_lock);
	s->scan.attempt = 0;
	s->scan.portid = 0;
	s->scan.deadline = deadline;
	list_add_tail(&s->scan.node, &sn->scan_pending);
	set_state(s, SS_SCAN_PENDING);
	queued = sn->scan_queued;
	spin_unlock_bh(&sn->scan_lock);
	ss_netlink_doorbell(sn, queued);
}

bool ss_scan_done(struct ss_session *s)
{
	return READ_ONCE(s->scan.state) == SS_SCAN_DONE;
}

bool ss_scan_cancel(struct ss_session *s, struct ss_verdict *v)
{
	bool done;

	spin_lock_bh(&s->sn->scan_lock);
	done = s->scan.state == SS_SCAN_DONE;
	if (done)
		*v = s->scan.verdict;
	else if (s->scan.state != SS_SCAN_IDLE)
		list_del(&s->scan.node);
	if (s->scan.state != SS_SCAN_IDLE)
		set_state(s, SS_SCAN_IDLE);
	spin_unlock_bh(&s->sn->scan_lock);
	return done;
}

struct ss_session *ss_scan_take(struct ss_net *sn, const struct sock *sk,
				u64 *cookie)
{
	struct ss_session *s;
	struct ss_scan *scan;

	spin_lock_bh(&sn->scan_lock);
	if (sk != sn->scan_sk) {
		s = ERR_PTR(-EPERM);
	} else if (list_empty(&sn->scan_pending)) {
		s = ERR_PTR(-EAGAIN);
	} else {
		scan = list_first_entry(&sn->scan_pending, struct ss_scan, node);
		s = session_of(scan);
		ss_session_hold(s);
		scan->portid = sn->scan_port;
		scan->attempt++;
		scan->cookie = get_random_u64();
		*cookie = scan->cookie;
		list_move_tail(&scan->node, &sn->scan_taken);
		set_state(s, SS_SCAN_TAKEN);
	}
	spin_unlock_bh(&sn->scan_lock);
	return s;
}

bool ss_scan_is(struct ss_session *s, u64 cookie)
{
	bool ret;

	spin_lock_bh(&s->sn->scan_lock);
	ret = s->scan.state == SS_SCAN_TAKEN && s->scan.cookie == cookie;
	spin_unlock_bh(&s->sn->scan_lock);
	return ret;
}

void ss_scan_untake(struct ss_session *s, u64 cookie)
{
	struct ss_net *sn = s->sn;

	spin_lock_bh(&sn->scan_lock);
	if (s->scan.state == SS_SCAN_TAKEN && s->scan.cookie == cookie) {
		s->scan.attempt--;
		list_move(&s->scan.node, &sn->scan_pending);
		set_state(s, SS_SCAN_PENDING);
	}
	spin_unlock_bh(&sn->scan_lock);
}

static void finish(struct ss_session *s, const struct ss_verdict *v)
{
	list_del(&s->scan.node);
	s->scan.verdict = *v;
	set_state(s, SS_SCAN_DONE);
	ss_session_wake(s);
}

int ss_scan_answer(struct ss_net *sn, const struct sock *sk, u64 cookie,
		   const struct ss_verdict *v)
{
	struct ss_scan *scan;
	int err = -ENOENT;

	spin_lock_bh(&sn->scan_lock);
	if (sk != sn->scan_sk) {
		err = -EPERM;
		goto out;
	}
	/* what is taken was taken by this helper: see ss_scan_requeue() */
	list_for_each_entry(scan, &sn->scan_taken, node) {
		if (scan->cookie == cookie) {
			finish(session_of(scan), v);
			err = 0;
			break;
		}
	}
out:
	spin_unlock_bh(&sn->scan_lock);
	return err;
}

void ss_scan_requeue(struct ss_net *sn, u32 portid)
{
	static const struct ss_verdict poison = {
		.verdict = SMTPSPLICE_VERDICT_TEMPFAIL,
		.reply = "451 4.3.0 Content scanner failed on this message",
	};
	struct ss_scan *scan, *prev;

	lockdep_assert_held(&sn->scan_lock);
	/* from the back, so that they keep their order at the front */
	list_for_each_entry_safe_reverse(scan, prev, &sn->scan_taken, node) {
		if (scan->portid != portid)
			continue;
		ss_stats_inc(sn, SCAN_REQUEUED);
		if (scan->attempt >= SS_SCAN_ATTEMPTS_MAX) {
			finish(session_of(scan), &poison);
			continue;
		}
		list_move(&scan->node, &sn->scan_pending);
		set_state(session_of(scan), SS_SCAN_PENDING);
	}
}
