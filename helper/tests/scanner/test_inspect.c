// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include <archive.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "scanner/files/inspect.h"
#include "tests/support/look.h"
#include "tests/support/mail.h"
#include "tests/support/pack.h"

#define LIMIT_MS 60000
#define FAR	0x01010101	/* as a number of octets, none of which is NUL */
#define COMMENT	65535		/* the longest of a zip */

static struct ss_inspect *content;
static struct ss_inspect_finding finding;
static struct ss_inspect_rules rules;

static void reset_rules(void)
{
	memset(&rules, 0, sizeof(rules));
	rules.executables = true;
	rules.end = ss_process_now() + LIMIT_MS;
}

static uint32_t look(const struct pack *file)
{
	int fd = mail_file(file->data, file->len);

	assert_int_equal(ss_inspect_look(content, fd, file->name, &rules, &finding), 0);
	close(fd);
	return finding.found;
}

static uint32_t bit(enum ss_kind kind)
{
	return SS_KIND_BIT(kind);
}

static const char *found_name(enum ss_kind kind)
{
	return finding.detail[kind].name;
}

/* Look at, and free */
static uint32_t look_free(struct pack blob)
{
	uint32_t found = look(&blob);

	pack_drop(&blob);
	return found;
}

static char *zeros(size_t len)
{
	char *data = calloc(1, len);

	assert_non_null(data);
	return data;
}

/* Those that one who writes letters sends: none of it is anything */
static void passes_documents(void **state)
{
	static const char pdf[] = "%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n";
	static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\b\2\0\0\0";
	static const struct pack docs[] = {
		{ "a.txt", "MZ: what it means\r\n", 19 },
		{ "b.txt", "PK, BZh9, Rar and 7z are the first letters", 42 },
		{ "c.pdf", pdf, sizeof(pdf) - 1 },
		{ "d.png", png, sizeof(png) - 1 },
		{ "e.html", "<!DOCTYPE html><html><body>x</body></html>", 42 },
		{ "f.txt", "PK\5\6", 4 },
		{ "g", "", 0 },
		{ "h", "M", 1 },
		{ "i", "MZ", 2 },
	};
	struct pack files[2] = { pack_text, docs[2] };

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		assert_int_equal(look(&docs[i]), 0);
		assert_false(finding.allowed);
	}
	assert_int_equal(look_free(pack_zip("a.zip", files, 2)), 0);
	assert_int_equal(look_free(pack_zip("empty.zip", NULL, 0)), 0);
}

static void finds_executables(void **state)
{
	static const char dos[32] = { 'M', 'Z', 1, 0, 1 };
	struct pack files[] = {
		{ "holiday.jpg", pack_pe, sizeof(pack_pe) }, { "x.com", dos, sizeof(dos) },
	};
	char large[512], *far = zeros(FAR + 4);
	struct pack no_nul = { "y", large, sizeof(large) }, far_off = { "z", far, FAR + 4 };

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_int_equal(look(&files[i]), bit(SS_KIND_EXECUTABLE));
		assert_string_equal(found_name(SS_KIND_EXECUTABLE), files[i].name);
	}
	memset(large, 'x', sizeof(large));
	memcpy(large, "MZ", 2);
	assert_int_equal(look(&no_nul), 0);
	/* The header is where the first octets, of which none is NUL, say */
	memset(far, 1, 64);
	memcpy(far, "MZ", 2);
	assert_int_equal(look(&far_off), 0);
	memcpy(far + FAR, "PE", 2);
	assert_int_equal(look(&far_off), bit(SS_KIND_EXECUTABLE));
	free(far);
	rules.executables = false;
	assert_int_equal(look(&files[0]), 0);
}

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
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t count = kinds[i].format == ARCHIVE_FORMAT_RAW ? 1 : 2;
		uint32_t found = look_free(pack_files(kinds[i].name, kinds[i].format,
						kinds[i].filter, NULL, files, count));

		if (found != bit(SS_KIND_EXECUTABLE))
			printf("# %s: %x\n", kinds[i].name, found);
		assert_int_equal(found, bit(SS_KIND_EXECUTABLE));
		assert_string_equal(found_name(SS_KIND_EXECUTABLE), kinds[i].path);
	}
}

