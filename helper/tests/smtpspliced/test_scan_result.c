// SPDX-License-Identifier: GPL-2.0
/*
 * Each member of what a worker says, by itself: the broker believes none that cannot be.
 */
#include "tests/support/lies.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/attrs.h"

#define MEMBER(member)	offsetof(struct ss_scan_result, member), \
			sizeof(((struct ss_scan_result *)0)->member)

/* What comes of a clean message of which a worker says that */
static struct fake_request *lie_of_member(enum lie how, size_t at, size_t size, uint32_t value)
{
	struct fake_request *req = &fake->req[0];

	memset(req, 0, sizeof(*req));
	atomic_store(lie_at, at);
	atomic_store(lie_size, size);
	atomic_store(lie_value, value);
	atomic_store(lie, how);
	return give(0, clean(), 60000);
}

/* It is not believed, and so has not said anything */
static void expect_nonsense(size_t at, size_t size, uint32_t value)
{
	struct fake_request *req = lie_of_member(SAYS_MEMBER, at, size, value);

	if (req->verdict != SMTPSPLICE_VERDICT_TEMPFAIL)
		print_message("# member at %zu: %u is believed\n", at, value);
	expect_refused_unscanned(req);
}

static void expect_believed(size_t at, size_t size, uint32_t value)
{
	struct fake_request *req = lie_of_member(SAYS_MEMBER, at, size, value);

	if (req->verdict != SMTPSPLICE_VERDICT_ACCEPT)
		print_message("# member at %zu: %u is not believed\n", at, value);
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_ACCEPT);
}

static bool has_name(const struct ss_attr_set *set, int type, uint64_t value)
{
	return strcmp(ss_attrs_value_name(set, type, value), "?");
}

static void i4_numbers_are_in_range(void **state)
{
	static const uint32_t large[] = { 0x7fffffff, 0x80000000, 0xffffffff };
	uint32_t known = 0;

	(void)state;
	start_ready();
	expect_nonsense(MEMBER(verdict), SMTPSPLICE_VERDICT_DISCARD + 1);
	expect_nonsense(MEMBER(cause), SS_CAUSE_COUNT);
	for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++) {
		expect_nonsense(MEMBER(verdict), large[i]);
		expect_nonsense(MEMBER(cause), large[i]);
		expect_nonsense(MEMBER(unscanned), large[i]);
		expect_nonsense(MEMBER(conditions), large[i]);
	}
	for (uint32_t i = 0; i < SS_CAUSE_COUNT; i++)
		expect_believed(MEMBER(cause), i);
	/* All that there is a word for, and nothing else */
	for (known = 0; has_name(&ss_attrs_event, SMTPSPLICE_A_EVENT_UNSCANNED, known); known++) {
		expect_believed(MEMBER(unscanned), known);
		assert_int_equal(fake->req[0].unscanned, known);
	}
	expect_nonsense(MEMBER(unscanned), known);
	for (int i = 0; i < 32; i++) {
		if (has_name(&ss_attrs_av_profile, AV(ARCHIVE_LOG), i))
			expect_believed(MEMBER(conditions), 1u << i);
		else
			expect_nonsense(MEMBER(conditions), 1u << i);
	}
	assert_int_equal(end(SIGTERM), 0);
}

/* What it says of one thing has to go with what it says of the others */
static void i4_flags_do_not_contradict(void **state)
{
	(void)state;
	start_ready();
	/* To come back; the reply to a virus, which says never, is not for that */
	expect_refused_unscanned(lie_of_member(SAYS_MEMBER, MEMBER(verdict),
					       SMTPSPLICE_VERDICT_TEMPFAIL));
	assert_false(said("nonsense"));
	/* Refused, for nothing; passed, although; monitored, but what? */
	expect_nonsense(MEMBER(verdict), SMTPSPLICE_VERDICT_REJECT);
	expect_nonsense(MEMBER(verdict), SMTPSPLICE_VERDICT_DISCARD);
	expect_nonsense(MEMBER(found), 1);
	expect_nonsense(MEMBER(found), 0xff);
	expect_nonsense(MEMBER(monitored), 1);
	expect_nonsense(MEMBER(replaced), 1);
	/* The header field tells why, or is not there */
	expect_believed(MEMBER(tag), 1);
	assert_string_equal(fake->req[0].tag, "");
	expect_believed(MEMBER(cached), 0xff);
	expect_believed(MEMBER(attachment), 0xff);
	expect_believed(MEMBER(quarantined), 0xff);
	expect_believed(MEMBER(quarantine_error), 0xff);
	expect_believed(MEMBER(keep), 0xff);
	assert_int_equal(end(SIGTERM), 0);
}

