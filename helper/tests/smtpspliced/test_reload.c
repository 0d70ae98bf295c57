// SPDX-License-Identifier: GPL-2.0
/*
 * New signatures while messages are scanned, against a kernel that is a fake. A
 * scanner is held while it loads by a FIFO among the databases.
 */
#include "lib/ipc.h"
#include "proto/control_msg.h"
#include "tests/support/harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/reload.h"
#include "broker/state_file.h"
#include "tests/support/mail.h"

#define RELOADS		20
#define LOAD		8	/* messages at a time */
#define PATTERN		"smtpsplice reload pattern"
#define VIRUS		"Smtpsplice.Reload.UNOFFICIAL"

static char *db, *state_path;
static int queued;		/* requests so far */

static char *in_db(const char *name)
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

static void add_signature(const char *file, const char *name, const char *text)
{
	char *p = in_db(file);
	int fd = open(p, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	write_signature(fd, name, text);
	close(fd);
	free(p);
}

static void add_pattern(void)
{
	add_signature("pattern.ndb", "Smtpsplice.Reload", PATTERN);
}

static void spoil(void)
{
	char *p = in_db("bad.ndb");
	int fd = open(p, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(write(fd, "nonsense\n", 9), 9);
	close(fd);
	free(p);
}

static void remove_file(const char *name)
{
	char *p = in_db(name);

	assert_int_equal(unlink(p), 0);
	free(p);
}

/* As if it was put in place anew, and tell the helper */
static void renew(void)
{
	char *p = in_db("first.ndb");

	assert_int_equal(utimensat(AT_FDCWD, p, NULL, 0), 0);
	free(p);
	kill(helper, SIGHUP);
}

/* What loads from now on waits for let_load() */
static void hold_loading(void)
{
	char *p = in_db("held.ndb");

	assert_int_equal(mkfifo(p, 0600), 0);
	free(p);
}

/* Wait for who loads. Return: what to give to let_load(). */
static int who_loads(void)
{
	char *p = in_db("held.ndb");
	int fd;

	wait_for((fd = open(p, O_WRONLY | O_NONBLOCK)) >= 0);
	free(p);
	return fd;
}

/* It loads, and so does who comes after it */
static void let_load(int fd)
{
	remove_file("held.ndb");
	write_signature(fd, "Smtpsplice.Held", "smtpsplice held pattern");
	close(fd);
}

static int count_said(const char *what)
{
	char *text = read_file("stderr");
	int n = 0;

	for (char *s = text; (s = strstr(s, what)); s++)
		n++;
	free(text);
	return n;
}

static int scanners(pid_t list[MAX_CHILDREN])
{
	return children_of(helper, "ss-scanner", list);
}

/* The scanner beside the first one */
static pid_t second_scanner(void)
{
	pid_t list[MAX_CHILDREN];

	wait_for(scanners(list) == 2);
	return list[1];
}

/* There were @n reloads, and the last of them is through */
static void wait_reloaded(int n)
{
	pid_t list[MAX_CHILDREN];

	wait_for(count_said("reloaded: ") == n);
	wait_for(scanners(list) == 1 && workers(list) == WORKERS);
}

static char *mail_with_pattern(void)
{
	return mail_format("Subject: test\r\n\r\n%s\r\n", PATTERN);
}

static struct fake_request *send_mail(char *text)
{
	struct fake_request *req = queue(queued++, text, 60000);

	fake_ring();
	return req;
}

static void expect_accept(void)
{
	struct fake_request *req = send_mail(mail_with_pattern());

	wait_for(answered(req));
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_ACCEPT);
}

static void expect_reject(void)
{
	struct fake_request *req = send_mail(mail_with_pattern());

	wait_for(answered(req));
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(req->virus, VIRUS);
}

/* What the state file has, for the key of an object in it or of itself */
static char *state_of(const char *object, const char *key)
{
	struct json_object *obj = json_object_from_file(state_path), *inner = obj;
	char *value;

	if (object && obj)
		json_object_object_get_ex(obj, object, &inner);
	value = strdup(inner ? field(inner, key) : "(no file)");
	json_object_put(obj);
	return value;
}

static bool state_is(const char *object, const char *key, const char *want)
{
	char *value = state_of(object, key);
	bool is = !strcmp(value, want);

	free(value);
	return is;
}

static void finds_what_is_new(void **state)
{
	pid_t old, broker;

	(void)state;
	start_ready();
	old = scanner_pid();
	broker = atomic_load(&fake->registered);
	wait_for(state_is(NULL, "signatures", "1"));
	assert_true(state_is("reload", "outcome", "none"));
	expect_accept();
	add_pattern();
	expect_accept();
	kill(helper, SIGHUP);
	wait_reloaded(1);
	expect_reject();
	assert_true(gone(old));
	assert_int_equal(atomic_load(&fake->registered), broker);
	assert_true(state_is(NULL, "signatures", "2"));
	assert_true(state_is(NULL, "local-files", "2"));
	assert_true(state_is("reload", "outcome", "done"));
	assert_int_equal(end(SIGTERM), 0);
	assert_true(state_is(NULL, "signatures", "(no file)"));
}

static void looks_by_itself(void **state)
{
	(void)state;
	conf.reload = 1;
	start_ready();
	expect_accept();
	add_pattern();
	wait_reloaded(1);
	expect_reject();
	assert_int_equal(end(SIGTERM), 0);
}

static void keeps_the_old_where_the_new_is_broken(void **state)
{
	pid_t scanner, broker;
	char *error;
	int lines;

	(void)state;
	start_ready();
	scanner = scanner_pid();
	broker = atomic_load(&fake->registered);
	wait_for(said("ready: "));
	lines = count_lines("stderr");
	spoil();
	add_pattern();
	kill(helper, SIGHUP);
	wait_for(state_is("reload", "outcome", "failed"));
	assert_true(said("reload failed: database "));
	assert_int_equal(count_lines("stderr"), lines + 1);
	error = state_of("reload", "error");
	assert_true(strlen(error) > 10);
	free(error);
	assert_true(state_is(NULL, "signatures", "1"));
	expect_accept();
	assert_int_equal(scanner_pid(), scanner);
	remove_file("bad.ndb");
	kill(helper, SIGHUP);
	wait_reloaded(1);
	expect_reject();
	assert_int_equal(atomic_load(&fake->registered), broker);
	assert_int_equal(end(SIGTERM), 0);
}

static void scans_on_while_it_loads(void **state)
{
	int fd;

	(void)state;
	start_ready();
	add_pattern();
	hold_loading();
	kill(helper, SIGHUP);
	fd = who_loads();
	wait_for(state_is("reload", "outcome", "loading"));
	for (int i = 0; i < 2 * WORKERS; i++)
		expect_accept();
	let_load(fd);
	wait_reloaded(1);
	expect_reject();
	assert_int_equal(end(SIGTERM), 0);
}

/* Each worker has a message, and does not go on; @list: they */
static void keep_workers_busy(pid_t list[MAX_CHILDREN])
{
	signal_workers(SIGSTOP);
	assert_int_equal(workers(list), WORKERS);
	for (int i = 0; i < WORKERS; i++) {
		struct fake_request *req = send_mail(mail_with_pattern());

		wait_for(atomic_load(&req->state) == FAKE_HANDED);
	}
}

/* How many of the messages of keep_workers_busy() have passed */
static int count_passed(void)
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

/*
 * Reload while all workers are busy; then one of them goes on, as new, and the
 * others do not. @list: the old ones
 */
static void reload_halfway(pid_t list[MAX_CHILDREN])
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

static void let_go_on(const pid_t list[MAX_CHILDREN])
{
	for (int i = 1; i < WORKERS; i++)
		kill(list[i], SIGCONT);
	wait_for(count_passed() == WORKERS);
}

static void lets_old_workers_finish(void **state)
{
	pid_t list[MAX_CHILDREN], old;

	(void)state;
	start_ready();
	old = scanner_pid();
	reload_halfway(list);
	assert_false(gone(old));
	let_go_on(list);
	wait_reloaded(1);
	assert_true(gone(old));
	assert_int_equal(end(SIGTERM), 0);
}

/* An old worker that does not end by itself is killed when its time is over */
static void kills_an_old_worker_that_is_late(void **state)
{
	pid_t list[MAX_CHILDREN];
	struct fake_request *req;

	(void)state;
	start_ready();
	signal_workers(SIGSTOP);
	assert_int_equal(workers(list), WORKERS);
	req = queue(queued++, clean(), 1000);
	fake_ring();
	wait_for(atomic_load(&req->state) == FAKE_HANDED);
	renew();
	wait_for(answered(req));
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	wait_reloaded(1);
	assert_int_equal(end(SIGTERM), 0);
}

/* So is a new one, which the broker has a hold of as well */
static void kills_a_new_worker_that_is_late(void **state)
{
	pid_t list[MAX_CHILDREN];
	struct fake_request *req;

	(void)state;
	start_ready();
	renew();
	wait_reloaded(1);
	signal_workers(SIGSTOP);
	assert_int_equal(workers(list), WORKERS);
	req = queue(queued++, clean(), 200);
	fake_ring();
	wait_for(answered(req));
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	/* It is stopped, so it cannot end because its socket is closed */
	wait_for(gone(list[0]) || gone(list[1]));
	assert_int_equal(end(SIGTERM), 0);
}

static void joins_reloads(void **state)
{
	pid_t list[MAX_CHILDREN];
	int fd;

	(void)state;
	start_ready();
	hold_loading();
	renew();
	fd = who_loads();
	for (int i = 0; i < 5; i++) {
		renew();
		expect_accept();
		assert_int_equal(scanners(list), 2);
	}
	add_pattern();
	let_load(fd);
	wait_reloaded(2);
	expect_reject();
	assert_int_equal(end(SIGTERM), 0);
	assert_int_equal(count_said("reloaded: "), 2);
}

/* One of @load messages; a new one for each that is answered */
static void keep_busy(int i, int *answers)
{
	struct fake_request *req = &fake->req[i];
	bool bad = i % 2;

	if (atomic_load(&req->state) != FAKE_NONE) {
		if (!answered(req))
			return;
		assert_int_equal(req->verdict, bad ? SMTPSPLICE_VERDICT_REJECT :
				 SMTPSPLICE_VERDICT_ACCEPT);
		assert_int_equal(req->attempt, 1);
		++*answers;
	}
	req->attempt = 0;
	queue(i, bad ? infected() : clean(), 60000);
	fake_ring();
}

static bool busy_until_reloaded(int n, int *answers)
{
	for (int i = 0; i < LOAD; i++)
		keep_busy(i, answers);
	return count_said("reloaded: ") >= n;
}

static void reloads_under_load(void **state)
{
	int answers = 0;
	pid_t broker;

	(void)state;
	add_signature("eicar.ndb", "Smtpsplice.Eicar", mail_eicar());
	start_ready();
	broker = atomic_load(&fake->registered);
	for (int n = 1; n <= RELOADS; n++) {
		renew();
		wait_for(busy_until_reloaded(n, &answers));
	}
	for (int i = 0; i < LOAD; i++)
		wait_for(answered(&fake->req[i]));
	assert_true(answers > RELOADS);
	assert_false(said("scan worker died"));
	assert_int_equal(atomic_load(&fake->registered), broker);
	wait_reloaded(RELOADS);
	assert_int_equal(end(SIGTERM), 0);
	print_message("# %d messages\n", answers);
}

static void goes_on_where_the_new_scanner_dies(void **state)
{
	pid_t scanner, broker;
	int fd;

	(void)state;
	start_ready();
	scanner = scanner_pid();
	broker = atomic_load(&fake->registered);
	add_pattern();
	hold_loading();
	kill(helper, SIGHUP);
	fd = who_loads();
	kill(second_scanner(), SIGKILL);
	wait_for(state_is("reload", "outcome", "failed"));
	wait_for(said("a scanner died, the other one stays"));
	close(fd);
	expect_accept();
	assert_int_equal(scanner_pid(), scanner);
	remove_file("held.ndb");
	kill(helper, SIGHUP);
	wait_reloaded(1);
	expect_reject();
	assert_int_equal(atomic_load(&fake->registered), broker);
	assert_int_equal(end(SIGTERM), 0);
}

/* The messages that its workers have go to those of the new one */
static void goes_on_where_the_old_scanner_dies(void **state)
{
	pid_t list[MAX_CHILDREN], broker, old;
	int fd;

	(void)state;
	start_ready();
	old = scanner_pid();
	broker = atomic_load(&fake->registered);
	keep_workers_busy(list);
	add_pattern();
	hold_loading();
	kill(helper, SIGHUP);
	fd = who_loads();
	wait_for(state_is("reload", "outcome", "loading"));
	/* It would be a race which of both deaths the broker sees first */
	kill(broker, SIGSTOP);
	kill(old, SIGKILL);
	wait_for(gone(old));
	kill(broker, SIGKILL);
	for (int i = 0; i < WORKERS; i++)	/* as the kernel does */
		atomic_store(&fake->req[i].state, FAKE_QUEUED);
	let_load(fd);
	for (int i = 0; i < WORKERS; i++) {
		wait_for(answered(&fake->req[i]));
		assert_int_equal(fake->req[i].verdict, SMTPSPLICE_VERDICT_REJECT);
	}
	assert_int_not_equal(atomic_load(&fake->registered), broker);
	assert_false(said("ended with status"));
	assert_int_equal(end(SIGTERM), 0);
}

static void does_without_the_old_scanner(void **state)
{
	pid_t old;
	int fd;

	(void)state;
	start_ready();
	old = scanner_pid();
	add_pattern();
	hold_loading();
	kill(helper, SIGHUP);
	fd = who_loads();
	kill(old, SIGKILL);
	wait_for(gone(old));
	let_load(fd);
	expect_reject();
	assert_int_equal(end(SIGTERM), 0);
}

/* When the new one serves and the old one still has a worker at work */
static void goes_back_to_the_old_scanner(void **state)
{
	struct fake_request *req = &fake->req[1];
	pid_t list[MAX_CHILDREN], broker, old;

	(void)state;
	start_ready();
	old = scanner_pid();
	broker = atomic_load(&fake->registered);
	reload_halfway(list);
	if (answered(req))
		req = &fake->req[0];
	kill(second_scanner(), SIGKILL);
	wait_for(gone(list[1]));
	atomic_store(&req->state, FAKE_QUEUED);	/* as the kernel does */
	wait_for(answered(req));
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_int_equal(req->attempt, 2);
	expect_accept();
	assert_int_not_equal(atomic_load(&fake->registered), broker);
	assert_int_equal(scanner_pid(), old);
	wait_for(said("a scanner died, the other one stays"));
	kill(helper, SIGHUP);
	wait_reloaded(2);
	expect_reject();
	assert_int_equal(end(SIGTERM), 0);
}

static void goes_on_where_the_broker_dies(void **state)
{
	pid_t broker;
	int fd;

	(void)state;
	start_ready();
	broker = atomic_load(&fake->registered);
	add_pattern();
	hold_loading();
	kill(helper, SIGHUP);
	fd = who_loads();
	kill(broker, SIGKILL);
	wait_for(atomic_load(&fake->registered) != broker);
	expect_accept();
	wait_for(state_is("reload", "outcome", "loading"));
	let_load(fd);
	wait_reloaded(1);
	expect_reject();
	assert_int_equal(end(SIGTERM), 0);
}

static void starts_both_again(void **state)
{
	pid_t broker, old, next;
	int fd;

	(void)state;
	start_ready();
	broker = atomic_load(&fake->registered);
	old = scanner_pid();
	add_pattern();
	hold_loading();
	kill(helper, SIGHUP);
	fd = who_loads();
	next = second_scanner();
	remove_file("held.ndb");
	kill(next, SIGKILL);
	kill(old, SIGKILL);
	close(fd);
	wait_for(gone(old) && gone(next));
	wait_for(atomic_load(&fake->registered) != broker);
	expect_reject();
	assert_int_equal(end(SIGTERM), 0);
}

/* As freshclam, or who keeps the local files, may have it right soon */
static void waits_for_a_database_that_was_spoilt(void **state)
{
	pid_t broker;

	(void)state;
	start_ready();
	broker = atomic_load(&fake->registered);
	spoil();
	kill(scanner_pid(), SIGKILL);
	wait_for(said("scanner ended with status 2, starting it again"));
	remove_file("bad.ndb");
	wait_for(atomic_load(&fake->registered) != broker);
	expect_accept();
	assert_int_equal(end(SIGTERM), 0);
}

static char *folder_of(pid_t worker)
{
	return mail_format("%s/w%d", conf.tmpdir, worker);
}

/* A worker has left a file in its folder, and a link to @target */
static void litter(pid_t worker, const char *target)
{
	char *folder = folder_of(worker);
	char *file = mail_format("%s/file", folder), *link = mail_format("%s/link", folder);

	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(close(creat(file, 0600)), 0);
	assert_int_equal(symlink(target, link), 0);
	free(folder);
	free(file);
	free(link);
}

/* Folders for temporary files: those of the old workers are gone, what they lead to is not */
static void leaves_no_folders(void **state)
{
	char *kept = path("kept"), *file = path("kept/file");
	pid_t list[MAX_CHILDREN];

	(void)state;
	assert_int_equal(mkdir(kept, 0700), 0);
	assert_int_equal(close(creat(file, 0600)), 0);
	start_ready();
	assert_int_equal(workers(list), WORKERS);
	for (int i = 0; i < WORKERS; i++)
		litter(list[i], kept);
	renew();
	wait_reloaded(1);
	for (int i = 0; i < WORKERS; i++) {
		char *folder = folder_of(list[i]);

		assert_int_equal(access(folder, F_OK), -1);
		free(folder);
	}
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(end(SIGTERM), 0);
	free(kept);
	free(file);
}

/* Each has the sockets to those that it talks to, and no others, after a reload as well */
static void leaves_no_sockets(void **state)
{
	pid_t list[MAX_CHILDREN];

	(void)state;
	start_ready();
	for (int i = 1; i <= 2; i++) {
		renew();
		wait_reloaded(i);
	}
	/* Supervisor, scanner and broker with each other; workers with the broker */
	wait_for(count_sockets(helper) == 2);
	wait_for(count_sockets(scanner_pid()) == 2);
	wait_for(count_sockets(atomic_load(&fake->registered)) == 2 + WORKERS);
	assert_int_equal(workers(list), WORKERS);
	for (int i = 0; i < WORKERS; i++)
		wait_for(count_sockets(list[i]) == 1);
	assert_int_equal(end(SIGTERM), 0);
}

static void write_text(const char *name, const char *text)
{
	char *p = path(name);
	int fd = open(p, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	free(p);
}

static void expect_text(const char *name, const char *text)
{
	char *have = read_file(name);

	assert_string_equal(have, text);
	free(have);
}

static void writes_no_state_through_a_link(void **state)
{
	char *run = path("run"), *link = path("run/engine.json.new"), *kept = path("kept");
	struct stat st;

	(void)state;
	write_text("kept", "ours");
	assert_int_equal(mkdir(run, 0700), 0);
	assert_int_equal(symlink(kept, link), 0);
	start_ready();
	wait_for(state_is("reload", "outcome", "none"));
	assert_int_equal(lstat(state_path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	expect_text("kept", "ours");
	assert_int_equal(end(SIGTERM), 0);
	free(run);
	free(link);
	free(kept);
}

/* Here it is a limit that the disk is full by */
static void keeps_the_state_where_there_is_no_room(void **state)
{
	struct ss_state_file s = { .conf = &conf, .mute = true };
	struct rlimit before, little;
	char *run = path("run");

	(void)state;
	assert_int_equal(mkdir(run, 0700), 0);
	write_text("run/engine.json", "{}");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = (struct rlimit){ .rlim_cur = 10, .rlim_max = before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	ss_state_file_note(&s, SS_STATE_FILE_DONE, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	expect_text("run/engine.json", "{}");
	ss_state_file_note(&s, SS_STATE_FILE_DONE, NULL);
	assert_true(state_is("reload", "outcome", "done"));
	free(run);
}

/* Return: as ss_reload_init() for a scanner that says this */
static int hear(struct ss_reload *s, const struct ss_engine_report *report)
{
	int pair[2], ret;

	assert_int_equal(ss_ipc_pair(pair), 0);
	assert_int_equal(ss_ipc_send(pair[1], report, sizeof(*report), NULL, 0), 0);
	ret = ss_reload_init(s, &conf, pair[0]);
	close(pair[0]);
	close(pair[1]);
	return ret;
}

/* Its workers are its children: who has taken one over may have come as far */
static void i4_scanner_is_not_believed(void **state)
{
	struct ss_engine_report report;
	struct ss_reload s;

	(void)state;
	memset(&report, 'x', sizeof(report));
	report.msg.type = SS_IPC_READY;
	assert_int_equal(hear(&s, &report), -EBADMSG);
	report.db.count = SS_DATABASE_FILES + 1;
	assert_int_equal(hear(&s, &report), -EBADMSG);
	report.db.count = SS_DATABASE_FILES;
	assert_int_equal(hear(&s, &report), 0);
	assert_int_equal(strlen(s.state.engine.version), SS_ENGINE_VERSION_SIZE - 1);
	assert_int_equal(strlen(s.state.engine.error), SS_ENGINE_ERROR_SIZE - 1);
	for (int i = 0; i < SS_DATABASE_FILES; i++)
		assert_int_equal(strlen(s.state.engine.db.files[i].name), SS_DATABASE_NAME - 1);
	report.msg.type = SS_IPC_WORKER;
	assert_int_equal(hear(&s, &report), -EBADMSG);
}

static void says_that_there_is_no_room_for_the_state(void **state)
{
	(void)state;
	conf.state = "/nonexistent/dir/engine.json";
	start_ready();
	wait_for(said("cannot write /nonexistent/dir/engine.json: No such file"));
	renew();
	wait_reloaded(1);
	assert_int_equal(count_said("cannot write"), 1);
	conf.state = state_path;
	assert_int_equal(end(SIGTERM), 0);
}

/* A second engine is a gigabyte: it is for new signatures only */
static void N6_loads_only_what_has_changed(void **state)
{
	char *p = in_db("first.ndb");
	pid_t scanner;

	(void)state;
	start_ready();
	scanner = scanner_pid();
	for (int i = 1; i <= 3; i++) {
		kill(helper, SIGHUP);
		wait_for(count_said("the databases have not changed") == i);
	}
	assert_true(state_is("reload", "outcome", "none"));
	expect_accept();
	assert_int_equal(scanner_pid(), scanner);
	/* A file that is gone is a change, if not for who looks by itself */
	add_pattern();
	kill(helper, SIGHUP);
	wait_reloaded(1);
	expect_reject();
	remove_file("pattern.ndb");
	kill(helper, SIGHUP);
	wait_reloaded(2);
	expect_accept();
	/* So is one of the same size and second */
	add_signature("first.ndb", "Smtpsplice.Third", "smtpsplice third pattern");
	assert_int_equal(utimensat(AT_FDCWD, p, (struct timespec[]){ { .tv_sec = 1 },
			 { .tv_sec = 1 } }, 0), 0);
	kill(helper, SIGHUP);
	wait_reloaded(3);
	assert_int_equal(utimensat(AT_FDCWD, p, (struct timespec[]){ { .tv_sec = 1 },
			 { .tv_sec = 1, .tv_nsec = 1 } }, 0), 0);
	kill(helper, SIGHUP);
	wait_reloaded(4);
	assert_int_equal(count_said("the databases have not changed"), 3);
	assert_int_equal(end(SIGTERM), 0);
	free(p);
}

static void N6_tries_again_what_has_failed(void **state)
{
	pid_t list[MAX_CHILDREN];

	(void)state;
	start_ready();
	spoil();
	for (int i = 1; i <= 2; i++) {
		kill(helper, SIGHUP);
		wait_for(count_said("reload failed: database ") == i);
		wait_for(state_is("reload", "outcome", "failed") && scanners(list) == 1);
	}
	remove_file("bad.ndb");
	kill(helper, SIGHUP);
	wait_reloaded(1);
	kill(helper, SIGHUP);
	wait_for(said("the databases have not changed"));
	assert_int_equal(end(SIGTERM), 0);
}

static int setup_reload(void **state)
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

static int teardown_reload(void **state)
{
	free(db);
	free(state_path);
	return teardown(state);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup_reload, teardown_reload)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(finds_what_is_new),
		T(looks_by_itself),
		T(keeps_the_old_where_the_new_is_broken),
		T(scans_on_while_it_loads),
		T(lets_old_workers_finish),
		T(kills_an_old_worker_that_is_late),
		T(kills_a_new_worker_that_is_late),
		T(joins_reloads),
		T(reloads_under_load),
		T(goes_on_where_the_new_scanner_dies),
		T(goes_on_where_the_old_scanner_dies),
		T(does_without_the_old_scanner),
		T(goes_back_to_the_old_scanner),
		T(goes_on_where_the_broker_dies),
		T(starts_both_again),
		T(waits_for_a_database_that_was_spoilt),
		T(leaves_no_folders),
		T(leaves_no_sockets),
		T(writes_no_state_through_a_link),
		T(keeps_the_state_where_there_is_no_room),
		T(i4_scanner_is_not_believed),
		T(says_that_there_is_no_room_for_the_state),
		T(N6_loads_only_what_has_changed),
		T(N6_tries_again_what_has_failed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
