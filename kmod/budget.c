// SPDX-License-Identifier: GPL-2.0
/*
 * The bytes that a network namespace holds in all messages, and conserve mode:
 * on from one watermark until below another one, as a FortiGate has it for its
 * memory. Bytes are counted without a lock; where several see that the mode has
 * to change, one of them gets to set it.
 *
 * A client with several messages may hold a part of what the others leave. So the
 * first one may have most of it while nobody else needs any, and the next ones
 * always find some.
 */
#include <linux/math64.h>

#include "budget.h"
#include "events.h"
#include "net.h"
#include "share.h"

/* Per cent of the budget up to which messages may come as slowly as ever. */
#define CALM		50
/* Per cent more by which the pressure doubles. */
#define DOUBLING	5

/* Are @percent of the budget held? */
static bool is_above(const struct ss_net *sn, u64 held, u32 percent)
{
	return held * 100 >= READ_ONCE(sn->settings.max_held) * percent;
}

static void update_mode(struct ss_net *sn, u64 held)
{
	const struct ss_settings *set = &sn->settings;
	bool was = READ_ONCE(sn->conserve), is = was;

	if (is_above(sn, held, READ_ONCE(set->conserve_red)))
		is = true;
	else if (!is_above(sn, held, READ_ONCE(set->conserve_green)))
		is = false;
	if (is != was && cmpxchg(&sn->conserve, was, is) == was)
		ss_event_send(sn, &(struct ss_event){
			.kind = SMTPSPLICE_EVENT_CONSERVE,
		});
}

/*
 * Would a client with @mine of the bytes @held have more than its share? That is
 * of what there is without conserve mode, so that shares never lead into it; where
 * the others do, of all.
 */
static bool over_share(const struct ss_net *sn, u64 mine, u64 held)
{
	u32 percent = READ_ONCE(sn->settings.max_client_held);
	u64 max = READ_ONCE(sn->settings.max_held);
	u64 calm = div_u64(max * READ_ONCE(sn->settings.conserve_red), 100);
	/* @mine and @held are not counted in one step */
	u64 others = held - min(mine, held);
	u64 all = others < calm ? calm : max;

	return percent < 100 &&
	       (others >= all || mine * 100 > (all - others) * percent);
}

int ss_budget_room(struct ss_net *sn, const struct ss_share *share)
{
	u64 held = atomic64_read(&sn->held);
	u64 mine = atomic64_read(&share->held);

	if (held >= READ_ONCE(sn->settings.max_held))
		return -ENOSPC;
	return mine && over_share(sn, mine + 1, held + 1) ? -EDQUOT : 0;
}

int ss_budget_charge(struct ss_net *sn, struct ss_share *share, u64 own, u64 n)
{
	u64 held = atomic64_add_return(n, &sn->held);
	u64 mine = atomic64_add_return(n, &share->held);
	int err = 0;

	might_sleep();
	if (held > READ_ONCE(sn->settings.max_held))
		err = -ENOSPC;
	else if (mine > own + n && over_share(sn, mine, held))
		err = -EDQUOT;
	if (err) {
		atomic64_sub(n, &share->held);
		atomic64_sub(n, &sn->held);
		return err;
	}
	update_mode(sn, held);
	return 0;
}

void ss_budget_uncharge(struct ss_net *sn, struct ss_share *share, u64 n)
{
	might_sleep();
	atomic64_sub(n, &share->held);
	update_mode(sn, atomic64_sub_return(n, &sn->held));
}

u32 ss_budget_pressure(const struct ss_net *sn)
{
	u64 percent = div64_u64(atomic64_read(&sn->held) * 100,
				READ_ONCE(sn->settings.max_held));

	/* the settings may have changed since it was held */
	percent = clamp(percent, CALM, 100);
	return (percent - CALM) / DOUBLING;
}

u32 ss_budget_min_rate(const struct ss_net *sn)
{
	return SS_BUDGET_MIN_RATE << ss_budget_pressure(sn);
}

enum ss_budget_level ss_budget_level(struct ss_net *sn)
{
	u64 held = atomic64_read(&sn->held);

	might_sleep();
	/* the settings may have changed since */
	update_mode(sn, held);
	if (is_above(sn, held, READ_ONCE(sn->settings.conserve_extreme)))
		return SS_BUDGET_EXTREME;
	return READ_ONCE(sn->conserve) ? SS_BUDGET_RED : SS_BUDGET_GREEN;
}
