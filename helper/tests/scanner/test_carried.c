// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a message with a file in TNEF, in a text or in an archive that an AV
 * profile does not let pass: the file is told, and the part that it is in is replaced.
 */
#include <archive.h>

#include "lib/cleanup.h"
#include "tests/support/message.h"
#include "tests/support/wrap.h"

#define HEAD		"From: a@example.net\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
#define MULTIPART	HEAD "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n"
#define TEXT_TYPE	"Content-Type: text/plain\r\n"
#define TNEF_TYPE	"Content-Type: application/ms-tnef; name=\"winmail.dat\"\r\n"
#define PLAIN		"\r\nWhat they begin 644 times\r\nthey do not end.\r\n"

static const struct pack script = { "run.js", "x", 1 };

/* Those that all but one test have */
static int reset_rules(void **state)
{
	reset(state);
	avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
	avattrs_text(&attrs, AV(FILE_NAME), "*.js");
	return 0;
}

static void expect_executable(const char *file)
{
	expect_refused(SS_CAUSE_EXECUTABLE, "Smtpsplice.Executable", file);
}

/* -- mail ----------------------------------------------------------------- */

/* A message of a text and another part, of which @fields are the first lines */
static char *message(const char *fields, const char *body)
{
	return mail_format(MULTIPART "--b\r\n" TEXT_TYPE PLAIN "--b\r\n%s%s--b--\r\n", fields,
			   body);
}

static char *with_octets(const char *fields, const void *data, size_t len)
{
	char *lines = encoded(data, len);
	char *body = mail_format("Content-Transfer-Encoding: base64\r\n\r\n%s", lines);
	char *text = message(fields, body);

	free(lines);
	free(body);
	return text;
}

/* An Outlook of old has sent a file */
static char *winmail(const char *fields, const struct pack *file)
{
	GString *tnef = wrap_tnef();
	char *text;

	wrap_file(tnef, &pack_text);
	wrap_file(tnef, file);
	text = with_octets(fields, tnef->str, tnef->len);
	g_string_free(tnef, TRUE);
	return text;
}

/* A text with a file in it */
static char *letter(const struct pack *file)
{
	GString *text = g_string_new(PLAIN);
	char *copy;

	wrap_uu(text, &pack_text, "\r\n");
	wrap_uu(text, file, "\r\n");
	g_string_append(text, "Regards\r\n");
	copy = strdup(text->str);
	g_string_free(text, TRUE);
	return copy;
}

static char *with_letter(const char *head, const struct pack *file)
{
	char *body = letter(file), *text = mail_format("%s%s", head, body);

	free(body);
	return text;
}

/* -- rules ---------------------------------------------------------------- */

static void g4_refuses_files_in_tnef(void **state)
{
	static const char *const fields[] = {
		TNEF_TYPE, "Content-Type: application/vnd.ms-tnef; name=winmail.dat\r\n",
		"Content-Type: application/octet-stream; name=winmail.dat\r\n",
		TEXT_TYPE "Content-Disposition: inline; filename=winmail.dat\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		scan(winmail(fields[i], &pack_text));
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
		scan(winmail(fields[i], &pack_program));
		expect_executable("winmail.dat/setup.exe");
		scan(winmail(fields[i], &script));
		expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filename", "winmail.dat/run.js");
	}
	scan(winmail("Content-Type: application/ms-tnef\r\n", &pack_program));
	expect_executable("setup.exe");
}

static void g4_refuses_files_by_uuencode(void **state)
{
	static const char *const heads[] = {
		"Subject: x\r\n", HEAD, HEAD TEXT_TYPE, HEAD "Content-Type: text/html\r\n",
		HEAD TEXT_TYPE "Content-Transfer-Encoding: 8bit\r\n",
		MULTIPART "--b\r\n", MULTIPART "--b\r\n" TEXT_TYPE,
		HEAD "Content-Type: message/rfc822\r\n\r\n" HEAD,
	};
	char *body, *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		const char *end = strstr(heads[i], "--b\r\n") ? "--b--\r\n" : "";

		text = with_letter(heads[i], &pack_text);
		scan(mail_format("%s%s", text, end));
		free(text);
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
		text = with_letter(heads[i], &pack_program);
		scan(mail_format("%s%s", text, end));
		free(text);
		expect_executable("setup.exe");
		text = with_letter(heads[i], &script);
		scan(mail_format("%s%s", text, end));
		free(text);
		expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filename", "run.js");
	}
	/* and in a text that is encoded once more, or has a name */
	body = letter(&pack_program);
	scan(with_octets(TEXT_TYPE, body, strlen(body)));
	expect_executable("setup.exe");
	scan(with_octets("Content-Type: text/plain; name=notes.txt\r\n", body, strlen(body)));
	expect_executable("notes.txt/setup.exe");
	free(body);
}

