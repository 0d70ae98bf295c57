// SPDX-License-Identifier: GPL-2.0
/*
 * The supervisor: starts scanner, broker and, where there is a CA, the tls
 * process, starts them again when they die, with growing pauses, and ends them.
 * To load new databases it starts a second scanner, which takes the place of the
 * first one when that ends: the broker sends it away when the second has loaded.
 * Where the second one ends, the first one stays. There are never more than two.
 * Should it be killed itself, they get SIGKILL from the kernel, and so do the
 * scanner's workers.
 *
 * Without a scanner there is no broker, and without a broker no tls process; but
 * a broker outlives its tls process, and is sent the next one.
 *
 * A single thread waits for signals, and for the time to look at the database.
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

#include "broker/broker.h"
#include "common/ca.h"
#include "lib/cleanup.h"
#include "lib/ipc.h"
#include "lib/process.h"
#include "proto/control_msg.h"
#include "scanner/database.h"
#include "scanner/scanner.h"
#include "supervisor/supervisor.h"
#include "tls/tls.h"

#define PAUSE_MIN_MS	100
#define PAUSE_MAX_MS	10000
#define STABLE_MS	60000	/* who has lived so long starts anew without pause */

/**
 * struct loader - A scanner.
 * @pid: the process, 0 where there is none
 * @link: to it, or -1
 */
struct loader {
	pid_t pid;
	int link;
};

/**
 * struct supervisor - The process.
 * @conf: the command line
 * @signals: what it waits for
 * @scanner: the scanner
 * @next: the scanner that loads, or that takes over
 * @scanner_starts: how often a scanner was started
 * @again: the databases have changed since @next was started
 * @failed: the last reload has not brought new databases into service
 * @watch: the databases
 * @look: when to look at them, 0 is never
 * @broker: pid of the broker, 0 where there is none
 * @tls: pid of the tls process, 0 where there is none
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
	struct loader scanner;
	struct loader next;
	unsigned int scanner_starts;
	bool again;
	bool failed;
	struct ss_database_watch *watch;
	uint64_t look;
	pid_t broker;
	pid_t tls;
	int control;
	bool ca;
	unsigned int tls_starts;
	uint64_t started;
	unsigned int pause_ms;
	uint64_t restart;
};

static void end_process(pid_t *pid)
{
	if (*pid) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}

static void forget_scanner(struct loader *loader)
{
	loader->pid = 0;
	ss_cleanup_fd(&loader->link);
}

/* In a child: leave what is the supervisor's */
static void close_all(struct supervisor *s)
{
	ss_cleanup_fd(&s->scanner.link);
	ss_cleanup_fd(&s->next.link);
	ss_cleanup_fd(&s->control);
}

static int start_scanner(struct supervisor *s, struct loader *loader)
{
	bool reload = loader == &s->next;
	int pair[2], ret = ss_ipc_pair(pair);

	if (ret)
		return ret;
	ss_database_note(s->watch);
	loader->pid = ss_process_fork("ss-scanner");
	if (!loader->pid) {
		close(pair[0]);
		close_all(s);
		ss_scanner_run(s->conf, pair[1], reload);
	}
	ret = loader->pid < 0 ? -errno : 0;
	close(pair[1]);
	loader->link = pair[0];
	if (!ret) {
		s->scanner_starts++;
		return 0;
	}
	loader->pid = 0;
	ss_cleanup_fd(&loader->link);
	return ret;
}

/* Return: 0 or an errno; @control: the broker's end */
static int make_control(struct supervisor *s, int *control)
{
	int pair[2], ret;

	ss_cleanup_fd(&s->control);
	ret = ss_ipc_pair(pair);
	if (ret)
		return ret;
	s->control = pair[0];
	*control = pair[1];
	/* A broker that does not read must not stop the supervisor */
	return fcntl(s->control, F_SETFL, O_NONBLOCK) ? -errno : 0;
}

