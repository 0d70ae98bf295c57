/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_BROKER_H
#define SS_BROKER_BROKER_H

#include <stdbool.h>

#include "common/conf.h"

void ss_broker_run(const struct ss_conf *conf, int scanner, int control, bool tls)
	__attribute__((noreturn));

#endif /* SS_BROKER_BROKER_H */
