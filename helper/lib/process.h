/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LIB_PROCESS_H
#define SS_LIB_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/**
 * ss_process_now() - A clock for deadlines.
 *
 * Return: milliseconds since some point in the past.
 */
uint64_t ss_process_now(void);

/**
 * ss_process_write() - Write to a file, or to another process if it has room.
 * @fd: a file, pipe, socket or terminal
 * @data: the bytes
 * @len: how many
 *
 * Nobody who reads a log by a pipe can make a process of the helper wait.
 *
 * Return: bytes written, fewer where there was no room for more, or -1 and errno.
 */
ssize_t ss_process_write(int fd, const void *data, size_t len);

/**
 * ss_process_say() - Print a line to stderr, in one write, if there is room.
 * @fmt: printf format, without a newline; controls in what it gives become "?"
 */
void ss_process_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

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
pid_t ss_process_fork(const char *name);

/**
 * ss_process_remove_tree() - Remove a folder and what is in it.
 * @dir: the folder; links in it are not followed
 */
void ss_process_remove_tree(const char *dir);

#endif /* SS_LIB_PROCESS_H */
