// SPDX-License-Identifier: GPL-2.0
/*
 * What cannot be scanned, or not all of it, and what an AV profile makes of that.
 */
#include "message.h"

#include <unistd.h>

/* -- limits --------------------------------------------------------------- */

static void expect_action(uint32_t action, enum ss_template_cause cause, uint32_t unscanned)
{
	static const uint32_t verdict[] = {
		[SMTPSPLICE_FAIL_ACTION_TEMPFAIL] = SMTPSPLICE_VERDICT_TEMPFAIL,
		[SMTPSPLICE_FAIL_ACTION_BLOCK] = SMTPSPLICE_VERDICT_REJECT,
		[SMTPSPLICE_FAIL_ACTION_PASS] = SMTPSPLICE_VERDICT_ACCEPT,
	};
	bool passes = action == SMTPSPLICE_FAIL_ACTION_PASS;

	assert_int_equal(result.verdict, verdict[action]);
	assert_int_equal(result.cause, cause);
	assert_int_equal(result.found, !passes);
	assert_int_equal(result.tag, passes);
	assert_int_equal(result.unscanned, unscanned);
}

static void oversize(void **state)
{
	char *text = MESSAGE(eicar("a.com"));

	(void)state;
	for (uint32_t action = 0; action <= SMTPSPLICE_FAIL_ACTION_PASS; action++) {
		reset(NULL);
		avattrs_size(&attrs, AV(OVERSIZE_LIMIT), strlen(text));
		avattrs_number(&attrs, AV(OVERSIZE), action);
		scan(strdup(text));
		expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "a.com");
		scan(mail_format("%s.", text));
		expect_action(action, SS_TEMPLATE_OVERSIZE, SMTPSPLICE_UNSCANNED_OVERSIZE);
		assert_false(result.keep);
		assert_string_equal(result.head.subject, "x");
		if (action == SMTPSPLICE_FAIL_ACTION_BLOCK)
			expect_refused(SS_TEMPLATE_OVERSIZE, "Smtpsplice.Oversize", "message");
	}
	/* what is replaced may get larger by that */
	reset(NULL);
	replace_all();
	avattrs_size(&attrs, AV(OVERSIZE_LIMIT), strlen(text));
	scan(strdup(text));
	assert_true(result.replaced && strlen(replacement) > strlen(text));
	free(text);
}

static void looks_no_deeper(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(UNCOMPRESSED_NEST_LIMIT), 2);
	scan(MESSAGE(packed(pack_nested(2))));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(MESSAGE(packed(pack_nested(3))));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(result.virus, "Smtpsplice.Archive.nested");
	avattrs_number(&attrs, AV(ARCHIVE_BLOCK), 0);
	scan(MESSAGE(packed(pack_nested(3))));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_int_equal(result.conditions, SMTPSPLICE_ARCHIVE_CONDITION_NESTED);
}

static void unpacks_no_more(void **state)
{
	(void)state;
	avattrs_size(&attrs, AV(UNCOMPRESSED_LIMIT), sizeof(pack_pe));
	scan(MESSAGE(packed(pack_zip("a.zip", &pack_program, 1))));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	avattrs_size(&attrs, AV(UNCOMPRESSED_LIMIT), sizeof(pack_pe) - 1);
	scan(MESSAGE(packed(pack_zip("a.zip", &pack_program, 1))));
	expect_refused(SS_TEMPLATE_ARCHIVE, "Smtpsplice.Archive.mailbomb", "a.zip");
}

static void M7_undecodable(void **state)
{
	(void)state;
	for (uint32_t action = 0; action <= SMTPSPLICE_FAIL_ACTION_PASS; action++) {
		reset(NULL);
		avattrs_number(&attrs, AV(UNDECODABLE), action);
		/* it is nothing that is found */
		avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_MONITOR);
		scan(too_deep());
		expect_action(action, SS_TEMPLATE_UNDECODABLE, SMTPSPLICE_UNSCANNED_ARCHIVE);
		assert_string_equal(result.virus, "Heuristics.Limits.Exceeded.MaxRecursion");
		assert_int_equal(result.keep, action == SMTPSPLICE_FAIL_ACTION_BLOCK);
		assert_false(result.monitored);
	}
}

