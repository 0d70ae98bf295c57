// SPDX-License-Identifier: GPL-2.0
/*
 * The quarantine: how much is kept, and for how long.
 */
#include "tests/support/quarantine.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/process.h"
#include "lib/units.h"
#include "tests/support/mail.h"

static void drops_new_over_quota(void **state)
{
	(void)state;
	limits.quota = 2 * PAIR;
	open_it();
	assert_int_equal(keep(1), 0);
	assert_int_equal(keep(2), 0);
	assert_int_equal(keep(3), -EDQUOT);
	assert_int_equal(count_files(), 4);
	assert_int_equal(q.used, 2 * PAIR);
	/* A restart changes nothing */
	open_it();
	assert_int_equal(q.used, 2 * PAIR);
	assert_int_equal(keep(3), -EDQUOT);
}

/* That a message fits is known beforehand, its note comes on top */
static void drops_what_its_note_makes_too_large(void **state)
{
	(void)state;
	limits.quota = BLOCK;
	open_it();
	assert_int_equal(keep(1), -EDQUOT);
	assert_int_equal(count_files(), 0);
	assert_int_equal(q.used, 0);
}

static void overwrites_the_oldest(void **state)
{
	char first[SS_QUARANTINE_NAME_SIZE], second[SS_QUARANTINE_NAME_SIZE];

	(void)state;
	limits.quota = 2 * PAIR;
	limits.overwrite = true;
	open_it();
	assert_int_equal(keep(2), 0);
	strcpy(first, name);
	assert_int_equal(keep(1), 0);
	strcpy(second, name);
	assert_int_equal(keep(3), 0);
	assert_false(there(first));
	assert_true(there(second));
	assert_true(there(name));
	assert_int_equal(count_files(), 4);
	assert_int_equal(q.used, 2 * PAIR);
	/* By time after a restart, not by name */
	make_old(name, HOUR);
	open_it();
	assert_int_equal(keep(4), 0);
	assert_true(there(second));
	assert_int_equal(count_files(), 4);
}

static void overwrites_nothing_for_what_never_fits(void **state)
{
	char big[3 * PAIR] = "";

	(void)state;
	limits.quota = 2 * PAIR;
	limits.overwrite = true;
	open_it();
	assert_int_equal(keep(1), 0);
	memset(big, 'x', sizeof(big) - 1);
	assert_int_equal(keep_text(big), -EDQUOT);
	assert_int_equal(count_files(), 2);
}

static void overwrites_many(void **state)
{
	(void)state;
	limits.quota = 20 * PAIR;
	limits.overwrite = true;
	open_it();
	for (int i = 0; i < 500; i++)
		assert_int_equal(keep(i), 0);
	assert_int_equal(count_files(), 40);
	assert_int_equal(q.used, 20 * PAIR);
	assert_int_equal(q.count, 20);
	assert_in_range(q.room, 20, 128);
}

static void keeps_the_file_system_free(void **state)
{
	(void)state;
	open_it();
	assert_int_equal(keep(1), 0);
	limits.keep_free = UINT64_MAX;
	assert_int_equal(keep(2), -ENOSPC);
	/* Nor does it make itself empty for nothing */
	limits.overwrite = true;
	assert_int_equal(keep(2), -ENOSPC);
	assert_int_equal(count_files(), 2);
	limits.overwrite = false;
	limits.keep_free = 0;
	assert_int_equal(ss_quarantine_create(&q, UINT64_MAX / 2, 0), -ENOSPC);
	assert_int_equal(ss_quarantine_create(&q, 1, UINT64_MAX / 2), -ENOSPC);
	assert_int_equal(keep(2), 0);
}

static void does_not_keep_large_ones(void **state)
{
	int fd;

	(void)state;
	limits.max_size = 20;
	open_it();
	assert_int_equal(keep_text("123456789012345678901"), -EFBIG);
	assert_int_equal(keep_text("12345678901234567890"), 0);
	/* Whatever the worker was told */
	fd = ss_quarantine_create(&q, 1, 0);
	assert_int_equal(write(fd, "123456789012345678901", 21), 21);
	assert_int_equal(keep_file(fd), -EFBIG);
	close(fd);
	assert_int_equal(count_files(), 2);
}

static void removes_the_old(void **state)
{
	char old[SS_QUARANTINE_NAME_SIZE];

	(void)state;
	limits.max_age = 2;
	open_it();
	assert_int_equal(keep(1), 0);
	strcpy(old, name);
	make_old(old, 2 * HOUR - 60);
	assert_int_equal(keep(2), 0);
	assert_true(there(old));
	make_old(old, 2 * HOUR);
	assert_int_equal(keep(3), 0);
	assert_false(there(old));
	assert_int_equal(count_files(), 4);
	assert_int_equal(q.used, 2 * PAIR);
	/* When there is nothing else to do */
	make_old(name, 3 * HOUR);
	q.looked = ss_process_now() - 60001;
	ss_quarantine_look(&q);
	assert_false(there(name));
	assert_int_equal(count_files(), 2);
	/* At the start; and never where it is told so */
	assert_int_equal(keep(4), 0);
	make_old(name, 3 * HOUR);
	limits.max_age = 0;
	open_it();
	assert_true(there(name));
	limits.max_age = 2;
	open_it();
	assert_false(there(name));
}

