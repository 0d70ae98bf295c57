// SPDX-License-Identifier: GPL-2.0
/*
 * Words on the command line that several commands of smtpsplice take.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>

#include "cli/args.h"
#include "lib/cleanup.h"

static const struct {
	const char *name;
	uint16_t port;
} services[] = {
	{ "smtp", 25 },
	{ "smtps", 465 },
	{ "submission", 587 },
};

/**
 * ss_args_is_name() - Check the name of an object.
 * @text: the name
 * @max: the longest that is allowed
 *
 * Return: whether it is printable ASCII without space, double quote and slash.
 */
bool ss_args_is_name(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (!len || len > max)
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || *text == '"' || *text == '/')
			return false;
	return true;
}

/**
 * ss_args_is_text() - Check a text that will be shown.
 * @mode: what it may be made of
 * @text: the text
 * @max: octets of the longest, at most SMTPSPLICE_REPLACEMENT_MAX
 *
 * Return: whether it is not empty, and ss_text_clean() leaves it as it is.
 */
bool ss_args_is_text(enum ss_text_mode mode, const char *text, size_t max)
{
	char clean[SMTPSPLICE_REPLACEMENT_MAX + 1];
	size_t len = strlen(text);

	return len && len <= max &&
	       ss_text_clean(mode, clean, sizeof(clean), text, len) == len &&
	       !memcmp(clean, text, len);
}

/* Read on until there is no more, or @size octets. Return: how many, or -1. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, buf + len, size - len);
		if (n > 0)
			len += n;
	} while ((n > 0 && len < size) || (n < 0 && errno == EINTR));
	return n < 0 ? -1 : (ssize_t)len;
}

/**
 * ss_args_read_file() - Read a file that a word names.
 * @path: its path
 * @max: octets of the largest
 * @text: what is in it, the caller's to free; NULL after an error
 * @why: what is wrong, SS_ARGS_WHY_SIZE octets
 *
 * Return: 0, -ENOMEM, or -EINVAL with @why set; a file with a NUL is wrong, too.
 */
int ss_args_read_file(const char *path, size_t max, char **text, char *why)
{
	int fd __cleanup(ss_cleanup_fd) = open(path, O_RDONLY | O_CLOEXEC);
	char *buf __cleanup(ss_cleanup_free) = malloc(max + 1);
	ssize_t len;

	*text = NULL;
	if (!buf)
		return -ENOMEM;
	len = fd < 0 ? -1 : read_all(fd, buf, max + 1);
	if (len < 0) {
		snprintf(why, SS_ARGS_WHY_SIZE, "file \"%s\": %m", ss_cli_quote(path));
	} else if ((size_t)len > max) {
		snprintf(why, SS_ARGS_WHY_SIZE, "file \"%s\" is larger than %zu octets",
			 ss_cli_quote(path), max);
	} else if (memchr(buf, '\0', len)) {
		snprintf(why, SS_ARGS_WHY_SIZE, "file \"%s\" is not text",
			 ss_cli_quote(path));
	} else {
		buf[len] = '\0';
		*text = buf;
		buf = NULL;
		return 0;
	}
	return -EINVAL;
}

/**
 * ss_args_each() - Take a comma-separated list apart.
 * @list: the list
 * @one: takes each part
 * @arg: for @one
 * @why: what is wrong, SS_ARGS_WHY_SIZE octets
 *
 * Return: 0, or an errno; @why is set unless it is -ENOMEM.
 */
int ss_args_each(const char *list, ss_args_fn one, void *arg, char *why)
{
	char *copy __cleanup(ss_cleanup_free) = strdup(list);
	char *rest = copy, *part;
	int ret;

	if (!copy)
		return -ENOMEM;
	while ((part = strsep(&rest, ","))) {
		if (!*part) {
			snprintf(why, SS_ARGS_WHY_SIZE, "\"%s\" has an empty part",
				 ss_cli_quote(list));
			return -EINVAL;
		}
		ret = one(arg, part, why);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * ss_args_port() - Read the name of a service or a port.
 * @text: what was typed
 * @port: the port
 * @why: what is wrong, SS_ARGS_WHY_SIZE octets
 *
 * Return: 0, or -EINVAL with @why set.
 */
int ss_args_port(const char *text, uint16_t *port, char *why)
{
	uint64_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (!strcmp(services[i].name, text))
			n = services[i].port;
	if (!n && (!ss_cli_number(text, 65535, &n) || !n)) {
		snprintf(why, SS_ARGS_WHY_SIZE,
			 "\"%s\" is not a service (smtp, smtps, submission or a port from 1 to 65535)",
			 ss_cli_quote(text));
		return -EINVAL;
	}
	*port = n;
	return 0;
}

/**
 * ss_args_put_prefix() - Append a prefix to a message.
 * @msg: the message
 * @type: the attribute
 * @prefix: the prefix
 *
 * Return: 0, or not where there is no room.
 */
int ss_args_put_prefix(struct nl_msg *msg, int type, const struct ss_prefix *prefix)
{
	struct nlattr *nest = nla_nest_start(msg, NLA_F_NESTED | type);
	int bad;

	if (!nest)
		return -ENOMEM;
	bad = nla_put(msg, SMTPSPLICE_A_PREFIX_ADDR, prefix->size, prefix->addr);
	bad |= nla_put_u8(msg, SMTPSPLICE_A_PREFIX_LEN, prefix->len);
	nla_nest_end(msg, nest);
	return bad;
}

/**
 * ss_args_article() - The article of a noun.
 * @noun: the noun
 *
 * Return: "a" or "an".
 */
const char *ss_args_article(const char *noun)
{
	return strchr("aeiou", *noun) ? "an" : "a";
}

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
		      const char **name)
{
	if (!cli->argc)
		return ss_cli_usage("%s name missing, try \"%s help\"", what, group);
	*name = cli->argv[0];
	if (!ss_args_is_name(*name, SMTPSPLICE_NAME_MAX))
		return ss_cli_usage("\"%s\" is not %s %s name (1 to %d printable characters without space, \" and /)",
				    ss_cli_quote(*name), ss_args_article(what), what,
				    SMTPSPLICE_NAME_MAX);
	cli->argc--;
	cli->argv++;
	return SS_CLI_OK;
}

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
		   int cmd, int type)
{
	const char *name = NULL;
	struct nl_msg *msg;
	int ret;

	ret = ss_args_take_name(cli, what, group, &name);
	if (ret)
		return ret;
	if (cli->argc)
		return ss_cli_usage("%s \"%s\": unexpected word \"%s\"", what, name,
				    ss_cli_quote(cli->argv[0]));
	ret = ss_cli_connect(cli);
	if (ret)
		return ret;
	msg = ss_genl_message(&cli->genl, cmd, 0);
	return ss_cli_send(cli, msg, !msg || nla_put_string(msg, type, name), what, name);
}
