// SPDX-License-Identifier: GPL-2.0
/*
 * A session: one client's SMTP connection, our connection to the server, and
 * the messages in between.
 *
 * One work item drives it and does all of its work, never waiting for a peer:
 * socket callbacks, the timer and verdicts only queue it. It runs until nothing
 * more can be done, or for a while (RUN_TIME). Its lock is held meanwhile, and
 * nobody else takes it but who begins the session: what others need of one that
 * waits for its verdict is there without it (ss_request_tell()).
 *
 * States (enum smtpsplice_state) change in ss_session_set_state() alone:
 *
 *   dial -> greet -> command <-> body -> scan -> release -> reply -> command
 *   dial -> handshake -> greet, command -> handshake -> command
 *   dial, command or handshake -> relay
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

#include "answer.h"
#include "ban.h"
#include "budget.h"
#include "dial.h"
#include "events.h"
#include "handoff.h"
#include "leg.h"
#include "message.h"
#include "net.h"
#include "policy.h"
#include "profile-class.h"
#include "profile.h"
#include "request.h"
#include "session.h"
#include "share.h"
#include "smtp/smtp.h"
#include "stats.h"
#include "trace.h"
#include "verdict.h"
#include "waker.h"

/* Rounds of work before others get their turn. */
#define RUN_BUDGET		64
/* And how long they may take, jiffies; the last of them ends later. */
#define RUN_TIME		(HZ / 10)
/* How long closing may take, ms. */
#define CLOSE_TIMEOUT		10000
/* Until sending is tried again although nothing happened, jiffies. */
#define SEND_RETRY		HZ
/*
 * Most NOOPs to one server. It may count them: Exim ends the session at the
 * eleventh command that is not of a mail (smtp_accept_max_nonmail), and the client
 * may want some of those.
 */
#define NOOPS_MAX		8
/* So often the time between two of them doubles; servers wait for five minutes. */
#define NOOP_DOUBLINGS		2
/* So often a full budget halves the time that who sends a message may be silent. */
#define SILENCE_HALVINGS	4

/* Drops the session's references. */
static void drop_references(struct ss_session *s)
{
	ss_leg_free(&s->client);
	ss_leg_free(&s->server);
	ss_policy_put(s->policy);
	ss_profile_put(s->profile);
	ss_profile_put(s->av);
	ss_share_put(s->sn, s->share);
}

/* The last reference may go in softirq: what may sleep was done by end(). */
static void release(struct ss_waker *w)
{
	struct ss_session *s = container_of(w, struct ss_session, waker);
	struct ss_net *sn = s->sn;

	drop_references(s);
	memzero_explicit(&s->answer, sizeof(s->answer));
	kvfree_rcu(s, rcu);
	if (refcount_dec_and_test(&sn->users))
		complete(&sn->idle);
}

static void expired(struct timer_list *timer)
{
	struct ss_session *s = container_of(timer, struct ss_session, timer);

	ss_waker_wake(&s->waker);
}

static u32 timeout_ms(const struct ss_session *s)
{
	const struct ss_settings *set = &s->sn->settings;

	switch (s->state) {
	case SMTPSPLICE_STATE_DIAL:
		return READ_ONCE(set->dial_timeout);
	case SMTPSPLICE_STATE_HANDSHAKE:
		return READ_ONCE(set->handshake_timeout);
	case SMTPSPLICE_STATE_RELEASE:
		if (s->redial == SS_REDIAL_DIAL)
			return READ_ONCE(set->dial_timeout);
		fallthrough;
	case SMTPSPLICE_STATE_BODY:
		return READ_ONCE(set->data_timeout);
	case SMTPSPLICE_STATE_SCAN:
		return READ_ONCE(set->scan_timeout);
	case SMTPSPLICE_STATE_REPLY:
	case SMTPSPLICE_STATE_RELAY:
		return READ_ONCE(set->reply_timeout);
	case SMTPSPLICE_STATE_CLOSE:
		return CLOSE_TIMEOUT;
	default:
		return READ_ONCE(set->command_timeout);
	}
}

