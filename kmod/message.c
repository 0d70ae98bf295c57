// SPDX-License-Identifier: GPL-2.0
/*
 * A message's way through a session: into the hold, to the scanner, and on to
 * the server or nowhere. In splice mode all but its end goes on to the server
 * while it comes in, out of the hold. Runs in the session's work, under its lock.
 */
#include "answer.h"
#include "dial.h"
#include "hold.h"
#include "leg.h"
#include "message.h"
#include "policy.h"
#include "request.h"
#include "session.h"
#include "smtp/eod.h"
#include "smtp/smtp.h"
#include "stats.h"
#include "trace.h"
#include "verdict.h"

/* Octets by which the server may be behind the client in splice mode. */
#define LAG_MAX			1048576u
/* Octets that are worth a send while more come in. */
#define SEND_MIN		65536u

/*
 * Resets the server leg: the server has a part of a message that it must not get the
 * rest of, and could take a FIN for the end.
 */
static void reset_server(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	ss_leg_close(&s->server);
	s->sending = false;
	ss_smtp_lose(&s->smtp);
}

/* Has the server drop what it has of the message; RSET does between chunks. */
static void abandon_server(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	if (s->sending && !ss_smtp_can_leave(&s->smtp))
		reset_server(s);
	s->sending = false;
}

/*
 * Refuses the message. Both legs stay usable where that can be; not behind bare
 * CR or LF.
 */
static void refuse_message(struct ss_session *s, const char *reply)
{
	lockdep_assert_held(&s->lock);
	abandon_server(s);
	ss_session_drop_message(s);
	s->refusal = NULL;
	s->redial = SS_REDIAL_NO;
	ss_smtp_refuse(&s->smtp, reply, &s->server.out, &s->client.out);
	ss_session_set_state(s, SMTPSPLICE_STATE_COMMAND);
}

static const char too_big[] = "552 5.3.4 Message size exceeds limit";
static const char no_space[] = "452 4.3.1 Not enough space to hold the message";
static const char no_share[] =
	"452 4.3.1 Too much is held of this client, try again later";
static const char too_many_scans[] =
	"451 4.3.2 Too many messages of this client wait, try again later";
static const char bad_newline[] =
	"550 5.5.2 Message has CR or LF that is not part of CRLF";
static const char server_lost[] =
	"451 4.4.2 Connection to the mail server lost";

/* Names the line ends that refuse a message: SS_EOD_*. */
static u32 bad_line_ends(const struct ss_session *s)
{
	u32 bad = SS_EOD_BAD;

	if (s->smtp.binary)
		return 0;
	if (READ_ONCE(s->sn->settings.bare_newline) ==
	    SMTPSPLICE_BARE_NEWLINE_ALLOW)
		bad &= ~SS_EOD_BARE_LF;
	return bad;
}

/* Counts why there is no room for a message, or for more of it. Return: the reply. */
static const char *say_full(struct ss_session *s, int err)
{
	switch (err) {
	case -EFBIG:
		ss_stats_inc(s->sn, OVERSIZE);
		return too_big;
	case -EDQUOT:
		ss_stats_inc(s->sn, SHARE_HELD);
		return no_share;
	default:
		ss_stats_inc(s->sn, NO_SPACE);
		return no_space;
	}
}

/* Makes room for a message. Return: NULL, or the reply that refuses it. */
static const char *make_room(struct ss_session *s)
{
	const char *why = ss_verdict_begin(s);
	int err;

	lockdep_assert_held(&s->lock);
	if (why) {
		ss_stats_inc(s->sn, NO_SPACE);
		return why;
	}
	err = ss_hold_open(&s->hold, s->sn, s->share);
	return err ? say_full(s, err) : NULL;
}

void ss_message_begin(struct ss_session *s)
{
	const char *why = make_room(s);

	lockdep_assert_held(&s->lock);
	if (why && !s->smtp.chunked) {
		refuse_message(s, why);
		return;
	}
	/* the octets of a chunk are on their way, and have to be read */
	s->refusal = why;
	s->sent = 0;
	s->chunk_end = 0;
	s->smtp.body_bad = bad_line_ends(s);
	if (s->policy->mode == SMTPSPLICE_MODE_SPLICE && !why)
		ss_smtp_data_pass(&s->smtp, &s->server.out);
	else
		ss_message_go_on(s);
}

void ss_message_go_on(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	ss_smtp_data_accept(&s->smtp, &s->client.out);
	s->sending = s->smtp.passed;
	ss_session_set_state(s, SMTPSPLICE_STATE_BODY);
}

static void count_message(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	s->messages++;
	ss_stats_inc(s->sn, MESSAGES);
	ss_stats_add(s->sn, OCTETS, s->smtp.body_len);
	atomic64_inc(&s->policy->messages);
}

