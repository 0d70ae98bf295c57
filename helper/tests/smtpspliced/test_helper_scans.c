// SPDX-License-Identifier: GPL-2.0
/*
 * Scans by the helper's processes, against a kernel that is a fake: verdicts, the
 * log, the quarantine, and processes that die.
 */
#include "tests/support/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/template.h"
#include "tests/support/mail.h"

static void gives_verdicts(void **state)
{
	struct json_object *obj;

	(void)state;
	start_ready();
	queue(0, clean(), 60000);
	fake_ring();
	wait_for(answered(&fake->req[0]));
	assert_int_equal(fake->req[0].verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_string_equal(fake->req[0].reply, "");
	queue(1, infected(), 60000);
	fake_ring();
	wait_for(answered(&fake->req[1]));
	assert_int_equal(fake->req[1].verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(fake->req[1].virus, MAIL_EICAR);
	assert_string_equal(fake->req[1].file, "eicar.com");
	assert_non_null(strstr(fake->req[1].reply, "The file \"eicar.com\" has"));
	assert_non_null(strstr(fake->req[1].reply, "quarantined as: \"\"."));
	queue(2, strdup("Content-Type: message/partial; id=x\r\n\r\nx\r\n"), 60000);
	fake_ring();
	wait_for(answered(&fake->req[2]));
	assert_string_equal(fake->req[2].reply, ss_template_default(SS_CAUSE_PARTIAL));

	wait_for(count_lines("av.log") == 3);
	obj = record(0);
	assert_string_equal(field(obj, "action"), "passthrough");
	assert_string_equal(field(obj, "eventtype"), "clean");
	assert_string_equal(field(obj, "srcip"), "10.0.1.2");
	assert_string_equal(field(obj, "dstip"), "fd00::2");
	assert_string_equal(field(obj, "helo"), "c\nlient?");
	assert_string_equal(field(obj, "sender"), "");
	assert_string_equal(field(obj, "recipient"), "a@example.org,b@example.org");
	assert_string_equal(field(obj, "policy"), "mail-in");
	json_object_put(obj);
	obj = record(1);
	assert_string_equal(field(obj, "logid"), "0211008192");
	assert_string_equal(field(obj, "action"), "blocked");
	assert_string_equal(field(obj, "virus"), MAIL_EICAR);
	assert_string_equal(field(obj, "filename"), "eicar.com");
	assert_string_equal(field(obj, "attachment"), "yes");
	assert_string_equal(field(obj, "quarskip"), "Quarantine-disabled");
	assert_string_equal(field(obj, "from"), "Alice <alice@example.net>");
	assert_string_equal(field(obj, "reply"), fake->req[1].reply);
	json_object_put(obj);
	assert_int_equal(end(SIGTERM), 0);
}

static void takes_many(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++)
		queue(i, i % 3 ? clean() : infected(), 60000);
	start_ready();	/* no bell: it has to ask by itself */
	for (int i = 0; i < 40; i++) {
		wait_for(answered(&fake->req[i]));
		assert_int_equal(fake->req[i].verdict, i % 3 ? SMTPSPLICE_VERDICT_ACCEPT :
				 SMTPSPLICE_VERDICT_REJECT);
	}
	wait_for(count_lines("av.log") == 40);
	assert_int_equal(end(SIGINT), 0);
}

static void keeps_what_is_infected(void **state)
{
	char *quarantine = path("quarantine");
	struct dirent *entry;
	struct json_object *obj;
	int files = 0;
	DIR *d;

	(void)state;
	assert_int_equal(mkdir(quarantine, 0700), 0);
	conf.quarantine = quarantine;
	start_ready();
	queue(0, infected(), 60000);
	queue(1, clean(), 60000);
	fake_ring();
	wait_for(answered(&fake->req[0]) && answered(&fake->req[1]));
	wait_for(count_lines("av.log") == 2);
	d = opendir(quarantine);
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		files++;
		assert_memory_equal(entry->d_name, "0-", 2);
		if (strstr(entry->d_name, ".json"))
			strcpy(strstr(entry->d_name, ".json"), ".eml");
		assert_non_null(strstr(fake->req[0].reply, entry->d_name));
	}
	closedir(d);
	assert_int_equal(files, 2);
	obj = record(0);
	if (strcmp(field(obj, "action"), "blocked")) {
		json_object_put(obj);
		obj = record(1);
	}
	assert_string_equal(field(obj, "quarskip"), "No-skip");
	json_object_put(obj);
	end(SIGTERM);
	free(quarantine);
}

