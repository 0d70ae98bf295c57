/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_AVLOG_H
#define SS_AVLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "request.h"
#include "scan.h"

/**
 * struct ss_avlog_record - A verdict, for the log.
 * @req: the message
 * @result: what the worker found; NULL where none did
 * @verdict: enum smtpsplice_verdict, as the client got it
 * @reply: the reply, NULL for accept
 * @quarfile: name in the quarantine, NULL where it was not put aside
 * @quarantine: there is a quarantine
 * @detail: why the scan failed, NULL where it did not
 * @scantime_ms: from hand-out to verdict
 */
struct ss_avlog_record {
	const struct ss_request *req;
	const struct ss_scan_result *result;
	uint32_t verdict;
	const char *reply;
	const char *quarfile;
	bool quarantine;
	const char *detail;
	uint64_t scantime_ms;
};

int ss_avlog_open(const char *path);
int ss_avlog_write(int fd, const struct ss_avlog_record *rec);

#endif /* SS_AVLOG_H */
