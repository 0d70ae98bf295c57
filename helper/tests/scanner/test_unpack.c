// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of archives, and archives in archives: their members are found, members that cannot
 * be read are told, and no more is read than the limits allow.
 */
#include "tests/support/unit.h"

#include <archive.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "scanner/files/inspect.h"
#include "tests/support/look.h"
#include "tests/support/pack.h"

static void finds_executables_in_archives(void **state)
{
	static const struct {
		const char *name;
		int format;
		int filter;
		const char *path;
	} kinds[] = {
		{ "a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, "a.zip/setup.exe" },
		{ "a.7z", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, "a.7z/setup.exe" },
		{ "a.tar", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_NONE, "a.tar/setup.exe" },
		{ "a.tar", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE, "a.tar/setup.exe" },
		{ "a.tar.gz", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_GZIP, "a.tar.gz/a.tar/setup.exe" },
		{ "a.tar.bz2", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_BZIP2,
		  "a.tar.bz2/a.tar/setup.exe" },
		{ "a.tar.xz", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_XZ, "a.tar.xz/a.tar/setup.exe" },
		{ "a.tar.lz", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_LZIP, "a.tar.lz/a.tar/setup.exe" },
		{ "a.tlz", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_LZMA, "a.tlz/a/setup.exe" },
		{ "a.tar.Z", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_COMPRESS,
		  "a.tar.Z/a.tar/setup.exe" },
		{ "a.tar.zst", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_ZSTD,
		  "a.tar.zst/a.tar/setup.exe" },
		{ "a.tar.lz4", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_LZ4,
		  "a.tar.lz4/a.tar/setup.exe" },
		{ "a.iso", ARCHIVE_FORMAT_ISO9660, ARCHIVE_FILTER_NONE, "a.iso/setup.exe" },
		{ "setup.exe.gz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP,
		  "setup.exe.gz/setup.exe" },
	};
	struct pack files[2] = { pack_program, pack_text };

	(void)state;
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t count = kinds[i].format == ARCHIVE_FORMAT_RAW ? 1 : 2;
		uint32_t found = look_drop(pack_files(kinds[i].name, kinds[i].format,
						kinds[i].filter, NULL, files, count));

		if (found != LOOK(EXECUTABLE))
			printf("# %s: %x\n", kinds[i].name, found);
		assert_int_equal(found, LOOK(EXECUTABLE));
		assert_string_equal(look_name(SS_KIND_EXECUTABLE), kinds[i].path);
	}
}

static void finds_executables_in_what_libarchive_cannot_write(void **state)
{
	static const struct {
		const char *name;
		size_t (*make)(unsigned char *data);
	} kinds[] = { { "a.rar", pack_rar }, { "a.cab", pack_cab }, { "a.lzh", pack_lzh } };

	(void)state;
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		unsigned char data[512] = { 0 };
		struct pack blob = { kinds[i].name, data, kinds[i].make(data) };
		char path[32];

		snprintf(path, sizeof(path), "%s/setup.exe", kinds[i].name);
		assert_int_equal(look_at(&blob), LOOK(EXECUTABLE));
		assert_string_equal(look_name(SS_KIND_EXECUTABLE), path);
	}
}

static void looks_into_archives_in_archives(void **state)
{
	struct pack inner = pack_zip("inner.zip", &pack_program, 1), middle, outer;

	(void)state;
	look_clear();
	middle = pack_files("middle.7z", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, NULL, &inner, 1);
	outer = pack_zip("outer.zip", &middle, 1);
	assert_int_equal(look_at(&outer), LOOK(EXECUTABLE));
	assert_string_equal(look_name(SS_KIND_EXECUTABLE),
			    "outer.zip/middle.7z/inner.zip/setup.exe");
	look_rules.nest_limit = 3;
	assert_int_equal(look_at(&outer), LOOK(EXECUTABLE));
	look_rules.nest_limit = 2;
	assert_int_equal(look_at(&outer), LOOK(NESTED));
	assert_string_equal(look_name(SS_KIND_NESTED), "outer.zip/middle.7z/inner.zip");
	pack_drop(&inner);
	pack_drop(&middle);
	pack_drop(&outer);
}

