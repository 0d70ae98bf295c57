// SPDX-License-Identifier: GPL-2.0
/*
 * The work that drives a session. It does all that can be done and never waits for a
 * peer: it takes what comes, sends what is due, and sees to time-outs, handshakes,
 * the relay of what is not looked into, and the end. It runs until nothing more can
 * be done, or for a while (RUN_TIME), under the session's lock. All else of a session
 * is in session.c.
 */
#include "answer.h"
#include "ban.h"
#include "dial.h"
#include "events.h"
#include "handoff.h"
#include "leg.h"
#include "message.h"
#include "policy.h"
#include "profile-class.h"
#include "request.h"
#include "session-run.h"
#include "session-table.h"
#include "session.h"
#include "smtp/smtp.h"
#include "stats.h"
#include "trace.h"
#include "waker.h"

/* Rounds of work before others get their turn. */
#define RUN_BUDGET		64
/* Time that they may take, jiffies; the last of them ends later. */
#define RUN_TIME		(HZ / 10)

/* Ends a session: nothing may find it, or be woken by it, any more. */
static void end_session(struct ss_session *s, const char *why)
{
	lockdep_assert_held(&s->lock);
	trace_smtpsplice_session_end(s->waker.id, why);
	s->dead = true;
	/* unlink, then silence each source of wake-ups, then let go */
	ss_session_table_unlink(s);
	ss_request_cancel(&s->request, &s->answer);
	ss_leg_close(&s->server);
	ss_leg_close(&s->client);
	timer_shutdown_sync(&s->timer);
	ss_session_drop_message(s);
	ss_session_event(s, SMTPSPLICE_EVENT_SESSION_CLOSE, NULL);
	/* counted until here: where it counts no more, it holds nothing either */
	atomic_dec(&s->sn->session_count);
	/* the list's reference; the work that runs has one of its own */
	ss_waker_put(&s->waker);
}

static void dial_failed(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	ss_stats_inc(s->sn, DIAL_FAILED);
	ss_leg_close(&s->server);
	ss_session_hangup(s, "421 4.4.1 Cannot connect to the mail server");
}

/* ---- TLS ---- */

static void begin_relay(struct ss_session *s, u32 cause)
{
	lockdep_assert_held(&s->lock);
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
	lockdep_assert_held(&s->lock);
	s->handshaken = true;
	WRITE_ONCE(s->tls, h->result);
	send_handshake_event(s, h);
}

static void bypass_policy(struct ss_session *s)
{
	struct ss_handshake *h = &s->answer.handshake;

	lockdep_assert_held(&s->lock);
	memset(h, 0, sizeof(*h));
	h->result = SMTPSPLICE_TLS_RESULT_BYPASSED;
	h->cause = SMTPSPLICE_TLS_CAUSE_POLICY;
	/* the helper knows nothing of it */
	pr_info_ratelimited("smtpsplice: session %llu: TLS passes unscanned: policy %s\n",
			    s->waker.id, s->policy->name);
	note_handshake(s, h);
	begin_relay(s, h->cause);
}

/* Follows the answer, which has come or was made up. */
static void end_handshake(struct ss_session *s)
{
	struct ss_handshake *h = &s->answer.handshake;

	lockdep_assert_held(&s->lock);
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
		begin_relay(s, h->cause);
		break;
	default:
		ss_stats_inc(s->sn, HANDSHAKE_FAILED);
		ss_session_close(s);
	}
}