static void finds_executables_in_what_libarchive_cannot_write(void **state)
{
	static const struct {
		const char *name;
		size_t (*make)(unsigned char *data);
	} kinds[] = { { "a.rar", pack_rar }, { "a.cab", pack_cab }, { "a.lzh", pack_lzh } };

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		unsigned char data[512] = { 0 };
		struct pack blob = { kinds[i].name, data, kinds[i].make(data) };
		char path[32];

		snprintf(path, sizeof(path), "%s/setup.exe", kinds[i].name);
		assert_int_equal(look(&blob), bit(SS_KIND_EXECUTABLE));
		assert_string_equal(found_name(SS_KIND_EXECUTABLE), path);
	}
}

static void looks_into_archives_in_archives(void **state)
{
	struct pack inner = pack_zip("inner.zip", &pack_program, 1), middle, outer;

	(void)state;
	reset_rules();
	middle = pack_files("middle.7z", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, NULL, &inner, 1);
	outer = pack_zip("outer.zip", &middle, 1);
	assert_int_equal(look(&outer), bit(SS_KIND_EXECUTABLE));
	assert_string_equal(found_name(SS_KIND_EXECUTABLE),
			    "outer.zip/middle.7z/inner.zip/setup.exe");
	rules.nest_limit = 3;
	assert_int_equal(look(&outer), bit(SS_KIND_EXECUTABLE));
	rules.nest_limit = 2;
	assert_int_equal(look(&outer), bit(SS_KIND_NESTED));
	assert_string_equal(found_name(SS_KIND_NESTED), "outer.zip/middle.7z/inner.zip");
	pack_drop(&inner);
	pack_drop(&middle);
	pack_drop(&outer);
}

static void g3_bounds_depth(void **state)
{
	struct pack deep = pack_nested(101), fits = pack_nested(SS_INSPECT_NEST_LIMIT);

	(void)state;
	reset_rules();
	assert_int_equal(look(&fits), bit(SS_KIND_EXECUTABLE));
	assert_int_equal(look(&deep), bit(SS_KIND_NESTED));
	rules.nest_limit = 1000;	/* is taken for 100 */
	assert_int_equal(look(&deep), bit(SS_KIND_NESTED));
	assert_int_equal(strlen(found_name(SS_KIND_NESTED)), SS_INSPECT_NAME_SIZE - 1);
	pack_drop(&deep);
	pack_drop(&fits);
}

static void matches_names(void **state)
{
	static const char *const patterns[] = { "*.scr", "invoice[0-9].*" };
	static const struct {
		const char *name;
		const char *what;
	} names[] = {
		{ "a.scr", "*.scr" },
		{ "a.SCR", "*.scr" },
		{ "dir\\a.scr", "*.scr" },
		{ "a.scr. .", "*.scr" },
		{ "\xff\xfe\x80.scr", "*.scr" },
		{ "\xc3\xbc.sCr", "*.scr" },
		{ "Invoice7.pdf", "invoice[0-9].*" },
		{ "a.scr.txt", NULL },
		{ "scr", NULL },
		{ "dir.scr/a.txt", NULL },
		{ "", NULL },
	};
	char name[5000];
	struct pack file = { name, "x", 1 };

	(void)state;
	reset_rules();
	rules.patterns = patterns;
	rules.pattern_count = ARRAY_SIZE(patterns);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		file.name = names[i].name;
		assert_int_equal(look(&file), names[i].what ? bit(SS_KIND_NAME) : 0);
		assert_string_equal(finding.detail[SS_KIND_NAME].what,
				    names[i].what ? names[i].what : "");
	}
	memset(name, 'x', sizeof(name));
	strcpy(name + sizeof(name) - 5, ".scr");
	file.name = name;
	assert_int_equal(look(&file), bit(SS_KIND_NAME));
	assert_int_equal(look_free(pack_zip("a.zip", &file, 1)), bit(SS_KIND_NAME));
	file.name = "dir/\xc3\xa9t\xc3\xa9.Scr";
	assert_int_equal(look_free(pack_zip("a.zip", &file, 1)), bit(SS_KIND_NAME));
	assert_string_equal(found_name(SS_KIND_NAME), "a.zip/dir/\xc3\xa9t\xc3\xa9.Scr");
	/* The name that gzip takes off its own */
	file.name = "a.scr.gz";
	assert_int_equal(look_free(pack_files("a.scr.gz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP,
					NULL, &file, 1)), bit(SS_KIND_NAME));
}