/* Finds the reply that refuses a message, whatever its scan would find, or NULL. */
static const char *find_refusal(const struct ss_session *s)
{
	if (s->refusal)
		return s->refusal;
	return ss_smtp_body_ok(&s->smtp) ? NULL : bad_newline;
}

/* Refuses it. Return: false while something is outstanding at the server. */
static bool refuse_now(struct ss_session *s, const char *reply)
{
	lockdep_assert_held(&s->lock);
	if (!ss_smtp_idle(&s->smtp))
		return false;
	if (reply == bad_newline)
		ss_stats_inc(s->sn, BAD_NEWLINE);
	else if (reply == too_many_scans)
		ss_stats_inc(s->sn, SHARE_SCANS);
	count_message(s);
	refuse_message(s, reply);
	return true;
}

bool ss_message_end(struct ss_session *s)
{
	const char *reply = find_refusal(s);

	lockdep_assert_held(&s->lock);
	if (!reply && !s->unscanned &&
	    ss_request_crowded(&s->request, SS_REQUEST_SCAN))
		reply = too_many_scans;
	if (reply)
		return refuse_now(s, reply);
	count_message(s);
	ss_hold_seal(&s->hold, s->smtp.body_len);
	s->message_end = jiffies +
		msecs_to_jiffies(READ_ONCE(s->sn->settings.message_timeout));
	ss_session_set_state(s, SMTPSPLICE_STATE_SCAN);
	ss_verdict_await(s);
	return true;
}

bool ss_message_chunk(struct ss_session *s)
{
	const char *reply = find_refusal(s);

	lockdep_assert_held(&s->lock);
	if (reply)
		return refuse_now(s, reply);
	ss_smtp_chunk_ok(&s->smtp, &s->client.out);
	return true;
}

void ss_message_abandon(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	ss_stats_inc(s->sn, ABORTED);
	s->sending = false;
	s->refusal = NULL;
	s->redial = SS_REDIAL_NO;
	ss_hold_close(&s->hold);
	ss_smtp_next(&s->smtp);
	ss_session_set_state(s, SMTPSPLICE_STATE_COMMAND);
}

/* Notes that the message will be refused: it must be read to its end first. */
static void refuse_at_end(struct ss_session *s, const char *reply)
{
	lockdep_assert_held(&s->lock);
	abandon_server(s);
	s->refusal = reply;
	ss_hold_close(&s->hold);
}

/* Notes likewise that there is no room for it. */
static void refuse_no_room(struct ss_session *s, int err)
{
	refuse_at_end(s, say_full(s, err));
}

/*
 * Refuses what the server will not have the rest of: the client hears of it at the
 * end of the message, where it awaits a reply.
 */
static void server_refused(struct ss_session *s, const char *reply)
{
	lockdep_assert_held(&s->lock);
	/* a refusal of ours is counted already */
	if (!s->refusal)
		ss_stats_inc(s->sn, REFUSED_BY_SERVER);
	if (s->state == SMTPSPLICE_STATE_BODY) {
		refuse_at_end(s, reply);
		return;
	}
	/* the verdict does not matter any more */
	ss_request_cancel(&s->request, &s->answer);
	refuse_message(s, reply);
}

void ss_message_early(struct ss_session *s)
{
	const char *reply = ss_smtp_early_reply(&s->smtp);

	lockdep_assert_held(&s->lock);
	/* the server goes now, or has gone */
	if (!strncmp(reply, "421", 3))
		reset_server(s);
	server_refused(s, reply);
}

bool ss_message_server_left(struct ss_session *s)
{
	bool held = s->state == SMTPSPLICE_STATE_BODY ||
		    s->state == SMTPSPLICE_STATE_SCAN;

	lockdep_assert_held(&s->lock);
	trace_smtpsplice_server_left(s->waker.id, s->state);
	if (held && !s->refusal && ss_smtp_can_replay(&s->smtp)) {
		reset_server(s);
		s->redial = SS_REDIAL_DUE;
		return true;
	}
	if (!s->redial && !(held && (s->sending || s->refusal)))
		return false;
	reset_server(s);
	server_refused(s, s->refusal ?: server_lost);
	return true;
}

/* Looks at what was put into the hold. */
static void feed_engine(struct ss_session *s, u32 n)
{
	struct ss_leg *c = &s->client;

	lockdep_assert_held(&s->lock);
	/* a rest comes only where all of the buffer was looked at */
	c->in_len += ss_hold_parse(&s->hold, &s->smtp, n, c->in);
	if (s->smtp.body_len > s->hold.limit)
		refuse_no_room(s, -EFBIG);
}