/* Ends the handshakes from our side (time-out, no socket, too many). */
static void fail_handshake(struct ss_session *s, u32 cause, const char *text)
{
	struct ss_handshake *h = &s->answer.handshake;

	lockdep_assert_held(&s->lock);
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

	lockdep_assert_held(&s->lock);
	if (!c->lent) {
		/* the 220 has to be out before TLS comes behind it */
		ss_leg_flush(c);
		if (ss_leg_dead(c)) {
			ss_session_close(s);
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

/* Goes from the server's 220 to STARTTLS on to the handshakes. */
static void begin_starttls(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	if (s->profile->tls.starttls == SMTPSPLICE_STARTTLS_MODE_BYPASS) {
		ss_smtp_tls_go(&s->smtp, &s->client.out);
		bypass_policy(s);
		return;
	}
	/*
	 * Octets in plain text behind STARTTLS or its 220 must not be taken
	 * for what is said inside TLS (CVE-2011-0411, CVE-2021-22947).
	 */
	if (!ss_leg_has_no_input(&s->server) || !ss_leg_flushed(&s->server)) {
		ss_stats_inc(s->sn, PROTOCOL_ERROR);
		ss_session_hangup(s, "421 4.3.0 Server broke the protocol");
	} else if (!ss_leg_has_no_input(&s->client)) {
		ss_stats_inc(s->sn, PROTOCOL_ERROR);
		ss_session_hangup(s, "554 5.5.0 SMTP protocol synchronization error");
	} else {
		ss_smtp_tls_go(&s->smtp, &s->client.out);
		ss_session_set_state(s, SMTPSPLICE_STATE_HANDSHAKE);
	}
}

/* Begins with a server that is connected: in plain text, with TLS, or unseen. */
static void begin_dialogue(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!ss_session_begins_with_tls(s))
		ss_session_set_state(s, SMTPSPLICE_STATE_GREET);
	else if (s->profile->tls.smtps == SMTPSPLICE_TLS_MODE_INSPECT)
		ss_session_set_state(s, SMTPSPLICE_STATE_HANDSHAKE);
	else
		bypass_policy(s);
}

/* Passes on what one side says, in the buffer that it came in by. */
static bool relay_one_way(struct ss_leg *from, struct ss_leg *to)
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
	bool progress = relay_one_way(c, v);

	lockdep_assert_held(&s->lock);
	progress |= relay_one_way(v, c);
	if (progress)
		ss_session_restart_deadline(s);
	/* a leg that was reset resets the other */
	if (ss_leg_failed(c) || ss_leg_failed(v)) {
		ss_leg_close(c);
		ss_leg_close(v);
	}
	if (!c->sock || (c->shut && v->shut))
		ss_session_close(s);
	return progress || s->state == SMTPSPLICE_STATE_CLOSE;
}

static bool step_dial(struct ss_session *s)
{
	int ret = ss_leg_connected(&s->server);

	lockdep_assert_held(&s->lock);
	if (ss_leg_dead(&s->client))
		ss_session_close(s);
	else if (ret < 0)
		dial_failed(s);
	else if (ret > 0)
		begin_dialogue(s);
	return s->state != SMTPSPLICE_STATE_DIAL;
}

/* Sees to a server that has sent its FIN, or has said as much. */
static void server_left(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!s->server.sock || !ss_message_server_left(s))
		ss_session_hangup(s, "421 4.4.2 Connection to the mail server lost");
}

static bool handle_event(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
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
		ss_session_close(s);
		return true;
	}
	return false;
}

static bool pump_server(struct ss_session *s)
{
	struct ss_leg *v = &s->server;
	bool progress = ss_leg_recv(v);
	u32 n, turns = s->smtp.turns;

	lockdep_assert_held(&s->lock);
	if (!v->in_len)
		return progress;
	n = ss_smtp_server(&s->smtp, v->in, v->in_len, &s->client.out);
	ss_leg_consume(v, n);
	if (ss_session_holds_message(s))
		ss_session_restart_keepalive(s);
	/* elsewhere it is the client, the helper or one reply that is awaited */
	if (s->smtp.turns != turns && (s->state == SMTPSPLICE_STATE_GREET ||
				       s->state == SMTPSPLICE_STATE_COMMAND))
		ss_session_restart_deadline(s);
	if (s->state == SMTPSPLICE_STATE_GREET && n && ss_smtp_idle(&s->smtp))
		ss_session_set_state(s, SMTPSPLICE_STATE_COMMAND);
	return progress || n;
}

/* Would STARTTLS need the helper? */
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

	lockdep_assert_held(&s->lock);
	/* nothing is expected before the banner, but must not go unnoticed */
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
		ss_session_restart_deadline(s);
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
 * Handles the FIN of one side once all that it said is done with. A client's is
 * passed on, so that the server sees what it would have seen; a server's ends the
 * session, but where a message can do without it.
 */
