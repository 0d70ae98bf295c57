// SPDX-License-Identifier: GPL-2.0
/*
 * The commands on profiles that smtpsplice tls and smtpsplice av have in common: profiles
 * are sets of options with names, which are added, changed and deleted. The options are
 * the attributes of a set of proto/attrs.c.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>

#include "cli/args.h"
#include "cli/profile.h"
#include "lib/cleanup.h"

/* The attribute sets "tls" and "av" are alike */
enum { A_NAME = SMTPSPLICE_A_TLS_NAME, A_PROFILE = SMTPSPLICE_A_TLS_PROFILE };
static_assert(!(A_NAME - (int)SMTPSPLICE_A_AV_NAME), "name");
static_assert(!(A_PROFILE - (int)SMTPSPLICE_A_AV_PROFILE), "profile");
static_assert(!(SMTPSPLICE_A_TLS_PROFILE_MAX / SS_CMD_PROFILE_ATTRS), "tls options");
static_assert(!(SMTPSPLICE_A_AV_PROFILE_MAX / SS_CMD_PROFILE_ATTRS), "av options");

static void cleanup_profile(struct ss_cmd_profile *p)
{
	ss_cli_cleanup_msg(&p->attrs);
}

/* Room for a whole profile; an attribute cannot be larger */
static struct nl_msg *alloc_attrs(void)
{
	struct nl_msg *msg = nlmsg_alloc_size(UINT16_MAX);

