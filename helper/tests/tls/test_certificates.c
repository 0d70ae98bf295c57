// SPDX-License-Identifier: GPL-2.0
/*
 * What a pair of handshakes makes of certificates: of the server's, of the one that
 * a client is asked for, and of what the client is shown.
 */
#include "tests/support/session.h"

#include "lib/cleanup.h"
#include "lib/process.h"
#include "tests/support/fake_ktls.h"
#include "tls/chain.h"
#include "tls/dh.h"

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

static void ignore_all(void)
{
	job.profile.expired = SMTPSPLICE_TLS_ACTION_IGNORE;
	job.profile.revoked = SMTPSPLICE_TLS_ACTION_IGNORE;
	job.profile.untrusted = SMTPSPLICE_TLS_ACTION_IGNORE;
	job.profile.validation_timeout = SMTPSPLICE_TLS_ACTION_IGNORE;
	job.profile.validation_failure = SMTPSPLICE_TLS_ACTION_IGNORE;
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
	pki_make(&bad, &(struct pki_spec){ .purpose = GNUTLS_KP_TLS_WWW_CLIENT }, &root);
	certificate_row(&bad, 1, &job.profile.validation_failure,
			SMTPSPLICE_TLS_CAUSE_VALIDATION_FAILURE, GNUTLS_A_BAD_CERTIFICATE);
	pki_free(&bad);
}

/*
 * As FortiOS has it: by default the session goes on, under the name that the
 * certificate has; "strict" ends it; "disable" does not even look. What is wrong
 * besides has its own option in each of them.
 */
static void compares_names(void **state)
{
	static const struct {
		uint32_t check;
		const char *dn, *told;	/* what is told of a server that goes on */
	} rows[] = {
		{ SMTPSPLICE_SNI_CHECK_ENABLE, "CN=other.example.com", "other.example.com" },
		{ SMTPSPLICE_SNI_CHECK_ENABLE, "CN=\xc3\xa4", "\xc3\xa4" },
		{ SMTPSPLICE_SNI_CHECK_ENABLE, "CN=a\x1b[31m\x7f\xc2\x9b", "a?[31m??" },
		{ SMTPSPLICE_SNI_CHECK_ENABLE, "O=x", PKI_HOST },
		{ SMTPSPLICE_SNI_CHECK_DISABLE, "CN=other.example.com", PKI_HOST },
		{ SMTPSPLICE_SNI_CHECK_STRICT, "CN=other.example.com", NULL },
	};
	struct ss_tls_profile profile;

	(void)state;
	ss_tls_profile_default(&profile);
	assert_int_equal(profile.sni_check, SMTPSPLICE_SNI_CHECK_ENABLE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pki_spec spec = { .host = "other.example.com", .dn = rows[i].dn };
		struct pki other = {};

		pki_make(&other, &spec, &root);
		job.profile = profile;
		job.profile.sni_check = rows[i].check;
		start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &other, 1);
		if (rows[i].told) {
			expect_inspected();
			assert_int_equal(shown_ca(), SS_CA_TRUSTED);
			assert_string_equal(result.server_name, rows[i].told);
		} else {
			ignore_all();
			expect_failed(SMTPSPLICE_TLS_CAUSE_SERVER_NAME,
				      GNUTLS_A_BAD_CERTIFICATE);
		}
		finish();
		/* The name of a server that has it is told as it was asked for */
		start(PEER_PRIORITY, "OTHER.example.com", PEER_PRIORITY, &other, 1);
		expect_inspected();
		assert_string_equal(result.server_name, "OTHER.example.com");
		finish();
		pki_free(&other);
		spec.from = -9 * PKI_DAY;
		spec.to = -PKI_DAY;
		pki_make(&other, &spec, &root);
		job.profile = profile;
		job.profile.sni_check = rows[i].check;
		start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &other, 1);
		expect_failed(SMTPSPLICE_TLS_CAUSE_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED);
		finish();
		pki_free(&other);
	}
}

/* One that the gateway has made, with its key, which stays the gateway's */
static struct pki make_own(void)
{
	struct pki own = { .key = gw->mint.key[SS_MINT_ECDSA] };

	assert_int_equal(ss_mint_make(&gw->mint, leaf.crt, SS_CA_TRUSTED, SS_MINT_ECDSA,
				      &own.crt), 0);
	return own;
}

static void blocks_its_own_ca(void **state)
{
	struct pki own = make_own();

	(void)state;
	ignore_all();
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &own, 1);
	expect_failed(SMTPSPLICE_TLS_CAUSE_OWN_CA, GNUTLS_A_BAD_CERTIFICATE);
	finish();
	gnutls_x509_crt_deinit(own.crt);
}

