// SPDX-License-Identifier: GPL-2.0
/*
 * The hand-off: a session's two sockets are lent to the helper for the TLS
 * handshakes, and taken back with kTLS on both, or with nothing changed.
 *
 * The session makes all calls, under its lock, and submits and cancels the
 * request for it; the hand-over to the helper is in netlink-work.c. Exactly one
 * ends a hand-off: the helper's answer, its death, the time-out or the end of
 * the session (see request.c). The helper's descriptors
 * are references of its own to the files; it has to close them before it answers.
 * Others that look at them (ss -p, lsof) have them for a moment, which is waited
 * for; whoever keeps one until the time is up gets a dead connection. So nobody
 * else can reach a socket that is ours again, and no callback of ours is ever
 * beneath those of kTLS.
 */
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/uio.h>
#include <net/tls_prot.h>

#include "answer.h"
#include "handoff.h"
#include "leg.h"

int ss_handoff_lend(struct ss_leg *client, struct ss_leg *server)
{
	return ss_leg_lend(client) ?: ss_leg_lend(server);
}

/* Sends a TLS alert in plain text, to a client that may not have got any further. */
static void send_plain_alert(struct ss_leg *leg)
{
	static const u8 record[] = {
		TLS_RECORD_TYPE_ALERT, 3, 3, 0, 2,
		TLS_ALERT_LEVEL_FATAL, TLS_ALERT_DESC_INTERNAL_ERROR,
	};
	struct kvec iov = {
		.iov_base = (void *)record,
		.iov_len = sizeof(record),
	};
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };

	if (leg->sock && leg->lent && !ss_leg_has_ulp(leg))
		kernel_sendmsg(leg->sock, &msg, &iov, 1, iov.iov_len);
}

static void take_away(struct ss_leg *leg)
{
	if (leg->sock && leg->lent && ss_leg_reclaim(leg, SS_LEG_ANY))
		ss_leg_close(leg);
	/* the kernel has its keys, but the other leg is not as it should be */
	if (leg->tls)
		ss_leg_break(leg, TLS_ALERT_DESC_INTERNAL_ERROR);
}

void ss_handoff_abort(struct ss_leg *client, struct ss_leg *server)
{
	might_sleep();
	if (!client->lent)
		return;
	send_plain_alert(client);
	take_away(client);
	take_away(server);
}

static bool is_shared(const struct ss_leg *leg)
{
	return leg->file && file_count(leg->file) != 1;
}

bool ss_handoff_shared(const struct ss_leg *client,
		       const struct ss_leg *server)
{
	return is_shared(client) || is_shared(server);
}

static void refute_answer(struct ss_handshake *h, const char *text)
{
	h->result = SMTPSPLICE_TLS_RESULT_FAILED;
	h->cause = SMTPSPLICE_TLS_CAUSE_HELPER;
	strscpy(h->text, text, sizeof(h->text));
}

static void reclaim_both(struct ss_leg *c, struct ss_leg *v,
			 struct ss_handshake *h, enum ss_leg_security want)
{
	if (ss_leg_reclaim(c, want) || ss_leg_reclaim(v, want))
		refute_answer(h, "sockets are not as the helper says");
	else if (want == SS_LEG_TLS &&
		 ss_leg_tls_version(c) > ss_leg_tls_version(v))
		refute_answer(h,
			      "TLS of the client is newer than the server's");
	if (want == SS_LEG_TLS) {
		c->secrets = h->client;
		v->secrets = h->server;
	}
}

void ss_handoff_reclaim(struct ss_leg *client, struct ss_leg *server,
			struct ss_handshake *h)
{
	might_sleep();
	if (!client->sock || !server->sock)
		refute_answer(h, "sockets cannot be lent");
	else if (h->result == SMTPSPLICE_TLS_RESULT_INSPECTED)
		reclaim_both(client, server, h, SS_LEG_TLS);
	else if (h->result == SMTPSPLICE_TLS_RESULT_BYPASSED)
		reclaim_both(client, server, h, SS_LEG_PLAIN);
	memzero_explicit(&h->client, sizeof(h->client));
	memzero_explicit(&h->server, sizeof(h->server));
	if (h->result != SMTPSPLICE_TLS_RESULT_FAILED)
		return;
	/* the helper has told the peers of what it has noticed itself */
	if (h->cause == SMTPSPLICE_TLS_CAUSE_HELPER ||
	    h->cause == SMTPSPLICE_TLS_CAUSE_TIMEOUT)
		send_plain_alert(client);
	take_away(client);
	take_away(server);
}
