// SPDX-License-Identifier: GPL-2.0
/*
 * The tls process: shakes hands for the kernel. It has the keys of the CAs, the
 * sockets that the broker sends it, and no mail.
 *
 * A single thread runs one epoll loop with many pairs of handshakes; nothing in it
 * waits. Sockets are watched edge-triggered, since a ClientHello that is only
 * peeked at leaves its socket readable: what is new is what counts. SIGHUP has it read
 * the CAs, and what servers' certificates are checked against, anew; handshakes that
 * are under way go on, and what cannot be read leaves all as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/conf.h"
#include "lib/cleanup.h"
#include "lib/ipc.h"
#include "lib/process.h"
#include "proto/tls_msg.h"
#include "tls/intercept.h"
#include "tls/job.h"
#include "tls/tls.h"

#define WHY_SIZE	512
#define EVENTS		64
#define PAIRS_MAX	1024ul	/* the broker waits with more */
#define SPARE_FDS	32ul
#define ENDED		(EPOLLRDHUP | EPOLLHUP | EPOLLERR)

struct task;

/**
 * struct watch - What an event belongs to.
 * @task: the handshakes
 * @side: which of the two sockets
 */
struct watch {
	struct task *task;
	enum ss_intercept_side side;
};

/**
 * struct task - A pair of handshakes in the loop.
 * @intercept: the handshakes
 * @fds: their sockets, for epoll alone
 * @watch: what their events point to
 * @done: the result is there, and waits to be sent
 * @next: in the list of all
 */
struct task {
	struct ss_intercept *intercept;
	int fds[SS_INTERCEPT_SIDES];
	struct watch watch[SS_INTERCEPT_SIDES];
	bool done;
	struct task *next;
};

/**
 * struct tls - The process.
 * @conf: the command line
 * @ctx: what the handshakes share
 * @signals: SIGHUP
 * @sock: to the broker
 * @epoll: what the loop waits at
 * @events: what it waits for at @sock
 * @tasks: all handshakes
 * @count: how many
 * @max: how many there may be
 * @job: the last message of the broker
 */
struct tls {
	const struct ss_conf *conf;
	struct ss_tls_context *ctx;
	int signals;
	int sock;
	int epoll;
	uint32_t events;
	struct task *tasks;
	unsigned int count;
	unsigned int max;
	union {
		struct ss_tls_job head;
		char bytes[SS_TLS_JOB_MAX];
	} job;
};

/* End on what cannot be: the supervisor starts another tls process */
static void die(const char *why) __attribute__((noreturn));

static void die(const char *why)
{
	ss_process_say("tls: %s", why);
	_exit(1);
}

static void watch_sockets(struct tls *t, struct task *task)
{
	for (int side = 0; side < SS_INTERCEPT_SIDES; side++) {
		struct epoll_event ev = {
			.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
			.data.ptr = &task->watch[side],
		};

		task->watch[side] = (struct watch){ .task = task, .side = side };
		if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, task->fds[side], &ev))
			die(strerror(errno));
	}
}

/* Closing is not enough to end the watch: the kernel module has the files too */
static void unwatch_sockets(struct tls *t, struct task *task)
{
	for (int side = 0; side < SS_INTERCEPT_SIDES; side++)
		epoll_ctl(t->epoll, EPOLL_CTL_DEL, task->fds[side], NULL);
}

static void step_task(struct tls *t, struct task *task)
{
	if (task->done || !ss_intercept_step(task->intercept, ss_process_now()))
		return;
	unwatch_sockets(t, task);
	ss_intercept_close(task->intercept);
	task->done = true;
}

static void expire_task(struct tls *t, struct task *task)
{
	ss_intercept_expire(task->intercept);
	step_task(t, task);
}

static void start_task(struct tls *t, const struct ss_job *job, const int fds[SS_IPC_FDS])
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		die("out of memory");
	memcpy(task->fds, fds, sizeof(task->fds));
	task->intercept = ss_intercept_new(t->ctx, job, fds, ss_process_now());
	if (!task->intercept)
		die("out of memory");
	task->next = t->tasks;
	t->tasks = task;
	t->count++;
	watch_sockets(t, task);
	step_task(t, task);
}

static void on_job(struct tls *t)
{
	int fds[SS_IPC_FDS];
	struct ss_job job;
	ssize_t n = ss_ipc_recv_some(t->sock, &t->job, sizeof(t->job), fds);

	if (n == -EAGAIN)
		return;
	if (n == -EPIPE)
		_exit(SS_EXIT_AGAIN);	/* the broker is gone, and tells why */
	if (n < (ssize_t)sizeof(t->job.head) || fds[0] < 0 || fds[1] < 0 ||
	    ss_job_parse(&job, (struct nlattr *)(t->job.bytes + sizeof(t->job.head)),
			 n - sizeof(t->job.head)))
		die("the broker sent a job that is none");
	job.cookie = t->job.head.cookie;
	start_task(t, &job, fds);
}