/* A transfer encoding that few know, with another name in it than in the fields */
static void g4_refuses_names_in_parts_by_uuencode(void **state)
{
	static const char fields[] = "Content-Type: application/octet-stream; name=a.txt\r\n"
		"Content-Transfer-Encoding: x-uuencode\r\n\r\n";
	GString *body = g_string_new(NULL);

	(void)state;
	wrap_uu(body, &script, "\r\n");
	scan(message(fields, body->str));
	expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filename", "a.txt/run.js");
	g_string_truncate(body, 0);
	wrap_uu(body, &pack_program, "\r\n");
	scan(message("Content-Transfer-Encoding: x-uuencode\r\n\r\n", body->str));
	expect_executable("setup.exe");
	/* the file itself may be allowed, whatever it is called */
	avattrs_hash(&attrs, AV(HASH_ALLOW), pack_pe, sizeof(pack_pe));
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	scan(message(fields, body->str));
	expect_clean(SMTPSPLICE_UNSCANNED_AMBIGUOUS);
	g_string_free(body, TRUE);
}

/* The part that it is in, and no more */
static void replaces_what_carries_it(void **state)
{
	char *text;

	(void)state;
	replace_all();
	scan(winmail(TNEF_TYPE, &pack_program));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_EXECUTABLE, "Smtpsplice.Executable",
	       "winmail.dat/setup.exe");
	assert_true(result.replaced);
	assert_true(says("The file \"winmail.dat\" has been removed because it is an executable."));
	assert_true(says("they do not end."));
	assert_false(has("ms-tnef"));
	scan(with_letter(HEAD, &pack_program));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_EXECUTABLE, "Smtpsplice.Executable",
	       "setup.exe");
	assert_true(says("The file \"setup.exe\" has been removed because it is an executable."));
	assert_false(says("they do not end."));
	assert_true(has("Subject: x\r\n"));
	text = letter(&script);
	scan(message(TEXT_TYPE, text));
	assert_true(says("The file \"run.js\" has been removed because files of this name"));
	assert_true(says("they do not end."));
	assert_false(has("begin 644 run"));
	/* and is what it was made for */
	scan(strdup(replacement));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	/* most of it is with the server */
	job.splice = true;
	scan(message(TEXT_TYPE, text));
	expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filename", "run.js");
	free(text);
}

/* -- signatures ----------------------------------------------------------- */

static struct pack virus(void)
{
	return (struct pack){ "eicar.com", mail_eicar(), strlen(mail_eicar()) };
}

static void expect_virus(const char *file)
{
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, file);
	assert_true(result.keep);
}

/* libclamav takes all files in TNEF for one */
static void g4_finds_a_virus_behind_another_file(void **state)
{
	const struct pack file = virus();

	(void)state;
	scan(winmail(TNEF_TYPE, &file));
	expect_virus("winmail.dat");
	scan(winmail("Content-Type: application/ms-tnef\r\n", &file));
	expect_virus("eicar.com");
}

