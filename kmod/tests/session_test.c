// SPDX-License-Identifier: GPL-2.0
/* Tests of session.c: which state may follow which. */
#include "../session.h"
#include "rig.h"

#define STATES	(SMTPSPLICE_STATE_CLOSE + 1)

#define EXPECT_ARROW(test, from, to)					\
	KUNIT_EXPECT_TRUE(test,						\
			  ss_session_may_change(SMTPSPLICE_STATE_##from, \
						SMTPSPLICE_STATE_##to))

/* The states that a state may follow, as bits. */
static u32 states_before(u32 state)
{
	u32 from, bits = 0;

	for (from = 0; from < STATES; from++) {
		if (ss_session_may_change(from, state))
			bits |= BIT(from);
	}
	return bits;
}

static void each_state_may_close(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, states_before(SMTPSPLICE_STATE_CLOSE),
			BIT(SMTPSPLICE_STATE_CLOSE) - 1);
}

static void nothing_follows_close(struct kunit *test)
{
	u32 to;

	for (to = 0; to <= STATES; to++)
		KUNIT_EXPECT_FALSE(test,
				   ss_session_may_change(SMTPSPLICE_STATE_CLOSE,
							 to));
}

static void each_state_is_reached(struct kunit *test)
{
	u32 round, to, reached = BIT(SMTPSPLICE_STATE_DIAL);

	for (round = 0; round < STATES; round++) {
		for (to = 0; to < STATES; to++) {
			if (states_before(to) & reached)
				reached |= BIT(to);
		}
	}
	KUNIT_EXPECT_EQ(test, reached, BIT(STATES) - 1);
}

static void a_message_goes_its_way(struct kunit *test)
{
	EXPECT_ARROW(test, DIAL, GREET);
	EXPECT_ARROW(test, GREET, COMMAND);
	EXPECT_ARROW(test, COMMAND, BODY);
	EXPECT_ARROW(test, BODY, SCAN);
	EXPECT_ARROW(test, SCAN, RELEASE);
	EXPECT_ARROW(test, RELEASE, REPLY);
	EXPECT_ARROW(test, REPLY, COMMAND);
}

static void tls_begins_at_once_or_by_starttls(struct kunit *test)
{
	EXPECT_ARROW(test, DIAL, HANDSHAKE);
	EXPECT_ARROW(test, HANDSHAKE, GREET);
	EXPECT_ARROW(test, COMMAND, HANDSHAKE);
	EXPECT_ARROW(test, HANDSHAKE, COMMAND);
	KUNIT_EXPECT_EQ(test, states_before(SMTPSPLICE_STATE_HANDSHAKE),
			BIT(SMTPSPLICE_STATE_DIAL) |
			BIT(SMTPSPLICE_STATE_COMMAND));
}

/* Release comes behind the state of the verdict, and the server's reply behind that. */
static void release_comes_behind_scan(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, states_before(SMTPSPLICE_STATE_SCAN),
			BIT(SMTPSPLICE_STATE_BODY));
	KUNIT_EXPECT_EQ(test, states_before(SMTPSPLICE_STATE_RELEASE),
			BIT(SMTPSPLICE_STATE_SCAN) |
			BIT(SMTPSPLICE_STATE_RELEASE));
	KUNIT_EXPECT_EQ(test, states_before(SMTPSPLICE_STATE_REPLY),
			BIT(SMTPSPLICE_STATE_RELEASE));
}

/* TLS alone is relayed unseen, never amid a message, and to the end. */
static void relay_is_for_tls_alone(struct kunit *test)
{
	u32 to;

	KUNIT_EXPECT_EQ(test, states_before(SMTPSPLICE_STATE_RELAY),
			BIT(SMTPSPLICE_STATE_DIAL) |
			BIT(SMTPSPLICE_STATE_HANDSHAKE) |
			BIT(SMTPSPLICE_STATE_COMMAND));
	for (to = 0; to < SMTPSPLICE_STATE_CLOSE; to++)
		KUNIT_EXPECT_FALSE(test,
				   ss_session_may_change(SMTPSPLICE_STATE_RELAY,
							 to));
}

static void no_arrow_leaves_the_table(struct kunit *test)
{
	u32 state;

	for (state = 0; state <= STATES; state++) {
		KUNIT_EXPECT_FALSE(test, ss_session_may_change(state, STATES));
		KUNIT_EXPECT_FALSE(test, ss_session_may_change(STATES, state));
		KUNIT_EXPECT_FALSE(test, ss_session_may_change(state, U32_MAX));
		KUNIT_EXPECT_FALSE(test, ss_session_may_change(U32_MAX, state));
	}
}

static struct kunit_case session_cases[] = {
	KUNIT_CASE(each_state_may_close),
	KUNIT_CASE(nothing_follows_close),
	KUNIT_CASE(each_state_is_reached),
	KUNIT_CASE(a_message_goes_its_way),
	KUNIT_CASE(tls_begins_at_once_or_by_starttls),
	KUNIT_CASE(release_comes_behind_scan),
	KUNIT_CASE(relay_is_for_tls_alone),
	KUNIT_CASE(no_arrow_leaves_the_table),
	{}
};

static struct kunit_suite session_suite = {
	.name = "smtpsplice-session",
	.test_cases = session_cases,
};

kunit_test_suite(session_suite);
