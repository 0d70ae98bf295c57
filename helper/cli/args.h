/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_CLI_ARGS_H
#define SS_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"
#include "lib/addr.h"
#include "lib/text.h"

/* Room for what is wrong with a word */
#define SS_ARGS_WHY_SIZE	320

/**
 * typedef ss_args_fn - Takes one part of a list.
 * @arg: the caller's
 * @part: the part, not empty
 * @why: what is wrong with it, SS_ARGS_WHY_SIZE bytes
 *
 * Return: 0, or an errno with @why set.
 */
typedef int (*ss_args_fn)(void *arg, const char *part, char *why);

/**
 * ss_args_is_name() - Check the name of an object.
 * @text: the name
 * @max: the longest that is allowed
 *
 * Return: whether it is printable ASCII without space, double quote and slash.
 */
bool ss_args_is_name(const char *text, size_t max);

/**
 * ss_args_is_text() - Check a text that will be shown.
 * @mode: what it may be made of
 * @text: the text
 * @max: bytes of the longest, at most SMTPSPLICE_REPLACEMENT_MAX
 *
 * Return: whether it is not empty, and ss_text_clean() leaves it as it is.
 */
bool ss_args_is_text(enum ss_text_mode mode, const char *text, size_t max);

/**
 * ss_args_read_file() - Read a file that a word names.
 * @path: its path
 * @max: bytes of the largest
 * @text: what is in it, the caller's to free; NULL after an error
 * @why: what is wrong, SS_ARGS_WHY_SIZE bytes
 *
 * Return: 0, -ENOMEM, or -EINVAL with @why set; a file with a NUL is wrong, too.
 */
int ss_args_read_file(const char *path, size_t max, char **text, char *why);

/**
 * ss_args_each() - Take a comma-separated list apart.
 * @list: the list
 * @one: takes each part
 * @arg: for @one
 * @why: what is wrong, SS_ARGS_WHY_SIZE bytes
 *
 * Return: 0, or an errno; @why is set unless it is -ENOMEM.
 */
int ss_args_each(const char *list, ss_args_fn one, void *arg, char *why);

/**
 * ss_args_port() - Read the name of a service or a port.
 * @text: what was typed
 * @port: the port
 * @why: what is wrong, SS_ARGS_WHY_SIZE bytes
 *
 * Return: 0, or -EINVAL with @why set.
 */
int ss_args_port(const char *text, uint16_t *port, char *why);

/**
 * ss_args_put_prefix() - Append a prefix to a message.
 * @msg: the message
 * @type: the attribute
 * @prefix: the prefix
 *
 * Return: 0, or not where there is no room.
 */
int ss_args_put_prefix(struct nl_msg *msg, int type, const struct ss_prefix *prefix);

/**
 * ss_args_article() - The article of a noun.
 * @noun: the noun
 *
 * Return: "a" or "an".
 */
const char *ss_args_article(const char *noun);

/**
 * ss_args_take_name() - Take the name of an object, which is the first word.
 * @cli: the run
 * @what: what it is a name of
 * @group: the words in front of it, for the hint
 * @name: the name
 *
 * Return: SS_CLI_OK, or SS_CLI_USAGE with the error printed.
 */
int ss_args_take_name(struct ss_cli *cli, const char *what, const char *group,
		      const char **name);

/**
 * ss_args_delete() - Delete the object that the words name.
 * @cli: the run
 * @what: what it is
 * @group: the words in front of its name, for the hint
 * @cmd: the netlink command
 * @type: the attribute of the name
 *
 * Return: an exit status.
 */
int ss_args_delete(struct ss_cli *cli, const char *what, const char *group,
		   int cmd, int type);

#endif /* SS_CLI_ARGS_H */