/* Nothing has changed but that new databases are not loaded */
static void give_up_next(struct supervisor *s, int error)
{
	ss_process_say("reload failed: cannot start a scanner: %s", strerror(-error));
	end_process(&s->next.pid);
	forget_scanner(&s->next);
	s->failed = true;
}

/*
 * The broker and the scanner that loads get the ends of a new pair of sockets.
 * Where one of them is dead its SIGCHLD is on the way.
 */
static void introduce_next(struct supervisor *s)
{
	struct ss_ipc_msg msg = { .type = SS_IPC_SCANNER };
	int pair[2], ret = ss_ipc_pair(pair);

	if (!ret) {
		ret = ss_ipc_post(s->next.link, &msg, sizeof(msg), pair, 1);
		if (!ret)
			ret = ss_ipc_post(s->control, &msg, sizeof(msg), pair + 1, 1);
		close(pair[0]);
		close(pair[1]);
	}
	if (ret && ret != -EPIPE)
		give_up_next(s, ret);
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
	ret = ss_ipc_post(s->scanner.link, &msg, sizeof(msg), pair, 1);
	close(pair[0]);
	if (!ret) {
		s->broker = ss_process_fork("ss-broker");
		if (!s->broker) {
			close_all(s);
			ss_broker_run(s->conf, pair[1], control, s->ca);
		}
		if (s->broker < 0) {
			ret = -errno;
			s->broker = 0;
		}
	}
	close(pair[1]);
	if (!ret && s->next.pid)
		introduce_next(s);
	return ret;
}

static void become_tls(struct supervisor *s, int sock, int other)
{
	struct rlimit files;

	close(other);
	close_all(s);
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
	/* The process is our child and not reaped: the pid is still its own */
	fds[1] = syscall(SYS_pidfd_open, s->tls, 0);
	/* The broker must not wait at this end */
	return fds[1] < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) ? -errno : 0;
}

static int start_tls(struct supervisor *s)
{
	struct ss_ipc_msg msg = { .type = SS_IPC_TLS };
	int fds[SS_IPC_FDS] = { -1, -1 };
	int ret = fork_tls(s, fds);

	if (!ret)
		ret = ss_ipc_post(s->control, &msg, sizeof(msg), fds, SS_IPC_FDS);
	for (int i = 0; i < SS_IPC_FDS; i++)
		ss_cleanup_fd(&fds[i]);
	if (ret)
		end_process(&s->tls);
	return ret;
}

