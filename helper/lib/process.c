// SPDX-License-Identifier: GPL-2.0
/*
 * What the processes of the helper have in common.
 */
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "lib/process.h"
#include "lib/text.h"

/**
 * ss_process_now() - A clock for deadlines.
 *
 * Return: milliseconds since some point in the past.
 */
uint64_t ss_process_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/**
 * ss_process_write() - Write to a file, or to another process if it has room.
 * @fd: a file, pipe, socket or terminal
 * @data: the octets
 * @len: how many
 *
 * Nobody who reads a log by a pipe can make a process of the helper wait.
 *
 * Return: octets written, fewer where there was no room for more, or -1 and errno.
 */
ssize_t ss_process_write(int fd, const void *data, size_t len)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	ssize_t n = send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	struct stat st;

	if (n >= 0 || errno != ENOTSOCK)
		return n;
	if (fstat(fd, &st) || S_ISREG(st.st_mode))
		return write(fd, data, len);
	n = pwritev2(fd, &iov, 1, -1, RWF_NOWAIT);
	if (n >= 0 || errno != EOPNOTSUPP)
		return n;
	/* A terminal, or a named pipe, which is open non-blocking */
	errno = EAGAIN;
	return poll(&room, 1, 0) ? write(fd, data, len) : -1;
}

/**
 * ss_process_say() - Print a line to stderr, in one write, if there is room.
 * @fmt: printf format, without a newline; controls in what it gives become "?"
 */
void ss_process_say(const char *fmt, ...)
{
	char line[1024], clean[1024], out[sizeof(clean) + 16];
	va_list args;
	int len;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	ss_text_clean_str(SS_TEXT_PRINT, clean, sizeof(clean), line);
	len = snprintf(out, sizeof(out), "smtpspliced: %s\n", clean);
	ss_process_write(STDERR_FILENO, out, len);
}

/**
 * ss_process_fork() - Fork a process that ends when its parent does.
 * @name: its name in the process list
 *
 * The child has the default signal handling and an empty mask, but ignores
 * SIGINT, SIGHUP and SIGUSR1: those of a terminal, or of who signals all of us, go
 * to all, and what they mean is the supervisor's. It ignores SIGPIPE, too: that nobody
 * reads the log any more does not end it. It leaves no core, which would have mail
 * in it.
 *
 * Return: as fork().
 */
pid_t ss_process_fork(const char *name)
{
	struct rlimit no_core = { 0, 0 };
	pid_t parent = getpid(), pid = fork();
	sigset_t none;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, name);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

/**
 * ss_process_remove_tree() - Remove a folder and what is in it.
 * @dir: the folder; links in it are not followed
 */
void ss_process_remove_tree(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
