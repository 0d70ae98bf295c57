// SPDX-License-Identifier: GPL-2.0
/*
 * A helper that cannot start says why, in one line, against a kernel that is a fake.
 */
#include "tests/support/harness.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/fake_tls.h"

static void expect_refusal(const char *line)
{
	int status;

	start();
	status = end(0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
	if (!said(line)) {
		char *text = read_file("stderr");

		print_message("# %s", text);
		free(text);
		fail();
	}
	assert_int_equal(count_lines("stderr"), 1);
}

static void tells_of_another_helper(void **state)
{
	(void)state;
	atomic_store(&fake->busy, true);
	expect_refusal("another helper is registered in this network namespace: role scan is taken");
}

static void tells_of_a_missing_database(void **state)
{
	(void)state;
	conf.database = "/nonexistent/db";
	expect_refusal("database /nonexistent/db: No such file or directory");
}

static void tells_of_an_empty_database(void **state)
{
	(void)state;
	conf.database = dir;
	expect_refusal("database ");
}

static void tells_of_a_bad_database(void **state)
{
	char *bad = path("bad.ndb");
	int fd = open(bad, O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_int_equal(write(fd, "nonsense\n", 9), 9);
	close(fd);
	conf.database = dir;
	expect_refusal("database ");
	free(bad);
}

/* On a terminal others' octets would be commands */
static void tells_it_without_controls(void **state)
{
	char *text;

	(void)state;
	conf.database = "/nonexistent/\x1b[2J\r\n\x7f\x9b";
	expect_refusal("database /nonexistent/?[2J????: No such file or directory");
	text = read_file("stderr");
	assert_int_equal(text[strcspn(text, "\x1b\r\x7f\x9b")], '\0');
	free(text);
}

static void tells_of_a_bad_log(void **state)
{
	(void)state;
	conf.log = "/nonexistent/dir/av.log";
	expect_refusal("log /nonexistent/dir/av.log: ");
}

static void tells_of_a_bad_quarantine(void **state)
{
	(void)state;
	conf.quarantine = "/nonexistent/dir";
	expect_refusal("quarantine /nonexistent/dir: No such file or directory");
}

/* Others may have started before it has read the CA */
static void tells_of_a_bad_ca(void **state)
{
	int status;

	(void)state;
	make_ca();
	atomic_store(&fake_tls->mode, FAKE_TLS_USELESS);
	start();
	status = end(0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
	assert_true(said(": it is of no use"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(tells_of_a_bad_ca),
		T(tells_of_another_helper),
		T(tells_of_a_missing_database),
		T(tells_of_an_empty_database),
		T(tells_of_a_bad_database),
		T(tells_it_without_controls),
		T(tells_of_a_bad_log),
		T(tells_of_a_bad_quarantine),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
