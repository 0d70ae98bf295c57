// SPDX-License-Identifier: GPL-2.0
/*
 * Commands about AV profiles.
 */
#include "tests/support/command.h"

#include "common/file_types.h"
#include "tests/support/mail.h"

static const char hash1[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char hash2[] = "FEDCBA9876543210FEDCBA9876543210FEDCBA9876543210FEDCBA987654321F";
#define SHOWN1 "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""
#define SHOWN2 "\"fedcba9876543210fedcba9876543210fedcba9876543210fedcba987654321f\""

/* "@" and the name of a file with @text, which lives as long as this process */
static char *at_file(const char *text)
{
	static char word[64];

	snprintf(word, sizeof(word), "@/proc/self/fd/%d", mail_file(text, strlen(text)));
	return word;
}

static void adds_an_av_profile(void **state)
{
	char hashes[2 * sizeof(hash1)];

	(void)state;
	sprintf(hashes, "%s,%s", hash1, hash2);
	assert_int_equal(run(ss_cmd_av, false, "add", "in"), 0);
	assert_int_equal(fake->av.cmd, SMTPSPLICE_CMD_AV_ADD);
	assert_string_equal(fake->av.name, "in");
	expect_av("{}");
	assert_int_equal(run(ss_cmd_av, false, "add", "in", "av-scan", "monitor",
			     "archive-block", "unhandled,encrypted,unhandled",
			     "archive-log", "none", "oversize-limit", "10M",
			     "uncompressed-limit", "none", "uncompressed-nest-limit", "100",
			     "file-name", "*.exe,[a-c]?.\xc3\xa4 b", "file-type", "exe,mach-o,7z",
			     "hash-block", hashes, "sender-ban", "2h",
			     "reply-virus", "554 5.7.1 no", "reply-failure", "451 later",
			     "reply-hash", "none", "replacement", "a\nb"), 0);
	expect_av("{\"av-scan\":\"monitor\",\"archive-block\":[\"encrypted\",\"unhandled\"],"
		  "\"archive-log\":[],\"oversize-limit\":10485760,\"uncompressed-limit\":0,"
		  "\"uncompressed-nest-limit\":100,\"file-name\":[\"*.exe\",\"[a-c]?.\xc3\xa4 b\"],"
		  "\"file-type\":[\"exe\",\"mach-o\",\"7z\"],\"hash-block\":[" SHOWN1 "," SHOWN2 "],"
		  "\"sender-ban\":7200,\"reply-virus\":\"554 5.7.1 no\","
		  "\"reply-failure\":\"451 later\",\"replacement\":\"a\\nb\"}");
	assert_string_equal(output, "");
}

static void sets_what_is_given_of_an_av_profile(void **state)
{
	(void)state;
	assert_int_equal(run(ss_cmd_av, false, "add", "in", "archive-block", "encrypted",
			     "oversize-limit", "5", "file-name", "a,b", "file-type", "exe",
			     "hash-allow", (char *)hash1, "sender-ban", "10m", "reply-virus", "554 a",
			     "replacement", "b", "cache", "disable"), 0);
	assert_int_equal(run(ss_cmd_av, false, "set", "in", "file-name", "c",
			     "reply-oversize", "552 b", "sender-ban", "30"), 0);
	assert_int_equal(fake->av.cmd, SMTPSPLICE_CMD_AV_SET);
	expect_av("{\"file-name\":[\"c\"],\"reply-oversize\":\"552 b\",\"sender-ban\":30,"
		  "\"archive-block\":[\"encrypted\"],\"oversize-limit\":5,\"file-type\":[\"exe\"],"
		  "\"hash-allow\":[" SHOWN1 "],\"reply-virus\":\"554 a\",\"replacement\":\"b\","
		  "\"cache\":\"disable\"}");
	/* None of what has a default is said, the rest is gone */
	assert_int_equal(run(ss_cmd_av, false, "set", "in", "archive-block", "none",
			     "oversize-limit", "none", "file-name", "none", "file-type", "none",
			     "hash-allow", "none", "sender-ban", "off", "reply-virus", "none",
			     "reply-oversize", "none", "replacement", "none"), 0);
	expect_av("{\"archive-block\":[],\"oversize-limit\":0,\"sender-ban\":0,"
		  "\"cache\":\"disable\"}");
	assert_int_equal(run(ss_cmd_av, false, "set", "other", "cache", "enable"), 1);
	assert_string_equal(output, "smtpsplice: av profile \"other\": No such file or directory\n");
}

static void takes_files(void **state)
{
	char text[512];

	(void)state;
	sprintf(text, "# all of them\n\n%s # one\r\n\t %s \n#%s", hash1, hash2, hash1);
	assert_int_equal(run(ss_cmd_av, false, "add", "in", "hash-allow", at_file(text)), 0);
	expect_av("{\"hash-allow\":[" SHOWN1 "," SHOWN2 "]}");
	assert_int_equal(run(ss_cmd_av, false, "set", "in", "hash-allow", at_file("# none\n")), 0);
	expect_av("{}");
	assert_int_equal(run(ss_cmd_av, false, "set", "in", "replacement",
			     at_file("A\xc3\xa4:\r\n\r\n--\nb\r\n")), 0);
	expect_av("{\"replacement\":\"A\xc3\xa4:\\n\\n--\\nb\"}");
}

static void shows_av_profiles(void **state)
{
	(void)state;
	assert_int_equal(run(ss_cmd_av, false, "add", "in", "av-scan", "block",
			     "archive-block", "none", "archive-log", "nested,timeout",
			     "oversize-limit", "1K", "file-name", "*.exe,a b,it's",
			     "hash-block", (char *)hash2, "sender-ban", "1m",
			     "reply-virus", "554 \"%%FILE%%\" $x", "replacement", "a\n\n  b'"), 0);
	assert_int_equal(run(ss_cmd_show, false, "av"), 0);
	assert_string_equal(output,
			    "in \\\n  av-scan block \\\n  archive-block none \\\n"
			    "  archive-log nested,timeout \\\n  oversize-limit 1024 \\\n"
			    "  file-name '*.exe,a b,it'\\''s' \\\n  hash-block "
			    "fedcba9876543210fedcba9876543210fedcba9876543210fedcba987654321f \\\n"
			    "  sender-ban 60 \\\n  reply-virus '554 \"%%FILE%%\" $x' \\\n"
			    "  replacement 'a\n\n  b'\\'''\n");
	expect_round_trip(ss_cmd_av, "av", &fake->av);
	assert_int_equal(run(ss_cmd_show, true, "av"), 0);
	/* json-c has broken an empty list into lines, and does not any more */
	assert_true(strstr(output, "\"archive-block\":[\n    ],") ||
		    strstr(output, "\"archive-block\":[],"));
	assert_non_null(strstr(output, "\"replacement\":\"a\\n\\n  b'\""));
	assert_non_null(strstr(output, "\"policies\":2"));
}

/* So that nothing of it is taken for an option of the program */
static void shows_what_begins_with_a_dash(void **state)
{
	(void)state;
	assert_int_equal(run(ss_cmd_av, false, "add", "in", "file-name", "-x,b",
			     "replacement", "-- removed --"), 0);
	assert_int_equal(run(ss_cmd_show, false, "av"), 0);
	assert_string_equal(output, "-- in \\\n  file-name -x,b \\\n"
			    "  replacement '-- removed --'\n");
	expect_round_trip(ss_cmd_av, "av", &fake->av);
	assert_int_equal(run(ss_cmd_tls, false, "add", "in", "exempt-regex", "a",
			     "exempt-regex", "-j"), 0);
	assert_int_equal(run(ss_cmd_show, false, "tls"), 0);
	assert_string_equal(output, "-- in \\\n  exempt-regex a \\\n  exempt-regex -j\n");
	expect_round_trip(ss_cmd_tls, "tls", &fake->profile);
}

/* As many words of @len times @c as there may be, in a list */
static char *make_list(char *list, char c, int len)
{
	char *to = list;

	for (int i = 0; i < SMTPSPLICE_LIST_MAX; i++) {
		if (i)
			*to++ = ',';
		memset(to, c, len);
		to += len;
	}
	*to = '\0';
	return list;
}

/* As many types as there may be */
static char *make_types(char *list)
{
	char *to = list;

	for (int i = 0; i < SMTPSPLICE_LIST_MAX; i++)
		to += sprintf(to, "%s%s", i ? "," : "", "javascript");
	return list;
}

static void takes_each_type_of_file(void **state)
{
	const char *name;
	char want[128];

	(void)state;
	assert_int_equal(run(ss_cmd_av, false, "help"), 0);
	for (int type = 0; (name = ss_file_types_name(type)); type++) {
		char *help = strdup(output);

		/* the help names it, and it is taken */
		snprintf(want, sizeof(want), " %s", name);
		for (char *s = help; (s = strpbrk(s, ",\n")); *s = ' ')
			;
		strcat(want, " ");
		assert_non_null(strstr(help, want));
		free(help);
		snprintf(want, sizeof(want), "{\"file-type\":[\"%s\"]}", name);
		assert_int_equal(run(ss_cmd_av, false, "add", "in", "file-type", (char *)name), 0);
		expect_av(want);
		assert_int_equal(run(ss_cmd_av, false, "help"), 0);
	}
}

static void takes_the_largest_av_profile(void **state)
{
	static char names[SMTPSPLICE_LIST_MAX * (SMTPSPLICE_PATTERN_MAX + 1)];
	static char types[SMTPSPLICE_LIST_MAX * sizeof("javascript")];
	static char hashes[SMTPSPLICE_LIST_MAX * (2 * SMTPSPLICE_SHA256_SIZE + 1)];
	char reply[SMTPSPLICE_REPLY_MAX + 1], text[SMTPSPLICE_REPLACEMENT_MAX + 1];
	char *words[64] = {
		"add", "in",
		"file-name", make_list(names, 'n', SMTPSPLICE_PATTERN_MAX),
		"file-type", make_types(types),
		"hash-block", make_list(hashes, 'b', 2 * SMTPSPLICE_SHA256_SIZE),
		"hash-allow", hashes,
	};
	int n = 10;

	(void)state;
	memset(reply, 'r', sizeof(reply) - 1);
	memcpy(reply, "554 ", 4);
	reply[sizeof(reply) - 1] = '\0';
	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int type = SMTPSPLICE_A_AV_PROFILE_REPLY_VIRUS;
	     type <= SMTPSPLICE_A_AV_PROFILE_MAX; type++) {
		if (type == SMTPSPLICE_A_AV_PROFILE_ENCRYPTED_MAIL)
			continue;
		words[n++] = (char *)ss_attrs_av_profile.attr[type].name;
		words[n++] = type != SMTPSPLICE_A_AV_PROFILE_REPLACEMENT ? reply : text;
	}
	assert_int_equal(run_words(ss_cmd_av, false, words), 0);
	assert_true(fake->av.len > (int)(sizeof(names) + sizeof(types) + sizeof(hashes)));
	expect_round_trip(ss_cmd_av, "av", &fake->av);
	assert_int_equal(run(ss_cmd_av, false, "set", "in", "cache", "enable"), 0);
}

