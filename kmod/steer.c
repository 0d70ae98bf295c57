// SPDX-License-Identifier: GPL-2.0
/*
 * Takes TCP flows out of the forwarding path.
 *
 * One PRE_ROUTING hook per address family, after DNAT (which it must see
 * through). A packet of a flow that is ours gets its socket and a route that
 * says "deliver locally", so that neither ip rules nor sysctls are needed. A
 * connection request that matches a policy gets that policy's listener, if the
 * box would have forwarded it. All else passes untouched.
 *
 * The hooks run in softirq under RCU and take no lock.
 */
#include <linux/icmp.h>
#include <linux/etherdevice.h>
#include <linux/icmpv6.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/addrconf.h>
#include <net/inet_sock.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/netfilter/nf_tproxy.h>
#include <net/route.h>
#include <net/tcp.h>

#include "addr.h"
#include "compat.h"
#include "leg.h"
#include "net.h"
#include "policy.h"
#include "stats.h"
#include "steer.h"

/* Runs behind NF_IP_PRI_NAT_DST: a DNATed server is matched by its real address. */
#define STEER_PRIORITY	(NF_IP_PRI_NAT_DST + 1)

/**
 * struct flow - a packet's addresses, for one code path over both families
 * @skb: the packet
 * @dev: interface on which it came in
 * @sn: the namespace
 * @th: TCP header
 * @thoff: offset of @th (IPv6)
 * @src: address it comes from
 * @dst: address it goes to
 */
struct flow {
	struct sk_buff *skb;
	struct net_device *dev;
	struct ss_net *sn;
	const struct tcphdr *th;
	int thoff;
	struct ss_addr src;
	struct ss_addr dst;
};

/* Finds the socket, of any state, that talks from @local to @remote. */
static struct sock *find_socket(const struct flow *f,
				const struct ss_addr *remote,
				const struct ss_addr *local)
{
	if (remote->family == AF_INET)
		return nf_tproxy_get_sock_v4(f->sn->net, f->skb, IPPROTO_TCP,
					     remote->ip.v4, local->ip.v4,
					     remote->port, local->port, f->dev,
					     NF_TPROXY_LOOKUP_ESTABLISHED);
	return nf_tproxy_get_sock_v6(f->sn->net, f->skb, f->thoff, IPPROTO_TCP,
				     &remote->ip.v6, &local->ip.v6,
				     remote->port, local->port, f->dev,
				     NF_TPROXY_LOOKUP_ESTABLISHED);
}

/*
 * Has a packet delivered locally. The flag keeps the receive path from handing this
 * route, as a hint, to the next packet in the same batch that goes to the same
 * address but to another port (ip_extract_route_hint()).
 */
static void deliver_locally(const struct flow *f)
{
	skb_dst_drop(f->skb);
	if (f->src.family == AF_INET) {
		skb_dst_set_noref(f->skb, &f->sn->rt->dst);
		IPCB(f->skb)->flags |= IPSKB_MULTIPATH;
	} else {
		skb_dst_set_noref(f->skb, &f->sn->rt6->dst);
		IP6CB(f->skb)->flags |= IP6SKB_MULTIPATH;
	}
}

/*
 * Gives a packet to @sk, a reference to which it consumes. ip_forward() drops what
 * has a socket but no local route, so the two always go together.
 */
static unsigned int steer_to(const struct flow *f, struct sock *sk)
{
	nf_tproxy_assign_sock(f->skb, sk);
	deliver_locally(f);
	return NF_ACCEPT;
}

/*
 * Would the box have forwarded this IPv4 packet? The route that we set skips
 * fib_validate_source(), so reverse-path filter and martian checks are done
 * here.
 */
static bool is_forwardable4(const struct flow *f)
{
	bool ok;

	skb_dst_drop(f->skb);
	if (ss_compat_route_input(f->skb, ip_hdr(f->skb), f->dev))
		return false;
	ok = skb_rtable(f->skb)->rt_type == RTN_UNICAST;
	skb_dst_drop(f->skb);
	return ok;
}

/* Does an IPv6 route lead off the box? */
static bool leads_off(const struct dst_entry *dst)
{
	const struct rt6_info *rt = dst_rt6_info(dst);

	return !dst->error &&
	       !(rt->rt6i_flags & (RTF_LOCAL | RTF_ANYCAST | RTF_REJECT));
}

