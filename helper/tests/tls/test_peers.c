// SPDX-License-Identifier: GPL-2.0
/*
 * Peers that no pair of handshakes can be had with: those that are exempt, speak
 * something else, leave, or let us wait.
 */
#include "tests/support/session.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/process.h"
#include "tests/support/fake_ktls.h"

static void bypasses_what_is_exempt(void **state)
{
	size_t octets;

	(void)state;
	strcpy(job.profile.names[0], "*.Example.com");
	job.profile.name_count = 1;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	octets = queued();
	expect_bypassed(SMTPSPLICE_TLS_CAUSE_EXEMPT, octets);
	assert_string_equal(result.server_name, PKI_HOST);
	finish();
	job.profile.name_count = 0;
	strcpy(job.profile.regexes[0], "^mx\\.");
	job.profile.regex_count = 1;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	octets = queued();
	expect_bypassed(SMTPSPLICE_TLS_CAUSE_EXEMPT, octets);
	finish();
	/* By address at once, without a ClientHello */
	job.profile.regex_count = 0;
	job.profile.addresses[0] = (struct ss_prefix){ .addr = { 10 }, .size = 4, .len = 8 };
	job.profile.address_count = 1;
	start(NULL, NULL, NULL, NULL, 0);
	expect_bypassed(SMTPSPLICE_TLS_CAUSE_EXEMPT, 0);
	finish();
	/* Not what is not exempt */
	job.profile.addresses[0].addr[0] = 11;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	expect_inspected();
	finish();
}

static void old_row(const char *priority, uint32_t *support,
		    enum smtpsplice_tls_cause cause, int alert)
{
	size_t octets;

