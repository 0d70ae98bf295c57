// SPDX-License-Identifier: GPL-2.0
/*
 * What the commands of smtpsplice tell a kernel that is a fake, and what they
 * print of what it says.
 */
#include "tests/support/command.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <netlink/msg.h>

#include "lib/cleanup.h"
#include "tests/support/mail.h"

static void adds_a_profile(void **state)
{
	(void)state;
	assert_int_equal(run(ss_cmd_tls, false, "add", "in"), 0);
	assert_int_equal(fake->profile.cmd, SMTPSPLICE_CMD_TLS_ADD);
	assert_string_equal(fake->profile.name, "in");
	expect_profile("{}");
	assert_int_equal(run(ss_cmd_tls, false, "add", "in", "smtps", "bypass",
			     "smtps-port", "smtps,4650", "server-cert-mode", "replace",
			     "server-cert", "mx", "exempt-address", "10.0.2.0/24,fd00::1",
			     "exempt-regex", "^a{1,2}$", "exempt-name", "*.example.org,b",
			     "exempt-regex", "b", "starttls", "require"), 0);
	expect_profile("{\"smtps\":\"bypass\",\"smtps-port\":[465,4650],"
		       "\"server-cert-mode\":\"replace\",\"server-cert\":\"mx\","
		       "\"exempt-address\":[\"10.0.2.0/24\",\"fd00::1/128\"],"
		       "\"exempt-regex\":[\"^a{1,2}$\",\"b\"],"
		       "\"exempt-name\":[\"*.example.org\",\"b\"],\"starttls\":\"require\"}");
	assert_string_equal(output, "");
}

/* Every option with every value of it, beside one that none of them can do without */
static void try_all_values(int (*command)(struct ss_cli *cli), const struct ss_attr_set *set,
			   struct fake_profile *p, char *option, char *value)
{
	for (int type = 1; type <= set->max; type++) {
		const struct ss_attr *attr = &set->attr[type];
		bool flags = attr->type == SS_ATTR_FLAGS;

		for (unsigned int i = 0; attr->names && i < attr->names->count; i++) {
			struct nlattr *nla = (struct nlattr *)p->attrs;

			assert_int_equal(run(command, false, "add", "in", option, value,
					     (char *)attr->name, (char *)attr->names->name[i]), 0);
			nla = nla_find(nla, p->len, type);
			assert_non_null(nla);
			assert_int_equal(nla_get_u32(nla), flags ? 1u << i : i);
		}
	}
}

static void knows_all_values(void **state)
{
	(void)state;
	try_all_values(ss_cmd_tls, &ss_attrs_tls_profile, &fake->profile, "server-cert", "c");
	try_all_values(ss_cmd_av, &ss_attrs_av_profile, &fake->av, "replacement", "c");
}

static void sets_what_is_given(void **state)
{
	(void)state;
	assert_int_equal(run(ss_cmd_tls, false, "add", "in", "smtps", "bypass",
			     "smtps-port", "465,466", "exempt-name", "a,b", "exempt-regex", "x",
			     "exempt-regex", "y"), 0);
	assert_int_equal(run(ss_cmd_tls, false, "set", "in", "smtps-port", "467",
			     "exempt-regex", "z", "starttls", "strip"), 0);
	assert_int_equal(fake->profile.cmd, SMTPSPLICE_CMD_TLS_SET);
	expect_profile("{\"smtps-port\":[467],\"exempt-regex\":[\"z\"],\"starttls\":\"strip\","
		       "\"smtps\":\"bypass\",\"exempt-name\":[\"a\",\"b\"]}");
	assert_int_equal(run(ss_cmd_tls, false, "set", "in", "exempt-regex", "none",
			     "exempt-name", "none"), 0);
	expect_profile("{\"smtps-port\":[467],\"starttls\":\"strip\",\"smtps\":\"bypass\"}");
	/* The list of profiles changes a few times, or on and on */
	fake->changes = 4;
	assert_int_equal(run(ss_cmd_tls, false, "set", "in", "starttls", "require"), 0);
	expect_profile("{\"starttls\":\"require\",\"smtps-port\":[467],\"smtps\":\"bypass\"}");
	fake->changes = 5;
	assert_int_equal(run(ss_cmd_tls, false, "set", "in", "starttls", "strip"), 1);
	expect_profile("{\"starttls\":\"require\",\"smtps-port\":[467],\"smtps\":\"bypass\"}");
}

