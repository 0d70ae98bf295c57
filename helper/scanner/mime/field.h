/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_FIELD_H
#define SS_SCANNER_MIME_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/mime/coding.h"

#define SS_MIMEFIELD_BOUNDARY	70	/* RFC 2046 5.1.1 */

/**
 * enum ss_mimefield_id - Which field a name means.
 * @SS_MIMEFIELD_TYPE: Content-Type
 * @SS_MIMEFIELD_ENCODING: Content-Transfer-Encoding
 * @SS_MIMEFIELD_DISPOSITION: Content-Disposition
 * @SS_MIMEFIELD_VERSION: MIME-Version
 * @SS_MIMEFIELD_DISGUISED: looks like one of these and is none
 * @SS_MIMEFIELD_OTHER: another
 */
enum ss_mimefield_id {
	SS_MIMEFIELD_TYPE,
	SS_MIMEFIELD_ENCODING,
	SS_MIMEFIELD_DISPOSITION,
	SS_MIMEFIELD_VERSION,
	SS_MIMEFIELD_DISGUISED,
	SS_MIMEFIELD_OTHER,
};

/**
 * enum ss_mimefield_kind - How the content of a type is read.
 * @SS_MIMEFIELD_LEAF: it has no parts
 * @SS_MIMEFIELD_MULTIPART: it has parts
 * @SS_MIMEFIELD_MESSAGE: it is a message
 */
enum ss_mimefield_kind {
	SS_MIMEFIELD_LEAF,
	SS_MIMEFIELD_MULTIPART,
	SS_MIMEFIELD_MESSAGE,
};

/**
 * struct ss_mimefield_type - What a Content-Type says.
 * @kind: how to read the content
 * @digest: a multipart whose parts are messages if they do not say otherwise
 * @report: a multipart that may hold the beginning of a message
 * @boundary: no terminator
 * @boundary_len: its length in octets, 0 where there is none
 */
struct ss_mimefield_type {
	enum ss_mimefield_kind kind;
	bool digest;
	bool report;
	char boundary[SS_MIMEFIELD_BOUNDARY];
	size_t boundary_len;
};

bool ss_mimefield_is_field(const char *s, size_t len);
bool ss_mimefield_looks_so(const char *s, size_t len);
enum ss_mimefield_id ss_mimefield_identify(const char *s, size_t len);
uint32_t ss_mimefield_check_shape(const char *s, size_t len);
uint32_t ss_mimefield_read_type(const char *s, size_t len, struct ss_mimefield_type *type);
uint32_t ss_mimefield_read_encoding(const char *s, size_t len, enum ss_coding_kind *kind);
uint32_t ss_mimefield_read_disposition(const char *s, size_t len);
uint32_t ss_mimefield_read_version(const char *s, size_t len);

#endif /* SS_SCANNER_MIME_FIELD_H */
