/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_PGP_H
#define SS_SCANNER_FILES_PGP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/files/extract.h"

/**
 * ss_pgp_is() - Whether there is a message of OpenPGP in a text.
 * @data: the text
 * @len: its length in bytes
 *
 * Return: whether a line says so.
 */
bool ss_pgp_is(const uint8_t *data, size_t len);

/**
 * ss_pgp_read() - Hand out what can be read in such a text, which is nothing.
 * @data: the text
 * @len: its length in bytes
 * @inner: takes nothing
 *
 * Return: true.
 */
bool ss_pgp_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner);

#endif /* SS_SCANNER_FILES_PGP_H */
