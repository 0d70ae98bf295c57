// SPDX-License-Identifier: GPL-2.0
/*
 * What the broker tells the kernel: by what a worker says, and by the AV profile
 * where none says anything, or not what it should. Against a kernel that is a fake,
 * with workers that are real, but may lie.
 */
#include "tests/support/harness.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/template.h"
#include "proto/attrs.h"
#include "scanner/scan.h"
#include "tests/support/avattrs.h"
#include "tests/support/mail.h"

#define PASS	SMTPSPLICE_FAIL_ACTION_PASS
#define BLOCK	SMTPSPLICE_FAIL_ACTION_BLOCK
#define TEMPFAIL SMTPSPLICE_FAIL_ACTION_TEMPFAIL

enum lie {
	HONEST,
	DIES,
	HANGS,
	CLAIMS_REPLACEMENT,	/* and has none */
	GIVES_REPLACEMENT,	/* and does not say so */
	GIVES_UNSEALED,
	COUNTS_ON,		/* conditions that there are not */
	IS_UNKNOWN,		/* verdict */
	CLAIMS_ALL,		/* all flags, and no text ends */
	ANSWERS_UNREAD,		/* jobs to come, once they are there, without a look */
	ANSWERS_PEEKED,		/* jobs to come, which it leaves where they are */
	ANSWERS_AHEAD,		/* jobs to come, before they are there */
	READS_NO_MORE,		/* nor says anything */
	FLOODS,			/* octets, as fast as they are taken */
	FLOODS_FILES,		/* the same with descriptors */
	STOPS_BROKER,		/* and has answered twice when it goes on */
	KEEPS_NOTHING,		/* aside, and says that it has */
	KEEPS_CLEAN,		/* mail aside as well */
	KEEPS_MORE,		/* aside than the message has */
	SAYS_MEMBER,		/* member @lie_at is @lie_value, the rest as it was */
	FILLS_MEMBER,		/* each octet of member @lie_at is @lie_value */
	SAYS_TOO_LITTLE,	/* an octet is missing */
	SAYS_TOO_MUCH,
};

/* In shared memory: a test tells its workers by that */
static _Atomic int *lie;
static _Atomic size_t *lie_at;		/* offset in the result */
static _Atomic size_t *lie_size;
static _Atomic uint32_t *lie_value;
static _Atomic uint32_t *limit_ms;	/* of the last job */
static struct avattrs attrs;

/* The only one of its kind that a worker has is that to the broker */
static int find_socket(void)
{
	int type, found = -1;

	for (int fd = 3; fd < 1024; fd++) {
		socklen_t len = sizeof(type);

		if (!getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) &&
		    type == SOCK_SEQPACKET) {
			assert_int_equal(found, -1);
			found = fd;
		}
	}
	return found;
}

static void say(int sock, const struct ss_scan_result *result)
{
	if (send(sock, result, sizeof(*result), MSG_NOSIGNAL) < 0)
		_exit(1);
}

/* Where there are more octets than before, a job has come */
static void answer_unread(const struct ss_scan_result *result)
{
	int sock = find_socket(), seen = 0, there;

	say(sock, result);
	for (;;) {
		struct timespec pause = { .tv_nsec = 1000000 };

		if (ioctl(sock, SIOCINQ, &there))
			_exit(1);
		if (there > seen)
			say(sock, result);
		seen = there;
		nanosleep(&pause, NULL);
	}
}

static void answer_peeked(struct ss_scan_result *result)
{
	static struct ss_scan_order order;
	int sock = find_socket(), from = 0;

	if (setsockopt(sock, SOL_SOCKET, SO_PEEK_OFF, &from, sizeof(from)))
		_exit(1);
	do {
		say(sock, result);
		from = recv(sock, &order, sizeof(order), MSG_PEEK);
		result->ticket = order.job.ticket;
	} while (from > 0);
	_exit(1);
}

