/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BUDGET_H
#define SS_BUDGET_H

#include <linux/types.h>

struct ss_net;

/**
 * enum ss_budget_level - how much of the budget is held
 * @SS_BUDGET_GREEN: there is room
 * @SS_BUDGET_RED: conserve mode
 * @SS_BUDGET_EXTREME: no message is taken
 */
enum ss_budget_level {
	SS_BUDGET_GREEN,
	SS_BUDGET_RED,
	SS_BUDGET_EXTREME,
};

/**
 * ss_budget_charge() - more is to be held
 * @sn: the namespace
 * @n: octets
 *
 * Context: process, as the following. Return: 0, or -ENOSPC where the budget is
 * used up.
 */
int ss_budget_charge(struct ss_net *sn, u64 n);

/**
 * ss_budget_uncharge() - less is held
 * @sn: the namespace
 * @n: octets
 */
void ss_budget_uncharge(struct ss_net *sn, u64 n);

/**
 * ss_budget_level() - how much of the budget is held?
 * @sn: the namespace
 */
enum ss_budget_level ss_budget_level(struct ss_net *sn);

#endif /* SS_BUDGET_H */
