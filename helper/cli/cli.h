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

int ss_cli_dispatch(struct ss_cli *cli, const char *group,
		    const struct ss_cli_command *table, const char *more);
void ss_cli_help(const char *group, const struct ss_cli_command *table,
		 const char *more);
bool ss_cli_wants_help(const struct ss_cli *cli);
int ss_cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int ss_cli_connect(struct ss_cli *cli);
int ss_cli_ask(struct ss_cli *cli, int cmd, int flags, int (*begin)(void *arg),
	       ss_genl_fn take, void *arg);
int ss_cli_send(struct ss_cli *cli, struct nl_msg *msg, bool bad, const char *what,
		const char *name);
int ss_cli_failed(const struct ss_cli *cli, int error, const char *what,
		  const char *name);
void ss_cli_print_json(struct json_object *obj);
void ss_cli_cleanup_json(struct json_object **obj);
void ss_cli_cleanup_msg(struct nl_msg **msg);
const char *ss_cli_quote(const char *text);
bool ss_cli_number(const char *text, uint64_t max, uint64_t *value);

int ss_cmd_policy(struct ss_cli *cli);
int ss_cmd_tls(struct ss_cli *cli);
int ss_cmd_av(struct ss_cli *cli);
int ss_cmd_ca(struct ss_cli *cli);
int ss_cmd_quarantine(struct ss_cli *cli);
int ss_cmd_show(struct ss_cli *cli);
int ss_cmd_show_engine(struct ss_cli *cli);
int ss_cmd_set(struct ss_cli *cli);
int ss_cmd_monitor(struct ss_cli *cli);

#endif /* SS_CLI_CLI_H */
