/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_JUDGE_H
#define SS_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/smtpsplice.h>

#include "common/av_profile.h"
#include "common/template.h"
#include "proto/scan_msg.h"
#include "scanner/engine.h"
#include "scanner/files/inspect.h"

/**
 * struct ss_findings - What was found in a message.
 * @oversize: it is larger than the profile's limit, and was not looked at
 * @infected: a signature was found
 * @virus: its name
 * @limit: the engine did not look at all of it; which limit that was
 * @failed: it could not be scanned
 * @late: for want of time
 * @why: the reason
 * @partial: it is or has a fragment of a message
 * @ambiguous: enum ss_gate_flag
 * @content: what files in it are
 */
struct ss_findings {
	bool oversize;
	bool infected;
	char virus[SS_ENGINE_TEXT_SIZE];
	char limit[SS_ENGINE_TEXT_SIZE];
	bool failed;
	bool late;
	char why[SS_ENGINE_TEXT_SIZE];
	bool partial;
	uint32_t ambiguous;
	struct ss_content_finding content;
};

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

struct ss_judgement ss_judge(const struct ss_avprofile *profile,
			     const struct ss_findings *findings);
struct ss_judgement ss_judge_failure(uint32_t action, bool late);

#endif /* SS_JUDGE_H */
