// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "broker/avlog.h"
#include "lib/process.h"
#include "tests/support/mail.h"

static struct ss_scan_request req = {
	.fd = -1, .flow = { .session = UINT64_MAX, .policy = "p\"q", .client = "fd00::1" },
	.sender = "a\r\n{\"b\"}\x1b", .size = 5000000000,
};

static void writes_one_line(void **state)
{
	struct ss_scan_result result = {
		.verdict = SMTPSPLICE_VERDICT_REJECT, .found = true,
	};
	struct ss_avlog_record rec = {
		.req = &req, .result = &result,
		.verdict = SMTPSPLICE_VERDICT_REJECT, .reply = "554 \"x\"", .detail = "",
	};
	struct ss_avlog log = { .fd = mail_file("", 0) };
	struct json_object *obj, *value;
	char line[4096] = "";
	ssize_t n;

	(void)state;
	snprintf(result.head.subject, sizeof(result.head.subject), "s\n\tt");
	snprintf(result.virus, sizeof(result.virus), "V");
	assert_int_equal(ss_avlog_write(&log, &rec), 0);
	n = pread(log.fd, line, sizeof(line) - 1, 0);
	assert_true(n > 0 && strchr(line, '\n') == line + n - 1);
	for (char *s = line; s < line + n - 1; s++)
		assert_true((unsigned char)*s >= ' ');
	obj = json_tokener_parse(line);
	assert_non_null(obj);
	assert_true(json_object_object_get_ex(obj, "sender", &value));
	assert_string_equal(json_object_get_string(value), req.sender);
	assert_true(json_object_object_get_ex(obj, "sessionid", &value));
	assert_true(json_object_get_uint64(value) == UINT64_MAX);
	assert_true(json_object_object_get_ex(obj, "size", &value));
	assert_true(json_object_get_int64(value) == 5000000000);
	assert_true(json_object_object_get_ex(obj, "subject", &value));
	assert_string_equal(json_object_get_string(value), "s\n\tt");
	json_object_put(obj);
	close(log.fd);
}

/* FortiOS's ids have the event type in them; TLS is another service there */
static void words_logids_and_service(void **state)
{
	static const struct {
		enum ss_cause cause;
		bool monitored;
		const char *logid;
		const char *eventtype;
	} kinds[] = {
		{ SS_CAUSE_VIRUS, false, "0211008192", "infected" },
		{ SS_CAUSE_VIRUS, true, "0211008193", "infected" },
		{ SS_CAUSE_FILENAME, false, "0212008448", "filename" },
		{ SS_CAUSE_OVERSIZE, false, "0213008704", "oversize" },
		{ SS_CAUSE_UNDECODABLE, false, "smtpsplice-undecodable", "undecodable" },
		{ SS_CAUSE_ENCRYPTED, false, "smtpsplice-encrypted", "encrypted" },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(kinds) / sizeof(*kinds); i++) {
		struct ss_scan_result result = {
			.found = true, .cause = kinds[i / 2].cause,
			.monitored = kinds[i / 2].monitored,
		};
		struct ss_avlog_record rec = {
			.req = &req, .result = &result, .verdict = SMTPSPLICE_VERDICT_REJECT,
		};
		struct ss_avlog log = { .fd = mail_file("", 0) };
		struct json_object *obj, *value;
		char line[4096] = "";

		req.tls = i % 2;
		assert_int_equal(ss_avlog_write(&log, &rec), 0);
		assert_true(pread(log.fd, line, sizeof(line) - 1, 0) > 0);
		obj = json_tokener_parse(line);
		assert_true(json_object_object_get_ex(obj, "logid", &value));
		assert_string_equal(json_object_get_string(value), kinds[i / 2].logid);
		assert_true(json_object_object_get_ex(obj, "eventtype", &value));
		assert_string_equal(json_object_get_string(value), kinds[i / 2].eventtype);
		assert_true(json_object_object_get_ex(obj, "service", &value));
		assert_string_equal(json_object_get_string(value), req.tls ? "SMTPS" : "SMTP");
		json_object_put(obj);
		close(log.fd);
	}
	req.tls = false;
}

