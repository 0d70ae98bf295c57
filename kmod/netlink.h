/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_NETLINK_H
#define SS_NETLINK_H

#include <linux/types.h>
#include <linux/smtpsplice.h>
#include <net/genetlink.h>

#include "answer.h"
#include "net.h"
#include "profile.h"

struct netlink_callback;
struct sk_buff;
struct ss_addr;
struct ss_net;
struct ss_policy;
struct ss_session;

/**
 * ss_netlink_init() - register the generic netlink family
 *
 * Return: 0 or -errno.
 */
int ss_netlink_init(void);

/**
 * ss_netlink_exit() - unregister it; no request runs after return
 */
void ss_netlink_exit(void);

/**
 * ss_netlink_registered() - say whether the family and its groups are ours
 * @now: whether they are
 *
 * Sessions outlive the family, and tell nobody anything from then on.
 * Context: process.
 */
void ss_netlink_registered(bool now);

/**
 * ss_netlink_doorbell() - tell the helper that requests wait
 * @sn: the namespace
 * @kind: of which kind
 * @queued: how many
 *
 * Those who hear it may lose it. Context: process.
 *
 * Return: 0, or -ENOMEM where it has to be rung again.
 */
int ss_netlink_doorbell(struct ss_net *sn, enum ss_request_kind kind,
			u32 queued);

/**
 * ss_netlink_event() - tell the group "events" of something
 * @sn: the namespace
 * @kind: what
 *
 * Context of this and the following: process. Lost events are lost.
 */
void ss_netlink_event(struct ss_net *sn, enum smtpsplice_event kind);

/**
 * ss_netlink_policy_event() - likewise, of a policy
 * @sn: the namespace
 * @kind: what
 * @p: the policy
 */
void ss_netlink_policy_event(struct ss_net *sn, enum smtpsplice_event kind,
			     const struct ss_policy *p);

/**
 * ss_netlink_profile_event() - likewise, of a profile
 * @sn: the namespace
 * @kind: what
 * @class: its class
 * @name: its name
 */
void ss_netlink_profile_event(struct ss_net *sn, enum smtpsplice_event kind,
			      enum ss_profile_class class, const char *name);

/**
 * ss_netlink_session_event() - likewise, of a session
 * @s: the session
 * @kind: what
 * @v: the verdict for a verdict, else NULL
 */
void ss_netlink_session_event(const struct ss_session *s,
			      enum smtpsplice_event kind,
			      const struct ss_verdict *v);

/**
 * ss_netlink_handshake_event() - likewise, of the TLS handshakes of a session
 * @s: the session
 * @h: what became of them
 */
void ss_netlink_handshake_event(const struct ss_session *s,
				const struct ss_handshake *h);

#endif /* SS_NETLINK_H */
