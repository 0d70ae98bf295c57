// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a message that something is found in, as its AV profile says.
 */
#include "tests/support/message.h"

#include <unistd.h>

#include "scanner/parts.h"

/* -- monitor, discard ----------------------------------------------------- */

static void monitors(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_MONITOR);
	avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
	for (uint32_t action = 0; action <= SMTPSPLICE_INFECTED_DISCARD; action++) {
		avattrs_number(&attrs, AV(INFECTED), action);
		scan(MESSAGE(eicar("eicar.com")));
		expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_VIRUS, MAIL_EICAR, "eicar.com");
		assert_true(result.monitored);
		assert_false(result.keep || result.tag);
		expect_hash(mail_eicar(), strlen(mail_eicar()));
		scan(MESSAGE(part_of(&pack_program)));
		expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_EXECUTABLE, "Smtpsplice.Executable",
		       "setup.exe");
		assert_true(result.monitored);
		scan(MESSAGE(harmless("a.txt")));
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	}
}

static void discards(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(INFECTED), SMTPSPLICE_INFECTED_DISCARD);
	scan(MESSAGE(eicar("eicar.com")));
	expect(SMTPSPLICE_VERDICT_DISCARD, SS_CAUSE_VIRUS, MAIL_EICAR, "eicar.com");
	assert_true(result.keep);
}

/* -- replace -------------------------------------------------------------- */

static void replaces_one(void **state)
{
	char *whole = MESSAGE(harmless("first.txt"), eicar("eicar.com"), harmless("third.txt"));
	const char *second = strstr(strstr(strstr(whole, "--b\r\n") + 4, "--b\r\n") + 4, "--b\r\n");
	const char *third = strstr(second + 4, "--b\r\n");

	(void)state;
	replace_all();
	for (int chunked = 0; chunked < 2; chunked++) {
		job.chunked = chunked;
		scan(strdup(whole));
		expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_VIRUS, MAIL_EICAR, "eicar.com");
		assert_true(result.replaced && result.keep);
		assert_false(result.monitored || result.tag || result.unscanned);
		assert_string_equal(result.broken, "");
		assert_memory_equal(replacement, whole, second + 5 - whole);
		assert_memory_equal(replacement + strlen(replacement) - strlen(third), third,
				    strlen(third));
		assert_true(says("The file \"eicar.com\" has been removed because of a virus."));
		assert_true(says("infected with the \"" MAIL_EICAR "\" virus."));
		/* and is what it was made for */
		scan(strdup(replacement));
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	}
	free(whole);
}

static void replaces_several(void **state)
{
	static const char signature[] = "DKIM-Signature: v=1; a=rsa-sha256; d=example.net;\r\n"
		"\ts=a; h=from; bh=AAAA; b=AAAA\r\n";
	struct pack inner = pack_zip("b.zip", &pack_program, 1);

	(void)state;
	replace_all();
	avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
	avattrs_text(&attrs, AV(FILE_NAME), "*.js");
	avattrs_hash(&attrs, AV(HASH_BLOCK), "blocked", 7);
	scan(MESSAGE_WITH(signature, "", eicar("one.com"), harmless("fine.txt"), packed(inner),
			  eicar("two.com"), harmless("three.js"), attached("four", "blocked", 7)));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_VIRUS, MAIL_EICAR, "one.com");
	assert_true(result.replaced);
	assert_string_equal(result.broken, "dkim");
	/* each with its own cause */
	assert_true(says("The file \"one.com\" has been removed because of a virus."));
	assert_true(says("The file \"two.com\" has been removed because of a virus."));
	assert_true(says("The file \"b.zip\" has been removed because it is an executable."));
	assert_true(says("The file \"three.js\" has been removed because files of this name"));
	assert_true(says("The file \"four\" has been removed because it is on a block list."));
	assert_true(has("filename=\"fine.txt\""));
	assert_false(has("filename=\"b.zip\""));
}

