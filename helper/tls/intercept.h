/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_INTERCEPT_H
#define SS_TLS_INTERCEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/tls_msg.h"
#include "tls/context.h"
#include "tls/job.h"

struct ss_pair;

/**
 * enum ss_pair_side - Whose socket it is.
 * @SS_PAIR_CLIENT: the client's
 * @SS_PAIR_SERVER: the server's
 */
enum ss_pair_side {
	SS_PAIR_CLIENT,
	SS_PAIR_SERVER,
	SS_PAIR_SIDES,
};

struct ss_pair *ss_pair_new(struct ss_tls_context *gw, const struct ss_job *job,
			    const int fds[SS_PAIR_SIDES], uint64_t now);
void ss_pair_close(struct ss_pair *pair);
void ss_pair_free(struct ss_pair *pair);
bool ss_pair_step(struct ss_pair *pair, uint64_t now);
void ss_pair_ended(struct ss_pair *pair, enum ss_pair_side side);
void ss_pair_expire(struct ss_pair *pair);
uint64_t ss_pair_deadline(const struct ss_pair *pair);
const struct ss_tls_result *ss_pair_result(const struct ss_pair *pair);

#endif /* SS_TLS_INTERCEPT_H */