static void tells_types(void **state)
{
	static const char ole[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" "0000000000000000";
	static const struct {
		const char *word;
		const char *data;
		size_t len;
	} samples[] = {
		{ "pdf", "junk\n%PDF-1.7\n", 14 },
		{ "exe", pack_pe, sizeof(pack_pe) },
		{ "elf", "\x7f" "ELF\2\1\1\0", 8 },
		{ "rtf", "{\\rtf1 x}", 9 },
		{ "html", "<!DOCTYPE html><html><body>x</body></html>", 42 },
		{ "png", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\b\2\0\0\0", 29 },
		{ "gif", "GIF89a\1\0\1\0", 10 },
		{ "jpeg", "\xff\xd8\xff\xe0\0\x10JFIF\0\1", 12 },
		{ "bmp", "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0", 30 },
		{ "script", "#!/bin/sh\necho x\n", 17 },
		{ "bat", "@echo off\r\ndel x\r\n", 18 },
		{ "class", "\xca\xfe\xba\xbe\0\0\0\x34\0\x10", 10 },
		{ "lnk", "\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0", 16 },
		{ "chm", "ITSF\3\0\0\0", 8 },
		{ "msoffice", ole, sizeof(ole) },
		{ "ace", "1234567**ACE**\x14", 15 },
	};

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct pack file = { "x", samples[i].data, samples[i].len };
		int type = ss_file_types_find(samples[i].word);

		assert_true(type >= 0);
		rules.types = ~0ull;
		look(&file);
		assert_true(finding.found & bit(SS_KIND_TYPE));
		assert_string_equal(finding.detail[SS_KIND_TYPE].what, samples[i].word);
		rules.types = ~(1ull << type);
		look(&file);
		assert_false(finding.found & bit(SS_KIND_TYPE));
	}
}

static void tells_documents_from_zips(void **state)
{
	struct pack office[] = {
		{ "[Content_Types].xml", "<x/>", 4 }, { "word/document.xml", "<x/>", 4 },
	};
	struct pack odf[] = {
		{ "mimetype", "application/vnd.oasis.opendocument.text", 39 }, pack_text,
	};
	struct pack blob;

	(void)state;
	reset_rules();
	rules.types = ~0ull;
	look_free(pack_zip("a.docx", office, 2));
	assert_string_equal(finding.detail[SS_KIND_TYPE].what, "msofficex");
	look_free(pack_zip("a.zip", &pack_text, 1));
	assert_string_equal(finding.detail[SS_KIND_TYPE].what, "zip");
	/* Not compressed, no descriptor behind: as the format wants its first file */
	blob = pack_files("a.odt", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
		    "zip:compression=store,zip:experimental", odf, 2);
	look_free(blob);
	assert_true(finding.found & bit(SS_KIND_TYPE));
	/* A type of a member */
	rules.types = 1ull << ss_file_types_find("exe");
	look_free(pack_zip("a.zip", &pack_program, 1));
	assert_string_equal(found_name(SS_KIND_TYPE), "a.zip/setup.exe");
}

static void knows_hashes(void **state)
{
	unsigned char hash[3][SS_INSPECT_HASH_SIZE];
	struct pack archive = pack_zip("a.zip", &pack_program, 1);
	int fd = mail_file(pack_pe, sizeof(pack_pe)), zip_fd = mail_file(archive.data, archive.len);

	(void)state;
	reset_rules();
	assert_int_equal(ss_inspect_hash(-1, hash[0]), -EBADF);
	memset(hash[0], 0, sizeof(hash[0]));
	memset(hash[2], 0xff, sizeof(hash[2]));
	assert_int_equal(ss_inspect_hash(fd, hash[1]), 0);
	rules.block.hash = hash;
	rules.block.count = 3;
	assert_int_equal(look(&pack_text), 0);
	assert_int_equal(look(&pack_program), bit(SS_KIND_HASH) | bit(SS_KIND_EXECUTABLE));
	assert_int_equal(look(&archive), bit(SS_KIND_HASH) | bit(SS_KIND_EXECUTABLE));
	assert_string_equal(found_name(SS_KIND_HASH), "a.zip/setup.exe");
	/* What is allowed is so as a whole alone */
	rules.allow = rules.block;
	assert_int_equal(look(&pack_program), 0);
	assert_true(finding.allowed);
	assert_int_equal(look(&archive), bit(SS_KIND_HASH) | bit(SS_KIND_EXECUTABLE));
	assert_int_equal(ss_inspect_hash(zip_fd, hash[1]), 0);
	assert_int_equal(look(&archive), 0);
	assert_true(finding.allowed);
	close(fd);
	close(zip_fd);
	pack_drop(&archive);
}

static void hashes_all_of_a_file(void **state)
{
	char *data = zeros(1 << 20), *sum;
	unsigned char hash[SS_INSPECT_HASH_SIZE];
	int fd;

	(void)state;
	data[(1 << 20) - 1] = 1;
	sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)data, 1 << 20);
	fd = mail_file(data, 1 << 20);
	assert_int_equal(ss_inspect_hash(fd, hash), 0);
	for (size_t i = 0; i < sizeof(hash); i++)
		assert_int_equal(g_ascii_xdigit_value(sum[2 * i]) << 4 |
				 g_ascii_xdigit_value(sum[2 * i + 1]), hash[i]);
	close(fd);
	g_free(sum);
	free(data);
}

