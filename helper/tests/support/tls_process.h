/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_TLS_PROCESS_H
#define SS_TESTS_SUPPORT_TLS_PROCESS_H

#include "tests/support/unit.h"

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "lib/process.h"
#include "proto/tls_msg.h"
#include "tests/support/peer.h"
#include "tests/support/trust.h"

/* The vocabulary of tests of the tls process, which is a child; we are its broker */

#define WAIT_MS		60000
#define OTHER_GROUP	65534

extern pid_t child;
extern int broker;
extern bool visible;		/* it is so before it becomes the tls process */
extern bool strict;		/* servers' certificates have to be in order */
extern rlim_t files;		/* so many descriptors it may have; 0 is as many as we */

/* One session; the gateway's ends are the child's alone */
struct session {
	struct peer client, server;
	struct ss_tls_result result;
	bool answered;
};

/* Whom the files in /proc of a process are of tells if others may look into it */
void become_visible(void);

void start(void);
/* What the process says goes to a file */
void start_heard(const char *said);
/* Return: its exit status, or less than 0 for a signal */
int end(void);
void hang_up(void);

void send_job(uint64_t cookie, uint32_t timeout, const char *exempt, const int fds[2]);
void receive(struct ss_tls_result *result);

/* Begin a session. @keep: a copy of the client's socket, or NULL */
void begin(struct session *s, uint64_t cookie, const char *exempt, int *keep);
/* Step the peers until all are answered */
void serve(struct session *s, unsigned int count);
void finish(struct session *s);
void expect_cause(enum smtpsplice_tls_cause cause);

char *read_text(const char *path);
void write_text(const char *path, const char *text);
/* Wait until it has said so many lines. Return: the last one, to be freed. */
char *wait_line(const char *path, int lines);

/* Of each test; trust_setup() and trust_teardown() are those of the group */
int setup(void **state);
int teardown(void **state);

#endif /* SS_TESTS_SUPPORT_TLS_PROCESS_H */
