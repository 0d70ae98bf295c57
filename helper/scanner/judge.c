// SPDX-License-Identifier: GPL-2.0
/*
 * The judgement on a message, by what was found in it and what its AV profile says.
 * Pure functions: all the words of a profile that are about verdicts are heeded
 * here, with the help of common/judgement.c, and nowhere else in a worker.
 */
#include <stdio.h>

#include "lib/cleanup.h"
#include "scanner/judge.h"
#include "scanner/mime/ambiguity.h"

/* The archive conditions of a profile and the kinds that are found are one list */
#define CONDITIONS(found)	((found) >> SS_KIND_ENCRYPTED)

_Static_assert(SMTPSPLICE_ARCHIVE_CONDITION_ENCRYPTED ==
	       CONDITIONS(SS_KIND_BIT(SS_KIND_ENCRYPTED)), "encrypted");
_Static_assert(SMTPSPLICE_ARCHIVE_CONDITION_MAILBOMB ==
	       CONDITIONS(SS_KIND_BIT(SS_KIND_MAILBOMB)), "mailbomb");
_Static_assert(SMTPSPLICE_ARCHIVE_CONDITION_UNHANDLED ==
	       CONDITIONS(SS_KIND_BIT(SS_KIND_UNHANDLED)), "unhandled");

/* The first of the archive conditions that refuse it, or SS_KIND_COUNT */
static enum ss_kind find_blocking(const struct ss_av_profile *p, uint32_t found)
{
	uint32_t hit = CONDITIONS(found) & p->archive_block;

	for (int i = 0; hit; i++, hit >>= 1)
		if (hit & 1)
			return SS_KIND_ENCRYPTED + i;
	return SS_KIND_COUNT;
}

static bool has_kind(const struct ss_findings *f, enum ss_kind kind)
{
	return f->content.found & SS_KIND_BIT(kind);
}

/*
 * The cause for which it should not pass, what is worst first. Return: whether
 * there is one.
 */
static bool find_cause(const struct ss_av_profile *p, const struct ss_findings *f,
		       struct ss_judgement *j)
{
	const char *name = NULL;

	if (f->infected) {
		j->cause = SS_CAUSE_VIRUS;
		snprintf(j->virus, sizeof(j->virus), "%s", f->virus);
		return true;
	}
	if (has_kind(f, SS_KIND_HASH)) {
		j->cause = SS_CAUSE_HASH;
		j->kind = SS_KIND_HASH;
		name = "Hash";
	} else if (has_kind(f, SS_KIND_EXECUTABLE)) {
		j->cause = SS_CAUSE_EXECUTABLE;
		j->kind = SS_KIND_EXECUTABLE;
		name = "Executable";
	} else if (has_kind(f, SS_KIND_NAME) || has_kind(f, SS_KIND_TYPE)) {
		j->cause = SS_CAUSE_FILENAME;
		j->kind = has_kind(f, SS_KIND_NAME) ? SS_KIND_NAME : SS_KIND_TYPE;
		name = has_kind(f, SS_KIND_NAME) ? "Filename" : "Filetype";
	}
	if (name) {
		snprintf(j->virus, sizeof(j->virus), "Smtpsplice.%s", name);
		return true;
	}
	j->kind = find_blocking(p, f->content.found);
	if (j->kind != SS_KIND_COUNT) {
		j->cause = SS_CAUSE_ARCHIVE;
		snprintf(j->virus, sizeof(j->virus), "Smtpsplice.Archive.%s",
			 ss_file_types_condition_name(j->kind));
		return true;
	}
	if (f->partial && p->fragmail == SMTPSPLICE_PASS_BLOCK_BLOCK) {
		j->cause = SS_CAUSE_PARTIAL;
		snprintf(j->virus, sizeof(j->virus), "Smtpsplice.Partial");
		return true;
	}
	if (f->ambiguous && p->ambiguity == SMTPSPLICE_AMBIGUITY_BLOCK) {
		j->cause = SS_CAUSE_AMBIGUOUS;
		snprintf(j->virus, sizeof(j->virus), "Smtpsplice.%s",
			 ss_ambiguity_name(f->ambiguous));
		return true;
	}
	return false;
}

/* Why could not all of it be looked at? */
static uint32_t find_unscanned(const struct ss_findings *f)
{
	if (f->failed)
		return f->late ? SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT :
				 SMTPSPLICE_UNSCANNED_SCAN_ERROR;
	if (f->partial)
		return SMTPSPLICE_UNSCANNED_PARTIAL;
	if (CONDITIONS(f->content.found) || f->limit[0])
		return SMTPSPLICE_UNSCANNED_ARCHIVE;
	/* there is nothing odd about that, unlike the others */
	if (has_kind(f, SS_KIND_ENVELOPED))
		return SMTPSPLICE_UNSCANNED_ENCRYPTED;
	return f->ambiguous ? SMTPSPLICE_UNSCANNED_AMBIGUOUS : SMTPSPLICE_UNSCANNED_NONE;
}

