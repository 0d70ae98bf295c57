// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	uapi/smtpsplice.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <uapi/linux/smtpsplice.h>

/* Integer value ranges */
static const struct netlink_range_validation smtpsplice_a_av_profile_sender_ban_range = {
	.max	= 604800ULL,
};

static const struct netlink_range_validation smtpsplice_a_settings_max_sessions_range = {
	.min	= 1ULL,
	.max	= 1000000ULL,
};

static const struct netlink_range_validation smtpsplice_a_settings_max_message_range = {
	.min	= 1ULL,
	.max	= 1099511627776ULL,
};

static const struct netlink_range_validation smtpsplice_a_settings_max_held_range = {
	.min	= 1ULL,
	.max	= 1099511627776ULL,
};

/* Common nested types */
const struct nla_policy smtpsplice_av_profile_nl_policy[SMTPSPLICE_A_AV_PROFILE_REPLY_ENCRYPTED + 1] = {
	[SMTPSPLICE_A_AV_PROFILE_AV_SCAN] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_AV_PROFILE_EXECUTABLES] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMTPSPLICE_A_AV_PROFILE_INFECTED] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_AV_PROFILE_ARCHIVE_BLOCK] = NLA_POLICY_MASK(NLA_U32, 0xff),
	[SMTPSPLICE_A_AV_PROFILE_ARCHIVE_LOG] = NLA_POLICY_MASK(NLA_U32, 0xff),
	[SMTPSPLICE_A_AV_PROFILE_OVERSIZE_LIMIT] = { .type = NLA_U64, },
	[SMTPSPLICE_A_AV_PROFILE_OVERSIZE] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_AV_PROFILE_UNCOMPRESSED_LIMIT] = { .type = NLA_U64, },
	[SMTPSPLICE_A_AV_PROFILE_UNCOMPRESSED_NEST_LIMIT] = NLA_POLICY_RANGE(NLA_U32, 2, 100),
	[SMTPSPLICE_A_AV_PROFILE_FRAGMAIL] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMTPSPLICE_A_AV_PROFILE_MIME_AMBIGUITY] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMTPSPLICE_A_AV_PROFILE_FILE_NAME] = { .type = NLA_STRING, .len = SMTPSPLICE_PATTERN_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_FILE_TYPE] = { .type = NLA_STRING, .len = SMTPSPLICE_NAME_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_HASH_BLOCK] = NLA_POLICY_EXACT_LEN(SMTPSPLICE_SHA256_SIZE),
	[SMTPSPLICE_A_AV_PROFILE_HASH_ALLOW] = NLA_POLICY_EXACT_LEN(SMTPSPLICE_SHA256_SIZE),
	[SMTPSPLICE_A_AV_PROFILE_SCAN_ERROR] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_AV_PROFILE_SCAN_TIMEOUT] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_AV_PROFILE_HELPER_DOWN] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_AV_PROFILE_OVER_BUDGET] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_AV_PROFILE_UNDECODABLE] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_AV_PROFILE_QUARANTINE] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMTPSPLICE_A_AV_PROFILE_CACHE] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMTPSPLICE_A_AV_PROFILE_SENDER_BAN] = NLA_POLICY_FULL_RANGE(NLA_U32, &smtpsplice_a_av_profile_sender_ban_range),
	[SMTPSPLICE_A_AV_PROFILE_REPLY_VIRUS] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_REPLY_EXECUTABLE] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_REPLY_FILENAME] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_REPLY_HASH] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_REPLY_ARCHIVE] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_REPLY_PARTIAL] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_REPLY_AMBIGUOUS] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_REPLY_OVERSIZE] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_REPLY_FAILURE] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_REPLACEMENT] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLACEMENT_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_REPLY_UNDECODABLE] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_AV_PROFILE_ENCRYPTED_MAIL] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_AV_PROFILE_REPLY_ENCRYPTED] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
};

