// SPDX-License-Identifier: GPL-2.0
/*
 * The attribute sets of uapi/smtpsplice.yaml as tables, and what turns a
 * message of the kernel into JSON by them. Whatever is shown, as text or JSON,
 * comes from that JSON. And what reads an attribute for those who go by it.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/smtpsplice.h>

#include "lib/addr.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "proto/attrs.h"

#define TEXT_SIZE	(SMTPSPLICE_REPLACEMENT_MAX + 1)

#define NAMES_OF(id, ...)						\
static const char *const id##_name[] = { __VA_ARGS__ };			\
static const struct ss_names id = { ARRAY_SIZE(id##_name), id##_name }

NAMES_OF(modes, "hold", "splice");
NAMES_OF(verdicts, "accept", "reject", "tempfail", "discard");
NAMES_OF(newlines, "reject", "allow");
NAMES_OF(states, "dial", "handshake", "greet", "command", "body", "scan", "release",
	 "reply", "relay", "close");
NAMES_OF(events, "session-open", "session-close", "verdict", "policy-add",
	 "policy-del", "settings", "helper-up", "helper-down", "tls-add", "tls-del",
	 "handshake", "av-add", "av-del", "conserve");
NAMES_OF(unscanneds, "none", "policy", "oversize", "scan-error", "scan-timeout",
	 "helper-down", "over-budget", "archive", "partial", "ambiguous", "encrypted");
NAMES_OF(av_scans, "block", "monitor", "disable");
NAMES_OF(executables, "default", "virus");
NAMES_OF(infecteds, "reject", "replace", "discard");
NAMES_OF(archive_conditions, "encrypted", "corrupted", "partiallycorrupted", "multipart",
	 "nested", "mailbomb", "timeout", "unhandled");
NAMES_OF(fail_actions, "tempfail", "block", "pass");
NAMES_OF(pass_blocks, "block", "pass");
NAMES_OF(ambiguities, "block", "monitor");
NAMES_OF(switches, "enable", "disable");
NAMES_OF(tls_modes, "inspect", "bypass", "off");
NAMES_OF(starttls_modes, "inspect", "require", "strip", "bypass");
NAMES_OF(tls_actions, "allow", "block", "ignore");
NAMES_OF(tls_supports, "allow", "block");
NAMES_OF(sni_checks, "enable", "strict", "disable");
NAMES_OF(client_certs, "bypass", "inspect", "block");
NAMES_OF(cert_modes, "re-sign", "replace");
NAMES_OF(tls_results, "failed", "inspected", "bypassed");
NAMES_OF(tls_causes, "none", "policy", "exempt", "client-certificate", "version",
	 "cipher", "negotiation", "expired", "revoked", "untrusted",
	 "validation-timeout", "validation-failure", "server-name", "own-ca",
	 "client", "server", "timeout", "helper");

static_assert(ARRAY_SIZE(states_name) == SMTPSPLICE_STATE_CLOSE + 1, "states");
static_assert(ARRAY_SIZE(events_name) == SMTPSPLICE_EVENT_CONSERVE + 1, "events");
static_assert(ARRAY_SIZE(tls_results_name) == SMTPSPLICE_TLS_RESULT_BYPASSED + 1, "results");
static_assert(ARRAY_SIZE(tls_causes_name) == SMTPSPLICE_TLS_CAUSE_HELPER + 1, "causes");
static_assert(ARRAY_SIZE(verdicts_name) == SMTPSPLICE_VERDICT_DISCARD + 1, "verdicts");
static_assert(ARRAY_SIZE(unscanneds_name) == SMTPSPLICE_UNSCANNED_ENCRYPTED + 1, "unscanned");
static_assert(ARRAY_SIZE(fail_actions_name) == SMTPSPLICE_FAIL_ACTION_PASS + 1, "actions");
static_assert(1 << (ARRAY_SIZE(archive_conditions_name) - 1) ==
	      SMTPSPLICE_ARCHIVE_CONDITION_UNHANDLED, "conditions");
static_assert(ARRAY_SIZE(newlines_name) == SMTPSPLICE_BARE_NEWLINE_ALLOW + 1, "newlines");

#define SET(id, upper)							\
const struct ss_attr_set ss_attrs_##id = {				\
	.max = SMTPSPLICE_A_##upper##_MAX,				\
	.attr = id##_attr,						\
};									\
static_assert(ARRAY_SIZE(id##_attr) == SMTPSPLICE_A_##upper##_MAX + 1, #id)

#define P(name) SMTPSPLICE_A_POLICY_##name
static const struct ss_attr policy_attr[] = {
	[P(NAME)]	= { "name", SS_ATTR_TEXT, NULL },
	[P(IIF)]	= { "iif", SS_ATTR_TEXT, NULL },
	[P(SRC)]	= { "src", SS_ATTR_PREFIXES, NULL },
	[P(DST)]	= { "dst", SS_ATTR_PREFIXES, NULL },
	[P(PORT)]	= { "port", SS_ATTR_PORTS, NULL },
	[P(MODE)]	= { "mode", SS_ATTR_ENUM, &modes },
	[P(TLS)]	= { "tls", SS_ATTR_TEXT, NULL },
	[P(POSITION)]	= { "position", SS_ATTR_U32, NULL },
	[P(SESSIONS)]	= { "sessions", SS_ATTR_U64, NULL },
	[P(MESSAGES)]	= { "messages", SS_ATTR_U64, NULL },
	[P(AV)]		= { "av", SS_ATTR_TEXT, NULL },
};

SET(policy, POLICY);

#define F(name) SMTPSPLICE_A_TLS_PROFILE_##name
static const struct ss_attr tls_profile_attr[] = {
	[F(SMTPS)]		= { "smtps", SS_ATTR_ENUM, &tls_modes },
	[F(SMTPS_PORT)]		= { "smtps-port", SS_ATTR_PORTS, NULL },
	[F(STARTTLS)]		= { "starttls", SS_ATTR_ENUM, &starttls_modes },
	[F(EXPIRED_SERVER_CERT)] = { "expired-server-cert", SS_ATTR_ENUM, &tls_actions },
	[F(REVOKED_SERVER_CERT)] = { "revoked-server-cert", SS_ATTR_ENUM, &tls_actions },
	[F(UNTRUSTED_SERVER_CERT)] = { "untrusted-server-cert", SS_ATTR_ENUM, &tls_actions },
	[F(CERT_VALIDATION_TIMEOUT)] = { "cert-validation-timeout", SS_ATTR_ENUM, &tls_actions },
	[F(CERT_VALIDATION_FAILURE)] = { "cert-validation-failure", SS_ATTR_ENUM, &tls_actions },
	[F(SNI_SERVER_CERT_CHECK)] = { "sni-server-cert-check", SS_ATTR_ENUM, &sni_checks },
	[F(UNSUPPORTED_SSL_VERSION)] = { "unsupported-ssl-version", SS_ATTR_ENUM, &tls_supports },
	[F(UNSUPPORTED_SSL_CIPHER)] = { "unsupported-ssl-cipher", SS_ATTR_ENUM, &tls_supports },
	[F(UNSUPPORTED_SSL_NEGOTIATION)] = { "unsupported-ssl-negotiation", SS_ATTR_ENUM,
					     &tls_supports },
	[F(CLIENT_CERTIFICATE)]	= { "client-certificate", SS_ATTR_ENUM, &client_certs },
	[F(SERVER_CERT_MODE)]	= { "server-cert-mode", SS_ATTR_ENUM, &cert_modes },
	[F(SERVER_CERT)]	= { "server-cert", SS_ATTR_TEXT, NULL },
	[F(EXEMPT_ADDRESS)]	= { "exempt-address", SS_ATTR_PREFIXES, NULL },
	[F(EXEMPT_NAME)]	= { "exempt-name", SS_ATTR_TEXTS, NULL },
	[F(EXEMPT_REGEX)]	= { "exempt-regex", SS_ATTR_TEXTS, NULL },
};

SET(tls_profile, TLS_PROFILE);

#define L(name) SMTPSPLICE_A_TLS_##name
static const struct ss_attr tls_attr[] = {
	[L(NAME)]	= { "name", SS_ATTR_TEXT, NULL },
	[L(PROFILE)]	= { "profile", SS_ATTR_TLS_PROFILE, NULL },
	[L(POLICIES)]	= { "policies", SS_ATTR_U32, NULL },
};

SET(tls, TLS);

#define V(name) SMTPSPLICE_A_AV_PROFILE_##name
static const struct ss_attr av_profile_attr[] = {
	[V(AV_SCAN)]		= { "av-scan", SS_ATTR_ENUM, &av_scans },
	[V(EXECUTABLES)]	= { "executables", SS_ATTR_ENUM, &executables },
	[V(INFECTED)]		= { "infected", SS_ATTR_ENUM, &infecteds },
	[V(ARCHIVE_BLOCK)]	= { "archive-block", SS_ATTR_FLAGS, &archive_conditions },
	[V(ARCHIVE_LOG)]	= { "archive-log", SS_ATTR_FLAGS, &archive_conditions },
	[V(OVERSIZE_LIMIT)]	= { "oversize-limit", SS_ATTR_U64, NULL },
	[V(OVERSIZE)]		= { "oversize", SS_ATTR_ENUM, &fail_actions },
	[V(UNCOMPRESSED_LIMIT)]	= { "uncompressed-limit", SS_ATTR_U64, NULL },
	[V(UNCOMPRESSED_NEST_LIMIT)] = { "uncompressed-nest-limit", SS_ATTR_U32, NULL },
	[V(FRAGMAIL)]		= { "fragmail", SS_ATTR_ENUM, &pass_blocks },
	[V(MIME_AMBIGUITY)]	= { "mime-ambiguity", SS_ATTR_ENUM, &ambiguities },
	[V(FILE_NAME)]		= { "file-name", SS_ATTR_TEXTS, NULL },
	[V(FILE_TYPE)]		= { "file-type", SS_ATTR_TEXTS, NULL },
	[V(HASH_BLOCK)]		= { "hash-block", SS_ATTR_HASHES, NULL },
	[V(HASH_ALLOW)]		= { "hash-allow", SS_ATTR_HASHES, NULL },
	[V(SCAN_ERROR)]		= { "scan-error", SS_ATTR_ENUM, &fail_actions },
	[V(SCAN_TIMEOUT)]	= { "scan-timeout", SS_ATTR_ENUM, &fail_actions },
	[V(HELPER_DOWN)]	= { "helper-down", SS_ATTR_ENUM, &fail_actions },
	[V(OVER_BUDGET)]	= { "over-budget", SS_ATTR_ENUM, &fail_actions },
	[V(UNDECODABLE)]	= { "undecodable", SS_ATTR_ENUM, &fail_actions },
	[V(QUARANTINE)]		= { "quarantine", SS_ATTR_ENUM, &switches },
	[V(CACHE)]		= { "cache", SS_ATTR_ENUM, &switches },
	[V(SENDER_BAN)]		= { "sender-ban", SS_ATTR_U32, NULL },
	[V(REPLY_VIRUS)]	= { "reply-virus", SS_ATTR_TEXT, NULL },
	[V(REPLY_EXECUTABLE)]	= { "reply-executable", SS_ATTR_TEXT, NULL },
	[V(REPLY_FILENAME)]	= { "reply-filename", SS_ATTR_TEXT, NULL },
	[V(REPLY_HASH)]		= { "reply-hash", SS_ATTR_TEXT, NULL },
	[V(REPLY_ARCHIVE)]	= { "reply-archive", SS_ATTR_TEXT, NULL },
	[V(REPLY_PARTIAL)]	= { "reply-partial", SS_ATTR_TEXT, NULL },
	[V(REPLY_AMBIGUOUS)]	= { "reply-ambiguous", SS_ATTR_TEXT, NULL },
	[V(REPLY_OVERSIZE)]	= { "reply-oversize", SS_ATTR_TEXT, NULL },
	[V(REPLY_FAILURE)]	= { "reply-failure", SS_ATTR_TEXT, NULL },
	[V(REPLACEMENT)]	= { "replacement", SS_ATTR_LINES, NULL },
	[V(REPLY_UNDECODABLE)]	= { "reply-undecodable", SS_ATTR_TEXT, NULL },
	[V(ENCRYPTED_MAIL)]	= { "encrypted-mail", SS_ATTR_ENUM, &fail_actions },
	[V(REPLY_ENCRYPTED)]	= { "reply-encrypted", SS_ATTR_TEXT, NULL },
};

SET(av_profile, AV_PROFILE);

#define W(name) SMTPSPLICE_A_AV_##name
static const struct ss_attr av_attr[] = {
	[W(NAME)]	= { "name", SS_ATTR_TEXT, NULL },
	[W(PROFILE)]	= { "profile", SS_ATTR_AV_PROFILE, NULL },
	[W(POLICIES)]	= { "policies", SS_ATTR_U32, NULL },
};

SET(av, AV);

#define T(name) SMTPSPLICE_A_SETTINGS_##name
static const struct ss_attr settings_attr[] = {
	[T(MAX_SESSIONS)]	= { "max-sessions", SS_ATTR_U32, NULL },
	[T(MAX_CLIENT_SESSIONS)] = { "max-client-sessions", SS_ATTR_U32, NULL },
	[T(MAX_MESSAGE)]	= { "max-message", SS_ATTR_U64, NULL },
	[T(MAX_HELD)]		= { "max-held", SS_ATTR_U64, NULL },
	[T(DIAL_TIMEOUT)]	= { "dial-timeout", SS_ATTR_MS, NULL },
	[T(HANDSHAKE_TIMEOUT)]	= { "handshake-timeout", SS_ATTR_MS, NULL },
	[T(COMMAND_TIMEOUT)]	= { "command-timeout", SS_ATTR_MS, NULL },
	[T(DATA_TIMEOUT)]	= { "data-timeout", SS_ATTR_MS, NULL },
	[T(SCAN_TIMEOUT)]	= { "scan-timeout", SS_ATTR_MS, NULL },
	[T(REPLY_TIMEOUT)]	= { "reply-timeout", SS_ATTR_MS, NULL },
	[T(KEEPALIVE)]		= { "keepalive", SS_ATTR_MS, NULL },
	[T(BARE_NEWLINE)]	= { "bare-newline", SS_ATTR_ENUM, &newlines },
	[T(MESSAGE_TIMEOUT)]	= { "message-timeout", SS_ATTR_MS, NULL },
	[T(CONSERVE_GREEN)]	= { "conserve-green", SS_ATTR_U32, NULL },
	[T(CONSERVE_RED)]	= { "conserve-red", SS_ATTR_U32, NULL },
	[T(CONSERVE_EXTREME)]	= { "conserve-extreme", SS_ATTR_U32, NULL },
	[T(MAX_CLIENT_HELD)]	= { "max-client-held", SS_ATTR_U32, NULL },
	[T(MAX_CLIENT_HANDSHAKES)] = { "max-client-handshakes", SS_ATTR_U32, NULL },
	[T(MAX_CLIENT_SCANS)]	= { "max-client-scans", SS_ATTR_U32, NULL },
};

SET(settings, SETTINGS);

#define S(name) SMTPSPLICE_A_SESSION_##name
static const struct ss_attr session_attr[] = {
	[S(ID)]			= { "id", SS_ATTR_U64, NULL },
	[S(POLICY)]		= { "policy", SS_ATTR_TEXT, NULL },
	[S(STATE)]		= { "state", SS_ATTR_ENUM, &states },
	[S(IIF)]		= { "iif", SS_ATTR_TEXT, NULL },
	[S(CLIENT)]		= { "client", SS_ATTR_ADDR, NULL },
	[S(CLIENT_PORT)]	= { "client-port", SS_ATTR_U16, NULL },
	[S(SERVER)]		= { "server", SS_ATTR_ADDR, NULL },
	[S(SERVER_PORT)]	= { "server-port", SS_ATTR_U16, NULL },
	[S(AGE)]		= { "age", SS_ATTR_U64, NULL },
	[S(TLS)]		= { "tls", SS_ATTR_ENUM, &tls_results },
	[S(MESSAGES)]		= { "messages", SS_ATTR_U32, NULL },
	[S(HELD)]		= { "held", SS_ATTR_U64, NULL },
};

SET(session, SESSION);

#define C(name) SMTPSPLICE_A_STATS_##name
static const struct ss_attr stats_attr[] = {
	[C(HELPERS)]		= { "helpers", SS_ATTR_U64, NULL },
	[C(SESSIONS)]		= { "sessions", SS_ATTR_U64, NULL },
	[C(HELD)]		= { "held", SS_ATTR_U64, NULL },
	[C(SCAN_QUEUED)]	= { "scan-queued", SS_ATTR_U64, NULL },
	[C(HANDSHAKE_QUEUED)]	= { "handshake-queued", SS_ATTR_U64, NULL },
	[C(CONSERVE)]		= { "conserve", SS_ATTR_U64, NULL },
	[C(STEERED)]		= { "steered", SS_ATTR_U64, NULL },
	[C(STEER_REFUSED)]	= { "steer-refused", SS_ATTR_U64, NULL },
	[C(ACCEPTED)]		= { "accepted", SS_ATTR_U64, NULL },
	[C(OVER_LIMIT)]		= { "over-limit", SS_ATTR_U64, NULL },
	[C(DIAL_FAILED)]	= { "dial-failed", SS_ATTR_U64, NULL },
	[C(HANDSHAKES)]		= { "handshakes", SS_ATTR_U64, NULL },
	[C(HANDSHAKE_FAILED)]	= { "handshake-failed", SS_ATTR_U64, NULL },
	[C(TLS_FLOOD)]		= { "tls-flood", SS_ATTR_U64, NULL },
	[C(BYPASS_POLICY)]	= { "bypass-policy", SS_ATTR_U64, NULL },
	[C(BYPASS_EXEMPT)]	= { "bypass-exempt", SS_ATTR_U64, NULL },
	[C(BYPASS_CLIENT_CERTIFICATE)] = { "bypass-client-certificate", SS_ATTR_U64, NULL },
	[C(BYPASS_UNSUPPORTED)]	= { "bypass-unsupported", SS_ATTR_U64, NULL },
	[C(MESSAGES)]		= { "messages", SS_ATTR_U64, NULL },
	[C(OCTETS)]		= { "octets", SS_ATTR_U64, NULL },
	[C(CLEAN)]		= { "clean", SS_ATTR_U64, NULL },
	[C(INFECTED)]		= { "infected", SS_ATTR_U64, NULL },
	[C(TEMPFAIL)]		= { "tempfail", SS_ATTR_U64, NULL },
	[C(SCAN_TIMEOUT)]	= { "scan-timeout", SS_ATTR_U64, NULL },
	[C(SCAN_REQUEUED)]	= { "scan-requeued", SS_ATTR_U64, NULL },
	[C(DELIVERED)]		= { "delivered", SS_ATTR_U64, NULL },
	[C(REFUSED_BY_SERVER)]	= { "refused-by-server", SS_ATTR_U64, NULL },
	[C(OVERSIZE)]		= { "oversize", SS_ATTR_U64, NULL },
	[C(NO_SPACE)]		= { "no-space", SS_ATTR_U64, NULL },
	[C(BAD_NEWLINE)]	= { "bad-newline", SS_ATTR_U64, NULL },
	[C(BAD_COMMAND)]	= { "bad-command", SS_ATTR_U64, NULL },
	[C(PROTOCOL_ERROR)]	= { "protocol-error", SS_ATTR_U64, NULL },
	[C(TIMEOUT)]		= { "timeout", SS_ATTR_U64, NULL },
	[C(ABORTED)]		= { "aborted", SS_ATTR_U64, NULL },
	[C(VERDICT_STALE)]	= { "verdict-stale", SS_ATTR_U64, NULL },
	[C(MONITORED)]		= { "monitored", SS_ATTR_U64, NULL },
	[C(REPLACED)]		= { "replaced", SS_ATTR_U64, NULL },
	[C(TAGGED)]		= { "tagged", SS_ATTR_U64, NULL },
	[C(DISCARDED)]		= { "discarded", SS_ATTR_U64, NULL },
	[C(BANNED)]		= { "banned", SS_ATTR_U64, NULL },
	[C(MESSAGE_TIMEOUT)]	= { "message-timeout", SS_ATTR_U64, NULL },
	[C(UNSCANNED_POLICY)]	= { "unscanned-policy", SS_ATTR_U64, NULL },
	[C(UNSCANNED_OVERSIZE)]	= { "unscanned-oversize", SS_ATTR_U64, NULL },
	[C(UNSCANNED_SCAN_ERROR)]	= { "unscanned-scan-error", SS_ATTR_U64, NULL },
	[C(UNSCANNED_SCAN_TIMEOUT)]	= { "unscanned-scan-timeout", SS_ATTR_U64, NULL },
	[C(UNSCANNED_HELPER_DOWN)]	= { "unscanned-helper-down", SS_ATTR_U64, NULL },
	[C(UNSCANNED_OVER_BUDGET)]	= { "unscanned-over-budget", SS_ATTR_U64, NULL },
	[C(UNSCANNED_ARCHIVE)]	= { "unscanned-archive", SS_ATTR_U64, NULL },
	[C(UNSCANNED_PARTIAL)]	= { "unscanned-partial", SS_ATTR_U64, NULL },
	[C(UNSCANNED_AMBIGUOUS)]	= { "unscanned-ambiguous", SS_ATTR_U64, NULL },
	[C(UNSCANNABLE)]	= { "unscannable", SS_ATTR_U64, NULL },
	[C(UNSCANNED_ENCRYPTED)]	= { "unscanned-encrypted", SS_ATTR_U64, NULL },
	[C(SHARE_HELD)]		= { "share-held", SS_ATTR_U64, NULL },
	[C(SHARE_HANDSHAKES)]	= { "share-handshakes", SS_ATTR_U64, NULL },
	[C(SHARE_SCANS)]	= { "share-scans", SS_ATTR_U64, NULL },
	[C(BYPASS_OFF)]		= { "bypass-off", SS_ATTR_U64, NULL },
	[C(REDIALS)]		= { "redials", SS_ATTR_U64, NULL },
};

SET(stats, STATS);

#define E(name) SMTPSPLICE_A_EVENT_##name
static const struct ss_attr event_attr[] = {
	[E(KIND)]		= { "kind", SS_ATTR_ENUM, &events },
	[E(SESSION)]		= { "session", SS_ATTR_U64, NULL },
	[E(IIF)]		= { "iif", SS_ATTR_TEXT, NULL },
	[E(CLIENT)]		= { "client", SS_ATTR_ADDR, NULL },
	[E(CLIENT_PORT)]	= { "client-port", SS_ATTR_U16, NULL },
	[E(SERVER)]		= { "server", SS_ATTR_ADDR, NULL },
	[E(SERVER_PORT)]	= { "server-port", SS_ATTR_U16, NULL },
	[E(POLICY)]		= { "policy", SS_ATTR_TEXT, NULL },
	[E(VERDICT)]		= { "verdict", SS_ATTR_ENUM, &verdicts },
	[E(REPLY)]		= { "reply", SS_ATTR_TEXT, NULL },
	[E(VIRUS)]		= { "virus", SS_ATTR_TEXT, NULL },
	[E(FILE)]		= { "file", SS_ATTR_TEXT, NULL },
	[E(TLS)]		= { "tls", SS_ATTR_TEXT, NULL },
	[E(RESULT)]		= { "result", SS_ATTR_ENUM, &tls_results },
	[E(CAUSE)]		= { "cause", SS_ATTR_ENUM, &tls_causes },
	[E(SERVER_NAME)]	= { "server-name", SS_ATTR_TEXT, NULL },
	[E(VERSION)]		= { "version", SS_ATTR_TEXT, NULL },
	[E(CIPHER)]		= { "cipher", SS_ATTR_TEXT, NULL },
	[E(TEXT)]		= { "text", SS_ATTR_TEXT, NULL },
	[E(AV)]			= { "av", SS_ATTR_TEXT, NULL },
	[E(UNSCANNED)]		= { "unscanned", SS_ATTR_ENUM, &unscanneds },
};

SET(event, EVENT);

static uint64_t read_number(const struct nlattr *nla)
{
	uint64_t u64 = 0;
	uint32_t u32 = 0;
	uint16_t u16 = 0;

	switch (nla_len(nla)) {
	case sizeof(u64):
		memcpy(&u64, nla_data(nla), sizeof(u64));
		return u64;
	case sizeof(u32):
		memcpy(&u32, nla_data(nla), sizeof(u32));
		return u32;
	case sizeof(u16):
		memcpy(&u16, nla_data(nla), sizeof(u16));
		return u16;
	default:
		return 0;
	}
}

static struct json_object *read_text(const struct nlattr *nla, enum ss_text_mode mode)
{
	char text[TEXT_SIZE];

	ss_text_clean(mode, text, sizeof(text), nla_data(nla),
		      strnlen(nla_data(nla), nla_len(nla)));
	return json_object_new_string(text);
}

static struct json_object *read_enum(const struct nlattr *nla,
				     const struct ss_names *names)
{
	uint64_t value = read_number(nla);
	char text[24];

	if (value < names->count)
		return json_object_new_string(names->name[value]);
	/* A newer module */
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return json_object_new_string(text);
}

