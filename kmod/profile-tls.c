// SPDX-License-Identifier: GPL-2.0
/*
 * TLS profiles: what is done with TLS. The kernel itself heeds when TLS begins,
 * and whether to look inside; the rest is for the helper.
 */
#include <net/genetlink.h>

#include "netlink-gen.h"
#include "netlink-msg.h"
#include "prefix.h"
#include "profile-class.h"

#define ATTR(name)	(SMTPSPLICE_A_TLS_PROFILE_##name)
#define DEFAULT_PORT	465

/* Options that are one word, with their defaults. */
static const struct ss_profile_option options[] = {
	{ ATTR(SMTPS), SMTPSPLICE_TLS_MODE_INSPECT },
	{ ATTR(STARTTLS), SMTPSPLICE_STARTTLS_MODE_INSPECT },
	{ ATTR(EXPIRED_SERVER_CERT), SMTPSPLICE_TLS_ACTION_BLOCK },
	{ ATTR(REVOKED_SERVER_CERT), SMTPSPLICE_TLS_ACTION_BLOCK },
	{ ATTR(UNTRUSTED_SERVER_CERT), SMTPSPLICE_TLS_ACTION_ALLOW },
	{ ATTR(CERT_VALIDATION_TIMEOUT), SMTPSPLICE_TLS_ACTION_ALLOW },
	{ ATTR(CERT_VALIDATION_FAILURE), SMTPSPLICE_TLS_ACTION_BLOCK },
	{ ATTR(SNI_SERVER_CERT_CHECK), SMTPSPLICE_SNI_CHECK_ENABLE },
	{ ATTR(UNSUPPORTED_SSL_VERSION), SMTPSPLICE_TLS_SUPPORT_BLOCK },
	{ ATTR(UNSUPPORTED_SSL_CIPHER), SMTPSPLICE_TLS_SUPPORT_BLOCK },
	{ ATTR(UNSUPPORTED_SSL_NEGOTIATION), SMTPSPLICE_TLS_SUPPORT_BLOCK },
	{ ATTR(CLIENT_CERTIFICATE), SMTPSPLICE_CLIENT_CERTIFICATE_INSPECT },
	{ ATTR(SERVER_CERT_MODE), SMTPSPLICE_CERT_MODE_RE_SIGN },
};

static int check_one(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	struct ss_prefix prefix;

	if (nla_type(attr) == ATTR(EXEMPT_ADDRESS))
		return ss_prefix_parse(&prefix, attr, extack);
	if (nla_type(attr) != ATTR(SMTPS_PORT) && !*(char *)nla_data(attr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "empty pattern");
		return -EINVAL;
	}
	return 0;
}

/* Puts the options that may be given more than once. */
static int put_lists(struct sk_buff *attrs, const struct nlattr *nest,
		     struct netlink_ext_ack *extack)
{
	u32 count[SMTPSPLICE_A_TLS_PROFILE_MAX + 1] = {};
	const struct nlattr *attr;
	int rem, err;

	nla_for_each_nested(attr, nest, rem) {
		u32 most = SMTPSPLICE_EXEMPT_MAX;

		switch (nla_type(attr)) {
		case ATTR(SMTPS_PORT):
			most = SMTPSPLICE_PREFIX_MAX;
			break;
		case ATTR(EXEMPT_ADDRESS):
		case ATTR(EXEMPT_NAME):
		case ATTR(EXEMPT_REGEX):
			break;
		default:
			continue;
		}
		err = check_one(attr, extack) ?:
		      ss_netlink_put_each(attrs, attr, &count[nla_type(attr)],
					  most, extack);
		if (err)
			return err;
	}
	return count[ATTR(SMTPS_PORT)] ? 0 :
	       nla_put_u16(attrs, ATTR(SMTPS_PORT), DEFAULT_PORT);
}

static int check_cert(struct nlattr *const *tb, struct netlink_ext_ack *extack)
{
	const struct nlattr *mode = tb[ATTR(SERVER_CERT_MODE)];
	const struct nlattr *cert = tb[ATTR(SERVER_CERT)];

	/* the name becomes a file name */
	if (cert && (!ss_netlink_name_ok(nla_data(cert)) ||
		     *(char *)nla_data(cert) == '.')) {
		NL_SET_ERR_MSG_ATTR(extack, cert, "bad name of a certificate");
		return -EINVAL;
	}
	if (!cert && mode &&
	    nla_get_u32(mode) == SMTPSPLICE_CERT_MODE_REPLACE) {
		NL_SET_ERR_MSG_ATTR(extack, mode, "replace needs server-cert");
		return -EINVAL;
	}
	return 0;
}

static int put_attrs(struct sk_buff *attrs, struct nlattr *const *tb,
		     const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	const struct nlattr *cert = tb[ATTR(SERVER_CERT)];
	int err;

	if (!nest)
		return nla_put_u16(attrs, ATTR(SMTPS_PORT), DEFAULT_PORT);
	err = check_cert(tb, extack);
	if (!err && cert)
		err = nla_put_string(attrs, ATTR(SERVER_CERT), nla_data(cert));
	return err ?: put_lists(attrs, nest, extack);
}

static void apply_attr(struct ss_profile *p, const struct nlattr *attr)
{
	switch (nla_type(attr)) {
	case ATTR(SMTPS):
		p->tls.smtps = nla_get_u32(attr);
		break;
	case ATTR(STARTTLS):
		p->tls.starttls = nla_get_u32(attr);
		break;
	case ATTR(SMTPS_PORT):
		p->tls.ports[p->tls.port_count++] = nla_get_u16(attr);
		break;
	}
}

const struct ss_profile_kind ss_profile_kind_tls = {
	.what = "TLS",
	.policy = smtpsplice_tls_profile_nl_policy,
	.max = SMTPSPLICE_A_TLS_PROFILE_MAX,
	.options = options,
	.option_count = ARRAY_SIZE(options),
	.cmd_get = SMTPSPLICE_CMD_TLS_GET,
	.event_add = SMTPSPLICE_EVENT_TLS_ADD,
	.event_del = SMTPSPLICE_EVENT_TLS_DEL,
	.put = put_attrs,
	.apply = apply_attr,
};
