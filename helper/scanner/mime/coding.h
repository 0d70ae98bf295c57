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

int ss_coding_digit(unsigned char c);
int ss_coding_hex(unsigned char c);
bool ss_coding_check_line(struct ss_coding *coding, const char *s, size_t len,
			  enum ss_coding_end end);
bool ss_coding_check_end(const struct ss_coding *coding);
uint32_t ss_coding_flag(const struct ss_coding *coding);

#endif /* SS_SCANNER_MIME_CODING_H */
