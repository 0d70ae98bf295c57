/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_HANDOFF_H
#define SS_HANDOFF_H

#include <linux/types.h>

struct genl_info;
struct ss_handshake;
struct ss_session;

/**
 * ss_handoff_lend() - ask the helper for the TLS handshakes of a session
 * @s: the session, under its lock, with both legs connected and all sent
 *
 * The legs are the helper's until ss_handoff_reclaim() or ss_handoff_abort().
 * Context: process. Return: 0, -ENOMEM or -ESHUTDOWN.
 */
int ss_handoff_lend(struct ss_session *s);

/**
 * ss_handoff_accept() - hand both sockets to the caller of a netlink request
 * @s: the session, whose request the caller has taken and is telling of
 * @cookie: names the request
 * @info: the netlink request
 *
 * Return: 0 or -errno; nothing was handed over then.
 */
int ss_handoff_accept(struct ss_session *s, u64 cookie, struct genl_info *info);

/**
 * ss_handoff_shared() - has anybody else a socket's file still?
 * @s: the session, under its lock, after the helper's answer
 *
 * For a moment that may be somebody who lists the helper's descriptors.
 */
bool ss_handoff_shared(const struct ss_session *s);

/**
 * ss_handoff_reclaim() - take both sockets back after the helper's answer
 * @s: the session, under its lock, its request idle
 * @h: the answer; what is not true of it is put right
 *
 * Where the answer is "inspected", both legs are TLS afterwards; where it is
 * "bypassed", both are as they were. Else they are only good to be closed.
 */
void ss_handoff_reclaim(struct ss_session *s, struct ss_handshake *h);

/**
 * ss_handoff_abort() - take both sockets away from the helper
 * @s: the session, under its lock, its request idle or about to be
 */
void ss_handoff_abort(struct ss_session *s);

#endif /* SS_HANDOFF_H */