static void g3_bounds_depth(void **state)
{
	struct pack deep = pack_nested(101), fits = pack_nested(SS_INSPECT_NEST_LIMIT);

	(void)state;
	look_clear();
	assert_int_equal(look_at(&fits), LOOK(EXECUTABLE));
	assert_int_equal(look_at(&deep), LOOK(NESTED));
	look_rules.nest_limit = 1000;	/* is taken for 100 */
	assert_int_equal(look_at(&deep), LOOK(NESTED));
	assert_int_equal(strlen(look_name(SS_KIND_NESTED)), SS_INSPECT_NAME_SIZE - 1);
	pack_drop(&deep);
	pack_drop(&fits);
}

static void g5_finds_encrypted_zips(void **state)
{
	static const char *const options[] = {
		"zip:encryption=zipcrypt", "zip:encryption=aes128", "zip:encryption=aes256",
	};

	(void)state;
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct pack pack = pack_files("a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
					      options[i], &pack_program, 1);

		assert_int_equal(look_drop(pack), LOOK(ENCRYPTED));
		assert_string_equal(look_name(SS_KIND_ENCRYPTED), "a.zip");
	}
}

/* Its name is told still, and what the others are */
static void g5_finds_one_encrypted_member(void **state)
{
	static const char *const patterns[] = { "readme.*" };
	struct pack files[2] = { pack_program, pack_text };
	struct pack blob = pack_zip("a.zip", files, 2);

	(void)state;
	look_clear();
	look_rules.patterns = patterns;
	look_rules.pattern_count = 1;
	pack_place(&blob, "PK\3\4", 4, 1)[6] |= 1;
	pack_place(&blob, "PK\1\2", 4, 1)[8] |= 1;
	assert_int_equal(look_drop(blob), LOOK(ENCRYPTED) | LOOK(NAME) |
					  LOOK(EXECUTABLE));
}

/* A list of members that is encrypted with AES, as 7-Zip -mhe writes it */
static void g5_finds_encrypted_7z(void **state)
{
	static const unsigned char list[] = {
		0x17, 0x06, 0, 1, 9, 16, 0, 0x07, 0x0b, 1, 0, 1,
		0x24, 0x06, 0xf1, 0x07, 0x01, 1, 0x13, 0x0c, 16, 0, 0,
	};
	unsigned char data[32 + 16 + sizeof(list)] = { '7', 'z', 0xbc, 0xaf, 0x27, 0x1c, 0, 4 };
	struct pack blob = { "a.7z", data, sizeof(data) };

	(void)state;
	look_clear();
	data[12] = 16;
	data[20] = sizeof(list);
	memcpy(data + 48, list, sizeof(list));
	pack_put32(data + 28, pack_crc32(list, sizeof(list)));
	pack_put32(data + 8, pack_crc32(data + 12, 20));
	assert_true(look_at(&blob) & LOOK(ENCRYPTED));
}

static void g5_finds_encrypted_rars(void **state)
{
	static const char rar4[] = "Rar!\x1a\x07\0" "\0\0\x73\x80\0\x0d\0\0\0\0\0\0";
	static const char list[] = "Rar!\x1a\x07\1\0" "\0\0\0\0\x05\x04\0\0\0\x0f";
	/* A file with a record of encryption, behind the main header */
	static const char file[] = "Rar!\x1a\x07\1\0" "\0\0\0\0\x03\x01\0\0"
		"\0\0\0\0\x0c\x02\x01\x04\0\0\0\0\0\x03\x01\0\0";
	/* The same behind another record */
	static const char second[] = "Rar!\x1a\x07\1\0" "\0\0\0\0\x03\x01\0\0"
		"\0\0\0\0\x0f\x02\x01\x07\0\0\0\0\0\x02\x05\0\x03\x01\0\0";
	static const struct pack blobs[] = {
		{ "4.rar", rar4, sizeof(rar4) - 1 },
		{ "list.rar", list, sizeof(list) - 1 },
		{ "file.rar", file, sizeof(file) - 1 },
		{ "second.rar", second, sizeof(second) - 1 },
	};
	struct pack behind = { "a.gif", strdup("x"), 1 };

	(void)state;
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++)
		assert_true(look_at(&blobs[i]) & LOOK(ENCRYPTED));
	/* behind others' octets as well */
	behind = pack_prefix(list, sizeof(list) - 1, behind);
	assert_true(look_drop(pack_prefix("GIF89a", 6, behind)) & LOOK(ENCRYPTED));
}

