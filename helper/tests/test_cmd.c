// SPDX-License-Identifier: GPL-2.0
/*
 * What the commands of smtpsplice tell a kernel that is a fake, and what they
 * print of what it says.
 */
#include "unit.h"

#include <time.h>
#include <unistd.h>

#include <netlink/msg.h>

#include "attrs.h"
#include "cleanup.h"
#include "cli.h"
#include "fake_genl.h"
#include "mail.h"

static char output[65536];	/* of the last run */

/* Run a command with these words. Return: its exit status. */
static int run_words(int (*command)(struct ss_cli *cli), bool json, char **words)
{
	struct ss_cli cli = { .json = json, .argv = words };
	int file = mail_file("", 0), out, err, ret;
	ssize_t n;

	while (words[cli.argc])
		cli.argc++;
	fflush(NULL);
	out = dup(STDOUT_FILENO);
	err = dup(STDERR_FILENO);
	dup2(file, STDOUT_FILENO);
	dup2(file, STDERR_FILENO);
	ret = command(&cli);
	fflush(NULL);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	n = pread(file, output, sizeof(output) - 1, 0);
	assert_true(n >= 0);
	output[n] = '\0';
	close(file);
	return ret;
}

#define run(command, json, ...)						\
	run_words(command, json, (char *[]){ __VA_ARGS__, NULL })

static void expect_profile(const char *want)
{
	struct json_object *obj =
		ss_attrs_decode(&ss_attrs_tls_profile, (struct nlattr *)fake->profile.attrs,
				fake->profile.len);

	assert_string_equal(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN |
			    JSON_C_TO_STRING_NOSLASHESCAPE), want);
	json_object_put(obj);
}

static int setup(void **state)
{
	(void)state;
	memset(&fake->profile, 0, sizeof(fake->profile));
	return 0;
}

