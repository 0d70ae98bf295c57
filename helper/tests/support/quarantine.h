/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_QUARANTINE_H
#define SS_TESTS_SUPPORT_QUARANTINE_H

#include "tests/support/unit.h"

#include <stdbool.h>

#include "broker/verdict.h"
#include "quarantine/store.h"

/* The vocabulary of tests of the quarantine */

#define BLOCK	4096
#define PAIR	(2 * BLOCK)	/* what a small message and its note are charged */
#define HOUR	3600

extern char *top, *path;	/* a folder, and the quarantine's in it */
extern struct ss_quarantine_limits limits;
extern struct ss_quarantine q;
extern struct ss_scan_request req;	/* of the next message */
extern struct ss_scan_result result;
extern char name[SS_QUARANTINE_NAME_SIZE];	/* of the last one */

void open_it(void);
int keep_file(int fd);
int keep_text(const char *text);
int keep(uint64_t session);

int count_files(void);
bool there(const char *file);

void make(const char *file, const char *text);
/* Set its time back; and the folder's, which somebody else has changed then */
void make_old(const char *file, time_t seconds);
/* Set the folder's time to what the quarantine has left it at */
void hide_change(void);

/* Of each test */
int setup(void **state);
int teardown(void **state);

#endif /* SS_TESTS_SUPPORT_QUARANTINE_H */
