// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice show engine: what the state file of smtpspliced says.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/cli.h"
#include "common/conf.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define MAX_FILE	65536	/* bytes; it has some hundred */
#define MAX_DEPTH	8
#define TEXT_SIZE	1024
#define DAY		86400

static const char engine_text[] =
	"Usage:\n"
	"  smtpsplice show engine [state FILE]\n"
	"      which signatures are in service, how old they are, and how the last\n"
	"      reload went, as smtpspliced has left it in FILE (" SS_STATE_FILE ")\n";

static int64_t get_number(struct json_object *obj, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(obj, key, &value) ? json_object_get_int64(value) : 0;
}

static const char *get_text(char buf[TEXT_SIZE], struct json_object *obj, const char *key)
{
	struct json_object *value;
	const char *s = NULL;

	if (json_object_object_get_ex(obj, key, &value))
		s = json_object_get_string(value);
	ss_text_clean_str(SS_TEXT_PRINT, buf, TEXT_SIZE, s && *s ? s : "-");
	return buf;
}

static const char *get_date(char buf[TEXT_SIZE], struct json_object *obj, const char *key)
{
	time_t when = get_number(obj, key);
	struct tm tm;

	if (when <= 0 || !localtime_r(&when, &tm) ||
	    !strftime(buf, TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &tm))
		strcpy(buf, "-");
	return buf;
}

/* Member @key of @obj where it is of this type, or NULL */
static struct json_object *get_member(struct json_object *obj, const char *key,
				      enum json_type type)
{
	struct json_object *value;

	return json_object_object_get_ex(obj, key, &value) &&
	       json_object_is_type(value, type) ? value : NULL;
}

/* When the newest database was built, or 0 */
static int64_t find_newest(struct json_object *state)
{
	struct json_object *list = get_member(state, "databases", json_type_array);
	int64_t built = 0;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		int64_t one = get_number(json_object_array_get_idx(list, i), "built");

		if (one > built)
			built = one;
	}
	return built;
}

/* Add what may have changed since the file was written: age, and whether it runs */
static void add_what_is_now(struct json_object *state)
{
	int64_t built = find_newest(state), now = time(NULL), pid = get_number(state, "pid");
	bool running = pid > 0 && pid <= INT32_MAX && (!kill(pid, 0) || errno == EPERM);

	if (built > 0)
		json_object_object_add(state, "age-days",
				       json_object_new_int64(now > built ?
							     (now - built) / DAY : 0));
	json_object_object_add(state, "running", json_object_new_boolean(running));
}

static void print_databases(struct json_object *state)
{
	struct json_object *list = get_member(state, "databases", json_type_array);
	char name[TEXT_SIZE], built[TEXT_SIZE];

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *db = json_object_array_get_idx(list, i);

		printf("database %s version %lld built %s signatures %lld\n",
		       get_text(name, db, "name"), (long long)get_number(db, "version"),
		       get_date(built, db, "built"), (long long)get_number(db, "signatures"));
	}
}

static void print_reload(struct json_object *state)
{
	struct json_object *reload = get_member(state, "reload", json_type_object);
	char outcome[TEXT_SIZE], when[TEXT_SIZE], error[TEXT_SIZE];

	printf("reload %s", get_text(outcome, reload, "outcome"));
	if (get_number(reload, "time"))
		printf(" %s", get_date(when, reload, "time"));
	if (strcmp(get_text(error, reload, "error"), "-"))
		printf(": %s", error);
	printf("\n");
}

static void print_state(struct json_object *state)
{
	char buf[TEXT_SIZE];

	printf("engine %s\n", get_text(buf, state, "engine"));
	printf("level %lld\n", (long long)get_number(state, "level"));
	printf("signatures %lld\n", (long long)get_number(state, "signatures"));
	printf("loaded %s\n", get_date(buf, state, "loaded"));
	print_databases(state);
	printf("local-files %lld\n", (long long)get_number(state, "local-files"));
	printf("age-days %s\n", get_text(buf, state, "age-days"));
	print_reload(state);
	printf("running %s\n", get_number(state, "running") ? "yes" : "no");
}

/* Return: what the file says, or NULL and an errno in @error */
static struct json_object *read_state(const char *path, int *error)
{
	int fd __cleanup(ss_cleanup_fd) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct json_object *state;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		*error = errno;
		return NULL;
	}
	*error = EBADMSG;
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_FILE)
		return NULL;
	state = json_object_from_fd_ex(fd, MAX_DEPTH);
	if (json_object_is_type(state, json_type_object))
		return state;
	json_object_put(state);
	return NULL;
}

static int failed(const char *path, int error)
{
	fprintf(stderr, "smtpsplice: engine: ");
	if (error == ENOENT)
		fprintf(stderr, "no helper has said anything in %s (see smtpspliced --state)\n",
			ss_cli_quote(path));
	else
		fprintf(stderr, "%s: %s\n", ss_cli_quote(path), strerror(error));
	return SS_CLI_FAILED;
}

int ss_cmd_show_engine(struct ss_cli *cli)
{
	struct json_object *state __cleanup(ss_cli_cleanup_json) = NULL;
	const char *path = SS_STATE_FILE;
	int error;

	if (ss_cli_wants_help(cli)) {
		printf("%s", engine_text);
		return SS_CLI_OK;
	}
	if (cli->argc) {
		if (strcmp(cli->argv[0], "state"))
			return ss_cli_usage("unexpected word \"%s\"", ss_cli_quote(cli->argv[0]));
		if (cli->argc == 1 || !*cli->argv[1])
			return ss_cli_usage("engine: \"state\" needs a value");
		if (cli->argc > 2)
			return ss_cli_usage("unexpected word \"%s\"", ss_cli_quote(cli->argv[2]));
		path = cli->argv[1];
	}
	state = read_state(path, &error);
	if (!state)
		return failed(path, error);
	add_what_is_now(state);
	if (cli->json)
		ss_cli_print_json(state);
	else
		print_state(state);
	return SS_CLI_OK;
}
