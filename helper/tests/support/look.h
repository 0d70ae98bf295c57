/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_LOOK_H
#define SS_TESTS_SUPPORT_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "scanner/files/inspect.h"
#include "tests/support/pack.h"

#define LOOK_MEMBERS	10000	/* how many there may be in a file, by default */
#define LOOK(kind)	SS_KIND_BIT(SS_KIND_##kind)

/* What is looked for: executables and "*.scr", and where it was found */
extern struct ss_inspect_rules look_rules;
extern struct ss_inspect_finding look_finding;

extern const struct pack look_script;

int look_setup(void **state);
int look_teardown(void **state);
int look_reset(void **state);
void look_clear(void);
int look_fd(int fd, const char *name);
uint32_t look_at(const struct pack *file);
uint32_t look_drop(struct pack file);
uint32_t look_octets(const char *name, GString *octets);
bool look_type(const struct pack *file, const char *word);
void look_expect(enum ss_kind kind, const char *name);
const char *look_name(enum ss_kind kind);
bool look_corrupted(void);
void look_for_hash(const void *data, size_t len);
void look_check(const struct ss_inspect_finding *finding);
void look_damaged(const char *name, GString *(*make)(void));

#endif /* SS_TESTS_SUPPORT_LOOK_H */
