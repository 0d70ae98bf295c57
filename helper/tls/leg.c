// SPDX-License-Identifier: GPL-2.0
/*
 * A leg is one of a pair of handshakes: GnuTLS on a socket that does not block.
 *
 * After the handshake the kernel reads on from the socket, so GnuTLS must not
 * have read beyond it. It does not: it asks the socket for the header of one
 * record, then for the rest of it, and never for more (_gnutls_stream_read()).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <gnutls/abstract.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "tls/dh.h"
#include "tls/leg.h"

#define DRAIN_MAX	(64 << 10)
#define WARNINGS_MAX	16

#define RECORD_MAX	16384

/* A record (RFC 8446 5.2), and what an alert that is not padded has of it */
#define RECORD_HEADER	5
#define RECORD_DATA	23
#define ALERT_RECORD	(2 + 1 + 16)

/* Of a ServerHello (RFC 8446 4.1.3): cipher suite and compression method */
#define SESSION_ID_AT	34
#define SUITE_SIZE	3
#define EXT_MAX_FRAGMENT	1	/* RFC 6066 4 */
#define EXT_RECORD_LIMIT	28	/* RFC 8449 */

/*
 * Suites that the kernel has (net/tls): the AEAD ones, and those of them with forward
 * secrecy. %PROFILE_MEDIUM is what refuses the small groups of Diffie-Hellman.
 */
#define PRIORITY_BASE								\
	"NORMAL:-VERS-ALL:-CIPHER-ALL:-MAC-ALL:+AEAD"				\
	":-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:+DHE-RSA"				\
	":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%PROFILE_MEDIUM"

static int make_priority(gnutls_priority_t *priority, unsigned int versions,
			 unsigned int ciphers)
{
	char text[512];

	snprintf(text, sizeof(text), "%s%s%s%s%s", PRIORITY_BASE,
		 versions & SS_TLS_LEG_TLS13 ? ":+VERS-TLS1.3" : "",
		 versions & SS_TLS_LEG_TLS12 ? ":+VERS-TLS1.2" : "",
		 ciphers & SS_TLS_LEG_STRONG ? ":+AES-256-GCM:+CHACHA20-POLY1305" : "",
		 ciphers & SS_TLS_LEG_AES128 ? ":+AES-128-GCM:+AES-128-CCM" : "");
	return gnutls_priority_init(priority, text, NULL);
}

/* The server asks for the client's certificate. We have none. */
static int on_asked(gnutls_session_t session, const gnutls_datum_t *cas, int ca_count,
		    const gnutls_pk_algorithm_t *pks, int pk_count,
		    gnutls_pcert_st **chain, unsigned int *chain_len,
		    gnutls_privkey_t *key)
{
	struct ss_tls_leg *leg = gnutls_session_get_ptr(session);

	(void)cas;
	(void)ca_count;
	(void)pks;
	(void)pk_count;
	leg->asked = true;
	*chain = NULL;
	*chain_len = 0;
	*key = NULL;
	return leg->refuse_asking ? -1 : 0;
}

int ss_legs_init(struct ss_legs *legs)
{
	int ret = 0;

	*legs = (struct ss_legs){};
	for (unsigned int v = 1; v <= SS_TLS_LEG_VERSIONS; v++)
		for (unsigned int c = 1; !ret && c <= SS_TLS_LEG_CIPHERS; c++)
			ret = make_priority(&legs->priority[v][c], v, c);
	if (!ret)
		ret = gnutls_certificate_allocate_credentials(&legs->dial_cred);
	if (!ret)
		gnutls_certificate_set_retrieve_function2(legs->dial_cred, on_asked);
	return ret;
}

void ss_legs_free(struct ss_legs *legs)
{
	for (unsigned int v = 1; v <= SS_TLS_LEG_VERSIONS; v++)
		for (unsigned int c = 1; c <= SS_TLS_LEG_CIPHERS; c++)
			if (legs->priority[v][c])
				gnutls_priority_deinit(legs->priority[v][c]);
	if (legs->dial_cred)
		gnutls_certificate_free_credentials(legs->dial_cred);
	memset(legs, 0, sizeof(*legs));
}

