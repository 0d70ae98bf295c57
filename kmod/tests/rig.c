// SPDX-License-Identifier: GPL-2.0
/* Common parts of the tests, see rig.h. */
#include <net/net_namespace.h>

#include "../hold.h"
#include "../request.h"
#include "../share.h"
#include "../waker.h"
#include "rig.h"

static void free_stats(void *stats)
{
	free_percpu((struct ss_stats __percpu __force *)stats);
}

struct ss_net *ss_rig_net(struct kunit *test)
{
	struct ss_net *sn = kunit_kzalloc(test, sizeof(*sn), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sn);
	sn->net = &init_net;
	sn->settings.max_held = 1ull << 40;
	sn->settings.conserve_green = 82;
	sn->settings.conserve_red = 88;
	sn->settings.conserve_extreme = 95;
	sn->settings.max_client_held = 100;
	ss_share_init(sn);
	ss_hold_init(sn);
	ss_request_init(sn);
	sn->stats = alloc_percpu(struct ss_stats);
	KUNIT_ASSERT_TRUE(test, sn->stats);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_stats,
						  (void __force *)sn->stats));
	return sn;
}

/**
 * struct rig_session - a session that is only woken
 * @s: the session
 * @wakes: number of times that its work ran
 * @share: share of a client of its own
 */
struct rig_session {
	struct ss_session s;
	u32 wakes;
	struct ss_share share;
};

/* Instead of session.c's: gives back the reference that ss_waker_wake() took. */
static void count_wake(struct work_struct *work)
{
	struct rig_session *r = container_of(work, struct rig_session,
					     s.waker.work);

	r->wakes++;
	refcount_dec(&r->s.waker.users);
}

struct ss_session *ss_rig_session(struct kunit *test, struct ss_net *sn,
				  u64 id)
{
	struct rig_session *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	ss_waker_init(&r->s.waker, count_wake, NULL);
	r->s.sn = sn;
	r->s.waker.id = id;
	r->s.share = &r->share;
	r->s.request.waker = &r->s.waker;
	r->s.request.sn = sn;
	r->s.request.share = &r->share;
	return &r->s;
}

u32 ss_rig_wakes(struct ss_session *s)
{
	flush_work(&s->waker.work);
	return container_of(s, struct rig_session, s)->wakes;
}

u32 ss_rig_users(struct ss_session *s)
{
	flush_work(&s->waker.work);
	return refcount_read(&s->waker.users);
}

u64 ss_rig_stat(const struct ss_net *sn, int attr)
{
	u64 total = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		total += per_cpu_ptr(sn->stats, cpu)->count[attr];
	return total;
}
