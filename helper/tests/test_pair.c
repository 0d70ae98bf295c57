// SPDX-License-Identifier: GPL-2.0
/*
 * Whole pairs of handshakes: a client and a server of GnuTLS, the gateway between
 * them, all in this process; the kernel's part is done by hand with the keys.
 */
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "fake_ktls.h"
#include "pair.h"
#include "peer.h"
#include "process.h"
#include "trust.h"

static struct ss_gateway *gw;
static struct ss_job job;

/* One session */
static struct peer client, server;
static struct ss_pair *pair;
static int gw_client, gw_server;	/* the gateway's sockets, our own copies */
static struct ss_tls_result result;

static void start_with(int client_fds[2], int server_fds[2])
{
	int fds[SS_PAIR_SIDES] = { client_fds[1], server_fds[0] };

	gw_client = dup(client_fds[1]);
	gw_server = dup(server_fds[0]);
	pair = ss_pair_new(gw, &job, fds, ss_process_now());
	assert_non_null(pair);
}

static void start(const char *client_priority, const char *name,
		  const char *server_priority, const struct pki *chain, unsigned int count)
{
	int client_fds[2], server_fds[2];

	peer_connect(client_fds);
	peer_connect(server_fds);
	if (client_priority)
		peer_client(&client, client_fds[0], client_priority, name);
	else
		client = (struct peer){ .fd = client_fds[0], .error = 1 };
	if (server_priority)
		peer_server(&server, server_fds[1], server_priority, chain, count);
	else
		server = (struct peer){ .fd = server_fds[1], .error = 1 };
	start_with(client_fds, server_fds);
}

static void note_ends(void)
{
	struct pollfd fds[] = {
		{ .fd = gw_client, .events = POLLRDHUP },
		{ .fd = gw_server, .events = POLLRDHUP },
	};

	poll(fds, 2, 0);
	for (int side = 0; side < 2; side++)
		if (fds[side].revents & (POLLRDHUP | POLLHUP | POLLERR))
			ss_pair_ended(pair, side);
}

/* As far as all three go. Return: whether the gateway is done. */
static bool go(void)
{
	uint64_t end = ss_process_now() + 60000;

	while (ss_process_now() < end) {
		struct pollfd fds[] = {
			{ .fd = client.fd, .events = POLLIN },
			{ .fd = server.fd, .events = POLLIN },
		};

		peer_step(&client);
		peer_step(&server);
		note_ends();
		if (ss_pair_step(pair, ss_process_now())) {
			result = *ss_pair_result(pair);
			ss_pair_close(pair);
			assert_true(ss_tls_result_check(&result));
			return true;
		}
		poll(fds, 2, 1);
	}
	return false;
}

/* Let the peers hear what the gateway has said last */
static void hear(void)
{
	uint64_t end = ss_process_now() + 60000;

	while (ss_process_now() < end && client.session && !client.error && !client.done)
		peer_step(&client);
	while (ss_process_now() < end && server.session && !server.error && !server.done)
		peer_step(&server);
}

static void finish(void)
{
	ss_pair_free(pair);
	pair = NULL;
	peer_free(&client);
	peer_free(&server);
	close(gw_client);
	close(gw_server);
}

static void expect(enum smtpsplice_tls_result what, enum smtpsplice_tls_cause why)
{
	assert_true(go());
	if (result.result != what || result.cause != why)
		print_message("# result %u cause %u: %s\n", result.result, result.cause,
			      result.text);
	assert_int_equal(result.result, what);
	assert_int_equal(result.cause, why);
}

static void expect_inspected(void)
{
	expect(SMTPSPLICE_TLS_RESULT_INSPECTED, SMTPSPLICE_TLS_CAUSE_NONE);
	assert_string_equal(result.text, "");
	hear();
	assert_true(client.done && server.done);
}

static void expect_failed(enum smtpsplice_tls_cause why, int client_alert)
{
	expect(SMTPSPLICE_TLS_RESULT_FAILED, why);
	assert_true(strlen(result.text) > 5);
	hear();
	if (client_alert < 0)
		return;
	assert_int_equal(client.error, GNUTLS_E_FATAL_ALERT_RECEIVED);
	assert_int_equal(gnutls_alert_get(client.session), client_alert);
}

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

