// SPDX-License-Identifier: GPL-2.0
/*
 * The scanner: the process that loads the engine, once, and forks the workers
 * on the broker's order, so that they share its memory. One thread; it talks to
 *
 *   the supervisor, by @link: each message brings the socket of a new broker;
 *   the broker, by that socket: see enum ss_ipc_type. The end of a broker is
 *   the end of its workers.
 *
 * A scanner loads once. For new databases there is a new scanner beside it, and the
 * broker tells this one to end when it has no more need of its workers.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/ipc.h"
#include "lib/process.h"
#include "proto/control_msg.h"
#include "proto/engine_msg.h"
#include "scanner/database.h"
#include "scanner/engine.h"
#include "scanner/mime/parser.h"
#include "scanner/scanner.h"
#include "scanner/worker.h"

#define PATH_SIZE	4096
/* Killed workers that are not reaped yet count as well */
#define SPARE		4

/**
 * struct scanner - The process.
 * @conf: the command line
 * @engine: the engine
 * @report: what the broker is told of it
 * @link: to the supervisor
 * @broker: to the broker, or -1
 * @signals: SIGCHLD
 * @pids: the workers, @max of them; 0 is a free place
 * @max: most workers at a time
 */
struct scanner {
	const struct ss_conf *conf;
	struct ss_engine *engine;
	struct ss_engine_report report;
	int link;
	int broker;
	int signals;
	pid_t *pids;
	unsigned int max;
};

static void worker_tmpdir(const struct scanner *s, pid_t pid, char *dir, size_t size)
{
	snprintf(dir, size, "%s/w%d", s->conf->tmpdir, (int)pid);
}

static void become_worker(struct scanner *s, int sock, int other)
{
	char dir[PATH_SIZE];

	close(other);
	close(s->link);
	close(s->broker);
	close(s->signals);
	worker_tmpdir(s, getpid(), dir, sizeof(dir));
	if (ss_engine_set_tmpdir(s->engine, dir)) {
		ss_process_say("cannot use %s", dir);
		_exit(1);
	}
	ss_worker_run(s->engine, sock);
}

/* Fork a worker. Return: 0 or an errno; @fds: its socket, its pidfd. */
static int fork_worker(struct scanner *s, int fds[SS_IPC_FDS])
{
	unsigned int place = 0;
	int pair[2], ret;
	pid_t pid;

	while (place < s->max && s->pids[place])
		place++;
	if (place == s->max)
		return -EAGAIN;
	ret = ss_ipc_pair(pair);
	if (ret)
		return ret;
	pid = ss_process_fork("ss-worker");
	if (!pid)
		become_worker(s, pair[1], pair[0]);
	close(pair[1]);
	fds[0] = pair[0];
	if (pid < 0)
		return -errno;
	s->pids[place] = pid;
	/* The worker is our child and not reaped: the pid is still its own */
	fds[1] = syscall(SYS_pidfd_open, pid, 0);
	return fds[1] < 0 ? -errno : 0;
}

static void close_broker(struct scanner *s)
{
	ss_cleanup_fd(&s->broker);
	for (unsigned int i = 0; i < s->max; i++)
		if (s->pids[i])
			kill(s->pids[i], SIGKILL);
}

static void remove_tmpdir(const struct scanner *s, pid_t pid)
{
	char dir[PATH_SIZE];

	worker_tmpdir(s, pid, dir, sizeof(dir));
	ss_process_remove_tree(dir);
}

/* The broker has no need of this scanner any more */
static void __attribute__((noreturn)) retire_scanner(struct scanner *s)
{
	pid_t pid;

	close_broker(s);
	while ((pid = waitpid(-1, NULL, 0)) > 0)
		remove_tmpdir(s, pid);
	_exit(SS_EXIT_OK);
}

