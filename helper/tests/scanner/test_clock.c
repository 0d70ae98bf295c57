// SPDX-License-Identifier: GPL-2.0
/*
 * Time that runs out at any look at the clock: what was not looked at never passes as
 * if it had been.
 */
#include <archive.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "tests/support/message.h"
#include "tests/support/wrap.h"

typeof(ss_process_now) __real_ss_process_now, __wrap_ss_process_now;

static unsigned int looks, last;	/* the first that is too late, or 0 */

uint64_t __wrap_ss_process_now(void)
{
	uint64_t late = last && ++looks >= last ? 2 * LIMIT_MS : 0;

	return __real_ss_process_now() + late;
}

static int reset_clock(void **state)
{
	looks = 0;
	last = 0;
	return reset(state);
}

/* Looks at the clock that a scan takes, at each of which it is over once */
static void expire(const char *text)
{
	unsigned int over = 0;

	for (unsigned int i = 2;; i++) {
		looks = 0;
		last = i;
		scan(strdup(text));
		if (looks < last)
			break;
		over++;
		last = 0;
		if (result.verdict != SMTPSPLICE_VERDICT_TEMPFAIL && !result.found)
			printf("# accepted when late at look %u: unscanned %u\n", i,
			       result.unscanned);
		assert_true(result.found);
		assert_true(result.verdict != SMTPSPLICE_VERDICT_ACCEPT);
		if (result.verdict == SMTPSPLICE_VERDICT_TEMPFAIL) {
			assert_int_equal(result.cause, SS_CAUSE_SCAN_FAILURE);
			assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT);
			assert_string_equal(result.detail, "no time left");
		}
	}
	assert_true(over > 2);
	/* with time enough it is as it was */
	last = 0;
	scan(strdup(text));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_NONE);
}

static void M3_members_not_looked_at_in_time(void **state)
{
	const struct pack members[] = { pack_text, pack_text, pack_text, pack_text };
	char *text = MESSAGE(packed(pack_zip("a.zip", members, ARRAY_SIZE(members))));

	(void)state;
	avattrs_number(&attrs, AV(CACHE), SMTPSPLICE_SWITCH_DISABLE);
	expire(text);
	free(text);
}

static void M3_archive_options_let_none_of_it_pass(void **state)
{
	const struct pack members[] = { pack_text, pack_text };
	char *text = MESSAGE(packed(pack_zip("a.zip", members, ARRAY_SIZE(members))));

	(void)state;
	avattrs_number(&attrs, AV(CACHE), SMTPSPLICE_SWITCH_DISABLE);
	avattrs_number(&attrs, AV(ARCHIVE_BLOCK), 0);
	avattrs_number(&attrs, AV(ARCHIVE_LOG), 0);
	expire(text);
	free(text);
}

static void M3_nested_mail_not_looked_at_in_time(void **state)
{
	char *mail = MESSAGE(harmless("a.txt"), harmless("b.txt"));
	char *text = MESSAGE(attached("a.eml", mail, strlen(mail)));

	(void)state;
	avattrs_number(&attrs, AV(CACHE), SMTPSPLICE_SWITCH_DISABLE);
	expire(text);
	free(mail);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(M3_members_not_looked_at_in_time, reset_clock),
		cmocka_unit_test_setup(M3_archive_options_let_none_of_it_pass, reset_clock),
		cmocka_unit_test_setup(M3_nested_mail_not_looked_at_in_time, reset_clock),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, tools_setup, teardown);
}
