/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LIB_UNITS_H
#define SS_LIB_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * ss_units_size() - Read a size like 1000000, 512K, 50M or 2G.
 * @text: what was typed
 * @max: the largest that is allowed
 * @bytes: the size
 *
 * Return: whether it is one, from 1 to @max.
 */
bool ss_units_size(const char *text, uint64_t max, uint64_t *bytes);

/**
 * ss_units_time() - Read a time like 30, 30s, 1500ms or 5m.
 * @text: what was typed
 * @max: the longest that is allowed, in milliseconds
 * @ms: the time in milliseconds
 *
 * Return: whether it is one, from 1 to @max.
 */
bool ss_units_time(const char *text, uint64_t max, uint64_t *ms);

/**
 * ss_units_seconds() - Read a time like 30, 30s, 10m or 2h.
 * @text: what was typed
 * @max: the longest that is allowed, in seconds
 * @n: the time in seconds
 *
 * Return: whether it is one, from 1 to @max.
 */
bool ss_units_seconds(const char *text, uint64_t max, uint64_t *n);

#endif /* SS_LIB_UNITS_H */