static void start_missing(struct supervisor *s)
{
	int ret = 0;

	s->restart = 0;
	s->started = ss_process_now();
	if (!s->scanner.pid)
		ret = start_scanner(s, &s->scanner);
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
 * Tell of a process that has ended, and set the time to start it again. @config: it is
 * one that has read the configuration at the start, so that what it calls unusable has
 * never been usable. Return: -1 to go on, or the exit status.
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

/* Load the databases beside what is in service, now or when that is possible */
static void start_reload(struct supervisor *s)
{
	int ret;

	s->again = s->next.pid;
	/* Where there is none, the next one loads what is new anyway */
	if (s->next.pid || !s->scanner.pid)
		return;
	s->failed = false;
	ret = start_scanner(s, &s->next);
	if (ret)
		give_up_next(s, ret);
	else if (s->broker)
		introduce_next(s);
}

/* The scanner, or the one beside it, has ended. Return: as on_end(). */
static int on_scanner_end(struct supervisor *s, const struct loader *which, int status)
{
	bool retired = WIFEXITED(status) && !WEXITSTATUS(status);
	bool alone = !s->next.pid, first = s->scanner_starts == 1;

	if (which == &s->scanner) {
		forget_scanner(&s->scanner);
		s->scanner = s->next;
		s->next = (struct loader){ .link = -1 };
	} else {
		forget_scanner(&s->next);
		s->failed = true;
	}
	if (!alone) {
		/* The scanner has said itself why it could not load */
		if (!retired && !(WIFEXITED(status) && WEXITSTATUS(status) == SS_EXIT_USAGE))
			ss_process_say("a scanner died, the other one stays");
		if (s->again)
			start_reload(s);
		return -1;
	}
	/* A broker without a scanner ends by itself; this is faster */
	if (s->broker)
		kill(s->broker, SIGKILL);
	/* A database that was spoilt later may be mended as well */
	return on_end(s, "scanner", status, first);
}

static int on_child(struct supervisor *s)
{
	int status, ret = -1;
	pid_t pid;

	while (ret < 0 && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->scanner.pid) {
			ret = on_scanner_end(s, &s->scanner, status);
		} else if (pid == s->next.pid) {
			ret = on_scanner_end(s, &s->next, status);
		} else if (pid == s->broker) {
			s->broker = 0;
			end_process(&s->tls);
			/* The scanner's end tells more than the broker's after it */
			if (s->scanner.pid || !WIFSIGNALED(status))
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

/* Wait for a signal, or for the time of a restart or of a look */
static int wait_signal(const struct supervisor *s)
{
	uint64_t now = ss_process_now();
	uint64_t next = s->restart && (!s->look || s->restart < s->look) ? s->restart :
			s->look;
	uint64_t left = next > now ? next - now : 0;
	struct timespec limit = {
		.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000
	};

	return next ? sigtimedwait(&s->signals, NULL, &limit) :
	       sigwaitinfo(&s->signals, NULL);
}

static void look_at_database(struct supervisor *s)
{
	s->look = s->conf->reload ? ss_process_now() + s->conf->reload * 1000ull : 0;
	if (ss_database_changed(s->watch))
		start_reload(s);
}

static void signal_process(pid_t pid, int sig)
{
	if (pid)
		kill(pid, sig);
}

/* Read all that can be read anew; a second engine is large, and only for a reason */
static void on_hangup(struct supervisor *s)
{
	signal_process(s->broker, SIGUSR1);
	signal_process(s->tls, SIGHUP);
	if (s->failed || ss_database_differs(s->watch))
		start_reload(s);
	else
		ss_process_say(s->next.pid ? "the databases are being loaded" :
			       "the databases have not changed");
}

static int supervise(struct supervisor *s)
{
	for (;;) {
		int ret = -1;

		switch (wait_signal(s)) {
		case SIGTERM:
		case SIGINT:
			return SS_EXIT_OK;
		case SIGHUP:
			on_hangup(s);
			break;
		case SIGUSR1:
			signal_process(s->broker, SIGUSR1);
			break;
		case SIGCHLD:
			ret = on_child(s);
			break;
		}
		if (ret >= 0)
			return ret;
		if (s->restart && ss_process_now() >= s->restart)
			start_missing(s);
		if (s->look && ss_process_now() >= s->look)
			look_at_database(s);
	}
}

int ss_supervisor_run(const struct ss_conf *conf)
{
	struct supervisor s = {
		.conf = conf, .scanner.link = -1, .next.link = -1, .control = -1,
		.ca = ss_ca_present(conf->ca_dir),
		.watch = ss_database_watch(conf->database),
	};
	int ret;

	if (!s.watch) {
		ss_process_say("%s", strerror(ENOMEM));
		return 1;
	}

	sigemptyset(&s.signals);
	sigaddset(&s.signals, SIGTERM);
	sigaddset(&s.signals, SIGINT);
	sigaddset(&s.signals, SIGHUP);
	sigaddset(&s.signals, SIGUSR1);
	sigaddset(&s.signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &s.signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	start_missing(&s);
	if (conf->reload)
		s.look = ss_process_now() + conf->reload * 1000ull;
	ret = supervise(&s);
	end_process(&s.tls);
	end_process(&s.broker);
	end_process(&s.next.pid);
	end_process(&s.scanner.pid);
	close_all(&s);
	ss_database_unwatch(s.watch);
	/* A state file would tell of an engine that is not there */
	if (conf->state)
		unlink(conf->state);
	return ret;
}
