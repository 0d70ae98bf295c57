// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice show: policies, profiles, sessions, counters, settings.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "lib/cleanup.h"
#include "proto/attrs.h"

/**
 * struct table - Something that show can show.
 * @name: what the user types
 * @set: the attributes of the answer
 * @columns: of a dump's text form; NULL: names with their @options
 * @options: what a profile says
 * @cmd: the netlink command
 * @dump: the answer is any number of messages, not one
 */
struct table {
	const char *name;
	const struct ss_attr_set *set;
	const struct ss_column *columns;
	const struct ss_attr_set *options;
	int cmd;
	bool dump;
};

static const struct ss_column policy_columns[] = {
	{ "POS", "position", NULL, "-" },
	{ "NAME", "name", NULL, "-" },
	{ "IIF", "iif", NULL, "any" },
	{ "SRC", "src", NULL, "any" },
	{ "DST", "dst", NULL, "any" },
	{ "PORT", "port", NULL, "-" },
	{ "MODE", "mode", NULL, "-" },
	{ "TLS", "tls", NULL, "off" },
	{ "AV", "av", NULL, "default" },
	{ "SESSIONS", "sessions", NULL, "-" },
	{ "MESSAGES", "messages", NULL, "-" },
	{}
};

static const struct ss_column session_columns[] = {
	{ "ID", "id", NULL, "-" },
	{ "POLICY", "policy", NULL, "-" },
	{ "STATE", "state", NULL, "-" },
	{ "IIF", "iif", NULL, "-" },
	{ "CLIENT", "client", "client-port", "-" },
	{ "SERVER", "server", "server-port", "-" },
	{ "AGE-MS", "age", NULL, "-" },
	{ "TLS", "tls", NULL, "-" },
	{ "MESSAGES", "messages", NULL, "-" },
	{ "HELD", "held", NULL, "-" },
	{}
};

static const struct table tables[] = {
	{ "policies", &ss_attrs_policy, policy_columns, NULL, SMTPSPLICE_CMD_POLICY_GET, true },
	{ "tls", &ss_attrs_tls, NULL, &ss_attrs_tls_profile, SMTPSPLICE_CMD_TLS_GET, true },
	{ "av", &ss_attrs_av, NULL, &ss_attrs_av_profile, SMTPSPLICE_CMD_AV_GET, true },
	{ "sessions", &ss_attrs_session, session_columns, NULL, SMTPSPLICE_CMD_SESSION_GET, true },
	{ "stats", &ss_attrs_stats, NULL, NULL, SMTPSPLICE_CMD_STATS_GET, false },
	{ "settings", &ss_attrs_settings, NULL, NULL, SMTPSPLICE_CMD_SETTINGS_GET, false },
};

static const char show_text[] =
	"Usage:\n"
	"  smtpsplice show [policies|tls|av|sessions|stats|settings]\n"
	"      print what is named, or all of it\n"
	"  smtpsplice show engine [state FILE]\n"
	"      print which signatures smtpspliced has in service\n"
	"\n"
	"Profiles are printed as a shell would take them behind \"smtpsplice tls add\"\n"
	"and \"smtpsplice av add\". With -j, policies, tls, av and sessions are an array,\n"
	"stats and settings an object, all of it together an object of those six. Sizes\n"
	"are in bytes, times in milliseconds, but that of sender-ban in seconds.\n";

/**
 * struct answer - What the kernel said.
 * @table: the question
 * @array: the answer, an object for each message
 */
struct answer {
	const struct table *table;
	struct json_object *array;
};

static int begin_answer(void *arg)
{
	struct answer *answer = arg;

	ss_cli_cleanup_json(&answer->array);
	answer->array = json_object_new_array();
	return 0;
}

static void take_row(int cmd, struct nlattr *attrs, int len, void *arg)
{
	struct answer *answer = arg;

	(void)cmd;
	json_object_array_add(answer->array,
			      ss_attrs_decode(answer->table->set, attrs, len));
}

/* Ask the kernel. Return: 0 or an errno; @out is the caller's in any case. */
static int ask_table(struct ss_cli *cli, const struct table *t, struct json_object **out)
{
	struct answer answer = { .table = t };
	int ret = ss_cli_ask(cli, t->cmd, t->dump ? NLM_F_DUMP : 0, begin_answer, take_row,
			     &answer);

	*out = answer.array;
	if (!ret && !t->dump) {
		if (!json_object_array_length(answer.array))
			return -EPROTO;
		*out = json_object_get(json_object_array_get_idx(answer.array, 0));
		json_object_put(answer.array);
	}
	return ret;
}

/* Print settings in a form that "set" takes */
static void print_pairs(const struct ss_attr_set *set, struct json_object *obj)
{
	for (int i = 1; i <= set->max; i++) {
		const struct ss_attr *attr = &set->attr[i];
		struct json_object *value;

		if (!json_object_object_get_ex(obj, attr->name, &value))
			continue;
		printf("%s %s%s\n", attr->name, json_object_get_string(value),
		       attr->type == SS_ATTR_MS ? "ms" : "");
	}
}

