/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_WAKER_H
#define SS_WAKER_H

#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/**
 * struct ss_waker - the part of a session that its legs and its request know of
 * @users: references: 1 for the list of sessions and 1 for each other holder, a
 *	queued @work included
 * @work: work that drives the session, which nothing else does; gives back the
 *	reference that queueing it took
 * @id: number of the session, for people and logs
 * @killed: the session has to end now
 * @release: function that frees the session, once, with the last reference; in any
 *	context
 */
struct ss_waker {
	refcount_t users;
	struct work_struct work;
	u64 id;
	bool killed;
	void (*release)(struct ss_waker *w);
};

/**
 * ss_waker_init() - make a waker with one reference
 * @w: the waker, zeroed
 * @work: the function of the work
 * @release: as of struct ss_waker
 */
void ss_waker_init(struct ss_waker *w, work_func_t work,
		   void (*release)(struct ss_waker *w));

/**
 * ss_waker_get() - take a reference
 * @w: the waker, which the caller knows to be alive
 */
void ss_waker_get(struct ss_waker *w);

/**
 * ss_waker_put() - give a reference back
 * @w: the waker
 *
 * Context: any.
 */
void ss_waker_put(struct ss_waker *w);

/**
 * ss_waker_wake() - run the session, as something may have happened
 * @w: the waker, which the caller knows to be alive
 *
 * Context: any.
 */
void ss_waker_wake(struct ss_waker *w);

#endif /* SS_WAKER_H */
