// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include "common/template.h"

#define INFECTED	ss_template_default(SS_CAUSE_VIRUS)
#define VALUES(...)	(&(struct ss_template_values){ __VA_ARGS__ })

static char reply[SS_TEMPLATE_REPLY_SIZE];

static void is_the_reference(void **state)
{
	static const char wanted[] =
		"554 5.7.1 Dangerous Attachment has been Removed.  "
		"The file \"eicar.com\" has been removed because of a virus.  "
		"It was infected with the \"EICAR_TEST_FILE\" virus.  "
		"File quarantined as: \"\".";

	(void)state;
	ss_template_reply(reply, INFECTED,
			  VALUES(.file = "eicar.com", .virus = "EICAR_TEST_FILE"));
	assert_string_equal(reply, wanted);
}

static void knows_all_tags(void **state)
{
	static const struct ss_template_values values = {
		.file = "f", .virus = "v", .quarfile = "q", .source_ip = "192.0.2.1",
		.dest_ip = "2001:db8::2", .email_from = "a@example.net",
		.email_to = "b@example.org,c@example.org", .protocol = "SMTP",
	};
	char *text;

	(void)state;
	ss_template_reply(reply, "554 %%FILE%% %%VIRUS%% %%QUARFILENAME%% %%SOURCE_IP%% "
			  "%%DEST_IP%% %%EMAIL_FROM%% %%EMAIL_TO%% %%PROTOCOL%%", &values);
	assert_string_equal(reply, "554 f v q 192.0.2.1 2001:db8::2 a@example.net "
			    "b@example.org,c@example.org SMTP");
	text = ss_template_text("%%PROTOCOL%%\n%%SOURCE_IP%%", &values);
	assert_string_equal(text, "SMTP\n192.0.2.1\n");
	free(text);
}

static void expands_once(void **state)
{
	static const struct ss_template_values values = {
		.file = "%%VIRUS%%", .virus = "%%FILE%%%s%n", .quarfile = "%%FILE%%",
	};
	static const char template[] = "554 %%FILE%%|%%VIRUS%%|%%QUARFILENAME%%|%%NO%%|%%%FILE%%|%";
	static const char wanted[] = "554 %%VIRUS%%|%%FILE%%%s%n|%%FILE%%|%%NO%%|%%%VIRUS%%|%";
	char *text;

	(void)state;
	ss_template_reply(reply, template, &values);
	assert_string_equal(reply, wanted);
	text = ss_template_text(template, &values);
	assert_memory_equal(text, wanted, strlen(wanted));
	free(text);
}

static void cannot_be_injected(void **state)
{
	static const struct ss_template_values values = {
		.file = "a\r\n250 2.0.0 \"Ok\"\x1b\xff\xc3\xbc\xe2\x80\xae",
		.virus = "V\n", .email_from = "<\r\nDATA>",
	};
	char *text;

	(void)state;
	ss_template_reply(reply, INFECTED, &values);
	assert_non_null(strstr(reply, "\"a??250 2.0.0 'Ok'????\""));
	assert_null(strpbrk(reply, "\r\n\x1b"));
	text = ss_template_text("%%FILE%% %%VIRUS%% %%EMAIL_FROM%%", &values);
	assert_string_equal(text, "a??250 2.0.0 \"Ok\"??\xc3\xbc? V? <??DATA>\n");
	free(text);
}

static void clips_the_file_first(void **state)
{
	char file[2000], virus[2000];

	(void)state;
	memset(file, 'f', sizeof(file) - 1);
	file[sizeof(file) - 1] = '\0';
	ss_template_reply(reply, INFECTED, VALUES(.file = file, .virus = "Virus"));
	assert_int_equal(strlen(reply), SMTPSPLICE_REPLY_MAX);
	assert_non_null(strstr(reply, "ff...\""));
	assert_non_null(strstr(reply, "\"Virus\""));
	assert_non_null(strstr(reply, "File quarantined as: \"\"."));

	memset(virus, 'v', sizeof(virus) - 1);
	virus[sizeof(virus) - 1] = '\0';
	ss_template_reply(reply, INFECTED, VALUES(.file = file, .virus = virus));
	assert_int_equal(strlen(reply), SMTPSPLICE_REPLY_MAX);
	assert_non_null(strstr(reply, "file \"...\""));
	assert_non_null(strstr(reply, "vv...\""));
}

