// SPDX-License-Identifier: GPL-2.0
/*
 * The scan workers as the broker sees them: a place for each, its job, and who
 * answers for that should it die. Where another scanner serves, the worker in a
 * place stays until its replacement is here and it has no job: at no time are there fewer
 * workers than before.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/workers.h"
#include "lib/cleanup.h"
#include "lib/ipc.h"
#include "lib/process.h"
#include "proto/control_msg.h"
#include "proto/scan_msg.h"
#include "quarantine/store.h"

#define ANSWER_MS	2000	/* left of the kernel's time for the verdict */

/* -- one place ------------------------------------------------------------ */

/* Make an empty place */
static void init_slot(struct ss_worker_slot *slot)
{
	*slot = (struct ss_worker_slot){
		.sock = -1, .pidfd = -1, .quarantine = -1,
		.replacement = -1, .replacement_pidfd = -1,
	};
}

/* Is a worker to be ordered for the place, at @respawn? */
static bool wants_worker(const struct ss_worker_slot *slot)
{
	return slot->state == SS_WORKER_EMPTY ||
	       (slot->outgoing && !slot->replacement_ordered && slot->replacement < 0);
}

/* Note that a worker was ordered for the place, which wants one */
static void note_order(struct ss_worker_slot *slot)
{
	if (slot->state == SS_WORKER_EMPTY)
		slot->state = SS_WORKER_ORDERED;
	else
		slot->replacement_ordered = true;
}

/* Let the replacement, if there is one, follow a worker that has no job */
static void switch_over(struct ss_worker_slot *slot)
{
	if (slot->replacement < 0)
		return;
	ss_cleanup_fd(&slot->sock);	/* so it ends */
	ss_cleanup_fd(&slot->pidfd);
	slot->sock = slot->replacement;
	slot->pidfd = slot->replacement_pidfd;
	slot->replacement = -1;
	slot->replacement_pidfd = -1;
	slot->outgoing = false;
	slot->state = SS_WORKER_FREE;
}

void ss_workers_fill(struct ss_worker_slot *slot, const int fds[SS_IPC_FDS])
{
	bool came = fds[0] >= 0;

	if (!came)
		slot->respawn = ss_process_now() + SS_WORKERS_RESPAWN_MS;
	if (slot->state == SS_WORKER_ORDERED) {
		slot->state = came ? SS_WORKER_FREE : SS_WORKER_EMPTY;
		slot->sock = fds[0];
		slot->pidfd = fds[1];
		return;
	}
	slot->replacement_ordered = false;
	slot->replacement = fds[0];
	slot->replacement_pidfd = fds[1];
	if (slot->state == SS_WORKER_FREE)
		switch_over(slot);
}

/* Let what was to follow a worker, which is gone, take its place now */
static void promote_replacement(struct ss_worker_slot *slot)
{
	slot->outgoing = false;
	if (slot->replacement_ordered)
		slot->state = SS_WORKER_ORDERED;
	slot->replacement_ordered = false;
	switch_over(slot);
}

/* Note that another scanner serves: a worker ordered from the one before does not come */
static void retire_worker(struct ss_worker_slot *slot)
{
	if (slot->state == SS_WORKER_ORDERED)
		slot->state = SS_WORKER_EMPTY;
	slot->replacement_ordered = false;
	ss_cleanup_fd(&slot->replacement);
	ss_cleanup_fd(&slot->replacement_pidfd);
	slot->respawn = 0;
	slot->outgoing = slot->state != SS_WORKER_EMPTY;
}

/* -- all of them ----------------------------------------------------------- */

static int order_worker(struct ss_worker_slot *slot, int scanner)
{
	struct ss_ipc_msg msg = { .type = SS_IPC_SPAWN };
	int ret = ss_ipc_post(scanner, &msg, sizeof(msg), NULL, 0);

	if (ret == -EAGAIN) {
		slot->respawn = ss_process_now() + SS_WORKERS_RESPAWN_MS;
		return 0;
	}
	if (ret)
		return -EPIPE;
	note_order(slot);
	return 0;
}

