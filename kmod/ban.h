/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BAN_H
#define SS_BAN_H

#include <linux/types.h>

struct ss_addr;
struct ss_net;

/**
 * ss_ban_init() - make the list of a namespace
 * @sn: the namespace
 */
void ss_ban_init(struct ss_net *sn);

/**
 * ss_ban_flush() - empty the list of a namespace
 * @sn: the namespace
 */
void ss_ban_flush(struct ss_net *sn);

/**
 * ss_ban_add() - remember a client that has sent an infected message
 * @sn: the namespace
 * @client: its address; an IPv6 one stands for its /64
 * @seconds: time of the ban
 *
 * Context: process. Where there is no memory it is not remembered.
 */
void ss_ban_add(struct ss_net *sn, const struct ss_addr *client, u32 seconds);

/**
 * ss_ban_has() - may a client not send now?
 * @sn: the namespace
 * @client: its address
 *
 * Context: any but hard interrupts.
 */
bool ss_ban_has(struct ss_net *sn, const struct ss_addr *client);

#endif /* SS_BAN_H */
