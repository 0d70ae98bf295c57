/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_DOTS_H
#define SS_SCANNER_MIME_DOTS_H

#include <stddef.h>

/**
 * enum ss_dots_mode - What ends a line that may begin with a stuffed dot.
 * @SS_DOTS_STRICT: CRLF alone (RFC 5321).
 * @SS_DOTS_LAX: any LF, as a server that lets bare LF pass may read it.
 * @SS_DOTS_NONE: nothing, no dot is stuffed (RFC 3030).
 */
enum ss_dots_mode {
	SS_DOTS_STRICT,
	SS_DOTS_LAX,
	SS_DOTS_NONE,
};

void ss_dots_bare_cr(void *text, size_t len);
size_t ss_dots_unstuff(enum ss_dots_mode mode, void *dst, const void *src,
		       size_t len);
size_t ss_dots_stuff(void *dst, const void *src, size_t len);

#endif /* SS_SCANNER_MIME_DOTS_H */
