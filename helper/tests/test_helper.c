// SPDX-License-Identifier: GPL-2.0
/*
 * The processes of the helper, against a kernel that is a fake.
 */
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca.h"
#include "fake_tls.h"
#include "mail.h"
#include "template.h"

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
	assert_string_equal(fake->req[2].reply, ss_template_default(SS_TEMPLATE_PARTIAL));

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
	assert_int_equal(end(SIGINT), 0);
	assert_int_equal(count_lines("av.log"), 40);
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

static void answers_for_a_dead_worker(void **state)
{
	pid_t list[MAX_CHILDREN];

	(void)state;
	start_ready();
	signal_workers(SIGSTOP);
	queue(0, clean(), 60000);
	fake_ring();
	wait_for(atomic_load(&fake->req[0].state) == FAKE_HANDED);
	assert_int_equal(workers(list), WORKERS);
	for (int i = 0; i < WORKERS; i++) {
		kill(list[i], SIGKILL);
		wait_for(gone(list[i]));
	}
	wait_for(answered(&fake->req[0]));
	assert_int_equal(fake->req[0].verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	assert_string_equal(fake->req[0].reply, ss_template_default(SS_TEMPLATE_SCAN_FAILURE));
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
	pid_t first;

	(void)state;
	start_ready();
	first = atomic_load(&fake->registered);
	signal_workers(SIGSTOP);
	queue(0, clean(), 60000);
	fake_ring();
	wait_for(atomic_load(&fake->req[0].state) == FAKE_HANDED);
	kill(first, SIGKILL);
	atomic_store(&fake->req[0].state, FAKE_QUEUED);	/* as the kernel does */
	wait_for(atomic_load(&fake->registered) != first);
	wait_for(answered(&fake->req[0]));
	assert_int_equal(fake->req[0].verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_int_equal(fake->req[0].attempt, 2);
	assert_true(said("broker died"));
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

static void opens_the_log_anew(void **state)
{
	char *from = path("av.log"), *to = path("av.log.1");

	(void)state;
	start_ready();
	queue(0, clean(), 60000);
	fake_ring();
	wait_for(count_lines("av.log") == 1);
	assert_int_equal(rename(from, to), 0);
	kill(helper, SIGHUP);
	wait_for(!access(from, F_OK));
	queue(1, clean(), 60000);
	fake_ring();
	wait_for(count_lines("av.log") == 1);
	assert_int_equal(count_lines("av.log.1"), 1);
	assert_int_equal(end(SIGTERM), 0);
	free(from);
	free(to);
}

/* -- handshakes ----------------------------------------------------------- */

static void make_ca(void)
{
	char err[256];

	assert_int_equal(ss_ca_create(ca_path, &(struct ss_ca_names){}, err, sizeof(err)), 0);
}

static void start_with_tls(void)
{
	make_ca();
	start_ready();
	wait_for(atomic_load(&fake_tls->pid));
}

static struct fake_handshake *queue_handshake(int n)
{
	struct fake_handshake *hs = &fake->hs[n];

	hs->timeout = 60000;
	atomic_store(&hs->state, FAKE_QUEUED);
	return hs;
}

static bool done(int n)
{
	return atomic_load(&fake->hs[n].state) == FAKE_ANSWERED;
}

static void ring_tls(void)
{
	atomic_store(&fake->tls_bell, true);
	fake_ring();
}

/* A handshake is inspected, so the tls process works */
static void expect_inspected(int n)
{
	atomic_store(&fake_tls->mode, FAKE_TLS_ANSWER);
	queue_handshake(n);
	ring_tls();
	wait_for(done(n));
	assert_int_equal(fake->hs[n].result, SMTPSPLICE_TLS_RESULT_INSPECTED);
}

static void expect_failed(int n, const char *text)
{
	wait_for(done(n));
	assert_int_equal(fake->hs[n].result, SMTPSPLICE_TLS_RESULT_FAILED);
	assert_int_equal(fake->hs[n].cause, SMTPSPLICE_TLS_CAUSE_HELPER);
	assert_string_equal(fake->hs[n].text, text);
}

static void expect_scan(int n)
{
	queue(n, infected(), 60000);
	fake_ring();
	wait_for(answered(&fake->req[n]));
	assert_int_equal(fake->req[n].verdict, SMTPSPLICE_VERDICT_REJECT);
}

/* How many descriptors of a process are the socket that this one has as @fd */
static int count_fds(pid_t pid, int fd)
{
	char file[64], want[64] = "", have[64];
	struct dirent *entry;
	int n = 0;
	DIR *d;

	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	assert_true(readlink(file, want, sizeof(want) - 1) > 0);
	snprintf(file, sizeof(file), "/proc/%d/fd", pid);
	d = opendir(file);
	assert_non_null(d);
	while ((entry = readdir(d))) {
		ssize_t len = readlinkat(dirfd(d), entry->d_name, have, sizeof(have) - 1);

		have[len > 0 ? len : 0] = '\0';
		n += !strcmp(have, want);
	}
	closedir(d);
	return n;
}

static void hands_handshakes_over(void **state)
{
	char octet;

	(void)state;
	snprintf(fake_tls->answer.server_name, 16, "mail.example");
	snprintf(fake_tls->answer.version, 16, "TLS1.3");
	snprintf(fake_tls->answer.cipher, 16, "AES-\n");
	start_with_tls();
	assert_int_equal(atomic_load(&fake->roles), SMTPSPLICE_ROLE_SCAN | SMTPSPLICE_ROLE_TLS);
	expect_inspected(7);
	assert_string_equal(fake->hs[7].server_name, "mail.example");
	assert_string_equal(fake->hs[7].version, "TLS1.3");
	assert_string_equal(fake->hs[7].cipher, "AES-?");
	assert_int_equal(atomic_load(&fake_tls->session), 7);
	assert_int_equal(recv(peers[0], &octet, 1, MSG_DONTWAIT), 1);
	assert_int_equal(octet, 'c');
	assert_int_equal(recv(peers[1], &octet, 1, MSG_DONTWAIT), 1);
	assert_int_equal(octet, 's');
	/* But for those that all processes of this test have */
	assert_int_equal(count_fds(atomic_load(&fake->registered), FAKE_CLIENT_FD), 1);
	assert_int_equal(count_fds(atomic_load(&fake->registered), FAKE_SERVER_FD), 1);
	assert_int_equal(count_lines("av.log"), 0);
	assert_int_equal(end(SIGTERM), 0);
}

static void takes_many_handshakes(void **state)
{
	(void)state;
	for (int i = 0; i < FAKE_HANDSHAKES; i++)
		queue_handshake(i);
	start_with_tls();	/* no bell: it has to ask by itself */
	for (int i = 0; i < FAKE_HANDSHAKES; i++) {
		wait_for(done(i));
		assert_int_equal(fake->hs[i].result, SMTPSPLICE_TLS_RESULT_INSPECTED);
	}
	assert_int_equal(end(SIGTERM), 0);
}

static void expect_record(int n, const char *subtype, const char *action,
			  const char *reason, const char *msg)
{
	struct json_object *obj;

	wait_for(count_lines("av.log") == n + 1);
	obj = record(n);
	assert_string_equal(field(obj, "type"), "ssl");
	assert_string_equal(field(obj, "subtype"), subtype);
	assert_string_equal(field(obj, "action"), action);
	assert_string_equal(field(obj, "reason"), reason);
	assert_string_equal(field(obj, "msg"), msg);
	assert_string_equal(field(obj, "policy"), "mail-in");
	assert_string_equal(field(obj, "srcip"), "10.0.1.2");
	assert_string_equal(field(obj, "srcport"), "40000");
	assert_string_equal(field(obj, "dstip"), "fd00::2");
	assert_string_equal(field(obj, "dstport"), "25");
	json_object_put(obj);
}

static void logs_what_is_not_inspected(void **state)
{
	static const struct {
		uint32_t result, cause;
		const char *text, *subtype, *action, *reason, *msg;
	} cases[] = {
		{ SMTPSPLICE_TLS_RESULT_FAILED, SMTPSPLICE_TLS_CAUSE_EXPIRED, "since\nlong",
		  "ssl-anomaly", "blocked", "expired", "since\nlong" },
		{ SMTPSPLICE_TLS_RESULT_BYPASSED, SMTPSPLICE_TLS_CAUSE_EXEMPT, "",
		  "ssl-exempt", "exempt", "exempt", "TLS was passed on unscanned." },
		{ SMTPSPLICE_TLS_RESULT_FAILED, SMTPSPLICE_TLS_CAUSE_CLIENT, "unknown ca",
		  "ssl-handshake", "blocked", "client", "unknown ca" },
	};

	(void)state;
	start_with_tls();
	expect_inspected(100);
	for (int i = 0; i < 3; i++) {
		fake_tls->answer.result = cases[i].result;
		fake_tls->answer.cause = cases[i].cause;
		strcpy(fake_tls->answer.text, cases[i].text);
		queue_handshake(i);
		ring_tls();
		wait_for(done(i));
		assert_int_equal(fake->hs[i].result, cases[i].result);
		assert_int_equal(fake->hs[i].cause, cases[i].cause);
		expect_record(i, cases[i].subtype, cases[i].action, cases[i].reason,
			      cases[i].msg);
	}
	assert_int_equal(end(SIGTERM), 0);
}

static void answers_for_a_dead_tls_process(void **state)
{
	pid_t broker, first;

	(void)state;
	atomic_store(&fake_tls->mode, FAKE_TLS_HOLD);
	start_with_tls();
	broker = atomic_load(&fake->registered);
	first = atomic_load(&fake_tls->pid);
	for (int i = 0; i < 5; i++)
		queue_handshake(i);
	ring_tls();
	wait_for(atomic_load(&fake_tls->jobs) == 5);
	kill(first, SIGKILL);
	for (int i = 0; i < 5; i++)
		expect_failed(i, "tls process died");
	wait_for(said("tls process died (Killed), starting it again"));
	expect_scan(0);
	expect_inspected(5);
	assert_int_not_equal(atomic_load(&fake_tls->pid), first);
	assert_int_equal(atomic_load(&fake->registered), broker);
	wait_for(count_lines("av.log") == 6);
	assert_int_equal(end(SIGTERM), 0);
}

/* It is not the broker's to judge what a tls process that lies meant */
static void kills_a_tls_process_that_talks_nonsense(void **state)
{
	pid_t broker;

	(void)state;
	start_with_tls();
	broker = atomic_load(&fake->registered);
	for (int mode = FAKE_TLS_WRONG_COOKIE; mode <= FAKE_TLS_WITH_FD; mode++) {
		pid_t old = atomic_load(&fake_tls->pid);

		atomic_store(&fake_tls->mode, mode);
		queue_handshake(mode);
		ring_tls();
		expect_failed(mode, "tls process gave nonsense");
		wait_for(gone(old));
		expect_inspected(100 + mode);
	}
	assert_true(said("tls process gave nonsense"));
	assert_int_equal(atomic_load(&fake->registered), broker);
	assert_int_equal(end(SIGTERM), 0);
}

/* The first answer is good, and stays so */
static void takes_no_second_answer(void **state)
{
	pid_t old;

	(void)state;
	start_with_tls();
	old = atomic_load(&fake_tls->pid);
	atomic_store(&fake_tls->mode, FAKE_TLS_TWICE);
	queue_handshake(0);
	ring_tls();
	wait_for(gone(old));
	assert_true(done(0));
	assert_int_equal(fake->hs[0].result, SMTPSPLICE_TLS_RESULT_INSPECTED);
	expect_inspected(1);
	assert_int_equal(end(SIGTERM), 0);
}

static void scans_without_a_ca(void **state)
{
	(void)state;
	queue_handshake(0);
	start_ready();
	assert_int_equal(atomic_load(&fake->roles), SMTPSPLICE_ROLE_SCAN);
	wait_for(said(": TLS is not inspected (see smtpsplice ca init)"));
	ring_tls();
	expect_scan(0);
	assert_int_equal(atomic_load(&fake->hs[0].state), FAKE_QUEUED);
	assert_int_equal(atomic_load(&fake_tls->pid), 0);
	assert_int_equal(end(SIGTERM), 0);
}

static void tells_of_late_handshakes(void **state)
{
	pid_t broker, tls;

	(void)state;
	start_with_tls();
	broker = atomic_load(&fake->registered);
	tls = atomic_load(&fake_tls->pid);
	atomic_store(&fake->late, true);
	queue_handshake(0);
	ring_tls();
	expect_record(0, "ssl-handshake", "blocked", "timeout",
		      "the handshakes were done too late");
	atomic_store(&fake->late, false);
	expect_inspected(1);
	assert_int_equal(atomic_load(&fake->registered), broker);
	assert_int_equal(atomic_load(&fake_tls->pid), tls);
	assert_int_equal(end(SIGTERM), 0);
}

static void fails_what_the_kernel_refuses(void **state)
{
	(void)state;
	atomic_store(&fake->refuse, true);
	start_with_tls();
	queue_handshake(0);
	ring_tls();
	expect_failed(0, "no kTLS");
	expect_record(0, "ssl-handshake", "blocked", "helper", "no kTLS");
	assert_int_equal(end(SIGTERM), 0);
}

static void bounds_handshakes(void **state)
{
	(void)state;
	atomic_store(&fake_tls->mode, FAKE_TLS_HOLD);
	start_with_tls();
	for (int i = 0; i < FAKE_HANDSHAKES; i++)
		queue_handshake(i);
	ring_tls();
	wait_for(atomic_load(&fake_tls->jobs) == 1024);
	ring_tls();
	expect_scan(0);
	assert_int_equal(atomic_load(&fake->handed), 1024);
	assert_int_equal(end(SIGTERM), 0);
}

static void does_not_wait_for_a_full_socket(void **state)
{
	pid_t broker;
	int handed;

	(void)state;
	start_with_tls();
	broker = atomic_load(&fake->registered);
	kill(atomic_load(&fake_tls->pid), SIGSTOP);
	for (int i = 0; i < FAKE_HANDSHAKES; i++)
		queue_handshake(i);
	ring_tls();
	expect_scan(0);
	handed = atomic_load(&fake->handed);
	assert_in_range(handed, 1, 1023);
	kill(atomic_load(&fake_tls->pid), SIGCONT);
	for (int i = 0; i < FAKE_HANDSHAKES; i++) {
		wait_for(done(i));
		assert_int_equal(fake->hs[i].result, SMTPSPLICE_TLS_RESULT_INSPECTED);
	}
	assert_int_equal(atomic_load(&fake->registered), broker);
	assert_int_equal(end(SIGTERM), 0);
}

static void starts_tls_with_a_new_broker(void **state)
{
	pid_t broker, tls;

	(void)state;
	start_with_tls();
	broker = atomic_load(&fake->registered);
	tls = atomic_load(&fake_tls->pid);
	kill(broker, SIGKILL);
	wait_for(gone(tls));
	wait_for(atomic_load(&fake->registered) != broker);
	expect_inspected(0);
	expect_scan(0);
	assert_int_equal(end(SIGTERM), 0);
}

static void scans_on_with_a_spoilt_ca(void **state)
{
	(void)state;
	start_with_tls();
	atomic_store(&fake_tls->mode, FAKE_TLS_USELESS);
	kill(atomic_load(&fake_tls->pid), SIGKILL);
	wait_for(said("tls process ended with status 2, starting it again"));
	expect_scan(0);
	expect_inspected(0);
	assert_int_equal(end(SIGTERM), 0);
}

static void tls_dies_with_the_rest(void **state)
{
	pid_t tls;

	(void)state;
	start_with_tls();
	tls = atomic_load(&fake_tls->pid);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	end(SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	assert_true(gone(tls));
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* -- bad configurations --------------------------------------------------- */

static void expect_refusal(const char *line)
{
	int status;

	start();
	status = end(0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
	if (!said(line)) {
		char *text = read_file("stderr");

		print_message("# %s", text);
		free(text);
		fail();
	}
	assert_int_equal(count_lines("stderr"), 1);
}

static void tells_of_another_helper(void **state)
{
	(void)state;
	atomic_store(&fake->busy, true);
	expect_refusal("another helper is registered in this network namespace: role scan is taken");
}

static void tells_of_a_missing_database(void **state)
{
	(void)state;
	conf.database = "/nonexistent/db";
	expect_refusal("database /nonexistent/db: No such file or directory");
}

static void tells_of_an_empty_database(void **state)
{
	(void)state;
	conf.database = dir;
	expect_refusal("database ");
}

static void tells_of_a_bad_database(void **state)
{
	char *bad = path("bad.ndb");
	int fd = open(bad, O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write(fd, "nonsense\n", 9), 9);
	close(fd);
	conf.database = dir;
	expect_refusal("database ");
	free(bad);
}

static void tells_of_a_bad_log(void **state)
{
	(void)state;
	conf.log = "/nonexistent/dir/av.log";
	expect_refusal("log /nonexistent/dir/av.log: ");
}

static void tells_of_a_bad_quarantine(void **state)
{
	(void)state;
	conf.quarantine = "/nonexistent/dir";
	expect_refusal("quarantine /nonexistent/dir: No such file or directory");
}

/* Others may have started before it has read the CA */
static void tells_of_a_bad_ca(void **state)
{
	int status;

	(void)state;
	make_ca();
	atomic_store(&fake_tls->mode, FAKE_TLS_USELESS);
	start();
	status = end(0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
	assert_true(said(": it is of no use"));
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
		T(opens_the_log_anew),
		T(hands_handshakes_over),
		T(takes_many_handshakes),
		T(logs_what_is_not_inspected),
		T(answers_for_a_dead_tls_process),
		T(kills_a_tls_process_that_talks_nonsense),
		T(takes_no_second_answer),
		T(scans_without_a_ca),
		T(tells_of_late_handshakes),
		T(fails_what_the_kernel_refuses),
		T(bounds_handshakes),
		T(does_not_wait_for_a_full_socket),
		T(starts_tls_with_a_new_broker),
		T(scans_on_with_a_spoilt_ca),
		T(tls_dies_with_the_rest),
		T(tells_of_a_bad_ca),
		T(tells_of_another_helper),
		T(tells_of_a_missing_database),
		T(tells_of_an_empty_database),
		T(tells_of_a_bad_database),
		T(tells_of_a_bad_log),
		T(tells_of_a_bad_quarantine),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
