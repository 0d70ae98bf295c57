// SPDX-License-Identifier: GPL-2.0
/*
 * Clients that have sent an infected message, and may not send for a while (the
 * option sender-ban of AV profiles). A short list, searched from the front: few
 * are in it at a time, and most sessions do not get that far.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "addr.h"
#include "ban.h"
#include "net.h"

/* Clients that are remembered; with one more, the oldest is forgotten. */
#define MAX_BANS	1024

/**
 * struct ban - one client
 * @node: link in ss_bans.list
 * @client: its address
 * @end: jiffies at which it may send again
 */
struct ban {
	struct list_head node;
	struct ss_addr client;
	unsigned long end;
};

static void forget_ban(struct ss_bans *b, struct ban *ban)
	__must_hold(&b->lock)
{
	lockdep_assert_held(&b->lock);
	list_del(&ban->node);
	b->count--;
	kfree(ban);
}

/* Finds the ban of a client; forgets on the way those that are over. */
static struct ban *find_ban(struct ss_bans *b, const struct ss_addr *client)
	__must_hold(&b->lock)
{
	struct ban *ban, *next;

	lockdep_assert_held(&b->lock);
	list_for_each_entry_safe(ban, next, &b->list, node) {
		if (time_after_eq(jiffies, ban->end))
			forget_ban(b, ban);
		else if (ss_addr_same_client(&ban->client, client))
			return ban;
	}
	return NULL;
}

void ss_ban_init(struct ss_net *sn)
{
	spin_lock_init(&sn->bans.lock);
	INIT_LIST_HEAD(&sn->bans.list);
}

void ss_ban_flush(struct ss_net *sn)
{
	struct ss_bans *b = &sn->bans;
	struct ban *ban, *next;

	spin_lock_bh(&b->lock);
	list_for_each_entry_safe(ban, next, &b->list, node)
		forget_ban(b, ban);
	spin_unlock_bh(&b->lock);
}

void ss_ban_add(struct ss_net *sn, const struct ss_addr *client, u32 seconds)
{
	struct ss_bans *b = &sn->bans;
	struct ban *new, *old;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return;
	new->client = *client;
	new->end = jiffies + seconds * HZ;
	spin_lock_bh(&b->lock);
	old = find_ban(b, client);
	if (!old && b->count == MAX_BANS)
		old = list_last_entry(&b->list, struct ban, node);
	if (old)
		forget_ban(b, old);
	list_add(&new->node, &b->list);
	b->count++;
	spin_unlock_bh(&b->lock);
}

bool ss_ban_has(struct ss_net *sn, const struct ss_addr *client)
{
	struct ss_bans *b = &sn->bans;
	bool ret;

	/* the list is empty most of the time */
	if (!READ_ONCE(b->count))
		return false;
	spin_lock_bh(&b->lock);
	ret = find_ban(b, client);
	spin_unlock_bh(&b->lock);
	return ret;
}
