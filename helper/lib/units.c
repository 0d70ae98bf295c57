// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes and times as smtpsplice and smtpspliced take them: digits and a unit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

/**
 * struct unit - What may stand behind the digits.
 * @name: the unit
 * @factor: what one of it is worth
 */
struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit sizes[] = {
	{ "", 1 }, { "K", 1ull << 10 }, { "M", 1ull << 20 }, { "G", 1ull << 30 },
	{ "k", 1ull << 10 }, { "m", 1ull << 20 }, { "g", 1ull << 30 }, {}
};

static const struct unit times[] = {
	{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, {}
};

static const struct unit seconds[] = {
	{ "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, {}
};

/* Read digits and one of @units. Return: whether it is 1 to @max. */
static bool parse_number(const char *text, const struct unit *units, uint64_t max,
			 uint64_t *value)
{
	unsigned long long n;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || !n)
		return false;
	for (; units->name; units++) {
		if (strcmp(units->name, end))
			continue;
		if (n > max / units->factor)
			return false;
		*value = n * units->factor;
		return true;
	}
	return false;
}

bool ss_units_size(const char *text, uint64_t max, uint64_t *bytes)
{
	return parse_number(text, sizes, max, bytes);
}

bool ss_units_time(const char *text, uint64_t max, uint64_t *ms)
{
	return parse_number(text, times, max, ms);
}

bool ss_units_seconds(const char *text, uint64_t max, uint64_t *n)
{
	return parse_number(text, seconds, max, n);
}
