/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_MESSAGE_H
#define SS_MESSAGE_H

#include <linux/types.h>

struct ss_session;

/* Context of all functions here: process, under the session's lock. */

/**
 * ss_message_begin() - let a message come or refuse it, at DATA or the first BDAT
 * @s: the session, its engine at %SS_SMTP_DATA
 */
void ss_message_begin(struct ss_session *s);

/**
 * ss_message_go_on() - take the message in
 * @s: the session, its engine at %SS_SMTP_GO_ON, or %SS_SMTP_DATA in hold mode
 */
void ss_message_go_on(struct ss_session *s);

/**
 * ss_message_end() - ask for the verdict, at the end-of-data
 * @s: the session, its engine at %SS_SMTP_BODY_END
 *
 * Unless the message is refused anyway. Return: false where the server has to
 * answer something first.
 */
bool ss_message_end(struct ss_session *s);

/**
 * ss_message_chunk() - answer a chunk that is not the last of its message
 * @s: the session, its engine at %SS_SMTP_CHUNK
 *
 * Return: false where the server has to answer something first.
 */
bool ss_message_chunk(struct ss_session *s);

/**
 * ss_message_abandon() - drop a message by chunks that the client gave up
 * @s: the session, its engine at %SS_SMTP_ABANDON
 */
void ss_message_abandon(struct ss_session *s);

/**
 * ss_message_done() - go on behind the server's answer to the message
 * @s: the session, its engine at %SS_SMTP_DONE
 */
void ss_message_done(struct ss_session *s);

/**
 * ss_message_step() - do what can be done in the states body, scan and release
 * @s: the session
 *
 * Return: true if something was done.
 */
bool ss_message_step(struct ss_session *s);

/**
 * ss_message_early() - follow the server's answer to a message that it has a part of
 * @s: the session, its engine with @early
 *
 * Its leg is closed, unless it awaits a command between two chunks, and its reply
 * will be the message's.
 */
void ss_message_early(struct ss_session *s);

/**
 * ss_message_server_left() - see to a message whose server has left
 * @s: the session; its server leg has a socket
 *
 * Where the server has nothing of a message, there will be another connection for it.
 * Where it has a part, or that connection is of no use, the client is told 451.
 *
 * Return: false where there is no such message: the session has to end.
 */
bool ss_message_server_left(struct ss_session *s);

/**
 * ss_message_replay() - give a new connection the next line of the envelope
 * @s: the session, its engine at %SS_SMTP_REPLAY
 */
void ss_message_replay(struct ss_session *s);

/**
 * ss_message_timeout() - do what the profile says where no verdict came in time
 * @s: the session in the state scan
 */
void ss_message_timeout(struct ss_session *s);

#endif /* SS_MESSAGE_H */