static void clips_the_longest_next(void **state)
{
	char from[321], to[4000];

	(void)state;
	memset(from, 'f', sizeof(from) - 1);
	from[sizeof(from) - 1] = '\0';
	memset(to, 't', sizeof(to) - 1);
	to[sizeof(to) - 1] = '\0';
	ss_template_reply(reply, "554 \"%%EMAIL_FROM%%\" \"%%EMAIL_TO%%\" \"%%VIRUS%%\" \"%%FILE%%\"",
			  VALUES(.email_from = from, .email_to = to, .virus = "Virus",
				 .file = "file.exe"));
	assert_int_equal(strlen(reply), SMTPSPLICE_REPLY_MAX);
	assert_non_null(strstr(reply, from));
	assert_non_null(strstr(reply, "tt...\" \"Virus\" \"...\""));
}

static void never_gets_too_long(void **state)
{
	char template[SS_TEMPLATE_REPLY_SIZE], file[300];
	struct ss_template_values values = {
		.file = file, .virus = file, .quarfile = file, .email_to = file,
	};

	(void)state;
	for (size_t n = 0; n < sizeof(file); n++) {
		memset(file, 'f', n);
		file[n] = '\0';
		ss_template_reply(reply, INFECTED, &values);
		assert_true(strlen(reply) <= SMTPSPLICE_REPLY_MAX);
		ss_template_reply(reply, "554 %%FILE%%%%FILE%%%%VIRUS%%%%EMAIL_TO%%%%VIRUS%%",
				  &values);
		assert_true(strlen(reply) <= SMTPSPLICE_REPLY_MAX);
	}
	memset(template, 'x', SMTPSPLICE_REPLY_MAX);
	template[SMTPSPLICE_REPLY_MAX] = '\0';
	memcpy(template, "554 ", 4);
	memcpy(template + 100, "%%FILE%%", 8);
	ss_template_reply(reply, template, VALUES(.file = "abcdefghijklmnopqrstuvwxyz"));
	assert_int_equal(strlen(reply), SMTPSPLICE_REPLY_MAX);
}

static bool valid(const char *template)
{
	return ss_template_valid_reply(SS_CAUSE_VIRUS, template);
}

static void checks_replies(void **state)
{
	char template[SS_TEMPLATE_REPLY_SIZE + 1];

	(void)state;
	assert_true(valid("550 no"));
	assert_false(valid(""));
	assert_false(valid("5"));
	assert_false(valid("250 ok"));
	assert_false(valid("451 later"));
	assert_false(valid("554-more"));
	assert_false(valid("554 a\r\n250 b"));
	assert_false(valid("554 Gr\xc3\xbc\xc3\x9f" "e"));
	assert_true(valid("554 ~"));
	assert_false(valid("554 \x7f"));
	memset(template, 'x', SS_TEMPLATE_REPLY_SIZE);
	template[SS_TEMPLATE_REPLY_SIZE] = '\0';
	memcpy(template, "554 ", 4);
	assert_false(valid(template));
}

static void codes_agree(void **state)
{
	(void)state;
	assert_true(valid("554 5.7.1"));
	assert_true(valid("554 5.7.100 no"));
	assert_false(valid("554 4.7.1 no"));
	assert_false(valid("554 2.0.0 no"));
	assert_false(valid("554 55.7.1 no"));
	assert_true(valid("554 192.0.2.1 is bad"));
	assert_true(valid("554 4.7 is a number"));
	assert_false(ss_template_valid_reply(SS_CAUSE_OVERSIZE, "452 4.3.1 later"));
	assert_true(ss_template_valid_reply(SS_CAUSE_SCAN_FAILURE, "451 4.3.0 later"));
	assert_true(ss_template_valid_reply(SS_CAUSE_SCAN_FAILURE, "554 5.3.0 never"));
	assert_false(ss_template_valid_reply(SS_CAUSE_SCAN_FAILURE, "451 5.3.0 later"));
	assert_false(ss_template_valid_reply(SS_CAUSE_SCAN_FAILURE, "250 2.0.0 ok"));
}