static struct json_object *read_prefix(struct nlattr *nla)
{
	const struct nlattr *addr = nla_find(nla_data(nla), nla_len(nla),
					     SMTPSPLICE_A_PREFIX_ADDR);
	const struct nlattr *len = nla_find(nla_data(nla), nla_len(nla),
					    SMTPSPLICE_A_PREFIX_LEN);
	struct ss_prefix prefix = {};
	char buf[SS_ADDR_SIZE];

	if (!addr || (nla_len(addr) != 4 && nla_len(addr) != 16) ||
	    !len || nla_len(len) < 1)
		return json_object_new_string("?");
	prefix.size = nla_len(addr);
	prefix.len = *(uint8_t *)nla_data(len);
	memcpy(prefix.addr, nla_data(addr), prefix.size);
	return json_object_new_string(ss_addr_format_prefix(buf, &prefix));
}

static struct json_object *read_hash(const struct nlattr *nla)
{
	char text[2 * SMTPSPLICE_SHA256_SIZE + 1] = "";
	const uint8_t *octets = nla_data(nla);
	char *to = text;

	for (int i = 0; i < nla_len(nla) && i < SMTPSPLICE_SHA256_SIZE; i++)
		to += sprintf(to, "%02x", octets[i]);
	return json_object_new_string(text);
}