static void shows_the_right_certificate(void **state)
{
	const gnutls_datum_t *sent;
	unsigned int count;
	struct pki seen[2] = {};

	(void)state;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	expect_inspected();
	sent = gnutls_certificate_get_peers(client.session, &count);
	assert_int_equal(count, 2);
	for (int i = 0; i < 2; i++) {
		gnutls_x509_crt_init(&seen[i].crt);
		assert_int_equal(gnutls_x509_crt_import(seen[i].crt, &sent[i],
							GNUTLS_X509_FMT_DER), 0);
	}
	assert_true(gnutls_x509_crt_equals(seen[1].crt, gw->ca.crt[SS_CA_TRUSTED]));
	assert_true(gnutls_x509_crt_check_issuer(seen[0].crt, seen[1].crt));
	assert_true(gnutls_x509_crt_check_hostname(seen[0].crt, PKI_HOST));
	pki_free(&seen[0]);
	pki_free(&seen[1]);
	finish();
}

/* Which CA has signed what the client sees */
static enum ss_ca_kind shown_ca(void)
{
	unsigned int count;
	const gnutls_datum_t *sent = gnutls_certificate_get_peers(client.session, &count);
	gnutls_x509_crt_t crt;
	bool untrusted;

	gnutls_x509_crt_init(&crt);
	assert_int_equal(gnutls_x509_crt_import(crt, &sent[0], GNUTLS_X509_FMT_DER), 0);
	untrusted = gnutls_x509_crt_check_issuer(crt, gw->ca.crt[SS_CA_UNTRUSTED]);
	assert_true(untrusted || gnutls_x509_crt_check_issuer(crt, gw->ca.crt[SS_CA_TRUSTED]));
	gnutls_x509_crt_deinit(crt);
	return untrusted ? SS_CA_UNTRUSTED : SS_CA_TRUSTED;
}

static void certificate_row(const struct pki *chain, unsigned int count, uint32_t *action,
			    enum smtpsplice_tls_cause cause, int alert)
{
	*action = SMTPSPLICE_TLS_ACTION_BLOCK;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, chain, count);
	expect_failed(cause, alert);
	finish();
	*action = SMTPSPLICE_TLS_ACTION_ALLOW;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, chain, count);
	expect_inspected();
	assert_int_equal(shown_ca(), SS_CA_UNTRUSTED);
	finish();
	*action = SMTPSPLICE_TLS_ACTION_IGNORE;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, chain, count);
	expect_inspected();
	assert_int_equal(shown_ca(), SS_CA_TRUSTED);
	finish();
}

static void acts_by_the_profile(void **state)
{
	struct pki other, bad;

	(void)state;
	pki_make(&bad, &(struct pki_spec){ .from = -20 * PKI_DAY, .to = -PKI_DAY }, &root);
	certificate_row(&bad, 1, &job.profile.expired, SMTPSPLICE_TLS_CAUSE_EXPIRED,
			GNUTLS_A_CERTIFICATE_EXPIRED);
	pki_free(&bad);
	pki_root(&other, "CN=another root");
	pki_leaf(&bad, &other);
	certificate_row(&bad, 1, &job.profile.untrusted, SMTPSPLICE_TLS_CAUSE_UNTRUSTED,
			GNUTLS_A_UNKNOWN_CA);
	pki_free(&bad);
	pki_free(&other);
	pki_make(&bad, &(struct pki_spec){ .host = "other.example.com", .dn = "CN=x" }, &root);
	certificate_row(&bad, 1, &job.profile.validation_failure,
			SMTPSPLICE_TLS_CAUSE_SERVER_NAME, GNUTLS_A_BAD_CERTIFICATE);
	/* The name does not matter where it is not compared */
	job.profile.validation_failure = SMTPSPLICE_TLS_ACTION_BLOCK;
	job.profile.sni_check = SMTPSPLICE_SNI_CHECK_DISABLE;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &bad, 1);
	expect_inspected();
	finish();
	pki_free(&bad);
}

