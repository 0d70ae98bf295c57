/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LEG_H
#define SS_LEG_H

#include <linux/in6.h>
#include <linux/types.h>

#include "rekey.h"
#include "smtp/smtp.h"

struct file;
struct msghdr;
struct sock;
struct socket;
struct ss_addr;
struct net;
struct ss_net;
struct ss_waker;

/*
 * Size of both buffers of a leg: the longest line fits, and what one receive into
 * the hold may bring behind an end-of-data (SS_HOLD_CHUNK).
 */
#define SS_LEG_BUFFER	16384

/**
 * enum ss_leg_security - state that a socket has to come back in
 * @SS_LEG_ANY: any; it will be closed
 * @SS_LEG_PLAIN: TCP, as it was lent
 * @SS_LEG_TLS: kTLS with the keys of both directions
 */
enum ss_leg_security {
	SS_LEG_ANY,
	SS_LEG_PLAIN,
	SS_LEG_TLS,
};

/**
 * struct ss_leg - one TCP connection of a session
 * @waker: waker of the session that it is part of
 * @sn: the namespace
 * @is_client: client leg, else server leg
 * @sock: the socket, NULL when there is none (any more)
 * @file: file of @sock, once that was lent
 * @data_ready: the callback that was there before ours
 * @write_space: the same
 * @state_change: the same
 * @in: received and not consumed
 * @in_len: octets in @in
 * @out: octets to be sent; the engine's sink
 * @out_pos: octets of @out that were sent
 * @eof: end of what is received, see below
 * @broken: the TLS of the peer cannot be followed any further, see below
 * @failed: receiving or sending has failed with an error, see below
 * @shut: our FIN was sent
 * @lent: the helper has the socket; no callback of ours is there
 * @lent_ports: ports that it had when it was lent
 * @lent_peer: peer that it had when it was lent
 * @tls: the kernel has the keys: what is read and written is plain text
 * @notified: our close_notify was sent
 * @alert: TLS alert that ends a @broken leg
 * @head_len: octets in @head
 * @head: first octets of the TLS handshake message that is being skipped
 * @skip: octets of that message still to come
 * @secrets: secrets of the next keys, where the version of TLS has such
 * @update_due: our KeyUpdate has to be sent before anything else
 * @control: octets of TLS records that were not data, ever growing
 * @unread: octets have come of which kTLS made nothing: there is a part of a record
 *	only, or there was no memory. In that case nobody would be told of the rest
 * @receiving: kTLS is at work on what has come
 * @since: jiffies at which it began
 * @from: place in TCP's stream at which it began
 * @floods: number of receives in which there was next to nothing
 * @muted_until: jiffies until which packets are dropped for the last of them
 * @earned: octets of data since @sock got the room that it has for more
 *
 * All calls are serialised by the session, but for the callbacks, which run in
 * softirq and only wake it.
 *
 * A leg ends in steps, and in each of them less works:
 *
 * - @eof: set by whoever receives, at the peer's FIN or close_notify and at each
 *   error. Nothing more is received; what is in @in can be used, and sending goes on.
 * - @broken: set by ss_leg_break(), and by an alert of the peer's that ends its TLS.
 *   Receiving says -EPROTO from then on, which makes it @eof. Sending goes on; at its
 *   end the @alert of ss_leg_break() takes the place of the close_notify.
 * - @failed: set by ss_leg_recv() and ss_leg_flush() at an error, of which a socket
 *   tells only once. Whoever passes octets on unseen resets the other leg then:
 *   ss_leg_failed().
 * - dead, which is no flag: there is no socket, or TCP has ended (reset, timed out,
 *   or closed on both sides). Only ss_leg_close() is of use: ss_leg_dead().
 */
struct ss_leg {
	struct ss_waker *waker;
	struct ss_net *sn;
	bool is_client;
	struct socket *sock;
	struct file *file;
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	u8 *in;
	u32 in_len;
	struct ss_smtp_buf out;
	u32 out_pos;
	bool eof;
	bool broken;
	bool failed;
	bool shut;
	bool lent;
	u32 lent_ports;
	struct in6_addr lent_peer;
	bool tls;
	bool notified;
	u8 alert;
	u8 head_len;
	u8 head[4];
	u32 skip;
	struct ss_secrets secrets;
	bool update_due;
	u32 control;
	bool unread;
	bool receiving;
	unsigned long since;
	u32 from;
	u32 floods;
	unsigned long muted_until;
	u32 earned;
};

/**
 * ss_leg_init() - make the buffers
 * @leg: the leg, zeroed
 * @waker: waker of its session
 * @sn: the namespace
 * @is_client: client leg, else server leg
 *
 * Return: 0 or -ENOMEM; ss_leg_free() in either case.
 */
int ss_leg_init(struct ss_leg *leg, struct ss_waker *waker, struct ss_net *sn,
		bool is_client);

/**
 * ss_leg_free() - free the buffers
 * @leg: the leg, closed
 */
void ss_leg_free(struct ss_leg *leg);

/**
 * ss_leg_attach() - take over a socket
 * @leg: the leg
 * @sock: the socket; the leg owns it from now on
 *
 * What came in before is not told by a callback: wake the session afterwards.
 */
void ss_leg_attach(struct ss_leg *leg, struct socket *sock);

/**
 * ss_leg_dial() - begin to connect to the server with the client's address
 * @leg: the leg
 * @net: the network namespace
 * @from: the client's address, and the port to use, 0 for any
 * @to: the server
 *
 * Return: 0 where the connection is made or under way, else -errno.
 */
int ss_leg_dial(struct ss_leg *leg, struct net *net,
		const struct ss_addr *from, const struct ss_addr *to);

