/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_NESTED_H
#define SS_SCANNER_NESTED_H

#include <stdbool.h>
#include <stddef.h>

#include "scanner/message.h"

bool ss_nested_is_mail(const char *text, size_t len);
int ss_nested_make(struct ss_message *copy, int fd);
bool ss_nested_has_bare_cr(const struct ss_message *copy);

#endif /* SS_SCANNER_NESTED_H */
