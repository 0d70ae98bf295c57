// SPDX-License-Identifier: GPL-2.0
/*
 * The quarantine: what is kept, for how long, and what is never there.
 */
#include "tests/support/unit.h"

#include <dirent.h>
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

#include "broker/verdict.h"
#include "lib/process.h"
#include "lib/units.h"
#include "quarantine/note.h"
#include "quarantine/store.h"
#include "tests/support/mail.h"

#define BLOCK	4096
#define PAIR	(2 * BLOCK)	/* what a small message and its note are charged */
#define HOUR	3600

static char *top, *path;
static struct ss_quarantine_limits limits;
static struct ss_quarantine q;
static struct ss_scan_request req;
static struct ss_scan_result result;
static char name[SS_QUARANTINE_NAME_SIZE];

static const char rcpts[] = "\"a,b\"@example.org\0c@example.org\0";

static int setup(void **state)
{
	(void)state;
	top = strdup("/tmp/smtpsplice-test.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	path = mail_format("%s/quarantine", top);
	limits = (struct ss_quarantine_limits){};
	q = (struct ss_quarantine){ .dir = -1 };
	req = (struct ss_scan_request){
		.fd = -1, .helo = "c\nlient", .sender = "s@example.net",
		.rcpt_list = (char *)rcpts, .rcpt_count = 2,
		.flow = { .session = 7, .policy = "in", .client = "10.0.1.2",
			  .client_port = 40000, .server = "fd00::2", .server_port = 25 },
	};
	memset(&result, 0, sizeof(result));
	strcpy(result.virus, "V");
	strcpy(result.file, "f.exe");
	strcpy(result.head.subject, "S\x1b\xc3\xa4");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ss_quarantine_close(&q);
	ss_process_remove_tree(top);
	free(path);
	free(top);
	return 0;
}

static void open_it(void)
{
	ss_quarantine_close(&q);
	assert_int_equal(ss_quarantine_open(&q, path, &limits), 0);
}

static int keep_file(int fd)
{
	struct json_object *note = ss_verdict_note(&req, &result);
	int ret = ss_quarantine_keep(&q, fd, req.flow.session, note, name);

	json_object_put(note);
	return ret;
}

static int keep_text(const char *text)
{
	int fd = ss_quarantine_create(&q, strlen(text), 0), ret;

	if (fd < 0)
		return fd;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	ret = keep_file(fd);
	close(fd);
	return ret;
}

static int keep(uint64_t session)
{
	req.flow.session = session;
	return keep_text("Subject: x\r\n\r\nx\r\n");
}

static int count_files(void)
{
	DIR *d = opendir(path);
	struct dirent *file;
	int n = 0;

	assert_non_null(d);
	while ((file = readdir(d)))
		n += file->d_name[0] != '.';
	closedir(d);
	return n;
}

static bool there(const char *file)
{
	char *p = mail_format("%s/%s", path, file);
	struct stat st;
	bool is = !lstat(p, &st);

	free(p);
	return is;
}

static void make(const char *file, const char *text)
{
	int fd = openat(q.dir >= 0 ? q.dir : AT_FDCWD, file, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Set its time back; and the folder's, which somebody else has changed then */
static void make_old(const char *file, time_t seconds)
{
	struct timespec times[2] = {
		{ .tv_sec = time(NULL) - seconds }, { .tv_sec = time(NULL) - seconds },
	};

	if (file)
		assert_int_equal(utimensat(q.dir, file, times, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(futimens(q.dir, times), 0);
}

/* Set the folder's time to what the quarantine has left it at */
static void hide_change(void)
{
	struct timespec times[2] = { q.changed, q.changed };

	assert_int_equal(futimens(q.dir, times), 0);
}

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

static void drops_new_over_quota(void **state)
{
	(void)state;
	limits.quota = 2 * PAIR;
	open_it();
	assert_int_equal(keep(1), 0);
	assert_int_equal(keep(2), 0);
	assert_int_equal(keep(3), -EDQUOT);
	assert_int_equal(count_files(), 4);
	assert_int_equal(q.used, 2 * PAIR);
	/* A restart changes nothing */
	open_it();
	assert_int_equal(q.used, 2 * PAIR);
	assert_int_equal(keep(3), -EDQUOT);
}

/* That a message fits is known beforehand, its note comes on top */
static void drops_what_its_note_makes_too_large(void **state)
{
	(void)state;
	limits.quota = BLOCK;
	open_it();
	assert_int_equal(keep(1), -EDQUOT);
	assert_int_equal(count_files(), 0);
	assert_int_equal(q.used, 0);
}

static void overwrites_the_oldest(void **state)
{
	char first[SS_QUARANTINE_NAME_SIZE], second[SS_QUARANTINE_NAME_SIZE];

	(void)state;
	limits.quota = 2 * PAIR;
	limits.overwrite = true;
	open_it();
	assert_int_equal(keep(2), 0);
	strcpy(first, name);
	assert_int_equal(keep(1), 0);
	strcpy(second, name);
	assert_int_equal(keep(3), 0);
	assert_false(there(first));
	assert_true(there(second));
	assert_true(there(name));
	assert_int_equal(count_files(), 4);
	assert_int_equal(q.used, 2 * PAIR);
	/* By time after a restart, not by name */
	make_old(name, HOUR);
	open_it();
	assert_int_equal(keep(4), 0);
	assert_true(there(second));
	assert_int_equal(count_files(), 4);
}

static void overwrites_nothing_for_what_never_fits(void **state)
{
	char big[3 * PAIR] = "";

	(void)state;
	limits.quota = 2 * PAIR;
	limits.overwrite = true;
	open_it();
	assert_int_equal(keep(1), 0);
	memset(big, 'x', sizeof(big) - 1);
	assert_int_equal(keep_text(big), -EDQUOT);
	assert_int_equal(count_files(), 2);
}

static void overwrites_many(void **state)
{
	(void)state;
	limits.quota = 20 * PAIR;
	limits.overwrite = true;
	open_it();
	for (int i = 0; i < 500; i++)
		assert_int_equal(keep(i), 0);
	assert_int_equal(count_files(), 40);
	assert_int_equal(q.used, 20 * PAIR);
	assert_int_equal(q.count, 20);
	assert_in_range(q.room, 20, 128);
}

static void keeps_the_file_system_free(void **state)
{
	(void)state;
	open_it();
	assert_int_equal(keep(1), 0);
	limits.keep_free = UINT64_MAX;
	assert_int_equal(keep(2), -ENOSPC);
	/* Nor does it make itself empty for nothing */
	limits.overwrite = true;
	assert_int_equal(keep(2), -ENOSPC);
	assert_int_equal(count_files(), 2);
	limits.overwrite = false;
	limits.keep_free = 0;
	assert_int_equal(ss_quarantine_create(&q, UINT64_MAX / 2, 0), -ENOSPC);
	assert_int_equal(ss_quarantine_create(&q, 1, UINT64_MAX / 2), -ENOSPC);
	assert_int_equal(keep(2), 0);
}

static void does_not_keep_large_ones(void **state)
{
	int fd;

	(void)state;
	limits.max_size = 20;
	open_it();
	assert_int_equal(keep_text("123456789012345678901"), -EFBIG);
	assert_int_equal(keep_text("12345678901234567890"), 0);
	/* Whatever the worker was told */
	fd = ss_quarantine_create(&q, 1, 0);
	assert_int_equal(write(fd, "123456789012345678901", 21), 21);
	assert_int_equal(keep_file(fd), -EFBIG);
	close(fd);
	assert_int_equal(count_files(), 2);
}

static void removes_the_old(void **state)
{
	char old[SS_QUARANTINE_NAME_SIZE];

	(void)state;
	limits.max_age = 2;
	open_it();
	assert_int_equal(keep(1), 0);
	strcpy(old, name);
	make_old(old, 2 * HOUR - 60);
	assert_int_equal(keep(2), 0);
	assert_true(there(old));
	make_old(old, 2 * HOUR);
	assert_int_equal(keep(3), 0);
	assert_false(there(old));
	assert_int_equal(count_files(), 4);
	assert_int_equal(q.used, 2 * PAIR);
	/* When there is nothing else to do */
	make_old(name, 3 * HOUR);
	q.looked = ss_process_now() - 60001;
	ss_quarantine_look(&q);
	assert_false(there(name));
	assert_int_equal(count_files(), 2);
	/* At the start; and never where it is told so */
	assert_int_equal(keep(4), 0);
	make_old(name, 3 * HOUR);
	limits.max_age = 0;
	open_it();
	assert_true(there(name));
	limits.max_age = 2;
	open_it();
	assert_false(there(name));
}

static void notices_what_others_delete(void **state)
{
	struct ss_quarantine_dir_entry entry;

	(void)state;
	limits.quota = PAIR;
	open_it();
	assert_int_equal(keep(1), 0);
	assert_int_equal(keep(2), -EDQUOT);
	assert_true(ss_quarantine_dir_parse(name, &entry));
	assert_int_equal(ss_quarantine_dir_remove(q.dir, &entry), 0);
	make_old(NULL, 1);
	assert_int_equal(keep(2), 0);
	/* The folder's time did not tell: it is looked at again once a minute */
	assert_true(ss_quarantine_dir_parse(name, &entry));
	assert_int_equal(ss_quarantine_dir_remove(q.dir, &entry), 0);
	hide_change();
	assert_int_equal(keep(3), -EDQUOT);
	q.scanned -= 60001;
	assert_int_equal(keep(3), 0);
	/* Nor does it matter to who overwrites */
	limits.overwrite = true;
	assert_true(ss_quarantine_dir_parse(name, &entry));
	assert_int_equal(ss_quarantine_dir_remove(q.dir, &entry), 0);
	hide_change();
	assert_int_equal(keep(4), 0);
	assert_int_equal(count_files(), 2);
	assert_int_equal(q.used, PAIR);
}

/* Somebody else changes the folder all the time: that is not read for each message */
static void N5_reads_a_large_folder_for_few_messages(void **state)
{
	int reads = 0;

	(void)state;
	open_it();
	for (int i = 0; i < 640; i++) {
		char *file = mail_format("%d-%016x.eml", i, i);

		make(file, "x");
		free(file);
	}
	open_it();
	assert_int_equal(q.count, 640);
	for (int i = 0; i < 100; i++) {
		make_old(NULL, 100 + i);
		q.scanned = 0;
		assert_int_equal(keep(1), 0);
		reads += q.scanned != 0;
	}
	assert_true(reads > 0);
	assert_true(reads <= 10);
	/* In the end it knows all of it */
	make_old(NULL, 50);
	q.looked = ss_process_now() - 60001;
	ss_quarantine_look(&q);
	assert_int_equal(q.count, 740);
	assert_false(q.stale);
}

/* What others have done is not forgotten over what we do */
static void N5_remembers_that_others_have_changed_it(void **state)
{
	struct ss_quarantine_dir_entry entry;

	(void)state;
	open_it();
	for (int i = 0; i < 65; i++)
		assert_int_equal(keep(i), 0);
	assert_true(ss_quarantine_dir_parse(name, &entry));
	q.credit = 0;
	assert_int_equal(ss_quarantine_dir_remove(q.dir, &entry), 0);
	make_old(NULL, 1);
	assert_int_equal(keep(100), 0);		/* too few messages since then */
	assert_int_equal(q.count, 66);
	assert_int_equal(keep(101), 0);
	assert_int_equal(q.count, 66);
}

static void N5_removes_a_few_old_ones_a_message(void **state)
{
	(void)state;
	open_it();
	for (int i = 0; i < 200; i++)
		assert_int_equal(keep(i), 0);
	for (size_t i = 0; i < q.count; i++)
		q.list[q.first + i].time -= 2 * HOUR;
	limits.max_age = 1;
	assert_int_equal(keep(200), 0);
	assert_int_equal(q.count, 200 - 64 + 1);
	/* When there is nothing else to do, the others, in as many steps as it takes */
	q.looked = ss_process_now() - 60001;
	q.stale = false;
	ss_quarantine_look(&q);
	assert_int_equal(q.count, 200 - 2 * 64 + 1);
	ss_quarantine_look(&q);
	ss_quarantine_look(&q);
	assert_int_equal(q.count, 1);
	assert_false(q.more);
	assert_int_equal(count_files(), 2);
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

static void reads_sizes(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_true(ss_units_size("1", INT64_MAX, &n) && n == 1);
	assert_true(ss_units_size("2G", INT64_MAX, &n) && n == 2ull << 30);
	assert_true(ss_units_size("9223372036854775807", INT64_MAX, &n) && n == INT64_MAX);
	assert_false(ss_units_size("9223372036854775808", INT64_MAX, &n));
	assert_false(ss_units_size("18446744073709551616", INT64_MAX, &n));
	assert_false(ss_units_size("8589934592G", INT64_MAX, &n));
	for (const char *const *bad = (const char *const []){ "", "0", "-1", "+1", " 1", "1 ", "K",
	     "1T", "1KK", "0x1", NULL }; *bad; bad++)
		assert_false(ss_units_size(*bad, INT64_MAX, &n));
	assert_true(ss_units_time("5m", UINT32_MAX, &n) && n == 300000);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(keeps_a_message_and_a_note),
		T(takes_the_file_back),
		T(makes_one_folder_only),
		T(has_one_owner),
		T(drops_new_over_quota),
		T(drops_what_its_note_makes_too_large),
		T(overwrites_the_oldest),
		T(overwrites_nothing_for_what_never_fits),
		T(overwrites_many),
		T(keeps_the_file_system_free),
		T(does_not_keep_large_ones),
		T(removes_the_old),
		T(notices_what_others_delete),
		T(N5_reads_a_large_folder_for_few_messages),
		T(N5_remembers_that_others_have_changed_it),
		T(N5_removes_a_few_old_ones_a_message),
		T(removes_leftovers),
		T(takes_no_other_names),
		T(follows_no_links),
		T(reads_spoilt_notes),
		T(goes_where_its_folder_goes),
		T(leaves_no_half_pair),
		T(survives_a_full_and_a_read_only_disk),
		T(reads_sizes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
