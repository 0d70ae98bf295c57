/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SESSION_RUN_H
#define SS_SESSION_RUN_H

struct socket;
struct ss_session;
struct work_struct;

/**
 * ss_session_begin() - give a session its client, and dial the server
 * @s: the session, in the list, with its addresses and under its lock
 * @sock: the client's socket, which the session owns from now on
 *
 * Context: process.
 */
void ss_session_begin(struct ss_session *s, struct socket *sock);

/**
 * ss_session_work() - the work of a session
 * @work: the work in its waker
 *
 * Gives back the reference that queueing it took.
 */
void ss_session_work(struct work_struct *work);

#endif /* SS_SESSION_RUN_H */