static struct json_object *read_flags(const struct nlattr *nla, const struct ss_names *names)
{
	struct json_object *array = json_object_new_array();
	uint64_t flags = read_number(nla);

	for (unsigned int i = 0; i < names->count; i++)
		if (flags & 1ull << i)
			json_object_array_add(array, json_object_new_string(names->name[i]));
	return array;
}

/* An attribute that may come more than once: append to its array */
static void append_value(struct json_object *obj, const char *name,
			 struct json_object *value)
{
	struct json_object *array;

	if (!json_object_object_get_ex(obj, name, &array)) {
		array = json_object_new_array();
		json_object_object_add(obj, name, array);
	}
	json_object_array_add(array, value);
}

static void decode_all(const struct ss_attr_set *set, struct nlattr *attrs, int len,
		       struct json_object *obj);

static void decode_one(const struct ss_attr *attr, struct nlattr *nla,
		       struct json_object *obj)
{
	struct json_object *value = NULL;
	char buf[SS_ADDR_SIZE];

	switch (attr->type) {
	case SS_ATTR_U16:
	case SS_ATTR_U32:
	case SS_ATTR_U64:
	case SS_ATTR_MS:
		value = json_object_new_uint64(read_number(nla));
		break;
	case SS_ATTR_ENUM:
		value = read_enum(nla, attr->names);
		break;
	case SS_ATTR_TEXT:
		value = read_text(nla, SS_TEXT_PRINT);
		break;
	case SS_ATTR_LINES:
		value = read_text(nla, SS_TEXT_LINES);
		break;
	case SS_ATTR_ADDR:
		value = json_object_new_string(ss_addr_format(buf, nla_data(nla),
							      nla_len(nla)));
		break;
	case SS_ATTR_PORTS:
		append_value(obj, attr->name, json_object_new_uint64(read_number(nla)));
		return;
	case SS_ATTR_PREFIXES:
		append_value(obj, attr->name, read_prefix(nla));
		return;
	case SS_ATTR_TEXTS:
		append_value(obj, attr->name, read_text(nla, SS_TEXT_PRINT));
		return;
	case SS_ATTR_FLAGS:
		value = read_flags(nla, attr->names);
		break;
	case SS_ATTR_HASHES:
		append_value(obj, attr->name, read_hash(nla));
		return;
	case SS_ATTR_TLS_PROFILE:
		decode_all(&ss_attrs_tls_profile, nla_data(nla), nla_len(nla), obj);
		return;
	case SS_ATTR_AV_PROFILE:
		decode_all(&ss_attrs_av_profile, nla_data(nla), nla_len(nla), obj);
		return;
	}
	json_object_object_add(obj, attr->name, value);
}