/* It is another CA by then; the one before is like that of anybody */
static void blocks_its_own_ca_read_anew(void **state)
{
	struct pki old = make_own(), own = {};
	struct ss_conf other = conf;
	char *ca_dir, err[512];

	(void)state;
	ignore_all();
	assert_true(asprintf(&ca_dir, "%s/other-ca", dir) > 0);
	assert_int_equal(ss_ca_create(ca_dir, &(struct ss_ca_names){ .subject = "CN=other" }, err,
				      sizeof(err)), 0);
	other.ca_dir = ca_dir;
	assert_int_equal(ss_tls_context_reload(gw, &other, err, sizeof(err)), 0);
	own = make_own();
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &own, 1);
	expect_failed(SMTPSPLICE_TLS_CAUSE_OWN_CA, GNUTLS_A_BAD_CERTIFICATE);
	finish();
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &old, 1);
	expect_inspected();
	finish();
	gnutls_x509_crt_deinit(own.crt);
	gnutls_x509_crt_deinit(old.crt);
	free(ca_dir);
}

static int give_staple(gnutls_session_t session, void *arg, gnutls_datum_t *staple)
{
	const gnutls_datum_t *given = arg;

	(void)session;
	/* GnuTLS frees it */
	staple->data = gnutls_malloc(given->size);
	staple->size = given->size;
	if (!staple->data)
		return GNUTLS_E_MEMORY_ERROR;
	memcpy(staple->data, given->data, given->size);
	return 0;
}

/* A server with a certificate that is good for nothing without a response */
static void start_stapled(const char *priority, const struct pki *must, gnutls_datum_t *staple)
{
	start(PEER_PRIORITY, PKI_HOST, priority, must, 1);
	gnutls_certificate_set_ocsp_status_request_function(server.cred, give_staple, staple);
}

static void looks_at_what_is_stapled(void **state)
{
	static const char *const priorities[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"
	};
	gnutls_datum_t good, revoked;
	struct pki must = {};

	(void)state;
	pki_make(&must, &(struct pki_spec){ .must_staple = true }, &root);
	good = pki_staple(dir, &must, &root, &root, "V");
	revoked = pki_staple(dir, &must, &root, &root, "R");
	job.profile.revoked = SMTPSPLICE_TLS_ACTION_BLOCK;
	job.profile.validation_failure = SMTPSPLICE_TLS_ACTION_BLOCK;
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
		start_stapled(priorities[i], &must, &good);
		expect_inspected();
		finish();
		start_stapled(priorities[i], &must, &revoked);
		expect_failed(SMTPSPLICE_TLS_CAUSE_REVOKED, GNUTLS_A_CERTIFICATE_REVOKED);
		finish();
		start(PEER_PRIORITY, PKI_HOST, priorities[i], &must, 1);
		expect_failed(SMTPSPLICE_TLS_CAUSE_VALIDATION_FAILURE, GNUTLS_A_BAD_CERTIFICATE);
		assert_string_equal(result.text,
				    "server's certificate: its OCSP response is missing");
		finish();
	}
	gnutls_free(good.data);
	gnutls_free(revoked.data);
	pki_free(&must);
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

/* Another port, address or name is another server, which may do without */
static void remembers_which_server_asks(void **state)
{
	static const uint16_t ports[] = { 0, 24, 26, 25 + 256, 25 << 8 };
	static struct ss_mtls_servers askers;
	struct ss_job other = job;

	(void)state;
	ss_mtls_servers_add(&askers, &job, PKI_HOST, 1);
	assert_true(ss_mtls_servers_has(&askers, &job, "MX.example.com", SS_MTLS_SERVERS_MS));
	assert_false(ss_mtls_servers_has(&askers, &job, PKI_HOST, 1 + SS_MTLS_SERVERS_MS));
	assert_false(ss_mtls_servers_has(&askers, &job, "mx2.example.com", 1));
	assert_false(ss_mtls_servers_has(&askers, &job, "", 1));
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		other.server_port = ports[i];
		assert_false(ss_mtls_servers_has(&askers, &other, PKI_HOST, 1));
	}
	other = job;
	for (int i = 0; i < job.server_size; i++) {
		other.server[i] ^= 1;
		assert_false(ss_mtls_servers_has(&askers, &other, PKI_HOST, 1));
		other.server[i] ^= 1;
	}
	/* One of IPv6 that begins like it */
	other.server_size = 16;
	assert_false(ss_mtls_servers_has(&askers, &other, PKI_HOST, 1));
}

