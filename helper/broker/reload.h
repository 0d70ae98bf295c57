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

int ss_reload_init(struct ss_reload *s, const struct ss_conf *conf, int serving);
void ss_reload_offer(struct ss_reload *s, int sock);
bool ss_reload_next_event(struct ss_reload *s);
void ss_reload_leaving_event(struct ss_reload *s);
void ss_reload_settle(struct ss_reload *s);
void ss_reload_retire(struct ss_reload *s);

#endif /* SS_BROKER_RELOAD_H */