static void decode_all(const struct ss_attr_set *set, struct nlattr *attrs, int len,
		       struct json_object *obj)
{
	struct nlattr *nla;
	int rem;

	nla_for_each_attr(nla, attrs, len, rem)
		if (nla_type(nla) > 0 && nla_type(nla) <= set->max)
			decode_one(&set->attr[nla_type(nla)], nla, obj);
}

struct json_object *ss_attrs_decode(const struct ss_attr_set *set,
				    struct nlattr *attrs, int len)
{
	struct json_object *obj = json_object_new_object();

	decode_all(set, attrs, len, obj);
	return obj;
}

int ss_attrs_find(const struct ss_attr_set *set, const char *name)
{
	for (int i = 1; i <= set->max; i++)
		if (!strcmp(set->attr[i].name, name))
			return i;
	return 0;
}

int ss_attrs_find_value(const struct ss_names *names, const char *name)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (!strcmp(names->name[i], name))
			return i;
	return -1;
}

const char *ss_attrs_value_name(const struct ss_attr_set *set, int type,
				uint64_t value)
{
	const struct ss_names *names = set->attr[type].names;

	return value < names->count ? names->name[value] : "?";
}

int ss_attrs_read_text(char *text, size_t size, const struct nlattr *nla)
{
	size_t len = strnlen(nla_data(nla), nla_len(nla));

	if (!len || len >= size)
		return -EPROTO;
	memcpy(text, nla_data(nla), len);
	text[len] = '\0';
	return 0;
}
