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

bool ss_args_is_text(enum ss_text_mode mode, const char *text, size_t max)
{
	char clean[SMTPSPLICE_REPLACEMENT_MAX + 1];
	size_t len = strlen(text);

	return len && len <= max &&
	       ss_text_clean(mode, clean, sizeof(clean), text, len) == len &&
	       !memcmp(clean, text, len);
}

/* Read on until there is no more, or @size bytes. Return: how many, or -1. */
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
		snprintf(why, SS_ARGS_WHY_SIZE, "file \"%s\" is larger than %zu bytes",
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

const char *ss_args_article(const char *noun)
{
	return strchr("aeiou", *noun) ? "an" : "a";
}

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
