// SPDX-License-Identifier: GPL-2.0
/*
 * Files in texts by uuencode: that the rules see them, as some decoder does, and that a
 * letter is no file.
 */
#include "tests/support/unit.h"

#include "lib/cleanup.h"
#include "lib/process.h"
#include "tests/support/look.h"
#include "tests/support/wrap.h"

/* A text has no name */
static uint32_t look_text(GString *text)
{
	return look_octets("", text);
}

#define PROSE	"Dear all,\r\n\r\nI begin 644 letters, and end none.\r\n"

static void put_program(GString *text)
{
	wrap_uu(text, &pack_program, "\r\n");
}

/* Between prose, whatever ends the lines */
static void g4_looks_into_uuencode(void **state)
{
	static const char *const eols[] = { "\r\n", "\n", "\r" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(eols); i++) {
		for (int prose = 0; prose < 2; prose++) {
			GString *text = g_string_new(prose ? PROSE : "");
			struct pack file;

			wrap_uu(text, &pack_text, eols[i]);
			wrap_uu(text, &pack_program, eols[i]);
			g_string_append(text, prose ? PROSE : "");
			wrap_uu(text, &look_script, eols[i]);
			file = wrap_pack("", text);
			look_rules.types = 0;
			assert_int_equal(look_at(&file), LOOK(EXECUTABLE) | LOOK(NAME));
			look_expect(SS_KIND_EXECUTABLE, "setup.exe");
			look_expect(SS_KIND_NAME, "run.scr");
			assert_true(look_type(&file, "exe"));
			look_expect(SS_KIND_TYPE, "setup.exe");
			assert_true(look_type(&file, "uue"));
			file.name = "notes.txt";
			look_drop(file);
			look_expect(SS_KIND_EXECUTABLE, "notes.txt/setup.exe");
		}
	}
}

static void passes_prose(void **state)
{
	static const char *const texts[] = {
		PROSE, "begin 644 setup.scr\r\n", "begin 644 setup.scr\r\n\r\nend\r\n",
		"begin 644 setup.scr\r\nin the manual means that a file begins.\r\n",
		"begin the setup.scr\r\nin the manual means that a file begins.\r\nend\r\n",
		"begin  the setup.scr\r\nTHE MANUAL\r\nSAYS WHAT\r\nTHAT IS\r\nend\r\n",
		"begin 644 setup.scr\r\nTHE END\r\n", "begin 644 setup.scr\r\n\t\r\nend\r\n",
		"begin 644 setup.scr\r\n-- \r\nMe\r\n",
		"begin 644 setup.scr\r\nbegin 644 setup.scr\r\nbegin 644 setup.scr\r\n",
		"begin644 setup.scr\r\n#86)C\r\n`\r\nend\r\n",
		" begin 644 setup.scr\r\n#86)C\r\n`\r\nend\r\n",
		"> begin 644 setup.scr\r\n> #86)C\r\n> `\r\n> end\r\n",
		"Begin 644 setup.scr\r\n#86)C\r\n`\r\nend\r\n",
		"begin 644 setup.scr\r\nend\r\n#86)C\r\n`\r\nend\r\n",
		"#86)C\r\n`\r\nend\r\n", "begin", "begin ", "begin 644", "begin 644 ", "\nbegin 644 x\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct pack file = { "", texts[i], strlen(texts[i]) };

		assert_int_equal(look_at(&file), 0);
	}
}

