// SPDX-License-Identifier: GPL-2.0
/*
 * Counters of a network namespace, per CPU so that the packet path shares no
 * cache line, and the tracepoints.
 */
#include <net/netlink.h>

#include "answer.h"
#include "budget.h"
#include "net.h"
#include "stats.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static u64 sum_counter(const struct ss_net *sn, int attr)
{
	u64 total = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		total += READ_ONCE(per_cpu_ptr(sn->stats, cpu)->count[attr]);
	return total;
}

/* Counts the helpers, of which one may take several kinds of requests. */
static u64 count_helpers(const struct ss_net *sn)
{
	u32 scan = READ_ONCE(sn->queues[SS_REQUEST_SCAN].port);
	u32 tls = READ_ONCE(sn->queues[SS_REQUEST_HANDSHAKE].port);

	return (scan != 0) + (tls && tls != scan);
}

static u64 gauge_or_sum(struct ss_net *sn, int attr)
{
	switch (attr) {
	case SS_STAT(HELPERS):
		return count_helpers(sn);
	case SS_STAT(SESSIONS):
		return atomic_read(&sn->session_count);
	case SS_STAT(HELD):
		return atomic64_read(&sn->held);
	case SS_STAT(SCAN_QUEUED):
		return READ_ONCE(sn->queues[SS_REQUEST_SCAN].queued);
	case SS_STAT(HANDSHAKE_QUEUED):
		return READ_ONCE(sn->queues[SS_REQUEST_HANDSHAKE].queued);
	case SS_STAT(CONSERVE):
		return ss_budget_level(sn) != SS_BUDGET_GREEN;
	default:
		return sum_counter(sn, attr);
	}
}

int ss_stats_fill(struct ss_net *sn, struct sk_buff *skb)
{
	int attr, err;

	for (attr = 1; attr <= SMTPSPLICE_A_STATS_MAX; attr++) {
		u64 value = gauge_or_sum(sn, attr);

		err = nla_put_u64_64bit(skb, attr, value, 0);
		if (err)
			return err;
	}
	return 0;
}
