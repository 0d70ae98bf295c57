/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_WORKER_H
#define SS_SCANNER_WORKER_H

#include "scanner/engine.h"

void ss_worker_run(struct ss_engine *engine, int sock) __attribute__((noreturn));

#endif /* SS_SCANNER_WORKER_H */
