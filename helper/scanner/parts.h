/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_PARTS_H
#define SS_SCANNER_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/av_profile.h"
#include "scanner/engine.h"
#include "scanner/files/inspect.h"
#include "scanner/mime/parser.h"

#define SS_PARTS_BAD_MAX	64

/**
 * struct ss_parts_bad - A part that should not pass.
 * @index: its place in the order of ss_mime_walk()
 * @name: its file name, any bytes
 * @hash: its SHA-256
 * @found: SS_KIND_BIT() of what was found in it
 * @infected: a signature was found in it
 * @virus: its name, as libclamav gave it
 * @allowed: its hash is in the allow list
 */
struct ss_parts_bad {
	unsigned int index;
	char name[SS_MIME_TEXT_SIZE];
	unsigned char hash[SS_INSPECT_HASH_SIZE];
	uint32_t found;
	bool infected;
	char virus[SS_ENGINE_TEXT_SIZE];
	bool allowed;
};

/**
 * struct ss_parts - What the parts of a message are.
 * @engine: scans each part, and the files in archives, in TNEF and in texts. libclamav
 *   takes a message whose first line is odd for something else, knows fewer compressions
 *   than libarchive, and of several streams behind one another the first; it takes all
 *   files in TNEF for one, and does not see those that are in properties.
 * @each: a signature was found in the message: which part is infected?
 * @inspect: looks into files
 * @profile: what to look for
 * @end: when to stop, see ss_process_now()
 * @index: parts seen
 * @attachments: how many of them are attachments
 * @name: the name of the last one
 * @found: what is in all of them
 * @bad: those that should not pass
 * @bad_count: how many; there may be more than are listed
 * @late: there was no time for all of them
 * @virus: the first signature found in what @engine scans, else empty
 * @limit: a limit that was exceeded there, likewise
 * @scans: how many there were
 * @copied: bytes of messages that were copied for them
 * @budget: bytes and members that may still come out of archives
 * @partial: one of them is, or has, a fragment of a message
 * @ambiguous: enum ss_ambiguity_flag, of mail in S/MIME
 * @missed: there was no time for all of these
 * @failed: a part could not be looked at
 * @why: the reason
 */
struct ss_parts {
	struct ss_engine *engine;
	bool each;
	const struct ss_inspect *inspect;
	const struct ss_av_profile *profile;
	uint64_t end;
	unsigned int index;
	unsigned int attachments;
	char name[SS_MIME_TEXT_SIZE];
	struct ss_inspect_finding found;
	struct ss_parts_bad bad[SS_PARTS_BAD_MAX];
	unsigned int bad_count;
	bool late;
	char virus[SS_ENGINE_TEXT_SIZE];
	char limit[SS_ENGINE_TEXT_SIZE];
	unsigned int scans;
	uint64_t copied;
	struct ss_unpack_budget budget;
	bool partial;
	uint32_t ambiguous;
	bool missed;
	bool failed;
	char why[SS_ENGINE_TEXT_SIZE];
};

/**
 * ss_parts_walk() - Look at all parts.
 * @parts: what to look for; gets what was found
 * @tree: the message
 *
 * Return: false where there are too many parts, or too deep ones.
 */
bool ss_parts_walk(struct ss_parts *parts, const struct ss_mime_tree *tree);

/**
 * ss_parts_all_allowed() - Is what is infected fine by its hash?
 * @parts: after the walk, with an engine
 *
 * Return: whether each infected part is in the allow list, and there is one.
 */
bool ss_parts_all_allowed(const struct ss_parts *parts);

#endif /* SS_SCANNER_PARTS_H */
