// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice policy: which flows are inspected.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>

#include "addr.h"
#include "cleanup.h"
#include "cli.h"

#define WHY_SIZE	192

/**
 * struct policy - A policy as it was typed.
 * @name: its name
 * @iif: input interface, NULL is any
 * @src: source prefixes
 * @dst: destination prefixes
 * @port: destination ports
 * @src_count: number of @src
 * @dst_count: number of @dst
 * @port_count: number of @port
 * @position: place in the list, 0 is the end
 * @seen: which words were given, a bit for each entry of words[]
 */
struct policy {
	const char *name;
	const char *iif;
	struct ss_prefix src[SMTPSPLICE_PREFIX_MAX];
	struct ss_prefix dst[SMTPSPLICE_PREFIX_MAX];
	uint16_t port[SMTPSPLICE_PREFIX_MAX];
	unsigned int src_count;
	unsigned int dst_count;
	unsigned int port_count;
	uint32_t position;
	unsigned int seen;
};

static const struct {
	const char *name;
	uint16_t port;
} services[] = {
	{ "smtp", 25 },
	{ "smtps", 465 },
	{ "submission", 587 },
};

static const char policy_text[] =
	"NAME      up to 31 characters\n"
	"IFACE     the interface that clients come in by; any where absent\n"
	"PREFIX    10.0.2.0/24, fd00:2::/64 or one address; any where absent\n"
	"SERVICE   smtp (25), smtps (465), submission (587) or a port number;\n"
	"          smtp where absent. \"port\" is another word for \"service\".\n"
	"N         place in the list, from 1; the end where absent\n"
	"\n"
	"The first policy that matches a connection wins. What matches none is\n"
	"forwarded untouched.\n";

static bool valid_word(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (!len || len > max)
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || *text == '"' || *text == '/')
			return false;
	return true;
}

/* Call @one for each part of a comma-separated list */
static int each_part(const char *list,
		     int (*one)(struct policy *p, const char *part, char *why),
		     struct policy *p, char *why)
{
	char *copy __cleanup(ss_cleanup_free) = strdup(list);
	char *rest = copy, *part;
	int ret;

	if (!copy)
		return -ENOMEM;
	while ((part = strsep(&rest, ","))) {
		if (!*part) {
			snprintf(why, WHY_SIZE, "\"%s\" has an empty part",
				 ss_cli_quote(list));
			return -EINVAL;
		}
		ret = one(p, part, why);
		if (ret)
			return ret;
	}
	return 0;
}

static int too_many(char *why, const char *what)
{
	snprintf(why, WHY_SIZE, "too many %s (at most %d)", what,
		 SMTPSPLICE_PREFIX_MAX);
	return -EINVAL;
}

static int take_prefix(struct ss_prefix *list, unsigned int *count,
		       const char *part, char *why)
{
	if (*count == SMTPSPLICE_PREFIX_MAX)
		return too_many(why, "prefixes");
	return ss_addr_parse_prefix(&list[(*count)++], part, why, WHY_SIZE);
}

static int one_src(struct policy *p, const char *part, char *why)
{
	return take_prefix(p->src, &p->src_count, part, why);
}

static int one_dst(struct policy *p, const char *part, char *why)
{
	return take_prefix(p->dst, &p->dst_count, part, why);
}

static int one_port(struct policy *p, const char *part, char *why)
{
	uint64_t port = 0;

	if (p->port_count == SMTPSPLICE_PREFIX_MAX)
		return too_many(why, "ports");
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (!strcmp(services[i].name, part))
			port = services[i].port;
	if (!port && (!ss_cli_number(part, 65535, &port) || !port)) {
		snprintf(why, WHY_SIZE,
			 "\"%s\" is not a service (smtp, smtps, submission or a port from 1 to 65535)",
			 ss_cli_quote(part));
		return -EINVAL;
	}
	p->port[p->port_count++] = port;
	return 0;
}

static int word_src(struct policy *p, const char *value, char *why)
{
	return each_part(value, one_src, p, why);
}

