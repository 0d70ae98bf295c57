// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of request.c: the order of requests, and that each of them ends in exactly
 * one way. The sessions only count how often they are woken.
 *
 * What session.c does when time is up is ss_request_cancel(), as for a client that
 * has gone.
 */
#include <linux/jiffies.h>
#include <net/sock.h>

#include "../answer.h"
#include "../net.h"
#include "../request.h"
#include "../share.h"
#include "../stats.h"
#include "rig.h"

#define SESSIONS	5
#define ROUNDS		200
#define HELPER_PORT	4711

/**
 * struct bench - what a test works with
 * @sn: the namespace
 * @s: sessions with the ids 1 to %SESSIONS
 * @helper: the registered helper's socket, only ever compared
 * @other: somebody else's
 * @got: a verdict that was collected
 */
struct bench {
	struct ss_net *sn;
	struct ss_session *s[SESSIONS];
	struct sock *helper;
	struct sock *other;
	union ss_answer got;
};

static struct sock *new_sock(struct kunit *test)
{
	struct sock *sk = kunit_kzalloc(test, sizeof(*sk), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sk);
	return sk;
}

static void helper_up(struct bench *b, struct sock *sk, u32 port)
{
	spin_lock_bh(&b->sn->request_lock);
	b->sn->queues[SS_REQUEST_SCAN].port = port;
	b->sn->queues[SS_REQUEST_SCAN].sk = sk;
	spin_unlock_bh(&b->sn->request_lock);
}

/* Ends the helper as helper.c does. */
static void helper_dies(struct bench *b)
{
	struct ss_net *sn = b->sn;
	u32 port;

	spin_lock_bh(&sn->request_lock);
	port = sn->queues[SS_REQUEST_SCAN].port;
	sn->queues[SS_REQUEST_SCAN].port = 0;
	sn->queues[SS_REQUEST_SCAN].sk = NULL;
	ss_request_orphaned(sn, SS_REQUEST_SCAN, port);
	spin_unlock_bh(&sn->request_lock);
}

static int request_init(struct kunit *test)
{
	struct bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->sn = ss_rig_net(test);
	for (i = 0; i < SESSIONS; i++)
		b->s[i] = ss_rig_session(test, b->sn, i + 1);
	b->helper = new_sock(test);
	b->other = new_sock(test);
	helper_up(b, b->helper, HELPER_PORT);
	test->priv = b;
	return 0;
}

/* Nothing is queued, counted or referenced when all sessions have cancelled. */
static void request_exit(struct kunit *test)
{
	struct bench *b = test->priv;
	int i;

	if (!b)
		return;
	for (i = 0; i < SESSIONS; i++) {
		ss_request_cancel(&b->s[i]->request, &b->got);
		KUNIT_EXPECT_EQ(test, b->s[i]->request.state, SS_REQUEST_IDLE);
		KUNIT_EXPECT_EQ(test, ss_rig_users(b->s[i]), 1);
	}
	KUNIT_EXPECT_TRUE(test,
			  list_empty(&b->sn->queues[SS_REQUEST_SCAN].pending));
	KUNIT_EXPECT_TRUE(test,
			  list_empty(&b->sn->queues[SS_REQUEST_SCAN].taken));
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 0);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].asked, 0);
	for (i = 0; i < SESSIONS; i++) {
		const struct ss_request_count *count = &b->s[i]->share->requests[SS_REQUEST_SCAN];

		KUNIT_EXPECT_EQ(test, count->asked, 0);
		KUNIT_EXPECT_EQ(test, count->taken, 0);
	}
}

static void submit(struct kunit *test, int i)
{
	struct bench *b = test->priv;

	ss_request_submit(&b->s[i]->request, SS_REQUEST_SCAN, jiffies + HZ);
}

/* Takes the next request, which must be that of the session numbered @i. */
static u64 take(struct kunit *test, int i)
{
	struct bench *b = test->priv;
	struct ss_session *s;
	struct ss_request *r;
	u64 cookie = 0;

	r = ss_request_take(b->sn, SS_REQUEST_SCAN, b->helper, &cookie);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, r);
	s = container_of(r, struct ss_session, request);
	KUNIT_EXPECT_EQ(test, ss_rig_users(s), 2);
	refcount_dec(&s->waker.users);
	KUNIT_ASSERT_EQ(test, s->waker.id, i + 1);
	return cookie;
}

