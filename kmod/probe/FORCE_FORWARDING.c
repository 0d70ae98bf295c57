// SPDX-License-Identifier: GPL-2.0
/* Can IPv6 forwarding be forced for an interface? */
#include <linux/ipv6.h>

int probe(struct ipv6_devconf *cnf);
int probe(struct ipv6_devconf *cnf)
{
	return cnf->force_forwarding;
}
