/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_MESSAGE_H
#define SS_TESTS_SUPPORT_MESSAGE_H

#include "tests/support/unit.h"

#include <stdbool.h>

#include "tests/support/avattrs.h"
#include "tests/support/mail.h"
#include "tests/support/pack.h"
#include "tests/support/tools.h"

/*
 * The vocabulary of tests of a scan by an AV profile: messages of parts that are made
 * for it, and what becomes of them
 */

#define LIMIT_MS	60000
#define MANY		70	/* parts, more than are listed */

extern struct avattrs attrs;		/* the profile */
extern struct ss_scan_job job;
extern struct ss_scan_result result;
extern char *replacement;		/* what goes on in its place, NULL for none */

/* Base64 in lines */
char *encoded(const void *data, size_t len);
/* Parts, without a boundary */
char *attached(const char *name, const void *data, size_t len);
char *eicar(const char *name);
char *harmless(const char *name);
char *packed(struct pack pack);		/* and freed */
char *part_of(const struct pack *file);
/* Two fields where there should be one: readers differ, and some of them see EICAR */
char *ambiguous(void);
char *encrypted_zip(void);

/* A message of parts up to NULL, which are freed, and @behind the last delimiter */
char *message_with(const char *head, const char *behind, char *const *parts);

#define MESSAGE(...)	MESSAGE_WITH("", "", __VA_ARGS__)
#define MESSAGE_WITH(head, behind, ...) \
	message_with(head, behind, (char *[]){ __VA_ARGS__, NULL })

void replace_all(void);
void scan_to(const char *text, int aside);
void scan(char *text);			/* and freed */

void expect(uint32_t verdict, enum ss_cause cause, const char *virus,
	    const char *file);
void expect_refused(enum ss_cause cause, const char *virus, const char *file);
void expect_clean(uint32_t unscanned);
/* The hash in the log is the one of @data */
void expect_hash(const void *data, size_t len);
bool has(const char *what);
/* The same; long lines are broken at spaces */
bool says(const char *what);

/* Before each test; tools_setup() and teardown() are those of the group */
int reset(void **state);
int teardown(void **state);

#endif /* SS_TESTS_SUPPORT_MESSAGE_H */
