// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the rules for one file: executables, types, names and hashes.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include <archive.h>

#include "lib/cleanup.h"
#include "scanner/files/inspect.h"
#include "tests/support/look.h"
#include "tests/support/mail.h"
#include "tests/support/pack.h"

#define FAR	0x01010101	/* as a number of octets, none of which is NUL */

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
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(docs); i++) {
		assert_int_equal(look_at(&docs[i]), 0);
		assert_false(look_finding.allowed);
	}
	assert_int_equal(look_drop(pack_zip("a.zip", files, 2)), 0);
	assert_int_equal(look_drop(pack_zip("empty.zip", NULL, 0)), 0);
}

static void finds_executables(void **state)
{
	static const char dos[32] = { 'M', 'Z', 1, 0, 1 };
	struct pack files[] = {
		{ "holiday.jpg", pack_pe, sizeof(pack_pe) }, { "x.com", dos, sizeof(dos) },
	};
	char large[512], *far = pack_zeros(FAR + 4);
	struct pack no_nul = { "y", large, sizeof(large) }, far_off = { "z", far, FAR + 4 };

	(void)state;
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_int_equal(look_at(&files[i]), LOOK(EXECUTABLE));
		assert_string_equal(look_name(SS_KIND_EXECUTABLE), files[i].name);
	}
	memset(large, 'x', sizeof(large));
	memcpy(large, "MZ", 2);
	assert_int_equal(look_at(&no_nul), 0);
	/* The header is where the first octets, of which none is NUL, say */
	memset(far, 1, 64);
	memcpy(far, "MZ", 2);
	assert_int_equal(look_at(&far_off), 0);
	memcpy(far + FAR, "PE", 2);
	assert_int_equal(look_at(&far_off), LOOK(EXECUTABLE));
	free(far);
	look_rules.executables = false;
	assert_int_equal(look_at(&files[0]), 0);
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
	look_clear();
	look_rules.patterns = patterns;
	look_rules.pattern_count = ARRAY_SIZE(patterns);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		file.name = names[i].name;
		assert_int_equal(look_at(&file), names[i].what ? LOOK(NAME) : 0);
		assert_string_equal(look_finding.detail[SS_KIND_NAME].what,
				    names[i].what ? names[i].what : "");
	}
	memset(name, 'x', sizeof(name));
	strcpy(name + sizeof(name) - 5, ".scr");
	file.name = name;
	assert_int_equal(look_at(&file), LOOK(NAME));
	assert_int_equal(look_drop(pack_zip("a.zip", &file, 1)), LOOK(NAME));
	file.name = "dir/\xc3\xa9t\xc3\xa9.Scr";
	assert_int_equal(look_drop(pack_zip("a.zip", &file, 1)), LOOK(NAME));
	assert_string_equal(look_name(SS_KIND_NAME), "a.zip/dir/\xc3\xa9t\xc3\xa9.Scr");
	/* The name that gzip takes off its own */
	file.name = "a.scr.gz";
	assert_int_equal(look_drop(pack_files("a.scr.gz", ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP,
					NULL, &file, 1)), LOOK(NAME));
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
	look_clear();
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct pack file = { "x", samples[i].data, samples[i].len };
		int type = ss_file_types_find(samples[i].word);

		assert_true(type >= 0);
		look_rules.types = ~0ull;
		look_at(&file);
		assert_true(look_finding.found & LOOK(TYPE));
		assert_string_equal(look_finding.detail[SS_KIND_TYPE].what, samples[i].word);
		look_rules.types = ~(1ull << type);
		look_at(&file);
		assert_false(look_finding.found & LOOK(TYPE));
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
	look_clear();
	look_rules.types = ~0ull;
	look_drop(pack_zip("a.docx", office, 2));
	assert_string_equal(look_finding.detail[SS_KIND_TYPE].what, "msofficex");
	look_drop(pack_zip("a.zip", &pack_text, 1));
	assert_string_equal(look_finding.detail[SS_KIND_TYPE].what, "zip");
	/* Not compressed, no descriptor behind: as the format wants its first file */
	blob = pack_files("a.odt", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
		    "zip:compression=store,zip:experimental", odf, 2);
	look_drop(blob);
	assert_true(look_finding.found & LOOK(TYPE));
	/* A type of a member */
	look_rules.types = 1ull << ss_file_types_find("exe");
	look_drop(pack_zip("a.zip", &pack_program, 1));
	assert_string_equal(look_name(SS_KIND_TYPE), "a.zip/setup.exe");
}

