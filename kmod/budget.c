// SPDX-License-Identifier: GPL-2.0
/*
 * The octets that a network namespace holds in all messages, and conserve mode:
 * from one watermark on until below another one, as a FortiGate has it for its
 * memory. Counted without a lock; the mode is a word that one of those who see it
 * change gets to set.
 */
#include "budget.h"
#include "netlink.h"
#include "smtpsplice.h"

/* Are @percent of the budget held? */
static bool reached(const struct ss_net *sn, u64 held, u32 percent)
{
	return held * 100 >= READ_ONCE(sn->settings.max_held) * percent;
}

static void look(struct ss_net *sn, u64 held)
{
	const struct ss_settings *set = &sn->settings;
	bool was = READ_ONCE(sn->conserve), is = was;

	if (reached(sn, held, READ_ONCE(set->conserve_red)))
		is = true;
	else if (!reached(sn, held, READ_ONCE(set->conserve_green)))
		is = false;
	if (is != was && cmpxchg(&sn->conserve, was, is) == was)
		ss_netlink_event(sn, SMTPSPLICE_EVENT_CONSERVE);
}

int ss_budget_charge(struct ss_net *sn, u64 n)
{
	u64 held = atomic64_add_return(n, &sn->held);

	if (held > READ_ONCE(sn->settings.max_held)) {
		atomic64_sub(n, &sn->held);
		return -ENOSPC;
	}
	look(sn, held);
	return 0;
}

void ss_budget_uncharge(struct ss_net *sn, u64 n)
{
	look(sn, atomic64_sub_return(n, &sn->held));
}

enum ss_budget_level ss_budget_level(struct ss_net *sn)
{
	u64 held = atomic64_read(&sn->held);

	/* the settings may have changed since */
	look(sn, held);
	if (reached(sn, held, READ_ONCE(sn->settings.conserve_extreme)))
		return SS_BUDGET_EXTREME;
	return READ_ONCE(sn->conserve) ? SS_BUDGET_RED : SS_BUDGET_GREEN;
}
