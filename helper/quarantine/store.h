/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_QUARANTINE_STORE_H
#define SS_QUARANTINE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/conf.h"
#include "quarantine/dir.h"

struct json_object;

#define SS_QUARANTINE_NAME_SIZE	SS_QUARANTINE_DIR_NAME_SIZE

/**
 * struct ss_quarantine - The quarantine of a broker, which alone adds messages; the
 * command line may remove some.
 * @limits: how much is kept
 * @path: the folder
 * @dir: the folder, locked; -1 where there is no quarantine
 * @list: what is in it, the oldest first
 * @first: the first of @list that is still there
 * @count: how many there are from @first on
 * @room: for how many @list has room
 * @used: what they take of the disk, in bytes
 * @changed: when the folder was last changed by us
 * @stale: others have changed it since it was read
 * @credit: files that may be looked at to read it anew, by the messages since then
 * @scanned: when it was read, see ss_process_now()
 * @looked: when ss_quarantine_look() last did something
 * @more: it has not removed all that is too old
 * @told: errno of what was last said to have gone wrong, or 0
 */
struct ss_quarantine {
	const struct ss_quarantine_limits *limits;
	const char *path;
	int dir;
	struct ss_quarantine_dir_entry *list;
	size_t first;
	size_t count;
	size_t room;
	uint64_t used;
	struct timespec changed;
	bool stale;
	uint64_t credit;
	uint64_t scanned;
	uint64_t looked;
	bool more;
	int told;
};

/**
 * ss_quarantine_open() - Open a quarantine, try it, and remove what is too old.
 * @q: the quarantine
 * @path: its folder, made 0700 if only that one is missing; has to stay
 * @limits: how much is kept; has to stay
 *
 * Return: 0 or an errno; -EBUSY where another one has it, -EOPNOTSUPP where its
 * file system has no files without a name.
 */
int ss_quarantine_open(struct ss_quarantine *q, const char *path,
		       const struct ss_quarantine_limits *limits);

/**
 * ss_quarantine_close() - Close a quarantine.
 * @q: the quarantine, open or not
 */
void ss_quarantine_close(struct ss_quarantine *q);

/**
 * ss_quarantine_create() - Make a file for a message.
 * @q: the quarantine
 * @size: bytes of the message
 * @pending: bytes of the other messages that have a file and no name yet
 *
 * Removes nothing to make room, since the message may turn out to be clean.
 *
 * Return: a descriptor, the caller's, or an errno of ss_quarantine_keep().
 */
int ss_quarantine_create(struct ss_quarantine *q, uint64_t size, uint64_t pending);

/**
 * ss_quarantine_keep() - Give a file its name, and put a note beside it.
 * @q: the quarantine
 * @fd: a file of ss_quarantine_create() with all of the message, on the disk; stays
 *   the caller's
 * @session: id of the session that it came in by
 * @note: what is known of it; gets the size as well, and stays the caller's
 * @name: the name
 *
 * Return: 0 or an errno, nothing is kept then: -EFBIG for a message that is too
 * large, -EDQUOT where the quota is used up, -ENOSPC where the file system is full.
 */
int ss_quarantine_keep(struct ss_quarantine *q, int fd, uint64_t session,
		       struct json_object *note, char name[SS_QUARANTINE_NAME_SIZE]);

/**
 * ss_quarantine_look() - Remove what is too old, and see what others have changed,
 * once a minute.
 * @q: the quarantine, open or not
 *
 * Where there is much to remove, the rest is left to the next call.
 */
void ss_quarantine_look(struct ss_quarantine *q);

/**
 * ss_quarantine_why() - Tell why a message is not kept.
 * @error: errno of ss_quarantine_create() or ss_quarantine_keep(), negative, or
 *   -EBADMSG where there was something else in the file
 *
 * Return: the same in words.
 */
const char *ss_quarantine_why(int error);

#endif /* SS_QUARANTINE_STORE_H */
