/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_UNSTUFF_H
#define SS_UNSTUFF_H

#include <stddef.h>

/**
 * enum ss_unstuff_mode - What ends a line that may begin with a stuffed dot.
 * @SS_UNSTUFF_STRICT: CRLF alone (RFC 5321).
 * @SS_UNSTUFF_LAX: any LF, as a server that lets bare LF pass may read it.
 * @SS_UNSTUFF_NONE: nothing, no dot is stuffed (RFC 3030).
 */
enum ss_unstuff_mode {
	SS_UNSTUFF_STRICT,
	SS_UNSTUFF_LAX,
	SS_UNSTUFF_NONE,
};

void ss_unstuff_bare_cr(void *text, size_t len);
size_t ss_unstuff_copy(enum ss_unstuff_mode mode, void *dst, const void *src,
		       size_t len);

#endif /* SS_UNSTUFF_H */