static int word_dst(struct policy *p, const char *value, char *why)
{
	return each_part(value, one_dst, p, why);
}

static int word_service(struct policy *p, const char *value, char *why)
{
	return each_part(value, one_port, p, why);
}

static int word_iif(struct policy *p, const char *value, char *why)
{
	if (!valid_word(value, SMTPSPLICE_IFNAME_MAX)) {
		snprintf(why, WHY_SIZE, "\"%s\" is not an interface name",
			 ss_cli_quote(value));
		return -EINVAL;
	}
	p->iif = value;
	return 0;
}

static int word_position(struct policy *p, const char *value, char *why)
{
	uint64_t n;

	if (!ss_cli_number(value, UINT32_MAX, &n) || !n) {
		snprintf(why, WHY_SIZE, "\"%s\" is not a position (1 is the first)",
			 ss_cli_quote(value));
		return -EINVAL;
	}
	p->position = n;
	return 0;
}

static int only(const char *word, const char *value, const char *good, char *why)
{
	if (!strcmp(value, good))
		return 0;
	snprintf(why, WHY_SIZE, "%s \"%s\" is not supported (only \"%s\" is)", word,
		 ss_cli_quote(value), good);
	return -EINVAL;
}

static int word_mode(struct policy *p, const char *value, char *why)
{
	(void)p;
	return only("mode", value, "hold", why);
}

static int word_av(struct policy *p, const char *value, char *why)
{
	(void)p;
	return only("av", value, "default", why);
}

static int word_tls(struct policy *p, const char *value, char *why)
{
	(void)p;
	return only("tls", value, "off", why);
}

static const struct {
	const char *name;
	int (*take)(struct policy *p, const char *value, char *why);
} words[] = {
	{ "iif", word_iif },
	{ "src", word_src },
	{ "dst", word_dst },
	{ "service", word_service },
	{ "port", word_service },
	{ "mode", word_mode },
	{ "av", word_av },
	{ "tls", word_tls },
	{ "position", word_position },
};

static int parse_word(struct policy *p, const char *word, const char *value)
{
	char why[WHY_SIZE] = "out of memory";

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].name, word))
			continue;
		if (!value)
			return ss_cli_usage("policy \"%s\": \"%s\" needs a value",
					    p->name, word);
		if (p->seen & 1u << i)
			return ss_cli_usage("policy \"%s\": \"%s\" given twice",
					    p->name, word);
		p->seen |= 1u << i;
		if (words[i].take(p, value, why))
			return ss_cli_usage("policy \"%s\": %s", p->name, why);
		return SS_CLI_OK;
	}
	return ss_cli_usage("policy \"%s\": unknown word \"%s\", try \"smtpsplice policy help\"",
			    p->name, ss_cli_quote(word));
}

/* The name, which is the first word */
static int parse_name(struct ss_cli *cli, const char **name)
{
	if (!cli->argc)
		return ss_cli_usage("policy name missing, try \"smtpsplice policy help\"");
	*name = cli->argv[0];
	if (!valid_word(*name, SMTPSPLICE_NAME_MAX))
		return ss_cli_usage("\"%s\" is not a policy name (1 to %d printable characters without space, \" and /)",
				    ss_cli_quote(*name), SMTPSPLICE_NAME_MAX);
	cli->argc--;
	cli->argv++;
	return SS_CLI_OK;
}

static int put_prefixes(struct nl_msg *msg, int type,
			const struct ss_prefix *list, unsigned int count)
{
	int bad = 0;

	for (unsigned int i = 0; i < count && !bad; i++) {
		struct nlattr *nest = nla_nest_start(msg, NLA_F_NESTED | type);

		if (!nest)
			return -ENOMEM;
		bad |= nla_put(msg, SMTPSPLICE_A_PREFIX_ADDR, list[i].size, list[i].addr);
		bad |= nla_put_u8(msg, SMTPSPLICE_A_PREFIX_LEN, list[i].len);
		nla_nest_end(msg, nest);
	}
	return bad;
}

