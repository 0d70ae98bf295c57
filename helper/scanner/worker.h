/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_WORKER_H
#define SS_SCANNER_WORKER_H

#include "scanner/engine.h"

/**
 * ss_worker_run() - Be a worker. Does not return.
 * @engine: the engine
 * @sock: the socket that jobs come in by
 */
void ss_worker_run(struct ss_engine *engine, int sock) __attribute__((noreturn));

#endif /* SS_SCANNER_WORKER_H */
