/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_STATE_FILE_H
#define SS_BROKER_STATE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/conf.h"
#include "proto/engine_msg.h"

/**
 * enum ss_state_file_reload - What became of the last reload.
 * @SS_STATE_FILE_NONE: there was none yet
 * @SS_STATE_FILE_LOADING: it is under way
 * @SS_STATE_FILE_DONE: it is in service
 * @SS_STATE_FILE_FAILED: the one of before stays
 */
enum ss_state_file_reload {
	SS_STATE_FILE_NONE,
	SS_STATE_FILE_LOADING,
	SS_STATE_FILE_DONE,
	SS_STATE_FILE_FAILED,
};

/**
 * struct ss_state_file - What the state file says.
 * @conf: the command line
 * @engine: the engine in service
 * @reload: what became of the last reload
 * @when: since when that is so, in seconds since 1970
 * @error: why it failed
 * @mute: the file could not be written, which was said
 */
struct ss_state_file {
	const struct ss_conf *conf;
	struct ss_engine_report engine;
	enum ss_state_file_reload reload;
	int64_t when;
	char error[SS_ENGINE_ERROR_SIZE];
	bool mute;
};

/**
 * ss_state_file_note() - Note how a reload goes, and write the file.
 * @s: the state
 * @reload: how
 * @error: why it failed, or NULL
 *
 * Says so where the file cannot be written, which is no reason to stop.
 */
void ss_state_file_note(struct ss_state_file *s, enum ss_state_file_reload reload,
			const char *error);

#endif /* SS_BROKER_STATE_FILE_H */
