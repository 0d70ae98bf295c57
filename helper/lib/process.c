// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that all processes of the helper have use for: messages, time, fork, files.
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

uint64_t ss_process_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

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

void ss_process_remove_tree(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