static void accept_all(enum lie how, const struct ss_scan_job *job)
{
	struct ss_scan_result result = { .ticket = job->ticket };

	if (how == ANSWERS_UNREAD)
		answer_unread(&result);
	if (how == ANSWERS_PEEKED)
		answer_peeked(&result);
	for (int i = 0; i < 8; i++)
		say(find_socket(), &result);
	for (;;)
		pause();
}

/* It stops where it is, whatever comes: it does not run before the test lets it go on */
static void stop_broker(const struct ss_scan_job *job)
{
	struct ss_scan_result result = { .ticket = job->ticket };

	if (kill(atomic_load(&fake->registered), SIGSTOP))
		_exit(1);
	for (int i = 0; i < 2; i++)
		say(find_socket(), &result);
	atomic_store(lie, HONEST);
	for (;;)
		pause();
}

static void say_other_length(const struct ss_scan_job *job, int more)
{
	char octets[sizeof(struct ss_scan_result) + 1] = "";
	struct ss_scan_result result = { .ticket = job->ticket };

	memcpy(octets, &result, sizeof(result));
	if (send(find_socket(), octets, sizeof(result) + more, MSG_NOSIGNAL) < 0)
		_exit(1);
	for (;;)
		pause();
}

static void flood(bool files)
{
	int sock = find_socket(), fds[8];
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(sizeof(fds))];
	} control = { .hdr = { CMSG_LEN(sizeof(fds)), SOL_SOCKET, SCM_RIGHTS } };
	char octets[1000] = "";
	struct iovec iov = { octets, sizeof(octets) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	for (int i = 0; i < 8; i++)
		fds[i] = sock;
	memcpy(CMSG_DATA(&control.hdr), fds, sizeof(fds));
	if (files) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
	}
	while (sendmsg(sock, &msg, MSG_NOSIGNAL) > 0)
		;
	_exit(1);
}

typeof(ss_scan_message) __real_ss_scan_message, __wrap_ss_scan_message;

/* The lie to tell now. Some are told once: by one worker, the others are honest. */
static int take_lie(void)
{
	int now = atomic_load(lie);

	switch (now) {
	case ANSWERS_UNREAD:
	case ANSWERS_PEEKED:
	case ANSWERS_AHEAD:
	case READS_NO_MORE:
	case FLOODS:
	case FLOODS_FILES:
		if (!atomic_compare_exchange_strong(lie, &now, HONEST))
			return HONEST;
	}
	return now;
}

/* Runs in a worker */
int __wrap_ss_scan_message(struct ss_scan *scan, int fd, int quarantine,
			   const struct ss_scan_job *job, const void *profile, size_t len,
			   struct ss_scan_result *result)
{
	int out = __real_ss_scan_message(scan, fd, quarantine, job, profile, len, result);
	int now = take_lie();

	atomic_store(limit_ms, job->limit_ms);
	switch (now) {
	case DIES:
		_exit(1);
	case HANGS:
		for (;;)
			atomic_load(lie);
	case CLAIMS_REPLACEMENT:
		result->replaced = 1;
		result->verdict = SMTPSPLICE_VERDICT_ACCEPT;
		break;
	case GIVES_REPLACEMENT:
		out = mail_file("Subject: x\r\n\r\nx\r\n", 17);
		break;
	case GIVES_UNSEALED:
		result->replaced = 1;
		result->verdict = SMTPSPLICE_VERDICT_ACCEPT;
		out = mail_file("Subject: x\r\n\r\nx\r\n", 17);
		break;
	case COUNTS_ON:
		result->conditions = 0x80000000;
		break;
	case IS_UNKNOWN:
		result->verdict = SMTPSPLICE_VERDICT_DISCARD + 1;
		break;
	case CLAIMS_ALL:
		result->found = 0xff;
		result->monitored = 0xff;
		result->tag = 0xff;
		result->cached = 0xff;
		result->keep = 0xff;
		result->attachment = 0xff;
		result->quarantined = 0xff;
		result->quarantine_error = 0xff;
		memset(result->virus, '\n', sizeof(result->virus));
		memset(result->file, 0xff, sizeof(result->file));
		break;
	case ANSWERS_UNREAD:
	case ANSWERS_PEEKED:
	case ANSWERS_AHEAD:
		accept_all(now, job);
		break;
	case READS_NO_MORE:
		for (;;)
			pause();
	case FLOODS:
	case FLOODS_FILES:
		flood(now == FLOODS_FILES);
		break;
	case STOPS_BROKER:
		stop_broker(job);
		break;
	case KEEPS_CLEAN:
		assert_int_equal(write(quarantine, "x", 1), 1);
		result->keep = 1;
		result->quarantined = 1;
		break;
	case KEEPS_NOTHING:
		assert_int_equal(ftruncate(quarantine, 0), 0);
		break;
	case KEEPS_MORE:
		assert_int_equal(ftruncate(quarantine, job->size + 1), 0);
		break;
	case FILLS_MEMBER:
		memset((char *)result + atomic_load(lie_at), (int)atomic_load(lie_value),
		       atomic_load(lie_size));
		break;
	case SAYS_TOO_LITTLE:
	case SAYS_TOO_MUCH:
		say_other_length(job, now == SAYS_TOO_MUCH ? 1 : -1);
		break;
	case SAYS_MEMBER:
		memcpy((char *)result + atomic_load(lie_at), (void *)lie_value,
		       atomic_load(lie_size));
		break;
	}
	return out;
}

