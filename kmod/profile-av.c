// SPDX-License-Identifier: GPL-2.0
/*
 * AV profiles: how messages are scanned, and what becomes of them. The kernel
 * itself heeds what it has to decide where there is no verdict; the rest is for
 * the helper.
 */
#include <linux/ctype.h>
#include <net/genetlink.h>

#include "netlink-gen.h"
#include "netlink-msg.h"
#include "profile-class.h"

#define ATTR(name)	(SMTPSPLICE_A_AV_PROFILE_##name)

#define UNCOMPRESSED_LIMIT	(400ull << 20)
#define NEST_LIMIT		12
#define ALL_CONDITIONS		0xff

/* Options that are one word or number, with their defaults. */
static const struct ss_profile_option options[] = {
	{ ATTR(AV_SCAN), SMTPSPLICE_AV_SCAN_BLOCK },
	{ ATTR(EXECUTABLES), SMTPSPLICE_EXECUTABLES_DEFAULT },
	{ ATTR(INFECTED), SMTPSPLICE_INFECTED_REJECT },
	{ ATTR(ARCHIVE_BLOCK), SMTPSPLICE_ARCHIVE_CONDITION_NESTED |
			       SMTPSPLICE_ARCHIVE_CONDITION_MAILBOMB },
	{ ATTR(ARCHIVE_LOG), ALL_CONDITIONS },
	{ ATTR(OVERSIZE), SMTPSPLICE_FAIL_ACTION_BLOCK },
	{ ATTR(UNCOMPRESSED_NEST_LIMIT), NEST_LIMIT },
	{ ATTR(FRAGMAIL), SMTPSPLICE_PASS_BLOCK_BLOCK },
	{ ATTR(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_BLOCK },
	{ ATTR(SCAN_ERROR), SMTPSPLICE_FAIL_ACTION_TEMPFAIL },
	{ ATTR(SCAN_TIMEOUT), SMTPSPLICE_FAIL_ACTION_TEMPFAIL },
	{ ATTR(HELPER_DOWN), SMTPSPLICE_FAIL_ACTION_TEMPFAIL },
	{ ATTR(OVER_BUDGET), SMTPSPLICE_FAIL_ACTION_TEMPFAIL },
	{ ATTR(UNDECODABLE), SMTPSPLICE_FAIL_ACTION_BLOCK },
	{ ATTR(ENCRYPTED_MAIL), SMTPSPLICE_FAIL_ACTION_PASS },
	{ ATTR(QUARANTINE), SMTPSPLICE_SWITCH_ENABLE },
	{ ATTR(CACHE), SMTPSPLICE_SWITCH_ENABLE },
	{ ATTR(SENDER_BAN), 0 },
};

/* Options that are one text. */
static const int texts[] = {
	ATTR(REPLY_VIRUS), ATTR(REPLY_EXECUTABLE), ATTR(REPLY_FILENAME),
	ATTR(REPLY_HASH), ATTR(REPLY_ARCHIVE), ATTR(REPLY_PARTIAL),
	ATTR(REPLY_AMBIGUOUS), ATTR(REPLY_OVERSIZE), ATTR(REPLY_FAILURE),
	ATTR(REPLY_UNDECODABLE), ATTR(REPLY_ENCRYPTED), ATTR(REPLACEMENT),
};

/*
 * Checks that a reply begins with its code. The helper knows what else is right or
 * wrong about it; a verdict's reply is checked when it comes.
 */
static int check_text(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *text = nla_data(attr);

	if (nla_type(attr) == ATTR(REPLACEMENT) ||
	    ((text[0] == '4' || text[0] == '5') && isdigit(text[1]) &&
	     isdigit(text[2]) && text[3] == ' '))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "reply does not begin with a code of 4yz or 5yz");
	return -EINVAL;
}

static int put_texts(struct sk_buff *attrs, struct nlattr *const *tb,
		     struct netlink_ext_ack *extack)
{
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(texts) && !err; i++) {
		const struct nlattr *attr = tb[texts[i]];

		if (attr)
			err = check_text(attr, extack) ?:
			      nla_put_string(attrs, texts[i], nla_data(attr));
	}
	return err;
}

/* Puts the options that may be given more than once. */
static int put_lists(struct sk_buff *attrs, const struct nlattr *nest,
		     struct netlink_ext_ack *extack)
{
	u32 count[SMTPSPLICE_A_AV_PROFILE_MAX + 1] = {};
	const struct nlattr *attr;
	int rem, err;

	nla_for_each_nested(attr, nest, rem) {
		switch (nla_type(attr)) {
		case ATTR(FILE_NAME):
		case ATTR(FILE_TYPE):
			if (nla_len(attr) && *(char *)nla_data(attr))
				break;
			NL_SET_ERR_MSG_ATTR(extack, attr, "empty pattern or type");
			return -EINVAL;
		case ATTR(HASH_BLOCK):
		case ATTR(HASH_ALLOW):
			break;
		default:
			continue;
		}
		err = ss_netlink_put_each(attrs, attr, &count[nla_type(attr)],
					  SMTPSPLICE_LIST_MAX, extack);
		if (err)
			return err;
	}
	return 0;
}

static int put_size(struct sk_buff *attrs, const struct nlattr *attr, int type,
		    u64 value)
{
	if (attr)
		value = nla_get_u64(attr);
	/* unaligned, so that it needs no padding, which a policy does not know */
	return nla_put(attrs, type, sizeof(value), &value);
}

static int put_attrs(struct sk_buff *attrs, struct nlattr *const *tb,
		     const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	int err = put_size(attrs, tb[ATTR(OVERSIZE_LIMIT)],
			   ATTR(OVERSIZE_LIMIT), 0) ?:
		  put_size(attrs, tb[ATTR(UNCOMPRESSED_LIMIT)],
			   ATTR(UNCOMPRESSED_LIMIT), UNCOMPRESSED_LIMIT);

	if (err || !nest)
		return err;
	return put_texts(attrs, tb, extack) ?: put_lists(attrs, nest, extack);
}

static void apply_attr(struct ss_profile *p, const struct nlattr *attr)
{
	switch (nla_type(attr)) {
	case ATTR(AV_SCAN):
		p->av.scan = nla_get_u32(attr);
		break;
	case ATTR(INFECTED):
		p->av.infected = nla_get_u32(attr);
		break;
	case ATTR(SCAN_TIMEOUT):
		p->av.scan_timeout = nla_get_u32(attr);
		break;
	case ATTR(HELPER_DOWN):
		p->av.helper_down = nla_get_u32(attr);
		break;
	case ATTR(OVER_BUDGET):
		p->av.over_budget = nla_get_u32(attr);
		break;
	case ATTR(SENDER_BAN):
		p->av.sender_ban = nla_get_u32(attr);
		break;
	}
}

const struct ss_profile_kind ss_profile_kind_av = {
	.what = "AV",
	.policy = smtpsplice_av_profile_nl_policy,
	.max = SMTPSPLICE_A_AV_PROFILE_MAX,
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.cmd_get = SMTPSPLICE_CMD_AV_GET,
	.event_add = SMTPSPLICE_EVENT_AV_ADD,
	.event_del = SMTPSPLICE_EVENT_AV_DEL,
	.put = put_attrs,
	.apply = apply_attr,
};
