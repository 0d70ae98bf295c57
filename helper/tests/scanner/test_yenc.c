// SPDX-License-Identifier: GPL-2.0
/*
 * Files in texts by yEnc: that the rules see them, as some decoder does, and that a letter
 * is no file.
 */
#include "tests/support/unit.h"

#include <unistd.h>

#include "lib/cleanup.h"
#include "tests/support/look.h"
#include "tests/support/mail.h"
#include "tests/support/wrap.h"

/* A text has no name */
static uint32_t look_text(GString *text)
{
	return look_octets("", text);
}

#define PROSE	"Dear all,\r\n\r\nI begin 644 letters, and end none.\r\n"

static void g4_looks_into_yenc(void **state)
{
	static const char *const eols[] = { "\r\n", "\n", "\r" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(eols); i++) {
		GString *text = g_string_new(PROSE);
		struct pack file;

		wrap_yenc(text, &pack_text, eols[i]);
		wrap_yenc(text, &pack_program, eols[i]);
		g_string_append(text, PROSE);
		wrap_yenc(text, &look_script, eols[i]);
		file = wrap_pack("", text);
		look_rules.types = 0;
		assert_int_equal(look_at(&file), LOOK(EXECUTABLE) | LOOK(NAME));
		look_expect(SS_KIND_EXECUTABLE, "setup.exe");
		look_expect(SS_KIND_NAME, "run.scr");
		assert_true(look_type(&file, "exe"));
		look_expect(SS_KIND_TYPE, "setup.exe");
		assert_true(look_type(&file, "yenc"));
		pack_drop(&file);
	}
}

/* One part of several, with quotes and blanks in the name */
static void g4_reads_parts_by_yenc(void **state)
{
	struct pack zip = pack_zip("\"a \"b\".zip\"", &pack_program, 1);
	GString *text = g_string_new(PROSE);

	(void)state;
	wrap_yenc(text, &zip, "\r\n");
	wrap_replace(text, "=ybegin line", "=ybegin part=1 total=2 line", 1);
	wrap_replace(text, "zip\"\r\n", "zip\"  \r\n=ypart begin=1 end=9\r\n", 1);
	assert_int_equal(look_text(text), LOOK(EXECUTABLE));
	look_expect(SS_KIND_EXECUTABLE, "a \"b\".zip/setup.exe");
	pack_drop(&zip);
}

/* All octets, in files of all lengths: its hash tells that a file is as it was */
static void decodes_what_was_coded(void **state)
{
	unsigned char hash[1][SS_INSPECT_HASH_SIZE];
	char octets[400];

	(void)state;
	look_rules.block.hash = hash;
	look_rules.block.count = 1;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (char)(i * 7);
	for (size_t len = 1; len <= sizeof(octets); len++) {
		const struct pack file = { "file", octets, len };
		int fd = mail_file(octets, len);

		assert_int_equal(ss_inspect_hash(fd, hash[0]), 0);
		close(fd);
		for (int kind = 0; kind < 2; kind++) {
			GString *text = g_string_new(PROSE);

			if (kind)
				wrap_yenc(text, &file, "\r\n");
			else
				wrap_uu(text, &file, "\r\n");
			assert_int_equal(look_text(text), LOOK(HASH));
			look_expect(SS_KIND_HASH, "file");
		}
	}
}

static void passes_prose_about_yenc(void **state)
{
	static const char *const texts[] = {
		"=ybegin", "=ybegin ", "=ybegin line=1 size=1 name", "=ybegin line=1 name=a.scr\r\n",
		"=ybegin size=1 name=a.scr\r\n", "=ybegin line=N size=N name=a.scr\r\n",
		"begin =ybegin line=1 size=1 name=a.scr\r\n", "=ybegin line=1 size=1\r\n name=a.scr",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct pack file = { "", texts[i], strlen(texts[i]) };

		assert_int_equal(look_at(&file), 0);
	}
}

static void g4_says_where_yenc_is_cut_off(void **state)
{
	GString *text = g_string_new(NULL);
	struct pack file;

	(void)state;
	wrap_yenc(text, &pack_program, "\r\n");
	file = wrap_pack("", text);
	for (size_t len = 1; len <= file.len; len++) {
		look_text(g_string_new_len(file.data, (gssize)len));
		if (len > 110)
			assert_true(look_finding.found & LOOK(EXECUTABLE));
		if (len > 110)
			assert_int_equal(look_corrupted(), len < file.len - 11);
	}
	/* and where another one begins */
	text = g_string_new_len(file.data, (gssize)file.len);
	wrap_replace(text, "=yend", "=ybegin line=1 size=1 name=x", 1);
	assert_int_equal(look_text(text), LOOK(EXECUTABLE) | LOOK(PARTIALLYCORRUPTED));
	pack_drop(&file);
}

