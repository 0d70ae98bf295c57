/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_HARNESS_H
#define SS_TESTS_SUPPORT_HARNESS_H

#include "tests/support/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include <json-c/json.h>

#include "common/conf.h"
#include "lib/process.h"
#include "tests/support/fake_genl.h"

/* The vocabulary of the helper's tests: short, and in no other program */

#define WORKERS		2
#define WAIT_MS		30000
#define MAX_CHILDREN	32

extern char *database;		/* signatures, for all tests */
extern char *dir;		/* log, stderr, quarantine, temporary files */
extern struct ss_conf conf;
extern char *ca_path;
extern int peers[2];		/* of the sockets that have handshakes to do */
extern pid_t helper;

/* Wait for a condition, never for a time */
#define wait_for(condition) do {					\
	uint64_t end_ = ss_process_now() + WAIT_MS;			\
	while (!(condition)) {						\
		struct timespec pause_ = { .tv_nsec = 5000000 };	\
		if (ss_process_now() >= end_)				\
			fail_msg("waited too long for %s", #condition);	\
		nanosleep(&pause_, NULL);				\
	}								\
} while (0)

char *path(const char *name);
char *read_file(const char *name);
int count_lines(const char *name);
bool said(const char *what);
struct json_object *record(int n);
const char *field(struct json_object *obj, const char *key);
int children_of(pid_t pid, const char *name, pid_t list[MAX_CHILDREN]);
pid_t scanner_pid(void);
int workers(pid_t list[MAX_CHILDREN]);
void signal_workers(int sig);
void start(void);
void start_ready(void);
int end(int sig);
struct fake_request *queue(int n, char *text, uint32_t timeout);
bool answered(const struct fake_request *req);
char *clean(void);
char *infected(void);
bool gone(pid_t pid);
int count_fds(pid_t pid, const char *name);
int count_sockets(pid_t pid);
void make_ca(void);
int setup(void **state);
int teardown(void **state);
int group_setup(void **state);
int group_teardown(void **state);

#endif /* SS_TESTS_SUPPORT_HARNESS_H */
