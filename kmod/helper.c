// SPDX-License-Identifier: GPL-2.0
/*
 * The registered helper of a network namespace: a netlink port, and the notice
 * of its death. The port is the right to take work and to answer it.
 *
 * ss_net.scan_lock covers the port, so that no request can be taken by a
 * helper that is gone.
 */
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <net/genetlink.h>

#include "helper.h"
#include "netlink.h"
#include "scan.h"
#include "smtpsplice.h"
#include "trace.h"

int ss_helper_register(struct ss_net *sn, u32 roles, const struct sock *sk,
		       struct genl_info *info)
{
	u32 portid = info->snd_portid;
	bool up = false, busy;
	u32 owner;

	if (!(roles & SMTPSPLICE_ROLE_SCAN)) {
		GENL_SET_ERR_MSG(info, "no role given");
		return -EINVAL;
	}
	spin_lock_bh(&sn->scan_lock);
	owner = sn->scan_port;
	if (!owner) {
		WRITE_ONCE(sn->scan_port, portid);
		sn->scan_sk = sk;
		up = true;
	}
	busy = sn->scan_sk != sk;
	spin_unlock_bh(&sn->scan_lock);
	if (busy) {
		GENL_SET_ERR_MSG_FMT(info, "port %u is the helper already",
				     owner);
		return -EBUSY;
	}
	if (up) {
		trace_smtpsplice_helper(portid, true);
		ss_netlink_event(sn, SMTPSPLICE_EVENT_HELPER_UP);
	}
	return 0;
}

static int released(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct netlink_notify *n = data;
	struct ss_net *sn;
	u32 queued = 0;
	bool down;

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	sn = ss_net_get(n->net);
	if (!sn)
		return NOTIFY_DONE;
	spin_lock_bh(&sn->scan_lock);
	down = n->portid && sn->scan_port == n->portid;
	if (down) {
		WRITE_ONCE(sn->scan_port, 0);
		sn->scan_sk = NULL;
		ss_scan_requeue(sn, n->portid);
		queued = sn->scan_queued;
	}
	spin_unlock_bh(&sn->scan_lock);
	if (down) {
		trace_smtpsplice_helper(n->portid, false);
		ss_netlink_event(sn, SMTPSPLICE_EVENT_HELPER_DOWN);
		if (queued)
			ss_netlink_doorbell(sn, queued);
	}
	return NOTIFY_DONE;
}

static struct notifier_block notifier = {
	.notifier_call = released,
};

int ss_helper_init(void)
{
	return netlink_register_notifier(&notifier);
}

void ss_helper_exit(void)
{
	netlink_unregister_notifier(&notifier);
}
