// SPDX-License-Identifier: GPL-2.0
/*
 * The folder of databases: what is in it, and whether it has changed. No lock
 * is held against who writes there: freshclam puts whole files in place, and
 * what is half there fails to load and is noted as a change once it is whole.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <clamav.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "scanner/database.h"

#define PATH_SIZE	4096

/**
 * struct ss_database_watch - A folder as it once was.
 * @path: the folder
 * @then: its files and their times
 * @noted: there is something in @then
 */
struct ss_database_watch {
	const char *path;
	struct cl_stat then;
	bool noted;
};

static bool has_header(const char *name)
{
	static const char *const ends[] = { ".cvd", ".cld", ".cud" };
	size_t len = strlen(name);

	for (size_t i = 0; len > 4 && i < ARRAY_SIZE(ends); i++)
		if (!strcasecmp(name + len - 4, ends[i]))
			return true;
	return false;
}

/*
 * Drop what libclamav says of a broken file: that is of use when it loads it, and not
 * here. The callback is one for the whole process; who loads sets another one.
 */
static void ignore_message(enum cl_msg severity, const char *full,
			   const char *text, void *context)
{
	(void)severity;
	(void)full;
	(void)text;
	(void)context;
}

/* Return: whether it has a header, which is in @info then */
static bool add_file(struct ss_database_info *info, const char *path, const char *name)
{
	struct ss_database_file *file = &info->files[info->count];
	struct cl_cvd *cvd;

	if (info->count == SS_DATABASE_FILES || !has_header(name))
		return false;
	cvd = cl_cvdhead(path);
	if (!cvd)
		return false;
	ss_text_clean_str(SS_TEXT_PRINT, file->name, sizeof(file->name), name);
	file->version = cvd->version;
	file->signatures = cvd->sigs;
	file->built = cvd->stime;
	cl_cvdfree(cvd);
	info->count++;
	return true;
}

/* All that libclamav takes for databases, with a header or without */
static unsigned int count_files(const char *path)
{
	struct cl_stat all = {};
	unsigned int n;

	if (cl_statinidir(path, &all) != CL_SUCCESS)
		return 0;
	n = all.entries;
	cl_statfree(&all);
	return n;
}

void ss_database_describe(const char *path, struct ss_database_info *info)
{
	const char *name = strrchr(path, '/');
	char file[PATH_SIZE];
	struct dirent *entry;
	unsigned int all;
	DIR *dir;

	memset(info, 0, sizeof(*info));
	cl_set_clcb_msg(ignore_message);
	dir = opendir(path);
	if (!dir) {
		if (!add_file(info, path, name ? name + 1 : path))
			info->local = !access(path, F_OK);
		return;
	}
	while ((entry = readdir(dir))) {
		int len = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);

		if (len > 0 && len < (int)sizeof(file))
			add_file(info, file, entry->d_name);
	}
	closedir(dir);
	all = count_files(path);
	info->local = all > info->count ? all - info->count : 0;
}

struct ss_database_watch *ss_database_watch(const char *path)
{
	struct ss_database_watch *watch = calloc(1, sizeof(*watch));

	cl_set_clcb_msg(ignore_message);
	if (watch)
		watch->path = path;
	return watch;
}

void ss_database_note(struct ss_database_watch *watch)
{
	if (watch->noted)
		cl_statfree(&watch->then);
	memset(&watch->then, 0, sizeof(watch->then));
	watch->noted = !access(watch->path, R_OK | X_OK) &&
		       cl_statinidir(watch->path, &watch->then) == CL_SUCCESS;
}

bool ss_database_changed(const struct ss_database_watch *watch)
{
	if (access(watch->path, R_OK | X_OK))
		return false;
	/* A folder that has come back */
	if (!watch->noted)
		return true;
	return cl_statchkdir(&watch->then) == 1;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool has_file(const struct cl_stat *all, const struct stat *file)
{
	for (unsigned int i = 0; i < all->entries; i++)
		if (same_file(&all->stattab[i], file))
			return true;
	return false;
}

bool ss_database_differs(const struct ss_database_watch *watch)
{
	struct cl_stat now = {};
	bool differs;

	if (!watch->noted || access(watch->path, R_OK | X_OK) ||
	    cl_statinidir(watch->path, &now) != CL_SUCCESS)
		return true;
	differs = now.entries != watch->then.entries;
	for (unsigned int i = 0; !differs && i < now.entries; i++)
		differs = !has_file(&watch->then, &now.stattab[i]);
	cl_statfree(&now);
	return differs;
}

void ss_database_unwatch(struct ss_database_watch *watch)
{
	if (watch && watch->noted)
		cl_statfree(&watch->then);
	free(watch);
}
