// SPDX-License-Identifier: GPL-2.0
/*
 * A session: one client's SMTP connection, our connection to the server, and
 * the messages in between.
 *
 * One work item drives it and does all of its work, never waiting for a peer:
 * socket callbacks, the timer and verdicts only queue it. It runs until nothing
 * more can be done. Its lock is held meanwhile; others (netlink) take it for a
 * look at a session that waits for its verdict.
 *
 * States (enum smtpsplice_state) change in set_state() alone:
 *
 *   dial -> greet -> command <-> body -> scan -> release -> reply -> command
 *   and from each of them -> close
 *
 * The one timer serves three ends: a state that lasts too long (deadline), the
 * NOOP that keeps the server's patience while a message is held, and the time
 * that closing may take.
 */
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "netlink.h"
#include "netlink-gen.h"
#include "policy.h"
#include "session.h"
#include "trace.h"

/* Rounds of work before others get their turn. */
#define RUN_BUDGET		64
/* How long closing may take, ms. */
#define CLOSE_TIMEOUT		10000
/* Between two NOOPs to the server while it waits for a message, ms. */
#define KEEPALIVE_INTERVAL	60000
/* Until sending a message is tried again although nothing happened, jiffies. */
#define SEND_RETRY		HZ

void ss_session_hold(struct ss_session *s)
{
	refcount_inc(&s->users);
}

/* The last reference may go in softirq: what may sleep was done by end(). */
void ss_session_put(struct ss_session *s)
{
	struct ss_net *sn = s->sn;

	if (!refcount_dec_and_test(&s->users))
		return;
	ss_leg_free(&s->client);
	ss_leg_free(&s->server);
	ss_policy_put(s->policy);
	kvfree_rcu(s, rcu);
	if (refcount_dec_and_test(&sn->users))
		complete(&sn->idle);
}

void ss_session_wake(struct ss_session *s)
{
	ss_session_hold(s);
	if (!queue_work(ss_wq, &s->work))
		ss_session_put(s);
}

static void expired(struct timer_list *timer)
{
	ss_session_wake(container_of(timer, struct ss_session, timer));
}

static u32 timeout_ms(const struct ss_session *s)
{
	const struct ss_settings *set = &s->sn->settings;

	switch (s->state) {
	case SMTPSPLICE_STATE_DIAL:
		return READ_ONCE(set->dial_timeout);
	case SMTPSPLICE_STATE_BODY:
	case SMTPSPLICE_STATE_RELEASE:
		return READ_ONCE(set->data_timeout);
	case SMTPSPLICE_STATE_SCAN:
		return READ_ONCE(set->scan_timeout);
	case SMTPSPLICE_STATE_REPLY:
		return READ_ONCE(set->reply_timeout);
	case SMTPSPLICE_STATE_CLOSE:
		return CLOSE_TIMEOUT;
	default:
		return READ_ONCE(set->command_timeout);
	}
}

/* A peer did something: the state's time begins anew. */
static void touch(struct ss_session *s)
{
	s->deadline = jiffies + msecs_to_jiffies(timeout_ms(s));
}

static void set_state(struct ss_session *s, u32 state)
{
	lockdep_assert_held(&s->lock);
	trace_smtpsplice_session_state(s->id, s->state, state);
	WRITE_ONCE(s->state, state);
	touch(s);
	s->keepalive = jiffies + msecs_to_jiffies(KEEPALIVE_INTERVAL);
}

static bool holds_message(const struct ss_session *s)
{
	return s->state == SMTPSPLICE_STATE_BODY ||
	       s->state == SMTPSPLICE_STATE_SCAN;
}

static void arm_timer(struct ss_session *s)
{
	unsigned long at = s->deadline;

	if (s->dead)
		return;
	if (holds_message(s) && time_before(s->keepalive, at))
		at = s->keepalive;
	/* memory may have been short, of which no socket tells */
	if (s->sending && time_before(jiffies + SEND_RETRY, at))
		at = jiffies + SEND_RETRY;
	if (!timer_pending(&s->timer) || time_before(at, s->timer.expires))
		mod_timer(&s->timer, at);
}

