// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include <netlink/msg.h>
#include <linux/smtpsplice.h>

#include "proto/attrs.h"

#define SPEC "../uapi/smtpsplice.yaml"

static struct nl_msg *msg;

static int setup(void **state)
{
	(void)state;
	msg = nlmsg_alloc();
	nlmsg_put(msg, 1, 1, 100, 0, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nlmsg_free(msg);
	return 0;
}

static void check(const struct ss_attr_set *set, const char *want)
{
	struct json_object *obj = ss_attrs_decode(set, nlmsg_attrdata(nlmsg_hdr(msg), 0),
						  nlmsg_attrlen(nlmsg_hdr(msg), 0));

	assert_string_equal(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN |
			    JSON_C_TO_STRING_NOSLASHESCAPE), want);
	json_object_put(obj);
}

static void put_prefix(int type, const void *addr, int size, int len)
{
	struct nlattr *nest = nla_nest_start(msg, NLA_F_NESTED | type);

	nla_put(msg, SMTPSPLICE_A_PREFIX_ADDR, size, addr);
	nla_put_u8(msg, SMTPSPLICE_A_PREFIX_LEN, len);
	nla_nest_end(msg, nest);
}

static void decodes_a_policy(void **state)
{
	(void)state;
	nla_put_string(msg, SMTPSPLICE_A_POLICY_NAME, "mail-in");
	put_prefix(SMTPSPLICE_A_POLICY_DST, "\x0a\0\x02\0", 4, 24);
	put_prefix(SMTPSPLICE_A_POLICY_DST, "\xfd\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0", 16, 64);
	nla_put_u16(msg, SMTPSPLICE_A_POLICY_PORT, 25);
	nla_put_u16(msg, SMTPSPLICE_A_POLICY_PORT, 465);
	nla_put_u32(msg, SMTPSPLICE_A_POLICY_MODE, SMTPSPLICE_MODE_HOLD);
	nla_put_u32(msg, SMTPSPLICE_A_POLICY_POSITION, 1);
	nla_put_u64(msg, SMTPSPLICE_A_POLICY_SESSIONS, UINT64_MAX);
	check(&ss_attrs_policy, "{\"name\":\"mail-in\",\"dst\":[\"10.0.2.0/24\",\"fd00:2::/64\"],"
	      "\"port\":[25,465],\"mode\":\"hold\",\"position\":1,\"sessions\":18446744073709551615}");
}

static void decodes_an_event(void **state)
{
	(void)state;
	nla_put_u32(msg, SMTPSPLICE_A_EVENT_KIND, SMTPSPLICE_EVENT_VERDICT);
	nla_put(msg, SMTPSPLICE_A_EVENT_CLIENT, 4, "\x0a\0\1\2");
	nla_put_u16(msg, SMTPSPLICE_A_EVENT_CLIENT_PORT, 40000);
	nla_put_u32(msg, SMTPSPLICE_A_EVENT_VERDICT, SMTPSPLICE_VERDICT_REJECT);
	nla_put(msg, SMTPSPLICE_A_EVENT_FILE, 7, "a\x1b[1m\n\xff");
	check(&ss_attrs_event, "{\"kind\":\"verdict\",\"client\":\"10.0.1.2\",\"client-port\":40000,"
	      "\"verdict\":\"reject\",\"file\":\"a?[1m??\"}");
}

static void copes_with_a_newer_module(void **state)
{
	(void)state;
	nla_put_u32(msg, SMTPSPLICE_A_EVENT_KIND, 77);
	nla_put(msg, SMTPSPLICE_A_EVENT_CLIENT, 3, "abc");
	nla_put(msg, SMTPSPLICE_A_EVENT_CLIENT_PORT, 3, "abc");
	nla_put_u32(msg, 500, 1);
	check(&ss_attrs_event, "{\"kind\":\"77\",\"client\":\"?\",\"client-port\":0}");
}

