/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_PROTO_SCAN_MSG_H
#define SS_PROTO_SCAN_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/smtpsplice.h>

#include "lib/addr.h"
#include "proto/cause.h"

#define SS_SCAN_HASH_SIZE	65
#define SS_SCAN_ADDRESS_SIZE	SS_ADDR_SIZE
#define SS_SCAN_PATHS_SIZE	512
#define SS_ENGINE_TEXT_SIZE	256
#define SS_MIME_TEXT_SIZE	512
#define SS_REWRITE_WORDS_SIZE	64
/* Bytes of attributes that a profile has at most; the kernel's limit is lower */
#define SS_AV_PROFILE_OCTETS	16384

/**
 * struct ss_scan_job - What a worker is to do. The descriptors come beside it:
 * the message, and a file to put an infected one aside where @quarantine is set.
 * @ticket: a random number, which the result has to name
 * @size: bytes of the message
 * @limit_ms: how long it may take
 * @chunked: it came by BDAT: no dot is stuffed, line ends may be any
 * @quarantine: there is a second descriptor
 * @splice: the server has most of it already, so that it cannot be changed
 * @tls: it came inside TLS, for the text that replaces a part
 * @source: address of the client, for the text that replaces a part
 * @dest: address of the server, likewise
 * @from: reverse-path, likewise
 * @to: forward-paths, likewise
 */
struct ss_scan_job {
	uint64_t ticket;
	uint64_t size;
	uint32_t limit_ms;
	uint32_t quarantine;
	uint32_t chunked;
	uint32_t splice;
	uint32_t tls;
	char source[SS_SCAN_ADDRESS_SIZE];
	char dest[SS_SCAN_ADDRESS_SIZE];
	char from[SS_SCAN_PATHS_SIZE];
	char to[SS_SCAN_PATHS_SIZE];
};

/**
 * struct ss_scan_order - A job as it is sent to a worker.
 * @job: the job
 * @profile: attributes of the AV profile, as many as there are
 */
struct ss_scan_order {
	struct ss_scan_job job;
	uint8_t profile[SS_AV_PROFILE_OCTETS] __attribute__((aligned(8)));
};

/* Bytes of an order without a profile */
#define SS_SCAN_ORDER_MIN	offsetof(struct ss_scan_order, profile)

/**
 * struct ss_mime_head - What the log says of a message's head; UTF-8, decoded.
 * @from: From
 * @to: To
 * @subject: Subject
 * @messageid: Message-ID without angle brackets
 */
struct ss_mime_head {
	char from[SS_MIME_TEXT_SIZE];
	char to[SS_MIME_TEXT_SIZE];
	char subject[SS_MIME_TEXT_SIZE];
	char messageid[SS_MIME_TEXT_SIZE];
};

/**
 * struct ss_scan_result - What came of it. All strings are terminated; the one
 * who gets it from a worker checks that with ss_scan_result_check().
 * @ticket: that of the job: who has not read it does not know it; set by the worker
 * @verdict: enum smtpsplice_verdict
 * @cause: enum ss_cause, where @found or the verdict is not accept
 * @unscanned: enum smtpsplice_unscanned
 * @conditions: enum smtpsplice_archive_condition, flags, those to be logged
 * @found: there was something that should not pass
 * @monitored: it passes although there was
 * @replaced: a message without it comes beside the result
 * @tag: a header field is to tell that it was not scanned
 * @cached: it was scanned before
 * @keep: the profile wants it put aside
 * @attachment: it has an attachment
 * @quarantined: the file to put it aside has all of it
 * @quarantine_error: errno why it has not, or 0
 * @virus: what was found, or the limit that was exceeded
 * @detail: why the scan failed
 * @file: name of the infected part
 * @filehash: SHA-256 of the infected part in hex, if it was found
 * @broken: what a replacement breaks, in words
 * @head: what is in the message's head
 */
struct ss_scan_result {
	uint64_t ticket;
	uint32_t verdict;
	uint32_t cause;
	uint32_t unscanned;
	uint32_t conditions;
	uint8_t found;
	uint8_t monitored;
	uint8_t replaced;
	uint8_t tag;
	uint8_t cached;
	uint8_t keep;
	uint8_t attachment;
	uint8_t quarantined;
	uint8_t quarantine_error;
	char virus[SS_ENGINE_TEXT_SIZE];
	char detail[SS_ENGINE_TEXT_SIZE];
	char file[SS_MIME_TEXT_SIZE];
	char filehash[SS_SCAN_HASH_SIZE];
	char broken[SS_REWRITE_WORDS_SIZE];
	struct ss_mime_head head;
};

/**
 * ss_scan_result_check() - Check a result that came from a worker, which may
 * have been taken over by what it scanned.
 * @result: the result; strings are terminated and made harmless
 *
 * Return: whether it can be used.
 */
bool ss_scan_result_check(struct ss_scan_result *result);

#endif /* SS_PROTO_SCAN_MSG_H */