static void g5_finds_encrypted_zips(void **state)
{
	static const char *const options[] = {
		"zip:encryption=zipcrypt", "zip:encryption=aes128", "zip:encryption=aes256",
	};

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct pack pack = pack_files("a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
					      options[i], &pack_program, 1);

		assert_int_equal(look_free(pack), bit(SS_KIND_ENCRYPTED));
		assert_string_equal(found_name(SS_KIND_ENCRYPTED), "a.zip");
	}
}

/* Its name is told still, and what the others are */
static void g5_finds_one_encrypted_member(void **state)
{
	static const char *const patterns[] = { "readme.*" };
	struct pack files[2] = { pack_program, pack_text };
	struct pack blob = pack_zip("a.zip", files, 2);

	(void)state;
	reset_rules();
	rules.patterns = patterns;
	rules.pattern_count = 1;
	pack_place(&blob, "PK\3\4", 4, 1)[6] |= 1;
	pack_place(&blob, "PK\1\2", 4, 1)[8] |= 1;
	assert_int_equal(look_free(blob), bit(SS_KIND_ENCRYPTED) | bit(SS_KIND_NAME) |
					  bit(SS_KIND_EXECUTABLE));
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
	reset_rules();
	data[12] = 16;
	data[20] = sizeof(list);
	memcpy(data + 48, list, sizeof(list));
	pack_put32(data + 28, pack_crc32(list, sizeof(list)));
	pack_put32(data + 8, pack_crc32(data + 12, 20));
	assert_true(look(&blob) & bit(SS_KIND_ENCRYPTED));
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
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++)
		assert_true(look(&blobs[i]) & bit(SS_KIND_ENCRYPTED));
	/* behind others' octets as well */
	behind = pack_prefix(list, sizeof(list) - 1, behind);
	assert_true(look_free(pack_prefix("GIF89a", 6, behind)) & bit(SS_KIND_ENCRYPTED));
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
	reset_rules();
	cab[30] = 2;
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++)
		assert_true(look(&blobs[i]) & bit(SS_KIND_MULTIPART));
	pack_place(&spanned, "PK\5\6", 4, 0)[4] = 2;
	assert_true(look_free(spanned) & bit(SS_KIND_MULTIPART));
}

