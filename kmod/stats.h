/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_STATS_H
#define SS_STATS_H

#include <linux/percpu.h>

#include "net.h"

struct sk_buff;

/*
 * Counters are named by their netlink attribute: SS_STAT(CLEAN) is reported as
 * SMTPSPLICE_A_STATS_CLEAN. The attributes before STEERED are gauges.
 */
#define SS_STAT(name)	(SMTPSPLICE_A_STATS_##name)

#define ss_stats_add(sn, name, n) \
	this_cpu_add((sn)->stats->count[SS_STAT(name)], (n))
#define ss_stats_inc_attr(sn, attr) \
	this_cpu_inc((sn)->stats->count[attr])
#define ss_stats_inc(sn, name)	ss_stats_add(sn, name, 1)

/**
 * ss_stats_fill() - put all gauges and counters into a message
 * @sn: the namespace
 * @skb: the message
 *
 * Return: 0 or -EMSGSIZE.
 */
int ss_stats_fill(struct ss_net *sn, struct sk_buff *skb);

#endif /* SS_STATS_H */
