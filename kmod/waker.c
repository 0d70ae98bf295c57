// SPDX-License-Identifier: GPL-2.0
/*
 * The references to a session and its wake-up, for those that know no more of it: its
 * legs, in softirq, and its request.
 */
#include "net.h"
#include "waker.h"

void ss_waker_init(struct ss_waker *w, work_func_t work,
		   void (*release)(struct ss_waker *w))
{
	refcount_set(&w->users, 1);
	INIT_WORK(&w->work, work);
	w->release = release;
}

void ss_waker_get(struct ss_waker *w)
{
	refcount_inc(&w->users);
}

void ss_waker_put(struct ss_waker *w)
{
	if (refcount_dec_and_test(&w->users))
		w->release(w);
}

void ss_waker_wake(struct ss_waker *w)
{
	ss_waker_get(w);
	if (!queue_work(ss_wq, &w->work))
		ss_waker_put(w);
}
