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

struct ss_intercept *ss_intercept_new(struct ss_tls_context *gw, const struct ss_job *job,
				      const int fds[SS_INTERCEPT_SIDES], uint64_t now);
void ss_intercept_close(struct ss_intercept *pair);
void ss_intercept_free(struct ss_intercept *pair);
bool ss_intercept_step(struct ss_intercept *pair, uint64_t now);
void ss_intercept_ended(struct ss_intercept *pair, enum ss_intercept_side side);
void ss_intercept_expire(struct ss_intercept *pair);
uint64_t ss_intercept_deadline(const struct ss_intercept *pair);
const struct ss_tls_result *ss_intercept_result(const struct ss_intercept *pair);

#endif /* SS_TLS_INTERCEPT_H */