static void expect_none_waits(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie;

	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 0);
	KUNIT_EXPECT_EQ(test,
			PTR_ERR(ss_request_take(b->sn, SS_REQUEST_SCAN, b->helper, &cookie)),
			-EAGAIN);
}

static int answer(struct kunit *test, u64 cookie, u32 verdict)
{
	union ss_answer v = { .verdict.verdict = verdict };
	struct bench *b = test->priv;

	snprintf(v.verdict.virus, sizeof(v.verdict.virus), "%llx", cookie);
	return ss_request_answer(b->sn, SS_REQUEST_SCAN, b->helper, cookie, &v,
				 NULL);
}

static bool cancel(struct kunit *test, int i)
{
	struct bench *b = test->priv;

	return ss_request_cancel(&b->s[i]->request, &b->got);
}

/* The session numbered @i gets the answer that was given to @cookie. */
static void expect_verdict(struct kunit *test, int i, u64 cookie, u32 verdict)
{
	struct bench *b = test->priv;
	char virus[20];

	snprintf(virus, sizeof(virus), "%llx", cookie);
	KUNIT_EXPECT_TRUE(test, ss_request_done(&b->s[i]->request));
	KUNIT_EXPECT_TRUE(test, cancel(test, i));
	KUNIT_EXPECT_EQ(test, b->got.verdict.verdict, verdict);
	KUNIT_EXPECT_STREQ(test, b->got.verdict.virus, virus);
	KUNIT_EXPECT_FALSE(test, ss_request_done(&b->s[i]->request));
	/* once */
	KUNIT_EXPECT_FALSE(test, cancel(test, i));
}

/* --- order --------------------------------------------------------------- */

static void oldest_first(struct kunit *test)
{
	struct bench *b = test->priv;
	int i;

	expect_none_waits(test);
	for (i = 0; i < SESSIONS; i++) {
		submit(test, i);
		KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued,
				i + 1);
		KUNIT_EXPECT_EQ(test, b->s[i]->request.state,
				SS_REQUEST_PENDING);
	}
	for (i = 0; i < SESSIONS; i++) {
		take(test, i);
		KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued,
				SESSIONS - i - 1);
		KUNIT_EXPECT_EQ(test, b->s[i]->request.state, SS_REQUEST_TAKEN);
		KUNIT_EXPECT_EQ(test, b->s[i]->request.attempt, 1);
		KUNIT_EXPECT_EQ(test, b->s[i]->request.portid, HELPER_PORT);
		/* to be taken is not to be woken */
		KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[i]), 0);
	}
	expect_none_waits(test);
}

/* The first four sessions are of one client, the last one is of another. */
static void make_clients(struct kunit *test)
{
	struct bench *b = test->priv;
	int i;

	for (i = 1; i < SESSIONS - 1; i++) {
		b->s[i]->share = b->s[0]->share;
		b->s[i]->request.share = b->s[0]->share;
	}
}

static void N3_clients_take_turns(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie;
	int i;

	make_clients(test);
	for (i = 0; i < SESSIONS; i++)
		submit(test, i);
	cookie = take(test, 0);
	take(test, SESSIONS - 1);
	take(test, 1);
	/* one that is not handed over is the client's oldest again */
	ss_request_untake(&b->s[0]->request, cookie);
	take(test, 0);
	take(test, 2);
	/* what a dead helper had does not count, and keeps its place */
	helper_dies(b);
	helper_up(b, b->helper, HELPER_PORT);
	take(test, SESSIONS - 1);
	take(test, 1);
	take(test, 0);
	take(test, 2);
	take(test, 3);
	expect_none_waits(test);
}

