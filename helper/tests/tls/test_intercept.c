// SPDX-License-Identifier: GPL-2.0
/*
 * What a pair of handshakes agrees on: names, versions, suites, protocols, records;
 * the kernel's part is done by hand with the keys.
 */
#include "tests/support/session.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "lib/cleanup.h"

#include "lib/process.h"
#include "tests/support/fake_ktls.h"

/* One record each way on one leg, with the keys that the kernel was given */
static void talk(struct peer *peer, int fd)
{
	struct fake_ktls_sock *sock = fake_ktls_find(fd);
	uint8_t record[20000], type = 0;
	char text[20000];
	size_t len;

	assert_non_null(sock);
	assert_true(sock->ulp && sock->times[0] == 1 && sock->times[1] == 1);
	do {
		len = peer_read_record(fd, record, sizeof(record));
		len = fake_ktls_open(&sock->keys[1], record, len, &type, text);
	} while (type == 22);	/* tickets of TLS 1.3 */
	assert_int_equal(type, 23);
	assert_int_equal(len, strlen(peer->first));
	assert_memory_equal(text, peer->first, len);
	for (int i = 0; i < 2; i++) {
		len = fake_ktls_seal(&sock->keys[0], record, 23, "250 hello\r\n", 11);
		assert_int_equal(send(fd, record, len, 0), len);
		assert_int_equal(peer_receive(peer, text, sizeof(text)), 11);
		assert_memory_equal(text, "250 hello\r\n", 11);
	}
	peer_send(peer, "QUIT\r\n");
	len = peer_read_record(fd, record, sizeof(record));
	len = fake_ktls_open(&sock->keys[1], record, len, &type, text);
	assert_int_equal(len, 6);
	assert_memory_equal(text, "QUIT\r\n", 6);
}

static void shake_and_talk(const char *client_priority, const char *server_priority)
{
	start(client_priority, PKI_HOST, server_priority, &leaf, 1);
	/* Right behind Finished, in its segment: it must stay in the socket */
	client.first = "EHLO client\r\n";
	server.first = "220 server\r\n";
	expect_inspected();
	talk(&client, gw_client);
	talk(&server, gw_server);
}

static void passes_on_the_name(void **state)
{
	char name[256];
	size_t size = sizeof(name);
	unsigned int type;

	(void)state;
	shake_and_talk(PEER_PRIORITY, PEER_PRIORITY);
	assert_string_equal(result.server_name, PKI_HOST);
	assert_string_equal(result.version, "TLSv1.3");
	assert_int_equal(gnutls_server_name_get(server.session, name, &size, &type, 0), 0);
	assert_string_equal(name, PKI_HOST);
	finish();
	/* And none where there is none */
	start(PEER_PRIORITY, NULL, PEER_PRIORITY, &leaf, 1);
	expect_inspected();
	assert_string_equal(result.server_name, "");
	size = sizeof(name);
	assert_int_not_equal(gnutls_server_name_get(server.session, name, &size, &type, 0), 0);
	finish();
}

/* What the kernel is left must make the key that it was given: RFC 8446 7.3 */
static void expect_key(const uint8_t *secret, uint32_t size, const struct ss_ktls_keys *keys)
{
	static const char label[] = "tls13 key";
	const gnutls_datum_t prk = { (unsigned char *)secret, size };
	uint8_t info[2 + 1 + sizeof(label)] = {}, key[32];
	const gnutls_datum_t data = { info, sizeof(info) };
	const uint8_t *wanted;
	size_t len = 32;

	switch (keys->info.head.cipher_type) {
	case TLS_CIPHER_AES_GCM_128:
		wanted = keys->info.gcm128.key;
		len = 16;
		break;
	case TLS_CIPHER_AES_CCM_128:
		wanted = keys->info.ccm128.key;
		len = 16;
		break;
	case TLS_CIPHER_AES_GCM_256:
		wanted = keys->info.gcm256.key;
		break;
	default:
		wanted = keys->info.chacha.key;
	}
	info[1] = len;
	info[2] = strlen(label);
	memcpy(info + 3, label, strlen(label));
	assert_int_equal(gnutls_hkdf_expand(size == 48 ? GNUTLS_MAC_SHA384 : GNUTLS_MAC_SHA256,
					    &prk, &data, key, len), 0);
	assert_memory_equal(key, wanted, len);
}

static void expect_secrets(const struct ss_tls_secrets *secrets, int fd, uint16_t type)
{
	const struct fake_ktls_sock *sock = fake_ktls_find(fd);

	assert_int_equal(secrets->size, type == TLS_CIPHER_AES_GCM_256 ? 48 : 32);
	expect_key(secrets->send, secrets->size, &sock->keys[0]);
	expect_key(secrets->recv, secrets->size, &sock->keys[1]);
}