static void finds_what_is_corrupted(void **state)
{
	struct pack files[2] = { pack_program, pack_text };
	struct pack blob = pack_zip("a.zip", files, 2), part = blob;

	(void)state;
	reset_rules();
	/* In the middle of the second member, and of the first */
	part.len = (const char *)pack_place(&blob, "PK\3\4", 4, 1) - (const char *)blob.data + 33;
	assert_int_equal(look(&part), bit(SS_KIND_EXECUTABLE) |
				      bit(SS_KIND_PARTIALLYCORRUPTED));
	part.len = 50;
	assert_true(look(&part) & bit(SS_KIND_CORRUPTED));
	/* Wrong content; what there is of it still counts */
	pack_drop(&blob);
	blob = pack_files("a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, "zip:compression=store",
		    files, 2);
	pack_place(&blob, "PE", 2, 0)[40] ^= 1;
	assert_int_equal(look_free(blob), bit(SS_KIND_EXECUTABLE) |
					  bit(SS_KIND_PARTIALLYCORRUPTED));
	blob = pack_files("a.gz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, NULL, &pack_program, 1);
	blob.len -= 10;
	assert_true(look_free(blob) & bit(SS_KIND_CORRUPTED));
}

static void g7_bounds_octets(void **state)
{
	static const int filters[] = {
		ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD,
	};
	char *data = zeros(40 << 20);
	struct pack bomb = { "zeros", data, 40 << 20 }, few = { "zeros", data, 1 << 20 };
	struct pack files[3] = { few, few, few }, blob;

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		blob = pack_files("a", ARCHIVE_FORMAT_RAW, filters[i], NULL, &bomb, 1);
		assert_int_equal(look_free(blob), bit(SS_KIND_MAILBOMB));
	}
	blob = pack_zip("bomb.zip", &bomb, 1);
	assert_int_equal(look(&blob), bit(SS_KIND_MAILBOMB));
	assert_string_equal(found_name(SS_KIND_MAILBOMB), "bomb.zip");
	pack_drop(&blob);
	/* All members together */
	blob = pack_zip("a.zip", files, 3);
	rules.octet_limit = 3 << 20;
	assert_int_equal(look(&blob), 0);
	rules.octet_limit--;
	assert_int_equal(look(&blob), bit(SS_KIND_MAILBOMB));
	pack_drop(&blob);
	free(data);
}

/* Each a zip of sixteen of those before, as 42.zip */
static void g7_bounds_zips_of_zips(void **state)
{
	char *data = zeros(1 << 20);
	struct pack files[16], blob = { "0", data, 1 << 20 };

	(void)state;
	reset_rules();
	for (int level = 0; level < 5; level++) {
		for (size_t i = 0; i < ARRAY_SIZE(files); i++)
			files[i] = blob;
		blob = pack_zip("n.zip", files, ARRAY_SIZE(files));
		pack_drop(&files[0]);
	}
	assert_int_equal(look_free(blob), bit(SS_KIND_MAILBOMB));
}

/* Entries of the directory that are all of the same octets */
static void g7_bounds_overlapping_zips(void **state)
{
	char *data = zeros(8 << 20);
	struct pack zeroes = { "z", data, 8 << 20 }, one = pack_zip("a.zip", &zeroes, 1);
	const unsigned char *dir = pack_place(&one, "PK\1\2", 4, 0);
	const unsigned char *end = pack_place(&one, "PK\5\6", 4, 0);
	struct pack blob = one;
	size_t entry = end - dir, head = dir - (const unsigned char *)one.data;
	unsigned char *all = malloc(head + 200 * entry + 22), *to = all + head;

	(void)state;
	reset_rules();
	memcpy(all, one.data, head);
	for (int i = 0; i < 200; i++, to += entry)
		memcpy(to, dir, entry);
	memcpy(to, end, 22);
	pack_put32(to + 8, 200 | 200u << 16);
	pack_put32(to + 12, 200 * entry);
	blob.data = all;
	blob.len = head + 200 * entry + 22;
	assert_true(look(&blob) & (bit(SS_KIND_MAILBOMB) | bit(SS_KIND_CORRUPTED) |
				   bit(SS_KIND_PARTIALLYCORRUPTED)));
	pack_drop(&one);
	free(data);
	free(all);
}

