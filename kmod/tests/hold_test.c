// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of hold.c: what is in the pages, and that the budget is charged and
 * given back to the octet. The engine is the real one; sockets are a pair of
 * AF_UNIX, whose two ends need no waiting.
 */
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/socket.h>
#include <linux/un.h>
#include <net/sock.h>

#include "../hold.h"
#include "../leg.h"
#include "../share.h"
#include "../smtp/smtp.h"
#include "rig.h"

/* The longest message of these tests: more pages than one send takes. */
#define TEXT_MAX	(24 * PAGE_SIZE)
#define SINK_SIZE	(2 * SS_SMTP_SINK_MIN)

/**
 * struct bench - what a test works with
 * @sn: the namespace that is charged
 * @share: share of the client that is
 * @e: the engine
 * @text: octets that messages are made of, without CR, LF, dot or NUL
 * @got: octets that were read back
 * @rest: octets that came behind an end-of-data
 * @sink: takes what the engine says, which is not looked at
 */
struct bench {
	struct ss_net *sn;
	struct ss_share share;
	struct ss_smtp *e;
	u8 *text;
	u8 *got;
	u8 *rest;
	struct ss_smtp_buf sink;
};

static void *get_mem(struct kunit *test, size_t size)
{
	void *p = kunit_kzalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static int hold_init(struct kunit *test)
{
	struct bench *b = get_mem(test, sizeof(*b));
	u32 i;

	b->share.users = 1;
	b->sn = ss_rig_net(test);
	b->sn->settings.max_message = TEXT_MAX;
	b->sn->settings.max_held = 4 * TEXT_MAX;
	b->e = get_mem(test, sizeof(*b->e));
	b->text = get_mem(test, TEXT_MAX);
	b->got = get_mem(test, TEXT_MAX);
	b->rest = get_mem(test, SS_HOLD_CHUNK);
	b->sink.data = get_mem(test, SINK_SIZE);
	b->sink.cap = SINK_SIZE;
	/* a prime, so that no two pages are the same */
	for (i = 0; i < TEXT_MAX; i++)
		b->text[i] = 'A' + i % 47;
	test->priv = b;
	return 0;
}

/* Checks that a test gave everything back, whatever it did. */
static void hold_exit(struct kunit *test)
{
	struct bench *b = test->priv;

	if (!b)
		return;
	ss_hold_exit(b->sn);
	KUNIT_EXPECT_EQ(test, atomic64_read(&b->sn->held), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&b->share.held), 0);
	KUNIT_EXPECT_EQ(test, b->share.users, 1);
}

static u64 held(struct kunit *test)
{
	struct bench *b = test->priv;

	return atomic64_read(&b->sn->held);
}

static void say(struct kunit *test, bool server, const char *line)
{
	struct bench *b = test->priv;
	u32 n = strlen(line), used;

	b->sink.len = 0;
	if (server)
		used = ss_smtp_server(b->e, line, n, &b->sink);
	else
		used = ss_smtp_client(b->e, line, n, &b->sink, &b->sink);
	KUNIT_ASSERT_EQ(test, used, n);
}

/* Brings the engine to where a message is awaited. */
static void begin_message(struct kunit *test)
{
	static const char * const dialogue[] = {
		"HELO c\r\n", "250 s\r\n",
		"MAIL FROM:<a@example.org>\r\n", "250 ok\r\n",
		"RCPT TO:<b@example.org>\r\n", "250 ok\r\n",
		"DATA\r\n",
	};
	struct bench *b = test->priv;
	int i;

	ss_smtp_init(b->e, TEXT_MAX);
	say(test, true, "220 s\r\n");
	for (i = 0; i < ARRAY_SIZE(dialogue); i++)
		say(test, i % 2, dialogue[i]);
	KUNIT_ASSERT_EQ(test, b->e->event, SS_SMTP_DATA);
	ss_smtp_data_accept(b->e, &b->sink);
}

static void close_hold(void *h)
{
	ss_hold_close(h);
}

/* Opens a hold, which is closed at the end of the test if not before. */
static struct ss_hold *open_hold(struct kunit *test)
{
	struct ss_hold *h = get_mem(test, sizeof(*h));
	struct bench *b = test->priv;