static void suite_row(const char *version, const char *cipher, uint16_t type)
{
	char priority[256];

	snprintf(priority, sizeof(priority),
		 "NORMAL:-VERS-ALL:+VERS-%s:-CIPHER-ALL:+%s", version, cipher);
	shake_and_talk(priority, priority);
	assert_int_equal(fake_ktls_find(gw_client)->keys[0].info.head.cipher_type, type);
	assert_int_equal(fake_ktls_find(gw_server)->keys[1].info.head.cipher_type, type);
	assert_string_equal(result.version, strstr(version, "1.3") ? "TLSv1.3" : "TLSv1.2");
	if (strstr(version, "1.3")) {
		expect_secrets(&result.client, gw_client, type);
		expect_secrets(&result.server, gw_server, type);
	} else {
		assert_int_equal(result.client.size, 0);
		assert_int_equal(result.server.size, 0);
	}
	finish();
}

static void knows_each_suite(void **state)
{
	static const char *const versions[] = { "TLS1.2", "TLS1.3" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		suite_row(versions[i], "AES-128-GCM", TLS_CIPHER_AES_GCM_128);
		suite_row(versions[i], "AES-256-GCM", TLS_CIPHER_AES_GCM_256);
		suite_row(versions[i], "AES-128-CCM", TLS_CIPHER_AES_CCM_128);
		suite_row(versions[i], "CHACHA20-POLY1305", TLS_CIPHER_CHACHA20_POLY1305);
	}
}

