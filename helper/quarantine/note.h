/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_QUARANTINE_NOTE_H
#define SS_QUARANTINE_NOTE_H

#include <stdint.h>
#include <time.h>

#include <json-c/json.h>

#include "lib/text.h"
#include "quarantine/dir.h"

#define SS_QUARANTINE_NOTE_TIME_SIZE	32

/**
 * ss_quarantine_note_time() - Write a time as notes have it.
 * @t: the time
 * @text: UTC, as in RFC 3339
 */
void ss_quarantine_note_time(time_t t, char text[SS_QUARANTINE_NOTE_TIME_SIZE]);

/**
 * ss_quarantine_note_write() - Write a note.
 * @note: the note
 * @fd: an empty file
 *
 * Return: 0 or an errno.
 */
int ss_quarantine_note_write(struct json_object *note, int fd);

/**
 * ss_quarantine_note_read() - Read the note about a message.
 * @dir: the folder
 * @entry: the message
 * @mode: what its text is to be fit for
 * @row: gets what is in it
 *
 * Return: 0, -ENOENT where there is no note, -EBADMSG where it is none, or
 * another errno.
 */
int ss_quarantine_note_read(int dir, const struct ss_quarantine_dir_entry *entry,
			    enum ss_text_mode mode, struct json_object *row);

#endif /* SS_QUARANTINE_NOTE_H */