/* What some decoder takes, and no other reason to mind */
static void g4_reads_all_kinds_of_uuencode(void **state)
{
	static const char *const texts[] = {
		"begin 644 a.scr\n#86)C\n`\nend\n", "begin 0644 a.scr\n#86)C\n`\nend\n",
		"begin \t644\t a.scr  \n#86)C\n`\nend", "begin 644 a b.scr\n#86)C\n`\nend \n",
		"begin 644 C:\\dir\\a.scr\n#86)C\n`\nend\n", "begin 644 a.scr\n#86)C\n \nend\n",
		"begin 644 a.scr\n\n#86)C\n\n`\n\nend\n", "begin 644 a.scr\n#86)C\nend\n",
		"begin 644 a.scr\n#86)CX\n`X\nend\n", "begin 644 a.scr\n#86)C  \n`\nend\n",
		/* an empty file, zeros that were blanks, no more digits than there must be */
		"begin 644 a.scr\n`\nend\n", "begin 644 a.scr\n#86\n`\nend\n",
		"begin 644 a.scr\n#\n`\nend\n", "begin 644 a.scr\n!86\n`\nend\n",
		"begin 644 a.scr\n$86)C8\n`\nend\n",
		/* any mode to uudecode(1) */
		"begin 6 a.scr\n#86)C\n`\nend\n", "begin 100644 a.scr\n#86)C\n`\nend\n",
		"begin 648 a.scr\n#86)C\n`\nend\n", "begin 644x a.scr\n#86)C\n`\nend\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const struct pack file = { "", texts[i], strlen(texts[i]) };

		assert_int_equal(look_at(&file), LOOK(NAME));
	}
}

static void knows_files_by_uuencode_without_a_name(void **state)
{
	GString *text = g_string_new(NULL);
	const struct pack file = { "", pack_pe, sizeof(pack_pe) };

	(void)state;
	wrap_uu(text, &file, "\n");
	assert_int_equal(look_text(text), LOOK(EXECUTABLE));
	look_expect(SS_KIND_EXECUTABLE, "");
}

