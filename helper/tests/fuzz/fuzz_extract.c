// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzing of the readers of files in files: TNEF, uuencode, yEnc, CMS. An input is a file.
 * What must hold, whatever it is: nothing outside of it is read, a reader hands out the
 * same each time, no more than its octets can stand for, nothing when it was told to
 * stop, and no octets before a file has begun.
 */
#include <string.h>

#include "scanner/files/cms.h"
#include "scanner/files/extract.h"
#include "scanner/files/pgp.h"
#include "scanner/files/tnef.h"
#include "scanner/files/uu.h"
#include "scanner/files/uu64.h"
#include "scanner/files/yenc.h"
#include "tests/fuzz/fuzz.h"

/* A line by uuencode, two octets, stands for 63 at most, and may come twelve times */
#define MAX_OCTETS(len)	((len) * 32 * 12 + 64)
/* An octet by zlib stands for 1032 */
#define MAX_INFLATED(len)	((len) * 1032 + 64)
#define MAX_NAME	(1024 * 1024)

/**
 * struct tally - What was handed out.
 * @files: how many
 * @octets: of all of them
 * @sum: of all that came
 * @left: calls until it is enough
 * @full: that was said
 */
struct tally {
	size_t files;
	size_t octets;
	uint64_t sum;
	size_t left;
	bool full;
};

static bool add(struct tally *tally, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		tally->sum = (tally->sum ^ data[i]) * 0x100000001b3;
	CHECK(!tally->full);
	tally->full = !--tally->left;
	return !tally->full;
}

static bool take_file(void *arg, const char *name, size_t len)
{
	struct tally *tally = arg;

	CHECK(len < MAX_NAME);
	tally->files++;
	return add(tally, (const uint8_t *)name, len);
}

static bool take_octets(void *arg, const uint8_t *data, size_t len)
{
	struct tally *tally = arg;

	CHECK(tally->files && len);
	tally->octets += len;
	return add(tally, data, len);
}

typedef bool (*read_fn)(const uint8_t *data, size_t len, const struct ss_extract_sink *inner);

static struct tally read_it(read_fn read, const uint8_t *data, size_t len, size_t calls,
			    bool *sound)
{
	struct tally tally = { .left = calls };
	const struct ss_extract_sink inner = { take_file, take_octets, &tally };

	*sound = read(data, len, &inner);
	return tally;
}

static size_t check_reader(read_fn read, const uint8_t *data, size_t len, size_t max)
{
	bool sound, again;
	struct tally all = read_it(read, data, len, SIZE_MAX, &sound);
	struct tally same = read_it(read, data, len, SIZE_MAX, &again);
	size_t calls = SIZE_MAX - all.left;

	CHECK(all.files <= len && all.octets <= max);
	CHECK(all.sum == same.sum && all.files == same.files && sound == again);
	for (size_t stop = 1; stop <= calls && stop <= 4; stop++)
		CHECK(read_it(read, data, len, stop, &again).full);
	return all.files;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *copy;

	if (!n)
		return 0;
	/* of its very size, so that the sanitizer sees where it ends */
	copy = malloc(n);
	CHECK(copy);
	memcpy(copy, data, n);
	check_reader(ss_tnef_read, copy, n, MAX_OCTETS(n));
	CHECK(!!check_reader(ss_uu_read, copy, n, MAX_OCTETS(n)) == ss_uu_is(copy, n));
	CHECK(!!check_reader(ss_uu64_read, copy, n, MAX_OCTETS(n)) == ss_uu64_is(copy, n));
	CHECK(!!check_reader(ss_yenc_read, copy, n, MAX_OCTETS(n)) == ss_yenc_is(copy, n));
	CHECK(!check_reader(ss_cms_read, copy, n, MAX_INFLATED(n)) || ss_cms_is(copy, n));
	check_reader(ss_cms_text_read, copy, n, MAX_OCTETS(n));
	CHECK(!ss_cms_is_enveloped(copy, n) || ss_cms_is(copy, n));
	CHECK(!check_reader(ss_pgp_read, copy, n, 0));
	ss_pgp_is(copy, n);
	free(copy);
	return 0;
}
