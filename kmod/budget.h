/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BUDGET_H
#define SS_BUDGET_H

#include <linux/types.h>

struct ss_net;
struct ss_share;

/*
 * The slowest that a message may come or go on average, octets a second, as
 * Postfix has it (smtpd_min_data_rate).
 */
#define SS_BUDGET_MIN_RATE	500

/**
 * enum ss_budget_level - levels of the budget
 * @SS_BUDGET_GREEN: room
 * @SS_BUDGET_RED: conserve mode
 * @SS_BUDGET_EXTREME: full; no message is taken
 */
enum ss_budget_level {
	SS_BUDGET_GREEN,
	SS_BUDGET_RED,
	SS_BUDGET_EXTREME,
};

/**
 * ss_budget_room() - is there room for one more message?
 * @sn: the namespace
 * @share: share of the client that it comes from
 *
 * Context: process, as the following. Return: 0, -ENOSPC where the budget is used
 * up, or -EDQUOT where the client has its share.
 */
int ss_budget_room(struct ss_net *sn, const struct ss_share *share);

/**
 * ss_budget_charge() - charge what is to be held
 * @sn: the namespace
 * @share: share of the client that it comes from
 * @own: bytes that are charged for this message already
 * @n: bytes
 *
 * A client that has no other message may use up the budget. Return: 0, or -ENOSPC
 * or -EDQUOT as of ss_budget_room(); then nothing is charged.
 */
int ss_budget_charge(struct ss_net *sn, struct ss_share *share, u64 own, u64 n);

/**
 * ss_budget_uncharge() - give back what is held no more
 * @sn: the namespace
 * @share: share of the client that it came from
 * @n: bytes
 */
void ss_budget_uncharge(struct ss_net *sn, struct ss_share *share, u64 n);

/**
 * ss_budget_pressure() - measure how full the budget is, for those who are slow
 * @sn: the namespace
 *
 * Return: 0 while half of it is free, and one more for each further 5 per cent that
 * are held, to 10: so often what is asked of the slow doubles.
 */
u32 ss_budget_pressure(const struct ss_net *sn);

/**
 * ss_budget_min_rate() - compute the slowest that a held message may come or go
 * @sn: the namespace
 *
 * Rises as the budget fills, so that nobody keeps it full by being slow. Return:
 * octets a second, at least %SS_BUDGET_MIN_RATE.
 */
u32 ss_budget_min_rate(const struct ss_net *sn);

/**
 * ss_budget_level() - tell how much of the budget is held
 * @sn: the namespace
 */
enum ss_budget_level ss_budget_level(struct ss_net *sn);

#endif /* SS_BUDGET_H */
