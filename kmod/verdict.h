/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_VERDICT_H
#define SS_VERDICT_H

#include <linux/types.h>

struct ss_session;

/* Context of all functions here: process, under the session's lock. */

/**
 * ss_verdict_begin() - decide whether a message that is to come will be scanned
 * @s: the session
 *
 * Return: NULL, or the reply with which the message is refused.
 */
const char *ss_verdict_begin(struct ss_session *s);

/**
 * ss_verdict_await() - ask for the verdict, where the message is to be scanned
 * @s: the session in the state scan
 */
void ss_verdict_await(struct ss_session *s);

/**
 * ss_verdict_collect() - is the verdict there?
 * @s: the session in the state scan
 *
 * Return: true where s->answer holds it; ss_verdict_apply() is to follow.
 */
bool ss_verdict_collect(struct ss_session *s);

/**
 * ss_verdict_apply() - count and tell the verdict in s->answer
 * @s: the session in the state scan; with the verdict accept its engine is idle
 *
 * Return: the reply with which the message is to be refused, or NULL where it
 * is to be released, with the tag in s->answer.
 */
const char *ss_verdict_apply(struct ss_session *s);

/**
 * ss_verdict_released() - note that all of the message is about to leave
 * @s: the session in the state release
 *
 * Counts and logs one that passes unscanned: before this it may still be refused.
 */
void ss_verdict_released(struct ss_session *s);

/**
 * ss_verdict_timeout() - decide where no verdict came in time
 * @s: the session in the state scan
 *
 * Exactly one of verdict and time-out wins. Return: as of ss_verdict_apply().
 */
const char *ss_verdict_timeout(struct ss_session *s);

#endif /* SS_VERDICT_H */