static void sets_nothing_that_is_bad(void **state)
{
	(void)state;
	assert_int_equal(run(ss_cmd_tls, false, "set", "in", "smtps", "off"), 1);
	assert_string_equal(output, "smtpsplice: tls profile \"in\": No such file or directory\n");
	assert_int_equal(run(ss_cmd_tls, false, "add", "in", "server-cert", "mx"), 0);
	assert_int_equal(run(ss_cmd_tls, false, "set", "other", "smtps", "off"), 1);
	assert_int_equal(run(ss_cmd_tls, false, "set", "in", "server-cert-mode", "replace"), 0);
	assert_int_equal(run(ss_cmd_tls, false, "set", "in", "server-cert", "none"), 2);
	assert_string_equal(output,
			    "smtpsplice: tls profile \"in\": server-cert-mode replace needs a server-cert\n");
	expect_profile("{\"server-cert-mode\":\"replace\",\"server-cert\":\"mx\"}");
}

/* A profile of a newer module, with what only that can print */
static void make_newer(struct fake_profile *p, const struct ss_attr_set *set, int text)
{
	struct nl_msg *msg = nlmsg_alloc();

	nlmsg_put(msg, 1, 1, 100, 0, 0);
	nla_put_string(msg, text, "\x1b");
	nla_put_u32(msg, set->max + 1, 7);
	nla_put_u32(msg, 64 + set->max, 8);
	nla_put_u32(msg, 1000, 9);
	p->len = nlmsg_attrlen(nlmsg_hdr(msg), 0);
	p->cmd = 1;
	strcpy(p->name, "in");
	memcpy(p->attrs, nlmsg_attrdata(nlmsg_hdr(msg), 0), p->len);
	nlmsg_free(msg);
}

static void expect_newer(struct fake_profile *p, const struct ss_attr_set *set, int text)
{
	struct nlattr *attrs = (struct nlattr *)p->attrs;

	assert_string_equal(nla_get_string(nla_find(attrs, p->len, text)), "\x1b");
	assert_int_equal(nla_get_u32(nla_find(attrs, p->len, set->max + 1)), 7);
	assert_int_equal(nla_get_u32(nla_find(attrs, p->len, 64 + set->max)), 8);
	assert_int_equal(nla_get_u32(nla_find(attrs, p->len, 1000)), 9);
}

/* Options of a newer module, and what only it can print, stay as they are */
static void keeps_what_it_does_not_know(void **state)
{
	const int regex = SMTPSPLICE_A_TLS_PROFILE_EXEMPT_REGEX;
	const int reply = SMTPSPLICE_A_AV_PROFILE_REPLY_VIRUS;

	(void)state;
	make_newer(&fake->profile, &ss_attrs_tls_profile, regex);
	assert_int_equal(run(ss_cmd_tls, false, "set", "in", "exempt-name", "a"), 0);
	expect_newer(&fake->profile, &ss_attrs_tls_profile, regex);
	make_newer(&fake->av, &ss_attrs_av_profile, reply);
	assert_int_equal(run(ss_cmd_av, false, "set", "in", "replacement", "a"), 0);
	expect_newer(&fake->av, &ss_attrs_av_profile, reply);
}

static void takes_the_largest(void **state)
{
	static char text[2][SMTPSPLICE_EXEMPT_MAX][SMTPSPLICE_PATTERN_MAX + 1];
	static char names[SMTPSPLICE_EXEMPT_MAX * (SMTPSPLICE_PATTERN_MAX + 1)];
	char *words[8 + 2 * SMTPSPLICE_EXEMPT_MAX] = { "add", "in", "exempt-name", names };
	size_t len = 0;
	int n = 4;

	(void)state;
	for (int i = 0; i < SMTPSPLICE_EXEMPT_MAX; i++) {
		memset(text[0][i], 'r', SMTPSPLICE_PATTERN_MAX);
		words[n++] = "exempt-regex";
		words[n++] = text[0][i];
		memset(text[1][i], 'n', SMTPSPLICE_PATTERN_MAX);
		for (int dot = 60; dot < SMTPSPLICE_PATTERN_MAX; dot += 60)
			text[1][i][dot] = '.';
		len += sprintf(names + len, "%s%s", i ? "," : "", text[1][i]);
	}
	assert_int_equal(run_words(ss_cmd_tls, false, words), 0);
	assert_true(fake->profile.len > 2 * SMTPSPLICE_EXEMPT_MAX * SMTPSPLICE_PATTERN_MAX);
	assert_int_equal(run(ss_cmd_tls, false, "set", "in", "smtps", "off"), 0);
	assert_int_equal(run(ss_cmd_show, false, "tls"), 0);
	assert_non_null(strstr(output, names));
	words[n++] = "exempt-regex";
	words[n++] = "x";
	assert_int_equal(run_words(ss_cmd_tls, false, words), 2);
	assert_string_equal(output,
			    "smtpsplice: tls profile \"in\": exempt-regex: too many (at most 64)\n");
}