/* Is it what holds something of a message whose client is slow? */
static bool hogs(const struct ss_session *s)
{
	return s->state == SMTPSPLICE_STATE_BODY && s->hold.charged;
}

/* Jiffies that a peer has for what it is to do next. */
static unsigned long patience(const struct ss_session *s)
{
	u32 halvings = hogs(s) ? min_t(u32, ss_budget_pressure(s->sn),
				       SILENCE_HALVINGS) : 0;

	return msecs_to_jiffies(timeout_ms(s)) >> halvings;
}

/* When the state has lasted too long, where its time begins now. */
static unsigned long latest(const struct ss_session *s)
{
	unsigned long at = jiffies + patience(s);

	/* once the server has the end-of-data, only its reply can end the wait */
	if (s->state != SMTPSPLICE_STATE_SCAN &&
	    s->state != SMTPSPLICE_STATE_RELEASE)
		return at;
	return time_before(s->message_end, at) ? s->message_end : at;
}

/* A peer did something whole: the state's time begins anew. */
static void touch(struct ss_session *s)
{
	WRITE_ONCE(s->deadline, latest(s));
	timer_reduce(&s->timer, s->deadline);
	s->heard = jiffies;
	s->paced = 0;
}

void ss_session_pace(struct ss_session *s, u32 n)
{
	/* only what holds something is in the way of others */
	u32 rate = s->hold.charged ? ss_budget_min_rate(s->sn) :
				     SS_BUDGET_MIN_RATE;
	unsigned long most = latest(s);
	unsigned long deadline;
	u32 ticks;

	s->paced += n;
	ticks = (u64)s->paced * HZ / rate;
	s->paced -= (u64)ticks * rate / HZ;
	deadline = s->deadline + ticks;
	s->heard = jiffies;
	WRITE_ONCE(s->deadline, time_before(deadline, most) ? deadline : most);
}

/* The server has heard of us, or we of it: its patience begins anew. */
static void touch_server(struct ss_session *s)
{
	u64 ms = READ_ONCE(s->sn->settings.keepalive);

	ms <<= min_t(u32, s->noops, NOOP_DOUBLINGS);
	s->keepalive = jiffies + msecs_to_jiffies(min_t(u64, ms, U32_MAX));
}

void ss_session_set_state(struct ss_session *s, u32 state)
{
	lockdep_assert_held(&s->lock);
	trace_smtpsplice_session_state(s->waker.id, s->state, state);
	WRITE_ONCE(s->state, state);
	touch(s);
	/* the end of a message is nothing that the server sees */
	if (state != SMTPSPLICE_STATE_SCAN)
		touch_server(s);
}

static bool holds_message(const struct ss_session *s)
{
	return s->state == SMTPSPLICE_STATE_BODY ||
	       s->state == SMTPSPLICE_STATE_SCAN;
}

static bool may_keep_alive(const struct ss_session *s)
{
	return holds_message(s) && s->noops < NOOPS_MAX;
}

/* Our close_notify was sent, and our FIN was not? */
static bool awaits_records(const struct ss_leg *leg)
{
	return leg->sock && leg->notified && !leg->shut;
}

/* Has something to be sent that no socket may tell of? */
static bool must_retry(const struct ss_session *s)
{
	const struct ss_leg *c = &s->client, *v = &s->server;

	/* memory may have been short */
	if (ss_message_unsent(s) || !ss_leg_flushed(c) || !ss_leg_flushed(v) ||
	    ss_leg_stuck(c) || ss_leg_stuck(v))
		return true;
	if ((s->state == SMTPSPLICE_STATE_HANDSHAKE && s->answered) ||
	    ss_request_unrung(&s->request) || c->unread || v->unread)
		return true;
	/* TLS records wait for room in a list of the socket's, and our FIN for them */
	if (awaits_records(c) || awaits_records(v))
		return true;
	/* a TLS alert has no buffer to wait in */
	return s->state == SMTPSPLICE_STATE_CLOSE &&
	       ((c->sock && !c->shut) || (v->sock && !v->shut));
}

