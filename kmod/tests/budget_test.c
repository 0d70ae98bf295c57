// SPDX-License-Identifier: GPL-2.0
/* Tests of budget.c: what is charged, and when conserve mode is on. */
#include "../budget.h"
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

	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, MAX_HELD), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, atomic64_read(&sn->held), MAX_HELD);
	ss_budget_uncharge(sn, 1);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, 2), -ENOSPC);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, 1), 0);
	ss_budget_uncharge(sn, MAX_HELD);
	KUNIT_EXPECT_EQ(test, atomic64_read(&sn->held), 0);
}

static void mode_has_two_marks(struct kunit *test)
{
	struct ss_net *sn = test->priv;

	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, 879), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_GREEN);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, 1), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_RED);
	/* it stays on until there is room again */
	ss_budget_uncharge(sn, 60);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_RED);
	ss_budget_uncharge(sn, 1);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_GREEN);
	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, 131), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_EXTREME);
	ss_budget_uncharge(sn, 950);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_GREEN);
}

/* What is held does not change, but what it is measured by. */
static void settings_count_at_once(struct kunit *test)
{
	struct ss_net *sn = test->priv;

	KUNIT_EXPECT_EQ(test, ss_budget_charge(sn, 500), 0);
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_GREEN);
	sn->settings.max_held = 550;
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_RED);
	sn->settings.max_held = 1ull << 40;
	KUNIT_EXPECT_EQ(test, ss_budget_level(sn), SS_BUDGET_GREEN);
	ss_budget_uncharge(sn, 500);
}

static struct kunit_case budget_cases[] = {
	KUNIT_CASE(charges_up_to_the_limit),
	KUNIT_CASE(mode_has_two_marks),
	KUNIT_CASE(settings_count_at_once),
	{}
};

static struct kunit_suite budget_suite = {
	.name = "smtpsplice-budget",
	.init = budget_init,
	.test_cases = budget_cases,
};

kunit_test_suite(budget_suite);
