// SPDX-License-Identifier: GPL-2.0
/*
 * libclamav: its engine, limits and options. The engine is loaded in one
 * process and used in those that it forks, which share its pages; a process
 * scans one object at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <clamav.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "lib/text.h"
#include "scanner/engine.h"

/*
 * Limits. Exceeding one is an alert, never "clean": libclamav's own default
 * lets what it did not look at pass. With 100 levels of recursion it finds what
 * its default of 17 misses in nested multiparts.
 */
#define MAX_BYTES	(400ll << 20)
#define MAX_RECURSION	100
#define MAX_FILES	10000

/* libclamav's warning about a message/partial, which has no verdict of its own */
#define PARTIAL_WARNING	"Partial message received"

/* The names that libclamav gives to limits that were exceeded begin so */
#define LIMITS		"Heuristics.Limits.Exceeded."

/*
 * A scan fails where less than this is free: bytes and files (inodes) in the folder
 * for temporary files, and descriptors, of which each level of recursion takes some.
 */
#define SPARE_BYTES	1048576u
#define SPARE_FILES	16
#define SPARE_FDS	(3ul * MAX_RECURSION)

/**
 * struct ss_engine - An engine.
 * @cl: libclamav's
 * @signatures: how many it has
 * @tmpdir: the folder to unpack in, or empty: libclamav's default
 * @fd: the object that is being scanned
 */
struct ss_engine {
	struct cl_engine *cl;
	unsigned int signatures;
	char tmpdir[PATH_MAX];
	int fd;
};

/*
 * From libclamav's messages: the last warning or error, the first error of a scan,
 * and whether an attachment of more parts than it reads was met. Its message callback
 * is one for the whole process and has no context while a database is loaded, hence
 * static.
 */
static struct {
	char text[SS_ENGINE_TEXT_SIZE];
	char error[SS_ENGINE_TEXT_SIZE];
	bool partial;
} last;

static void take_message(enum cl_msg severity, const char *full,
			 const char *text, void *context)
{
	size_t len;

	(void)full;
	(void)context;
	if (severity < CL_MSG_WARN)
		return;
	if (strstr(text, PARTIAL_WARNING))
		last.partial = true;
	len = ss_text_clean(SS_TEXT_PRINT, last.text, sizeof(last.text), text,
			    strcspn(text, "\r\n"));
	while (len && last.text[len - 1] == ' ')
		last.text[--len] = '\0';
	if (severity >= CL_MSG_ERROR && !last.error[0])
		memcpy(last.error, last.text, sizeof(last.error));
}

/* -- what it needs -------------------------------------------------------- */

/* Only the first counts: what comes later is because of that */
static void __attribute__((format(printf, 1, 2))) note_want(const char *fmt, ...)
{
	va_list args;

	if (last.error[0])
		return;
	va_start(args, fmt);
	vsnprintf(last.error, sizeof(last.error), fmt, args);
	va_end(args);
}

/* Something that cleans up may have taken it away */
static void look_at_folder(const char *dir)
{
	if ((mkdir(dir, 0700) && errno != EEXIST) || access(dir, W_OK | X_OK))
		note_want("folder %s: %s", dir, strerror(errno));
}

/* A file system without a limit says that it has no blocks, or no files */
static void look_at_room(const char *dir)
{
	struct statvfs fs;

	if (statvfs(dir, &fs))
		note_want("folder %s: %s", dir, strerror(errno));
	else if (fs.f_blocks && (uint64_t)fs.f_bavail * fs.f_frsize < SPARE_BYTES)
		note_want("folder %s: no room", dir);
	else if (fs.f_files && fs.f_favail < SPARE_FILES)
		note_want("folder %s: no room for files", dir);
}

/* They are given out from the lowest on, so what is above the first free one is free */
static void look_at_descriptors(int fd)
{
	struct rlimit limit;
	int first = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (first < 0 || getrlimit(RLIMIT_NOFILE, &limit))
		note_want("descriptors: %s", strerror(errno));
	else if ((uint64_t)first + SPARE_FDS > limit.rlim_cur)
		note_want("descriptors: %lu are not left", SPARE_FDS);
	ss_cleanup_fd(&first);
}

/*
 * libclamav calls what it could not unpack clean: it does not look whether what it
 * writes is written. So look before, after, and at each file that it has unpacked,
 * when that which found no room is still there.
 */
static void look_around(const struct ss_engine *engine)
{
	look_at_descriptors(engine->fd);
	if (engine->tmpdir[0])
		look_at_room(engine->tmpdir);
}

/* Called for each layer; @fd is -1 for those that were unpacked to memory */
static cl_error_t take_file(int fd, const char *type, void *context)
{
	(void)fd;
	(void)type;
	look_around(context);
	return CL_CLEAN;
}

/* libclamav may leave temporary files where a scan fails: remove them */
static void clean_up(const struct ss_engine *engine)
{
	if (engine->tmpdir[0] && rmdir(engine->tmpdir) && errno != ENOENT)
		ss_process_remove_tree(engine->tmpdir);
}

/* -- the engine ----------------------------------------------------------- */