/* Takes what came in with the commands, or before the hold was given up. */
static bool body_from_buffer(struct ss_session *s)
{
	struct ss_leg *c = &s->client;
	u32 n = min_t(u64, c->in_len, ss_smtp_body_room(&s->smtp));
	int err;

	lockdep_assert_held(&s->lock);
	if (s->refusal) {
		ss_leg_consume(c, ss_smtp_body(&s->smtp, c->in, n));
		return true;
	}
	err = ss_hold_append(&s->hold, c->in, n);
	if (err) {
		refuse_no_room(s, err);
		return true;
	}
	ss_leg_consume(c, n);
	feed_engine(s, n);
	return true;
}

/* Takes what comes of a message that will be refused, up to a limit. */
static bool drain_body(struct ss_session *s)
{
	struct ss_leg *c = &s->client;

	lockdep_assert_held(&s->lock);
	if (s->smtp.body_len / SS_SMTP_DRAIN_MAX > READ_ONCE(s->sn->settings.max_message)) {
		ss_session_hangup(s, s->refusal);
		return true;
	}
	if (!ss_leg_recv(c))
		return false;
	ss_session_pace(s, c->in_len);
	return body_from_buffer(s);
}

static bool step_body(struct ss_session *s)
{
	struct ss_leg *c = &s->client;
	int n;

	lockdep_assert_held(&s->lock);
	/* the end of the message was seen, or of a chunk */
	if (!ss_smtp_body_room(&s->smtp))
		return false;
	if (c->in_len)
		return body_from_buffer(s);
	if (s->refusal)
		return drain_body(s);
	n = ss_hold_recv(&s->hold, c, ss_smtp_body_room(&s->smtp));
	if (n == -EAGAIN)
		return false;
	if (n == -EFBIG || n == -ENOSPC || n == -EDQUOT || n == -ENOMEM) {
		refuse_no_room(s, n);
		return true;
	}
	if (n <= 0) {
		c->eof = true;
		return false;
	}
	ss_session_pace(s, n);
	feed_engine(s, n);
	return true;
}

/*
 * Splice mode, by chunks: sends what has come as a chunk of our own, so that the
 * server is never promised what we do not have. One at a time: CHUNKING does not
 * imply PIPELINING, and the longer it takes, the larger the next one is.
 */
static bool stream_chunk(struct ss_session *s)
{
	struct ss_leg *v = &s->server;
	int n;

	lockdep_assert_held(&s->lock);
	if (s->sent == s->chunk_end) {
		u64 unsent = ss_session_unsent(s);

		if (!unsent || !ss_smtp_chunk(&s->smtp, unsent, &v->out))
			return false;
		s->chunk_end += unsent;
		return true;
	}
	if (!ss_leg_flushed(v))
		return false;
	n = ss_hold_send(&s->hold, v->sock, s->sent, s->chunk_end, false);
	if (n <= 0)
		return false;
	s->sent += n;
	if (s->sent == s->chunk_end)
		ss_smtp_chunk_sent(&s->smtp);
	return true;
}

/* Splice mode: sends what may leave before the verdict. */
static bool stream_body(struct ss_session *s)
{
	struct ss_leg *v = &s->server;
	int n;

	lockdep_assert_held(&s->lock);
	if (s->sending && s->smtp.chunked)
		return stream_chunk(s);
	if (!ss_session_unsent(s) || !ss_leg_flushed(v))
		return false;
	n = ss_hold_send(&s->hold, v->sock, s->sent, s->smtp.body_safe, false);
	if (n <= 0)
		return false;
	s->sent += n;
	return true;
}

/* Takes in, and sends once that is worth it or nothing more is there. */
static bool step_splice(struct ss_session *s)
{
	u64 unsent = ss_session_unsent(s);

	lockdep_assert_held(&s->lock);
	if (unsent < LAG_MAX && step_body(s)) {
		if (ss_session_unsent(s) >= SEND_MIN)
			stream_body(s);
		return true;
	}
	return stream_body(s);
}

/* Counts the octets that the server will get, end-of-data excluded. */
static u64 release_len(const struct ss_session *s)
{
	return s->hold.len + (s->tag ? strlen(s->tag) + 2 : 0);
}

static void redial_failed(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	ss_stats_inc(s->sn, DIAL_FAILED);
	ss_message_server_left(s);
}

static void begin_redial(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	ss_stats_inc(s->sn, REDIALS);
	s->redial = SS_REDIAL_DIAL;
	s->noops = 0;
	ss_session_set_state(s, SMTPSPLICE_STATE_RELEASE);
	if (ss_dial(s))
		redial_failed(s);
}

