// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of ss_hold_replace(): another message in the place of the held one, and
 * that the budget is charged and given back to the octet.
 */
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/shmem_fs.h>

#include "../compat.h"
#include "../hold.h"
#include "../share.h"
#include "../smtp/eod.h"
#include "rig.h"

#define LIMIT	(8 * PAGE_SIZE)
#define SEALS	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/**
 * struct bench - what a test works with
 * @sn: the namespace that is charged
 * @share: share of the client that is
 * @h: a hold of a short message
 */
struct bench {
	struct ss_net *sn;
	struct ss_share share;
	struct ss_hold h;
};

static const char held_text[] = "held\r\n";

static int replace_init(struct kunit *test)
{
	struct bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->share.users = 1;
	b->sn = ss_rig_net(test);
	b->sn->settings.max_message = LIMIT;
	b->sn->settings.max_held = 16 * PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, ss_hold_open(&b->h, b->sn, &b->share), 0);
	KUNIT_ASSERT_EQ(test, ss_hold_append(&b->h, held_text,
					     strlen(held_text)), 0);
	b->h.len = strlen(held_text);
	ss_hold_seal(&b->h, b->h.len);
	test->priv = b;
	return 0;
}

static void replace_exit(struct kunit *test)
{
	struct bench *b = test->priv;

	if (!b)
		return;
	ss_hold_close(&b->h);
	ss_hold_exit(b->sn);
	KUNIT_EXPECT_EQ(test, atomic64_read(&b->sn->held), 0);
	KUNIT_EXPECT_EQ(test, b->share.users, 1);
}

static void put_file(void *file)
{
	fput(file);
}

/* A memory file like a helper's, of @size octets that begin with @text. */
static struct file *make_file(struct kunit *test, const char *text, u64 size,
			      int seals)
{
	struct file *file = ss_compat_shmem_file("test", LIMIT * 4);
	u32 len = strlen(text);
	struct page *page;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, put_file, file));
	if (len) {
		page = shmem_read_mapping_page_gfp(file->f_mapping, 0,
						   GFP_KERNEL);
		KUNIT_ASSERT_FALSE(test, IS_ERR(page));
		memcpy_to_page(page, 0, text, len);
		set_page_dirty(page);
		put_page(page);
	}
	i_size_write(file_inode(file), size ?: len);
	SHMEM_I(file_inode(file))->seals = seals;
	return file;
}

static int replace(struct kunit *test, const char *text, bool chunked)
{
	struct bench *b = test->priv;

	return ss_hold_replace(&b->h, make_file(test, text, 0, SEALS),
			       SS_EOD_BAD, chunked);
}

static void takes_its_place(struct kunit *test)
{
	struct bench *b = test->priv;

	KUNIT_EXPECT_EQ(test, replace(test, "a\r\n..b\r\n", false), 0);
	KUNIT_EXPECT_EQ(test, b->h.len, 8);
	KUNIT_EXPECT_EQ(test, atomic64_read(&b->sn->held), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, replace(test, "", false), 0);
	KUNIT_EXPECT_EQ(test, b->h.len, 0);
}

/* None of it would be one message for the server: B1. */
static void refuses_what_is_no_message(struct kunit *test)
{
	static const char * const bad[] = {
		"a\r\n.\r\nb\r\n", ".\r\n", "a", "a\r\n.", "a\nb\r\n",
		"a\rb\r\n", "a\r\n.\rb\r\n", "a\r\n\n.\r\n",
	};
	struct bench *b = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, replace(test, bad[i], false), -EINVAL,
				    "%s", bad[i]);
	KUNIT_EXPECT_EQ(test, b->h.len, strlen(held_text));
	/* by BDAT all of it is content */
	KUNIT_EXPECT_EQ(test, replace(test, bad[0], true), 0);
}

static void keeps_to_the_limits(struct kunit *test)
{
	struct bench *b = test->priv;
	struct file *file;

	file = make_file(test, "", LIMIT + 2 * SS_HOLD_CHUNK, SEALS);
	KUNIT_EXPECT_EQ(test, ss_hold_replace(&b->h, file, 0, true), -EFBIG);
	b->sn->settings.max_held = 2 * PAGE_SIZE;
	file = make_file(test, "", 3 * PAGE_SIZE, SEALS);
	KUNIT_EXPECT_EQ(test, ss_hold_replace(&b->h, file, 0, true), -ENOSPC);
	KUNIT_EXPECT_EQ(test, atomic64_read(&b->sn->held), PAGE_SIZE);
	file = make_file(test, "", 2 * PAGE_SIZE, SEALS);
	KUNIT_EXPECT_EQ(test, ss_hold_replace(&b->h, file, 0, true), 0);
	KUNIT_EXPECT_EQ(test, b->h.len, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, atomic64_read(&b->sn->held), 2 * PAGE_SIZE);
}

static void wants_all_seals(struct kunit *test)
{
	static const int seals[] = {
		F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE,
	};
	int i;

	KUNIT_EXPECT_TRUE(test, ss_hold_can_be(make_file(test, "", 0, SEALS)));
	for (i = 0; i < ARRAY_SIZE(seals); i++)
		KUNIT_EXPECT_FALSE(test, ss_hold_can_be(make_file(test, "", 0,
								  SEALS & ~seals[i])));
}

static struct kunit_case replace_cases[] = {
	KUNIT_CASE(takes_its_place),
	KUNIT_CASE(refuses_what_is_no_message),
	KUNIT_CASE(keeps_to_the_limits),
	KUNIT_CASE(wants_all_seals),
	{}
};

static struct kunit_suite replace_suite = {
	.name = "smtpsplice-replace",
	.init = replace_init,
	.exit = replace_exit,
	.test_cases = replace_cases,
};

kunit_test_suite(replace_suite);
