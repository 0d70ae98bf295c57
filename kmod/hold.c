// SPDX-License-Identifier: GPL-2.0
/*
 * The held message: pages of an unlinked shmem file. Octets go straight from
 * the socket into them (the only copy), the helper maps the same pages
 * read-only, and the server's socket sends them by reference.
 *
 * One session owns a hold and serialises its calls. Bounded by a budget a message
 * and one for all messages of the network namespace. A message that somebody else
 * has open when its session has done with it is left over: it stays charged, and is
 * looked at again and again.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/net.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/uio.h>

#include "budget.h"
#include "compat.h"
#include "hold.h"
#include "leg.h"
#include "net.h"
#include "share.h"
#include "smtp/eod.h"
#include "smtp/smtp.h"

/* Pages that one send takes. */
#define SEND_PAGES	16
#define RECV_PAGES	(DIV_ROUND_UP(SS_HOLD_CHUNK, PAGE_SIZE) + 1)

/* Time between two looks at the leftovers. */
#define LOOK_AGAIN	(HZ / 4)

/**
 * struct ss_held - a message, where it outlives its hold
 * @node: link in ss_net.leftovers
 * @file: the message
 * @share: share of the client that it is charged to, with a reference
 * @charged: bytes charged
 */
struct ss_held {
	struct list_head node;
	struct file *file;
	struct ss_share *share;
	u64 charged;
};

/* Octets behind an end-of-data, which a receive brings, go into a leg's buffer. */
static_assert(SS_LEG_BUFFER >= SS_HOLD_CHUNK);

/* Does nobody else have this file, nor another one of the same message? */
static bool is_ours_alone(struct file *file)
{
	return d_count(file->f_path.dentry) == 1 && file_count(file) == 1;
}

/* Gives memory and budget back. */
static void release_held(struct ss_net *sn, struct ss_held *held)
{
	fput(held->file);
	ss_budget_uncharge(sn, held->share, held->charged);
	ss_share_put(sn, held->share);
	kfree(held);
}

static void look_at_leftovers(struct work_struct *work)
{
	struct ss_net *sn = container_of(to_delayed_work(work), struct ss_net,
					 leftovers_work);
	struct ss_held *held, *next;
	LIST_HEAD(done);

	spin_lock(&sn->leftovers_lock);
	list_for_each_entry_safe(held, next, &sn->leftovers, node)
		if (is_ours_alone(held->file))
			list_move(&held->node, &done);
	if (!list_empty(&sn->leftovers))
		queue_delayed_work(ss_wq, &sn->leftovers_work, LOOK_AGAIN);
	spin_unlock(&sn->leftovers_lock);
	list_for_each_entry_safe(held, next, &done, node)
		release_held(sn, held);
}

void ss_hold_init(struct ss_net *sn)
{
	spin_lock_init(&sn->leftovers_lock);
	INIT_LIST_HEAD(&sn->leftovers);
	INIT_DELAYED_WORK(&sn->leftovers_work, look_at_leftovers);
}

void ss_hold_exit(struct ss_net *sn)
{
	struct ss_held *held, *next;

	cancel_delayed_work_sync(&sn->leftovers_work);
	list_for_each_entry_safe(held, next, &sn->leftovers, node)
		release_held(sn, held);
	INIT_LIST_HEAD(&sn->leftovers);
}

int ss_hold_open(struct ss_hold *h, struct ss_net *sn, struct ss_share *share)
{
	u64 limit = READ_ONCE(sn->settings.max_message);
	int err = ss_budget_room(sn, share);
	struct ss_held *held;
	struct inode *inode;
	struct file *file;

	might_sleep();
	if (err)
		return err;
	/* the message before this one would be lost, and what it is charged for */
	if (WARN_ON_ONCE(h->file))
		ss_hold_close(h);
	held = kmalloc(sizeof(*held), GFP_KERNEL_ACCOUNT);
	if (!held)
		return -ENOMEM;
	/* shmem gives out no page behind the size, hence room for a chunk */
	file = ss_compat_shmem_file("smtpsplice",
				    min_t(u64, limit + 2 * SS_HOLD_CHUNK,
					  MAX_LFS_FILESIZE & PAGE_MASK));
	if (IS_ERR(file)) {
		kfree(held);
		return PTR_ERR(file);
	}
	h->held = held;
	h->sn = sn;
	h->share = share;
	h->limit = limit;
	h->len = 0;
	h->charged = 0;
	ss_share_hold(sn, share);
	/* mail does not go to swap */
	mapping_set_unevictable(file->f_mapping);
	inode = file_inode(file);
	inode->i_mode = S_IFREG | 0400;
	h->file = file;
	return 0;
}