/* Print a word as a shell takes it */
static void print_word(const char *word)
{
	const char *s = word;

	while (isalnum((unsigned char)*s) || (*s && strchr("-_.,:/", *s)))
		s++;
	if (*word && !*s) {
		printf("%s", word);
		return;
	}
	putchar('\'');
	for (; *word; word++)
		if (*word == '\'')
			printf("'\\''");
		else
			putchar(*word);
	putchar('\'');
}

/*
 * Call @fn with each pair of words that an option is.
 * Return: whether one of its values begins with "-".
 */
static bool each_option(const struct ss_attr *attr, struct json_object *value,
			void (*fn)(const char *option, const char *value))
{
	bool each = !strcmp(attr->name, "exempt-regex"), dash = false;
	bool list = json_object_is_type(value, json_type_array);
	size_t n = each ? json_object_array_length(value) : 1;
	char cell[SS_TABLE_CELL_SIZE];

	for (size_t i = 0; i < n; i++) {
		ss_table_format(cell, each ? json_object_array_get_idx(value, i) : value);
		/* A list that is there, but empty */
		if (list && !json_object_array_length(value))
			strcpy(cell, "none");
		dash |= *cell == '-';
		if (fn)
			fn(attr->name, cell);
	}
	return dash;
}

static void print_option(const char *option, const char *value)
{
	printf(" \\\n  %s ", option);
	print_word(value);
}

/* Call @fn as each_option() does, for all options of a profile */
static bool each_of_all(const struct ss_attr_set *set, struct json_object *row,
			void (*fn)(const char *option, const char *value))
{
	struct json_object *value;
	bool dash = false;

	for (int type = 1; type <= set->max; type++)
		if (json_object_object_get_ex(row, set->attr[type].name, &value))
			dash |= each_option(&set->attr[type], value, fn);
	return dash;
}

/* Print profiles in a form that "tls add" and "av add" take */
static void print_profiles(const struct ss_attr_set *set, struct json_object *rows)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i), *value;
		const char *name = "?";

		if (json_object_object_get_ex(row, "name", &value))
			name = json_object_get_string(value);
		if (*name == '-' || each_of_all(set, row, NULL))
			printf("-- ");
		print_word(name);
		each_of_all(set, row, print_option);
		printf("\n");
	}
}

static void print_text(const struct table *t, struct json_object *answer)
{
	if (!t->dump)
		print_pairs(t->set, answer);
	else if (t->columns)
		ss_table_print(t->columns, answer);
	else
		print_profiles(t->options, answer);
}

static int show_one(struct ss_cli *cli, const struct table *t)
{
	struct json_object *answer __cleanup(ss_cli_cleanup_json) = NULL;
	int ret = ask_table(cli, t, &answer);

	if (ret)
		return ss_cli_failed(cli, ret, t->name, NULL);
	if (cli->json)
		ss_cli_print_json(answer);
	else
		print_text(t, answer);
	return SS_CLI_OK;
}

static int show_all(struct ss_cli *cli)
{
	struct json_object *all __cleanup(ss_cli_cleanup_json) = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct json_object *answer = NULL;
		int ret = ask_table(cli, &tables[i], &answer);

		json_object_object_add(all, tables[i].name, answer);
		if (ret)
			return ss_cli_failed(cli, ret, tables[i].name, NULL);
		if (cli->json)
			continue;
		printf("%s%s:\n", i ? "\n" : "", tables[i].name);
		print_text(&tables[i], answer);
	}
	if (cli->json)
		ss_cli_print_json(all);
	return SS_CLI_OK;
}

int ss_cmd_show(struct ss_cli *cli)
{
	const struct table *t = NULL;
	int ret;

	if (ss_cli_wants_help(cli) ||
	    (cli->argc > 1 && !strcmp(cli->argv[1], "help"))) {
		printf("%s", show_text);
		return SS_CLI_OK;
	}
	/* Of this the kernel knows nothing */
	if (cli->argc && !strcmp(cli->argv[0], "engine")) {
		cli->argc--;
		cli->argv++;
		return ss_cmd_show_engine(cli);
	}
	for (size_t i = 0; cli->argc && i < ARRAY_SIZE(tables); i++)
		if (!strcmp(tables[i].name, cli->argv[0]))
			t = &tables[i];
	if (cli->argc && !t)
		return ss_cli_usage("cannot show \"%s\", try \"smtpsplice show help\"",
				    ss_cli_quote(cli->argv[0]));
	if (cli->argc > 1)
		return ss_cli_usage("unexpected word \"%s\"", ss_cli_quote(cli->argv[1]));
	ret = ss_cli_connect(cli);
	if (ret)
		return ret;
	return t ? show_one(cli, t) : show_all(cli);
}
