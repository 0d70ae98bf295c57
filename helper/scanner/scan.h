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
 * @inspect: looks into files
 * @cache: what was scanned last, or NULL
 */
struct ss_scan {
	struct ss_engine *engine;
	struct ss_inspect *inspect;
	struct ss_cache *cache;
};

/**
 * ss_scan_new() - Get ready to scan.
 * @engine: the engine; stays the caller's
 *
 * Return: what to scan with, to be freed with ss_scan_free(), or NULL.
 */
struct ss_scan *ss_scan_new(struct ss_engine *engine);

/**
 * ss_scan_free() - Free what ss_scan_new() has made.
 * @scan: that, or NULL
 */
void ss_scan_free(struct ss_scan *scan);

/**
 * ss_scan_message() - Scan a message.
 * @scan: what to scan with
 * @fd: the message as on the wire; only read from
 * @quarantine: where an infected message is written to, or -1
 * @job: size of the message, how it came, and how long it may take
 * @profile: attributes of the AV profile
 * @len: bytes of them
 * @result: set in any case
 *
 * Return: where the result says replaced, the sealed file of what is to go to the
 * server instead, the caller's; else -1.
 */
int ss_scan_message(struct ss_scan *scan, int fd, int quarantine,
		    const struct ss_scan_job *job, const void *profile, size_t len,
		    struct ss_scan_result *result);

#endif /* SS_SCANNER_SCAN_H */
