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
 * @used: what they take of the disk, in octets
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

int ss_quarantine_open(struct ss_quarantine *q, const char *path,
		       const struct ss_quarantine_limits *limits);
void ss_quarantine_close(struct ss_quarantine *q);
int ss_quarantine_create(struct ss_quarantine *q, uint64_t size, uint64_t pending);
int ss_quarantine_keep(struct ss_quarantine *q, int fd, uint64_t session,
		       struct json_object *note, char name[SS_QUARANTINE_NAME_SIZE]);
void ss_quarantine_look(struct ss_quarantine *q);
const char *ss_quarantine_why(int error);

#endif /* SS_QUARANTINE_STORE_H */
