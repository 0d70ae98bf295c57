// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice policy: which flows are inspected.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>

#include "cli/args.h"
#include "cli/cli.h"
#include "lib/addr.h"
#include "lib/cleanup.h"

#define GROUP	"smtpsplice policy"

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
 * @mode: enum smtpsplice_mode
 * @tls: name of its TLS profile, NULL is none
 * @av: name of its AV profile, NULL is "default"
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
	uint32_t mode;
	const char *tls;
	const char *av;
	unsigned int seen;
};

static const char policy_text[] =
	"NAME      up to 31 characters\n"
	"IFACE     the interface that clients come in by; any where absent\n"
	"PREFIX    10.0.2.0/24, fd00:2::/64 or one address; any where absent\n"
	"SERVICE   smtp (25), smtps (465), submission (587) or a port number;\n"
	"          smtp where absent. \"port\" is another word for \"service\".\n"
	"MODE      hold: nothing of a message reaches the server before it was scanned;\n"
	"          splice: all but its end does, while it comes in; hold where absent\n"
	"av PROFILE\n"
	"          an AV profile, see \"smtpsplice av help\"; \"default\" where absent\n"
	"tls PROFILE\n"
	"          a TLS profile, see \"smtpsplice tls help\"; where it is off or absent,\n"
	"          STARTTLS is hidden and a connection that begins with TLS is refused\n"
	"N         place in the list, from 1; the end where absent\n"
	"\n"
	"The first policy that matches a connection wins. What matches none is\n"
	"forwarded untouched.\n";

static int too_many(char *why, const char *what)
{
	snprintf(why, SS_ARGS_WHY_SIZE, "too many %s (at most %d)", what,
		 SMTPSPLICE_PREFIX_MAX);
	return -EINVAL;
}

static int take_prefix(struct ss_prefix *list, unsigned int *count,
		       const char *part, char *why)
{
	if (*count == SMTPSPLICE_PREFIX_MAX)
		return too_many(why, "prefixes");
	return ss_addr_parse_prefix(&list[(*count)++], part, why, SS_ARGS_WHY_SIZE);
}

static int add_src(void *arg, const char *part, char *why)
{
	struct policy *p = arg;

	return take_prefix(p->src, &p->src_count, part, why);
}

static int add_dst(void *arg, const char *part, char *why)
{
	struct policy *p = arg;

	return take_prefix(p->dst, &p->dst_count, part, why);
}

static int add_port(void *arg, const char *part, char *why)
{
	struct policy *p = arg;

	if (p->port_count == SMTPSPLICE_PREFIX_MAX)
		return too_many(why, "ports");
	return ss_args_port(part, &p->port[p->port_count++], why);
}

static int word_src(struct policy *p, const char *value, char *why)
{
	return ss_args_each(value, add_src, p, why);
}

static int word_dst(struct policy *p, const char *value, char *why)
{
	return ss_args_each(value, add_dst, p, why);
}

static int word_service(struct policy *p, const char *value, char *why)
{
	return ss_args_each(value, add_port, p, why);
}

static int word_iif(struct policy *p, const char *value, char *why)
{
	if (!ss_args_is_name(value, SMTPSPLICE_IFNAME_MAX)) {
		snprintf(why, SS_ARGS_WHY_SIZE, "\"%s\" is not an interface name",
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
		snprintf(why, SS_ARGS_WHY_SIZE, "\"%s\" is not a position (1 is the first)",
			 ss_cli_quote(value));
		return -EINVAL;
	}
	p->position = n;
	return 0;
}

static int word_mode(struct policy *p, const char *value, char *why)
{
	if (!strcmp(value, "hold")) {
		p->mode = SMTPSPLICE_MODE_HOLD;
	} else if (!strcmp(value, "splice")) {
		p->mode = SMTPSPLICE_MODE_SPLICE;
	} else {
		snprintf(why, SS_ARGS_WHY_SIZE, "mode \"%s\" is not one of hold and splice",
			 ss_cli_quote(value));
		return -EINVAL;
	}
	return 0;
}

static int word_av(struct policy *p, const char *value, char *why)
{
	if (!strcmp(value, "off")) {
		snprintf(why, SS_ARGS_WHY_SIZE,
			 "av \"off\" is not possible, name an av profile with \"av-scan disable\"");
		return -EINVAL;
	}
	if (!ss_args_is_name(value, SMTPSPLICE_NAME_MAX)) {
		snprintf(why, SS_ARGS_WHY_SIZE, "\"%s\" is not an av profile name",
			 ss_cli_quote(value));
		return -EINVAL;
	}
	p->av = value;
	return 0;
}

static int word_tls(struct policy *p, const char *value, char *why)
{
	if (!ss_args_is_name(value, SMTPSPLICE_NAME_MAX)) {
		snprintf(why, SS_ARGS_WHY_SIZE,
			 "\"%s\" is not a tls profile name, nor \"off\"", ss_cli_quote(value));
		return -EINVAL;
	}
	p->tls = strcmp(value, "off") ? value : NULL;
	return 0;
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
	char why[SS_ARGS_WHY_SIZE] = "out of memory";

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

static int put_prefixes(struct nl_msg *msg, int type,
			const struct ss_prefix *list, unsigned int count)
{
	int bad = 0;

	for (unsigned int i = 0; i < count && !bad; i++)
		bad = ss_args_put_prefix(msg, type, &list[i]);
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
	bad |= nla_put_u32(msg, SMTPSPLICE_A_POLICY_MODE, p->mode);
	if (p->tls)
		bad |= nla_put_string(msg, SMTPSPLICE_A_POLICY_TLS, p->tls);
	if (p->av)
		bad |= nla_put_string(msg, SMTPSPLICE_A_POLICY_AV, p->av);
	if (p->position)
		bad |= nla_put_u32(msg, SMTPSPLICE_A_POLICY_POSITION, p->position);
	return bad;
}

static int run_add(struct ss_cli *cli)
{
	struct policy p = { .mode = SMTPSPLICE_MODE_HOLD };
	struct nl_msg *msg;
	int ret;

	ret = ss_args_take_name(cli, "policy", GROUP, &p.name);
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
	return ss_cli_send(cli, msg, !msg || put_policy(msg, &p), "policy", p.name);
}

static const struct ss_cli_command commands[];

static int run_add_or_help(struct ss_cli *cli)
{
	if (!ss_cli_wants_help(cli))
		return run_add(cli);
	ss_cli_help(GROUP, commands, policy_text);
	return SS_CLI_OK;
}

static int run_del_or_help(struct ss_cli *cli)
{
	if (!ss_cli_wants_help(cli))
		return ss_args_delete(cli, "policy", GROUP, SMTPSPLICE_CMD_POLICY_DEL,
				      SMTPSPLICE_A_POLICY_NAME);
	ss_cli_help(GROUP, commands, policy_text);
	return SS_CLI_OK;
}

static const struct ss_cli_command commands[] = {
	{ "add", run_add_or_help,
	  "NAME [iif IFACE] [src PREFIX[,PREFIX]...] [dst PREFIX[,PREFIX]...]\n"
	  "      [service SERVICE[,SERVICE]...] [mode MODE] [av PROFILE] [tls PROFILE] [position N]",
	  "inspect connections that come in by IFACE, from src to dst" },
	{ "del", run_del_or_help, "NAME",
	  "do not inspect new connections any more; old ones go on to their end" },
	{}
};

int ss_cmd_policy(struct ss_cli *cli)
{
	return ss_cli_dispatch(cli, GROUP, commands, policy_text);
}
