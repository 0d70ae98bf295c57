// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of sessions to the helper: those that wait for it, and those that it has.
 *
 * ss_net.request_lock covers all of it. A request is part of its session;
 * whoever gets one from here holds a reference to its waker. Each request ends
 * in exactly one way, decided under the lock: an answer, or the session takes
 * it back. Clients take turns; among those of one client the order is "oldest
 * first", and a request that a dead helper had keeps its place at the front.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <linux/wait.h>

#include "answer.h"
#include "events.h"
#include "net.h"
#include "request.h"
#include "share.h"
#include "stats.h"
#include "trace.h"
#include "waker.h"

/* Sessions wait here until a helper was told; seldom, and not for long. */
static DECLARE_WAIT_QUEUE_HEAD(told);

static struct ss_queue *queue_of(const struct ss_request *r)
{
	return &r->sn->queues[r->kind];
}

/* Does it wait for a helper, or for the answer of one? */
static bool is_open(enum ss_request_state state)
{
	return state == SS_REQUEST_PENDING || state == SS_REQUEST_TAKEN;
}

/* The one place where a request changes its state. */
static void set_state(struct ss_request *r, enum ss_request_state state)
	__must_hold(&r->sn->request_lock)
{
	struct ss_request_count *mine = &r->share->requests[r->kind];
	struct ss_queue *q = queue_of(r);
	int asked = is_open(state) - is_open(r->state);

	lockdep_assert_held(&r->sn->request_lock);
	trace_smtpsplice_request_state(r->waker->id, r->kind, r->state, state,
				       r->portid);
	if (r->state == SS_REQUEST_PENDING)
		q->queued--;
	if (state == SS_REQUEST_PENDING)
		q->queued++;
	if (r->state == SS_REQUEST_TAKEN)
		mine->taken--;
	if (state == SS_REQUEST_TAKEN)
		mine->taken++;
	mine->asked += asked;
	q->asked += asked;
	WRITE_ONCE(r->state, state);
}

void ss_request_init(struct ss_net *sn)
{
	int i;

	BUILD_BUG_ON(BIT(SS_REQUEST_SCAN) != SMTPSPLICE_ROLE_SCAN);
	BUILD_BUG_ON(BIT(SS_REQUEST_HANDSHAKE) != SMTPSPLICE_ROLE_TLS);
	spin_lock_init(&sn->request_lock);
	for (i = 0; i < SS_REQUEST_KINDS; i++) {
		INIT_LIST_HEAD(&sn->queues[i].pending);
		INIT_LIST_HEAD(&sn->queues[i].taken);
	}
}

void ss_request_submit(struct ss_request *r, enum ss_request_kind kind,
		       unsigned long deadline)
{
	struct file *stale = ss_request_replacement(r);
	struct ss_net *sn = r->sn;

	if (stale)
		fput(stale);
	spin_lock_bh(&sn->request_lock);
	r->kind = kind;
	r->attempt = 0;
	r->portid = 0;
	r->deadline = deadline;
	list_add_tail(&r->node, &queue_of(r)->pending);
	set_state(r, SS_REQUEST_PENDING);
	spin_unlock_bh(&sn->request_lock);
	ss_request_ring(r);
}

void ss_request_ring(struct ss_request *r)
{
	int err = ss_event_doorbell(r->sn, r->kind,
				      READ_ONCE(queue_of(r)->queued));

	might_sleep();
	WRITE_ONCE(r->unrung, err);
}

bool ss_request_unrung(const struct ss_request *r)
{
	return READ_ONCE(r->unrung) &&
	       READ_ONCE(r->state) == SS_REQUEST_PENDING;
}

struct file *ss_request_replacement(struct ss_request *r)
{
	struct file *file;

	spin_lock_bh(&r->sn->request_lock);
	file = r->replacement;
	r->replacement = NULL;
	spin_unlock_bh(&r->sn->request_lock);
	return file;
}

bool ss_request_done(struct ss_request *r)
{
	return READ_ONCE(r->state) == SS_REQUEST_DONE;
}

bool ss_request_served(const struct ss_net *sn, enum ss_request_kind kind)
{
	return READ_ONCE(sn->queues[kind].port);
}

void ss_request_tell(struct ss_request *r)
{
	spin_lock_bh(&r->sn->request_lock);
	r->tellers++;
	spin_unlock_bh(&r->sn->request_lock);
}

void ss_request_told(struct ss_request *r)
{
	bool last;

	spin_lock_bh(&r->sn->request_lock);
	last = !--r->tellers;
	spin_unlock_bh(&r->sn->request_lock);
	if (last)
		wake_up_all(&told);
}

bool ss_request_cancel(struct ss_request *r, union ss_answer *answer)
{
	bool done;

	might_sleep();
	spin_lock_bh(&r->sn->request_lock);
	while (r->tellers) {
		spin_unlock_bh(&r->sn->request_lock);
		wait_event(told, !READ_ONCE(r->tellers));
		spin_lock_bh(&r->sn->request_lock);
	}
	done = r->state == SS_REQUEST_DONE;
	if (done) {
		*answer = r->answer;
		memzero_explicit(&r->answer, sizeof(r->answer));
	} else if (r->state != SS_REQUEST_IDLE) {
		list_del(&r->node);
	}
	if (r->state != SS_REQUEST_IDLE)
		set_state(r, SS_REQUEST_IDLE);
	spin_unlock_bh(&r->sn->request_lock);
	return done;
}

