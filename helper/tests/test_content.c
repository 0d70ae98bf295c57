// SPDX-License-Identifier: GPL-2.0
/*
 * Archives are made at run time, by libarchive where it can write them.
 */
#include "unit.h"

#include <errno.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "cleanup.h"
#include "content.h"
#include "mail.h"
#include "process.h"

#define ROOM	(4u << 20)
#define LIMIT_MS 60000

/* Octets of a file, with a name */
struct blob {
	const char *name;
	const void *data;
	size_t len;
};

static struct ss_content *content;
static struct ss_content_finding finding;
static struct ss_content_rules rules;

/* A PE header by hand: nothing else of a program is needed */
static const char pe[256] = {
	[0] = 'M', [1] = 'Z', [60] = (char)0x80, [0x80] = 'P', [0x81] = 'E',
};

static const struct blob text = { "readme.txt", "hello\n", 6 };
static const struct blob program = { "setup.exe", pe, sizeof(pe) };

static void reset_rules(void)
{
	memset(&rules, 0, sizeof(rules));
	rules.executables = true;
	rules.end = ss_process_now() + LIMIT_MS;
}

static uint32_t look(const struct blob *file)
{
	int fd = mail_file(file->data, file->len);

	assert_int_equal(ss_content_look(content, fd, file->name, &rules, &finding), 0);
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

/* An archive of @count files; libarchive's words for format, filter and options */
static struct blob pack(const char *name, int format, int filter, const char *options,
			const struct blob *files, size_t count)
{
	struct archive *a = archive_write_new();
	struct blob out = { .name = name };
	char *data = malloc(ROOM);
	size_t used = 0;

	assert_int_equal(archive_write_set_format(a, format), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
	if (options) {
		assert_int_equal(archive_write_set_options(a, options), ARCHIVE_OK);
		if (strstr(options, "encryption"))
			archive_write_set_passphrase(a, "secret");
	}
	archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open_memory(a, data, ROOM, &used), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		struct archive_entry *e = archive_entry_new();

		archive_entry_set_pathname(e, files[i].name);
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_perm(e, 0644);
		archive_entry_set_size(e, (int64_t)files[i].len);
		assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
		assert_int_equal(archive_write_data(a, files[i].data, files[i].len),
				 files[i].len);
		archive_entry_free(e);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	out.data = data;
	out.len = used;
	return out;
}

static struct blob zip(const char *name, const struct blob *files, size_t count)
{
	return pack(name, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, NULL, files, count);
}

static void drop(struct blob *blob)
{
	free((void *)blob->data);
}

/* Look at, and free */
static uint32_t look_drop(struct blob blob)
{
	uint32_t found = look(&blob);

	drop(&blob);
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
	static const struct blob docs[] = {
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
	struct blob files[2] = { text, docs[2] };

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		assert_int_equal(look(&docs[i]), 0);
		assert_false(finding.allowed);
	}
	assert_int_equal(look_drop(zip("a.zip", files, 2)), 0);
	assert_int_equal(look_drop(zip("empty.zip", NULL, 0)), 0);
}

static void finds_executables(void **state)
{
	static const char dos[32] = { 'M', 'Z', 1, 0, 1 };
	struct blob files[] = {
		{ "holiday.jpg", pe, sizeof(pe) }, { "x.com", dos, sizeof(dos) },
	};
	char large[512];
	struct blob no_nul = { "y", large, sizeof(large) };

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_int_equal(look(&files[i]), bit(SS_KIND_EXECUTABLE));
		assert_string_equal(found_name(SS_KIND_EXECUTABLE), files[i].name);
	}
	memset(large, 'x', sizeof(large));
	memcpy(large, "MZ", 2);
	assert_int_equal(look(&no_nul), 0);
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
		{ "a.tar.bz2", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_BZIP2, "a.tar.bz2/a.tar/setup.exe" },
		{ "a.tar.xz", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_XZ, "a.tar.xz/a.tar/setup.exe" },
		{ "a.tar.lz", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_LZIP, "a.tar.lz/a.tar/setup.exe" },
		{ "a.tlz", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_LZMA, "a.tlz/a/setup.exe" },
		{ "a.tar.Z", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_COMPRESS, "a.tar.Z/a.tar/setup.exe" },
		{ "a.tar.zst", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_ZSTD, "a.tar.zst/a.tar/setup.exe" },
		{ "a.tar.lz4", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_LZ4, "a.tar.lz4/a.tar/setup.exe" },
		{ "a.iso", ARCHIVE_FORMAT_ISO9660, ARCHIVE_FILTER_NONE, "a.iso/setup.exe" },
		{ "a.xar", ARCHIVE_FORMAT_XAR, ARCHIVE_FILTER_NONE, "a.xar/setup.exe" },
		{ "setup.exe.gz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, "setup.exe.gz/setup.exe" },
	};
	struct blob files[2] = { program, text };

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t count = kinds[i].format == ARCHIVE_FORMAT_RAW ? 1 : 2;
		uint32_t found = look_drop(pack(kinds[i].name, kinds[i].format,
						kinds[i].filter, NULL, files, count));

		if (found != bit(SS_KIND_EXECUTABLE))
			printf("# %s: %x\n", kinds[i].name, found);
		assert_int_equal(found, bit(SS_KIND_EXECUTABLE));
		assert_string_equal(found_name(SS_KIND_EXECUTABLE), kinds[i].path);
	}
}

