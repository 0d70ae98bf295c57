/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_ADDR_H
#define SS_ADDR_H

#include <linux/in6.h>
#include <linux/socket.h>
#include <linux/types.h>

struct sk_buff;
struct sock;

/**
 * struct ss_addr - an IPv4 or IPv6 address with a TCP port
 * @family: AF_INET or AF_INET6
 * @port: TCP port
 * @ip: the address; only the first four bytes for IPv4
 */
struct ss_addr {
	sa_family_t family;
	__be16 port;
	union {
		__be32 v4;
		struct in6_addr v6;
	} ip;
};

/**
 * ss_addr_read() - read the addresses of a connection that was accepted
 * @sk: its socket
 * @client: set to the peer's
 * @server: set to the one that the peer meant
 */
void ss_addr_read(const struct sock *sk, struct ss_addr *client,
		  struct ss_addr *server);

/**
 * ss_addr_to_sockaddr() - write an address as the socket calls take it
 * @a: the address
 * @sa: set to the address
 *
 * Return: length of the address in @sa.
 */
int ss_addr_to_sockaddr(const struct ss_addr *a, struct sockaddr_storage *sa);

/**
 * ss_addr_client() - take the part of an address that makes a client for limits
 * @a: the address
 * @prefix: set to the IPv4 address, or the IPv6 /64
 */
void ss_addr_client(const struct ss_addr *a, __be32 prefix[2]);

/**
 * ss_addr_same_client() - are two addresses one client, as limits see it?
 * @a: an address
 * @b: another one
 *
 * Return: true where both are one IPv4 address, or of one IPv6 /64.
 */
bool ss_addr_same_client(const struct ss_addr *a, const struct ss_addr *b);

/**
 * ss_addr_put() - put an address and its port into a netlink message
 * @skb: the message
 * @addr: attribute of the address
 * @port: attribute of the port
 * @a: the address
 *
 * Return: 0 or -EMSGSIZE.
 */
int ss_addr_put(struct sk_buff *skb, int addr, int port,
		const struct ss_addr *a);

#endif /* SS_ADDR_H */
