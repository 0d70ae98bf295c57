// SPDX-License-Identifier: GPL-2.0
/*
 * AV profiles, as the kernel sends them and as it never would.
 */
#include "tests/support/unit.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>

#include "common/av_profile.h"
#include "proto/attrs.h"
#include "tests/support/avattrs.h"

#define KERNEL	"../kmod/profile-av.c"
#define MEMBER(name)	offsetof(struct ss_av_profile, name)

static struct avattrs attrs;
static struct ss_av_profile profile;

/* The options that are one number */
static const struct {
	const char *word;
	int type;
	size_t member;
	uint32_t max;
} numbers[] = {
	{ "AV_SCAN", AV(AV_SCAN), MEMBER(scan), SMTPSPLICE_AV_SCAN_DISABLE },
	{ "EXECUTABLES", AV(EXECUTABLES), MEMBER(executables), SMTPSPLICE_EXECUTABLES_VIRUS },
	{ "INFECTED", AV(INFECTED), MEMBER(infected), SMTPSPLICE_INFECTED_DISCARD },
	{ "ARCHIVE_BLOCK", AV(ARCHIVE_BLOCK), MEMBER(archive_block), 0xff },
	{ "ARCHIVE_LOG", AV(ARCHIVE_LOG), MEMBER(archive_log), 0xff },
	{ "OVERSIZE", AV(OVERSIZE), MEMBER(oversize), SMTPSPLICE_FAIL_ACTION_PASS },
	{ "UNCOMPRESSED_NEST_LIMIT", AV(UNCOMPRESSED_NEST_LIMIT), MEMBER(nest_limit), UINT32_MAX },
	{ "FRAGMAIL", AV(FRAGMAIL), MEMBER(fragmail), SMTPSPLICE_PASS_BLOCK_PASS },
	{ "MIME_AMBIGUITY", AV(MIME_AMBIGUITY), MEMBER(ambiguity), SMTPSPLICE_AMBIGUITY_MONITOR },
	{ "SCAN_ERROR", AV(SCAN_ERROR), MEMBER(scan_error), SMTPSPLICE_FAIL_ACTION_PASS },
	{ "SCAN_TIMEOUT", AV(SCAN_TIMEOUT), MEMBER(scan_timeout), SMTPSPLICE_FAIL_ACTION_PASS },
	{ "UNDECODABLE", AV(UNDECODABLE), MEMBER(undecodable), SMTPSPLICE_FAIL_ACTION_PASS },
	{ "ENCRYPTED_MAIL", AV(ENCRYPTED_MAIL), MEMBER(encrypted_mail),
	  SMTPSPLICE_FAIL_ACTION_PASS },
	{ "QUARANTINE", AV(QUARANTINE), MEMBER(quarantine), SMTPSPLICE_SWITCH_DISABLE },
	{ "CACHE", AV(CACHE), MEMBER(cache), SMTPSPLICE_SWITCH_DISABLE },
};

static const struct {
	int type;
	enum ss_cause cause;
} replies[] = {
	{ AV(REPLY_VIRUS), SS_CAUSE_VIRUS }, { AV(REPLY_EXECUTABLE), SS_CAUSE_EXECUTABLE },
	{ AV(REPLY_FILENAME), SS_CAUSE_FILENAME }, { AV(REPLY_HASH), SS_CAUSE_HASH },
	{ AV(REPLY_ARCHIVE), SS_CAUSE_ARCHIVE }, { AV(REPLY_PARTIAL), SS_CAUSE_PARTIAL },
	{ AV(REPLY_AMBIGUOUS), SS_CAUSE_AMBIGUOUS },
	{ AV(REPLY_OVERSIZE), SS_CAUSE_OVERSIZE },
	{ AV(REPLY_FAILURE), SS_CAUSE_SCAN_FAILURE },
	{ AV(REPLY_UNDECODABLE), SS_CAUSE_UNDECODABLE },
	{ AV(REPLY_ENCRYPTED), SS_CAUSE_ENCRYPTED },
};

enum {
	NUMBERS = sizeof(numbers) / sizeof(*numbers),
	REPLIES = sizeof(replies) / sizeof(*replies),
};

static int setup(void **state)
{
	(void)state;
	attrs.len = 0;
	memset(&profile, 0xa5, sizeof(profile));
	return 0;
}

/* What is behind the attributes is poisoned in here */
static int parse_octets(const void *octets, size_t len)
{
	void *copy = malloc(len ? len : 1);
	int ret;

	memcpy(copy, octets, len);
	ret = ss_av_profile_parse(&profile, copy, len);
	free(copy);
	return ret;
}

