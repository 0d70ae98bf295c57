/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_JUDGE_H
#define SS_SCANNER_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/smtpsplice.h>

#include "common/av_profile.h"
#include "common/judgement.h"
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
 * @ambiguous: enum ss_ambiguity_flag
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
	struct ss_inspect_finding content;
};

/**
 * ss_judge() - Decide what becomes of a message.
 * @profile: the AV profile
 * @findings: what was found
 *
 * Goes by what is bad in the message before what of it could not be looked at.
 *
 * Return: the judgement.
 */
struct ss_judgement ss_judge(const struct ss_av_profile *profile,
			     const struct ss_findings *findings);

#endif /* SS_SCANNER_JUDGE_H */
