// SPDX-License-Identifier: GPL-2.0
/*
 * What the broker tells the kernel: by what a worker says, and by the AV profile where
 * none says anything, or not what it should. Against a kernel that is a fake, with workers
 * that are real, but may lie.
 */
#include "tests/support/lies.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/template.h"
#include "tests/support/mail.h"

static char *fragment(void)
{
	return strdup("Content-Type: message/partial; id=x\r\n\r\nx\r\n");
}

static char *large(void)
{
	return mail_format("Subject: x\r\n\r\n%0500d\r\n", 0);
}

static void hands_the_profile_on(void **state)
{
	struct fake_request *req;
	char pattern[101] = "";

	(void)state;
	memset(pattern, 'x', sizeof(pattern) - 1);
	start_ready();
	avattrs_number(&attrs, AV(INFECTED), SMTPSPLICE_INFECTED_DISCARD);
	req = give(0, infected(), 60000);
	expect_refused(req, SMTPSPLICE_VERDICT_DISCARD, "250 2.0.0 Ok");
	assert_string_equal(req->virus, MAIL_EICAR);
	assert_true(req->infected);
	expect_record(0, "infected", "discarded");
	avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_MONITOR);
	req = give(1, infected(), 60000);
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_string_equal(req->virus, MAIL_EICAR);
	assert_string_equal(req->file, "eicar.com");
	assert_string_equal(req->reply, "");
	/* who is only watched is not banned */
	assert_false(req->infected);
	expect_record(1, "infected", "monitored");
	/* the largest there can be */
	for (int i = 0; i < 50; i++)
		avattrs_text(&attrs, AV(FILE_NAME), pattern);
	avattrs_text(&attrs, AV(FILE_NAME), "eicar.*");
	avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_BLOCK);
	req = give(2, mail_format("Content-Type: a/b; name=eicar.txt\r\n\r\nx\r\n"), 60000);
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(req->virus, "Smtpsplice.Filename");
	assert_false(req->infected);
	assert_int_equal(end(SIGTERM), 0);
}

static void replies_as_the_profile_says(void **state)
{
	static const char blocked[] = "554 5.3.0 Message could not be scanned";

	(void)state;
	conf.reply = "554 5.7.1 Ours: %%VIRUS%%";
	start_ready();
	expect_refused(give(0, infected(), 60000), SMTPSPLICE_VERDICT_REJECT,
		       "554 5.7.1 Ours: " MAIL_EICAR);
	avattrs_text(&attrs, AV(REPLY_VIRUS), "550 5.7.1 %%FILE%% from %%EMAIL_FROM%%<%%SOURCE_IP%%>");
	expect_refused(give(1, infected(), 60000), SMTPSPLICE_VERDICT_REJECT,
		       "550 5.7.1 eicar.com from <10.0.1.2>");
	/* of the wrong class, or for another cause */
	avattrs_text(&attrs, AV(REPLY_VIRUS), "450 4.7.1 later");
	avattrs_text(&attrs, AV(REPLY_HASH), "550 5.7.1 hash");
	expect_refused(give(2, infected(), 60000), SMTPSPLICE_VERDICT_REJECT,
		       "554 5.7.1 Ours: " MAIL_EICAR);
	expect_refused(give(3, fragment(), 60000), SMTPSPLICE_VERDICT_REJECT,
		       ss_template_default(SS_CAUSE_PARTIAL));
	avattrs_text(&attrs, AV(REPLY_PARTIAL), "550 5.6.1 whole ones only");
	expect_refused(give(4, fragment(), 60000), SMTPSPLICE_VERDICT_REJECT,
		       "550 5.6.1 whole ones only");
	/* what a code goes with is checked */
	avattrs_text(&attrs, AV(REPLY_PARTIAL), "550 4.6.1 whole ones only");
	expect_refused(give(5, fragment(), 60000), SMTPSPLICE_VERDICT_REJECT,
		       ss_template_default(SS_CAUSE_PARTIAL));
	avattrs_size(&attrs, AV(OVERSIZE_LIMIT), 100);
	expect_refused(give(6, large(), 60000), SMTPSPLICE_VERDICT_REJECT,
		       ss_template_default(SS_CAUSE_OVERSIZE));
	avattrs_size(&attrs, AV(OVERSIZE_LIMIT), 100);
	avattrs_number(&attrs, AV(OVERSIZE), TEMPFAIL);
	avattrs_text(&attrs, AV(REPLY_OVERSIZE), "552 5.3.4 never");
	expect_refused(give(7, large(), 60000), SMTPSPLICE_VERDICT_TEMPFAIL,
		       "452 4.3.4 Message is too big");
	/* a failure has both classes */
	atomic_store(lie, DIES);
	expect_refused(give(8, clean(), 60000), SMTPSPLICE_VERDICT_TEMPFAIL,
		       ss_template_default(SS_CAUSE_SCAN_FAILURE));
	avattrs_text(&attrs, AV(REPLY_FAILURE), "450 4.3.0 later");
	expect_refused(give(9, clean(), 60000), SMTPSPLICE_VERDICT_TEMPFAIL, "450 4.3.0 later");
	avattrs_text(&attrs, AV(REPLY_FAILURE), "450 4.3.0 later");
	avattrs_number(&attrs, AV(SCAN_ERROR), BLOCK);
	expect_refused(give(10, clean(), 60000), SMTPSPLICE_VERDICT_REJECT, blocked);
	avattrs_text(&attrs, AV(REPLY_FAILURE), "550 5.3.0 never");
	avattrs_number(&attrs, AV(SCAN_ERROR), BLOCK);
	expect_refused(give(11, clean(), 60000), SMTPSPLICE_VERDICT_REJECT, "550 5.3.0 never");
	assert_int_equal(end(SIGTERM), 0);
}