static void g3_bounds_members(void **state)
{
	struct pack files[20];
	struct pack blob;

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		files[i] = pack_text;
	blob = pack_zip("a.zip", files, ARRAY_SIZE(files));
	rules.member_limit = 20;
	assert_int_equal(look(&blob), 0);
	rules.member_limit = 19;
	assert_int_equal(look(&blob), bit(SS_KIND_MAILBOMB));
	pack_drop(&blob);
}

static void ends_in_time(void **state)
{
	(void)state;
	reset_rules();
	rules.end = ss_process_now();
	assert_int_equal(look_free(pack_zip("a.zip", &pack_program, 1)), bit(SS_KIND_TIMEOUT));
	assert_int_equal(look(&pack_program), bit(SS_KIND_EXECUTABLE));
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
	char *udf = zeros(64 << 10);
	struct pack image = { "h.img", udf, 64 << 10 };

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++)
		assert_int_equal(look(&blobs[i]), bit(SS_KIND_UNHANDLED));
	memcpy(udf + 18 * 2048 + 1, "NSR02", 5);
	assert_int_equal(look(&image), bit(SS_KIND_UNHANDLED));
	free(udf);
}

/* A method of compression that libarchive has not */
static void says_which_member_it_cannot_read(void **state)
{
	struct pack files[2] = { pack_program, pack_text };
	struct pack blob = pack_zip("a.zip", files, 2);

	(void)state;
	reset_rules();
	pack_place(&blob, "PK\3\4", 4, 1)[8] = 97;
	pack_place(&blob, "PK\1\2", 4, 1)[10] = 97;
	assert_int_equal(look_free(blob), bit(SS_KIND_UNHANDLED) | bit(SS_KIND_EXECUTABLE));
}

static void g2_finds_archives_behind_others_octets(void **state)
{
	static const char head[] = "GIF89a\1\0\1\0 this is a picture, believe me";
	static const char cms[] = "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
	struct pack tar, inner;

	(void)state;
	reset_rules();
	inner = pack_prefix(head, sizeof(head), pack_zip("a.gif", &pack_program, 1));
	assert_int_equal(look_free(inner), bit(SS_KIND_EXECUTABLE));
	inner = pack_files("a.gif", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, NULL,
			   &pack_program, 1);
	inner = pack_prefix(head, sizeof(head), inner);
	assert_int_equal(look_free(inner), bit(SS_KIND_EXECUTABLE));
	/* A program that unpacks itself is one; what is in it counts as well */
	inner = pack_files("a.exe", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
			   "zip:encryption=zipcrypt", &pack_text, 1);
	inner = pack_prefix(pack_pe, sizeof(pack_pe), inner);
	assert_int_equal(look_free(inner), bit(SS_KIND_EXECUTABLE) | bit(SS_KIND_ENCRYPTED));
	/* CMS without a content, which is all that CMS has to be (M2) */
	inner = pack_files("a.p7m", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, NULL,
			   &pack_program, 1);
	inner = pack_prefix(cms, sizeof(cms) - 1, inner);
	assert_int_equal(look_free(inner), bit(SS_KIND_EXECUTABLE));
	inner = pack_prefix(cms, sizeof(cms) - 1, pack_zip("a.p7m", &pack_program, 1));
	tar = pack_prefix(inner.data, inner.len, (struct pack){ "a.p7m", strdup("x"), 1 });
	pack_drop(&inner);
	assert_true(look_free(tar) & bit(SS_KIND_EXECUTABLE));
	/* A tar for one, a zip for another */
	tar = pack_files("a.tar", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_NONE, NULL, &pack_text, 1);
	inner = pack_prefix(tar.data, tar.len, pack_zip("a.zip", &pack_program, 1));
	pack_drop(&tar);
	assert_int_equal(look_free(inner), bit(SS_KIND_EXECUTABLE));
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
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		const struct pack file = { marks[i].name, pack_pe, sizeof(pack_pe) };
		struct pack blob = pack_files("a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
					      "zip:compression=store", &file, 1);
		unsigned char *entry = pack_place(&blob, "PK\1\2", 4, 0);

		entry[5] = 3;		/* Unix */
		pack_put32(entry + 38, marks[i].attributes);
		assert_true(look_free(blob) & (bit(SS_KIND_UNHANDLED) | bit(SS_KIND_EXECUTABLE)));
	}
}

