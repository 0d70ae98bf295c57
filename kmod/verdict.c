// SPDX-License-Identifier: GPL-2.0
/*
 * Acts on the verdict of a message, and decides by the AV profile where there
 * is none: time-out, no helper, conserve mode. Says what is to be done, which
 * message.c does. Runs in the session's work, under its lock.
 */
#include <linux/file.h>

#include "answer.h"
#include "ban.h"
#include "budget.h"
#include "hold.h"
#include "profile-class.h"
#include "request.h"
#include "session.h"
#include "smtp/smtp.h"
#include "stats.h"
#include "verdict.h"
#include "waker.h"

/*
 * @word: as in uapi/smtpsplice.yaml
 * @stat: the counter of messages that passed for this cause
 * @block: reply of the action block
 * @tempfail: reply of the action tempfail
 */
static const struct {
	const char *word;
	int stat;
	const char *block;
	const char *tempfail;
} causes[] = {
	[SMTPSPLICE_UNSCANNED_POLICY] = {
		"policy", SS_STAT(UNSCANNED_POLICY),
	},
	[SMTPSPLICE_UNSCANNED_OVERSIZE] = {
		"oversize", SS_STAT(UNSCANNED_OVERSIZE),
	},
	[SMTPSPLICE_UNSCANNED_SCAN_ERROR] = {
		"scan-error", SS_STAT(UNSCANNED_SCAN_ERROR),
	},
	[SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT] = {
		"scan-timeout", SS_STAT(UNSCANNED_SCAN_TIMEOUT),
		"554 5.3.0 Message could not be scanned in time",
		"451 4.3.0 Content scanner not available, try again later",
	},
	[SMTPSPLICE_UNSCANNED_HELPER_DOWN] = {
		"helper-down", SS_STAT(UNSCANNED_HELPER_DOWN),
		"554 5.3.0 Content scanner not available",
		"451 4.3.0 Content scanner not available, try again later",
	},
	[SMTPSPLICE_UNSCANNED_OVER_BUDGET] = {
		"over-budget", SS_STAT(UNSCANNED_OVER_BUDGET),
		"554 5.3.1 Not enough space to hold the message",
		"452 4.3.1 Not enough space to hold the message",
	},
	[SMTPSPLICE_UNSCANNED_ARCHIVE] = {
		"archive", SS_STAT(UNSCANNED_ARCHIVE),
	},
	[SMTPSPLICE_UNSCANNED_PARTIAL] = {
		"partial", SS_STAT(UNSCANNED_PARTIAL),
	},
	[SMTPSPLICE_UNSCANNED_AMBIGUOUS] = {
		"ambiguous", SS_STAT(UNSCANNED_AMBIGUOUS),
	},
	[SMTPSPLICE_UNSCANNED_ENCRYPTED] = {
		"encrypted", SS_STAT(UNSCANNED_ENCRYPTED),
	},
};

const char *ss_verdict_begin(struct ss_session *s)
{
	const struct ss_profile_av *av = &s->av->av;
	u32 cause = SMTPSPLICE_UNSCANNED_OVER_BUDGET;
	enum ss_budget_level level;

	lockdep_assert_held(&s->lock);
	s->unscanned = SMTPSPLICE_UNSCANNED_NONE;
	if (av->scan == SMTPSPLICE_AV_SCAN_DISABLE)
		s->unscanned = SMTPSPLICE_UNSCANNED_POLICY;
	level = ss_budget_level(s->sn);
	if (level == SS_BUDGET_EXTREME)
		return causes[cause].tempfail;
	if (level == SS_BUDGET_GREEN || s->unscanned)
		return NULL;
	switch (av->over_budget) {
	case SMTPSPLICE_FAIL_ACTION_PASS:
		s->unscanned = cause;
		return NULL;
	case SMTPSPLICE_FAIL_ACTION_BLOCK:
		return causes[cause].block;
	default:
		return causes[cause].tempfail;
	}
}

