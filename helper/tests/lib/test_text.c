// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include "lib/cleanup.h"
#include "lib/text.h"

static void check(enum ss_text_mode mode, const char *in, size_t len, const char *out)
{
	char buf[64];

	assert_int_equal(ss_text_clean(mode, buf, sizeof(buf), in, len), strlen(out));
	assert_string_equal(buf, out);
}

static void keeps_valid_utf8(void **state)
{
	(void)state;
	check(SS_TEXT_JSON, "Gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x93\xa7", 12,
	      "Gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x93\xa7");
	check(SS_TEXT_PRINT, "\xe2\x82\xac", 3, "\xe2\x82\xac");
}

static void replaces_invalid_utf8(void **state)
{
	(void)state;
	check(SS_TEXT_JSON, "a\xffz", 3, "a?z");
	check(SS_TEXT_JSON, "\xc0\x80", 2, "??");		/* overlong */
	check(SS_TEXT_JSON, "\xe0\x80\xaf", 3, "???");
	check(SS_TEXT_JSON, "\xed\xa0\x80", 3, "???");		/* surrogate */
	check(SS_TEXT_JSON, "\xf4\x90\x80\x80", 4, "????");	/* too large */
	check(SS_TEXT_JSON, "a\xe2\x82", 3, "a??");		/* cut off */
	check(SS_TEXT_JSON, "a\0b", 3, "a?b");
}

static void replaces_controls(void **state)
{
	(void)state;
	check(SS_TEXT_JSON, "a\r\nb\x1b\x7f", 6, "a\r\nb\x1b?");
	check(SS_TEXT_PRINT, "a\r\nb\x1b[31m\xc2\x9b", 11, "a??b?[31m?");
	check(SS_TEXT_PRINT, "exe.\xe2\x80\xaetxt", 10, "exe.?txt");
}

/* Nothing of DEL and C1 passes in any mode, and what stands on either side of them does */
static void knows_where_controls_end(void **state)
{
	static const enum ss_text_mode modes[] = { SS_TEXT_JSON, SS_TEXT_PRINT, SS_TEXT_LINES };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		check(modes[i], "~\x7f\xc2\x80", 4, "~??");
		check(modes[i], "\xc2\x9e\xc2\x9f\xc2\xa0", 6, "??\xc2\xa0");
	}
	check(SS_TEXT_REPLY, "~\x7f\xc2\x80\xc2\x9f\xc2\xa0", 8, "~????");
}

static void keeps_lines(void **state)
{
	(void)state;
	check(SS_TEXT_LINES, "Gr\xc3\xbc\xc3\x9f" "e\n\nb", 10, "Gr\xc3\xbc\xc3\x9f" "e\n\nb");
	check(SS_TEXT_LINES, "a\r\tb\x1b\x7f\xff\0", 8, "a??b????");
	check(SS_TEXT_LINES, "\xe2\x80\xae\xe2\x80\xa8", 6, "??");
}

static void makes_replies_ascii(void **state)
{
	(void)state;
	check(SS_TEXT_REPLY, "a\"b\r\n250 ok", 11, "a'b??250 ok");
	check(SS_TEXT_REPLY, "Gr\xc3\xbc\xff", 5, "Gr??");
}

static void cuts_between_characters(void **state)
{
	char buf[4];

	(void)state;
	assert_int_equal(ss_text_clean_str(SS_TEXT_JSON, buf, sizeof(buf), "ab\xc3\xbc"), 2);
	assert_string_equal(buf, "ab");
	assert_int_equal(ss_text_clean_str(SS_TEXT_JSON, buf, 1, "ab"), 0);
	assert_int_equal(ss_text_clean_str(SS_TEXT_JSON, buf, sizeof(buf), NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_valid_utf8),
		cmocka_unit_test(replaces_invalid_utf8),
		cmocka_unit_test(replaces_controls),
		cmocka_unit_test(knows_where_controls_end),
		cmocka_unit_test(keeps_lines),
		cmocka_unit_test(makes_replies_ascii),
		cmocka_unit_test(cuts_between_characters),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
