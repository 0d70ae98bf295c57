/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_DATABASE_H
#define SS_SCANNER_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/engine_msg.h"

struct ss_database_watch;

/**
 * ss_database_describe() - Read the headers of the databases.
 * @path: folder of databases, or one file
 * @info: set in any case; what cannot be read is not in it
 */
void ss_database_describe(const char *path, struct ss_database_info *info);

/**
 * ss_database_watch() - Watch a folder of databases.
 * @path: the folder, which must stay readable memory; a file is not watched
 *
 * Return: what to give to ss_database_unwatch(), or NULL without memory.
 */
struct ss_database_watch *ss_database_watch(const char *path);

/**
 * ss_database_note() - Take it as it is now for what is known.
 * @watch: the folder
 *
 * To be called before the databases are loaded, so that what changes meanwhile
 * counts as a change.
 */
void ss_database_note(struct ss_database_watch *watch);

/**
 * ss_database_changed() - Has it changed since it was noted?
 * @watch: the folder
 *
 * libclamav compares the times of files, in seconds; that one is gone is no
 * change.
 *
 * Return: whether there are new or changed files.
 */
bool ss_database_changed(const struct ss_database_watch *watch);

/**
 * ss_database_differs() - Is it other than when it was noted, in any way?
 * @watch: the folder
 *
 * For who was told to look. Sees what ss_database_changed() does not: files that are
 * gone, and changes within a second.
 *
 * Return: whether that is so, or cannot be told.
 */
bool ss_database_differs(const struct ss_database_watch *watch);

/**
 * ss_database_unwatch() - Free a watch.
 * @watch: the watch, or NULL
 */
void ss_database_unwatch(struct ss_database_watch *watch);

#endif /* SS_SCANNER_DATABASE_H */