static const struct ss_attr_set *set_of(const char *name)
{
	static const struct {
		const char *name;
		const struct ss_attr_set *set;
	} sets[] = {
		{ "policy", &ss_attrs_policy }, { "tls", &ss_attrs_tls },
		{ "tls-profile", &ss_attrs_tls_profile }, { "settings", &ss_attrs_settings },
		{ "av", &ss_attrs_av }, { "av-profile", &ss_attrs_av_profile },
		{ "session", &ss_attrs_session }, { "stats", &ss_attrs_stats },
		{ "event", &ss_attrs_event },
	};

	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		if (!strcmp(sets[i].name, name))
			return sets[i].set;
	return NULL;
}

/* The enums of the specification, each with an attribute that has it */
static const struct {
	const char *name, *attr;
	const struct ss_attr_set *set;
} enums[] = {
	{ "mode", "mode", &ss_attrs_policy },
	{ "verdict", "verdict", &ss_attrs_event },
	{ "bare-newline", "bare-newline", &ss_attrs_settings },
	{ "state", "state", &ss_attrs_session },
	{ "event", "kind", &ss_attrs_event },
	{ "tls-mode", "smtps", &ss_attrs_tls_profile },
	{ "starttls-mode", "starttls", &ss_attrs_tls_profile },
	{ "tls-action", "expired-server-cert", &ss_attrs_tls_profile },
	{ "tls-support", "unsupported-ssl-version", &ss_attrs_tls_profile },
	{ "sni-check", "sni-server-cert-check", &ss_attrs_tls_profile },
	{ "client-certificate", "client-certificate", &ss_attrs_tls_profile },
	{ "cert-mode", "server-cert-mode", &ss_attrs_tls_profile },
	{ "tls-result", "tls", &ss_attrs_session },
	{ "tls-cause", "cause", &ss_attrs_event },
	{ "unscanned", "unscanned", &ss_attrs_event },
	{ "av-scan", "av-scan", &ss_attrs_av_profile },
	{ "executables", "executables", &ss_attrs_av_profile },
	{ "infected", "infected", &ss_attrs_av_profile },
	{ "archive-condition", "archive-block", &ss_attrs_av_profile },
	{ "fail-action", "undecodable", &ss_attrs_av_profile },
	{ "pass-block", "fragmail", &ss_attrs_av_profile },
	{ "ambiguity", "mime-ambiguity", &ss_attrs_av_profile },
	{ "switch", "cache", &ss_attrs_av_profile },
};

static const struct ss_names *names_of(const char *name)
{
	for (size_t i = 0; i < sizeof(enums) / sizeof(*enums); i++)
		if (!strcmp(enums[i].name, name))
			return enums[i].set->attr[ss_attrs_find(enums[i].set, enums[i].attr)].names;
	return NULL;
}

/* The tables name what the specification does, in its order */
static void is_in_step_with_the_specification(void **state)
{
	char line[256], top[64] = "", object[64] = "", item[64];
	int n = 0, checked = 0, values = 0;
	FILE *f = fopen(SPEC, "r");

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const struct ss_attr_set *set = set_of(object);
		const struct ss_names *names = names_of(object);

		if (sscanf(line, "%63[a-z-]:", item) == 1) {
			strcpy(top, item);
		} else if (sscanf(line, "    name: %63s", item) == 1 &&
			   !strncmp(line, "    name", 8)) {
			strcpy(object, item);
			n = 0;
		} else if ((sscanf(line, "        name: \"%63[^\"]", item) == 1 ||
			    sscanf(line, "        name: %63s", item) == 1) &&
			   !strncmp(line, "        name", 12)) {
			n++;
			if (!strcmp(top, "attribute-sets") && set) {
				assert_int_equal(ss_attrs_find(set, item), n);
				checked++;
			} else if (!strcmp(top, "definitions") && names) {
				assert_int_equal(ss_attrs_find_value(names, item), n - 1);
				checked++;
			}
		}
	}
	fclose(f);
	for (size_t i = 0; i < sizeof(enums) / sizeof(*enums); i++)
		values += names_of(enums[i].name)->count;
	assert_int_equal(checked, values + ss_attrs_policy.max + ss_attrs_settings.max +
			 ss_attrs_session.max + ss_attrs_stats.max + ss_attrs_event.max +
			 ss_attrs_tls.max + ss_attrs_tls_profile.max + ss_attrs_av.max +
			 ss_attrs_av_profile.max);
}