	KUNIT_ASSERT_EQ(test, 0, kunit_add_action(test, close_hold, h));
	KUNIT_ASSERT_EQ(test, ss_hold_open(h, b->sn, &b->share), 0);
	return h;
}

/* Puts octets into the hold, none of which ends the message. */
static void put(struct kunit *test, struct ss_hold *h, const void *p, u32 n)
{
	struct bench *b = test->priv;
	u64 len = h->len;

	KUNIT_ASSERT_EQ(test, ss_hold_append(h, p, n), 0);
	KUNIT_ASSERT_EQ(test, h->len, len);
	KUNIT_ASSERT_EQ(test, ss_hold_parse(h, b->e, n, b->rest), 0);
	KUNIT_ASSERT_EQ(test, h->len, len + n);
}

/* Puts the first @n octets of the text into the hold. */
static void put_text(struct kunit *test, struct ss_hold *h, u32 n)
{
	struct bench *b = test->priv;
	u32 pos;

	for (pos = 0; pos < n; pos += SS_HOLD_CHUNK)
		put(test, h, b->text + pos, min(n - pos, SS_HOLD_CHUNK));
}

/* Reads @n octets of a file at @pos into @b->got. Return: how many came. */
static ssize_t read_file(struct kunit *test, struct file *file, loff_t pos,
			 u32 n)
{
	struct bench *b = test->priv;

	KUNIT_ASSERT_LE(test, n, TEXT_MAX);
	return kernel_read(file, b->got, n, &pos);
}

/* The message is the first @n octets of the text with @tail, and no more. */
static void expect_message(struct kunit *test, const struct ss_hold *h, u32 n,
			   const char *tail)
{
	struct file *file = ss_hold_reader(h);
	u32 len = n + strlen(tail);
	struct bench *b = test->priv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_EQ(test, i_size_read(file_inode(file)), len);
	KUNIT_EXPECT_EQ(test, read_file(test, file, 0, TEXT_MAX), len);
	KUNIT_EXPECT_EQ(test, memcmp(b->got, b->text, n), 0);
	KUNIT_EXPECT_EQ(test, memcmp(b->got + n, tail, strlen(tail)), 0);
	fput(file);
}

/* --- the budget ---------------------------------------------------------- */

static void open_charges_nothing(struct kunit *test)
{
	struct ss_hold *h = open_hold(test);
	struct ss_hold zeroed = {};

	KUNIT_EXPECT_EQ(test, h->len, 0);
	KUNIT_EXPECT_EQ(test, h->limit, TEXT_MAX);
	KUNIT_EXPECT_EQ(test, held(test), 0);
	KUNIT_EXPECT_TRUE(test, mapping_unevictable(h->file->f_mapping));
	ss_hold_close(h);
	KUNIT_EXPECT_NULL(test, h->file);
	/* closing what is not open does nothing */
	ss_hold_close(h);
	ss_hold_close(&zeroed);
}

static void charges_whole_pages(struct kunit *test)
{
	static const struct {
		u32 n;		/* put this many octets more */
		u32 pages;	/* then this many are charged */
	} steps[] = {
		{ 1, 1 }, { PAGE_SIZE - 2, 1 }, { 1, 1 },
		{ 1, 2 }, { PAGE_SIZE - 1, 2 },
		{ PAGE_SIZE, 3 }, { PAGE_SIZE + 1, 5 },
		{ SS_HOLD_CHUNK, 9 }, { PAGE_SIZE - 1, 9 }, { 1, 10 },
	};
	struct ss_hold *h = open_hold(test);
	struct bench *b = test->priv;
	int i;

	begin_message(test);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		put(test, h, b->text, steps[i].n);
		KUNIT_EXPECT_EQ(test, h->charged, steps[i].pages * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, held(test), h->charged);
	}
	ss_hold_close(h);
	KUNIT_EXPECT_EQ(test, held(test), 0);
	KUNIT_EXPECT_EQ(test, h->charged, 0);
}

static void seal_keeps_the_charge(struct kunit *test)
{
	struct ss_hold *h = open_hold(test);

	begin_message(test);
	put_text(test, h, PAGE_SIZE + 2);
	ss_hold_seal(h, PAGE_SIZE - 1);
	KUNIT_EXPECT_EQ(test, h->charged, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, held(test), 2 * PAGE_SIZE);
	ss_hold_close(h);
	KUNIT_EXPECT_EQ(test, held(test), 0);
}