static int ignore_extension(gnutls_session_t session, const unsigned char *data,
			    size_t len)
{
	(void)session;
	(void)data;
	(void)len;
	return 0;
}

static int send_no_extension(gnutls_session_t session, gnutls_buffer_t data)
{
	(void)session;
	(void)data;
	return 0;
}

/*
 * The kernel makes records as long as TLS has them. So we know nothing of the
 * extensions by which a client asks for shorter ones; to answer them is optional,
 * but GnuTLS would.
 */
static int leave_records_long(gnutls_session_t session)
{
	static const int ids[] = { EXT_MAX_FRAGMENT, EXT_RECORD_LIMIT };
	int ret = 0;

	for (size_t i = 0; !ret && i < ARRAY_SIZE(ids); i++)
		ret = gnutls_session_ext_register(session, "record size", ids[i],
						  GNUTLS_EXT_TLS, ignore_extension,
						  send_no_extension, NULL, NULL, NULL,
						  GNUTLS_EXT_FLAG_OVERRIDE_INTERNAL);
	return ret;
}

/* The length of records that a message asks for */
struct limit {
	unsigned int whole;	/* of a record as long as TLS has them */
	bool is_shorter;
};

static int read_limit(void *ctx, unsigned int id, const unsigned char *data,
		      unsigned int size)
{
	struct limit *limit = ctx;

	if (id == EXT_RECORD_LIMIT && size == 2 &&
	    (unsigned int)(data[0] << 8 | data[1]) < limit->whole)
		limit->is_shorter = true;
	return 0;
}

/*
 * GnuTLS offers a server to say how long its records may be, and there is no way
 * to have it not. So see whether the server does: in the ServerHello of TLS 1.2,
 * or in the EncryptedExtensions, where the limit counts the type of the content as well.
 */
static void look_for_limit(struct ss_tls_leg *leg, const gnutls_datum_t *message, size_t skip,
			   unsigned int whole)
{
	struct limit limit = { .whole = whole };
	gnutls_datum_t ext = *message;

	if (skip >= ext.size)
		return;
	ext.data += skip;
	ext.size -= skip;
	/* An error is none here: GnuTLS finds it itself */
	gnutls_ext_raw_parse(&limit, read_limit, &ext, 0);
	leg->short_records |= limit.is_shorter;
}

