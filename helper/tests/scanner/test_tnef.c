// SPDX-License-Identifier: GPL-2.0
/*
 * Files in TNEF: that the rules see them, and that nothing in front of them hides them.
 */
#include "tests/support/unit.h"

#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "tests/support/look.h"
#include "tests/support/mail.h"
#include "tests/support/wrap.h"

#define ALL	0xffffffff

static uint32_t look_tnef(GString *tnef)
{
	return look_octets("winmail.dat", tnef);
}

/* With the program in it, in front of which all else may be */
static uint32_t look_program(GString *tnef)
{
	wrap_file(tnef, &pack_program);
	return look_tnef(tnef);
}

static void g4_looks_into_tnef(void **state)
{
	GString *tnef = wrap_tnef();
	struct pack file;

	(void)state;
	wrap_file(tnef, &pack_text);
	assert_int_equal(look_tnef(tnef), 0);
	tnef = wrap_tnef();
	wrap_file(tnef, &pack_text);
	wrap_file(tnef, &pack_program);
	wrap_file(tnef, &look_script);
	file = wrap_pack("winmail.dat", tnef);
	assert_int_equal(look_at(&file), LOOK(EXECUTABLE) | LOOK(NAME));
	look_expect(SS_KIND_EXECUTABLE, "winmail.dat/setup.exe");
	look_expect(SS_KIND_NAME, "winmail.dat/run.scr");
	assert_false(look_type(&file, "png"));
	assert_true(look_type(&file, "exe"));
	look_expect(SS_KIND_TYPE, "winmail.dat/setup.exe");
	assert_true(look_type(&file, "tnef"));
	look_expect(SS_KIND_TYPE, "winmail.dat");
	pack_drop(&file);
	look_rules.types = 0;
	assert_int_equal(look_tnef(wrap_tnef()), 0);
}

static void knows_hashes_in_tnef(void **state)
{
	unsigned char hash[1][SS_INSPECT_HASH_SIZE];
	GString *tnef = wrap_tnef();
	int fd = mail_file(pack_pe, sizeof(pack_pe)), whole;
	struct pack file;

	(void)state;
	wrap_file(tnef, &pack_program);
	file = wrap_pack("winmail.dat", tnef);
	look_rules.executables = false;
	assert_int_equal(ss_inspect_hash(fd, hash[0]), 0);
	look_rules.block.hash = hash;
	look_rules.block.count = 1;
	assert_int_equal(look_at(&file), LOOK(HASH));
	look_expect(SS_KIND_HASH, "winmail.dat/setup.exe");
	/* What is allowed is so as a whole alone */
	look_rules.allow = look_rules.block;
	assert_int_equal(look_at(&file), LOOK(HASH));
	whole = mail_file(file.data, file.len);
	assert_int_equal(ss_inspect_hash(whole, hash[0]), 0);
	assert_int_equal(look_at(&file), 0);
	assert_true(look_finding.allowed);
	close(fd);
	close(whole);
	pack_drop(&file);
}