/* It says so behind the handshake, and may leave its side of the connection open */
static void test_M5_needs_a_certificate(void **state)
{
	static const char *const priorities[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"
	};

	(void)state;
	assert_int_equal(job.profile.client_certificate, SMTPSPLICE_CLIENT_CERTIFICATE_INSPECT);
	for (int i = 0; i < 4; i++) {
		start(PEER_PRIORITY, PKI_HOST, priorities[i % 2], &leaf, 1);
		gnutls_certificate_server_set_request(server.session, GNUTLS_CERT_REQUIRE);
		expect_failed(SMTPSPLICE_TLS_CAUSE_CLIENT_CERTIFICATE, -1);
		assert_string_equal(result.text,
				    "server: does not go on without the client's certificate");
		assert_false(ss_mtls_servers_has(&gw->mtls_servers, &job, PKI_HOST,
						 ss_process_now()));
		assert_false(ss_mtls_servers_has(&gw->mtls_optional, &job, PKI_HOST,
						 ss_process_now()));
		finish();
	}
}

/* A server whose handshake fails for something else has asked in vain */
static void test_M5_fails_for_another_reason(void **state)
{
	struct pki other, stolen;

	(void)state;
	pki_leaf(&other, &root);
	stolen = (struct pki){ .crt = leaf.crt, .key = other.key };
	start(PEER_PRIORITY, PKI_HOST, "NORMAL:-VERS-ALL:+VERS-TLS1.3", &stolen, 1);
	gnutls_certificate_server_set_request(server.session, GNUTLS_CERT_REQUIRE);
	expect_failed(SMTPSPLICE_TLS_CAUSE_NEGOTIATION, -1);
	assert_string_equal(result.text, "server: Public key signature verification has failed.");
	finish();
	pki_free(&other);
}

/* A server that only asks is waited for once, and what it says is left in its socket */
static void test_M5_does_without_a_certificate(void **state)
{
	static const char *const hosts[] = { PKI_HOST, "mx2.example.com" };
	uint8_t record[64], type;
	char text[64];
	size_t len;

	(void)state;
	job.profile.sni_check = SMTPSPLICE_SNI_CHECK_DISABLE;
	for (int i = 0; i < 4; i++) {
		const char *host = hosts[i / 2];

		start(PEER_PRIORITY, host, "NORMAL:-VERS-ALL:+VERS-TLS1.3", &leaf, 1);
		gnutls_certificate_server_set_request(server.session, GNUTLS_CERT_REQUEST);
		server.first = i / 2 ? "220 x\r\n" : NULL;
		assert_int_equal(ss_mtls_servers_has(&gw->mtls_optional, &job, host,
						     ss_process_now()), i % 2);
		expect_inspected();
		assert_true(ss_mtls_servers_has(&gw->mtls_optional, &job, host,
						ss_process_now()));
		if (server.first) {
			len = peer_read_record(gw_server, record, sizeof(record));
			len = fake_ktls_open(&fake_ktls_find(gw_server)->keys[1], record, len,
					     &type, text);
			assert_int_equal(len, 7);
			assert_memory_equal(text, server.first, 7);
		}
		finish();
	}
	/* One that does not ask is not waited for, nor is one of TLS 1.2 */
	for (int i = 0; i < 2; i++) {
		job.server_port = 2000;
		start(PEER_PRIORITY, PKI_HOST, i ? "NORMAL:-VERS-ALL:+VERS-TLS1.2" : "NORMAL",
		      &leaf, 1);
		if (i)
			gnutls_certificate_server_set_request(server.session,
							      GNUTLS_CERT_REQUEST);
		expect_inspected();
		assert_false(ss_mtls_servers_has(&gw->mtls_optional, &job, PKI_HOST,
						 ss_process_now()));
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

/* No profile lets it pass; with both versions, which verify at different times */
static void refused_row(const struct pki *chain, unsigned int count, const char *text)
{
	static const char *const priorities[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"
	};

	ignore_all();
	for (int i = 0; i < 2; i++) {
		start(PEER_PRIORITY, PKI_HOST, priorities[i], chain, count);
		expect_failed(SMTPSPLICE_TLS_CAUSE_VALIDATION_FAILURE,
			      GNUTLS_A_BAD_CERTIFICATE);
		assert_string_equal(result.text, text);
		finish();
	}
}

/*
 * A key that takes seconds to verify a signature is not used for one: not the leaf's,
 * by which GnuTLS verifies the handshake, nor one behind it. A signature that was
 * verified would be found to be wrong, in other words.
 */
static void test_N4_large_keys(void **state)
{
	static const struct {
		unsigned int modulus, exponent;
	} keys[] = { { 16384, 16375 }, { 32768, 32759 }, { 2048, 2047 }, { 16384, 17 } };
	static const char text[] = "server's certificate: a key in its chain is too large";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct pki_spec spec = { .modulus = keys[i].modulus,
					 .exponent = keys[i].exponent };
		struct pki chain[3] = {};

		pki_make(&chain[0], &spec, &root);
		refused_row(chain, 1, text);
		pki_free(&chain[0]);
		/* A CA of the root, one of nobody, and one that nothing is of */
		spec.dn = "CN=large";
		spec.ca = true;
		for (int self = 0; self < 2; self++) {
			pki_make(&chain[1], &spec, self ? NULL : &root);
			pki_leaf(&chain[0], &chain[1]);
			refused_row(chain, 2, text);
			refused_row((struct pki[]){ leaf, root, chain[1] }, 3, text);
			pki_free(&chain[0]);
			pki_free(&chain[1]);
		}
	}
}

static void test_N4_long_chains(void **state)
{
	struct pki many[100], names = {}, rdns = {};
	gnutls_datum_t der;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = i ? root : leaf;
	refused_row(many, 100, "server's certificate: there are too many in its chain");
	refused_row(many, SS_CHAIN_MAX + 1,
		    "server's certificate: there are too many in its chain");
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, many, SS_CHAIN_MAX);
	expect_inspected();
	finish();
	pki_make(&rdns, &(struct pki_spec){}, &root);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(gnutls_x509_crt_set_dn_by_oid(rdns.crt,
			GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, 0, "x", 1), 0);
	assert_int_equal(gnutls_x509_crt_sign2(rdns.crt, root.crt, root.key,
					       GNUTLS_DIG_SHA256, 0), 0);
	refused_row(&rdns, 1, "server's certificate: its chain takes too long to read");
	pki_free(&rdns);
	pki_make(&names, &(struct pki_spec){ .names = 10241 }, &root);
	refused_row(&names, 1, "server's certificate: its chain takes too long to read");
	pki_free(&names);
	/* As many as there have been seen; the client gets all of them */
	pki_make(&names, &(struct pki_spec){ .names = 10000 }, &root);
	job.profile.sni_check = SMTPSPLICE_SNI_CHECK_DISABLE;
	start(PEER_PRIORITY, PKI_HOST, PEER_PRIORITY, &names, 1);
	expect_inspected();
	assert_int_equal(gnutls_x509_crt_export2(names.crt, GNUTLS_X509_FMT_DER, &der), 0);
	assert_true(gnutls_certificate_get_peers(client.session, &(unsigned int){ 0 })->size >
		    der.size * 9 / 10);
	gnutls_free(der.data);
	finish();
	pki_free(&names);
}