/* The next message has what is in attrs for a profile */
static struct fake_request *give(int n, char *text, uint32_t timeout)
{
	struct fake_request *req = &fake->req[n];

	assert_true(attrs.len <= sizeof(req->av));
	memcpy(req->av, attrs.octets, attrs.len);
	req->av_len = attrs.len;
	queue(n, text, timeout);
	fake_ring();
	wait_for(answered(req));
	attrs.len = 0;
	return req;
}

static void expect_refused(const struct fake_request *req, uint32_t verdict, const char *reply)
{
	assert_int_equal(req->verdict, verdict);
	assert_string_equal(req->reply, reply);
	assert_string_equal(req->tag, "");
	assert_int_equal(req->replacement_len, 0);
}

static void expect_refused_unscanned(const struct fake_request *req)
{
	expect_refused(req, SMTPSPLICE_VERDICT_TEMPFAIL,
		       ss_template_default(SS_CAUSE_SCAN_FAILURE));
}

static void empty_log(void)
{
	char *p = path("av.log");

	assert_int_equal(truncate(p, 0), 0);
	free(p);
}

static void expect_passed(const struct fake_request *req, uint32_t unscanned, const char *tag)
{
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_string_equal(req->reply, "");
	assert_string_equal(req->virus, "");
	assert_string_equal(req->tag, tag);
	assert_int_equal(req->unscanned, unscanned);
	assert_int_equal(req->replacement_len, 0);
}

static void expect_record(int n, const char *eventtype, const char *action)
{
	struct json_object *obj;

	wait_for(count_lines("av.log") > n);
	obj = record(n);
	assert_string_equal(field(obj, "eventtype"), eventtype);
	assert_string_equal(field(obj, "action"), action);
	json_object_put(obj);
}

static char *fragment(void)
{
	return strdup("Content-Type: message/partial; id=x\r\n\r\nx\r\n");
}

static char *large(void)
{
	return mail_format("Subject: x\r\n\r\n%0500d\r\n", 0);
}

/* -- what goes with a verdict --------------------------------------------- */

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

/* -- no verdict, or none that can be used --------------------------------- */

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

/* -- each member of what a worker says, by itself -------------------------- */

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

/* -- one of them, and all the others -------------------------------------- */

/* @n infected messages come: each but the first @lost ones is refused by a scan */
static void expect_the_others_scanned(int n, int lost)
{
	int done = 0;

	for (int i = 0; i < n; i++) {
		memcpy(fake->req[i].av, attrs.octets, attrs.len);
		fake->req[i].av_len = attrs.len;
		queue(i, infected(), 60000);
	}
	fake_ring();
	for (int i = 0; i < n; i++)
		wait_for(answered(&fake->req[i]));
	for (int i = 0; i < n; i++)
		done += fake->req[i].verdict == SMTPSPLICE_VERDICT_REJECT &&
			!strcmp(fake->req[i].virus, MAIL_EICAR);
	assert_true(done >= n - lost);
	assert_true(done < n);		/* it did lie */
}

