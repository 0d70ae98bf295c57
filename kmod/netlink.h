/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_NETLINK_H
#define SS_NETLINK_H

/**
 * ss_netlink_init() - register the generic netlink family
 *
 * Return: 0 or -errno.
 */
int ss_netlink_init(void);

/**
 * ss_netlink_exit() - unregister it; no request runs after return
 */
void ss_netlink_exit(void);

#endif /* SS_NETLINK_H */