/* Would the box have forwarded this IPv6 packet? */
static bool is_forwardable6(const struct flow *f)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(f->skb);
	struct flowi6 there = {
		.flowi6_iif = f->dev->ifindex,
		.flowi6_mark = f->skb->mark,
		.flowi6_proto = IPPROTO_TCP,
		.flowlabel = ip6_flowinfo(ip6h),
		.daddr = ip6h->daddr,
		.saddr = ip6h->saddr,
	};
	struct inet6_dev *idev = __in6_dev_get(f->dev);
	struct dst_entry *dst;
	bool ok;

	if (!idev || !ss_compat_forwards6(f->sn->net, idev) ||
	    !(ipv6_addr_type(&ip6h->saddr) & IPV6_ADDR_UNICAST) ||
	    ipv6_addr_type(&ip6h->saddr) & IPV6_ADDR_LINKLOCAL ||
	    ipv6_addr_type(&ip6h->daddr) & IPV6_ADDR_LINKLOCAL)
		return false;

	dst = ip6_route_input_lookup(f->sn->net, f->dev, &there, f->skb,
				     RT6_LOOKUP_F_HAS_SADDR);
	ok = leads_off(dst);
	dst_release(dst);
	return ok;
}

/* Would the box have forwarded this packet? */
static bool is_forwardable(const struct flow *f)
{
	return f->src.family == AF_INET ? is_forwardable4(f) :
					  is_forwardable6(f);
}

/*
 * Does a route lead back to the source? IPv6 has no reverse-path filter of its own.
 * We could not answer such a source, but a server that knows another way could: its
 * packets must not get past us unseen.
 */
static bool is_answerable6(const struct flow *f)
{
	struct flowi6 back = {
		.flowi6_iif = LOOPBACK_IFINDEX,
		.flowi6_mark = f->skb->mark,
		.flowi6_proto = IPPROTO_TCP,
		.daddr = f->src.ip.v6,
	};
	struct dst_entry *dst;
	bool ok;

	dst = ip6_route_lookup(f->sn->net, &back, f->skb, 0);
	ok = leads_off(dst);
	dst_release(dst);
	return ok;
}

/* Finds the leg that sends to where this comes from, from where it goes to. */
static struct sock *find_leg(const struct flow *f)
{
	struct sock *sk = find_socket(f, &f->dst, &f->src);

	/* drops the reference where it says no */
	return sk && nf_tproxy_sk_is_transparent(sk) ? sk : NULL;
}

/*
 * Did we send this request ourselves, and did routing bring it back? Then a
 * leg that is being dialled has these very addresses and this very initial
 * sequence number, and steering it would never end. Any other leg just has the
 * port that the client uses now, too.
 */
static bool is_looped(const struct flow *f)
{
	struct sock *sk = find_leg(f);
	bool ret;

	if (!sk)
		return false;
	ret = sk->sk_state == TCP_SYN_SENT &&
	      ntohl(f->th->seq) == READ_ONCE(tcp_sk(sk)->snd_una);
	sock_gen_put(sk);
	return ret;
}

/*
 * br_netfilter lets us see frames on a bridge port. One for the box itself
 * comes by again as a packet, but then without us (ip_sabotage_in()): it
 * would be forwarded uninspected. One for another host is only bridged, which
 * is not ours to inspect.
 */
static bool bridged_to_us(const struct flow *f)
{
	return ether_addr_equal(eth_hdr(f->skb)->h_dest, f->dev->dev_addr);
}

/*
 * Does an ACK complete a handshake by syncookie, which no socket remembers? Other
 * ACKs are of flows older than the policy: the listener would reset them.
 */
static bool completes_syncookie(const struct flow *f, const struct sock *sk)
{
	if (tcp_synq_no_recent_overflow(sk))
		return false;
	if (f->src.family == AF_INET)
		return __cookie_v4_check(ip_hdr(f->skb), f->th);
	return __cookie_v6_check(ipv6_hdr(f->skb), f->th);
}

/*
 * Does this packet claim the addresses of one of our legs? The real peer's packets
 * reach us on the other leg, so this one has not passed the gateway: accepting it
 * would let it speak for the client (or the server).
 */
static bool claims_our_leg(const struct flow *f)
{
	struct sock *sk = find_leg(f);

	if (!sk)
		return false;
	sock_gen_put(sk);
	return true;
}