/* Which enum an attribute of the specification has is not in the sets */
static void has_the_enums_of_the_specification(void **state)
{
	char line[256], object[64] = "", item[64] = "", value[64];
	int checked = 0;
	FILE *f = fopen(SPEC, "r");

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const struct ss_attr_set *set = set_of(object);

		if (sscanf(line, "    name: %63s", value) == 1 && !strncmp(line, "    name", 8)) {
			strcpy(object, value);
		} else if (sscanf(line, "        name: %63s", value) == 1 &&
			   !strncmp(line, "        name", 12)) {
			strcpy(item, value);
		} else if (sscanf(line, "        enum: %63s", value) == 1 && set) {
			const struct ss_attr *attr = &set->attr[ss_attrs_find(set, item)];

			assert_int_equal(attr->type, strcmp(value, "archive-condition") ?
					 SS_ATTR_ENUM : SS_ATTR_FLAGS);
			assert_non_null(names_of(value));
			assert_ptr_equal(attr->names, names_of(value));
			checked++;
		}
	}
	fclose(f);
	assert_int_equal(checked, 38);
}

static void decodes_handshakes(void **state)
{
	(void)state;
	nla_put_u32(msg, SMTPSPLICE_A_EVENT_KIND, SMTPSPLICE_EVENT_HANDSHAKE);
	nla_put_u32(msg, SMTPSPLICE_A_EVENT_RESULT, SMTPSPLICE_TLS_RESULT_FAILED);
	nla_put_u32(msg, SMTPSPLICE_A_EVENT_CAUSE, SMTPSPLICE_TLS_CAUSE_UNTRUSTED);
	nla_put_string(msg, SMTPSPLICE_A_EVENT_SERVER_NAME, "a\x1b");
	nla_put_string(msg, SMTPSPLICE_A_EVENT_TEXT, "why");
	check(&ss_attrs_event, "{\"kind\":\"handshake\",\"result\":\"failed\","
	      "\"cause\":\"untrusted\",\"server-name\":\"a?\",\"text\":\"why\"}");
}

static void decodes_a_tls_profile(void **state)
{
	struct nlattr *nest;

	(void)state;
	nla_put_string(msg, SMTPSPLICE_A_TLS_NAME, "default");
	nest = nla_nest_start(msg, NLA_F_NESTED | SMTPSPLICE_A_TLS_PROFILE);
	nla_put_u32(msg, SMTPSPLICE_A_TLS_PROFILE_SMTPS, SMTPSPLICE_TLS_MODE_OFF);
	nla_put_u16(msg, SMTPSPLICE_A_TLS_PROFILE_SMTPS_PORT, 465);
	nla_put_u32(msg, SMTPSPLICE_A_TLS_PROFILE_SERVER_CERT_MODE,
		    SMTPSPLICE_CERT_MODE_RE_SIGN);
	put_prefix(SMTPSPLICE_A_TLS_PROFILE_EXEMPT_ADDRESS, "\x0a\0\x02\0", 4, 24);
	nla_put_string(msg, SMTPSPLICE_A_TLS_PROFILE_EXEMPT_NAME, "*.example.org");
	nla_put_string(msg, SMTPSPLICE_A_TLS_PROFILE_EXEMPT_NAME, "b");
	nla_put_string(msg, SMTPSPLICE_A_TLS_PROFILE_EXEMPT_REGEX, "a{1,2}");
	nla_put_u32(msg, SMTPSPLICE_A_TLS_PROFILE_MAX + 1, 1);	/* of a newer module */
	nla_nest_end(msg, nest);
	nla_put_u32(msg, SMTPSPLICE_A_TLS_POLICIES, 3);
	check(&ss_attrs_tls, "{\"name\":\"default\",\"smtps\":\"off\",\"smtps-port\":[465],"
	      "\"server-cert-mode\":\"re-sign\",\"exempt-address\":[\"10.0.2.0/24\"],"
	      "\"exempt-name\":[\"*.example.org\",\"b\"],\"exempt-regex\":[\"a{1,2}\"],"
	      "\"policies\":3}");
}

