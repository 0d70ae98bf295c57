/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_INTERCEPT_H
#define SS_TLS_INTERCEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/tls_msg.h"
#include "tls/context.h"
#include "tls/job.h"

struct ss_intercept;

/**
 * enum ss_intercept_side - Whose socket it is.
 * @SS_INTERCEPT_CLIENT: the client's
 * @SS_INTERCEPT_SERVER: the server's
 */
enum ss_intercept_side {
	SS_INTERCEPT_CLIENT,
	SS_INTERCEPT_SERVER,
	SS_INTERCEPT_SIDES,
};

/**
 * ss_intercept_new() - Begin a pair of handshakes.
 * @ctx: what all share, must live on
 * @job: what to do; copied
 * @fds: the sockets, which become its own
 * @now: see ss_process_now()
 *
 * Return: the pair, to be freed with ss_intercept_free(); or NULL, and the sockets are
 * the caller's.
 */
struct ss_intercept *ss_intercept_new(struct ss_tls_context *ctx, const struct ss_job *job,
				      const int fds[SS_INTERCEPT_SIDES], uint64_t now);

/**
 * ss_intercept_close() - Close the sockets. The kernel wants that before it is
 * told the result.
 * @intercept: handshakes that are done
 */
void ss_intercept_close(struct ss_intercept *intercept);

/**
 * ss_intercept_free() - Free a pair of handshakes.
 * @intercept: the pair, or NULL; if it is not done, its connections end
 */
void ss_intercept_free(struct ss_intercept *intercept);

/**
 * ss_intercept_step() - Go on as far as it goes. To be called once at first and
 * then whenever something has happened to one of the sockets.
 * @intercept: the handshakes
 * @now: see ss_process_now()
 *
 * Return: whether it is done: the result is there, and the sockets are of no
 * more use.
 */
bool ss_intercept_step(struct ss_intercept *intercept, uint64_t now);

/**
 * ss_intercept_ended() - Say that a peer will send no more. Peeking does not
 * show that.
 * @intercept: the handshakes
 * @side: which peer
 */
void ss_intercept_ended(struct ss_intercept *intercept, enum ss_intercept_side side);

/**
 * ss_intercept_expire() - The time is up that ss_intercept_deadline() has told.
 * @intercept: the handshakes; done after this
 */
void ss_intercept_expire(struct ss_intercept *intercept);

/**
 * ss_intercept_deadline() - When it has to be done, or what it waits for has to have come.
 * @intercept: the handshakes
 *
 * Return: the time, see ss_process_now().
 */
uint64_t ss_intercept_deadline(const struct ss_intercept *intercept);

/**
 * ss_intercept_result() - What became of it.
 * @intercept: handshakes that are done
 *
 * Return: the result.
 */
const struct ss_tls_result *ss_intercept_result(const struct ss_intercept *intercept);

#endif /* SS_TLS_INTERCEPT_H */
