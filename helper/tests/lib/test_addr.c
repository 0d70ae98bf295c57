// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include "lib/addr.h"
#include "lib/cleanup.h"

static void reads_prefixes(void **state)
{
	static const char *const good[][2] = {
		{ "10.0.2.0/24", "10.0.2.0/24" },
		{ "10.0.2.1", "10.0.2.1/32" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "255.255.255.254/31", "255.255.255.254/31" },
		{ "fd00:2::/64", "fd00:2::/64" },
		{ "fd00:2::1", "fd00:2::1/128" },
		{ "::/0", "::/0" },
		{ "FD00:2:0:0::/64", "fd00:2::/64" },
	};
	char why[192], buf[SS_ADDR_SIZE];
	struct ss_prefix p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(ss_addr_parse_prefix(&p, good[i][0], why, sizeof(why)), 0);
		assert_string_equal(ss_addr_format_prefix(buf, &p), good[i][1]);
	}
}

static void refuses_what_is_none(void **state)
{
	static const char *const bad[] = {
		"", "/", "/24", "10.0.2.0/", "10.0.2.0/33", "10.0.2.0/-1",
		"10.0.2.0/ 8", "10.0.2.0/8 ", "10.0.2.0/024x", "10.0.2/24",
		"10.0.2.0.0/8", "fd00::/129", "fd00::/9999999999", "mail", "1",
		"10.0.2.0/24/24", "::ffff:10.0.2.0/120", "fd00:2::/64%eth0",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	struct ss_prefix p;
	char why[192];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		why[0] = '\0';
		assert_int_not_equal(ss_addr_parse_prefix(&p, bad[i], why, sizeof(why)), 0);
		assert_true(why[0]);
	}
}

static void names_the_right_prefix(void **state)
{
	struct ss_prefix p;
	char why[192];

	(void)state;
	assert_true(ss_addr_parse_prefix(&p, "10.0.2.1/24", why, sizeof(why)));
	assert_string_equal(why, "\"10.0.2.1/24\" has host bits set, did you mean 10.0.2.0/24?");
	assert_true(ss_addr_parse_prefix(&p, "fd00:2::1/64", why, sizeof(why)));
	assert_string_equal(why, "\"fd00:2::1/64\" has host bits set, did you mean fd00:2::/64?");
}

static void writes_ports(void **state)
{
	char buf[SS_ADDR_SIZE];

	(void)state;
	assert_string_equal(ss_addr_format_port(buf, "10.0.1.2", 25), "10.0.1.2:25");
	assert_string_equal(ss_addr_format_port(buf, "fd00::1", 65535), "[fd00::1]:65535");
	assert_string_equal(ss_addr_format(buf, "abcdef", 6), "?");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_prefixes),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(names_the_right_prefix),
		cmocka_unit_test(writes_ports),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