/* Is it by a cause that nothing was found, but not all was looked at? */
static uint32_t unscanned_by(enum ss_cause cause)
{
	switch (cause) {
	case SS_CAUSE_ARCHIVE:
		return SMTPSPLICE_UNSCANNED_ARCHIVE;
	case SS_CAUSE_PARTIAL:
		return SMTPSPLICE_UNSCANNED_PARTIAL;
	case SS_CAUSE_AMBIGUOUS:
		return SMTPSPLICE_UNSCANNED_AMBIGUOUS;
	default:
		return SMTPSPLICE_UNSCANNED_NONE;
	}
}

/* There is a cause: what does the profile want done? */
static void judge_found(const struct ss_av_profile *p, const struct ss_findings *f,
			struct ss_judgement *j)
{
	j->found = true;
	if (p->scan == SMTPSPLICE_AV_SCAN_MONITOR) {
		j->verdict = SMTPSPLICE_VERDICT_ACCEPT;
		j->monitored = true;
		j->unscanned = find_unscanned(f);
		return;
	}
	j->verdict = SMTPSPLICE_VERDICT_REJECT;
	j->unscanned = unscanned_by(j->cause);
	switch (p->infected) {
	case SMTPSPLICE_INFECTED_DISCARD:
		j->verdict = SMTPSPLICE_VERDICT_DISCARD;
		break;
	case SMTPSPLICE_INFECTED_REPLACE:
		/* these two have no part that could be taken out */
		j->replace = j->cause != SS_CAUSE_PARTIAL &&
			     j->cause != SS_CAUSE_AMBIGUOUS;
		break;
	}
}

/*
 * Nothing bad was found, but maybe not all was looked at. What the profile lets pass
 * for one cause may not pass for another. Return: whether there is a cause.
 */
static bool judge_unscanned(const struct ss_av_profile *p, const struct ss_findings *f,
			    struct ss_judgement *j)
{
	struct ss_judgement all[3];
	size_t count = 0;

	if (f->failed)
		all[count++] = ss_judgement_of_failure(f->late ? p->scan_timeout : p->scan_error,
						       f->late);
	if (f->limit[0]) {
		all[count] = ss_judgement_by_action(p->undecodable, SS_CAUSE_UNDECODABLE,
						    SMTPSPLICE_UNSCANNED_ARCHIVE);
		snprintf(all[count].virus, sizeof(all[count].virus), "%s", f->limit);
		count++;
	}
	if (has_kind(f, SS_KIND_ENVELOPED)) {
		all[count] = ss_judgement_by_action(p->encrypted_mail, SS_CAUSE_ENCRYPTED,
						    SMTPSPLICE_UNSCANNED_ENCRYPTED);
		all[count].kind = SS_KIND_ENVELOPED;
		if (all[count].found)
			snprintf(all[count].virus, sizeof(all[count].virus),
				 "Smtpsplice.Encrypted");
		count++;
	}
	for (size_t i = 0; i < count; i++)
		if (!i || (j->verdict == SMTPSPLICE_VERDICT_ACCEPT &&
			   all[i].verdict != SMTPSPLICE_VERDICT_ACCEPT))
			*j = all[i];
	if (count && j->verdict == SMTPSPLICE_VERDICT_ACCEPT && !j->found)
		j->unscanned = find_unscanned(f);
	return count;
}

struct ss_judgement ss_judge(const struct ss_av_profile *profile,
			     const struct ss_findings *findings)
{
	struct ss_judgement j = {
		.verdict = SMTPSPLICE_VERDICT_ACCEPT, .kind = SS_KIND_COUNT,
	};

	if (findings->oversize) {
		j = ss_judgement_by_action(profile->oversize, SS_CAUSE_OVERSIZE,
					   SMTPSPLICE_UNSCANNED_OVERSIZE);
		if (j.found)
			snprintf(j.virus, sizeof(j.virus), "Smtpsplice.Oversize");
		return j;
	}
	if (find_cause(profile, findings, &j))
		judge_found(profile, findings, &j);
	else if (!judge_unscanned(profile, findings, &j))
		j.unscanned = find_unscanned(findings);
	/* all readings of what is ambiguous were scanned */
	j.tag = j.verdict == SMTPSPLICE_VERDICT_ACCEPT &&
		j.unscanned != SMTPSPLICE_UNSCANNED_NONE &&
		j.unscanned != SMTPSPLICE_UNSCANNED_AMBIGUOUS;
	j.conditions = CONDITIONS(findings->content.found) & profile->archive_log;
	return j;
}