/**
 * ss_leg_connected() - is the connection made?
 * @leg: the leg
 *
 * Return: 1 yes, 0 under way, -errno failed.
 */
int ss_leg_connected(const struct ss_leg *leg);

/**
 * ss_leg_dead() - is the connection reset, timed out or closed on both sides?
 * @leg: the leg
 */
bool ss_leg_dead(const struct ss_leg *leg);

/**
 * ss_leg_failed() - was the connection reset, or is it otherwise of no use?
 * @leg: the leg
 */
bool ss_leg_failed(const struct ss_leg *leg);

/**
 * ss_leg_is_muted() - are the packets to a socket to be dropped?
 * @sk: the socket, which may be none of ours
 *
 * kTLS receives until there is nothing left, whatever the time: a peer that
 * sends empty records without end could keep the session's work for ever. So it
 * is starved while one receive takes too long, and for some time after one that
 * had next to nothing in it, longer each time. So is a session that has to end.
 *
 * Context: any.
 */
bool ss_leg_is_muted(const struct sock *sk);

/**
 * ss_leg_all_acked() - has the peer all that we had to say?
 * @leg: the leg
 */
bool ss_leg_all_acked(const struct ss_leg *leg);

/**
 * ss_leg_stuck() - has it TLS records that nothing will send?
 * @leg: the leg
 *
 * kTLS keeps a record for which TCP had no memory until there is room for more; but
 * where TCP has nothing in flight, nobody ever tells of that.
 */
bool ss_leg_stuck(const struct ss_leg *leg);

/**
 * ss_leg_push() - have kTLS send the records that it keeps
 * @leg: the leg, with a socket
 *
 * Context: process; may sleep for the socket's lock.
 */
void ss_leg_push(struct ss_leg *leg);

/**
 * ss_leg_has_no_input() - is there nothing that the peer said?
 * @leg: the leg
 *
 * Neither in @leg->in nor in the socket; a FIN counts as something.
 */
bool ss_leg_has_no_input(const struct ss_leg *leg);

/**
 * ss_leg_lend() - make the socket fit for the helper
 * @leg: the leg, with all sent that was to be sent
 *
 * From now on @leg->file is what the helper gets, and no callback of ours is
 * there: those that are there when kTLS comes would come back when it goes. The
 * socket holds its namespace from now on, since the helper may outlive it.
 *
 * Return: 0, -ENOMEM or -ESHUTDOWN; the leg then has no socket any more.
 */
int ss_leg_lend(struct ss_leg *leg);

/**
 * ss_leg_reclaim() - take the socket back
 * @leg: the leg, lent
 * @want: state that the socket has to be in
 *
 * What came in before is not told by a callback: wake the session afterwards.
 *
 * Return: 0, -EBUSY (somebody else has the file still), or -EPROTO (the keys
 * are not as they should be); nothing was done then.
 */
int ss_leg_reclaim(struct ss_leg *leg, enum ss_leg_security want);

/**
 * ss_leg_has_ulp() - has a protocol been put upon TCP?
 * @leg: the leg
 */
bool ss_leg_has_ulp(const struct ss_leg *leg);

/**
 * ss_leg_pin_net() - let a socket of the kernel's hold its namespace
 * @sk: the socket; it keeps its timers when it is released
 *
 * Return: false where the namespace is going away.
 */
bool ss_leg_pin_net(struct sock *sk);

/**
 * ss_leg_tls_version() - read the version of TLS of a leg
 * @leg: the leg, with @leg->tls
 *
 * Return: the version as in a record, e.g. 0x0304.
 */
u16 ss_leg_tls_version(const struct ss_leg *leg);

/**
 * ss_leg_recvmsg() - receive into pages or memory, without waiting
 * @leg: the leg
 * @msg: says where to; it has no control buffer
 *
 * What TLS says besides data is seen to. Return: octets received, 0 at the end of the
 * stream, -EAGAIN, or an error.
 */
int ss_leg_recvmsg(struct ss_leg *leg, struct msghdr *msg);

/**
 * ss_leg_recv() - receive what there is and fits, without waiting
 * @leg: the leg
 *
 * Return: true if something came; @leg->eof tells of the peer's FIN.
 */
bool ss_leg_recv(struct ss_leg *leg);

/**
 * ss_leg_consume() - drop octets from the start of @leg->in
 * @leg: the leg
 * @n: number of octets
 */
void ss_leg_consume(struct ss_leg *leg, u32 n);

/**
 * ss_leg_flush() - send what is in @leg->out, without waiting
 * @leg: the leg
 *
 * Sends a KeyUpdate before it, where one is due. Context: process. Return: true if
 * something was sent.
 */
bool ss_leg_flush(struct ss_leg *leg);

/**
 * ss_leg_flushed() - is nothing left to be sent?
 * @leg: the leg
 */
bool ss_leg_flushed(const struct ss_leg *leg);

/**
 * ss_leg_break() - give up reading: the leg will end with a TLS alert
 * @leg: the leg, with @leg->tls
 * @alert: the alert (RFC 8446 6)
 *
 * Return: -EPROTO, for the convenience of the caller.
 */
int ss_leg_break(struct ss_leg *leg, u8 alert);

/**
 * ss_leg_shutdown() - send a FIN, once, and what TLS wants before it
 * @leg: the leg
 *
 * @leg->shut tells whether it was sent: there may be no room for the alert, or for
 * the records before it.
 */
void ss_leg_shutdown(struct ss_leg *leg);

/**
 * ss_leg_close() - let go of the socket
 * @leg: the leg; nothing happens if it has no socket
 *
 * A connection that has not ended is reset; see ss_leg_shutdown() for the other
 * way. After return no callback runs for this leg.
 */
void ss_leg_close(struct ss_leg *leg);

#endif /* SS_LEG_H */
