// SPDX-License-Identifier: GPL-2.0
/*
 * A message that comes again: when it is scanned but once, and when not.
 */
#include "tests/support/message.h"

static void expect_cached(bool cached, char *text)
{
	scan(text);
	assert_int_equal(result.cached, cached);
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "cached.com");
	assert_true(result.attachment && result.keep);
	expect_hash(mail_eicar(), strlen(mail_eicar()));
}

static void scans_but_once(void **state)
{
	char *text = MESSAGE(eicar("cached.com"));

	(void)state;
	expect_cached(false, strdup(text));
	expect_cached(true, strdup(text));
	/* other octets, another way */
	expect_cached(false, mail_format("%s.", text));
	job.chunked = true;
	expect_cached(false, strdup(text));
	job.chunked = false;
	job.splice = true;
	expect_cached(false, strdup(text));
	job.splice = false;
	/* another profile, even if it says the same */
	avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_BLOCK);
	expect_cached(false, strdup(text));
	expect_cached(true, strdup(text));
	avattrs_number(&attrs, AV(CACHE), SMTPSPLICE_SWITCH_DISABLE);
	expect_cached(false, strdup(text));
	expect_cached(false, strdup(text));
	reset(NULL);
	expect_cached(true, text);
	scan(MESSAGE(harmless("a")));
	scan(MESSAGE(harmless("a")));
	assert_true(result.cached);
	result.cached = false;
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
}

static void caches_nothing_that_may_change(void **state)
{
	(void)state;
	/* no time, then time; another text in its place each time */
	job.limit_ms = 0;
	avattrs_number(&attrs, AV(SCAN_TIMEOUT), SMTPSPLICE_FAIL_ACTION_PASS);
	scan(MESSAGE(eicar("late.com")));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_ACCEPT);
	job.limit_ms = LIMIT_MS;
	scan(MESSAGE(eicar("late.com")));
	assert_false(result.cached);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	reset(NULL);
	replace_all();
	for (int i = 0; i < 3; i++) {
		scan(MESSAGE(eicar("again.com")));
		assert_true(result.replaced && !result.cached);
	}
	job.splice = true;
	for (int i = 0; i < 3; i++) {
		scan(MESSAGE(eicar("again.com")));
		assert_false(result.cached);
	}
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(scans_but_once),
		T(caches_nothing_that_may_change),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, tools_setup, teardown);
}