static int count_accepted(int n)
{
	int accepted = 0;

	for (int i = 0; i < n; i++)
		accepted += fake->req[i].verdict == SMTPSPLICE_VERDICT_ACCEPT;
	return accepted;
}

/* Nothing passes that it has not seen */
static void N5_worker_that_answers_unread_costs_its_message(void **state)
{
	(void)state;
	atomic_store(lie, ANSWERS_UNREAD);
	start_ready();
	/* Its own, and the one that it was given next */
	expect_the_others_scanned(60, 2);
	assert_int_equal(count_accepted(60), 1);
	assert_true(said("scan worker gave nonsense"));
	assert_int_equal(end(SIGTERM), 0);
}

/*
 * Its socket fills with jobs, of 16 K here: a broker that waits for room there has
 * waited for ever, since the worker gets no more to answer.
 */
static void N5_worker_that_does_not_read_holds_up_nobody(void **state)
{
	char pattern[SMTPSPLICE_PATTERN_MAX] = "";

	(void)state;
	memset(pattern, 'x', sizeof(pattern) - 1);
	for (int i = 0; i < 62; i++)
		avattrs_text(&attrs, AV(FILE_NAME), pattern);
	atomic_store(lie, ANSWERS_PEEKED);
	conf.workers = 1;	/* so it gets all of them, until it is ended */
	start();
	wait_for(atomic_load(&fake->registered));
	expect_the_others_scanned(60, 40);
	assert_true(said("scan worker does not read"));
	assert_int_equal(end(SIGTERM), 0);
}

static void N5_worker_that_answers_ahead_costs_its_message(void **state)
{
	(void)state;
	atomic_store(lie, ANSWERS_AHEAD);
	start_ready();
	expect_the_others_scanned(60, 2);
	assert_true(count_accepted(60) <= 1);
	assert_int_equal(end(SIGTERM), 0);
}

/* One worker, which has said more than it was asked when the broker goes on */
static pid_t speak_ahead(void)
{
	pid_t list[MAX_CHILDREN];

	conf.workers = 1;
	atomic_store(lie, STOPS_BROKER);
	start();
	wait_for(atomic_load(&fake->registered) && workers(list) == 1);
	queue(0, clean(), 60000);
	fake_ring();
	wait_for(atomic_load(lie) == HONEST);
	return list[0];
}