static void tells_what_was_not_scanned(void **state)
{
	(void)state;
	start_ready();
	expect_passed(give(0, clean(), 60000), SMTPSPLICE_UNSCANNED_NONE, "");
	avattrs_size(&attrs, AV(OVERSIZE_LIMIT), 100);
	avattrs_number(&attrs, AV(OVERSIZE), PASS);
	expect_passed(give(1, large(), 60000), SMTPSPLICE_UNSCANNED_OVERSIZE,
		      "X-Smtpsplice-Unscanned: oversize");
	avattrs_number(&attrs, AV(FRAGMAIL), SMTPSPLICE_PASS_BLOCK_PASS);
	expect_passed(give(2, fragment(), 60000), SMTPSPLICE_UNSCANNED_PARTIAL,
		      "X-Smtpsplice-Unscanned: partial");
	expect_record(0, "clean", "passthrough");
	expect_record(1, "unscanned", "passthrough");
	expect_record(2, "unscanned", "passthrough");
	assert_int_equal(end(SIGTERM), 0);
}

/* A record of what could not be looked at has no virus in it */
static void expect_limit(int n, const char *eventtype, const char *action)
{
	struct json_object *obj;

	wait_for(count_lines("av.log") > n);
	obj = record(n);
	assert_string_equal(field(obj, "eventtype"), eventtype);
	assert_string_equal(field(obj, "action"), action);
	assert_string_equal(field(obj, "limit"), "Heuristics.Limits.Exceeded.MaxRecursion");
	assert_null(strstr(json_object_to_json_string(obj), "infected"));
	assert_false(json_object_object_get_ex(obj, "virus", NULL));
	json_object_put(obj);
}