static void arm_timer(struct ss_session *s)
{
	unsigned long look, at = s->deadline;

	if (s->dead)
		return;
	if (may_keep_alive(s) && time_before(s->keepalive, at))
		at = s->keepalive;
	if (must_retry(s) && time_before(jiffies + SEND_RETRY, at))
		at = jiffies + SEND_RETRY;
	/* the budget may fill meanwhile */
	look = jiffies + (msecs_to_jiffies(timeout_ms(s)) >> SILENCE_HALVINGS) + 1;
	if (hogs(s) && time_before(look, at))
		at = look;
	timer_reduce(&s->timer, at);
}

void ss_session_event(const struct ss_session *s, enum smtpsplice_event kind,
		      const struct ss_verdict *v)
{
	ss_event_send(s->sn, &(struct ss_event){
		.kind = kind, .session = s->waker.id, .iif = s->iif,
		.client = &s->client_addr, .server = &s->server_addr,
		.policy = s->policy->name, .v = v,
	});
}

/* The session is over: nothing may find it, or be woken by it, any more. */
static void end(struct ss_session *s, const char *why)
{
	struct ss_net *sn = s->sn;

	lockdep_assert_held(&s->lock);
	trace_smtpsplice_session_end(s->waker.id, why);
	s->dead = true;
	/* unlink, then silence each source of wake-ups, then let go */
	spin_lock_bh(&sn->sessions_lock);
	list_del(&s->node);
	s->share->sessions--;
	sn->session_gen++;
	spin_unlock_bh(&sn->sessions_lock);
	ss_request_cancel(&s->request, &s->answer);
	ss_leg_close(&s->server);
	ss_leg_close(&s->client);
	timer_shutdown_sync(&s->timer);
	ss_message_drop(s);
	ss_session_event(s, SMTPSPLICE_EVENT_SESSION_CLOSE, NULL);
	atomic_dec(&sn->session_count);
	ss_waker_put(&s->waker);
}

static bool begins_with_tls(const struct ss_session *s)
{
	return s->profile &&
	       ss_profile_smtps(s->profile, ntohs(s->server_addr.port));
}

/* Counts a message whose fate is not known when the session ends. */
static void count_unanswered(struct ss_session *s)
{
	bool left = ss_leg_dead(&s->client) || s->client.broken;

	if (s->state != SMTPSPLICE_STATE_RELEASE &&
	    s->state != SMTPSPLICE_STATE_REPLY && !holds_message(s))
		return;
	/* it was counted when it was refused */
	if (s->refusal)
		return;
	if (left || holds_message(s))
		ss_stats_inc(s->sn, ABORTED);
	else
		ss_stats_inc(s->sn, REFUSED_BY_SERVER);
}

/* Both sinks are sent, then both legs are closed. */
static void begin_close(struct ss_session *s)
{
	if (s->state == SMTPSPLICE_STATE_CLOSE)
		return;
	count_unanswered(s);
	ss_request_cancel(&s->request, &s->answer);
	if (s->state == SMTPSPLICE_STATE_HANDSHAKE)
		ss_handoff_abort(&s->client, &s->server);
	ss_message_drop(s);
	/*
	 * A server that has a part of a message must not take it for whole, nor
	 * get the rest of one that the client knows nothing more of.
	 */
	if (s->sending || (s->state == SMTPSPLICE_STATE_REPLY &&
			   !ss_leg_acknowledged(&s->server)))
		ss_leg_close(&s->server);
	s->sending = false;
	ss_session_set_state(s, SMTPSPLICE_STATE_CLOSE);
}

void ss_session_hangup(struct ss_session *s, const char *reply)
{
	/* only where the client would take it for a reply */
	if (s->state != SMTPSPLICE_STATE_HANDSHAKE &&
	    s->state != SMTPSPLICE_STATE_RELAY &&
	    !(s->state == SMTPSPLICE_STATE_DIAL && begins_with_tls(s)))
		ss_smtp_hangup(&s->smtp, reply, &s->client.out);
	begin_close(s);
}

static void dial_failed(struct ss_session *s)
{
	ss_stats_inc(s->sn, DIAL_FAILED);
	ss_leg_close(&s->server);
	ss_session_hangup(s, "421 4.4.1 Cannot connect to the mail server");
}

