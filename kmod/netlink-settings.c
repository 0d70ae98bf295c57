// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family's commands of the settings of a namespace. */
#include <net/genetlink.h>

#include "events.h"
#include "net.h"
#include "netlink-gen.h"
#include "netlink-msg.h"

/* Settings: the attribute of each, and its place and size in struct ss_settings. */
static const struct setting {
	int attr;
	size_t at;
	size_t size;
} all_settings[] = {
#define SETTING(name, member)						\
	{ SMTPSPLICE_A_SETTINGS_##name,					\
	  offsetof(struct ss_settings, member),				\
	  sizeof_field(struct ss_settings, member) }
	SETTING(MAX_SESSIONS, max_sessions),
	SETTING(MAX_CLIENT_SESSIONS, max_client_sessions),
	SETTING(MAX_MESSAGE, max_message),
	SETTING(MAX_HELD, max_held),
	SETTING(DIAL_TIMEOUT, dial_timeout),
	SETTING(HANDSHAKE_TIMEOUT, handshake_timeout),
	SETTING(COMMAND_TIMEOUT, command_timeout),
	SETTING(DATA_TIMEOUT, data_timeout),
	SETTING(SCAN_TIMEOUT, scan_timeout),
	SETTING(REPLY_TIMEOUT, reply_timeout),
	SETTING(KEEPALIVE, keepalive),
	SETTING(BARE_NEWLINE, bare_newline),
	SETTING(MESSAGE_TIMEOUT, message_timeout),
	SETTING(CONSERVE_GREEN, conserve_green),
	SETTING(CONSERVE_RED, conserve_red),
	SETTING(CONSERVE_EXTREME, conserve_extreme),
	SETTING(MAX_CLIENT_HELD, max_client_held),
	SETTING(MAX_CLIENT_HANDSHAKES, max_client_handshakes),
	SETTING(MAX_CLIENT_SCANS, max_client_scans),
#undef SETTING
};

static u64 get_setting(const struct ss_settings *s, const struct setting *one)
{
	const void *at = (const void *)s + one->at;

	return one->size == sizeof(u64) ? *(u64 *)at : *(u32 *)at;
}

/* Sets one setting, which others read at the same time. */
static void set_setting(struct ss_settings *s, const struct setting *one,
			u64 value)
{
	void *at = (void *)s + one->at;

	if (one->size == sizeof(u64))
		WRITE_ONCE(*(u64 *)at, value);
	else
		WRITE_ONCE(*(u32 *)at, value);
}

static int put_settings(struct ss_net *sn, struct sk_buff *skb)
{
	int i, err = 0;

	lockdep_assert_held(&sn->lock);
	for (i = 0; i < ARRAY_SIZE(all_settings) && !err; i++) {
		const struct setting *one = &all_settings[i];
		u64 value = get_setting(&sn->settings, one);

		err = one->size == sizeof(u64) ?
		      nla_put_u64_64bit(skb, one->attr, value, 0) :
		      nla_put_u32(skb, one->attr, value);
	}
	return err;
}

static int fill_settings(struct ss_net *sn, struct sk_buff *skb)
{
	int err;

	mutex_lock(&sn->lock);
	err = put_settings(sn, skb);
	mutex_unlock(&sn->lock);
	return err;
}

int smtpsplice_nl_settings_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ss_netlink_reply(info, SMTPSPLICE_CMD_SETTINGS_GET,
				fill_settings);
}

/* Checks the order of the watermarks; no other setting depends on another. */
static int check_settings(const struct ss_settings *new, struct genl_info *info)
{
	if (new->conserve_green < new->conserve_red &&
	    new->conserve_red <= new->conserve_extreme)
		return 0;
	GENL_SET_ERR_MSG(info, "conserve-green must be below conserve-red, and that not above conserve-extreme");
	return -EINVAL;
}

/* Takes the settings that a request has; the netlink policy has checked each. */
static void take_settings(struct ss_settings *new, struct genl_info *info)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(all_settings); i++) {
		const struct setting *one = &all_settings[i];
		const struct nlattr *attr = info->attrs[one->attr];

		if (attr)
			set_setting(new, one, one->size == sizeof(u64) ?
				    nla_get_u64(attr) : nla_get_u32(attr));
	}
}

int smtpsplice_nl_settings_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ss_net *sn = ss_netlink_net(info);
	struct ss_settings new;
	int i, err;

	mutex_lock(&sn->lock);
	new = sn->settings;
	take_settings(&new, info);
	err = check_settings(&new, info);
	for (i = 0; i < ARRAY_SIZE(all_settings) && !err; i++)
		set_setting(&sn->settings, &all_settings[i],
			    get_setting(&new, &all_settings[i]));
	mutex_unlock(&sn->lock);
	if (!err)
		ss_event_send(sn, &(struct ss_event){
			.kind = SMTPSPLICE_EVENT_SETTINGS,
		});
	return err;
}
