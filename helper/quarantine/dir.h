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
 * @size: octets of the message
 * @charge: octets that it and its note take of the disk, in whole blocks
 */
struct ss_quarantine_dir_entry {
	uint64_t session;
	uint64_t unique;
	int64_t time;
	uint64_t size;
	uint64_t charge;
};

uint64_t ss_quarantine_dir_charge(uint64_t size);
bool ss_quarantine_dir_parse(const char *name, struct ss_quarantine_dir_entry *entry);
void ss_quarantine_dir_name(const struct ss_quarantine_dir_entry *entry,
			    char name[SS_QUARANTINE_DIR_NAME_SIZE]);
void ss_quarantine_dir_note_name(const struct ss_quarantine_dir_entry *entry,
				 char name[SS_QUARANTINE_DIR_NAME_SIZE]);
int ss_quarantine_dir_list(int dir, bool sweep, struct ss_quarantine_dir_entry **list,
			   size_t *count);
int ss_quarantine_dir_open_file(int dir, const char *name);
int ss_quarantine_dir_remove(int dir, const struct ss_quarantine_dir_entry *entry);

#endif /* SS_QUARANTINE_DIR_H */
