/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_LENIENT_H
#define SS_SCANNER_MIME_LENIENT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * typedef ss_lenient_fn - Takes what one reading of a message gives.
 * @data: decoded content, gone after the call
 * @len: its length in octets
 * @arg: the caller's
 *
 * Return: whether to go on.
 */
typedef bool (*ss_lenient_fn)(const void *data, size_t len, void *arg);

int ss_lenient_all(const char *text, size_t len, ss_lenient_fn fn, void *arg);

#endif /* SS_SCANNER_MIME_LENIENT_H */
