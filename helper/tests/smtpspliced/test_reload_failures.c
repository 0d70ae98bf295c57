// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that die, hang or lie while there are new signatures.
 */
#include "tests/support/reload.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/reload.h"
#include "lib/ipc.h"
#include "proto/control_msg.h"

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

#define T(name) cmocka_unit_test_setup_teardown(name, setup_reload, teardown_reload)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(goes_on_where_the_new_scanner_dies),
		T(goes_on_where_the_old_scanner_dies),
		T(does_without_the_old_scanner),
		T(goes_back_to_the_old_scanner),
		T(goes_on_where_the_broker_dies),
		T(starts_both_again),
		T(waits_for_a_database_that_was_spoilt),
		T(i4_scanner_is_not_believed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
