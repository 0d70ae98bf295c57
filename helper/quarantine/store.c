// SPDX-License-Identifier: GPL-2.0
/*
 * Infected messages put aside. The broker makes a file without a name, a worker
 * fills it, and it gets its name when it is complete and its note is there: nobody
 * sees half a file, and what is not kept leaves nothing behind. The worker has also
 * waited until its content is on the disk, since the client drops its copy with the
 * 554: what has a name has its content, even after a power failure. The broker, which
 * may not wait, leaves it to the file system when name and note get there.
 *
 * The broker has the folder to itself, by a lock, but for the command line, which
 * removes messages. So it knows what is in there from a list in memory, and reads
 * the folder anew only where its time tells that somebody else has changed it, and
 * not for each message: one may cost a look at READ_SHARE files, on average, and the
 * removal of EXPIRE_MAX old ones. The lock is the broker's alone and goes with it.
 * A single thread, and calls wait for nothing but the folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <json-c/json.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "quarantine/note.h"
#include "quarantine/store.h"

#define MAX_MESSAGES	100000
#define KEEP_FREE	(64ull << 20)
#define KEEP_SHARE	20		/* 5 % */
#define LOOK_MS		60000
#define READ_SHARE	64
#define EXPIRE_MAX	64

/* -- what is in it -------------------------------------------------------- */

static void note_change(struct ss_quarantine *q)
{
	struct stat st;

	if (!fstat(q->dir, &st))
		q->changed = st.st_mtim;
}

/* Read the folder */
static int read_folder(struct ss_quarantine *q)
{
	struct ss_quarantine_dir_entry *list;
	size_t count;
	int ret;

	/* Noted before the folder is read: a change meanwhile is noticed later */
	note_change(q);
	ret = ss_quarantine_dir_list(q->dir, true, &list, &count);
	if (ret)
		return ret;
	free(q->list);
	q->list = list;
	q->first = 0;
	q->count = count;
	q->room = count;
	q->used = 0;
	for (size_t i = 0; i < count; i++)
		q->used += list[i].charge;
	q->scanned = ss_process_now();
	q->credit = 0;
	q->stale = false;
	return 0;
}

static int make_room_in_list(struct ss_quarantine *q)
{
	size_t room;
	void *more;

	if (q->first + q->count < q->room)
		return 0;
	if (q->first > q->room / 2) {
		memmove(q->list, q->list + q->first, q->count * sizeof(*q->list));
		q->first = 0;
		return 0;
	}
	room = q->room ? 2 * q->room : 64;
	more = reallocarray(q->list, room, sizeof(*q->list));
	if (!more)
		return -ENOMEM;
	q->list = more;
	q->room = room;
	return 0;
}

/* There is room in the list */
static void add_entry(struct ss_quarantine *q, const struct ss_quarantine_dir_entry *entry)
{
	size_t i = q->first + q->count++;

	/* The clock may have been set back */
	for (; i > q->first && q->list[i - 1].time > entry->time; i--)
		q->list[i] = q->list[i - 1];
	q->list[i] = *entry;
	q->used += entry->charge;
}

/* Return: 0 or an errno; what it took of the disk is free then */
static int remove_oldest(struct ss_quarantine *q)
{
	struct ss_quarantine_dir_entry *entry = &q->list[q->first];
	int ret = ss_quarantine_dir_remove(q->dir, entry);

	if (ret && ret != -ENOENT)
		return ret;
	q->used -= entry->charge;
	q->first++;
	q->count--;
	return 0;
}

/* Remove what is too old, @max at most. Return: how many. */
static unsigned int remove_expired(struct ss_quarantine *q, unsigned int max)
{
	int64_t now = time(NULL), age = (int64_t)q->limits->max_age * 3600;
	unsigned int n = 0;

	while (age && n < max && q->count && q->list[q->first].time + age <= now) {
		if (remove_oldest(q))
			break;
		n++;
	}
	if (n)
		note_change(q);
	return n;
}

/* -- the folder ----------------------------------------------------------- */

/* Open the folder and lock it. Return: a descriptor or an errno. */
static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	ret = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	return ret;
}

