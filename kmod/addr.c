// SPDX-License-Identifier: GPL-2.0
/*
 * IPv4 and IPv6 addresses with a port: from sockets, to sockets, into netlink
 * messages, and as limits see them. Nothing here has any state.
 */
#include <linux/in.h>
#include <net/inet_sock.h>
#include <net/netlink.h>

#include "addr.h"

void ss_addr_read(const struct sock *sk, struct ss_addr *client,
		  struct ss_addr *server)
{
	const struct inet_sock *inet = inet_sk(sk);

	client->family = sk->sk_family;
	server->family = sk->sk_family;
	client->port = inet->inet_dport;
	server->port = htons(inet->inet_num);
	if (sk->sk_family == AF_INET) {
		client->ip.v4 = inet->inet_daddr;
		server->ip.v4 = inet->inet_rcv_saddr;
	} else {
		client->ip.v6 = sk->sk_v6_daddr;
		server->ip.v6 = sk->sk_v6_rcv_saddr;
	}
}

int ss_addr_to_sockaddr(const struct ss_addr *a, struct sockaddr_storage *sa)
{
	struct sockaddr_in6 *a6 = (void *)sa;
	struct sockaddr_in *a4 = (void *)sa;

	memset(sa, 0, sizeof(*sa));
	if (a->family == AF_INET) {
		a4->sin_family = AF_INET;
		a4->sin_port = a->port;
		a4->sin_addr.s_addr = a->ip.v4;
		return sizeof(*a4);
	}
	a6->sin6_family = AF_INET6;
	a6->sin6_port = a->port;
	a6->sin6_addr = a->ip.v6;
	return sizeof(*a6);
}

void ss_addr_client(const struct ss_addr *a, __be32 prefix[2])
{
	prefix[0] = a->family == AF_INET ? a->ip.v4 : a->ip.v6.s6_addr32[0];
	prefix[1] = a->family == AF_INET ? 0 : a->ip.v6.s6_addr32[1];
}

bool ss_addr_same_client(const struct ss_addr *a, const struct ss_addr *b)
{
	__be32 one[2], other[2];

	ss_addr_client(a, one);
	ss_addr_client(b, other);
	return a->family == b->family && one[0] == other[0] &&
	       one[1] == other[1];
}

static int addr_len(const struct ss_addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

int ss_addr_put(struct sk_buff *skb, int addr, int port,
		const struct ss_addr *a)
{
	return nla_put(skb, addr, addr_len(a), &a->ip) ?:
	       nla_put_u16(skb, port, ntohs(a->port));
}