static void blocks_its_own_ca(void **state)
{
	gnutls_x509_crt_t made;
	struct pki fake = { .key = gw->mint.key[SS_MINT_ECDSA] };

	(void)state;
	job.profile.untrusted = SMTPSPLICE_TLS_ACTION_IGNORE;
	job.profile.validation_failure = SMTPSPLICE_TLS_ACTION_IGNORE;
	assert_int_equal(ss_mint_make(&gw->mint, leaf.crt, SS_CA_TRUSTED, SS_MINT_ECDSA,
				      &made), 0);
	fake.crt = made;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &fake, 1);
	expect_failed(SMTPSPLICE_TLS_CAUSE_OWN_CA, GNUTLS_A_BAD_CERTIFICATE);
	finish();
	gnutls_x509_crt_deinit(made);
}

static void expect_bypassed(enum smtpsplice_tls_cause why, size_t octets)
{
	uint8_t seen[40000];

	expect(SMTPSPLICE_TLS_RESULT_BYPASSED, why);
	/* All that the client has sent is there, and the server has seen nothing */
	if (octets)
		assert_int_equal(recv(gw_client, seen, sizeof(seen), MSG_DONTWAIT), octets);
	assert_int_equal(recv(server.fd, seen, sizeof(seen), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	/* And both are still connected */
	assert_int_equal(send(gw_client, "x", 1, 0), 1);
	assert_int_equal(send(gw_server, "x", 1, 0), 1);
}

/* How much the client has sent, before anybody has read it */
static size_t queued(void)
{
	static uint8_t seen[40000];
	ssize_t n;

	peer_step(&client);
	peer_wait(gw_client, POLLIN);
	n = recv(gw_client, seen, sizeof(seen), MSG_PEEK | MSG_DONTWAIT);
	assert_true(n > 0);
	return n;
}

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
	assert_false(ss_pair_step(pair, ss_process_now()));
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
	static uint8_t huge[SS_HELLO_RAW] = { 22, 3, 1, 0x40, 0, 1, 0, 0x40, 0 };

	(void)state;
	alien_row("EHLO client\r\n", 13, false);
	alien_row("\x80\x2e\1\0\2\0\x15\0\0\0\x10", 11, false);
	alien_row("\x16\3\1\0\4\2\0\0\0", 9, true);
	alien_row(huge, 9, true);
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
		assert_false(i < len - 1 && ss_pair_step(pair, ss_process_now()));
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

static void wants_a_name_if_strict(void **state)
{
	(void)state;
	job.profile.sni_check = SMTPSPLICE_SNI_CHECK_STRICT;
	start(PEER_PRIORITY, NULL, PEER_PRIORITY, &leaf, 1);
	expect_failed(SMTPSPLICE_TLS_CAUSE_SERVER_NAME, GNUTLS_A_UNRECOGNIZED_NAME);
	finish();
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	expect_inspected();
	finish();
}

static void ask_row(const char *priority, uint32_t what)
{
	job.profile.client_certificate = what;
	start(PEER_PRIORITY, PKI_HOST, priority, &leaf, 1);
	gnutls_certificate_server_set_request(server.session, GNUTLS_CERT_REQUEST);
}

static void minds_client_certificates(void **state)
{
	static const char *const priorities[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"
	};
	size_t octets;

	(void)state;
	for (int i = 0; i < 2; i++) {
		job.server_port = 1000 + i;
		ask_row(priorities[i], SMTPSPLICE_CLIENT_CERTIFICATE_BLOCK);
		expect_failed(SMTPSPLICE_TLS_CAUSE_CLIENT_CERTIFICATE,
			      GNUTLS_A_HANDSHAKE_FAILURE);
		finish();
		ask_row(priorities[i], SMTPSPLICE_CLIENT_CERTIFICATE_INSPECT);
		expect_inspected();
		finish();
		/* The one that finds it out ends, the next one is bypassed */
		ask_row(priorities[i], SMTPSPLICE_CLIENT_CERTIFICATE_BYPASS);
		expect_failed(SMTPSPLICE_TLS_CAUSE_CLIENT_CERTIFICATE,
			      GNUTLS_A_HANDSHAKE_FAILURE);
		finish();
		ask_row(priorities[i], SMTPSPLICE_CLIENT_CERTIFICATE_BYPASS);
		octets = queued();
		expect_bypassed(SMTPSPLICE_TLS_CAUSE_CLIENT_CERTIFICATE, octets);
		finish();
		/* Not for another server */
		job.server[3]++;
		start(PEER_PRIORITY, PKI_HOST, priorities[i], &leaf, 1);
		expect_inspected();
		finish();
	}
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
	peer_step(&client);
	assert_false(ss_pair_step(pair, ss_process_now()));
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
	assert_false(ss_pair_step(pair, ss_process_now()));
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
		assert_false(ss_pair_step(pair, ss_process_now()));
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
		assert_true(ss_pair_step(pair, ss_process_now()));
		result = *ss_pair_result(pair);
		ss_pair_close(pair);
		assert_int_equal(result.result, SMTPSPLICE_TLS_RESULT_FAILED);
		assert_int_equal(result.cause, SMTPSPLICE_TLS_CAUSE_SERVER);
		assert_int_equal(gnutls_record_recv(client.session, &octet, 1),
				 GNUTLS_E_FATAL_ALERT_RECEIVED);
		assert_int_equal(gnutls_alert_get(client.session), GNUTLS_A_HANDSHAKE_FAILURE);
		server.fd = -1;
		finish();
	}
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
	char name[32];

	(void)state;
	pki_leaf(&big, &root);
	for (int i = 0; i < 1000; i++) {
		int ret;

		snprintf(name, sizeof(name), "n%d.%s", i, PKI_HOST);
		ret = gnutls_x509_crt_set_subject_alt_name(big.crt, GNUTLS_SAN_DNSNAME, name,
							   strlen(name), GNUTLS_FSAN_APPEND);
		assert_int_equal(ret, 0);
	}
	assert_int_equal(gnutls_x509_crt_sign2(big.crt, root.crt, root.key,
					       GNUTLS_DIG_SHA256, 0), 0);
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &big, 1);
	peer_step(&client);
	peer_wait(gw_client, POLLIN);
	assert_false(ss_pair_step(pair, ss_process_now()));
	peer_wait(server.fd, POLLIN);
	while (unread(gw_server) < 20000 && ss_process_now() < end)
		peer_step(&server);
	assert_false(ss_pair_step(pair, ss_process_now()));
	assert_int_equal(unread(gw_server), 0);
	expect_inspected();
	finish();
	pki_free(&big);
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
	assert_true(ss_pair_step(pair, ss_process_now()));
	assert_int_equal(ss_pair_result(pair)->cause, SMTPSPLICE_TLS_CAUSE_SERVER);
	ss_pair_close(pair);
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
	assert_false(ss_pair_step(pair, ss_process_now()));
	assert_int_equal(send(server.fd, "500 5.5.1 what?\r\n", 17, 0), 17);
	expect_failed(SMTPSPLICE_TLS_CAUSE_NEGOTIATION, GNUTLS_A_HANDSHAKE_FAILURE);
	finish();
}

