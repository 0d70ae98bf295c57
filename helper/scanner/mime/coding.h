/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_CODING_H
#define SS_SCANNER_MIME_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * enum ss_coding_kind - A content transfer encoding.
 * @SS_CODING_NONE: 7bit, 8bit, binary, or one that is not known
 * @SS_CODING_BASE64: base64
 * @SS_CODING_QUOTED: quoted-printable
 */
enum ss_coding_kind {
	SS_CODING_NONE,
	SS_CODING_BASE64,
	SS_CODING_QUOTED,
};

/**
 * struct ss_coding - The content of a part, read line by line.
 * @kind: how it is encoded
 * @digits: digits of base64 so far
 * @pads: "=" after them
 */
struct ss_coding {
	enum ss_coding_kind kind;
	uint64_t digits;
	uint64_t pads;
};

/**
 * enum ss_coding_end - What ends a line.
 * @SS_CODING_CRLF: what should
 * @SS_CODING_ODD: a bare CR or LF
 * @SS_CODING_NOTHING: the end of the message
 */
enum ss_coding_end {
	SS_CODING_CRLF,
	SS_CODING_ODD,
	SS_CODING_NOTHING,
};

/**
 * ss_coding_digit() - Value of a digit of base64.
 * @c: the digit
 *
 * Return: 0 to 63, or -1.
 */
int ss_coding_digit(unsigned char c);

/**
 * ss_coding_hex() - Value of a hexadecimal digit, of either case.
 * @c: the digit
 *
 * Return: 0 to 15, or -1.
 */
int ss_coding_hex(unsigned char c);

/**
 * ss_coding_check_line() - Read a line of the content.
 * @coding: what is known of the content
 * @s: the line
 * @len: its length in bytes
 * @end: what ends it
 *
 * Return: whether decoders agree on it.
 */
bool ss_coding_check_line(struct ss_coding *coding, const char *s, size_t len,
			  enum ss_coding_end end);

/**
 * ss_coding_check_end() - The content ends here.
 * @coding: what is known of it
 *
 * Return: whether decoders agree on the end.
 */
bool ss_coding_check_end(const struct ss_coding *coding);

/**
 * ss_coding_flag() - What the gate says of content that is not agreed on.
 * @coding: the content
 *
 * Return: the flag, see enum ss_ambiguity_flag.
 */
uint32_t ss_coding_flag(const struct ss_coding *coding);

#endif /* SS_SCANNER_MIME_CODING_H */
