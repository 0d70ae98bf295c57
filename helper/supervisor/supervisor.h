/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SUPERVISOR_SUPERVISOR_H
#define SS_SUPERVISOR_SUPERVISOR_H

#include "common/conf.h"

/**
 * ss_supervisor_run() - Run the helper until it is told to end.
 * @conf: the command line
 *
 * Return: the exit status.
 */
int ss_supervisor_run(const struct ss_conf *conf);

#endif /* SS_SUPERVISOR_SUPERVISOR_H */