/* ---- TLS ---- */

static void bypass(struct ss_session *s, u32 cause)
{
	switch (cause) {
	case SMTPSPLICE_TLS_CAUSE_POLICY:
		ss_stats_inc(s->sn, BYPASS_POLICY);
		break;
	case SMTPSPLICE_TLS_CAUSE_EXEMPT:
		ss_stats_inc(s->sn, BYPASS_EXEMPT);
		break;
	case SMTPSPLICE_TLS_CAUSE_CLIENT_CERTIFICATE:
		ss_stats_inc(s->sn, BYPASS_CLIENT_CERTIFICATE);
		break;
	default:
		ss_stats_inc(s->sn, BYPASS_UNSUPPORTED);
	}
	ss_session_set_state(s, SMTPSPLICE_STATE_RELAY);
}

static void send_handshake_event(const struct ss_session *s,
				 const struct ss_handshake *h)
{
	ss_event_send(s->sn, &(struct ss_event){
		.kind = SMTPSPLICE_EVENT_HANDSHAKE,
		.session = s->waker.id, .iif = s->iif,
		.client = &s->client_addr, .server = &s->server_addr,
		.policy = s->policy->name,
		.tls = s->profile ? s->profile->name : NULL, .h = h,
	});
}

/* Notes and tells what became of the handshakes. */
static void note_handshake(struct ss_session *s, const struct ss_handshake *h)
{
	s->handshaken = true;
	WRITE_ONCE(s->tls, h->result);
	send_handshake_event(s, h);
}

static void bypass_policy(struct ss_session *s)
{
	struct ss_handshake *h = &s->answer.handshake;

	memset(h, 0, sizeof(*h));
	h->result = SMTPSPLICE_TLS_RESULT_BYPASSED;
	h->cause = SMTPSPLICE_TLS_CAUSE_POLICY;
	/* the helper knows nothing of it */
	pr_info_ratelimited("smtpsplice: session %llu: TLS passes unscanned: policy %s\n",
			    s->waker.id, s->policy->name);
	note_handshake(s, h);
	bypass(s, h->cause);
}

/* The answer is there, or was made up. */
static void end_handshake(struct ss_session *s)
{
	struct ss_handshake *h = &s->answer.handshake;

	s->answered = false;
	ss_handoff_reclaim(&s->client, &s->server, h);
	note_handshake(s, h);
	switch (h->result) {
	case SMTPSPLICE_TLS_RESULT_INSPECTED:
		ss_stats_inc(s->sn, HANDSHAKES);
		ss_session_set_state(s, ss_smtp_idle(&s->smtp) ? SMTPSPLICE_STATE_COMMAND :
						      SMTPSPLICE_STATE_GREET);
		ss_smtp_tls_done(&s->smtp);
		break;
	case SMTPSPLICE_TLS_RESULT_BYPASSED:
		bypass(s, h->cause);
		break;
	default:
		ss_stats_inc(s->sn, HANDSHAKE_FAILED);
		begin_close(s);
	}
}

/* It is us who ends the handshakes. */
static void fail_handshake(struct ss_session *s, u32 cause, const char *text)
{
	struct ss_handshake *h = &s->answer.handshake;

	if (!s->answered && !ss_request_cancel(&s->request, &s->answer)) {
		memset(h, 0, sizeof(*h));
		h->result = SMTPSPLICE_TLS_RESULT_FAILED;
		h->cause = cause;
		strscpy(h->text, text, sizeof(h->text));
	}
	end_handshake(s);
}

