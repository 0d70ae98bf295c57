// SPDX-License-Identifier: GPL-2.0
/*
 * What a pair of handshakes makes of certificates: of the server's, of the one that
 * a client is asked for, and of what the client is shown.
 */
#include "session.h"

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

static void a_client_that_trusts_nobody(void **state)
{
	(void)state;
	start("NORMAL:-VERS-ALL:+VERS-TLS1.3", PKI_HOST, PEER_PRIORITY, &leaf, 1);
	gnutls_session_set_verify_cert(client.session, PKI_HOST, 0);
	expect_failed(SMTPSPLICE_TLS_CAUSE_CLIENT, -1);
	assert_non_null(strstr(result.text, "alert"));
	finish();
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(shows_the_right_certificate),
		T(acts_by_the_profile),
		T(blocks_its_own_ca),
		T(wants_a_name_if_strict),
		T(minds_client_certificates),
		T(shows_what_it_was_given),
		T(a_client_that_trusts_nobody),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
