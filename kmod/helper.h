/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_HELPER_H
#define SS_HELPER_H

#include <linux/types.h>

struct genl_info;
struct sock;
struct ss_net;

/**
 * ss_helper_init() - begin to notice that helpers die
 *
 * Return: 0 or -errno.
 */
int ss_helper_init(void);

/**
 * ss_helper_exit() - the reverse of ss_helper_init()
 */
void ss_helper_exit(void);

/**
 * ss_helper_register() - make a netlink port the helper
 * @sn: the namespace
 * @roles: kinds of work that it takes, enum smtpsplice_role flags
 * @sk: the port's socket
 * @info: its request; the caller has checked its privilege
 *
 * Registering again from the same port is no error.
 *
 * Return: 0, -EINVAL (no role) or -EBUSY (another port has one of them).
 */
int ss_helper_register(struct ss_net *sn, u32 roles, const struct sock *sk,
		       struct genl_info *info);

#endif /* SS_HELPER_H */
