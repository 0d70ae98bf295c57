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
 * @len: octets of attributes
 * @arg: the caller's
 */
typedef void (*ss_genl_fn)(int cmd, struct nlattr *attrs, int len, void *arg);

int ss_genl_open(struct ss_genl *genl);
void ss_genl_close(struct ss_genl *genl);
struct nl_msg *ss_genl_message(struct ss_genl *genl, int cmd, int flags);
int ss_genl_call(struct ss_genl *genl, struct nl_msg *msg, ss_genl_fn fn,
		 void *arg);
int ss_genl_join(struct ss_genl *genl, const char *group);
int ss_genl_receive(struct ss_genl *genl, ss_genl_fn fn, void *arg);
int ss_genl_fd(struct ss_genl *genl);

#endif /* SS_PROTO_GENL_H */