/* What is shown can be typed */
static void shows_profiles(void **state)
{
	(void)state;
	assert_int_equal(run(ss_cmd_show, false, "tls"), 0);
	assert_string_equal(output, "");
	assert_int_equal(run(ss_cmd_tls, false, "add", "in", "smtps", "inspect",
			     "smtps-port", "465,466", "exempt-address", "10.0.2.0/24",
			     "exempt-name", "*.a.org,b", "exempt-regex", "it's $x",
			     "exempt-regex", "a,b"), 0);
	assert_int_equal(run(ss_cmd_show, false, "tls"), 0);
	assert_string_equal(output,
			    "in \\\n  smtps inspect \\\n  smtps-port 465,466 \\\n"
			    "  exempt-address 10.0.2.0/24 \\\n  exempt-name '*.a.org,b' \\\n"
			    "  exempt-regex 'it'\\''s $x' \\\n  exempt-regex a,b\n");
	assert_int_equal(run(ss_cmd_show, true, "tls"), 0);
	assert_non_null(strstr(output, "\"smtps-port\":[\n      465,\n      466\n    ]"));
	assert_non_null(strstr(output, "\"policies\":2"));
	/* The list changes a few times, or on and on */
	fake->changes = 4;
	assert_int_equal(run(ss_cmd_show, false, "tls"), 0);
	assert_memory_equal(output, "in \\\n", 5);
	assert_null(strstr(output + 5, "in \\\n"));
	fake->changes = 5;
	assert_int_equal(run(ss_cmd_show, false, "tls"), 1);
	assert_string_equal(output, "smtpsplice: tls: Interrupted system call\n");
}

static void shows_it_as_a_shell_takes_it(void **state)
{
	char script[1024] = "printf '%s\\n' ", want[] = "in\nexempt-regex\na'b\"$c\\\n";
	char text[256] = "";
	FILE *shell;

	(void)state;
	assert_int_equal(run(ss_cmd_tls, false, "add", "in", "exempt-regex", "a'b\"$c\\\\"), 0);
	assert_int_equal(run(ss_cmd_show, false, "tls"), 0);
	strcat(script, output);
	shell = popen(script, "r");
	assert_non_null(shell);
	assert_true(fread(text, 1, sizeof(text) - 1, shell) > 0);
	pclose(shell);
	want[strlen(want) - 1] = '\0';
	assert_memory_equal(text, want, strlen(want));
	assert_string_equal(text + strlen(want), "\\\n");
}

