/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCAN_H
#define SS_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/smtpsplice.h>

#include "engine.h"
#include "mime.h"

#define SS_SCAN_PARTIAL		"Smtpsplice.Partial"
#define SS_SCAN_HASH_SIZE	65

/**
 * struct ss_scan_job - What a worker is to do. The descriptors come beside it:
 * the message, and a file to put an infected one aside where @quarantine is set.
 * @size: octets of the message
 * @limit_ms: how long it may take
 * @chunked: it came by BDAT: no dot is stuffed, line ends may be any
 * @quarantine: there is a second descriptor
 */
struct ss_scan_job {
	uint64_t size;
	uint32_t limit_ms;
	uint32_t quarantine;
	uint32_t chunked;
};

/**
 * struct ss_scan_result - What came of it. All strings are terminated; the one
 * who gets it from a worker checks that with ss_scan_result_check().
 * @verdict: enum smtpsplice_verdict
 * @partial: refused since it is a fragment
 * @attachment: it has an attachment
 * @quarantined: the file to put it aside has all of it
 * @quarantine_error: errno why it has not, or 0
 * @virus: what was found
 * @detail: why the scan failed
 * @file: name of the infected part
 * @filehash: SHA-256 of the infected part in hex, if it was found
 * @head: what is in the message's head
 */
struct ss_scan_result {
	uint32_t verdict;
	uint8_t partial;
	uint8_t attachment;
	uint8_t quarantined;
	uint8_t quarantine_error;
	char virus[SS_ENGINE_TEXT_SIZE];
	char detail[SS_ENGINE_TEXT_SIZE];
	char file[SS_MIME_TEXT_SIZE];
	char filehash[SS_SCAN_HASH_SIZE];
	struct ss_mime_head head;
};

void ss_scan_message(struct ss_engine *engine, int fd, int quarantine,
		     const struct ss_scan_job *job, struct ss_scan_result *result);
bool ss_scan_result_check(struct ss_scan_result *result);

#endif /* SS_SCAN_H */
