/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_EXTRACT_H
#define SS_SCANNER_FILES_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct ss_extract_sink - Takes the files that are in another one.
 * @file: a file begins, and the one before is complete; @name is any bytes, @len of
 *   them, and gone after the call. A file with several names comes once for each of
 *   them, and has its bytes with the first.
 * @octets: more of its bytes
 * @arg: for both
 *
 * Both return whether to go on.
 */
struct ss_extract_sink {
	bool (*file)(void *arg, const char *name, size_t len);
	bool (*octets)(void *arg, const uint8_t *data, size_t len);
	void *arg;
};

#endif /* SS_SCANNER_FILES_EXTRACT_H */