static void has_one_per_cause(void **state)
{
	(void)state;
	for (int cause = 0; cause < SS_CAUSE_COUNT; cause++) {
		const char *template = ss_template_default(cause);
		const char *text = ss_template_default_text(cause);
		const char *codes = cause == SS_CAUSE_OVERSIZE ? "552 5.3.4 " :
				    cause == SS_CAUSE_SCAN_FAILURE ? "451 4.3.0 " :
				    "554 5.7.1 ";

		assert_true(ss_template_valid_reply(cause, template));
		assert_true(ss_template_valid_text(text));
		assert_memory_equal(template, codes, strlen(codes));
		assert_string_equal(text, template + strlen(codes));
	}
}

static void checks_texts(void **state)
{
	char *big = malloc(SS_TEMPLATE_TEXT_MAX + 2);

	(void)state;
	assert_true(ss_template_valid_text(""));
	assert_true(ss_template_valid_text("Gr\xc3\xbc\xc3\x9f" "e\n\r\n%%FILE%%\r\n"));
	assert_false(ss_template_valid_text("a\rb"));
	assert_false(ss_template_valid_text("a\x1b[0m"));
	assert_false(ss_template_valid_text("a\x7f"));
	assert_false(ss_template_valid_text("a\xff"));
	assert_false(ss_template_valid_text("a\xc3"));
	assert_false(ss_template_valid_text("a\xe2\x80\xae"));
	memset(big, 'x', SS_TEMPLATE_TEXT_MAX + 1);
	big[SS_TEMPLATE_TEXT_MAX + 1] = '\0';
	assert_false(ss_template_valid_text(big));
	big[SS_TEMPLATE_TEXT_MAX] = '\0';
	assert_true(ss_template_valid_text(big));
	free(big);
}

static void wraps_lines(void **state)
{
	static const char words[] =
		"Twelve words of text, of which some have to go into the next line, "
		"since it is long";
	char long_word[1100], *text;

	(void)state;
	text = ss_template_text(words, VALUES(NULL));
	assert_string_equal(text, "Twelve words of text, of which some have to go into the next line, since it\n"
			    "is long\n");
	free(text);
	text = ss_template_text("a\r\n\r\nb\n", VALUES(NULL));
	assert_string_equal(text, "a\n\nb\n");
	free(text);
	text = ss_template_text("", VALUES(NULL));
	assert_string_equal(text, "");
	free(text);
	/* Umlauts; the break must not come between two octets of one */
	for (size_t i = 1; i + 1 < sizeof(long_word) - 1; i += 2)
		memcpy(long_word + i, "\xc3\xbc", 2);
	long_word[0] = 'x';
	long_word[1097] = '\0';
	text = ss_template_text("%%FILE%%%%FILE%%", VALUES(.file = long_word));
	assert_true(ss_template_valid_text(text));
	for (const char *s = text; *s; s += strcspn(s, "\n") + 1)
		assert_true(strcspn(s, "\n") < 998);
	assert_null(strchr(text, '?'));
	free(text);
	/* Octets that are not UTF-8 at all, and a template that is not valid */
	memset(long_word, 0x80, 1099);
	long_word[1099] = '\0';
	text = ss_template_text(long_word, VALUES(NULL));
	assert_true(ss_template_valid_text(text));
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_reference),
		cmocka_unit_test(knows_all_tags),
		cmocka_unit_test(expands_once),
		cmocka_unit_test(cannot_be_injected),
		cmocka_unit_test(clips_the_file_first),
		cmocka_unit_test(clips_the_longest_next),
		cmocka_unit_test(never_gets_too_long),
		cmocka_unit_test(checks_replies),
		cmocka_unit_test(codes_agree),
		cmocka_unit_test(has_one_per_cause),
		cmocka_unit_test(checks_texts),
		cmocka_unit_test(wraps_lines),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