/* The session is over: nothing may find it, or be woken by it, any more. */
static void end(struct ss_session *s, const char *why)
{
	struct ss_net *sn = s->sn;

	lockdep_assert_held(&s->lock);
	trace_smtpsplice_session_end(s->id, why);
	s->dead = true;
	/* unlink, then silence each source of wake-ups, then let go */
	spin_lock_bh(&sn->sessions_lock);
	list_del(&s->node);
	sn->session_gen++;
	spin_unlock_bh(&sn->sessions_lock);
	/*
	 * A kernel socket has no timers once it is released: one whose FIN is
	 * not acknowledged would stay for ever.
	 */
	ss_leg_close(&s->client, !ss_leg_finished(&s->client));
	ss_leg_close(&s->server, s->sending || !ss_leg_finished(&s->server));
	ss_scan_cancel(s, &s->verdict);
	timer_shutdown_sync(&s->timer);
	ss_hold_close(&s->hold);
	ss_netlink_session_event(s, SMTPSPLICE_EVENT_SESSION_CLOSE, NULL);
	atomic_dec(&sn->session_count);
	ss_session_put(s);
}

/* Both sinks are sent, then both legs are closed. */
static void begin_close(struct ss_session *s)
{
	if (s->state == SMTPSPLICE_STATE_CLOSE)
		return;
	if (holds_message(s))
		ss_stats_inc(s->sn, ABORTED);
	else if (s->state == SMTPSPLICE_STATE_RELEASE ||
		 s->state == SMTPSPLICE_STATE_REPLY)
		ss_stats_inc(s->sn, REFUSED_BY_SERVER);
	ss_scan_cancel(s, &s->verdict);
	ss_hold_close(&s->hold);
	/* a server that has a part of a message must not take it for whole */
	if (s->sending)
		ss_leg_close(&s->server, true);
	s->sending = false;
	set_state(s, SMTPSPLICE_STATE_CLOSE);
}

static void hangup(struct ss_session *s, const char *reply)
{
	ss_smtp_hangup(&s->smtp, reply, &s->client.out);
	begin_close(s);
}

static void dial_failed(struct ss_session *s)
{
	ss_stats_inc(s->sn, DIAL_FAILED);
	ss_leg_close(&s->server, true);
	hangup(s, "421 4.4.1 Cannot connect to the mail server");
}

static bool step_dial(struct ss_session *s)
{
	int ret = ss_leg_connected(&s->server);

	if (ss_leg_dead(&s->client))
		begin_close(s);
	else if (ret < 0)
		dial_failed(s);
	else if (ret > 0)
		set_state(s, SMTPSPLICE_STATE_GREET);
	return s->state != SMTPSPLICE_STATE_DIAL;
}

/* The message is refused; both legs stay usable. */
static void refuse(struct ss_session *s, const char *reply)
{
	ss_hold_close(&s->hold);
	s->refusal = NULL;
	ss_smtp_refuse(&s->smtp, reply, &s->server.out, &s->client.out);
	set_state(s, SMTPSPLICE_STATE_COMMAND);
}

static const char too_big[] = "552 5.3.4 Message size exceeds limit";
static const char no_space[] = "452 4.3.1 Not enough space to hold the message";
static const char bad_newline[] =
	"550 5.5.2 Message has CR or LF that is not part of CRLF";
static const char no_verdict[] = "451 4.3.0 Content scanner not available, try again later";

/* DATA: may the message come? */
static void begin_body(struct ss_session *s)
{
	if (ss_hold_open(&s->hold, s->sn)) {
		ss_stats_inc(s->sn, NO_SPACE);
		refuse(s, no_space);
		return;
	}
	s->refusal = NULL;
	ss_smtp_data_accept(&s->smtp, &s->client.out);
	set_state(s, SMTPSPLICE_STATE_BODY);
}

static bool newline_ok(const struct ss_session *s)
{
	u32 flags = s->smtp.body_flags;

	if (READ_ONCE(s->sn->settings.bare_newline) ==
	    SMTPSPLICE_BARE_NEWLINE_ALLOW)
		flags &= ~SS_SMTP_BODY_BARE_LF;
	return !flags;
}

