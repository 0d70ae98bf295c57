// SPDX-License-Identifier: GPL-2.0
/*
 * What the broker and a scan worker send each other: a message to scan, and what
 * came of it. A worker reads what anybody may send; the broker believes it nothing
 * that it can check.
 */
#include <stdio.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "proto/scan_msg.h"

#define ALL_CONDITIONS	0xff	/* of enum smtpsplice_archive_condition */

/*
 * What passes has nothing found in it, unless that is only watched or was taken out;
 * what is refused for good has.
 */
static bool agrees(const struct ss_scan_result *r)
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
	    result->unscanned > SMTPSPLICE_UNSCANNED_ENCRYPTED || !agrees(result))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char copy[SS_MIME_TEXT_SIZE];

		texts[i].text[texts[i].size - 1] = '\0';
		snprintf(copy, sizeof(copy), "%s", texts[i].text);
		ss_text_clean_str(SS_TEXT_JSON, texts[i].text, texts[i].size, copy);
	}
	return true;
}
