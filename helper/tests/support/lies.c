// SPDX-License-Identifier: GPL-2.0
/*
 * Workers that lie, and what the broker makes of it.
 */
#include "tests/support/lies.h"

#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/template.h"
#include "scanner/scan.h"
#include "tests/support/mail.h"

_Atomic int *lie;
_Atomic size_t *lie_at;
_Atomic size_t *lie_size;
_Atomic uint32_t *lie_value;
_Atomic uint32_t *limit_ms;
struct avattrs attrs;

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

struct fake_request *give(int n, char *text, uint32_t timeout)
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

void expect_refused(const struct fake_request *req, uint32_t verdict, const char *reply)
{
	assert_int_equal(req->verdict, verdict);
	assert_string_equal(req->reply, reply);
	assert_string_equal(req->tag, "");
	assert_int_equal(req->replacement_len, 0);
}

void expect_refused_unscanned(const struct fake_request *req)
{
	expect_refused(req, SMTPSPLICE_VERDICT_TEMPFAIL,
		       ss_template_default(SS_CAUSE_SCAN_FAILURE));
}

void empty_log(void)
{
	char *p = path("av.log");

	assert_int_equal(truncate(p, 0), 0);
	free(p);
}

void expect_passed(const struct fake_request *req, uint32_t unscanned, const char *tag)
{
	assert_int_equal(req->verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_string_equal(req->reply, "");
	assert_string_equal(req->virus, "");
	assert_string_equal(req->tag, tag);
	assert_int_equal(req->unscanned, unscanned);
	assert_int_equal(req->replacement_len, 0);
}

void expect_record(int n, const char *eventtype, const char *action)
{
	struct json_object *obj;

	wait_for(count_lines("av.log") > n);
	obj = record(n);
	assert_string_equal(field(obj, "eventtype"), eventtype);
	assert_string_equal(field(obj, "action"), action);
	json_object_put(obj);
}

int honest_setup(void **state)
{
	atomic_store(lie, HONEST);
	attrs.len = 0;
	return setup(state);
}

int shared_setup(void **state)
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
