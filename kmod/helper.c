// SPDX-License-Identifier: GPL-2.0
/*
 * The registered helper of a network namespace: a netlink port, and the notice
 * of its death. The port is the right to take work and to answer it.
 *
 * ss_net.request_lock covers the port, so that no request can be taken by a
 * helper that is gone.
 */
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <net/genetlink.h>

#include "answer.h"
#include "events.h"
#include "helper.h"
#include "net.h"
#include "request.h"
#include "trace.h"

/* Finds the port that has one of the roles already, other than @sk; 0 where none. */
static u32 taken_by(const struct ss_net *sn, u32 roles, const struct sock *sk)
	__must_hold(&sn->request_lock)
{
	int i;

	lockdep_assert_held(&sn->request_lock);
	for (i = 0; i < SS_REQUEST_KINDS; i++) {
		const struct ss_queue *q = &sn->queues[i];

		if (roles & BIT(i) && q->sk && q->sk != sk)
			return q->port;
	}
	return 0;
}

/* Gives the roles to a helper. Return: true where it has one more than before. */
static bool take_roles(struct ss_net *sn, u32 roles, const struct sock *sk,
		       u32 portid)
	__must_hold(&sn->request_lock)
{
	bool up = false;
	int i;

	lockdep_assert_held(&sn->request_lock);
	for (i = 0; i < SS_REQUEST_KINDS; i++) {
		struct ss_queue *q = &sn->queues[i];

		if (!(roles & BIT(i)) || q->sk)
			continue;
		WRITE_ONCE(q->port, portid);
		q->sk = sk;
		up = true;
	}
	return up;
}

int ss_helper_register(struct ss_net *sn, u32 roles, const struct sock *sk,
		       struct genl_info *info)
{
	u32 portid = info->snd_portid;
	bool up = false;
	u32 owner;

	if (!(roles & (SMTPSPLICE_ROLE_SCAN | SMTPSPLICE_ROLE_TLS))) {
		GENL_SET_ERR_MSG(info, "no role given");
		return -EINVAL;
	}
	spin_lock_bh(&sn->request_lock);
	owner = taken_by(sn, roles, sk);
	if (!owner)
		up = take_roles(sn, roles, sk, portid);
	spin_unlock_bh(&sn->request_lock);
	if (owner) {
		GENL_SET_ERR_MSG_FMT(info, "port %u is the helper already",
				     owner);
		return -EBUSY;
	}
	if (up) {
		trace_smtpsplice_helper(portid, true);
		ss_event_send(sn, &(struct ss_event){
			.kind = SMTPSPLICE_EVENT_HELPER_UP,
		});
	}
	return 0;
}

/* Takes all roles from a port. Return: true where it had one. */
static bool drop_roles(struct ss_net *sn, u32 portid)
{
	bool down = false;
	int i;

	spin_lock_bh(&sn->request_lock);
	for (i = 0; i < SS_REQUEST_KINDS; i++) {
		struct ss_queue *q = &sn->queues[i];

		if (!portid || q->port != portid)
			continue;
		WRITE_ONCE(q->port, 0);
		q->sk = NULL;
		ss_request_orphaned(sn, i, portid);
		down = true;
	}
	spin_unlock_bh(&sn->request_lock);
	return down;
}

static int netlink_released(struct notifier_block *nb, unsigned long event,
			    void *data)
{
	const struct netlink_notify *n = data;
	struct ss_net *sn;
	int i;

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	sn = ss_net_get(n->net);
	if (!sn || !drop_roles(sn, n->portid))
		return NOTIFY_DONE;
	trace_smtpsplice_helper(n->portid, false);
	ss_event_send(sn, &(struct ss_event){
		.kind = SMTPSPLICE_EVENT_HELPER_DOWN,
	});
	for (i = 0; i < SS_REQUEST_KINDS; i++) {
		u32 queued = READ_ONCE(sn->queues[i].queued);

		if (queued)
			ss_event_doorbell(sn, i, queued);
	}
	return NOTIFY_DONE;
}

static struct notifier_block notifier = {
	.notifier_call = netlink_released,
};

int ss_helper_init(void)
{
	return netlink_register_notifier(&notifier);
}

void ss_helper_exit(void)
{
	netlink_unregister_notifier(&notifier);
}