static void failures(void **state)
{
	(void)state;
	for (uint32_t action = 0; action <= SMTPSPLICE_FAIL_ACTION_PASS; action++) {
		int fd = mail_file("short", 5);

		reset(NULL);
		avattrs_number(&attrs, AV(SCAN_ERROR), action);
		job.size = 100;
		assert_int_equal(ss_scan_message(tools, fd, -1, &job, attrs.octets, attrs.len,
						 &result), -1);
		expect_action(action, SS_TEMPLATE_SCAN_FAILURE, SMTPSPLICE_UNSCANNED_SCAN_ERROR);
		assert_true(result.detail[0]);
		reset(NULL);
		avattrs_number(&attrs, AV(SCAN_TIMEOUT), action);
		job.limit_ms = 0;
		scan(MESSAGE(eicar("a.com")));
		expect_action(action, SS_TEMPLATE_SCAN_FAILURE,
			      SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT);
		assert_false(result.keep);
		assert_string_equal(result.detail, "no time left");
		close(fd);
	}
	/* a profile that is none */
	reset(NULL);
	avattrs_number(&attrs, AV(CACHE), 2);
	scan(MESSAGE(harmless("a")));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
}

/* -- what nobody can look into -------------------------------------------- */

static void archives_with_a_password(void **state)
{
	static const uint32_t encrypted = SMTPSPLICE_ARCHIVE_CONDITION_ENCRYPTED;

	(void)state;
	scan(MESSAGE(encrypted_zip()));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_true(result.tag);
	assert_int_equal(result.conditions, encrypted);
	avattrs_number(&attrs, AV(ARCHIVE_LOG), 0xff & ~encrypted);
	scan(MESSAGE(encrypted_zip()));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_int_equal(result.conditions, 0);
	avattrs_number(&attrs, AV(ARCHIVE_BLOCK), encrypted);
	scan(MESSAGE(harmless("a"), encrypted_zip()));
	expect_refused(SS_TEMPLATE_ARCHIVE, "Smtpsplice.Archive.encrypted", "secret.zip");
	replace_all();
	scan(MESSAGE(harmless("a"), encrypted_zip()));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_TEMPLATE_ARCHIVE, "Smtpsplice.Archive.encrypted",
	       "secret.zip");
	assert_true(says("because it is an archive that"));
}

/* What goes on without the infected part is told for what it is, too */
static void words_replaced_and_marked(void **state)
{
	(void)state;
	replace_all();
	scan(MESSAGE(eicar("a.com"), encrypted_zip()));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_TEMPLATE_VIRUS, MAIL_EICAR, "a.com");
	assert_true(result.replaced && result.tag);
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_false(has("X-Smtpsplice"));	/* that is the kernel's to add */
	scan(MESSAGE(eicar("a.com"), harmless("b")));
	assert_true(result.replaced && !result.tag);
}

static void fragments(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(FRAGMAIL), SMTPSPLICE_PASS_BLOCK_PASS);
	scan(strdup("Content-Type: message/partial; id=x\r\n\r\nx\r\n"));
	expect_clean(SMTPSPLICE_UNSCANNED_PARTIAL);
	assert_true(result.tag);
}

static void e1_scans_each_reading(void **state)
{
	(void)state;
	scan(MESSAGE(ambiguous()));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	scan(MESSAGE(ambiguous()));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "message");
	scan(MESSAGE(strdup("Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n"
			    "Content-Transfer-Encoding: base64\r\n\r\nSGFybWxlc3MuDQo=\r\n")));
	expect_clean(SMTPSPLICE_UNSCANNED_AMBIGUOUS);
	assert_false(result.tag);
	reset(NULL);
	scan(MESSAGE(strdup("Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n"
			    "Content-Transfer-Encoding: base64\r\n\r\nSGFybWxlc3MuDQo=\r\n")));
	assert_int_equal(result.cause, SS_TEMPLATE_AMBIGUOUS);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(oversize),
		T(looks_no_deeper),
		T(unpacks_no_more),
		T(M7_undecodable),
		T(failures),
		T(archives_with_a_password),
		T(words_replaced_and_marked),
		T(fragments),
		T(e1_scans_each_reading),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, tools_setup, teardown);
}
