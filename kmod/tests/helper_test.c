// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of helper.c: who becomes the helper, and that its death is noticed. The
 * helpers are netlink sockets, and what they register with is the module's own
 * state of init_net, since that is where the notice of a closed socket ends up.
 */
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/sock.h>

#include "../answer.h"
#include "../helper.h"
#include "../net.h"
#include "../request.h"
#include "rig.h"

/**
 * struct bench - what a test works with
 * @sn: the state of init_net
 * @s: a session with a scan request
 * @extack: text that the last registration was told
 * @v: room for a verdict
 */
struct bench {
	struct ss_net *sn;
	struct ss_session *s;
	struct netlink_ext_ack extack;
	union ss_answer v;
};

static int helper_init(struct kunit *test)
{
	struct bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->sn = ss_net_get(&init_net);
	KUNIT_ASSERT_NOT_NULL(test, b->sn);
	KUNIT_ASSERT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].port, 0);
	b->s = ss_rig_session(test, b->sn, 1);
	test->priv = b;
	return 0;
}

static void helper_exit(struct kunit *test)
{
	struct bench *b = test->priv;

	if (!b)
		return;
	ss_request_cancel(&b->s->request, &b->v);
	KUNIT_EXPECT_EQ(test, ss_rig_users(b->s), 1);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 0);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].port, 0);
	KUNIT_EXPECT_NULL(test, b->sn->queues[SS_REQUEST_SCAN].sk);
}

static void release(void *sock)
{
	sock_release(sock);
}

/* A netlink socket with a port, or with any port for 0. */
static struct socket *new_socket(struct kunit *test, int protocol, u32 port)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_pid = port };
	struct socket *sock;

	KUNIT_ASSERT_EQ(test, 0, sock_create_kern(&init_net, AF_NETLINK,
						  SOCK_RAW, protocol, &sock));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, release, sock));
	/* void *: the type of the address differs between kernels */
	KUNIT_ASSERT_EQ(test, 0,
			kernel_bind(sock, (void *)&addr, sizeof(addr)));
	return sock;
}

static void close_socket(struct kunit *test, struct socket *sock)
{
	kunit_release_action(test, release, sock);
}

static u32 port_of(struct kunit *test, struct socket *sock)
{
	struct sockaddr_nl addr;

	KUNIT_ASSERT_GT(test, kernel_getsockname(sock, (void *)&addr), 0);
	return addr.nl_pid;
}

static int register_roles(struct kunit *test, struct socket *sock, u32 roles)
{
	struct bench *b = test->priv;
	struct genl_info info = {
		.snd_portid = port_of(test, sock),
		.extack = &b->extack,
	};

	b->extack._msg = NULL;
	return ss_helper_register(b->sn, roles, sock->sk, &info);
}

static int become_helper(struct kunit *test, struct socket *sock)
{
	return register_roles(test, sock, SMTPSPLICE_ROLE_SCAN);
}

static void registers(struct kunit *test)
{
	struct socket *sock = new_socket(test, NETLINK_GENERIC, 0);
	struct bench *b = test->priv;

	KUNIT_EXPECT_EQ(test, become_helper(test, sock), 0);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].port, port_of(test, sock));
	KUNIT_EXPECT_PTR_EQ(test, b->sn->queues[SS_REQUEST_SCAN].sk, sock->sk);
	/* again is no error */
	KUNIT_EXPECT_EQ(test, become_helper(test, sock), 0);
	KUNIT_EXPECT_PTR_EQ(test, b->sn->queues[SS_REQUEST_SCAN].sk, sock->sk);
	close_socket(test, sock);
}

static void needs_a_role(struct kunit *test)
{
	struct socket *sock = new_socket(test, NETLINK_GENERIC, 0);
	struct bench *b = test->priv;

	KUNIT_EXPECT_EQ(test, register_roles(test, sock, 0), -EINVAL);
	KUNIT_EXPECT_NOT_NULL(test, b->extack._msg);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].port, 0);
	KUNIT_EXPECT_EQ(test,
			register_roles(test, sock, ~(SMTPSPLICE_ROLE_SCAN |
							  SMTPSPLICE_ROLE_TLS)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].port, 0);
	close_socket(test, sock);
}

static void one_at_a_time(struct kunit *test)
{
	struct socket *first = new_socket(test, NETLINK_GENERIC, 0);
	struct socket *second = new_socket(test, NETLINK_GENERIC, 0);
	struct bench *b = test->priv;

	KUNIT_ASSERT_EQ(test, become_helper(test, first), 0);
	KUNIT_EXPECT_EQ(test, become_helper(test, second), -EBUSY);
	KUNIT_EXPECT_NOT_NULL(test, b->extack._msg);
	KUNIT_EXPECT_PTR_EQ(test, b->sn->queues[SS_REQUEST_SCAN].sk, first->sk);
	close_socket(test, first);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].port, 0);
	KUNIT_EXPECT_EQ(test, become_helper(test, second), 0);
	KUNIT_EXPECT_PTR_EQ(test, b->sn->queues[SS_REQUEST_SCAN].sk, second->sk);
	close_socket(test, second);
}

