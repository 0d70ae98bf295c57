// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice set: limits and deadlines.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>

#include "cli/cli.h"
#include "lib/cleanup.h"
#include "lib/units.h"
#include "proto/attrs.h"

static const char set_text[] =
	"Usage:\n"
	"  smtpsplice set KEY VALUE [KEY VALUE]...\n"
	"      change the settings that are given, all or none\n"
	"\n"
	"  max-sessions N         most sessions at a time (1 to 1000000)\n"
	"  max-client-sessions N  most of them of one client\n"
	"  max-message SIZE       largest message\n"
	"  max-held SIZE          most bytes held in all messages together\n"
	"  dial-timeout TIME      for connecting to the server\n"
	"  handshake-timeout TIME for both TLS handshakes of a session\n"
	"  command-timeout TIME   without a command or reply\n"
	"  data-timeout TIME      without progress while a message is transferred\n"
	"  scan-timeout TIME      from end-of-data to the verdict\n"
	"  reply-timeout TIME     for the server's reply, once it has the end-of-data\n"
	"  keepalive TIME         before the first NOOP to a server that waits for a message\n"
	"                         (twice that before the second, four times before others)\n"
	"  bare-newline reject|allow\n"
	"                         messages with CR or LF outside of CRLF\n"
	"  message-timeout TIME   from end-of-data until the server has it, the scan\n"
	"                         included\n"
	"  conserve-green N       per cent of max-held (1 to 100): below it conserve mode\n"
	"                         ends\n"
	"  conserve-red N         from it on conserve mode is on, in which an AV profile's\n"
	"                         over-budget says what becomes of messages\n"
	"  conserve-extreme N     from it on all messages are refused (452)\n"
	"  max-client-held N      per cent of what the others leave of max-held, up to\n"
	"                         conserve-red, that one client with several messages\n"
	"                         may hold; 100: no limit\n"
	"  max-client-handshakes N\n"
	"                         most TLS handshakes of one client at a time, where\n"
	"                         others want some too\n"
	"  max-client-scans N     most messages of one client that wait for a verdict,\n"
	"                         where those of others wait too\n"
	"\n"
	"SIZE is in bytes, or with K, M or G behind it (1024, 1024 K, 1024 M).\n"
	"TIME is in seconds, or with ms, s or m behind it.\n";

static int put_value(struct nl_msg *msg, int type, const struct ss_attr *attr,
		     const char *text)
{
	bool percent = type >= SMTPSPLICE_A_SETTINGS_CONSERVE_GREEN &&
		       type <= SMTPSPLICE_A_SETTINGS_MAX_CLIENT_HELD;
	uint32_t max = percent ? 100 : 1000000;
	uint64_t n = 0;
	int value;

	switch (attr->type) {
	case SS_ATTR_U32:
		if (!ss_cli_number(text, max, &n) || !n)
			return ss_cli_usage("%s: \"%s\" is not a number from 1 to %u%s",
					    attr->name, ss_cli_quote(text), max,
					    percent ? " (per cent of max-held)" : "");
		break;
	case SS_ATTR_U64:
		if (!ss_units_size(text, INT64_MAX, &n))
			return ss_cli_usage("%s: \"%s\" is not a size (like 1000000, 512K, 50M or 2G)",
					    attr->name, ss_cli_quote(text));
		return nla_put_u64(msg, type, n) ? SS_CLI_FAILED : SS_CLI_OK;
	case SS_ATTR_MS:
		if (!ss_units_time(text, UINT32_MAX, &n))
			return ss_cli_usage("%s: \"%s\" is not a time (like 30, 30s, 1500ms or 5m)",
					    attr->name, ss_cli_quote(text));
		break;
	default:
		value = ss_attrs_find_value(attr->names, text);
		if (value < 0)
			return ss_cli_usage("%s: \"%s\" is not reject or allow",
					    attr->name, ss_cli_quote(text));
		n = value;
	}
	return nla_put_u32(msg, type, n) ? SS_CLI_FAILED : SS_CLI_OK;
}

static int put_settings(struct nl_msg *msg, struct ss_cli *cli)
{
	const struct ss_attr_set *set = &ss_attrs_settings;
	unsigned int seen = 0;

	for (int i = 0; i < cli->argc; i += 2) {
		int type = ss_attrs_find(set, cli->argv[i]);
		int ret;

		if (!type)
			return ss_cli_usage("unknown setting \"%s\", try \"smtpsplice set help\"",
					    ss_cli_quote(cli->argv[i]));
		if (!cli->argv[i + 1])
			return ss_cli_usage("%s: value missing", cli->argv[i]);
		if (seen & 1u << type)
			return ss_cli_usage("%s: given twice", cli->argv[i]);
		seen |= 1u << type;
		ret = put_value(msg, type, &set->attr[type], cli->argv[i + 1]);
		if (ret)
			return ret;
	}
	return SS_CLI_OK;
}

int ss_cmd_set(struct ss_cli *cli)
{
	struct nl_msg *check __cleanup(ss_cli_cleanup_msg) = nlmsg_alloc();
	struct nl_msg *msg;
	int ret;

	if (ss_cli_wants_help(cli)) {
		printf("%s", set_text);
		return SS_CLI_OK;
	}
	if (!cli->argc)
		return ss_cli_usage("setting missing, try \"smtpsplice set help\"");
	/* Bad input is told as such, with the module loaded or not */
	ret = check ? put_settings(check, cli) : SS_CLI_FAILED;
	if (!ret)
		ret = ss_cli_connect(cli);
	if (ret)
		return ret;
	msg = ss_genl_message(&cli->genl, SMTPSPLICE_CMD_SETTINGS_SET, 0);
	return ss_cli_send(cli, msg, !msg || put_settings(msg, cli), "settings", NULL);
}
