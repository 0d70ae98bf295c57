// SPDX-License-Identifier: GPL-2.0
/*
 * Checks the result that a scan worker sends to the broker. A worker reads mail that
 * anybody may send, and may be in the hands of an attacker: so each field that can be
 * checked against the others is.
 */
#include <stdio.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "proto/scan_msg.h"

#define ALL_CONDITIONS	0xff	/* of enum smtpsplice_archive_condition */

/*
 * Do verdict and finding fit each other? A message passes with a finding only if that
 * is just monitored, or was replaced; one that is refused for good needs a finding.
 */
static bool verdict_fits(const struct ss_scan_result *r)
{
	switch (r->verdict) {
	case SMTPSPLICE_VERDICT_ACCEPT:
		return r->found ? r->monitored || r->replaced : !r->monitored;
	case SMTPSPLICE_VERDICT_REJECT:
	case SMTPSPLICE_VERDICT_DISCARD:
		return r->found;
	default:
		return true;
	}
}

bool ss_scan_result_check(struct ss_scan_result *result)
{
	struct {
		char *text;
		size_t size;
	} texts[] = {
		{ result->virus, sizeof(result->virus) },
		{ result->detail, sizeof(result->detail) },
		{ result->file, sizeof(result->file) },
		{ result->filehash, sizeof(result->filehash) },
		{ result->broken, sizeof(result->broken) },
		{ result->head.from, sizeof(result->head.from) },
		{ result->head.to, sizeof(result->head.to) },
		{ result->head.subject, sizeof(result->head.subject) },
		{ result->head.messageid, sizeof(result->head.messageid) },
	};

	if (result->verdict > SMTPSPLICE_VERDICT_DISCARD ||
	    result->cause >= SS_CAUSE_COUNT ||
	    result->conditions > ALL_CONDITIONS ||
	    result->unscanned > SMTPSPLICE_UNSCANNED_ENCRYPTED || !verdict_fits(result))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char copy[SS_MIME_TEXT_SIZE];

		texts[i].text[texts[i].size - 1] = '\0';
		snprintf(copy, sizeof(copy), "%s", texts[i].text);
		ss_text_clean_str(SS_TEXT_JSON, texts[i].text, texts[i].size, copy);
	}
	return true;
}