/* Awaits the connection. */
static bool step_redial(struct ss_session *s)
{
	int ret = ss_leg_connected(&s->server);

	lockdep_assert_held(&s->lock);
	if (!ret)
		return false;
	if (ret < 0) {
		redial_failed(s);
		return true;
	}
	s->redial = SS_REDIAL_ENVELOPE;
	ss_smtp_replay(&s->smtp, release_len(s));
	/* the time for all that the server has to say now begins */
	ss_session_set_state(s, SMTPSPLICE_STATE_RELEASE);
	return true;
}

/*
 * Notes that sending begins. By BDAT the server may have all of it already, which
 * whoever ends the session has to know.
 */
static void note_sending(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	if (s->smtp.event == SS_SMTP_SEND)
		s->sending = true;
}

void ss_message_replay(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	/* each line has the state's time */
	ss_session_set_state(s, SMTPSPLICE_STATE_RELEASE);
	if (ss_smtp_replay_next(&s->smtp, &s->server.out))
		return;
	s->redial = SS_REDIAL_NO;
	note_sending(s);
}

/* Sends it on to the server; @tag stays until the server has answered. */
static void release_message(struct ss_session *s, const char *tag)
{
	lockdep_assert_held(&s->lock);
	s->tag = *tag ? tag : NULL;
	if (s->redial) {
		begin_redial(s);
		return;
	}
	ss_session_set_state(s, SMTPSPLICE_STATE_RELEASE);
	ss_smtp_release(&s->smtp, release_len(s), &s->server.out);
	note_sending(s);
}

/* Does what the verdict, or the lack of one, has come to. */
static void follow_verdict(struct ss_session *s, const char *reply)
{
	lockdep_assert_held(&s->lock);
	if (reply)
		refuse_message(s, reply);
	else
		release_message(s, s->answer.verdict.tag);
}

void ss_message_timeout(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	follow_verdict(s, ss_verdict_timeout(s));
}

static bool step_scan(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	/* nothing must be sent to a server that has left */
	if (s->server.eof)
		return false;
	/* a NOOP of ours may be out: not every server takes two commands */
	if (!ss_smtp_idle(&s->smtp) || !ss_verdict_collect(s))
		return stream_body(s);
	follow_verdict(s, ss_verdict_apply(s));
	return true;
}

/* Puts the field that goes in front into the sink, which has little else in it. */
static void send_tag(struct ss_session *s)
{
	struct ss_smtp_buf *out = &s->server.out;
	u32 n = strlen(s->tag);

	lockdep_assert_held(&s->lock);
	memcpy(out->data + out->len, s->tag, n);
	memcpy(out->data + out->len + n, "\r\n", 2);
	out->len += n + 2;
	s->tag = NULL;
}

static bool step_release(struct ss_session *s)
{
	struct ss_leg *v = &s->server;
	bool chunked = s->smtp.chunked;
	int n;

	lockdep_assert_held(&s->lock);
	if (s->redial == SS_REDIAL_DIAL)
		return step_redial(s);
	if (!s->sending)
		return false;
	if (s->tag)
		send_tag(s);
	if (s->sent < s->hold.len) {
		ss_leg_flush(v);
		if (!ss_leg_flushed(v))
			return false;
		n = ss_hold_send(&s->hold, v->sock, s->sent, s->hold.len,
				 !chunked);
		if (n <= 0)
			return false;
		ss_session_pace(s, n);
		s->sent += n;
	}
	if (s->sent < s->hold.len)
		return true;
	ss_verdict_released(s);
	/* the reply to the last chunk may come at once, and is no early one */
	if (!chunked) {
		memcpy(v->out.data + v->out.len, ".\r\n", 3);
		v->out.len += 3;
	}
	s->sending = false;
	ss_smtp_sent(&s->smtp);
	/* the reply may take long, and needs the message no more */
	ss_hold_close(&s->hold);
	ss_session_set_state(s, SMTPSPLICE_STATE_REPLY);
	return true;
}

void ss_message_done(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	if (s->smtp.done_code < 300)
		ss_stats_inc(s->sn, DELIVERED);
	else
		ss_stats_inc(s->sn, REFUSED_BY_SERVER);
	/* still held where it is DATA that the server has refused */
	ss_session_drop_message(s);
	ss_smtp_next(&s->smtp);
	ss_session_set_state(s, SMTPSPLICE_STATE_COMMAND);
}

bool ss_message_step(struct ss_session *s)
{
	lockdep_assert_held(&s->lock);
	switch (s->state) {
	case SMTPSPLICE_STATE_BODY:
		return s->smtp.passed ? step_splice(s) : step_body(s);
	case SMTPSPLICE_STATE_SCAN:
		return step_scan(s);
	case SMTPSPLICE_STATE_RELEASE:
		return step_release(s);
	default:
		return false;
	}
}
