/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_HOLD_H
#define SS_HOLD_H

#include <linux/bvec.h>
#include <linux/types.h>

struct ss_net;
struct ss_share;
struct ss_smtp;
struct socket;
struct ss_leg;

/* Limit of octets that one receive takes: one full TLS record. */
#define SS_HOLD_CHUNK	16384u

struct ss_held;

/**
 * struct ss_hold - a held message
 * @held: record for what others keep open behind ss_hold_close(), made beforehand
 * @sn: namespace whose budget it is charged to
 * @share: share of the client, charged likewise
 * @file: the shmem file behind it
 * @len: octets received
 * @limit: number of octets that it may hold
 * @charged: bytes charged to the budget, whole pages
 *
 * Owned by one session; all calls are serialised by it.
 */
struct ss_hold {
	struct ss_held *held;
	struct ss_net *sn;
	struct ss_share *share;
	struct file *file;
	u64 len;
	u64 limit;
	u64 charged;
};

/**
 * ss_hold_init() - make the list of leftovers of a namespace
 * @sn: the namespace
 */
void ss_hold_init(struct ss_net *sn);

/**
 * ss_hold_exit() - let go of what is left, whoever has it open
 * @sn: the namespace, without any session
 *
 * Context: process.
 */
void ss_hold_exit(struct ss_net *sn);

/**
 * ss_hold_open() - start to hold a message
 * @h: the hold, zeroed
 * @sn: the namespace to charge
 * @share: share of the client that the message comes from
 *
 * Context: process. Return: 0, -ENOMEM, -ENOSPC where the budget is used up, or
 * -EDQUOT where the client has its share of it.
 */
int ss_hold_open(struct ss_hold *h, struct ss_net *sn, struct ss_share *share);

/**
 * ss_hold_close() - let go of the message; does nothing if none is held
 * @h: the hold
 *
 * Where others have the message open, as a helper that is still at it, it stays in
 * the budget until they have not; pages in a send queue are the socket's.
 */
void ss_hold_close(struct ss_hold *h);

/**
 * ss_hold_recv() - receive from a leg into the hold's pages
 * @h: the hold
 * @leg: the leg, not waited for
 * @most: octets that it may take
 *
 * What was received is behind @h->len, which does not move: call
 * ss_hold_parse() next.
 *
 * Return: octets received (at most %SS_HOLD_CHUNK), 0 at the end of the stream,
 * -EAGAIN, -EFBIG, -ENOSPC or -EDQUOT where message, budget or the client's share
 * is over its limit, -ENOMEM, or an error of the socket.
 */
int ss_hold_recv(struct ss_hold *h, struct ss_leg *leg, u64 most);

/**
 * ss_hold_append() - put octets that were received elsewhere into the pages
 * @h: the hold
 * @p: the octets, at most %SS_HOLD_CHUNK
 * @n: number of octets
 *
 * Like ss_hold_recv(): call ss_hold_parse() next.
 *
 * Return: 0, -EFBIG, -ENOSPC, -EDQUOT or -ENOMEM.
 */
int ss_hold_append(struct ss_hold *h, const u8 *p, u32 n);

/**
 * ss_hold_parse() - show the engine what is behind @h->len
 * @h: the hold
 * @e: the engine, which sees it by ss_smtp_body()
 * @n: octets there
 * @rest: gets what lies behind the end-of-data; room for %SS_HOLD_CHUNK
 *
 * @h->len moves by what the engine consumed. What lies behind is cleared in
 * the pages, since the helper can see a whole last page.
 *
 * Return: octets in @rest.
 */
u32 ss_hold_parse(struct ss_hold *h, struct ss_smtp *e, u32 n, u8 *rest);

/**
 * ss_hold_seal() - forbid any change from now on
 * @h: the hold
 * @len: length of the message, at most @h->len: cuts off the end-of-data
 */
void ss_hold_seal(struct ss_hold *h, u64 len);

/**
 * ss_hold_reader() - open a sealed message for reading
 * @h: the hold
 *
 * Return: the file, which the caller owns, or an ERR_PTR().
 */
struct file *ss_hold_reader(const struct ss_hold *h);

/**
 * ss_hold_can_be() - could a file take the place of a held message?
 * @file: the file
 *
 * Return: true where it is a memory file that is sealed against any change.
 */
bool ss_hold_can_be(struct file *file);

/**
 * ss_hold_replace() - hold another message instead
 * @h: the hold, of which nothing was sent
 * @file: the message as on the wire, see ss_hold_can_be(); it stays the caller's
 * @bad: SS_EOD_* that it must not have
 * @chunked: the message goes by BDAT, so that its octets are not looked at
 *
 * Context: process. Return: 0; or -EINVAL (the end-of-data or a line end that is
 * @bad is in it, or it does not end with a line), -EFBIG, -ENOSPC or -ENOMEM,
 * and the hold is as it was.
 */
int ss_hold_replace(struct ss_hold *h, struct file *file, u32 bad,
		    bool chunked);

/**
 * ss_hold_send() - send a part of the message, without copying it
 * @h: the hold
 * @sock: the socket, not waited for
 * @pos: place to start at
 * @end: place to stop at, at most @h->len; what is before it must not change
 * @more: the socket keeps the octets corked, something is sent after @end soon
 *
 * Return: octets sent, 0 at @end, -EAGAIN, or an error.
 */
int ss_hold_send(const struct ss_hold *h, struct socket *sock, u64 pos,
		 u64 end, bool more);

#endif /* SS_HOLD_H */
