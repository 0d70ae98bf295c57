// SPDX-License-Identifier: GPL-2.0
/*
 * The tls process as the broker sees it, and sessions for it.
 */
#include "tests/support/tls_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netlink/msg.h>

#include "lib/ipc.h"
#include "tests/support/fake_ktls.h"
#include "tls/tls.h"

pid_t child;
int broker;
bool visible;
bool strict;
rlim_t files;

void become_visible(void)
{
	assert_int_equal(setegid(OTHER_GROUP), 0);
	assert_int_equal(prctl(PR_SET_DUMPABLE, 1), 0);
}

static void limit_files(void)
{
	const struct rlimit limit = { .rlim_cur = files, .rlim_max = files };

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

void start(void)
{
	int pair[2];

	assert_int_equal(ss_ipc_pair(pair), 0);
	child = fork();
	if (!child) {
		close(pair[0]);
		if (visible)
			become_visible();
		if (files)
			limit_files();
		ss_tls_run(&conf, pair[1]);
	}
	close(pair[1]);
	broker = pair[0];
}

int end(void)
{
	int status;

	close(broker);
	assert_int_equal(waitpid(child, &status, 0), child);
	child = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void send_job(uint64_t cookie, uint32_t timeout, const char *exempt, const int fds[2])
{
	struct nl_msg *msg = nlmsg_alloc_size(8192);
	struct nlattr *nest;
	struct {
		struct ss_tls_job head;
		char attrs[8192];
	} job = { .head.cookie = cookie };
	int len;

	nlmsg_put(msg, 1, 1, 100, 0, 0);
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_TIMEOUT, timeout);
	nla_put(msg, SMTPSPLICE_A_HANDSHAKE_SERVER, 4, "\x0a\0\2\2");
	nla_put_u16(msg, SMTPSPLICE_A_HANDSHAKE_SERVER_PORT, 25);
	nla_put_flag(msg, SMTPSPLICE_A_HANDSHAKE_STARTTLS);
	nest = nla_nest_start(msg, SMTPSPLICE_A_HANDSHAKE_TLS);
	if (exempt)
		nla_put_string(msg, SMTPSPLICE_A_TLS_PROFILE_EXEMPT_NAME, exempt);
	if (strict) {
		nla_put_u32(msg, SMTPSPLICE_A_TLS_PROFILE_UNTRUSTED_SERVER_CERT,
			    SMTPSPLICE_TLS_ACTION_BLOCK);
		nla_put_u32(msg, SMTPSPLICE_A_TLS_PROFILE_CERT_VALIDATION_TIMEOUT,
			    SMTPSPLICE_TLS_ACTION_BLOCK);
	}
	nla_nest_end(msg, nest);
	len = nlmsg_attrlen(nlmsg_hdr(msg), 0);
	memcpy(job.attrs, nlmsg_attrdata(nlmsg_hdr(msg), 0), len);
	nlmsg_free(msg);
	assert_int_equal(ss_ipc_send(broker, &job, sizeof(job.head) + len, fds, 2), 0);
}

void receive(struct ss_tls_result *result)
{
	int fds[SS_IPC_FDS];

	peer_wait(broker, POLLIN);
	assert_int_equal(ss_ipc_recv(broker, result, sizeof(*result), fds), 0);
	assert_true(ss_tls_result_check(result));
}

void begin(struct session *s, uint64_t cookie, const char *exempt, int *keep)
{
	int client[2], server[2];

	peer_connect(client);
	peer_connect(server);
	peer_client(&s->client, client[0], PEER_PRIORITY, PKI_HOST);
	peer_server(&s->server, server[1], PEER_PRIORITY, &leaf, 1);
	s->answered = false;
	if (keep)
		*keep = dup(client[1]);
	send_job(cookie, WAIT_MS, exempt, (int[]){ client[1], server[0] });
	close(client[1]);
	close(server[0]);
}

void finish(struct session *s)
{
	peer_free(&s->client);
	peer_free(&s->server);
}

void serve(struct session *s, unsigned int count)
{
	uint64_t end_ms = ss_process_now() + WAIT_MS;
	unsigned int left = count;

	while (left) {
		struct pollfd pfd = { .fd = broker, .events = POLLIN };
		struct ss_tls_result r;

		assert_true(ss_process_now() < end_ms);
		for (unsigned int i = 0; i < count; i++) {
			peer_step(&s[i].client);
			peer_step(&s[i].server);
		}
		if (poll(&pfd, 1, 1) != 1)
			continue;
		receive(&r);
		assert_true(r.cookie >= 1 && r.cookie <= count && !s[r.cookie - 1].answered);
		s[r.cookie - 1].result = r;
		s[r.cookie - 1].answered = true;
		left--;
	}
}

void start_heard(const char *said)
{
	int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	int saved = dup(STDERR_FILENO);

	assert_true(saved >= 0 && fd >= 0);
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	start();
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
}

char *read_text(const char *path)
{
	char *text = calloc(1, 65536);
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0 && read(fd, text, 65535) >= 0);
	close(fd);
	return text;
}

void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

char *wait_line(const char *path, int lines)
{
	uint64_t end_ms = ss_process_now() + WAIT_MS;

	for (;;) {
		char *text = read_text(path), *at = text, *last = text;
		int n = 0;

		for (; (at = strchr(at, '\n')); n++) {
			*at++ = n + 1 < lines ? '\n' : '\0';
			last = n + 1 < lines ? at : last;
		}
		if (n >= lines) {
			last = strdup(last);
			free(text);
			return last;
		}
		free(text);
		assert_true(ss_process_now() < end_ms);
		poll(NULL, 0, 5);
	}
}

void expect_cause(enum smtpsplice_tls_cause cause)
{
	struct session s;

	begin(&s, 1, NULL, NULL);
	serve(&s, 1);
	assert_int_equal(s.result.cause, cause);
	finish(&s);
}

void hang_up(void)
{
	assert_int_equal(kill(child, SIGHUP), 0);
}

int setup(void **state)
{
	(void)state;
	fake_ktls_reset();
	return 0;
}

int teardown(void **state)
{
	(void)state;
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		close(broker);
	}
	child = 0;
	return 0;
}
