/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_SCANNER_H
#define SS_SCANNER_SCANNER_H

#include <stdbool.h>

#include "common/conf.h"

void ss_scanner_run(const struct ss_conf *conf, int link, bool reload)
	__attribute__((noreturn));

#endif /* SS_SCANNER_SCANNER_H */
