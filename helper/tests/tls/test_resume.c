// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions that a client would like to resume: it gets no tickets from the gateway,
 * and those of the server, from when there was no gateway in between, are worth
 * nothing to it.
 */
#include "tests/support/unit.h"

#include <poll.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "tests/support/fake_ktls.h"
#include "tests/support/peer.h"
#include "tls/intercept.h"

static char *dir, *ca_dir, *trust;
static struct ss_ca own;
static struct ss_tls_context *gw;
static struct pki root, leaf;
static struct ss_job job;
static gnutls_datum_t ticket_key;

static struct peer client, server;

/* The gateway between the two, or nothing */
static void shake_hands(struct ss_intercept *pair)
{
	uint64_t end = ss_process_now() + 60000;
	bool done = !pair;

	while (!(client.done && server.done && done) && ss_process_now() < end) {
		struct pollfd fds[] = {
			{ .fd = client.fd, .events = POLLIN },
			{ .fd = server.fd, .events = POLLIN },
		};

		peer_step(&client);
		peer_step(&server);
		if (!done)
			done = ss_intercept_step(pair, ss_process_now());
		poll(fds, 2, 1);
	}
	assert_true(client.done && server.done && done);
}

static void start(const char *priority, int client_fd, int server_fd,
		  const gnutls_datum_t *session)
{
	peer_client(&client, client_fd, priority, PKI_HOST);
	if (session)
		assert_int_equal(gnutls_session_set_data(client.session, session->data,
							 session->size), 0);
	peer_server(&server, server_fd, priority, &leaf, 1);
	assert_int_equal(gnutls_session_ticket_enable_server(server.session, &ticket_key), 0);
}

static void finish(void)
{
	peer_free(&client);
	peer_free(&server);
}

static bool has_ticket(void)
{
	return gnutls_session_get_flags(client.session) & GNUTLS_SFLAGS_SESSION_TICKET;
}

/* Return: the session, for the next one; to be freed. */
static gnutls_datum_t go_direct(const char *priority, const gnutls_datum_t *session)
{
	gnutls_datum_t data;
	char text[16];
	int fds[2];

	peer_connect(fds);
	start(priority, fds[0], fds[1], session);
	shake_hands(NULL);
	/* Tickets of TLS 1.3 come ahead of that */
	peer_send(&server, "220 server\r\n");
	assert_int_equal(peer_receive(&client, text, sizeof(text)), 12);
	assert_int_equal(gnutls_session_is_resumed(client.session), !!session);
	/* TLS 1.2 gives no other one for one that was taken */
	assert_true(session || has_ticket());
	assert_int_equal(gnutls_session_get_data2(client.session, &data), 0);
	finish();
	return data;
}

static void expect_our_certificate(void)
{
	unsigned int count = 0;
	const gnutls_datum_t *sent = gnutls_certificate_get_peers(client.session, &count);
	gnutls_datum_t der;

	assert_int_equal(count, 2);
	assert_int_equal(gnutls_x509_crt_export2(own.crt[SS_CA_TRUSTED], GNUTLS_X509_FMT_DER,
						 &der), 0);
	assert_int_equal(sent[1].size, der.size);
	assert_memory_equal(sent[1].data, der.data, der.size);
	gnutls_free(der.data);
}

static void go_through(const char *priority, const gnutls_datum_t *session)
{
	int client_fds[2], server_fds[2];
	struct ss_intercept *pair;
	char text[16];

	peer_connect(client_fds);
	peer_connect(server_fds);
	start(priority, client_fds[0], server_fds[1], session);
	pair = ss_intercept_new(gw, &job, (int[]){ client_fds[1], server_fds[0] },
				ss_process_now());
	assert_non_null(pair);
	shake_hands(pair);
	assert_int_equal(ss_intercept_result(pair)->result, SMTPSPLICE_TLS_RESULT_INSPECTED);
	ss_intercept_close(pair);
	/* Whatever came behind the handshake has been read by then */
	assert_int_equal(peer_receive(&client, text, sizeof(text)),
			 GNUTLS_E_PREMATURE_TERMINATION);
	assert_false(has_ticket());
	assert_false(gnutls_session_is_resumed(client.session));
	assert_false(gnutls_session_is_resumed(server.session));
	expect_our_certificate();
	ss_intercept_free(pair);
	finish();
}

static void run(const char *priority)
{
	gnutls_datum_t first = go_direct(priority, NULL), second;

	second = go_direct(priority, &first);
	go_through(priority, NULL);
	go_through(priority, &second);
	gnutls_free(first.data);
	gnutls_free(second.data);
}

static void resumes_nothing_of_tls13(void **state)
{
	(void)state;
	run("NORMAL:-VERS-ALL:+VERS-TLS1.3");
}

static void resumes_nothing_of_tls12(void **state)
{
	(void)state;
	run("NORMAL:-VERS-ALL:+VERS-TLS1.2");
}

static int setup(void **state)
{
	struct ss_conf conf = {};
	char err[512];

	(void)state;
	fake_ktls_reset();
	dir = pki_folder(&own);
	assert_true(asprintf(&ca_dir, "%s/ca", dir) > 0);
	pki_root(&root, "CN=test root");
	pki_leaf(&leaf, &root);
	trust = pki_file(dir, "root.pem", &root, false);
	conf.ca_dir = ca_dir;
	conf.cert_dir = dir;
	conf.trust = trust;
	gw = ss_tls_context_new(&conf, err, sizeof(err));
	job = (struct ss_job){ .cookie = 42, .timeout = 60000 };
	ss_tls_profile_default(&job.profile);
	return gw && !gnutls_session_ticket_key_generate(&ticket_key) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ss_tls_context_free(gw);
	ss_ca_free(&own);
	ss_process_remove_tree(dir);
	pki_free(&root);
	pki_free(&leaf);
	gnutls_free(ticket_key.data);
	free(trust);
	free(ca_dir);
	free(dir);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(resumes_nothing_of_tls13),
		cmocka_unit_test(resumes_nothing_of_tls12),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
