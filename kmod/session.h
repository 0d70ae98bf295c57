/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SESSION_H
#define SS_SESSION_H

#include <linux/if.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/timer.h>

#include "addr.h"
#include "hold.h"
#include "leg.h"
#include "net.h"
#include "request.h"
#include "smtp/smtp.h"
#include "waker.h"

struct socket;
struct ss_policy;
struct ss_profile;
struct ss_share;

/**
 * enum ss_redial - progress of a message whose server has left
 * @SS_REDIAL_NO: no such message
 * @SS_REDIAL_DUE: needs another connection once it is to be sent
 * @SS_REDIAL_DIAL: waits for that connection
 * @SS_REDIAL_ENVELOPE: gives its envelope to the server
 */
enum ss_redial {
	SS_REDIAL_NO,
	SS_REDIAL_DUE,
	SS_REDIAL_DIAL,
	SS_REDIAL_ENVELOPE,
};

/**
 * struct ss_session - one client's connection and ours to the server
 * @waker: references, work and id; the first member
 * @node: link in ss_net.sessions
 * @rcu: head by which it is freed
 * @sn: the namespace
 * @policy: policy that picked it, with a reference
 * @profile: TLS profile with a reference, or NULL
 * @av: AV profile with a reference
 * @born: jiffies at which it was accepted
 * @client_addr: the client
 * @server_addr: the server that the client meant
 * @share: share of the client in the budgets, with a reference
 * @iif: interface on which the client came in
 * @timer: timer that wakes it at the next deadline
 * @lock: lock that the work holds while it runs; covers all below
 * @state: enum smtpsplice_state
 * @dead: the session has ended; only references are left
 * @deadline: jiffies at which @state has lasted too long
 * @message_end: jiffies at which the server has to have the message, where it
 *	has not been refused by then
 * @heard: jiffies when a peer last did something that counts
 * @paced: octets of the message that have earned no time yet
 * @keepalive: jiffies at which the server gets a NOOP
 * @noops: number of those it has got
 * @client: the client leg
 * @server: the server leg
 * @hold: the message
 * @unscanned: enum smtpsplice_unscanned: cause for which the kernel does not have
 *	the message scanned
 * @refusal: reply that the message will get although it is still coming in
 * @tag: header field that goes in front of the message, in @answer, or NULL
 * @redial: progress with another connection, where the server has left a message
 * @sending: the server waits for the message
 * @sent: octets of the message that were sent
 * @chunk_end: octets of the message that the server was promised by BDAT
 * @messages: messages whose end-of-data was seen
 * @request: request to the helper, covered by ss_net.request_lock
 * @answer: last answer of the helper
 * @answered: the helper has answered, and its descriptors are waited for
 * @handshaken: TLS handshakes were done, or left to the peers
 * @tls: enum smtpsplice_tls_result, valid with @handshaken
 * @smtp: the engine
 */
struct ss_session {
	struct ss_waker waker;
	struct list_head node;
	struct rcu_head rcu;
	struct ss_net *sn;
	struct ss_policy *policy;
	struct ss_profile *profile;
	struct ss_profile *av;
	unsigned long born;
	struct ss_addr client_addr;
	struct ss_addr server_addr;
	struct ss_share *share;
	char iif[IFNAMSIZ];
	struct timer_list timer;

	struct mutex lock;
	u32 state;
	bool dead;
	unsigned long deadline;
	unsigned long heard;
	unsigned long message_end;
	u32 paced;
	unsigned long keepalive;
	u32 noops;
	struct ss_leg client;
	struct ss_leg server;
	struct ss_hold hold;
	u32 unscanned;
	const char *refusal;
	const char *tag;
	enum ss_redial redial;
	bool sending;
	u64 sent;
	u64 chunk_end;
	u32 messages;
	struct ss_request request;
	union ss_answer answer;
	bool answered;
	bool handshaken;
	u32 tls;
	struct ss_smtp smtp;
};

/**
 * ss_session_new() - make a session
 * @policy: the policy that picked it, of which it takes a reference
 * @work: the function of its work
 *
 * Context: process. Return: the session, or NULL without memory.
 */
struct ss_session *ss_session_new(struct ss_policy *policy, work_func_t work);

/**
 * ss_session_discard() - free a session that was never in the list
 * @s: the session
 */
void ss_session_discard(struct ss_session *s);

/**
 * ss_session_may_change() - is there an arrow from one state to another?
 * @from: enum smtpsplice_state
 * @to: the state that is to follow
 */
bool ss_session_may_change(u32 from, u32 to);

/**
 * ss_session_set_state() - change the state, of which this is the one place
 * @s: the session, under its lock
 * @state: enum smtpsplice_state; its time begins now
 *
 * A change that ss_session_may_change() does not know is warned of, and made.
 */
void ss_session_set_state(struct ss_session *s, u32 state);

/**
 * ss_session_pace() - give time for octets of a message that got through
 * @s: the session, under its lock
 * @n: number of octets
 *
 * They earn the time that they may take, up to the state's whole time. So a
 * trickle does not keep a session for ever.
 */
void ss_session_pace(struct ss_session *s, u32 n);

/**
 * ss_session_hangup() - end a session from our side
 * @s: the session, under its lock
 * @reply: reply line for the client without CRLF, where it could read one
 */
void ss_session_hangup(struct ss_session *s, const char *reply);

/**
 * ss_session_restart_deadline() - begin the time of the state anew
 * @s: the session, under its lock, of which a peer did something whole
 */
void ss_session_restart_deadline(struct ss_session *s);

/**
 * ss_session_restart_keepalive() - begin the time until the next NOOP anew
 * @s: the session, under its lock, whose server has heard of us, or we of it
 */
void ss_session_restart_keepalive(struct ss_session *s);

/**
 * ss_session_keep_alive() - say NOOP to a server that has waited long enough
 * @s: the session, under its lock
 */
void ss_session_keep_alive(struct ss_session *s);

/**
 * ss_session_press() - shorten the time of who is slow, as the budget fills
 * @s: the session, under its lock
 *
 * What time it has earned is worth less the fuller the budget is.
 */
void ss_session_press(struct ss_session *s);

/**
 * ss_session_arm_timer() - set the timer to whatever is next
 * @s: the session, under its lock; nothing happens if it is dead
 */
void ss_session_arm_timer(struct ss_session *s);

/**
 * ss_session_holds_message() - does a message come in, or await its verdict?
 * @s: the session, under its lock
 */
bool ss_session_holds_message(const struct ss_session *s);

/**
 * ss_session_begins_with_tls() - is it of a port where TLS comes first?
 * @s: the session
 */
bool ss_session_begins_with_tls(const struct ss_session *s);

/**
 * ss_session_close() - begin to close: send both sinks, then close both legs
 * @s: the session, under its lock; nothing happens if it is closing already
 *
 * Context: process.
 */
void ss_session_close(struct ss_session *s);

/**
 * ss_session_unsent() - count what could be sent of the message
 * @s: the session, under its lock
 *
 * Return: octets that the server may get already, and has not.
 */
u64 ss_session_unsent(const struct ss_session *s);

/**
 * ss_session_drop_message() - let go of the octets of a message
 * @s: the session, under its lock
 */
void ss_session_drop_message(struct ss_session *s);

/**
 * ss_session_event() - tell the group "events" of something about a session
 * @s: the session
 * @kind: kind of event
 * @v: the verdict for a verdict, else NULL
 *
 * Context: process.
 */
void ss_session_event(const struct ss_session *s, enum smtpsplice_event kind,
		      const struct ss_verdict *v);

#endif /* SS_SESSION_H */
