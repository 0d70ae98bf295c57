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

/**
 * ss_dots_bare_cr() - Make each CR that is not part of CRLF a LF.
 * @text: the text
 * @len: its length in bytes
 */
void ss_dots_bare_cr(void *text, size_t len);

/**
 * ss_dots_unstuff() - Copy a message as on the wire without its stuffed dots.
 * @mode: what ends a line
 * @dst: where to, room for @len bytes
 * @src: the message, dot-stuffed
 * @len: its length in bytes
 *
 * Return: bytes written; @len less one for each line that began with a dot.
 */
size_t ss_dots_unstuff(enum ss_dots_mode mode, void *dst, const void *src,
		       size_t len);

/**
 * ss_dots_stuff() - Copy a message in the form that it has on the wire.
 * @dst: where to, or NULL to only count
 * @src: the message; CRLF alone ends a line in it
 * @len: its length in bytes
 *
 * Undone by ss_dots_unstuff() with SS_DOTS_STRICT, which gives @src again.
 *
 * Return: bytes written; @len and one for each line that begins with a dot.
 */
size_t ss_dots_stuff(void *dst, const void *src, size_t len);

#endif /* SS_SCANNER_MIME_DOTS_H */
