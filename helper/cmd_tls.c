// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice tls: what is done with TLS. The options are the attributes of the
 * set tls-profile, their values those of the tables in attrs.c.
 */
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>

#include "attrs.h"
#include "cleanup.h"
#include "cli.h"
#include "words.h"

#define GROUP		"smtpsplice tls"
#define DUMP_TRIES	5
#define LABEL_MAX	63	/* octets in a label of a name, RFC 1035 2.3.4 */
#define NONE		"none"	/* empties a list, or the name of a certificate */

#define A(name)		SMTPSPLICE_A_TLS_PROFILE_##name

/**
 * struct profile - A TLS profile as it was typed.
 * @name: its name
 * @attrs: a message of the attributes that were given
 * @seen: which options were given, a bit for each attribute
 * @count: values given for each attribute
 */
struct profile {
	const char *name;
	struct nl_msg *attrs;
	uint32_t seen;
	unsigned int count[SMTPSPLICE_A_TLS_PROFILE_MAX + 1];
};

static const char tls_text[] =
	"NAME is up to 31 characters. What is absent has the value that comes first.\n"
	"\n"
	"  smtps inspect|bypass|off\n"
	"      connections that begin with TLS: take it off and scan what is inside,\n"
	"      pass them on unscanned, or do not touch them at all\n"
	"  smtps-port SERVICE[,SERVICE]...\n"
	"      the ports where they do (465)\n"
	"  starttls inspect|require|strip|bypass\n"
	"      STARTTLS on all other ports: take the TLS off and scan what is inside,\n"
	"      the same and refuse mail outside of TLS, hide it, or pass on\n"
	"      unscanned what follows it\n"
	"  expired-server-cert block|allow|ignore\n"
	"  revoked-server-cert block|allow|ignore\n"
	"  untrusted-server-cert allow|block|ignore\n"
	"  cert-validation-timeout allow|block|ignore\n"
	"  cert-validation-failure block|allow|ignore\n"
	"      a server's certificate that is not valid now, was revoked, is of no\n"
	"      trusted CA, could not be checked for revocation in time, or is of no\n"
	"      use: end the session, go on with a certificate of the untrusted CA,\n"
	"      or go on as if nothing were wrong\n"
	"  sni-server-cert-check enable|strict|disable\n"
	"      whether the name that the client asks for must be in it; strict\n"
	"      refuses a client that asks for none\n"
	"  unsupported-ssl-version block|allow\n"
	"  unsupported-ssl-cipher block|allow\n"
	"  unsupported-ssl-negotiation block|allow\n"
	"      TLS that the gateway does not know: end the session or pass it on\n"
	"      unscanned\n"
	"  client-certificate bypass|inspect|block\n"
	"      a server that asks for the client's certificate: pass later sessions\n"
	"      on unscanned, go on without one, or end the session\n"
	"  server-cert-mode re-sign|replace\n"
	"      clients see a certificate that the CA makes for each server, or the\n"
	"      one that server-cert names\n"
	"  server-cert CERT|none\n"
	"      name of a certificate and key that smtpspliced was given\n"
	"  exempt-address PREFIX[,PREFIX]...|none\n"
	"  exempt-name PATTERN[,PATTERN]...|none\n"
	"  exempt-regex RE|none\n"
	"      servers that are passed on unscanned: their address, the name that\n"
	"      the client asks for (*.example.org is any one label in front of it),\n"
	"      or an extended regular expression that matches this name; exempt-regex\n"
	"      may be given several times\n"
	"\n"
	"There always is a profile \"default\". A policy names its profile, see\n"
	"\"smtpsplice policy help\".\n";