const struct nla_policy smtpsplice_prefix_nl_policy[SMTPSPLICE_A_PREFIX_LEN + 1] = {
	[SMTPSPLICE_A_PREFIX_ADDR] = { .type = NLA_BINARY, },
	[SMTPSPLICE_A_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
};

const struct nla_policy smtpsplice_tls_profile_nl_policy[SMTPSPLICE_A_TLS_PROFILE_EXEMPT_REGEX + 1] = {
	[SMTPSPLICE_A_TLS_PROFILE_SMTPS] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_TLS_PROFILE_SMTPS_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[SMTPSPLICE_A_TLS_PROFILE_STARTTLS] = NLA_POLICY_MAX(NLA_U32, 3),
	[SMTPSPLICE_A_TLS_PROFILE_EXPIRED_SERVER_CERT] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_TLS_PROFILE_REVOKED_SERVER_CERT] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_TLS_PROFILE_UNTRUSTED_SERVER_CERT] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_TLS_PROFILE_CERT_VALIDATION_TIMEOUT] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_TLS_PROFILE_CERT_VALIDATION_FAILURE] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_TLS_PROFILE_SNI_SERVER_CERT_CHECK] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_TLS_PROFILE_UNSUPPORTED_SSL_VERSION] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMTPSPLICE_A_TLS_PROFILE_UNSUPPORTED_SSL_CIPHER] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMTPSPLICE_A_TLS_PROFILE_UNSUPPORTED_SSL_NEGOTIATION] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMTPSPLICE_A_TLS_PROFILE_CLIENT_CERTIFICATE] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_TLS_PROFILE_SERVER_CERT_MODE] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMTPSPLICE_A_TLS_PROFILE_SERVER_CERT] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
	[SMTPSPLICE_A_TLS_PROFILE_EXEMPT_ADDRESS] = NLA_POLICY_NESTED(smtpsplice_prefix_nl_policy),
	[SMTPSPLICE_A_TLS_PROFILE_EXEMPT_NAME] = { .type = NLA_STRING, .len = SMTPSPLICE_PATTERN_MAX, },
	[SMTPSPLICE_A_TLS_PROFILE_EXEMPT_REGEX] = { .type = NLA_STRING, .len = SMTPSPLICE_PATTERN_MAX, },
};

/* SMTPSPLICE_CMD_REGISTER - do */
static const struct nla_policy smtpsplice_register_nl_policy[SMTPSPLICE_A_HELPER_ROLES + 1] = {
	[SMTPSPLICE_A_HELPER_ROLES] = NLA_POLICY_MASK(NLA_U32, 0x3),
};

/* SMTPSPLICE_CMD_SCAN_VERDICT - do */
static const struct nla_policy smtpsplice_scan_verdict_nl_policy[SMTPSPLICE_A_SCAN_INFECTED + 1] = {
	[SMTPSPLICE_A_SCAN_COOKIE] = { .type = NLA_U64, },
	[SMTPSPLICE_A_SCAN_VERDICT] = NLA_POLICY_MAX(NLA_U32, 3),
	[SMTPSPLICE_A_SCAN_REPLY] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_SCAN_VIRUS] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_TEXT_MAX, },
	[SMTPSPLICE_A_SCAN_FILE] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_TEXT_MAX, },
	[SMTPSPLICE_A_SCAN_UNSCANNED] = NLA_POLICY_MAX(NLA_U32, 10),
	[SMTPSPLICE_A_SCAN_TAG] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_REPLY_MAX, },
	[SMTPSPLICE_A_SCAN_REPLACEMENT] = { .type = NLA_S32, },
	[SMTPSPLICE_A_SCAN_INFECTED] = { .type = NLA_FLAG, },
};

