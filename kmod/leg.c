// SPDX-License-Identifier: GPL-2.0
/*
 * One TCP leg of a session: its socket, callbacks and line buffers.
 *
 * The session's work item makes all calls, nothing here waits for the peer.
 * The socket callbacks run in softirq; they find the session by sk_user_data
 * under sk_callback_lock and only wake it.
 */
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/tcp_states.h>

#include "leg.h"
#include "session.h"
#include "smtpsplice.h"

int ss_leg_init(struct ss_leg *leg, struct ss_session *s)
{
	leg->session = s;
	leg->in = kvmalloc(SS_LEG_BUFFER, GFP_KERNEL_ACCOUNT);
	leg->out.data = kvmalloc(SS_LEG_BUFFER, GFP_KERNEL_ACCOUNT);
	leg->out.cap = SS_LEG_BUFFER;
	return leg->in && leg->out.data ? 0 : -ENOMEM;
}

void ss_leg_free(struct ss_leg *leg)
{
	kvfree(leg->in);
	kvfree(leg->out.data);
}

/* Wakes the session and returns the leg's saved callbacks with it. */
static void wake(struct sock *sk, size_t callback)
{
	void (*saved)(struct sock *sk) = NULL;
	struct ss_leg *leg;

	read_lock_bh(&sk->sk_callback_lock);
	leg = __locked_read_sk_user_data_with_flags(sk, SK_USER_DATA_NOCOPY);
	if (leg) {
		saved = *(void (**)(struct sock *))((u8 *)leg + callback);
		ss_session_wake(leg->session);
	}
	read_unlock_bh(&sk->sk_callback_lock);
	if (saved)
		saved(sk);
}

static void leg_data_ready(struct sock *sk)
{
	wake(sk, offsetof(struct ss_leg, data_ready));
}

static void leg_write_space(struct sock *sk)
{
	wake(sk, offsetof(struct ss_leg, write_space));
}

static void leg_state_change(struct sock *sk)
{
	wake(sk, offsetof(struct ss_leg, state_change));
}

void ss_leg_attach(struct ss_leg *leg, struct socket *sock)
{
	struct sock *sk = sock->sk;

	leg->sock = sock;
	tcp_sock_set_nodelay(sk);
	write_lock_bh(&sk->sk_callback_lock);
	leg->data_ready = sk->sk_data_ready;
	leg->write_space = sk->sk_write_space;
	leg->state_change = sk->sk_state_change;
	__rcu_assign_sk_user_data_with_flags(sk, leg, SK_USER_DATA_NOCOPY);
	sk->sk_data_ready = leg_data_ready;
	sk->sk_write_space = leg_write_space;
	sk->sk_state_change = leg_state_change;
	write_unlock_bh(&sk->sk_callback_lock);
}

/* Puts back what was there before, if it is still ours that is there. */
static void detach(struct ss_leg *leg)
{
	struct sock *sk = leg->sock->sk;

	/* the backlog runs under the socket's lock, outside of RCU */
	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_sk_user_data(sk, NULL);
	if (sk->sk_data_ready == leg_data_ready)
		sk->sk_data_ready = leg->data_ready;
	if (sk->sk_write_space == leg_write_space)
		sk->sk_write_space = leg->write_space;
	if (sk->sk_state_change == leg_state_change)
		sk->sk_state_change = leg->state_change;
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
}

/* Fills @sa, returns its length. */
static int to_sockaddr(struct sockaddr_storage *sa, const struct ss_addr *a,
		       __be16 port)
{
	struct sockaddr_in6 *a6 = (void *)sa;
	struct sockaddr_in *a4 = (void *)sa;

	memset(sa, 0, sizeof(*sa));
	if (a->family == AF_INET) {
		a4->sin_family = AF_INET;
		a4->sin_port = port;
		a4->sin_addr.s_addr = a->ip.v4;
		return sizeof(*a4);
	}
	a6->sin6_family = AF_INET6;
	a6->sin6_port = port;
	a6->sin6_addr = a->ip.v6;
	return sizeof(*a6);
}

