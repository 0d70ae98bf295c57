// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include <errno.h>

#include <netlink/msg.h>

#include "lib/cleanup.h"
#include "tls/job.h"

static struct nl_msg *msg;
static struct ss_job job;

static int parse(void)
{
	return ss_job_parse(&job, nlmsg_attrdata(nlmsg_hdr(msg), 0),
			    nlmsg_attrlen(nlmsg_hdr(msg), 0));
}

static int setup(void **state)
{
	(void)state;
	msg = nlmsg_alloc_size(65536);
	nlmsg_put(msg, 1, 1, 100, 0, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nlmsg_free(msg);
	return 0;
}

static void put_prefix(const void *addr, int size, int len)
{
	struct nlattr *nest = nla_nest_start(msg, SMTPSPLICE_A_TLS_PROFILE_EXEMPT_ADDRESS);

	nla_put(msg, SMTPSPLICE_A_PREFIX_ADDR, size, addr);
	if (len >= 0)
		nla_put_u8(msg, SMTPSPLICE_A_PREFIX_LEN, len);
	nla_nest_end(msg, nest);
}

static void has_the_defaults_of_the_kernel(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	assert_int_equal(job.timeout, 30000);
	assert_false(job.starttls);
	assert_int_equal(job.profile.expired, SMTPSPLICE_TLS_ACTION_BLOCK);
	assert_int_equal(job.profile.revoked, SMTPSPLICE_TLS_ACTION_BLOCK);
	assert_int_equal(job.profile.untrusted, SMTPSPLICE_TLS_ACTION_ALLOW);
	assert_int_equal(job.profile.validation_timeout, SMTPSPLICE_TLS_ACTION_ALLOW);
	assert_int_equal(job.profile.validation_failure, SMTPSPLICE_TLS_ACTION_BLOCK);
	assert_int_equal(job.profile.sni_check, SMTPSPLICE_SNI_CHECK_ENABLE);
	assert_int_equal(job.profile.version, SMTPSPLICE_TLS_SUPPORT_BLOCK);
	assert_int_equal(job.profile.cipher, SMTPSPLICE_TLS_SUPPORT_BLOCK);
	assert_int_equal(job.profile.negotiation, SMTPSPLICE_TLS_SUPPORT_BLOCK);
	assert_int_equal(job.profile.client_certificate, SMTPSPLICE_CLIENT_CERTIFICATE_INSPECT);
	assert_int_equal(job.profile.cert_mode, SMTPSPLICE_CERT_MODE_RE_SIGN);
}

static void reads_what_it_says(void **state)
{
	struct nlattr *nest;

	(void)state;
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_TIMEOUT, 1234);
	nla_put(msg, SMTPSPLICE_A_HANDSHAKE_SERVER, 4, "\x0a\0\2\2");
	nla_put_u16(msg, SMTPSPLICE_A_HANDSHAKE_SERVER_PORT, 465);
	nla_put_flag(msg, SMTPSPLICE_A_HANDSHAKE_STARTTLS);
	nest = nla_nest_start(msg, SMTPSPLICE_A_HANDSHAKE_TLS);
	for (int i = SMTPSPLICE_A_TLS_PROFILE_EXPIRED_SERVER_CERT;
	     i <= SMTPSPLICE_A_TLS_PROFILE_CERT_VALIDATION_FAILURE; i++)
		nla_put_u32(msg, i, SMTPSPLICE_TLS_ACTION_IGNORE);
	nla_put_u32(msg, SMTPSPLICE_A_TLS_PROFILE_SNI_SERVER_CERT_CHECK,
		    SMTPSPLICE_SNI_CHECK_STRICT);
	nla_put_u32(msg, SMTPSPLICE_A_TLS_PROFILE_SERVER_CERT_MODE,
		    SMTPSPLICE_CERT_MODE_REPLACE);
	nla_put_string(msg, SMTPSPLICE_A_TLS_PROFILE_SERVER_CERT, "mx");
	put_prefix("\x0a\0\2\0", 4, 23);
	nla_nest_end(msg, nest);
	assert_int_equal(parse(), 0);
	assert_int_equal(job.timeout, 1234);
	assert_int_equal(job.server_size, 4);
	assert_int_equal(job.server_port, 465);
	assert_true(job.starttls);
	assert_int_equal(job.profile.expired, SMTPSPLICE_TLS_ACTION_IGNORE);
	assert_int_equal(job.profile.validation_failure, SMTPSPLICE_TLS_ACTION_IGNORE);
	assert_int_equal(job.profile.sni_check, SMTPSPLICE_SNI_CHECK_STRICT);
	assert_string_equal(job.profile.cert, "mx");
	assert_true(ss_tls_profile_exempts_address(&job.profile, job.server, 4));
}

