// SPDX-License-Identifier: GPL-2.0
/*
 * Checks chains of certificates.
 */
#include "tests/support/verify.h"

#include "lib/process.h"

char *dir, *trust;
struct ss_ca own;
struct ss_verify verify;
struct pki root, inter;
struct ss_verify_result last;

void check_with(const struct ss_verify *v, const struct pki *chain, unsigned int count,
		const gnutls_datum_t *staple, const char *name, uint32_t want)
{
	gnutls_x509_crt_t crts[32];
	struct ss_verify_result r;

	for (unsigned int i = 0; i < count; i++)
		crts[i] = chain[i].crt;
	ss_verify_chain(v, crts, count, staple, name, &r);
	if (r.failed != want)
		print_message("# failed %#x, not %#x (%s)\n", r.failed, want, r.detail ?: "");
	assert_int_equal(r.failed, want);
	assert_int_equal(!!r.detail, !!(want & B(VALIDATION_FAILURE)));
	last = r;
}

void check(const struct pki *chain, unsigned int count, uint32_t want)
{
	check_with(&verify, chain, count, NULL, PKI_HOST, want);
}

int verify_setup(void **state)
{
	char err[512];

	(void)state;
	dir = pki_folder(&own);
	pki_root(&root, "CN=test root");
	pki_make(&inter, &(struct pki_spec){ .dn = "CN=intermediate", .ca = true,
					     .pathlen = -1 }, &root);
	trust = pki_file(dir, "root.pem", &root, false);
	return ss_verify_init(&verify, trust, NULL, &own, err, sizeof(err));
}

int verify_teardown(void **state)
{
	(void)state;
	ss_verify_free(&verify);
	ss_ca_free(&own);
	pki_free(&root);
	pki_free(&inter);
	ss_process_remove_tree(dir);
	free(trust);
	free(dir);
	return 0;
}