static void adds_a_policy_with_an_av_profile(void **state)
{
	(void)state;
	assert_int_equal(run(ss_cmd_policy, false, "add", "p"), 0);
	expect(&ss_attrs_policy, fake->said.attrs, fake->said.len,
	       "{\"name\":\"p\",\"port\":[25],\"mode\":\"hold\"}");
	assert_int_equal(run(ss_cmd_show, false, "policies"), 0);
	assert_non_null(strstr(output, "MODE  TLS  AV       SESSIONS"));
	assert_non_null(strstr(output, "hold  off  default  -"));
	assert_int_equal(run(ss_cmd_policy, false, "add", "p", "av", "strict",
			     "tls", "default"), 0);
	expect(&ss_attrs_policy, fake->said.attrs, fake->said.len,
	       "{\"name\":\"p\",\"port\":[25],\"mode\":\"hold\",\"tls\":\"default\","
	       "\"av\":\"strict\"}");
	assert_int_equal(run(ss_cmd_show, false, "policies"), 0);
	assert_non_null(strstr(output, "hold  default  strict  -"));
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(adds_an_av_profile),
		T(sets_what_is_given_of_an_av_profile),
		T(takes_files),
		T(shows_av_profiles),
		T(shows_what_begins_with_a_dash),
		T(takes_each_type_of_file),
		T(takes_the_largest_av_profile),
		T(adds_a_policy_with_an_av_profile),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, NULL);
}
