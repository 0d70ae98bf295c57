// SPDX-License-Identifier: GPL-2.0
/*
 * The state file: which engine is in service and what became of the last
 * reload, as JSON, for "smtpsplice show engine". The kernel knows nothing of
 * that, and a file needs no socket that somebody may ask too much of. It is put
 * in place whole, by rename. Nothing in it is secret.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "broker/state_file.h"
#include "lib/cleanup.h"
#include "lib/process.h"
#include "lib/text.h"

#define PATH_SIZE	4096

static const char *const reloads[] = {
	[SS_STATE_FILE_NONE] = "none",
	[SS_STATE_FILE_LOADING] = "loading",
	[SS_STATE_FILE_DONE] = "done",
	[SS_STATE_FILE_FAILED] = "failed",
};

static void put_text(struct json_object *obj, const char *key, const char *value)
{
	char clean[PATH_SIZE];

	ss_text_clean_str(SS_TEXT_PRINT, clean, sizeof(clean), value);
	json_object_object_add(obj, key, json_object_new_string(clean));
}

static void put_number(struct json_object *obj, const char *key, int64_t value)
{
	json_object_object_add(obj, key, json_object_new_int64(value));
}

static struct json_object *list_databases(const struct ss_database_info *db)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t i = 0; i < db->count; i++) {
		struct json_object *obj = json_object_new_object();

		put_text(obj, "name", db->files[i].name);
		put_number(obj, "version", db->files[i].version);
		put_number(obj, "built", db->files[i].built);
		put_number(obj, "signatures", db->files[i].signatures);
		json_object_array_add(list, obj);
	}
	return list;
}

static struct json_object *describe_state(const struct ss_state_file *s)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *reload = json_object_new_object();

	put_text(obj, "engine", s->engine.version);
	put_number(obj, "level", s->engine.level);
	put_number(obj, "signatures", s->engine.msg.value);
	put_number(obj, "loaded", s->engine.loaded);
	put_text(obj, "database", s->conf->database);
	json_object_object_add(obj, "databases", list_databases(&s->engine.db));
	put_number(obj, "local-files", s->engine.db.local);
	put_text(reload, "outcome", reloads[s->reload]);
	if (s->when)
		put_number(reload, "time", s->when);
	if (s->reload == SS_STATE_FILE_FAILED)
		put_text(reload, "error", s->error);
	json_object_object_add(obj, "reload", reload);
	/* The supervisor, which lives as long as the helper */
	put_number(obj, "pid", getppid());
	return obj;
}

/* Make the last folder of the path, not those above it */
static void make_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_SIZE];

	if (!slash || slash == path || slash - path >= (int)sizeof(dir))
		return;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	mkdir(dir, 0755);
}

static int write_all(const char *path, const char *text)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	size_t len = strlen(text);

	/* A file or link that was left here, maybe by another, is not written through */
	if (unlink(path) && errno != ENOENT)
		return -errno;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || fchmod(fd, 0644))
		return -errno;
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			return -errno;
		text += n;
		len -= n;
	}
	return 0;
}

static int write_state(const struct ss_state_file *s)
{
	const int how = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;
	struct json_object *obj;
	char path[PATH_SIZE];
	int ret;

	if (snprintf(path, sizeof(path), "%s.new", s->conf->state) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	make_folder(path);
	obj = describe_state(s);
	ret = write_all(path, json_object_to_json_string_ext(obj, how));
	json_object_put(obj);
	if (!ret && rename(path, s->conf->state))
		ret = -errno;
	return ret;
}

void ss_state_file_note(struct ss_state_file *s, enum ss_state_file_reload reload,
			const char *error)
{
	int ret;

	s->reload = reload;
	s->when = reload == SS_STATE_FILE_NONE ? 0 : time(NULL);
	snprintf(s->error, sizeof(s->error), "%s", error ? error : "");
	if (!s->conf->state)
		return;
	ret = write_state(s);
	if (ret && !s->mute)
		ss_process_say("cannot write %s: %s", s->conf->state, strerror(-ret));
	s->mute = ret;
}