static void expire_row(int alert)
{
	assert_true(ss_pair_deadline(pair) <= ss_process_now() + job.timeout * 9 / 10 + 1);
	ss_pair_expire(pair);
	expect_failed(SMTPSPLICE_TLS_CAUSE_TIMEOUT, alert);
	finish();
}

static void has_a_deadline(void **state)
{
	(void)state;
	job.timeout = 4000;
	/* A silent client, a silent server, a client that stops half way */
	start(NULL, NULL, NULL, NULL, 0);
	assert_false(ss_pair_step(pair, ss_process_now()));
	expire_row(-1);
	start(PEER_PRIORITY, PKI_HOST, NULL, NULL, 0);
	(void)queued();
	assert_false(ss_pair_step(pair, ss_process_now()));
	expire_row(GNUTLS_A_INTERNAL_ERROR);
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	(void)queued();
	while (!server.done) {
		peer_step(&server);
		assert_false(ss_pair_step(pair, ss_process_now()));
	}
	expire_row(-1);
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

static void shows_what_it_was_given(void **state)
{
	struct pki given;
	char *crt, *key;
	const gnutls_datum_t *sent;
	unsigned int count;
	gnutls_datum_t der;

	(void)state;
	job.profile.cert_mode = SMTPSPLICE_CERT_MODE_REPLACE;
	strcpy(job.profile.cert, "mx");
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
	expect_failed(SMTPSPLICE_TLS_CAUSE_HELPER, GNUTLS_A_INTERNAL_ERROR);
	finish();
	pki_make(&given, &(struct pki_spec){ .pk = GNUTLS_PK_RSA }, &root);
	crt = pki_file(dir, "mx.pem", &given, false);
	key = pki_file(dir, "mx.key", &given, true);
	for (int i = 0; i < 2; i++) {
		start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &leaf, 1);
		expect_inspected();
		sent = gnutls_certificate_get_peers(client.session, &count);
		gnutls_x509_crt_export2(given.crt, GNUTLS_X509_FMT_DER, &der);
		assert_int_equal(sent[0].size, der.size);
		assert_memory_equal(sent[0].data, der.data, der.size);
		gnutls_free(der.data);
		finish();
	}
	/* Names that lead elsewhere */
	strcpy(job.profile.cert, "../certs/mx");
	assert_null(ss_mint_replace(&gw->mint, job.profile.cert));
	assert_null(ss_mint_replace(&gw->mint, ".mx"));
	assert_null(ss_mint_replace(&gw->mint, ""));
	free(crt);
	free(key);
	pki_free(&given);
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

	(void)state;
	for (int i = 0; i < 2; i++) {
		start(PEER_PRIORITY, PKI_HOST, priorities[i], &leaf, 1);
		assert_int_equal(gnutls_record_set_max_recv_size(server.session, 1024), 0);
		expect_failed(SMTPSPLICE_TLS_CAUSE_NEGOTIATION, -1);
		finish();
	}
}

