// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice tls: what is done with TLS. The options are the attributes of the
 * set tls-profile; see cli/profile.c for what is done with them.
 */
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>

#include "cli/args.h"
#include "cli/profile.h"

#define LABEL_MAX	63	/* bytes in a label of a name, RFC 1035 2.3.4 */

#define A(name)		SMTPSPLICE_A_TLS_PROFILE_##name

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
	"      the same and refuse mail outside of TLS unless the server has answered\n"
	"      EHLO without it, hide it, or pass on unscanned what follows it\n"
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
	"      where the name that the client asks for is not in it: go on under the\n"
	"      certificate's common name, end the session, or do not compare; strict\n"
	"      refuses a client that asks for none, too\n"
	"  unsupported-ssl-version block|allow\n"
	"  unsupported-ssl-cipher block|allow\n"
	"  unsupported-ssl-negotiation block|allow\n"
	"      TLS of the client's that the gateway does not know: end the session or\n"
	"      pass it on unscanned; what a server does not know always ends it\n"
	"  client-certificate inspect|bypass|block\n"
	"      a server that asks for the client's certificate: go on without one as\n"
	"      far as it lets, pass later sessions on unscanned, or end the session\n"
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

static int add_port(void *arg, const char *part, char *why)
{
	struct ss_cmd_profile *p = arg;
	uint16_t port;

	return ss_cmd_profile_count(p, A(SMTPS_PORT), SMTPSPLICE_PREFIX_MAX, why) ?:
	       ss_args_port(part, &port, why) ?:
	       nla_put_u16(p->attrs, A(SMTPS_PORT), port);
}

static int add_prefix(void *arg, const char *part, char *why)
{
	struct ss_cmd_profile *p = arg;
	struct ss_prefix prefix;

	return ss_cmd_profile_count(p, A(EXEMPT_ADDRESS), SMTPSPLICE_EXEMPT_MAX, why) ?:
	       ss_addr_parse_prefix(&prefix, part, why, SS_ARGS_WHY_SIZE) ?:
	       ss_args_put_prefix(p->attrs, A(EXEMPT_ADDRESS), &prefix);
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

static int add_name(void *arg, const char *part, char *why)
{
	const char *rest = strncmp(part, "*.", 2) ? part : part + 2;
	struct ss_cmd_profile *p = arg;

	if (strlen(part) > SMTPSPLICE_PATTERN_MAX || !is_host_name(rest)) {
		snprintf(why, SS_ARGS_WHY_SIZE,
			 "\"%s\" is not a name like mail.example.org or *.example.org",
			 ss_cli_quote(part));
		return -EINVAL;
	}
	return ss_cmd_profile_count(p, A(EXEMPT_NAME), SMTPSPLICE_EXEMPT_MAX, why) ?:
	       nla_put_string(p->attrs, A(EXEMPT_NAME), part);
}

static int add_regex(struct ss_cmd_profile *p, const char *value, char *why)
{
	char error[SS_ARGS_WHY_SIZE / 2] = "it is empty";
	int ret = *value ? 0 : REG_BADPAT;
	regex_t regex;

	for (const char *s = value; *s; s++)
		if (*s < ' ' || *s > '~' || s - value >= SMTPSPLICE_PATTERN_MAX) {
			snprintf(why, SS_ARGS_WHY_SIZE,
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
		snprintf(why, SS_ARGS_WHY_SIZE, "\"%s\" is not a regular expression: %s",
			 ss_cli_quote(value), error);
		return -EINVAL;
	}
	return ss_cmd_profile_count(p, A(EXEMPT_REGEX), SMTPSPLICE_EXEMPT_MAX, why) ?:
	       nla_put_string(p->attrs, A(EXEMPT_REGEX), value);
}

/* Take the name of a certificate, which will be a part of a file name */
static int add_cert(struct ss_cmd_profile *p, const char *value, char *why)
{
	if (!ss_args_is_name(value, SMTPSPLICE_NAME_MAX) || *value == '.') {
		snprintf(why, SS_ARGS_WHY_SIZE,
			 "\"%s\" is not a certificate name (1 to %d printable characters without space, \" and /)",
			 ss_cli_quote(value), SMTPSPLICE_NAME_MAX);
		return -EINVAL;
	}
	return nla_put_string(p->attrs, A(SERVER_CERT), value);
}

static int take_value(struct ss_cmd_profile *p, int type, const char *value, char *why)
{
	if (type == A(SMTPS_PORT))
		return ss_args_each(value, add_port, p, why);
	if (!strcmp(value, SS_CMD_PROFILE_NONE))
		return 0;
	switch (type) {
	case A(SERVER_CERT):
		return add_cert(p, value, why);
	case A(EXEMPT_ADDRESS):
		return ss_args_each(value, add_prefix, p, why);
	case A(EXEMPT_NAME):
		return ss_args_each(value, add_name, p, why);
	default:
		return add_regex(p, value, why);
	}
}

static int check_cert(const struct ss_cmd_profile *p, bool whole)
{
	const struct nlattr *mode = ss_cmd_profile_find(p, A(SERVER_CERT_MODE));

	if (!whole && !(p->seen & SS_CMD_PROFILE_BIT(A(SERVER_CERT))))
		return SS_CLI_OK;
	if (mode && nla_len(mode) >= (int)sizeof(uint32_t) &&
	    nla_get_u32(mode) == SMTPSPLICE_CERT_MODE_REPLACE &&
	    !ss_cmd_profile_find(p, A(SERVER_CERT)))
		return ss_cli_usage("tls profile \"%s\": server-cert-mode replace needs a server-cert",
				    p->name);
	return SS_CLI_OK;
}

static const struct ss_cmd_profile_class class = {
	.noun = "tls profile",
	.group = "smtpsplice tls",
	.help = tls_text,
	.off = "policies without one have that",
	.options = &ss_attrs_tls_profile,
	.cmd_add = SMTPSPLICE_CMD_TLS_ADD,
	.cmd_set = SMTPSPLICE_CMD_TLS_SET,
	.cmd_del = SMTPSPLICE_CMD_TLS_DEL,
	.cmd_get = SMTPSPLICE_CMD_TLS_GET,
	.repeat = SS_CMD_PROFILE_BIT(A(EXEMPT_REGEX)),
	.take_value = take_value,
	.check = check_cert,
};

int ss_cmd_tls(struct ss_cli *cli)
{
	return ss_cmd_profile_main(cli, &class);
}
