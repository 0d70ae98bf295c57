// SPDX-License-Identifier: GPL-2.0
/*
 * New signatures while messages are scanned, against a kernel that is a fake.
 */
#include "tests/support/reload.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/mail.h"

#define RELOADS		20
#define LOAD		8	/* messages at a time */

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
		T(leaves_no_folders),
		T(leaves_no_sockets),
		T(N6_loads_only_what_has_changed),
		T(N6_tries_again_what_has_failed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