static bool step_handshake(struct ss_session *s)
{
	struct ss_leg *c = &s->client;

	if (!c->lent) {
		/* the 220 has to be out before TLS comes behind it */
		ss_leg_flush(c);
		if (ss_leg_dead(c)) {
			begin_close(s);
			return true;
		}
		if (!ss_leg_flushed(c))
			return false;
		/* STARTTLS is refused for that earlier, where that can be */
		if (ss_request_crowded(&s->request, SS_REQUEST_HANDSHAKE)) {
			ss_stats_inc(s->sn, SHARE_HANDSHAKES);
			fail_handshake(s, SMTPSPLICE_TLS_CAUSE_HELPER,
				       "too many handshakes of this client");
			return true;
		}
		if (!ss_handoff_lend(c, &s->server)) {
			ss_request_submit(&s->request, SS_REQUEST_HANDSHAKE,
					  s->deadline);
			return false;
		}
		fail_handshake(s, SMTPSPLICE_TLS_CAUSE_HELPER,
			       "sockets cannot be lent");
		return true;
	}
	if (!s->answered) {
		if (!ss_request_done(&s->request) ||
		    !ss_request_cancel(&s->request, &s->answer))
			return false;
		s->answered = true;
	}
	/* somebody else may look at its files; nobody tells of the end of that */
	if (s->answer.handshake.result != SMTPSPLICE_TLS_RESULT_FAILED &&
	    ss_handoff_shared(c, &s->server))
		return false;
	end_handshake(s);
	return true;
}

/* The server's 220 to STARTTLS is there. */
static void begin_starttls(struct ss_session *s)
{
	if (s->profile->tls.starttls == SMTPSPLICE_STARTTLS_MODE_BYPASS) {
		ss_smtp_tls_go(&s->smtp, &s->client.out);
		bypass_policy(s);
		return;
	}
	/*
	 * What was said in plain text behind STARTTLS or its 220 must not be
	 * taken for what is said inside TLS (CVE-2011-0411, CVE-2021-22947).
	 */
	if (!ss_leg_quiet(&s->server) || !ss_leg_flushed(&s->server)) {
		ss_stats_inc(s->sn, PROTOCOL_ERROR);
		ss_session_hangup(s, "421 4.3.0 Server broke the protocol");
	} else if (!ss_leg_quiet(&s->client)) {
		ss_stats_inc(s->sn, PROTOCOL_ERROR);
		ss_session_hangup(s, "554 5.5.0 SMTP protocol synchronization error");
	} else {
		ss_smtp_tls_go(&s->smtp, &s->client.out);
		ss_session_set_state(s, SMTPSPLICE_STATE_HANDSHAKE);
	}
}

/* The server is there: who begins to speak, and how? */
static void connected(struct ss_session *s)
{
	if (!begins_with_tls(s))
		ss_session_set_state(s, SMTPSPLICE_STATE_GREET);
	else if (s->profile->tls.smtps == SMTPSPLICE_TLS_MODE_INSPECT)
		ss_session_set_state(s, SMTPSPLICE_STATE_HANDSHAKE);
	else
		bypass_policy(s);
}

/* Passes on what one side says, in the buffer that it came in by. */
static bool relay(struct ss_leg *from, struct ss_leg *to)
{
	bool progress = ss_leg_flush(to);

	if (!ss_leg_flushed(to))
		return progress;
	ss_leg_recv(from);
	if (from->in_len) {
		swap(from->in, to->out.data);
		to->out.len = from->in_len;
		from->in_len = 0;
		return true;
	}
	if (from->eof && !ss_leg_failed(from))
		ss_leg_shutdown(to);
	return progress;
}

static bool step_relay(struct ss_session *s)
{
	struct ss_leg *c = &s->client, *v = &s->server;
	bool progress = relay(c, v);

	progress |= relay(v, c);
	if (progress)
		touch(s);
	/* one that was reset resets the other */
	if (ss_leg_failed(c) || ss_leg_failed(v)) {
		ss_leg_close(c);
		ss_leg_close(v);
	}
	if (!c->sock || (c->shut && v->shut))
		begin_close(s);
	return progress || s->state == SMTPSPLICE_STATE_CLOSE;
}

static bool step_dial(struct ss_session *s)
{
	int ret = ss_leg_connected(&s->server);

	if (ss_leg_dead(&s->client))
		begin_close(s);
	else if (ret < 0)
		dial_failed(s);
	else if (ret > 0)
		connected(s);
	return s->state != SMTPSPLICE_STATE_DIAL;
}

/* Its FIN is there, or it has said as much. */
static void server_left(struct ss_session *s)
{
	if (!s->server.sock || !ss_message_server_left(s))
		ss_session_hangup(s, "421 4.4.2 Connection to the mail server lost");
}