static void holds_share_the_budget(struct kunit *test)
{
	struct ss_hold *h[3];
	int i;

	for (i = 0; i < ARRAY_SIZE(h); i++) {
		h[i] = open_hold(test);
		begin_message(test);
		put_text(test, h[i], (i + 1) * PAGE_SIZE);
	}
	KUNIT_EXPECT_EQ(test, held(test), 6 * PAGE_SIZE);
	ss_hold_close(h[1]);
	KUNIT_EXPECT_EQ(test, held(test), 4 * PAGE_SIZE);
	ss_hold_close(h[1]);
	KUNIT_EXPECT_EQ(test, held(test), 4 * PAGE_SIZE);
	ss_hold_close(h[0]);
	KUNIT_EXPECT_EQ(test, held(test), 3 * PAGE_SIZE);
	ss_hold_close(h[2]);
	KUNIT_EXPECT_EQ(test, held(test), 0);
}

/*
 * A message at its limit is still taken, with a chunk for its end-of-data, and
 * then no more.
 */
static void message_limit(struct kunit *test)
{
	struct bench *b = test->priv;
	struct ss_hold *h;

	b->sn->settings.max_message = 3 * PAGE_SIZE;
	h = open_hold(test);
	/* it goes by what was set when the message began */
	b->sn->settings.max_message = 1;
	begin_message(test);
	put_text(test, h, 3 * PAGE_SIZE);
	put(test, h, b->text, SS_HOLD_CHUNK);
	KUNIT_EXPECT_EQ(test, ss_hold_append(h, b->text, 1), 0);
	put(test, h, b->text, 1);
	KUNIT_ASSERT_EQ(test, h->len, h->limit + SS_HOLD_CHUNK + 1);
	KUNIT_EXPECT_EQ(test, ss_hold_append(h, b->text, 1), -EFBIG);
	KUNIT_EXPECT_EQ(test, ss_hold_append(h, b->text, SS_HOLD_CHUNK), -EFBIG);
	KUNIT_EXPECT_EQ(test, h->charged, PAGE_ALIGN(h->len));
	KUNIT_EXPECT_EQ(test, held(test), h->charged);
	KUNIT_EXPECT_EQ(test, h->len, h->limit + SS_HOLD_CHUNK + 1);
	ss_hold_close(h);
}

