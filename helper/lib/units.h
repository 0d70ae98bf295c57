/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LIB_UNITS_H
#define SS_LIB_UNITS_H

#include <stdbool.h>
#include <stdint.h>

bool ss_units_size(const char *text, uint64_t max, uint64_t *octets);
bool ss_units_time(const char *text, uint64_t max, uint64_t *ms);
bool ss_units_seconds(const char *text, uint64_t max, uint64_t *n);

#endif /* SS_LIB_UNITS_H */
