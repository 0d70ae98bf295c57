// SPDX-License-Identifier: GPL-2.0
#include "unit.h"

#include "reply.h"

static char reply[SS_REPLY_SIZE];

static void is_the_reference(void **state)
{
	static const char wanted[] =
		"554 5.7.1 Dangerous Attachment has been Removed.  "
		"The file \"eicar.com\" has been removed because of a virus.  "
		"It was infected with the \"EICAR_TEST_FILE\" virus.  "
		"File quarantined as: \"\".";

	(void)state;
	ss_reply_build(reply, SS_REPLY_INFECTED, "eicar.com", "EICAR_TEST_FILE", NULL);
	assert_string_equal(reply, wanted);
}

static void expands_once(void **state)
{
	(void)state;
	ss_reply_build(reply, "554 %%FILE%%|%%VIRUS%%|%%QUARFILENAME%%|%%NO%%",
		       "%%VIRUS%%", "%%FILE%%%s%n", "%%FILE%%");
	assert_string_equal(reply, "554 %%VIRUS%%|%%FILE%%%s%n|%%FILE%%|%%NO%%");
}

static void cannot_be_injected(void **state)
{
	(void)state;
	ss_reply_build(reply, SS_REPLY_INFECTED, "a\r\n250 2.0.0 \"Ok\"\x1b\xff\xc3\xbc",
		       "V\n", NULL);
	assert_non_null(strstr(reply, "\"a??250 2.0.0 'Ok'???\""));
	assert_null(strpbrk(reply, "\r\n\x1b"));
}

static void clips_the_file_first(void **state)
{
	char file[2000], virus[2000];

	(void)state;
	memset(file, 'f', sizeof(file) - 1);
	file[sizeof(file) - 1] = '\0';
	ss_reply_build(reply, SS_REPLY_INFECTED, file, "Virus", NULL);
	assert_int_equal(strlen(reply), SMTPSPLICE_REPLY_MAX);
	assert_non_null(strstr(reply, "ff...\""));
	assert_non_null(strstr(reply, "\"Virus\""));
	assert_non_null(strstr(reply, "File quarantined as: \"\"."));

	memset(virus, 'v', sizeof(virus) - 1);
	virus[sizeof(virus) - 1] = '\0';
	ss_reply_build(reply, SS_REPLY_INFECTED, file, virus, NULL);
	assert_int_equal(strlen(reply), SMTPSPLICE_REPLY_MAX);
	assert_non_null(strstr(reply, "file \"...\""));
	assert_non_null(strstr(reply, "vv...\""));
}

static void never_gets_too_long(void **state)
{
	char template[SS_REPLY_SIZE], file[300];

	(void)state;
	for (size_t n = 0; n < sizeof(file); n++) {
		memset(file, 'f', n);
		file[n] = '\0';
		ss_reply_build(reply, SS_REPLY_INFECTED, file, file, file);
		assert_true(strlen(reply) <= SMTPSPLICE_REPLY_MAX);
		ss_reply_build(reply, "554 %%FILE%%%%FILE%%%%VIRUS%%%%VIRUS%%", file, file, file);
		assert_true(strlen(reply) <= SMTPSPLICE_REPLY_MAX);
	}
	memset(template, 'x', SMTPSPLICE_REPLY_MAX);
	template[SMTPSPLICE_REPLY_MAX] = '\0';
	memcpy(template, "554 ", 4);
	memcpy(template + 100, "%%FILE%%", 8);
	ss_reply_build(reply, template, "abcdefghijklmnopqrstuvwxyz", NULL, NULL);
	assert_int_equal(strlen(reply), SMTPSPLICE_REPLY_MAX);
}

static void checks_templates(void **state)
{
	char template[SS_REPLY_SIZE + 1];

	(void)state;
	assert_true(ss_reply_valid(SS_REPLY_INFECTED));
	assert_true(ss_reply_valid("550 no"));
	assert_false(ss_reply_valid(""));
	assert_false(ss_reply_valid("5"));
	assert_false(ss_reply_valid("250 ok"));
	assert_false(ss_reply_valid("451 later"));
	assert_false(ss_reply_valid("554-more"));
	assert_false(ss_reply_valid("554 a\r\n250 b"));
	assert_false(ss_reply_valid("554 Gr\xc3\xbc\xc3\x9f" "e"));
	memset(template, 'x', SS_REPLY_SIZE);
	template[SS_REPLY_SIZE] = '\0';
	memcpy(template, "554 ", 4);
	assert_false(ss_reply_valid(template));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_reference),
		cmocka_unit_test(expands_once),
		cmocka_unit_test(cannot_be_injected),
		cmocka_unit_test(clips_the_file_first),
		cmocka_unit_test(never_gets_too_long),
		cmocka_unit_test(checks_templates),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
