/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SLOT_H
#define SS_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/scan_request.h"
#include "lib/ipc.h"

#define SS_SLOT_RESPAWN_MS	1000	/* before a worker that had no job is replaced */

/**
 * enum slot_state - What is in the place of a worker.
 * @SLOT_EMPTY: none; one is ordered at @respawn
 * @SLOT_ORDERED: the scanner was told to fork one
 * @SLOT_FREE: a worker without a job
 * @SLOT_BUSY: a worker that scans @req
 */
enum slot_state {
	SLOT_EMPTY,
	SLOT_ORDERED,
	SLOT_FREE,
	SLOT_BUSY,
};

/**
 * struct slot - The place of a worker.
 * @state: what is in it
 * @sock: the worker's socket, or -1
 * @pidfd: the worker, or -1
 * @req: its job, or NULL
 * @ticket: of its job, which the result has to name
 * @quarantine: file for its message, or -1, or an errno why there is none
 * @deadline: when it has to be done
 * @respawn: when to order another worker
 * @stale: the worker is of the scanner that leaves; it stays until its heir is
 *   here and it has no job
 * @heir_ordered: the serving scanner was told to fork its heir
 * @heir: socket of the worker that takes its place, or -1
 * @heir_pidfd: that worker, or -1
 */
struct slot {
	enum slot_state state;
	int sock;
	int pidfd;
	struct ss_request *req;
	uint64_t ticket;
	int quarantine;
	uint64_t deadline;
	uint64_t respawn;
	bool stale;
	bool heir_ordered;
	int heir;
	int heir_pidfd;
};

void ss_slot_init(struct slot *slot);
bool ss_slot_wants(const struct slot *slot);
void ss_slot_order(struct slot *slot);
void ss_slot_fill(struct slot *slot, const int fds[SS_IPC_FDS]);
void ss_slot_succeed(struct slot *slot);
void ss_slot_inherit(struct slot *slot);
void ss_slot_age(struct slot *slot);

#endif /* SS_SLOT_H */
