// SPDX-License-Identifier: GPL-2.0
/*
 * Takes the place of tls/tls.c: a tls process that does what a test tells it, by
 * shared memory. It writes "c" to the client's socket and "s" to the server's.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netlink/attr.h>

#include "common/conf.h"
#include "lib/cleanup.h"
#include "lib/ipc.h"
#include "lib/process.h"
#include "tests/support/fake_tls.h"
#include "tls/tls.h"

struct fake_tls *fake_tls;

void fake_tls_make(void)
{
	fake_tls = mmap(NULL, sizeof(*fake_tls), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(fake_tls != MAP_FAILED);
}

/* Of proto/tls_msg.c, which looks closer: answers need not fit */
bool ss_tls_result_check(const struct ss_tls_result *r)
{
	return r->result <= SMTPSPLICE_TLS_RESULT_BYPASSED &&
	       r->cause <= SMTPSPLICE_TLS_CAUSE_HELPER &&
	       memchr(r->server_name, '\0', sizeof(r->server_name)) &&
	       memchr(r->version, '\0', sizeof(r->version)) &&
	       memchr(r->cipher, '\0', sizeof(r->cipher)) &&
	       memchr(r->text, '\0', sizeof(r->text));
}

static void answer(int sock, uint64_t cookie)
{
	struct ss_tls_result r = fake_tls->answer;
	size_t len = sizeof(r);
	int fds = 0, times = 1;

	r.cookie = cookie;
	switch (atomic_load(&fake_tls->mode)) {
	case FAKE_TLS_HOLD:
		return;
	case FAKE_TLS_WRONG_COOKIE:
		r.cookie++;
		break;
	case FAKE_TLS_BAD_RESULT:
		r.result = SMTPSPLICE_TLS_RESULT_BYPASSED + 1;
		break;
	case FAKE_TLS_SHORT:
		len /= 2;
		break;
	case FAKE_TLS_WITH_FD:
		fds = 1;
		break;
	case FAKE_TLS_TWICE:
		times = 2;
		break;
	case FAKE_TLS_DIE:
		_exit(1);
	}
	while (times--)
		ss_ipc_send(sock, &r, len, &sock, fds);
}

/* One job. Return: whether the broker is there. */
static bool take_job(int sock)
{
	static union {
		char room[SS_TLS_JOB_MAX];
		struct ss_tls_job job;
	} buf;
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = &buf, .iov_len = sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(sock, &msg, 0);
	struct nlattr *session;
	int fds[2];

	if (n <= 0)
		return false;
	assert((size_t)n > sizeof(buf.job) && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)));
	assert(msg.msg_controllen && control.hdr.cmsg_len == CMSG_LEN(sizeof(fds)));
	memcpy(fds, CMSG_DATA(&control.hdr), sizeof(fds));
	session = nla_find((void *)(&buf.job + 1), n - sizeof(buf.job),
			   SMTPSPLICE_A_HANDSHAKE_SESSION);
	assert(session);
	atomic_store(&fake_tls->session, nla_get_u64(session));
	assert(send(fds[0], "c", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno == EAGAIN);
	assert(send(fds[1], "s", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno == EAGAIN);
	close(fds[0]);
	close(fds[1]);
	atomic_fetch_add(&fake_tls->jobs, 1);
	answer(sock, buf.job.cookie);
	return true;
}

static void count_hangup(int sig)
{
	(void)sig;
	atomic_fetch_add(&fake_tls->hangups, 1);
}

void ss_tls_run(const struct ss_conf *conf, int sock)
{
	if (!fake_tls || atomic_load(&fake_tls->mode) == FAKE_TLS_USELESS) {
		ss_process_say("CA in %s: it is of no use", conf->ca_dir);
		_exit(SS_EXIT_USAGE);
	}
	signal(SIGHUP, count_hangup);
	atomic_store(&fake_tls->pid, getpid());
	while (take_job(sock))
		;
	_exit(SS_EXIT_AGAIN);
}
