// SPDX-License-Identifier: GPL-2.0
/*
 * An AV profile, from the kernel's attributes. The kernel has checked them;
 * lengths and ranges are checked once more, since this is read in the processes
 * that read mail as well.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>

#include "common/av_profile.h"
#include "lib/cleanup.h"
#include "proto/attrs.h"

#define A(name)		SMTPSPLICE_A_AV_PROFILE_##name
#define MEMBER(name)	offsetof(struct ss_av_profile, name)
#define SOME_MAX	UINT32_MAX
#define ALL_CONDITIONS	0xff

/* The options that are one number: their place, attribute and largest value */
static const struct {
	size_t member;
	int attr;
	uint32_t max;
} numbers[] = {
	{ MEMBER(scan), A(AV_SCAN), SMTPSPLICE_AV_SCAN_DISABLE },
	{ MEMBER(executables), A(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS },
	{ MEMBER(infected), A(INFECTED), SMTPSPLICE_INFECTED_DISCARD },
	{ MEMBER(archive_block), A(ARCHIVE_BLOCK), ALL_CONDITIONS },
	{ MEMBER(archive_log), A(ARCHIVE_LOG), ALL_CONDITIONS },
	{ MEMBER(oversize), A(OVERSIZE), SMTPSPLICE_FAIL_ACTION_PASS },
	{ MEMBER(nest_limit), A(UNCOMPRESSED_NEST_LIMIT), SOME_MAX },
	{ MEMBER(fragmail), A(FRAGMAIL), SMTPSPLICE_PASS_BLOCK_PASS },
	{ MEMBER(ambiguity), A(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR },
	{ MEMBER(scan_error), A(SCAN_ERROR), SMTPSPLICE_FAIL_ACTION_PASS },
	{ MEMBER(scan_timeout), A(SCAN_TIMEOUT), SMTPSPLICE_FAIL_ACTION_PASS },
	{ MEMBER(undecodable), A(UNDECODABLE), SMTPSPLICE_FAIL_ACTION_PASS },
	{ MEMBER(encrypted_mail), A(ENCRYPTED_MAIL), SMTPSPLICE_FAIL_ACTION_PASS },
	{ MEMBER(quarantine), A(QUARANTINE), SMTPSPLICE_SWITCH_DISABLE },
	{ MEMBER(cache), A(CACHE), SMTPSPLICE_SWITCH_DISABLE },
};

static const int replies[SS_CAUSE_COUNT] = {
	[SS_CAUSE_VIRUS]	= A(REPLY_VIRUS),
	[SS_CAUSE_EXECUTABLE] = A(REPLY_EXECUTABLE),
	[SS_CAUSE_FILENAME]	= A(REPLY_FILENAME),
	[SS_CAUSE_OVERSIZE]	= A(REPLY_OVERSIZE),
	[SS_CAUSE_ARCHIVE]	= A(REPLY_ARCHIVE),
	[SS_CAUSE_PARTIAL]	= A(REPLY_PARTIAL),
	[SS_CAUSE_AMBIGUOUS]	= A(REPLY_AMBIGUOUS),
	[SS_CAUSE_HASH]		= A(REPLY_HASH),
	[SS_CAUSE_SCAN_FAILURE] = A(REPLY_FAILURE),
	[SS_CAUSE_UNDECODABLE] = A(REPLY_UNDECODABLE),
	[SS_CAUSE_ENCRYPTED]	= A(REPLY_ENCRYPTED),
};

void ss_av_profile_default(struct ss_av_profile *profile)
{
	*profile = (struct ss_av_profile){
		.archive_block = SMTPSPLICE_ARCHIVE_CONDITION_NESTED |
				 SMTPSPLICE_ARCHIVE_CONDITION_MAILBOMB,
		.archive_log = ALL_CONDITIONS,
		.oversize = SMTPSPLICE_FAIL_ACTION_BLOCK,
		.uncompressed_limit = 400ull << 20,
		.nest_limit = 12,
		.undecodable = SMTPSPLICE_FAIL_ACTION_BLOCK,
		.encrypted_mail = SMTPSPLICE_FAIL_ACTION_PASS,
	};
}

static int read_size(uint64_t *size, const struct nlattr *nla)
{
	if (nla_len(nla) != sizeof(*size))
		return -EPROTO;
	memcpy(size, nla_data(nla), sizeof(*size));
	return 0;
}

static int add_hash(struct ss_av_profile_hashes *list, const struct nlattr *nla)
{
	if (list->count == SMTPSPLICE_LIST_MAX || nla_len(nla) != SMTPSPLICE_SHA256_SIZE)
		return -EPROTO;
	memcpy(list->hash[list->count++], nla_data(nla), SMTPSPLICE_SHA256_SIZE);
	return 0;
}

static int read_number(struct ss_av_profile *p, const struct nlattr *nla)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint32_t *value = (uint32_t *)((char *)p + numbers[i].member);

		if (numbers[i].attr != nla_type(nla))
			continue;
		if (nla_len(nla) != sizeof(*value) || nla_get_u32(nla) > numbers[i].max)
			return -EPROTO;
		*value = nla_get_u32(nla);
		break;
	}
	return 0;	/* what is not there, is the kernel's own business */
}

static int read_one(struct ss_av_profile *p, const struct nlattr *nla)
{
	int type = nla_type(nla);

	for (size_t i = 0; i < ARRAY_SIZE(replies); i++)
		if (replies[i] == type)
			return ss_attrs_read_text(p->reply[i], sizeof(p->reply[i]), nla);
	switch (type) {
	case A(REPLACEMENT):
		return ss_attrs_read_text(p->replacement, sizeof(p->replacement), nla);
	case A(OVERSIZE_LIMIT):
		return read_size(&p->oversize_limit, nla);
	case A(UNCOMPRESSED_LIMIT):
		return read_size(&p->uncompressed_limit, nla);
	case A(FILE_NAME):
		if (p->name_count == SMTPSPLICE_LIST_MAX)
			return -EPROTO;
		return ss_attrs_read_text(p->names[p->name_count++], sizeof(p->names[0]), nla);
	case A(FILE_TYPE):
		if (p->type_count == SMTPSPLICE_LIST_MAX)
			return -EPROTO;
		return ss_attrs_read_text(p->types[p->type_count++], sizeof(p->types[0]), nla);
	case A(HASH_BLOCK):
		return add_hash(&p->block, nla);
	case A(HASH_ALLOW):
		return add_hash(&p->allow, nla);
	default:
		return read_number(p, nla);
	}
}

static int compare_hashes(const void *a, const void *b)
{
	return memcmp(a, b, SMTPSPLICE_SHA256_SIZE);
}

static void sort_hashes(struct ss_av_profile_hashes *list)
{
	qsort(list->hash, list->count, sizeof(list->hash[0]), compare_hashes);
}

int ss_av_profile_parse(struct ss_av_profile *profile, const void *attrs, size_t len)
{
	struct nlattr *nla;
	int rem;

	ss_av_profile_default(profile);
	nla_for_each_attr(nla, (struct nlattr *)attrs, (int)len, rem) {
		int ret = read_one(profile, nla);

		if (ret)
			return ret;
	}
	sort_hashes(&profile->block);
	sort_hashes(&profile->allow);
	return rem ? -EPROTO : 0;
}
