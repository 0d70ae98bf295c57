// SPDX-License-Identifier: GPL-2.0
/*
 * The quarantine: what is kept, and what is never there.
 */
#include "tests/support/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "quarantine/note.h"
#include "tests/support/mail.h"

static void keeps_a_message_and_a_note(void **state)
{
	struct json_object *row = json_object_new_object();
	struct ss_quarantine_dir_entry entry;
	struct stat st;
	char text[32];
	int fd;

	(void)state;
	open_it();
	assert_int_equal(fstatat(AT_FDCWD, path, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(keep_text("Subject: x\r\n"), 0);
	assert_int_equal(count_files(), 2);
	assert_true(ss_quarantine_dir_parse(name, &entry));
	assert_int_equal(entry.session, 7);
	assert_int_equal(fstatat(q.dir, name, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	fd = ss_quarantine_dir_open_file(q.dir, name);
	assert_int_equal(read(fd, text, sizeof(text)), 12);
	close(fd);
	assert_int_equal(ss_quarantine_note_read(q.dir, &entry, SS_TEXT_JSON, row), 0);
	json_object_object_del(row, "time");
	assert_string_equal(json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN),
			    "{\"session\":7,\"policy\":\"in\",\"client\":\"10.0.1.2\","
			    "\"client-port\":40000,\"server\":\"fd00::2\",\"server-port\":25,"
			    "\"helo\":\"c\\nlient\",\"sender\":\"s@example.net\","
			    "\"rcpts\":[\"\\\"a,b\\\"@example.org\",\"c@example.org\"],"
			    "\"rcpt-count\":2,\"size\":12,\"cause\":\"virus\","
			    "\"virus\":\"V\",\"file\":\"f.exe\",\"subject\":\"S\\u001b\xc3\xa4\"}");
	ss_quarantine_dir_note_name(&entry, name);
	assert_int_equal(fstatat(q.dir, name, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	json_object_put(row);
}

/* A worker that was taken over has the file in its hands for a while */
static void takes_the_file_back(void **state)
{
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct stat st;
	int fd;

	(void)state;
	open_it();
	fd = ss_quarantine_create(&q, 10, 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(fchmod(fd, 0666), 0);
	assert_int_equal(futimens(fd, times), 0);
	assert_int_equal(keep_file(fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(st.st_mtim.tv_sec > 1);
	close(fd);
}

static void makes_one_folder_only(void **state)
{
	char *deep = mail_format("%s/a/b", top);

	(void)state;
	assert_int_equal(ss_quarantine_open(&q, deep, &limits), -ENOENT);
	free(deep);
	deep = mail_format("%s/file", top);
	close(open(deep, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(ss_quarantine_open(&q, deep, &limits), -ENOTDIR);
	free(deep);
}

static void has_one_owner(void **state)
{
	struct ss_quarantine other;

	(void)state;
	open_it();
	assert_int_equal(ss_quarantine_open(&other, path, &limits), -EBUSY);
	assert_int_equal(other.dir, -1);
}

static void removes_leftovers(void **state)
{
	(void)state;
	open_it();
	make("1-0000000000000001.json", "{}");		/* its message is gone, or never came */
	make("2-0000000000000002.json", "{}");
	make("2-0000000000000002.eml", "x");
	make("3-0000000000000003.eml", "x");		/* of a version that made no notes */
	make("4-0000000000000004.eml", "");		/* the power went off */
	make("1-01.json", "{}");			/* somebody else's */
	make("README", "x");
	open_it();
	assert_false(there("1-0000000000000001.json"));
	assert_true(there("2-0000000000000002.json"));
	assert_true(there("2-0000000000000002.eml"));
	assert_true(there("3-0000000000000003.eml"));
	assert_false(there("4-0000000000000004.eml"));
	assert_true(there("1-01.json"));
	assert_true(there("README"));
	assert_int_equal(q.count, 2);
	assert_int_equal(q.used, 3 * BLOCK);
}

static void takes_no_other_names(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "/", "../1-0123456789abcdef.eml", "1-0123456789abcdef.eml/",
		".1-0123456789abcdef.eml", "/1-0123456789abcdef.eml", "-0123456789abcdef.eml",
		"1-0123456789abcde.eml", "1-0123456789ABCDEF.eml", "1-0123456789abcdef.json",
		"1-0123456789abcdef", "1-0123456789abcdef.emlx", "01-0123456789abcdef.eml",
		"+1-0123456789abcdef.eml", " 1-0123456789abcdef.eml", "1- 123456789abcdef.eml",
		"1-0x23456789abcdef.eml", "1--123456789abcdef.eml", "1-0123456789abcdef.eml\n",
		"99999999999999999999-0123456789abcdef.eml", "1-00123456789abcdef.eml",
		"1-fffffffffffffffff.eml", "all",
	};
	struct ss_quarantine_dir_entry entry;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(ss_quarantine_dir_parse(bad[i], &entry));
	assert_true(ss_quarantine_dir_parse("0-0000000000000000.eml", &entry));
	assert_true(ss_quarantine_dir_parse("18446744073709551615-ffffffffffffffff.eml", &entry));
	assert_true(entry.session == UINT64_MAX && entry.unique == UINT64_MAX);
}

static void follows_no_links(void **state)
{
	struct json_object *row = json_object_new_object();
	struct ss_quarantine_dir_entry entry;

	(void)state;
	limits.max_age = 1;
	open_it();
	make("target", "x");
	make("1-0000000000000002.eml", "x");
	assert_int_equal(symlinkat("target", q.dir, "1-0000000000000001.eml"), 0);
	assert_int_equal(symlinkat("target", q.dir, "1-0000000000000002.json"), 0);
	assert_int_equal(mkdirat(q.dir, "1-0000000000000003.eml", 0700), 0);
	assert_int_equal(mknodat(q.dir, "1-0000000000000004.eml", S_IFIFO | 0600, 0), 0);
	make_old("1-0000000000000001.eml", 2 * HOUR);
	make_old("target", 2 * HOUR);
	open_it();
	assert_int_equal(q.count, 1);
	assert_int_equal(q.used, BLOCK);
	assert_int_equal(ss_quarantine_dir_open_file(q.dir, "1-0000000000000001.eml"), -ELOOP);
	assert_int_equal(ss_quarantine_dir_open_file(q.dir, "1-0000000000000003.eml"), -EINVAL);
	assert_int_equal(ss_quarantine_dir_open_file(q.dir, "1-0000000000000004.eml"), -EINVAL);
	assert_true(ss_quarantine_dir_parse("1-0000000000000002.eml", &entry));
	assert_int_equal(ss_quarantine_note_read(q.dir, &entry, SS_TEXT_JSON, row), -ELOOP);
	assert_true(ss_quarantine_dir_parse("1-0000000000000001.eml", &entry));
	assert_int_equal(ss_quarantine_dir_remove(q.dir, &entry), 0);
	assert_true(there("target"));
	json_object_put(row);
}

static void reads_spoilt_notes(void **state)
{
	static const char *const bad[] = { "", "x", "{", "[]", "7", "{\"session\":" };
	struct json_object *row = json_object_new_object();
	struct ss_quarantine_dir_entry entry = { .unique = 1 };

	(void)state;
	open_it();
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		make("0-0000000000000001.json", bad[i]);
		assert_int_equal(ss_quarantine_note_read(q.dir, &entry, SS_TEXT_PRINT, row),
				 -EBADMSG);
		assert_int_equal(unlinkat(q.dir, "0-0000000000000001.json", 0), 0);
	}
	make("0-0000000000000001.json",
	     "{\"session\":\"7\",\"size\":{},\"x\":1,\"virus\":\"a\\u0000\\u001b\\u009b\xff\","
	     "\"rcpts\":[1,\"\\n@x\",null],\"name\":\"../x\"}");
	assert_int_equal(ss_quarantine_note_read(q.dir, &entry, SS_TEXT_PRINT, row), 0);
	assert_string_equal(json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN),
			    "{\"rcpts\":[\"?@x\"],\"virus\":\"a????\"}");
	json_object_put(row);
}

static void goes_where_its_folder_goes(void **state)
{
	int fd;

	(void)state;
	open_it();
	fd = ss_quarantine_create(&q, 1, 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(keep_file(fd), -ENOENT);
	assert_int_equal(keep(1), -ENOENT);
	close(fd);
	/* It is there again */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(keep(1), 0);
	assert_int_equal(count_files(), 2);
}

/* The note does not get all of its octets */
static void leaves_no_half_pair(void **state)
{
	struct rlimit old, small = { 10, RLIM_INFINITY };
	int fd, ret;

	(void)state;
	open_it();
	fd = ss_quarantine_create(&q, 1, 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	ret = keep_file(fd);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(ret, -EFBIG);
	assert_int_equal(count_files(), 0);
	assert_int_equal(q.used, 0);
	assert_int_equal(keep_file(fd), 0);
	close(fd);
}

/* In a child, which has mounts of its own. Return: 0, 1 failed, 2 cannot be done. */
static int fill_a_disk(void)
{
	char block[BLOCK] = "";
	int fd, ret = 0;

	if (mkdir(path, 0700) || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", path, "tmpfs", 0, "size=64k"))
		return 2;
	if (ss_quarantine_open(&q, path, &limits) || keep(1) || count_files() != 2)
		return 1;
	/* More comes in by one message than was told */
	fd = ss_quarantine_create(&q, 1, 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	ret |= errno != ENOSPC;
	ret |= keep_file(fd) != -ENOSPC;
	close(fd);
	ret |= count_files() != 2 || keep(2) || count_files() != 4;
	/* 64 KiB less the 3 % that have to stay free are 14 blocks */
	limits.overwrite = true;
	for (int i = 3; i < 40; i++)
		ret |= keep(i) != 0;
	ret |= count_files() < 8 || count_files() > 14;
	if (mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL))
		return 1;
	ret |= keep(40) != -EROFS;
	return ret;
}

static void survives_a_full_and_a_read_only_disk(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(fill_a_disk());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(keeps_a_message_and_a_note),
		T(takes_the_file_back),
		T(makes_one_folder_only),
		T(has_one_owner),
		T(removes_leftovers),
		T(takes_no_other_names),
		T(follows_no_links),
		T(reads_spoilt_notes),
		T(goes_where_its_folder_goes),
		T(leaves_no_half_pair),
		T(survives_a_full_and_a_read_only_disk),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
