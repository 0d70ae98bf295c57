// SPDX-License-Identifier: GPL-2.0
/*
 * Turns an action of the AV profile into a verdict, for a message that could not be
 * scanned whole. Used by the worker that finds out, and by the broker where the worker
 * died over it.
 */
#include "common/judgement.h"

struct ss_judgement ss_judgement_by_action(uint32_t action, enum ss_cause cause,
					   uint32_t unscanned)
{
	struct ss_judgement j = {
		.cause = cause, .kind = SS_KIND_COUNT, .found = true, .unscanned = unscanned,
	};

	switch (action) {
	case SMTPSPLICE_FAIL_ACTION_PASS:
		j.verdict = SMTPSPLICE_VERDICT_ACCEPT;
		j.tag = true;
		j.found = false;
		break;
	case SMTPSPLICE_FAIL_ACTION_BLOCK:
		j.verdict = SMTPSPLICE_VERDICT_REJECT;
		break;
	default:
		j.verdict = SMTPSPLICE_VERDICT_TEMPFAIL;
	}
	return j;
}

struct ss_judgement ss_judgement_of_failure(uint32_t action, bool late)
{
	return ss_judgement_by_action(action, SS_CAUSE_SCAN_FAILURE, late ?
				      SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT :
				      SMTPSPLICE_UNSCANNED_SCAN_ERROR);
}
