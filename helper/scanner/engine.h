/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_ENGINE_H
#define SS_SCANNER_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/scan_msg.h"

struct ss_engine;

/**
 * enum ss_engine_outcome - What libclamav said of an object.
 * @SS_ENGINE_CLEAN: nothing found, all of it was looked at
 * @SS_ENGINE_INFECTED: a signature
 * @SS_ENGINE_LIMITED: nothing found, but a limit was exceeded: not all of it was
 *   looked at
 * @SS_ENGINE_LATE: there was no time to look at all of it
 * @SS_ENGINE_FAILED: it could not be scanned
 */
enum ss_engine_outcome {
	SS_ENGINE_CLEAN,
	SS_ENGINE_INFECTED,
	SS_ENGINE_LIMITED,
	SS_ENGINE_LATE,
	SS_ENGINE_FAILED,
};

/**
 * struct ss_engine_finding - More about an outcome.
 * @text: name of what was found, or why the scan failed; as libclamav gave it
 * @partial: libclamav met a message/partial, which it does not look into
 */
struct ss_engine_finding {
	char text[SS_ENGINE_TEXT_SIZE];
	bool partial;
};

/**
 * ss_engine_load() - Load the signatures.
 * @database: folder (or file) of databases
 * @why: set where it fails: what libclamav says
 * @size: room at @why
 *
 * May take tens of seconds and a gigabyte with the official databases.
 *
 * Return: the engine, to be freed with ss_engine_free(), or NULL.
 */
struct ss_engine *ss_engine_load(const char *database, char *why, size_t size);

/**
 * ss_engine_free() - Free an engine.
 * @engine: the engine, or NULL
 */
void ss_engine_free(struct ss_engine *engine);

/**
 * ss_engine_signatures() - How many signatures were loaded.
 * @engine: the engine
 *
 * Return: the number.
 */
unsigned int ss_engine_signatures(const struct ss_engine *engine);

/**
 * ss_engine_version() - Which libclamav this is.
 * @level: set to its functionality level
 *
 * Return: its version.
 */
const char *ss_engine_version(unsigned int *level);

/**
 * ss_engine_set_tmpdir() - Choose where libclamav unpacks what it has to.
 * @engine: the engine
 * @dir: a folder for it alone, which it makes, and which it empties as it likes; that
 *   which it is in has to be there
 *
 * Return: 0, -ENAMETOOLONG or -ENOMEM.
 */
int ss_engine_set_tmpdir(struct ss_engine *engine, const char *dir);

/**
 * ss_engine_scan() - Scan one object.
 * @engine: the engine
 * @fd: the object
 * @limit_ms: how long it may take
 * @finding: set in any case
 *
 * Return: the outcome.
 */
enum ss_engine_outcome ss_engine_scan(struct ss_engine *engine, int fd,
				      uint32_t limit_ms,
				      struct ss_engine_finding *finding);

#endif /* SS_SCANNER_ENGINE_H */
