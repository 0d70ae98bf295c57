// SPDX-License-Identifier: GPL-2.0
/*
 * Handshakes as they come from the kernel, and the broker's bookkeeping of them,
 * against a tls process that is the other end of a socket.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netlink/msg.h>

#include "broker/tls_client.h"
#include "lib/cleanup.h"
#include "lib/ipc.h"
#include "lib/process.h"
#include "tests/support/mail.h"

/* Of a clock that may have begun but minutes ago: see ss_process_now() */
#define LONG_AGO	1

static struct nl_msg *msg;
static struct ss_tls_client h;
static int peer;		/* the end of the tls process */
static pid_t child;		/* stands for it */
static int finished;		/* results so far, and the last one: */
static struct ss_tls_result last;
static uint64_t stopped;	/* the time, where it does not go on */

typeof(ss_process_now) __real_ss_process_now, __wrap_ss_process_now;

uint64_t __wrap_ss_process_now(void)
{
	return stopped ?: __real_ss_process_now();
}

static void finish(void *arg, const struct ss_tls_request *hs,
		   const struct ss_tls_result *result)
{
	assert_ptr_equal(arg, &finished);
	assert_true(hs->cookie == result->cookie);
	finished++;
	last = *result;
}

static void attach(void)
{
	int pair[2];

	child = fork();
	if (!child)
		for (;;)
			pause();
	assert_int_equal(ss_ipc_pair(pair), 0);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	peer = pair[1];
	ss_tls_client_attach(&h, pair[0], syscall(SYS_pidfd_open, child, 0));
}

static void new_message(void)
{
	nlmsg_free(msg);
	msg = nlmsg_alloc_size(2 * SS_TLS_JOB_MAX);
	nlmsg_put(msg, 1, 1, 100, 0, 0);
}

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	new_message();
	finished = 0;
	stopped = 0;
	ss_tls_client_init(&h, finish, &finished);
	attach();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ss_tls_client_attach(&h, -1, -1);
	nlmsg_free(msg);
	msg = NULL;
	close(peer);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}

static int parse(struct ss_tls_request **hs)
{
	return ss_tls_request_parse(hs, nlmsg_attrdata(nlmsg_hdr(msg), 0),
				    nlmsg_attrlen(nlmsg_hdr(msg), 0));
}

static void put_fds(int fds[2])
{
	fds[0] = mail_file("c", 1);
	fds[1] = mail_file("s", 1);
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_CLIENT_FD, fds[0]);
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_SERVER_FD, fds[1]);
}

static struct ss_tls_request *make(uint64_t cookie)
{
	struct ss_tls_request *hs = NULL;
	int fds[2];