static bool handle_eof(struct ss_session *s)
{
	struct ss_leg *c = &s->client, *v = &s->server;

	lockdep_assert_held(&s->lock);
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
		ss_session_close(s);
		return true;
	case SMTPSPLICE_STATE_COMMAND:
		if (!v->sock) {
			ss_session_close(s);
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

	lockdep_assert_held(&s->lock);
	if (ss_leg_dead(&s->client)) {
		ss_session_close(s);
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

/*
 * Reads and drops what a peer still sends: unread octets would make TCP send a RST,
 * which can destroy our last reply on its way.
 */
static bool drain_leg(struct ss_leg *leg)
{
	leg->in_len = 0;
	return ss_leg_recv(leg);
}

static bool step_close(struct ss_session *s)
{
	struct ss_leg *c = &s->client, *v = &s->server;
	bool progress;

	lockdep_assert_held(&s->lock);
	progress = ss_leg_flush(c);
	progress |= ss_leg_flush(v);
	if (ss_leg_flushed(c))
		ss_leg_shutdown(c);
	if (ss_leg_flushed(v))
		ss_leg_shutdown(v);
	progress |= drain_leg(c);
	progress |= drain_leg(v);
	if (ss_leg_dead(c) && ss_leg_dead(v))
		end_session(s, "closed");
	return progress;
}

static void handle_timeout(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
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
		end_session(s, "did not close in time");
		break;
	default:
		ss_session_hangup(s, "421 4.4.2 Connection timed out");
	}
}

static void check_timers(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	ss_session_press(s);
	if (time_after_eq(jiffies, s->deadline)) {
		if (s->state == SMTPSPLICE_STATE_SCAN)
			ss_message_timeout(s);
		else
			handle_timeout(s);
	} else {
		ss_session_keep_alive(s);
	}
}

static bool step_session(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
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

static void run_steps(struct ss_session *s)
{
	unsigned long end = jiffies + RUN_TIME;
	int budget = RUN_BUDGET;

	lockdep_assert_held(&s->lock);
	check_timers(s);
	if (ss_request_unrung(&s->request))
		ss_request_ring(&s->request);
	if (ss_leg_stuck(&s->client))
		ss_leg_push(&s->client);
	if (ss_leg_stuck(&s->server))
		ss_leg_push(&s->server);
	while (step_session(s)) {
		if (--budget && time_before(jiffies, end) &&
		    !READ_ONCE(s->waker.killed))
			continue;
		/* let others run, then go on */
		ss_waker_wake(&s->waker);
		break;
	}
	/* sends what the last steps put into the sinks; at TLS the helper sends */
	if (!s->dead && s->state != SMTPSPLICE_STATE_HANDSHAKE) {
		ss_leg_flush(&s->client);
		ss_leg_flush(&s->server);
	}
	ss_session_arm_timer(s);
}

static void kill_session(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	if (s->state != SMTPSPLICE_STATE_CLOSE)
		ss_session_hangup(s, "421 4.3.2 Gateway shutting down");
	ss_leg_flush(&s->client);
	ss_leg_flush(&s->server);
	end_session(s, "killed");
}

void ss_session_work(struct work_struct *work)
{
	struct ss_session *s = container_of(work, struct ss_session,
					    waker.work);

	mutex_lock(&s->lock);
	if (!s->dead) {
		if (READ_ONCE(s->waker.killed))
			kill_session(s);
		else
			run_steps(s);
	}
	mutex_unlock(&s->lock);
	ss_waker_put(&s->waker);
}

void ss_session_begin(struct ss_session *s, struct socket *sock)
{
	lockdep_assert_held(&s->lock);
	ss_leg_attach(&s->client, sock);
	ss_session_event(s, SMTPSPLICE_EVENT_SESSION_OPEN, NULL);
	ss_session_set_state(s, SMTPSPLICE_STATE_DIAL);
	if (ss_dial(s))
		dial_failed(s);
	/* something may have come in before the callbacks were there */
	ss_waker_wake(&s->waker);
}