/* Counts a flow that its policy picks, but does not touch on this port. */
static unsigned int leave_alone(const struct flow *f,
				const struct ss_policy *policy, bool syn)
{
	if (!syn || (nf_bridge_in_prerouting(f->skb) && !bridged_to_us(f)) ||
	    !is_forwardable(f))
		return NF_ACCEPT;
	ss_stats_inc(f->sn, BYPASS_OFF);
	pr_info_ratelimited("smtpsplice: TLS passes unscanned: policy %s, port %u is off\n",
			    policy->name, ntohs(f->dst.port));
	return NF_ACCEPT;
}

/* Steers a packet that belongs to no socket, where it is a request to connect. */
static unsigned int steer_new(const struct flow *f)
{
	const struct tcphdr *th = f->th;
	bool v4 = f->src.family == AF_INET;
	struct ss_policy *policy;
	struct sock *sk;
	bool syn = th->syn && !th->ack;

	if (!syn && !(th->ack && !th->syn && !th->rst))
		return NF_ACCEPT;
	/* the box talks to itself: nothing that it would forward */
	if (f->dev->flags & IFF_LOOPBACK)
		return NF_ACCEPT;
	policy = ss_policy_match(f->sn, f->dev, &f->src, &f->dst);
	if (!policy)
		return NF_ACCEPT;
	if (ss_policy_off(policy, ntohs(f->dst.port)))
		return leave_alone(f, policy, syn);
	sk = ss_policy_listener(policy, f->src.family);
	if (!sk)
		return NF_ACCEPT;

	if (!syn && !completes_syncookie(f, sk))
		return NF_ACCEPT;
	/* no socket of ours can be an IPv4 address's in IPv6 */
	if (!v4 && (ipv6_addr_v4mapped(&f->src.ip.v6) ||
		    ipv6_addr_v4mapped(&f->dst.ip.v6))) {
		ss_stats_inc(f->sn, STEER_REFUSED);
		return NF_DROP;
	}
	if (nf_bridge_in_prerouting(f->skb)) {
		if (!bridged_to_us(f))
			return NF_ACCEPT;
		ss_stats_inc(f->sn, STEER_REFUSED);
		return NF_DROP;
	}
	if (!is_forwardable(f)) {
		if (syn)
			ss_stats_inc(f->sn, STEER_REFUSED);
		return NF_ACCEPT;
	}
	/* some servers take a SYN with other flags for a SYN */
	if (syn && (th->fin || th->rst || is_looped(f) ||
		    (!v4 && !is_answerable6(f)))) {
		ss_stats_inc(f->sn, STEER_REFUSED);
		return NF_DROP;
	}
	if (syn)
		ss_stats_inc(f->sn, STEERED);

	sock_hold(sk);
	return steer_to(f, sk);
}

static unsigned int steer_tcp(struct flow *f)
{
	const struct tcphdr *th = f->th;
	struct sock *sk;

	f->src.port = th->source;
	f->dst.port = th->dest;

	sk = find_socket(f, &f->src, &f->dst);
	/*
	 * A new connection from the addresses of an old one. The listener has
	 * another port, so nf_tproxy_handle_time_wait4() could not find it. A
	 * SYN with ACK is for a client that uses, past us, the port of a leg.
	 */
	if (sk && sk->sk_state == TCP_TIME_WAIT &&
	    th->syn && !th->rst && !th->fin && inet_sk_transparent(sk)) {
		nf_tproxy_twsk_deschedule_put(inet_twsk(sk));
		sk = NULL;
	}
	if (sk) {
		/* drops the reference where it says no */
		if (!nf_tproxy_sk_is_transparent(sk))
			return NF_ACCEPT;
		if (ss_leg_is_muted(sk)) {
			sock_gen_put(sk);
			return NF_DROP;
		}
		return steer_to(f, sk);
	}
	if (!(th->syn && !th->ack) && claims_our_leg(f)) {
		ss_stats_inc(f->sn, STEER_REFUSED);
		return NF_DROP;
	}
	return steer_new(f);
}

/*
 * Delivers an ICMP error about a packet that one of our legs sent. The address that
 * it goes to is not ours, so it would be forwarded and the leg would never learn of
 * a smaller MTU. @f has the addresses of the packet in error.
 */
static unsigned int steer_error(struct flow *f, const __be16 *ports)
{
	struct sock *sk;

	f->src.port = ports[0];
	f->dst.port = ports[1];
	sk = find_leg(f);
	if (!sk)
		return NF_ACCEPT;
	sock_gen_put(sk);
	deliver_locally(f);
	return NF_ACCEPT;
}

