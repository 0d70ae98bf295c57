/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_BROKER_H
#define SS_BROKER_BROKER_H

#include <stdbool.h>

#include "common/conf.h"

/**
 * ss_broker_run() - Be the broker. Does not return.
 * @conf: the command line
 * @scanner: the socket to the scanner
 * @control: the socket that the supervisor sends tls processes and scanners by
 * @tls: there is a CA, hence there will be a tls process
 *
 * Exits with SS_EXIT_USAGE, and a line printed, where it cannot work, and with
 * SS_EXIT_AGAIN where another broker may do better.
 */
void ss_broker_run(const struct ss_conf *conf, int scanner, int control, bool tls)
	__attribute__((noreturn));

#endif /* SS_BROKER_BROKER_H */