/* All exemptions that there may be, as long as they may be, are one message */
static void takes_the_most(void **state)
{
	char pattern[SMTPSPLICE_PATTERN_MAX + 1];
	struct nlattr *nest = nla_nest_start(msg, SMTPSPLICE_A_HANDSHAKE_TLS);

	(void)state;
	memset(pattern, 'a', sizeof(pattern) - 1);
	pattern[sizeof(pattern) - 1] = '\0';
	for (int i = 0; i < SMTPSPLICE_EXEMPT_MAX; i++) {
		assert_int_equal(nla_put_string(msg, SMTPSPLICE_A_TLS_PROFILE_EXEMPT_NAME,
						pattern), 0);
		assert_int_equal(nla_put_string(msg, SMTPSPLICE_A_TLS_PROFILE_EXEMPT_REGEX,
						pattern), 0);
		put_prefix("0123456789abcdef", 16, 128);
	}
	nla_nest_end(msg, nest);
	assert_int_equal(parse(), 0);
	assert_int_equal(job.profile.name_count, SMTPSPLICE_EXEMPT_MAX);
	assert_int_equal(job.profile.regex_count, SMTPSPLICE_EXEMPT_MAX);
	assert_int_equal(job.profile.address_count, SMTPSPLICE_EXEMPT_MAX);
	assert_true(ss_tls_profile_exempts_name(&job.profile, pattern));
}

static void refuse(int type, int len, const void *data)
{
	struct nlattr *nest;

	nlmsg_free(msg);
	setup(NULL);
	nest = nla_nest_start(msg, SMTPSPLICE_A_HANDSHAKE_TLS);
	nla_put(msg, type, len, data);
	nla_nest_end(msg, nest);
	assert_int_equal(parse(), -EPROTO);
}

static void refuse_prefix(const void *addr, int size, int len)
{
	struct nlattr *nest;

	nlmsg_free(msg);
	setup(NULL);
	nest = nla_nest_start(msg, SMTPSPLICE_A_HANDSHAKE_TLS);
	put_prefix(addr, size, len);
	nla_nest_end(msg, nest);
	assert_int_equal(parse(), -EPROTO);
}

/* One exemption of the type is more than there is room for */
static void refuse_one_more(int type)
{
	struct nlattr *nest;

	nlmsg_free(msg);
	setup(NULL);
	nest = nla_nest_start(msg, SMTPSPLICE_A_HANDSHAKE_TLS);
	for (int i = 0; i <= SMTPSPLICE_EXEMPT_MAX; i++) {
		if (type == SMTPSPLICE_A_TLS_PROFILE_EXEMPT_ADDRESS)
			put_prefix("\x0a\0\2\0", 4, 24);
		else
			nla_put_string(msg, type, "a");
	}
	nla_nest_end(msg, nest);
	assert_int_equal(parse(), -EPROTO);
}

static void refuses_too_many(void **state)
{
	(void)state;
	refuse_one_more(SMTPSPLICE_A_TLS_PROFILE_EXEMPT_NAME);
	refuse_one_more(SMTPSPLICE_A_TLS_PROFILE_EXEMPT_REGEX);
	refuse_one_more(SMTPSPLICE_A_TLS_PROFILE_EXEMPT_ADDRESS);
}

