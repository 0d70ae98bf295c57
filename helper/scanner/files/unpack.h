/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_UNPACK_H
#define SS_SCANNER_FILES_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/files/format.h"

/**
 * typedef ss_unpack_fn - Takes one member of an archive.
 * @arg: the caller's
 * @name: its name with folders, any bytes
 * @fd: a memory file with what could be read of it, which stays the walk's, or
 *   -1 where that is nothing
 */
typedef void (*ss_unpack_fn)(void *arg, const char *name, int fd);

/**
 * struct ss_unpack_budget - What is left for several walks together.
 * @octets: how many bytes more may come out
 * @members: how many members more
 */
struct ss_unpack_budget {
	uint64_t octets;
	unsigned int members;
};

/**
 * struct ss_unpack_walk - A walk over archives, nested ones included: what is
 * left is for all of them.
 * @fn: takes each member; may walk over it in turn
 * @octets: how many bytes more may come out
 * @members: how many members more
 * @shared: what is left for this and other walks, or NULL
 * @end: when to stop, see ss_process_now()
 * @stop: a limit was reached, or there is an @error: no more of anything
 * @error: what is not the archive's fault, a negative errno
 */
struct ss_unpack_walk {
	ss_unpack_fn fn;
	uint64_t octets;
	unsigned int members;
	struct ss_unpack_budget *shared;
	uint64_t end;
	bool stop;
	int error;
};

/**
 * ss_unpack_read() - Go over the members of an archive.
 * @walk: takes them, and bounds it
 * @hit: what the archive is
 * @data: the file
 * @len: its length in bytes
 * @arg: for the walk's function
 *
 * Return: SS_KIND_BIT() of each condition.
 */
uint32_t ss_unpack_read(struct ss_unpack_walk *walk, const struct ss_format_hit *hit,
			const uint8_t *data, size_t len, void *arg);

#endif /* SS_SCANNER_FILES_UNPACK_H */
