/* SPDX-License-Identifier: GPL-2.0 */
/* Common parts of the tests: namespaces and sessions that are only looked at. */
#ifndef SS_RIG_H
#define SS_RIG_H

#include <kunit/test.h>

#include "../session.h"

/**
 * ss_rig_net() - make the state of a namespace, for what needs no network
 * @test: the test, which frees it
 *
 * For hold.c and request.c. It names init_net, but no function finds it from there.
 */
struct ss_net *ss_rig_net(struct kunit *test);

/**
 * ss_rig_session() - make a session that does nothing but count its wake-ups
 * @test: the test, which frees it
 * @sn: its namespace
 * @id: its id
 *
 * The test holds one reference. Each of them is of another client.
 */
struct ss_session *ss_rig_session(struct kunit *test, struct ss_net *sn,
				  u64 id);

/**
 * ss_rig_wakes() - count the wake-ups of a session of ss_rig_session()
 * @s: the session
 *
 * Wake-ups that come before the session could run are one.
 */
u32 ss_rig_wakes(struct ss_session *s);

/**
 * ss_rig_users() - count the references to a session of ss_rig_session()
 * @s: the session, which is not about to run
 */
u32 ss_rig_users(struct ss_session *s);

/**
 * ss_rig_stat() - sum a counter up over all CPUs
 * @sn: the namespace
 * @attr: SS_STAT(name)
 */
u64 ss_rig_stat(const struct ss_net *sn, int attr);

#endif /* SS_RIG_H */
