/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCAN_H
#define SS_SCAN_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/smtpsplice.h>

struct sock;
struct ss_net;
struct ss_session;

/* A request that took down this many helpers is answered by the kernel. */
#define SS_SCAN_ATTEMPTS_MAX	3

/**
 * enum ss_scan_state - the state of a scan request
 * @SS_SCAN_IDLE: there is none
 * @SS_SCAN_PENDING: it waits for a helper
 * @SS_SCAN_TAKEN: a helper has it
 * @SS_SCAN_DONE: the verdict is there
 */
enum ss_scan_state {
	SS_SCAN_IDLE,
	SS_SCAN_PENDING,
	SS_SCAN_TAKEN,
	SS_SCAN_DONE,
};

/**
 * struct ss_verdict - what was said of a message
 * @verdict: enum smtpsplice_verdict
 * @reply: reply line for the client, "" for the default
 * @virus: name of what was found, or ""
 * @file: name of the infected attachment, or ""
 */
struct ss_verdict {
	u32 verdict;
	char reply[SMTPSPLICE_REPLY_MAX + 1];
	char virus[SMTPSPLICE_TEXT_MAX + 1];
	char file[SMTPSPLICE_TEXT_MAX + 1];
};

/**
 * struct ss_scan - the scan request of a session, at most one at a time
 * @node: in ss_net.scan_pending or .scan_taken
 * @state: its state
 * @cookie: names it while it is taken
 * @portid: netlink port of the helper that has it
 * @attempt: how often it was taken
 * @deadline: jiffies at which the session gives up
 * @verdict: valid in %SS_SCAN_DONE
 *
 * Covered by ss_net.scan_lock.
 */
struct ss_scan {
	struct list_head node;
	enum ss_scan_state state;
	u64 cookie;
	u32 portid;
	u32 attempt;
	unsigned long deadline;
	struct ss_verdict verdict;
};

/**
 * ss_scan_submit() - ask for a verdict on the session's held message
 * @s: the session; it is woken when the verdict is there
 * @deadline: jiffies at which it will not wait any longer
 */
void ss_scan_submit(struct ss_session *s, unsigned long deadline);

/**
 * ss_scan_cancel() - take the request back, or collect the verdict
 * @s: the session
 * @v: gets the verdict
 *
 * Exactly one of verdict, cancel and the helper's death wins.
 *
 * Return: true if there was a verdict. The request is idle in any case.
 */
bool ss_scan_cancel(struct ss_session *s, struct ss_verdict *v);

/**
 * ss_scan_done() - is the verdict there?
 * @s: the session
 */
bool ss_scan_done(struct ss_session *s);

/**
 * ss_scan_take() - hand the oldest waiting request to a helper
 * @sn: the namespace
 * @sk: the helper's netlink socket
 * @cookie: set to the cookie
 *
 * Return: the session, with a reference, or an ERR_PTR() of -EPERM (not the
 * registered helper) or -EAGAIN (none waits).
 */
struct ss_session *ss_scan_take(struct ss_net *sn, const struct sock *sk,
				u64 *cookie);

/**
 * ss_scan_is() - is the request still taken under this cookie?
 * @s: the session
 * @cookie: the cookie
 */
bool ss_scan_is(struct ss_session *s, u64 cookie);

/**
 * ss_scan_untake() - the request could not be handed over after all
 * @s: the session
 * @cookie: the cookie; nothing happens if it is stale
 */
void ss_scan_untake(struct ss_session *s, u64 cookie);

/**
 * ss_scan_answer() - a helper gives its verdict
 * @sn: the namespace
 * @sk: the helper's netlink socket
 * @cookie: the cookie it was given
 * @v: the verdict
 *
 * Return: 0, -ENOENT (stale or unknown cookie) or -EPERM (not the helper).
 */
int ss_scan_answer(struct ss_net *sn, const struct sock *sk, u64 cookie,
		   const struct ss_verdict *v);

/**
 * ss_scan_requeue() - a helper is gone: its requests wait again
 * @sn: the namespace
 * @portid: its netlink port
 *
 * Context: process, under ss_net.scan_lock.
 */
void ss_scan_requeue(struct ss_net *sn, u32 portid);

#endif /* SS_SCAN_H */
