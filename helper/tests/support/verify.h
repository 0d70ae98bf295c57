/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_VERIFY_H
#define SS_TESTS_SUPPORT_VERIFY_H

#include "tests/support/unit.h"

#include "tests/support/pki.h"
#include "tls/verify.h"

/* The vocabulary of tests of certificates that are checked, of a root that is trusted */

#define B(cause)	SS_VERIFY_BIT(SMTPSPLICE_TLS_CAUSE_##cause)

extern char *dir, *trust;
extern struct ss_ca own;
extern struct ss_verify verify;
extern struct pki root, inter;
extern struct ss_verify_result last;	/* of check_with() */

void check_with(const struct ss_verify *v, const struct pki *chain, unsigned int count,
		const gnutls_datum_t *staple, const char *name, uint32_t want);
void check(const struct pki *chain, unsigned int count, uint32_t want);

/* Of a group */
int verify_setup(void **state);
int verify_teardown(void **state);

#endif /* SS_TESTS_SUPPORT_VERIFY_H */