/* End-of-data: ask for the verdict, unless the message is refused anyway. */
static void end_body(struct ss_session *s)
{
	s->messages++;
	ss_stats_inc(s->sn, MESSAGES);
	ss_stats_add(s->sn, OCTETS, s->smtp.body_len);
	atomic64_inc(&s->policy->messages);
	if (s->refusal) {
		refuse(s, s->refusal);
	} else if (!newline_ok(s)) {
		ss_stats_inc(s->sn, BAD_NEWLINE);
		refuse(s, bad_newline);
	} else {
		ss_hold_seal(&s->hold, s->smtp.body_len);
		set_state(s, SMTPSPLICE_STATE_SCAN);
		ss_scan_submit(s, s->deadline);
	}
}

/* The message will be refused, but must be read to its end first. */
static void doom(struct ss_session *s, int err)
{
	if (err == -EFBIG) {
		s->refusal = too_big;
		ss_stats_inc(s->sn, OVERSIZE);
	} else {
		s->refusal = no_space;
		ss_stats_inc(s->sn, NO_SPACE);
	}
	ss_hold_close(&s->hold);
}

/* Takes what came in with the commands, or before the hold was given up. */
static bool body_from_buffer(struct ss_session *s)
{
	struct ss_leg *c = &s->client;
	int err;

	if (s->refusal) {
		ss_leg_consume(c, ss_smtp_body(&s->smtp, c->in, c->in_len));
		return true;
	}
	err = ss_hold_append(&s->hold, c->in, c->in_len);
	if (err) {
		doom(s, err);
		return true;
	}
	c->in_len = ss_hold_parse(&s->hold, &s->smtp, c->in_len, c->in);
	if (s->smtp.body_len > s->hold.limit)
		doom(s, -EFBIG);
	return true;
}

static bool step_body(struct ss_session *s)
{
	struct ss_leg *c = &s->client;
	int n;

	if (c->in_len)
		return body_from_buffer(s);
	if (s->refusal) {
		if (!ss_leg_recv(c))
			return false;
		touch(s);
		return body_from_buffer(s);
	}
	n = ss_hold_recv(&s->hold, c->sock);
	if (n == -EAGAIN)
		return false;
	if (n == -EFBIG || n == -ENOSPC || n == -ENOMEM) {
		doom(s, n);
		return true;
	}
	if (n <= 0) {
		c->eof = true;
		return false;
	}
	touch(s);
	c->in_len = ss_hold_parse(&s->hold, &s->smtp, n, c->in);
	if (s->smtp.body_len > s->hold.limit)
		doom(s, -EFBIG);
	return true;
}

/* The reply for a message that is refused by verdict. */
static const char *verdict_reply(const struct ss_verdict *v)
{
	if (v->reply[0])
		return v->reply;
	return v->verdict == SMTPSPLICE_VERDICT_REJECT ?
	       "554 5.7.1 Message refused: a virus was found" : no_verdict;
}

static void apply_verdict(struct ss_session *s)
{
	const struct ss_verdict *v = &s->verdict;

	ss_netlink_session_event(s, SMTPSPLICE_EVENT_VERDICT, v);
	switch (v->verdict) {
	case SMTPSPLICE_VERDICT_ACCEPT:
		ss_stats_inc(s->sn, CLEAN);
		set_state(s, SMTPSPLICE_STATE_RELEASE);
		ss_smtp_release(&s->smtp, &s->server.out);
		break;
	case SMTPSPLICE_VERDICT_REJECT:
		ss_stats_inc(s->sn, INFECTED);
		refuse(s, verdict_reply(v));
		break;
	default:
		ss_stats_inc(s->sn, TEMPFAIL);
		refuse(s, verdict_reply(v));
	}
}

static bool step_scan(struct ss_session *s)
{
	/* a NOOP of ours may be out: not every server takes two commands */
	if (!ss_scan_done(s) || !ss_smtp_idle(&s->smtp) ||
	    !ss_scan_cancel(s, &s->verdict))
		return false;
	apply_verdict(s);
	return true;
}

static bool step_release(struct ss_session *s)
{
	struct ss_leg *v = &s->server;
	int n;

	if (!s->sending || !ss_leg_flushed(v))
		return false;
	n = ss_hold_send(&s->hold, v->sock, s->sent);
	if (n < 0)
		return false;
	touch(s);
	s->sent += n;
	if (n)
		return true;
	/* all sent but the end-of-data */
	memcpy(v->out.data + v->out.len, ".\r\n", 3);
	v->out.len += 3;
	s->sending = false;
	ss_smtp_sent(&s->smtp);
	set_state(s, SMTPSPLICE_STATE_REPLY);
	return true;
}

