/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_TLS_CLIENT_H
#define SS_BROKER_TLS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/tls_request.h"
#include "proto/tls_msg.h"

#define SS_HANDOFF_BUCKETS	256

/**
 * typedef ss_handoff_fn - Takes the result of a pair of handshakes, whoever it
 * is from. Called once for each that was given.
 * @arg: the owner's
 * @hs: the request; freed afterwards
 * @result: what became of it
 */
typedef void (*ss_handoff_fn)(void *arg, const struct ss_handshake *hs,
			      const struct ss_tls_result *result);

/**
 * struct ss_handoff - The handshakes that are with the tls process.
 * @sock: to the tls process, non-blocking, or -1
 * @pidfd: the tls process, or -1
 * @bucket: requests in flight, by cookie
 * @unsent: the one of them that @sock had no room for, or NULL
 * @count: how many are in flight
 * @max: how many may be
 * @heard: when the tls process last gave a result
 * @look: when to look for overdue ones
 * @finish: takes results
 * @arg: for @finish
 */
struct ss_handoff {
	int sock;
	int pidfd;
	struct ss_handshake *bucket[SS_HANDOFF_BUCKETS];
	struct ss_handshake *unsent;
	unsigned int count;
	unsigned int max;
	uint64_t heard;
	uint64_t look;
	ss_handoff_fn finish;
	void *arg;
};

void ss_handoff_init(struct ss_handoff *h, ss_handoff_fn finish, void *arg);
void ss_handoff_attach(struct ss_handoff *h, int sock, int pidfd);
bool ss_handoff_ready(const struct ss_handoff *h);
void ss_handoff_give(struct ss_handoff *h, struct ss_handshake *hs);
short ss_handoff_events(const struct ss_handoff *h);
void ss_handoff_event(struct ss_handoff *h, short revents);
void ss_handoff_look(struct ss_handoff *h);

#endif /* SS_BROKER_TLS_CLIENT_H */