/* Another folder may have the path now */
static int open_again(struct ss_quarantine *q)
{
	int fd = open_dir(q->path);

	if (fd < 0)
		return fd;
	close(q->dir);
	q->dir = fd;
	return read_folder(q);
}

/* Know what is in it, or, where that would take too long for a message, what was */
static int refresh_list(struct ss_quarantine *q)
{
	struct stat st;

	if (fstat(q->dir, &st))
		return -errno;
	if (!st.st_nlink)
		return open_again(q);
	/* Kept in mind, since our own next change hides that of another */
	q->stale |= st.st_mtim.tv_sec != q->changed.tv_sec ||
		    st.st_mtim.tv_nsec != q->changed.tv_nsec;
	return q->stale && q->credit >= q->count ? read_folder(q) : 0;
}

static int new_file(int dir)
{
	int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int name_file(int dir, int fd, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

int ss_quarantine_open(struct ss_quarantine *q, const char *path,
		       const struct ss_quarantine_limits *limits)
{
	int file, ret;

	*q = (struct ss_quarantine){ .limits = limits, .path = path, .dir = -1 };
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	ret = open_dir(path);
	if (ret < 0)
		return ret;
	q->dir = ret;
	file = new_file(q->dir);
	ret = file < 0 ? file : read_folder(q);
	ss_cleanup_fd(&file);
	if (ret)
		ss_quarantine_close(q);
	else
		remove_expired(q, UINT_MAX);
	return ret;
}

void ss_quarantine_close(struct ss_quarantine *q)
{
	ss_cleanup_fd(&q->dir);
	free(q->list);
	q->list = NULL;
	q->count = 0;
}

/* -- room ----------------------------------------------------------------- */

static bool has_room(const struct ss_quarantine *q, uint64_t charge)
{
	uint64_t quota = q->limits->quota;

	return q->count < MAX_MESSAGES &&
	       (!quota || (charge <= quota && q->used <= quota - charge));
}

/* Does it fit? If not, count anew before saying so: others may have removed files. */
static bool surely_has_room(struct ss_quarantine *q, uint64_t charge)
{
	if (has_room(q, charge))
		return true;
	if (ss_process_now() - q->scanned < LOOK_MS || read_folder(q))
		return false;
	return has_room(q, charge);
}

/* Count the bytes that the file system lacks to have @bytes and what has to stay free */
static uint64_t count_lacking(const struct ss_quarantine *q, uint64_t bytes)
{
	uint64_t keep = q->limits->keep_free, free;
	struct statvfs fs;

	if (fstatvfs(q->dir, &fs))
		return 0;
	free = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (!keep) {
		keep = (uint64_t)fs.f_blocks * fs.f_frsize / KEEP_SHARE;
		if (keep > KEEP_FREE)
			keep = KEEP_FREE;
	}
	if (keep > UINT64_MAX - bytes)
		return UINT64_MAX;
	return bytes + keep > free ? bytes + keep - free : 0;
}

/* Remove the oldest, as far as that is of use. Return: 0 or an errno. */
static int overwrite_oldest(struct ss_quarantine *q, uint64_t charge)
{
	uint64_t missing = count_lacking(q, 0), before = q->used;
	int ret = 0;

	if (q->limits->quota && charge > q->limits->quota)
		return -EDQUOT;
	if (missing > before)
		return -ENOSPC;
	while (!ret && q->count && (!has_room(q, charge) || before - q->used < missing))
		ret = remove_oldest(q);
	if (before != q->used)
		note_change(q);
	return ret;
}

/* Make room for a message that is in the file system. Return: 0 or an errno. */
static int make_room(struct ss_quarantine *q, uint64_t charge)
{
	if (q->limits->overwrite)
		return overwrite_oldest(q, charge);
	if (!surely_has_room(q, charge))
		return -EDQUOT;
	return count_lacking(q, 0) ? -ENOSPC : 0;
}

/* -- messages ------------------------------------------------------------- */

int ss_quarantine_create(struct ss_quarantine *q, uint64_t size, uint64_t pending)
{
	int ret;

	q->credit += READ_SHARE;
	ret = refresh_list(q);
	if (ret)
		return ret;
	if (q->limits->max_size && size > q->limits->max_size)
		return -EFBIG;
	if (!q->limits->overwrite && !surely_has_room(q, ss_quarantine_dir_charge(size)))
		return -EDQUOT;
	if (count_lacking(q, size + pending) > (q->limits->overwrite ? q->used : 0))
		return -ENOSPC;
	return new_file(q->dir);
}

/* Link both, or none */
static int link_files(struct ss_quarantine *q, int fd, int note,
		      const struct ss_quarantine_dir_entry *entry)
{
	char name[SS_QUARANTINE_DIR_NAME_SIZE], note_name[SS_QUARANTINE_DIR_NAME_SIZE];
	int ret;

	ss_quarantine_dir_name(entry, name);
	ss_quarantine_dir_note_name(entry, note_name);
	ret = name_file(q->dir, note, note_name);
	if (ret)
		return ret;
	ret = name_file(q->dir, fd, name);
	if (ret)
		unlinkat(q->dir, note_name, 0);
	return ret;
}

/* Write the note. Return: its file, or an errno. */
static int write_note(struct ss_quarantine *q, struct json_object *note,
		      struct ss_quarantine_dir_entry *entry)
{
	int fd = new_file(q->dir), ret;
	struct stat st;

	json_object_object_add(note, "size", json_object_new_uint64(entry->size));
	ret = fd < 0 ? fd : ss_quarantine_note_write(note, fd);
	if (!ret && fstat(fd, &st))
		ret = -errno;
	if (ret) {
		ss_cleanup_fd(&fd);
		return ret;
	}
	entry->charge += ss_quarantine_dir_charge(st.st_size);
	return fd;
}

/* Take the file back from the worker: mode and time are set anew, the size is checked */
static int take_back(const struct ss_quarantine *q, int fd, struct ss_quarantine_dir_entry *entry)
{
	struct stat st;

	if (fchmod(fd, 0600) || futimens(fd, NULL) || fstat(fd, &st))
		return -errno;
	if (q->limits->max_size && (uint64_t)st.st_size > q->limits->max_size)
		return -EFBIG;
	entry->time = st.st_mtim.tv_sec;
	entry->size = st.st_size;
	entry->charge = ss_quarantine_dir_charge(st.st_size);
	return 0;
}

int ss_quarantine_keep(struct ss_quarantine *q, int fd, uint64_t session,
		       struct json_object *note, char name[SS_QUARANTINE_NAME_SIZE])
{
	int note_fd __cleanup(ss_cleanup_fd) = -1;
	struct ss_quarantine_dir_entry entry = { .session = session };
	int ret = refresh_list(q);

	if (!ret)
		ret = take_back(q, fd, &entry);
	if (ret)
		return ret;
	if (getrandom(&entry.unique, sizeof(entry.unique), 0) != sizeof(entry.unique))
		return -EIO;
	remove_expired(q, EXPIRE_MAX);
	note_fd = write_note(q, note, &entry);
	if (note_fd < 0)
		return note_fd;
	ret = make_room(q, entry.charge);
	if (!ret)
		ret = make_room_in_list(q);
	if (!ret)
		ret = link_files(q, fd, note_fd, &entry);
	if (ret)
		return ret;
	add_entry(q, &entry);
	note_change(q);
	ss_quarantine_dir_name(&entry, name);
	return 0;
}

void ss_quarantine_look(struct ss_quarantine *q)
{
	uint64_t now = ss_process_now();

	if (q->dir < 0 || (!q->more && now - q->looked < LOOK_MS))
		return;
	if (!q->more) {
		q->looked = now;
		if (refresh_list(q) || (q->stale && read_folder(q)))
			return;
	}
	q->more = remove_expired(q, EXPIRE_MAX) == EXPIRE_MAX;
}

const char *ss_quarantine_why(int error)
{
	switch (-error) {
	case EFBIG:
		return "message is too large";
	case EDQUOT:
		return "quota is used up";
	case ENOSPC:
		return "too little space left in the file system";
	case EBADMSG:
		return "what was to be kept is not the message";
	case EBUSY:
		return "folder is used by another smtpspliced";
	default:
		return strerror(-error);
	}
}
