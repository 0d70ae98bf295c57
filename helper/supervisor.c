// SPDX-License-Identifier: GPL-2.0
/*
 * The supervisor: starts scanner, broker and, where there is a CA, the tls
 * process, starts them again when they die, with growing pauses, and ends them.
 * Should it be killed itself, they get SIGKILL from the kernel, and so do the
 * scanner's workers.
 *
 * Without a scanner there is no broker, and without a broker no tls process; but
 * a broker outlives its tls process, and is sent the next one.
 *
 * One thread; all it waits for are signals.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker.h"
#include "ca.h"
#include "cleanup.h"
#include "ipc.h"
#include "process.h"
#include "scanner.h"
#include "supervisor.h"
#include "tls.h"

#define PAUSE_MIN_MS	100
#define PAUSE_MAX_MS	10000
#define STABLE_MS	60000	/* who has lived so long starts anew without pause */

/**
 * struct supervisor - The process.
 * @conf: the command line
 * @signals: what it waits for
 * @scanner: pid of the scanner, 0 where there is none
 * @broker: pid of the broker, 0 where there is none
 * @tls: pid of the tls process, 0 where there is none
 * @link: to the scanner, or -1
 * @control: to the broker, or -1
 * @ca: there is a CA, hence a tls process
 * @tls_starts: how often the tls process was started
 * @started: when the last of them was started
 * @pause_ms: how long to wait before the next start
 * @restart: when to start what is missing, 0 is never
 */
struct supervisor {
	const struct ss_conf *conf;
	sigset_t signals;
	pid_t scanner;
	pid_t broker;
	pid_t tls;
	int link;
	int control;
	bool ca;
	unsigned int tls_starts;
	uint64_t started;
	unsigned int pause_ms;
	uint64_t restart;
};

static int start_scanner(struct supervisor *s)
{
	int pair[2], ret = ss_ipc_pair(pair);

	if (ret)
		return ret;
	ss_cleanup_fd(&s->link);
	s->scanner = ss_process_fork("ss-scanner");
	if (!s->scanner) {
		close(pair[0]);
		ss_scanner_run(s->conf, pair[1]);
	}
	close(pair[1]);
	s->link = pair[0];
	if (s->scanner < 0) {
		s->scanner = 0;
		return -errno;
	}
	return 0;
}

/* Return: 0 or an errno; @control: the broker's end, -1 where it needs none */
static int make_control(struct supervisor *s, int *control)
{
	int pair[2], ret;

	*control = -1;
	ss_cleanup_fd(&s->control);
	if (!s->ca)
		return 0;
	ret = ss_ipc_pair(pair);
	if (ret)
		return ret;
	s->control = pair[0];
	*control = pair[1];
	/* A broker that does not read must not stop the supervisor */
	return fcntl(s->control, F_SETFL, O_NONBLOCK) ? -errno : 0;
}

/* A new broker and the scanner get the ends of a new pair of sockets */
static int start_broker(struct supervisor *s)
{
	int control __cleanup(ss_cleanup_fd) = -1;
	struct ss_ipc_msg msg = {};
	int pair[2], ret = make_control(s, &control);

	if (!ret)
		ret = ss_ipc_pair(pair);
	if (ret)
		return ret;
	ret = ss_ipc_send(s->link, &msg, sizeof(msg), pair, 1);
	close(pair[0]);
	if (!ret) {
		s->broker = ss_process_fork("ss-broker");
		if (!s->broker) {
			close(s->link);
			ss_cleanup_fd(&s->control);
			ss_broker_run(s->conf, pair[1], control);
		}
		if (s->broker < 0) {
			ret = -errno;
			s->broker = 0;
		}
	}
	close(pair[1]);
	return ret;
}

static void become_tls(struct supervisor *s, int sock, int other)
{
	struct rlimit files;

	close(other);
	close(s->link);
	close(s->control);
	/* Two sockets for each session whose handshakes are in flight */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	ss_tls_run(s->conf, sock);
}

/* Fork a tls process. Return: 0 or an errno; @fds: its socket, its pidfd. */
static int fork_tls(struct supervisor *s, int fds[SS_IPC_FDS])
{
	int pair[2], ret = ss_ipc_pair(pair);

	if (ret)
		return ret;
	fds[0] = pair[0];
	s->tls = ss_process_fork("ss-tls");
	if (!s->tls)
		become_tls(s, pair[1], pair[0]);
	ret = s->tls < 0 ? -errno : 0;
	close(pair[1]);
	if (ret) {
		s->tls = 0;
		return ret;
	}
	s->tls_starts++;
	/* It is our child and not reaped: the pid is still its own */
	fds[1] = syscall(SYS_pidfd_open, s->tls, 0);
	/* It is the broker that must not wait, at its end */
	return fds[1] < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) ? -errno : 0;
}