/* A folder without content is one to all */
static void passes_folders_in_zips(void **state)
{
	struct pack files[2] = { { "folder/", "", 0 }, pack_text };

	(void)state;
	reset_rules();
	assert_int_equal(look_free(pack_zip("a.zip", files, 2)), 0);
}

/* The marks are at the end of the list, which is not compressed */
static void g2_does_not_take_types_in_7z_on_trust(void **state)
{
	static const uint32_t modes[] = { 0120777, 0040755, 0020644, 0010644 };

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct pack blob = pack_files("a.7z", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE,
					      "7zip:compression=store", &pack_program, 1);
		unsigned char *data = (unsigned char *)blob.data;
		size_t list = 32 + sizeof(pack_pe);

		pack_put32(pack_place(&blob, "\x15\6\1\0", 4, 0) + 4, modes[i] << 16 | 0x8000);
		pack_put32(data + 28, pack_crc32(data + list, blob.len - list));
		pack_put32(data + 8, pack_crc32(data + 12, 20));
		assert_int_equal(look_free(blob), i ? bit(SS_KIND_EXECUTABLE) :
						      bit(SS_KIND_UNHANDLED));
	}
}

static void g2_does_not_take_folders_in_rars_on_trust(void **state)
{
	unsigned char data[512] = { 0 }, *entry = data + 20;
	struct pack blob = { "a.rar", data, pack_rar(data) };

	(void)state;
	reset_rules();
	entry[28] = 0x10;
	pack_put16(entry, pack_crc32(entry + 2, 39));
	assert_int_equal(look(&blob), bit(SS_KIND_EXECUTABLE));
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
	reset_rules();
	pack_put32(pack_place(&blob, "PK\1\2", 4, 1) + 42, 0);
	assert_true(look_free(blob) & bit(SS_KIND_EXECUTABLE));
	blob = pack_prefix(hidden.data, len, pack_zip("a.zip", &pack_text, 1));
	assert_true(look_free(blob) & bit(SS_KIND_EXECUTABLE));
	assert_string_equal(found_name(SS_KIND_EXECUTABLE), "a.zip/setup.exe");
	/* and one behind the last that it lists, or where it is not known what it lists */
	assert_true(look_free(unlist(pack_zip("a.zip", files, 2), 1)) & bit(SS_KIND_EXECUTABLE));
	assert_true(look_free(pack_large(hidden.data, len, &pack_text)) & bit(SS_KIND_EXECUTABLE));
	pack_drop(&hidden);
}

static void g2_finds_zips_with_a_comment_behind_others_octets(void **state)
{
	struct pack blob = pack_prefix("GIF89a", 6, pack_zip("a.gif", &pack_program, 1));
	char *data = zeros(blob.len + COMMENT);

	(void)state;
	reset_rules();
	memcpy(data, blob.data, blob.len);
	pack_drop(&blob);
	blob.data = data;
	pack_put16(pack_place(&blob, "PK\5\6", 4, 0) + 20, COMMENT);
	blob.len += COMMENT;
	assert_int_equal(look_free(blob), bit(SS_KIND_EXECUTABLE));
}

static void g2_finds_large_zips_behind_others_octets(void **state)
{
	(void)state;
	reset_rules();
	assert_int_equal(look_free(pack_large("GIF89a", 6, &pack_program)),
			 bit(SS_KIND_EXECUTABLE));
}