/* Where a reader of a pipe is slow, a record may be there in part, but no two in a line */
static void torn_record_has_its_own_line(void **state)
{
	static char rcpts[30000], text[70000];
	struct ss_scan_result result = {};
	struct ss_avlog_record rec = {
		.req = &req, .result = &result, .verdict = SMTPSPLICE_VERDICT_ACCEPT,
	};
	struct json_object *obj;
	char *line;
	struct ss_avlog log = {};
	int fds[2];

	(void)state;
	memset(rcpts, 'a', sizeof(rcpts) - 1);
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 16384) == 16384);
	log.fd = fds[1];
	req.rcpts = rcpts;
	assert_int_equal(ss_avlog_write(&log, &rec), -ENOSPC);
	assert_true(read(fds[0], text, sizeof(text)) > 0);
	assert_null(strchr(text, '\n'));
	req.rcpts = NULL;
	assert_int_equal(ss_avlog_write(&log, &rec), 0);
	assert_int_equal(ss_avlog_write(&log, &rec), 0);
	memset(text, 0, sizeof(text));
	assert_true(read(fds[0], text, sizeof(text)) > 0);
	assert_int_equal(text[0], '\n');
	line = strtok(text, "\n");
	for (int i = 0; i < 2; i++, line = strtok(NULL, "\n")) {
		assert_non_null(line);
		obj = json_tokener_parse(line);
		assert_non_null(obj);
		json_object_put(obj);
	}
	assert_null(line);
	close(fds[0]);
	close(fds[1]);
}

static void writes_handshakes(void **state)
{
	struct ss_avlog_handshake rec = {
		.flow = &req.flow, .cause = SMTPSPLICE_TLS_CAUSE_OWN_CA,
		.server_name = "a\"\xff\n", .text = "why",
	};
	struct json_object *obj, *value;
	struct ss_avlog log = { .fd = mail_file("", 0) };
	char line[4096] = "";
	ssize_t n;

	(void)state;
	assert_int_equal(ss_avlog_write_handshake(&log, &rec), 0);
	n = pread(log.fd, line, sizeof(line) - 1, 0);
	assert_true(n > 0 && strchr(line, '\n') == line + n - 1);
	obj = json_tokener_parse(line);
	assert_non_null(obj);
	assert_true(json_object_object_get_ex(obj, "subtype", &value));
	assert_string_equal(json_object_get_string(value), "ssl-anomaly");
	assert_true(json_object_object_get_ex(obj, "reason", &value));
	assert_string_equal(json_object_get_string(value), "own-ca");
	assert_true(json_object_object_get_ex(obj, "hostname", &value));
	assert_string_equal(json_object_get_string(value), "a\"?\n");
	assert_true(json_object_object_get_ex(obj, "policy", &value));
	assert_string_equal(json_object_get_string(value), "p\"q");
	json_object_put(obj);
	close(log.fd);
}

static void tells_errors(void **state)
{
	struct ss_scan_result result = {
		.verdict = SMTPSPLICE_VERDICT_TEMPFAIL, .cause = SS_CAUSE_SCAN_FAILURE,
	};
	struct ss_avlog_record rec = {
		.req = &req, .result = &result, .verdict = SMTPSPLICE_VERDICT_TEMPFAIL,
		.detail = "why",
	};
	struct ss_avlog log = { .fd = open("/dev/full", O_WRONLY) };

	(void)state;
	assert_int_equal(ss_avlog_write(&log, &rec), -ENOSPC);
	close(log.fd);
}

/* Better the old one, wherever it was moved to, than none */
static void keeps_the_log_where_there_is_no_other(void **state)
{
	int fd = mail_file("", 0);
	struct ss_avlog log = { .fd = fd };

	(void)state;
	assert_int_equal(ss_avlog_open(&log, "/nonexistent/a/b/log"), -ENOENT);
	assert_int_equal(log.fd, fd);
	assert_int_equal(close(fd), 0);
}

static void makes_its_folder(void **state)
{
	char *dir = strdup("/tmp/smtpsplice-test.XXXXXX"), *path;
	struct stat st;
	struct ss_avlog log = { .fd = -1 };

	(void)state;
	umask(022);
	assert_non_null(mkdtemp(dir));
	path = mail_format("%s/log/av.log", dir);
	assert_int_equal(ss_avlog_open(&log, path), 0);
	assert_int_equal(fstat(log.fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_true(fcntl(log.fd, F_GETFL) & O_APPEND);
	close(log.fd);
	ss_process_remove_tree(dir);
	free(path);
	free(dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_one_line),
		cmocka_unit_test(words_logids_and_service),
		cmocka_unit_test(torn_record_has_its_own_line),
		cmocka_unit_test(writes_handshakes),
		cmocka_unit_test(tells_errors),
		cmocka_unit_test(keeps_the_log_where_there_is_no_other),
		cmocka_unit_test(makes_its_folder),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