/* Where decoders differ, what each of them may see is looked at, and it is told */
static void g4_reads_broken_uuencode(void **state)
{
	static const struct {
		const char *old;
		const char *new;
	} changes[] = {
		{ "`\r\nend\r\n", "" }, { "\r\nend", "\r\nEND" },
		{ "\r\nend", "\r\nthe end" },
		{ "\r\nend\r\n", "\r\nbegin 644 x\r\n" },
		/* a line between, too long, and an end that is none */
		{ "\r\nM", "\r\njunk\r\nM" }, { "setup.exe\r\n", "setup.exe\r\nNo, here:\r\n" },
		{ "\r\nM35H", "\r\nM35H" "````````````````````````````````````````````" },
		/* or what stands for a mode */
		{ "644 setup", "a.txt setup" }, { "644 setup", " setup" },
		{ "setup.exe\r\n", "setup.exe\r\n`\r\n" },
		{ "setup.exe\r\n", "setup.exe\r\n \r\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		GString *text = g_string_new(PROSE);

		put_program(text);
		wrap_replace(text, changes[i].old, changes[i].new, 1);
		g_string_append(text, "And so on.\r\n");
		assert_int_equal(look_text(text),
				 LOOK(EXECUTABLE) | LOOK(PARTIALLYCORRUPTED));
	}
}

/* What a decoder does not mind in each line, and is no file to a stricter one */
static void g4_reads_odd_lines_of_uuencode(void **state)
{
	static const struct {
		const char *old;
		const char *new;
	} changes[] = {
		/* digits behind the last, and others with the same lower six bits */
		{ "``\r\n", "``XXXXX\r\n" }, { "`", "\xa0" },
		/* the same where they are no digits, and are digits to few */
		{ "``\r\n", "``xxxxx\r\n" }, { "\r\n", "abc\r\n" },
		{ "``\r\n", "\xa0\xa0zzzzz\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		GString *text = g_string_new(PROSE);

		put_program(text);
		wrap_replace(text, changes[i].old, changes[i].new, -1);
		assert_int_equal(look_text(text), LOOK(EXECUTABLE) | LOOK(PARTIALLYCORRUPTED));
	}
}

/* Some read on behind a line that others skip, or end there */
static void g4_knows_hashes_behind_odd_lines_of_uuencode(void **state)
{
	static const char text[] = "begin 644 a\n#86)C\ndz\n#9&5F\n`\nend\n";
	static const struct pack contents[] = {
		{ "", "abc", 3 }, { "", "abcdef", 6 }, { "", "abc\x68\0\0\0def", 10 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		look_for_hash(contents[i].data, contents[i].len);
		assert_true(look_text(g_string_new(text)) & LOOK(HASH));
	}
}

/* To most a CR ends no line, and is the digit that M is */
static void g4_reads_uuencode_with_bare_cr(void **state)
{
	static const char octets[] = "MZ\xb6\xdb\x6d\xb6\xdb\x6d\xb6\xdb\x6d";
	const struct pack file = { "a", octets, sizeof(octets) - 1 };
	GString *text = g_string_new(NULL);

	(void)state;
	look_for_hash(file.data, file.len);
	wrap_uu(text, &file, "\n");
	wrap_replace(text, "M", "\r", 2);
	assert_true(look_text(text) & LOOK(HASH));
}

/* Blanks for zeros, which are lost at the end of a line */
static void g4_reads_stripped_uuencode(void **state)
{
	GString *text = g_string_new(PROSE);

	(void)state;
	put_program(text);
	wrap_replace(text, "`", " ", -1);
	assert_non_null(strstr(text->str, " \r\n"));
	while (strstr(text->str, " \r\n"))
		wrap_replace(text, " \r\n", "\r\n", -1);
	assert_int_equal(look_text(text), LOOK(EXECUTABLE));
}

static void g4_says_where_uuencode_is_cut_off(void **state)
{
	GString *text = g_string_new(NULL);
	struct pack file;

	(void)state;
	put_program(text);
	file = wrap_pack("", text);
	for (size_t len = file.len; len; len--) {
		look_text(g_string_new_len(file.data, (gssize)len));
		if (len > 100)
			assert_true(look_finding.found & LOOK(EXECUTABLE));
		if (len > 100)
			assert_int_equal(look_corrupted(), len < file.len - 2);
	}
	pack_drop(&file);
}

static void looks_into_archives_by_uuencode(void **state)
{
	struct pack zip = pack_zip("a.zip", &pack_program, 1), file, tnef;
	GString *text = g_string_new(PROSE), *outer = wrap_tnef();

	(void)state;
	wrap_uu(text, &zip, "\r\n");
	file = wrap_pack("letter.txt", text);
	assert_int_equal(look_at(&file), LOOK(EXECUTABLE));
	look_expect(SS_KIND_EXECUTABLE, "letter.txt/a.zip/setup.exe");
	wrap_file(outer, &file);
	tnef = wrap_pack("winmail.dat", outer);
	assert_int_equal(look_at(&tnef), LOOK(EXECUTABLE));
	look_expect(SS_KIND_EXECUTABLE, "winmail.dat/letter.txt/a.zip/setup.exe");
	/* who takes all of it for a text finds it earlier */
	look_rules.nest_limit = 2;
	assert_int_equal(look_at(&tnef), LOOK(NESTED) | LOOK(EXECUTABLE));
	look_expect(SS_KIND_NESTED, "winmail.dat/letter.txt/a.zip");
	look_reset(NULL);
	assert_int_equal(look_drop(pack_zip("b.zip", &tnef, 1)), LOOK(EXECUTABLE));
	pack_drop(&zip);
	pack_drop(&file);
	pack_drop(&tnef);
}

/* That a file is a text with another one in it is no reason not to see a zip */
static void g2_sees_a_zip_behind_uuencode(void **state)
{
	struct pack zip = pack_zip("a.zip", &pack_program, 1);
	GString *text = g_string_new(NULL);

	(void)state;
	wrap_uu(text, &pack_text, "\n");
	g_string_append_len(text, zip.data, (gssize)zip.len);
	assert_true(look_text(g_string_new_len(text->str, (gssize)text->len)) &
		    LOOK(EXECUTABLE));
	g_string_append(text, "and so on");
	assert_true(look_text(text) & LOOK(EXECUTABLE));
	pack_drop(&zip);
}

static void g7_bounds_uuencode(void **state)
{
	static char zeros[300000] = "MZ";
	const struct pack large = { "large", zeros, sizeof(zeros) };
	GString *text = g_string_new(NULL);
	struct pack file;

	(void)state;
	wrap_uu(text, &large, "\n");
	file = wrap_pack("", text);
	look_rules.octet_limit = sizeof(zeros);
	assert_int_equal(look_at(&file), LOOK(EXECUTABLE));
	look_rules.octet_limit--;
	assert_int_equal(look_at(&file), LOOK(EXECUTABLE) | LOOK(MAILBOMB));
	look_rules.end = ss_process_now();
	assert_int_equal(look_drop(file), LOOK(TIMEOUT));
	look_reset(NULL);
	text = g_string_new(NULL);
	for (int i = 0; i <= LOOK_MEMBERS; i++)
		wrap_uu(text, &pack_text, "\n");
	assert_int_equal(look_text(text), LOOK(MAILBOMB));
}

/* Lines that may begin a file; the sanitizer has a long look at each */
static void h4_passes_many_lines_that_begin_nothing(void **state)
{
	static const char *const lines[] = {
		"begin 644 x\n", "begin begin begin\n", "begin 644 x\nTHIS IS NO FILE\n",
		"begin x\n\n", "begin  x\nTHIS IS NO FILE\n\r",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		GString *text = g_string_new(NULL);

		while (text->len < 256 << 10)
			g_string_append(text, lines[i]);
		assert_int_equal(look_text(text), 0);
	}
}

/* Its lines as base64 has them, and a name that may be in it, too */
static void g4_looks_into_uuencode_by_base64(void **state)
{
	static const char *const begins[] = {
		"begin-base64 644 setup.exe", "begin-base64 6\tsetup.exe ",
		"begin-base64-encoded 644 c2V0dXAuZXhl",
	};
	char *base64 = g_base64_encode((const guchar *)pack_pe, sizeof(pack_pe));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		for (int end = 0; end < 2; end++) {
			GString *text = g_string_new(PROSE);

			g_string_append_printf(text, "%s\r\n%.60s\r\n%.60s \t\r\n%s\r\n%s",
					       begins[i], base64, base64 + 60, base64 + 120,
					       end ? "====\r\n" PROSE : "");
			assert_int_equal(look_text(text), LOOK(EXECUTABLE) |
					 (end ? 0 : LOOK(PARTIALLYCORRUPTED)));
			look_expect(SS_KIND_EXECUTABLE, "setup.exe");
		}
	}
	g_free(base64);
	assert_int_equal(look_text(g_string_new("begin-base64 x\nbegin-base64\nbegin-base64-")), 0);
	assert_int_equal(look_text(g_string_new("begin-base64 644 a.scr\n====\n")), LOOK(NAME));
}

static GString *make_text(void)
{
	GString *text = g_string_new(PROSE);

	put_program(text);
	wrap_uu(text, &pack_text, "\n");
	wrap_yenc(text, &pack_program, "\n");
	return text;
}

static void survives_octets(void **state)
{
	(void)state;
	look_damaged("", make_text);
}

#define TEST(name)	cmocka_unit_test_setup(name, look_reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(g4_looks_into_uuencode),
		TEST(passes_prose),
		TEST(g4_reads_all_kinds_of_uuencode),
		TEST(knows_files_by_uuencode_without_a_name),
		TEST(g4_reads_broken_uuencode),
		TEST(g4_reads_odd_lines_of_uuencode),
		TEST(g4_knows_hashes_behind_odd_lines_of_uuencode),
		TEST(g4_reads_uuencode_with_bare_cr),
		TEST(g4_reads_stripped_uuencode),
		TEST(g4_says_where_uuencode_is_cut_off),
		TEST(looks_into_archives_by_uuencode),
		TEST(g2_sees_a_zip_behind_uuencode),
		TEST(g7_bounds_uuencode),
		TEST(h4_passes_many_lines_that_begin_nothing),
		TEST(g4_looks_into_uuencode_by_base64),
		TEST(survives_octets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, look_setup, look_teardown);
}
