// SPDX-License-Identifier: GPL-2.0
/*
 * The parts that all commands of smtpsplice share: dispatch, help, errors, the socket.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/text.h"

#define DUMP_TRIES	5

const char *ss_cli_quote(const char *text)
{
	static char buf[96];

	ss_text_clean_str(SS_TEXT_PRINT, buf, sizeof(buf), text);
	return buf;
}

int ss_cli_usage(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "smtpsplice: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	return SS_CLI_USAGE;
}

void ss_cli_help(const char *group, const struct ss_cli_command *table,
		 const char *more)
{
	printf("Usage:\n");
	for (; table->name; table++)
		printf("  %s %s%s%s\n      %s\n", group, table->name,
		       *table->usage ? " " : "", table->usage, table->about);
	if (more)
		printf("\n%s", more);
}

bool ss_cli_wants_help(const struct ss_cli *cli)
{
	return cli->argc && (!strcmp(cli->argv[0], "help") ||
			     !strcmp(cli->argv[0], "--help") ||
			     !strcmp(cli->argv[0], "-h"));
}

int ss_cli_dispatch(struct ss_cli *cli, const char *group,
		    const struct ss_cli_command *table, const char *more)
{
	const struct ss_cli_command *c;

	if (ss_cli_wants_help(cli)) {
		ss_cli_help(group, table, more);
		return SS_CLI_OK;
	}
	if (!cli->argc)
		return ss_cli_usage("command missing, try \"%s help\"", group);
	for (c = table; c->name; c++) {
		if (strcmp(c->name, cli->argv[0]))
			continue;
		cli->argc--;
		cli->argv++;
		return c->run(cli);
	}
	return ss_cli_usage("unknown command \"%s\", try \"%s help\"",
			    ss_cli_quote(cli->argv[0]), group);
}

int ss_cli_connect(struct ss_cli *cli)
{
	int ret = ss_genl_open(&cli->genl);

	if (ret == -ENOENT)
		return ss_cli_usage("kernel module smtpsplice is not loaded (family \"%s\" not found)",
				    SMTPSPLICE_FAMILY_NAME);
	if (ret)
		return ss_cli_failed(cli, ret, "netlink", NULL);
	return SS_CLI_OK;
}

int ss_cli_ask(struct ss_cli *cli, int cmd, int flags, int (*begin)(void *arg),
	       ss_genl_fn take, void *arg)
{
	int ret, tries = DUMP_TRIES;

	do {
		ret = begin(arg);
		if (ret)
			return ret;
		ret = ss_genl_call(&cli->genl, ss_genl_message(&cli->genl, cmd, flags), take, arg);
	} while (ret == -EINTR && --tries);
	return ret;
}

int ss_cli_send(struct ss_cli *cli, struct nl_msg *msg, bool bad, const char *what,
		const char *name)
{
	int ret;

	if (bad && msg) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = ss_genl_call(&cli->genl, msg, NULL, NULL);
	return ret ? ss_cli_failed(cli, ret, what, name) : SS_CLI_OK;
}

int ss_cli_failed(const struct ss_cli *cli, int error, const char *what,
		  const char *name)
{
	fprintf(stderr, "smtpsplice: %s", what);
	if (name)
		fprintf(stderr, " \"%s\"", ss_cli_quote(name));
	if (cli->genl.extack[0])
		fprintf(stderr, ": %s (%s)\n", cli->genl.extack, strerror(-error));
	else if (error == -EPERM)
		fprintf(stderr, ": %s (CAP_NET_ADMIN is needed)\n", strerror(-error));
	else
		fprintf(stderr, ": %s\n", strerror(-error));
	return SS_CLI_FAILED;
}

void ss_cli_print_json(struct json_object *obj)
{
	const int how = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;

	printf("%s\n", json_object_to_json_string_ext(obj, how));
}

void ss_cli_cleanup_json(struct json_object **obj)
{
	if (*obj)
		json_object_put(*obj);
}

void ss_cli_cleanup_msg(struct nl_msg **msg)
{
	if (*msg)
		nlmsg_free(*msg);
}

bool ss_cli_number(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned int digit = *text - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
		if (v > max)
			return false;
	}
	*value = v;
	return true;
}