static void on_broker(struct scanner *s)
{
	struct ss_ipc_msg msg;
	int fds[SS_IPC_FDS], ret;

	ret = ss_ipc_recv(s->broker, &msg, sizeof(msg), fds);
	for (int i = 0; i < SS_IPC_FDS; i++)
		ss_cleanup_fd(&fds[i]);
	if (!ret && msg.type == SS_IPC_RETIRE)
		retire_scanner(s);
	if (ret || msg.type != SS_IPC_SPAWN) {
		close_broker(s);
		return;
	}
	ret = fork_worker(s, fds);
	msg.type = ret ? SS_IPC_NO_WORKER : SS_IPC_WORKER;
	msg.value = -ret;
	ret = ss_ipc_send(s->broker, &msg, sizeof(msg), fds, ret ? 0 : SS_IPC_FDS);
	for (int i = 0; i < SS_IPC_FDS; i++)
		ss_cleanup_fd(&fds[i]);
	if (ret)
		close_broker(s);
}

static void on_link(struct scanner *s)
{
	struct ss_ipc_msg msg;
	int fds[SS_IPC_FDS];

	/* The supervisor does not end before we do, other than by dying */
	if (ss_ipc_recv(s->link, &msg, sizeof(msg), fds))
		_exit(SS_EXIT_AGAIN);
	close_broker(s);
	s->broker = fds[0];
	ss_cleanup_fd(&fds[1]);
	if (ss_ipc_send(s->broker, &s->report, sizeof(s->report), NULL, 0))
		close_broker(s);
}

static void on_signal(struct scanner *s)
{
	struct signalfd_siginfo info;
	pid_t pid;

	if (read(s->signals, &info, sizeof(info)) < 0)
		return;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		for (unsigned int i = 0; i < s->max; i++)
			if (s->pids[i] == pid)
				s->pids[i] = 0;
		remove_tmpdir(s, pid);
	}
}

static void loop(struct scanner *s)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = s->link, .events = POLLIN },
			{ .fd = s->signals, .events = POLLIN },
			{ .fd = s->broker, .events = POLLIN },
		};

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[1].revents)
			on_signal(s);
		if (fds[2].revents)
			on_broker(s);
		if (fds[0].revents)
			on_link(s);
	}
}

/* Return: whether the engine is there; @s->report tells of it in any case */
static bool load_engine(struct scanner *s)
{
	struct ss_engine_report *r = &s->report;
	unsigned int level;

	ss_database_describe(s->conf->database, &r->db);
	snprintf(r->version, sizeof(r->version), "%s", ss_engine_version(&level));
	r->level = level;
	s->engine = ss_engine_load(s->conf->database, r->error, sizeof(r->error));
	r->loaded = time(NULL);
	r->msg.type = s->engine ? SS_IPC_READY : SS_IPC_FAILED;
	if (s->engine)
		r->msg.value = ss_engine_signatures(s->engine);
	return s->engine;
}

/* Say why nothing could be loaded, to the broker as well */
static void __attribute__((noreturn)) fail(struct scanner *s, bool reload)
{
	struct ss_ipc_msg msg;
	int fds[SS_IPC_FDS];

	ss_process_say("%sdatabase %s: %s", reload ? "reload failed: " : "",
		       s->conf->database, s->report.error);
	if (!ss_ipc_recv(s->link, &msg, sizeof(msg), fds) && fds[0] >= 0)
		ss_ipc_send(fds[0], &s->report, sizeof(s->report), NULL, 0);
	_exit(SS_EXIT_USAGE);
}

void ss_scanner_run(const struct ss_conf *conf, int link, bool reload)
{
	struct scanner s = {
		.conf = conf, .link = link, .broker = -1,
		.max = conf->workers * SPARE,
	};
	sigset_t set;

	ss_mime_init();
	s.pids = calloc(s.max, sizeof(*s.pids));
	if (!s.pids) {
		ss_process_say("scanner: %s", strerror(ENOMEM));
		_exit(SS_EXIT_AGAIN);
	}
	if (!load_engine(&s))
		fail(&s, reload);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s.signals < 0) {
		ss_process_say("signalfd: %m");
		_exit(SS_EXIT_AGAIN);
	}
	loop(&s);
	__builtin_unreachable();
}
