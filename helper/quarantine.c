// SPDX-License-Identifier: GPL-2.0
/*
 * Infected messages put aside. The broker makes a file without a name, a worker
 * fills it, and it gets its name when it is complete: nobody sees half a file,
 * and what is not kept leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "quarantine.h"

/**
 * ss_quarantine_open() - Open the folder and try it.
 * @dir: its path
 *
 * Return: a descriptor or an errno; -EOPNOTSUPP where its file system has no
 * files without a name.
 */
int ss_quarantine_open(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), file;

	if (fd < 0)
		return -errno;
	file = ss_quarantine_create(fd);
	if (file < 0) {
		close(fd);
		return file;
	}
	close(file);
	return fd;
}

/**
 * ss_quarantine_create() - Make a file for a message.
 * @dir: the folder
 *
 * Return: a descriptor, the caller's, or an errno.
 */
int ss_quarantine_create(int dir)
{
	int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

/**
 * ss_quarantine_keep() - Give a file its name.
 * @dir: the folder
 * @fd: the file; stays the caller's
 * @session: id of the session that it came in by
 * @name: the name
 *
 * Return: 0 or an errno.
 */
int ss_quarantine_keep(int dir, int fd, uint64_t session,
		       char name[SS_QUARANTINE_NAME_SIZE])
{
	char path[64];
	uint64_t unique;

	if (getrandom(&unique, sizeof(unique), 0) != sizeof(unique))
		return -EIO;
	snprintf(name, SS_QUARANTINE_NAME_SIZE, "%" PRIu64 "-%016" PRIx64 ".eml",
		 session, unique);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) ? -errno : 0;
}
