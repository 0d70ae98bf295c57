/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_REQUEST_H
#define SS_REQUEST_H

#include <linux/list.h>
#include <linux/types.h>

#include "answer.h"

struct file;
struct sock;
struct ss_net;
struct ss_share;
struct ss_waker;

/* Helpers that a message may take down; then the kernel answers it. */
#define SS_REQUEST_ATTEMPTS_MAX	3

/**
 * struct ss_request - the request of a session, at most one at a time
 * @waker: waker of the session that it is part of
 * @sn: the namespace
 * @share: share of the client
 * @node: link in a list of struct ss_queue
 * @kind: kind of question
 * @state: state of the request
 * @cookie: name that it has while it is taken
 * @portid: netlink port of the helper that has it
 * @attempt: number of times that it was taken
 * @tellers: number of those who are telling a helper what it is about, see
 *	ss_request_tell()
 * @unrung: the doorbell could not be rung for want of memory
 * @deadline: jiffies at which the session gives up
 * @answer: valid in %SS_REQUEST_DONE
 * @replacement: message that came with the answer, or NULL
 *
 * Covered by ss_net.request_lock, but for @unrung and for the first three, which
 * do not change.
 */
struct ss_request {
	struct ss_waker *waker;
	struct ss_net *sn;
	struct ss_share *share;
	struct list_head node;
	enum ss_request_kind kind;
	enum ss_request_state state;
	u64 cookie;
	u32 portid;
	u32 attempt;
	u32 tellers;
	bool unrung;
	unsigned long deadline;
	union ss_answer answer;
	struct file *replacement;
};

/**
 * ss_request_init() - make the queues of a namespace
 * @sn: the namespace
 */
void ss_request_init(struct ss_net *sn);

/**
 * ss_request_submit() - ask the helper for something
 * @r: the request; its session is woken when the answer is there
 * @kind: kind of question
 * @deadline: jiffies at which the session will not wait any longer
 */
void ss_request_submit(struct ss_request *r, enum ss_request_kind kind,
		       unsigned long deadline);

/**
 * ss_request_ring() - ring the helper's doorbell, since a request waits for it
 * @r: the request
 *
 * Context: process. Where there is no memory, ss_request_unrung() says so.
 */
void ss_request_ring(struct ss_request *r);

/**
 * ss_request_unrung() - does the request wait for a helper that knows nothing?
 * @r: the request; its session then has to ring again later
 */
bool ss_request_unrung(const struct ss_request *r);

/**
 * ss_request_cancel() - take the request back, or collect the answer
 * @r: the request
 * @answer: set to the answer, where there was one
 *
 * Exactly one of answer, cancel and the helper's death wins. A helper that is
 * being told of the request is waited for, so this comes before anything that it
 * is told of changes. Context: process.
 *
 * Return: true if there was an answer. The request is idle in any case.
 */
bool ss_request_cancel(struct ss_request *r, union ss_answer *answer);

/**
 * ss_request_replacement() - take the message that came with the answer
 * @r: the request, whose answer was collected
 *
 * Return: the file, which is the caller's, or NULL.
 */
struct file *ss_request_replacement(struct ss_request *r);

/**
 * ss_request_done() - is the answer there?
 * @r: the request
 */
bool ss_request_done(struct ss_request *r);

/**
 * ss_request_served() - is a helper registered for this kind?
 * @sn: the namespace
 * @kind: the kind
 */
bool ss_request_served(const struct ss_net *sn, enum ss_request_kind kind);

/**
 * ss_request_crowded() - has a client its share of the requests?
 * @r: the request of one of its sessions
 * @kind: their kind
 *
 * A share does not bite while only one client has requests.
 */
bool ss_request_crowded(struct ss_request *r, enum ss_request_kind kind);

/**
 * ss_request_take() - hand a waiting request to a helper
 * @sn: the namespace
 * @kind: their kind
 * @sk: the helper's netlink socket
 * @cookie: set to the cookie
 *
 * Takes the oldest of the clients of whom the helper has the fewest, so that nobody
 * waits behind all that another one has asked for.
 *
 * Return: the request, with a reference to its waker, or an ERR_PTR() of -EPERM
 * (not the registered helper) or -EAGAIN (none waits).
 */
struct ss_request *ss_request_take(struct ss_net *sn, enum ss_request_kind kind,
				   const struct sock *sk, u64 *cookie);

/**
 * ss_request_tell() - begin to tell a helper what the request is about
 * @r: the request, by ss_request_take()
 *
 * If the request still is what was taken, see ss_request_is(), it stays so until
 * ss_request_told(), and with it the message or the sockets. The session's lock
 * would promise the same, but its work may hold that for long, and whoever waits
 * for it in the helper's only thread keeps all others from their verdicts.
 */
void ss_request_tell(struct ss_request *r);

/**
 * ss_request_told() - end what ss_request_tell() has begun
 * @r: the request
 */
void ss_request_told(struct ss_request *r);

/**
 * ss_request_is() - is the request still taken under this cookie?
 * @r: the request
 * @cookie: the cookie
 */
bool ss_request_is(struct ss_request *r, u64 cookie);

/**
 * ss_request_untake() - put a request back that could not be handed over after all
 * @r: the request
 * @cookie: the cookie; nothing happens if it is stale
 */
void ss_request_untake(struct ss_request *r, u64 cookie);

/**
 * ss_request_answer() - give a helper's answer to the request it is for
 * @sn: the namespace
 * @kind: the kind of request
 * @sk: the helper's netlink socket
 * @cookie: the cookie it was given
 * @answer: the answer
 * @replacement: a message to go with it, or NULL; it stays the caller's
 *
 * Return: 0, -ENOENT (stale or unknown cookie) or -EPERM (not the helper).
 */
int ss_request_answer(struct ss_net *sn, enum ss_request_kind kind,
		      const struct sock *sk, u64 cookie,
		      const union ss_answer *answer, struct file *replacement);

/**
 * ss_request_orphaned() - see to the requests of a helper that is gone
 * @sn: the namespace
 * @kind: the kind of request
 * @portid: netlink port that the helper had
 *
 * Messages wait for the next helper, but those that have taken down too many.
 * A handshake cannot be begun again: it has failed.
 *
 * Context: process, under ss_net.request_lock.
 */
void ss_request_orphaned(struct ss_net *sn, enum ss_request_kind kind,
			 u32 portid);

#endif /* SS_REQUEST_H */