static void a_client_that_trusts_nobody(void **state)
{
	(void)state;
	start("NORMAL:-VERS-ALL:+VERS-TLS1.3", PKI_HOST, PEER_PRIORITY, &leaf, 1);
	gnutls_session_set_verify_cert(client.session, PKI_HOST, 0);
	expect_failed(SMTPSPLICE_TLS_CAUSE_CLIENT, -1);
	assert_non_null(strstr(result.text, "alert"));
	finish();
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
		ss_pair_step(pair, ss_process_now());
		finish();
	}
	assert_int_equal(gw->mint.cache.count, 1);
}

static int setup(void **state)
{
	char err[512];

	(void)state;
	fake_ktls_reset();
	gw = ss_gateway_new(&conf, err, sizeof(err));
	if (!gw)
		print_message("# %s\n", err);
	memset(&job, 0, sizeof(job));
	job.cookie = 42;
	job.timeout = 60000;
	job.server_size = 4;
	memcpy(job.server, "\x0a\0\2\2", 4);
	job.server_port = 25;
	ss_profile_default(&job.profile);
	return gw ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ss_gateway_free(gw);
	return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(passes_on_the_name),
		T(knows_each_suite),
		T(never_above_the_server),
		T(shows_the_right_certificate),
		T(acts_by_the_profile),
		T(blocks_its_own_ca),
		T(bypasses_what_is_exempt),
		T(knows_what_it_cannot),
		T(knows_what_is_no_tls),
		T(takes_single_octets),
		T(wants_smtp),
		T(wants_a_name_if_strict),
		T(minds_client_certificates),
		T(ends_with_its_peers),
		T(tells_of_a_server_that_left),
		T(takes_all_there_is),
		T(hears_alerts_in_plain_text),
		T(does_not_reset),
		T(minds_a_server_that_speaks_first),
		T(has_a_deadline),
		T(is_all_or_nothing),
		T(shows_what_it_was_given),
		T(makes_no_short_records),
		T(minds_short_records_of_servers),
		T(a_client_that_trusts_nobody),
		T(leaks_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
