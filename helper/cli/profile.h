/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_CLI_PROFILE_H
#define SS_CLI_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"
#include "proto/attrs.h"

/* Empties a list, or takes the place of a name, a text or a limit */
#define SS_CMD_PROFILE_NONE	"none"

/* Most attributes of a class, with the type 0, which none has */
#define SS_CMD_PROFILE_ATTRS	64

/**
 * struct ss_cmd_profile - A profile as it was typed.
 * @class: what it is
 * @name: its name
 * @attrs: a message of the attributes that were given
 * @seen: which options were given, see SS_CMD_PROFILE_BIT()
 * @count: values given for each attribute, by its type
 */
struct ss_cmd_profile {
	const struct ss_cmd_profile_class *class;
	const char *name;
	struct nl_msg *attrs;
	uint64_t seen;
	unsigned int count[SS_CMD_PROFILE_ATTRS];
};

/* The bit of the option that the attribute @type is */
#define SS_CMD_PROFILE_BIT(type)	(1ull << (type))

/**
 * struct ss_cmd_profile_class - A class of profiles.
 * @noun: what an error calls one
 * @group: the words in front of its commands
 * @help: what is said below those
 * @off: why none has the name "off"
 * @options: the attributes of one; what they are named is what the user types
 * @cmd_add: netlink command that adds one
 * @cmd_set: netlink command that replaces one
 * @cmd_del: netlink command that deletes one
 * @cmd_get: netlink command that lists them
 * @repeat: the bits of the options that may be given more than once
 * @take_value: takes the value of an option that is no SS_ATTR_ENUM into
 *   ss_cmd_profile.attrs; returns 0, or an errno with the last argument set, which
 *   has SS_ARGS_WHY_SIZE bytes, unless it is -ENOMEM
 * @check: sees what cannot be seen by one option alone, or NULL; @whole: what is
 *   not given is not there, else it may be in the profile that is to be changed;
 *   returns SS_CLI_OK, or SS_CLI_USAGE with the error printed
 */
struct ss_cmd_profile_class {
	const char *noun;
	const char *group;
	const char *help;
	const char *off;
	const struct ss_attr_set *options;
	int cmd_add;
	int cmd_set;
	int cmd_del;
	int cmd_get;
	uint64_t repeat;
	int (*take_value)(struct ss_cmd_profile *p, int type, const char *value, char *why);
	int (*check)(const struct ss_cmd_profile *p, bool whole);
};

/**
 * ss_cmd_profile_main() - Run a command about profiles.
 * @cli: the run
 * @class: their class
 *
 * Return: an exit status.
 */
int ss_cmd_profile_main(struct ss_cli *cli, const struct ss_cmd_profile_class *class);

/**
 * ss_cmd_profile_count() - Count one more value of an option.
 * @p: the profile
 * @type: the attribute
 * @max: how many there may be
 * @why: what is wrong, SS_ARGS_WHY_SIZE bytes
 *
 * Return: 0, or -EINVAL with @why set.
 */
int ss_cmd_profile_count(struct ss_cmd_profile *p, int type, unsigned int max, char *why);

/**
 * ss_cmd_profile_value() - Look a value up by its name.
 * @names: the names
 * @word: the name
 * @why: what is wrong, SS_ARGS_WHY_SIZE bytes
 *
 * Return: the value, or -EINVAL with @why set.
 */
int ss_cmd_profile_value(const struct ss_names *names, const char *word, char *why);

/**
 * ss_cmd_profile_find() - Look up what was given.
 * @p: the profile
 * @type: the attribute
 *
 * Return: its first value, or NULL.
 */
struct nlattr *ss_cmd_profile_find(const struct ss_cmd_profile *p, int type);

#endif /* SS_CLI_PROFILE_H */
