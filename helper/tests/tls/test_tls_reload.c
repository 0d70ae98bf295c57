// SPDX-License-Identifier: GPL-2.0
/*
 * The tls process reads anew, at a SIGHUP, whom it trusts and what it signs with.
 */
#include "tests/support/tls_process.h"

#include <stdio.h>
#include <unistd.h>

#include "common/ca.h"
#include "lib/process.h"

#define MANY	50

static void N6_reads_trust_and_lists_anew(void **state)
{
	static const char done[] = "smtpspliced: reloaded: CAs and revocation lists";
	char *said, *line, *good, *crl, *old, *other_path, *list, *half;
	struct ss_conf before = conf;
	struct pki other;
	int lines = 0;

	(void)state;
	assert_true(asprintf(&said, "%s/said", dir) > 0);
	pki_root(&other, "CN=another root");
	good = read_text(conf.trust);
	other_path = pki_file(dir, "other.pem", &other, false);
	old = read_text(other_path);
	crl = pki_crl(dir, &root, NULL, -PKI_DAY);
	conf.crl = crl;
	write_text(conf.trust, old);
	strict = true;
	start_heard(said);
	expect_cause(SMTPSPLICE_TLS_CAUSE_UNTRUSTED);
	/* Who is trusted now; the list is out of date */
	write_text(conf.trust, good);
	hang_up();
	line = wait_line(said, ++lines);
	assert_string_equal(line, done);
	free(line);
	expect_cause(SMTPSPLICE_TLS_CAUSE_VALIDATION_TIMEOUT);
	free(pki_crl(dir, &root, NULL, PKI_DAY));
	hang_up();
	free(wait_line(said, ++lines));
	expect_cause(SMTPSPLICE_TLS_CAUSE_NONE);
	free(pki_crl(dir, &root, &leaf, PKI_DAY));
	hang_up();
	free(wait_line(said, ++lines));
	expect_cause(SMTPSPLICE_TLS_CAUSE_REVOKED);
	/* No trust goes with a list that is none, nor the other way round */
	write_text(conf.trust, old);
	write_text(crl, "-----BEGIN X509 CRL-----\ngarbage\n");
	hang_up();
	line = wait_line(said, ++lines);
	assert_non_null(strstr(line, "reload failed"));
	assert_non_null(strstr(line, crl));
	free(line);
	expect_cause(SMTPSPLICE_TLS_CAUSE_REVOKED);
	/* Half of it is not there yet: the first list alone would not do */
	free(pki_crl(dir, &root, NULL, PKI_DAY));
	list = read_text(crl);
	assert_true(asprintf(&half, "%s%.*s", list, (int)strlen(list) - 100, list) > 0);
	write_text(crl, half);
	hang_up();
	line = wait_line(said, ++lines);
	assert_non_null(strstr(line, crl));
	free(line);
	free(half);
	write_text(crl, list);
	free(list);
	assert_true(asprintf(&half, "%s%.*s", good, (int)strlen(good) - 100, good) > 0);
	for (int i = 0; i < 4; i++) {
		const char *const texts[] = {
			"", "garbage\n", "-----BEGIN CERTIFICATE-----\nMIIB\n", half,
		};

		write_text(conf.trust, texts[i]);
		hang_up();
		line = wait_line(said, ++lines);
		assert_non_null(strstr(line, "reload failed"));
		assert_non_null(strstr(line, conf.trust));
		free(line);
		expect_cause(SMTPSPLICE_TLS_CAUSE_REVOKED);
	}
	free(half);
	assert_int_equal(unlink(conf.trust), 0);
	hang_up();
	line = wait_line(said, ++lines);
	assert_non_null(strstr(line, conf.trust));
	free(line);
	expect_cause(SMTPSPLICE_TLS_CAUSE_REVOKED);
	/* What is whole again is read */
	write_text(conf.trust, good);
	hang_up();
	line = wait_line(said, ++lines);
	assert_string_equal(line, done);
	free(line);
	expect_cause(SMTPSPLICE_TLS_CAUSE_NONE);
	assert_int_equal(end(), SS_EXIT_AGAIN);
	conf = before;
	strict = false;
	pki_free(&other);
	free(other_path);
	free(said);
	free(good);
	free(crl);
	free(old);
}

/* Is a client shown a certificate that the CA in this folder has signed? */
static bool is_signed_by(const char *ca_dir)
{
	const gnutls_datum_t *shown;
	gnutls_x509_crt_t crt;
	struct ss_ca ca = {};
	unsigned int status;
	char err[512];
	struct session s;

	begin(&s, 1, NULL, NULL);
	serve(&s, 1);
	assert_int_equal(s.result.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
	shown = gnutls_certificate_get_peers(s.client.session, &(unsigned int){ 0 });
	assert_non_null(shown);
	assert_int_equal(ss_ca_load(&ca, ca_dir, err, sizeof(err)), 0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, shown, GNUTLS_X509_FMT_DER), 0);
	assert_int_equal(gnutls_x509_crt_verify(crt, &ca.crt[SS_CA_TRUSTED], 1, 0, &status), 0);
	gnutls_x509_crt_deinit(crt);
	ss_ca_free(&ca);
	finish(&s);
	return !status;
}

/* What was signed by the CA before is not shown any more */
static void N6_reads_its_ca_anew(void **state)
{
	char *said, *old, *line, err[512];

	(void)state;
	assert_true(asprintf(&said, "%s/said", dir) > 0);
	assert_true(asprintf(&old, "%s/old-ca", dir) > 0);
	start_heard(said);
	assert_true(is_signed_by(conf.ca_dir));
	assert_int_equal(rename(conf.ca_dir, old), 0);
	hang_up();
	line = wait_line(said, 1);
	assert_non_null(strstr(line, "reload failed"));
	free(line);
	assert_true(is_signed_by(old));
	assert_int_equal(ss_ca_create(conf.ca_dir, &(struct ss_ca_names){}, err, sizeof(err)), 0);
	assert_false(is_signed_by(conf.ca_dir));
	hang_up();
	free(wait_line(said, 2));
	assert_true(is_signed_by(conf.ca_dir));
	assert_int_equal(end(), SS_EXIT_AGAIN);
	free(said);
	free(old);
}

/* Handshakes that are under way when all is read anew are not lost */
static void N6_goes_on_with_handshakes(void **state)
{
	static struct session s[MANY];
	char *said;

	(void)state;
	assert_true(asprintf(&said, "%s/said", dir) > 0);
	start_heard(said);
	/* Before it is there, a SIGHUP would end it */
	expect_cause(SMTPSPLICE_TLS_CAUSE_NONE);
	for (int i = 0; i < MANY; i++)
		begin(&s[i], i + 1, NULL, NULL);
	for (int i = 0; i < 5; i++) {
		for (int n = 0; n < MANY; n++) {
			if (n % 2 == 0)
				peer_step(&s[n].client);
			if (n % 4 == 0)
				peer_step(&s[n].server);
		}
		hang_up();
		free(wait_line(said, i + 1));
	}
	serve(s, MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(s[i].result.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
		finish(&s[i]);
	}
	assert_int_equal(end(), SS_EXIT_AGAIN);
	free(said);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(N6_reads_trust_and_lists_anew),
		T(N6_reads_its_ca_anew),
		T(N6_goes_on_with_handshakes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
