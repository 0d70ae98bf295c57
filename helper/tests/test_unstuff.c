// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

#include "unstuff.h"

static void check(enum ss_unstuff_mode mode, const char *in, const char *out)
{
	char *buf = malloc(strlen(in) + 1);	/* exact, for the sanitizer */
	size_t n = ss_unstuff_copy(mode, buf, in, strlen(in));

	assert_int_equal(n, strlen(out));
	assert_memory_equal(buf, out, n);
	free(buf);
}

static void takes_one_dot_of_each_line(void **state)
{
	(void)state;
	check(SS_UNSTUFF_STRICT, "", "");
	check(SS_UNSTUFF_STRICT, ".", "");
	check(SS_UNSTUFF_STRICT, "..", ".");
	check(SS_UNSTUFF_STRICT, "a\r\n..b\r\n", "a\r\n.b\r\n");
	check(SS_UNSTUFF_STRICT, "..a\r\n..\r\n...\r\n", ".a\r\n.\r\n..\r\n");
	check(SS_UNSTUFF_STRICT, ".a\r\n.b", "a\r\nb");
	check(SS_UNSTUFF_STRICT, "a.b\r\n\r\n.", "a.b\r\n\r\n");
}

static void knows_what_ends_a_line(void **state)
{
	(void)state;
	check(SS_UNSTUFF_STRICT, "a\n..b\r..c\n\r..d", "a\n..b\r..c\n\r..d");
	check(SS_UNSTUFF_LAX, "a\n..b\r..c\r\n..d", "a\n.b\r..c\r\n.d");
	check(SS_UNSTUFF_STRICT, "\n.a", "\n.a");
	check(SS_UNSTUFF_LAX, "\n.a", "\na");
	check(SS_UNSTUFF_NONE, "..a\r\n.\r\n..b", "..a\r\n.\r\n..b");
}

static void makes_bare_cr_lines(void **state)
{
	char text[] = "\ra\r\r\nb\rc\n\r";

	(void)state;
	ss_unstuff_bare_cr(text, sizeof(text) - 1);
	assert_string_equal(text, "\na\n\r\nb\nc\n\n");
	ss_unstuff_bare_cr(NULL, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_one_dot_of_each_line),
		cmocka_unit_test(knows_what_ends_a_line),
		cmocka_unit_test(makes_bare_cr_lines),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
