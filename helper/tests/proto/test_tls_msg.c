// SPDX-License-Identifier: GPL-2.0
/*
 * Results of handshakes: what the broker takes from the tls process.
 */
#include "tests/support/unit.h"

#include "lib/cleanup.h"
#include "proto/tls_msg.h"

static const struct ss_tls_result inspected = {
	.cookie = 1, .result = SMTPSPLICE_TLS_RESULT_INSPECTED, .server_name = "mx.example",
	.version = "TLSv1.3", .cipher = "AES", .client.size = 32, .server.size = 48,
};

static const struct ss_tls_result bypassed = {
	.result = SMTPSPLICE_TLS_RESULT_BYPASSED, .cause = SMTPSPLICE_TLS_CAUSE_EXEMPT,
};

static const struct ss_tls_result failed = {
	.result = SMTPSPLICE_TLS_RESULT_FAILED, .cause = SMTPSPLICE_TLS_CAUSE_SERVER,
	.text = "server: closed",
};

/* Nothing but the cause differs from a result that is good */
static void cause_row(const struct ss_tls_result *good, uint64_t causes)
{
	for (uint32_t cause = 0; cause < 64; cause++) {
		struct ss_tls_result r = *good;

		r.cause = cause;
		assert_int_equal(ss_tls_result_check(&r), causes >> cause & 1);
	}
}

#define CAUSE(name)	(1ull << SMTPSPLICE_TLS_CAUSE_##name)
#define EITHER	(CAUSE(CLIENT_CERTIFICATE) | CAUSE(VERSION) | CAUSE(CIPHER) | CAUSE(NEGOTIATION))

static void checks_causes(void **state)
{
	struct ss_tls_result r;

	(void)state;
	cause_row(&inspected, CAUSE(NONE));
	cause_row(&bypassed, CAUSE(EXEMPT) | EITHER);
	cause_row(&failed, ((CAUSE(HELPER) << 1) - 1) &
		  ~(CAUSE(NONE) | CAUSE(POLICY) | CAUSE(EXEMPT)));
	for (uint32_t result = 0; result < 64; result++) {
		r = failed;
		r.result = result;
		assert_int_equal(ss_tls_result_check(&r),
				 result == SMTPSPLICE_TLS_RESULT_FAILED);
		r = inspected;
		r.result = result;
		assert_int_equal(ss_tls_result_check(&r) && result !=
				 SMTPSPLICE_TLS_RESULT_INSPECTED, false);
	}
}

/*
 * Changes the length of one leg's secret at a time. Only an inspected connection may come
 * with secrets, and only of the lengths that TLS 1.3 has.
 */
static void checks_secrets(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 16, 31, 32, 33, 47, 48, 49, 64, 96, 1u << 31,
					  UINT32_MAX };
	const struct ss_tls_result *const goods[] = { &inspected, &bypassed, &failed };

	(void)state;
	for (size_t g = 0; g < ARRAY_SIZE(goods); g++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			bool fits = !sizes[i] || (!g && (sizes[i] == 32 || sizes[i] == 48));
			struct ss_tls_result r = *goods[g];

			r.client.size = sizes[i];
			assert_int_equal(ss_tls_result_check(&r), fits);
			r = *goods[g];
			r.server.size = sizes[i];
			assert_int_equal(ss_tls_result_check(&r), fits);
		}
}

static void text_row(size_t at, size_t size)
{
	struct ss_tls_result r = failed;
	char *text = (char *)&r + at;

	assert_true(ss_tls_result_check(&r));
	memset(text, 'x', size - 1);
	assert_true(ss_tls_result_check(&r));
	text[size - 1] = 'x';
	assert_false(ss_tls_result_check(&r));
	for (int c = 0; c < 256; c++) {
		memset(text, 0, size);
		text[0] = 'a';
		text[1] = c;
		assert_int_equal(ss_tls_result_check(&r), !c || (c >= ' ' && c <= '~'));
	}
}

#define TEXT_ROW(name) text_row(offsetof(struct ss_tls_result, name), sizeof(failed.name))

static void checks_texts(void **state)
{
	(void)state;
	TEXT_ROW(server_name);
	TEXT_ROW(version);
	TEXT_ROW(cipher);
	TEXT_ROW(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_causes),
		cmocka_unit_test(checks_secrets),
		cmocka_unit_test(checks_texts),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
