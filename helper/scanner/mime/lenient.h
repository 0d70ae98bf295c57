/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_LENIENT_H
#define SS_SCANNER_MIME_LENIENT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * typedef ss_lenient_fn - Takes what one reading of a message gives.
 * @data: decoded content, gone after the call
 * @len: its length in bytes
 * @arg: the caller's
 *
 * Return: whether to go on.
 */
typedef bool (*ss_lenient_fn)(const void *data, size_t len, void *arg);

/**
 * ss_lenient_all() - Hand out what lenient readers may see in a message.
 * @text: the message, without dot-stuffing
 * @len: its length in bytes
 * @fn: takes each reading, none twice
 * @arg: for @fn
 *
 * All that may be content by itself comes first, then what may be in a message
 * that is encoded as a whole.
 *
 * Return: 0, also where @fn ended it; -E2BIG where there is too much of it, and some
 * were left out; -ENOMEM.
 */
int ss_lenient_all(const char *text, size_t len, ss_lenient_fn fn, void *arg);

#endif /* SS_SCANNER_MIME_LENIENT_H */
