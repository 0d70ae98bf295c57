/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LEG_H
#define SS_LEG_H

#include <linux/types.h>

#include "smtp.h"

struct sock;
struct socket;
struct ss_addr;
struct ss_session;

/* Both buffers of a leg: the longest line fits, and what one receive into the
 * hold may bring behind an end-of-data (SS_HOLD_CHUNK).
 */
#define SS_LEG_BUFFER	16384

/**
 * struct ss_leg - one TCP connection of a session
 * @session: whose it is
 * @sock: the socket, NULL when there is none (any more)
 * @data_ready: the callback that was there before ours
 * @write_space: likewise
 * @state_change: likewise
 * @in: received and not consumed
 * @in_len: octets in @in
 * @out: to be sent; the engine's sink
 * @out_pos: octets of @out that were sent
 * @eof: the peer's FIN was read
 * @shut: our FIN was sent
 *
 * All calls are serialised by the session, but for the callbacks, which run in
 * softirq and only wake it.
 */
struct ss_leg {
	struct ss_session *session;
	struct socket *sock;
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
	u8 *in;
	u32 in_len;
	struct ss_smtp_buf out;
	u32 out_pos;
	bool eof;
	bool shut;
};

/**
 * ss_leg_init() - make the buffers
 * @leg: the leg, zeroed
 * @s: its session
 *
 * Return: 0 or -ENOMEM; ss_leg_free() in either case.
 */
int ss_leg_init(struct ss_leg *leg, struct ss_session *s);

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
 * @from: the client's address; its port is not used
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
 * ss_leg_finished() - has the peer acknowledged our FIN?
 * @leg: the leg
 */
bool ss_leg_finished(const struct ss_leg *leg);

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
 * @n: how many
 */
void ss_leg_consume(struct ss_leg *leg, u32 n);

/**
 * ss_leg_flush() - send what is in @leg->out, without waiting
 * @leg: the leg
 *
 * Return: true if something was sent.
 */
bool ss_leg_flush(struct ss_leg *leg);

/**
 * ss_leg_flushed() - is nothing left to be sent?
 * @leg: the leg
 */
bool ss_leg_flushed(const struct ss_leg *leg);

/**
 * ss_leg_shutdown() - send a FIN, once
 * @leg: the leg
 */
void ss_leg_shutdown(struct ss_leg *leg);

/**
 * ss_leg_close() - let go of the socket
 * @leg: the leg; nothing happens if it has no socket
 * @reset: send RST instead of FIN
 *
 * After return no callback runs for this leg.
 */
void ss_leg_close(struct ss_leg *leg, bool reset);

#endif /* SS_LEG_H */