static void message_done(struct ss_session *s)
{
	if (s->smtp.done_code < 300)
		ss_stats_inc(s->sn, DELIVERED);
	else
		ss_stats_inc(s->sn, REFUSED_BY_SERVER);
	ss_hold_close(&s->hold);
	ss_smtp_next(&s->smtp);
	set_state(s, SMTPSPLICE_STATE_COMMAND);
}

static bool handle_event(struct ss_session *s)
{
	switch (s->smtp.event) {
	case SS_SMTP_NONE:
		return false;
	case SS_SMTP_DATA:
		begin_body(s);
		return true;
	case SS_SMTP_BODY_END:
		if (s->state != SMTPSPLICE_STATE_BODY ||
		    !ss_smtp_idle(&s->smtp))
			return false;
		end_body(s);
		return true;
	case SS_SMTP_SEND:
		if (s->sending)
			return false;
		s->sending = true;
		s->sent = 0;
		return true;
	case SS_SMTP_DONE:
		message_done(s);
		return true;
	case SS_SMTP_ERROR:
		ss_stats_inc(s->sn, PROTOCOL_ERROR);
		fallthrough;
	case SS_SMTP_CLOSE:
		begin_close(s);
		return true;
	}
	return false;
}

static bool pump_server(struct ss_session *s)
{
	struct ss_leg *v = &s->server;
	bool progress = ss_leg_recv(v);
	u32 n;

	if (!v->in_len)
		return progress;
	n = ss_smtp_server(&s->smtp, v->in, v->in_len, &s->client.out);
	ss_leg_consume(v, n);
	/* not while it is the client, the helper or one reply that is awaited */
	if (n && (s->state == SMTPSPLICE_STATE_GREET ||
		  s->state == SMTPSPLICE_STATE_COMMAND))
		touch(s);
	if (s->state == SMTPSPLICE_STATE_GREET && n && ss_smtp_idle(&s->smtp))
		set_state(s, SMTPSPLICE_STATE_COMMAND);
	return progress || n;
}

static bool pump_client(struct ss_session *s)
{
	struct ss_leg *c = &s->client;
	u32 n, refused = s->smtp.refused, oversize = s->smtp.oversize;
	bool progress;

	/* before the banner nothing is expected, but must not go unnoticed */
	if (!ss_smtp_wants_client(&s->smtp) &&
	    s->state != SMTPSPLICE_STATE_GREET)
		return false;
	progress = ss_leg_recv(c);
	if (!c->in_len)
		return progress;
	n = ss_smtp_client(&s->smtp, c->in, c->in_len, &s->server.out, &c->out);
	ss_leg_consume(c, n);
	ss_stats_add(s->sn, BAD_COMMAND, s->smtp.refused - refused);
	ss_stats_add(s->sn, OVERSIZE, s->smtp.oversize - oversize);
	if (n && !s->smtp.quit)
		touch(s);
	return progress || n;
}

/* Are there whole lines left, which only lack of room has stopped? */
static bool has_line(const struct ss_leg *leg)
{
	return memchr(leg->in, '\n', leg->in_len);
}

static bool has_room(const struct ss_leg *leg)
{
	return leg->out.cap - leg->out.len >= SS_SMTP_SINK_MIN;
}

/*
 * One side sent its FIN and all it said is done with. A client's is passed on,
 * so that the server sees what it would have seen; a server's ends the session.
 */
static bool handle_eof(struct ss_session *s)
{
	struct ss_leg *c = &s->client, *v = &s->server;

	if (v->eof && has_line(v) && !has_room(c))
		return false;
	if (v->eof) {
		hangup(s, "421 4.4.2 Connection to the mail server lost");
		return true;
	}
	if (!c->eof)
		return false;
	switch (s->state) {
	case SMTPSPLICE_STATE_BODY:
		hangup(s, "421 4.4.2 Connection closed inside a message");
		return true;
	case SMTPSPLICE_STATE_GREET:
		begin_close(s);
		return true;
	case SMTPSPLICE_STATE_COMMAND:
		if (ss_smtp_idle(&s->smtp) && ss_leg_flushed(v) &&
		    !(has_line(c) && !has_room(c)))
			ss_leg_shutdown(v);
		return false;
	default:
		return false;
	}
}