/* The one that Outlook shows is told; each of them counts */
static void g4_looks_at_all_names_in_tnef(void **state)
{
	static const char wide[] = "r\0\xe9\0s\0=\xd8\0\xde.\0s\0c\0r\0\0\0.\0t\0x\0t\0";
	static const char lone[] = "\0\xd8.\0s\0c\0r\0";
	static const struct {
		uint32_t tag;
		const char *name;
		size_t len;
		const char *told;
	} names[] = {
		{ WRAP_LONG_NAME | WRAP_STRING, "long.scr", 9, "winmail.dat/long.scr" },
		{ WRAP_LONG_NAME | WRAP_STRING, "dir\\long.scr\0.txt", 16,
		  "winmail.dat/dir\\long.scr" },
		{ WRAP_LONG_NAME | WRAP_UNICODE, wide, sizeof(wide),
		  "winmail.dat/r\xc3\xa9s\xf0\x9f\x98\x80.scr" },
		{ WRAP_LONG_NAME | WRAP_UNICODE, lone, sizeof(lone) - 1,
		  "winmail.dat/\xed\xa0\x80.scr" },
		{ WRAP_SHORT_NAME | WRAP_STRING, "SHORT.SCR", 10, "winmail.dat/SHORT.SCR" },
		{ WRAP_TRANSPORT_NAME | WRAP_STRING, "x.scr", 6, "winmail.dat/x.scr" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		for (int title = 0; title < 2; title++) {
			GString *tnef = wrap_tnef(), *list = wrap_properties();

			wrap_begin(tnef);
			if (title)
				wrap_attribute(tnef, 2, WRAP_TITLE, "a.txt", 6);
			wrap_attribute(tnef, 2, WRAP_DATA, "x", 1);
			wrap_property(list, names[i].tag, names[i].name, names[i].len);
			wrap_put_properties(tnef, list);
			wrap_file(tnef, &pack_text);
			assert_int_equal(look_tnef(tnef), LOOK(NAME));
			look_expect(SS_KIND_NAME, names[i].told);
		}
	}
}

static void g4_looks_at_a_title_beside_a_long_name(void **state)
{
	GString *tnef = wrap_tnef(), *list = wrap_properties();

	(void)state;
	wrap_file(tnef, &look_script);
	wrap_property(list, WRAP_LONG_NAME | WRAP_STRING, "harmless.txt", 13);
	wrap_put_properties(tnef, list);
	assert_int_equal(look_tnef(tnef), LOOK(NAME));
	look_expect(SS_KIND_NAME, "winmail.dat/run.scr");
	/* one that is empty is none */
	tnef = wrap_tnef();
	list = wrap_properties();
	wrap_file(tnef, &look_script);
	wrap_property(list, WRAP_LONG_NAME | WRAP_STRING, "", 0);
	wrap_put_properties(tnef, list);
	assert_int_equal(look_tnef(tnef), LOOK(NAME));
	look_expect(SS_KIND_NAME, "winmail.dat/run.scr");
	/* what Outlook shows is told of what is in it */
	tnef = wrap_tnef();
	list = wrap_properties();
	wrap_file(tnef, &pack_program);
	wrap_property(list, WRAP_LONG_NAME | WRAP_STRING, "long name.exe", 14);
	wrap_put_properties(tnef, list);
	assert_int_equal(look_tnef(tnef), LOOK(EXECUTABLE));
	look_expect(SS_KIND_EXECUTABLE, "winmail.dat/long name.exe");
}

/* It is the subject of a message, and the name of a file that has no other */
static void looks_at_display_names(void **state)
{
	static const uint32_t types[] = { WRAP_BINARY, WRAP_OBJECT };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		GString *tnef = wrap_tnef(), *list = wrap_properties();

		wrap_begin(tnef);
		wrap_property(list, WRAP_DISPLAY_NAME | WRAP_STRING, "my.scr", 7);
		wrap_property(list, WRAP_DATA_VALUE | types[i], "0123456789abcdefx", 17);
		wrap_put_properties(tnef, list);
		assert_int_equal(look_tnef(tnef), i ? 0 : LOOK(NAME));
	}
}

static void bounds_names_in_tnef(void **state)
{
	static char name[200000];
	GString *tnef = wrap_tnef(), *list = wrap_properties();
	struct pack file = { name, "x", 1 };

	(void)state;
	memset(name, 'n', sizeof(name));
	strcpy(name + sizeof(name) - 5, ".scr");
	wrap_file(tnef, &file);
	assert_int_equal(look_tnef(tnef), LOOK(NAME));
	for (size_t i = 0; i < sizeof(name) / 2; i++)
		memcpy(name + 2 * i, i % 2 ? "\x3d\xd8" : "\0\xde", 2);
	memcpy(name + sizeof(name) - 8, ".\0s\0c\0r", 8);
	tnef = wrap_tnef();
	wrap_begin(tnef);
	wrap_property(list, WRAP_LONG_NAME | WRAP_UNICODE, name, sizeof(name));
	wrap_put_properties(tnef, list);
	assert_int_equal(look_tnef(tnef), LOOK(NAME));
}

/* Behind properties of all types, with one value or more, and with names */
static void g4_looks_at_content_in_properties(void **state)
{
	static const char other[] =
		"\x02\0\x01\0" "1\0\0\0" "\x03\0\x02\0" "1234" "\x05\0\x03\0" "12345678"
		"\x0b\0\x04\0" "1\0\0\0" "\x48\0\x05\0" "0123456789abcdef"
		"\x03\x10\x06\0" "\2\0\0\0" "12341234"
		"\x1e\x10\x07\0" "\2\0\0\0" "\1\0\0\0x\0\0\0" "\0\0\0\0"
		"\x03\0\x08\x80" "0123456789abcdef" "\0\0\0\0" "\1\2\3\4" "1234"
		"\x1e\0\x09\x80" "0123456789abcdef" "\1\0\0\0" "\6\0\0\0" "a\0b\0c\0\0\0"
		"\1\0\0\0" "\2\0\0\0" "x\0\0\0" "\x40\0\x0a\0" "12345678";
	GString *tnef = wrap_tnef(), *list = wrap_properties();

	(void)state;
	g_string_append_len(list, other, sizeof(other) - 1);
	list->str[0] = 10;
	wrap_property(list, WRAP_DATA_VALUE | WRAP_BINARY, pack_pe, sizeof(pack_pe));
	wrap_property(list, WRAP_LONG_NAME | WRAP_STRING, "setup.exe", 10);
	wrap_begin(tnef);
	wrap_put_properties(tnef, list);
	assert_int_equal(look_tnef(tnef), LOOK(EXECUTABLE));
	look_expect(SS_KIND_EXECUTABLE, "winmail.dat/setup.exe");
}

