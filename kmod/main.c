// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice: transparent SMTP antivirus gateway.
 *
 * Ordered init and reverse exit, of the module and of a network namespace.
 * Loading it inspects nothing: that takes a policy.
 */
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>

#include "accept.h"
#include "ban.h"
#include "helper.h"
#include "hold.h"
#include "net.h"
#include "netlink.h"
#include "policy.h"
#include "profile.h"
#include "request.h"
#include "session-table.h"
#include "share.h"
#include "steer.h"

static const struct ss_settings defaults = {
	.max_sessions		= 1000,
	.max_client_sessions	= 200,
	.max_message		= 100 << 20,
	.max_held		= 512 << 20,
	.dial_timeout		= 30 * MSEC_PER_SEC,
	.handshake_timeout	= 60 * MSEC_PER_SEC,
	.command_timeout	= 300 * MSEC_PER_SEC,	/* RFC 5321 4.5.3.2.7 */
	.data_timeout		= 180 * MSEC_PER_SEC,	/* RFC 5321 4.5.3.2.5 */
	.scan_timeout		= 60 * MSEC_PER_SEC,
	.reply_timeout		= 600 * MSEC_PER_SEC,	/* RFC 5321 4.5.3.2.6 */
	.keepalive		= 60 * MSEC_PER_SEC,
	.bare_newline		= SMTPSPLICE_BARE_NEWLINE_REJECT,
	.message_timeout	= 240 * MSEC_PER_SEC,
	.conserve_green		= 82,
	.conserve_red		= 88,
	.conserve_extreme	= 95,
	.max_client_held	= 62,
	.max_client_handshakes	= 100,
	.max_client_scans	= 100,
};

static int __net_init net_init(struct net *net)
{
	struct ss_net *sn = ss_net_get(net);
	int err;

	sn->net = net;
	sn->accept = ss_accept;
	sn->settings = defaults;
	mutex_init(&sn->lock);
	INIT_LIST_HEAD(&sn->policies);
	spin_lock_init(&sn->sessions_lock);
	INIT_LIST_HEAD(&sn->sessions);
	refcount_set(&sn->users, 1);
	init_completion(&sn->idle);
	ss_share_init(sn);
	ss_hold_init(sn);
	ss_request_init(sn);
	ss_ban_init(sn);
	sn->stats = alloc_percpu(struct ss_stats);
	if (!sn->stats)
		return -ENOMEM;
	err = ss_profile_init(sn);
	if (err)
		goto out_stats;
	err = ss_steer_init(sn);
	if (err)
		goto out_profiles;
	return 0;

out_profiles:
	ss_profile_flush(sn);
out_stats:
	free_percpu(sn->stats);
	return err;
}

/*
 * The hooks go last: a session whose peer sends without end is only ended because
 * they drop what it sends (ss_leg_is_muted()). No packet finds us after the
 * grace period that follows.
 */
static void __net_exit net_pre_exit(struct net *net)
{
	struct ss_net *sn = ss_net_get(net);

	ss_policy_flush(sn);	/* ends the coming of sessions */
	ss_session_table_flush(sn);
	ss_hold_exit(sn);
	ss_steer_stop(sn);
}

static void __net_exit net_exit(struct net *net)
{
	struct ss_net *sn = ss_net_get(net);

	ss_ban_flush(sn);
	ss_profile_flush(sn);
	ss_steer_exit(sn);
	free_percpu(sn->stats);
}

static struct pernet_operations net_ops = {
	.init		= net_init,
	.pre_exit	= net_pre_exit,
	.exit		= net_exit,
	.id		= &ss_net_id,
	.size		= sizeof(struct ss_net),
};

static int __init smtpsplice_init(void)
{
	int err;

	/* the helper has no right to have it loaded */
	request_module("tcp-ulp-tls");
	ss_wq = alloc_workqueue("smtpsplice", WQ_UNBOUND, 0);
	if (!ss_wq)
		return -ENOMEM;
	/* a device operation: its exit runs while there is a loopback device */
	err = register_pernet_device(&net_ops);
	if (err)
		goto out_wq;
	err = ss_helper_init();
	if (err)
		goto out_net;
	err = ss_netlink_init();
	if (err)
		goto out_helper;
	return 0;

out_helper:
	ss_helper_exit();
out_net:
	unregister_pernet_device(&net_ops);
out_wq:
	destroy_workqueue(ss_wq);
	return err;
}

static void __exit smtpsplice_exit(void)
{
	ss_netlink_exit();
	ss_helper_exit();
	unregister_pernet_device(&net_ops);
	destroy_workqueue(ss_wq);
	/* sessions and policies are freed after a grace period */
	rcu_barrier();
}

module_init(smtpsplice_init);
module_exit(smtpsplice_exit);

MODULE_DESCRIPTION("Transparent SMTP antivirus gateway");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
MODULE_ALIAS_GENL_FAMILY("smtpsplice");
