/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of one network namespace. The types of its parts are declared here,
 * too; what is done with a part is in the file that is named after it.
 */
#ifndef SS_NET_H
#define SS_NET_H

#include <linux/completion.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <linux/smtpsplice.h>

#include "answer.h"

struct rtable;
struct rt6_info;
struct sock;
struct socket;
struct ss_policy;

/**
 * struct ss_settings - limits and deadlines, see the attribute set "settings"
 * @max_sessions: limit of sessions at a time
 * @max_client_sessions: limit of those of one client
 * @max_message: largest message, octets
 * @max_held: limit of bytes held in all messages
 * @dial_timeout: time for connecting to the server, ms
 * @handshake_timeout: time for both TLS handshakes, ms
 * @command_timeout: time without a command or reply, ms
 * @data_timeout: time without progress in a message, ms
 * @scan_timeout: time from the end-of-data to the verdict, ms
 * @reply_timeout: time for the server's reply to the end-of-data, ms
 * @keepalive: time before the first NOOP to a server whose message is received or
 *	scanned, ms; see NOOPS_MAX
 * @bare_newline: enum smtpsplice_bare_newline
 * @message_timeout: time from the end-of-data until the server has the message, ms
 * @conserve_green: per cent of @max_held below which conserve mode ends
 * @conserve_red: per cent of @max_held from which on it begins
 * @conserve_extreme: per cent of @max_held from which on no message is taken
 * @max_client_held: per cent of what the others leave of @max_held, up to
 *	@conserve_red, that a client with several messages may hold; 100: no limit
 * @max_client_handshakes: limit of TLS handshakes of one client that wait for the
 *	helper or that it has, where there are other clients
 * @max_client_scans: limit of its messages that wait for the scan or are scanned,
 *	where there are other clients
 *
 * Written under ss_net.lock with WRITE_ONCE(), read anywhere with READ_ONCE():
 * no member depends on another.
 */
struct ss_settings {
	u32 max_sessions;
	u32 max_client_sessions;
	u64 max_message;
	u64 max_held;
	u32 dial_timeout;
	u32 handshake_timeout;
	u32 command_timeout;
	u32 data_timeout;
	u32 scan_timeout;
	u32 reply_timeout;
	u32 keepalive;
	u32 bare_newline;
	u32 message_timeout;
	u32 conserve_green;
	u32 conserve_red;
	u32 conserve_extreme;
	u32 max_client_held;
	u32 max_client_handshakes;
	u32 max_client_scans;
};

/**
 * struct ss_bans - clients that may not send for a while
 * @lock: covers all of it
 * @list: struct ban, the one that was banned last in front
 * @count: length of @list
 */
struct ss_bans {
	spinlock_t lock;
	struct list_head list;
	u32 count;
};

/**
 * enum ss_profile_class - the classes of profiles
 * @SS_PROFILE_TLS: profiles that say what is done with TLS
 * @SS_PROFILE_AV: profiles that say how messages are scanned
 * @SS_PROFILE_CLASSES: number of classes
 */
enum ss_profile_class {
	SS_PROFILE_TLS,
	SS_PROFILE_AV,
	SS_PROFILE_CLASSES,
};

/**
 * struct ss_profiles - the profiles of one class in a namespace
 * @list: struct ss_profile in order
 * @gen: changes with @list, for consistent dumps
 *
 * Covered by ss_net.lock.
 */
struct ss_profiles {
	struct list_head list;
	u32 gen;
};

/**
 * struct ss_queue - the requests of one kind
 * @pending: requests that no helper has taken, oldest first
 * @taken: requests that a helper has
 * @queued: length of @pending
 * @asked: length of both
 * @port: netlink port of the helper that is registered for them, 0 if none
 * @sk: socket of that port, only ever compared: a port is free for others a moment
 *	before the helper's death is noticed, a socket is not
 *
 * Covered by ss_net.request_lock.
 */
struct ss_queue {
	struct list_head pending;
	struct list_head taken;
	u32 queued;
	u32 asked;
	u32 port;
	const struct sock *sk;
};

/**
 * struct ss_stats - counters of one CPU
 * @count: counters by attribute number
 */
struct ss_stats {
	u64 count[SMTPSPLICE_A_STATS_MAX + 1];
};

/* Bits of the table of clients: about as many buckets as there are sessions. */
#define SS_SHARE_BITS	9

/**
 * struct ss_net - everything of one network namespace
 * @net: the namespace; it outlives this
 * @accept: makes a session of a connection that a policy has picked, or turns
 *	it away; owns the socket in any case. Does not change
 * @lock: covers @policies (writers), @profiles, @settings (writers), @hooked
 * @settings: limits and deadlines
 * @policies: struct ss_policy in order, readers under RCU
 * @policy_count: number of policies
 * @policy_gen: changes with @policies, for consistent dumps
 * @profiles: profiles by class
 * @hooked: the netfilter hooks are registered, until the namespace ends
 * @rt: route of steered IPv4 packets: local delivery
 * @rt6: route of steered IPv6 packets
 * @sessions_lock: covers @sessions, @dying
 * @sessions: struct ss_session
 * @session_gen: changes with @sessions, for consistent dumps
 * @session_count: sessions alive
 * @dying: the namespace goes away, no new sessions
 * @shares_lock: covers @shares
 * @shares: struct ss_share, by client
 * @shares_seed: seed of the hash of @shares
 * @users: references: 1 for the namespace and 1 a session
 * @idle: completes when @users gets to 0
 * @held: bytes held in all messages
 * @leftovers_lock: covers @leftovers
 * @leftovers: messages that no session holds any more, but others have open, see
 *	hold.c
 * @leftovers_work: looks whether they still do
 * @conserve: conserve mode is on, see budget.c
 * @bans: clients that may not send for a while
 * @request_lock: covers @queues, and the struct ss_request in them
 * @queues: requests of sessions by kind, and who the helper is
 * @stats: counters
 */
struct ss_net {
	struct net *net;
	void (*accept)(struct ss_policy *policy, struct socket *sock);
	struct mutex lock;
	struct ss_settings settings;
	struct list_head policies;
	u32 policy_count;
	u32 policy_gen;
	struct ss_profiles profiles[SS_PROFILE_CLASSES];
	bool hooked;
	struct rtable *rt;
	struct rt6_info *rt6;

	spinlock_t sessions_lock;
	struct list_head sessions;
	u32 session_gen;
	atomic_t session_count;
	bool dying;
	spinlock_t shares_lock;
	DECLARE_HASHTABLE(shares, SS_SHARE_BITS);
	u32 shares_seed;
	refcount_t users;
	struct completion idle;

	atomic64_t held;
	spinlock_t leftovers_lock;
	struct list_head leftovers;
	struct delayed_work leftovers_work;
	bool conserve;
	struct ss_bans bans;

	spinlock_t request_lock;
	struct ss_queue queues[SS_REQUEST_KINDS];

	struct ss_stats __percpu *stats;
};

/* The workqueue that sessions and listeners run on. */
extern struct workqueue_struct *ss_wq;

/* Id by which the state of a namespace is found; main.c registers it. */
extern unsigned int ss_net_id;

/**
 * ss_net_get() - find the state of a network namespace
 * @net: the namespace, alive
 */
struct ss_net *ss_net_get(const struct net *net);

#endif /* SS_NET_H */
