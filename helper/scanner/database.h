/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_DATABASE_H
#define SS_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#define SS_DATABASE_FILES	16
#define SS_DATABASE_NAME	64

/**
 * struct ss_database_file - A database file with a header.
 * @name: its name, cut, printable
 * @version: its version
 * @signatures: how many are in it, as it says itself
 * @built: when it was built, in seconds since 1970, or 0
 */
struct ss_database_file {
	char name[SS_DATABASE_NAME];
	uint32_t version;
	uint32_t signatures;
	int64_t built;
};

/**
 * struct ss_database_info - What is in a folder of databases.
 * @files: those with a header: main, daily, bytecode
 * @count: how many of @files there are
 * @local: files without a header, and those that @files has no room for
 */
struct ss_database_info {
	struct ss_database_file files[SS_DATABASE_FILES];
	uint32_t count;
	uint32_t local;
};

struct ss_database_watch;

void ss_database_describe(const char *path, struct ss_database_info *info);
struct ss_database_watch *ss_database_watch(const char *path);
void ss_database_note(struct ss_database_watch *watch);
bool ss_database_changed(const struct ss_database_watch *watch);
bool ss_database_differs(const struct ss_database_watch *watch);
void ss_database_unwatch(struct ss_database_watch *watch);

#endif /* SS_DATABASE_H */