static void looks_into_archives_in_archives(void **state)
{
	struct blob inner = zip("inner.zip", &program, 1), middle, outer;

	(void)state;
	reset_rules();
	middle = pack("middle.7z", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, NULL, &inner, 1);
	outer = zip("outer.zip", &middle, 1);
	assert_int_equal(look(&outer), bit(SS_KIND_EXECUTABLE));
	assert_string_equal(found_name(SS_KIND_EXECUTABLE),
			    "outer.zip/middle.7z/inner.zip/setup.exe");
	rules.nest_limit = 3;
	assert_int_equal(look(&outer), bit(SS_KIND_EXECUTABLE));
	rules.nest_limit = 2;
	assert_int_equal(look(&outer), bit(SS_KIND_NESTED));
	assert_string_equal(found_name(SS_KIND_NESTED), "outer.zip/middle.7z/inner.zip");
	drop(&inner);
	drop(&middle);
	drop(&outer);
}

/* @depth zips, one in the other */
static struct blob nest(unsigned int depth)
{
	struct blob blob = zip("n.zip", &program, 1);

	while (--depth) {
		struct blob outer = zip("n.zip", &blob, 1);

		drop(&blob);
		blob = outer;
	}
	return blob;
}

static void g3_bounds_depth(void **state)
{
	struct blob deep = nest(101), fits = nest(SS_CONTENT_NEST_LIMIT);

	(void)state;
	reset_rules();
	assert_int_equal(look(&fits), bit(SS_KIND_EXECUTABLE));
	assert_int_equal(look(&deep), bit(SS_KIND_NESTED));
	rules.nest_limit = 1000;	/* is taken for 100 */
	assert_int_equal(look(&deep), bit(SS_KIND_NESTED));
	assert_int_equal(strlen(found_name(SS_KIND_NESTED)), SS_CONTENT_NAME_SIZE - 1);
	drop(&deep);
	drop(&fits);
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
	struct blob file = { name, "x", 1 };

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
	assert_int_equal(look_drop(zip("a.zip", &file, 1)), bit(SS_KIND_NAME));
	file.name = "dir/\xc3\xa9t\xc3\xa9.Scr";
	assert_int_equal(look_drop(zip("a.zip", &file, 1)), bit(SS_KIND_NAME));
	assert_string_equal(found_name(SS_KIND_NAME), "a.zip/dir/\xc3\xa9t\xc3\xa9.Scr");
	/* The name that gzip takes off its own */
	file.name = "a.scr.gz";
	assert_int_equal(look_drop(pack("a.scr.gz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP,
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
		{ "exe", pe, sizeof(pe) },
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
		struct blob file = { "x", samples[i].data, samples[i].len };
		int type = ss_kinds_type_find(samples[i].word);

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
	struct blob office[] = {
		{ "[Content_Types].xml", "<x/>", 4 }, { "word/document.xml", "<x/>", 4 },
	};
	struct blob odf[] = {
		{ "mimetype", "application/vnd.oasis.opendocument.text", 39 }, text,
	};
	struct blob blob;

	(void)state;
	reset_rules();
	rules.types = ~0ull;
	look_drop(zip("a.docx", office, 2));
	assert_string_equal(finding.detail[SS_KIND_TYPE].what, "msofficex");
	look_drop(zip("a.zip", &text, 1));
	assert_string_equal(finding.detail[SS_KIND_TYPE].what, "zip");
	/* Not compressed, no descriptor behind: as the format wants its first file */
	blob = pack("a.odt", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
		    "zip:compression=store,zip:experimental", odf, 2);
	look_drop(blob);
	assert_true(finding.found & bit(SS_KIND_TYPE));
	/* A type of a member */
	rules.types = 1ull << ss_kinds_type_find("exe");
	look_drop(zip("a.zip", &program, 1));
	assert_string_equal(found_name(SS_KIND_TYPE), "a.zip/setup.exe");
}

static void knows_hashes(void **state)
{
	unsigned char hash[3][SS_CONTENT_HASH_SIZE];
	struct blob archive = zip("a.zip", &program, 1);
	int fd = mail_file(pe, sizeof(pe)), zip_fd = mail_file(archive.data, archive.len);

	(void)state;
	reset_rules();
	assert_int_equal(ss_content_hash(-1, hash[0]), -EBADF);
	memset(hash[0], 0, sizeof(hash[0]));
	memset(hash[2], 0xff, sizeof(hash[2]));
	assert_int_equal(ss_content_hash(fd, hash[1]), 0);
	rules.block.hash = hash;
	rules.block.count = 3;
	assert_int_equal(look(&text), 0);
	assert_int_equal(look(&program), bit(SS_KIND_HASH) | bit(SS_KIND_EXECUTABLE));
	assert_int_equal(look(&archive), bit(SS_KIND_HASH) | bit(SS_KIND_EXECUTABLE));
	assert_string_equal(found_name(SS_KIND_HASH), "a.zip/setup.exe");
	/* What is allowed is so as a whole alone */
	rules.allow = rules.block;
	assert_int_equal(look(&program), 0);
	assert_true(finding.allowed);
	assert_int_equal(look(&archive), bit(SS_KIND_HASH) | bit(SS_KIND_EXECUTABLE));
	assert_int_equal(ss_content_hash(zip_fd, hash[1]), 0);
	assert_int_equal(look(&archive), 0);
	assert_true(finding.allowed);
	close(fd);
	close(zip_fd);
	drop(&archive);
}

static void g5_finds_encrypted_zips(void **state)
{
	static const char *const options[] = {
		"zip:encryption=zipcrypt", "zip:encryption=aes128", "zip:encryption=aes256",
	};

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		assert_int_equal(look_drop(pack("a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
						options[i], &program, 1)),
				 bit(SS_KIND_ENCRYPTED));
		assert_string_equal(found_name(SS_KIND_ENCRYPTED), "a.zip");
	}
}

/* The @nth place of a mark in a file */
static unsigned char *place(const struct blob *blob, const char *mark, size_t len, int nth)
{
	unsigned char *at = (unsigned char *)blob->data, *end = at + blob->len;

	for (;;) {
		at = memmem(at, end - at, mark, len);
		assert_non_null(at);
		if (!nth--)
			return at;
		at++;
	}
}

/* Its name is told still, and what the others are */
static void g5_finds_one_encrypted_member(void **state)
{
	static const char *const patterns[] = { "readme.*" };
	struct blob files[2] = { program, text };
	struct blob blob = zip("a.zip", files, 2);

	(void)state;
	reset_rules();
	rules.patterns = patterns;
	rules.pattern_count = 1;
	place(&blob, "PK\3\4", 4, 1)[6] |= 1;
	place(&blob, "PK\1\2", 4, 1)[8] |= 1;
	assert_int_equal(look_drop(blob), bit(SS_KIND_ENCRYPTED) | bit(SS_KIND_NAME) |
					  bit(SS_KIND_EXECUTABLE));
}

static uint32_t crc32_of(const unsigned char *data, size_t len)
{
	uint32_t crc = ~0u;

	while (len--) {
		crc ^= *data++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void put32(unsigned char *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = value >> 8 * i;
}

/* A list of members that is encrypted with AES, as 7-Zip -mhe writes it */
static void g5_finds_encrypted_7z(void **state)
{
	static const unsigned char list[] = {
		0x17, 0x06, 0, 1, 9, 16, 0, 0x07, 0x0b, 1, 0, 1,
		0x24, 0x06, 0xf1, 0x07, 0x01, 1, 0x13, 0x0c, 16, 0, 0,
	};
	unsigned char data[32 + 16 + sizeof(list)] = { '7', 'z', 0xbc, 0xaf, 0x27, 0x1c, 0, 4 };
	struct blob blob = { "a.7z", data, sizeof(data) };

	(void)state;
	reset_rules();
	data[12] = 16;
	data[20] = sizeof(list);
	memcpy(data + 48, list, sizeof(list));
	put32(data + 28, crc32_of(list, sizeof(list)));
	put32(data + 8, crc32_of(data + 12, 20));
	assert_true(look(&blob) & bit(SS_KIND_ENCRYPTED));
}

static void g5_finds_encrypted_rars(void **state)
{
	static const char rar4[] = "Rar!\x1a\x07\0" "\0\0\x73\x80\0\x0d\0\0\0\0\0\0";
	static const char list[] = "Rar!\x1a\x07\1\0" "\0\0\0\0\x05\x04\0\0\0\x0f";
	/* A file with a record of encryption, behind the main header */
	static const char file[] = "Rar!\x1a\x07\1\0" "\0\0\0\0\x03\x01\0\0"
		"\0\0\0\0\x0c\x02\x01\x04\0\0\0\0\0\x03\x01\0\0";
	static const struct blob blobs[] = {
		{ "4.rar", rar4, sizeof(rar4) - 1 },
		{ "list.rar", list, sizeof(list) - 1 },
		{ "file.rar", file, sizeof(file) - 1 },
	};

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++)
		assert_true(look(&blobs[i]) & bit(SS_KIND_ENCRYPTED));
}

static void finds_volumes(void **state)
{
	static const char rar4[] = "Rar!\x1a\x07\0" "\0\0\x73\x01\0\x0d\0\0\0\0\0\0";
	static const char rar5[] = "Rar!\x1a\x07\1\0" "\0\0\0\0\x03\x01\0\x01";
	char cab[64] = "MSCF";
	struct blob spanned = zip("a.zip", &text, 1), blobs[] = {
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
	place(&spanned, "PK\5\6", 4, 0)[4] = 2;
	assert_true(look_drop(spanned) & bit(SS_KIND_MULTIPART));
}

static void finds_what_is_corrupted(void **state)
{
	struct blob files[2] = { program, text };
	struct blob blob = zip("a.zip", files, 2), part = blob;

	(void)state;
	reset_rules();
	/* In the middle of the second member, and of the first */
	part.len = (const char *)place(&blob, "PK\3\4", 4, 1) - (const char *)blob.data + 33;
	assert_int_equal(look(&part), bit(SS_KIND_EXECUTABLE) |
				      bit(SS_KIND_PARTIALLYCORRUPTED));
	part.len = 50;
	assert_true(look(&part) & bit(SS_KIND_CORRUPTED));
	/* Wrong content; what there is of it still counts */
	drop(&blob);
	blob = pack("a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, "zip:compression=store",
		    files, 2);
	place(&blob, "PE", 2, 0)[40] ^= 1;
	assert_int_equal(look_drop(blob), bit(SS_KIND_EXECUTABLE) |
					  bit(SS_KIND_PARTIALLYCORRUPTED));
	blob = pack("a.gz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, NULL, &program, 1);
	blob.len -= 10;
	assert_true(look_drop(blob) & bit(SS_KIND_CORRUPTED));
}

static void g7_bounds_octets(void **state)
{
	static const int filters[] = {
		ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD,
	};
	char *data = zeros(40 << 20);
	struct blob bomb = { "zeros", data, 40 << 20 }, few = { "zeros", data, 1 << 20 };
	struct blob files[3] = { few, few, few }, blob;

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		assert_int_equal(look_drop(pack("a", ARCHIVE_FORMAT_RAW, filters[i], NULL, &bomb, 1)),
				 bit(SS_KIND_MAILBOMB));
	}
	blob = zip("bomb.zip", &bomb, 1);
	assert_int_equal(look(&blob), bit(SS_KIND_MAILBOMB));
	assert_string_equal(found_name(SS_KIND_MAILBOMB), "bomb.zip");
	drop(&blob);
	/* All members together */
	blob = zip("a.zip", files, 3);
	rules.octet_limit = 3 << 20;
	assert_int_equal(look(&blob), 0);
	rules.octet_limit--;
	assert_int_equal(look(&blob), bit(SS_KIND_MAILBOMB));
	drop(&blob);
	free(data);
}

/* Each a zip of sixteen of those before, as 42.zip */
static void g7_bounds_zips_of_zips(void **state)
{
	char *data = zeros(1 << 20);
	struct blob files[16], blob = { "0", data, 1 << 20 };

	(void)state;
	reset_rules();
	for (int level = 0; level < 5; level++) {
		for (size_t i = 0; i < ARRAY_SIZE(files); i++)
			files[i] = blob;
		blob = zip("n.zip", files, ARRAY_SIZE(files));
		drop(&files[0]);
	}
	assert_int_equal(look_drop(blob), bit(SS_KIND_MAILBOMB));
}

/* Entries of the directory that are all of the same octets */
static void g7_bounds_overlapping_zips(void **state)
{
	char *data = zeros(8 << 20);
	struct blob zeroes = { "z", data, 8 << 20 }, one = zip("a.zip", &zeroes, 1), blob = one;
	const unsigned char *dir = place(&one, "PK\1\2", 4, 0), *end = place(&one, "PK\5\6", 4, 0);
	size_t entry = end - dir, head = dir - (const unsigned char *)one.data;
	unsigned char *all = malloc(head + 200 * entry + 22), *to = all + head;

	(void)state;
	reset_rules();
	memcpy(all, one.data, head);
	for (int i = 0; i < 200; i++, to += entry)
		memcpy(to, dir, entry);
	memcpy(to, end, 22);
	put32(to + 8, 200 | 200u << 16);
	put32(to + 12, 200 * entry);
	blob.data = all;
	blob.len = head + 200 * entry + 22;
	assert_true(look(&blob) & (bit(SS_KIND_MAILBOMB) | bit(SS_KIND_CORRUPTED) |
				   bit(SS_KIND_PARTIALLYCORRUPTED)));
	drop(&one);
	free(data);
	free(all);
}

static void g3_bounds_members(void **state)
{
	struct blob files[20];
	struct blob blob;

	(void)state;
	reset_rules();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		files[i] = text;
	blob = zip("a.zip", files, ARRAY_SIZE(files));
	rules.member_limit = 20;
	assert_int_equal(look(&blob), 0);
	rules.member_limit = 19;
	assert_int_equal(look(&blob), bit(SS_KIND_MAILBOMB));
	drop(&blob);
}

static void ends_in_time(void **state)
{
	(void)state;
	reset_rules();
	rules.end = ss_process_now();
	assert_int_equal(look_drop(zip("a.zip", &program, 1)), bit(SS_KIND_TIMEOUT));
	assert_int_equal(look(&program), bit(SS_KIND_EXECUTABLE));
}

static void says_what_it_cannot_look_into(void **state)
{
	static const struct blob blobs[] = {
		{ "a.arj", "\x60\xea\x2b\0\x22\x0b\1\x0b\x10\0\2\0\0\0", 14 },
		{ "b.ace", "1234567**ACE**\x14", 15 },
		{ "c.zoo", "ZOO 2.10 Archive.\x1a\0\0\xdc\xa7\xc4\xfd", 24 },
		{ "d.wim", "MSWIM\0\0\0\xd0\0\0\0", 12 },
		{ "e.alz", "ALZ\1\x0a\0\0\0", 8 },
		{ "f.vhdx", "vhdxfile", 8 },
	};
	char *udf = zeros(64 << 10);
	struct blob image = { "g.img", udf, 64 << 10 };

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
	struct blob files[2] = { program, text };
	struct blob blob = zip("a.zip", files, 2);

	(void)state;
	reset_rules();
	place(&blob, "PK\3\4", 4, 1)[8] = 97;
	place(&blob, "PK\1\2", 4, 1)[10] = 97;
	assert_int_equal(look_drop(blob), bit(SS_KIND_UNHANDLED) | bit(SS_KIND_EXECUTABLE));
}

/* @head in front of @blob, which is freed */
static struct blob prefix(const void *head, size_t len, struct blob blob)
{
	char *data = malloc(len + blob.len);

	memcpy(data, head, len);
	memcpy(data + len, blob.data, blob.len);
	drop(&blob);
	blob.data = data;
	blob.len += len;
	return blob;
}

static void g2_finds_archives_behind_others_octets(void **state)
{
	static const char head[] = "GIF89a\1\0\1\0 this is a picture, believe me";
	struct blob tar, inner;

	(void)state;
	reset_rules();
	assert_int_equal(look_drop(prefix(head, sizeof(head), zip("a.gif", &program, 1))),
			 bit(SS_KIND_EXECUTABLE));
	assert_int_equal(look_drop(prefix(head, sizeof(head),
					  pack("a.gif", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE,
					       NULL, &program, 1))),
			 bit(SS_KIND_EXECUTABLE));
	/* A program that unpacks itself is one; what is in it counts as well */
	assert_int_equal(look_drop(prefix(pe, sizeof(pe),
					  pack("a.exe", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
					       "zip:encryption=zipcrypt", &text, 1))),
			 bit(SS_KIND_EXECUTABLE) | bit(SS_KIND_ENCRYPTED));
	/* A tar for one, a zip for another */
	tar = pack("a.tar", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_NONE, NULL, &text, 1);
	inner = prefix(tar.data, tar.len, zip("a.zip", &program, 1));
	drop(&tar);
	assert_int_equal(look_drop(inner), bit(SS_KIND_EXECUTABLE));
}

/* A mark makes it a link for libarchive, but Windows unpacks a file */
static void g2_does_not_take_zipped_links_on_trust(void **state)
{
	struct blob blob = pack("a.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
				"zip:compression=store", &program, 1);
	unsigned char *entry = place(&blob, "PK\1\2", 4, 0);

	(void)state;
	reset_rules();
	entry[5] = 3;		/* Unix */
	put32(entry + 38, 0120777u << 16);
	assert_true(look_drop(blob) & (bit(SS_KIND_UNHANDLED) | bit(SS_KIND_EXECUTABLE)));
}

static void fails_for_what_is_no_file(void **state)
{
	int fds[2];

	(void)state;
	reset_rules();
	assert_int_equal(ss_content_look(content, -1, "x", &rules, &finding), -EBADF);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(ss_content_look(content, fds[0], NULL, &rules, &finding), -EINVAL);
	close(fds[0]);
	close(fds[1]);
}

static void survives_octets(void **state)
{
	static const int formats[] = {
		ARCHIVE_FORMAT_ZIP, ARCHIVE_FORMAT_7ZIP, ARCHIVE_FORMAT_TAR,
		ARCHIVE_FORMAT_XAR, ARCHIVE_FORMAT_ISO9660,
	};
	struct blob files[2] = { program, text };

	(void)state;
	srandom(1);
	for (int i = 0; i < 300; i++) {
		struct blob blob = pack("a", formats[i % ARRAY_SIZE(formats)],
					i % 2 ? ARCHIVE_FILTER_NONE : ARCHIVE_FILTER_GZIP,
					NULL, files, 2);
		unsigned char *data = (unsigned char *)blob.data;

		reset_rules();
		rules.types = ~0ull;
		for (int k = 0; k <= i % 7; k++)
			data[random() % blob.len] = random();
		if (i % 3 == 0)
			blob.len = random() % blob.len;
		look_drop(blob);
	}
}

static void has_words(void **state)
{
	int type = 0;

	(void)state;
	for (; ss_kinds_type_name(type); type++)
		assert_int_equal(ss_kinds_type_find(ss_kinds_type_name(type)), type);
	assert_in_range(type, 30, 64);
	assert_null(ss_kinds_type_name(-1));
	assert_int_equal(ss_kinds_type_find("nonsense"), -ENOENT);
	for (int kind = 0; kind <= SS_KIND_COUNT; kind++) {
		const char *word = ss_kinds_condition_name(kind);

		assert_int_equal(!!word, kind >= SS_KIND_ENCRYPTED && kind < SS_KIND_COUNT);
		if (word)
			assert_int_equal(ss_kinds_condition_find(word), kind);
	}
	assert_int_equal(ss_kinds_condition_find("nonsense"), -ENOENT);
}

static int setup(void **state)
{
	(void)state;
	content = ss_content_open();
	return content ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ss_content_close(content);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_documents),
		cmocka_unit_test(finds_executables),
		cmocka_unit_test(finds_executables_in_archives),
		cmocka_unit_test(looks_into_archives_in_archives),
		cmocka_unit_test(g3_bounds_depth),
		cmocka_unit_test(matches_names),
		cmocka_unit_test(tells_types),
		cmocka_unit_test(tells_documents_from_zips),
		cmocka_unit_test(knows_hashes),
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
		cmocka_unit_test(g2_does_not_take_zipped_links_on_trust),
		cmocka_unit_test(fails_for_what_is_no_file),
		cmocka_unit_test(survives_octets),
		cmocka_unit_test(has_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