static void finds_volumes(void **state)
{
	static const char rar4[] = "Rar!\x1a\x07\0" "\0\0\x73\x01\0\x0d\0\0\0\0\0\0";
	static const char rar5[] = "Rar!\x1a\x07\1\0" "\0\0\0\0\x03\x01\0\x01";
	char cab[64] = "MSCF";
	struct pack spanned = pack_zip("a.zip", &pack_text, 1), blobs[] = {
		{ "a.rar", rar4, sizeof(rar4) - 1 },
		{ "b.rar", rar5, sizeof(rar5) - 1 },
		{ "c.cab", cab, sizeof(cab) },
		{ "d.z01", "xxxxx", 5 },
		{ "e.7z.002", "xxxxx", 5 },
		{ "f.zip.001", "xxxxx", 5 },
	};

	(void)state;
	look_clear();
	cab[30] = 2;
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++)
		assert_true(look_at(&blobs[i]) & LOOK(MULTIPART));
	pack_place(&spanned, "PK\5\6", 4, 0)[4] = 2;
	assert_true(look_drop(spanned) & LOOK(MULTIPART));
}

static void finds_what_is_corrupted(void **state)
{
	struct pack files[2] = { pack_program, pack_text };
	struct pack blob = pack_zip("a.zip", files, 2), part = blob;

	(void)state;
	look_clear();
	/* In the middle of the second member, and of the first */
	part.len = (const char *)pack_place(&blob, "PK\3\4", 4, 1) - (const char *)blob.data + 33;
	assert_int_equal(look_at(&part), LOOK(EXECUTABLE) |
				      LOOK(PARTIALLYCORRUPTED));
	part.len = 50;
	assert_true(look_at(&part) & LOOK(CORRUPTED));
	/* Wrong content; what there is of it still counts */
	pack_drop(&blob);
	blob = pack_files("a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, "zip:compression=store",
		    files, 2);
	pack_place(&blob, "PE", 2, 0)[40] ^= 1;
	assert_int_equal(look_drop(blob), LOOK(EXECUTABLE) |
					  LOOK(PARTIALLYCORRUPTED));
	blob = pack_files("a.gz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, NULL, &pack_program, 1);
	blob.len -= 10;
	assert_true(look_drop(blob) & LOOK(CORRUPTED));
}

static void g7_bounds_octets(void **state)
{
	static const int filters[] = {
		ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD,
	};
	char *data = pack_zeros(40 << 20);
	struct pack bomb = { "zeros", data, 40 << 20 }, few = { "zeros", data, 1 << 20 };
	struct pack files[3] = { few, few, few }, blob;

	(void)state;
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		blob = pack_files("a", ARCHIVE_FORMAT_RAW, filters[i], NULL, &bomb, 1);
		assert_int_equal(look_drop(blob), LOOK(MAILBOMB));
	}
	blob = pack_zip("bomb.zip", &bomb, 1);
	assert_int_equal(look_at(&blob), LOOK(MAILBOMB));
	assert_string_equal(look_name(SS_KIND_MAILBOMB), "bomb.zip");
	pack_drop(&blob);
	/* All members together */
	blob = pack_zip("a.zip", files, 3);
	look_rules.octet_limit = 3 << 20;
	assert_int_equal(look_at(&blob), 0);
	look_rules.octet_limit--;
	assert_int_equal(look_at(&blob), LOOK(MAILBOMB));
	pack_drop(&blob);
	free(data);
}

/* Each a zip of sixteen of those before, as 42.zip */
static void g7_bounds_zips_of_zips(void **state)
{
	char *data = pack_zeros(1 << 20);
	struct pack files[16], blob = { "0", data, 1 << 20 };

	(void)state;
	look_clear();
	for (int level = 0; level < 5; level++) {
		for (size_t i = 0; i < ARRAY_SIZE(files); i++)
			files[i] = blob;
		blob = pack_zip("n.zip", files, ARRAY_SIZE(files));
		pack_drop(&files[0]);
	}
	assert_int_equal(look_drop(blob), LOOK(MAILBOMB));
}

