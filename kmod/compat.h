/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernels that this builds for. Each is chosen by what is
 * there: by an #ifndef where the thing is a macro, else by a compile probe
 * (kmod/probe/, see Kbuild). The rest of the source is written for the newest kernel.
 */
#ifndef SS_COMPAT_H
#define SS_COMPAT_H

#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <net/if_inet6.h>
#include <net/inet_dscp.h>
#include <net/ip.h>
#include <net/route.h>

/**
 * ss_compat_shmem_file() - make an unlinked, unaccounted shmem file
 * @name: shown in /proc/PID/fd
 * @size: its size in bytes
 *
 * Return: the file or an ERR_PTR().
 */
static inline struct file *ss_compat_shmem_file(const char *name, loff_t size)
{
#ifdef SS_HAVE_VMA_FLAGS_T
	return shmem_kernel_file_setup(name, size,
				       mk_vma_flags(VMA_NORESERVE_BIT));
#else
	return shmem_kernel_file_setup(name, size, VM_NORESERVE);
#endif
}

/**
 * ss_compat_route_input() - route a packet that came in
 * @skb: the packet, without a dst
 * @iph: its IP header
 * @dev: interface on which it came in
 *
 * Return: 0 with an unreferenced dst set, else nonzero.
 */
static inline int ss_compat_route_input(struct sk_buff *skb,
					const struct iphdr *iph,
					struct net_device *dev)
{
	dscp_t dscp = inet_dsfield_to_dscp(iph->tos);

#ifdef SS_HAVE_ROUTE_DSCP_T
	return ip_route_input_noref(skb, iph->daddr, iph->saddr, dscp, dev);
#else
	return ip_route_input_noref(skb, iph->daddr, iph->saddr,
				    inet_dscp_to_dsfield(dscp), dev);
#endif
}

/**
 * ss_compat_forwards6() - does the box forward what comes in by an interface?
 * @net: the namespace
 * @idev: the interface; its own "forwarding" only says whether it is a
 *	router's, see ip6_forward()
 */
static inline bool ss_compat_forwards6(const struct net *net,
				       const struct inet6_dev *idev)
{
#ifdef SS_HAVE_FORCE_FORWARDING
	if (READ_ONCE(idev->cnf.force_forwarding))
		return true;
#endif
	return READ_ONCE(net->ipv6.devconf_all->forwarding);
}

#endif /* SS_COMPAT_H */