void ss_hold_close(struct ss_hold *h)
{
	struct ss_net *sn = h->sn;
	struct ss_held *held = h->held;

	if (!h->file)
		return;
	held->file = h->file;
	held->share = h->share;
	held->charged = h->charged;
	h->file = NULL;
	h->charged = 0;
	if (is_ours_alone(held->file)) {
		release_held(sn, held);
		return;
	}
	spin_lock(&sn->leftovers_lock);
	list_add_tail(&held->node, &sn->leftovers);
	spin_unlock(&sn->leftovers_lock);
	queue_delayed_work(ss_wq, &sn->leftovers_work, LOOK_AGAIN);
}

/* Charges what is needed to hold @end bytes. */
static int charge_pages(struct ss_hold *h, u64 end)
{
	u64 need = PAGE_ALIGN(end);
	int err;

	if (need <= h->charged)
		return 0;
	need -= h->charged;
	err = ss_budget_charge(h->sn, h->share, h->charged, need);
	if (!err)
		h->charged += need;
	return err;
}

/*
 * Fills @bv with the pages of @n bytes at @pos, each with a reference.
 * Return: number of pages, or -errno.
 */
static int get_pages(const struct ss_hold *h, u64 pos, u32 n,
		     struct bio_vec *bv, int max)
{
	int count = 0;

	while (n && count < max) {
		u32 off = offset_in_page(pos);
		u32 len = min_t(u32, n, PAGE_SIZE - off);
		struct page *page;

		page = shmem_read_mapping_page_gfp(h->file->f_mapping,
						   pos >> PAGE_SHIFT,
						   GFP_KERNEL | __GFP_NOWARN);
		if (IS_ERR(page)) {
			while (count)
				put_page(bv[--count].bv_page);
			return PTR_ERR(page);
		}
		bvec_set_page(&bv[count++], page, len, off);
		pos += len;
		n -= len;
	}
	return count;
}

static void put_pages(struct bio_vec *bv, int count, bool dirty)
{
	while (count--) {
		if (dirty)
			set_page_dirty(bv[count].bv_page);
		put_page(bv[count].bv_page);
	}
}

/*
 * A message at its limit may still be followed by its end-of-data, so room for
 * one chunk more is left and the engine's count decides.
 */
static int charge_room(struct ss_hold *h, u32 n)
{
	if (h->len > h->limit + SS_HOLD_CHUNK)
		return -EFBIG;
	return charge_pages(h, h->len + n);
}

int ss_hold_recv(struct ss_hold *h, struct ss_leg *leg, u64 most)
{
	struct msghdr msg = {};
	/* whole pages: but for the first, each call begins at a page's start */
	u32 want = SS_HOLD_CHUNK - h->len % SS_HOLD_CHUNK % PAGE_SIZE;
	struct bio_vec bv[RECV_PAGES];
	int count, err;

	might_sleep();
	want = min_t(u64, want, most);
	err = charge_room(h, want);
	if (err)
		return err;
	count = get_pages(h, h->len, want, bv, RECV_PAGES);
	if (count < 0)
		return count;
	iov_iter_bvec(&msg.msg_iter, ITER_DEST, bv, count, want);
	err = ss_leg_recvmsg(leg, &msg);
	put_pages(bv, count, err > 0);
	return err;
}

/* Copies between @p and the pages at @pos. */
static int copy_bytes(const struct ss_hold *h, u64 pos, u8 *p, u32 n, bool in)
{
	while (n) {
		struct bio_vec bv;
		int err = get_pages(h, pos, n, &bv, 1);
		u8 *kaddr;

		if (err < 0)
			return err;
		kaddr = kmap_local_page(bv.bv_page);
		if (in)
			memcpy(kaddr + bv.bv_offset, p, bv.bv_len);
		else
			memcpy(p, kaddr + bv.bv_offset, bv.bv_len);
		kunmap_local(kaddr);
		put_pages(&bv, 1, in);
		pos += bv.bv_len;
		p += bv.bv_len;
		n -= bv.bv_len;
	}
	return 0;
}

int ss_hold_append(struct ss_hold *h, const u8 *p, u32 n)
{
	int err = charge_room(h, n);

	might_sleep();
	return err ?: copy_bytes(h, h->len, (u8 *)p, n, true);
}