static void N3_client_has_a_share(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie;

	make_clients(test);
	b->sn->settings.max_client_scans = 2;
	submit(test, 0);
	cookie = take(test, 0);
	submit(test, 1);
	submit(test, 2);
	/* nobody else wants any */
	KUNIT_EXPECT_FALSE(test, ss_request_crowded(&b->s[3]->request, SS_REQUEST_SCAN));
	submit(test, SESSIONS - 1);
	KUNIT_EXPECT_TRUE(test, ss_request_crowded(&b->s[3]->request, SS_REQUEST_SCAN));
	KUNIT_EXPECT_FALSE(test, ss_request_crowded(&b->s[SESSIONS - 1]->request, SS_REQUEST_SCAN));
	KUNIT_EXPECT_FALSE(test, ss_request_crowded(&b->s[3]->request, SS_REQUEST_HANDSHAKE));
	b->sn->settings.max_client_scans = 3;
	KUNIT_EXPECT_TRUE(test, ss_request_crowded(&b->s[3]->request, SS_REQUEST_SCAN));
	/* what is answered does not count, whether it was collected or not */
	KUNIT_EXPECT_EQ(test, answer(test, cookie, SMTPSPLICE_VERDICT_ACCEPT),
			0);
	KUNIT_EXPECT_FALSE(test, ss_request_crowded(&b->s[3]->request, SS_REQUEST_SCAN));
	b->sn->settings.max_client_scans = 2;
	KUNIT_EXPECT_TRUE(test, ss_request_crowded(&b->s[3]->request, SS_REQUEST_SCAN));
	KUNIT_EXPECT_FALSE(test, cancel(test, 1));
	KUNIT_EXPECT_FALSE(test, ss_request_crowded(&b->s[3]->request, SS_REQUEST_SCAN));
}

static void cancelled_is_not_taken(struct kunit *test)
{
	struct bench *b = test->priv;
	int i;

	for (i = 0; i < SESSIONS; i++)
		submit(test, i);
	for (i = 0; i < SESSIONS; i += 2)
		KUNIT_EXPECT_FALSE(test, cancel(test, i));
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued,
			SESSIONS / 2);
	for (i = 1; i < SESSIONS; i += 2)
		take(test, i);
	expect_none_waits(test);
}

static void untaken_goes_to_the_front(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie, again;

	submit(test, 0);
	submit(test, 1);
	cookie = take(test, 0);
	KUNIT_EXPECT_TRUE(test, ss_request_is(&b->s[0]->request, cookie));
	ss_request_untake(&b->s[0]->request, cookie + 1);
	KUNIT_EXPECT_TRUE(test, ss_request_is(&b->s[0]->request, cookie));
	ss_request_untake(&b->s[0]->request, cookie);
	KUNIT_EXPECT_FALSE(test, ss_request_is(&b->s[0]->request, cookie));
	KUNIT_EXPECT_EQ(test, b->s[0]->request.attempt, 0);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 2);
	/* it was not handed over, so nobody can answer it */
	KUNIT_EXPECT_EQ(test, answer(test, cookie, SMTPSPLICE_VERDICT_ACCEPT),
			-ENOENT);
	/* nor give it back again */
	ss_request_untake(&b->s[0]->request, cookie);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 2);
	again = take(test, 0);
	KUNIT_EXPECT_NE(test, again, cookie);
	KUNIT_EXPECT_EQ(test, b->s[0]->request.attempt, 1);
	ss_request_untake(&b->s[0]->request, cookie);
	KUNIT_EXPECT_TRUE(test, ss_request_is(&b->s[0]->request, again));
	take(test, 1);
}

/* --- who may answer what ------------------------------------------------- */

static void verdict_reaches_its_session(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie[3];
	int i;

	for (i = 0; i < 3; i++)
		submit(test, i);
	for (i = 0; i < 3; i++)
		cookie[i] = take(test, i);
	KUNIT_EXPECT_NE(test, cookie[0], cookie[1]);
	KUNIT_EXPECT_NE(test, cookie[1], cookie[2]);
	KUNIT_EXPECT_NE(test, cookie[0], cookie[2]);
	/* in another order than they were taken in */
	KUNIT_EXPECT_EQ(test, 0,
			answer(test, cookie[1], SMTPSPLICE_VERDICT_REJECT));
	KUNIT_EXPECT_EQ(test, 0,
			answer(test, cookie[2], SMTPSPLICE_VERDICT_ACCEPT));
	KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[0]), 0);
	KUNIT_EXPECT_FALSE(test, ss_request_done(&b->s[0]->request));
	KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[1]), 1);
	KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[2]), 1);
	expect_verdict(test, 1, cookie[1], SMTPSPLICE_VERDICT_REJECT);
	expect_verdict(test, 2, cookie[2], SMTPSPLICE_VERDICT_ACCEPT);
	KUNIT_EXPECT_TRUE(test, ss_request_is(&b->s[0]->request, cookie[0]));
}