static void replaces_all_there_is(void **state)
{
	(void)state;
	replace_all();
	scan(mail_format("From: a@example.net\r\nContent-Type: text/plain\r\n\r\n%s\r\n",
			 mail_eicar()));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_VIRUS, MAIL_EICAR, "message");
	assert_int_equal(strncmp(replacement, "From: a@example.net\r\n", 21), 0);
	assert_true(says("The file \"message\" has been removed"));
}

static void fills_the_tags_in(void **state)
{
	char *name = mail_format("%s%s", "%%VIRUS%%--b\\\"", ".com");

	(void)state;
	replace_all();
	avattrs_text(&attrs, AV(REPLACEMENT), "[%%FILE%%|%%VIRUS%%|%%SOURCE_IP%%|%%DEST_IP%%|"
		     "%%EMAIL_FROM%%|%%EMAIL_TO%%|%%PROTOCOL%%|%%QUARFILENAME%%]\n.\n--b--\nend");
	job.chunked = true;	/* as it is, whatever is in it */
	scan(MESSAGE(eicar("a.com")));
	assert_true(result.replaced);
	/* what looks like a delimiter is encoded */
	assert_true(has("Content-Transfer-Encoding: base64\r\n\r\n"));
	scan(MESSAGE(eicar(name)));
	assert_true(result.replaced);
	reset(NULL);
	replace_all();
	avattrs_text(&attrs, AV(REPLACEMENT), "[%%FILE%%|%%VIRUS%%|%%SOURCE_IP%%|%%DEST_IP%%|\n"
		     "%%EMAIL_FROM%%|%%EMAIL_TO%%|%%PROTOCOL%%|%%QUARFILENAME%%]\n.\nend");
	scan(MESSAGE(eicar("a.com")));
	assert_true(has("[a.com|" MAIL_EICAR "|10.0.1.2|10.0.2.2|\r\n"
			 "a@example.net|b@example.org|SMTP|]\r\n..\r\nend\r\n"));
	/* what a peer says is no tag */
	scan(MESSAGE(eicar(name)));
	assert_true(has("[%%VIRUS%%--b\".com|"));
	free(name);
}

static void refuses_what_it_cannot_replace(void **state)
{
	char *parts[MANY + 1] = {}, *text;

	(void)state;
	replace_all();
	/* most of it is with the server */
	job.splice = true;
	scan(MESSAGE(eicar("a.com")));
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "a.com");
	job.splice = false;
	/* not in any part */
	scan(MESSAGE_WITH("", MAIL_DOTTED_1 MAIL_DOTTED_2 "\r\n", harmless("a")));
	expect_refused(SS_CAUSE_VIRUS, MAIL_DOTTED, "a");
	/* line ends that a message by DATA cannot have */
	text = MESSAGE(eicar("a.com"));
	memmove(strchr(text, '\r'), strchr(text, '\n'), strlen(strchr(text, '\n')) + 1);
	scan(text);
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "a.com");
	/* more than there is a list for */
	for (int i = 0; i < MANY; i++)
		parts[i] = eicar("a.com");
	scan(message_with("", "", parts));
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "a.com");
	for (int i = 0; i < MANY; i++)
		parts[i] = i < SS_PARTS_BAD_MAX ? eicar("a.com") : NULL;
	scan(message_with("", "", parts));
	assert_true(result.replaced);
	/* nothing that could be taken out */
	scan(strdup("Content-Type: message/partial; id=x\r\n\r\nx\r\n"));
	expect_refused(SS_CAUSE_PARTIAL, "Smtpsplice.Partial", "message");
	/* no time */
	job.limit_ms = 0;
	scan(MESSAGE(eicar("a.com")));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
}

