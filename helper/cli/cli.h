/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_CLI_CLI_H
#define SS_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "proto/genl.h"

/* Exit statuses */
enum {
	SS_CLI_OK	= 0,
	SS_CLI_FAILED	= 1,	/* the kernel refused, or something failed */
	SS_CLI_USAGE	= 2,	/* bad input, or the module is not loaded */
};

struct ss_cmd_profile_class;

/**
 * struct ss_cli - What one run of smtpsplice is about.
 * @json: print JSON
 * @argc: words behind the command's own name
 * @argv: those words; @argv[@argc] is NULL
 * @profiles: the class of profiles that the command is about, or NULL
 * @genl: the socket, once ss_cli_connect() opened it
 */
struct ss_cli {
	bool json;
	int argc;
	char **argv;
	const struct ss_cmd_profile_class *profiles;
	struct ss_genl genl;
};

/**
 * struct ss_cli_command - An entry of a dispatch table.
 * @name: what the user types
 * @run: does it; returns an exit status
 * @usage: its arguments, one line
 * @about: what it does, a few words
 */
struct ss_cli_command {
	const char *name;
	int (*run)(struct ss_cli *cli);
	const char *usage;
	const char *about;
};

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
		    const struct ss_cli_command *table, const char *more);

/**
 * ss_cli_help() - Print a table of commands.
 * @group: the words in front of the commands' names
 * @table: the commands, ends with an empty one
 * @more: printed behind it, or NULL
 */
void ss_cli_help(const char *group, const struct ss_cli_command *table,
		 const char *more);

/**
 * ss_cli_wants_help() - Check for the word help.
 * @cli: the run
 *
 * Return: whether it is the first word.
 */
bool ss_cli_wants_help(const struct ss_cli *cli);

/**
 * ss_cli_usage() - Say what is wrong with the input, in one line.
 * @fmt: printf format, without a newline
 *
 * Return: SS_CLI_USAGE.
 */
int ss_cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * ss_cli_connect() - Open the socket.
 * @cli: the run
 *
 * Return: SS_CLI_OK, or another exit status with the error printed.
 */
int ss_cli_connect(struct ss_cli *cli);

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
	       ss_genl_fn take, void *arg);

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
		const char *name);

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
		  const char *name);

/**
 * ss_cli_print_json() - Print what a user of -j reads.
 * @obj: the object or array
 */
void ss_cli_print_json(struct json_object *obj);

/**
 * ss_cli_cleanup_json() - For a variable that drops its JSON itself.
 * @obj: the variable, NULL is none
 */
void ss_cli_cleanup_json(struct json_object **obj);

/**
 * ss_cli_cleanup_msg() - For a variable that frees its message itself.
 * @msg: the variable, NULL is none
 */
void ss_cli_cleanup_msg(struct nl_msg **msg);

/**
 * ss_cli_quote() - Make a word of the user fit for an error message.
 * @text: the word
 *
 * Return: a static buffer that the next call overwrites.
 */
const char *ss_cli_quote(const char *text);

/**
 * ss_cli_number() - Read a decimal number, digits alone.
 * @text: the text
 * @max: the largest that is allowed
 * @value: the number
 *
 * Return: whether it is one.
 */
bool ss_cli_number(const char *text, uint64_t max, uint64_t *value);

int ss_cmd_policy(struct ss_cli *cli);
int ss_cmd_tls(struct ss_cli *cli);

/**
 * ss_cmd_av() - smtpsplice av.
 * @cli: the run
 *
 * Return: an exit status.
 */
int ss_cmd_av(struct ss_cli *cli);

int ss_cmd_ca(struct ss_cli *cli);
int ss_cmd_quarantine(struct ss_cli *cli);
int ss_cmd_show(struct ss_cli *cli);

/**
 * ss_cmd_show_engine() - Show what smtpspliced has said of its engine.
 * @cli: the run; its words are those behind "engine"
 *
 * Return: an exit status.
 */
int ss_cmd_show_engine(struct ss_cli *cli);

int ss_cmd_set(struct ss_cli *cli);
int ss_cmd_monitor(struct ss_cli *cli);

#endif /* SS_CLI_CLI_H */
