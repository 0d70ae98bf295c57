// SPDX-License-Identifier: GPL-2.0
/*
 * The tls process as the broker sees it.
 */
#include "tests/support/tls_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/ipc.h"
#include "lib/process.h"
#include "tests/support/fake_ktls.h"

#define MANY	50

static void does_one(void **state)
{
	struct session s;

	(void)state;
	start();
	begin(&s, 1, NULL, NULL);
	serve(&s, 1);
	assert_int_equal(s.result.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
	assert_string_equal(s.result.server_name, PKI_HOST);
	assert_string_equal(s.result.version, "TLSv1.3");
	assert_non_null(strstr(s.result.cipher, "TLS_"));
	finish(&s);
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

static void does_many_at_once(void **state)
{
	static struct session s[MANY];

	(void)state;
	start();
	/* None gets anywhere before all have begun */
	for (int i = 0; i < MANY; i++)
		begin(&s[i], i + 1, NULL, NULL);
	serve(s, MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(s[i].result.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
		finish(&s[i]);
	}
	assert_int_equal(atomic_load(&fake_ktls->count), 2 * MANY);
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

static void has_closed_them_before(void **state)
{
	struct session s;
	char octet;

	(void)state;
	start();
	begin(&s, 1, "*.example.com", NULL);
	serve(&s, 1);
	assert_int_equal(s.result.result, SMTPSPLICE_TLS_RESULT_BYPASSED);
	assert_int_equal(s.result.cause, SMTPSPLICE_TLS_CAUSE_EXEMPT);
	/* Nobody else had them: their peers know by now */
	assert_true(recv(s.server.fd, &octet, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
	assert_true(recv(s.client.fd, &octet, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
	finish(&s);
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

/* The kernel module has the files as well: closing them ends no epoll watch */
static void forgets_what_is_done(void **state)
{
	struct session s, next;
	int keep;

	(void)state;
	start();
	begin(&s, 1, "*.example.com", &keep);
	serve(&s, 1);
	assert_int_equal(s.result.result, SMTPSPLICE_TLS_RESULT_BYPASSED);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(send(s.client.fd, "x", 1, MSG_NOSIGNAL), 1);
		peer_wait(keep, POLLIN);
		begin(&next, 1, NULL, NULL);
		serve(&next, 1);
		assert_int_equal(next.result.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
		finish(&next);
	}
	close(keep);
	finish(&s);
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

static void has_a_deadline(void **state)
{
	int client[2], server[2];
	struct ss_tls_result r;
	char octet;

	(void)state;
	start();
	peer_connect(client);
	peer_connect(server);
	assert_int_equal(send(client[0], "\x16\3\1", 3, 0), 3);
	send_job(7, 300, NULL, (int[]){ client[1], server[0] });
	receive(&r);
	assert_int_equal(r.cookie, 7);
	assert_int_equal(r.result, SMTPSPLICE_TLS_RESULT_FAILED);
	assert_int_equal(r.cause, SMTPSPLICE_TLS_CAUSE_TIMEOUT);
	close(client[1]);
	close(server[0]);
	peer_wait(server[1], POLLIN);
	assert_int_equal(recv(server[1], &octet, 1, 0), 0);
	close(client[0]);
	close(server[1]);
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

static void notes_who_has_gone(void **state)
{
	int client[2], server[2];
	struct ss_tls_result r;

	(void)state;
	start();
	peer_connect(client);
	peer_connect(server);
	assert_int_equal(send(client[0], "\x16\3\1", 3, 0), 3);
	send_job(7, WAIT_MS, NULL, (int[]){ client[1], server[0] });
	/* Nothing new to be read: peeking would not tell */
	shutdown(client[0], SHUT_WR);
	receive(&r);
	assert_int_equal(r.cause, SMTPSPLICE_TLS_CAUSE_CLIENT);
	for (int i = 0; i < 2; i++) {
		close(client[i]);
		close(server[i]);
	}
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

/*
 * With as many handshakes as there may be it asks for no more jobs, and yet hears that the
 * broker is gone: it does not have to wait until one of them is done.
 */
static void ends_with_its_broker(void **state)
{
	int client[2], server[2], fd;

	(void)state;
	files = 64;	/* for one handshake */
	start();
	files = 0;
	fd = syscall(SYS_pidfd_open, child, 0);
	assert_true(fd >= 0);
	peer_connect(client);
	peer_connect(server);
	send_job(7, 100 * WAIT_MS, NULL, (int[]){ client[1], server[0] });
	close(broker);
	broker = -1;
	peer_wait(fd, POLLIN);
	assert_int_equal(end(), SS_EXIT_AGAIN);
	for (int i = 0; i < 2; i++) {
		close(client[i]);
		close(server[i]);
	}
	close(fd);
}

static void takes_no_nonsense(void **state)
{
	static const char *const jobs[] = { "short", "12345678\xff\xff\1\0" };
	int fds[2] = { 0, 1 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		start();
		assert_int_equal(waitpid(child, &(int){ 0 }, WNOHANG) > 0, 0);
		assert_int_equal(ss_ipc_send(broker, jobs[i], i ? 12 : 5, fds, 2), 0);
		peer_wait(broker, POLLIN);
		assert_int_equal(end(), 1);
	}
	start();
	assert_int_equal(ss_ipc_send(broker, "12345678", 8, fds, 1), 0);
	peer_wait(broker, POLLIN);
	assert_int_equal(end(), 1);
}

static void needs_a_ca(void **state)
{
	struct ss_conf good = conf;

	(void)state;
	conf.ca_dir = "/nonexistent";
	start();
	peer_wait(broker, POLLIN);
	assert_int_equal(end(), SS_EXIT_USAGE);
	conf = good;
}

static gid_t group_of_memory(pid_t pid)
{
	char file[64];
	struct stat st;

	snprintf(file, sizeof(file), "/proc/%d/mem", pid);
	assert_int_equal(stat(file, &st), 0);
	return st.st_gid;
}

/* There are keys in it */
static void hides_its_memory(void **state)
{
	pid_t other;

	(void)state;
	visible = true;
	start();
	expect_cause(SMTPSPLICE_TLS_CAUSE_NONE);
	assert_int_equal(group_of_memory(child), 0);
	assert_int_equal(end(), SS_EXIT_AGAIN);
	visible = false;
	/* It is not so for who does nothing about it */
	other = fork();
	if (!other) {
		become_visible();
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(other, NULL, WUNTRACED), other);
	assert_int_equal(group_of_memory(other), OTHER_GROUP);
	kill(other, SIGKILL);
	assert_int_equal(waitpid(other, NULL, 0), other);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(does_one),
		T(does_many_at_once),
		T(has_closed_them_before),
		T(forgets_what_is_done),
		T(has_a_deadline),
		T(notes_who_has_gone),
		T(ends_with_its_broker),
		T(takes_no_nonsense),
		T(needs_a_ca),
		T(hides_its_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