	*support = SMTPSPLICE_TLS_SUPPORT_BLOCK;
	start(priority, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	expect_failed(cause, alert);
	finish();
	*support = SMTPSPLICE_TLS_SUPPORT_ALLOW;
	start(priority, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	octets = queued();
	expect_bypassed(cause, octets);
	finish();
}

static void knows_what_it_cannot(void **state)
{
	(void)state;
	old_row("NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:+MAC-ALL:+SHA1:%ALLOW_SMALL_RECORDS",
		&job.profile.version, SMTPSPLICE_TLS_CAUSE_VERSION,
		GNUTLS_A_PROTOCOL_VERSION);
	old_row("NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC",
		&job.profile.cipher, SMTPSPLICE_TLS_CAUSE_CIPHER,
		GNUTLS_A_HANDSHAKE_FAILURE);
	/* The server's lack ends the session, whatever the profile says */
	start(PEER_PRIORITY, PKI_HOST, NULL, NULL, 0);
	(void)queued();
	assert_false(ss_intercept_step(pair, ss_process_now()));
	assert_int_equal(send(server.fd, "\x15\3\3\0\2\2\x46", 7, 0), 7);
	expect_failed(SMTPSPLICE_TLS_CAUSE_VERSION, GNUTLS_A_PROTOCOL_VERSION);
	finish();
	start(PEER_PRIORITY, PKI_HOST, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC",
	      &leaf, 1);
	expect_failed(SMTPSPLICE_TLS_CAUSE_CIPHER, GNUTLS_A_HANDSHAKE_FAILURE);
	finish();
}

static void alien_row(const void *octets, size_t len, bool tls)
{
	uint8_t answer[64];

	job.profile.negotiation = SMTPSPLICE_TLS_SUPPORT_BLOCK;
	start(NULL, NULL, PEER_PRIORITY, &leaf, 1);
	assert_int_equal(send(client.fd, octets, len, 0), len);
	expect_failed(SMTPSPLICE_TLS_CAUSE_NEGOTIATION, -1);
	peer_wait(client.fd, POLLIN);
	if (tls) {
		assert_int_equal(recv(client.fd, answer, sizeof(answer), 0), 7);
		assert_memory_equal(answer, "\x15\3\3\0\2\2", 6);
	} else {
		assert_int_equal(recv(client.fd, answer, sizeof(answer), 0), 0);
	}
	finish();
	job.profile.negotiation = SMTPSPLICE_TLS_SUPPORT_ALLOW;
	start(NULL, NULL, PEER_PRIORITY, &leaf, 1);
	assert_int_equal(send(client.fd, octets, len, 0), len);
	expect_bypassed(SMTPSPLICE_TLS_CAUSE_NEGOTIATION, len);
	finish();
}

static void knows_what_is_no_tls(void **state)
{
	static uint8_t huge[SS_CLIENT_HELLO_RAW] = { 22, 3, 1, 0x40, 0, 1, 0, 0x40, 0 };

	(void)state;
	alien_row("EHLO client\r\n", 13, false);
	alien_row("\x80\x2e\1\0\2\0\x15\0\0\0\x10", 11, false);
	alien_row("\x16\3\1\0\4\2\0\0\0", 9, true);
	alien_row(huge, 9, true);
}

static void ends_with_its_peers(void **state)
{
	char octet;

	(void)state;
	/* The client goes: before, in, and after its ClientHello */
	start(NULL, NULL, PEER_PRIORITY, &leaf, 1);
	shutdown(client.fd, SHUT_RDWR);
	expect_failed(SMTPSPLICE_TLS_CAUSE_CLIENT, -1);
	finish();
	start(NULL, NULL, PEER_PRIORITY, &leaf, 1);
	assert_int_equal(send(client.fd, "\x16\3\1", 3, 0), 3);
	shutdown(client.fd, SHUT_WR);
	expect_failed(SMTPSPLICE_TLS_CAUSE_CLIENT, -1);
	finish();
	start(PEER_PRIORITY, PKI_HOST, NULL, NULL, 0);
	(void)queued();
	assert_false(ss_intercept_step(pair, ss_process_now()));
	peer_wait(server.fd, POLLIN);
	shutdown(client.fd, SHUT_WR);
	expect_failed(SMTPSPLICE_TLS_CAUSE_CLIENT, -1);
	finish();
	/* The server goes: before anything, and after the ClientHello */
	start(PEER_PRIORITY, PKI_HOST, NULL, NULL, 0);
	shutdown(server.fd, SHUT_RDWR);
	expect_failed(SMTPSPLICE_TLS_CAUSE_SERVER, GNUTLS_A_HANDSHAKE_FAILURE);
	finish();
	start(PEER_PRIORITY, PKI_HOST, NULL, NULL, 0);
	(void)queued();
	assert_false(ss_intercept_step(pair, ss_process_now()));
	peer_wait(server.fd, POLLIN);
	while (recv(server.fd, &octet, 1, MSG_DONTWAIT) == 1)
		;
	shutdown(server.fd, SHUT_RDWR);
	expect_failed(SMTPSPLICE_TLS_CAUSE_SERVER, GNUTLS_A_HANDSHAKE_FAILURE);
	finish();
}

/* Up to the gateway's first flight for the client */
static void until_flight(void)
{
	struct pollfd pfd = { .fd = client.fd, .events = POLLIN };

	peer_step(&client);
	while (!poll(&pfd, 1, 1)) {
		peer_step(&server);
		assert_false(ss_intercept_step(pair, ss_process_now()));
	}
}

/* The server has its keys and goes, which nobody has noticed when ours are there */
static void tells_of_a_server_that_left(void **state)
{
	struct pollfd pfd;
	char octet;

	(void)state;
	for (int reset = 0; reset < 2; reset++) {
		struct linger at_once = { .l_onoff = reset };

		fake_ktls_reset();
		start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
		until_flight();
		while (!server.done)
			peer_step(&server);
		setsockopt(server.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		gnutls_deinit(server.session);
		server.session = NULL;
		close(server.fd);
		pfd = (struct pollfd){ .fd = gw_server, .events = POLLRDHUP };
		assert_int_equal(poll(&pfd, 1, 60000), 1);
		while (!client.done)
			peer_step(&client);
		peer_wait(gw_client, POLLIN);
		assert_true(ss_intercept_step(pair, ss_process_now()));
		result = *ss_intercept_result(pair);
		ss_intercept_close(pair);
		assert_int_equal(result.result, SMTPSPLICE_TLS_RESULT_FAILED);
		assert_int_equal(result.cause, SMTPSPLICE_TLS_CAUSE_SERVER);
		peer_wait(client.fd, POLLIN);
		assert_int_equal(gnutls_record_recv(client.session, &octet, 1),
				 GNUTLS_E_FATAL_ALERT_RECEIVED);
		assert_int_equal(gnutls_alert_get(client.session), GNUTLS_A_HANDSHAKE_FAILURE);
		server.fd = -1;
		finish();
	}
}

/* OpenSSL's clients do, though they have a key for it */
static void hears_alerts_in_plain_text(void **state)
{
	static const uint8_t unknown_ca[] = { 21, 3, 3, 0, 2, 2, 48 };

	(void)state;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	until_flight();
	assert_int_equal(send(client.fd, unknown_ca, sizeof(unknown_ca), 0), 7);
	client.error = 1;
	expect_failed(SMTPSPLICE_TLS_CAUSE_CLIENT, -1);
	finish();
}

/* The client is about to send its last flight, and is to hear why it is in vain */
static void does_not_reset(void **state)
{
	(void)state;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	until_flight();
	shutdown(server.fd, SHUT_RDWR);
	peer_wait(gw_server, POLLIN);
	note_ends();
	assert_true(ss_intercept_step(pair, ss_process_now()));
	assert_int_equal(ss_intercept_result(pair)->cause, SMTPSPLICE_TLS_CAUSE_SERVER);
	ss_intercept_close(pair);
	/* The second would fail if the first was answered by a reset */
	for (int i = 0; i < 2; i++)
		assert_int_equal(send(client.fd, "x", 1, MSG_NOSIGNAL), 1);
	finish();
}

static void early_row(bool starttls, uint32_t negotiation, bool hello)
{
	job.starttls = starttls;
	job.profile.negotiation = negotiation;
	start(hello ? PEER_PRIORITY : NULL, PKI_HOST, NULL, NULL, 0);
	assert_int_equal(send(server.fd, "220 hi\r\n", 8, 0), 8);
	peer_wait(gw_server, POLLIN);
}

static void minds_a_server_that_speaks_first(void **state)
{
	(void)state;
	for (int hello = 0; hello < 2; hello++) {
		early_row(false, SMTPSPLICE_TLS_SUPPORT_BLOCK, hello);
		expect_failed(SMTPSPLICE_TLS_CAUSE_NEGOTIATION,
			      hello ? GNUTLS_A_HANDSHAKE_FAILURE : -1);
		finish();
		/* Words that were put behind a 220 are never passed on */
		early_row(true, SMTPSPLICE_TLS_SUPPORT_ALLOW, hello);
		expect_failed(SMTPSPLICE_TLS_CAUSE_NEGOTIATION,
			      hello ? GNUTLS_A_HANDSHAKE_FAILURE : -1);
		finish();
		early_row(false, SMTPSPLICE_TLS_SUPPORT_ALLOW, hello);
		expect(SMTPSPLICE_TLS_RESULT_BYPASSED, SMTPSPLICE_TLS_CAUSE_NEGOTIATION);
		finish();
	}
	/* And a server that answers the ClientHello in plain text */
	job.profile.negotiation = SMTPSPLICE_TLS_SUPPORT_BLOCK;
	start(PEER_PRIORITY, PKI_HOST, NULL, NULL, 0);
	(void)queued();
	assert_false(ss_intercept_step(pair, ss_process_now()));
	assert_int_equal(send(server.fd, "500 5.5.1 what?\r\n", 17, 0), 17);
	expect_failed(SMTPSPLICE_TLS_CAUSE_NEGOTIATION, GNUTLS_A_HANDSHAKE_FAILURE);
	finish();
}

static void expire_row(int alert)
{
	assert_true(ss_intercept_deadline(pair) <= ss_process_now() + job.timeout * 9 / 10 + 1);
	ss_intercept_expire(pair);
	expect_failed(SMTPSPLICE_TLS_CAUSE_TIMEOUT, alert);
	finish();
}

static void has_a_deadline(void **state)
{
	(void)state;
	job.timeout = 4000;
	/* A silent client, a silent server, a client that stops half way */
	start(NULL, NULL, NULL, NULL, 0);
	assert_false(ss_intercept_step(pair, ss_process_now()));
	expire_row(-1);
	start(PEER_PRIORITY, PKI_HOST, NULL, NULL, 0);
	(void)queued();
	assert_false(ss_intercept_step(pair, ss_process_now()));
	expire_row(GNUTLS_A_INTERNAL_ERROR);
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	(void)queued();
	while (!server.done) {
		peer_step(&server);
		assert_false(ss_intercept_step(pair, ss_process_now()));
	}
	expire_row(-1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(bypasses_what_is_exempt),
		T(knows_what_it_cannot),
		T(knows_what_is_no_tls),
		T(ends_with_its_peers),
		T(tells_of_a_server_that_left),
		T(hears_alerts_in_plain_text),
		T(does_not_reset),
		T(minds_a_server_that_speaks_first),
		T(has_a_deadline),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