	new_message();
	put_fds(fds);
	nla_put_u64(msg, SMTPSPLICE_A_HANDSHAKE_COOKIE, cookie);
	assert_int_equal(parse(&hs), 0);
	return hs;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static bool child_killed(void)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		return false;
	child = fork();	/* for teardown() */
	if (!child)
		_exit(0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void reads_what_it_needs(void **state)
{
	struct ss_tls_request *hs = NULL;
	int fds[2];

	(void)state;
	put_fds(fds);
	nla_put_u64(msg, SMTPSPLICE_A_HANDSHAKE_COOKIE, 0x123456789abcdef0);
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_TIMEOUT, 1234);
	nla_put_u64(msg, SMTPSPLICE_A_HANDSHAKE_SESSION, 77);
	nla_put_string(msg, SMTPSPLICE_A_HANDSHAKE_POLICY, "mail-in");
	nla_put_string(msg, SMTPSPLICE_A_HANDSHAKE_IIF, "lan");
	nla_put(msg, SMTPSPLICE_A_HANDSHAKE_CLIENT, 4, "\x0a\0\1\2");
	nla_put_u16(msg, SMTPSPLICE_A_HANDSHAKE_CLIENT_PORT, 40000);
	nla_put(msg, SMTPSPLICE_A_HANDSHAKE_SERVER, 3, "abc");
	nla_put_u16(msg, SMTPSPLICE_A_HANDSHAKE_SERVER_PORT, 465);
	nla_put_u32(msg, 999, 1);
	assert_int_equal(parse(&hs), 0);
	assert_true(hs->cookie == 0x123456789abcdef0);
	assert_int_equal(hs->timeout, 1234);
	assert_int_equal(hs->flow.session, 77);
	assert_string_equal(hs->flow.policy, "mail-in");
	assert_string_equal(hs->flow.iif, "lan");
	assert_string_equal(hs->flow.client, "10.0.1.2");
	assert_int_equal(hs->flow.client_port, 40000);
	assert_string_equal(hs->flow.server, "?");
	assert_int_equal(hs->flow.server_port, 465);
	assert_int_equal(hs->client_fd, fds[0]);
	assert_int_equal(hs->server_fd, fds[1]);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(hs->job_len, sizeof(*hs->job) + nlmsg_attrlen(nlmsg_hdr(msg), 0));
	assert_true(hs->job->cookie == hs->cookie);
	assert_memory_equal(hs->job + 1, nlmsg_attrdata(nlmsg_hdr(msg), 0),
			    nlmsg_attrlen(nlmsg_hdr(msg), 0));
	ss_tls_request_free(hs);
	assert_false(is_open(fds[0]) || is_open(fds[1]));
}

static void expect_refused(const int fds[2])
{
	struct ss_tls_request *hs = NULL;

	assert_int_equal(parse(&hs), -EPROTO);
	assert_null(hs);
	assert_false(is_open(fds[0]) || is_open(fds[1]));
	new_message();
}

static void refuses_nonsense(void **state)
{
	static char large[SS_TLS_JOB_MAX - 32];
	int fds[2];

	(void)state;
	put_fds(fds);
	expect_refused(fds);
	put_fds(fds);
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_COOKIE, 1);
	expect_refused(fds);
	put_fds(fds);
	nla_put_u64(msg, SMTPSPLICE_A_HANDSHAKE_COOKIE, 1);
	nla_put_u16(msg, SMTPSPLICE_A_HANDSHAKE_TIMEOUT, 1);
	expect_refused(fds);
	put_fds(fds);
	nla_put_u64(msg, SMTPSPLICE_A_HANDSHAKE_COOKIE, 1);
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_SESSION, 1);
	expect_refused(fds);
	put_fds(fds);
	nla_put_u64(msg, SMTPSPLICE_A_HANDSHAKE_COOKIE, 1);
	nla_put(msg, SMTPSPLICE_A_HANDSHAKE_TLS, sizeof(large), large);
	expect_refused(fds);
	fds[0] = mail_file("c", 1);
	fds[1] = fds[0];
	nla_put_u64(msg, SMTPSPLICE_A_HANDSHAKE_COOKIE, 1);
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_CLIENT_FD, fds[0]);
	expect_refused(fds);
	fds[0] = mail_file("c", 1);
	fds[1] = fds[0];
	nla_put_u64(msg, SMTPSPLICE_A_HANDSHAKE_COOKIE, 1);
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_CLIENT_FD, fds[0]);
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_SERVER_FD, fds[0]);
	expect_refused(fds);
}

static void answer(uint64_t cookie)
{
	struct ss_tls_result r = { .cookie = cookie, .result = SMTPSPLICE_TLS_RESULT_INSPECTED };

	assert_int_equal(ss_ipc_send(peer, &r, sizeof(r), NULL, 0), 0);
	ss_tls_client_event(&h, POLLIN);
}

