// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps messages in a quarantine, and makes files there.
 */
#include "tests/support/quarantine.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "lib/process.h"
#include "tests/support/mail.h"

char *top, *path;
struct ss_quarantine_limits limits;
struct ss_quarantine q;
struct ss_scan_request req;
struct ss_scan_result result;
char name[SS_QUARANTINE_NAME_SIZE];

static const char rcpts[] = "\"a,b\"@example.org\0c@example.org\0";

int setup(void **state)
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

int teardown(void **state)
{
	(void)state;
	ss_quarantine_close(&q);
	ss_process_remove_tree(top);
	free(path);
	free(top);
	return 0;
}

void open_it(void)
{
	ss_quarantine_close(&q);
	assert_int_equal(ss_quarantine_open(&q, path, &limits), 0);
}

int keep_file(int fd)
{
	struct json_object *note = ss_verdict_note(&req, &result);
	int ret = ss_quarantine_keep(&q, fd, req.flow.session, note, name);

	json_object_put(note);
	return ret;
}

int keep_text(const char *text)
{
	int fd = ss_quarantine_create(&q, strlen(text), 0), ret;

	if (fd < 0)
		return fd;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	ret = keep_file(fd);
	close(fd);
	return ret;
}

int keep(uint64_t session)
{
	req.flow.session = session;
	return keep_text("Subject: x\r\n\r\nx\r\n");
}

int count_files(void)
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

bool there(const char *file)
{
	char *p = mail_format("%s/%s", path, file);
	struct stat st;
	bool is = !lstat(p, &st);

	free(p);
	return is;
}

void make(const char *file, const char *text)
{
	int fd = openat(q.dir >= 0 ? q.dir : AT_FDCWD, file, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

void make_old(const char *file, time_t seconds)
{
	struct timespec times[2] = {
		{ .tv_sec = time(NULL) - seconds }, { .tv_sec = time(NULL) - seconds },
	};

	if (file)
		assert_int_equal(utimensat(q.dir, file, times, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(futimens(q.dir, times), 0);
}

void hide_change(void)
{
	struct timespec times[2] = { q.changed, q.changed };

	assert_int_equal(futimens(q.dir, times), 0);
}