/*
 * Takes octets that are not of the message out of the pages. They are there
 * already, so no page can be missing and nothing can fail.
 */
static u32 take_rest(struct ss_hold *h, u32 n, u8 *rest)
{
	u64 pos = h->len;
	u32 left = n;

	if (WARN_ON_ONCE(copy_bytes(h, pos, rest, n, false)))
		return 0;
	while (left) {
		struct bio_vec bv;

		if (WARN_ON_ONCE(get_pages(h, pos, left, &bv, 1) < 0))
			break;
		memzero_bvec(&bv);
		put_pages(&bv, 1, true);
		pos += bv.bv_len;
		left -= bv.bv_len;
	}
	return n;
}

u32 ss_hold_parse(struct ss_hold *h, struct ss_smtp *e, u32 n, u8 *rest)
{
	might_sleep();
	while (n) {
		struct bio_vec bv;
		u32 used;
		u8 *kaddr;

		if (WARN_ON_ONCE(get_pages(h, h->len, n, &bv, 1) < 0))
			return 0;
		kaddr = kmap_local_page(bv.bv_page);
		used = ss_smtp_body(e, kaddr + bv.bv_offset, bv.bv_len);
		kunmap_local(kaddr);
		put_pages(&bv, 1, false);
		h->len += used;
		n -= used;
		if (used < bv.bv_len || e->event != SS_SMTP_NONE)
			break;
	}
	return n ? take_rest(h, n, rest) : 0;
}

void ss_hold_seal(struct ss_hold *h, u64 len)
{
	struct inode *inode = file_inode(h->file);

	h->len = len;
	i_size_write(inode, len);
	SHMEM_I(inode)->seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
				F_SEAL_FUTURE_WRITE;
}

bool ss_hold_can_be(struct file *file)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
			  F_SEAL_WRITE;

	return shmem_mapping(file->f_mapping) &&
	       (SHMEM_I(file_inode(file))->seals & seals) == seals;
}

/* Is all of a file one message, which ends where the file does, in a whole line? */
static int check_replacement(const struct ss_hold *h, struct file *file,
			     u64 len, u32 bad)
{
	const struct ss_hold view = { .sn = h->sn, .file = file, .len = len };
	u8 state = SS_EOD_START;
	u32 flags = 0, used;
	u64 pos = 0;

	while (pos < len) {
		struct bio_vec bv;
		u8 *kaddr;
		bool end;
		int err;

		err = get_pages(&view, pos, min_t(u64, len - pos, PAGE_SIZE),
				&bv, 1);
		if (err < 0)
			return err;
		kaddr = kmap_local_page(bv.bv_page);
		end = ss_eod_scan(&state, &flags, kaddr + bv.bv_offset,
				  bv.bv_len, &used);
		kunmap_local(kaddr);
		put_pages(&bv, 1, false);
		if (end)
			return -EINVAL;
		pos += used;
		cond_resched();
	}
	return flags & bad || !ss_eod_at_line_start(state) ? -EINVAL : 0;
}

int ss_hold_replace(struct ss_hold *h, struct file *file, u32 bad,
		    bool chunked)
{
	u64 len = i_size_read(file_inode(file));
	int err;

	might_sleep();
	if (len > h->limit + SS_HOLD_CHUNK)
		return -EFBIG;
	err = charge_pages(h, len);
	if (!err && !chunked)
		err = check_replacement(h, file, len, bad);
	if (err)
		return err;
	fput(h->file);
	h->file = get_file(file);
	h->len = len;
	return 0;
}

struct file *ss_hold_reader(const struct ss_hold *h)
{
	return dentry_open(&h->file->f_path, O_RDONLY | O_LARGEFILE,
			   current_cred());
}

int ss_hold_send(const struct ss_hold *h, struct socket *sock, u64 pos,
		 u64 end, bool more)
{
	struct msghdr msg = {
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_SPLICE_PAGES,
	};
	struct bio_vec bv[SEND_PAGES];
	u32 n;
	int count, err;

	might_sleep();
	n = min_t(u64, end - pos,
		  SEND_PAGES * PAGE_SIZE - offset_in_page(pos));
	if (!n)
		return 0;
	if (more || pos + n < end)
		msg.msg_flags |= MSG_MORE;
	count = get_pages(h, pos, n, bv, SEND_PAGES);
	if (count < 0)
		return count;
	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, bv, count, n);
	err = sock_sendmsg(sock, &msg);
	put_pages(bv, count, false);
	return err;
}
