/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_STEER_H
#define SS_STEER_H

struct ss_net;

/**
 * ss_steer_init() - make the routes that steered packets get
 * @sn: the namespace
 *
 * Context: process. Return: 0 or -ENOMEM.
 */
int ss_steer_init(struct ss_net *sn);

/**
 * ss_steer_exit() - release the routes
 * @sn: the namespace, with hooks off and a grace period behind
 */
void ss_steer_exit(struct ss_net *sn);

/**
 * ss_steer_start() - put the netfilter hooks in, if they are not yet
 * @sn: the namespace
 *
 * Context: process, under ss_net.lock. Return: 0 or -errno.
 */
int ss_steer_start(struct ss_net *sn);

/**
 * ss_steer_stop() - take the netfilter hooks out, if they are in
 * @sn: the namespace, which ends
 *
 * Context: process. A hook may still run until a grace period has passed.
 */
void ss_steer_stop(struct ss_net *sn);

#endif /* SS_STEER_H */
