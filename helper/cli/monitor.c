// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice monitor: events as they happen.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "cli/cli.h"
#include "lib/addr.h"
#include "lib/cleanup.h"
#include "proto/attrs.h"

static const char monitor_text[] =
	"Usage:\n"
	"  smtpsplice monitor\n"
	"      print an event a line, until interrupted; with -j a JSON object each\n";

static void format_time(char *buf, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	len = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	len += snprintf(buf + len, size - len, ".%03ld", now.tv_nsec / 1000000);
	strftime(buf + len, size - len, "%z", &tm);
}

static const char *get_text(struct json_object *event, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(event, key, &value) ?
	       json_object_get_string(value) : NULL;
}

static void print_endpoint(struct json_object *event, const char *key,
			   const char *port_key)
{
	const char *addr = get_text(event, key), *port = get_text(event, port_key);
	char buf[SS_ADDR_SIZE];

	if (addr && port)
		printf(" %s %s", key, ss_addr_format_port(buf, addr, strtoul(port, NULL, 10)));
	else if (addr)
		printf(" %s %s", key, addr);
}

static void print_values(struct json_object *event, const char *const *keys,
			 bool quoted)
{
	for (; *keys; keys++) {
		const char *value = get_text(event, *keys);

		if (value)
			printf(quoted ? " %s \"%s\"" : " %s %s", *keys, value);
	}
}

static void print_text(const char *time, struct json_object *event)
{
	static const char *const first[] = { "session", "policy", "tls", "av", "iif", NULL };
	static const char *const second[] = { "verdict", "unscanned", "result", "cause", NULL };
	static const char *const quoted[] = {
		"virus", "file", "reply", "server-name", "version", "cipher", "text", NULL
	};
	const char *kind = get_text(event, "kind"), *unscanned = get_text(event, "unscanned");

	/* A verdict always says it; it is news where something was not scanned */
	if (unscanned && !strcmp(unscanned, "none"))
		json_object_object_del(event, "unscanned");
	printf("%s %s", time, kind ? kind : "?");
	print_values(event, first, false);
	print_endpoint(event, "client", "client-port");
	print_endpoint(event, "server", "server-port");
	print_values(event, second, false);
	print_values(event, quoted, true);
	printf("\n");
}

static void print_event(int cmd, struct nlattr *attrs, int len, void *arg)
{
	const int how = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
	struct ss_cli *cli = arg;
	struct json_object *event;
	char time[64];

	if (cmd != SMTPSPLICE_CMD_EVENT)
		return;
	event = ss_attrs_decode(&ss_attrs_event, attrs, len);
	format_time(time, sizeof(time));
	if (cli->json) {
		json_object_object_add(event, "time", json_object_new_string(time));
		printf("%s\n", json_object_to_json_string_ext(event, how));
	} else {
		print_text(time, event);
	}
	fflush(stdout);
	json_object_put(event);
}

static int follow_events(struct ss_cli *cli, int signals)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = ss_genl_fd(&cli->genl), .events = POLLIN },
	};

	for (;;) {
		int ret;

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return ss_cli_failed(cli, -errno, "poll", NULL);
		if (fds[0].revents)
			return SS_CLI_OK;
		if (!fds[1].revents)
			continue;
		ret = ss_genl_receive(&cli->genl, print_event, cli);
		if (ret == -ENOBUFS)
			fprintf(stderr, "smtpsplice: too slow, some events were lost\n");
		else if (ret && ret != -EAGAIN)
			return ss_cli_failed(cli, ret, "events", NULL);
		if (ferror(stdout))
			return SS_CLI_OK;	/* main() tells */
	}
}

int ss_cmd_monitor(struct ss_cli *cli)
{
	int signals __cleanup(ss_cleanup_fd) = -1;
	sigset_t set;
	int ret;

	if (ss_cli_wants_help(cli)) {
		printf("%s", monitor_text);
		return SS_CLI_OK;
	}
	if (cli->argc)
		return ss_cli_usage("unexpected word \"%s\", try \"smtpsplice monitor help\"",
				    ss_cli_quote(cli->argv[0]));
	ret = ss_cli_connect(cli);
	if (ret)
		return ret;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return ss_cli_failed(cli, -errno, "signalfd", NULL);
	ret = ss_genl_join(&cli->genl, SMTPSPLICE_MCGRP_EVENTS);
	if (ret)
		return ss_cli_failed(cli, ret, "events", NULL);
	return follow_events(cli, signals);
}
