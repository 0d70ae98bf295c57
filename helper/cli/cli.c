// SPDX-License-Identifier: GPL-2.0
/*
 * What the commands of smtpsplice share: dispatch, help, errors, the socket.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/text.h"

#define DUMP_TRIES	5

/**
 * ss_cli_quote() - Make a word of the user fit for an error message.
 * @text: the word
 *
 * Return: a static buffer that the next call overwrites.
 */
const char *ss_cli_quote(const char *text)
{
	static char buf[96];

	ss_text_clean_str(SS_TEXT_PRINT, buf, sizeof(buf), text);
	return buf;
}

/**
 * ss_cli_usage() - Say what is wrong with the input, in one line.
 * @fmt: printf format, without a newline
 *
 * Return: SS_CLI_USAGE.
 */
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

/**
 * ss_cli_help() - Print a table of commands.
 * @group: the words in front of the commands' names
 * @table: the commands, ends with an empty one
 * @more: printed behind it, or NULL
 */
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

/**
 * ss_cli_wants_help() - Check for the word help.
 * @cli: the run
 *
 * Return: whether it is the first word.
 */
bool ss_cli_wants_help(const struct ss_cli *cli)
{
	return cli->argc && (!strcmp(cli->argv[0], "help") ||
			     !strcmp(cli->argv[0], "--help") ||
			     !strcmp(cli->argv[0], "-h"));
}

/**
 * ss_cli_dispatch() - Run the command that the first word names.
 * @cli: the run
 * @group: the words in front of it
 * @table: the commands, ends with an empty one
 * @more: more text for its help, or NULL
 *
 * Return: an exit status.
 */
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

/**
 * ss_cli_connect() - Open the socket.
 * @cli: the run
 *
 * Return: SS_CLI_OK, or another exit status with the error printed.
 */
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

/**
 * ss_cli_ask() - Ask the kernel for what it has.
 * @cli: the run
 * @cmd: the netlink command
 * @flags: NLM_F_DUMP for a list, or 0
 * @begin: called before @take gets anything, again where the list has changed
 *   under way; returns 0 or an errno
 * @take: takes each message of the answer
 * @arg: for both
 *
 * Return: 0 or an errno, -EINTR where the list went on to change.
 */
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

/**
 * ss_cli_send() - Tell the kernel what it is to do.
 * @cli: the run
 * @msg: the request, freed here, or NULL (no memory)
 * @bad: it has not all that it should have: no room
 * @what: the object that it is about, for the error
 * @name: its name, or NULL
 *
 * Return: SS_CLI_OK, or SS_CLI_FAILED with the error printed.
 */
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

/**
 * ss_cli_failed() - Say why the kernel refused a request, in one line.
 * @cli: the run
 * @error: the errno, negative
 * @what: the object
 * @name: its name, or NULL
 *
 * Return: SS_CLI_FAILED.
 */
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

/**
 * ss_cli_print_json() - Print what a user of -j reads.
 * @obj: the object or array
 */
void ss_cli_print_json(struct json_object *obj)
{
	const int how = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE;

	printf("%s\n", json_object_to_json_string_ext(obj, how));
}

/**
 * ss_cli_cleanup_json() - For a variable that drops its JSON itself.
 * @obj: the variable, NULL is none
 */
void ss_cli_cleanup_json(struct json_object **obj)
{
	if (*obj)
		json_object_put(*obj);
}

/**
 * ss_cli_cleanup_msg() - For a variable that frees its message itself.
 * @msg: the variable, NULL is none
 */
void ss_cli_cleanup_msg(struct nl_msg **msg)
{
	if (*msg)
		nlmsg_free(*msg);
}

/**
 * ss_cli_number() - Read a decimal number, digits alone.
 * @text: the text
 * @max: the largest that is allowed
 * @value: the number
 *
 * Return: whether it is one.
 */
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
