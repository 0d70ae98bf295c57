// SPDX-License-Identifier: GPL-2.0
/*
 * The quarantine's folder, as smtpspliced and the command line see it: a message
 * SESSION-RANDOM.eml, and a note about it SESSION-RANDOM.json.
 *
 * The note has its name before the message gets one, and loses it after it: a
 * message alone is one that was kept without a note, a note alone is a leftover.
 * Nothing else in the folder is touched, links are never followed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "quarantine/dir.h"

#define MESSAGE		".eml"
#define NOTE		".json"
#define BLOCK		4096
#define RANDOM_DIGITS	16

/**
 * struct listing - A list that grows.
 * @entry: the entries
 * @count: how many
 * @room: for how many there is room
 */
struct listing {
	struct ss_quarantine_dir_entry *entry;
	size_t count;
	size_t room;
};

uint64_t ss_quarantine_dir_charge(uint64_t size)
{
	return (size / BLOCK + !!(size % BLOCK)) * BLOCK;
}

static void format_name(const struct ss_quarantine_dir_entry *entry, const char *end,
			char name[SS_QUARANTINE_DIR_NAME_SIZE])
{
	snprintf(name, SS_QUARANTINE_DIR_NAME_SIZE, "%" PRIu64 "-%0*" PRIx64 "%s", entry->session,
		 RANDOM_DIGITS, entry->unique, end);
}

/* Read @name into @entry. Return: whether format_name() makes the same name of that. */
static bool parse_name(const char *name, const char *end, struct ss_quarantine_dir_entry *entry)
{
	char again[SS_QUARANTINE_DIR_NAME_SIZE], *rest;

	if (*name < '0' || *name > '9')
		return false;
	entry->session = strtoull(name, &rest, 10);
	if (*rest != '-')
		return false;
	entry->unique = strtoull(rest + 1, NULL, 16);
	format_name(entry, end, again);
	return !strcmp(name, again);
}

bool ss_quarantine_dir_parse(const char *name, struct ss_quarantine_dir_entry *entry)
{
	return parse_name(name, MESSAGE, entry);
}

void ss_quarantine_dir_name(const struct ss_quarantine_dir_entry *entry,
			    char name[SS_QUARANTINE_DIR_NAME_SIZE])
{
	format_name(entry, MESSAGE, name);
}

void ss_quarantine_dir_note_name(const struct ss_quarantine_dir_entry *entry,
				 char name[SS_QUARANTINE_DIR_NAME_SIZE])
{
	format_name(entry, NOTE, name);
}

static bool stat_file(int dir, const char *name, struct stat *st)
{
	return !fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st->st_mode);
}

static int append_entry(struct listing *l, const struct ss_quarantine_dir_entry *entry)
{
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		void *more = reallocarray(l->entry, room, sizeof(*l->entry));

		if (!more)
			return -ENOMEM;
		l->entry = more;
		l->room = room;
	}
	l->entry[l->count++] = *entry;
	return 0;
}

static int add_message(struct listing *l, int dir, const char *name,
		       struct ss_quarantine_dir_entry *entry, bool sweep)
{
	char note[SS_QUARANTINE_DIR_NAME_SIZE];
	struct stat st;

	if (!stat_file(dir, name, &st))
		return 0;
	/* A file that lost its content when the machine lost its power */
	if (!st.st_size && sweep) {
		unlinkat(dir, name, 0);
		return 0;
	}
	entry->time = st.st_mtim.tv_sec;
	entry->size = st.st_size;
	entry->charge = ss_quarantine_dir_charge(st.st_size);
	format_name(entry, NOTE, note);
	if (stat_file(dir, note, &st))
		entry->charge += ss_quarantine_dir_charge(st.st_size);
	return append_entry(l, entry);
}

/* A note without a message */
static void sweep_note(int dir, const char *name, const struct ss_quarantine_dir_entry *entry)
{
	char message[SS_QUARANTINE_DIR_NAME_SIZE];
	struct stat st;

	format_name(entry, MESSAGE, message);
	if (fstatat(dir, message, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
		unlinkat(dir, name, 0);
}

static int compare_entries(const void *a, const void *b)
{
	const struct ss_quarantine_dir_entry *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->session != y->session)
		return x->session < y->session ? -1 : 1;
	return x->unique < y->unique ? -1 : x->unique > y->unique;
}

static void cleanup_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int read_all(int dir, DIR *d, bool sweep, struct listing *l)
{
	struct ss_quarantine_dir_entry entry = {};
	struct dirent *file;

	for (errno = 0; (file = readdir(d)); errno = 0) {
		int ret = 0;

		if (parse_name(file->d_name, MESSAGE, &entry))
			ret = add_message(l, dir, file->d_name, &entry, sweep);
		else if (sweep && parse_name(file->d_name, NOTE, &entry))
			sweep_note(dir, file->d_name, &entry);
		if (ret)
			return ret;
	}
	return -errno;
}

int ss_quarantine_dir_list(int dir, bool sweep, struct ss_quarantine_dir_entry **list,
			   size_t *count)
{
	DIR *d __cleanup(cleanup_dir) = NULL;
	struct listing l = {};
	int ret, fd;

	*list = NULL;
	*count = 0;
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		ret = -errno;
		close(fd);
		return ret;
	}
	ret = read_all(dir, d, sweep, &l);
	if (ret) {
		free(l.entry);
		return ret;
	}
	if (l.count)
		qsort(l.entry, l.count, sizeof(*l.entry), compare_entries);
	*list = l.entry;
	*count = l.count;
	return 0;
}

int ss_quarantine_dir_open_file(int dir, const char *name)
{
	int fd = openat(dir, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

int ss_quarantine_dir_remove(int dir, const struct ss_quarantine_dir_entry *entry)
{
	char name[SS_QUARANTINE_DIR_NAME_SIZE];
	int ret;

	format_name(entry, MESSAGE, name);
	ret = unlinkat(dir, name, 0) ? -errno : 0;
	if (ret && ret != -ENOENT)
		return ret;
	format_name(entry, NOTE, name);
	if (unlinkat(dir, name, 0) && errno != ENOENT && !ret)
		ret = -errno;
	return ret;
}
