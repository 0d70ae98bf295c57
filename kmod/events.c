// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of the generic netlink family to its groups: that requests wait, and
 * what has happened. They are made of plain values; whose those are is not known
 * here.
 */
#include <linux/rwsem.h>
#include <net/genetlink.h>

#include "addr.h"
#include "answer.h"
#include "events.h"
#include "net.h"
#include "netlink-gen.h"

/* Sessions outlive the family; its groups may then be somebody else's. */
static bool registered;
static DECLARE_RWSEM(registered_lock);

void ss_event_registered(bool now)
{
	down_write(&registered_lock);
	registered = now;
	up_write(&registered_lock);
}

/* Begins a message to a group, or returns NULL: nobody listens, or no memory. */
static struct sk_buff *event_begin(struct ss_net *sn, int group, u8 cmd,
				   void **hdr)
{
	struct sk_buff *skb;

	lockdep_assert_held_read(&registered_lock);
	if (!genl_has_listeners(&smtpsplice_nl_family, sn->net, group))
		return NULL;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return NULL;
	*hdr = genlmsg_put(skb, 0, 0, &smtpsplice_nl_family, 0, cmd);
	return skb;
}

static int event_multicast(struct ss_net *sn, int group, struct sk_buff *skb,
			   void *hdr)
{
	lockdep_assert_held_read(&registered_lock);
	genlmsg_end(skb, hdr);
	return genlmsg_multicast_netns(&smtpsplice_nl_family, sn->net, skb, 0,
				       group, GFP_KERNEL);
}

static int ring_doorbell(struct ss_net *sn, enum ss_request_kind kind,
			 u32 queued)
{
	static const struct {
		u8 cmd;
		int pending;
	} bells[] = {
		[SS_REQUEST_SCAN] = { SMTPSPLICE_CMD_SCAN_READY,
				      SMTPSPLICE_A_SCAN_PENDING },
		[SS_REQUEST_HANDSHAKE] = { SMTPSPLICE_CMD_HANDSHAKE_READY,
					   SMTPSPLICE_A_HANDSHAKE_PENDING },
	};
	struct sk_buff *skb;
	void *hdr;
	int err;

	lockdep_assert_held_read(&registered_lock);
	if (!genl_has_listeners(&smtpsplice_nl_family, sn->net,
				SMTPSPLICE_NLGRP_WORK))
		return 0;
	skb = event_begin(sn, SMTPSPLICE_NLGRP_WORK, bells[kind].cmd, &hdr);
	if (!skb)
		return -ENOMEM;
	if (WARN_ON_ONCE(nla_put_u32(skb, bells[kind].pending, queued))) {
		nlmsg_free(skb);
		return 0;
	}
	/* -ESRCH: they have just gone; all else is that there was no memory */
	err = event_multicast(sn, SMTPSPLICE_NLGRP_WORK, skb, hdr);
	return err && err != -ESRCH ? -ENOMEM : 0;
}

int ss_event_doorbell(struct ss_net *sn, enum ss_request_kind kind, u32 queued)
{
	int err = 0;

	down_read(&registered_lock);
	if (registered)
		err = ring_doorbell(sn, kind, queued);
	up_read(&registered_lock);
	return err;
}

static int put_event_session(struct sk_buff *skb, const struct ss_event *e)
{
	if (nla_put_u64_64bit(skb, SMTPSPLICE_A_EVENT_SESSION, e->session, 0) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_IIF, e->iif) ||
	    ss_addr_put(skb, SMTPSPLICE_A_EVENT_CLIENT,
			SMTPSPLICE_A_EVENT_CLIENT_PORT, e->client) ||
	    ss_addr_put(skb, SMTPSPLICE_A_EVENT_SERVER,
			SMTPSPLICE_A_EVENT_SERVER_PORT, e->server))
		return -EMSGSIZE;
	return 0;
}

static int put_event_verdict(struct sk_buff *skb, const struct ss_verdict *v)
{
	if (nla_put_u32(skb, SMTPSPLICE_A_EVENT_VERDICT, v->verdict) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_REPLY, v->reply) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_VIRUS, v->virus) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_FILE, v->file) ||
	    nla_put_u32(skb, SMTPSPLICE_A_EVENT_UNSCANNED, v->unscanned))
		return -EMSGSIZE;
	return 0;
}

static int put_event_handshake(struct sk_buff *skb, const struct ss_handshake *h)
{
	if (nla_put_u32(skb, SMTPSPLICE_A_EVENT_RESULT, h->result) ||
	    nla_put_u32(skb, SMTPSPLICE_A_EVENT_CAUSE, h->cause) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_SERVER_NAME,
			   h->server_name) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_VERSION, h->version) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_CIPHER, h->cipher) ||
	    nla_put_string(skb, SMTPSPLICE_A_EVENT_TEXT, h->text))
		return -EMSGSIZE;
	return 0;
}

static void event_send(struct ss_net *sn, const struct ss_event *e)
{
	struct sk_buff *skb;
	void *hdr;

	lockdep_assert_held_read(&registered_lock);
	skb = event_begin(sn, SMTPSPLICE_NLGRP_EVENTS, SMTPSPLICE_CMD_EVENT,
			  &hdr);
	if (!skb)
		return;
	if (nla_put_u32(skb, SMTPSPLICE_A_EVENT_KIND, e->kind) ||
	    (e->session && put_event_session(skb, e)) ||
	    (e->policy &&
	     nla_put_string(skb, SMTPSPLICE_A_EVENT_POLICY, e->policy)) ||
	    (e->tls && nla_put_string(skb, SMTPSPLICE_A_EVENT_TLS, e->tls)) ||
	    (e->av && nla_put_string(skb, SMTPSPLICE_A_EVENT_AV, e->av)) ||
	    (e->v && put_event_verdict(skb, e->v)) ||
	    (e->h && put_event_handshake(skb, e->h)))
		nlmsg_free(skb);
	else
		event_multicast(sn, SMTPSPLICE_NLGRP_EVENTS, skb, hdr);
}

void ss_event_send(struct ss_net *sn, const struct ss_event *e)
{
	might_sleep();
	down_read(&registered_lock);
	if (registered)
		event_send(sn, e);
	up_read(&registered_lock);
}
