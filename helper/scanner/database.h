/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_DATABASE_H
#define SS_SCANNER_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/engine_msg.h"

struct ss_database_watch;

void ss_database_describe(const char *path, struct ss_database_info *info);
struct ss_database_watch *ss_database_watch(const char *path);
void ss_database_note(struct ss_database_watch *watch);
bool ss_database_changed(const struct ss_database_watch *watch);
bool ss_database_differs(const struct ss_database_watch *watch);
void ss_database_unwatch(struct ss_database_watch *watch);

#endif /* SS_SCANNER_DATABASE_H */
