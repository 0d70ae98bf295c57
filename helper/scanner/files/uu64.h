/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_UU64_H
#define SS_SCANNER_FILES_UU64_H

#include "scanner/files/extract.h"

/**
 * ss_uu64_is() - Whether there is a file in a text by uuencode's base64.
 * @data: the text
 * @len: its length in bytes
 *
 * Return: whether there is.
 */
bool ss_uu64_is(const uint8_t *data, size_t len);

/**
 * ss_uu64_read() - Go over the files that are in a text by uuencode's base64.
 * @data: the text
 * @len: its length in bytes
 * @inner: takes the files
 *
 * Return: whether each has an end; nothing where @inner did not take all.
 */
bool ss_uu64_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner);

#endif /* SS_SCANNER_FILES_UU64_H */