static void unknown_cookie(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie;

	KUNIT_EXPECT_EQ(test, answer(test, 0, 0), -ENOENT);
	submit(test, 0);
	submit(test, 1);
	/* one that waits has no cookie */
	KUNIT_EXPECT_EQ(test, answer(test, 0, 0), -ENOENT);
	cookie = take(test, 0);
	KUNIT_EXPECT_EQ(test, answer(test, 0, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, answer(test, cookie + 1, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, answer(test, ~cookie, 0), -ENOENT);
	KUNIT_EXPECT_TRUE(test, ss_request_is(&b->s[0]->request, cookie));
	KUNIT_EXPECT_FALSE(test, ss_request_is(&b->s[1]->request, cookie));
	KUNIT_EXPECT_FALSE(test, ss_request_is(&b->s[1]->request, 0));
	KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[0]), 0);
	KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[1]), 0);
}

static void replayed_cookie(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie, next;

	submit(test, 0);
	cookie = take(test, 0);
	KUNIT_EXPECT_EQ(test, 0,
			answer(test, cookie, SMTPSPLICE_VERDICT_REJECT));
	/* before the session has collected it, and after */
	KUNIT_EXPECT_EQ(test, answer(test, cookie, SMTPSPLICE_VERDICT_ACCEPT),
			-ENOENT);
	expect_verdict(test, 0, cookie, SMTPSPLICE_VERDICT_REJECT);
	KUNIT_EXPECT_EQ(test, answer(test, cookie, SMTPSPLICE_VERDICT_ACCEPT),
			-ENOENT);
	/* for the session's next message */
	submit(test, 0);
	KUNIT_EXPECT_EQ(test, answer(test, cookie, SMTPSPLICE_VERDICT_ACCEPT),
			-ENOENT);
	next = take(test, 0);
	KUNIT_EXPECT_NE(test, next, cookie);
	KUNIT_EXPECT_EQ(test, b->s[0]->request.attempt, 1);
	KUNIT_EXPECT_FALSE(test, ss_request_is(&b->s[0]->request, cookie));
	KUNIT_EXPECT_EQ(test, answer(test, cookie, SMTPSPLICE_VERDICT_ACCEPT),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, 0,
			answer(test, next, SMTPSPLICE_VERDICT_TEMPFAIL));
	KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[0]), 2);
	expect_verdict(test, 0, next, SMTPSPLICE_VERDICT_TEMPFAIL);
}

static void only_the_helper(struct kunit *test)
{
	union ss_answer v = { .verdict.verdict = SMTPSPLICE_VERDICT_ACCEPT };
	struct bench *b = test->priv;
	u64 cookie, none = 1;

	submit(test, 0);
	submit(test, 1);
	KUNIT_EXPECT_EQ(test,
			PTR_ERR(ss_request_take(b->sn, SS_REQUEST_SCAN, b->other, &none)), -EPERM);
	KUNIT_EXPECT_EQ(test, none, 1);
	cookie = take(test, 0);
	KUNIT_EXPECT_EQ(test, ss_request_answer(b->sn, SS_REQUEST_SCAN, b->other, cookie, &v, NULL),
			-EPERM);
	KUNIT_EXPECT_TRUE(test, ss_request_is(&b->s[0]->request, cookie));
	helper_dies(b);
	/* no helper: not even the one that was */
	KUNIT_EXPECT_EQ(test,
			PTR_ERR(ss_request_take(b->sn, SS_REQUEST_SCAN, b->helper, &none)), -EPERM);
	KUNIT_EXPECT_EQ(test, -EPERM,
			ss_request_answer(b->sn, SS_REQUEST_SCAN, b->helper,
					  cookie, &v, NULL));
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 2);
	KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[0]), 0);
}

