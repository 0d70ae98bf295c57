// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include "scanner/mime/dots.h"

static void check(enum ss_dots_mode mode, const char *in, const char *out)
{
	char *buf = malloc(strlen(in) + 1);	/* exact, for the sanitizer */
	size_t n = ss_dots_unstuff(mode, buf, in, strlen(in));

	assert_int_equal(n, strlen(out));
	assert_memory_equal(buf, out, n);
	free(buf);
}

static void takes_one_dot_of_each_line(void **state)
{
	(void)state;
	check(SS_DOTS_STRICT, "", "");
	check(SS_DOTS_STRICT, ".", "");
	check(SS_DOTS_STRICT, "..", ".");
	check(SS_DOTS_STRICT, "a\r\n..b\r\n", "a\r\n.b\r\n");
	check(SS_DOTS_STRICT, "..a\r\n..\r\n...\r\n", ".a\r\n.\r\n..\r\n");
	check(SS_DOTS_STRICT, ".a\r\n.b", "a\r\nb");
	check(SS_DOTS_STRICT, "a.b\r\n\r\n.", "a.b\r\n\r\n");
}

static void knows_what_ends_a_line(void **state)
{
	(void)state;
	check(SS_DOTS_STRICT, "a\n..b\r..c\n\r..d", "a\n..b\r..c\n\r..d");
	check(SS_DOTS_LAX, "a\n..b\r..c\r\n..d", "a\n.b\r..c\r\n.d");
	check(SS_DOTS_STRICT, "\n.a", "\n.a");
	check(SS_DOTS_LAX, "\n.a", "\na");
	check(SS_DOTS_NONE, "..a\r\n.\r\n..b", "..a\r\n.\r\n..b");
}

static void stuff(const char *in, const char *out)
{
	size_t len = strlen(in), n = ss_dots_stuff(NULL, in, len);
	char *wire = malloc(n + 1), *back = malloc(n + 1);	/* exact, see above */

	assert_int_equal(n, strlen(out));
	assert_int_equal(ss_dots_stuff(wire, in, len), n);
	assert_memory_equal(wire, out, n);
	assert_int_equal(ss_dots_unstuff(SS_DOTS_STRICT, back, wire, n), len);
	assert_memory_equal(back, in, len);
	free(back);
	free(wire);
}

static void puts_the_dots_back(void **state)
{
	(void)state;
	stuff("", "");
	stuff(".", "..");
	stuff("a\r\n.b\r\n", "a\r\n..b\r\n");
	stuff(".a\r\n.\r\n..\r\n", "..a\r\n..\r\n...\r\n");
	stuff("a.b\r\n\r\n", "a.b\r\n\r\n");
	stuff("a\n.b\r.c\n\r.d\r\r\n.", "a\n.b\r.c\n\r.d\r\r\n..");
	stuff("\n.a", "\n.a");
}

static void makes_bare_cr_lines(void **state)
{
	char text[] = "\ra\r\r\nb\rc\n\r";

	(void)state;
	ss_dots_bare_cr(text, sizeof(text) - 1);
	assert_string_equal(text, "\na\n\r\nb\nc\n\n");
	ss_dots_bare_cr(NULL, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_one_dot_of_each_line),
		cmocka_unit_test(knows_what_ends_a_line),
		cmocka_unit_test(puts_the_dots_back),
		cmocka_unit_test(makes_bare_cr_lines),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
