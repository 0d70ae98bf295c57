// SPDX-License-Identifier: GPL-2.0
/*
 * Whole pairs of handshakes: a client and a server of GnuTLS, the gateway between
 * them, all in this process. One session at a time.
 */
#include "tests/support/session.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/process.h"
#include "tests/support/fake_ktls.h"

struct ss_tls_context *gw;
struct ss_job job;
struct peer client, server;
struct ss_intercept *pair;
int gw_client, gw_server;
struct ss_tls_result result;

static void start_with(int client_fds[2], int server_fds[2])
{
	int fds[SS_INTERCEPT_SIDES] = { client_fds[1], server_fds[0] };

	gw_client = dup(client_fds[1]);
	gw_server = dup(server_fds[0]);
	pair = ss_intercept_new(gw, &job, fds, ss_process_now());
	assert_non_null(pair);
}

void start(const char *client_priority, const char *name,
	   const char *server_priority, const struct pki *chain, unsigned int count)
{
	int client_fds[2], server_fds[2];

	peer_connect(client_fds);
	peer_connect(server_fds);
	if (client_priority)
		peer_client(&client, client_fds[0], client_priority, name);
	else
		client = (struct peer){ .fd = client_fds[0], .error = 1 };
	if (server_priority)
		peer_server(&server, server_fds[1], server_priority, chain, count);
	else
		server = (struct peer){ .fd = server_fds[1], .error = 1 };
	start_with(client_fds, server_fds);
}

void note_ends(void)
{
	struct pollfd fds[] = {
		{ .fd = gw_client, .events = POLLRDHUP },
		{ .fd = gw_server, .events = POLLRDHUP },
	};

	poll(fds, 2, 0);
	for (int side = 0; side < 2; side++)
		if (fds[side].revents & (POLLRDHUP | POLLHUP | POLLERR))
			ss_intercept_ended(pair, side);
}

/* As far as all three go. Return: whether the gateway is done. */
static bool go(void)
{
	uint64_t end = ss_process_now() + 60000;

	while (ss_process_now() < end) {
		struct pollfd fds[] = {
			{ .fd = client.fd, .events = POLLIN },
			{ .fd = server.fd, .events = POLLIN },
		};

		peer_step(&client);
		peer_step(&server);
		note_ends();
		if (ss_intercept_step(pair, ss_process_now())) {
			result = *ss_intercept_result(pair);
			ss_intercept_close(pair);
			assert_true(ss_tls_result_check(&result));
			return true;
		}
		poll(fds, 2, 1);
	}
	return false;
}

/* Let the peers hear what the gateway has said last */
static void hear(void)
{
	uint64_t end = ss_process_now() + 60000;

	while (ss_process_now() < end && client.session && !client.error && !client.done)
		peer_step(&client);
	while (ss_process_now() < end && server.session && !server.error && !server.done)
		peer_step(&server);
}

void finish(void)
{
	ss_intercept_free(pair);
	pair = NULL;
	peer_free(&client);
	peer_free(&server);
	close(gw_client);
	close(gw_server);
}

void expect(enum smtpsplice_tls_result what, enum smtpsplice_tls_cause why)
{
	assert_true(go());
	if (result.result != what || result.cause != why)
		print_message("# result %u cause %u: %s\n", result.result, result.cause,
			      result.text);
	assert_int_equal(result.result, what);
	assert_int_equal(result.cause, why);
}

void expect_inspected(void)
{
	expect(SMTPSPLICE_TLS_RESULT_INSPECTED, SMTPSPLICE_TLS_CAUSE_NONE);
	assert_string_equal(result.text, "");
	hear();
	assert_true(client.done && server.done);
}

void expect_failed(enum smtpsplice_tls_cause why, int client_alert)
{
	expect(SMTPSPLICE_TLS_RESULT_FAILED, why);
	assert_true(strlen(result.text) > 5);
	hear();
	if (client_alert < 0)
		return;
	assert_int_equal(client.error, GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(gnutls_alert_get(client.session), client_alert);
}

void expect_bypassed(enum smtpsplice_tls_cause why, size_t octets)
{
	uint8_t seen[40000];

	expect(SMTPSPLICE_TLS_RESULT_BYPASSED, why);
	/* All that the client has sent is there, and the server has seen nothing */
	if (octets)
		assert_int_equal(recv(gw_client, seen, sizeof(seen), MSG_DONTWAIT), octets);
	assert_int_equal(recv(server.fd, seen, sizeof(seen), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	/* And both are still connected */
	assert_int_equal(send(gw_client, "x", 1, 0), 1);
	assert_int_equal(send(gw_server, "x", 1, 0), 1);
}

size_t queued(void)
{
	static uint8_t seen[40000];
	ssize_t n;

	peer_step(&client);
	peer_wait(gw_client, POLLIN);
	n = recv(gw_client, seen, sizeof(seen), MSG_PEEK | MSG_DONTWAIT);
	assert_true(n > 0);
	return n;
}

int setup(void **state)
{
	char err[512];

	(void)state;
	fake_ktls_reset();
	gw = ss_tls_context_new(&conf, err, sizeof(err));
	if (!gw)
		print_message("# %s\n", err);
	memset(&job, 0, sizeof(job));
	job.cookie = 42;
	job.timeout = 60000;
	job.server_size = 4;
	memcpy(job.server, "\x0a\0\2\2", 4);
	job.server_port = 25;
	ss_tls_profile_default(&job.profile);
	return gw ? 0 : -1;
}

int teardown(void **state)
{
	(void)state;
	ss_tls_context_free(gw);
	return 0;
}
