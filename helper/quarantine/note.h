/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_QUARANTINE_NOTE_H
#define SS_QUARANTINE_NOTE_H

#include <stdint.h>
#include <time.h>

#include <json-c/json.h>

#include "lib/text.h"
#include "quarantine/dir.h"

#define SS_QUARANTINE_NOTE_TIME_SIZE	32

void ss_quarantine_note_time(time_t t, char text[SS_QUARANTINE_NOTE_TIME_SIZE]);
int ss_quarantine_note_write(struct json_object *note, int fd);
int ss_quarantine_note_read(int dir, const struct ss_quarantine_dir_entry *entry,
			    enum ss_text_mode mode, struct json_object *row);

#endif /* SS_QUARANTINE_NOTE_H */