static void adds_a_profile(void **state)
{
	(void)state;
	assert_int_equal(run(ss_tls_main, false, "add", "in"), 0);
	assert_int_equal(fake->profile.cmd, SMTPSPLICE_CMD_TLS_ADD);
	assert_string_equal(fake->profile.name, "in");
	expect_profile("{}");
	assert_int_equal(run(ss_tls_main, false, "add", "in", "smtps", "bypass",
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

/* Every option with every value of it */
static void knows_all_values(void **state)
{
	(void)state;
	for (int type = 1; type <= ss_attrs_tls_profile.max; type++) {
		const struct ss_attr *attr = &ss_attrs_tls_profile.attr[type];

		for (unsigned int i = 0; attr->names && i < attr->names->count; i++) {
			struct nlattr *nla = (struct nlattr *)fake->profile.attrs;

			assert_int_equal(run(ss_tls_main, false, "add", "in", "server-cert", "c",
					     (char *)attr->name, (char *)attr->names->name[i]), 0);
			nla = nla_find(nla, fake->profile.len, type);
			assert_non_null(nla);
			assert_int_equal(nla_get_u32(nla), i);
		}
	}
}

static void sets_what_is_given(void **state)
{
	(void)state;
	assert_int_equal(run(ss_tls_main, false, "add", "in", "smtps", "bypass",
			     "smtps-port", "465,466", "exempt-name", "a,b", "exempt-regex", "x",
			     "exempt-regex", "y"), 0);
	assert_int_equal(run(ss_tls_main, false, "set", "in", "smtps-port", "467",
			     "exempt-regex", "z", "starttls", "strip"), 0);
	assert_int_equal(fake->profile.cmd, SMTPSPLICE_CMD_TLS_SET);
	expect_profile("{\"smtps-port\":[467],\"exempt-regex\":[\"z\"],\"starttls\":\"strip\","
		       "\"smtps\":\"bypass\",\"exempt-name\":[\"a\",\"b\"]}");
	assert_int_equal(run(ss_tls_main, false, "set", "in", "exempt-regex", "none",
			     "exempt-name", "none"), 0);
	expect_profile("{\"smtps-port\":[467],\"starttls\":\"strip\",\"smtps\":\"bypass\"}");
}

static void sets_nothing_that_is_bad(void **state)
{
	(void)state;
	assert_int_equal(run(ss_tls_main, false, "set", "in", "smtps", "off"), 1);
	assert_string_equal(output, "smtpsplice: tls profile \"in\": No such file or directory\n");
	assert_int_equal(run(ss_tls_main, false, "add", "in", "server-cert", "mx"), 0);
	assert_int_equal(run(ss_tls_main, false, "set", "other", "smtps", "off"), 1);
	assert_int_equal(run(ss_tls_main, false, "set", "in", "server-cert-mode", "replace"), 0);
	assert_int_equal(run(ss_tls_main, false, "set", "in", "server-cert", "none"), 2);
	assert_string_equal(output,
			    "smtpsplice: tls profile \"in\": server-cert-mode replace needs a server-cert\n");
	expect_profile("{\"server-cert-mode\":\"replace\",\"server-cert\":\"mx\"}");
}

/* Options of a newer module, and what only it can print, stay as they are */
static void keeps_what_it_does_not_know(void **state)
{
	struct nl_msg *msg = nlmsg_alloc();
	struct nlattr *attrs, *nla;
	int len;

	(void)state;
	nlmsg_put(msg, 1, 1, 100, 0, 0);
	nla_put_string(msg, SMTPSPLICE_A_TLS_PROFILE_EXEMPT_REGEX, "\x1b");
	nla_put_u32(msg, SMTPSPLICE_A_TLS_PROFILE_MAX + 1, 7);
	nla_put_u32(msg, 1000, 8);
	len = nlmsg_attrlen(nlmsg_hdr(msg), 0);
	fake->profile.cmd = SMTPSPLICE_CMD_TLS_ADD;
	strcpy(fake->profile.name, "in");
	memcpy(fake->profile.attrs, nlmsg_attrdata(nlmsg_hdr(msg), 0), len);
	fake->profile.len = len;
	nlmsg_free(msg);
	assert_int_equal(run(ss_tls_main, false, "set", "in", "smtps", "off"), 0);
	attrs = (struct nlattr *)fake->profile.attrs;
	len = fake->profile.len;
	nla = nla_find(attrs, len, SMTPSPLICE_A_TLS_PROFILE_EXEMPT_REGEX);
	assert_string_equal(nla_get_string(nla), "\x1b");
	assert_int_equal(nla_get_u32(nla_find(attrs, len, SMTPSPLICE_A_TLS_PROFILE_MAX + 1)), 7);
	assert_int_equal(nla_get_u32(nla_find(attrs, len, 1000)), 8);
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
	assert_int_equal(run_words(ss_tls_main, false, words), 0);
	assert_true(fake->profile.len > 2 * SMTPSPLICE_EXEMPT_MAX * SMTPSPLICE_PATTERN_MAX);
	assert_int_equal(run(ss_tls_main, false, "set", "in", "smtps", "off"), 0);
	assert_int_equal(run(ss_show_main, false, "tls"), 0);
	assert_non_null(strstr(output, names));
	words[n++] = "exempt-regex";
	words[n++] = "x";
	assert_int_equal(run_words(ss_tls_main, false, words), 2);
	assert_string_equal(output,
			    "smtpsplice: tls profile \"in\": exempt-regex: too many (at most 64)\n");
}

/* What is shown can be typed */
static void shows_profiles(void **state)
{
	(void)state;
	assert_int_equal(run(ss_show_main, false, "tls"), 0);
	assert_string_equal(output, "");
	assert_int_equal(run(ss_tls_main, false, "add", "in", "smtps", "inspect",
			     "smtps-port", "465,466", "exempt-address", "10.0.2.0/24",
			     "exempt-name", "*.a.org,b", "exempt-regex", "it's $x",
			     "exempt-regex", "a,b"), 0);
	assert_int_equal(run(ss_show_main, false, "tls"), 0);
	assert_string_equal(output,
			    "in \\\n  smtps inspect \\\n  smtps-port 465,466 \\\n"
			    "  exempt-address 10.0.2.0/24 \\\n  exempt-name '*.a.org,b' \\\n"
			    "  exempt-regex 'it'\\''s $x' \\\n  exempt-regex a,b\n");
	assert_int_equal(run(ss_show_main, true, "tls"), 0);
	assert_non_null(strstr(output, "\"smtps-port\":[\n      465,\n      466\n    ]"));
	assert_non_null(strstr(output, "\"policies\":2"));
}

static void shows_it_as_a_shell_takes_it(void **state)
{
	char script[1024] = "printf '%s\\n' ", want[] = "in\nexempt-regex\na'b\"$c\\\n";
	char text[256] = "";
	FILE *shell;

	(void)state;
	assert_int_equal(run(ss_tls_main, false, "add", "in", "exempt-regex", "a'b\"$c\\\\"), 0);
	assert_int_equal(run(ss_show_main, false, "tls"), 0);
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
	assert_int_equal(run(ss_show_main, false, "engine", "state", path), 0);
	assert_non_null(strstr(output, "engine 1.4.3\nlevel 213\nsignatures 8000000\n"
			       "loaded 2001-09-09 01:46:40\ndatabase main.cvd version 62 built "));
	assert_non_null(strstr(output, "database daily.cld version 27815 built "));
	assert_non_null(strstr(output, "local-files 2\nage-days 3\n"
			       "reload failed 2001-09-09 01:46:40: Malformed?[31m\n"
			       "running yes\n"));
	assert_int_equal(run(ss_show_main, true, "engine", "state", path), 0);
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
		assert_int_equal(run(ss_show_main, false, "engine", "state", path), 0);
		assert_non_null(strstr(output, "running no\n"));
		assert_int_equal(run(ss_show_main, true, "engine", "state", path), 0);
		remove_state(path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		path = state_file(bad[i]);
		assert_int_equal(run(ss_show_main, false, "engine", "state", path), 1);
		remove_state(path);
	}
}

static int group_setup(void **state)
{
	(void)state;
	fake_make();
	return 0;
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
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, NULL);
}