/* It has its own number, but it is not that socket. */
static void port_is_not_enough(struct kunit *test)
{
	struct socket *sock = new_socket(test, NETLINK_GENERIC, 0);
	struct socket *other = new_socket(test, NETLINK_GENERIC, 0);
	struct bench *b = test->priv;
	struct genl_info info = {
		.snd_portid = port_of(test, sock),
		.extack = &b->extack,
	};
	u64 cookie;

	KUNIT_ASSERT_EQ(test, become_helper(test, sock), 0);
	KUNIT_EXPECT_EQ(test, ss_helper_register(b->sn, SMTPSPLICE_ROLE_SCAN,
						 other->sk, &info), -EBUSY);
	KUNIT_EXPECT_EQ(test,
			PTR_ERR(ss_request_take(b->sn, SS_REQUEST_SCAN, other->sk, &cookie)),
			-EPERM);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ss_request_take(b->sn, SS_REQUEST_SCAN, sock->sk, &cookie)),
			-EAGAIN);
	close_socket(test, sock);
	close_socket(test, other);
}

static void death_gives_work_back(struct kunit *test)
{
	struct socket *sock = new_socket(test, NETLINK_GENERIC, 0);
	struct bench *b = test->priv;
	struct ss_request *r;
	u64 cookie;

	KUNIT_ASSERT_EQ(test, become_helper(test, sock), 0);
	ss_request_submit(&b->s->request, SS_REQUEST_SCAN, jiffies + HZ);
	r = ss_request_take(b->sn, SS_REQUEST_SCAN, sock->sk, &cookie);
	KUNIT_ASSERT_PTR_EQ(test, r, &b->s->request);
	refcount_dec(&r->waker->users);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 0);
	close_socket(test, sock);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].port, 0);
	KUNIT_EXPECT_NULL(test, b->sn->queues[SS_REQUEST_SCAN].sk);
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 1);
	KUNIT_EXPECT_FALSE(test, ss_request_is(&b->s->request, cookie));

	sock = new_socket(test, NETLINK_GENERIC, 0);
	KUNIT_ASSERT_EQ(test, become_helper(test, sock), 0);
	r = ss_request_take(b->sn, SS_REQUEST_SCAN, sock->sk, &cookie);
	KUNIT_ASSERT_PTR_EQ(test, r, &b->s->request);
	refcount_dec(&r->waker->users);
	KUNIT_EXPECT_EQ(test, b->s->request.attempt, 2);
	KUNIT_EXPECT_EQ(test, 0,
			ss_request_answer(b->sn, SS_REQUEST_SCAN, sock->sk, cookie, &b->v, NULL));
	close_socket(test, sock);
	KUNIT_EXPECT_TRUE(test, ss_request_done(&b->s->request));
	KUNIT_EXPECT_EQ(test, b->sn->queues[SS_REQUEST_SCAN].queued, 0);
}

/* Other sockets come and go, even with the same port in another protocol. */
static void death_of_others(struct kunit *test)
{
	struct socket *sock = new_socket(test, NETLINK_GENERIC, 0);
	struct socket *other = new_socket(test, NETLINK_GENERIC, 0);
	struct socket *twin = new_socket(test, NETLINK_ROUTE,
					 port_of(test, sock));
	struct bench *b = test->priv;

	KUNIT_ASSERT_EQ(test, become_helper(test, sock), 0);
	KUNIT_ASSERT_EQ(test, port_of(test, twin), port_of(test, sock));
	close_socket(test, other);
	KUNIT_EXPECT_PTR_EQ(test, b->sn->queues[SS_REQUEST_SCAN].sk, sock->sk);
	close_socket(test, twin);
	KUNIT_EXPECT_PTR_EQ(test, b->sn->queues[SS_REQUEST_SCAN].sk, sock->sk);
	close_socket(test, sock);
}

/* Each role has one holder; a request for two gets both or none. */
static void roles_of_two(struct kunit *test)
{
	struct socket *scan = new_socket(test, NETLINK_GENERIC, 0);
	struct socket *tls = new_socket(test, NETLINK_GENERIC, 0);
	struct bench *b = test->priv;
	u32 both = SMTPSPLICE_ROLE_SCAN | SMTPSPLICE_ROLE_TLS;

	KUNIT_EXPECT_EQ(test, become_helper(test, scan), 0);
	KUNIT_EXPECT_EQ(test, register_roles(test, tls, both), -EBUSY);
	KUNIT_EXPECT_FALSE(test, ss_request_served(b->sn, SS_REQUEST_HANDSHAKE));
	KUNIT_EXPECT_EQ(test, register_roles(test, tls, SMTPSPLICE_ROLE_TLS), 0);
	KUNIT_EXPECT_EQ(test, register_roles(test, scan, both), -EBUSY);
	close_socket(test, scan);
	KUNIT_EXPECT_FALSE(test, ss_request_served(b->sn, SS_REQUEST_SCAN));
	KUNIT_EXPECT_TRUE(test, ss_request_served(b->sn, SS_REQUEST_HANDSHAKE));
	/* more of it later, from the same socket */
	KUNIT_EXPECT_EQ(test, register_roles(test, tls, both), 0);
	KUNIT_EXPECT_TRUE(test, ss_request_served(b->sn, SS_REQUEST_SCAN));
	close_socket(test, tls);
	KUNIT_EXPECT_FALSE(test, ss_request_served(b->sn, SS_REQUEST_SCAN));
	KUNIT_EXPECT_FALSE(test, ss_request_served(b->sn, SS_REQUEST_HANDSHAKE));
}

static struct kunit_case helper_cases[] = {
	KUNIT_CASE(registers),
	KUNIT_CASE(needs_a_role),
	KUNIT_CASE(one_at_a_time),
	KUNIT_CASE(port_is_not_enough),
	KUNIT_CASE(death_gives_work_back),
	KUNIT_CASE(death_of_others),
	KUNIT_CASE(roles_of_two),
	{}
};

static struct kunit_suite helper_suite = {
	.name = "smtpsplice-helper",
	.init = helper_init,
	.exit = helper_exit,
	.test_cases = helper_cases,
};

kunit_test_suite(helper_suite);
