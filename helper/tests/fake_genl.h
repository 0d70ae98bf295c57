/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_FAKE_GENL_H
#define SS_TESTS_FAKE_GENL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/smtpsplice.h>

#define FAKE_REQUESTS 64

enum fake_state { FAKE_NONE, FAKE_QUEUED, FAKE_HANDED, FAKE_ANSWERED };

/**
 * struct fake_request - A scan request of the kernel that is not there.
 * @state: where it is
 * @fd: the message, in the process that made the fake and its children
 * @size: its length
 * @timeout: milliseconds
 * @attempt: how often it was handed out
 * @verdict: the answer, with @reply, @virus, @file
 */
struct fake_request {
	_Atomic int state;
	int fd;
	uint64_t size;
	uint32_t timeout;
	uint32_t attempt;
	uint32_t verdict;
	char reply[SMTPSPLICE_REPLY_MAX + 1];
	char virus[SMTPSPLICE_TEXT_MAX + 1];
	char file[SMTPSPLICE_TEXT_MAX + 1];
};

/**
 * struct fake - The kernel that is not there, in shared memory.
 * @registered: the helper's pid
 * @busy: another helper is registered
 * @late: verdicts come too late
 * @bell: rings
 * @req: the requests
 */
struct fake {
	_Atomic pid_t registered;
	_Atomic bool busy;
	_Atomic bool late;
	int bell;
	struct fake_request req[FAKE_REQUESTS];
};

extern struct fake *fake;

void fake_make(void);
void fake_ring(void);

#endif /* SS_TESTS_FAKE_GENL_H */