static void i4_lengths_are_right(void **state)
{
	pid_t list[MAX_CHILDREN];

	(void)state;
	start_ready();
	assert_int_equal(workers(list), WORKERS);
	expect_refused_unscanned(lie_of_member(SAYS_TOO_LITTLE, 0, 0, 0));
	/* It would not have ended by itself */
	wait_for(gone(list[0]) || gone(list[1]));
	expect_refused_unscanned(lie_of_member(SAYS_TOO_MUCH, 0, 0, 0));
	atomic_store(lie, HONEST);
	assert_int_equal(give(1, clean(), 60000)->verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_int_equal(end(SIGTERM), 0);
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* Text that does not end, or is fit for nothing, is cut and cleaned */
static void i4_texts_are_cleaned(void **state)
{
	static const struct {
		size_t at, size;
		const char *key;	/* in the log; "to" stands for what is not there */
	} texts[] = {
		{ MEMBER(virus), "virus" }, { MEMBER(detail), "error" },
		{ MEMBER(file), "filename" }, { MEMBER(filehash), "filehash" },
		{ MEMBER(broken), "to" }, { MEMBER(head.from), "from" },
		{ MEMBER(head.to), "to" }, { MEMBER(head.subject), "subject" },
		{ MEMBER(head.messageid), "messageid" },
	};
	static const uint8_t octets[] = { 'x', '\n', '\r', '"', 0x1b, 0x7f, 0x80, 0xff };
	int n = 0;

	(void)state;
	start_ready();
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		for (size_t j = 0; j < sizeof(octets); j++) {
			struct fake_request *req = &fake->req[0];
			struct json_object *obj;

			memset(req, 0, sizeof(*req));
			atomic_store(lie_at, texts[i].at);
			atomic_store(lie_size, texts[i].size);
			atomic_store(lie_value, octets[j]);
			atomic_store(lie, FILLS_MEMBER);
			give(0, infected(), 60000);
			assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_REJECT);
			assert_true(is_printable(req->virus) && is_printable(req->file));
			assert_true(is_printable(req->reply) && *req->reply);
			wait_for(count_lines("av.log") == 1);
			obj = record(0);
			assert_string_equal(field(obj, "action"), "blocked");
			/* It ends where it has to, not in what comes behind it */
			assert_true(strlen(field(obj, texts[i].key)) < texts[i].size ||
				    texts[i].at == offsetof(struct ss_scan_result, broken));
			json_object_put(obj);
			empty_log();
			n++;
		}
	}
	assert_int_equal(n, 72);
	assert_false(said("died"));
	assert_int_equal(end(SIGTERM), 0);
}

/* Nor is a message put aside of which it has made more, or nothing */
static void i4_quarantine_has_the_message(void **state)
{
	char *quarantine = path("quarantine"), *unnamed = path("quarantine/");
	static const enum lie lies[] = { KEEPS_MORE, KEEPS_NOTHING };

	(void)state;
	conf.quarantine = quarantine;
	start_ready();
	for (int i = 0; i < 2; i++) {
		atomic_store(lie, lies[i]);
		give(i, infected(), 60000);
		assert_int_equal(fake->req[i].verdict, SMTPSPLICE_VERDICT_REJECT);
		assert_non_null(strstr(fake->req[i].reply, "quarantined as: \"\"."));
	}
	wait_for(count_lines("av.log") == 2);
	for (int i = 0; i < 2; i++) {
		struct json_object *obj = record(i);

		assert_string_equal(field(obj, "quarskip"), "File-was-not-quarantined");
		assert_string_equal(field(obj, "error"),
				    "quarantine: what was to be kept is not the message");
		json_object_put(obj);
	}
	/* A clean message is not one to be kept, whatever it says */
	lie_of_member(KEEPS_CLEAN, 0, 0, 0);
	assert_int_equal(fake->req[0].verdict, SMTPSPLICE_VERDICT_ACCEPT);
	/* Files without a name, of a message each: they are gone with it */
	wait_for(!count_fds(atomic_load(&fake->registered), unnamed));
	assert_int_equal(rmdir(quarantine), 0);
	assert_int_equal(end(SIGTERM), 0);
	free(quarantine);
	free(unnamed);
}

#define TEST(test)	cmocka_unit_test_setup_teardown(test, honest_setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(i4_numbers_are_in_range),
		TEST(i4_flags_do_not_contradict),
		TEST(i4_lengths_are_right),
		TEST(i4_texts_are_cleaned),
		TEST(i4_quarantine_has_the_message),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, shared_setup, group_teardown);
}