bool ss_request_crowded(struct ss_request *r, enum ss_request_kind kind)
{
	const struct ss_settings *set = &r->sn->settings;
	u32 most = kind == SS_REQUEST_SCAN ?
		   READ_ONCE(set->max_client_scans) :
		   READ_ONCE(set->max_client_handshakes);
	u32 mine, all;

	/* requests are few most of the time */
	if (READ_ONCE(r->sn->queues[kind].asked) <= most)
		return false;
	spin_lock_bh(&r->sn->request_lock);
	mine = r->share->requests[kind].asked;
	all = r->sn->queues[kind].asked;
	spin_unlock_bh(&r->sn->request_lock);
	return mine >= most && all > mine;
}

/* Chooses the oldest request of the clients of whom the helper has the fewest. */
static struct ss_request *choose_next(const struct ss_net *sn,
				      enum ss_request_kind kind)
	__must_hold(&sn->request_lock)
{
	const struct ss_queue *q = &sn->queues[kind];
	struct ss_request *r, *best = NULL;
	u32 taken, fewest = U32_MAX;

	lockdep_assert_held(&sn->request_lock);
	list_for_each_entry(r, &q->pending, node) {
		taken = r->share->requests[kind].taken;
		if (taken >= fewest)
			continue;
		best = r;
		fewest = taken;
		if (!fewest)
			break;
	}
	return best;
}

struct ss_request *ss_request_take(struct ss_net *sn, enum ss_request_kind kind,
				   const struct sock *sk, u64 *cookie)
{
	struct ss_queue *q = &sn->queues[kind];
	struct ss_request *r;

	spin_lock_bh(&sn->request_lock);
	if (sk != q->sk) {
		r = ERR_PTR(-EPERM);
	} else if (list_empty(&q->pending)) {
		r = ERR_PTR(-EAGAIN);
	} else {
		r = choose_next(sn, kind);
		ss_waker_get(r->waker);
		r->portid = q->port;
		r->attempt++;
		r->cookie = get_random_u64();
		*cookie = r->cookie;
		list_move_tail(&r->node, &q->taken);
		set_state(r, SS_REQUEST_TAKEN);
	}
	spin_unlock_bh(&sn->request_lock);
	return r;
}

static bool is_taken(const struct ss_request *r, u64 cookie)
	__must_hold(&r->sn->request_lock)
{
	lockdep_assert_held(&r->sn->request_lock);
	return r->state == SS_REQUEST_TAKEN &&
	       r->cookie == cookie;
}

bool ss_request_is(struct ss_request *r, u64 cookie)
{
	bool ret;

	spin_lock_bh(&r->sn->request_lock);
	ret = is_taken(r, cookie);
	spin_unlock_bh(&r->sn->request_lock);
	return ret;
}

void ss_request_untake(struct ss_request *r, u64 cookie)
{
	struct ss_net *sn = r->sn;

	spin_lock_bh(&sn->request_lock);
	if (is_taken(r, cookie)) {
		r->attempt--;
		list_move(&r->node, &queue_of(r)->pending);
		set_state(r, SS_REQUEST_PENDING);
	}
	spin_unlock_bh(&sn->request_lock);
}

static void finish_request(struct ss_request *r, const union ss_answer *answer,
			   struct file *replacement)
	__must_hold(&r->sn->request_lock)
{
	lockdep_assert_held(&r->sn->request_lock);
	list_del(&r->node);
	r->answer = *answer;
	r->replacement = replacement ? get_file(replacement) : NULL;
	set_state(r, SS_REQUEST_DONE);
	ss_waker_wake(r->waker);
}

int ss_request_answer(struct ss_net *sn, enum ss_request_kind kind,
		      const struct sock *sk, u64 cookie,
		      const union ss_answer *answer, struct file *replacement)
{
	struct ss_queue *q = &sn->queues[kind];
	struct ss_request *r;
	int err = -ENOENT;

	spin_lock_bh(&sn->request_lock);
	if (sk != q->sk) {
		err = -EPERM;
		goto out;
	}
	/* taken requests are this helper's: see ss_request_orphaned() */
	list_for_each_entry(r, &q->taken, node) {
		if (r->cookie == cookie) {
			finish_request(r, answer, replacement);
			err = 0;
			break;
		}
	}
out:
	spin_unlock_bh(&sn->request_lock);
	return err;
}

static const union ss_answer poison = {
	.verdict = {
		.verdict = SMTPSPLICE_VERDICT_TEMPFAIL,
		.reply = "451 4.3.0 Content scanner failed on this message",
	},
};

static const union ss_answer lost = {
	.handshake = {
		.result = SMTPSPLICE_TLS_RESULT_FAILED,
		.cause = SMTPSPLICE_TLS_CAUSE_HELPER,
		.text = "the helper has ended",
	},
};

void ss_request_orphaned(struct ss_net *sn, enum ss_request_kind kind,
			 u32 portid)
	__must_hold(&sn->request_lock)
{
	struct ss_queue *q = &sn->queues[kind];
	struct ss_request *r, *prev;

	lockdep_assert_held(&sn->request_lock);
	/* goes from the back, so that they keep their order at the front */
	list_for_each_entry_safe_reverse(r, prev, &q->taken, node) {
		if (r->portid != portid)
			continue;
		if (kind == SS_REQUEST_HANDSHAKE) {
			finish_request(r, &lost, NULL);
			continue;
		}
		ss_stats_inc(sn, SCAN_REQUEUED);
		if (r->attempt >= SS_REQUEST_ATTEMPTS_MAX) {
			finish_request(r, &poison, NULL);
			continue;
		}
		list_move(&r->node, &q->pending);
		set_state(r, SS_REQUEST_PENDING);
	}
}