/* SMTPSPLICE_CMD_HANDSHAKE_DONE - do */
static const struct nla_policy smtpsplice_handshake_done_nl_policy[SMTPSPLICE_A_HANDSHAKE_SERVER_SECRETS + 1] = {
	[SMTPSPLICE_A_HANDSHAKE_COOKIE] = { .type = NLA_U64, },
	[SMTPSPLICE_A_HANDSHAKE_RESULT] = NLA_POLICY_MAX(NLA_U32, 2),
	[SMTPSPLICE_A_HANDSHAKE_CAUSE] = NLA_POLICY_MAX(NLA_U32, 17),
	[SMTPSPLICE_A_HANDSHAKE_SERVER_NAME] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_PATTERN_MAX, },
	[SMTPSPLICE_A_HANDSHAKE_VERSION] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
	[SMTPSPLICE_A_HANDSHAKE_CIPHER] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_TEXT_MAX, },
	[SMTPSPLICE_A_HANDSHAKE_TEXT] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_TEXT_MAX, },
	[SMTPSPLICE_A_HANDSHAKE_CLIENT_SECRETS] = { .type = NLA_BINARY, },
	[SMTPSPLICE_A_HANDSHAKE_SERVER_SECRETS] = { .type = NLA_BINARY, },
};

/* SMTPSPLICE_CMD_TLS_ADD - do */
static const struct nla_policy smtpsplice_tls_add_nl_policy[SMTPSPLICE_A_TLS_PROFILE + 1] = {
	[SMTPSPLICE_A_TLS_NAME] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
	[SMTPSPLICE_A_TLS_PROFILE] = NLA_POLICY_NESTED(smtpsplice_tls_profile_nl_policy),
};

/* SMTPSPLICE_CMD_TLS_SET - do */
static const struct nla_policy smtpsplice_tls_set_nl_policy[SMTPSPLICE_A_TLS_PROFILE + 1] = {
	[SMTPSPLICE_A_TLS_NAME] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
	[SMTPSPLICE_A_TLS_PROFILE] = NLA_POLICY_NESTED(smtpsplice_tls_profile_nl_policy),
};

/* SMTPSPLICE_CMD_TLS_DEL - do */
static const struct nla_policy smtpsplice_tls_del_nl_policy[SMTPSPLICE_A_TLS_NAME + 1] = {
	[SMTPSPLICE_A_TLS_NAME] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
};

/* SMTPSPLICE_CMD_AV_ADD - do */
static const struct nla_policy smtpsplice_av_add_nl_policy[SMTPSPLICE_A_AV_PROFILE + 1] = {
	[SMTPSPLICE_A_AV_NAME] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
	[SMTPSPLICE_A_AV_PROFILE] = NLA_POLICY_NESTED(smtpsplice_av_profile_nl_policy),
};

/* SMTPSPLICE_CMD_AV_SET - do */
static const struct nla_policy smtpsplice_av_set_nl_policy[SMTPSPLICE_A_AV_PROFILE + 1] = {
	[SMTPSPLICE_A_AV_NAME] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
	[SMTPSPLICE_A_AV_PROFILE] = NLA_POLICY_NESTED(smtpsplice_av_profile_nl_policy),
};

/* SMTPSPLICE_CMD_AV_DEL - do */
static const struct nla_policy smtpsplice_av_del_nl_policy[SMTPSPLICE_A_AV_NAME + 1] = {
	[SMTPSPLICE_A_AV_NAME] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
};

/* SMTPSPLICE_CMD_POLICY_ADD - do */
static const struct nla_policy smtpsplice_policy_add_nl_policy[SMTPSPLICE_A_POLICY_AV + 1] = {
	[SMTPSPLICE_A_POLICY_NAME] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
	[SMTPSPLICE_A_POLICY_IIF] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_IFNAME_MAX, },
	[SMTPSPLICE_A_POLICY_SRC] = NLA_POLICY_NESTED(smtpsplice_prefix_nl_policy),
	[SMTPSPLICE_A_POLICY_DST] = NLA_POLICY_NESTED(smtpsplice_prefix_nl_policy),
	[SMTPSPLICE_A_POLICY_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[SMTPSPLICE_A_POLICY_MODE] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMTPSPLICE_A_POLICY_TLS] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
	[SMTPSPLICE_A_POLICY_AV] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
	[SMTPSPLICE_A_POLICY_POSITION] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* SMTPSPLICE_CMD_POLICY_DEL - do */