static int parse(void)
{
	return parse_octets(attrs.octets, attrs.len);
}

static uint32_t number(size_t i)
{
	return *(uint32_t *)((char *)&profile + numbers[i].member);
}

/* -- defaults ------------------------------------------------------------- */

static char *read_kernel(void)
{
	FILE *file = fopen(KERNEL, "r");
	char *text = calloc(1, 1 << 16);

	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
	fclose(file);
	return text;
}

/* The value that a word stands for in profile-av.c */
static uint32_t value_of(const char *word, int type)
{
	static const char archive[] = "SMTPSPLICE_ARCHIVE_CONDITION_";
	const struct ss_names *names = ss_attrs_av_profile.attr[type].names;
	size_t len = strlen(word);

	if (!strcmp(word, "ALL_CONDITIONS"))
		return 0xff;
	if (!strcmp(word, "NEST_LIMIT"))
		return 12;
	for (unsigned int i = 0; names && i < names->count; i++) {
		const char *name = names->name[i];
		size_t n = strlen(name);
		bool same = n < len && word[len - n - 1] == '_';

		for (size_t k = 0; same && k < n; k++)
			same = tolower((unsigned char)word[len - n + k]) ==
			       (name[k] == '-' ? '_' : name[k]);
		if (same)
			return strncmp(word, archive, sizeof(archive) - 1) ? i : 1u << i;
	}
	fail_msg("no value for %s", word);
	return 0;
}

/* The default of an option, from the kernel's table: words with "|" between them */
static uint32_t kernel_default(const char *text, size_t i)
{
	char mark[64], word[64];
	uint32_t value = 0;
	const char *s;
	int n;

	snprintf(mark, sizeof(mark), "{ ATTR(%s),", numbers[i].word);
	s = strstr(text, mark);
	assert_non_null(s);
	for (s += strlen(mark); sscanf(s, " %63[A-Z_0-9]%n", word, &n) == 1; s++) {
		value |= value_of(word, numbers[i].type);
		s += n;
		s += strspn(s, " \t\n");
		if (*s != '|')
			break;
	}
	return value;
}

static void defaults_are_those_of_the_kernel(void **state)
{
	char *text = read_kernel();

	(void)state;
	assert_non_null(strstr(text, "#define NEST_LIMIT\t\t12\n"));
	assert_non_null(strstr(text, "#define UNCOMPRESSED_LIMIT\t(400ull << 20)\n"));
	assert_non_null(strstr(text, "ATTR(OVERSIZE_LIMIT), 0)"));
	assert_int_equal(parse(), 0);
	for (size_t i = 0; i < NUMBERS; i++)
		assert_int_equal(number(i), kernel_default(text, i));
	assert_int_equal(profile.uncompressed_limit, 400ull << 20);
	assert_int_equal(profile.oversize_limit, 0);
	assert_int_equal(profile.name_count + profile.type_count, 0);
	assert_int_equal(profile.allow.count + profile.block.count, 0);
	for (int i = 0; i < SS_CAUSE_COUNT; i++)
		assert_string_equal(profile.reply[i], "");
	assert_string_equal(profile.replacement, "");
	/* Each row of the table is known here, or is the kernel's own business */
	for (const char *s = strstr(text, "options[] = {"); *s != ';'; s++) {
		bool known = !strncmp(s, "{ ATTR(HELPER_DOWN)", 19) ||
			     !strncmp(s, "{ ATTR(OVER_BUDGET)", 19) ||
			     !strncmp(s, "{ ATTR(SENDER_BAN)", 18);

		if (strncmp(s, "{ ATTR(", 7))
			continue;
		for (size_t i = 0; i < NUMBERS; i++)
			known |= !strncmp(s + 7, numbers[i].word, strlen(numbers[i].word)) &&
				 s[7 + strlen(numbers[i].word)] == ')';
		assert_true(known);
	}
	free(text);
}

/* -- each option ---------------------------------------------------------- */

static void reads_numbers(void **state)
{
	static const size_t bad[] = { 0, 1, 3, 5, 8 };
	const uint64_t zeros = 0;

	(void)state;
	for (size_t i = 0; i < NUMBERS; i++) {
		for (uint64_t v = 0; v <= numbers[i].max && v < 260; v++) {
			setup(NULL);
			avattrs_number(&attrs, numbers[i].type, v);
			assert_int_equal(parse(), 0);
			assert_int_equal(number(i), v);
		}
		for (size_t k = 0; k < 5; k++) {
			setup(NULL);
			avattrs_put(&attrs, numbers[i].type, &zeros, bad[k]);
			assert_int_equal(parse(), -EPROTO);
		}
		if (numbers[i].max == UINT32_MAX)
			continue;
		setup(NULL);
		avattrs_number(&attrs, numbers[i].type, numbers[i].max + 1);
		assert_int_equal(parse(), -EPROTO);
		setup(NULL);
		avattrs_number(&attrs, numbers[i].type, UINT32_MAX);
		assert_int_equal(parse(), -EPROTO);
	}
}

