/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_NETLINK_H
#define SS_NETLINK_H

#include <linux/types.h>
#include <linux/smtpsplice.h>

struct ss_net;
struct ss_policy;
struct ss_session;
struct ss_verdict;

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
 * ss_netlink_doorbell() - tell the helper that requests wait
 * @sn: the namespace
 * @queued: how many
 *
 * May be lost. Context: process.
 */
void ss_netlink_doorbell(struct ss_net *sn, u32 queued);

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
 * ss_netlink_session_event() - likewise, of a session
 * @s: the session
 * @kind: what
 * @v: the verdict for a verdict, else NULL
 */
void ss_netlink_session_event(const struct ss_session *s,
			      enum smtpsplice_event kind,
			      const struct ss_verdict *v);

#endif /* SS_NETLINK_H */
