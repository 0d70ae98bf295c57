// SPDX-License-Identifier: GPL-2.0
/*
 * The place of a worker in the broker. Where another scanner serves, the worker
 * in it stays until its heir is here and it has no job: at no time are there
 * fewer workers than before.
 */
#include "broker/workers.h"
#include "lib/cleanup.h"
#include "lib/process.h"

/**
 * ss_slot_init() - Make an empty place.
 * @slot: the place
 */
void ss_slot_init(struct slot *slot)
{
	*slot = (struct slot){
		.sock = -1, .pidfd = -1, .quarantine = -1, .heir = -1, .heir_pidfd = -1,
	};
}

/**
 * ss_slot_wants() - Is a worker to be ordered for it, at @slot->respawn?
 * @slot: the place
 *
 * Return: whether that is so.
 */
bool ss_slot_wants(const struct slot *slot)
{
	return slot->state == SLOT_EMPTY ||
	       (slot->stale && !slot->heir_ordered && slot->heir < 0);
}

/**
 * ss_slot_order() - A worker was ordered.
 * @slot: the place, which wants one
 */
void ss_slot_order(struct slot *slot)
{
	if (slot->state == SLOT_EMPTY)
		slot->state = SLOT_ORDERED;
	else
		slot->heir_ordered = true;
}

/**
 * ss_slot_fill() - The worker that was ordered is here, or there is none.
 * @slot: the place
 * @fds: its socket and its pidfd, the place's from now on; -1 where there is none
 */
void ss_slot_fill(struct slot *slot, const int fds[SS_IPC_FDS])
{
	bool came = fds[0] >= 0;

	if (!came)
		slot->respawn = ss_process_now() + SS_SLOT_RESPAWN_MS;
	if (slot->state == SLOT_ORDERED) {
		slot->state = came ? SLOT_FREE : SLOT_EMPTY;
		slot->sock = fds[0];
		slot->pidfd = fds[1];
		return;
	}
	slot->heir_ordered = false;
	slot->heir = fds[0];
	slot->heir_pidfd = fds[1];
	if (slot->state == SLOT_FREE)
		ss_slot_succeed(slot);
}

/**
 * ss_slot_succeed() - The worker has no job: the heir, if there is one, follows.
 * @slot: the place
 */
void ss_slot_succeed(struct slot *slot)
{
	if (slot->heir < 0)
		return;
	ss_cleanup_fd(&slot->sock);	/* so it ends */
	ss_cleanup_fd(&slot->pidfd);
	slot->sock = slot->heir;
	slot->pidfd = slot->heir_pidfd;
	slot->heir = -1;
	slot->heir_pidfd = -1;
	slot->stale = false;
	slot->state = SLOT_FREE;
}

/**
 * ss_slot_inherit() - The worker is gone: what was for after it is for now.
 * @slot: the place, empty
 */
void ss_slot_inherit(struct slot *slot)
{
	slot->stale = false;
	if (slot->heir_ordered)
		slot->state = SLOT_ORDERED;
	slot->heir_ordered = false;
	ss_slot_succeed(slot);
}

/**
 * ss_slot_age() - Another scanner serves from now on.
 * @slot: the place; what was ordered for it from the other one does not come
 */
void ss_slot_age(struct slot *slot)
{
	if (slot->state == SLOT_ORDERED)
		slot->state = SLOT_EMPTY;
	slot->heir_ordered = false;
	ss_cleanup_fd(&slot->heir);
	ss_cleanup_fd(&slot->heir_pidfd);
	slot->respawn = 0;
	slot->stale = slot->state != SLOT_EMPTY;
}
