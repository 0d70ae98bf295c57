// SPDX-License-Identifier: GPL-2.0
/*
 * Archives that are not what they say, and of which readers see different members.
 */
#include "tests/support/unit.h"

#include <archive.h>

#include "lib/cleanup.h"
#include "scanner/files/inspect.h"
#include "tests/support/look.h"
#include "tests/support/pack.h"

#define COMMENT	65535		/* the longest of a zip */

static void g2_finds_archives_behind_others_octets(void **state)
{
	static const char head[] = "GIF89a\1\0\1\0 this is a picture, believe me";
	static const char cms[] = "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
	struct pack tar, inner;

	(void)state;
	look_clear();
	inner = pack_prefix(head, sizeof(head), pack_zip("a.gif", &pack_program, 1));
	assert_int_equal(look_drop(inner), LOOK(EXECUTABLE));
	inner = pack_files("a.gif", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, NULL,
			   &pack_program, 1);
	inner = pack_prefix(head, sizeof(head), inner);
	assert_int_equal(look_drop(inner), LOOK(EXECUTABLE));
	/* A program that unpacks itself is one; what is in it counts as well */
	inner = pack_files("a.exe", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
			   "zip:encryption=zipcrypt", &pack_text, 1);
	inner = pack_prefix(pack_pe, sizeof(pack_pe), inner);
	assert_int_equal(look_drop(inner), LOOK(EXECUTABLE) | LOOK(ENCRYPTED));
	/* CMS without a content, which is all that CMS has to be (M2) */
	inner = pack_files("a.p7m", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, NULL,
			   &pack_program, 1);
	inner = pack_prefix(cms, sizeof(cms) - 1, inner);
	assert_int_equal(look_drop(inner), LOOK(EXECUTABLE));
	inner = pack_prefix(cms, sizeof(cms) - 1, pack_zip("a.p7m", &pack_program, 1));
	tar = pack_prefix(inner.data, inner.len, (struct pack){ "a.p7m", strdup("x"), 1 });
	pack_drop(&inner);
	assert_true(look_drop(tar) & LOOK(EXECUTABLE));
	/* A tar for one, a zip for another */
	tar = pack_files("a.tar", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_NONE, NULL, &pack_text, 1);
	inner = pack_prefix(tar.data, tar.len, pack_zip("a.zip", &pack_program, 1));
	pack_drop(&tar);
	assert_int_equal(look_drop(inner), LOOK(EXECUTABLE));
}

/* A mark, or the name, makes it no file for libarchive, but there are programs that unpack one */
static void g2_does_not_take_types_in_zips_on_trust(void **state)
{
	static const struct {
		const char *name;
		uint32_t attributes;
	} marks[] = {
		{ "setup.exe", 0120777u << 16 }, { "setup.exe", 0040755u << 16 },
		{ "setup.exe", 0020644u << 16 }, { "setup.exe", 0x10 },
		{ "setup.exe/", 0100644u << 16 },
	};

	(void)state;
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		const struct pack file = { marks[i].name, pack_pe, sizeof(pack_pe) };
		struct pack blob = pack_files("a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
					      "zip:compression=store", &file, 1);
		unsigned char *entry = pack_place(&blob, "PK\1\2", 4, 0);

		entry[5] = 3;		/* Unix */
		pack_put32(entry + 38, marks[i].attributes);
		assert_true(look_drop(blob) & (LOOK(UNHANDLED) | LOOK(EXECUTABLE)));
	}
}

/* A folder without content is one to all */
static void passes_folders_in_zips(void **state)
{
	struct pack files[2] = { { "folder/", "", 0 }, pack_text };

	(void)state;
	look_clear();
	assert_int_equal(look_drop(pack_zip("a.zip", files, 2)), 0);
}

/* The marks are at the end of the list, which is not compressed */
static void g2_does_not_take_types_in_7z_on_trust(void **state)
{
	static const uint32_t modes[] = { 0120777, 0040755, 0020644, 0010644 };

	(void)state;
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct pack blob = pack_files("a.7z", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE,
					      "7zip:compression=store", &pack_program, 1);
		unsigned char *data = (unsigned char *)blob.data;
		size_t list = 32 + sizeof(pack_pe);

		pack_put32(pack_place(&blob, "\x15\6\1\0", 4, 0) + 4, modes[i] << 16 | 0x8000);
		pack_put32(data + 28, pack_crc32(data + list, blob.len - list));
		pack_put32(data + 8, pack_crc32(data + 12, 20));
		assert_int_equal(look_drop(blob), i ? LOOK(EXECUTABLE) :
						      LOOK(UNHANDLED));
	}
}

