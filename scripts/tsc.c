// SPDX-License-Identifier: GPL-2.0
/*
 * Prints how fast this CPU's time stamp counter is, in kHz. An emulated machine has
 * the same one, and cannot find that out itself where the host has little time for
 * it: see scripts/vm.
 */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define MEASURE_NS	100000000ll

static long long now(unsigned long long *ticks)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	*ticks = __rdtsc();
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int main(void)
{
	unsigned long long first, last;
	long long start = now(&first), end;

	do {
		end = now(&last);
	} while (end - start < MEASURE_NS);
	printf("%.0f\n", (last - first) * 1e6 / (end - start));
	return 0;
}