void ss_verdict_await(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	/* a message that is not scanned waits for the server at most */
	if (s->unscanned)
		ss_waker_wake(&s->waker);
	else
		ss_request_submit(&s->request, SS_REQUEST_SCAN, s->deadline);
}

/* Makes up the verdict that lets it pass: the helper knows nothing of it. */
static void pass_unscanned(struct ss_session *s, u32 cause)
{
	struct ss_verdict *v = &s->answer.verdict;

	lockdep_assert_held(&s->lock);
	s->unscanned = cause;
	memset(v, 0, sizeof(*v));
	v->verdict = SMTPSPLICE_VERDICT_ACCEPT;
	v->unscanned = cause;
	/* a policy's wish is nothing to tell people of */
	if (cause != SMTPSPLICE_UNSCANNED_POLICY)
		snprintf(v->tag, sizeof(v->tag), "X-Smtpsplice-Unscanned: %s",
			 causes[cause].word);
}

void ss_verdict_released(struct ss_session *s)
{
	u32 cause = s->answer.verdict.unscanned;

	lockdep_assert_held(&s->lock);
	if (!cause)
		return;
	ss_stats_inc_attr(s->sn, causes[cause].stat);
	/* the others are in the helper's log */
	if (s->unscanned)
		pr_info_ratelimited("smtpsplice: session %llu: a message passes unscanned: %s\n",
				    s->waker.id, causes[cause].word);
}

bool ss_verdict_collect(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!s->unscanned)
		return ss_request_done(&s->request) &&
		       ss_request_cancel(&s->request, &s->answer);
	pass_unscanned(s, s->unscanned);
	return true;
}

/* Finds the reply for a message that is refused by verdict. */
static const char *verdict_reply(const struct ss_verdict *v)
{
	if (v->reply[0])
		return v->reply;
	switch (v->verdict) {
	case SMTPSPLICE_VERDICT_REJECT:
		return v->unscanned ? "554 5.3.0 Message could not be scanned" :
		       "554 5.7.1 Message refused: a virus was found";
	case SMTPSPLICE_VERDICT_DISCARD:
		return "250 2.0.0 Ok";
	default:
		return causes[SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT].tempfail;
	}
}

/*
 * Takes the message that the helper has made of it. Return: 1; 0 where it has made
 * none; or -errno where that cannot be: the message itself must not go then.
 */
static int replace_message(struct ss_session *s)
{
	struct file *file = ss_request_replacement(&s->request);
	int err = -EPERM;

	lockdep_assert_held(&s->lock);
	if (!file)
		return 0;
	if (s->av->av.infected == SMTPSPLICE_INFECTED_REPLACE &&
	    !s->smtp.passed)
		err = ss_hold_replace(&s->hold, file, s->smtp.body_bad,
				      s->smtp.chunked);
	fput(file);
	return err ?: 1;
}

static void accept_message(struct ss_session *s, bool replaced)
{
	struct ss_verdict *v = &s->answer.verdict;
	bool found = replaced || v->virus[0];

	lockdep_assert_held(&s->lock);
	/* the server has the head of it already */
	if (s->smtp.passed)
		v->tag[0] = '\0';
	if (v->tag[0])
		ss_stats_inc(s->sn, TAGGED);
	if (replaced)
		ss_stats_inc(s->sn, REPLACED);
	else if (found)
		ss_stats_inc(s->sn, MONITORED);
	if (!v->unscanned && !found)
		ss_stats_inc(s->sn, CLEAN);
}

/*
 * Checks the verdict against the profile: that alone can want a message to be lost or
 * changed, whoever speaks for the helper. Return: as of replace_message().
 */
static int check_verdict(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	switch (s->answer.verdict.verdict) {
	case SMTPSPLICE_VERDICT_ACCEPT:
		return replace_message(s);
	case SMTPSPLICE_VERDICT_DISCARD:
		return s->av->av.infected == SMTPSPLICE_INFECTED_DISCARD ?
		       0 : -EPERM;
	default:
		return 0;
	}
}

