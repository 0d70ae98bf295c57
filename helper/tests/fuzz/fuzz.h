/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_FUZZ_FUZZ_H
#define SS_TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

/* What must hold, or the fuzzer has found something */
#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__,	\
				__LINE__, #cond);			\
			abort();					\
		}							\
	} while (0)

#endif /* SS_TESTS_FUZZ_FUZZ_H */
