/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_PROTO_GENL_H
#define SS_PROTO_GENL_H

#include <stdint.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <linux/smtpsplice.h>

#define SS_GENL_EXTACK_SIZE	256

/**
 * struct ss_genl - A generic netlink socket for the smtpsplice family.
 * @sk: the socket
 * @family: the family's id
 * @extack: what the kernel said about the last call that failed, fit for
 *   printing; empty where it said nothing
 */
struct ss_genl {
	struct nl_sock *sk;
	int family;
	char extack[SS_GENL_EXTACK_SIZE];
};

/**
 * typedef ss_genl_fn - Takes one message of a reply, dump or multicast group.
 * @cmd: the command
 * @attrs: the first attribute
 * @len: bytes of attributes
 * @arg: the caller's
 */
typedef void (*ss_genl_fn)(int cmd, struct nlattr *attrs, int len, void *arg);

/**
 * ss_genl_open() - Open a socket and look the family up.
 * @genl: the socket; to be closed with ss_genl_close(), also after an error
 *
 * Return: 0, -ENOENT where the module is not loaded, or another errno.
 */
int ss_genl_open(struct ss_genl *genl);

/**
 * ss_genl_close() - Close the socket.
 * @genl: the socket; may be closed already
 */
void ss_genl_close(struct ss_genl *genl);

/**
 * ss_genl_message() - Begin a request.
 * @genl: the socket that it is for
 * @cmd: the command
 * @flags: NLM_F_DUMP or 0
 *
 * Return: the message, which ss_genl_call() takes over, or NULL (no memory).
 */
struct nl_msg *ss_genl_message(struct ss_genl *genl, int cmd, int flags);

/**
 * ss_genl_call() - Send a request and take its whole answer.
 * @genl: the socket
 * @msg: the request, freed here; NULL gives -ENOMEM
 * @fn: takes each message of the answer, or NULL
 * @arg: for @fn
 *
 * Return: 0, or the kernel's errno, with its text in @genl->extack; -EINTR for
 * a dump during which the table changed (what @fn got is then incomplete).
 */
int ss_genl_call(struct ss_genl *genl, struct nl_msg *msg, ss_genl_fn fn,
		 void *arg);

/**
 * ss_genl_join() - Join a multicast group, for ss_genl_receive().
 * @genl: a socket that no call will use any more; it gets non-blocking
 * @group: name of the group
 *
 * Return: 0 or an errno (-EPERM without CAP_NET_ADMIN).
 */
int ss_genl_join(struct ss_genl *genl, const char *group);

/**
 * ss_genl_receive() - Take what has come from a group.
 * @genl: a socket that has joined one
 * @fn: takes each message
 * @arg: for @fn
 *
 * Return: 0, -EAGAIN where nothing has come, -ENOBUFS where messages were lost,
 * or another errno.
 */
int ss_genl_receive(struct ss_genl *genl, ss_genl_fn fn, void *arg);

/**
 * ss_genl_fd() - The descriptor to poll.
 * @genl: the socket
 *
 * Return: the descriptor.
 */
int ss_genl_fd(struct ss_genl *genl);

#endif /* SS_PROTO_GENL_H */