static void M7_limit_is_no_virus(void **state)
{
	struct fake_request *req;

	(void)state;
	start_ready();
	req = give(0, mail_deep(), 60000);
	expect_refused(req, SMTPSPLICE_VERDICT_REJECT,
		       "554 5.7.1 Message has been Blocked.  Not all of it could be scanned: it exceeds the limit \"Heuristics.Limits.Exceeded.MaxRecursion\".  File quarantined as: \"\".");
	assert_false(req->infected);
	assert_int_equal(req->unscanned, SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_string_equal(req->virus, "");
	avattrs_number(&attrs, AV(UNDECODABLE), TEMPFAIL);
	avattrs_text(&attrs, AV(REPLY_VIRUS), "554 5.7.1 virus");
	req = give(1, mail_deep(), 60000);
	expect_refused(req, SMTPSPLICE_VERDICT_TEMPFAIL,
		       ss_template_default(SS_CAUSE_SCAN_FAILURE));
	assert_false(req->infected);
	avattrs_number(&attrs, AV(UNDECODABLE), PASS);
	req = give(2, mail_deep(), 60000);
	expect_passed(req, SMTPSPLICE_UNSCANNED_ARCHIVE, "X-Smtpsplice-Unscanned: archive");
	assert_false(req->infected);
	avattrs_text(&attrs, AV(REPLY_UNDECODABLE), "550 5.7.1 %%VIRUS%% it is");
	expect_refused(give(3, mail_deep(), 60000), SMTPSPLICE_VERDICT_REJECT,
		       "550 5.7.1 Heuristics.Limits.Exceeded.MaxRecursion it is");
	/* and a virus is one */
	req = give(4, infected(), 60000);
	assert_true(req->infected);
	assert_int_equal(req->unscanned, SMTPSPLICE_UNSCANNED_NONE);
	expect_limit(0, "undecodable", "blocked");
	expect_limit(1, "undecodable", "tempfail");
	expect_limit(2, "unscanned", "passthrough");
	expect_limit(3, "undecodable", "blocked");
	expect_record(4, "infected", "blocked");
	assert_int_equal(end(SIGTERM), 0);
}

static void gives_a_replacement(void **state)
{
	struct fake_request *req;

	(void)state;
	start_ready();
	avattrs_number(&attrs, AV(INFECTED), SMTPSPLICE_INFECTED_REPLACE);
	avattrs_text(&attrs, AV(REPLACEMENT), "%%FILE%% is gone, %%EMAIL_TO%%.");
	req = give(0, infected(), 60000);
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_true(req->replacement_len > 0);
	assert_non_null(strstr(req->replacement, "\r\n\r\neicar.com is gone, a@example.org,"
			       "b@example.org.\r\n--b--\r\n"));
	assert_int_equal(strncmp(req->replacement, "From: Alice", 11), 0);
	assert_string_equal(req->virus, MAIL_EICAR);
	assert_string_equal(req->reply, "");
	expect_record(0, "infected", "replaced");
	/* not where the server has most of it */
	fake->req[1].splice = true;
	avattrs_number(&attrs, AV(INFECTED), SMTPSPLICE_INFECTED_REPLACE);
	req = give(1, infected(), 60000);
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(req->verdicts, 1);
	expect_record(1, "infected", "blocked");
	/* The broker does not keep it, nor the message: it has those that the test has */
	wait_for(count_fds(atomic_load(&fake->registered), "/memfd:") ==
		 count_fds(getpid(), "/memfd:"));
	assert_int_equal(end(SIGTERM), 0);
}

static void i4_dead_worker_means_what_the_profile_says(void **state)
{
	(void)state;
	atomic_store(lie, DIES);
	start_ready();
	avattrs_number(&attrs, AV(SCAN_TIMEOUT), PASS);	/* that is something else */
	expect_refused(give(0, infected(), 60000), SMTPSPLICE_VERDICT_TEMPFAIL,
		       ss_template_default(SS_CAUSE_SCAN_FAILURE));
	avattrs_number(&attrs, AV(SCAN_ERROR), BLOCK);
	expect_refused(give(1, infected(), 60000), SMTPSPLICE_VERDICT_REJECT,
		       "554 5.3.0 Message could not be scanned");
	avattrs_number(&attrs, AV(SCAN_ERROR), PASS);
	expect_passed(give(2, infected(), 60000), SMTPSPLICE_UNSCANNED_SCAN_ERROR,
		      "X-Smtpsplice-Unscanned: scan-error");
	expect_record(0, "scanerror", "tempfail");
	expect_record(1, "scanerror", "blocked");
	expect_record(2, "unscanned", "passthrough");
	assert_int_equal(end(SIGTERM), 0);
}

static void i4_late_worker_means_what_the_profile_says(void **state)
{
	(void)state;
	atomic_store(lie, HANGS);
	start_ready();
	avattrs_number(&attrs, AV(SCAN_ERROR), PASS);
	expect_refused(give(0, infected(), 200), SMTPSPLICE_VERDICT_TEMPFAIL,
		       ss_template_default(SS_CAUSE_SCAN_FAILURE));
	avattrs_number(&attrs, AV(SCAN_TIMEOUT), BLOCK);
	expect_refused(give(1, infected(), 200), SMTPSPLICE_VERDICT_REJECT,
		       "554 5.3.0 Message could not be scanned");
	avattrs_number(&attrs, AV(SCAN_TIMEOUT), PASS);
	expect_passed(give(2, infected(), 200), SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT,
		      "X-Smtpsplice-Unscanned: scan-timeout");
	expect_record(1, "scanerror", "blocked");
	expect_record(2, "unscanned", "passthrough");
	assert_int_equal(end(SIGTERM), 0);
}

/* It is killed, and the message counts as one that could not be scanned */
static void i4_lies_are_failures(void **state)
{
	static const enum lie lies[] = {
		CLAIMS_REPLACEMENT, GIVES_REPLACEMENT, COUNTS_ON, IS_UNKNOWN,
	};
	int n = 0;

	(void)state;
	start_ready();
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		atomic_store(lie, lies[i]);
		expect_refused(give(n++, infected(), 60000), SMTPSPLICE_VERDICT_TEMPFAIL,
			       ss_template_default(SS_CAUSE_SCAN_FAILURE));
		avattrs_number(&attrs, AV(SCAN_ERROR), BLOCK);
		expect_refused(give(n++, infected(), 60000), SMTPSPLICE_VERDICT_REJECT,
			       "554 5.3.0 Message could not be scanned");
		atomic_store(lie, HONEST);
		assert_string_equal(give(n++, infected(), 60000)->virus, MAIL_EICAR);
	}
	assert_true(said("scan worker gave nonsense"));
	for (int i = 0; i < n; i++)
		expect_record(i, i % 3 == 2 ? "infected" : "scanerror",
			      i % 3 ? "blocked" : "tempfail");
	assert_int_equal(end(SIGTERM), 0);
}