static void knows_hashes(void **state)
{
	unsigned char hash[3][SS_INSPECT_HASH_SIZE];
	struct pack archive = pack_zip("a.zip", &pack_program, 1);
	int fd = mail_file(pack_pe, sizeof(pack_pe)), zip_fd = mail_file(archive.data, archive.len);

	(void)state;
	look_clear();
	assert_int_equal(ss_inspect_hash(-1, hash[0]), -EBADF);
	memset(hash[0], 0, sizeof(hash[0]));
	memset(hash[2], 0xff, sizeof(hash[2]));
	assert_int_equal(ss_inspect_hash(fd, hash[1]), 0);
	look_rules.block.hash = hash;
	look_rules.block.count = 3;
	assert_int_equal(look_at(&pack_text), 0);
	assert_int_equal(look_at(&pack_program), LOOK(HASH) | LOOK(EXECUTABLE));
	assert_int_equal(look_at(&archive), LOOK(HASH) | LOOK(EXECUTABLE));
	assert_string_equal(look_name(SS_KIND_HASH), "a.zip/setup.exe");
	/* What is allowed is so as a whole alone */
	look_rules.allow = look_rules.block;
	assert_int_equal(look_at(&pack_program), 0);
	assert_true(look_finding.allowed);
	assert_int_equal(look_at(&archive), LOOK(HASH) | LOOK(EXECUTABLE));
	assert_int_equal(ss_inspect_hash(zip_fd, hash[1]), 0);
	assert_int_equal(look_at(&archive), 0);
	assert_true(look_finding.allowed);
	close(fd);
	close(zip_fd);
	pack_drop(&archive);
}

static void hashes_all_of_a_file(void **state)
{
	char *data = pack_zeros(1 << 20), *sum;
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

/* That is no property of the archive */
static void fails_without_descriptors(void **state)
{
	struct pack blob = pack_zip("a.zip", &pack_program, 1);
	int fd = mail_file(blob.data, blob.len), next = dup(fd);
	struct rlimit old, none;

	(void)state;
	look_clear();
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ .rlim_cur = next, .rlim_max = old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(look_fd(fd, "a.zip"), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	close(fd);
	pack_drop(&blob);
}

static void fails_for_what_is_no_file(void **state)
{
	int fds[2];

	(void)state;
	look_clear();
	assert_int_equal(look_fd(-1, "x"), -EBADF);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(look_fd(fds[0], NULL), -EINVAL);
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

		look_clear();
		look_rules.types = ~0ull;
		for (int k = 0; k <= i % 7; k++)
			data[random() % blob.len] = random();
		if (i % 3 == 0)
			blob.len = random() % blob.len;
		seen += !!(look_drop(blob) & LOOK(EXECUTABLE));
		look_check(&look_finding);
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_documents),
		cmocka_unit_test(finds_executables),
		cmocka_unit_test(matches_names),
		cmocka_unit_test(tells_types),
		cmocka_unit_test(tells_documents_from_zips),
		cmocka_unit_test(knows_hashes),
		cmocka_unit_test(hashes_all_of_a_file),
		cmocka_unit_test(fails_without_descriptors),
		cmocka_unit_test(fails_for_what_is_no_file),
		cmocka_unit_test(survives_octets),
		cmocka_unit_test(has_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, look_setup, look_teardown);
}