static void refuses_what_is_wrong(void **state)
{
	char longest[SMTPSPLICE_PATTERN_MAX + 1];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	refuse(SMTPSPLICE_A_TLS_PROFILE_EXPIRED_SERVER_CERT, 4, "\3\0\0\0");
	refuse(SMTPSPLICE_A_TLS_PROFILE_EXPIRED_SERVER_CERT, 2, "\1\0");
	refuse(SMTPSPLICE_A_TLS_PROFILE_SERVER_CERT_MODE, 4, "\2\0\0\0");
	refuse(SMTPSPLICE_A_TLS_PROFILE_SERVER_CERT, 33, longest);
	refuse(SMTPSPLICE_A_TLS_PROFILE_EXEMPT_NAME, sizeof(longest), longest);
	refuse(SMTPSPLICE_A_TLS_PROFILE_EXEMPT_NAME, 0, "");
	refuse(SMTPSPLICE_A_TLS_PROFILE_EXEMPT_ADDRESS, 0, "");
	refuse(SMTPSPLICE_A_TLS_PROFILE_EXEMPT_ADDRESS, 3, "abc");
	refuse_prefix("\x0a\0\2\0", 4, 33);
	refuse_prefix("0123456789abcdef", 16, 129);
	nlmsg_free(msg);
	setup(NULL);
	nla_put(msg, SMTPSPLICE_A_HANDSHAKE_SERVER, 5, "12345");
	assert_int_equal(parse(), -EPROTO);
	assert_int_equal(ss_job_parse(&job, (struct nlattr *)"\xff\xff\1\0", 4), -EPROTO);
}

static struct ss_tls_profile *with_name(const char *name)
{
	static struct ss_tls_profile p;

	ss_tls_profile_default(&p);
	snprintf(p.names[0], sizeof(p.names[0]), "%s", name);
	p.name_count = 1;
	return &p;
}

static struct ss_tls_profile *with_regex(const char *regex)
{
	static struct ss_tls_profile p;

	ss_tls_profile_default(&p);
	snprintf(p.regexes[0], sizeof(p.regexes[0]), "%s", regex);
	p.regex_count = 1;
	return &p;
}

static void matches_names(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool match;
	} rows[] = {
		{ "mx.example.com", "mx.example.com", true },
		{ "mx.example.com", "MX.Example.COM", true },
		{ "mx.example.com", "mx.example.com.", true },
		{ "mx.example.com.", "mx.example.com", true },
		{ "mx.example.com", "amx.example.com", false },
		{ "mx.example.com", "mx.example.co", false },
		{ "*.example.com", "mx.example.com", true },
		{ "*.example.com", "mx.example.com.", true },
		{ "*.example.com", "a.b.example.com", false },
		{ "*.example.com", "example.com", false },
		{ "*.example.com", ".example.com", false },
		{ "*", "a", false },
		{ "*", "*", true },
		{ "a", "", false },
		{ "*.", "a.", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(ss_tls_profile_exempts_name(with_name(rows[i].pattern),
							     rows[i].name), rows[i].match);
	assert_true(ss_tls_profile_exempts_name(with_regex("^mx[0-9]+\\.example\\."),
						"MX12.example.org"));
	assert_false(ss_tls_profile_exempts_name(with_regex("^mx[0-9]+\\.example\\."),
						 "mx.example.org"));
	assert_true(ss_tls_profile_exempts_name(with_regex("com$"), "a.com."));
	assert_false(ss_tls_profile_exempts_name(with_regex("(("), "(("));
	assert_false(ss_tls_profile_exempts_name(with_regex(".*"), ""));
}

static void matches_addresses(void **state)
{
	struct ss_tls_profile p;

	(void)state;
	ss_tls_profile_default(&p);
	p.addresses[0] = (struct ss_prefix){ .addr = { 10, 0, 2, 128 }, .size = 4, .len = 25 };
	p.addresses[1] = (struct ss_prefix){ .addr = { 0xfd }, .size = 16, .len = 8 };
	p.address_count = 2;
	assert_true(ss_tls_profile_exempts_address(&p, (uint8_t *)"\x0a\0\2\x80", 4));
	assert_true(ss_tls_profile_exempts_address(&p, (uint8_t *)"\x0a\0\2\xff", 4));
	assert_false(ss_tls_profile_exempts_address(&p, (uint8_t *)"\x0a\0\2\x7f", 4));
	assert_true(ss_tls_profile_exempts_address(&p, (uint8_t *)"\xfd" "0123456789abcde", 16));
	assert_false(ss_tls_profile_exempts_address(&p, (uint8_t *)"\xfe" "0123456789abcde", 16));
	assert_false(ss_tls_profile_exempts_address(&p, (uint8_t *)"", 0));
	p.addresses[0].len = 0;
	assert_true(ss_tls_profile_exempts_address(&p, (uint8_t *)"\1\2\3\4", 4));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(has_the_defaults_of_the_kernel),
		T(reads_what_it_says),
		T(takes_the_most),
		T(refuses_too_many),
		T(refuses_what_is_wrong),
		T(matches_names),
		T(matches_addresses),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