static bool step_dialogue(struct ss_session *s)
{
	bool progress;

	if (ss_leg_dead(&s->client)) {
		begin_close(s);
		return true;
	}
	progress = ss_leg_flush(&s->client);
	progress |= ss_leg_flush(&s->server);
	progress |= pump_server(s);
	if (handle_event(s))
		return true;
	switch (s->state) {
	case SMTPSPLICE_STATE_BODY:
		progress |= step_body(s);
		break;
	case SMTPSPLICE_STATE_SCAN:
		progress |= step_scan(s);
		break;
	case SMTPSPLICE_STATE_RELEASE:
		progress |= step_release(s);
		break;
	case SMTPSPLICE_STATE_REPLY:
		break;
	default:
		progress |= pump_client(s);
	}
	progress |= handle_event(s);
	return progress || handle_eof(s);
}

/* What a peer still sends is read and dropped: unread octets would make TCP
 * send a RST, which can destroy our last reply on its way.
 */
static bool drain(struct ss_leg *leg)
{
	leg->in_len = 0;
	return ss_leg_recv(leg);
}

static bool step_close(struct ss_session *s)
{
	struct ss_leg *c = &s->client, *v = &s->server;
	bool progress;

	progress = ss_leg_flush(c);
	progress |= ss_leg_flush(v);
	if (ss_leg_flushed(c))
		ss_leg_shutdown(c);
	if (ss_leg_flushed(v))
		ss_leg_shutdown(v);
	progress |= drain(c);
	progress |= drain(v);
	if ((ss_leg_dead(c) || (ss_leg_finished(c) && c->eof)) &&
	    ss_leg_finished(v))
		end(s, "closed");
	return progress;
}

static void handle_timeout(struct ss_session *s)
{
	if (s->state != SMTPSPLICE_STATE_CLOSE)
		ss_stats_inc(s->sn, TIMEOUT);
	switch (s->state) {
	case SMTPSPLICE_STATE_DIAL:
		dial_failed(s);
		break;
	case SMTPSPLICE_STATE_REPLY:
		hangup(s, "421 4.4.2 The mail server did not answer in time");
		break;
	case SMTPSPLICE_STATE_CLOSE:
		end(s, "did not close in time");
		break;
	default:
		hangup(s, "421 4.4.2 Connection timed out");
	}
}

/* No verdict in time. Exactly one of verdict and time-out wins. */
static void handle_scan_timeout(struct ss_session *s)
{
	struct ss_verdict *v = &s->verdict;

	if (ss_scan_cancel(s, v)) {
		apply_verdict(s);
		return;
	}
	*v = (struct ss_verdict){ .verdict = SMTPSPLICE_VERDICT_TEMPFAIL };
	strscpy(v->reply, no_verdict, sizeof(v->reply));
	ss_stats_inc(s->sn, SCAN_TIMEOUT);
	ss_netlink_session_event(s, SMTPSPLICE_EVENT_VERDICT, v);
	refuse(s, no_verdict);
}

static void check_timers(struct ss_session *s)
{
	if (time_after_eq(jiffies, s->deadline)) {
		if (s->state == SMTPSPLICE_STATE_SCAN)
			handle_scan_timeout(s);
		else
			handle_timeout(s);
	} else if (holds_message(s) && time_after_eq(jiffies, s->keepalive)) {
		ss_smtp_keepalive(&s->smtp, &s->server.out);
		s->keepalive = jiffies + msecs_to_jiffies(KEEPALIVE_INTERVAL);
	}
}

static bool step(struct ss_session *s)
{
	if (s->dead)
		return false;
	switch (s->state) {
	case SMTPSPLICE_STATE_DIAL:
		return step_dial(s);
	case SMTPSPLICE_STATE_CLOSE:
		return step_close(s);
	default:
		return step_dialogue(s);
	}
}