/* A refused octet leaves the budget as it was, for this message and others. */
static void namespace_budget(struct kunit *test)
{
	struct bench *b = test->priv;
	struct ss_hold *first, *second, third = {};

	b->sn->settings.max_held = 4 * PAGE_SIZE;
	first = open_hold(test);
	second = open_hold(test);
	begin_message(test);
	put_text(test, first, 2 * PAGE_SIZE);
	begin_message(test);
	put_text(test, second, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, ss_hold_append(second, b->text, PAGE_SIZE + 1),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, held(test), 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, second->charged, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, second->len, PAGE_SIZE);
	/* to the last octet */
	put(test, second, b->text, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, held(test), 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ss_hold_append(first, b->text, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, ss_hold_append(second, b->text, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, held(test), 4 * PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, ss_hold_open(&third, b->sn, &b->share), -ENOSPC);
	KUNIT_EXPECT_NULL(test, third.file);
	ss_hold_close(&third);
	KUNIT_EXPECT_EQ(test, held(test), 4 * PAGE_SIZE);

	ss_hold_close(first);
	KUNIT_EXPECT_EQ(test, held(test), 2 * PAGE_SIZE);
	/* what was given back can be used */
	put(test, second, b->text, 2 * PAGE_SIZE);
	ss_hold_close(second);
}

/* A client that has its share gets no more for any of its messages. */
static void N3_share_is_used_up(struct kunit *test)
{
	struct ss_hold *first, *second, third = {};
	struct bench *b = test->priv;

	b->sn->settings.max_held = 8 * PAGE_SIZE;
	b->sn->settings.conserve_red = 100;
	b->sn->settings.max_client_held = 50;
	first = open_hold(test);
	second = open_hold(test);
	begin_message(test);
	put_text(test, first, 3 * PAGE_SIZE);
	begin_message(test);
	put_text(test, second, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, ss_hold_append(second, b->text, 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, ss_hold_append(first, b->text, 1), -EDQUOT);
	b->sn->settings.max_client_held = 60;
	KUNIT_EXPECT_EQ(test, ss_hold_open(&third, b->sn, &b->share), 0);
	KUNIT_EXPECT_EQ(test, ss_hold_append(&third, b->text, 1), -EDQUOT);
	ss_hold_close(&third);
	KUNIT_EXPECT_EQ(test, atomic64_read(&b->share.held), 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, held(test), 4 * PAGE_SIZE);
	b->sn->settings.max_client_held = 50;
	KUNIT_EXPECT_EQ(test, ss_hold_open(&third, b->sn, &b->share), -EDQUOT);
	KUNIT_EXPECT_NULL(test, third.file);
	ss_hold_close(first);
	/* the only one that there is */
	put(test, second, b->text, 4 * PAGE_SIZE);
	ss_hold_close(second);
}

/* The budget becomes smaller than what is held: nothing more, until it fits. */
static void budget_shrinks(struct kunit *test)
{
	struct ss_hold *h = open_hold(test);
	struct bench *b = test->priv;
	struct ss_hold other = {};

	begin_message(test);
	put_text(test, h, 3 * PAGE_SIZE - 1);
	b->sn->settings.max_held = 2 * PAGE_SIZE;
	/* what is charged already */
	put(test, h, b->text, 1);
	KUNIT_EXPECT_EQ(test, ss_hold_append(h, b->text, 1), -ENOSPC);
	KUNIT_EXPECT_EQ(test, ss_hold_open(&other, b->sn, &b->share), -ENOSPC);
	KUNIT_EXPECT_EQ(test, held(test), 3 * PAGE_SIZE);
	ss_hold_close(h);
	KUNIT_EXPECT_EQ(test, ss_hold_open(&other, b->sn, &b->share), 0);
	ss_hold_close(&other);
}

/* --- the pages ----------------------------------------------------------- */

static const struct piece {
	const char *name;
	u32 size;
} pieces[] = {
	{ "7 octets", 7 },
	{ "a page less 1", PAGE_SIZE - 1 },
	{ "a page", PAGE_SIZE },
	{ "a page and 1", PAGE_SIZE + 1 },
	{ "two pages less 1", 2 * PAGE_SIZE - 1 },
	{ "a chunk", SS_HOLD_CHUNK },
};

KUNIT_ARRAY_PARAM_DESC(pieces, pieces, name);

static void message_in_pieces_of(struct kunit *test)
{
	u32 piece = ((const struct piece *)test->param_value)->size;
	u32 n = 5 * PAGE_SIZE + 3, pos;
	struct ss_hold *h = open_hold(test);
	struct bench *b = test->priv;

	begin_message(test);
	for (pos = 0; pos < n; pos += piece)
		put(test, h, b->text + pos, min(n - pos, piece));
	KUNIT_ASSERT_EQ(test, ss_hold_append(h, "\r\n.\r\n", 5), 0);
	KUNIT_EXPECT_EQ(test, ss_hold_parse(h, b->e, 5, b->rest), 0);
	KUNIT_ASSERT_EQ(test, b->e->event, SS_SMTP_BODY_END);
	KUNIT_EXPECT_EQ(test, h->charged, 6 * PAGE_SIZE);
	ss_hold_seal(h, b->e->body_len);
	expect_message(test, h, n, "\r\n");
	ss_hold_close(h);
}

/*
 * Octets @from to @to of the file, which lie behind the message, are zero: the
 * helper maps whole pages.
 */
static void expect_cleared(struct kunit *test, const struct ss_hold *h,
			   u64 from, u64 to)
{
	struct bench *b = test->priv;

	KUNIT_ASSERT_EQ(test, read_file(test, h->file, from, to - from),
			to - from);
	KUNIT_EXPECT_NULL(test, memchr_inv(b->got, 0, to - from));
}

/* The message's text is @n long, and @more octets come behind the message. */
static void end_at(struct kunit *test, u32 n, u32 more)
{
	static const char end[] = "\r\n.\r\n";
	struct ss_hold *h = open_hold(test);
	struct bench *b = test->priv;
	u32 all = n + strlen(end) + more;
	u8 *p = b->got;

	KUNIT_ASSERT_LE(test, all, SS_HOLD_CHUNK);
	memcpy(p, b->text, n);
	memcpy(p + n, end, strlen(end));
	memset(p + n + strlen(end), 'z', more);
	begin_message(test);
	KUNIT_ASSERT_EQ(test, ss_hold_append(h, p, all), 0);
	KUNIT_EXPECT_EQ(test, ss_hold_parse(h, b->e, all, b->rest), more);
	KUNIT_EXPECT_NULL(test, memchr_inv(b->rest, 'z', more));
	KUNIT_EXPECT_EQ(test, b->e->event, SS_SMTP_BODY_END);
	KUNIT_EXPECT_EQ(test, h->len, n + strlen(end));
	KUNIT_EXPECT_EQ(test, b->e->body_len, n + 2);
	expect_cleared(test, h, h->len, PAGE_ALIGN(all));
	ss_hold_seal(h, b->e->body_len);
	KUNIT_EXPECT_EQ(test, h->len, n + 2);
	expect_message(test, h, n, "\r\n");
	ss_hold_close(h);
}

static void end_of_data_straddles_pages(struct kunit *test)
{
	u32 back;

	for (back = 0; back <= 6; back++)
		end_at(test, PAGE_SIZE - back, 0);
}

static void what_follows_is_taken_out(struct kunit *test)
{
	u32 back;

	/* in the end-of-data's page, up to its end, and on other pages */
	for (back = 0; back <= 6; back++) {
		end_at(test, PAGE_SIZE - back, 6);
		end_at(test, 2 * PAGE_SIZE - back, PAGE_SIZE + 11);
	}
	end_at(test, 100, PAGE_SIZE - 105);
	end_at(test, 100, SS_HOLD_CHUNK - 105);
}

static void end_of_data_in_two_pieces(struct kunit *test)
{
	static const char end[] = "\r\n.\r\n";
	struct bench *b = test->priv;
	u32 cut;

	for (cut = 1; cut < strlen(end); cut++) {
		struct ss_hold *h = open_hold(test);
		u32 left = strlen(end) - cut;

		begin_message(test);
		/* the second piece begins with a page */
		put_text(test, h, PAGE_SIZE - cut);
		put(test, h, end, cut);
		KUNIT_EXPECT_EQ(test, b->e->event, SS_SMTP_NONE);
		KUNIT_ASSERT_EQ(test, ss_hold_append(h, end + cut, left), 0);
		KUNIT_EXPECT_EQ(test, ss_hold_parse(h, b->e, left, b->rest), 0);
		KUNIT_EXPECT_EQ(test, b->e->event, SS_SMTP_BODY_END);
		ss_hold_seal(h, b->e->body_len);
		expect_message(test, h, PAGE_SIZE - cut, "\r\n");
		ss_hold_close(h);
	}
}

static void empty_message(struct kunit *test)
{
	struct ss_hold *h = open_hold(test);
	struct bench *b = test->priv;

	begin_message(test);
	KUNIT_ASSERT_EQ(test, ss_hold_append(h, ".\r\nQUIT\r\n", 9), 0);
	KUNIT_EXPECT_EQ(test, ss_hold_parse(h, b->e, 9, b->rest), 6);
	KUNIT_EXPECT_EQ(test, memcmp(b->rest, "QUIT\r\n", 6), 0);
	KUNIT_EXPECT_EQ(test, b->e->body_len, 0);
	ss_hold_seal(h, 0);
	expect_message(test, h, 0, "");
	ss_hold_close(h);
}

/* --- the sealed file ----------------------------------------------------- */

static void sealed_is_read_only(struct kunit *test)
{
	u32 n = 2 * PAGE_SIZE + 100;
	struct ss_hold *h = open_hold(test);
	struct file *reader, *writer;
	loff_t pos = 0;

	begin_message(test);
	put_text(test, h, n);
	ss_hold_seal(h, n);

	reader = ss_hold_reader(h);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reader);
	KUNIT_EXPECT_TRUE(test, reader->f_mode & FMODE_READ);
	KUNIT_EXPECT_FALSE(test, reader->f_mode & FMODE_WRITE);
	KUNIT_EXPECT_PTR_NE(test, reader, h->file);
	KUNIT_EXPECT_EQ(test, file_inode(reader)->i_mode, S_IFREG | 0400);
	/* even root, who may open it for writing by /proc/PID/fd, may not */
	writer = dentry_open(&reader->f_path, O_RDWR | O_LARGEFILE,
			     current_cred());
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, writer);
	KUNIT_EXPECT_EQ(test, kernel_write(writer, "x", 1, &pos), -EPERM);
	pos = n;
	KUNIT_EXPECT_EQ(test, kernel_write(writer, "x", 1, &pos), -EPERM);
	KUNIT_EXPECT_EQ(test, vfs_truncate(&writer->f_path, 0), -EPERM);
	KUNIT_EXPECT_EQ(test, vfs_truncate(&writer->f_path, n + 1), -EPERM);
	fput(writer);
	fput(reader);
	expect_message(test, h, n, "");
	ss_hold_close(h);
}

static void sealed_is_not_mapped_for_writing(struct kunit *test)
{
	struct ss_hold *h = open_hold(test);
	struct file *reader;
	unsigned long at;

	begin_message(test);
	put_text(test, h, PAGE_SIZE);
	ss_hold_seal(h, PAGE_SIZE);
	reader = ss_hold_reader(h);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reader);
	at = kunit_vm_mmap(test, reader, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	KUNIT_EXPECT_FALSE(test, !at || IS_ERR_VALUE(at));
	at = kunit_vm_mmap(test, reader, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED, 0);
	KUNIT_EXPECT_EQ(test, (long)at, -EACCES);
	at = kunit_vm_mmap(test, h->file, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED, 0);
	KUNIT_EXPECT_EQ(test, (long)at, -EPERM);
	fput(reader);
	ss_hold_close(h);
}

/*
 * The helper's file and its pages live on when the hold is gone, and are charged as
 * long as they do: K5.
 */
static void reader_outlives_the_hold(struct kunit *test)
{
	u32 n = 3 * PAGE_SIZE + 1;
	struct ss_hold *h = open_hold(test);
	struct bench *b = test->priv;
	struct file *reader;

	begin_message(test);
	put_text(test, h, n);
	ss_hold_seal(h, n);
	reader = ss_hold_reader(h);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, reader);
	ss_hold_close(h);
	flush_delayed_work(&b->sn->leftovers_work);
	KUNIT_EXPECT_EQ(test, held(test), 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, read_file(test, reader, 0, TEXT_MAX), n);
	KUNIT_EXPECT_EQ(test, memcmp(b->got, b->text, n), 0);
	/* fput() of a kernel thread has no such end */
	__fput_sync(reader);
	flush_delayed_work(&b->sn->leftovers_work);
	KUNIT_EXPECT_EQ(test, held(test), 0);
}