static void never_above_the_server(void **state)
{
	(void)state;
	shake_and_talk(PEER_PRIORITY, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
	assert_string_equal(result.version, "TLSv1.2");
	assert_int_equal(gnutls_protocol_get_version(client.session), GNUTLS_TLS1_2);
	finish();
	shake_and_talk(PEER_PRIORITY, "NORMAL:-CIPHER-ALL:+AES-128-GCM");
	assert_int_equal(gnutls_cipher_get(client.session), GNUTLS_CIPHER_AES_128_GCM);
	finish();
	/* A client of TLS 1.2 has a server of 1.2, whatever that could do */
	shake_and_talk("NORMAL:-VERS-ALL:+VERS-TLS1.2", PEER_PRIORITY);
	assert_int_equal(gnutls_protocol_get_version(server.session), GNUTLS_TLS1_2);
	finish();
	/* A client that has nothing as weak as the server would like */
	shake_and_talk("NORMAL:-CIPHER-ALL:+AES-256-GCM",
		       "NORMAL:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:%SERVER_PRECEDENCE");
	assert_int_equal(gnutls_cipher_get(server.session), GNUTLS_CIPHER_AES_256_GCM);
	finish();
	shake_and_talk("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-RSA", PEER_PRIORITY);
	assert_int_equal(gnutls_kx_get(client.session), GNUTLS_KX_ECDHE_RSA);
	finish();
	shake_and_talk("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA:-GROUP-ALL:+GROUP-FFDHE2048",
		       PEER_PRIORITY);
	finish();
}

static void takes_single_octets(void **state)
{
	int fds[2], relay[2];
	uint8_t hello[8192];
	ssize_t len;

	(void)state;
	/* A ClientHello, caught on its way */
	peer_connect(relay);
	start(NULL, NULL, PEER_PRIORITY, &leaf, 1);
	fds[0] = client.fd;
	peer_client(&client, relay[0], PEER_PRIORITY, PKI_HOST);
	peer_step(&client);
	peer_wait(relay[1], POLLIN);
	len = recv(relay[1], hello, sizeof(hello), 0);
	assert_true(len > 100);
	for (ssize_t i = 0; i < len; i++) {
		assert_int_equal(send(fds[0], hello + i, 1, 0), 1);
		peer_wait(gw_client, POLLIN);
		assert_false(i < len - 1 && ss_intercept_step(pair, ss_process_now()));
	}
	/* The rest of the client's leg */
	close(relay[1]);
	close(client.fd);
	client.fd = fds[0];
	expect_inspected();
	finish();
}

static void wants_smtp(void **state)
{
	static const char *const web[] = { "h2", "http/1.1" }, *const mail[] = { "h2", "smtp" };
	gnutls_datum_t chosen;

	(void)state;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	peer_alpn(&client, web, 2);
	expect_failed(SMTPSPLICE_TLS_CAUSE_NEGOTIATION, GNUTLS_A_NO_APPLICATION_PROTOCOL);
	finish();
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	peer_alpn(&client, mail, 2);
	peer_alpn(&server, mail, 2);
	expect_inspected();
	assert_int_equal(gnutls_alpn_get_selected_protocol(client.session, &chosen), 0);
	assert_int_equal(chosen.size, 4);
	assert_memory_equal(chosen.data, "smtp", 4);
	assert_int_equal(gnutls_alpn_get_selected_protocol(server.session, &chosen), 0);
	assert_memory_equal(chosen.data, "smtp", 4);
	finish();
	/* None offered by the client is none offered to the server */
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	peer_alpn(&server, mail, 2);
	expect_inspected();
	assert_int_not_equal(gnutls_alpn_get_selected_protocol(server.session, &chosen), 0);
	finish();
	/* A server that knows of none is no reason to fail */
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	peer_alpn(&client, mail, 2);
	expect_inspected();
	finish();
}

static int unread(int fd)
{
	int n;

	assert_int_equal(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

/* A certificate of more than one record, all of which is there before it is read */
static void takes_all_there_is(void **state)
{
	uint64_t end = ss_process_now() + 60000;
	struct pki big;

	(void)state;
	/* None of its names is the host's */
	pki_make(&big, &(struct pki_spec){ .names = 3500 }, &root);
	job.profile.sni_check = SMTPSPLICE_SNI_CHECK_DISABLE;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &big, 1);
	peer_step(&client);
	peer_wait(gw_client, POLLIN);
	assert_false(ss_intercept_step(pair, ss_process_now()));
	peer_wait(server.fd, POLLIN);
	while (unread(gw_server) < 20000 && ss_process_now() < end)
		peer_step(&server);
	assert_false(ss_intercept_step(pair, ss_process_now()));
	assert_int_equal(unread(gw_server), 0);
	expect_inspected();
	finish();
	pki_free(&big);
}

static void is_all_or_nothing(void **state)
{
	(void)state;
	/* ULP and two keys for each leg: six calls, any of which may fail */
	for (unsigned int i = 1; i <= 6; i++) {
		fake_ktls_reset();
		atomic_store(&fake_ktls->fail_at, i);
		start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
		expect_failed(SMTPSPLICE_TLS_CAUSE_HELPER, -1);
		assert_int_equal(atomic_load(&fake_ktls->calls), i);
		finish();
	}
}

/* What GnuTLS holds back of either leg, the kernel would never see */
static void leaves_nothing_behind(void **state)
{
	(void)state;
	for (unsigned int i = 1; i <= 3; i++) {
		fake_ktls_reset();
		atomic_store(&fake_ktls->pending_at, i);
		start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
		if (i <= 2)
			expect_failed(SMTPSPLICE_TLS_CAUSE_NEGOTIATION, -1);
		else
			expect_inspected();
		assert_int_equal(atomic_load(&fake_ktls->calls) > 0, i > 2);
		finish();
	}
}

/* Whoever wants short records is told that we do not know of that */
static void makes_no_short_records(void **state)
{
	uint8_t record[4096], type;
	char text[4096] = "";
	size_t len;

	(void)state;
	for (int i = 2; i <= 3; i++) {
		start(i == 2 ? "NORMAL:-VERS-ALL:+VERS-TLS1.2" : "NORMAL", PKI_HOST,
		      PEER_PRIORITY, &leaf, 1);
		gnutls_record_set_max_size(client.session, 1024);
		client.first = "EHLO\r\n";
		expect_inspected();
		len = peer_read_record(gw_client, record, sizeof(record));
		len = fake_ktls_open(&fake_ktls_find(gw_client)->keys[1], record, len,
				     &type, text);
		assert_int_equal(len, 6);
		len = fake_ktls_seal(&fake_ktls_find(gw_client)->keys[0], record, 23,
				     text, 2000);
		assert_int_equal(send(gw_client, record, len, 0), len);
		assert_int_equal(peer_receive(&client, text, sizeof(text)), 2000);
		finish();
	}
}

/* A server that has been offered to say so, and does, cannot be had */
static void minds_short_records_of_servers(void **state)
{
	static const char *const priorities[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"
	};

	/* One octet less, too, is a record that the kernel may not make */
	static const size_t sizes[] = { 1024, 16383, 16384 };

	(void)state;
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		size_t size = sizes[i / 2];

		start(PEER_PRIORITY, PKI_HOST, priorities[i % 2], &leaf, 1);
		assert_int_equal(gnutls_record_set_max_recv_size(server.session, size), 0);
		if (size < 16384)
			expect_failed(SMTPSPLICE_TLS_CAUSE_NEGOTIATION, -1);
		else
			expect_inspected();
		finish();
	}
}

static void leaks_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 250; i++) {
		start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
		expect_inspected();
		finish();
		start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
		peer_step(&client);
		ss_intercept_step(pair, ss_process_now());
		finish();
	}
	assert_int_equal(gw->mint.cache.count, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(passes_on_the_name),
		T(knows_each_suite),
		T(never_above_the_server),
		T(takes_single_octets),
		T(wants_smtp),
		T(takes_all_there_is),
		T(is_all_or_nothing),
		T(leaves_nothing_behind),
		T(makes_no_short_records),
		T(minds_short_records_of_servers),
		T(leaks_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