int ss_leg_dial(struct ss_leg *leg, struct net *net,
		const struct ss_addr *from, const struct ss_addr *to)
{
	struct sockaddr_storage sa;
	struct socket *sock;
	int err, len;

	err = sock_create_kern(net, to->family, SOCK_STREAM, IPPROTO_TCP,
			       &sock);
	if (err)
		return err;
	/*
	 * The client's address, a port of our own: with the client's port both
	 * legs would be one and the same flow for conntrack.
	 */
	inet_set_bit(TRANSPARENT, sock->sk);
	inet_set_bit(BIND_ADDRESS_NO_PORT, sock->sk);
	sock_set_reuseaddr(sock->sk);
	len = to_sockaddr(&sa, from, 0);
	/* void *: the type of the address differs between kernels */
	err = kernel_bind(sock, (void *)&sa, len);
	if (err) {
		sock_release(sock);
		return err;
	}
	ss_leg_attach(leg, sock);
	len = to_sockaddr(&sa, to, to->port);
	err = kernel_connect(sock, (void *)&sa, len, O_NONBLOCK);
	return err == -EINPROGRESS ? 0 : err;
}

int ss_leg_connected(const struct ss_leg *leg)
{
	struct sock *sk = leg->sock->sk;
	int state = READ_ONCE(sk->sk_state);

	if (state == TCP_SYN_SENT || state == TCP_SYN_RECV)
		return 0;
	if (state == TCP_CLOSE)
		return -(READ_ONCE(sk->sk_err) ?: ECONNRESET);
	return 1;
}

bool ss_leg_dead(const struct ss_leg *leg)
{
	struct sock *sk;

	if (!leg->sock)
		return true;
	sk = leg->sock->sk;
	return READ_ONCE(sk->sk_state) == TCP_CLOSE || READ_ONCE(sk->sk_err);
}

bool ss_leg_finished(const struct ss_leg *leg)
{
	if (ss_leg_dead(leg))
		return true;
	switch (READ_ONCE(leg->sock->sk->sk_state)) {
	case TCP_FIN_WAIT2:
	case TCP_TIME_WAIT:
		return true;
	default:
		return false;
	}
}

bool ss_leg_recv(struct ss_leg *leg)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec iov = {
		.iov_base = leg->in + leg->in_len,
		.iov_len = SS_LEG_BUFFER - leg->in_len,
	};
	int n;

	if (!leg->sock || leg->eof || !iov.iov_len)
		return false;
	n = kernel_recvmsg(leg->sock, &msg, &iov, 1, iov.iov_len,
			   msg.msg_flags);
	if (n > 0)
		leg->in_len += n;
	else if (n != -EAGAIN && n != -EINTR)
		leg->eof = true;
	return n > 0;
}

void ss_leg_consume(struct ss_leg *leg, u32 n)
{
	leg->in_len -= n;
	memmove(leg->in, leg->in + n, leg->in_len);
}

bool ss_leg_flush(struct ss_leg *leg)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec iov = {
		.iov_base = leg->out.data + leg->out_pos,
		.iov_len = leg->out.len - leg->out_pos,
	};
	int n;

	if (!leg->sock || !iov.iov_len)
		return false;
	n = kernel_sendmsg(leg->sock, &msg, &iov, 1, iov.iov_len);
	if (n <= 0)
		return false;
	leg->out_pos += n;
	if (leg->out_pos == leg->out.len) {
		leg->out.len = 0;
		leg->out_pos = 0;
	}
	return true;
}

bool ss_leg_flushed(const struct ss_leg *leg)
{
	return !leg->out.len;
}

void ss_leg_shutdown(struct ss_leg *leg)
{
	if (!leg->sock || leg->shut)
		return;
	leg->shut = true;
	kernel_sock_shutdown(leg->sock, SHUT_WR);
}

void ss_leg_close(struct ss_leg *leg, bool reset)
{
	if (!leg->sock)
		return;
	detach(leg);
	if (reset)
		sock_no_linger(leg->sock->sk);
	sock_release(leg->sock);
	leg->sock = NULL;
}