/* --- one winner ---------------------------------------------------------- */

static void cancel_wins(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie;

	submit(test, 0);
	cookie = take(test, 0);
	b->got.verdict.verdict = 99;
	KUNIT_EXPECT_FALSE(test, cancel(test, 0));
	KUNIT_EXPECT_EQ(test, b->got.verdict.verdict, 99);
	KUNIT_EXPECT_FALSE(test, ss_request_is(&b->s[0]->request, cookie));
	KUNIT_EXPECT_EQ(test, answer(test, cookie, SMTPSPLICE_VERDICT_ACCEPT),
			-ENOENT);
	ss_request_untake(&b->s[0]->request, cookie);
	helper_dies(b);
	KUNIT_EXPECT_FALSE(test, ss_request_done(&b->s[0]->request));
	KUNIT_EXPECT_FALSE(test, cancel(test, 0));
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 0);
	KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[0]), 0);
	KUNIT_EXPECT_EQ(test, ss_rig_stat(b->sn, SS_STAT(SCAN_REQUEUED)), 0);
}

static void verdict_wins(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie;

	submit(test, 0);
	cookie = take(test, 0);
	KUNIT_EXPECT_EQ(test, 0,
			answer(test, cookie, SMTPSPLICE_VERDICT_ACCEPT));
	/* too late for all others */
	KUNIT_EXPECT_FALSE(test, ss_request_is(&b->s[0]->request, cookie));
	ss_request_untake(&b->s[0]->request, cookie);
	helper_dies(b);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 0);
	KUNIT_EXPECT_EQ(test, ss_rig_stat(b->sn, SS_STAT(SCAN_REQUEUED)), 0);
	KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[0]), 1);
	expect_verdict(test, 0, cookie, SMTPSPLICE_VERDICT_ACCEPT);
}

/**
 * struct contender - one of those that want to end a request
 * @work: acts
 * @test: the test
 * @waiting: number of those that have not begun yet
 * @act: action that it takes
 * @cookie: cookie of the request
 * @ret: value that @act returned
 */
struct contender {
	struct work_struct work;
	struct kunit *test;
	atomic_t *waiting;
	int (*act)(struct contender *c);
	u64 cookie;
	int ret;
};

static void contend(struct work_struct *work)
{
	struct contender *c = container_of(work, struct contender, work);

	atomic_dec(c->waiting);
	while (atomic_read(c->waiting))
		cond_resched();
	c->ret = c->act(c);
}

static int act_accept(struct contender *c)
{
	return answer(c->test, c->cookie, SMTPSPLICE_VERDICT_ACCEPT);
}

static int act_reject(struct contender *c)
{
	return answer(c->test, c->cookie, SMTPSPLICE_VERDICT_REJECT);
}

static int act_cancel(struct contender *c)
{
	return cancel(c->test, 0);
}

static int act_die(struct contender *c)
{
	helper_dies(c->test->priv);
	return 0;
}

/* Runs all of them at the same time, with each in its turn queued first. */
static void race(struct kunit *test, struct contender *c, int n, int round,
		 u64 cookie)
{
	atomic_t waiting = ATOMIC_INIT(n);
	int i;

	for (i = 0; i < n; i++) {
		c[i].test = test;
		c[i].waiting = &waiting;
		c[i].cookie = cookie;
		INIT_WORK(&c[i].work, contend);
	}
	for (i = 0; i < n; i++)
		queue_work(ss_wq, &c[(i + round) % n].work);
	for (i = 0; i < n; i++)
		flush_work(&c[i].work);
}

