/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_ACCEPT_H
#define SS_ACCEPT_H

struct socket;
struct ss_policy;

/**
 * ss_accept() - make a session of an accepted connection
 * @policy: the policy that picked it
 * @sock: the client's socket, owned by the callee in any case
 *
 * A client for whom there is no room is told so. Context: process.
 */
void ss_accept(struct ss_policy *policy, struct socket *sock);

#endif /* SS_ACCEPT_H */
