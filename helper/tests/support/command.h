/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_COMMAND_H
#define SS_TESTS_SUPPORT_COMMAND_H

#include "tests/support/unit.h"

#include <stdbool.h>

#include "cli/cli.h"
#include "proto/attrs.h"
#include "tests/support/fake_genl.h"

/* The vocabulary of tests of commands of smtpsplice, against a kernel that is a fake */

extern char output[65536];	/* of the last run */

/* Run a command with these words. Return: its exit status. */
int run_words(int (*command)(struct ss_cli *cli), bool json, char **words);

#define run(command, json, ...)						\
	run_words(command, json, (char *[]){ __VA_ARGS__, NULL })

void expect(const struct ss_attr_set *set, const char *attrs, int len, const char *want);
void expect_profile(const char *want);
void expect_av(const char *want);
/* What was shown can be said again, and means the same */
void expect_round_trip(int (*command)(struct ss_cli *cli), char *table,
		       const struct fake_profile *p);

/* Of each test, and of the group */
int setup(void **state);
int group_setup(void **state);

#endif /* SS_TESTS_SUPPORT_COMMAND_H */
