// SPDX-License-Identifier: GPL-2.0
/*
 * The file that says with which engine the helper scans.
 */
#include "tests/support/reload.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/state_file.h"

static void write_text(const char *name, const char *text)
{
	char *p = path(name);
	int fd = open(p, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	free(p);
}

static void expect_text(const char *name, const char *text)
{
	char *have = read_file(name);

	assert_string_equal(have, text);
	free(have);
}

static void writes_no_state_through_a_link(void **state)
{
	char *run = path("run"), *link = path("run/engine.json.new"), *kept = path("kept");
	struct stat st;

	(void)state;
	write_text("kept", "ours");
	assert_int_equal(mkdir(run, 0700), 0);
	assert_int_equal(symlink(kept, link), 0);
	start_ready();
	wait_for(state_is("reload", "outcome", "none"));
	assert_int_equal(lstat(state_path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	expect_text("kept", "ours");
	assert_int_equal(end(SIGTERM), 0);
	free(run);
	free(link);
	free(kept);
}

/* Here it is a limit that the disk is full by */
static void keeps_the_state_where_there_is_no_room(void **state)
{
	struct ss_state_file s = { .conf = &conf, .mute = true };
	struct rlimit before, little;
	char *run = path("run");

	(void)state;
	assert_int_equal(mkdir(run, 0700), 0);
	write_text("run/engine.json", "{}");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = (struct rlimit){ .rlim_cur = 10, .rlim_max = before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	ss_state_file_note(&s, SS_STATE_FILE_DONE, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	expect_text("run/engine.json", "{}");
	ss_state_file_note(&s, SS_STATE_FILE_DONE, NULL);
	assert_true(state_is("reload", "outcome", "done"));
	free(run);
}

static void says_that_there_is_no_room_for_the_state(void **state)
{
	(void)state;
	conf.state = "/nonexistent/dir/engine.json";
	start_ready();
	wait_for(said("cannot write /nonexistent/dir/engine.json: No such file"));
	renew();
	wait_reloaded(1);
	assert_int_equal(count_said("cannot write"), 1);
	conf.state = state_path;
	assert_int_equal(end(SIGTERM), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup_reload, teardown_reload)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(writes_no_state_through_a_link),
		T(keeps_the_state_where_there_is_no_room),
		T(says_that_there_is_no_room_for_the_state),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