static void on_signal(struct tls *t)
{
	struct signalfd_siginfo info;
	char why[WHY_SIZE];

	if (read(t->signals, &info, sizeof(info)) < 0)
		return;
	if (ss_tls_context_reload(t->ctx, t->conf, why, sizeof(why)))
		ss_process_say("reload failed, CAs and revocation lists stay as they were: %s",
			       why);
	else
		ss_process_say("reloaded: CAs and revocation lists");
}

static void on_event(struct tls *t, const struct epoll_event *ev)
{
	struct watch *w = ev->data.ptr;

	if (ev->data.ptr == &t->signals) {
		on_signal(t);
		return;
	}
	if (!w) {
		if (ev->events & (EPOLLIN | EPOLLHUP))
			on_job(t);
		return;
	}
	if (ev->events & ENDED)
		ss_intercept_ended(w->task->intercept, w->side);
	step_task(t, w->task);
}

/* Send the result. Return: whether there was room for it. */
static bool report_result(struct tls *t, const struct task *task)
{
	int ret = ss_ipc_send(t->sock, ss_intercept_result(task->intercept),
			      sizeof(struct ss_tls_result), NULL, 0);

	if (ret == -EPIPE)
		_exit(SS_EXIT_AGAIN);	/* the broker is gone, and tells why */
	if (ret && ret != -EAGAIN)
		die(strerror(-ret));
	return !ret;
}

/* Report what is done. Return: whether some of it has to wait. */
static bool reap_tasks(struct tls *t)
{
	struct task **at = &t->tasks;
	bool full = false;

	while (*at) {
		struct task *task = *at;

		if (task->done && !full && !report_result(t, task))
			full = true;
		if (!task->done || full) {
			at = &task->next;
			continue;
		}
		*at = task->next;
		t->count--;
		ss_intercept_free(task->intercept);
		free(task);
	}
	return full;
}

/* Watch for no more jobs than can be done at a time, and for room if that is @full */
static void watch_broker(struct tls *t, bool full)
{
	struct epoll_event ev = {
		.events = (t->count < t->max ? EPOLLIN : 0) | (full ? EPOLLOUT : 0),
	};

	if (ev.events == t->events)
		return;
	if (epoll_ctl(t->epoll, EPOLL_CTL_MOD, t->sock, &ev))
		die(strerror(errno));
	t->events = ev.events;
}

/* End those whose time is up. Return: milliseconds to the next, -1 for none. */
static int check_deadlines(struct tls *t)
{
	uint64_t now = ss_process_now(), next = UINT64_MAX;

	for (struct task *task = t->tasks; task; task = task->next) {
		uint64_t deadline = ss_intercept_deadline(task->intercept);

		if (task->done)
			continue;
		if (deadline <= now)
			expire_task(t, task);
		else if (deadline < next)
			next = deadline;
	}
	if (next == UINT64_MAX)
		return -1;
	return next - now > 60000 ? 60000 : next - now;
}

static void loop(struct tls *t) __attribute__((noreturn));

static void loop(struct tls *t)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int timeout = check_deadlines(t), n;

		watch_broker(t, reap_tasks(t));
		n = epoll_wait(t->epoll, events, EVENTS, timeout);
		if (n < 0 && errno != EINTR)
			die(strerror(errno));
		for (int i = 0; i < n; i++)
			on_event(t, &events[i]);
	}
}

/* Raise the limit of descriptors. Return: how many handshakes they are enough for. */
static unsigned int raise_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return PAIRS_MAX / 2;
	if (lim.rlim_max > 2 * PAIRS_MAX + SPARE_FDS)
		lim.rlim_cur = 2 * PAIRS_MAX + SPARE_FDS;
	else
		lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	return lim.rlim_cur > 2 * SPARE_FDS ? (lim.rlim_cur - SPARE_FDS) / 2 : 1;
}

/* Take SIGHUP as a descriptor. Before the files are read, so that none is missed. */
static void open_signals(struct tls *t)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGHUP, SIG_DFL);	/* one that is ignored would not arrive */
	t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (t->signals < 0)
		die(strerror(errno));
}

void ss_tls_run(const struct ss_conf *conf, int sock)
{
	static struct tls t;
	struct epoll_event none = {};
	struct epoll_event signals = { .events = EPOLLIN, .data.ptr = &t.signals };
	char why[WHY_SIZE];

	/* The keys of the CAs are in this process: nobody is to look into it */
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	t.conf = conf;
	t.sock = sock;
	open_signals(&t);
	t.max = raise_limit();
	t.ctx = ss_tls_context_new(conf, why, sizeof(why));
	if (!t.ctx) {
		ss_process_say("%s", why);
		_exit(SS_EXIT_USAGE);
	}
	t.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (t.epoll < 0 || fcntl(sock, F_SETFL, O_NONBLOCK) ||
	    epoll_ctl(t.epoll, EPOLL_CTL_ADD, sock, &none) ||
	    epoll_ctl(t.epoll, EPOLL_CTL_ADD, t.signals, &signals))
		die(strerror(errno));
	loop(&t);
}
