// SPDX-License-Identifier: GPL-2.0
/*
 * A session: one client's SMTP connection, our connection to the server, and
 * the messages in between.
 *
 * One work item drives it and does all of its work, never waiting for a peer:
 * session-run.c. It holds the session's lock meanwhile, which only accept.c takes
 * besides, to begin the session: what others need of one that waits for its verdict
 * they get without it (ss_request_tell()). This file has what the work, the messages
 * and the verdicts stand upon: the object, its states, deadlines and references.
 *
 * States (enum smtpsplice_state) change in ss_session_set_state() alone, along the
 * arrows that are drawn there.
 *
 * The one timer serves three ends: a state that lasts too long (deadline), the
 * NOOP that keeps the server's patience while a message is held, and the time
 * that closing may take.
 */
#include <linux/file.h>
#include <linux/slab.h>

#include "answer.h"
#include "budget.h"
#include "events.h"
#include "handoff.h"
#include "hold.h"
#include "leg.h"
#include "net.h"
#include "policy.h"
#include "profile-class.h"
#include "profile.h"
#include "request.h"
#include "session.h"
#include "share.h"
#include "smtp/eod.h"
#include "smtp/smtp.h"
#include "stats.h"
#include "trace.h"
#include "waker.h"

/* Time that closing may take, ms. */
#define CLOSE_TIMEOUT		10000
/* Time until sending is tried again although nothing happened, jiffies. */
#define SEND_RETRY		HZ
/*
 * Limit of NOOPs to one server, which may count them: Exim ends the session at the
 * eleventh command that is not of a mail (smtp_accept_max_nonmail), and the client
 * may want some of those.
 */
#define NOOPS_MAX		8
/* Times that the pause between two of them doubles; servers wait for five minutes. */
#define NOOP_DOUBLINGS		2
/* Times that a full budget halves the time for which a sender may be silent. */
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

/* Frees the session. The last reference may go in softirq: end_session() has slept. */
static void release_session(struct ss_waker *w)
{
	struct ss_session *s = container_of(w, struct ss_session, waker);
	struct ss_net *sn = s->sn;

	drop_references(s);
	memzero_explicit(&s->answer, sizeof(s->answer));
	kvfree_rcu(s, rcu);
	if (refcount_dec_and_test(&sn->users))
		complete(&sn->idle);
}

static void timer_expired(struct timer_list *timer)
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

/* Does it wait for more of a message, and hold a part of it? */
static bool occupies_budget(const struct ss_session *s)
{
	return s->state == SMTPSPLICE_STATE_BODY && s->hold.charged;
}

/* Computes the jiffies that a peer has for what it is to do next. */
static unsigned long patience(const struct ss_session *s)
{
	u32 halvings = 0;

	if (occupies_budget(s))
		halvings = min_t(u32, ss_budget_pressure(s->sn),
				 SILENCE_HALVINGS);
	return msecs_to_jiffies(timeout_ms(s)) >> halvings;
}

/* Computes when the state will have lasted too long, if its time begins now. */
static unsigned long latest_deadline(const struct ss_session *s)
{
	unsigned long at = jiffies + patience(s);

	/* once the server has the end-of-data, only its reply can end the wait */
	if (s->state != SMTPSPLICE_STATE_SCAN &&
	    s->state != SMTPSPLICE_STATE_RELEASE)
		return at;
	return time_before(s->message_end, at) ? s->message_end : at;
}

void ss_session_restart_deadline(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	WRITE_ONCE(s->deadline, latest_deadline(s));
	timer_reduce(&s->timer, s->deadline);
	s->heard = jiffies;
	s->paced = 0;
}

void ss_session_press(struct ss_session *s)
{
	unsigned long most = s->heard + patience(s);

	lockdep_assert_held(&s->lock);
	if (occupies_budget(s) && time_before(most, s->deadline))
		WRITE_ONCE(s->deadline, most);
}

void ss_session_pace(struct ss_session *s, u32 n)
{
	/* a session that holds nothing is in nobody's way */
	u32 rate = s->hold.charged ? ss_budget_min_rate(s->sn) :
				     SS_BUDGET_MIN_RATE;
	unsigned long most = latest_deadline(s);
	unsigned long deadline;
	u32 ticks;

	lockdep_assert_held(&s->lock);
	s->paced += n;
	ticks = (u64)s->paced * HZ / rate;
	s->paced -= (u64)ticks * rate / HZ;
	deadline = s->deadline + ticks;
	s->heard = jiffies;
	WRITE_ONCE(s->deadline, time_before(deadline, most) ? deadline : most);
}

void ss_session_restart_keepalive(struct ss_session *s)
{
	u64 ms = READ_ONCE(s->sn->settings.keepalive);

	lockdep_assert_held(&s->lock);
	ms <<= min_t(u32, s->noops, NOOP_DOUBLINGS);
	s->keepalive = jiffies + msecs_to_jiffies(min_t(u64, ms, U32_MAX));
}

