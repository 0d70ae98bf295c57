/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_QUARANTINE_DIR_H
#define SS_QUARANTINE_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SS_QUARANTINE_DIR_DEFAULT	"/var/lib/smtpsplice/quarantine"
#define SS_QUARANTINE_DIR_NAME_SIZE	64

/**
 * struct ss_quarantine_dir_entry - A message in the folder.
 * @session: id of the session that it came in by; with @unique, its name
 * @unique: random
 * @time: when it was put there, in seconds since 1970
 * @size: bytes of the message
 * @charge: bytes that it and its note take of the disk, in whole blocks
 */
struct ss_quarantine_dir_entry {
	uint64_t session;
	uint64_t unique;
	int64_t time;
	uint64_t size;
	uint64_t charge;
};

/**
 * ss_quarantine_dir_charge() - What a file takes of the disk.
 * @size: its size in bytes
 *
 * Return: the same, in whole blocks. Small messages are not free of charge.
 */
uint64_t ss_quarantine_dir_charge(uint64_t size);

/**
 * ss_quarantine_dir_parse() - Check the name of a message.
 * @name: any text
 * @entry: its session and unique are set
 *
 * Return: whether it is a name that ss_quarantine_dir_name() makes.
 */
bool ss_quarantine_dir_parse(const char *name, struct ss_quarantine_dir_entry *entry);

/**
 * ss_quarantine_dir_name() - Make the name of a message.
 * @entry: the message
 * @name: the name
 */
void ss_quarantine_dir_name(const struct ss_quarantine_dir_entry *entry,
			    char name[SS_QUARANTINE_DIR_NAME_SIZE]);

/**
 * ss_quarantine_dir_note_name() - Make the name of the note about a message.
 * @entry: the message
 * @name: the name
 */
void ss_quarantine_dir_note_name(const struct ss_quarantine_dir_entry *entry,
				 char name[SS_QUARANTINE_DIR_NAME_SIZE]);

/**
 * ss_quarantine_dir_list() - Find all messages.
 * @dir: the folder
 * @sweep: remove leftovers as well; only for who alone adds messages
 * @list: the messages, the oldest first; the caller frees it
 * @count: how many
 *
 * Return: 0 or an errno; there is no list then.
 */
int ss_quarantine_dir_list(int dir, bool sweep, struct ss_quarantine_dir_entry **list,
			   size_t *count);

/**
 * ss_quarantine_dir_open_file() - Open a file of the folder to read it.
 * @dir: the folder
 * @name: of ss_quarantine_dir_name() or ss_quarantine_dir_note_name()
 *
 * Return: a descriptor, the caller's, or an errno; -ELOOP for a link, -EINVAL for
 * another thing that is no file.
 */
int ss_quarantine_dir_open_file(int dir, const char *name);

/**
 * ss_quarantine_dir_remove() - Remove a message and its note.
 * @dir: the folder
 * @entry: the message
 *
 * Return: 0 or an errno; -ENOENT where there was no message.
 */
int ss_quarantine_dir_remove(int dir, const struct ss_quarantine_dir_entry *entry);

#endif /* SS_QUARANTINE_DIR_H */