static const struct nla_policy smtpsplice_policy_del_nl_policy[SMTPSPLICE_A_POLICY_NAME + 1] = {
	[SMTPSPLICE_A_POLICY_NAME] = { .type = NLA_NUL_STRING, .len = SMTPSPLICE_NAME_MAX, },
};

/* SMTPSPLICE_CMD_SETTINGS_SET - do */
static const struct nla_policy smtpsplice_settings_set_nl_policy[SMTPSPLICE_A_SETTINGS_MAX_CLIENT_SCANS + 1] = {
	[SMTPSPLICE_A_SETTINGS_MAX_SESSIONS] = NLA_POLICY_FULL_RANGE(NLA_U32, &smtpsplice_a_settings_max_sessions_range),
	[SMTPSPLICE_A_SETTINGS_MAX_CLIENT_SESSIONS] = NLA_POLICY_MIN(NLA_U32, 1),
	[SMTPSPLICE_A_SETTINGS_MAX_MESSAGE] = NLA_POLICY_FULL_RANGE(NLA_U64, &smtpsplice_a_settings_max_message_range),
	[SMTPSPLICE_A_SETTINGS_MAX_HELD] = NLA_POLICY_FULL_RANGE(NLA_U64, &smtpsplice_a_settings_max_held_range),
	[SMTPSPLICE_A_SETTINGS_DIAL_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
	[SMTPSPLICE_A_SETTINGS_HANDSHAKE_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
	[SMTPSPLICE_A_SETTINGS_COMMAND_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
	[SMTPSPLICE_A_SETTINGS_DATA_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
	[SMTPSPLICE_A_SETTINGS_SCAN_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
	[SMTPSPLICE_A_SETTINGS_REPLY_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
	[SMTPSPLICE_A_SETTINGS_KEEPALIVE] = NLA_POLICY_MIN(NLA_U32, 1),
	[SMTPSPLICE_A_SETTINGS_BARE_NEWLINE] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMTPSPLICE_A_SETTINGS_MESSAGE_TIMEOUT] = NLA_POLICY_MIN(NLA_U32, 1),
	[SMTPSPLICE_A_SETTINGS_CONSERVE_GREEN] = NLA_POLICY_RANGE(NLA_U32, 1, 100),
	[SMTPSPLICE_A_SETTINGS_CONSERVE_RED] = NLA_POLICY_RANGE(NLA_U32, 1, 100),
	[SMTPSPLICE_A_SETTINGS_CONSERVE_EXTREME] = NLA_POLICY_RANGE(NLA_U32, 1, 100),
	[SMTPSPLICE_A_SETTINGS_MAX_CLIENT_HELD] = NLA_POLICY_RANGE(NLA_U32, 1, 100),
	[SMTPSPLICE_A_SETTINGS_MAX_CLIENT_HANDSHAKES] = NLA_POLICY_MIN(NLA_U32, 1),
	[SMTPSPLICE_A_SETTINGS_MAX_CLIENT_SCANS] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* Ops table for smtpsplice */
static const struct genl_split_ops smtpsplice_nl_ops[] = {
	{
		.cmd		= SMTPSPLICE_CMD_REGISTER,
		.doit		= smtpsplice_nl_register_doit,
		.policy		= smtpsplice_register_nl_policy,
		.maxattr	= SMTPSPLICE_A_HELPER_ROLES,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMTPSPLICE_CMD_SCAN_ACCEPT,
		.doit	= smtpsplice_nl_scan_accept_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMTPSPLICE_CMD_SCAN_VERDICT,
		.doit		= smtpsplice_nl_scan_verdict_doit,
		.policy		= smtpsplice_scan_verdict_nl_policy,
		.maxattr	= SMTPSPLICE_A_SCAN_INFECTED,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMTPSPLICE_CMD_HANDSHAKE_ACCEPT,
		.doit	= smtpsplice_nl_handshake_accept_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMTPSPLICE_CMD_HANDSHAKE_DONE,
		.doit		= smtpsplice_nl_handshake_done_doit,
		.policy		= smtpsplice_handshake_done_nl_policy,
		.maxattr	= SMTPSPLICE_A_HANDSHAKE_SERVER_SECRETS,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMTPSPLICE_CMD_TLS_ADD,
		.doit		= smtpsplice_nl_tls_add_doit,
		.policy		= smtpsplice_tls_add_nl_policy,
		.maxattr	= SMTPSPLICE_A_TLS_PROFILE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMTPSPLICE_CMD_TLS_SET,
		.doit		= smtpsplice_nl_tls_set_doit,
		.policy		= smtpsplice_tls_set_nl_policy,
		.maxattr	= SMTPSPLICE_A_TLS_PROFILE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMTPSPLICE_CMD_TLS_DEL,
		.doit		= smtpsplice_nl_tls_del_doit,
		.policy		= smtpsplice_tls_del_nl_policy,
		.maxattr	= SMTPSPLICE_A_TLS_NAME,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMTPSPLICE_CMD_TLS_GET,
		.start	= smtpsplice_nl_tls_get_start,
		.dumpit	= smtpsplice_nl_tls_get_dumpit,
		.flags	= GENL_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= SMTPSPLICE_CMD_AV_ADD,
		.doit		= smtpsplice_nl_av_add_doit,
		.policy		= smtpsplice_av_add_nl_policy,
		.maxattr	= SMTPSPLICE_A_AV_PROFILE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMTPSPLICE_CMD_AV_SET,
		.doit		= smtpsplice_nl_av_set_doit,
		.policy		= smtpsplice_av_set_nl_policy,
		.maxattr	= SMTPSPLICE_A_AV_PROFILE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMTPSPLICE_CMD_AV_DEL,
		.doit		= smtpsplice_nl_av_del_doit,
		.policy		= smtpsplice_av_del_nl_policy,
		.maxattr	= SMTPSPLICE_A_AV_NAME,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMTPSPLICE_CMD_AV_GET,
		.start	= smtpsplice_nl_av_get_start,
		.dumpit	= smtpsplice_nl_av_get_dumpit,
		.flags	= GENL_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= SMTPSPLICE_CMD_POLICY_ADD,
		.doit		= smtpsplice_nl_policy_add_doit,
		.policy		= smtpsplice_policy_add_nl_policy,
		.maxattr	= SMTPSPLICE_A_POLICY_AV,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMTPSPLICE_CMD_POLICY_DEL,
		.doit		= smtpsplice_nl_policy_del_doit,
		.policy		= smtpsplice_policy_del_nl_policy,
		.maxattr	= SMTPSPLICE_A_POLICY_NAME,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMTPSPLICE_CMD_POLICY_GET,
		.dumpit	= smtpsplice_nl_policy_get_dumpit,
		.flags	= GENL_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= SMTPSPLICE_CMD_SETTINGS_GET,
		.doit	= smtpsplice_nl_settings_get_doit,
		.flags	= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMTPSPLICE_CMD_SETTINGS_SET,
		.doit		= smtpsplice_nl_settings_set_doit,
		.policy		= smtpsplice_settings_set_nl_policy,
		.maxattr	= SMTPSPLICE_A_SETTINGS_MAX_CLIENT_SCANS,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMTPSPLICE_CMD_SESSION_GET,
		.dumpit	= smtpsplice_nl_session_get_dumpit,
		.flags	= GENL_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= SMTPSPLICE_CMD_STATS_GET,
		.doit	= smtpsplice_nl_stats_get_doit,
		.flags	= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group smtpsplice_nl_mcgrps[] = {
	[SMTPSPLICE_NLGRP_WORK] = { "work", },
	[SMTPSPLICE_NLGRP_EVENTS] = { "events", },
};

struct genl_family smtpsplice_nl_family __ro_after_init = {
	.name		= SMTPSPLICE_FAMILY_NAME,
	.version	= SMTPSPLICE_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= smtpsplice_nl_ops,
	.n_split_ops	= ARRAY_SIZE(smtpsplice_nl_ops),
	.mcgrps		= smtpsplice_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(smtpsplice_nl_mcgrps),
};
