// SPDX-License-Identifier: GPL-2.0
/*
 * The handshakes that the broker has handed to the tls process. Each that is
 * given gets exactly one result: that of the tls process, or "failed" when it
 * dies, talks nonsense or falls silent.
 *
 * Part of the broker's one thread; nothing in it waits. There is at most one
 * request that the socket had no room for, and no more is taken until it is on
 * its way, so that those behind it stay in the kernel's queue.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/tls_client.h"
#include "lib/cleanup.h"
#include "lib/ipc.h"
#include "lib/process.h"

#define MAX_IN_FLIGHT	1024
#define SPARE_FILES	128	/* that the tls process has open besides sockets */
#define BATCH		64	/* results taken before others have their turn */
#define LOOK_MS		5000
#define SLACK_MS	10000	/* behind the kernel's deadline */

static struct ss_tls_request **bucket_of(struct ss_tls_client *client, uint64_t cookie)
{
	/* Cookies are random numbers */
	return &client->bucket[cookie % SS_TLS_CLIENT_BUCKETS];
}

/* The link to the request with this cookie; to NULL where there is none */
static struct ss_tls_request **find_request(struct ss_tls_client *client, uint64_t cookie)
{
	struct ss_tls_request **link = bucket_of(client, cookie);

	while (*link && (*link)->cookie != cookie)
		link = &(*link)->next;
	return link;
}

/* Take a request out and tell its result */
static void finish_request(struct ss_tls_client *client, struct ss_tls_request **link,
			   const struct ss_tls_result *result)
{
	struct ss_tls_request *hs = *link;

	*link = hs->next;
	client->count--;
	if (client->unsent == hs)
		client->unsent = NULL;
	client->finish(client->arg, hs, result);
	ss_tls_request_free(hs);
}

static void fail_request(struct ss_tls_client *client, struct ss_tls_request **link,
			 const char *why)
{
	struct ss_tls_result result = {
		.cookie = (*link)->cookie,
		.result = SMTPSPLICE_TLS_RESULT_FAILED,
		.cause = SMTPSPLICE_TLS_CAUSE_HELPER,
	};

	snprintf(result.text, sizeof(result.text), "%s", why);
	finish_request(client, link, &result);
}

/* Answer for a tls process that is dead, which the supervisor tells, or is killed here */
static void lose_process(struct ss_tls_client *client, const char *why)
{
	if (client->sock < 0)
		return;
	if (client->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, client->pidfd, SIGKILL, NULL, 0);
	ss_cleanup_fd(&client->pidfd);
	ss_cleanup_fd(&client->sock);
	for (size_t i = 0; i < SS_TLS_CLIENT_BUCKETS; i++)
		while (client->bucket[i])
			fail_request(client, &client->bucket[i], why);
}

static void send_job(struct ss_tls_client *client, struct ss_tls_request *hs)
{
	int fds[SS_IPC_FDS] = { hs->client_fd, hs->server_fd };
	int ret = ss_ipc_post(client->sock, hs->job, hs->job_len, fds, SS_IPC_FDS);
	struct ss_tls_request **link = find_request(client, hs->cookie);

	client->unsent = ret == -EAGAIN ? hs : NULL;
	if (!ret)
		ss_tls_request_sent(hs);
	else if (ret == -EPIPE || ret == -ECONNRESET)
		lose_process(client, "tls process died");
	else if (ret != -EAGAIN && *link)	/* Out of memory, or of descriptors under way */
		fail_request(client, link, strerror(-ret));
}

void ss_tls_client_init(struct ss_tls_client *client, ss_tls_client_fn fn, void *arg)
{
	struct rlimit files;

	memset(client, 0, sizeof(*client));
	client->sock = -1;
	client->pidfd = -1;
	client->finish = fn;
	client->arg = arg;
	client->max = MAX_IN_FLIGHT;
	/* The tls process has two descriptors for each, and the same limit */
	if (!getrlimit(RLIMIT_NOFILE, &files) &&
	    files.rlim_max < SPARE_FILES + 2 * MAX_IN_FLIGHT)
		client->max = files.rlim_max > SPARE_FILES + 2 ?
			      (files.rlim_max - SPARE_FILES) / 2 : 1;
}

void ss_tls_client_attach(struct ss_tls_client *client, int sock, int pidfd)
{
	lose_process(client, "tls process died");
	client->sock = sock;
	client->pidfd = pidfd;
	client->heard = ss_process_now();
}

bool ss_tls_client_ready(const struct ss_tls_client *client)
{
	return client->sock >= 0 && !client->unsent && client->count < client->max;
}

void ss_tls_client_give(struct ss_tls_client *client, struct ss_tls_request *hs)
{
	struct ss_tls_request **link = bucket_of(client, hs->cookie);

	hs->next = *link;
	*link = hs;
	client->count++;
	send_job(client, hs);
}

short ss_tls_client_events(const struct ss_tls_client *client)
{
	return client->unsent ? POLLIN | POLLOUT : POLLIN;
}

/* Return: whether there may be more */
static bool take_result(struct ss_tls_client *client)
{
	struct ss_tls_request **link;
	struct ss_tls_result result;
	int fds[SS_IPC_FDS];
	int ret = ss_ipc_recv(client->sock, &result, sizeof(result), fds);
	bool with_fds = false;

	for (int i = 0; i < SS_IPC_FDS; i++) {
		with_fds |= fds[i] >= 0;
		ss_cleanup_fd(&fds[i]);
	}
	if (ret == -EAGAIN)
		return false;
	if (ret == -EPIPE) {
		lose_process(client, "tls process died");
		return false;
	}
	link = !ret && !with_fds && ss_tls_result_check(&result) ?
	       find_request(client, result.cookie) : NULL;
	/* A request that was not sent cannot have a result */
	if (!link || !*link || *link == client->unsent) {
		ss_process_say("tls process gave nonsense");
		lose_process(client, "tls process gave nonsense");
		return false;
	}
	client->heard = ss_process_now();
	finish_request(client, link, &result);
	explicit_bzero(&result, sizeof(result));
	return true;
}

void ss_tls_client_event(struct ss_tls_client *client, short revents)
{
	int n = BATCH;

	if (revents & POLLOUT && client->unsent)
		send_job(client, client->unsent);
	if (revents & ~POLLOUT)
		while (client->sock >= 0 && n-- && take_result(client))
			;
}

void ss_tls_client_look(struct ss_tls_client *client)
{
	uint64_t now = ss_process_now();

	if (now < client->look)
		return;
	client->look = now + LOOK_MS;
	for (size_t i = 0; i < SS_TLS_CLIENT_BUCKETS; i++) {
		struct ss_tls_request **link = &client->bucket[i];

		while (*link) {
			if (now < (*link)->received + (*link)->timeout + SLACK_MS) {
				link = &(*link)->next;
				continue;
			}
			if (client->heard < (*link)->received) {
				ss_process_say("tls process hangs");
				lose_process(client, "tls process hangs");
				return;
			}
			fail_request(client, link, "the tls process gave no answer");
		}
	}
}
