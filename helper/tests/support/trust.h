/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_TRUST_H
#define SS_TESTS_SUPPORT_TRUST_H

#include "common/conf.h"
#include "tests/support/pki.h"

/* Who trusts whom: a gateway's CA, and a server's certificate of a root it trusts */
extern char *dir;		/* of certificates, and all else */
extern struct ss_conf conf;
extern struct pki root, leaf;

/* Of a group */
int trust_setup(void **state);
int trust_teardown(void **state);

#endif /* SS_TESTS_SUPPORT_TRUST_H */
