/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_HANDOFF_H
#define SS_HANDOFF_H

#include <linux/types.h>

struct ss_handshake;
struct ss_leg;

/* Context of all functions here: process, under the lock of the legs' session. */

/**
 * ss_handoff_lend() - make both sockets fit for the helper
 * @client: the client leg, connected and all sent
 * @server: the server leg, likewise
 *
 * They are lent until ss_handoff_reclaim() or ss_handoff_abort(). The caller is
 * to submit the request.
 *
 * Return: 0, -ENOMEM or -ESHUTDOWN.
 */
int ss_handoff_lend(struct ss_leg *client, struct ss_leg *server);

/**
 * ss_handoff_shared() - has anybody else a socket's file still?
 * @client: the client leg, after the helper's answer
 * @server: the server leg
 *
 * For a moment that may be somebody who lists the helper's descriptors.
 */
bool ss_handoff_shared(const struct ss_leg *client,
		       const struct ss_leg *server);

/**
 * ss_handoff_reclaim() - take both sockets back after the helper's answer
 * @client: the client leg; the request is idle
 * @server: the server leg
 * @h: the answer; what is not true of it is put right
 *
 * Where the answer is "inspected", both legs are TLS afterwards; where it is
 * "bypassed", both are as they were. Else they are only good to be closed.
 */
void ss_handoff_reclaim(struct ss_leg *client, struct ss_leg *server,
			struct ss_handshake *h);

/**
 * ss_handoff_abort() - take both sockets away from the helper, if it has them
 * @client: the client leg; the request was cancelled
 * @server: the server leg
 */
void ss_handoff_abort(struct ss_leg *client, struct ss_leg *server);

#endif /* SS_HANDOFF_H */
