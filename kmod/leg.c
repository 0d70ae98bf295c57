// SPDX-License-Identifier: GPL-2.0
/*
 * A TCP leg of a session: its socket, callbacks and line buffers.
 *
 * With kTLS the socket gives and takes plain text. The records that are not data
 * (alerts, tickets, key updates) are read apart, so that none of their octets
 * gets into a message.
 *
 * The session's work item makes all calls, nothing here waits for the peer.
 * The socket callbacks run in softirq; they find the session by sk_user_data
 * under sk_callback_lock and only wake it.
 */
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/unaligned.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/tcp_states.h>
#include <net/tls.h>
#include <net/tls_prot.h>

#include "addr.h"
#include "leg.h"
#include "rekey.h"
#include "stats.h"
#include "trace.h"
#include "waker.h"

/* A record that is not data is read in pieces of this size. */
#define CONTROL_CHUNK		512
/* Octets that such records of a leg may have in all; tickets are what comes. */
#define CONTROL_MAX		65536
/* Records that are not data before others get their turn. */
#define CONTROL_BUDGET		16
/*
 * Limits of one receive by kTLS until packets are dropped: jiffies, and more
 * octets than records with something in them can make of a whole hold's chunk.
 */
#define RECV_TIME		(HZ / 10)
#define RECV_OCTETS		(2 * (TLS_MAX_PAYLOAD_SIZE + 256))
/* Empty records in one receive that are too many. OpenSSL says so as well. */
#define EMPTY_MAX		32
/* Time for which packets are dropped; doubles each time, up to so many times. */
#define FLOOD_PAUSE		HZ
#define FLOOD_DOUBLINGS		7
/* Room that a TLS peer has for what it sends until data have come, bytes. */
#define QUEUE_MIN		65536
/* TLS handshake messages (RFC 8446 4): type, length of 24 bits, and so on. */
#define NEW_SESSION_TICKET	4
#define KEY_UPDATE		24
/* Octets of a KeyUpdate behind its type. */
#define KEY_UPDATE_REST		4

int ss_leg_init(struct ss_leg *leg, struct ss_waker *waker, struct ss_net *sn,
		bool is_client)
{
	leg->waker = waker;
	leg->sn = sn;
	leg->is_client = is_client;
	leg->in = kvmalloc(SS_LEG_BUFFER, GFP_KERNEL_ACCOUNT);
	leg->out.data = kvmalloc(SS_LEG_BUFFER, GFP_KERNEL_ACCOUNT);
	leg->out.cap = SS_LEG_BUFFER;
	return leg->in && leg->out.data ? 0 : -ENOMEM;
}

void ss_leg_free(struct ss_leg *leg)
{
	kvfree(leg->in);
	kvfree(leg->out.data);
	memzero_explicit(&leg->secrets, sizeof(leg->secrets));
}

/* Wakes the session, and calls what was there before our callback. */
static void wake_session(struct sock *sk, size_t callback)
{
	void (*saved)(struct sock *sk) = NULL;
	struct ss_leg *leg;

	read_lock_bh(&sk->sk_callback_lock);
	leg = __locked_read_sk_user_data_with_flags(sk, SK_USER_DATA_NOCOPY);
	if (leg) {
		saved = *(void (**)(struct sock *))((u8 *)leg + callback);
		ss_waker_wake(leg->waker);
	}
	read_unlock_bh(&sk->sk_callback_lock);
	if (saved)
		saved(sk);
}

static void leg_data_ready(struct sock *sk)
{
	wake_session(sk, offsetof(struct ss_leg, data_ready));
}

static void leg_write_space(struct sock *sk)
{
	wake_session(sk, offsetof(struct ss_leg, write_space));
}

static void leg_state_change(struct sock *sk)
{
	wake_session(sk, offsetof(struct ss_leg, state_change));
}

