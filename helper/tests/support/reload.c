// SPDX-License-Identifier: GPL-2.0
/*
 * Signatures that change while the helper runs, and what it makes of them.
 */
#include "tests/support/reload.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/mail.h"

char *db, *state_path;
int queued;

char *in_db(const char *name)
{
	return mail_format("%s/%s", db, name);
}

static void write_signature(int fd, const char *name, const char *text)
{
	dprintf(fd, "%s:0:*:", name);
	for (; *text; text++)
		dprintf(fd, "%02x", (unsigned char)*text);
	dprintf(fd, "\n");
}

void add_signature(const char *file, const char *name, const char *text)
{
	char *p = in_db(file);
	int fd = open(p, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	write_signature(fd, name, text);
	close(fd);
	free(p);
}

void add_pattern(void)
{
	add_signature("pattern.ndb", "Smtpsplice.Reload", PATTERN);
}

void spoil(void)
{
	char *p = in_db("bad.ndb");
	int fd = open(p, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(write(fd, "nonsense\n", 9), 9);
	close(fd);
	free(p);
}

void remove_file(const char *name)
{
	char *p = in_db(name);

	assert_int_equal(unlink(p), 0);
	free(p);
}

void renew(void)
{
	char *p = in_db("first.ndb");

	assert_int_equal(utimensat(AT_FDCWD, p, NULL, 0), 0);
	free(p);
	kill(helper, SIGHUP);
}

void hold_loading(void)
{
	char *p = in_db("held.ndb");

	assert_int_equal(mkfifo(p, 0600), 0);
	free(p);
}

int who_loads(void)
{
	char *p = in_db("held.ndb");
	int fd;

	wait_for((fd = open(p, O_WRONLY | O_NONBLOCK)) >= 0);
	free(p);
	return fd;
}

void let_load(int fd)
{
	remove_file("held.ndb");
	write_signature(fd, "Smtpsplice.Held", "smtpsplice held pattern");
	close(fd);
}

int count_said(const char *what)
{
	char *text = read_file("stderr");
	int n = 0;

	for (char *s = text; (s = strstr(s, what)); s++)
		n++;
	free(text);
	return n;
}

int scanners(pid_t list[MAX_CHILDREN])
{
	return children_of(helper, "ss-scanner", list);
}

pid_t second_scanner(void)
{
	pid_t list[MAX_CHILDREN];

	wait_for(scanners(list) == 2);
	return list[1];
}

void wait_reloaded(int n)
{
	pid_t list[MAX_CHILDREN];

	wait_for(count_said("reloaded: ") == n);
	wait_for(scanners(list) == 1 && workers(list) == WORKERS);
}

char *mail_with_pattern(void)
{
	return mail_format("Subject: test\r\n\r\n%s\r\n", PATTERN);
}

struct fake_request *send_mail(char *text)
{
	struct fake_request *req = queue(queued++, text, 60000);

	fake_ring();
	return req;
}

void expect_accept(void)
{
	struct fake_request *req = send_mail(mail_with_pattern());

	wait_for(answered(req));
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_ACCEPT);
}

void expect_reject(void)
{
	struct fake_request *req = send_mail(mail_with_pattern());

	wait_for(answered(req));
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(req->virus, VIRUS);
}

char *state_of(const char *object, const char *key)
{
	struct json_object *obj = json_object_from_file(state_path), *inner = obj;
	char *value;

	if (object && obj)
		json_object_object_get_ex(obj, object, &inner);
	value = strdup(inner ? field(inner, key) : "(no file)");
	json_object_put(obj);
	return value;
}

bool state_is(const char *object, const char *key, const char *want)
{
	char *value = state_of(object, key);
	bool is = !strcmp(value, want);

	free(value);
	return is;
}

void keep_workers_busy(pid_t list[MAX_CHILDREN])
{
	signal_workers(SIGSTOP);
	assert_int_equal(workers(list), WORKERS);
	for (int i = 0; i < WORKERS; i++) {
		struct fake_request *req = send_mail(mail_with_pattern());

		wait_for(atomic_load(&req->state) == FAKE_HANDED);
	}
}

int count_passed(void)
{
	int n = 0;

	for (int i = 0; i < WORKERS; i++) {
		if (!answered(&fake->req[i]))
			continue;
		assert_int_equal(fake->req[i].verdict, SMTPSPLICE_VERDICT_ACCEPT);
		assert_int_equal(fake->req[i].attempt, 1);
		n++;
	}
	return n;
}

void reload_halfway(pid_t list[MAX_CHILDREN])
{
	keep_workers_busy(list);
	add_pattern();
	kill(helper, SIGHUP);
	wait_for(said("reloaded: 2 signatures"));
	assert_int_equal(count_passed(), 0);
	/* By the engine that it was given to */
	kill(list[0], SIGCONT);
	wait_for(count_passed() == 1);
	wait_for(gone(list[0]));
	for (int i = 0; i < 2 * WORKERS; i++)
		expect_reject();
	assert_int_equal(count_passed(), 1);
}

void let_go_on(const pid_t list[MAX_CHILDREN])
{
	for (int i = 1; i < WORKERS; i++)
		kill(list[i], SIGCONT);
	wait_for(count_passed() == WORKERS);
}

int setup_reload(void **state)
{
	if (setup(state))
		return -1;
	queued = 0;
	db = path("db");
	state_path = path("run/engine.json");
	conf.database = db;
	conf.state = state_path;
	if (mkdir(db, 0700))
		return -1;
	add_signature("first.ndb", "Smtpsplice.First", "smtpsplice first pattern");
	return 0;
}

int teardown_reload(void **state)
{
	free(db);
	free(state_path);
	return teardown(state);
}
