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
 * @why: what is wrong with it, SS_ARGS_WHY_SIZE octets
 *
 * Return: 0, or an errno with @why set.
 */
typedef int (*ss_args_fn)(void *arg, const char *part, char *why);

bool ss_args_is_name(const char *text, size_t max);
bool ss_args_is_text(enum ss_text_mode mode, const char *text, size_t max);
int ss_args_read_file(const char *path, size_t max, char **text, char *why);
int ss_args_each(const char *list, ss_args_fn one, void *arg, char *why);
int ss_args_port(const char *text, uint16_t *port, char *why);
int ss_args_put_prefix(struct nl_msg *msg, int type, const struct ss_prefix *prefix);
const char *ss_args_article(const char *noun);
int ss_args_take_name(struct ss_cli *cli, const char *what, const char *group,
		      const char **name);
int ss_args_delete(struct ss_cli *cli, const char *what, const char *group,
		   int cmd, int type);

#endif /* SS_CLI_ARGS_H */