/* What cannot be kept is refused all the same. Return: whether @why was logged. */
static bool refuses_unkept(int n, const char *why)
{
	struct json_object *obj;
	bool is;

	queue(n, infected(), 60000);
	fake_ring();
	wait_for(answered(&fake->req[n]));
	assert_int_equal(fake->req[n].verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(fake->req[n].virus, MAIL_EICAR);
	assert_non_null(strstr(fake->req[n].reply, "quarantined as: \"\"."));
	wait_for(count_lines("av.log") == n + 1);
	obj = record(n);
	assert_string_equal(field(obj, "action"), "blocked");
	assert_string_equal(field(obj, "quarskip"), "File-was-not-quarantined");
	assert_string_equal(field(obj, "quarfile"), "(none)");
	is = !strcmp(field(obj, "error"), why);
	json_object_put(obj);
	return is;
}

static void refuses_with_a_full_quarantine(void **state)
{
	char *quarantine = path("quarantine");

	(void)state;
	conf.quarantine = quarantine;
	conf.quarantine_limits.quota = 4096;	/* no room for the note */
	start_ready();
	assert_true(refuses_unkept(0, "quarantine: quota is used up"));
	assert_true(refuses_unkept(1, "quarantine: quota is used up"));
	assert_int_equal(end(SIGTERM), 0);
	assert_true(said("put a message aside in "));
	assert_int_equal(count_lines("stderr"), 3);	/* no CA, ready, and this once */
	assert_int_equal(rmdir(quarantine), 0);		/* nothing in it */
	free(quarantine);
}

static void refuses_with_a_lost_quarantine(void **state)
{
	char *quarantine = path("quarantine");

	(void)state;
	conf.quarantine = quarantine;
	start_ready();
	assert_int_equal(rmdir(quarantine), 0);
	assert_true(refuses_unkept(0, "quarantine: No such file or directory"));
	assert_int_equal(mkdir(quarantine, 0700), 0);
	queue(1, infected(), 60000);
	fake_ring();
	wait_for(answered(&fake->req[1]));
	assert_null(strstr(fake->req[1].reply, "quarantined as: \"\"."));
	assert_int_equal(end(SIGTERM), 0);
	free(quarantine);
}

/* The one who had it was killed, and its lock is gone with it */
static void keeps_on_with_a_new_broker(void **state)
{
	char *quarantine = path("quarantine");
	pid_t broker;

	(void)state;
	conf.quarantine = quarantine;
	start_ready();
	broker = atomic_load(&fake->registered);
	kill(broker, SIGKILL);
	wait_for(atomic_load(&fake->registered) != broker);
	queue(0, infected(), 60000);
	fake_ring();
	wait_for(answered(&fake->req[0]));
	assert_null(strstr(fake->req[0].reply, "quarantined as: \"\"."));
	assert_int_equal(end(SIGTERM), 0);
	free(quarantine);
}

/* The broker is done with what it was at, and has looked at the bell again */
static bool heard(void)
{
	struct pollfd pfd = { .fd = fake->bell, .events = POLLIN };

	return !poll(&pfd, 1, 0);
}

static void answers_for_a_dead_worker(void **state)
{
	pid_t list[MAX_CHILDREN];

	(void)state;
	start_ready();
	signal_workers(SIGSTOP);
	queue(0, clean(), 60000);
	fake_ring();
	wait_for(atomic_load(&fake->req[0].state) == FAKE_HANDED);
	/* The worker has it by then: what it had not got would be given to another one */
	fake_ring();
	wait_for(heard());
	assert_int_equal(workers(list), WORKERS);
	for (int i = 0; i < WORKERS; i++) {
		kill(list[i], SIGKILL);
		wait_for(gone(list[i]));
	}
	wait_for(answered(&fake->req[0]));
	assert_int_equal(fake->req[0].verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	assert_string_equal(fake->req[0].reply, ss_template_default(SS_CAUSE_SCAN_FAILURE));
	queue(1, infected(), 60000);
	fake_ring();
	wait_for(answered(&fake->req[1]));
	assert_int_equal(fake->req[1].verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(end(SIGTERM), 0);
}

/* A worker that was killed while it had nothing to do costs no message */
static void does_without_dead_workers(void **state)
{
	pid_t list[MAX_CHILDREN];

	(void)state;
	start_ready();
	assert_int_equal(workers(list), WORKERS);
	kill(atomic_load(&fake->registered), SIGSTOP);
	for (int i = 0; i < WORKERS; i++) {
		kill(list[i], SIGKILL);
		wait_for(gone(list[i]));
	}
	queue(0, infected(), 60000);
	fake_ring();
	kill(atomic_load(&fake->registered), SIGCONT);
	wait_for(answered(&fake->req[0]));
	assert_int_equal(fake->req[0].verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(fake->req[0].attempt, 1);
	assert_int_equal(end(SIGTERM), 0);
}

static void kills_a_late_worker(void **state)
{
	(void)state;
	start_ready();
	signal_workers(SIGSTOP);
	queue(0, clean(), 200);
	fake_ring();
	wait_for(answered(&fake->req[0]));
	assert_int_equal(fake->req[0].verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	wait_for(said("scan worker took too long"));
	signal_workers(SIGCONT);
	queue(1, clean(), 60000);
	fake_ring();
	wait_for(answered(&fake->req[1]));
	assert_int_equal(fake->req[1].verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_int_equal(end(SIGTERM), 0);
}

static void starts_the_broker_again(void **state)
{
	pid_t list[MAX_CHILDREN], first;

	(void)state;
	start_ready();
	first = atomic_load(&fake->registered);
	signal_workers(SIGSTOP);
	assert_int_equal(workers(list), WORKERS);
	queue(0, clean(), 60000);
	fake_ring();
	wait_for(atomic_load(&fake->req[0].state) == FAKE_HANDED);
	kill(first, SIGKILL);
	wait_for(gone(first));
	atomic_store(&fake->req[0].state, FAKE_QUEUED);	/* as the kernel does */
	wait_for(atomic_load(&fake->registered) != first);
	wait_for(answered(&fake->req[0]));
	assert_int_equal(fake->req[0].verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_int_equal(fake->req[0].attempt, 2);
	assert_true(said("broker died"));
	/* Stopped as they are they do not end by themselves */
	for (int i = 0; i < WORKERS; i++)
		wait_for(gone(list[i]));
	assert_int_equal(end(SIGTERM), 0);
}

static void starts_the_scanner_again(void **state)
{
	pid_t first, old;

	(void)state;
	start_ready();
	first = scanner_pid();
	old = atomic_load(&fake->registered);
	kill(first, SIGKILL);
	wait_for(atomic_load(&fake->registered) != old);
	queue(0, infected(), 60000);
	fake_ring();
	wait_for(answered(&fake->req[0]));
	assert_int_equal(fake->req[0].verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(end(SIGTERM), 0);
}

static void does_not_try_for_ever(void **state)
{
	struct json_object *obj;

	(void)state;
	fake->req[0].attempt = 2;
	queue(0, clean(), 60000);
	start_ready();
	wait_for(answered(&fake->req[0]));
	assert_int_equal(fake->req[0].verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	wait_for(count_lines("av.log") == 1);
	obj = record(0);
	assert_string_equal(field(obj, "eventtype"), "scanerror");
	assert_string_equal(field(obj, "action"), "tempfail");
	json_object_put(obj);
	assert_int_equal(end(SIGTERM), 0);
}

static void tells_of_late_verdicts(void **state)
{
	struct json_object *obj;

	(void)state;
	atomic_store(&fake->late, true);
	start_ready();
	queue(0, clean(), 60000);
	fake_ring();
	wait_for(count_lines("av.log") == 1);
	obj = record(0);
	assert_string_equal(field(obj, "action"), "tempfail");
	assert_string_equal(field(obj, "error"), "the verdict came too late");
	json_object_put(obj);
	assert_int_equal(end(SIGTERM), 0);
}

static void dies_as_a_whole(void **state)
{
	pid_t list[MAX_CHILDREN], broker, parent;

	(void)state;
	start_ready();
	assert_int_equal(workers(list), WORKERS);
	parent = scanner_pid();
	broker = atomic_load(&fake->registered);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	end(SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	assert_true(gone(parent) && gone(broker));
	for (int i = 0; i < WORKERS; i++)
		assert_true(gone(list[i]));
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* Also those that hang. It is killed first where memory is short, being the largest. */
static void workers_die_with_the_scanner(void **state)
{
	pid_t list[MAX_CHILDREN];

	(void)state;
	start_ready();
	signal_workers(SIGSTOP);
	assert_int_equal(workers(list), WORKERS);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	kill(scanner_pid(), SIGKILL);
	for (int i = 0; i < WORKERS; i++)
		wait_for(waitpid(list[i], NULL, WNOHANG) == list[i]);
	assert_int_equal(end(SIGTERM), 0);
}

/* What was left is a child of the test */
static int end_what_is_left(void **state)
{
	pid_t list[MAX_CHILDREN];

	for (int n = children_of(getpid(), "ss-worker", list); n--;) {
		kill(list[n], SIGKILL);
		waitpid(list[n], NULL, 0);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	return teardown(state);
}

static bool has_no_core(pid_t pid)
{
	char file[64], line[256];
	bool none = false;
	FILE *f;

	snprintf(file, sizeof(file), "/proc/%d/limits", pid);
	f = fopen(file, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long soft, hard;

		none |= sscanf(line, "Max core file size %lu %lu", &soft, &hard) == 2 &&
			!soft && !hard;
	}
	fclose(f);
	return none;
}

/* It would have mail in it */
static void leaves_no_core(void **state)
{
	struct rlimit before, room;
	pid_t list[MAX_CHILDREN];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_CORE, &before), 0);
	room.rlim_max = before.rlim_max ?: RLIM_INFINITY;
	room.rlim_cur = room.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_CORE, &room), 0);
	start_ready();
	setrlimit(RLIMIT_CORE, &before);
	assert_true(has_no_core(atomic_load(&fake->registered)));
	assert_true(has_no_core(scanner_pid()));
	assert_int_equal(workers(list), WORKERS);
	/* Those have had a name before */
	for (int i = 0; i < WORKERS; i++)
		wait_for(has_no_core(list[i]));
	assert_int_equal(end(SIGTERM), 0);
}

/* A named pipe that is full. Return: its end that can be read. */
static int make_full_pipe(const char *p)
{
	static char octets[4096];
	int fd;

	assert_int_equal(mkfifo(p, 0600), 0);
	fd = open(p, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	while (write(fd, octets, sizeof(octets)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	return fd;
}

static void empty(int fd)
{
	static char octets[65536];

	while (read(fd, octets, sizeof(octets)) > 0)
		;
}

static void expect_verdict(int n)
{
	queue(n, infected(), 60000);
	fake_ring();
	wait_for(answered(&fake->req[n]));
	assert_int_equal(fake->req[n].verdict, SMTPSPLICE_VERDICT_REJECT);
}

static void N6_opens_the_log_anew(void **state)
{
	static const int signals[] = { SIGUSR1, SIGHUP };
	char *from = path("av.log"), *to = path("av.log.1");
	pid_t scanner;

	(void)state;
	start_ready();
	scanner = scanner_pid();
	for (int i = 0; i < 2; i++) {
		queue(2 * i, clean(), 60000);
		fake_ring();
		wait_for(count_lines("av.log") == 1 + i);
		assert_int_equal(rename(from, to), 0);
		kill(helper, signals[i]);
		wait_for(!access(from, F_OK));
		queue(2 * i + 1, clean(), 60000);
		fake_ring();
		wait_for(count_lines("av.log") == 1);
		assert_int_equal(count_lines("av.log.1"), 1 + i);
		if (signals[i] == SIGHUP)
			wait_for(said("the databases have not changed"));
		else	/* That is all that who rotates logs has asked for */
			assert_false(said("the databases have not changed"));
	}
	assert_int_equal(scanner_pid(), scanner);
	assert_false(said("reloaded"));
	assert_int_equal(end(SIGTERM), 0);
	free(from);
	free(to);
}

/* Sent to all of them, as "pkill" does, a signal that is the supervisor's ends none */
static void N6_signals_to_all_end_nobody(void **state)
{
	pid_t list[MAX_CHILDREN], broker, scanner;

	(void)state;
	start_ready();
	broker = atomic_load(&fake->registered);
	scanner = scanner_pid();
	assert_int_equal(workers(list), WORKERS);
	for (int i = 0; i < WORKERS; i++) {
		kill(list[i], SIGUSR1);
		kill(list[i], SIGHUP);
	}
	kill(scanner, SIGUSR1);
	kill(scanner, SIGHUP);
	kill(broker, SIGUSR1);
	kill(broker, SIGHUP);
	kill(helper, SIGUSR1);
	for (int i = 0; i < 10; i++)
		expect_verdict(i);
	assert_int_equal(atomic_load(&fake->registered), broker);
	assert_int_equal(scanner_pid(), scanner);
	for (int i = 0; i < WORKERS; i++)
		assert_false(gone(list[i]));
	assert_int_equal(end(SIGTERM), 0);
}

static void N5_log_that_nobody_reads_holds_up_nobody(void **state)
{
	static char line[65536];
	char *log = path("av.log");
	int fd = make_full_pipe(log);
	pid_t broker;

	(void)state;
	start_ready();
	broker = atomic_load(&fake->registered);
	expect_verdict(0);
	wait_for(said("cannot write to "));
	expect_verdict(1);
	/* Those before are lost, those to come are not */
	empty(fd);
	expect_verdict(2);
	wait_for(read(fd, line, sizeof(line) - 1) > 0 && strstr(line, "\"sessionid\":2,"));
	/* Who has read it is gone */
	close(fd);
	expect_verdict(3);
	expect_verdict(4);
	assert_int_equal(atomic_load(&fake->registered), broker);
	assert_int_equal(end(SIGTERM), 0);
	free(log);
}

static void N5_stderr_that_nobody_reads_holds_up_nobody(void **state)
{
	char *err = path("stderr");
	int fd = make_full_pipe(err);
	pid_t list[MAX_CHILDREN], broker;

	(void)state;
	conf.log = "-";
	start_ready();
	expect_verdict(0);
	/* There is something to say */
	assert_int_equal(workers(list), WORKERS);
	for (int i = 0; i < WORKERS; i++) {
		kill(list[i], SIGKILL);
		wait_for(gone(list[i]));
	}
	expect_verdict(1);
	broker = atomic_load(&fake->registered);
	kill(broker, SIGKILL);
	wait_for(gone(broker));
	expect_verdict(2);
	assert_int_equal(end(SIGTERM), 0);
	close(fd);
	free(err);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(gives_verdicts),
		T(takes_many),
		T(keeps_what_is_infected),
		T(refuses_with_a_full_quarantine),
		T(refuses_with_a_lost_quarantine),
		T(keeps_on_with_a_new_broker),
		T(answers_for_a_dead_worker),
		T(does_without_dead_workers),
		T(kills_a_late_worker),
		T(starts_the_broker_again),
		T(starts_the_scanner_again),
		T(does_not_try_for_ever),
		T(tells_of_late_verdicts),
		T(dies_as_a_whole),
		cmocka_unit_test_setup_teardown(workers_die_with_the_scanner, setup,
						end_what_is_left),
		T(leaves_no_core),
		T(N6_opens_the_log_anew),
		T(N6_signals_to_all_end_nobody),
		T(N5_log_that_nobody_reads_holds_up_nobody),
		T(N5_stderr_that_nobody_reads_holds_up_nobody),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
