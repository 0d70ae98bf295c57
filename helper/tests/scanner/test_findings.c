// SPDX-License-Identifier: GPL-2.0
/*
 * What a scan looks for as its AV profile says: hashes, names and types of files.
 */
#include "common/file_types.h"
#include "tests/support/message.h"

/* -- hashes --------------------------------------------------------------- */

static void allow_eicar(void)
{
	avattrs_hash(&attrs, AV(HASH_ALLOW), "something else", 14);
	avattrs_hash(&attrs, AV(HASH_ALLOW), mail_eicar(), strlen(mail_eicar()));
}

static void allows_by_hash(void **state)
{
	static char dotted[] = MAIL_DOTTED_1 MAIL_DOTTED_2;

	(void)state;
	allow_eicar();
	scan(MESSAGE(eicar("ours.com")));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	assert_true(result.attachment);
	scan(MESSAGE(harmless("a"), eicar("ours.com"), eicar("again.com")));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	/* one of two: the other one is named, whatever was found first */
	scan(MESSAGE(eicar("ours.com"), attached("theirs", dotted, strlen(dotted))));
	expect_refused(SS_CAUSE_VIRUS, MAIL_DOTTED, "theirs");
	expect_hash(dotted, strlen(dotted));
	scan(MESSAGE(attached("theirs", dotted, strlen(dotted)), eicar("ours.com")));
	expect_refused(SS_CAUSE_VIRUS, MAIL_DOTTED, "theirs");
	/* whatever it is called, and of whatever type */
	avattrs_text(&attrs, AV(FILE_NAME), "*.com");
	scan(MESSAGE(eicar("ours.com")));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	/* not in an archive, which is an attachment with a hash of its own */
	scan(MESSAGE(packed(pack_zip("a.zip", &(struct pack){
		"in.com", mail_eicar(), strlen(mail_eicar()) }, 1))));
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "a.zip");
}

static void keeps_what_is_allowed(void **state)
{
	static char dotted[] = MAIL_DOTTED_1 MAIL_DOTTED_2;

	(void)state;
	allow_eicar();
	replace_all();
	scan(MESSAGE(eicar("ours.com"), attached("theirs", dotted, strlen(dotted))));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_VIRUS, MAIL_DOTTED, "theirs");
	assert_true(result.replaced);
	assert_true(has("filename=\"ours.com\""));
	assert_true(says("The file \"theirs\" has been removed"));
	assert_true(says("infected with the \"" MAIL_DOTTED "\""));
}

/* Who knows a file that is allowed has a decoy */
static void e1_allowed_decoy_hides_nothing(void **state)
{
	char *parts[MANY + 1] = {}, *text;

	(void)state;
	allow_eicar();
	/* outside of all parts */
	scan(MESSAGE_WITH("", MAIL_DOTTED_1 MAIL_DOTTED_2 "\r\n", eicar("ours.com")));
	expect_refused(SS_CAUSE_VIRUS, MAIL_DOTTED, "ours.com");
	/* in another reading */
	scan(MESSAGE(eicar("ours.com"), ambiguous()));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	scan(MESSAGE(eicar("ours.com"), ambiguous()));
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "ours.com");
	/* where it cannot be taken out, for the end is missing */
	text = MESSAGE(eicar("ours.com"));
	*strstr(text, "--b--") = '\0';
	scan(text);
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "ours.com");
	/* behind more of them than are listed */
	for (int i = 0; i < MANY; i++)
		parts[i] = i == MANY - 1 ? ambiguous() : eicar("ours.com");
	scan(message_with("", "", parts));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	/* fragments */
	scan(MESSAGE(eicar("ours.com"),
		     strdup("Content-Type: message/partial; id=x; number=1\r\n\r\nx\r\n")));
	expect_refused(SS_CAUSE_PARTIAL, "Smtpsplice.Partial", "ours.com");
	/* an executable, which the allowed one is not */
	avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
	scan(MESSAGE(eicar("ours.com"), part_of(&pack_program)));
	expect_refused(SS_CAUSE_EXECUTABLE, "Smtpsplice.Executable", "setup.exe");
	expect_hash(pack_program.data, pack_program.len);
}

static void blocks_by_hash(void **state)
{
	(void)state;
	avattrs_hash(&attrs, AV(HASH_BLOCK), pack_text.data, pack_text.len);
	scan(MESSAGE(harmless("a"), part_of(&pack_text)));
	expect_refused(SS_CAUSE_HASH, "Smtpsplice.Hash", "readme.txt");
	expect_hash(pack_text.data, pack_text.len);
	scan(MESSAGE(packed(pack_zip("a.zip", &pack_text, 1))));
	expect_refused(SS_CAUSE_HASH, "Smtpsplice.Hash", "a.zip/readme.txt");
	/* both lists: what is allowed is clean */
	avattrs_hash(&attrs, AV(HASH_ALLOW), pack_text.data, pack_text.len);
	scan(MESSAGE(part_of(&pack_text)));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
}

/* -- files ---------------------------------------------------------------- */

static void executables_are_viruses(void **state)
{
	struct pack in = { "holiday.jpg", pack_pe, sizeof(pack_pe) };

	(void)state;
	scan(MESSAGE(part_of(&pack_program)));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
	scan(MESSAGE(encrypted_zip(), part_of(&pack_program)));
	expect_refused(SS_CAUSE_EXECUTABLE, "Smtpsplice.Executable", "setup.exe");
	expect_hash(pack_program.data, pack_program.len);
	scan(MESSAGE(part_of(&in)));
	expect_refused(SS_CAUSE_EXECUTABLE, "Smtpsplice.Executable", "holiday.jpg");
	scan(MESSAGE(packed(pack_zip("a.zip", &in, 1))));
	expect_refused(SS_CAUSE_EXECUTABLE, "Smtpsplice.Executable", "a.zip/holiday.jpg");
}

static void blocks_names_and_types(void **state)
{
	struct pack in = { "run.JS", "x", 1 };

	(void)state;
	avattrs_text(&attrs, AV(FILE_NAME), "*.bat");
	avattrs_text(&attrs, AV(FILE_NAME), "*.j[s-t]");
	avattrs_text(&attrs, AV(FILE_TYPE), "no such type");
	avattrs_text(&attrs, AV(FILE_TYPE), "pdf");
	scan(MESSAGE(harmless("a"), harmless("run.js")));
	expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filename", "run.js");
	scan(MESSAGE(packed(pack_zip("a.zip", &in, 1))));
	expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filename", "a.zip/run.JS");
	scan(MESSAGE(attached("a.txt", "%PDF-1.4\n", 9)));
	expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filetype", "a.txt");
	scan(MESSAGE(harmless("run.jsx")));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	/* one of the last types */
	assert_true(ss_file_types_find("zip") >= 32);
	avattrs_text(&attrs, AV(FILE_TYPE), "zip");
	scan(MESSAGE(packed(pack_zip("a.zip", &pack_text, 1))));
	expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filetype", "a.zip");
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(allows_by_hash),
		T(keeps_what_is_allowed),
		T(e1_allowed_decoy_hides_nothing),
		T(blocks_by_hash),
		T(executables_are_viruses),
		T(blocks_names_and_types),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, tools_setup, teardown);
}