/* What a worker that was taken over says of its own message is all it can do */
static void i4_lies_harm_nobody(void **state)
{
	struct fake_request *req;

	(void)state;
	start_ready();
	atomic_store(lie, CLAIMS_ALL);
	req = give(0, infected(), 60000);
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_null(strpbrk(req->reply, "\r\n"));
	assert_int_equal(req->virus[0], '?');
	give(1, clean(), 60000);
	expect_record(1, "infected", "monitored");
	assert_int_equal(end(SIGTERM), 0);
}

/* The kernel will not have it: it must not wait until the message may pass */
static void i4_verdict_that_is_refused_is_no_pass(void **state)
{
	struct fake_request *req;

	(void)state;
	start_ready();
	atomic_store(lie, GIVES_UNSEALED);
	req = give(0, infected(), 60000);
	expect_refused(req, SMTPSPLICE_VERDICT_TEMPFAIL, "");
	assert_int_equal(req->verdicts, 2);
	assert_true(said("verdict refused: Invalid argument no such replacement"));
	atomic_store(lie, HONEST);
	fake->req[1].refuse = 1;
	expect_refused(give(1, infected(), 60000), SMTPSPLICE_VERDICT_TEMPFAIL, "");
	fake->req[2].refuse = 1;
	expect_refused(give(2, clean(), 60000), SMTPSPLICE_VERDICT_TEMPFAIL, "");
	for (int i = 0; i < 3; i++) {
		struct json_object *obj;

		expect_record(i, i == 2 ? "scanerror" : "infected", "tempfail");
		/* It was not given */
		obj = record(i);
		assert_string_equal(field(obj, "reply"), "(none)");
		json_object_put(obj);
	}
	assert_int_equal(end(SIGTERM), 0);
}

/* Two seconds are the broker's; a worker has less, to be done before it is late */
static void i4_leaves_time_for_the_verdict(void **state)
{
	(void)state;
	start_ready();
	give(0, clean(), 60000);
	assert_in_range(atomic_load(limit_ms), 1, (60000 - 2000) * 9 / 10);
	assert_int_equal(end(SIGTERM), 0);
}

#define TEST(test)	cmocka_unit_test_setup_teardown(test, honest_setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(hands_the_profile_on),
		TEST(replies_as_the_profile_says),
		TEST(tells_what_was_not_scanned),
		TEST(M7_limit_is_no_virus),
		TEST(gives_a_replacement),
		TEST(i4_dead_worker_means_what_the_profile_says),
		TEST(i4_late_worker_means_what_the_profile_says),
		TEST(i4_leaves_time_for_the_verdict),
		TEST(i4_lies_are_failures),
		TEST(i4_lies_harm_nobody),
		TEST(i4_verdict_that_is_refused_is_no_pass),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, shared_setup, group_teardown);
}
