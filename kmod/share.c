// SPDX-License-Identifier: GPL-2.0
/*
 * Clients, as limits see them: an IPv4 address or an IPv6 /64, and what each of
 * them has of the budgets of the namespace. A share lives as long as one of the
 * client's sessions or messages does. The owners of the budgets count in it:
 * session-table.c, budget.c and request.c.
 */
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "addr.h"
#include "net.h"
#include "share.h"

void ss_share_init(struct ss_net *sn)
{
	spin_lock_init(&sn->shares_lock);
	hash_init(sn->shares);
	/* keeps anybody from choosing addresses that share a bucket */
	sn->shares_seed = get_random_u32();
}

static u32 hash_of(const struct ss_net *sn, const __be32 prefix[2])
{
	return jhash_2words((__force u32)prefix[0], (__force u32)prefix[1],
			    sn->shares_seed);
}

/* Finds the share of a client that has one, and takes a reference. */
static struct ss_share *find_share(struct ss_net *sn,
				   const struct ss_share *like)
	__must_hold(&sn->shares_lock)
{
	struct ss_share *share;

	lockdep_assert_held(&sn->shares_lock);
	hash_for_each_possible(sn->shares, share, node,
			       hash_of(sn, like->prefix)) {
		if (share->family == like->family &&
		    share->prefix[0] == like->prefix[0] &&
		    share->prefix[1] == like->prefix[1]) {
			share->users++;
			return share;
		}
	}
	return NULL;
}

struct ss_share *ss_share_get(struct ss_net *sn, const struct ss_addr *client)
{
	struct ss_share *new, *share;

	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->users = 1;
	new->family = client->family;
	ss_addr_client(client, new->prefix);
	spin_lock_bh(&sn->shares_lock);
	share = find_share(sn, new);
	if (!share)
		hash_add(sn->shares, &new->node, hash_of(sn, new->prefix));
	spin_unlock_bh(&sn->shares_lock);
	if (!share)
		return new;
	kfree(new);
	return share;
}

void ss_share_hold(struct ss_net *sn, struct ss_share *share)
{
	spin_lock_bh(&sn->shares_lock);
	share->users++;
	spin_unlock_bh(&sn->shares_lock);
}

void ss_share_put(struct ss_net *sn, struct ss_share *share)
{
	bool last;

	if (!share)
		return;
	spin_lock_bh(&sn->shares_lock);
	last = !--share->users;
	if (last)
		hash_del(&share->node);
	spin_unlock_bh(&sn->shares_lock);
	if (last)
		kfree(share);
}
