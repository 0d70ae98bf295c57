/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SESSION_H
#define SS_SESSION_H

#include <linux/if.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "hold.h"
#include "leg.h"
#include "scan.h"
#include "smtp.h"
#include "smtpsplice.h"

struct netlink_callback;
struct sk_buff;
struct socket;
struct ss_policy;

/**
 * struct ss_session - one client's connection and ours to the server
 * @node: in ss_net.sessions
 * @rcu: frees it
 * @users: 1 for the list and 1 for each other holder, a queued @work included
 * @sn: the namespace
 * @policy: the policy that picked it, with a reference
 * @id: for people and logs
 * @born: jiffies at which it was accepted
 * @client_addr: the client
 * @server_addr: the server that the client meant
 * @iif: interface on which the client came in
 * @work: drives it, the only one that does
 * @timer: queues @work at the next deadline
 * @killed: it has to end now
 * @lock: held by @work while it runs; covers all below
 * @state: enum smtpsplice_state
 * @dead: it has ended; only references are left
 * @deadline: jiffies at which @state has lasted too long
 * @keepalive: jiffies at which the server gets a NOOP
 * @client: leg A
 * @server: leg B
 * @hold: the message
 * @refusal: the reply that the message will get although it is still coming in
 * @sending: the server waits for the message
 * @sent: octets of it sent
 * @messages: messages whose end-of-data was seen
 * @scan: the scan request, covered by ss_net.scan_lock
 * @verdict: the last verdict
 * @smtp: the engine
 */
struct ss_session {
	struct list_head node;
	struct rcu_head rcu;
	refcount_t users;
	struct ss_net *sn;
	struct ss_policy *policy;
	u64 id;
	unsigned long born;
	struct ss_addr client_addr;
	struct ss_addr server_addr;
	char iif[IFNAMSIZ];
	struct work_struct work;
	struct timer_list timer;
	bool killed;

	struct mutex lock;
	u32 state;
	bool dead;
	unsigned long deadline;
	unsigned long keepalive;
	struct ss_leg client;
	struct ss_leg server;
	struct ss_hold hold;
	const char *refusal;
	bool sending;
	u64 sent;
	u32 messages;
	struct ss_scan scan;
	struct ss_verdict verdict;
	struct ss_smtp smtp;
};

/**
 * ss_session_start() - make a session of an accepted connection
 * @policy: the policy that picked it
 * @sock: the client's socket, owned by the callee in any case
 *
 * Context: process.
 */
void ss_session_start(struct ss_policy *policy, struct socket *sock);

/**
 * ss_session_wake() - something may have happened: run the session
 * @s: the session, which the caller knows to be alive
 *
 * Context: any.
 */
void ss_session_wake(struct ss_session *s);

/**
 * ss_session_hold() - take a reference
 * @s: the session, which the caller knows to be alive
 */
void ss_session_hold(struct ss_session *s);

/**
 * ss_session_put() - give a reference back
 * @s: the session
 *
 * Context: any.
 */
void ss_session_put(struct ss_session *s);

/**
 * ss_session_flush() - end all sessions and wait for it
 * @sn: the namespace, which gets no new ones
 *
 * Context: process, sleeps.
 */
void ss_session_flush(struct ss_net *sn);

/**
 * ss_session_dump() - list the sessions in a netlink dump
 * @sn: the namespace
 * @skb: message to fill
 * @cb: the dump
 *
 * Return: length filled, 0 at the end, or -errno.
 */
int ss_session_dump(struct ss_net *sn, struct sk_buff *skb,
		    struct netlink_callback *cb);

#endif /* SS_SESSION_H */
