// SPDX-License-Identifier: GPL-2.0
/* Tests of ban.c: who is refused, and for how long. */
#include "../addr.h"
#include "../ban.h"
#include "rig.h"

#define LONG	3600

static int ban_init(struct kunit *test)
{
	struct ss_net *sn = ss_rig_net(test);

	ss_ban_init(sn);
	test->priv = sn;
	return 0;
}

static void ban_exit(struct kunit *test)
{
	if (test->priv)
		ss_ban_flush(test->priv);
}

static struct ss_addr v4(u32 ip)
{
	return (struct ss_addr){
		.family = AF_INET, .port = htons(ip), .ip.v4 = htonl(ip),
	};
}

static struct ss_addr v6(u32 net, u32 host)
{
	struct ss_addr a = { .family = AF_INET6 };

	a.ip.v6.s6_addr32[1] = htonl(net);
	a.ip.v6.s6_addr32[3] = htonl(host);
	return a;
}

static bool has(struct kunit *test, struct ss_addr a)
{
	return ss_ban_has(test->priv, &a);
}

static void add(struct kunit *test, struct ss_addr a, u32 seconds)
{
	ss_ban_add(test->priv, &a, seconds);
}

static void bans_one_client(struct kunit *test)
{
	struct ss_addr other_port = v4(1);

	KUNIT_EXPECT_FALSE(test, has(test, v4(1)));
	add(test, v4(1), LONG);
	KUNIT_EXPECT_TRUE(test, has(test, v4(1)));
	other_port.port++;
	KUNIT_EXPECT_TRUE(test, has(test, other_port));
	KUNIT_EXPECT_FALSE(test, has(test, v4(2)));
	KUNIT_EXPECT_FALSE(test, has(test, v6(0, 1)));
}

static void bans_a_network_of_v6(struct kunit *test)
{
	add(test, v6(1, 1), LONG);
	KUNIT_EXPECT_TRUE(test, has(test, v6(1, 2)));
	KUNIT_EXPECT_FALSE(test, has(test, v6(2, 1)));
}

static void ends(struct kunit *test)
{
	struct ss_net *sn = test->priv;

	add(test, v4(1), 0);
	KUNIT_EXPECT_FALSE(test, has(test, v4(1)));
	KUNIT_EXPECT_EQ(test, sn->bans.count, 0);
	/* the longest that the netlink policy lets pass */
	add(test, v4(1), 604800);
	KUNIT_EXPECT_TRUE(test, has(test, v4(1)));
}

static void is_said_anew(struct kunit *test)
{
	struct ss_net *sn = test->priv;

	add(test, v4(1), LONG);
	add(test, v4(1), LONG);
	KUNIT_EXPECT_EQ(test, sn->bans.count, 1);
	add(test, v4(1), 0);
	KUNIT_EXPECT_FALSE(test, has(test, v4(1)));
}

/* A crowd of senders takes no more memory than that: H2. */
static void forgets_the_oldest(struct kunit *test)
{
	struct ss_net *sn = test->priv;
	u32 i;

	for (i = 0; i < 3000; i++)
		add(test, v4(i), LONG);
	KUNIT_EXPECT_EQ(test, sn->bans.count, 1024);
	KUNIT_EXPECT_TRUE(test, has(test, v4(2999)));
	KUNIT_EXPECT_TRUE(test, has(test, v4(3000 - 1024)));
	KUNIT_EXPECT_FALSE(test, has(test, v4(3000 - 1025)));
}

static struct kunit_case ban_cases[] = {
	KUNIT_CASE(bans_one_client),
	KUNIT_CASE(bans_a_network_of_v6),
	KUNIT_CASE(ends),
	KUNIT_CASE(is_said_anew),
	KUNIT_CASE(forgets_the_oldest),
	{}
};

static struct kunit_suite ban_suite = {
	.name = "smtpsplice-ban",
	.init = ban_init,
	.exit = ban_exit,
	.test_cases = ban_cases,
};

kunit_test_suite(ban_suite);
