/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_YENC_H
#define SS_SCANNER_FILES_YENC_H

#include "scanner/files/extract.h"

bool ss_yenc_is(const uint8_t *data, size_t len);
bool ss_yenc_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner);

#endif /* SS_SCANNER_FILES_YENC_H */
