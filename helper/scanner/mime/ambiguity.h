/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_AMBIGUITY_H
#define SS_SCANNER_MIME_AMBIGUITY_H

#include <stddef.h>
#include <stdint.h>

uint32_t ss_ambiguity_check(const char *text, size_t len);
const char *ss_ambiguity_name(uint32_t flags);

#endif /* SS_SCANNER_MIME_AMBIGUITY_H */
