/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_RELOAD_H
#define SS_BROKER_RELOAD_H

#include <stdbool.h>

#include "broker/state_file.h"
#include "common/conf.h"

/**
 * struct ss_reload - The scanners that a broker knows; all sockets are its own.
 * @serving: to the one that new workers come from
 * @next: to the one that loads and will take over, or -1
 * @leaving: to the one of before, which still has workers here, or -1
 * @settling: a reload is done when all messages to come go to the serving one
 * @state: what is told about them
 */
struct ss_reload {
	int serving;
	int next;
	int leaving;
	bool settling;
	struct ss_state_file state;
};

/**
 * ss_reload_init() - Wait until the first one has loaded.
 * @r: the scanners
 * @conf: the command line
 * @serving: the socket to it, which is theirs from now on
 *
 * Return: 0, or an errno where it has not.
 */
int ss_reload_init(struct ss_reload *r, const struct ss_conf *conf, int serving);

/**
 * ss_reload_offer() - There is one that loads.
 * @r: the scanners
 * @sock: the socket to it, which is theirs from now on
 */
void ss_reload_offer(struct ss_reload *r, int sock);

/**
 * ss_reload_next_event() - The one that loads has something to say, or died.
 * @r: the scanners
 *
 * Return: whether it is the one that serves now, and all workers are of the one
 * that leaves.
 */
bool ss_reload_next_event(struct ss_reload *r);

/**
 * ss_reload_leaving_event() - The one that leaves has sent something, or died.
 * @r: the scanners
 *
 * A worker that was ordered before it left is sent away again.
 */
void ss_reload_leaving_event(struct ss_reload *r);

/**
 * ss_reload_settle() - All messages to come go to the one that serves.
 * @r: the scanners
 */
void ss_reload_settle(struct ss_reload *r);

/**
 * ss_reload_retire() - No worker of the one that leaves is left.
 * @r: the scanners
 */
void ss_reload_retire(struct ss_reload *r);

#endif /* SS_BROKER_RELOAD_H */