/* The next one is not given to it: it has an answer to that already */
static void N5_worker_that_has_spoken_is_not_asked(void **state)
{
	pid_t worker;

	(void)state;
	worker = speak_ahead();
	queue(1, infected(), 60000);
	fake_ring();
	kill(atomic_load(&fake->registered), SIGCONT);
	wait_for(answered(&fake->req[0]) && answered(&fake->req[1]));
	assert_int_equal(fake->req[1].verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(fake->req[1].virus, MAIL_EICAR);
	wait_for(gone(worker));
	assert_int_equal(end(SIGTERM), 0);
}

/* Where no other worker comes, the time is over: nothing has failed */
static void i4_no_worker_in_time_means_what_the_profile_says(void **state)
{
	struct fake_request *req = &fake->req[1];

	(void)state;
	speak_ahead();
	kill(scanner_pid(), SIGSTOP);
	avattrs_number(&attrs, AV(SCAN_ERROR), BLOCK);
	avattrs_number(&attrs, AV(SCAN_TIMEOUT), PASS);
	memcpy(req->av, attrs.octets, attrs.len);
	req->av_len = attrs.len;
	queue(1, infected(), 200);
	fake_ring();
	kill(atomic_load(&fake->registered), SIGCONT);
	wait_for(answered(req));
	expect_passed(req, SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT,
		      "X-Smtpsplice-Unscanned: scan-timeout");
	kill(scanner_pid(), SIGCONT);
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

static void N5_worker_that_floods_costs_its_message(void **state)
{
	pid_t broker;

	(void)state;
	atomic_store(lie, FLOODS);
	start_ready();
	broker = atomic_load(&fake->registered);
	expect_the_others_scanned(30, 1);
	assert_int_equal(count_accepted(30), 0);
	memset(fake->req, 0, sizeof(fake->req));
	atomic_store(lie, FLOODS_FILES);
	expect_the_others_scanned(30, 1);
	assert_int_equal(count_accepted(30), 0);
	assert_int_equal(atomic_load(&fake->registered), broker);
	/* Supervisor, scanner and workers: what it sent is closed */
	wait_for(count_sockets(broker) == 2 + WORKERS);
	assert_int_equal(end(SIGTERM), 0);
}

static void N5_worker_that_says_nothing_costs_its_message(void **state)
{
	struct fake_request *late = &fake->req[40];
	pid_t list[MAX_CHILDREN], after[MAX_CHILDREN];

	(void)state;
	atomic_store(lie, READS_NO_MORE);
	start_ready();
	assert_int_equal(workers(list), WORKERS);
	queue(40, infected(), 4000);
	fake_ring();
	wait_for(atomic_load(lie) == HONEST);
	for (int i = 0; i < 30; i++) {
		give(i, infected(), 60000);
		assert_string_equal(fake->req[i].virus, MAIL_EICAR);
	}
	wait_for(answered(late));
	assert_int_equal(late->verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	/* It has not ended by itself: the broker has ended it */
	wait_for(gone(list[0]) || gone(list[1]));
	wait_for(workers(after) == WORKERS);
	assert_int_equal(end(SIGTERM), 0);
}

static void N5_kills_a_late_worker_that_never_ends(void **state)
{
	pid_t list[MAX_CHILDREN];

	(void)state;
	start_ready();
	signal_workers(SIGSTOP);
	assert_int_equal(workers(list), WORKERS);
	for (int i = 0; i < WORKERS; i++)
		queue(i, clean(), 200);
	fake_ring();
	for (int i = 0; i < WORKERS; i++) {
		wait_for(answered(&fake->req[i]));
		assert_int_equal(fake->req[i].verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	}
	/* Nobody lets them go on, so they cannot end because their socket is closed */
	for (int i = 0; i < WORKERS; i++)
		wait_for(gone(list[i]));
	assert_int_equal(end(SIGTERM), 0);
}

static int honest_setup(void **state)
{
	atomic_store(lie, HONEST);
	attrs.len = 0;
	return setup(state);
}

static int make(void **state)
{
	struct {
		_Atomic int lie;
		_Atomic size_t at, size;
		_Atomic uint32_t value, limit_ms;
	} *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return -1;
	lie = &shared->lie;
	lie_at = &shared->at;
	lie_size = &shared->size;
	lie_value = &shared->value;
	limit_ms = &shared->limit_ms;
	return group_setup(state);
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
		TEST(i4_no_worker_in_time_means_what_the_profile_says),
		TEST(i4_leaves_time_for_the_verdict),
		TEST(i4_lies_are_failures),
		TEST(i4_lies_harm_nobody),
		TEST(i4_verdict_that_is_refused_is_no_pass),
		TEST(i4_numbers_are_in_range),
		TEST(i4_flags_do_not_contradict),
		TEST(i4_lengths_are_right),
		TEST(i4_texts_are_cleaned),
		TEST(i4_quarantine_has_the_message),
		TEST(N5_worker_that_answers_unread_costs_its_message),
		TEST(N5_worker_that_does_not_read_holds_up_nobody),
		TEST(N5_worker_that_answers_ahead_costs_its_message),
		TEST(N5_worker_that_has_spoken_is_not_asked),
		TEST(N5_worker_that_floods_costs_its_message),
		TEST(N5_worker_that_says_nothing_costs_its_message),
		TEST(N5_kills_a_late_worker_that_never_ends),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make, group_teardown);
}