/* --- sockets ------------------------------------------------------------- */

static void release(void *sock)
{
	sock_release(sock);
}

static struct socket *new_socket(struct kunit *test)
{
	struct socket *sock;

	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, AF_UNIX,
						  SOCK_STREAM, 0, &sock));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, release, sock));
	return sock;
}

static void new_pair(struct kunit *test, struct socket **here,
		     struct socket **there)
{
	*here = new_socket(test);
	*there = new_socket(test);
	KUNIT_ASSERT_EQ(test, 0, (*here)->ops->socketpair(*here, *there));
}

static void send_to(struct kunit *test, struct socket *sock, void *p, u32 n)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT };
	struct kvec iov = { .iov_base = p, .iov_len = n };

	KUNIT_ASSERT_EQ(test, kernel_sendmsg(sock, &msg, &iov, 1, n), n);
}

static int recv_from(struct socket *sock, void *p, u32 n)
{
	struct msghdr msg = {};
	struct kvec iov = { .iov_base = p, .iov_len = n };

	return kernel_recvmsg(sock, &msg, &iov, 1, n, MSG_DONTWAIT);
}

/* As from a leg without TLS. */
static int recv_into(struct ss_hold *h, struct socket *sock)
{
	struct ss_leg leg = { .sock = sock };

	return ss_hold_recv(h, &leg, U64_MAX);
}

