// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of a folder of databases, and when it has changed.
 */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/process.h"
#include "scanner/database.h"
#include "tests/support/mail.h"

#define CVD_HEADER	512

static char *dir;

static char *path(const char *name)
{
	return mail_format("%s/%s", dir, name);
}

static void make_file(const char *name, const char *text)
{
	char *p = path(name);
	FILE *file = fopen(p, "w");

	assert_non_null(file);
	fprintf(file, "%-*s", CVD_HEADER, text);
	fclose(file);
	free(p);
}

static void make_cvd(const char *name, int version, int signatures, int built)
{
	char *head = mail_format("ClamAV-VDB:07 Nov 2025 09-11 +0000:%d:%d:90:X:X:someone:%d",
				 version, signatures, built);

	make_file(name, head);
	free(head);
}

static const struct ss_database_file *find(const struct ss_database_info *info,
					   const char *name)
{
	for (uint32_t i = 0; i < info->count; i++)
		if (!strcmp(info->files[i].name, name))
			return &info->files[i];
	fail_msg("there is no %s", name);
	return NULL;
}

static void reads_headers(void **state)
{
	const struct ss_database_file *file;
	struct ss_database_info info;

	(void)state;
	make_cvd("main.cvd", 62, 6000000, 1600000000);
	make_cvd("daily.cld", 27815, 2000000, 1762506713);
	make_file("local.ndb", "x");
	make_file("more.hdb", "x");
	make_file("freshclam.dat", "x");
	ss_database_describe(dir, &info);
	assert_int_equal(info.count, 2);
	assert_int_equal(info.local, 2);
	file = find(&info, "daily.cld");
	assert_int_equal(file->version, 27815);
	assert_int_equal(file->signatures, 2000000);
	assert_int_equal(file->built, 1762506713);
	assert_int_equal(find(&info, "main.cvd")->version, 62);
}

/* The header is the work of who writes the mirror */
static void survives_bad_headers(void **state)
{
	struct ss_database_info info;

	(void)state;
	make_file("main.cvd", "ClamAV-VDB:");
	make_file("daily.cvd", "nonsense");
	make_file("bytecode.cvd", "ClamAV-VDB:x:y:z:a:b:c:d:e:f:g:h");
	make_cvd("a\x1b[31m.cvd", 1, 2, 3);
	ss_database_describe(dir, &info);
	assert_true(info.count >= 1 && info.count <= 4);
	assert_int_equal(find(&info, "a?[31m.cvd")->signatures, 2);
}

static void bounds_what_it_tells(void **state)
{
	struct ss_database_info info;

	(void)state;
	for (int i = 0; i < SS_DATABASE_FILES + 4; i++) {
		char *name = mail_format("%d%060d%s.cvd", i, 0, i ? "" : "and longer than that");

		make_cvd(name, i, 1, 1);
		free(name);
	}
	ss_database_describe(dir, &info);
	assert_int_equal(info.count, SS_DATABASE_FILES);
	assert_int_equal(info.local, 4);
	for (int i = 0; i < SS_DATABASE_FILES; i++)
		assert_true(strlen(info.files[i].name) < SS_DATABASE_NAME);
}

static void takes_a_file_and_nothing(void **state)
{
	struct ss_database_info info;
	char *p = path("daily.cvd");

	(void)state;
	make_cvd("daily.cvd", 7, 1, 1);
	ss_database_describe(p, &info);
	assert_int_equal(info.count, 1);
	assert_string_equal(info.files[0].name, "daily.cvd");
	ss_database_describe("/nonexistent", &info);
	assert_int_equal(info.count + info.local, 0);
	free(p);
}

static void set_time(const char *name, time_t when)
{
	const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
	char *p = path(name);

	assert_int_equal(utimensat(AT_FDCWD, p, times, 0), 0);
	free(p);
}

static void sees_changes(void **state)
{
	struct ss_database_watch *watch = ss_database_watch(dir);

	(void)state;
	make_file("a.ndb", "x");
	set_time("a.ndb", 1000);
	assert_true(ss_database_changed(watch));
	ss_database_note(watch);
	assert_false(ss_database_changed(watch));
	set_time("a.ndb", 1001);
	assert_true(ss_database_changed(watch));
	ss_database_note(watch);
	assert_false(ss_database_changed(watch));
	make_file("notes.txt", "x");
	assert_false(ss_database_changed(watch));
	make_file("b.ndb", "x");
	assert_true(ss_database_changed(watch));
	ss_database_unwatch(watch);
}

/* Of the same size, and told to be as old; the clock of files need not go on at once */
static void write_anew(const char *name, const char *text)
{
	char *p = path(name);
	struct stat was, is;

	assert_int_equal(stat(p, &was), 0);
	do {
		make_file(name, text);
		set_time(name, 1000);
		assert_int_equal(stat(p, &is), 0);
	} while (!memcmp(&is.st_ctim, &was.st_ctim, sizeof(is.st_ctim)));
	assert_true(is.st_ino == was.st_ino && is.st_size == was.st_size);
	free(p);
}

static void N6_sees_all_differences(void **state)
{
	struct ss_database_watch *watch = ss_database_watch(dir);
	char *p = path("b.ndb"), *q = path("c.ndb");

	(void)state;
	make_file("a.ndb", "x");
	assert_true(ss_database_differs(watch));	/* from nothing */
	ss_database_note(watch);
	assert_false(ss_database_differs(watch));
	make_file("notes.txt", "x");
	assert_false(ss_database_differs(watch));
	make_file("b.ndb", "x");
	assert_true(ss_database_differs(watch));
	ss_database_note(watch);
	assert_int_equal(rename(p, q), 0);
	ss_database_note(watch);
	assert_false(ss_database_differs(watch));
	assert_int_equal(unlink(q), 0);
	assert_false(ss_database_changed(watch));
	assert_true(ss_database_differs(watch));
	/* Another one of the same size and time */
	make_file("b.ndb", "x");
	set_time("b.ndb", 1000);
	ss_database_note(watch);
	make_file("c.ndb", "y");
	set_time("c.ndb", 1000);
	assert_int_equal(rename(q, p), 0);
	assert_true(ss_database_differs(watch));
	/* The same one, written anew */
	ss_database_note(watch);
	write_anew("b.ndb", "z");
	assert_true(ss_database_differs(watch));
	ss_database_unwatch(watch);
	/* What is no folder cannot be told */
	watch = ss_database_watch(p);
	ss_database_note(watch);
	assert_true(ss_database_differs(watch));
	ss_database_unwatch(watch);
	free(p);
	free(q);
}

static void waits_for_a_folder(void **state)
{
	char *p = path("later");
	struct ss_database_watch *watch = ss_database_watch(p);

	(void)state;
	ss_database_note(watch);
	assert_false(ss_database_changed(watch));
	assert_int_equal(mkdir(p, 0700), 0);
	assert_true(ss_database_changed(watch));
	ss_database_note(watch);
	assert_false(ss_database_changed(watch));
	assert_int_equal(rmdir(p), 0);
	assert_false(ss_database_changed(watch));
	ss_database_unwatch(watch);
	free(p);
}

static int setup(void **state)
{
	(void)state;
	dir = strdup("/tmp/smtpsplice-test.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ss_process_remove_tree(dir);
	free(dir);
	return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(reads_headers),
		T(survives_bad_headers),
		T(bounds_what_it_tells),
		T(takes_a_file_and_nothing),
		T(sees_changes),
		T(N6_sees_all_differences),
		T(waits_for_a_folder),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