static void g4_looks_at_each_value_of_a_property(void **state)
{
	static const char first[] = "\2\x11\1\x37" "\2\0\0\0" "\1\0\0\0x\0\0\0" "\0\1\0\0";
	GString *tnef = wrap_tnef(), *list = g_string_new_len("\1\0\0\0", 4);

	(void)state;
	g_string_append_len(list, first, sizeof(first) - 1);
	g_string_append_len(list, pack_pe, sizeof(pack_pe));
	wrap_begin(tnef);
	wrap_put_properties(tnef, list);
	assert_int_equal(look_tnef(tnef), LOOK(EXECUTABLE));
}

/* Some readers take the octets that say what an object is for its first */
static void g4_looks_at_objects_with_what_they_are(void **state)
{
	(void)state;
	for (int whole = 0; whole < 2; whole++) {
		GString *tnef = wrap_tnef(), *list = wrap_properties();
		GString *value = g_string_new(whole ? "" : "the id of a msg.");

		g_string_append_len(value, pack_pe, sizeof(pack_pe));
		wrap_property(list, WRAP_LONG_NAME | WRAP_STRING, "setup.exe", 10);
		wrap_property(list, WRAP_DATA_VALUE | WRAP_OBJECT, value->str, value->len);
		g_string_free(value, TRUE);
		wrap_begin(tnef);
		wrap_put_properties(tnef, list);
		assert_int_equal(look_tnef(tnef), LOOK(EXECUTABLE));
		look_expect(SS_KIND_EXECUTABLE, "winmail.dat/setup.exe");
	}
}

/* A message that is attached is TNEF in TNEF. @depth of them; the innermost is freed. */
static GString *nested(GString *inner, unsigned int depth)
{
	while (--depth) {
		GString *outer = wrap_tnef(), *list = wrap_properties();

		g_string_prepend(inner, "the id of a msg.");
		wrap_property(list, WRAP_DISPLAY_NAME | WRAP_STRING, "Re: x.scr", 10);
		wrap_property(list, WRAP_DATA_VALUE | WRAP_OBJECT, inner->str, inner->len);
		g_string_free(inner, TRUE);
		wrap_begin(outer);
		wrap_put_properties(outer, list);
		inner = outer;
	}
	return inner;
}

static void g3_looks_into_tnef_in_tnef(void **state)
{
	static const unsigned int depths[] = { 1, 2, SS_INSPECT_NEST_LIMIT, 20 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(depths); i++) {
		bool fits = depths[i] <= SS_INSPECT_NEST_LIMIT;
		GString *tnef = wrap_tnef();

		wrap_file(tnef, &pack_program);
		tnef = nested(tnef, depths[i]);
		assert_int_equal(look_tnef(tnef),
				 fits ? LOOK(EXECUTABLE) : LOOK(NESTED));
		if (fits)
			look_expect(SS_KIND_EXECUTABLE, "winmail.dat/setup.exe");
	}
}

static void looks_into_archives_in_tnef(void **state)
{
	struct pack zip = pack_zip("a.zip", &pack_program, 1), file;
	GString *tnef = wrap_tnef();

	(void)state;
	wrap_file(tnef, &zip);
	file = wrap_pack("winmail.dat", tnef);
	assert_int_equal(look_at(&file), LOOK(EXECUTABLE));
	look_expect(SS_KIND_EXECUTABLE, "winmail.dat/a.zip/setup.exe");
	assert_int_equal(look_drop(pack_zip("b.zip", &file, 1)), LOOK(EXECUTABLE));
	look_expect(SS_KIND_EXECUTABLE, "b.zip/winmail.dat/a.zip/setup.exe");
	pack_drop(&zip);
	pack_drop(&file);
}

