// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <netlink/msg.h>

#include "broker/scan_request.h"
#include "common/av_profile.h"
#include "proto/scan_msg.h"
#include "tests/support/mail.h"

static struct nl_msg *msg;
static int fd;

static int parse(struct ss_scan_request **req)
{
	return ss_scan_request_parse(req, nlmsg_attrdata(nlmsg_hdr(msg), 0),
				     nlmsg_attrlen(nlmsg_hdr(msg), 0));
}

static int setup(void **state)
{
	(void)state;
	msg = nlmsg_alloc_size(65536);
	nlmsg_put(msg, 1, 1, 100, 0, 0);
	fd = mail_file("x", 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nlmsg_free(msg);
	return 0;
}

static void expect_refused(void)
{
	struct ss_scan_request *req = NULL;

	assert_int_equal(parse(&req), -EPROTO);
	assert_null(req);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void put_least(void)
{
	nla_put_u64(msg, SMTPSPLICE_A_SCAN_COOKIE, 0x123456789abcdef0);
	nla_put_u32(msg, SMTPSPLICE_A_SCAN_FD, fd);
}

static void reads_the_least(void **state)
{
	struct ss_scan_request *req = NULL;

	(void)state;
	put_least();
	assert_int_equal(parse(&req), 0);
	assert_true(req->cookie == 0x123456789abcdef0);
	assert_int_equal(req->fd, fd);
	assert_int_equal(req->timeout, 60000);
	assert_null(req->rcpts);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ss_scan_request_free(req);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void cleans_text(void **state)
{
	struct ss_scan_request *req = NULL;
	char longest[SMTPSPLICE_ADDRESS_MAX + 100];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	put_least();
	nla_put(msg, SMTPSPLICE_A_SCAN_SENDER, 5, "a\0b\xff" "c");
	nla_put(msg, SMTPSPLICE_A_SCAN_HELO, sizeof(longest), longest);
	nla_put(msg, SMTPSPLICE_A_SCAN_POLICY, 4, "name");	/* no NUL */
	nla_put(msg, SMTPSPLICE_A_SCAN_IIF, 6, "lan\0xx");
	nla_put(msg, SMTPSPLICE_A_SCAN_CLIENT, 5, "12345");
	nla_put(msg, SMTPSPLICE_A_SCAN_RCPT, 0, NULL);
	nla_put(msg, SMTPSPLICE_A_SCAN_RCPT, 1, "a");
	nla_put(msg, SMTPSPLICE_A_SCAN_RCPT, 1, "b");
	nla_put(msg, 999, 1, "x");
	assert_int_equal(parse(&req), 0);
	assert_string_equal(req->sender, "a?b?c");
	assert_int_equal(strlen(req->helo), SMTPSPLICE_ADDRESS_MAX);
	assert_string_equal(req->flow.policy, "name");
	assert_string_equal(req->flow.iif, "lan");
	assert_string_equal(req->flow.client, "?");
	assert_string_equal(req->rcpts, "a,b");
	assert_int_equal(req->rcpt_list_size, 4);
	assert_memory_equal(req->rcpt_list, "a\0b\0", 5);
	ss_scan_request_free(req);
}

static void bounds_recipients(void **state)
{
	struct ss_scan_request *req = NULL;
	char rcpt[SMTPSPLICE_ADDRESS_MAX];

	(void)state;
	memset(rcpt, 'r', sizeof(rcpt));
	put_least();
	while (!nla_put(msg, SMTPSPLICE_A_SCAN_RCPT, sizeof(rcpt), rcpt))
		;
	assert_int_equal(parse(&req), 0);
	assert_true(strlen(req->rcpts) < 65536);
	ss_scan_request_free(req);
}

static void refuses_no_cookie(void **state)
{
	(void)state;
	nla_put_u32(msg, SMTPSPLICE_A_SCAN_FD, fd);
	expect_refused();
}

/* Each of them by itself is an octet too short */
static void refuses_short_numbers(void **state)
{
	static const struct {
		int type, size;
	} numbers[] = {
		{ SMTPSPLICE_A_SCAN_COOKIE, 8 }, { SMTPSPLICE_A_SCAN_SIZE, 8 },
		{ SMTPSPLICE_A_SCAN_TIMEOUT, 4 }, { SMTPSPLICE_A_SCAN_ATTEMPT, 4 },
		{ SMTPSPLICE_A_SCAN_RCPT_COUNT, 4 }, { SMTPSPLICE_A_SCAN_MODE, 4 },
		{ SMTPSPLICE_A_SCAN_SESSION, 8 }, { SMTPSPLICE_A_SCAN_CLIENT_PORT, 2 },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (i) {
			nlmsg_free(msg);
			setup(state);
		}
		put_least();
		nla_put(msg, numbers[i].type, numbers[i].size - 1, "\1\0\0\0\0\0\0");
		expect_refused();
	}
}

static void bounds_the_profile(void **state)
{
	static uint8_t profile[SS_AV_PROFILE_OCTETS + 1];
	struct ss_scan_request *req = NULL;

	put_least();
	nla_put(msg, SMTPSPLICE_A_SCAN_AV, sizeof(profile) - 1, profile);
	assert_int_equal(parse(&req), 0);
	assert_int_equal(req->av_len, SS_AV_PROFILE_OCTETS);
	ss_scan_request_free(req);
	nlmsg_free(msg);
	setup(state);
	put_least();
	nla_put(msg, SMTPSPLICE_A_SCAN_AV, sizeof(profile), profile);
	expect_refused();
}

static void refuses_no_descriptor(void **state)
{
	struct ss_scan_request *req = NULL;

	(void)state;
	close(fd);
	nla_put_u64(msg, SMTPSPLICE_A_SCAN_COOKIE, 1);
	nla_put_u32(msg, SMTPSPLICE_A_SCAN_FD, -1);
	assert_int_equal(parse(&req), -EPROTO);
	nlmsg_free(msg);
	msg = nlmsg_alloc_size(4096);
	nlmsg_put(msg, 1, 1, 100, 0, 0);
	nla_put_u64(msg, SMTPSPLICE_A_SCAN_COOKIE, 1);
	nla_put_u32(msg, SMTPSPLICE_A_SCAN_FD, 999999);
	assert_int_equal(parse(&req), -EPROTO);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(reads_the_least),
		T(cleans_text),
		T(bounds_recipients),
		T(refuses_no_cookie),
		T(refuses_short_numbers),
		T(bounds_the_profile),
		T(refuses_no_descriptor),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
