// SPDX-License-Identifier: GPL-2.0
/* Tests of budget.c: what is charged, and when conserve mode is on. */
#include "../budget.h"
#include "../share.h"
#include "rig.h"

#define MAX_HELD	1000

static int budget_init(struct kunit *test)
{
	struct ss_net *sn = ss_rig_net(test);

	sn->settings.max_held = MAX_HELD;
	test->priv = sn;
	return 0;
}

static void charges_up_to_the_limit(struct kunit *test)
{
	struct ss_net *sn = test->priv;
	struct ss_share a = {};

	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, MAX_HELD), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, atomic64_read(&sn->held), MAX_HELD);
	ss_budget_uncharge(sn, &a, 1);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 2), -ENOSPC);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 1), 0);
	ss_budget_uncharge(sn, &a, MAX_HELD);
	KUNIT_EXPECT_EQ(test, atomic64_read(&sn->held), 0);
}

static void mode_has_two_marks(struct kunit *test)
{
	struct ss_net *sn = test->priv;
	struct ss_share a = {};

	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 879), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_GREEN);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_RED);
	/* it stays on until there is room again */
	ss_budget_uncharge(sn, &a, 60);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_RED);
	ss_budget_uncharge(sn, &a, 1);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_GREEN);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 131), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_EXTREME);
	ss_budget_uncharge(sn, &a, 950);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_GREEN);
}

/* The settings change, while what is held does not. */
static void settings_count_at_once(struct kunit *test)
{
	struct ss_net *sn = test->priv;
	struct ss_share a = {};

	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 500), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_GREEN);
	sn->settings.max_held = 550;
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_RED);
	sn->settings.max_held = 1ull << 40;
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_GREEN);
	ss_budget_uncharge(sn, &a, 500);
}

/* A few clients do not bring about conserve mode, whatever they have. */
static void N3_shares_leave_room(struct kunit *test)
{
	struct ss_net *sn = test->priv;
	struct ss_share greedy[8] = {}, other = {};
	int i;

	sn->settings.max_held = 100000;
	sn->settings.max_client_held = 62;
	for (i = 0; i < ARRAY_SIZE(greedy); i++)
		while (!ss_budget_charge(sn, &greedy[i], 0, 50))
			;
	KUNIT_EXPECT_GT(test, atomic64_read(&sn->held), 80000);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_GREEN);
	KUNIT_EXPECT_EQ(test, ss_budget_room(sn, &other), 0);
	for (i = 0; i < ARRAY_SIZE(greedy); i++)
		ss_budget_uncharge(sn, &greedy[i], atomic64_read(&greedy[i].held));
	KUNIT_EXPECT_EQ(test, atomic64_read(&sn->held), 0);
}

/* 60 per cent of what the others leave, but for the only message of a client. */
static void N3_client_has_a_share(struct kunit *test)
{
	struct ss_share a = {}, b = {};
	struct ss_net *sn = test->priv;

	sn->settings.conserve_red = 100;
	sn->settings.max_client_held = 60;
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 300), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 300), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 300, 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, atomic64_read(&a.held), 600);
	KUNIT_EXPECT_EQ(test, ss_budget_room(sn, &b), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &b, 0, 120), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &b, 120, 120), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &b, 0, 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ss_budget_room(sn, &b), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ss_budget_room(sn, &a), -EDQUOT);
	KUNIT_EXPECT_EQ(test, atomic64_read(&sn->held), 840);
	/* the others leave more of it again */
	ss_budget_uncharge(sn, &a, 300);
	KUNIT_EXPECT_EQ(test, ss_budget_room(sn, &b), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &b, 0, 180), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &b, 0, 1), -EDQUOT);
	ss_budget_uncharge(sn, &b, 420);
	ss_budget_uncharge(sn, &a, 300);
	KUNIT_EXPECT_EQ(test, atomic64_read(&a.held), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&b.held), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&sn->held), 0);
	/* the only message of a client finds all that there is, and no more */
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 700), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 700, 300), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 1000, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, ss_budget_room(sn, &b), -ENOSPC);
	ss_budget_uncharge(sn, &a, 1000);
	/* and 100 per cent are no share */
	sn->settings.max_client_held = 100;
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &b, 0, 500), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 200), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 300), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, &a, 0, 1), -ENOSPC);
	ss_budget_uncharge(sn, &a, 500);
	ss_budget_uncharge(sn, &b, 500);
}

static void N3_rate_rises_with_what_is_held(struct kunit *test)
{
	static const struct {
		u32 held;
		u32 rate;
	} at[] = {
		{ 0, 500 }, { 499, 500 }, { 549, 500 }, { 550, 1000 },
		{ 600, 2000 }, { 750, 16000 }, { 880, 64000 }, { 1000, 512000 },
	};
	struct ss_net *sn = test->priv;
	struct ss_share a = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		KUNIT_ASSERT_EQ(test, ss_budget_charge(sn, &a, 0, at[i].held), 0);
		KUNIT_EXPECT_EQ(test, ss_budget_min_rate(sn), at[i].rate);
		ss_budget_uncharge(sn, &a, at[i].held);
	}
	/* less may be left than is held */
	KUNIT_ASSERT_EQ(test, ss_budget_charge(sn, &a, 0, 1000), 0);
	sn->settings.max_held = 1;
	KUNIT_EXPECT_EQ(test, ss_budget_min_rate(sn), 512000);
	ss_budget_uncharge(sn, &a, 1000);
}

static struct kunit_case budget_cases[] = {
	KUNIT_CASE(charges_up_to_the_limit),
	KUNIT_CASE(mode_has_two_marks),
	KUNIT_CASE(settings_count_at_once),
	KUNIT_CASE(N3_client_has_a_share),
	KUNIT_CASE(N3_shares_leave_room),
	KUNIT_CASE(N3_rate_rises_with_what_is_held),
	{}
};

static struct kunit_suite budget_suite = {
	.name = "smtpsplice-budget",
	.init = budget_init,
	.test_cases = budget_cases,
};

kunit_test_suite(budget_suite);
