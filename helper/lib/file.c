// SPDX-License-Identifier: GPL-2.0
/*
 * Files that are read or written whole.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"

int ss_file_map(struct ss_file_map *map, int fd)
{
	struct stat st;
	void *data;

	*map = (struct ss_file_map)SS_FILE_EMPTY;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (!st.st_size)
		return 0;
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	*map = (struct ss_file_map){ .data = data, .len = st.st_size };
	return 0;
}

void ss_file_unmap(struct ss_file_map *map)
{
	if (map->len)
		munmap((void *)map->data, map->len);
	*map = (struct ss_file_map)SS_FILE_EMPTY;
}

int ss_file_write(int fd, const void *data, size_t len)
{
	const char *at = data, *end = at + len;

	while (at < end) {
		ssize_t n = write(fd, at, end - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		at += n;
	}
	return 0;
}