/* Kill a worker, dead or not, and answer for it. Return: as ss_verdict_fail(). */
static int lose_worker(struct ss_workers *w, struct ss_worker_slot *slot, bool late,
		       const char *why)
{
	struct ss_scan_request *req = slot->req;
	int ret = 0;

	if (slot->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, slot->pidfd, SIGKILL, NULL, 0);
	ss_cleanup_fd(&slot->pidfd);
	ss_cleanup_fd(&slot->sock);
	slot->req = NULL;
	slot->state = SS_WORKER_EMPTY;
	slot->respawn = ss_process_now() + (req ? 0 : SS_WORKERS_RESPAWN_MS);
	promote_replacement(slot);
	if (req) {
		ss_process_say("%s (session %llu, %llu bytes)", why,
			       (unsigned long long)req->flow.session,
			       (unsigned long long)req->size);
		ret = ss_verdict_fail(w->verdicts, req, late, why);
	} else {
		ss_process_say("%s (it had no message)", why);
	}
	ss_cleanup_fd(&slot->quarantine);
	return ret;
}

uint64_t ss_workers_time_for(const struct ss_scan_request *req)
{
	return req->timeout > 2 * ANSWER_MS ? req->timeout - ANSWER_MS :
	       req->timeout / 2;
}

/* Bytes that workers may be about to write into the quarantine */
static uint64_t quarantine_pending(const struct ss_workers *w)
{
	uint64_t pending = 0;

	for (unsigned int i = 0; i < w->count; i++)
		if (w->slots[i].req && w->slots[i].quarantine >= 0)
			pending += w->slots[i].req->size;
	return pending;
}

/* Has a worker without a job said something? Then it is dead, or was taken over. */
static bool has_spoken(const struct ss_worker_slot *slot)
{
	struct pollfd fd = { .fd = slot->sock, .events = POLLIN };

	return poll(&fd, 1, 0) != 0;
}

bool ss_workers_start_job(struct ss_workers *w, struct ss_worker_slot *slot,
			  struct ss_scan_request *req)
{
	uint64_t now = ss_process_now(), end = req->received + ss_workers_time_for(req);
	uint64_t left = end > now ? end - now : 0;
	struct ss_scan_order order = {
		.job = {
			.size = req->size,
			.limit_ms = left - left / 10,
			.chunked = req->chunked,
			.splice = req->splice,
			.tls = req->tls,
		},
	};
	size_t size = SS_SCAN_ORDER_MIN + req->av_len;
	int fds[SS_IPC_FDS] = { req->fd, -1 }, ret;

	if (has_spoken(slot) || getrandom(&slot->ticket, sizeof(slot->ticket), 0) !=
	    sizeof(slot->ticket)) {
		lose_worker(w, slot, false, "scan worker died, or spoke unasked");
		return false;
	}
	order.job.ticket = slot->ticket;
	if (w->verdicts->quarantine.dir >= 0)
		slot->quarantine = ss_quarantine_create(&w->verdicts->quarantine, req->size,
							quarantine_pending(w));
	if (slot->quarantine >= 0) {
		order.job.quarantine = 1;
		fds[1] = slot->quarantine;
	}
	snprintf(order.job.source, sizeof(order.job.source), "%s", req->flow.client);
	snprintf(order.job.dest, sizeof(order.job.dest), "%s", req->flow.server);
	snprintf(order.job.from, sizeof(order.job.from), "%s", req->sender);
	snprintf(order.job.to, sizeof(order.job.to), "%s", req->rcpts ? req->rcpts : "");
	if (req->av_len)
		memcpy(order.profile, req->av, req->av_len);
	ret = ss_ipc_post(slot->sock, &order, size, fds, order.job.quarantine ? 2 : 1);
	if (ret) {
		lose_worker(w, slot, false, ret == -EAGAIN ? "scan worker does not read" :
			    "scan worker died");
		return false;
	}
	ss_cleanup_fd(&req->fd);
	slot->state = SS_WORKER_BUSY;
	slot->req = req;
	slot->deadline = end;
	return true;
}

