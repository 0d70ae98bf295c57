/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_LIES_H
#define SS_TESTS_SUPPORT_LIES_H

#include "tests/support/harness.h"

#include "proto/scan_msg.h"
#include "tests/support/avattrs.h"

/*
 * The vocabulary of tests of the broker with workers that are real, but may lie. They
 * are linked so that __wrap_ss_scan_message() takes the place of ss_scan_message().
 */

#define PASS	SMTPSPLICE_FAIL_ACTION_PASS
#define BLOCK	SMTPSPLICE_FAIL_ACTION_BLOCK
#define TEMPFAIL SMTPSPLICE_FAIL_ACTION_TEMPFAIL

enum lie {
	HONEST,
	DIES,
	HANGS,
	CLAIMS_REPLACEMENT,	/* and has none */
	GIVES_REPLACEMENT,	/* and does not say so */
	GIVES_UNSEALED,
	COUNTS_ON,		/* conditions that there are not */
	IS_UNKNOWN,		/* verdict */
	CLAIMS_ALL,		/* all flags, and no text ends */
	ANSWERS_UNREAD,		/* jobs to come, once they are there, without a look */
	ANSWERS_PEEKED,		/* jobs to come, which it leaves where they are */
	ANSWERS_AHEAD,		/* jobs to come, before they are there */
	READS_NO_MORE,		/* nor says anything */
	FLOODS,			/* octets, as fast as they are taken */
	FLOODS_FILES,		/* the same with descriptors */
	STOPS_BROKER,		/* and has answered twice when it goes on */
	KEEPS_NOTHING,		/* aside, and says that it has */
	KEEPS_CLEAN,		/* mail aside as well */
	KEEPS_MORE,		/* aside than the message has */
	SAYS_MEMBER,		/* member @lie_at is @lie_value, the rest as it was */
	FILLS_MEMBER,		/* each octet of member @lie_at is @lie_value */
	SAYS_TOO_LITTLE,	/* an octet is missing */
	SAYS_TOO_MUCH,
};

/* In shared memory: a test tells its workers by that */
extern _Atomic int *lie;
extern _Atomic size_t *lie_at;		/* offset in the result */
extern _Atomic size_t *lie_size;
extern _Atomic uint32_t *lie_value;
extern _Atomic uint32_t *limit_ms;	/* of the last job */
extern struct avattrs attrs;		/* the profile of the next message */

/* The next message has what is in attrs for a profile */
struct fake_request *give(int n, char *text, uint32_t timeout);

void expect_refused(const struct fake_request *req, uint32_t verdict, const char *reply);
void expect_refused_unscanned(const struct fake_request *req);
void expect_passed(const struct fake_request *req, uint32_t unscanned, const char *tag);

void expect_record(int n, const char *eventtype, const char *action);
void empty_log(void);

/* Of each test, with teardown(); and of the group, with group_teardown() */
int honest_setup(void **state);
int shared_setup(void **state);

#endif /* SS_TESTS_SUPPORT_LIES_H */
