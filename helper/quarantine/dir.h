/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_QUARANTINE_DIR_H
#define SS_QUARANTINE_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SS_QDIR_DEFAULT		"/var/lib/smtpsplice/quarantine"
#define SS_QDIR_NAME_SIZE	64

/**
 * struct ss_qdir_entry - A message in the folder.
 * @session: id of the session that it came in by; with @unique, its name
 * @unique: random
 * @time: when it was put there, in seconds since 1970
 * @size: octets of the message
 * @charge: octets that it and its note take of the disk, in whole blocks
 */
struct ss_qdir_entry {
	uint64_t session;
	uint64_t unique;
	int64_t time;
	uint64_t size;
	uint64_t charge;
};

uint64_t ss_qdir_charge(uint64_t size);
bool ss_qdir_parse(const char *name, struct ss_qdir_entry *entry);
void ss_qdir_name(const struct ss_qdir_entry *entry, char name[SS_QDIR_NAME_SIZE]);
void ss_qdir_note_name(const struct ss_qdir_entry *entry, char name[SS_QDIR_NAME_SIZE]);
int ss_qdir_list(int dir, bool sweep, struct ss_qdir_entry **list, size_t *count);
int ss_qdir_open_file(int dir, const char *name);
int ss_qdir_remove(int dir, const struct ss_qdir_entry *entry);

#endif /* SS_QUARANTINE_DIR_H */