/* Counts what was found apart from what could not be looked at. */
static void count_reject(struct ss_session *s, const struct ss_verdict *v)
{
	if (v->unscanned)
		ss_stats_inc(s->sn, UNSCANNABLE);
	else
		ss_stats_inc(s->sn, INFECTED);
}

const char *ss_verdict_apply(struct ss_session *s)
{
	struct ss_verdict *v = &s->answer.verdict;
	int ret = check_verdict(s);

	lockdep_assert_held(&s->lock);
	if (ret < 0) {
		v->verdict = SMTPSPLICE_VERDICT_TEMPFAIL;
		v->unscanned = SMTPSPLICE_UNSCANNED_NONE;
		strscpy(v->reply, "451 4.3.0 Content scanner failed on this message",
			sizeof(v->reply));
	}
	if (v->infected && s->av->av.sender_ban)
		ss_ban_add(s->sn, &s->client_addr, s->av->av.sender_ban);
	ss_session_event(s, SMTPSPLICE_EVENT_VERDICT, v);
	switch (v->verdict) {
	case SMTPSPLICE_VERDICT_ACCEPT:
		accept_message(s, ret);
		return NULL;
	case SMTPSPLICE_VERDICT_REJECT:
		count_reject(s, v);
		break;
	case SMTPSPLICE_VERDICT_DISCARD:
		ss_stats_inc(s->sn, DISCARDED);
		break;
	default:
		ss_stats_inc(s->sn, TEMPFAIL);
	}
	return verdict_reply(v);
}

/* Refuses it, where there is no verdict or none that can be followed. */
static const char *refuse_unjudged(struct ss_session *s, u32 verdict,
				   const char *reply)
{
	struct ss_verdict *v = &s->answer.verdict;

	lockdep_assert_held(&s->lock);
	memset(v, 0, sizeof(*v));
	v->verdict = verdict;
	strscpy(v->reply, reply, sizeof(v->reply));
	ss_session_event(s, SMTPSPLICE_EVENT_VERDICT, v);
	return reply;
}

/* Does what the profile says where there is no verdict. */
static const char *follow_profile(struct ss_session *s, u32 cause, u32 action)
{
	lockdep_assert_held(&s->lock);
	if (action == SMTPSPLICE_FAIL_ACTION_PASS && ss_smtp_idle(&s->smtp)) {
		pass_unscanned(s, cause);
		return ss_verdict_apply(s);
	}
	if (action == SMTPSPLICE_FAIL_ACTION_BLOCK)
		return refuse_unjudged(s, SMTPSPLICE_VERDICT_REJECT,
				       causes[cause].block);
	return refuse_unjudged(s, SMTPSPLICE_VERDICT_TEMPFAIL,
			       causes[cause].tempfail);
}

const char *ss_verdict_timeout(struct ss_session *s)
{
	const struct ss_profile_av *av = &s->av->av;
	/* a verdict that came just in time counts, too */
	bool there = ss_verdict_collect(s) ||
		     ss_request_cancel(&s->request, &s->answer);

	lockdep_assert_held(&s->lock);
	if (there && (ss_smtp_idle(&s->smtp) ||
		      s->answer.verdict.verdict != SMTPSPLICE_VERDICT_ACCEPT))
		return ss_verdict_apply(s);
	/* a NOOP is in its way: that is not for the profile to punish */
	if (there) {
		ss_stats_inc(s->sn, MESSAGE_TIMEOUT);
		return refuse_unjudged(s, SMTPSPLICE_VERDICT_TEMPFAIL,
				       "451 4.4.2 The mail server did not answer in time");
	}
	ss_stats_inc(s->sn, SCAN_TIMEOUT);
	if (ss_request_served(s->sn, SS_REQUEST_SCAN))
		return follow_profile(s, SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT,
				      av->scan_timeout);
	return follow_profile(s, SMTPSPLICE_UNSCANNED_HELPER_DOWN,
			      av->helper_down);
}