/* A decoy is found first; what is behind it may be worse */
static void e1_replacement_is_inspected_as_well(void **state)
{
	static const char partial[] = "Content-Type: message/partial; id=x; number=1\r\n\r\nx\r\n";

	(void)state;
	replace_all();
	scan(MESSAGE(eicar("decoy.com"), ambiguous()));
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "decoy.com");
	scan(MESSAGE(eicar("decoy.com"), strdup(partial)));
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "decoy.com");
	scan(MESSAGE_WITH("", MAIL_DOTTED_1 MAIL_DOTTED_2 "\r\n", eicar("decoy.com")));
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "decoy.com");
	/* what the profile lets pass, does, and is told */
	avattrs_number(&attrs, AV(FRAGMAIL), SMTPSPLICE_PASS_BLOCK_PASS);
	scan(MESSAGE(eicar("decoy.com"), strdup(partial)));
	assert_true(result.replaced);
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_PARTIAL);
	scan(MESSAGE(eicar("decoy.com"), encrypted_zip()));
	assert_true(result.replaced);
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_int_equal(result.conditions, SMTPSPLICE_ARCHIVE_CONDITION_ENCRYPTED);
	/* each reading is looked at, and one is infected */
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	scan(MESSAGE(eicar("decoy.com"), ambiguous()));
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "decoy.com");
}

/* -- quarantine ----------------------------------------------------------- */

static void expect_aside(bool kept, char *text)
{
	char got[8192];
	ssize_t len;

	for (int again = 0; again < 2; again++) {
		int aside = mail_file("", 0);

		scan_to(text, aside);
		assert_int_equal(result.keep, kept);
		assert_int_equal(result.quarantined, kept);
		assert_int_equal(result.quarantine_error, 0);
		len = pread(aside, got, sizeof(got), 0);
		assert_int_equal(len, kept ? strlen(text) : 0);
		if (kept)
			assert_memory_equal(got, text, len);
		close(aside);
	}
	free(text);
}

static void puts_aside(void **state)
{
	(void)state;
	for (uint32_t action = 0; action <= SMTPSPLICE_INFECTED_DISCARD; action++) {
		reset(NULL);
		avattrs_number(&attrs, AV(INFECTED), action);
		avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
		avattrs_number(&attrs, AV(ARCHIVE_BLOCK), SMTPSPLICE_ARCHIVE_CONDITION_ENCRYPTED);
		avattrs_text(&attrs, AV(FILE_NAME), "*.js");
		avattrs_hash(&attrs, AV(HASH_BLOCK), "blocked", 7);
		avattrs_size(&attrs, AV(OVERSIZE_LIMIT), 8000);
		avattrs_number(&attrs, AV(OVERSIZE), SMTPSPLICE_FAIL_ACTION_BLOCK);
		expect_aside(true, MESSAGE(eicar("a.com")));
		expect_aside(true, MESSAGE(part_of(&pack_program)));
		expect_aside(true, MESSAGE(encrypted_zip()));
		expect_aside(true, MESSAGE(harmless("a.js")));
		expect_aside(true, MESSAGE(attached("a", "blocked", 7)));
		expect_aside(true, MESSAGE(ambiguous()));
		expect_aside(true, strdup("Content-Type: message/partial; id=x\r\n\r\nx\r\n"));
		expect_aside(true, mail_deep());
		expect_aside(false, MESSAGE(harmless("a")));
		expect_aside(false, mail_format("Subject: x\r\n\r\n%08000d\r\n", 0));
		avattrs_number(&attrs, AV(SCAN_ERROR), SMTPSPLICE_FAIL_ACTION_BLOCK);
		avattrs_number(&attrs, AV(SCAN_TIMEOUT), SMTPSPLICE_FAIL_ACTION_BLOCK);
		job.limit_ms = 0;
		expect_aside(false, MESSAGE(eicar("late.com")));
		job.limit_ms = LIMIT_MS;
		avattrs_number(&attrs, AV(QUARANTINE), SMTPSPLICE_SWITCH_DISABLE);
		expect_aside(false, MESSAGE(eicar("a.com")));
		avattrs_number(&attrs, AV(QUARANTINE), SMTPSPLICE_SWITCH_ENABLE);
		avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_MONITOR);
		expect_aside(false, MESSAGE(eicar("a.com")));
	}
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(monitors),
		T(discards),
		T(replaces_one),
		T(replaces_several),
		T(replaces_all_there_is),
		T(fills_the_tags_in),
		T(refuses_what_it_cannot_replace),
		T(e1_replacement_is_inspected_as_well),
		T(puts_aside),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, tools_setup, teardown);
}
