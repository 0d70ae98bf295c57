/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_UNSTUFF_H
#define SS_UNSTUFF_H

#include <stddef.h>

/**
 * enum ss_unstuff_mode - What ends a line.
 * @SS_UNSTUFF_STRICT: CRLF alone (RFC 5321).
 * @SS_UNSTUFF_LAX: any LF, as a server that lets bare LF pass may read it.
 */
enum ss_unstuff_mode {
	SS_UNSTUFF_STRICT,
	SS_UNSTUFF_LAX,
};

size_t ss_unstuff_copy(enum ss_unstuff_mode mode, void *dst, const void *src,
		       size_t len);

#endif /* SS_UNSTUFF_H */
