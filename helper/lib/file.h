/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LIB_FILE_H
#define SS_LIB_FILE_H

#include <stddef.h>

/**
 * struct ss_file_map - What is in a file.
 * @data: the octets; never NULL
 * @len: how many
 */
struct ss_file_map {
	const char *data;
	size_t len;
};

#define SS_FILE_EMPTY	{ .data = "" }

int ss_file_map(struct ss_file_map *map, int fd);
void ss_file_unmap(struct ss_file_map *map);
int ss_file_write(int fd, const void *data, size_t len);

#endif /* SS_LIB_FILE_H */