/*
 * The arrows from state to state. Most sessions go along this one line, those
 * without TLS from dial to greet:
 *
 *   dial -> handshake -> greet -> command -> body -> scan -> release -> reply
 *
 * and turn off it, or back, here:
 *
 *   dial -> dial          the session begins
 *   dial -> greet         the banner comes first, in plain text
 *   dial -> relay         TLS comes first, and the profile bypasses it
 *   handshake -> command  STARTTLS: there was a banner
 *   handshake -> relay    the helper has found an exemption
 *   command -> handshake  STARTTLS
 *   command -> relay      STARTTLS, and the profile bypasses it
 *   command -> command    DATA is refused: by us, or by the server
 *   body -> command       refused at its end, or given up between two chunks
 *   scan -> command       refused: by its verdict, or by the server meanwhile
 *   release -> release    another connection gets the envelope, line by line
 *   release -> command    refused: DATA, amid the message, or without a server
 *   reply -> command      answered
 *
 * Close may follow each other state, and nothing follows close. No message is
 * released but behind the state in which its verdict is awaited.
 */
#define TO(name)	BIT(SMTPSPLICE_STATE_##name)

static const struct {
	const char *name;
	u32 next;
} states[] = {
	[SMTPSPLICE_STATE_DIAL] = {
		"dial",
		TO(DIAL) | TO(HANDSHAKE) | TO(GREET) | TO(RELAY) | TO(CLOSE),
	},
	[SMTPSPLICE_STATE_HANDSHAKE] = {
		"handshake", TO(GREET) | TO(COMMAND) | TO(RELAY) | TO(CLOSE),
	},
	[SMTPSPLICE_STATE_GREET] = { "greet", TO(COMMAND) | TO(CLOSE) },
	[SMTPSPLICE_STATE_COMMAND] = {
		"command",
		TO(HANDSHAKE) | TO(COMMAND) | TO(BODY) | TO(RELAY) | TO(CLOSE),
	},
	[SMTPSPLICE_STATE_BODY] = { "body", TO(COMMAND) | TO(SCAN) | TO(CLOSE) },
	[SMTPSPLICE_STATE_SCAN] = {
		"scan", TO(COMMAND) | TO(RELEASE) | TO(CLOSE),
	},
	[SMTPSPLICE_STATE_RELEASE] = {
		"release", TO(COMMAND) | TO(RELEASE) | TO(REPLY) | TO(CLOSE),
	},
	[SMTPSPLICE_STATE_REPLY] = { "reply", TO(COMMAND) | TO(CLOSE) },
	[SMTPSPLICE_STATE_RELAY] = { "relay", TO(CLOSE) },
	[SMTPSPLICE_STATE_CLOSE] = { "close", 0 },
};

#undef TO

bool ss_session_may_change(u32 from, u32 to)
{
	return from < ARRAY_SIZE(states) && to < ARRAY_SIZE(states) &&
	       states[from].next & BIT(to);
}

static const char *state_name(u32 state)
{
	return state < ARRAY_SIZE(states) ? states[state].name : "?";
}

void ss_session_set_state(struct ss_session *s, u32 state)
{
	lockdep_assert_held(&s->lock);
	/* a gateway goes on: whoever is at the two ends wants their mail */
	WARN_ONCE(!ss_session_may_change(s->state, state),
		  "smtpsplice: session %llu: no way from %s to %s\n",
		  s->waker.id, state_name(s->state), state_name(state));
	trace_smtpsplice_session_state(s->waker.id, s->state, state);
	WRITE_ONCE(s->state, state);
	ss_session_restart_deadline(s);
	/* the end of a message is nothing that the server sees */
	if (state != SMTPSPLICE_STATE_SCAN)
		ss_session_restart_keepalive(s);
}

bool ss_session_holds_message(const struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	return s->state == SMTPSPLICE_STATE_BODY ||
	       s->state == SMTPSPLICE_STATE_SCAN;
}

u64 ss_session_unsent(const struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!s->sending)
		return 0;
	if (s->state == SMTPSPLICE_STATE_RELEASE)
		return s->hold.len - s->sent +
		       (s->smtp.chunked ? 0 : SS_EOD_SIZE);
	return s->smtp.body_safe - s->sent;
}

static bool may_keep_alive(const struct ss_session *s)
{
	return ss_session_holds_message(s) && s->noops < NOOPS_MAX;
}

void ss_session_keep_alive(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!may_keep_alive(s) || time_before(jiffies, s->keepalive))
		return;
	s->noops += ss_smtp_keepalive(&s->smtp, &s->server.out);
	ss_session_restart_keepalive(s);
}

