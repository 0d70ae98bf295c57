// SPDX-License-Identifier: GPL-2.0
/*
 * Handshakes by way of the helper's processes, against a kernel and a tls process
 * that are fakes.
 */
#include "tests/support/harness.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/fake_tls.h"

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
static int count_same(pid_t pid, int fd)
{
	char file[64], name[64] = "";

	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	assert_true(readlink(file, name, sizeof(name) - 1) > 0);
	return count_fds(pid, name);
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
	assert_int_equal(count_same(atomic_load(&fake->registered), FAKE_CLIENT_FD), 1);
	assert_int_equal(count_same(atomic_load(&fake->registered), FAKE_SERVER_FD), 1);
	assert_int_equal(count_lines("av.log"), 0);
	assert_int_equal(end(SIGTERM), 0);
}

static void put_secrets(struct ss_tls_secrets *s, uint32_t size, char recv, char send)
{
	s->size = size;
	memset(s->recv, recv, size);
	memset(s->send, send, size);
}

/* As put_secrets() says it, each of @size octets */
static void expect_secrets(const struct fake_secrets *s, int size, char recv, char send)
{
	assert_int_equal(s->len, 2 * size);
	for (int i = 0; i < size; i++) {
		assert_int_equal(s->octets[i], recv);
		assert_int_equal(s->octets[size + i], send);
	}
}

/* The kernel makes the next keys of each leg and direction of them */
static void hands_secrets_over(void **state)
{
	(void)state;
	put_secrets(&fake_tls->answer.client, 32, 'a', 'b');
	put_secrets(&fake_tls->answer.server, 48, 'c', 'd');
	start_with_tls();
	expect_inspected(0);
	expect_secrets(&fake->hs[0].client, 32, 'a', 'b');
	expect_secrets(&fake->hs[0].server, 48, 'c', 'd');
	/* TLS 1.2 of the client */
	fake_tls->answer.client.size = 0;
	expect_inspected(1);
	assert_int_equal(fake->hs[1].client.len, 0);
	expect_secrets(&fake->hs[1].server, 48, 'c', 'd');
	assert_int_equal(end(SIGTERM), 0);
}

/* It is the process that strangers talk to: what it does not have they cannot get by it */
static void tls_process_has_its_own_socket_only(void **state)
{
	(void)state;
	start_with_tls();
	assert_int_equal(count_sockets(atomic_load(&fake_tls->pid)), 1);
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
	put_secrets(&fake_tls->answer.client, 32, 'a', 'b');
	put_secrets(&fake_tls->answer.server, 32, 'c', 'd');
	start_with_tls();
	queue_handshake(0);
	ring_tls();
	expect_failed(0, "no kTLS");
	/* Nobody has a use for those of a session that is not to be */
	assert_int_equal(fake->hs[0].client.len, 0);
	assert_int_equal(fake->hs[0].server.len, 0);
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

/* What it makes of that is in test_tls_reload.c */
static void N6_hangup_reaches_the_tls_process(void **state)
{
	pid_t tls;

	(void)state;
	start_with_tls();
	tls = atomic_load(&fake_tls->pid);
	kill(helper, SIGUSR1);
	expect_inspected(0);
	assert_int_equal(atomic_load(&fake_tls->hangups), 0);
	kill(helper, SIGHUP);
	wait_for(atomic_load(&fake_tls->hangups) == 1);
	expect_inspected(1);
	assert_int_equal(atomic_load(&fake_tls->pid), tls);
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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(hands_handshakes_over),
		T(hands_secrets_over),
		T(tls_process_has_its_own_socket_only),
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
		T(N6_hangup_reaches_the_tls_process),
		T(starts_tls_with_a_new_broker),
		T(scans_on_with_a_spoilt_ca),
		T(tls_dies_with_the_rest),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