static void decodes_an_av_profile(void **state)
{
	struct nlattr *nest;

	(void)state;
	nla_put_string(msg, SMTPSPLICE_A_AV_NAME, "strict");
	nest = nla_nest_start(msg, NLA_F_NESTED | SMTPSPLICE_A_AV_PROFILE);
	nla_put_u32(msg, SMTPSPLICE_A_AV_PROFILE_AV_SCAN, SMTPSPLICE_AV_SCAN_MONITOR);
	nla_put_u32(msg, SMTPSPLICE_A_AV_PROFILE_ARCHIVE_BLOCK, 0x80000081);
	nla_put_u32(msg, SMTPSPLICE_A_AV_PROFILE_ARCHIVE_LOG, 0);
	nla_put_u64(msg, SMTPSPLICE_A_AV_PROFILE_OVERSIZE_LIMIT, 5ull << 30);
	nla_put_string(msg, SMTPSPLICE_A_AV_PROFILE_FILE_NAME, "*.exe");
	nla_put(msg, SMTPSPLICE_A_AV_PROFILE_HASH_BLOCK, 32,
		"\x01\x02\xab\0 6789abcdef0123456789abcdef\xff");
	nla_put(msg, SMTPSPLICE_A_AV_PROFILE_HASH_BLOCK, 2, "\x01\x02");
	nla_put_string(msg, SMTPSPLICE_A_AV_PROFILE_REPLY_VIRUS, "554 a\n");
	nla_put_string(msg, SMTPSPLICE_A_AV_PROFILE_REPLACEMENT, "a\n\tb\x1b");
	nla_put_u32(msg, SMTPSPLICE_A_AV_PROFILE_MAX + 1, 1);	/* of a newer module */
	nla_nest_end(msg, nest);
	nla_put_u32(msg, SMTPSPLICE_A_AV_POLICIES, 1);
	check(&ss_attrs_av, "{\"name\":\"strict\",\"av-scan\":\"monitor\","
	      "\"archive-block\":[\"encrypted\",\"unhandled\"],\"archive-log\":[],"
	      "\"oversize-limit\":5368709120,\"file-name\":[\"*.exe\"],\"hash-block\":["
	      "\"0102ab0020363738396162636465663031323334353637383961626364656"
	      "6ff\",\"0102\"],\"reply-virus\":\"554 a?\",\"replacement\":\"a\\n?b?\","
	      "\"policies\":1}");
}

static void names_values(void **state)
{
	(void)state;
	assert_string_equal(ss_attrs_value_name(&ss_attrs_event, SMTPSPLICE_A_EVENT_CAUSE,
						SMTPSPLICE_TLS_CAUSE_HELPER), "helper");
	assert_string_equal(ss_attrs_value_name(&ss_attrs_event, SMTPSPLICE_A_EVENT_CAUSE,
						SMTPSPLICE_TLS_CAUSE_HELPER + 1), "?");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(decodes_a_policy),
		T(decodes_an_event),
		T(decodes_handshakes),
		T(decodes_a_tls_profile),
		T(decodes_an_av_profile),
		T(copes_with_a_newer_module),
		T(names_values),
		T(is_in_step_with_the_specification),
		T(has_the_enums_of_the_specification),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