/* Cookies of one bucket, answered in any order */
static void tells_cookies_apart(void **state)
{
	static const uint64_t cookies[] = { 5, 5 + SS_TLS_CLIENT_BUCKETS, 5 + (1ull << 32) };
	static const int order[] = { 1, 0, 2 };

	(void)state;
	for (int i = 0; i < 3; i++)
		ss_tls_client_give(&h, make(cookies[i]));
	assert_int_equal(h.count, 3);
	for (int i = 0; i < 3; i++) {
		uint64_t cookie = cookies[order[i]];

		answer(cookie);
		assert_int_equal(finished, i + 1);
		assert_true(last.cookie == cookie);
		assert_int_equal(last.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
	}
	assert_int_equal(h.count, 0);
	assert_true(h.sock >= 0);
}

/* The kernel takes them back only where nobody else has them */
static void keeps_no_sockets(void **state)
{
	struct ss_tls_request *hs = make(1);
	int client = hs->client_fd, server = hs->server_fd;

	(void)state;
	assert_true(is_open(client) && is_open(server));
	ss_tls_client_give(&h, hs);
	assert_int_equal(h.count, 1);
	assert_false(is_open(client) || is_open(server));
}

/* Runs in a child: a limit that is lowered stays */
static bool has_sockets_for_all(rlim_t files)
{
	struct rlimit limit = { files, files };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		return false;
	ss_tls_client_init(&h, finish, &finished);
	return h.max && 2 * (rlim_t)h.max < files;
}

static void takes_no_more_than_there_are_sockets_for(void **state)
{
	static const rlim_t files[] = { 512, 256, 130, 64 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int status;
		pid_t pid = fork();

		if (!pid)
			_exit(!has_sockets_for_all(files[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	}
}

/* Without this the first that has no room would be lost, or wait for ever */
static void keeps_what_has_no_room(void **state)
{
	static char job[SS_TLS_JOB_MAX];
	uint64_t cookie = 1;
	int sent = 0;

	(void)state;
	assert_int_equal(ss_tls_client_events(&h), POLLIN);
	while (ss_tls_client_ready(&h))
		ss_tls_client_give(&h, make(cookie++));
	assert_non_null(h.unsent);
	assert_true(h.count < h.max);
	assert_int_equal(finished, 0);
	assert_int_equal(ss_tls_client_events(&h), POLLIN | POLLOUT);
	ss_tls_client_event(&h, POLLOUT);	/* none came free in fact */
	assert_false(ss_tls_client_ready(&h));
	while (recv(peer, job, sizeof(job), MSG_DONTWAIT) > 0)
		sent++;
	assert_int_equal(sent, h.count - 1);
	ss_tls_client_event(&h, POLLOUT);
	assert_true(ss_tls_client_ready(&h));
	answer(cookie - 1);
	assert_int_equal(finished, 1);
}

/* What it was not sent yet it cannot know */
static void takes_no_result_before_the_job(void **state)
{
	uint64_t cookie = 1;

	(void)state;
	while (ss_tls_client_ready(&h))
		ss_tls_client_give(&h, make(cookie++));
	answer(cookie - 1);
	assert_int_equal(finished, cookie - 1);
	assert_int_equal(h.count, 0);
	assert_int_equal(last.result, SMTPSPLICE_TLS_RESULT_FAILED);
	assert_string_equal(last.text, "tls process gave nonsense");
	assert_true(h.sock < 0 && !h.unsent);
	assert_true(child_killed());
}

static void fails_when_it_dies(void **state)
{
	(void)state;
	ss_tls_client_give(&h, make(1));
	close(peer);
	peer = -1;
	ss_tls_client_give(&h, make(2));	/* finds out */
	assert_int_equal(finished, 2);
	assert_int_equal(last.cause, SMTPSPLICE_TLS_CAUSE_HELPER);
	assert_string_equal(last.text, "tls process died");
	assert_false(ss_tls_client_ready(&h));
	ss_tls_client_event(&h, POLLIN);	/* of the poll() before */
	assert_true(child_killed());
	waitpid(child, NULL, 0);
	attach();
	assert_true(ss_tls_client_ready(&h));
	ss_tls_client_give(&h, make(3));
	answer(3);
	assert_int_equal(finished, 3);
	assert_int_equal(last.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
}

static void gives_up_on_the_overdue(void **state)
{
	struct ss_tls_request *old = make(1);

	(void)state;
	h.heard = ss_process_now();
	old->received = LONG_AGO;
	old->timeout = 1;
	ss_tls_client_give(&h, old);
	ss_tls_client_give(&h, make(1 + SS_TLS_CLIENT_BUCKETS));
	ss_tls_client_look(&h);
	assert_int_equal(finished, 1);
	assert_true(last.cookie == 1);
	assert_int_equal(last.result, SMTPSPLICE_TLS_RESULT_FAILED);
	assert_string_equal(last.text, "the tls process gave no answer");
	assert_true(h.sock >= 0);
}

/* It keeps the kernel's deadline, so its answer comes behind that */
static void waits_for_an_answer_at_the_deadline(void **state)
{
	struct ss_tls_request *hs = make(1);

	(void)state;
	stopped = ss_process_now();
	hs->received = stopped - 1000;
	hs->timeout = 1000;
	ss_tls_client_give(&h, hs);
	ss_tls_client_look(&h);
	assert_int_equal(finished, 0);
	answer(1);
	assert_int_equal(last.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
	assert_true(h.sock >= 0);
}

static void kills_what_hangs(void **state)
{
	struct ss_tls_request *old = make(1);

	(void)state;
	old->received = LONG_AGO;
	old->timeout = 1;
	h.heard = old->received - 1;
	ss_tls_client_give(&h, old);
	ss_tls_client_give(&h, make(2));
	ss_tls_client_look(&h);
	assert_int_equal(finished, 2);
	assert_string_equal(last.text, "tls process hangs");
	assert_true(h.sock < 0);
	assert_true(child_killed());
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(reads_what_it_needs),
		T(refuses_nonsense),
		T(tells_cookies_apart),
		T(keeps_no_sockets),
		T(takes_no_more_than_there_are_sockets_for),
		T(keeps_what_has_no_room),
		T(takes_no_result_before_the_job),
		T(fails_when_it_dies),
		T(gives_up_on_the_overdue),
		T(waits_for_an_answer_at_the_deadline),
		T(kills_what_hangs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
