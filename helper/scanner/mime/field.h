/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_FIELD_H
#define SS_SCANNER_MIME_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/mime/coding.h"

#define SS_MIME_FIELD_BOUNDARY	70	/* RFC 2046 5.1.1 */

/**
 * enum ss_mime_field_id - Which field a name means.
 * @SS_MIME_FIELD_TYPE: Content-Type
 * @SS_MIME_FIELD_ENCODING: Content-Transfer-Encoding
 * @SS_MIME_FIELD_DISPOSITION: Content-Disposition
 * @SS_MIME_FIELD_VERSION: MIME-Version
 * @SS_MIME_FIELD_DISGUISED: looks like one of these and is none
 * @SS_MIME_FIELD_OTHER: another
 */
enum ss_mime_field_id {
	SS_MIME_FIELD_TYPE,
	SS_MIME_FIELD_ENCODING,
	SS_MIME_FIELD_DISPOSITION,
	SS_MIME_FIELD_VERSION,
	SS_MIME_FIELD_DISGUISED,
	SS_MIME_FIELD_OTHER,
};

/**
 * enum ss_mime_field_kind - How the content of a type is read.
 * @SS_MIME_FIELD_LEAF: it has no parts
 * @SS_MIME_FIELD_MULTIPART: it has parts
 * @SS_MIME_FIELD_MESSAGE: it is a message
 */
enum ss_mime_field_kind {
	SS_MIME_FIELD_LEAF,
	SS_MIME_FIELD_MULTIPART,
	SS_MIME_FIELD_MESSAGE,
};

/**
 * struct ss_mime_field_type - What a Content-Type says.
 * @kind: how to read the content
 * @digest: a multipart whose parts are messages if they do not say otherwise
 * @report: a multipart that may hold the beginning of a message
 * @boundary: no terminator
 * @boundary_len: its length in bytes, 0 where there is none
 */
struct ss_mime_field_type {
	enum ss_mime_field_kind kind;
	bool digest;
	bool report;
	char boundary[SS_MIME_FIELD_BOUNDARY];
	size_t boundary_len;
};

/**
 * ss_mime_field_is_field() - Whether a line begins a field (RFC 5322 3.6.8, 4.5).
 * @s: the line
 * @len: its length in bytes
 *
 * Return: whether it does; blanks in front of the colon are obsolete, but legal.
 */
bool ss_mime_field_is_field(const char *s, size_t len);

/**
 * ss_mime_field_looks_so() - Whether a line is one of the MIME fields to somebody.
 * @s: the line, of a header or of anything
 * @len: its length in bytes
 *
 * Return: whether its name has the letters of one.
 */
bool ss_mime_field_looks_so(const char *s, size_t len);

/**
 * ss_mime_field_identify() - Which MIME field this is.
 * @s: the field
 * @len: its length in bytes
 *
 * Return: which one.
 */
enum ss_mime_field_id ss_mime_field_identify(const char *s, size_t len);

/**
 * ss_mime_field_check_shape() - Look at the bytes and lines of a MIME field.
 * @s: the field, without what ends its last line
 * @len: its length in bytes
 *
 * Return: flags, see enum ss_ambiguity_flag.
 */
uint32_t ss_mime_field_check_shape(const char *s, size_t len);

/**
 * ss_mime_field_read_type() - Read a Content-Type.
 * @s: the field
 * @len: its length in bytes
 * @type: what it says
 *
 * Return: flags, see enum ss_ambiguity_flag.
 */
uint32_t ss_mime_field_read_type(const char *s, size_t len, struct ss_mime_field_type *type);

/**
 * ss_mime_field_read_encoding() - Read a Content-Transfer-Encoding.
 * @s: the field
 * @len: its length in bytes
 * @kind: what it says
 *
 * Return: flags, see enum ss_ambiguity_flag.
 */
uint32_t ss_mime_field_read_encoding(const char *s, size_t len, enum ss_coding_kind *kind);

/**
 * ss_mime_field_read_disposition() - Read a Content-Disposition.
 * @s: the field
 * @len: its length in bytes
 *
 * Return: flags, see enum ss_ambiguity_flag.
 */
uint32_t ss_mime_field_read_disposition(const char *s, size_t len);

/**
 * ss_mime_field_read_version() - Read a MIME-Version.
 * @s: the field
 * @len: its length in bytes
 *
 * Return: flags, see enum ss_ambiguity_flag.
 */
uint32_t ss_mime_field_read_version(const char *s, size_t len);

#endif /* SS_SCANNER_MIME_FIELD_H */
