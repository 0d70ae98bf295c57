// SPDX-License-Identifier: GPL-2.0
/*
 * Messages between the broker and the tls process: a pair of handshakes to do,
 * and what became of it. The tls process talks to peers; the broker believes it
 * nothing that it can check.
 */
#include <string.h>

#include "lib/text.h"
#include "proto/tls_msg.h"

static bool check_text(const char *text, size_t size)
{
	char clean[SMTPSPLICE_TEXT_MAX + 1];

	if (!memchr(text, '\0', size))
		return false;
	ss_text_clean_str(SS_TEXT_PRINT, clean, sizeof(clean), text);
	return !strcmp(clean, text);
}

static bool check_secrets(const struct ss_tls_secrets *s, bool inspected)
{
	return !s->size || (inspected && (s->size == 32 || s->size == SS_TLS_SECRET_MAX));
}

/* Each result has causes of its own; POLICY is the kernel's */
static bool check_cause(const struct ss_tls_result *r)
{
	switch (r->cause) {
	case SMTPSPLICE_TLS_CAUSE_NONE:
		return r->result == SMTPSPLICE_TLS_RESULT_INSPECTED;
	case SMTPSPLICE_TLS_CAUSE_POLICY:
		return false;
	case SMTPSPLICE_TLS_CAUSE_EXEMPT:
		return r->result == SMTPSPLICE_TLS_RESULT_BYPASSED;
	case SMTPSPLICE_TLS_CAUSE_CLIENT_CERTIFICATE:
	case SMTPSPLICE_TLS_CAUSE_VERSION:
	case SMTPSPLICE_TLS_CAUSE_CIPHER:
	case SMTPSPLICE_TLS_CAUSE_NEGOTIATION:
		return r->result == SMTPSPLICE_TLS_RESULT_BYPASSED ||
		       r->result == SMTPSPLICE_TLS_RESULT_FAILED;
	default:
		return r->cause <= SMTPSPLICE_TLS_CAUSE_HELPER &&
		       r->result == SMTPSPLICE_TLS_RESULT_FAILED;
	}
}

bool ss_tls_result_check(const struct ss_tls_result *r)
{
	bool inspected = r->result == SMTPSPLICE_TLS_RESULT_INSPECTED;

	return check_cause(r) &&
	       check_text(r->server_name, sizeof(r->server_name)) &&
	       check_text(r->version, sizeof(r->version)) &&
	       check_text(r->cipher, sizeof(r->cipher)) &&
	       check_text(r->text, sizeof(r->text)) &&
	       check_secrets(&r->client, inspected) && check_secrets(&r->server, inspected);
}
