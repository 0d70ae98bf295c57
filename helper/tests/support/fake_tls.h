/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_FAKE_TLS_H
#define SS_TESTS_SUPPORT_FAKE_TLS_H

#include <stdatomic.h>
#include <sys/types.h>

#include "proto/tls_msg.h"

/**
 * enum fake_tls_mode - What the tls process that is none does with a job.
 * @FAKE_TLS_ANSWER: it answers
 * @FAKE_TLS_HOLD: it keeps it for itself
 * @FAKE_TLS_WRONG_COOKIE: it answers something that it was not asked
 * @FAKE_TLS_BAD_RESULT: it answers with a result that there is not
 * @FAKE_TLS_SHORT: it answers half
 * @FAKE_TLS_WITH_FD: it sends a descriptor along
 * @FAKE_TLS_TWICE: it answers twice
 * @FAKE_TLS_DIE: it ends
 * @FAKE_TLS_USELESS: it says at its start that the CA is of no use
 */
enum fake_tls_mode {
	FAKE_TLS_ANSWER,
	FAKE_TLS_HOLD,
	FAKE_TLS_WRONG_COOKIE,
	FAKE_TLS_BAD_RESULT,
	FAKE_TLS_SHORT,
	FAKE_TLS_WITH_FD,
	FAKE_TLS_TWICE,
	FAKE_TLS_DIE,
	FAKE_TLS_USELESS,
};

/**
 * struct fake_tls - What is known of the tls process, in shared memory.
 * @pid: the process, once it waits for jobs
 * @mode: enum fake_tls_mode
 * @hangups: how many SIGHUP it got
 * @jobs: how many it has taken
 * @session: session of the last one, as its attributes say
 * @answer: what it answers, but for the cookie
 */
struct fake_tls {
	_Atomic pid_t pid;
	_Atomic int mode;
	_Atomic int hangups;
	_Atomic int jobs;
	_Atomic uint64_t session;
	struct ss_tls_result answer;
};

extern struct fake_tls *fake_tls;

void fake_tls_make(void);

#endif /* SS_TESTS_SUPPORT_FAKE_TLS_H */
