/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_DIAL_H
#define SS_DIAL_H

struct ss_session;

/**
 * ss_dial() - begin to connect a session to its server
 * @s: the session, in the list, under its lock; its server leg is without a socket
 *
 * With the client's address, from a port that no leg of the client's has: conntrack
 * would take our connection for that one.
 *
 * Context: process. Return: 0 where the connection is under way, or -errno; the leg
 * may have a socket in either case. See ss_leg_connected().
 */
int ss_dial(struct ss_session *s);

#endif /* SS_DIAL_H */
