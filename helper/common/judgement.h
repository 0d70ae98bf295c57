/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_COMMON_JUDGEMENT_H
#define SS_COMMON_JUDGEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/file_types.h"
#include "proto/cause.h"
#include "proto/scan_msg.h"

/**
 * struct ss_judgement - What becomes of it.
 * @verdict: enum smtpsplice_verdict
 * @cause: why, where it is not to pass, or would not but for av-scan monitor
 * @found: there is such a cause
 * @monitored: it passes although there is
 * @replace: it passes without the parts that are the cause, or is refused
 * @unscanned: enum smtpsplice_unscanned: why it passes, or is refused, although not all
 *   of it was looked at
 * @tag: it passes although not all of it was looked at: a header field is to tell
 * @conditions: enum smtpsplice_archive_condition, those to be logged
 * @kind: enum ss_kind that is the cause, where the content of a file is, else
 *   SS_KIND_COUNT
 * @virus: name of what was found, or of the limit that was exceeded, where there is a
 *   cause
 */
struct ss_judgement {
	uint32_t verdict;
	enum ss_cause cause;
	bool found;
	bool monitored;
	bool replace;
	uint32_t unscanned;
	bool tag;
	uint32_t conditions;
	enum ss_kind kind;
	char virus[SS_ENGINE_TEXT_SIZE];
};

/**
 * ss_judgement_by_action() - Tell what becomes of a message that was not looked at.
 * @action: enum smtpsplice_fail_action, what the profile says of such messages
 * @cause: why, in the reply
 * @unscanned: enum smtpsplice_unscanned: why, in the log
 *
 * Return: the judgement.
 */
struct ss_judgement ss_judgement_by_action(uint32_t action, enum ss_cause cause,
					   uint32_t unscanned);

/**
 * ss_judgement_of_failure() - Tell what becomes of a message that could not be scanned.
 * @action: enum smtpsplice_fail_action
 * @late: for want of time
 *
 * Return: the judgement.
 */
struct ss_judgement ss_judgement_of_failure(uint32_t action, bool late);

#endif /* SS_COMMON_JUDGEMENT_H */
