// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice: look at and change what the kernel module does.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct ss_cli_command commands[] = {
	{ "policy", ss_cmd_policy, "add|del|help ...",
	  "which flows are inspected" },
	{ "tls", ss_cmd_tls, "add|set|del|help ...",
	  "what is done with TLS" },
	{ "av", ss_cmd_av, "add|set|del|help ...",
	  "how messages are scanned, and what becomes of them" },
	{ "ca", ss_cmd_ca, "init|show|export|help ...",
	  "the CA that makes the certificates which clients see" },
	{ "quarantine", ss_cmd_quarantine, "list|show|release|delete|help ...",
	  "infected messages that were put aside" },
	{ "show", ss_cmd_show, "[policies|tls|av|sessions|stats|settings|engine|help]",
	  "what is configured, under way and counted; which signatures are in service" },
	{ "set", ss_cmd_set, "KEY VALUE [KEY VALUE]... | help",
	  "limits and deadlines" },
	{ "monitor", ss_cmd_monitor, "[help]",
	  "print events as they happen" },
	{}
};

static const char more[] =
	"Options, in front of the command or behind it:\n"
	"  -j, --json   print JSON\n"
	"  --version    print the version\n"
	"  --help       print this\n"
	"  --           what follows is no option, even if it begins with \"-\"\n"
	"\n"
	"Exit status: 0 done, 1 refused by the kernel or failed, 2 bad input or\n"
	"module not loaded. Everything is about the network namespace it is run in.\n";

/*
 * Take the options out of @argv, wherever they are.
 * Return: -1 to go on, or an exit status.
 */
static int take_options(struct ss_cli *cli, int argc, char **argv)
{
	bool ended = false;
	int n = 0;

	for (int i = 1; i < argc; i++) {
		if (!ended && !strcmp(argv[i], "--")) {
			ended = true;
		} else if (ended || argv[i][0] != '-' || !strcmp(argv[i], "--help") ||
			   !strcmp(argv[i], "-h")) {
			argv[n++] = argv[i];
		} else if (!strcmp(argv[i], "-j") || !strcmp(argv[i], "--json")) {
			cli->json = true;
		} else if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-V")) {
			printf("smtpsplice %s\n", SS_VERSION);
			return SS_CLI_OK;
		} else {
			return ss_cli_usage("unknown option \"%s\", try \"smtpsplice help\"",
					    ss_cli_quote(argv[i]));
		}
	}
	argv[n] = NULL;
	cli->argc = n;
	cli->argv = argv;
	return -1;
}

int main(int argc, char **argv)
{
	struct ss_cli cli = {};
	int ret;

	if (argc < 1)
		return SS_CLI_USAGE;
	ret = take_options(&cli, argc, argv);
	if (ret < 0)
		ret = ss_cli_dispatch(&cli, "smtpsplice", commands, more);
	ss_genl_close(&cli.genl);
	if ((fflush(stdout) || ferror(stdout)) && ret == SS_CLI_OK) {
		fprintf(stderr, "smtpsplice: cannot write: %m\n");
		ret = SS_CLI_FAILED;
	}
	return ret;
}