static int put_policy(struct nl_msg *msg, const struct policy *p)
{
	int bad = nla_put_string(msg, SMTPSPLICE_A_POLICY_NAME, p->name);

	if (p->iif)
		bad |= nla_put_string(msg, SMTPSPLICE_A_POLICY_IIF, p->iif);
	bad |= put_prefixes(msg, SMTPSPLICE_A_POLICY_SRC, p->src, p->src_count);
	bad |= put_prefixes(msg, SMTPSPLICE_A_POLICY_DST, p->dst, p->dst_count);
	for (unsigned int i = 0; i < p->port_count; i++)
		bad |= nla_put_u16(msg, SMTPSPLICE_A_POLICY_PORT, p->port[i]);
	bad |= nla_put_u32(msg, SMTPSPLICE_A_POLICY_MODE, SMTPSPLICE_MODE_HOLD);
	if (p->position)
		bad |= nla_put_u32(msg, SMTPSPLICE_A_POLICY_POSITION, p->position);
	return bad;
}

static int run_add(struct ss_cli *cli)
{
	struct policy p = {};
	struct nl_msg *msg;
	int ret;

	ret = parse_name(cli, &p.name);
	for (int i = 0; !ret && i < cli->argc; i += 2)
		ret = parse_word(&p, cli->argv[i], cli->argv[i + 1]);
	if (ret)
		return ret;
	if (!p.port_count)
		p.port[p.port_count++] = 25;
	ret = ss_cli_connect(cli);
	if (ret)
		return ret;
	msg = ss_genl_message(&cli->genl, SMTPSPLICE_CMD_POLICY_ADD, 0);
	if (msg && put_policy(msg, &p)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = ss_genl_call(&cli->genl, msg, NULL, NULL);
	return ret ? ss_cli_failed(cli, ret, "policy", p.name) : SS_CLI_OK;
}

static int run_del(struct ss_cli *cli)
{
	const char *name = NULL;
	struct nl_msg *msg;
	int ret;

	ret = parse_name(cli, &name);
	if (ret)
		return ret;
	if (cli->argc)
		return ss_cli_usage("policy \"%s\": unexpected word \"%s\"", name,
				    ss_cli_quote(cli->argv[0]));
	ret = ss_cli_connect(cli);
	if (ret)
		return ret;
	msg = ss_genl_message(&cli->genl, SMTPSPLICE_CMD_POLICY_DEL, 0);
	if (msg && nla_put_string(msg, SMTPSPLICE_A_POLICY_NAME, name)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = ss_genl_call(&cli->genl, msg, NULL, NULL);
	return ret ? ss_cli_failed(cli, ret, "policy", name) : SS_CLI_OK;
}

static const struct ss_cli_command commands[];

static int run_add_or_help(struct ss_cli *cli)
{
	if (!ss_cli_wants_help(cli))
		return run_add(cli);
	ss_cli_help("smtpsplice policy", commands, policy_text);
	return SS_CLI_OK;
}

static int run_del_or_help(struct ss_cli *cli)
{
	if (!ss_cli_wants_help(cli))
		return run_del(cli);
	ss_cli_help("smtpsplice policy", commands, policy_text);
	return SS_CLI_OK;
}

static const struct ss_cli_command commands[] = {
	{ "add", run_add_or_help,
	  "NAME [iif IFACE] [src PREFIX[,PREFIX]...] [dst PREFIX[,PREFIX]...]\n"
	  "      [service SERVICE[,SERVICE]...] [mode hold] [av default] [tls off] [position N]",
	  "inspect connections that come in by IFACE, from src to dst" },
	{ "del", run_del_or_help, "NAME",
	  "do not inspect new connections any more; old ones go on to their end" },
	{}
};

int ss_policy_main(struct ss_cli *cli)
{
	return ss_cli_dispatch(cli, "smtpsplice policy", commands, policy_text);
}
