// SPDX-License-Identifier: GPL-2.0
/* Does ip_route_input_noref() return an enum skb_drop_reason (and take a dscp_t)? */
#include <net/route.h>

enum skb_drop_reason (*probe)(struct sk_buff *skb, __be32 daddr, __be32 saddr,
			      dscp_t dscp, struct net_device *dev);
void probe_set(void);
void probe_set(void)
{
	probe = ip_route_input_noref;
}
