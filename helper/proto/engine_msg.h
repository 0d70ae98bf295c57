/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_PROTO_ENGINE_MSG_H
#define SS_PROTO_ENGINE_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/control_msg.h"

#define SS_ENGINE_VERSION_SIZE	32
#define SS_ENGINE_ERROR_SIZE	512
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

/**
 * struct ss_engine_report - What a scanner says when it has loaded, or could not.
 * @msg: SS_IPC_READY and the signatures, or SS_IPC_FAILED
 * @level: functionality level of the engine
 * @version: version of the engine
 * @loaded: when it was loaded, in seconds since 1970
 * @db: the databases, as they were when it began to load
 * @error: why it failed
 */
struct ss_engine_report {
	struct ss_ipc_msg msg;
	uint32_t level;
	char version[SS_ENGINE_VERSION_SIZE];
	int64_t loaded;
	struct ss_database_info db;
	char error[SS_ENGINE_ERROR_SIZE];
};

/**
 * ss_engine_report_check() - Check and mend what came out of another process.
 * @report: the report; its texts end after this
 *
 * Return: whether it makes sense.
 */
bool ss_engine_report_check(struct ss_engine_report *report);

#endif /* SS_PROTO_ENGINE_MSG_H */