static int refuse_server(struct ss_tls_leg *leg, const char *why)
{
	leg->refused = why;
	return why ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

/*
 * The certificates are read, and GnuTLS is about to verify what the first of their
 * keys has signed: with TLS 1.3 it does so before it calls a function to verify them.
 */
static int look_at_keys(struct ss_tls_leg *leg)
{
	unsigned int sent = 0;
	const gnutls_datum_t *der = gnutls_certificate_get_peers(leg->session, &sent);

	while (der && leg->chain_count < sent && leg->chain_count < SS_CHAIN_MAX) {
		gnutls_x509_crt_t *crt = &leg->chain[leg->chain_count];

		if (gnutls_x509_crt_init(crt))
			return GNUTLS_E_MEMORY_ERROR;
		leg->chain_count++;
		if (gnutls_x509_crt_import(*crt, &der[leg->chain_count - 1],
					   GNUTLS_X509_FMT_DER))
			return refuse_server(leg, "its chain cannot be read");
	}
	return refuse_server(leg, ss_chain_check_keys(leg->chain, leg->chain_count));
}

/* Called before GnuTLS makes anything of the message, but for a ServerHello */
static int on_message(gnutls_session_t session, unsigned int type, unsigned int when,
		      unsigned int incoming, const gnutls_datum_t *message)
{
	struct ss_tls_leg *leg = gnutls_session_get_ptr(session);

	(void)when;
	if (!incoming)
		return 0;
	switch (type) {
	case GNUTLS_HANDSHAKE_SERVER_HELLO:
		if (message->size > SESSION_ID_AT)
			look_for_limit(leg, message, SESSION_ID_AT + 1 +
				       message->data[SESSION_ID_AT] + SUITE_SIZE,
				       RECORD_MAX);
		return 0;
	case GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS:
		look_for_limit(leg, message, 0, RECORD_MAX + 1);
		return 0;
	case GNUTLS_HANDSHAKE_CERTIFICATE_PKT:
		return refuse_server(leg, ss_chain_check_message(message,
								 ss_tls_leg_version(leg) ==
								 SS_TLS_LEG_TLS13));
	case GNUTLS_HANDSHAKE_SERVER_KEY_EXCHANGE:
		if (!ss_dh_is_bounded(session, message))
			return GNUTLS_E_DH_PRIME_UNACCEPTABLE;
		return look_at_keys(leg);
	case GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY:
		return look_at_keys(leg);
	default:
		return 0;
	}
}

/* There is no other way to get at them */
static int on_secret(gnutls_session_t session, const char *label,
		     const gnutls_datum_t *secret)
{
	struct ss_tls_leg *leg = gnutls_session_get_ptr(session);
	bool client = !strcmp(label, "CLIENT_TRAFFIC_SECRET_0");

	if ((client || !strcmp(label, "SERVER_TRAFFIC_SECRET_0")) &&
	    secret->size <= SS_TLS_SECRET_MAX) {
		leg->secrets.size = secret->size;
		memcpy(client == leg->serves ? leg->secrets.recv : leg->secrets.send,
		       secret->data, secret->size);
	}
	return 0;
}

static int start_session(struct ss_tls_leg *leg, const struct ss_legs *legs, unsigned int role,
			 unsigned int versions, unsigned int ciphers, bool alpn)
{
	const gnutls_datum_t smtp = { (unsigned char *)"smtp", 4 };
	/*
	 * Whoever resumed a session would not see the other leg's certificate, and
	 * would wait no less: that leg's handshake comes first. Like this GnuTLS does
	 * not even read what a client says about tickets (cf. CVE-2026-1584).
	 */
	int ret = gnutls_init(&leg->session, role | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
			      GNUTLS_NO_TICKETS);

	if (ret)
		return ret;
	leg->serves = role & GNUTLS_SERVER;
	gnutls_session_set_ptr(leg->session, leg);
	gnutls_session_set_keylog_function(leg->session, on_secret);
	gnutls_transport_set_int(leg->session, leg->fd);
	gnutls_handshake_set_timeout(leg->session, 0);	/* ours is for both legs */
	ret = gnutls_priority_set(leg->session, legs->priority[versions][ciphers]);
	if (!ret && leg->serves)
		ret = leave_records_long(leg->session);
	if (!ret && alpn)
		ret = gnutls_alpn_set_protocols(leg->session, &smtp, 1,
						leg->serves ?
						GNUTLS_ALPN_MANDATORY : 0);
	return ret;
}

int ss_tls_leg_dial(struct ss_tls_leg *leg, const struct ss_legs *legs, unsigned int versions,
		    unsigned int ciphers, const char *name, bool alpn)
{
	int ret = start_session(leg, legs, GNUTLS_CLIENT, versions, ciphers, alpn);

	if (!ret)
		gnutls_handshake_set_max_packet_length(leg->session, SS_CHAIN_OCTETS);
	if (!ret)
		gnutls_handshake_set_hook_function(leg->session, GNUTLS_HANDSHAKE_ANY,
						   GNUTLS_HOOK_POST, on_message);
	if (!ret && *name)
		ret = gnutls_server_name_set(leg->session, GNUTLS_NAME_DNS, name,
					     strlen(name));
	return ret ?: gnutls_credentials_set(leg->session, GNUTLS_CRD_CERTIFICATE,
					     legs->dial_cred);
}

int ss_tls_leg_serve(struct ss_tls_leg *leg, const struct ss_legs *legs, unsigned int versions,
		     unsigned int ciphers, struct ss_creds *creds, bool alpn)
{
	int ret = start_session(leg, legs, GNUTLS_SERVER, versions, ciphers, alpn);

	if (ret)
		return ret;
	gnutls_certificate_server_set_request(leg->session, GNUTLS_CERT_IGNORE);
	return gnutls_credentials_set(leg->session, GNUTLS_CRD_CERTIFICATE, creds->cred);
}

/* How much of the peer's waits in the socket */
static int count_unread(const struct ss_tls_leg *leg)
{
	int n = 0;

	return ioctl(leg->fd, FIONREAD, &n) ? 0 : n;
}

/*
 * GnuTLS asks for another call behind a record that ends inside a message, too,
 * although the next one may be there: the socket will not tell us of it again.
 */
static int continue_handshake(const struct ss_tls_leg *leg)
{
	int before, unread = count_unread(leg), ret;

	do {
		before = unread;
		ret = gnutls_handshake(leg->session);
		unread = count_unread(leg);
	} while (ret == GNUTLS_E_AGAIN && unread && unread != before);
	return ret;
}

int ss_tls_leg_handshake(struct ss_tls_leg *leg)
{
	int ret;

	/* A peer may warn us, but not for ever */
	for (int i = 0; i < WARNINGS_MAX; i++) {
		ret = continue_handshake(leg);
		if (ret == GNUTLS_E_INTERRUPTED)
			continue;
		if (ret == GNUTLS_E_AGAIN)
			return ret;
		if (!ret || gnutls_error_is_fatal(ret))
			break;
	}
	leg->done = !ret;
	return ret;
}

unsigned int ss_tls_leg_version(const struct ss_tls_leg *leg)
{
	return gnutls_protocol_get_version(leg->session) == GNUTLS_TLS1_3 ?
	       SS_TLS_LEG_TLS13 : SS_TLS_LEG_TLS12;
}

unsigned int ss_tls_leg_cipher(const struct ss_tls_leg *leg)
{
	switch (gnutls_cipher_get(leg->session)) {
	case GNUTLS_CIPHER_AES_256_GCM:
	case GNUTLS_CIPHER_CHACHA20_POLY1305:
		return SS_TLS_LEG_STRONG;
	default:
		return SS_TLS_LEG_AES128;
	}
}

int ss_tls_leg_listen(struct ss_tls_leg *leg)
{
	uint8_t head[RECORD_HEADER];
	char none;
	ssize_t n;

	for (int i = 0; i < WARNINGS_MAX; i++) {
		n = recv(leg->fd, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
		if (!n)
			return GNUTLS_E_PREMATURE_TERMINATION;
		if (n < (ssize_t)sizeof(head))
			return n < 0 && errno != EAGAIN && errno != EINTR ?
			       GNUTLS_E_PULL_ERROR : GNUTLS_E_AGAIN;
		if (head[0] == RECORD_DATA && (head[3] << 8 | head[4]) > ALERT_RECORD)
			return 0;
		n = gnutls_record_recv(leg->session, &none, sizeof(none));
		if (n != GNUTLS_E_WARNING_ALERT_RECEIVED)
			return n >= 0 ? GNUTLS_E_PREMATURE_TERMINATION : n;
	}
	return GNUTLS_E_UNEXPECTED_PACKET;
}

static enum smtpsplice_tls_cause alert_cause(const struct ss_tls_leg *leg,
					     enum smtpsplice_tls_cause peer)
{
	/* A client that is refused something by us says so for other reasons */
	if (peer != SMTPSPLICE_TLS_CAUSE_SERVER)
		return peer;
	switch (gnutls_alert_get(leg->session)) {
	case GNUTLS_A_PROTOCOL_VERSION:
		return SMTPSPLICE_TLS_CAUSE_VERSION;
	case GNUTLS_A_HANDSHAKE_FAILURE:
	case GNUTLS_A_INSUFFICIENT_SECURITY:
		return SMTPSPLICE_TLS_CAUSE_CIPHER;
	default:
		return peer;
	}
}

enum smtpsplice_tls_cause ss_tls_leg_cause(const struct ss_tls_leg *leg, int error,
					   enum smtpsplice_tls_cause peer)
{
	switch (error) {
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		return alert_cause(leg, peer);
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_SESSION_EOF:
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
	/* By an alert in plain text, with which OpenSSL refuses a certificate */
	case GNUTLS_E_DECRYPTION_FAILED:
		return peer;
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
		return SMTPSPLICE_TLS_CAUSE_VERSION;
	case GNUTLS_E_UNKNOWN_CIPHER_SUITE:
	case GNUTLS_E_NO_CIPHER_SUITES:
	case GNUTLS_E_NO_COMMON_KEY_SHARE:
	case GNUTLS_E_DH_PRIME_UNACCEPTABLE:
	case GNUTLS_E_ECC_UNSUPPORTED_CURVE:
	case GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM:
		return SMTPSPLICE_TLS_CAUSE_CIPHER;
	case GNUTLS_E_MEMORY_ERROR:
	case GNUTLS_E_INTERNAL_ERROR:
		return SMTPSPLICE_TLS_CAUSE_HELPER;
	default:
		return SMTPSPLICE_TLS_CAUSE_NEGOTIATION;
	}
}

void ss_tls_leg_explain(const struct ss_tls_leg *leg, int error, char *text, size_t size)
{
	const char *alert = NULL;

	if (error == GNUTLS_E_FATAL_ALERT_RECEIVED)
		alert = gnutls_alert_get_name(gnutls_alert_get(leg->session)) ?: "unknown";
	if (alert)
		snprintf(text, size, "alert received: %s", alert);
	else if (error == GNUTLS_E_DECRYPTION_FAILED)
		snprintf(text, size, "ended the handshake in plain text");
	else if (error == GNUTLS_E_DH_PRIME_UNACCEPTABLE)
		snprintf(text, size, "its Diffie-Hellman group is too short or too long");
	else
		ss_text_clean_str(SS_TEXT_PRINT, text, size, gnutls_strerror(error));
}

int ss_tls_leg_error_alert(int error)
{
	int level;

	switch (error) {
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_SESSION_EOF:
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
		return SS_TLS_LEG_NO_ALERT;
	default:
		return gnutls_error_to_alert(error, &level);
	}
}

bool ss_tls_leg_is_ready(const struct ss_tls_leg *leg)
{
	return !gnutls_record_check_pending(leg->session) && !leg->short_records;
}

/* Send an alert before the handshake, in plain text (RFC 8446 5.1) */
static void send_plain_alert(const struct ss_tls_leg *leg, int alert)
{
	const uint8_t record[] = { 21, 3, 3, 0, 2, GNUTLS_AL_FATAL, alert };
	ssize_t n = send(leg->fd, record, sizeof(record), MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)n;	/* who is gone needs none */
}

void ss_tls_leg_alert(struct ss_tls_leg *leg, int alert)
{
	if (alert == SS_TLS_LEG_NO_ALERT)
		return;
	if (leg->session)
		gnutls_alert_send(leg->session, alert == GNUTLS_A_CLOSE_NOTIFY ?
				  GNUTLS_AL_WARNING : GNUTLS_AL_FATAL, alert);
	else
		send_plain_alert(leg, alert);
}

void ss_tls_leg_release(struct ss_tls_leg *leg)
{
	if (leg->session)
		gnutls_deinit(leg->session);
	leg->session = NULL;
	while (leg->chain_count)
		gnutls_x509_crt_deinit(leg->chain[--leg->chain_count]);
	gnutls_memset(&leg->secrets, 0, sizeof(leg->secrets));
}

void ss_tls_leg_hang_up(struct ss_tls_leg *leg)
{
	char buf[4096];
	size_t seen = 0;

	while (seen < DRAIN_MAX) {
		ssize_t n = recv(leg->fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n <= 0)
			break;
		seen += n;
	}
	shutdown(leg->fd, SHUT_WR);
	ss_tls_leg_release(leg);
}