/* Thunderbird counts no digits, and NUL ends a line to it */
static void g4_reads_yenc_as_thunderbird_does(void **state)
{
	static const struct {
		const char *old;
		const char *new;
		size_t len;
	} changes[] = {
		{ "line=128 size=256", "line= size=", 11 },
		{ "name=setup.exe\r\nw", "name=setup.exe\r\n\0junk\r\nw", 24 },
		{ "\r\nw", "\r\nw\0junk\r\n", 10 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		GString *text = g_string_new(PROSE);
		char *at;
		size_t place;

		wrap_yenc(text, &pack_program, "\r\n");
		at = strstr(text->str, changes[i].old);
		assert_non_null(at);
		place = at - text->str;
		g_string_erase(text, (gssize)place, (gssize)strlen(changes[i].old));
		g_string_insert_len(text, (gssize)place, changes[i].new, (gssize)changes[i].len);
		assert_int_equal(look_text(text), LOOK(EXECUTABLE));
		look_expect(SS_KIND_EXECUTABLE, "setup.exe");
	}
}

/* Its "=" takes the CR, "=ypart" is content to it, and so is "=yend" without a size */
static void g4_knows_hashes_in_yenc_of_thunderbird(void **state)
{
	static const char *const texts[] = {
		"=ybegin line=9 size=3 name=a\r\n\x8b=\r\n\x8c\r\n=yend size=3\r\n",
		"=ybegin line=9 size=3 name=a\r\n=ypart \r\n\x8b\r\n=yend size=3\r\n",
		"=ybegin line=9 size=3 name=a\r\n\x8b\r\n=yend\r\n\x8c\r\n=yend size=3\r\n",
	};
	static const char *const contents[] = {
		"a\xa3\x62", "\x0f\x46\x37\x48\x4a\xf6\x61", "a\x0f\x3b\x44\x3a\x62",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		look_for_hash(contents[i], strlen(contents[i]));
		assert_int_equal(look_text(g_string_new(texts[i])), LOOK(HASH));
	}
}

/* As many lines as there are octets: each is no more work than an octet */
static void h4_takes_short_lines_of_yenc(void **state)
{
	GString *text = g_string_new("=ybegin line=1 size=1 name=a.scr\n");

	(void)state;
	while (text->len < 4 << 20)
		g_string_append(text, "x\n");
	g_string_append(text, "=yend size=1\n");
	look_rules.octet_limit = 2 << 20;
	assert_int_equal(look_text(text), LOOK(NAME));
}

static void g7_bounds_yenc(void **state)
{
	static char zeros[300000] = "MZ";
	const struct pack large = { "large", zeros, sizeof(zeros) };
	GString *text = g_string_new(NULL);
	struct pack file;

	(void)state;
	wrap_yenc(text, &large, "\n");
	file = wrap_pack("", text);
	look_rules.octet_limit = sizeof(zeros);
	assert_int_equal(look_at(&file), LOOK(EXECUTABLE));
	look_rules.octet_limit--;
	assert_int_equal(look_drop(file), LOOK(EXECUTABLE) | LOOK(MAILBOMB));
	look_reset(NULL);
	text = g_string_new(NULL);
	for (int i = 0; i <= LOOK_MEMBERS; i++)
		wrap_yenc(text, &pack_text, "\n");
	assert_int_equal(look_text(text), LOOK(MAILBOMB));
}

#define TEST(name)	cmocka_unit_test_setup(name, look_reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(g4_looks_into_yenc),
		TEST(g4_reads_parts_by_yenc),
		TEST(decodes_what_was_coded),
		TEST(passes_prose_about_yenc),
		TEST(g4_says_where_yenc_is_cut_off),
		TEST(g4_reads_yenc_as_thunderbird_does),
		TEST(g4_knows_hashes_in_yenc_of_thunderbird),
		TEST(h4_takes_short_lines_of_yenc),
		TEST(g7_bounds_yenc),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, look_setup, look_teardown);
}