static struct contender *contenders(struct kunit *test, int n)
{
	struct contender *c = kunit_kcalloc(test, n, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	return c;
}

/* A helper that answers twice, differently, while the session gives up. */
static void race_of_verdicts_and_cancel(struct kunit *test)
{
	struct contender *c = contenders(test, 3);
	struct bench *b = test->priv;
	int round, verdicts = 0;

	c[0].act = act_accept;
	c[1].act = act_reject;
	c[2].act = act_cancel;
	for (round = 0; round < ROUNDS; round++) {
		u32 wakes = ss_rig_wakes(b->s[0]), answered, wanted;
		bool collected;

		submit(test, 0);
		race(test, c, 3, round, take(test, 0));
		answered = !c[0].ret + !c[1].ret;
		/* a verdict that came behind the cancel would be left over */
		collected = c[2].ret;
		KUNIT_ASSERT_FALSE(test, cancel(test, 0));
		KUNIT_ASSERT_EQ(test, answered, collected);
		KUNIT_ASSERT_EQ(test, ss_rig_wakes(b->s[0]) - wakes, answered);
		if (!collected)
			continue;
		verdicts++;
		wanted = c[0].ret ? SMTPSPLICE_VERDICT_REJECT :
				    SMTPSPLICE_VERDICT_ACCEPT;
		KUNIT_ASSERT_EQ(test, b->got.verdict.verdict, wanted);
	}
	kunit_info(test, "%d of %d by verdict", verdicts, ROUNDS);
}

/*
 * A helper that answers while it dies, on the request's last attempt: either
 * its own verdict counts, or that of the kernel, or none.
 */
static void race_of_verdict_death_and_cancel(struct kunit *test)
{
	struct contender *c = contenders(test, 3);
	struct bench *b = test->priv;
	int round, verdicts = 0, deaths = 0;

	c[0].act = act_accept;
	c[1].act = act_die;
	c[2].act = act_cancel;
	for (round = 0; round < ROUNDS; round++) {
		u32 wakes = ss_rig_wakes(b->s[0]);
		u64 cookie;

		helper_up(b, b->helper, HELPER_PORT);
		submit(test, 0);
		cookie = take(test, 0);
		b->s[0]->request.attempt = SS_REQUEST_ATTEMPTS_MAX;
		b->got.verdict.verdict = 99;
		race(test, c, 3, round, cookie);
		KUNIT_ASSERT_FALSE(test, cancel(test, 0));
		KUNIT_ASSERT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 0);
		if (!c[0].ret) {
			verdicts++;
			KUNIT_ASSERT_TRUE(test, c[2].ret);
			KUNIT_ASSERT_EQ(test, b->got.verdict.verdict,
					SMTPSPLICE_VERDICT_ACCEPT);
		} else if (c[2].ret) {
			deaths++;
			KUNIT_ASSERT_EQ(test, b->got.verdict.verdict,
					SMTPSPLICE_VERDICT_TEMPFAIL);
		} else {
			KUNIT_ASSERT_EQ(test, b->got.verdict.verdict, 99);
		}
		KUNIT_ASSERT_EQ(test, ss_rig_wakes(b->s[0]) - wakes, c[2].ret);
	}
	kunit_info(test, "%d of %d by verdict, %d by death", verdicts, ROUNDS,
		   deaths);
}

/* --- the helper's death -------------------------------------------------- */

static void death_requeues_in_order(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie[3];
	int i;

	for (i = 0; i < SESSIONS; i++)
		submit(test, i);
	for (i = 0; i < 3; i++)
		cookie[i] = take(test, i);
	KUNIT_EXPECT_EQ(test, 0,
			answer(test, cookie[1], SMTPSPLICE_VERDICT_ACCEPT));
	helper_dies(b);
	KUNIT_EXPECT_EQ(test, ss_rig_stat(b->sn, SS_STAT(SCAN_REQUEUED)), 2);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued,
			SESSIONS - 1);
	KUNIT_EXPECT_TRUE(test,
			  list_empty(&b->sn->queues[SS_REQUEST_SCAN].taken));
	/* the verdict that it gave before counts */
	expect_verdict(test, 1, cookie[1], SMTPSPLICE_VERDICT_ACCEPT);

	/* those that it had, in their order, before those that wait */
	helper_up(b, b->helper, HELPER_PORT + 1);
	for (i = 0; i < SESSIONS; i++) {
		if (i == 1)
			continue;
		take(test, i);
		KUNIT_EXPECT_EQ(test, b->s[i]->request.attempt, i < 3 ? 2 : 1);
		KUNIT_EXPECT_EQ(test, b->s[i]->request.portid, HELPER_PORT + 1);
		KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[i]), 0);
	}
	expect_none_waits(test);
	/* the new helper does not know the old cookies */
	KUNIT_EXPECT_EQ(test, answer(test, cookie[0], 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, answer(test, cookie[2], 0), -ENOENT);
}