static char *state_file(const char *text)
{
	char *path = strdup("/tmp/smtpsplice-test.XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

static void remove_state(char *path)
{
	unlink(path);
	free(path);
}

static void shows_the_engine(void **state)
{
	char *text = mail_format("{\"engine\":\"1.4.3\",\"level\":213,\"signatures\":8000000,"
		"\"loaded\":1000000000,\"databases\":["
		"{\"name\":\"main.cvd\",\"version\":62,\"built\":%lld,\"signatures\":6000000},"
		"{\"name\":\"daily.cld\",\"version\":27815,\"built\":%lld,\"signatures\":2000000}"
		"],\"local-files\":2,\"reload\":{\"outcome\":\"failed\",\"time\":1000000000,"
		"\"error\":\"Malformed\\u001b[31m\"},\"pid\":%d}",
		(long long)time(NULL) - 900 * 86400ll, (long long)time(NULL) - 3 * 86400 - 60,
		getpid());
	char *path = state_file(text);

	(void)state;
	setenv("TZ", "UTC", 1);
	assert_int_equal(run(ss_cmd_show, false, "engine", "state", path), 0);
	assert_non_null(strstr(output, "engine 1.4.3\nlevel 213\nsignatures 8000000\n"
			       "loaded 2001-09-09 01:46:40\ndatabase main.cvd version 62 built "));
	assert_non_null(strstr(output, "database daily.cld version 27815 built "));
	assert_non_null(strstr(output, "local-files 2\nage-days 3\n"
			       "reload failed 2001-09-09 01:46:40: Malformed?[31m\n"
			       "running yes\n"));
	assert_int_equal(run(ss_cmd_show, true, "engine", "state", path), 0);
	assert_non_null(strstr(output, "\"age-days\":3"));
	assert_non_null(strstr(output, "\"running\":true"));
	remove_state(path);
	free(text);
}

/* It is what some process has left in a file */
static void survives_any_state(void **state)
{
	static const char *const good[] = {
		"{}", "{\"databases\":{},\"reload\":[],\"pid\":\"x\"}",
		"{\"databases\":[1,null,[]],\"reload\":null,\"engine\":{},\"pid\":-1}",
		"{\"loaded\":9223372036854775807,\"pid\":9223372036854775807,"
		"\"databases\":[{\"built\":9223372036854775807}]}",
	};
	static const char *const bad[] = { "", "x", "[]", "7", "{\"a\":",
		"[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]" };
	char *path;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		path = state_file(good[i]);
		assert_int_equal(run(ss_cmd_show, false, "engine", "state", path), 0);
		assert_non_null(strstr(output, "running no\n"));
		assert_int_equal(run(ss_cmd_show, true, "engine", "state", path), 0);
		remove_state(path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		path = state_file(bad[i]);
		assert_int_equal(run(ss_cmd_show, false, "engine", "state", path), 1);
		remove_state(path);
	}
}

static void sets_settings(void **state)
{
	(void)state;
	assert_int_equal(run(ss_cmd_set, false, "message-timeout", "4m", "conserve-green", "1",
			     "conserve-red", "88", "conserve-extreme", "100", "max-held", "2G",
			     "max-client-held", "60", "max-client-handshakes", "101",
			     "max-client-scans", "102"), 0);
	expect(&ss_attrs_settings, fake->said.attrs, fake->said.len,
	       "{\"message-timeout\":240000,\"conserve-green\":1,\"conserve-red\":88,"
	       "\"conserve-extreme\":100,\"max-held\":2147483648,\"max-client-held\":60,"
	       "\"max-client-handshakes\":101,\"max-client-scans\":102}");
	assert_int_equal(run(ss_cmd_show, false, "settings"), 0);
	assert_string_equal(output, "max-held 2147483648\nmessage-timeout 240000ms\n"
			    "conserve-green 1\nconserve-red 88\nconserve-extreme 100\n"
			    "max-client-held 60\nmax-client-handshakes 101\n"
			    "max-client-scans 102\n");
}

/* Run the monitor until it has printed the event of @msg, which is freed */
static void watch(struct nl_msg *msg, bool json)
{
	sigset_t set;
	int number;

	fake->event.cmd = SMTPSPLICE_CMD_EVENT;
	fake->event.len = nlmsg_attrlen(nlmsg_hdr(msg), 0);
	memcpy(fake->event.attrs, nlmsg_attrdata(nlmsg_hdr(msg), 0), fake->event.len);
	nlmsg_free(msg);
	fake_ring();
	assert_int_equal(run(ss_cmd_monitor, json, NULL), 0);
	/* It leaves the signal that ends it for the end of its process */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(sigwait(&set, &number), 0);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static struct nl_msg *make_event(uint32_t kind)
{
	struct nl_msg *msg = nlmsg_alloc();

	nlmsg_put(msg, 1, 1, 100, 0, 0);
	nla_put_u32(msg, SMTPSPLICE_A_EVENT_KIND, kind);
	return msg;
}

static struct nl_msg *make_verdict(uint32_t unscanned)
{
	struct nl_msg *msg = make_event(SMTPSPLICE_EVENT_VERDICT);

	nla_put_string(msg, SMTPSPLICE_A_EVENT_POLICY, "in");
	nla_put_u32(msg, SMTPSPLICE_A_EVENT_VERDICT, SMTPSPLICE_VERDICT_ACCEPT);
	nla_put_u32(msg, SMTPSPLICE_A_EVENT_UNSCANNED, unscanned);
	return msg;
}

static void monitors(void **state)
{
	struct nl_msg *msg = make_event(SMTPSPLICE_EVENT_AV_ADD);

	(void)state;
	nla_put_string(msg, SMTPSPLICE_A_EVENT_AV, "strict");
	watch(msg, false);
	assert_non_null(strstr(output, " av-add av strict\n"));
	watch(make_event(SMTPSPLICE_EVENT_AV_DEL), false);
	assert_non_null(strstr(output, " av-del\n"));
	watch(make_event(SMTPSPLICE_EVENT_CONSERVE), false);
	assert_non_null(strstr(output, " conserve\n"));
	watch(make_verdict(SMTPSPLICE_UNSCANNED_OVERSIZE), false);
	assert_non_null(strstr(output, " verdict policy in verdict accept unscanned oversize\n"));
	watch(make_verdict(SMTPSPLICE_UNSCANNED_NONE), false);
	assert_non_null(strstr(output, " verdict policy in verdict accept\n"));
	watch(make_verdict(SMTPSPLICE_UNSCANNED_NONE), true);
	assert_non_null(strstr(output, "\"unscanned\":\"none\""));
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(adds_a_profile),
		T(knows_all_values),
		T(sets_what_is_given),
		T(sets_nothing_that_is_bad),
		T(keeps_what_it_does_not_know),
		T(takes_the_largest),
		T(shows_profiles),
		T(shows_it_as_a_shell_takes_it),
		T(shows_the_engine),
		T(survives_any_state),
		T(sets_settings),
		T(monitors),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, NULL);
}
