/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_SESSION_H
#define SS_TESTS_SUPPORT_SESSION_H

#include "tests/support/unit.h"

#include "tests/support/peer.h"
#include "tests/support/trust.h"
#include "tls/intercept.h"

/* The vocabulary of tests with a client and a server, and the gateway between them */

extern struct ss_tls_context *gw;
extern struct ss_job job;		/* of the session that is to start */

/* One session */
extern struct peer client, server;
extern struct ss_intercept *pair;
extern int gw_client, gw_server;	/* the gateway's sockets, our own copies */
extern struct ss_tls_result result;

/* Begin one. Without a priority there is no TLS at that end. */
void start(const char *client_priority, const char *name,
	   const char *server_priority, const struct pki *chain, unsigned int count);
/* Tell the gateway which of the peers has gone */
void note_ends(void);
/* How much the client has sent, before anybody has read it */
size_t queued(void);
/* Go on with it as far as it goes: this is what the gateway makes of it */
void expect(enum smtpsplice_tls_result what, enum smtpsplice_tls_cause why);
void expect_inspected(void);
/* @client_alert: less than 0 is any, or none */
void expect_failed(enum smtpsplice_tls_cause why, int client_alert);
void expect_bypassed(enum smtpsplice_tls_cause why, size_t octets);
void finish(void);

/* Of each test; trust_setup() and trust_teardown() are those of the group */
int setup(void **state);
int teardown(void **state);

#endif /* SS_TESTS_SUPPORT_SESSION_H */
