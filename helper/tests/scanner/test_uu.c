// SPDX-License-Identifier: GPL-2.0
/*
 * Files in texts, by uuencode and yEnc: that the rules see them, as some decoder does, and
 * that a letter is no file.
 */
#include "tests/support/unit.h"

#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "tests/support/look.h"
#include "tests/support/mail.h"
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

/* Replace what is @old in a text, @times */
static void replace(GString *text, const char *old, const char *new, int times)
{
	char *at = text->str;

	while (times-- && (at = strstr(at, old))) {
		size_t place = at - text->str;

		g_string_erase(text, (gssize)place, (gssize)strlen(old));
		g_string_insert(text, (gssize)place, new);
		at = text->str + place + strlen(new);
	}
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
		replace(text, changes[i].old, changes[i].new, 1);
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
		replace(text, changes[i].old, changes[i].new, -1);
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
	unsigned char hash[1][SS_INSPECT_HASH_SIZE];

	(void)state;
	look_rules.block.hash = hash;
	look_rules.block.count = 1;
	for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
		int fd = mail_file(contents[i].data, contents[i].len);

		assert_int_equal(ss_inspect_hash(fd, hash[0]), 0);
		close(fd);
		assert_true(look_text(g_string_new(text)) & LOOK(HASH));
	}
}

/* To most a CR ends no line, and is the digit that M is */
static void g4_reads_uuencode_with_bare_cr(void **state)
{
	static const char octets[] = "MZ\xb6\xdb\x6d\xb6\xdb\x6d\xb6\xdb\x6d";
	const struct pack file = { "a", octets, sizeof(octets) - 1 };
	unsigned char hash[1][SS_INSPECT_HASH_SIZE];
	int fd = mail_file(file.data, file.len);
	GString *text = g_string_new(NULL);

	(void)state;
	look_rules.block.hash = hash;
	look_rules.block.count = 1;
	assert_int_equal(ss_inspect_hash(fd, hash[0]), 0);
	close(fd);
	wrap_uu(text, &file, "\n");
	replace(text, "M", "\r", 2);
	assert_true(look_text(text) & LOOK(HASH));
}

/* Blanks for zeros, which are lost at the end of a line */
static void g4_reads_stripped_uuencode(void **state)
{
	GString *text = g_string_new(PROSE);

	(void)state;
	put_program(text);
	replace(text, "`", " ", -1);
	assert_non_null(strstr(text->str, " \r\n"));
	while (strstr(text->str, " \r\n"))
		replace(text, " \r\n", "\r\n", -1);
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

/* -- yEnc ----------------------------------------------------------------- */

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
	replace(text, "=ybegin line", "=ybegin part=1 total=2 line", 1);
	replace(text, "zip\"\r\n", "zip\"  \r\n=ypart begin=1 end=9\r\n", 1);
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
	replace(text, "=yend", "=ybegin line=1 size=1 name=x", 1);
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
	unsigned char hash[1][SS_INSPECT_HASH_SIZE];

	(void)state;
	look_rules.block.hash = hash;
	look_rules.block.count = 1;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int fd = mail_file(contents[i], strlen(contents[i]));

		assert_int_equal(ss_inspect_hash(fd, hash[0]), 0);
		close(fd);
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

static void survives_octets(void **state)
{
	int seen = 0;

	(void)state;
	srandom(1);
	look_rules.types = ~0ull;
	for (int i = 0; i < 1000; i++) {
		GString *text = g_string_new(PROSE);

		put_program(text);
		wrap_uu(text, &pack_text, "\n");
		wrap_yenc(text, &pack_program, "\n");
		for (int k = 0; k <= i % 7; k++)
			text->str[random() % text->len] = random();
		if (i % 3 == 0)
			g_string_truncate(text, random() % text->len);
		seen += !!(look_text(text) & LOOK(EXECUTABLE));
		look_check(&look_finding);
	}
	/* most are as good as before */
	assert_in_range(seen, 500, 999);
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
		TEST(g4_looks_into_yenc),
		TEST(g4_reads_parts_by_yenc),
		TEST(decodes_what_was_coded),
		TEST(passes_prose_about_yenc),
		TEST(g4_says_where_yenc_is_cut_off),
		TEST(g4_reads_yenc_as_thunderbird_does),
		TEST(g4_knows_hashes_in_yenc_of_thunderbird),
		TEST(h4_takes_short_lines_of_yenc),
		TEST(g7_bounds_yenc),
		TEST(survives_octets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, look_setup, look_teardown);
}
