/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SESSION_TABLE_H
#define SS_SESSION_TABLE_H

#include <linux/types.h>

struct netlink_callback;
struct sk_buff;
struct ss_net;
struct ss_session;

/**
 * ss_session_table_add() - add a session, unless the namespace has enough
 * @s: the session, with addresses and share; gets its id
 *
 * Return: 0, -EUSERS where the namespace or the client has enough, or -ESHUTDOWN
 * where the namespace goes away.
 */
int ss_session_table_add(struct ss_session *s);

/**
 * ss_session_table_unlink() - take a session that ends out of the list
 * @s: the session, added once
 *
 * Nobody finds it there any more. The list's reference goes to the caller, who also
 * takes it out of ss_net.session_count.
 */
void ss_session_table_unlink(struct ss_session *s);

/**
 * ss_session_table_free_port() - find a port to connect to a session's server from
 * @s: the session
 *
 * Conntrack knows a session's two connections apart by the client's port: no
 * client port of a living session may be the port of another one's server leg.
 *
 * Return: the port, or 0 where none was found.
 */
__be16 ss_session_table_free_port(const struct ss_session *s);

/**
 * ss_session_table_flush() - end all sessions and wait for it
 * @sn: the namespace, which gets no new ones
 *
 * Context: process, sleeps.
 */
void ss_session_table_flush(struct ss_net *sn);

/**
 * struct ss_session_attrs - attributes of one set that name a session
 * @id: attribute of its id
 * @policy: attribute of the policy that picked it
 * @iif: attribute of the interface on which the client came in
 * @client: attribute of the client's address
 * @client_port: attribute of the client's port
 * @server: attribute of the server's address
 * @server_port: attribute of the server's port
 */
struct ss_session_attrs {
	int id;
	int policy;
	int iif;
	int client;
	int client_port;
	int server;
	int server_port;
};

/**
 * ss_session_table_put() - put the attributes that name a session into a message
 * @skb: the message
 * @s: the session
 * @a: the attributes
 *
 * Return: 0 or -EMSGSIZE.
 */
int ss_session_table_put(struct sk_buff *skb, const struct ss_session *s,
			 const struct ss_session_attrs *a);

/**
 * ss_session_table_dump() - list the sessions in a netlink dump
 * @sn: the namespace
 * @skb: message to fill
 * @cb: the dump
 *
 * Return: length filled, 0 at the end, or -errno.
 */
int ss_session_table_dump(struct ss_net *sn, struct sk_buff *skb,
			  struct netlink_callback *cb);

#endif /* SS_SESSION_TABLE_H */
