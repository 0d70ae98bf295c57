// SPDX-License-Identifier: GPL-2.0
/*
 * libclamav: its engine, limits and options. The engine is loaded in one
 * process and used in those that it forks, which share its pages; a process
 * scans one object at a time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <clamav.h>

#include "cleanup.h"
#include "engine.h"
#include "text.h"

/*
 * Limits. Exceeding one is an alert, never "clean": libclamav's own default
 * lets what it did not look at pass. With 100 levels of recursion it finds what
 * its default of 17 misses in nested multiparts.
 */
#define MAX_OCTETS	(400ll << 20)
#define MAX_RECURSION	100
#define MAX_FILES	10000

/* libclamav's warning about a message/partial, which has no verdict of its own */
#define PARTIAL_WARNING	"Partial message received"

/* What libclamav calls a limit that was exceeded */
#define LIMITS		"Heuristics.Limits.Exceeded."

/**
 * struct ss_engine - An engine.
 * @cl: libclamav's
 * @signatures: how many it has
 */
struct ss_engine {
	struct cl_engine *cl;
	unsigned int signatures;
};

/*
 * What libclamav had to say last. Its message callback is one for the whole
 * process and has no context while a database is loaded, hence static.
 */
static struct {
	char text[SS_ENGINE_TEXT_SIZE];
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
}

static int set_limits(struct cl_engine *cl)
{
	static const struct {
		enum cl_engine_field field;
		long long value;
	} limits[] = {
		{ CL_ENGINE_MAX_SCANSIZE, MAX_OCTETS },
		{ CL_ENGINE_MAX_FILESIZE, MAX_OCTETS },
		{ CL_ENGINE_MAX_RECURSION, MAX_RECURSION },
		{ CL_ENGINE_MAX_FILES, MAX_FILES },
		/*
		 * It does not scan what has the MD5 of something clean, and anybody
		 * can make two files of one MD5. See cache.c for ours.
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

static int load(struct ss_engine *engine, const char *database)
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

/**
 * ss_engine_load() - Load the signatures.
 * @database: folder (or file) of databases
 * @why: set where it fails: what libclamav says
 * @size: room at @why
 *
 * May take tens of seconds and a gigabyte with the official databases.
 *
 * Return: the engine, to be freed with ss_engine_free(), or NULL.
 */
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
	ret = load(engine, database);
	if (ret == CL_SUCCESS)
		return engine;
	snprintf(why, size, "%s%s%s", cl_strerror(ret), last.text[0] ? ": " : "",
		 last.text);
	ss_engine_free(engine);
	return NULL;
}

/**
 * ss_engine_free() - Free an engine.
 * @engine: the engine, or NULL
 */
void ss_engine_free(struct ss_engine *engine)
{
	if (!engine)
		return;
	if (engine->cl)
		cl_engine_free(engine->cl);
	free(engine);
}

/**
 * ss_engine_signatures() - How many signatures were loaded.
 * @engine: the engine
 *
 * Return: the number.
 */
unsigned int ss_engine_signatures(const struct ss_engine *engine)
{
	return engine->signatures;
}

/**
 * ss_engine_version() - Which libclamav this is.
 * @level: set to its functionality level
 *
 * Return: its version.
 */
const char *ss_engine_version(unsigned int *level)
{
	*level = cl_retflevel();
	return cl_retver();
}

/**
 * ss_engine_set_tmpdir() - Choose where libclamav unpacks what it has to.
 * @engine: the engine
 * @dir: an existing folder
 *
 * Return: 0 or -ENOMEM.
 */
int ss_engine_set_tmpdir(struct ss_engine *engine, const char *dir)
{
	int ret = cl_engine_set_str(engine->cl, CL_ENGINE_TMPDIR, dir);

	return ret == CL_SUCCESS ? 0 : -ENOMEM;
}

/**
 * ss_engine_scan() - Scan one object.
 * @engine: the engine
 * @fd: the object
 * @limit_ms: how long it may take
 * @finding: set in any case
 *
 * Return: the outcome.
 */
enum ss_engine_outcome ss_engine_scan(struct ss_engine *engine, int fd,
				      uint32_t limit_ms,
				      struct ss_engine_finding *finding)
{
	struct cl_scan_options options = {
		.general = CL_SCAN_GENERAL_HEURISTICS,
		.parse = ~0u,
		.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX,
	};
	const char *name = NULL;
	unsigned long scanned = 0;
	cl_error_t ret;

	memset(finding, 0, sizeof(*finding));
	last.text[0] = '\0';
	last.partial = false;
	cl_engine_set_num(engine->cl, CL_ENGINE_MAX_SCANTIME, limit_ms ? limit_ms : 1);
	ret = cl_scandesc_callback(fd, NULL, &name, &scanned, engine->cl, &options,
				   NULL);
	finding->partial = last.partial;
	if (ret == CL_CLEAN)
		return SS_ENGINE_CLEAN;
	snprintf(finding->text, sizeof(finding->text), "%s",
		 ret != CL_VIRUS ? cl_strerror(ret) : name ? name : "unknown");
	if (ret == CL_VIRUS && name && !strncmp(name, LIMITS, strlen(LIMITS)))
		/* out of time says more of the box than of the message */
		return strcmp(name, LIMITS "MaxScanTime") ? SS_ENGINE_LIMITED : SS_ENGINE_LATE;
	if (ret == CL_ETIMEOUT)
		return SS_ENGINE_LATE;
	return ret == CL_VIRUS ? SS_ENGINE_INFECTED : SS_ENGINE_FAILED;
}