/* where it does not look: in properties, and behind what it does not know */
static void g4_finds_a_virus_in_properties(void **state)
{
	GString *inner = wrap_tnef(), *tnef = wrap_tnef(), *list = wrap_properties();
	const struct pack file = virus();

	(void)state;
	wrap_property(list, WRAP_DATA_VALUE | WRAP_BINARY, file.data, file.len);
	wrap_begin(tnef);
	wrap_put_properties(tnef, list);
	scan(with_octets(TNEF_TYPE, tnef->str, tnef->len));
	expect_virus("winmail.dat");
	/* a message that is attached */
	wrap_file(inner, &pack_text);
	wrap_file(inner, &file);
	g_string_prepend(inner, "the id of a msg.");
	list = wrap_properties();
	wrap_property(list, WRAP_DATA_VALUE | WRAP_OBJECT, inner->str, inner->len);
	g_string_free(tnef, TRUE);
	tnef = wrap_tnef();
	wrap_begin(tnef);
	wrap_put_properties(tnef, list);
	scan(with_octets(TNEF_TYPE, tnef->str, tnef->len));
	expect_virus("winmail.dat");
	g_string_free(tnef, TRUE);
	tnef = wrap_tnef();
	wrap_attribute(tnef, 3, 0x1234, "x", 1);
	wrap_file(tnef, &file);
	scan(with_octets(TNEF_TYPE, tnef->str, tnef->len));
	expect_virus("winmail.dat");
	g_string_free(tnef, TRUE);
	g_string_free(inner, TRUE);
}

static void g4_finds_a_virus_in_a_text(void **state)
{
	const struct pack file = virus();
	GString *body = g_string_new(PLAIN);

	(void)state;
	scan(with_letter(HEAD, &file));
	expect_virus("eicar.com");
	wrap_yenc(body, &pack_text, "\r\n");
	wrap_yenc(body, &file, "\r\n");
	scan(message(TEXT_TYPE, body->str));
	expect_virus("eicar.com");
	g_string_free(body, TRUE);
}

/* which libarchive opens, as the receiver's programs do */
static void g4_finds_a_virus_in_what_libclamav_does_not_open(void **state)
{
	static const struct {
		const char *name;
		int format;
		int filter;
		const char *options;
	} kinds[] = {
		{ "a.zst", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_ZSTD, NULL },
		{ "a.lz4", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_LZ4, NULL },
		{ "a.lz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_LZIP, NULL },
		{ "a.lzma", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_LZMA, NULL },
		{ "a.Z", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_COMPRESS, NULL },
		{ "a.tar.zst", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_ZSTD, NULL },
		{ "a.7z", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, "7zip:compression=bzip2" },
		{ "a.7z", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, "7zip:compression=deflate" },
	};
	const struct pack file = virus();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		scan(MESSAGE(packed(pack_files(kinds[i].name, kinds[i].format, kinds[i].filter,
					       kinds[i].options, &file, 1))));
		expect_virus(kinds[i].name);
	}
}

/* To all but libclamav they are one file */
static void g4_finds_a_virus_behind_another_stream(void **state)
{
	static const int filters[] = {
		ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ,
	};
	const struct pack file = { "a", MAIL_DOTTED_1 MAIL_DOTTED_2,
				   sizeof(MAIL_DOTTED_1 MAIL_DOTTED_2) - 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		struct pack first = pack_files("a", ARCHIVE_FORMAT_RAW, filters[i], NULL,
					       &pack_text, 1);

		scan(MESSAGE(packed(pack_prefix(first.data, first.len,
			pack_files("a", ARCHIVE_FORMAT_RAW, filters[i], NULL, &file, 1)))));
		expect_refused(SS_CAUSE_VIRUS, MAIL_DOTTED, "a");
		pack_drop(&first);
	}
}

static void replaces_what_carries_a_virus(void **state)
{
	const struct pack file = virus();
	char *text = letter(&file);

	(void)state;
	replace_all();
	scan(winmail(TNEF_TYPE, &file));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_VIRUS, MAIL_EICAR, "winmail.dat");
	assert_true(says("The file \"winmail.dat\" has been removed because of a virus."));
	scan(message(TEXT_TYPE, text));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_VIRUS, MAIL_EICAR, "eicar.com");
	assert_true(says("The file \"eicar.com\" has been removed because of a virus."));
	assert_true(says("infected with the \"" MAIL_EICAR "\" virus."));
	assert_false(has("begin 644 eicar"));
	free(text);
}

