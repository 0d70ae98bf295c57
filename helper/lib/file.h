/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LIB_FILE_H
#define SS_LIB_FILE_H

#include <stddef.h>

/**
 * struct ss_file_map - What is in a file.
 * @data: the bytes; never NULL
 * @len: how many
 */
struct ss_file_map {
	const char *data;
	size_t len;
};

#define SS_FILE_EMPTY	{ .data = "" }

/**
 * ss_file_map() - Map a whole file.
 * @map: where to; to be given to ss_file_unmap() in any case
 * @fd: the file, which must not get shorter; stays the caller's
 *
 * Return: 0, -EINVAL where it is no regular file, or another errno.
 */
int ss_file_map(struct ss_file_map *map, int fd);

/**
 * ss_file_unmap() - Let go of a file.
 * @map: the map, or an empty one
 */
void ss_file_unmap(struct ss_file_map *map);

/**
 * ss_file_write() - Write all of it.
 * @fd: where to
 * @data: the bytes
 * @len: how many
 *
 * Return: 0, -ENOSPC where no more is taken, or another errno.
 */
int ss_file_write(int fd, const void *data, size_t len);

#endif /* SS_LIB_FILE_H */