static void death_of_another_port(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie;

	submit(test, 0);
	cookie = take(test, 0);
	spin_lock_bh(&b->sn->request_lock);
	ss_request_orphaned(b->sn, SS_REQUEST_SCAN, HELPER_PORT + 1);
	spin_unlock_bh(&b->sn->request_lock);
	KUNIT_EXPECT_TRUE(test, ss_request_is(&b->s[0]->request, cookie));
	KUNIT_EXPECT_EQ(test, ss_rig_stat(b->sn, SS_STAT(SCAN_REQUEUED)), 0);
}

/* A message that takes down each helper is answered by the kernel. */
static void poison(struct kunit *test)
{
	struct bench *b = test->priv;
	u64 cookie = 0;
	int i;

	submit(test, 0);
	submit(test, 1);
	for (i = 1; i <= SS_REQUEST_ATTEMPTS_MAX; i++) {
		KUNIT_EXPECT_FALSE(test, ss_request_done(&b->s[0]->request));
		helper_up(b, b->helper, HELPER_PORT + i);
		cookie = take(test, 0);
		KUNIT_EXPECT_EQ(test, b->s[0]->request.attempt, i);
		helper_dies(b);
		KUNIT_EXPECT_EQ(test, i,
				ss_rig_stat(b->sn, SS_STAT(SCAN_REQUEUED)));
	}
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 1);
	KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[0]), 1);
	KUNIT_EXPECT_TRUE(test, ss_request_done(&b->s[0]->request));
	helper_up(b, b->helper, HELPER_PORT);
	KUNIT_EXPECT_EQ(test, answer(test, cookie, SMTPSPLICE_VERDICT_ACCEPT),
			-ENOENT);
	KUNIT_EXPECT_TRUE(test, cancel(test, 0));
	KUNIT_EXPECT_EQ(test, b->got.verdict.verdict,
			SMTPSPLICE_VERDICT_TEMPFAIL);
	KUNIT_EXPECT_EQ(test, memcmp(b->got.verdict.reply, "451 4.3.0 ", 10),
			0);
	/* the one behind it has its turn, and the session its next message */
	take(test, 1);
	submit(test, 0);
	take(test, 0);
	KUNIT_EXPECT_EQ(test, b->s[0]->request.attempt, 1);
}

/* --- handshakes ---------------------------------------------------------- */

static u64 take_handshake(struct kunit *test, int i)
{
	struct bench *b = test->priv;
	struct ss_session *s;
	struct ss_request *r;
	u64 cookie = 0;

	r = ss_request_take(b->sn, SS_REQUEST_HANDSHAKE, b->other, &cookie);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, r);
	s = container_of(r, struct ss_session, request);
	refcount_dec(&s->waker.users);
	KUNIT_ASSERT_EQ(test, s->waker.id, i + 1);
	return cookie;
}

static void other_does_handshakes(struct bench *b)
{
	struct ss_queue *q = &b->sn->queues[SS_REQUEST_HANDSHAKE];

	spin_lock_bh(&b->sn->request_lock);
	q->port = HELPER_PORT + 1;
	q->sk = b->other;
	spin_unlock_bh(&b->sn->request_lock);
}