static int set_limits(struct cl_engine *cl)
{
	static const struct {
		enum cl_engine_field field;
		long long value;
	} limits[] = {
		{ CL_ENGINE_MAX_SCANSIZE, MAX_BYTES },
		{ CL_ENGINE_MAX_FILESIZE, MAX_BYTES },
		{ CL_ENGINE_MAX_RECURSION, MAX_RECURSION },
		{ CL_ENGINE_MAX_FILES, MAX_FILES },
		/*
		 * Off: libclamav does not scan what has the MD5 of something clean, and
		 * anybody can make two files of one MD5. See scanner/cache.c for ours.
		 */
		{ CL_ENGINE_DISABLE_CACHE, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		int ret = cl_engine_set_num(cl, limits[i].field, limits[i].value);

		if (ret != CL_SUCCESS)
			return ret;
	}
	return CL_SUCCESS;
}

static int load_database(struct ss_engine *engine, const char *database)
{
	int ret = cl_init(CL_INIT_DEFAULT);

	if (ret != CL_SUCCESS)
		return ret;
	engine->cl = cl_engine_new();
	if (!engine->cl)
		return CL_EMEM;
	ret = set_limits(engine->cl);
	if (ret == CL_SUCCESS)
		ret = cl_load(database, engine->cl, &engine->signatures, CL_DB_STDOPT);
	if (ret == CL_SUCCESS && !engine->signatures) {
		snprintf(last.text, sizeof(last.text), "no signatures");
		ret = CL_EMALFDB;
	}
	return ret == CL_SUCCESS ? (int)cl_engine_compile(engine->cl) : ret;
}

struct ss_engine *ss_engine_load(const char *database, char *why, size_t size)
{
	struct ss_engine *engine = calloc(1, sizeof(*engine));
	int ret;

	if (!engine) {
		snprintf(why, size, "%s", strerror(ENOMEM));
		return NULL;
	}
	if (access(database, R_OK)) {
		snprintf(why, size, "%s", strerror(errno));
		free(engine);
		return NULL;
	}
	cl_set_clcb_msg(take_message);
	last.text[0] = '\0';
	ret = load_database(engine, database);
	if (ret == CL_SUCCESS) {
		cl_engine_set_clcb_pre_cache(engine->cl, take_file);
		return engine;
	}
	snprintf(why, size, "%s%s%s", cl_strerror(ret), last.text[0] ? ": " : "",
		 last.text);
	ss_engine_free(engine);
	return NULL;
}

void ss_engine_free(struct ss_engine *engine)
{
	if (!engine)
		return;
	if (engine->cl)
		cl_engine_free(engine->cl);
	free(engine);
}

unsigned int ss_engine_signatures(const struct ss_engine *engine)
{
	return engine->signatures;
}

const char *ss_engine_version(unsigned int *level)
{
	*level = cl_retflevel();
	return cl_retver();
}

int ss_engine_set_tmpdir(struct ss_engine *engine, const char *dir)
{
	if (strlen(dir) >= sizeof(engine->tmpdir))
		return -ENAMETOOLONG;
	if (cl_engine_set_str(engine->cl, CL_ENGINE_TMPDIR, dir) != CL_SUCCESS)
		return -ENOMEM;
	snprintf(engine->tmpdir, sizeof(engine->tmpdir), "%s", dir);
	return 0;
}

/* Call cl_scandesc_callback(), and fail where the engine could not work */
static cl_error_t scan_file(struct ss_engine *engine, int fd, uint32_t limit_ms, const char **name)
{
	struct cl_scan_options options = {
		.general = CL_SCAN_GENERAL_HEURISTICS,
		.parse = ~0u,
		.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX,
	};
	unsigned long scanned = 0;
	cl_error_t ret;

	last.text[0] = '\0';
	last.error[0] = '\0';
	last.partial = false;
	if (engine->tmpdir[0])
		look_at_folder(engine->tmpdir);
	engine->fd = fd;
	look_around(engine);
	if (last.error[0])
		return CL_ERROR;
	cl_engine_set_num(engine->cl, CL_ENGINE_MAX_SCANTIME, limit_ms ? limit_ms : 1);
	ret = cl_scandesc_callback(fd, NULL, name, &scanned, engine->cl, &options, engine);
	look_around(engine);
	return ret;
}

/* The outcome for CL_VIRUS, which also stands for a limit that was exceeded */
static enum ss_engine_outcome take_virus(const char *name, struct ss_engine_finding *finding)
{
	/* it has no name for what is larger than any that it looks at */
	snprintf(finding->text, sizeof(finding->text), "%s", name ?: LIMITS "MaxFileSize");
	if (strncmp(finding->text, LIMITS, strlen(LIMITS)))
		return SS_ENGINE_INFECTED;
	/* out of time says more of the box than of the message */
	return strcmp(finding->text, LIMITS "MaxScanTime") ? SS_ENGINE_LIMITED : SS_ENGINE_LATE;
}

enum ss_engine_outcome ss_engine_scan(struct ss_engine *engine, int fd,
				      uint32_t limit_ms,
				      struct ss_engine_finding *finding)
{
	const char *name = NULL;
	cl_error_t ret;

	memset(finding, 0, sizeof(*finding));
	ret = scan_file(engine, fd, limit_ms, &name);
	finding->partial = last.partial;
	if (ret == CL_VIRUS)
		return take_virus(name, finding);
	if (ret == CL_CLEAN && !last.error[0])
		return SS_ENGINE_CLEAN;
	clean_up(engine);
	snprintf(finding->text, sizeof(finding->text), "%s",
		 last.error[0] ? last.error : cl_strerror(ret));
	return ret == CL_ETIMEOUT ? SS_ENGINE_LATE : SS_ENGINE_FAILED;
}