static void g2_does_not_take_folders_in_rars_on_trust(void **state)
{
	unsigned char data[512] = { 0 }, *entry = data + 20;
	struct pack blob = { "a.rar", data, pack_rar(data) };

	(void)state;
	look_clear();
	entry[28] = 0x10;
	pack_put16(entry, pack_crc32(entry + 2, 39));
	assert_int_equal(look_at(&blob), LOOK(EXECUTABLE));
}

/* The last entry of a zip's directory is no more */
static struct pack unlist(struct pack zip, int last)
{
	unsigned char *dir = pack_place(&zip, "PK\1\2", 4, 0);
	unsigned char *entry = pack_place(&zip, "PK\1\2", 4, last);
	unsigned char *end = pack_place(&zip, "PK\5\6", 4, 0);

	pack_put16(end + 8, last);
	pack_put16(end + 10, last);
	pack_put32(end + 12, entry - dir);
	memmove(entry, end, 22);
	zip.len -= end - entry;
	return zip;
}

/* A zip that says in the way of large ones alone where its directory is, behind @head */
static struct pack pack_large(const void *head, size_t len, const struct pack *file)
{
	struct pack zip = pack_files("a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
				     "zip:zip64", file, 1);
	uint32_t dir = pack_place(&zip, "PK\1\2", 4, 0) - (unsigned char *)zip.data;
	uint32_t end = pack_place(&zip, "PK\6\6", 4, 0) - (unsigned char *)zip.data;

	pack_put32(pack_place(&zip, "PK\1\2", 4, 0) + 42, len);
	pack_put32(pack_place(&zip, "PK\6\6", 4, 0) + 48, dir + len);
	pack_put32(pack_place(&zip, "PK\6\7", 4, 0) + 8, end + len);
	memset(pack_place(&zip, "PK\5\6", 4, 0) + 8, 0xff, 12);
	return pack_prefix(head, len, zip);
}

/* A member in front that the directory does not list, and two in one another's place */
static void g2_reads_zips_from_both_ends(void **state)
{
	struct pack files[2] = { pack_text, pack_program };
	struct pack hidden = pack_zip("a.zip", &pack_program, 1);
	struct pack blob = pack_zip("a.zip", files, 2);
	size_t len = pack_place(&hidden, "PK\1\2", 4, 0) - (const unsigned char *)hidden.data;

	(void)state;
	look_clear();
	pack_put32(pack_place(&blob, "PK\1\2", 4, 1) + 42, 0);
	assert_true(look_drop(blob) & LOOK(EXECUTABLE));
	blob = pack_prefix(hidden.data, len, pack_zip("a.zip", &pack_text, 1));
	assert_true(look_drop(blob) & LOOK(EXECUTABLE));
	assert_string_equal(look_name(SS_KIND_EXECUTABLE), "a.zip/setup.exe");
	/* and one behind the last that it lists, or where it is not known what it lists */
	assert_true(look_drop(unlist(pack_zip("a.zip", files, 2), 1)) & LOOK(EXECUTABLE));
	assert_true(look_drop(pack_large(hidden.data, len, &pack_text)) & LOOK(EXECUTABLE));
	pack_drop(&hidden);
}

static void g2_finds_zips_with_a_comment_behind_others_octets(void **state)
{
	struct pack blob = pack_prefix("GIF89a", 6, pack_zip("a.gif", &pack_program, 1));
	char *data = pack_zeros(blob.len + COMMENT);

	(void)state;
	look_clear();
	memcpy(data, blob.data, blob.len);
	pack_drop(&blob);
	blob.data = data;
	pack_put16(pack_place(&blob, "PK\5\6", 4, 0) + 20, COMMENT);
	blob.len += COMMENT;
	assert_int_equal(look_drop(blob), LOOK(EXECUTABLE));
}

static void g2_finds_large_zips_behind_others_octets(void **state)
{
	(void)state;
	look_clear();
	assert_int_equal(look_drop(pack_large("GIF89a", 6, &pack_program)),
			 LOOK(EXECUTABLE));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(g2_finds_archives_behind_others_octets),
		cmocka_unit_test(g2_does_not_take_types_in_zips_on_trust),
		cmocka_unit_test(passes_folders_in_zips),
		cmocka_unit_test(g2_does_not_take_types_in_7z_on_trust),
		cmocka_unit_test(g2_does_not_take_folders_in_rars_on_trust),
		cmocka_unit_test(g2_reads_zips_from_both_ends),
		cmocka_unit_test(g2_finds_zips_with_a_comment_behind_others_octets),
		cmocka_unit_test(g2_finds_large_zips_behind_others_octets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, look_setup, look_teardown);
}