static void end(pid_t *pid)
{
	if (*pid) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static int start_tls(struct supervisor *s)
{
	struct ss_ipc_msg msg = { .type = SS_IPC_TLS };
	int fds[SS_IPC_FDS] = { -1, -1 };
	int ret = fork_tls(s, fds);

	if (!ret)
		ret = ss_ipc_send(s->control, &msg, sizeof(msg), fds, SS_IPC_FDS);
	for (int i = 0; i < SS_IPC_FDS; i++)
		ss_cleanup_fd(&fds[i]);
	if (ret)
		end(&s->tls);
	return ret;
}

static void start_missing(struct supervisor *s)
{
	int ret = 0;

	s->restart = 0;
	s->started = ss_process_now();
	if (!s->scanner)
		ret = start_scanner(s);
	if (!ret && !s->broker)
		ret = start_broker(s);
	if (!ret && s->ca && !s->tls)
		ret = start_tls(s);
	/* A scanner or broker that has ended already: its SIGCHLD is on the way */
	if (!ret || ret == -EPIPE)
		return;
	ss_process_say("cannot start a process: %s", strerror(-ret));
	s->restart = s->started + PAUSE_MAX_MS;
}

/*
 * One of them has ended; @config: what it calls unusable is so since the start.
 * Return: -1 to go on, or the exit status.
 */
static int on_end(struct supervisor *s, const char *name, int status, bool config)
{
	uint64_t now = ss_process_now();

	if (config && WIFEXITED(status) && WEXITSTATUS(status) == SS_EXIT_USAGE)
		return SS_EXIT_USAGE;
	if (WIFSIGNALED(status))
		ss_process_say("%s died (%s), starting it again", name,
			       strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != SS_EXIT_AGAIN)
		ss_process_say("%s ended with status %d, starting it again", name,
			       WEXITSTATUS(status));
	if (now - s->started >= STABLE_MS || !s->pause_ms)
		s->pause_ms = PAUSE_MIN_MS;
	else if (!s->restart)
		s->pause_ms *= 2;
	if (s->pause_ms > PAUSE_MAX_MS)
		s->pause_ms = PAUSE_MAX_MS;
	s->restart = now + s->pause_ms;
	return -1;
}

static int on_child(struct supervisor *s)
{
	int status, ret = -1;
	pid_t pid;

	while (ret < 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->scanner) {
			s->scanner = 0;
			ret = on_end(s, "scanner", status, true);
			/* It goes by itself; this is faster */
			if (s->broker)
				kill(s->broker, SIGKILL);
		} else if (pid == s->broker) {
			s->broker = 0;
			end(&s->tls);
			/* The scanner's end tells more than the broker's after it */
			if (s->scanner || !WIFSIGNALED(status))
				ret = on_end(s, "broker", status, true);
			else if (!s->restart)
				s->restart = ss_process_now();
		} else if (pid == s->tls) {
			s->tls = 0;
			/* A CA that was spoilt later does not stop the scanning */
			ret = on_end(s, "tls process", status, s->tls_starts == 1);
		}
	}
	return ret;
}

/* Wait for a signal, or for the time of a restart */
static int wait_signal(const struct supervisor *s)
{
	uint64_t now = ss_process_now();
	uint64_t left = s->restart > now ? s->restart - now : 0;
	struct timespec limit = {
		.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000
	};

	return s->restart ? sigtimedwait(&s->signals, NULL, &limit) :
	       sigwaitinfo(&s->signals, NULL);
}

static int watch(struct supervisor *s)
{
	for (;;) {
		int ret = -1;

		switch (wait_signal(s)) {
		case SIGTERM:
		case SIGINT:
			return SS_EXIT_OK;
		case SIGHUP:
			if (s->broker)
				kill(s->broker, SIGHUP);
			break;
		case SIGCHLD:
			ret = on_child(s);
			break;
		}
		if (ret >= 0)
			return ret;
		if (s->restart && ss_process_now() >= s->restart)
			start_missing(s);
	}
}

/**
 * ss_supervisor_run() - Run the helper until it is told to end.
 * @conf: the command line
 *
 * Return: the exit status.
 */
int ss_supervisor_run(const struct ss_conf *conf)
{
	struct supervisor s = {
		.conf = conf, .link = -1, .control = -1,
		.ca = ss_ca_present(conf->ca_dir),
	};
	int ret;

	sigemptyset(&s.signals);
	sigaddset(&s.signals, SIGTERM);
	sigaddset(&s.signals, SIGINT);
	sigaddset(&s.signals, SIGHUP);
	sigaddset(&s.signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &s.signals, NULL);
	start_missing(&s);
	ret = watch(&s);
	end(&s.tls);
	end(&s.broker);
	end(&s.scanner);
	ss_cleanup_fd(&s.control);
	ss_cleanup_fd(&s.link);
	return ret;
}