/* That is no property of the archive */
static void fails_without_descriptors(void **state)
{
	struct pack blob = pack_zip("a.zip", &pack_program, 1);
	int fd = mail_file(blob.data, blob.len), next = dup(fd);
	struct rlimit old, none;

	(void)state;
	reset_rules();
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ .rlim_cur = next, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(ss_inspect_look(content, fd, "a.zip", &rules, &finding), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	close(fd);
	pack_drop(&blob);
}

static void fails_for_what_is_no_file(void **state)
{
	int fds[2];

	(void)state;
	reset_rules();
	assert_int_equal(ss_inspect_look(content, -1, "x", &rules, &finding), -EBADF);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(ss_inspect_look(content, fds[0], NULL, &rules, &finding), -EINVAL);
	close(fds[0]);
	close(fds[1]);
}

static void survives_octets(void **state)
{
	static const int formats[] = {
		ARCHIVE_FORMAT_ZIP, ARCHIVE_FORMAT_7ZIP, ARCHIVE_FORMAT_TAR,
		ARCHIVE_FORMAT_ISO9660,
	};
	struct pack files[2] = { pack_program, pack_text };
	int seen = 0;

	(void)state;
	srandom(1);
	for (int i = 0; i < 300; i++) {
		struct pack blob = pack_files("a", formats[i % ARRAY_SIZE(formats)],
					i % 2 ? ARCHIVE_FILTER_NONE : ARCHIVE_FILTER_GZIP,
					NULL, files, 2);
		unsigned char *data = (unsigned char *)blob.data;

		reset_rules();
		rules.types = ~0ull;
		for (int k = 0; k <= i % 7; k++)
			data[random() % blob.len] = random();
		if (i % 3 == 0)
			blob.len = random() % blob.len;
		seen += !!(look_free(blob) & bit(SS_KIND_EXECUTABLE));
		look_check(&finding);
	}
	/* many are as good as before */
	assert_in_range(seen, 50, 299);
}

static void has_words(void **state)
{
	int type = 0;

	(void)state;
	for (; ss_file_types_name(type); type++)
		assert_int_equal(ss_file_types_find(ss_file_types_name(type)), type);
	assert_in_range(type, 30, 64);
	assert_null(ss_file_types_name(-1));
	assert_int_equal(ss_file_types_find("nonsense"), -ENOENT);
	for (int kind = 0; kind <= SS_KIND_COUNT; kind++) {
		const char *word = ss_file_types_condition_name(kind);

		assert_int_equal(!!word, kind >= SS_KIND_ENCRYPTED && kind < SS_KIND_COUNT);
		if (word)
			assert_int_equal(ss_file_types_condition_find(word), kind);
	}
	assert_int_equal(ss_file_types_condition_find("nonsense"), -ENOENT);
}

static int setup(void **state)
{
	(void)state;
	content = ss_inspect_open();
	return content ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ss_inspect_close(content);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_documents),
		cmocka_unit_test(finds_executables),
		cmocka_unit_test(finds_executables_in_archives),
		cmocka_unit_test(finds_executables_in_what_libarchive_cannot_write),
		cmocka_unit_test(looks_into_archives_in_archives),
		cmocka_unit_test(g3_bounds_depth),
		cmocka_unit_test(matches_names),
		cmocka_unit_test(tells_types),
		cmocka_unit_test(tells_documents_from_zips),
		cmocka_unit_test(knows_hashes),
		cmocka_unit_test(hashes_all_of_a_file),
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
		cmocka_unit_test(g2_finds_archives_behind_others_octets),
		cmocka_unit_test(g2_does_not_take_types_in_zips_on_trust),
		cmocka_unit_test(passes_folders_in_zips),
		cmocka_unit_test(g2_does_not_take_types_in_7z_on_trust),
		cmocka_unit_test(g2_does_not_take_folders_in_rars_on_trust),
		cmocka_unit_test(g2_reads_zips_from_both_ends),
		cmocka_unit_test(g2_finds_zips_with_a_comment_behind_others_octets),
		cmocka_unit_test(g2_finds_large_zips_behind_others_octets),
		cmocka_unit_test(fails_without_descriptors),
		cmocka_unit_test(fails_for_what_is_no_file),
		cmocka_unit_test(survives_octets),
		cmocka_unit_test(has_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