static void attach_callbacks(struct ss_leg *leg)
{
	struct sock *sk = leg->sock->sk;

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

void ss_leg_attach(struct ss_leg *leg, struct socket *sock)
{
	leg->sock = sock;
	/* the leg may have had another socket */
	leg->failed = false;
	leg->shut = false;
	tcp_sock_set_nodelay(sock->sk);
	attach_callbacks(leg);
}

/* Puts back what was there before, if it is still ours that is there. */
static void detach_callbacks(struct ss_leg *leg)
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
	inet_set_bit(TRANSPARENT, sock->sk);
	inet_set_bit(BIND_ADDRESS_NO_PORT, sock->sk);
	sock_set_reuseaddr(sock->sk);
	len = ss_addr_to_sockaddr(from, &sa);
	/* void *: the type of the address differs between kernels */
	err = kernel_bind(sock, (void *)&sa, len);
	if (err) {
		sock_release(sock);
		return err;
	}
	ss_leg_attach(leg, sock);
	len = ss_addr_to_sockaddr(to, &sa);
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

bool ss_leg_failed(const struct ss_leg *leg)
{
	return leg->failed ||
	       (leg->sock && READ_ONCE(leg->sock->sk->sk_err));
}

static bool is_flooded(const struct ss_leg *leg, const struct sock *sk)
{
	/* pairs with note_flood() */
	if (smp_load_acquire(&leg->floods) &&
	    time_before(jiffies, READ_ONCE(leg->muted_until)))
		return true;
	/* pairs with begin_receive() */
	return smp_load_acquire(&leg->receiving) &&
	       time_after(jiffies, READ_ONCE(leg->since) + RECV_TIME) &&
	       READ_ONCE(tcp_sk(sk)->copied_seq) - READ_ONCE(leg->from) >
	       RECV_OCTETS;
}

bool ss_leg_is_muted(const struct sock *sk)
{
	const struct ss_leg *leg;
	bool ret = false;

	if (!sk_fullsock(sk) || READ_ONCE(sk->sk_data_ready) != leg_data_ready)
		return false;
	rcu_read_lock();
	leg = __rcu_dereference_sk_user_data_with_flags(sk,
							SK_USER_DATA_NOCOPY);
	if (leg)
		ret = READ_ONCE(leg->waker->killed) || is_flooded(leg, sk);
	rcu_read_unlock();
	return ret;
}

bool ss_leg_dead(const struct ss_leg *leg)
{
	struct sock *sk;

	if (!leg->sock)
		return true;
	sk = leg->sock->sk;
	return READ_ONCE(sk->sk_state) == TCP_CLOSE || READ_ONCE(sk->sk_err);
}

/* Are there records that are made, but not yet TCP's? */
static bool has_records(const struct ss_leg *leg)
{
	const struct tls_context *ctx = tls_get_ctx(leg->sock->sk);

	return READ_ONCE(ctx->partially_sent_record) ||
	       !list_empty_careful(&tls_sw_ctx_tx(ctx)->tx_list);
}

/* Has the peer acknowledged what TCP has? */
static bool tcp_all_acked(const struct ss_leg *leg)
{
	const struct tcp_sock *tp = tcp_sk(leg->sock->sk);

	return READ_ONCE(tp->snd_una) == READ_ONCE(tp->write_seq);
}

bool ss_leg_all_acked(const struct ss_leg *leg)
{
	return leg->sock && !(leg->tls && has_records(leg)) &&
	       ss_leg_flushed(leg) && tcp_all_acked(leg);
}

bool ss_leg_stuck(const struct ss_leg *leg)
{
	return leg->sock && leg->tls && has_records(leg) && tcp_all_acked(leg);
}

void ss_leg_push(struct ss_leg *leg)
{
	struct sock *sk = leg->sock->sk;

	lock_sock(sk);
	sk->sk_write_space(sk);
	release_sock(sk);
}

/* ---- what TLS says besides data ---- */

/* Buffer of one record's type, in the form of a control message. */
union record_type {
	struct cmsghdr hdr;
	u8 space[CMSG_SPACE(sizeof(u8))];
};

/* Sends a record that is not data. Return: its octets, all of them, or -errno. */
static int send_control(struct ss_leg *leg, u8 kind, const u8 *p, u32 n)
{
	struct kvec iov = { .iov_base = (void *)p, .iov_len = n };
	union record_type type = {
		.hdr = {
			.cmsg_level = SOL_TLS,
			.cmsg_type = TLS_SET_RECORD_TYPE,
			.cmsg_len = CMSG_LEN(sizeof(u8)),
		},
	};
	struct msghdr msg = {
		.msg_control = &type,
		.msg_controllen = sizeof(type),
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL,
	};

	*(u8 *)CMSG_DATA(&type.hdr) = kind;
	return kernel_sendmsg(leg->sock, &msg, &iov, 1, n);
}

static int send_alert(struct ss_leg *leg, u8 level, u8 description)
{
	const u8 alert[] = { level, description };

	return send_control(leg, TLS_RECORD_TYPE_ALERT, alert, sizeof(alert));
}

/*
 * Sends our KeyUpdate, for which the peer has asked. Return: false where it has to
 * wait, or has failed.
 */
static bool send_key_update(struct ss_leg *leg)
{
	static const u8 update[] = { KEY_UPDATE, 0, 0, 1, 0 };
	int n = send_control(leg, TLS_RECORD_TYPE_HANDSHAKE, update,
			     sizeof(update));

	if (n == -EAGAIN || n == -EINTR || n == -ENOMEM)
		return false;
	leg->update_due = false;
	if (n >= 0 && !ss_rekey(leg->sock->sk, &leg->secrets, true))
		return true;
	/* the old key must not be used for sending any more, by whomever */
	leg->failed = true;
	tcp_abort(leg->sock->sk, ECONNABORTED);
	return false;
}

int ss_leg_break(struct ss_leg *leg, u8 alert)
{
	leg->broken = true;
	leg->alert = alert;
	return -EPROTO;
}

static int handle_alert(struct ss_leg *leg, const u8 *p, int n)
{
	if (n != 2)
		return ss_leg_break(leg, TLS_ALERT_DESC_DECODE_ERROR);
	if (p[1] == TLS_ALERT_DESC_CLOSE_NOTIFY)
		return 0;
	/* the close_notify follows (RFC 8446 6.1) */
	if (p[1] == TLS_ALERT_DESC_USER_CANCELED)
		return -EAGAIN;
	/* TLS 1.3 has a server say so behind the handshake, the helper is out by then */
	if (p[1] == TLS_ALERT_DESC_CERTIFICATE_REQUIRED && !leg->is_client) {
		ss_stats_inc(leg->sn, HANDSHAKE_FAILED);
		net_info_ratelimited("smtpsplice: session %llu: the server does not go on without the client's certificate\n",
				     leg->waker->id);
	}
	/* the peer has given up: there is nothing to answer */
	leg->broken = true;
	leg->notified = true;
	return -ECONNRESET;
}

/* Takes new keys of the peer's, which may want new ones of ours as well. */
static int handle_key_update(struct ss_leg *leg, const u8 *rest)
{
	if (rest[0] || rest[1] || rest[2] != 1)
		return ss_leg_break(leg, TLS_ALERT_DESC_DECODE_ERROR);
	if (rest[3] > 1)
		return ss_leg_break(leg, TLS_ALERT_DESC_ILLEGAL_PARAMETER);
	if (ss_rekey(leg->sock->sk, &leg->secrets, false))
		return ss_leg_break(leg, TLS_ALERT_DESC_UNEXPECTED_MESSAGE);
	/* our close_notify ends what we can say */
	if (rest[3] && !leg->notified)
		leg->update_due = true;
	leg->head_len = 0;
	return -EAGAIN;
}

/*
 * Skips session tickets, which are for a client that might come again, and goes
 * on to new keys where the kernel can. All else would change the parameters.
 */
static int handle_handshake(struct ss_leg *leg, const u8 *p, int n, bool whole)
{
	while (n) {
		u32 take = min_t(u32, leg->skip, n);

		leg->skip -= take;
		p += take;
		n -= take;
		if (!n)
			break;
		leg->head[leg->head_len++] = *p++;
		n--;
		/* a KeyUpdate has to be the last of its record (RFC 8446 5.1) */
		if (leg->head[0] == KEY_UPDATE && n == KEY_UPDATE_REST && whole)
			return handle_key_update(leg, p);
		if (leg->head[0] != NEW_SESSION_TICKET || leg->is_client)
			return ss_leg_break(leg, TLS_ALERT_DESC_UNEXPECTED_MESSAGE);
		if (leg->head_len < sizeof(leg->head))
			continue;
		leg->head_len = 0;
		leg->skip = leg->head[1] << 16 | leg->head[2] << 8 |
			    leg->head[3];
	}
	return -EAGAIN;
}

/*
 * Reads a record that is not data, or a part of one. Return: -EAGAIN where there may
 * be more behind it, else as of ss_leg_recvmsg().
 */
static int handle_control(struct ss_leg *leg)
{
	u8 buf[CONTROL_CHUNK];
	struct kvec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	union record_type type = {};
	struct msghdr msg = {
		.msg_control = &type,
		.msg_controllen = sizeof(type),
	};
	int n;

	n = kernel_recvmsg(leg->sock, &msg, &iov, 1, sizeof(buf),
			   MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return n;
	leg->control += n;
	if (!n || leg->control > CONTROL_MAX || type.hdr.cmsg_level != SOL_TLS ||
	    type.hdr.cmsg_type != TLS_GET_RECORD_TYPE)
		return ss_leg_break(leg, TLS_ALERT_DESC_UNEXPECTED_MESSAGE);
	trace_smtpsplice_tls_control(leg->waker->id, leg->is_client,
				     *(u8 *)CMSG_DATA(&type.hdr), buf[0], n);
	switch (*(u8 *)CMSG_DATA(&type.hdr)) {
	case TLS_RECORD_TYPE_ALERT:
		return handle_alert(leg, buf, n);
	case TLS_RECORD_TYPE_HANDSHAKE:
		return handle_handshake(leg, buf, n, msg.msg_flags & MSG_EOR);
	default:
		return ss_leg_break(leg, TLS_ALERT_DESC_UNEXPECTED_MESSAGE);
	}
}

/* ---- receiving ---- */

/*
 * Sets the room for what the peer sends: all that is in there is taken by one
 * receive, which is to be over soon. Data double it, as TCP's slow start does.
 */
static void set_room(struct ss_leg *leg, int room)
{
	struct sock *sk = leg->sock->sk;
	int most = READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_rmem[2]);

	lock_sock(sk);
	sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	WRITE_ONCE(sk->sk_rcvbuf, min(room, most));
	WRITE_ONCE(tcp_sk(sk)->window_clamp,
		   tcp_win_from_space(sk, sk->sk_rcvbuf));
	release_sock(sk);
	leg->earned = 0;
}

static void earn_room(struct ss_leg *leg, u32 n)
{
	int room = leg->sock->sk->sk_rcvbuf;

	leg->earned += n;
	if (leg->earned >= room && room <= INT_MAX / 2)
		set_room(leg, 2 * room);
}

static u64 records_taken(const struct ss_leg *leg)
{
	return get_unaligned_be64(tls_get_ctx(leg->sock->sk)->rx.rec_seq);
}

static void begin_receive(struct ss_leg *leg)
{
	WRITE_ONCE(leg->since, jiffies);
	WRITE_ONCE(leg->from, tcp_sk(leg->sock->sk)->copied_seq);
	/* pairs with is_flooded(), which runs in softirq */
	smp_store_release(&leg->receiving, true);
}

static void note_flood(struct ss_leg *leg)
{
	unsigned long pause = FLOOD_PAUSE << min(leg->floods, FLOOD_DOUBLINGS);

	trace_smtpsplice_tls_flood(leg->waker->id, leg->is_client,
				   jiffies_to_msecs(pause));
	ss_stats_inc(leg->sn, TLS_FLOOD);
	set_room(leg, QUEUE_MIN);
	WRITE_ONCE(leg->muted_until, jiffies + pause);
	/* pairs with is_flooded(), which runs in softirq */
	smp_store_release(&leg->floods, leg->floods + 1);
}

/* Receives once from the socket, be it plain or by kTLS. */
static int receive_once(struct ss_leg *leg, struct msghdr *msg)
{
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	u64 before;
	int n;

	if (!leg->tls)
		return sock_recvmsg(leg->sock, msg, flags);
	before = records_taken(leg);
	begin_receive(leg);
	n = sock_recvmsg(leg->sock, msg, flags);
	WRITE_ONCE(leg->receiving, false);
	leg->unread = n == -EAGAIN &&
		!skb_queue_empty_lockless(&leg->sock->sk->sk_receive_queue);
	/* each record but the empty ones has an octet at least */
	if (records_taken(leg) - before > EMPTY_MAX + max(n, 0))
		note_flood(leg);
	else if (n > 0)
		earn_room(leg, n);
	return n;
}

int ss_leg_recvmsg(struct ss_leg *leg, struct msghdr *msg)
{
	unsigned long end = jiffies + RECV_TIME;
	int i, n;

	might_sleep();
	if (leg->broken)
		return -EPROTO;
	for (i = 0; i < CONTROL_BUDGET && time_before_eq(jiffies, end); i++) {
		size_t room = iov_iter_count(&msg->msg_iter);

		n = receive_once(leg, msg);
		/* some kernels move on further than they say (CVE-2026-74611) */
		if (n > 0 && room - iov_iter_count(&msg->msg_iter) != n)
			return ss_leg_break(leg, TLS_ALERT_DESC_INTERNAL_ERROR);
		if (n == -EBADMSG) {
			/* the socket's error would be in the alert's way */
			sock_error(leg->sock->sk);
			return ss_leg_break(leg, TLS_ALERT_DESC_BAD_RECORD_MAC);
		}
		/* the next record is not data */
		if (n != -EIO || !leg->tls)
			return n;
		n = handle_control(leg);
		if (n != -EAGAIN)
			return n;
	}
	ss_waker_wake(leg->waker);
	return -EAGAIN;
}

bool ss_leg_recv(struct ss_leg *leg)
{
	struct msghdr msg = {};
	struct kvec iov = {
		.iov_base = leg->in + leg->in_len,
		.iov_len = SS_LEG_BUFFER - leg->in_len,
	};
	int n;

	if (!leg->sock || leg->eof || !iov.iov_len)
		return false;
	iov_iter_kvec(&msg.msg_iter, ITER_DEST, &iov, 1, iov.iov_len);
	n = ss_leg_recvmsg(leg, &msg);
	if (n > 0)
		leg->in_len += n;
	else if (n != -EAGAIN && n != -EINTR)
		leg->eof = true;
	if (leg->eof && n)
		leg->failed = true;
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

	might_sleep();
	if (!leg->sock || (leg->update_due && !send_key_update(leg)) ||
	    !iov.iov_len)
		return false;
	n = kernel_sendmsg(leg->sock, &msg, &iov, 1, iov.iov_len);
	/* a socket tells of its error only once */
	if (n < 0 && n != -EAGAIN && n != -EINTR && n != -ENOMEM)
		leg->failed = true;
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
	return !leg->out.len && !leg->update_due;
}

void ss_leg_shutdown(struct ss_leg *leg)
{
	might_sleep();
	if (!leg->sock || leg->shut)
		return;
	if (leg->tls && !leg->notified) {
		int n = leg->broken ?
			send_alert(leg, TLS_ALERT_LEVEL_FATAL, leg->alert) :
			send_alert(leg, TLS_ALERT_LEVEL_WARNING,
				   TLS_ALERT_DESC_CLOSE_NOTIFY);

		if (n == -EAGAIN || n == -ENOMEM)
			return;
		leg->notified = true;
	}
	/* records could not follow a FIN */
	if (leg->tls && has_records(leg))
		return;
	leg->shut = true;
	kernel_sock_shutdown(leg->sock, SHUT_WR);
}

/* ---- to the helper and back ---- */

bool ss_leg_has_no_input(const struct ss_leg *leg)
{
	struct sock *sk = leg->sock->sk;
	bool quiet;

	lock_sock(sk);
	/* tcp_inq() would stop at an urgent octet */
	quiet = !leg->in_len && sk->sk_state == TCP_ESTABLISHED &&
		tcp_sk(sk)->rcv_nxt == tcp_sk(sk)->copied_seq;
	release_sock(sk);
	return quiet;
}

static struct in6_addr get_peer(const struct sock *sk)
{
	struct in6_addr a = {};

	if (sk->sk_family == AF_INET)
		a.s6_addr32[0] = sk->sk_daddr;
	else
		a = sk->sk_v6_daddr;
	return a;
}

/*
 * The helper could have disconnected it, and connected it elsewhere. One that is
 * closed by now, since its peer has reset it, has forgotten its ports: nothing
 * can go to anybody by it any more.
 */
static bool has_same_peer(const struct ss_leg *leg)
{
	struct sock *sk = leg->sock->sk;
	struct in6_addr peer;
	bool ret;

	lock_sock(sk);
	peer = get_peer(sk);
	ret = sk->sk_state == TCP_CLOSE ||
	      (((1 << sk->sk_state) & (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)) &&
	       (__force u32)sk->sk_portpair == leg->lent_ports &&
	       ipv6_addr_equal(&peer, &leg->lent_peer));
	release_sock(sk);
	return ret;
}

int ss_leg_lend(struct ss_leg *leg)
{
	struct file *file;

	detach_callbacks(leg);
	leg->lent = true;
	leg->lent_ports = (__force u32)leg->sock->sk->sk_portpair;
	leg->lent_peer = get_peer(leg->sock->sk);
	if (leg->file)
		return 0;
	if (!ss_leg_pin_net(leg->sock->sk)) {
		ss_leg_close(leg);
		return -ESHUTDOWN;
	}
	file = sock_alloc_file(leg->sock, O_NONBLOCK, NULL);
	if (IS_ERR(file)) {
		/* which has released the socket */
		leg->sock = NULL;
		return PTR_ERR(file);
	}
	leg->file = file;
	return 0;
}

/* Has the kernel the keys of both directions, and no other ULP? */
static bool has_keys(struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tls_context *ctx;
	bool ret;

	lock_sock(sk);
	ret = icsk->icsk_ulp_ops && !strcmp(icsk->icsk_ulp_ops->name, "tls");
	if (ret) {
		ctx = tls_get_ctx(sk);
		ret = ctx && ctx->tx_conf == TLS_SW && ctx->rx_conf == TLS_SW &&
		      !ctx->rx_no_pad &&
		      ctx->crypto_send.info.version >= TLS_1_2_VERSION &&
		      ctx->crypto_send.info.version ==
		      ctx->crypto_recv.info.version;
	}
	release_sock(sk);
	return ret;
}

u16 ss_leg_tls_version(const struct ss_leg *leg)
{
	return tls_get_ctx(leg->sock->sk)->crypto_send.info.version;
}

bool ss_leg_has_ulp(const struct ss_leg *leg)
{
	return READ_ONCE(inet_csk(leg->sock->sk)->icsk_ulp_ops);
}

int ss_leg_reclaim(struct ss_leg *leg, enum ss_leg_security want)
{
	struct sock *sk = leg->sock->sk;

	if (file_count(leg->file) != 1)
		return -EBUSY;
	if ((want != SS_LEG_ANY && !has_same_peer(leg)) ||
	    (want == SS_LEG_TLS && !has_keys(sk)) ||
	    (want == SS_LEG_PLAIN && ss_leg_has_ulp(leg)))
		return -EPROTO;
	leg->tls = want == SS_LEG_TLS;
	if (leg->tls)
		set_room(leg, QUEUE_MIN);
	leg->lent = false;
	attach_callbacks(leg);
	return 0;
}

bool ss_leg_pin_net(struct sock *sk)
{
	struct net *net = sock_net(sk);

	if (!maybe_get_net(net))
		return false;
	sk_net_refcnt_upgrade(sk);
	put_net(net);
	return true;
}

/*
 * A kernel socket has no timers once it is released: one that still waits for
 * an acknowledgment or a FIN would stay for ever. So what has not ended of
 * itself is reset.
 */
void ss_leg_close(struct ss_leg *leg)
{
	might_sleep();
	if (!leg->sock)
		return;
	if (!leg->lent)
		detach_callbacks(leg);
	sock_no_linger(leg->sock->sk);
	if (leg->file) {
		/* the helper may have it still, and is to see its end */
		tcp_abort(leg->sock->sk, ECONNABORTED);
		fput(leg->file);
		leg->file = NULL;
	} else {
		sock_release(leg->sock);
	}
	leg->sock = NULL;
	leg->in_len = 0;
	leg->eof = false;
	leg->out.len = 0;
	leg->out_pos = 0;
	leg->update_due = false;
	leg->unread = false;
}
