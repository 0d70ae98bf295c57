// SPDX-License-Identifier: GPL-2.0
/*
 * The listening sockets of a policy. They are bound where nobody connects to
 * (loopback, a free port) and marked transparent; steer.c hands them the
 * connection requests, so that what they accept has the addresses that client
 * and server believe in.
 *
 * data_ready runs in softirq and only queues the work that accepts.
 */
#include <linux/in.h>
#include <linux/slab.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "listener.h"
#include "net.h"

/* Time until accepting is tried again after memory was short, jiffies. */
#define ACCEPT_RETRY	(HZ / 10)
/* Connections that wait to be accepted; more see their SYN answered late. */
#define LISTEN_BACKLOG	1024

/**
 * struct ss_listener - a listening socket
 * @sock: the socket
 * @sn: the namespace
 * @owner: policy that it is of, which outlives it
 * @work: accepts
 * @data_ready: the callback that was there before ours
 */
struct ss_listener {
	struct socket *sock;
	struct ss_net *sn;
	struct ss_policy *owner;
	struct delayed_work work;
	void (*data_ready)(struct sock *sk);
};

/*
 * Has somebody on this box found the socket's own address and port? There is no
 * server behind it: we would dial ourselves, again and again.
 */
static bool called_directly(const struct ss_listener *l, const struct sock *sk)
{
	const struct sock *lsk = l->sock->sk;

	if (inet_sk(sk)->inet_num != inet_sk(lsk)->inet_num)
		return false;
	if (sk->sk_family == AF_INET)
		return ipv4_is_loopback(inet_sk(sk)->inet_rcv_saddr);
	return ipv6_addr_loopback(&sk->sk_v6_rcv_saddr);
}

static void accept_work(struct work_struct *work)
{
	struct ss_listener *l = container_of(work, struct ss_listener,
					     work.work);
	struct socket *sock;
	int err;

	while (!(err = kernel_accept(l->sock, &sock, O_NONBLOCK))) {
		struct sock *sk = sock->sk;

		if (called_directly(l, sk)) {
			sock_no_linger(sk);
			sock_release(sock);
			continue;
		}

		/* the connection inherited ours */
		write_lock_bh(&sk->sk_callback_lock);
		sk->sk_data_ready = l->data_ready;
		write_unlock_bh(&sk->sk_callback_lock);
		l->sn->accept(l->owner, sock);
		cond_resched();
	}
	/* no callback tells when there is memory again; -EINVAL: we are closed */
	if (err != -EAGAIN && err != -EINVAL)
		queue_delayed_work(ss_wq, &l->work, ACCEPT_RETRY);
}

/*
 * Connections not yet accepted inherit this callback, but not the user data.
 * Nobody waits for them.
 */
static void listen_data_ready(struct sock *sk)
{
	struct ss_listener *l;

	read_lock_bh(&sk->sk_callback_lock);
	l = __locked_read_sk_user_data_with_flags(sk, SK_USER_DATA_NOCOPY);
	if (l && sk->sk_state == TCP_LISTEN)
		queue_delayed_work(ss_wq, &l->work, 0);
	read_unlock_bh(&sk->sk_callback_lock);
}

static int bind_loopback(struct socket *sock, sa_family_t family)
{
	struct sockaddr_in6 a6 = {
		.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	struct sockaddr_in a4 = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	/* void *: the type of the address differs between kernels */
	if (family == AF_INET)
		return kernel_bind(sock, (void *)&a4, sizeof(a4));
	return kernel_bind(sock, (void *)&a6, sizeof(a6));
}

static void set_callback(struct ss_listener *l)
{
	struct sock *sk = l->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	l->data_ready = sk->sk_data_ready;
	__rcu_assign_sk_user_data_with_flags(sk, l, SK_USER_DATA_NOCOPY);
	sk->sk_data_ready = listen_data_ready;
	write_unlock_bh(&sk->sk_callback_lock);
}

static void clear_callback(struct ss_listener *l)
{
	struct sock *sk = l->sock->sk;

	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_data_ready = l->data_ready;
	rcu_assign_sk_user_data(sk, NULL);
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
}

struct ss_listener *ss_listener_open(struct ss_net *sn, struct ss_policy *owner,
				     sa_family_t family)
{
	struct ss_listener *l;
	int err;

	l = kzalloc(sizeof(*l), GFP_KERNEL);
	if (!l)
		return ERR_PTR(-ENOMEM);
	l->sn = sn;
	l->owner = owner;
	INIT_DELAYED_WORK(&l->work, accept_work);
	err = sock_create_kern(sn->net, family, SOCK_STREAM, IPPROTO_TCP,
			       &l->sock);
	if (err)
		goto out_free;
	inet_set_bit(TRANSPARENT, l->sock->sk);
	/*
	 * inherited: connections of ours are no reason for a local mail server
	 * not to get its port
	 */
	sock_set_reuseaddr(l->sock->sk);
	if (family == AF_INET6)
		l->sock->sk->sk_ipv6only = true;
	err = bind_loopback(l->sock, family);
	if (err)
		goto out_release;
	set_callback(l);
	err = kernel_listen(l->sock, LISTEN_BACKLOG);
	if (err)
		goto out_clear;
	return l;

out_clear:
	clear_callback(l);
out_release:
	sock_release(l->sock);
out_free:
	kfree(l);
	return ERR_PTR(err);
}

void ss_listener_close(struct ss_listener *l)
{
	might_sleep();
	if (!l)
		return;
	clear_callback(l);
	/* resets what is not accepted yet, so that nothing new is found below */
	kernel_sock_shutdown(l->sock, SHUT_RDWR);
	cancel_delayed_work_sync(&l->work);
	/* connections being reset may still be in listen_data_ready() */
	synchronize_net();
	sock_release(l->sock);
	kfree(l);
}

struct sock *ss_listener_sock(const struct ss_listener *l)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "a listener outside of RCU");
	return l ? l->sock->sk : NULL;
}
