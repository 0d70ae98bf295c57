// SPDX-License-Identifier: GPL-2.0
/*
 * A worker that says too much, too early or nothing: it costs its own message, and no other
 * one.
 */
#include "tests/support/lies.h"

#include <signal.h>
#include <sys/stat.h>

#include "tests/support/mail.h"

/* @n infected messages come: each but the first @lost ones is refused by a scan */
static void expect_the_others_scanned(int n, int lost)
{
	int done = 0;

	for (int i = 0; i < n; i++) {
		memcpy(fake->req[i].av, attrs.octets, attrs.len);
		fake->req[i].av_len = attrs.len;
		queue(i, infected(), 60000);
	}
	fake_ring();
	for (int i = 0; i < n; i++)
		wait_for(answered(&fake->req[i]));
	for (int i = 0; i < n; i++)
		done += fake->req[i].verdict == SMTPSPLICE_VERDICT_REJECT &&
			!strcmp(fake->req[i].virus, MAIL_EICAR);
	assert_true(done >= n - lost);
	assert_true(done < n);		/* it did lie */
}

static int count_accepted(int n)
{
	int accepted = 0;

	for (int i = 0; i < n; i++)
		accepted += fake->req[i].verdict == SMTPSPLICE_VERDICT_ACCEPT;
	return accepted;
}

/* Nothing passes that it has not seen */
static void N5_worker_that_answers_unread_costs_its_message(void **state)
{
	(void)state;
	atomic_store(lie, ANSWERS_UNREAD);
	start_ready();
	/* Its own, and the one that it was given next */
	expect_the_others_scanned(60, 2);
	assert_int_equal(count_accepted(60), 1);
	assert_true(said("scan worker gave nonsense"));
	assert_int_equal(end(SIGTERM), 0);
}

/*
 * Its socket fills with jobs, of 16 K here: a broker that waits for room there has
 * waited for ever, since the worker gets no more to answer.
 */
static void N5_worker_that_does_not_read_holds_up_nobody(void **state)
{
	char pattern[SMTPSPLICE_PATTERN_MAX] = "";

	(void)state;
	memset(pattern, 'x', sizeof(pattern) - 1);
	for (int i = 0; i < 62; i++)
		avattrs_text(&attrs, AV(FILE_NAME), pattern);
	atomic_store(lie, ANSWERS_PEEKED);
	conf.workers = 1;	/* so it gets all of them, until it is ended */
	start();
	wait_for(atomic_load(&fake->registered));
	expect_the_others_scanned(60, 40);
	assert_true(said("scan worker does not read"));
	assert_int_equal(end(SIGTERM), 0);
}

static void N5_worker_that_answers_ahead_costs_its_message(void **state)
{
	(void)state;
	atomic_store(lie, ANSWERS_AHEAD);
	start_ready();
	expect_the_others_scanned(60, 2);
	assert_true(count_accepted(60) <= 1);
	assert_int_equal(end(SIGTERM), 0);
}

/* One worker, which has said more than it was asked when the broker goes on */
static pid_t speak_ahead(void)
{
	pid_t list[MAX_CHILDREN];

	conf.workers = 1;
	atomic_store(lie, STOPS_BROKER);
	start();
	wait_for(atomic_load(&fake->registered) && workers(list) == 1);
	queue(0, clean(), 60000);
	fake_ring();
	wait_for(atomic_load(lie) == HONEST);
	return list[0];
}

