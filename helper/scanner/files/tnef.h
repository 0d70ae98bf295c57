/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_TNEF_H
#define SS_SCANNER_FILES_TNEF_H

#include "scanner/files/extract.h"

/**
 * ss_tnef_read() - Go over the files in a TNEF stream.
 * @data: the stream, with its mark
 * @len: its length in bytes
 * @inner: takes the files
 *
 * Hands out what there is of a file that is cut off, or that has a wrong checksum, too.
 *
 * Return: whether it is sound; nothing where @inner did not take all of it.
 */
bool ss_tnef_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner);

#endif /* SS_SCANNER_FILES_TNEF_H */