static bool handle_event(struct ss_session *s)
{
	if (s->smtp.early && s->server.sock) {
		ss_message_early(s);
		return true;
	}
	if (s->smtp.gone) {
		server_left(s);
		return true;
	}
	switch (s->smtp.event) {
	case SS_SMTP_NONE:
		return false;
	case SS_SMTP_DATA:
		ss_message_begin(s);
		return true;
	case SS_SMTP_GO_ON:
		ss_message_go_on(s);
		return true;
	case SS_SMTP_CHUNK:
		return ss_message_chunk(s);
	case SS_SMTP_ABANDON:
		ss_message_abandon(s);
		return true;
	case SS_SMTP_BODY_END:
		return s->state == SMTPSPLICE_STATE_BODY && ss_message_end(s);
	case SS_SMTP_REPLAY:
		ss_message_replay(s);
		return true;
	case SS_SMTP_SEND:
		if (s->sending)
			return false;
		s->sending = true;
		return true;
	case SS_SMTP_DONE:
		ss_message_done(s);
		return true;
	case SS_SMTP_STARTTLS:
		if (s->state != SMTPSPLICE_STATE_COMMAND)
			return false;
		begin_starttls(s);
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
	u32 n, turns = s->smtp.turns;

	if (!v->in_len)
		return progress;
	n = ss_smtp_server(&s->smtp, v->in, v->in_len, &s->client.out);
	ss_leg_consume(v, n);
	if (holds_message(s))
		touch_server(s);
	/* not while it is the client, the helper or one reply that is awaited */
	if (s->smtp.turns != turns && (s->state == SMTPSPLICE_STATE_GREET ||
				       s->state == SMTPSPLICE_STATE_COMMAND))
		touch(s);
	if (s->state == SMTPSPLICE_STATE_GREET && n && ss_smtp_idle(&s->smtp))
		ss_session_set_state(s, SMTPSPLICE_STATE_COMMAND);
	return progress || n;
}

/* Would STARTTLS be for the helper to do? */
static bool needs_helper(const struct ss_session *s)
{
	return s->profile &&
	       s->profile->tls.starttls != SMTPSPLICE_STARTTLS_MODE_BYPASS;
}

static bool pump_client(struct ss_session *s)
{
	struct ss_leg *c = &s->client;
	u32 refused = s->smtp.refused, oversize = s->smtp.oversize;
	u32 bans = s->smtp.bans, swallowed = s->smtp.swallowed;
	u32 busy = s->smtp.busy;
	u32 n, turns = s->smtp.turns;
	bool progress;

	/* before the banner nothing is expected, but must not go unnoticed */
	if (!ss_smtp_wants_client(&s->smtp) &&
	    s->state != SMTPSPLICE_STATE_GREET)
		return false;
	progress = ss_leg_recv(c);
	if (!c->in_len)
		return progress;
	s->smtp.tls_down = needs_helper(s) &&
		!ss_request_served(s->sn, SS_REQUEST_HANDSHAKE);
	s->smtp.tls_busy = needs_helper(s) &&
		ss_request_crowded(&s->request, SS_REQUEST_HANDSHAKE);
	s->smtp.banned = s->av->av.sender_ban &&
		ss_ban_has(s->sn, &s->client_addr);
	n = ss_smtp_client(&s->smtp, c->in, c->in_len, &s->server.out, &c->out);
	ss_leg_consume(c, n);
	ss_stats_add(s->sn, BAD_COMMAND, s->smtp.refused - refused);
	ss_stats_add(s->sn, OVERSIZE, s->smtp.oversize - oversize);
	ss_stats_add(s->sn, BANNED, s->smtp.bans - bans);
	ss_stats_add(s->sn, SHARE_HANDSHAKES, s->smtp.busy - busy);
	/* commands between chunks earn no more time than octets do */
	if (s->state == SMTPSPLICE_STATE_BODY)
		ss_session_pace(s, n);
	else if (s->smtp.turns != turns && !s->smtp.quit)
		touch(s);
	else
		ss_session_pace(s, s->smtp.swallowed - swallowed);
	return progress || n;
}

/* Are there whole lines left, which only lack of room has stopped? */
static bool has_line(const struct ss_leg *leg)
{
	return memchr(leg->in, '\n', leg->in_len);
}

static_assert(SS_LEG_BUFFER >= SS_SMTP_SINK_MIN);

static bool has_room(const struct ss_leg *leg)
{
	return leg->out.cap - leg->out.len >= SS_SMTP_SINK_MIN;
}

/*
 * One side sent its FIN and all it said is done with. A client's is passed on,
 * so that the server sees what it would have seen; a server's ends the session, but
 * where a message can do without it.
 */
static bool handle_eof(struct ss_session *s)
{
	struct ss_leg *c = &s->client, *v = &s->server;

	if (v->eof && has_line(v) && !has_room(c))
		return false;
	if (v->eof) {
		server_left(s);
		return true;
	}
	if (!c->eof)
		return false;
	if (c->broken) {
		ss_session_hangup(s, "421 4.7.0 TLS cannot be continued");
		return true;
	}
	switch (s->state) {
	case SMTPSPLICE_STATE_BODY:
		ss_session_hangup(s, "421 4.4.2 Connection closed inside a message");
		return true;
	case SMTPSPLICE_STATE_GREET:
		begin_close(s);
		return true;
	case SMTPSPLICE_STATE_COMMAND:
		if (!v->sock) {
			begin_close(s);
			return true;
		}
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
		progress |= ss_message_step(s);
		/* between two chunks */
		progress |= pump_client(s);
		break;
	case SMTPSPLICE_STATE_SCAN:
	case SMTPSPLICE_STATE_RELEASE:
		progress |= ss_message_step(s);
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
	if (ss_leg_dead(c) && ss_leg_dead(v))
		end(s, "closed");
	return progress;
}

static void handle_timeout(struct ss_session *s)
{
	/* an answer that came just in time is taken below */
	if (s->state != SMTPSPLICE_STATE_CLOSE && !ss_request_done(&s->request))
		ss_stats_inc(s->sn, TIMEOUT);
	if (s->state == SMTPSPLICE_STATE_RELEASE &&
	    time_after_eq(jiffies, s->message_end))
		ss_stats_inc(s->sn, MESSAGE_TIMEOUT);
	switch (s->state) {
	case SMTPSPLICE_STATE_DIAL:
		dial_failed(s);
		break;
	case SMTPSPLICE_STATE_HANDSHAKE:
		fail_handshake(s, SMTPSPLICE_TLS_CAUSE_TIMEOUT,
			       "handshakes took too long");
		break;
	case SMTPSPLICE_STATE_RELEASE:
		if (s->redial == SS_REDIAL_DIAL)
			ss_stats_inc(s->sn, DIAL_FAILED);
		if (!s->redial || !ss_message_server_left(s))
			ss_session_hangup(s, "421 4.4.2 Connection timed out");
		break;
	case SMTPSPLICE_STATE_REPLY:
		ss_session_hangup(s, "421 4.4.2 The mail server did not answer in time");
		break;
	case SMTPSPLICE_STATE_CLOSE:
		end(s, "did not close in time");
		break;
	default:
		ss_session_hangup(s, "421 4.4.2 Connection timed out");
	}
}

/* What time it has earned is worth less the fuller the budget is. */
static void press(struct ss_session *s)
{
	unsigned long most = s->heard + patience(s);

	if (hogs(s) && time_before(most, s->deadline))
		WRITE_ONCE(s->deadline, most);
}

static void check_timers(struct ss_session *s)
{
	press(s);
	if (time_after_eq(jiffies, s->deadline)) {
		if (s->state == SMTPSPLICE_STATE_SCAN)
			ss_verdict_timeout(s);
		else
			handle_timeout(s);
	} else if (may_keep_alive(s) && time_after_eq(jiffies, s->keepalive)) {
		s->noops += ss_smtp_keepalive(&s->smtp, &s->server.out);
		touch_server(s);
	}
}

static bool step(struct ss_session *s)
{
	if (s->dead)
		return false;
	switch (s->state) {
	case SMTPSPLICE_STATE_DIAL:
		return step_dial(s);
	case SMTPSPLICE_STATE_HANDSHAKE:
		return step_handshake(s);
	case SMTPSPLICE_STATE_RELAY:
		return step_relay(s);
	case SMTPSPLICE_STATE_CLOSE:
		return step_close(s);
	default:
		return step_dialogue(s);
	}
}

static void run(struct ss_session *s)
{
	unsigned long end = jiffies + RUN_TIME;
	int budget = RUN_BUDGET;

	check_timers(s);
	if (ss_request_unrung(&s->request))
		ss_request_ring(&s->request);
	if (ss_leg_stuck(&s->client))
		ss_leg_push(&s->client);
	if (ss_leg_stuck(&s->server))
		ss_leg_push(&s->server);
	while (step(s)) {
		if (--budget && time_before(jiffies, end) &&
		    !READ_ONCE(s->waker.killed))
			continue;
		/* let others run, then go on */
		ss_waker_wake(&s->waker);
		break;
	}
	/* what the last steps put into the sinks; with TLS it is the helper's */
	if (!s->dead && s->state != SMTPSPLICE_STATE_HANDSHAKE) {
		ss_leg_flush(&s->client);
		ss_leg_flush(&s->server);
	}
	arm_timer(s);
}

static void kill(struct ss_session *s)
{
	if (s->state != SMTPSPLICE_STATE_CLOSE)
		ss_session_hangup(s, "421 4.3.2 Gateway shutting down");
	ss_leg_flush(&s->client);
	ss_leg_flush(&s->server);
	end(s, "killed");
}

static void session_work(struct work_struct *work)
{
	struct ss_session *s = container_of(work, struct ss_session,
					    waker.work);

	mutex_lock(&s->lock);
	if (!s->dead) {
		if (READ_ONCE(s->waker.killed))
			kill(s);
		else
			run(s);
	}
	mutex_unlock(&s->lock);
	ss_waker_put(&s->waker);
}

void ss_session_discard(struct ss_session *s)
{
	drop_references(s);
	kvfree(s);
}

/* What may the client do about TLS? */
static enum ss_smtp_tls offer(const struct ss_profile *profile)
{
	if (!profile)
		return SS_SMTP_TLS_HIDDEN;
	switch (profile->tls.starttls) {
	case SMTPSPLICE_STARTTLS_MODE_STRIP:
		return SS_SMTP_TLS_HIDDEN;
	case SMTPSPLICE_STARTTLS_MODE_REQUIRE:
		return SS_SMTP_TLS_REQUIRED;
	default:
		return SS_SMTP_TLS_OFFERED;
	}
}

struct ss_session *ss_session_new(struct ss_policy *policy)
{
	struct ss_session *s;

	s = kvzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return NULL;
	ss_waker_init(&s->waker, session_work, release);
	s->sn = policy->sn;
	ss_policy_hold(policy);
	s->policy = policy;
	s->profile = ss_policy_profile(policy, SS_PROFILE_TLS);
	s->av = ss_policy_profile(policy, SS_PROFILE_AV);
	s->born = jiffies;
	mutex_init(&s->lock);
	timer_setup(&s->timer, expired, 0);
	ss_smtp_init(&s->smtp, READ_ONCE(s->sn->settings.max_message));
	s->smtp.tls = offer(s->profile);
	s->request.waker = &s->waker;
	s->request.sn = s->sn;
	if (ss_leg_init(&s->client, &s->waker, s->sn, true) ||
	    ss_leg_init(&s->server, &s->waker, s->sn, false)) {
		ss_session_discard(s);
		return NULL;
	}
	return s;
}

void ss_session_begin(struct ss_session *s, struct socket *sock)
{
	lockdep_assert_held(&s->lock);
	ss_leg_attach(&s->client, sock);
	ss_session_event(s, SMTPSPLICE_EVENT_SESSION_OPEN, NULL);
	ss_session_set_state(s, SMTPSPLICE_STATE_DIAL);
	if (ss_dial(s))
		dial_failed(s);
	/* what came in before the callbacks were there */
	ss_waker_wake(&s->waker);
}
