/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_SCAN_H
#define SS_SCANNER_SCAN_H

#include <stddef.h>

#include "proto/scan_msg.h"

struct ss_cache;
struct ss_inspect;
struct ss_engine;

/**
 * struct ss_scan - What a worker scans with.
 * @engine: the signatures
 * @content: looks into files
 * @cache: what was scanned last, or NULL
 */
struct ss_scan {
	struct ss_engine *engine;
	struct ss_inspect *content;
	struct ss_cache *cache;
};

struct ss_scan *ss_scan_new(struct ss_engine *engine);
void ss_scan_free(struct ss_scan *scan);

int ss_scan_message(struct ss_scan *scan, int fd, int quarantine,
		    const struct ss_scan_job *job, const void *profile, size_t len,
		    struct ss_scan_result *result);

#endif /* SS_SCANNER_SCAN_H */
