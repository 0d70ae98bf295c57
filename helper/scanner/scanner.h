/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_SCANNER_H
#define SS_SCANNER_SCANNER_H

#include <stdbool.h>

#include "common/conf.h"

/**
 * ss_scanner_run() - Be the scanner. Does not return.
 * @conf: the command line
 * @link: the socket to the supervisor
 * @reload: there is another one, which stays if this one fails
 *
 * Exits with SS_EXIT_USAGE, and a line printed, where the database is of no use,
 * and with SS_EXIT_OK when the broker has sent it away.
 */
void ss_scanner_run(const struct ss_conf *conf, int link, bool reload)
	__attribute__((noreturn));

#endif /* SS_SCANNER_SCANNER_H */