/* Other readers do not mind what is in front, or where an attachment begins */
static void g4_reads_on_behind_what_is_broken(void **state)
{
	static char name[400];
	GString *tnef = wrap_tnef(), *list = wrap_properties();

	(void)state;
	wrap_attribute(tnef, 1, 0x00018004, "Subject", 8);
	tnef->str[tnef->len - 1] ^= 1;
	assert_int_equal(look_program(tnef),
			 LOOK(EXECUTABLE) | LOOK(PARTIALLYCORRUPTED));
	tnef = wrap_tnef();
	g_string_append_len(list, "\x99\x99\1\0????", 8);
	list->str[0] = 2;
	wrap_begin(tnef);
	wrap_put_properties(tnef, list);
	assert_int_equal(look_program(tnef),
			 LOOK(EXECUTABLE) | LOOK(PARTIALLYCORRUPTED));
	/* its own checksum */
	tnef = wrap_tnef();
	wrap_file(tnef, &pack_program);
	tnef->str[tnef->len - 1] ^= 1;
	assert_int_equal(look_tnef(tnef),
			 LOOK(EXECUTABLE) | LOOK(PARTIALLYCORRUPTED));
	/* these are but odd */
	tnef = wrap_tnef();
	wrap_attribute(tnef, 1, 0x00018004, "", 0);
	wrap_attribute(tnef, 9, 0x1234abcd, "x", 1);
	assert_int_equal(look_program(tnef), LOOK(EXECUTABLE));
	tnef = wrap_tnef();
	memset(name, 'n', sizeof(name) - 1);
	wrap_attribute(tnef, 2, WRAP_TITLE, name, sizeof(name));
	wrap_attribute(tnef, 2, WRAP_TITLE, "two.scr", 8);
	wrap_attribute(tnef, 2, WRAP_DATA, "text", 4);
	wrap_attribute(tnef, 2, WRAP_DATA, pack_pe, sizeof(pack_pe));
	g_string_append_len(tnef, "\r\n\0", 3);
	assert_int_equal(look_tnef(tnef), LOOK(EXECUTABLE) | LOOK(NAME));
	look_expect(SS_KIND_NAME, "winmail.dat/two.scr");
}

/* Whether an attribute ends, or the first begins, behind @at octets */
static bool is_end(const struct pack *tnef, size_t at)
{
	const unsigned char *data = tnef->data;
	size_t end = 6;

	while (end < at)
		end += 11 + (data[end + 5] | data[end + 6] << 8);
	return end == at;
}

static void g4_says_what_is_cut_off(void **state)
{
	GString *tnef = wrap_tnef();
	size_t program = tnef->len + 100 + sizeof(pack_pe);
	struct pack file;

	(void)state;
	wrap_file(tnef, &pack_program);
	wrap_file(tnef, &pack_text);
	file = wrap_pack("winmail.dat", tnef);
	for (size_t len = 4; len <= file.len; len++) {
		/* a copy, so that the sanitizer sees where it ends */
		GString *cut = g_string_new_len(file.data, (gssize)len);

		look_tnef(cut);
		assert_int_equal(look_corrupted(), !is_end(&file, len));
		if (len > program)
			assert_true(look_finding.found & LOOK(EXECUTABLE));
	}
	pack_drop(&file);
}

/* Each length and number in turn claims that there is all the memory */
static void g4_believes_no_length_in_tnef(void **state)
{
	GString *tnef = wrap_tnef(), *list = wrap_properties();
	struct pack file;

	(void)state;
	wrap_property(list, WRAP_LONG_NAME | WRAP_STRING, "a.txt", 6);
	g_string_append_len(list, "\x1e\0\x09\x80" "0123456789abcdef" "\1\0\0\0" "\6\0\0\0"
			    "a\0b\0c\0\0\0" "\1\0\0\0" "\2\0\0\0" "x\0\0\0", 48);
	g_string_append_len(list, "\x03\x10\x06\0" "\2\0\0\0" "12341234", 16);
	list->str[0] = 3;
	wrap_file(tnef, &pack_text);
	wrap_put_properties(tnef, list);
	wrap_file(tnef, &pack_text);
	file = wrap_pack("winmail.dat", tnef);
	for (size_t at = 6; at + 4 <= file.len; at++) {
		static const uint32_t values[] = { ALL, ALL - 11, 0x80000000, 0x7fffffff };
		unsigned char *place = (unsigned char *)file.data + at, saved[4];

		memcpy(saved, place, 4);
		for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
			pack_put32(place, values[i]);
			look_at(&file);
			assert_true(!(look_finding.found & ~(LOOK(CORRUPTED) |
							LOOK(PARTIALLYCORRUPTED))));
		}
		memcpy(place, saved, 4);
	}
	assert_int_equal(look_drop(file), 0);
}

