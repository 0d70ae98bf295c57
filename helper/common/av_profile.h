/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_COMMON_AV_PROFILE_H
#define SS_COMMON_AV_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include <linux/smtpsplice.h>

#include "common/template.h"

/**
 * struct ss_av_profile_hashes - A list of SHA-256.
 * @hash: the hashes, in order
 * @count: how many
 */
struct ss_av_profile_hashes {
	unsigned char hash[SMTPSPLICE_LIST_MAX][SMTPSPLICE_SHA256_SIZE];
	unsigned int count;
};

/**
 * struct ss_av_profile - An AV profile, see the attribute set av-profile.
 * @scan: enum smtpsplice_av_scan
 * @executables: enum smtpsplice_executables
 * @infected: enum smtpsplice_infected
 * @archive_block: enum smtpsplice_archive_condition, flags
 * @archive_log: likewise
 * @oversize_limit: bytes, 0 for none
 * @oversize: enum smtpsplice_fail_action
 * @uncompressed_limit: bytes, 0 for none
 * @nest_limit: levels of archives
 * @fragmail: enum smtpsplice_pass_block
 * @ambiguity: enum smtpsplice_ambiguity
 * @names: patterns of file names
 * @name_count: how many
 * @types: words of file types
 * @type_count: how many
 * @block: files that are refused
 * @allow: attachments that are fine
 * @scan_error: enum smtpsplice_fail_action, as are the next three
 * @scan_timeout: there was no time
 * @undecodable: a limit of the scanner was exceeded
 * @encrypted_mail: it is encrypted for its recipient
 * @quarantine: enum smtpsplice_switch
 * @cache: enum smtpsplice_switch
 * @reply: templates of replies by enum ss_cause, "" for the built-in one
 * @replacement: template of the text in the place of a part, "" for the built-in one
 */
struct ss_av_profile {
	uint32_t scan;
	uint32_t executables;
	uint32_t infected;
	uint32_t archive_block;
	uint32_t archive_log;
	uint64_t oversize_limit;
	uint32_t oversize;
	uint64_t uncompressed_limit;
	uint32_t nest_limit;
	uint32_t fragmail;
	uint32_t ambiguity;
	char names[SMTPSPLICE_LIST_MAX][SMTPSPLICE_PATTERN_MAX + 1];
	unsigned int name_count;
	char types[SMTPSPLICE_LIST_MAX][SMTPSPLICE_NAME_MAX + 1];
	unsigned int type_count;
	struct ss_av_profile_hashes block;
	struct ss_av_profile_hashes allow;
	uint32_t scan_error;
	uint32_t scan_timeout;
	uint32_t undecodable;
	uint32_t encrypted_mail;
	uint32_t quarantine;
	uint32_t cache;
	char reply[SS_CAUSE_COUNT][SMTPSPLICE_REPLY_MAX + 1];
	char replacement[SMTPSPLICE_REPLACEMENT_MAX + 1];
};

/**
 * ss_av_profile_default() - A profile that says nothing.
 * @profile: gets the defaults named in uapi/smtpsplice.yaml
 */
void ss_av_profile_default(struct ss_av_profile *profile);

/**
 * ss_av_profile_parse() - Read a profile.
 * @profile: where to; what @attrs does not say, gets its default
 * @attrs: attributes of the set av-profile, aligned as netlink has them
 * @len: bytes of attributes, 0 for none
 *
 * Return: 0 or -EPROTO.
 */
int ss_av_profile_parse(struct ss_av_profile *profile, const void *attrs, size_t len);

#endif /* SS_COMMON_AV_PROFILE_H */
