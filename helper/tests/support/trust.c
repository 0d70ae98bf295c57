// SPDX-License-Identifier: GPL-2.0
/*
 * The certificates that a gateway and its peers have in the tests, in a folder that
 * is made for them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ca.h"
#include "lib/process.h"
#include "tests/support/trust.h"

char *dir;
struct ss_conf conf;
struct pki root, leaf;
static char *ca_dir;

int trust_setup(void **state)
{
	char err[512];

	(void)state;
	dir = strdup("/tmp/smtpsplice-test.XXXXXX");
	if (!mkdtemp(dir) || asprintf(&ca_dir, "%s/ca", dir) < 0)
		return -1;
	if (ss_ca_create(ca_dir, &(struct ss_ca_names){}, err, sizeof(err)))
		return -1;
	pki_root(&root, "CN=test root");
	pki_leaf(&leaf, &root);
	conf = (struct ss_conf){ .ca_dir = ca_dir, .cert_dir = dir };
	conf.trust = pki_file(dir, "root.pem", &root, false);
	return 0;
}

int trust_teardown(void **state)
{
	(void)state;
	ss_process_remove_tree(dir);
	pki_free(&root);
	pki_free(&leaf);
	free((char *)conf.trust);
	free(ca_dir);
	free(dir);
	return 0;
}