	if (msg && !nlmsg_put(msg, 0, 0, 0, 0, 0)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

struct nlattr *ss_cmd_profile_find(const struct ss_cmd_profile *p, int type)
{
	return nlmsg_find_attr(nlmsg_hdr(p->attrs), 0, type);
}

int ss_cmd_profile_count(struct ss_cmd_profile *p, int type, unsigned int max, char *why)
{
	if (p->count[type]++ < max)
		return 0;
	snprintf(why, SS_ARGS_WHY_SIZE, "too many (at most %u)", max);
	return -EINVAL;
}

int ss_cmd_profile_value(const struct ss_names *names, const char *word, char *why)
{
	int n = ss_attrs_find_value(names, word);
	size_t len;

	if (n >= 0)
		return n;
	len = snprintf(why, SS_ARGS_WHY_SIZE, "\"%s\" is not", ss_cli_quote(word));
	for (unsigned int i = 0; i < names->count && len < SS_ARGS_WHY_SIZE; i++)
		len += snprintf(why + len, SS_ARGS_WHY_SIZE - len, "%s %s",
				!i ? "" : i < names->count - 1 ? "," : " or",
				names->name[i]);
	return -EINVAL;
}

static int take_value(struct ss_cmd_profile *p, int type, const char *value, char *why)
{
	const struct ss_attr *attr = &p->class->options->attr[type];
	int n;

	if (attr->type != SS_ATTR_ENUM)
		return p->class->take_value(p, type, value, why);
	n = ss_cmd_profile_value(attr->names, value, why);
	return n < 0 ? n : nla_put_u32(p->attrs, type, n);
}

static int take_option(struct ss_cmd_profile *p, const char *word, const char *value)
{
	const struct ss_cmd_profile_class *class = p->class;
	int type = ss_attrs_find(class->options, word);
	char why[SS_ARGS_WHY_SIZE] = "out of memory";

	if (!type)
		return ss_cli_usage("%s \"%s\": unknown option \"%s\", try \"%s help\"",
				    class->noun, p->name, ss_cli_quote(word), class->group);
	if (!value)
		return ss_cli_usage("%s \"%s\": \"%s\" needs a value", class->noun, p->name,
				    word);
	if (p->seen & SS_CMD_PROFILE_BIT(type) & ~class->repeat)
		return ss_cli_usage("%s \"%s\": \"%s\" given twice", class->noun, p->name,
				    word);
	p->seen |= SS_CMD_PROFILE_BIT(type);
	if (take_value(p, type, value, why))
		return ss_cli_usage("%s \"%s\": %s: %s", class->noun, p->name, word, why);
	return SS_CLI_OK;
}

static int take_profile(struct ss_cli *cli, struct ss_cmd_profile *p)
{
	const struct ss_cmd_profile_class *class = cli->profiles;
	int ret = ss_args_take_name(cli, class->noun, class->group, &p->name);

	p->class = class;
	p->attrs = alloc_attrs();
	if (!ret && !strcmp(p->name, "off"))
		ret = ss_cli_usage("\"off\" is not %s %s name, %s", ss_args_article(class->noun),
				   class->noun, class->off);
	if (!ret && !p->attrs)
		ret = ss_cli_failed(cli, -ENOMEM, class->noun, p->name);
	for (int i = 0; !ret && i < cli->argc; i += 2)
		ret = take_option(p, cli->argv[i], cli->argv[i + 1]);
	return ret;
}

static int check_profile(const struct ss_cmd_profile *p, bool whole)
{
	return p->class->check ? p->class->check(p, whole) : SS_CLI_OK;
}

static int send_profile(struct ss_cli *cli, const struct ss_cmd_profile *p, int cmd)
{
	struct nl_msg *msg = ss_genl_message(&cli->genl, cmd, 0);
	struct nlmsghdr *attrs = nlmsg_hdr(p->attrs);
	bool bad = !msg || nla_put_string(msg, A_NAME, p->name) ||
		   nla_put(msg, NLA_F_NESTED | A_PROFILE, nlmsg_attrlen(attrs, 0),
			   nlmsg_attrdata(attrs, 0));

	return ss_cli_send(cli, msg, bad, p->class->noun, p->name);
}

static int run_add(struct ss_cli *cli)
{
	struct ss_cmd_profile p __cleanup(cleanup_profile) = {};
	int ret = take_profile(cli, &p);

	if (!ret)
		ret = check_profile(&p, true);
	if (!ret)
		ret = ss_cli_connect(cli);
	return ret ?: send_profile(cli, &p, cli->profiles->cmd_add);
}

/**
 * struct present - The profile that is to be changed.
 * @name: its name
 * @attrs: the attributes that the kernel has for it
 * @found: it was there
 */
struct present {
	const char *name;
	struct nl_msg *attrs;
	bool found;
};

static void cleanup_present(struct present *present)
{
	ss_cli_cleanup_msg(&present->attrs);
}

static int begin_present(void *arg)
{
	struct present *present = arg;

	ss_cli_cleanup_msg(&present->attrs);
	present->found = false;
	present->attrs = alloc_attrs();
	return present->attrs ? 0 : -ENOMEM;
}

static void take_present(int cmd, struct nlattr *attrs, int len, void *arg)
{
	struct nlattr *name = nla_find(attrs, len, A_NAME);
	struct nlattr *profile = nla_find(attrs, len, A_PROFILE);
	struct present *present = arg;

	(void)cmd;
	if (!name || present->found || nla_strcmp(name, present->name))
		return;
	present->found = true;
	/* The room is that of the largest attribute */
	if (profile)
		nlmsg_append(present->attrs, nla_data(profile), nla_len(profile), NLMSG_ALIGNTO);
}

static int get_present(struct ss_cli *cli, struct present *present)
{
	int ret = ss_cli_ask(cli, cli->profiles->cmd_get, NLM_F_DUMP, begin_present,
			     take_present, present);

	return ret ?: present->found ? 0 : -ENOENT;
}

/*
 * Take over what was not given from the profile that is there, untouched: a
 * newer module may have options that this program does not know.
 */
static int keep_present(struct ss_cmd_profile *p, struct nl_msg *present)
{
	struct nlattr *nla;
	int rem;

	nlmsg_for_each_attr(nla, nlmsg_hdr(present), 0, rem) {
		int type = nla_type(nla);

		if (type <= p->class->options->max && p->seen & SS_CMD_PROFILE_BIT(type))
			continue;
		if (nla_put(p->attrs, nla->nla_type, nla_len(nla), nla_data(nla)))
			return -EMSGSIZE;
	}
	return 0;
}

static int run_set(struct ss_cli *cli)
{
	struct ss_cmd_profile p __cleanup(cleanup_profile) = {};
	struct present present __cleanup(cleanup_present) = {};
	const struct ss_cmd_profile_class *class = cli->profiles;
	int ret = take_profile(cli, &p);

	if (!ret && !p.seen)
		ret = ss_cli_usage("%s \"%s\": nothing to change, try \"%s help\"",
				   class->noun, p.name, class->group);
	if (!ret)
		ret = check_profile(&p, false);
	if (!ret)
		ret = ss_cli_connect(cli);
	if (ret)
		return ret;
	present.name = p.name;
	ret = get_present(cli, &present) ?: keep_present(&p, present.attrs);
	if (ret)
		return ss_cli_failed(cli, ret, class->noun, p.name);
	return check_profile(&p, true) ?: send_profile(cli, &p, class->cmd_set);
}

static int run_del(struct ss_cli *cli)
{
	const struct ss_cmd_profile_class *class = cli->profiles;

	return ss_args_delete(cli, class->noun, class->group, class->cmd_del, A_NAME);
}

static const struct ss_cli_command commands[];

static int or_help(struct ss_cli *cli, int (*run)(struct ss_cli *cli))
{
	if (!ss_cli_wants_help(cli))
		return run(cli);
	ss_cli_help(cli->profiles->group, commands, cli->profiles->help);
	return SS_CLI_OK;
}

static int run_add_or_help(struct ss_cli *cli)
{
	return or_help(cli, run_add);
}

static int run_set_or_help(struct ss_cli *cli)
{
	return or_help(cli, run_set);
}

static int run_del_or_help(struct ss_cli *cli)
{
	return or_help(cli, run_del);
}

static const struct ss_cli_command commands[] = {
	{ "add", run_add_or_help, "NAME [OPTION VALUE]...",
	  "make a profile" },
	{ "set", run_set_or_help, "NAME OPTION VALUE [OPTION VALUE]...",
	  "change those options of it, for sessions to come" },
	{ "del", run_del_or_help, "NAME",
	  "delete it; no policy may name it" },
	{}
};

int ss_cmd_profile_main(struct ss_cli *cli, const struct ss_cmd_profile_class *class)
{
	cli->profiles = class;
	return ss_cli_dispatch(cli, class->group, commands, class->help);
}
