// SPDX-License-Identifier: GPL-2.0
/* Tests of share.c: who is one client, and that a share goes with its last user. */
#include "../addr.h"
#include "../share.h"
#include "rig.h"

static struct ss_addr v4(u32 ip, u16 port)
{
	return (struct ss_addr){
		.family = AF_INET, .port = htons(port), .ip.v4 = htonl(ip),
	};
}

static struct ss_addr v6(u32 prefix, u32 host)
{
	return (struct ss_addr){
		.family = AF_INET6,
		.ip.v6.s6_addr32 = { htonl(0xfd000000), htonl(prefix), 0, htonl(host) },
	};
}

/* Is it one client, by the comparison and by the share that each of them gets? */
static bool is_one(struct kunit *test, struct ss_addr a, struct ss_addr b)
{
	struct ss_net *sn = test->priv;
	struct ss_share *one = ss_share_get(sn, &a);
	struct ss_share *other = ss_share_get(sn, &b);
	bool same = one == other;

	KUNIT_EXPECT_NOT_NULL(test, one);
	KUNIT_EXPECT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, same, ss_addr_same_client(&a, &b));
	ss_share_put(sn, one);
	KUNIT_EXPECT_FALSE(test, hash_empty(sn->shares));
	ss_share_put(sn, other);
	KUNIT_EXPECT_TRUE(test, hash_empty(sn->shares));
	return same;
}

static void N3_one_client(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, is_one(test, v4(0x0a000001, 1), v4(0x0a000001, 2)));
	KUNIT_EXPECT_FALSE(test, is_one(test, v4(0x0a000001, 1), v4(0x0a000002, 1)));
	KUNIT_EXPECT_TRUE(test, is_one(test, v6(1, 1), v6(1, 2)));
	KUNIT_EXPECT_FALSE(test, is_one(test, v6(1, 1), v6(2, 1)));
	/* the same 64 bits of another family */
	KUNIT_EXPECT_FALSE(test, is_one(test, v4(0xfd000000, 0), v6(0, 0)));
}

static void N3_share_lives_as_long_as_it_is_used(struct kunit *test)
{
	struct ss_addr a = v4(0x0a000001, 1), b = v4(0x0a000002, 1);
	struct ss_net *sn = test->priv;
	struct ss_share *first = ss_share_get(sn, &a);
	struct ss_share *other = ss_share_get(sn, &b);

	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_ASSERT_NOT_NULL(test, other);
	first->sessions = 7;
	KUNIT_EXPECT_PTR_EQ(test, ss_share_get(sn, &a), first);
	ss_share_put(sn, first);
	KUNIT_EXPECT_PTR_EQ(test, ss_share_get(sn, &a), first);
	KUNIT_EXPECT_EQ(test, first->sessions, 7);
	KUNIT_EXPECT_EQ(test, other->sessions, 0);
	ss_share_put(sn, first);
	ss_share_put(sn, first);
	first = ss_share_get(sn, &a);
	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_EXPECT_EQ(test, first->sessions, 0);
	ss_share_put(sn, first);
	ss_share_put(sn, other);
	ss_share_put(sn, NULL);
	KUNIT_EXPECT_TRUE(test, hash_empty(sn->shares));
}

static int share_init(struct kunit *test)
{
	test->priv = ss_rig_net(test);
	return 0;
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE(N3_one_client),
	KUNIT_CASE(N3_share_lives_as_long_as_it_is_used),
	{}
};

static struct kunit_suite share_suite = {
	.name = "smtpsplice-share",
	.init = share_init,
	.test_cases = share_cases,
};

kunit_test_suite(share_suite);