/* The next one is not given to it: it has an answer to that already */
static void N5_worker_that_has_spoken_is_not_asked(void **state)
{
	pid_t worker;

	(void)state;
	worker = speak_ahead();
	queue(1, infected(), 60000);
	fake_ring();
	kill(atomic_load(&fake->registered), SIGCONT);
	wait_for(answered(&fake->req[0]) && answered(&fake->req[1]));
	assert_int_equal(fake->req[1].verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(fake->req[1].virus, MAIL_EICAR);
	wait_for(gone(worker));
	assert_int_equal(end(SIGTERM), 0);
}

/* Where no other worker comes, the time is over: nothing has failed */
static void i4_no_worker_in_time_means_what_the_profile_says(void **state)
{
	struct fake_request *req = &fake->req[1];

	(void)state;
	speak_ahead();
	kill(scanner_pid(), SIGSTOP);
	avattrs_number(&attrs, AV(SCAN_ERROR), BLOCK);
	avattrs_number(&attrs, AV(SCAN_TIMEOUT), PASS);
	memcpy(req->av, attrs.octets, attrs.len);
	req->av_len = attrs.len;
	queue(1, infected(), 200);
	fake_ring();
	kill(atomic_load(&fake->registered), SIGCONT);
	wait_for(answered(req));
	expect_passed(req, SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT,
		      "X-Smtpsplice-Unscanned: scan-timeout");
	kill(scanner_pid(), SIGCONT);
	assert_int_equal(end(SIGTERM), 0);
}

static void N5_worker_that_floods_costs_its_message(void **state)
{
	pid_t broker;

	(void)state;
	atomic_store(lie, FLOODS);
	start_ready();
	broker = atomic_load(&fake->registered);
	expect_the_others_scanned(30, 1);
	assert_int_equal(count_accepted(30), 0);
	memset(fake->req, 0, sizeof(fake->req));
	atomic_store(lie, FLOODS_FILES);
	expect_the_others_scanned(30, 1);
	assert_int_equal(count_accepted(30), 0);
	assert_int_equal(atomic_load(&fake->registered), broker);
	/* Supervisor, scanner and workers: what it sent is closed */
	wait_for(count_sockets(broker) == 2 + WORKERS);
	assert_int_equal(end(SIGTERM), 0);
}

static void N5_worker_that_says_nothing_costs_its_message(void **state)
{
	struct fake_request *late = &fake->req[40];
	pid_t list[MAX_CHILDREN], after[MAX_CHILDREN];

	(void)state;
	atomic_store(lie, READS_NO_MORE);
	start_ready();
	assert_int_equal(workers(list), WORKERS);
	queue(40, infected(), 1000);
	fake_ring();
	wait_for(atomic_load(lie) == HONEST);
	for (int i = 0; i < 30; i++) {
		give(i, infected(), 60000);
		assert_string_equal(fake->req[i].virus, MAIL_EICAR);
	}
	wait_for(answered(late));
	assert_int_equal(late->verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	/* It has not ended by itself: the broker has ended it */
	wait_for(gone(list[0]) || gone(list[1]));
	wait_for(workers(after) == WORKERS);
	assert_int_equal(end(SIGTERM), 0);
}

static void N5_kills_a_late_worker_that_never_ends(void **state)
{
	pid_t list[MAX_CHILDREN];

	(void)state;
	start_ready();
	signal_workers(SIGSTOP);
	assert_int_equal(workers(list), WORKERS);
	for (int i = 0; i < WORKERS; i++)
		queue(i, clean(), 200);
	fake_ring();
	for (int i = 0; i < WORKERS; i++) {
		wait_for(answered(&fake->req[i]));
		assert_int_equal(fake->req[i].verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	}
	/* Nobody lets them go on, so they cannot end because their socket is closed */
	for (int i = 0; i < WORKERS; i++)
		wait_for(gone(list[i]));
	assert_int_equal(end(SIGTERM), 0);
}

#define TEST(test)	cmocka_unit_test_setup_teardown(test, honest_setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(i4_no_worker_in_time_means_what_the_profile_says),
		TEST(N5_worker_that_answers_unread_costs_its_message),
		TEST(N5_worker_that_does_not_read_holds_up_nobody),
		TEST(N5_worker_that_answers_ahead_costs_its_message),
		TEST(N5_worker_that_has_spoken_is_not_asked),
		TEST(N5_worker_that_floods_costs_its_message),
		TEST(N5_worker_that_says_nothing_costs_its_message),
		TEST(N5_kills_a_late_worker_that_never_ends),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, shared_setup, group_teardown);
}
