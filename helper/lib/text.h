/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LIB_TEXT_H
#define SS_LIB_TEXT_H

#include <stddef.h>
#include <stdint.h>

/**
 * enum ss_text_mode - What text of a peer may look like after cleaning.
 * @SS_TEXT_JSON: valid UTF-8; CR, LF and the other C0 controls stay, since the
 *   JSON writer escapes them; NUL, DEL and the C1 controls become "?".
 * @SS_TEXT_PRINT: valid UTF-8 without any control: terminals, netlink strings.
 * @SS_TEXT_LINES: the same, but LF stays: what is to be several lines.
 * @SS_TEXT_REPLY: printable ASCII, and " becomes ': part of an SMTP reply.
 */
enum ss_text_mode {
	SS_TEXT_JSON,
	SS_TEXT_PRINT,
	SS_TEXT_LINES,
	SS_TEXT_REPLY,
};

/**
 * ss_text_decode() - Decode one UTF-8 character (RFC 3629, strictly).
 * @src: bytes
 * @len: how many, at least 1
 * @rune: the character, set only where it is valid
 *
 * Return: its length in bytes, 0 where @src does not start with a valid one.
 */
int ss_text_decode(const void *src, size_t len, uint32_t *rune);

/**
 * ss_text_clean() - Copy a peer's text in a form that can do no harm.
 * @mode: what is harmless
 * @dst: where to; always terminated
 * @size: room at @dst in bytes, at least 1
 * @src: the text, any bytes
 * @len: how many
 *
 * Cuts a text that is too long between two characters, never inside one.
 *
 * Return: the length of the string at @dst.
 */
size_t ss_text_clean(enum ss_text_mode mode, char *dst, size_t size,
		     const void *src, size_t len);

/**
 * ss_text_clean_str() - ss_text_clean() of a string.
 * @mode: what is harmless
 * @dst: where to
 * @size: room at @dst
 * @src: the string; NULL is an empty one
 *
 * Return: the length of the string at @dst.
 */
size_t ss_text_clean_str(enum ss_text_mode mode, char *dst, size_t size,
			 const char *src);

#endif /* SS_LIB_TEXT_H */