static void recv_into_pages(struct kunit *test)
{
	u32 n = 3 * SS_HOLD_CHUNK + 100, total = 50;
	struct ss_hold *h = open_hold(test);
	struct bench *b = test->priv;
	struct socket *here, *there;
	int got;

	new_pair(test, &here, &there);
	begin_message(test);
	KUNIT_EXPECT_EQ(test, recv_into(h, here), -EAGAIN);
	put(test, h, b->text, total);
	send_to(test, there, b->text + total, n - total);
	while ((got = recv_into(h, here)) > 0) {
		KUNIT_EXPECT_LE(test, got, SS_HOLD_CHUNK);
		KUNIT_EXPECT_EQ(test, h->len, total);
		total += got;
		/* all but the last one fill the pages that they have */
		if (total < n)
			KUNIT_EXPECT_EQ(test, total % PAGE_SIZE, 0);
		KUNIT_EXPECT_EQ(test, ss_hold_parse(h, b->e, got, b->rest), 0);
		KUNIT_EXPECT_EQ(test, held(test), h->charged);
	}
	KUNIT_EXPECT_EQ(test, got, -EAGAIN);
	KUNIT_ASSERT_EQ(test, total, n);
	KUNIT_EXPECT_EQ(test, h->len, n);
	/* room for one more receive is charged, and no more */
	KUNIT_EXPECT_EQ(test, held(test), h->charged);
	KUNIT_EXPECT_LE(test, h->charged, PAGE_ALIGN(n + SS_HOLD_CHUNK));

	kernel_sock_shutdown(there, SHUT_WR);
	KUNIT_EXPECT_EQ(test, recv_into(h, here), 0);
	KUNIT_EXPECT_EQ(test, h->len, n);
	ss_hold_seal(h, n);
	expect_message(test, h, n, "");
	ss_hold_close(h);
}