/* Entries of the directory that are all of the same octets */
static void g7_bounds_overlapping_zips(void **state)
{
	char *data = pack_zeros(8 << 20);
	struct pack zeroes = { "z", data, 8 << 20 }, one = pack_zip("a.zip", &zeroes, 1);
	const unsigned char *dir = pack_place(&one, "PK\1\2", 4, 0);
	const unsigned char *end = pack_place(&one, "PK\5\6", 4, 0);
	struct pack blob = one;
	size_t entry = end - dir, head = dir - (const unsigned char *)one.data;
	unsigned char *all = malloc(head + 200 * entry + 22), *to = all + head;

	(void)state;
	look_clear();
	memcpy(all, one.data, head);
	for (int i = 0; i < 200; i++, to += entry)
		memcpy(to, dir, entry);
	memcpy(to, end, 22);
	pack_put32(to + 8, 200 | 200u << 16);
	pack_put32(to + 12, 200 * entry);
	blob.data = all;
	blob.len = head + 200 * entry + 22;
	assert_true(look_at(&blob) & (LOOK(MAILBOMB) | LOOK(CORRUPTED) |
				      LOOK(PARTIALLYCORRUPTED)));
	pack_drop(&one);
	free(data);
	free(all);
}

static void g3_bounds_members(void **state)
{
	struct pack files[20];
	struct pack blob;

	(void)state;
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		files[i] = pack_text;
	blob = pack_zip("a.zip", files, ARRAY_SIZE(files));
	look_rules.member_limit = 20;
	assert_int_equal(look_at(&blob), 0);
	look_rules.member_limit = 19;
	assert_int_equal(look_at(&blob), LOOK(MAILBOMB));
	pack_drop(&blob);
}

static void ends_in_time(void **state)
{
	(void)state;
	look_clear();
	look_rules.end = ss_process_now();
	assert_int_equal(look_drop(pack_zip("a.zip", &pack_program, 1)), LOOK(TIMEOUT));
	assert_int_equal(look_at(&pack_program), LOOK(EXECUTABLE));
}

static void says_what_it_cannot_look_into(void **state)
{
	static const struct pack blobs[] = {
		{ "a.arj", "\x60\xea\x2b\0\x22\x0b\1\x0b\x10\0\2\0\0\0", 14 },
		{ "b.ace", "1234567**ACE**\x14", 15 },
		{ "c.zoo", "ZOO 2.10 Archive.\x1a\0\0\xdc\xa7\xc4\xfd", 24 },
		{ "d.wim", "MSWIM\0\0\0\xd0\0\0\0", 12 },
		{ "e.alz", "ALZ\1\x0a\0\0\0", 8 },
		{ "f.vhdx", "vhdxfile", 8 },
		{ "g.xar", "xar!\0\x1c\0\1", 8 },
	};
	char *udf = pack_zeros(64 << 10);
	struct pack image = { "h.img", udf, 64 << 10 };

	(void)state;
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++)
		assert_int_equal(look_at(&blobs[i]), LOOK(UNHANDLED));
	memcpy(udf + 18 * 2048 + 1, "NSR02", 5);
	assert_int_equal(look_at(&image), LOOK(UNHANDLED));
	free(udf);
}

/* A method of compression that libarchive has not */
static void says_which_member_it_cannot_read(void **state)
{
	struct pack files[2] = { pack_program, pack_text };
	struct pack blob = pack_zip("a.zip", files, 2);

	(void)state;
	look_clear();
	pack_place(&blob, "PK\3\4", 4, 1)[8] = 97;
	pack_place(&blob, "PK\1\2", 4, 1)[10] = 97;
	assert_int_equal(look_drop(blob), LOOK(UNHANDLED) | LOOK(EXECUTABLE));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_executables_in_archives),
		cmocka_unit_test(finds_executables_in_what_libarchive_cannot_write),
		cmocka_unit_test(looks_into_archives_in_archives),
		cmocka_unit_test(g3_bounds_depth),
		cmocka_unit_test(g5_finds_encrypted_zips),
		cmocka_unit_test(g5_finds_one_encrypted_member),
		cmocka_unit_test(g5_finds_encrypted_7z),
		cmocka_unit_test(g5_finds_encrypted_rars),
		cmocka_unit_test(finds_volumes),
		cmocka_unit_test(finds_what_is_corrupted),
		cmocka_unit_test(g7_bounds_octets),
		cmocka_unit_test(g7_bounds_zips_of_zips),
		cmocka_unit_test(g7_bounds_overlapping_zips),
		cmocka_unit_test(g3_bounds_members),
		cmocka_unit_test(ends_in_time),
		cmocka_unit_test(says_what_it_cannot_look_into),
		cmocka_unit_test(says_which_member_it_cannot_read),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, look_setup, look_teardown);
}
