/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_PGP_H
#define SS_SCANNER_FILES_PGP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/files/extract.h"

bool ss_pgp_is(const uint8_t *data, size_t len);
bool ss_pgp_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner);

#endif /* SS_SCANNER_FILES_PGP_H */