/* An octet that does not fit is neither charged nor taken from the socket. */
static void recv_over_budget(struct kunit *test)
{
	struct bench *b = test->priv;
	struct socket *here, *there;
	struct ss_hold *h;

	b->sn->settings.max_message = PAGE_SIZE;
	h = open_hold(test);
	new_pair(test, &here, &there);
	send_to(test, there, b->text, 100);
	b->sn->settings.max_held = SS_HOLD_CHUNK - PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, recv_into(h, here), -ENOSPC);
	KUNIT_EXPECT_EQ(test, held(test), 0);
	KUNIT_EXPECT_EQ(test, h->charged, 0);

	b->sn->settings.max_held = 4 * TEXT_MAX;
	begin_message(test);
	put(test, h, b->text, SS_HOLD_CHUNK);
	put(test, h, b->text, PAGE_SIZE + 1);
	KUNIT_EXPECT_EQ(test, recv_into(h, here), -EFBIG);
	KUNIT_EXPECT_EQ(test, h->charged, SS_HOLD_CHUNK + 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, held(test), h->charged);
	ss_hold_close(h);
	KUNIT_EXPECT_EQ(test, recv_from(here, b->got, 200), 100);
	KUNIT_EXPECT_EQ(test, memcmp(b->got, b->text, 100), 0);
}

/* Sends what is held from @pos on. Return: where that ended. */
static u64 send_all(struct kunit *test, const struct ss_hold *h,
		    struct socket *here, struct socket *there, u64 pos)
{
	struct bench *b = test->priv;
	u64 taken = pos;
	int n;

	do {
		int got;

		n = ss_hold_send(h, here, pos, h->len, true);
		KUNIT_ASSERT_TRUE(test, n >= 0 || n == -EAGAIN);
		pos += max(n, 0);
		KUNIT_ASSERT_LE(test, pos, h->len);
		while ((got = recv_from(there, b->got + taken,
					TEXT_MAX - taken)) > 0)
			taken += got;
		KUNIT_ASSERT_EQ(test, taken, pos);
	} while (n);
	return pos;
}

static void send_from_pages(struct kunit *test)
{
	/* more than one send takes, from where pages begin and where not */
	static const u64 starts[] = {
		0, 1, PAGE_SIZE - 1, PAGE_SIZE, 2 * PAGE_SIZE + 5,
	};
	u32 n = 20 * PAGE_SIZE + 17;
	struct ss_hold *h = open_hold(test);
	struct socket *here, *there;
	struct bench *b = test->priv;
	int i;

	new_pair(test, &here, &there);
	begin_message(test);
	put_text(test, h, n);
	ss_hold_seal(h, n);
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		u64 from = starts[i];

		memset(b->got, 0, TEXT_MAX);
		KUNIT_EXPECT_EQ(test, send_all(test, h, here, there, from), n);
		KUNIT_EXPECT_EQ(test, memcmp(b->got + from, b->text + from,
					     n - from), 0);
	}
	KUNIT_EXPECT_EQ(test, ss_hold_send(h, here, n, h->len, true), 0);
	ss_hold_close(h);
}

