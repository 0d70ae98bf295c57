/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_EVENTS_H
#define SS_EVENTS_H

#include <linux/types.h>
#include <linux/smtpsplice.h>

#include "answer.h"

struct ss_addr;
struct ss_net;

/**
 * struct ss_event - something that has happened
 * @kind: kind of event
 * @session: id of the session that it happened to, or 0
 * @iif: interface on which its client came in
 * @client: its client
 * @server: its server
 * @policy: name of the policy, or NULL
 * @tls: name of the TLS profile, or NULL
 * @av: name of the AV profile, or NULL
 * @v: the verdict, or NULL
 * @h: the handshakes, or NULL
 */
struct ss_event {
	enum smtpsplice_event kind;
	u64 session;
	const char *iif;
	const struct ss_addr *client;
	const struct ss_addr *server;
	const char *policy;
	const char *tls;
	const char *av;
	const struct ss_verdict *v;
	const struct ss_handshake *h;
};

/**
 * ss_event_registered() - note that the family and its groups are ours, or not
 * @now: true from their registration on, false from its end on
 *
 * Sessions outlive the family, and tell nobody anything from then on.
 * Context: process.
 */
void ss_event_registered(bool now);

/**
 * ss_event_doorbell() - tell the helper that requests wait
 * @sn: the namespace
 * @kind: their kind
 * @queued: number of them
 *
 * Those who hear it may lose it. Context: process.
 *
 * Return: 0, or -ENOMEM where it has to be rung again.
 */
int ss_event_doorbell(struct ss_net *sn, enum ss_request_kind kind, u32 queued);

/**
 * ss_event_send() - tell the group "events" of something
 * @sn: the namespace
 * @e: the event
 *
 * Context: process. Lost events are lost.
 */
void ss_event_send(struct ss_net *sn, const struct ss_event *e);

#endif /* SS_EVENTS_H */
