/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_WORKERS_H
#define SS_BROKER_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/scan_request.h"
#include "broker/verdict.h"
#include "lib/ipc.h"

#define SS_WORKERS_RESPAWN_MS	1000	/* before a worker that had no job is replaced */

/**
 * enum ss_worker_state - What is in the place of a worker.
 * @SS_WORKER_EMPTY: none; one is ordered at @respawn
 * @SS_WORKER_ORDERED: the scanner was told to fork one
 * @SS_WORKER_FREE: a worker without a job
 * @SS_WORKER_BUSY: a worker that scans @req
 */
enum ss_worker_state {
	SS_WORKER_EMPTY,
	SS_WORKER_ORDERED,
	SS_WORKER_FREE,
	SS_WORKER_BUSY,
};

/**
 * struct ss_worker_slot - The place of a worker.
 * @state: what is in it
 * @sock: the worker's socket, or -1
 * @pidfd: the worker, or -1
 * @req: its job, or NULL
 * @ticket: of its job, which the result has to name
 * @quarantine: file for its message, or -1, or an errno why there is none
 * @deadline: when it has to be done
 * @respawn: when to order another worker, see ss_process_now()
 * @outgoing: the worker is of the scanner that leaves; it stays until its replacement is
 *   here and it has no job
 * @replacement_ordered: the serving scanner was told to fork its replacement
 * @replacement: socket of the worker that takes its place, or -1
 * @replacement_pidfd: that worker, or -1
 */
struct ss_worker_slot {
	enum ss_worker_state state;
	int sock;
	int pidfd;
	struct ss_scan_request *req;
	uint64_t ticket;
	int quarantine;
	uint64_t deadline;
	uint64_t respawn;
	bool outgoing;
	bool replacement_ordered;
	int replacement;
	int replacement_pidfd;
};

/**
 * struct ss_workers - The places of all workers.
 * @verdicts: what answers for those that cannot; the broker's
 * @slots: the places
 * @count: how many
 */
struct ss_workers {
	struct ss_verdicts *verdicts;
	struct ss_worker_slot *slots;
	unsigned int count;
};

/**
 * ss_workers_fill() - The worker that was ordered is here, or there is none.
 * @slot: the place
 * @fds: its socket and its pidfd, the place's from now on; -1 where there is none
 */
void ss_workers_fill(struct ss_worker_slot *slot, const int fds[SS_IPC_FDS]);

/**
 * ss_workers_init() - Have places for workers, all empty.
 * @w: the workers
 * @count: how many
 * @verdicts: what answers for them; has to stay
 *
 * Return: 0 or -ENOMEM.
 */
int ss_workers_init(struct ss_workers *w, unsigned int count, struct ss_verdicts *verdicts);

/**
 * ss_workers_time_for() - Tell how long a request may take.
 * @req: the request
 *
 * Return: milliseconds from hand-out until the verdict has to be given.
 */
uint64_t ss_workers_time_for(const struct ss_scan_request *req);

/**
 * ss_workers_start_job() - Give a worker a job.
 * @w: the workers
 * @slot: the place of a free one
 * @req: the request, the worker's place's from now on
 *
 * Return: false where the worker is dead, or has not waited to be asked; it is lost
 * then, the request is not.
 */
bool ss_workers_start_job(struct ss_workers *w, struct ss_worker_slot *slot,
			  struct ss_scan_request *req);

/**
 * ss_workers_event() - A worker has a result, or died.
 * @w: the workers
 * @slot: its place
 *
 * Return: 0, or -EPERM where the kernel does not know this helper any more.
 */
int ss_workers_event(struct ss_workers *w, struct ss_worker_slot *slot);

/**
 * ss_workers_look() - Kill workers that are late, and order those that are wanted.
 * @w: the workers
 * @scanner: the socket to the scanner that serves
 *
 * Return: 0, -EPERM where the kernel does not know this helper any more, or -EPIPE
 * where the scanner is gone.
 */
int ss_workers_look(struct ss_workers *w, int scanner);

/**
 * ss_workers_next() - Tell when ss_workers_look() has something to do.
 * @w: the workers
 * @next: the time, if it is not before
 *
 * Return: the time, see ss_process_now().
 */
uint64_t ss_workers_next(const struct ss_workers *w, uint64_t next);

/**
 * ss_workers_find() - Find a place.
 * @w: the workers
 * @state: what is to be in it
 *
 * Return: the first one, or NULL.
 */
struct ss_worker_slot *ss_workers_find(const struct ss_workers *w, enum ss_worker_state state);

/**
 * ss_workers_find_ordered() - Find the place that a worker was ordered for.
 * @w: the workers
 *
 * Return: the place, or NULL.
 */
struct ss_worker_slot *ss_workers_find_ordered(const struct ss_workers *w);

/**
 * ss_workers_retire() - Another scanner serves from now on.
 * @w: the workers
 */
void ss_workers_retire(struct ss_workers *w);

/**
 * ss_workers_outgoing() - Tell how far the workers are with a reload.
 * @w: the workers
 * @awaits_replacement: whether one of the scanner that leaves has no replacement yet
 *
 * Return: whether there is one of the scanner that leaves.
 */
bool ss_workers_outgoing(const struct ss_workers *w, bool *awaits_replacement);

#endif /* SS_BROKER_WORKERS_H */