static unsigned int steer_icmp4(struct flow *f)
{
	int off = skb_network_offset(f->skb) + ip_hdrlen(f->skb);
	const struct icmphdr *icmp;
	const struct iphdr *inner;
	struct icmphdr _icmp;
	struct iphdr _inner;
	const __be16 *ports;
	__be16 _ports[2];

	icmp = skb_header_pointer(f->skb, off, sizeof(_icmp), &_icmp);
	if (!icmp || !icmp_is_err(icmp->type))
		return NF_ACCEPT;
	off += sizeof(*icmp);
	inner = skb_header_pointer(f->skb, off, sizeof(_inner), &_inner);
	if (!inner || inner->ihl < 5 || inner->protocol != IPPROTO_TCP ||
	    ntohs(inner->frag_off) & IP_OFFSET)
		return NF_ACCEPT;
	f->src.ip.v4 = inner->saddr;
	f->dst.ip.v4 = inner->daddr;
	ports = skb_header_pointer(f->skb, off + inner->ihl * 4,
				   sizeof(_ports), _ports);
	return ports ? steer_error(f, ports) : NF_ACCEPT;
}

static unsigned int steer_icmp6(struct flow *f, int off)
{
	const struct icmp6hdr *icmp;
	const struct ipv6hdr *inner;
	struct icmp6hdr _icmp;
	struct ipv6hdr _inner;
	const __be16 *ports;
	__be16 _ports[2];
	__be16 frag_off;
	u8 proto;

	icmp = skb_header_pointer(f->skb, off, sizeof(_icmp), &_icmp);
	if (!icmp || !icmpv6_is_err(icmp->icmp6_type))
		return NF_ACCEPT;
	off += sizeof(*icmp);
	inner = skb_header_pointer(f->skb, off, sizeof(_inner), &_inner);
	if (!inner)
		return NF_ACCEPT;
	f->src.ip.v6 = inner->saddr;
	f->dst.ip.v6 = inner->daddr;
	proto = inner->nexthdr;
	off = ipv6_skip_exthdr(f->skb, off + sizeof(*inner), &proto, &frag_off);
	if (off < 0 || proto != IPPROTO_TCP || ntohs(frag_off) & ~7)
		return NF_ACCEPT;
	ports = skb_header_pointer(f->skb, off, sizeof(_ports), _ports);
	return ports ? steer_error(f, ports) : NF_ACCEPT;
}

static unsigned int hook4(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct flow f = {
		.skb = skb,
		.dev = state->in,
		.sn = ss_net_get(state->net),
		.src = { .family = AF_INET, .ip.v4 = iph->saddr },
		.dst = { .family = AF_INET, .ip.v4 = iph->daddr },
	};
	struct tcphdr _th;

	if (skb->sk || skb->pkt_type != PACKET_HOST || ip_is_fragment(iph))
		return NF_ACCEPT;
	if (iph->protocol == IPPROTO_ICMP)
		return steer_icmp4(&f);
	if (iph->protocol != IPPROTO_TCP)
		return NF_ACCEPT;
	f.thoff = skb_network_offset(skb) + ip_hdrlen(skb);
	f.th = skb_header_pointer(skb, f.thoff, sizeof(_th), &_th);
	return f.th ? steer_tcp(&f) : NF_ACCEPT;
}

static unsigned int hook6(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct flow f = {
		.skb = skb,
		.dev = state->in,
		.sn = ss_net_get(state->net),
		.src = { .family = AF_INET6, .ip.v6 = ip6h->saddr },
		.dst = { .family = AF_INET6, .ip.v6 = ip6h->daddr },
	};
	unsigned short frag_off = 0;
	struct tcphdr _th;
	int proto;

	if (skb->sk || skb->pkt_type != PACKET_HOST)
		return NF_ACCEPT;
	f.thoff = 0;
	proto = ipv6_find_hdr(skb, &f.thoff, -1, &frag_off, NULL);
	if (proto < 0 || frag_off)
		return NF_ACCEPT;
	if (proto == IPPROTO_ICMPV6)
		return steer_icmp6(&f, f.thoff);
	if (proto != IPPROTO_TCP)
		return NF_ACCEPT;
	f.th = skb_header_pointer(skb, f.thoff, sizeof(_th), &_th);
	return f.th ? steer_tcp(&f) : NF_ACCEPT;
}

static const struct nf_hook_ops hooks[] = {
	{
		.hook		= hook4,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= STEER_PRIORITY,
	},
	{
		.hook		= hook6,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= STEER_PRIORITY,
	},
};