static void run(struct ss_session *s)
{
	int budget = RUN_BUDGET;

	check_timers(s);
	while (step(s)) {
		if (--budget)
			continue;
		/* let others run, then go on */
		ss_session_wake(s);
		break;
	}
	/* what the last steps put into the sinks */
	if (!s->dead) {
		ss_leg_flush(&s->client);
		ss_leg_flush(&s->server);
		arm_timer(s);
	}
}

static void kill(struct ss_session *s)
{
	if (s->state != SMTPSPLICE_STATE_CLOSE)
		hangup(s, "421 4.3.2 Gateway shutting down");
	ss_leg_flush(&s->client);
	ss_leg_flush(&s->server);
	end(s, "killed");
}

static void session_work(struct work_struct *work)
{
	struct ss_session *s = container_of(work, struct ss_session, work);

	mutex_lock(&s->lock);
	if (!s->dead) {
		if (READ_ONCE(s->killed))
			kill(s);
		else
			run(s);
	}
	mutex_unlock(&s->lock);
	ss_session_put(s);
}

static void read_addresses(struct ss_session *s, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct ss_addr *c = &s->client_addr, *v = &s->server_addr;

	c->family = v->family = sk->sk_family;
	c->port = inet->inet_dport;
	v->port = htons(inet->inet_num);
	if (sk->sk_family == AF_INET) {
		c->ip.v4 = inet->inet_daddr;
		v->ip.v4 = inet->inet_rcv_saddr;
	} else {
		c->ip.v6 = sk->sk_v6_daddr;
		v->ip.v6 = sk->sk_v6_rcv_saddr;
	}
}

/* Adds a session to the namespace, unless that goes away. */
static bool link_session(struct ss_session *s)
{
	static atomic64_t last_id;
	struct ss_net *sn = s->sn;
	bool ok;

	spin_lock_bh(&sn->sessions_lock);
	ok = !sn->dying;
	if (ok) {
		s->id = atomic64_inc_return(&last_id);
		refcount_inc(&sn->users);
		atomic_inc(&sn->session_count);
		list_add_tail(&s->node, &sn->sessions);
		sn->session_gen++;
	}
	spin_unlock_bh(&sn->sessions_lock);
	return ok;
}

static struct ss_session *create(struct ss_policy *policy)
{
	struct ss_session *s;

	s = kvzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return NULL;
	refcount_set(&s->users, 1);
	s->sn = policy->sn;
	s->policy = policy;
	s->born = jiffies;
	mutex_init(&s->lock);
	INIT_WORK(&s->work, session_work);
	timer_setup(&s->timer, expired, 0);
	ss_smtp_init(&s->smtp, READ_ONCE(s->sn->settings.max_message));
	if (ss_leg_init(&s->client, s) || ss_leg_init(&s->server, s)) {
		ss_leg_free(&s->client);
		ss_leg_free(&s->server);
		kvfree(s);
		return NULL;
	}
	return s;
}

/* Best effort, without a session: there may be no memory for one. */
static void turn_away(struct ss_net *sn, struct socket *sock)
{
	static char reply[] = "421 4.3.2 Too many sessions, try again later\r\n";
	struct kvec iov = { .iov_base = reply, .iov_len = sizeof(reply) - 1 };
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };

	ss_stats_inc(sn, OVER_LIMIT);
	kernel_sendmsg(sock, &msg, &iov, 1, iov.iov_len);
	/*
	 * Nobody will wait for the end of the FIN: with a reference to the
	 * namespace the socket keeps its timers and does so itself.
	 */
	if (maybe_get_net(sn->net)) {
		sk_net_refcnt_upgrade(sock->sk);
		put_net(sn->net);
	}
	sock_release(sock);
}

