/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LIB_CLEANUP_H
#define SS_LIB_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

/* __cleanup(function): call function(&variable) when the variable's scope ends */
#define __cleanup(fn) __attribute__((cleanup(fn)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* An fd variable that closes itself; -1 is none */
static inline void ss_cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A pointer variable that frees itself */
static inline void ss_cleanup_free(void *ptr)
{
	free(*(void **)ptr);
}

#endif /* SS_LIB_CLEANUP_H */