/* Counts the hooks; without IPv6 (ipv6.disable=1) the last could route nothing. */
static unsigned int hook_count(void)
{
	return ipv6_mod_enabled() ? ARRAY_SIZE(hooks) : ARRAY_SIZE(hooks) - 1;
}

int ss_steer_start(struct ss_net *sn)
{
	int err;

	lockdep_assert_held(&sn->lock);
	if (sn->hooked)
		return 0;
	err = nf_defrag_ipv4_enable(sn->net);
	if (err)
		return err;
	err = nf_defrag_ipv6_enable(sn->net);
	if (err)
		goto out_defrag4;
	err = nf_register_net_hooks(sn->net, hooks, hook_count());
	if (err)
		goto out_defrag6;
	sn->hooked = true;
	return 0;

out_defrag6:
	nf_defrag_ipv6_disable(sn->net);
out_defrag4:
	nf_defrag_ipv4_disable(sn->net);
	return err;
}

void ss_steer_stop(struct ss_net *sn)
{
	mutex_lock(&sn->lock);
	if (sn->hooked) {
		nf_unregister_net_hooks(sn->net, hooks, hook_count());
		nf_defrag_ipv6_disable(sn->net);
		nf_defrag_ipv4_disable(sn->net);
	}
	mutex_unlock(&sn->lock);
}

/*
 * Sockets may keep these routes (sk_rx_dst) when the module is gone, so no
 * function of the module may be in them.
 */
int ss_steer_init(struct ss_net *sn)
{
	struct net_device *lo = sn->net->loopback_dev;

	sn->rt = rt_dst_alloc(lo, RTCF_LOCAL, RTN_LOCAL, true);
	if (!sn->rt)
		return -ENOMEM;
	sn->rt->rt_is_input = 1;
	sn->rt->dst.output = dst_discard_out;
	if (!ipv6_mod_enabled())
		return 0;

	sn->rt6 = ip6_dst_alloc(sn->net, lo, 0);
	if (!sn->rt6) {
		dst_dev_put(&sn->rt->dst);
		dst_release(&sn->rt->dst);
		return -ENOMEM;
	}
	sn->rt6->dst.input = ip6_input;
	sn->rt6->dst.output = dst_discard_out;
	sn->rt6->rt6i_idev = in6_dev_get(lo);
	/* tcp_v6_conn_request() answers only what has a local route */
	sn->rt6->rt6i_flags = RTF_LOCAL | RTF_UP;
	return 0;
}

static bool is_left_behind(const struct sock *sk, const struct net *net)
{
	return sk->sk_state == TCP_TIME_WAIT && net_eq(sock_net(sk), net) &&
	       inet_sk_transparent(sk);
}

/*
 * Ends what our legs left in TIME_WAIT. Without the hooks no packet is delivered
 * to it, but ip_forward() drops those that early demux finds it for: a client could
 * not use its port again. (Like inet_twsk_purge(), which is for namespaces that
 * end.)
 */
static void purge_time_wait(const struct net *net)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	struct hlist_nulls_node *node;
	unsigned int slot;
	struct sock *sk;

	for (slot = 0; slot <= hashinfo->ehash_mask; slot++) {
		struct hlist_nulls_head *chain = &hashinfo->ehash[slot].chain;

		if (hlist_nulls_empty(chain))
			continue;
again:
		cond_resched();
		rcu_read_lock();
		sk_nulls_for_each_rcu(sk, node, chain) {
			if (!is_left_behind(sk, net) ||
			    !refcount_inc_not_zero(&sk->sk_refcnt))
				continue;
			/* the socket may have become another one's meanwhile */
			if (is_left_behind(sk, net))
				nf_tproxy_twsk_deschedule_put(inet_twsk(sk));
			else
				sock_gen_put(sk);
			rcu_read_unlock();
			goto again;
		}
		rcu_read_unlock();
		/* an element that moved took us to the end of another chain */
		if (get_nulls_value(node) != slot)
			goto again;
	}
}

void ss_steer_exit(struct ss_net *sn)
{
	if (sn->hooked)
		purge_time_wait(sn->net);
	/* lets go of the loopback device even where a socket keeps the route */
	if (sn->rt6) {
		dst_dev_put(&sn->rt6->dst);
		dst_release(&sn->rt6->dst);
	}
	dst_dev_put(&sn->rt->dst);
	dst_release(&sn->rt->dst);
}
