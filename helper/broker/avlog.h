/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_AVLOG_H
#define SS_BROKER_AVLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/scan_request.h"
#include "proto/scan_msg.h"

/**
 * struct ss_avlog - A log.
 * @fd: its descriptor, -1 before it was opened
 * @torn: the last record in it is not whole
 */
struct ss_avlog {
	int fd;
	bool torn;
};

/**
 * struct ss_avlog_record - A verdict, for the log.
 * @req: the message
 * @result: what the worker found, or what stands for it where there is none
 * @verdict: enum smtpsplice_verdict, as the client got it
 * @reply: the reply, NULL for accept
 * @quarfile: name in the quarantine, NULL where it was not put aside
 * @quarantine: there is a quarantine
 * @detail: what failed, the scan or the quarantine; empty or NULL where nothing did
 * @scantime_ms: from hand-out to verdict
 */
struct ss_avlog_record {
	const struct ss_scan_request *req;
	const struct ss_scan_result *result;
	uint32_t verdict;
	const char *reply;
	const char *quarfile;
	bool quarantine;
	const char *detail;
	uint64_t scantime_ms;
};

/**
 * struct ss_avlog_handshake - Handshakes that failed, or were not done, for the
 * log.
 * @flow: the session
 * @bypassed: the session is passed on unscanned; else it was ended
 * @cause: enum smtpsplice_tls_cause
 * @server_name: the name that the client asked for, or NULL
 * @text: what failed, in words, or NULL
 */
struct ss_avlog_handshake {
	const struct ss_flow *flow;
	bool bypassed;
	uint32_t cause;
	const char *server_name;
	const char *text;
};

/**
 * ss_avlog_open() - Open a log, or another one in its place.
 * @log: the log; as it was where this fails
 * @path: its path; "-" is stderr. The folder it is in is made, if only that one
 *   is missing.
 *
 * Return: 0 or an errno.
 */
int ss_avlog_open(struct ss_avlog *log, const char *path);

/**
 * ss_avlog_write() - Append a record.
 * @log: the log
 * @rec: the record
 *
 * Return: 0 or an errno.
 */
int ss_avlog_write(struct ss_avlog *log, const struct ss_avlog_record *rec);

/**
 * ss_avlog_write_handshake() - Append a record of TLS that was not taken off.
 * @log: the log
 * @rec: the record
 *
 * Return: 0 or an errno.
 */
int ss_avlog_write_handshake(struct ss_avlog *log, const struct ss_avlog_handshake *rec);

#endif /* SS_BROKER_AVLOG_H */