static void reads_sizes(void **state)
{
	static const int types[] = { AV(OVERSIZE_LIMIT), AV(UNCOMPRESSED_LIMIT) };

	(void)state;
	for (int i = 0; i < 2; i++) {
		setup(NULL);
		avattrs_size(&attrs, types[i], UINT64_MAX);
		assert_int_equal(parse(), 0);
		assert_true((i ? profile.uncompressed_limit : profile.oversize_limit) ==
			    UINT64_MAX);
		for (size_t len = 0; len < 20; len++) {
			setup(NULL);
			avattrs_put(&attrs, types[i], "12345678901234567890", len);
			assert_int_equal(parse(), len == 8 ? 0 : -EPROTO);
		}
	}
}

/* A text of @len octets and its NUL: the longest there is, and one more */
static void try_text(int type, size_t len, int want)
{
	char text[4096];

	setup(NULL);
	memset(text, '5', len);
	text[len] = '\0';
	avattrs_text(&attrs, type, text);
	assert_int_equal(parse(), want);
	/* nor does it need its NUL */
	setup(NULL);
	avattrs_put(&attrs, type, text, len);
	assert_int_equal(parse(), want);
}

static void reads_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < REPLIES; i++) {
		setup(NULL);
		avattrs_text(&attrs, replies[i].type, "554 5.7.1 no");
		assert_int_equal(parse(), 0);
		for (int cause = 0; cause < SS_CAUSE_COUNT; cause++)
			assert_string_equal(profile.reply[cause], cause == (int)replies[i].cause ?
					    "554 5.7.1 no" : "");
		try_text(replies[i].type, SMTPSPLICE_REPLY_MAX, 0);
		try_text(replies[i].type, SMTPSPLICE_REPLY_MAX + 1, -EPROTO);
		try_text(replies[i].type, 0, -EPROTO);
	}
	try_text(AV(REPLACEMENT), SMTPSPLICE_REPLACEMENT_MAX, 0);
	assert_int_equal(strlen(profile.replacement), SMTPSPLICE_REPLACEMENT_MAX);
	try_text(AV(REPLACEMENT), SMTPSPLICE_REPLACEMENT_MAX + 1, -EPROTO);
	try_text(AV(REPLACEMENT), 0, -EPROTO);
	try_text(AV(FILE_NAME), SMTPSPLICE_PATTERN_MAX, 0);
	try_text(AV(FILE_NAME), SMTPSPLICE_PATTERN_MAX + 1, -EPROTO);
	try_text(AV(FILE_NAME), 0, -EPROTO);
	try_text(AV(FILE_TYPE), SMTPSPLICE_NAME_MAX, 0);
	try_text(AV(FILE_TYPE), SMTPSPLICE_NAME_MAX + 1, -EPROTO);
	try_text(AV(FILE_TYPE), 0, -EPROTO);
	/* What is behind a NUL is nothing */
	setup(NULL);
	avattrs_put(&attrs, AV(FILE_NAME), "a\0b", 3);
	assert_int_equal(parse(), 0);
	assert_string_equal(profile.names[0], "a");
}

static void reads_lists(void **state)
{
	static const char octets[40];
	static const int types[] = {
		AV(FILE_NAME), AV(FILE_TYPE), AV(HASH_BLOCK), AV(HASH_ALLOW),
	};

	(void)state;
	for (int i = 0; i < 4; i++) {
		setup(NULL);
		for (int n = 0; n < SMTPSPLICE_LIST_MAX; n++) {
			char text[16];

			snprintf(text, sizeof(text), "%d", n);
			if (i < 2)
				avattrs_text(&attrs, types[i], text);
			else
				avattrs_hash(&attrs, types[i], text, strlen(text));
		}
		assert_int_equal(parse(), 0);
		assert_int_equal(i == 0 ? profile.name_count : i == 1 ? profile.type_count :
				 i == 2 ? profile.block.count : profile.allow.count,
				 SMTPSPLICE_LIST_MAX);
		assert_int_equal(profile.name_count + profile.type_count + profile.block.count +
				 profile.allow.count, SMTPSPLICE_LIST_MAX);
		for (int n = 1; i > 1 && n < SMTPSPLICE_LIST_MAX; n++) {
			struct ss_av_profile_hashes *list = &profile.allow;

			if (i == 2)
				list = &profile.block;
			assert_true(memcmp(list->hash[n - 1], list->hash[n],
					   SMTPSPLICE_SHA256_SIZE) < 0);
		}
		avattrs_hash(&attrs, types[i], "x", 1);
		assert_int_equal(parse(), -EPROTO);
	}
	for (size_t len = 0; len < 40; len++) {
		setup(NULL);
		avattrs_put(&attrs, AV(HASH_ALLOW), octets, len);
		assert_int_equal(parse(), len == SMTPSPLICE_SHA256_SIZE ? 0 : -EPROTO);
	}
	setup(NULL);
	avattrs_text(&attrs, AV(FILE_NAME), "*.exe");
	avattrs_text(&attrs, AV(FILE_TYPE), "zip");
	assert_int_equal(parse(), 0);
	assert_string_equal(profile.names[0], "*.exe");
	assert_string_equal(profile.types[0], "zip");
}