static void cleanup_msg(struct nl_msg **msg)
{
	if (*msg)
		nlmsg_free(*msg);
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

static struct nlattr *find_attr(struct nl_msg *msg, int type)
{
	return nlmsg_find_attr(nlmsg_hdr(msg), 0, type);
}

static int count_one(struct profile *p, int type, unsigned int max, char *why)
{
	if (p->count[type]++ < max)
		return 0;
	snprintf(why, SS_WORDS_WHY_SIZE, "too many (at most %u)", max);
	return -EINVAL;
}

static int one_port(void *arg, const char *part, char *why)
{
	struct profile *p = arg;
	uint16_t port;

	return count_one(p, A(SMTPS_PORT), SMTPSPLICE_PREFIX_MAX, why) ?:
	       ss_words_port(part, &port, why) ?:
	       nla_put_u16(p->attrs, A(SMTPS_PORT), port);
}

static int one_prefix(void *arg, const char *part, char *why)
{
	struct profile *p = arg;
	struct ss_prefix prefix;

	return count_one(p, A(EXEMPT_ADDRESS), SMTPSPLICE_EXEMPT_MAX, why) ?:
	       ss_addr_parse_prefix(&prefix, part, why, SS_WORDS_WHY_SIZE) ?:
	       ss_words_put_prefix(p->attrs, A(EXEMPT_ADDRESS), &prefix);
}

/* Return: whether it is labels of letters, digits, "-" and "_" */
static bool is_host_name(const char *text)
{
	size_t len;

	for (;; text += len + 1) {
		len = 0;
		while (isalnum((unsigned char)text[len]) ||
		       text[len] == '-' || text[len] == '_')
			len++;
		if (!len || len > LABEL_MAX || (text[len] && text[len] != '.'))
			return false;
		if (!text[len])
			return true;
	}
}

static int one_name(void *arg, const char *part, char *why)
{
	const char *rest = strncmp(part, "*.", 2) ? part : part + 2;
	struct profile *p = arg;

	if (strlen(part) > SMTPSPLICE_PATTERN_MAX || !is_host_name(rest)) {
		snprintf(why, SS_WORDS_WHY_SIZE,
			 "\"%s\" is not a name like mail.example.org or *.example.org",
			 ss_cli_quote(part));
		return -EINVAL;
	}
	return count_one(p, A(EXEMPT_NAME), SMTPSPLICE_EXEMPT_MAX, why) ?:
	       nla_put_string(p->attrs, A(EXEMPT_NAME), part);
}

static int one_regex(struct profile *p, const char *value, char *why)
{
	char error[SS_WORDS_WHY_SIZE / 2] = "it is empty";
	int ret = *value ? 0 : REG_BADPAT;
	regex_t regex;

	for (const char *s = value; *s; s++)
		if (*s < ' ' || *s > '~' || s - value >= SMTPSPLICE_PATTERN_MAX) {
			snprintf(why, SS_WORDS_WHY_SIZE,
				 "\"%s\" is not up to %d printable ASCII characters",
				 ss_cli_quote(value), SMTPSPLICE_PATTERN_MAX);
			return -EINVAL;
		}
	if (!ret) {
		ret = regcomp(&regex, value, REG_EXTENDED | REG_NOSUB);
		if (ret)
			regerror(ret, &regex, error, sizeof(error));
		else
			regfree(&regex);
	}
	if (ret) {
		snprintf(why, SS_WORDS_WHY_SIZE, "\"%s\" is not a regular expression: %s",
			 ss_cli_quote(value), error);
		return -EINVAL;
	}
	return count_one(p, A(EXEMPT_REGEX), SMTPSPLICE_EXEMPT_MAX, why) ?:
	       nla_put_string(p->attrs, A(EXEMPT_REGEX), value);
}

/* It will be a part of a file name */
static int one_cert(struct profile *p, const char *value, char *why)
{
	if (!ss_words_is_name(value, SMTPSPLICE_NAME_MAX) || *value == '.') {
		snprintf(why, SS_WORDS_WHY_SIZE,
			 "\"%s\" is not a certificate name (1 to %d printable characters without space, \" and /)",
			 ss_cli_quote(value), SMTPSPLICE_NAME_MAX);
		return -EINVAL;
	}
	return nla_put_string(p->attrs, A(SERVER_CERT), value);
}

static int one_enum(struct profile *p, int type, const struct ss_names *names,
		    const char *value, char *why)
{
	int n = ss_attrs_find_value(names, value);
	size_t len;

	if (n >= 0)
		return nla_put_u32(p->attrs, type, n);
	len = snprintf(why, SS_WORDS_WHY_SIZE, "\"%s\" is not", ss_cli_quote(value));
	for (unsigned int i = 0; i < names->count; i++)
		len += snprintf(why + len, SS_WORDS_WHY_SIZE - len, "%s %s",
				!i ? "" : i < names->count - 1 ? "," : " or",
				names->name[i]);
	return -EINVAL;
}

static int take_value(struct profile *p, int type, const char *value, char *why)
{
	const struct ss_attr *attr = &ss_attrs_tls_profile.attr[type];

	if (attr->type == SS_ATTR_ENUM)
		return one_enum(p, type, attr->names, value, why);
	if (type == A(SMTPS_PORT))
		return ss_words_each(value, one_port, p, why);
	if (!strcmp(value, NONE))
		return 0;
	switch (type) {
	case A(SERVER_CERT):
		return one_cert(p, value, why);
	case A(EXEMPT_ADDRESS):
		return ss_words_each(value, one_prefix, p, why);
	case A(EXEMPT_NAME):
		return ss_words_each(value, one_name, p, why);
	default:
		return one_regex(p, value, why);
	}
}

static int take_option(struct profile *p, const char *word, const char *value)
{
	int type = ss_attrs_find(&ss_attrs_tls_profile, word);
	char why[SS_WORDS_WHY_SIZE] = "out of memory";

	if (!type)
		return ss_cli_usage("tls profile \"%s\": unknown option \"%s\", try \"%s help\"",
				    p->name, ss_cli_quote(word), GROUP);
	if (!value)
		return ss_cli_usage("tls profile \"%s\": \"%s\" needs a value", p->name, word);
	if (p->seen & 1u << type && type != A(EXEMPT_REGEX))
		return ss_cli_usage("tls profile \"%s\": \"%s\" given twice", p->name, word);
	p->seen |= 1u << type;
	if (take_value(p, type, value, why))
		return ss_cli_usage("tls profile \"%s\": %s: %s", p->name, word, why);
	return SS_CLI_OK;
}

static int parse(struct ss_cli *cli, struct profile *p)
{
	int ret = ss_words_take_name(cli, "tls profile", GROUP, &p->name);

	if (!ret && !strcmp(p->name, "off"))
		ret = ss_cli_usage("\"off\" is not a tls profile name, policies without one have that");
	if (!ret && !p->attrs)
		ret = ss_cli_failed(cli, -ENOMEM, "tls profile", p->name);
	for (int i = 0; !ret && i < cli->argc; i += 2)
		ret = take_option(p, cli->argv[i], cli->argv[i + 1]);
	return ret;
}

/* What cannot be seen by one option alone */
static int check(const struct profile *p)
{
	const struct nlattr *mode = find_attr(p->attrs, A(SERVER_CERT_MODE));

	if (mode && nla_len(mode) >= (int)sizeof(uint32_t) &&
	    nla_get_u32(mode) == SMTPSPLICE_CERT_MODE_REPLACE &&
	    !find_attr(p->attrs, A(SERVER_CERT)))
		return ss_cli_usage("tls profile \"%s\": server-cert-mode replace needs a server-cert",
				    p->name);
	return SS_CLI_OK;
}

static int send_profile(struct ss_cli *cli, const struct profile *p, int cmd)
{
	struct nl_msg *msg = ss_genl_message(&cli->genl, cmd, 0);
	struct nlmsghdr *attrs = nlmsg_hdr(p->attrs);
	int ret;

	if (msg && (nla_put_string(msg, SMTPSPLICE_A_TLS_NAME, p->name) ||
		    nla_put(msg, NLA_F_NESTED | SMTPSPLICE_A_TLS_PROFILE,
			    nlmsg_attrlen(attrs, 0), nlmsg_attrdata(attrs, 0)))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	ret = ss_genl_call(&cli->genl, msg, NULL, NULL);
	return ret ? ss_cli_failed(cli, ret, "tls profile", p->name) : SS_CLI_OK;
}

static void cleanup_profile(struct profile *p)
{
	cleanup_msg(&p->attrs);
}

static int run_add(struct ss_cli *cli)
{
	struct profile p __cleanup(cleanup_profile) = { .attrs = alloc_attrs() };
	int ret = parse(cli, &p);

	if (!ret)
		ret = check(&p);
	if (!ret)
		ret = ss_cli_connect(cli);
	return ret ?: send_profile(cli, &p, SMTPSPLICE_CMD_TLS_ADD);
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

static void take_present(int cmd, struct nlattr *attrs, int len, void *arg)
{
	struct nlattr *name = nla_find(attrs, len, SMTPSPLICE_A_TLS_NAME);
	struct nlattr *profile = nla_find(attrs, len, SMTPSPLICE_A_TLS_PROFILE);
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
	int ret, tries = DUMP_TRIES;

	do {
		cleanup_msg(&present->attrs);
		present->found = false;
		present->attrs = alloc_attrs();
		if (!present->attrs)
			return -ENOMEM;
		ret = ss_genl_call(&cli->genl,
				   ss_genl_message(&cli->genl, SMTPSPLICE_CMD_TLS_GET, NLM_F_DUMP),
				   take_present, present);
	} while (ret == -EINTR && --tries);
	return ret ?: present->found ? 0 : -ENOENT;
}

/*
 * Take over what was not given from the profile that is there, untouched: a
 * newer module may have options that this program does not know.
 */
static int merge(struct profile *p, struct nl_msg *present)
{
	struct nlattr *nla;
	int rem;

	nlmsg_for_each_attr(nla, nlmsg_hdr(present), 0, rem) {
		int type = nla_type(nla);

		if (type <= SMTPSPLICE_A_TLS_PROFILE_MAX && p->seen & 1u << type)
			continue;
		if (nla_put(p->attrs, nla->nla_type, nla_len(nla), nla_data(nla)))
			return -EMSGSIZE;
	}
	return 0;
}

static void cleanup_present(struct present *present)
{
	cleanup_msg(&present->attrs);
}

static int run_set(struct ss_cli *cli)
{
	struct profile p __cleanup(cleanup_profile) = { .attrs = alloc_attrs() };
	struct present present __cleanup(cleanup_present) = {};
	int ret = parse(cli, &p);

	if (!ret && !p.seen)
		ret = ss_cli_usage("tls profile \"%s\": nothing to change, try \"%s help\"",
				   p.name, GROUP);
	if (!ret && p.seen & 1u << A(SERVER_CERT))
		ret = check(&p);
	if (!ret)
		ret = ss_cli_connect(cli);
	if (ret)
		return ret;
	present.name = p.name;
	ret = get_present(cli, &present) ?: merge(&p, present.attrs);
	if (ret)
		return ss_cli_failed(cli, ret, "tls profile", p.name);
	return check(&p) ?: send_profile(cli, &p, SMTPSPLICE_CMD_TLS_SET);
}

static int run_del(struct ss_cli *cli)
{
	return ss_words_delete(cli, "tls profile", GROUP, SMTPSPLICE_CMD_TLS_DEL,
			       SMTPSPLICE_A_TLS_NAME);
}

static const struct ss_cli_command commands[];

static int or_help(struct ss_cli *cli, int (*run)(struct ss_cli *cli))
{
	if (!ss_cli_wants_help(cli))
		return run(cli);
	ss_cli_help(GROUP, commands, tls_text);
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
	  "make a TLS profile" },
	{ "set", run_set_or_help, "NAME OPTION VALUE [OPTION VALUE]...",
	  "change those options of it, for sessions to come" },
	{ "del", run_del_or_help, "NAME",
	  "delete it; no policy may name it" },
	{}
};

int ss_tls_main(struct ss_cli *cli)
{
	return ss_cli_dispatch(cli, GROUP, commands, tls_text);
}