/* Helpers of one kind have no part in the other. */
static void kinds_are_apart(struct kunit *test)
{
	union ss_answer a = {
		.handshake.result = SMTPSPLICE_TLS_RESULT_INSPECTED,
	};
	struct bench *b = test->priv;
	u64 scan, handshake;

	KUNIT_EXPECT_FALSE(test,
			   ss_request_served(b->sn, SS_REQUEST_HANDSHAKE));
	other_does_handshakes(b);
	KUNIT_EXPECT_TRUE(test, ss_request_served(b->sn, SS_REQUEST_HANDSHAKE));
	ss_request_submit(&b->s[0]->request, SS_REQUEST_HANDSHAKE,
			  jiffies + HZ);
	expect_none_waits(test);
	submit(test, 1);
	handshake = take_handshake(test, 0);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			PTR_ERR(ss_request_take(b->sn, SS_REQUEST_HANDSHAKE,
						b->other, &scan)));
	KUNIT_EXPECT_EQ(test, -EPERM,
			PTR_ERR(ss_request_take(b->sn, SS_REQUEST_HANDSHAKE,
						b->helper, &scan)));
	scan = take(test, 1);
	KUNIT_EXPECT_EQ(test, answer(test, handshake, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			ss_request_answer(b->sn, SS_REQUEST_HANDSHAKE, b->other,
					  scan, &a, NULL));
	KUNIT_EXPECT_EQ(test, -EPERM,
			ss_request_answer(b->sn, SS_REQUEST_HANDSHAKE,
					  b->helper, handshake, &a, NULL));
	KUNIT_EXPECT_EQ(test, 0,
			ss_request_answer(b->sn, SS_REQUEST_HANDSHAKE, b->other,
					  handshake, &a, NULL));
	KUNIT_EXPECT_TRUE(test, ss_request_cancel(&b->s[0]->request, &b->got));
	KUNIT_EXPECT_EQ(test, b->got.handshake.result,
			SMTPSPLICE_TLS_RESULT_INSPECTED);
	KUNIT_EXPECT_EQ(test, answer(test, scan, 0), 0);
}

/* Handshakes that a dead helper had have failed; others can still be done. */
static void death_ends_handshakes(struct kunit *test)
{
	struct bench *b = test->priv;
	int i;

	other_does_handshakes(b);
	for (i = 0; i < 3; i++)
		ss_request_submit(&b->s[i]->request, SS_REQUEST_HANDSHAKE, jiffies + HZ);
	take_handshake(test, 0);
	take_handshake(test, 1);
	spin_lock_bh(&b->sn->request_lock);
	ss_request_orphaned(b->sn, SS_REQUEST_HANDSHAKE, HELPER_PORT + 1);
	spin_unlock_bh(&b->sn->request_lock);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, ss_rig_wakes(b->s[i]), 1);
		KUNIT_EXPECT_TRUE(test, ss_request_cancel(&b->s[i]->request, &b->got));
		KUNIT_EXPECT_EQ(test, b->got.handshake.result,
				SMTPSPLICE_TLS_RESULT_FAILED);
		KUNIT_EXPECT_EQ(test, b->got.handshake.cause,
				SMTPSPLICE_TLS_CAUSE_HELPER);
	}
	KUNIT_EXPECT_EQ(test, ss_rig_stat(b->sn, SS_STAT(SCAN_REQUEUED)), 0);
	take_handshake(test, 2);
}

static struct kunit_case request_cases[] = {
	KUNIT_CASE(oldest_first),
	KUNIT_CASE(N3_clients_take_turns),
	KUNIT_CASE(N3_client_has_a_share),
	KUNIT_CASE(cancelled_is_not_taken),
	KUNIT_CASE(untaken_goes_to_the_front),
	KUNIT_CASE(verdict_reaches_its_session),
	KUNIT_CASE(unknown_cookie),
	KUNIT_CASE(replayed_cookie),
	KUNIT_CASE(only_the_helper),
	KUNIT_CASE(cancel_wins),
	KUNIT_CASE(verdict_wins),
	KUNIT_CASE(race_of_verdicts_and_cancel),
	KUNIT_CASE(race_of_verdict_death_and_cancel),
	KUNIT_CASE(death_requeues_in_order),
	KUNIT_CASE(death_of_another_port),
	KUNIT_CASE(poison),
	KUNIT_CASE(kinds_are_apart),
	KUNIT_CASE(death_ends_handshakes),
	{}
};

static struct kunit_suite request_suite = {
	.name = "smtpsplice-request",
	.init = request_init,
	.exit = request_exit,
	.test_cases = request_cases,
};

kunit_test_suite(request_suite);