/* Was our close_notify sent, and our FIN not? */
static bool awaits_records(const struct ss_leg *leg)
{
	return leg->sock && leg->notified && !leg->shut;
}

/* Is something to be done again of which no socket may tell? */
static bool must_retry(const struct ss_session *s)
{
	const struct ss_leg *c = &s->client, *v = &s->server;

	/* memory may have been short */
	if (ss_session_unsent(s) || !ss_leg_flushed(c) || !ss_leg_flushed(v) ||
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

void ss_session_arm_timer(struct ss_session *s)
{
	unsigned long look, at = s->deadline;

	lockdep_assert_held(&s->lock);
	if (s->dead)
		return;
	if (may_keep_alive(s) && time_before(s->keepalive, at))
		at = s->keepalive;
	if (must_retry(s) && time_before(jiffies + SEND_RETRY, at))
		at = jiffies + SEND_RETRY;
	/* the budget may fill meanwhile */
	look = jiffies + (msecs_to_jiffies(timeout_ms(s)) >> SILENCE_HALVINGS) + 1;
	if (occupies_budget(s) && time_before(look, at))
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

bool ss_session_begins_with_tls(const struct ss_session *s)
{
	return s->profile &&
	       ss_profile_smtps(s->profile, ntohs(s->server_addr.port));
}

void ss_session_drop_message(struct ss_session *s)
{
	struct file *replacement = ss_request_replacement(&s->request);

	lockdep_assert_held(&s->lock);
	if (replacement)
		fput(replacement);
	ss_hold_close(&s->hold);
}

/* Counts a message whose fate is not known when the session ends. */
static void count_unanswered(struct ss_session *s)
{
	bool left = ss_leg_dead(&s->client) || s->client.broken;

	lockdep_assert_held(&s->lock);
	if (s->state != SMTPSPLICE_STATE_RELEASE &&
	    s->state != SMTPSPLICE_STATE_REPLY && !ss_session_holds_message(s))
		return;
	/* a refused one was counted then */
	if (s->refusal)
		return;
	if (left || ss_session_holds_message(s))
		ss_stats_inc(s->sn, ABORTED);
	else
		ss_stats_inc(s->sn, REFUSED_BY_SERVER);
}

void ss_session_close(struct ss_session *s)
{
	might_sleep();
	lockdep_assert_held(&s->lock);
	if (s->state == SMTPSPLICE_STATE_CLOSE)
		return;
	count_unanswered(s);
	ss_request_cancel(&s->request, &s->answer);
	if (s->state == SMTPSPLICE_STATE_HANDSHAKE)
		ss_handoff_abort(&s->client, &s->server);
	ss_session_drop_message(s);
	/*
	 * A server that has a part of a message must not take it for whole, nor
	 * get the rest of one that the client knows nothing more of.
	 */
	if (s->sending || (s->state == SMTPSPLICE_STATE_REPLY &&
			   !ss_leg_all_acked(&s->server)))
		ss_leg_close(&s->server);
	s->sending = false;
	ss_session_set_state(s, SMTPSPLICE_STATE_CLOSE);
}

void ss_session_hangup(struct ss_session *s, const char *reply)
{
	lockdep_assert_held(&s->lock);
	/* elsewhere the client would not take it for a reply */
	if (s->state != SMTPSPLICE_STATE_HANDSHAKE &&
	    s->state != SMTPSPLICE_STATE_RELAY &&
	    !(s->state == SMTPSPLICE_STATE_DIAL &&
	      ss_session_begins_with_tls(s)))
		ss_smtp_hangup(&s->smtp, reply, &s->client.out);
	ss_session_close(s);
}

void ss_session_discard(struct ss_session *s)
{
	drop_references(s);
	kvfree(s);
}

/* Tells the engine's word for what the client may do about TLS. */
static enum ss_smtp_tls starttls_mode(const struct ss_profile *profile)
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

struct ss_session *ss_session_new(struct ss_policy *policy, work_func_t work)
{
	struct ss_session *s;

	s = kvzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return NULL;
	ss_waker_init(&s->waker, work, release_session);
	s->sn = policy->sn;
	ss_policy_hold(policy);
	s->policy = policy;
	s->profile = ss_policy_profile(policy, SS_PROFILE_TLS);
	s->av = ss_policy_profile(policy, SS_PROFILE_AV);
	s->born = jiffies;
	mutex_init(&s->lock);
	timer_setup(&s->timer, timer_expired, 0);
	ss_smtp_init(&s->smtp, READ_ONCE(s->sn->settings.max_message));
	s->smtp.tls = starttls_mode(s->profile);
	s->request.waker = &s->waker;
	s->request.sn = s->sn;
	if (ss_leg_init(&s->client, &s->waker, s->sn, true) ||
	    ss_leg_init(&s->server, &s->waker, s->sn, false)) {
		ss_session_discard(s);
		return NULL;
	}
	return s;
}
