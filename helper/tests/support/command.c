// SPDX-License-Identifier: GPL-2.0
/*
 * Runs commands of smtpsplice, and says what they told the kernel.
 */
#include "tests/support/command.h"

#include <unistd.h>

#include "tests/support/mail.h"

char output[65536];

int run_words(int (*command)(struct ss_cli *cli), bool json, char **words)
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

void expect(const struct ss_attr_set *set, const char *attrs, int len, const char *want)
{
	struct json_object *obj = ss_attrs_decode(set, (struct nlattr *)attrs, len);

	assert_string_equal(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN |
			    JSON_C_TO_STRING_NOSLASHESCAPE), want);
	json_object_put(obj);
}

void expect_profile(const char *want)
{
	expect(&ss_attrs_tls_profile, fake->profile.attrs, fake->profile.len, want);
}

void expect_av(const char *want)
{
	expect(&ss_attrs_av_profile, fake->av.attrs, fake->av.len, want);
}

int setup(void **state)
{
	(void)state;
	memset(&fake->profile, 0, sizeof(fake->profile));
	memset(&fake->av, 0, sizeof(fake->av));
	memset(&fake->said, 0, sizeof(fake->said));
	memset(&fake->event, 0, sizeof(fake->event));
	fake->changes = 0;
	return 0;
}

/* Have a shell take what was shown, and add that */
static void add_what_was_shown(int (*command)(struct ss_cli *cli))
{
	static char text[sizeof(output)];
	char *words[256] = { "add" }, script[64];
	int file = mail_file("printf '%s\\0' ", 14);
	size_t len, n = 1;
	FILE *shell;

	assert_int_equal(pwrite(file, output, strlen(output), 14), strlen(output));
	snprintf(script, sizeof(script), "sh /proc/%d/fd/%d", getpid(), file);
	shell = popen(script, "r");
	assert_non_null(shell);
	len = fread(text, 1, sizeof(text), shell);
	assert_int_equal(pclose(shell), 0);
	close(file);
	for (char *s = text; s < text + len && n < 255; s += strlen(s) + 1)
		if (n > 1 || strcmp(s, "--") != 0)	/* main() takes that off */
			words[n++] = s;
	assert_int_equal(run_words(command, false, words), 0);
}

void expect_round_trip(int (*command)(struct ss_cli *cli), char *table,
		       const struct fake_profile *p)
{
	static struct fake_profile before;

	before = *p;
	assert_int_equal(run(ss_cmd_show, false, table), 0);
	add_what_was_shown(command);
	assert_int_equal(p->len, before.len);
	assert_memory_equal(p->attrs, before.attrs, p->len);
}

int group_setup(void **state)
{
	(void)state;
	fake_make();
	return 0;
}