int ss_workers_event(struct ss_workers *w, struct ss_worker_slot *slot)
{
	struct ss_scan_result result;
	struct ss_scan_request *req = slot->req;
	int fds[SS_IPC_FDS];
	int ret = ss_ipc_recv(slot->sock, &result, sizeof(result), fds);
	bool came = fds[0] >= 0;

	if (ret || slot->state != SS_WORKER_BUSY || result.ticket != slot->ticket ||
	    !ss_scan_result_check(&result) || result.replaced != came) {
		ret = lose_worker(w, slot, false, ret == -EPIPE ? "scan worker died" :
				  "scan worker gave nonsense");
	} else {
		slot->req = NULL;
		slot->state = SS_WORKER_FREE;
		ret = ss_verdict_give(w->verdicts, req, &result, slot->quarantine, fds[0]);
		ss_cleanup_fd(&slot->quarantine);
		switch_over(slot);
	}
	for (int i = 0; i < SS_IPC_FDS; i++)
		ss_cleanup_fd(&fds[i]);
	return ret;
}

int ss_workers_look(struct ss_workers *w, int scanner)
{
	uint64_t now = ss_process_now();

	for (unsigned int i = 0; i < w->count; i++) {
		struct ss_worker_slot *slot = &w->slots[i];
		int ret = 0;

		if (slot->state == SS_WORKER_BUSY && now >= slot->deadline)
			ret = lose_worker(w, slot, true, "scan worker took too long");
		if (!ret && wants_worker(slot) && now >= slot->respawn)
			ret = order_worker(slot, scanner);
		if (ret)
			return ret;
	}
	return 0;
}

uint64_t ss_workers_next(const struct ss_workers *w, uint64_t next)
{
	for (unsigned int i = 0; i < w->count; i++) {
		const struct ss_worker_slot *slot = &w->slots[i];

		if (slot->state == SS_WORKER_BUSY && slot->deadline < next)
			next = slot->deadline;
		if (wants_worker(slot) && slot->respawn < next)
			next = slot->respawn;
	}
	return next;
}

struct ss_worker_slot *ss_workers_find(const struct ss_workers *w, enum ss_worker_state state)
{
	for (unsigned int i = 0; i < w->count; i++)
		if (w->slots[i].state == state)
			return &w->slots[i];
	return NULL;
}

struct ss_worker_slot *ss_workers_find_ordered(const struct ss_workers *w)
{
	struct ss_worker_slot *slot = ss_workers_find(w, SS_WORKER_ORDERED);

	for (unsigned int i = 0; !slot && i < w->count; i++)
		if (w->slots[i].replacement_ordered)
			slot = &w->slots[i];
	return slot;
}

void ss_workers_retire(struct ss_workers *w)
{
	for (unsigned int i = 0; i < w->count; i++)
		retire_worker(&w->slots[i]);
}

bool ss_workers_outgoing(const struct ss_workers *w, bool *awaits_replacement)
{
	bool outgoing = false;

	*awaits_replacement = false;
	for (unsigned int i = 0; i < w->count; i++) {
		const struct ss_worker_slot *slot = &w->slots[i];

		outgoing |= slot->outgoing;
		*awaits_replacement |= slot->outgoing && slot->replacement < 0;
	}
	return outgoing;
}

int ss_workers_init(struct ss_workers *w, unsigned int count, struct ss_verdicts *verdicts)
{
	*w = (struct ss_workers){
		.verdicts = verdicts, .slots = calloc(count, sizeof(*w->slots)), .count = count,
	};
	if (!w->slots)
		return -ENOMEM;
	for (unsigned int i = 0; i < count; i++)
		init_slot(&w->slots[i]);
	return 0;
}
