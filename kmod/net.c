// SPDX-License-Identifier: GPL-2.0
/*
 * The lookup of a namespace's state, and the workqueue. main.c makes and ends both;
 * they are here so that nobody has to call up into that.
 */
#include <net/netns/generic.h>

#include "net.h"

struct workqueue_struct *ss_wq;

unsigned int ss_net_id __read_mostly;

struct ss_net *ss_net_get(const struct net *net)
{
	return net_generic(net, ss_net_id);
}