static void notices_what_others_delete(void **state)
{
	struct ss_quarantine_dir_entry entry;

	(void)state;
	limits.quota = PAIR;
	open_it();
	assert_int_equal(keep(1), 0);
	assert_int_equal(keep(2), -EDQUOT);
	assert_true(ss_quarantine_dir_parse(name, &entry));
	assert_int_equal(ss_quarantine_dir_remove(q.dir, &entry), 0);
	make_old(NULL, 1);
	assert_int_equal(keep(2), 0);
	/* The folder's time did not tell: it is looked at again once a minute */
	assert_true(ss_quarantine_dir_parse(name, &entry));
	assert_int_equal(ss_quarantine_dir_remove(q.dir, &entry), 0);
	hide_change();
	assert_int_equal(keep(3), -EDQUOT);
	q.scanned -= 60001;
	assert_int_equal(keep(3), 0);
	/* Nor does it matter to who overwrites */
	limits.overwrite = true;
	assert_true(ss_quarantine_dir_parse(name, &entry));
	assert_int_equal(ss_quarantine_dir_remove(q.dir, &entry), 0);
	hide_change();
	assert_int_equal(keep(4), 0);
	assert_int_equal(count_files(), 2);
	assert_int_equal(q.used, PAIR);
}

/* Somebody else changes the folder all the time: that is not read for each message */
static void N5_reads_a_large_folder_for_few_messages(void **state)
{
	int reads = 0;

	(void)state;
	open_it();
	for (int i = 0; i < 640; i++) {
		char *file = mail_format("%d-%016x.eml", i, i);

		make(file, "x");
		free(file);
	}
	open_it();
	assert_int_equal(q.count, 640);
	for (int i = 0; i < 100; i++) {
		make_old(NULL, 100 + i);
		q.scanned = 0;
		assert_int_equal(keep(1), 0);
		reads += q.scanned != 0;
	}
	assert_true(reads > 0);
	assert_true(reads <= 10);
	/* In the end it knows all of it */
	make_old(NULL, 50);
	q.looked = ss_process_now() - 60001;
	ss_quarantine_look(&q);
	assert_int_equal(q.count, 740);
	assert_false(q.stale);
}

/*
 * Messages that others remove are noticed later, even if this process writes to the folder
 * meanwhile: that changes the folder's times, too.
 */
static void N5_remembers_that_others_have_changed_it(void **state)
{
	struct ss_quarantine_dir_entry entry;

	(void)state;
	open_it();
	for (int i = 0; i < 65; i++)
		assert_int_equal(keep(i), 0);
	assert_true(ss_quarantine_dir_parse(name, &entry));
	q.credit = 0;
	assert_int_equal(ss_quarantine_dir_remove(q.dir, &entry), 0);
	make_old(NULL, 1);
	assert_int_equal(keep(100), 0);		/* too few messages since then */
	assert_int_equal(q.count, 66);
	assert_int_equal(keep(101), 0);
	assert_int_equal(q.count, 66);
}

static void N5_removes_a_few_old_ones_a_message(void **state)
{
	(void)state;
	open_it();
	for (int i = 0; i < 200; i++)
		assert_int_equal(keep(i), 0);
	for (size_t i = 0; i < q.count; i++)
		q.list[q.first + i].time -= 2 * HOUR;
	limits.max_age = 1;
	assert_int_equal(keep(200), 0);
	assert_int_equal(q.count, 200 - 64 + 1);
	/* When there is nothing else to do, the others, in as many steps as it takes */
	q.looked = ss_process_now() - 60001;
	q.stale = false;
	ss_quarantine_look(&q);
	assert_int_equal(q.count, 200 - 2 * 64 + 1);
	ss_quarantine_look(&q);
	ss_quarantine_look(&q);
	assert_int_equal(q.count, 1);
	assert_false(q.more);
	assert_int_equal(count_files(), 2);
}

static void reads_sizes(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_true(ss_units_size("1", INT64_MAX, &n) && n == 1);
	assert_true(ss_units_size("2G", INT64_MAX, &n) && n == 2ull << 30);
	assert_true(ss_units_size("9223372036854775807", INT64_MAX, &n) && n == INT64_MAX);
	assert_false(ss_units_size("9223372036854775808", INT64_MAX, &n));
	assert_false(ss_units_size("18446744073709551616", INT64_MAX, &n));
	assert_false(ss_units_size("8589934592G", INT64_MAX, &n));
	for (const char *const *bad = (const char *const []){ "", "0", "-1", "+1", " 1", "1 ", "K",
	     "1T", "1KK", "0x1", NULL }; *bad; bad++)
		assert_false(ss_units_size(*bad, INT64_MAX, &n));
	assert_true(ss_units_time("5m", UINT32_MAX, &n) && n == 300000);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(drops_new_over_quota),
		T(drops_what_its_note_makes_too_large),
		T(overwrites_the_oldest),
		T(overwrites_nothing_for_what_never_fits),
		T(overwrites_many),
		T(keeps_the_file_system_free),
		T(does_not_keep_large_ones),
		T(removes_the_old),
		T(notices_what_others_delete),
		T(N5_reads_a_large_folder_for_few_messages),
		T(N5_remembers_that_others_have_changed_it),
		T(N5_removes_a_few_old_ones_a_message),
		T(reads_sizes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