void ss_session_start(struct ss_policy *policy, struct socket *sock)
{
	struct ss_net *sn = policy->sn;
	struct net_device *dev;
	struct ss_session *s;

	if (atomic_read(&sn->session_count) >=
	    READ_ONCE(sn->settings.max_sessions)) {
		turn_away(sn, sock);
		return;
	}
	s = create(policy);
	if (!s) {
		turn_away(sn, sock);
		return;
	}
	ss_policy_hold(policy);
	read_addresses(s, sock->sk);
	rcu_read_lock();
	dev = dev_get_by_index_rcu(sn->net,
				   READ_ONCE(sock->sk->sk_rx_dst_ifindex));
	strscpy(s->iif, dev ? dev->name : policy->iif, sizeof(s->iif));
	rcu_read_unlock();

	mutex_lock(&s->lock);
	/* before there is a callback: what is not linked cannot be woken */
	if (!link_session(s)) {
		mutex_unlock(&s->lock);
		sock_release(sock);
		ss_leg_free(&s->client);
		ss_leg_free(&s->server);
		ss_policy_put(policy);
		kvfree(s);
		return;
	}
	ss_leg_attach(&s->client, sock);
	ss_stats_inc(sn, ACCEPTED);
	atomic64_inc(&policy->sessions);
	ss_netlink_session_event(s, SMTPSPLICE_EVENT_SESSION_OPEN, NULL);
	set_state(s, SMTPSPLICE_STATE_DIAL);
	if (ss_leg_dial(&s->server, sn->net, &s->client_addr, &s->server_addr))
		dial_failed(s);
	/* what came in before the callbacks were there */
	ss_session_wake(s);
	mutex_unlock(&s->lock);
}

void ss_session_flush(struct ss_net *sn)
{
	struct ss_session *s;

	spin_lock_bh(&sn->sessions_lock);
	sn->dying = true;
	list_for_each_entry(s, &sn->sessions, node) {
		WRITE_ONCE(s->killed, true);
		ss_session_wake(s);
	}
	spin_unlock_bh(&sn->sessions_lock);
	if (refcount_dec_and_test(&sn->users))
		complete(&sn->idle);
	wait_for_completion(&sn->idle);
}

static int put_session(struct sk_buff *skb, const struct ss_session *s)
{
	int len = s->client_addr.family == AF_INET ? 4 : 16;
	u64 held = READ_ONCE(s->state) < SMTPSPLICE_STATE_BODY ? 0 :
		   READ_ONCE(s->hold.len);

	if (nla_put_u64_64bit(skb, SMTPSPLICE_A_SESSION_ID, s->id, 0) ||
	    nla_put_string(skb, SMTPSPLICE_A_SESSION_POLICY, s->policy->name) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SESSION_STATE, READ_ONCE(s->state)) ||
	    nla_put_string(skb, SMTPSPLICE_A_SESSION_IIF, s->iif) ||
	    nla_put(skb, SMTPSPLICE_A_SESSION_CLIENT, len, &s->client_addr.ip) ||
	    nla_put_u16(skb, SMTPSPLICE_A_SESSION_CLIENT_PORT,
			ntohs(s->client_addr.port)) ||
	    nla_put(skb, SMTPSPLICE_A_SESSION_SERVER, len, &s->server_addr.ip) ||
	    nla_put_u16(skb, SMTPSPLICE_A_SESSION_SERVER_PORT,
			ntohs(s->server_addr.port)) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_SESSION_AGE,
			      jiffies_to_msecs(jiffies - s->born), 0) ||
	    nla_put_u32(skb, SMTPSPLICE_A_SESSION_MESSAGES,
			READ_ONCE(s->messages)) ||
	    nla_put_u64_64bit(skb, SMTPSPLICE_A_SESSION_HELD, held, 0))
		return -EMSGSIZE;
	return 0;
}

/* The id of the last session listed is the cursor: ids only grow. */
int ss_session_dump(struct ss_net *sn, struct sk_buff *skb,
		    struct netlink_callback *cb)
{
	const struct ss_session *s;
	int err = 0;

	spin_lock_bh(&sn->sessions_lock);
	cb->seq = sn->session_gen;
	list_for_each_entry(s, &sn->sessions, node) {
		void *hdr;

		if (s->id <= cb->args[0])
			continue;
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				  cb->nlh->nlmsg_seq, &smtpsplice_nl_family,
				  NLM_F_MULTI, SMTPSPLICE_CMD_SESSION_GET);
		if (!hdr) {
			err = -EMSGSIZE;
			break;
		}
		genl_dump_check_consistent(cb, hdr);
		err = put_session(skb, s);
		if (err) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
		cb->args[0] = s->id;
	}
	spin_unlock_bh(&sn->sessions_lock);
	return err == -EMSGSIZE && skb->len ? skb->len : err ?: skb->len;
}