/* -- what is no profile --------------------------------------------------- */

static void passes_over_what_is_not_known(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(HELPER_DOWN), 77);
	avattrs_number(&attrs, AV(SENDER_BAN), UINT32_MAX);
	avattrs_text(&attrs, 999, "x");
	avattrs_put(&attrs, 0, "x", 1);
	avattrs_number(&attrs, AV(CACHE) | NLA_F_NESTED, SMTPSPLICE_SWITCH_DISABLE);
	assert_int_equal(parse(), 0);
	assert_int_equal(profile.cache, SMTPSPLICE_SWITCH_DISABLE);
	/* The last one counts */
	avattrs_number(&attrs, AV(CACHE), SMTPSPLICE_SWITCH_ENABLE);
	assert_int_equal(parse(), 0);
	assert_int_equal(profile.cache, SMTPSPLICE_SWITCH_ENABLE);
}

/* All options, to be spoiled */
static void put_all(void)
{
	for (size_t i = 0; i < NUMBERS; i++)
		avattrs_number(&attrs, numbers[i].type, 1);
	for (size_t i = 0; i < REPLIES; i++)
		avattrs_text(&attrs, replies[i].type, "554 no");
	avattrs_text(&attrs, AV(REPLACEMENT), "gone");
	avattrs_text(&attrs, AV(FILE_NAME), "*.exe");
	avattrs_text(&attrs, AV(FILE_TYPE), "exe");
	avattrs_size(&attrs, AV(OVERSIZE_LIMIT), 1);
	avattrs_hash(&attrs, AV(HASH_ALLOW), "a", 1);
}

static void refuses_what_is_cut_off(void **state)
{
	size_t ends = 0;

	(void)state;
	put_all();
	assert_int_equal(parse(), 0);
	for (size_t len = 0; len < attrs.len; len++) {
		int ret = parse_octets(attrs.octets, len);

		assert_true(ret == 0 || ret == -EPROTO);
		ends += !ret;
	}
	/* one behind each attribute; libnl does not mind padding that is not there */
	assert_true(ends >= NUMBERS + REPLIES + 5);
	assert_true(ends <= 4 * (NUMBERS + REPLIES + 5));
	assert_int_equal(parse_octets("\5", 1), -EPROTO);
	assert_int_equal(parse_octets("\0\0\0\0", 4), -EPROTO);
	assert_int_equal(parse_octets("\3\0\1\0", 4), -EPROTO);
	assert_int_equal(parse_octets("\xff\xff\1\0", 4), -EPROTO);
}

static void survives_octets(void **state)
{
	struct avattrs whole;

	(void)state;
	put_all();
	whole = attrs;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		int ret;

		attrs = whole;
		for (int n = random() % 4; n >= 0; n--)
			attrs.octets[random() % attrs.len] = random();
		ret = parse();
		assert_true(ret == 0 || ret == -EPROTO);
		assert_true(profile.name_count <= SMTPSPLICE_LIST_MAX);
		assert_true(profile.scan <= SMTPSPLICE_AV_SCAN_DISABLE);
		assert_true(profile.scan_error <= SMTPSPLICE_FAIL_ACTION_PASS);
		assert_true(memchr(profile.replacement, '\0', sizeof(profile.replacement)));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(defaults_are_those_of_the_kernel, setup),
		cmocka_unit_test_setup(reads_numbers, setup),
		cmocka_unit_test_setup(reads_sizes, setup),
		cmocka_unit_test_setup(reads_texts, setup),
		cmocka_unit_test_setup(reads_lists, setup),
		cmocka_unit_test_setup(passes_over_what_is_not_known, setup),
		cmocka_unit_test_setup(refuses_what_is_cut_off, setup),
		cmocka_unit_test_setup(survives_octets, setup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