/* What is in it is not looked at then */
static void allows_winmail_by_hash(void **state)
{
	const struct pack file = virus();
	GString *tnef = wrap_tnef();

	(void)state;
	wrap_file(tnef, &pack_text);
	wrap_file(tnef, &file);
	avattrs_hash(&attrs, AV(HASH_ALLOW), file.data, file.len);
	scan(with_octets(TNEF_TYPE, tnef->str, tnef->len));
	expect_virus("winmail.dat");
	avattrs_hash(&attrs, AV(HASH_ALLOW), tnef->str, tnef->len);
	scan(with_octets(TNEF_TYPE, tnef->str, tnef->len));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	g_string_free(tnef, TRUE);
}

static void e3_limits_count_in_tnef(void **state)
{
	struct pack deep = pack_nested(110);

	(void)state;
	avattrs_number(&attrs, AV(ARCHIVE_BLOCK), 0);
	scan(winmail(TNEF_TYPE, &deep));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(strncmp(result.virus, "Heuristics.Limits.Exceeded", 26), 0);
	pack_drop(&deep);
}

/* -- what passes ---------------------------------------------------------- */

static void logs_what_it_lets_pass(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_MONITOR);
	scan(winmail(TNEF_TYPE, &pack_program));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_EXECUTABLE, "Smtpsplice.Executable",
	       "winmail.dat/setup.exe");
	assert_true(result.monitored);
}

/* What is broken is a condition of archives, which by default passes and is logged */
static void conditions(void **state)
{
	static const uint32_t partly = SMTPSPLICE_ARCHIVE_CONDITION_PARTIALLYCORRUPTED;
	GString *tnef = wrap_tnef();
	char *text = letter(&pack_text), *end;

	(void)state;
	wrap_file(tnef, &pack_text);
	tnef->str[tnef->len - 1] ^= 1;
	end = strstr(strstr(text, "end\r\n") + 1, "end\r\n");
	memcpy(end, "END", 3);
	for (int block = 0; block < 2; block++) {
		if (block)
			avattrs_number(&attrs, AV(ARCHIVE_BLOCK), partly);
		for (int kind = 0; kind < 2; kind++) {
			scan(kind ? message(TEXT_TYPE, text) :
				    with_octets(TNEF_TYPE, tnef->str, tnef->len));
			if (block)
				expect_refused(SS_CAUSE_ARCHIVE,
					       "Smtpsplice.Archive.partiallycorrupted",
					       kind ? "message" : "winmail.dat");
			else
				expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
			assert_int_equal(result.conditions, partly);
		}
	}
	avattrs_number(&attrs, AV(UNCOMPRESSED_NEST_LIMIT), 2);
	avattrs_size(&attrs, AV(UNCOMPRESSED_LIMIT), pack_text.len);
	avattrs_number(&attrs, AV(ARCHIVE_BLOCK), SMTPSPLICE_ARCHIVE_CONDITION_MAILBOMB);
	scan(winmail(TNEF_TYPE, &pack_text));
	expect_refused(SS_CAUSE_ARCHIVE, "Smtpsplice.Archive.mailbomb", "winmail.dat");
	g_string_free(tnef, TRUE);
	free(text);
}

static void passes_without_rules(void **state)
{
	(void)state;
	scan(winmail(TNEF_TYPE, &pack_program));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(with_letter(HEAD, &script));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
}

#define TEST(name)	cmocka_unit_test_setup(name, reset_rules)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(g4_refuses_files_in_tnef),
		TEST(g4_refuses_files_by_uuencode),
		TEST(g4_refuses_names_in_parts_by_uuencode),
		TEST(replaces_what_carries_it),
		TEST(g4_finds_a_virus_behind_another_file),
		TEST(g4_finds_a_virus_in_properties),
		TEST(g4_finds_a_virus_in_a_text),
		TEST(g4_finds_a_virus_in_what_libclamav_does_not_open),
		TEST(g4_finds_a_virus_behind_another_stream),
		TEST(replaces_what_carries_a_virus),
		TEST(allows_winmail_by_hash),
		TEST(e3_limits_count_in_tnef),
		TEST(logs_what_it_lets_pass),
		TEST(conditions),
		cmocka_unit_test_setup(passes_without_rules, reset),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, tools_setup, teardown);
}
