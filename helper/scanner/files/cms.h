/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_CMS_H
#define SS_SCANNER_FILES_CMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/files/extract.h"

bool ss_cms_is(const uint8_t *data, size_t len);
bool ss_cms_is_enveloped(const uint8_t *data, size_t len);
bool ss_cms_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner);
bool ss_cms_text_is(const uint8_t *data, size_t len);
bool ss_cms_text_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner);

#endif /* SS_SCANNER_FILES_CMS_H */