static void g4_says_that_a_length_is_wrong(void **state)
{
	static const uint32_t values[] = { ALL, 0x80000000, 100000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		GString *tnef = wrap_tnef();

		wrap_file(tnef, &pack_program);
		pack_put32((unsigned char *)tnef->str + tnef->len - sizeof(pack_pe) - 6, values[i]);
		/* what there is of it counts */
		assert_int_equal(look_tnef(tnef),
				 LOOK(EXECUTABLE) | LOOK(PARTIALLYCORRUPTED));
	}
}

static void g7_bounds_files_in_tnef(void **state)
{
	GString *tnef = wrap_tnef();
	struct pack file;

	(void)state;
	for (int i = 0; i < 999; i++)
		wrap_file(tnef, &pack_text);
	wrap_file(tnef, &pack_program);
	file = wrap_pack("winmail.dat", tnef);
	assert_int_equal(look_at(&file), LOOK(EXECUTABLE));
	look_rules.member_limit = 1000;
	assert_int_equal(look_at(&file), LOOK(EXECUTABLE));
	look_rules.member_limit = 999;
	assert_int_equal(look_drop(file), LOOK(MAILBOMB));
	look_expect(SS_KIND_MAILBOMB, "winmail.dat");
	look_reset(NULL);
	/* one file of many names, many without name and content, and names alone */
	for (int kind = 0; kind < 3; kind++) {
		tnef = wrap_tnef();
		for (int i = 0; i <= LOOK_MEMBERS; i++) {
			char *name = mail_format("%d", i);

			if (kind)
				wrap_begin(tnef);
			if (kind != 1)
				wrap_attribute(tnef, 2, WRAP_TITLE, name, strlen(name));
			if (kind == 1)
				wrap_attribute(tnef, 2, WRAP_DATA, "", 0);
			free(name);
		}
		assert_int_equal(look_tnef(tnef), LOOK(MAILBOMB));
	}
}

static void g7_bounds_octets_in_tnef(void **state)
{
	static char zeros[300000] = "MZ";
	const struct pack large = { "large", zeros, sizeof(zeros) };
	GString *tnef = wrap_tnef();
	struct pack file;

	(void)state;
	wrap_file(tnef, &large);
	wrap_file(tnef, &large);
	file = wrap_pack("winmail.dat", tnef);
	look_rules.octet_limit = 2 * sizeof(zeros);
	assert_int_equal(look_at(&file), LOOK(EXECUTABLE));
	look_rules.octet_limit--;
	assert_int_equal(look_at(&file), LOOK(EXECUTABLE) | LOOK(MAILBOMB));
	/* what fits is looked at */
	look_rules.octet_limit = sizeof(zeros) / 2;
	assert_int_equal(look_at(&file), LOOK(EXECUTABLE) | LOOK(MAILBOMB));
	look_rules.octet_limit = 10;
	assert_int_equal(look_at(&file), LOOK(MAILBOMB));
	look_reset(NULL);
	look_rules.end = ss_process_now();
	assert_int_equal(look_drop(file), LOOK(TIMEOUT));
}

static GString *make_tnef(void)
{
	GString *tnef = wrap_tnef(), *list = wrap_properties();

	wrap_file(tnef, &pack_program);
	wrap_property(list, WRAP_LONG_NAME | WRAP_UNICODE, "a\0b\0\0\0", 6);
	wrap_property(list, WRAP_DATA_VALUE | WRAP_OBJECT, pack_pe, sizeof(pack_pe));
	wrap_put_properties(tnef, list);
	wrap_file(tnef, &pack_text);
	return tnef;
}

static void survives_octets(void **state)
{
	(void)state;
	look_damaged("winmail.dat", make_tnef);
}

#define TEST(name)	cmocka_unit_test_setup(name, look_reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(g4_looks_into_tnef),
		TEST(knows_hashes_in_tnef),
		TEST(g4_looks_at_all_names_in_tnef),
		TEST(g4_looks_at_a_title_beside_a_long_name),
		TEST(looks_at_display_names),
		TEST(bounds_names_in_tnef),
		TEST(g4_looks_at_content_in_properties),
		TEST(g4_looks_at_each_value_of_a_property),
		TEST(g4_looks_at_objects_with_what_they_are),
		TEST(g3_looks_into_tnef_in_tnef),
		TEST(looks_into_archives_in_tnef),
		TEST(g4_reads_on_behind_what_is_broken),
		TEST(g4_says_what_is_cut_off),
		TEST(g4_believes_no_length_in_tnef),
		TEST(g4_says_that_a_length_is_wrong),
		TEST(g7_bounds_files_in_tnef),
		TEST(g7_bounds_octets_in_tnef),
		TEST(survives_octets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, look_setup, look_teardown);
}
