/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_RELOAD_H
#define SS_TESTS_SUPPORT_RELOAD_H

#include "tests/support/harness.h"

/*
 * The vocabulary of tests with new signatures. A scanner is held while it loads by a
 * FIFO among the databases.
 */

#define PATTERN		"smtpsplice reload pattern"
#define VIRUS		"Smtpsplice.Reload.UNOFFICIAL"

extern char *db, *state_path;
extern int queued;		/* requests so far */

char *in_db(const char *name);
void add_signature(const char *file, const char *name, const char *text);
void add_pattern(void);
void spoil(void);
void remove_file(const char *name);
/* As if it was put in place anew, and tell the helper */
void renew(void);

/* What loads from now on waits for let_load() */
void hold_loading(void);
/* Wait for who loads. Return: what to give to let_load(). */
int who_loads(void);
/* It loads, and so does who comes after it */
void let_load(int fd);

int count_said(const char *what);
int scanners(pid_t list[MAX_CHILDREN]);
/* The scanner beside the first one */
pid_t second_scanner(void);
/* There were @n reloads, and the last of them is through */
void wait_reloaded(int n);

char *mail_with_pattern(void);
struct fake_request *send_mail(char *text);
void expect_accept(void);
void expect_reject(void);

/* What the state file has, for the key of an object in it or of itself */
char *state_of(const char *object, const char *key);
bool state_is(const char *object, const char *key, const char *want);

/* Each worker has a message, and does not go on; @list: they */
void keep_workers_busy(pid_t list[MAX_CHILDREN]);
/* How many of the messages of keep_workers_busy() have passed */
int count_passed(void);
/*
 * Reload while all workers are busy; then one of them goes on, as new, and the
 * others do not. @list: the old ones
 */
void reload_halfway(pid_t list[MAX_CHILDREN]);
/* The other old ones, too */
void let_go_on(const pid_t list[MAX_CHILDREN]);

/* Of each test; group_setup() and group_teardown() are those of the group */
int setup_reload(void **state);
int teardown_reload(void **state);

#endif /* SS_TESTS_SUPPORT_RELOAD_H */
