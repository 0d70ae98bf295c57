// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzing of the gate and of the readings. An input is a message. What must hold,
 * whatever it is: the flags are those that have a name, they are the same each
 * time, nothing outside of the message is read, and the readings keep their bounds.
 */
#include <errno.h>
#include <string.h>

#include "scanner/mime/ambiguity.h"
#include "scanner/mime/flags.h"
#include "scanner/mime/lenient.h"
#include "tests/fuzz/fuzz.h"

#define ALL_FLAGS	(SS_AMBIGUITY_LIMIT * 2 - 1)
#define MAX_OUTPUT(len)	((len) * 8 + (256 << 10))

/**
 * struct tally - What was handed out.
 * @output: octets
 * @message: length of the message in octets
 */
struct tally {
	size_t output;
	size_t message;
};

static bool take(const void *data, size_t len, void *arg)
{
	struct tally *tally = arg;

	CHECK(data && len && len <= tally->message);
	tally->output += len;
	return true;
}

static bool refuse(const void *data, size_t len, void *arg)
{
	unsigned int *count = arg;

	(void)data;
	(void)len;
	CHECK(!(*count)++);
	return false;
}

static void check_flags(const char *text, size_t len)
{
	uint32_t flags = ss_ambiguity_check(text, len);

	CHECK(!(flags & ~ALL_FLAGS));
	CHECK(!!flags == !!*ss_ambiguity_name(flags));
	CHECK(ss_ambiguity_check(text, len) == flags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct tally tally = { .message = n };
	unsigned int count = 0;
	char *text;
	int ret;

	if (!n)
		return 0;
	text = malloc(n);
	CHECK(text);
	memcpy(text, data, n);
	check_flags(text, n);
	ret = ss_lenient_all(text, n, take, &tally);
	CHECK(!ret || ret == -E2BIG);
	CHECK(tally.output <= MAX_OUTPUT(n));
	CHECK(!ss_lenient_all(text, n, refuse, &count));
	free(text);
	return 0;
}