/* Diffie-Hellman in a group that is long and has no name would take GnuTLS seconds */
static void test_N4_long_groups(void **state)
{
	static const unsigned int sizes[] = { 256, 512, 513, 768, 1024, 2047, 65000 };
	static uint8_t message[2 + 65000 + 100];
	const gnutls_datum_t *known = &gnutls_ffdhe_8192_group_prime;
	const gnutls_datum_t ske = { message, sizeof(message) };
	struct pki rsa = {};

	(void)state;
	pki_make(&rsa, &(struct pki_spec){ .pk = GNUTLS_PK_RSA }, &root);
	start(PEER_PRIORITY, PKI_HOST, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA"
	      ":-GROUP-ALL:+GROUP-FFDHE8192", &rsa, 1);
	expect_inspected();
	assert_int_equal(gnutls_kx_get(server.session), GNUTLS_KX_DHE_RSA);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(message, 0xff, sizeof(message));
		message[0] = sizes[i] >> 8;
		message[1] = sizes[i];
		assert_int_equal(ss_dh_is_bounded(server.session, &ske), sizes[i] <= 512);
	}
	message[0] = known->size >> 8;
	message[1] = known->size;
	memcpy(message + 2, known->data, known->size);
	assert_true(ss_dh_is_bounded(server.session, &ske));
	message[100] ^= 1;
	assert_false(ss_dh_is_bounded(server.session, &ske));
	finish();
	pki_free(&rsa);
	/* Of another key exchange it is something else that is so long */
	start(PEER_PRIORITY, PKI_HOST, "NORMAL:-VERS-ALL:+VERS-TLS1.2", &leaf, 1);
	expect_inspected();
	assert_true(ss_dh_is_bounded(server.session, &ske));
	finish();
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(shows_the_right_certificate),
		T(acts_by_the_profile),
		T(compares_names),
		T(blocks_its_own_ca),
		T(blocks_its_own_ca_read_anew),
		T(looks_at_what_is_stapled),
		T(wants_a_name_if_strict),
		T(minds_client_certificates),
		T(remembers_which_server_asks),
		T(test_M5_needs_a_certificate),
		T(test_M5_fails_for_another_reason),
		T(test_M5_does_without_a_certificate),
		T(shows_what_it_was_given),
		T(a_client_that_trusts_nobody),
		T(test_N4_large_keys),
		T(test_N4_long_chains),
		T(test_N4_long_groups),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