/* Pages in a send queue are not freed, or used anew, with the hold. */
static void sent_pages_outlive_the_hold(struct kunit *test)
{
	u32 n = 3 * PAGE_SIZE + 9;
	struct ss_hold *h = open_hold(test), *other;
	struct bench *b = test->priv;
	struct socket *here, *there;

	new_pair(test, &here, &there);
	begin_message(test);
	put_text(test, h, n);
	ss_hold_seal(h, n);
	KUNIT_ASSERT_EQ(test, ss_hold_send(h, here, 0, h->len, true), n);
	ss_hold_close(h);
	KUNIT_EXPECT_EQ(test, held(test), 0);
	/* somebody else's message */
	other = open_hold(test);
	begin_message(test);
	memset(b->got, 'x', n);
	put(test, other, b->got, n);
	KUNIT_ASSERT_EQ(test, recv_from(there, b->got, TEXT_MAX), n);
	KUNIT_EXPECT_EQ(test, memcmp(b->got, b->text, n), 0);
	ss_hold_close(other);
}

/* Where a page is missing, those before it are let go again. */
static void missing_page(struct kunit *test)
{
	struct ss_hold *h = open_hold(test);
	struct bench *b = test->priv;
	struct socket *here, *there;
	struct page *page;
	int refs, i;

	new_pair(test, &here, &there);
	begin_message(test);
	put_text(test, h, 2 * PAGE_SIZE);
	/* shmem has no pages behind the end of the file */
	i_size_write(file_inode(h->file), PAGE_SIZE);
	page = shmem_read_mapping_page(h->file->f_mapping, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
	refs = page_count(page);
	/* more than once, since the LRU may let go of the page meanwhile */
	for (i = 0; i < 16; i++) {
		h->len = 0;
		KUNIT_EXPECT_LT(test, ss_hold_append(h, b->text, 2 * PAGE_SIZE),
				0);
		KUNIT_EXPECT_LT(test, recv_into(h, here), 0);
		h->len = 2 * PAGE_SIZE;
		KUNIT_EXPECT_LT(test, ss_hold_send(h, here, 0, h->len, true), 0);
		KUNIT_EXPECT_LT(test, ss_hold_append(h, b->text, 1), 0);
	}
	KUNIT_EXPECT_LE(test, page_count(page), refs);
	put_page(page);
	KUNIT_EXPECT_EQ(test, held(test), h->charged);
	ss_hold_close(h);
}

static struct kunit_case hold_cases[] = {
	KUNIT_CASE(open_charges_nothing),
	KUNIT_CASE(charges_whole_pages),
	KUNIT_CASE(seal_keeps_the_charge),
	KUNIT_CASE(holds_share_the_budget),
	KUNIT_CASE(message_limit),
	KUNIT_CASE(namespace_budget),
	KUNIT_CASE(N3_share_is_used_up),
	KUNIT_CASE(budget_shrinks),
	KUNIT_CASE_PARAM(message_in_pieces_of, pieces_gen_params),
	KUNIT_CASE(end_of_data_straddles_pages),
	KUNIT_CASE(what_follows_is_taken_out),
	KUNIT_CASE(end_of_data_in_two_pieces),
	KUNIT_CASE(empty_message),
	KUNIT_CASE(sealed_is_read_only),
	KUNIT_CASE(sealed_is_not_mapped_for_writing),
	KUNIT_CASE(reader_outlives_the_hold),
	KUNIT_CASE(recv_into_pages),
	KUNIT_CASE(recv_over_budget),
	KUNIT_CASE(send_from_pages),
	KUNIT_CASE(sent_pages_outlive_the_hold),
	KUNIT_CASE(missing_page),
	{}
};

static struct kunit_suite hold_suite = {
	.name = "smtpsplice-hold",
	.init = hold_init,
	.exit = hold_exit,
	.test_cases = hold_cases,
};

kunit_test_suite(hold_suite);
