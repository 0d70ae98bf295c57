// SPDX-License-Identifier: GPL-2.0
/*
 * A pair of handshakes: the client's ClientHello is only looked at, then comes
 * the handshake with the server, the checks of its certificate, the handshake
 * with the client, and the keys of both go to the kernel.
 *
 * In that order, since the client must not be promised what the server does not
 * keep: its names, its version of TLS, its strength. And as long as nothing was
 * taken from either socket, the kernel can still relay the session as it is.
 *
 * A state machine that never waits: ss_intercept_step() goes as far as it can,
 * and is called again when a socket is ready or the time is up.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "tls/dh.h"
#include "tls/intercept.h"
#include "tls/ktls.h"

/* Time left for the way back, of what the kernel gives: the smaller of these */
#define MARGIN_MS	500
#define MARGIN_SHARE	10

/* Time for a server to say, with TLS 1.3, that it does not go on without a certificate */
#define WORD_MS		1000

/* RFC 8446 6.2, those that GnuTLS does not send itself here */
#define ALERT_UNEXPECTED	10
#define ALERT_FAILURE		40
#define ALERT_BAD_CERTIFICATE	42
#define ALERT_REVOKED		44
#define ALERT_EXPIRED		45
#define ALERT_CERT_UNKNOWN	46
#define ALERT_UNKNOWN_CA	48
#define ALERT_DECODE		50
#define ALERT_VERSION		70
#define ALERT_INTERNAL		80
#define ALERT_NAME		112
#define ALERT_ALPN		120

/**
 * enum stage - How far it is.
 * @STAGE_HELLO: waiting for the ClientHello; nothing was taken or sent
 * @STAGE_SERVER: shaking hands with the server
 * @STAGE_CLIENT: shaking hands with the client
 * @STAGE_WORD: both are done, but the server may not take our having no certificate
 * @STAGE_DONE: the result is there
 */
enum stage {
	STAGE_HELLO,
	STAGE_SERVER,
	STAGE_CLIENT,
	STAGE_WORD,
	STAGE_DONE,
};

/**
 * struct ss_intercept - A pair of handshakes.
 * @ctx: what all share
 * @job: what to do
 * @stage: how far it is
 * @client: the client's leg
 * @server: the server's leg
 * @ended: which of the peers have said their last
 * @hello: the ClientHello
 * @is_tls: the client knows what an alert is
 * @creds: what the client is shown
 * @deadline: when it has to be done, see ss_process_now()
 * @word: in STAGE_WORD, until when the server may say no
 * @result: what became of it
 */
struct ss_intercept {
	struct ss_tls_context *ctx;
	struct ss_job job;
	enum stage stage;
	struct ss_tls_leg client;
	struct ss_tls_leg server;
	bool ended[SS_INTERCEPT_SIDES];
	struct ss_client_hello hello;
	bool is_tls;
	struct ss_creds *creds;
	uint64_t deadline;
	uint64_t word;
	struct ss_tls_result result;
};

static void finish(struct ss_intercept *intercept, enum smtpsplice_tls_result result,
		   enum smtpsplice_tls_cause cause)
{
	intercept->result.result = result;
	intercept->result.cause = cause;
	intercept->stage = STAGE_DONE;
}

static void fail(struct ss_intercept *intercept, enum smtpsplice_tls_cause cause,
		 int client_alert, int server_alert, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Tell both what they can be told, and end both connections */
static void fail(struct ss_intercept *intercept, enum smtpsplice_tls_cause cause,
		 int client_alert, int server_alert, const char *fmt, ...)
{
	char text[SMTPSPLICE_TEXT_MAX + 1];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ss_text_clean_str(SS_TEXT_PRINT, intercept->result.text, sizeof(intercept->result.text),
			  text);
	if (intercept->is_tls)
		ss_tls_leg_alert(&intercept->client, client_alert);
	/* A server that has seen nothing of us needs no alert */
	if (intercept->server.session)
		ss_tls_leg_alert(&intercept->server, server_alert);
	ss_tls_leg_hang_up(&intercept->client);
	ss_tls_leg_hang_up(&intercept->server);
	finish(intercept, SMTPSPLICE_TLS_RESULT_FAILED, cause);
}

static void bypass(struct ss_intercept *intercept, enum smtpsplice_tls_cause cause)
{
	ss_tls_leg_release(&intercept->client);
	ss_tls_leg_release(&intercept->server);
	finish(intercept, SMTPSPLICE_TLS_RESULT_BYPASSED, cause);
}

/* Bypass or end what is not supported, as the profile says; nothing was taken yet */
static void bypass_or_fail(struct ss_intercept *intercept, uint32_t support,
			   enum smtpsplice_tls_cause cause, int alert, const char *text)
{
	if (support == SMTPSPLICE_TLS_SUPPORT_ALLOW)
		bypass(intercept, cause);
	else
		fail(intercept, cause, alert, SS_TLS_LEG_NO_ALERT, "%s", text);
}

static bool usable(const struct ss_client_hello_offer *o)
{
	return o->offered && (o->aes128 || o->aes256);
}

/*
 * Choose what to offer to the server, so that whatever it takes, the client has
 * something that is not above it: a client without AES-128 cannot be served
 * behind a server that took AES-128.
 */
static void plan_offer(const struct ss_client_hello *hello, unsigned int *versions,
		       unsigned int *ciphers)
{
	const struct ss_client_hello_offer *o12 = &hello->tls12, *o13 = &hello->tls13;
	bool v12 = usable(o12), v13 = usable(o13);

	/* A version with only AES-128 and one with only more do not go together */
	if (v12 && v13 && ((!o13->aes128 && !o12->aes256) || (!o12->aes128 && !o13->aes256)))
		v12 = false;
	*versions = (v12 ? SS_TLS_LEG_TLS12 : 0) | (v13 ? SS_TLS_LEG_TLS13 : 0);
	*ciphers = SS_TLS_LEG_STRONG;
	if ((!v12 || o12->aes128) && (!v13 || o13->aes128))
		*ciphers |= SS_TLS_LEG_AES128;
}

static void start_server(struct ss_intercept *intercept)
{
	unsigned int versions, ciphers;
	int ret;

	plan_offer(&intercept->hello, &versions, &ciphers);
	intercept->server.refuse_asking = intercept->job.profile.client_certificate !=
					  SMTPSPLICE_CLIENT_CERTIFICATE_INSPECT;
	ret = ss_tls_leg_dial(&intercept->server, &intercept->ctx->legs, versions, ciphers,
			      intercept->hello.name, intercept->hello.alpn);
	if (ret)
		fail(intercept, SMTPSPLICE_TLS_CAUSE_HELPER, ALERT_INTERNAL, SS_TLS_LEG_NO_ALERT,
		     "server: %s", gnutls_strerror(ret));
	else
		intercept->stage = STAGE_SERVER;
}

/* A whole ClientHello is there. Exempt servers come first: they are let alone. */
static void decide_hello(struct ss_intercept *intercept, uint64_t now)
{
	const struct ss_tls_profile *p = &intercept->job.profile;
	const struct ss_client_hello *h = &intercept->hello;

	if (ss_tls_profile_exempts_name(p, h->name))
		bypass(intercept, SMTPSPLICE_TLS_CAUSE_EXEMPT);
	else if (p->client_certificate == SMTPSPLICE_CLIENT_CERTIFICATE_BYPASS &&
		 ss_mtls_servers_has(&intercept->ctx->mtls_servers, &intercept->job, h->name, now))
		bypass(intercept, SMTPSPLICE_TLS_CAUSE_CLIENT_CERTIFICATE);
	else if (!h->tls12.offered && !h->tls13.offered)
		bypass_or_fail(intercept, p->version, SMTPSPLICE_TLS_CAUSE_VERSION, ALERT_VERSION,
			       "client: offers neither TLS 1.2 nor 1.3");
	else if (!usable(&h->tls12) && !usable(&h->tls13))
		bypass_or_fail(intercept, p->cipher, SMTPSPLICE_TLS_CAUSE_CIPHER, ALERT_FAILURE,
			       "client: offers no cipher suite of the kernel");
	else if (h->alpn && !h->alpn_smtp)
		fail(intercept, SMTPSPLICE_TLS_CAUSE_NEGOTIATION, ALERT_ALPN, SS_TLS_LEG_NO_ALERT,
		     "client: wants another application protocol than smtp");
	else if (p->sni_check == SMTPSPLICE_SNI_CHECK_STRICT && !*h->name)
		fail(intercept, SMTPSPLICE_TLS_CAUSE_SERVER_NAME, ALERT_NAME, SS_TLS_LEG_NO_ALERT,
		     "client: asks for no server name");
	else
		start_server(intercept);
}

/*
 * A server that speaks before it was spoken to does not speak TLS, or somebody
 * has put words into its mouth: behind a STARTTLS (CVE-2021-22947), that is never
 * let through.
 */
static bool server_spoke(struct ss_intercept *intercept)
{
	char octet;
	ssize_t n = recv(intercept->server.fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0)
		fail(intercept, SMTPSPLICE_TLS_CAUSE_SERVER, ALERT_FAILURE, SS_TLS_LEG_NO_ALERT,
		     "server: closed the connection");
	else
		bypass_or_fail(intercept, intercept->job.starttls ?
			       (uint32_t)SMTPSPLICE_TLS_SUPPORT_BLOCK :
			       intercept->job.profile.negotiation, SMTPSPLICE_TLS_CAUSE_NEGOTIATION,
			       ALERT_FAILURE, "server: sent something before the ClientHello");
	return true;
}

/* Return: whether to go on at once */
static bool step_hello(struct ss_intercept *intercept, uint64_t now)
{
	uint8_t *buf = intercept->ctx->peeked;
	enum ss_client_hello_status status;
	ssize_t n;

	n = recv(intercept->client.fd, buf, sizeof(intercept->ctx->peeked),
		 MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (server_spoke(intercept))
			return true;
		n = 0;
	} else if (n <= 0) {
		intercept->ended[SS_INTERCEPT_CLIENT] = true;
		n = 0;
	}
	status = ss_client_hello_parse(&intercept->hello, buf, n);
	intercept->is_tls = n && status != SS_CLIENT_HELLO_ALIEN;
	memcpy(intercept->result.server_name, intercept->hello.name,
	       sizeof(intercept->result.server_name));
	if (status == SS_CLIENT_HELLO_ALIEN)
		bypass_or_fail(intercept, intercept->job.profile.negotiation,
			       SMTPSPLICE_TLS_CAUSE_NEGOTIATION, SS_TLS_LEG_NO_ALERT,
			       "client: does not begin with TLS");
	else if (status == SS_CLIENT_HELLO_BROKEN)
		bypass_or_fail(intercept, intercept->job.profile.negotiation,
			       SMTPSPLICE_TLS_CAUSE_NEGOTIATION, ALERT_DECODE,
			       "client: does not begin with a ClientHello");
	else if (status == SS_CLIENT_HELLO_MORE && intercept->ended[SS_INTERCEPT_CLIENT])
		fail(intercept, SMTPSPLICE_TLS_CAUSE_CLIENT, SS_TLS_LEG_NO_ALERT,
		     SS_TLS_LEG_NO_ALERT, "client: closed the connection");
	else if (status == SS_CLIENT_HELLO_MORE)
		return false;
	else if (!server_spoke(intercept))
		decide_hello(intercept, now);
	return true;
}

/* Is it the client's certificate for whose want the handshake has failed? */
static bool wants_certificate(const struct ss_intercept *intercept, int error)
{
	if (!intercept->server.asked || intercept->server.refuse_asking)
		return intercept->server.asked;
	return error == GNUTLS_E_FATAL_ALERT_RECEIVED ||
	       ss_tls_leg_cause(&intercept->server, error, SMTPSPLICE_TLS_CAUSE_SERVER) ==
	       SMTPSPLICE_TLS_CAUSE_SERVER;
}

/* End a pair whose handshake with the server failed: the client is told the same */
static void server_failed(struct ss_intercept *intercept, int error, uint64_t now)
{
	enum smtpsplice_tls_cause cause = ss_tls_leg_cause(&intercept->server, error,
							   SMTPSPLICE_TLS_CAUSE_SERVER);
	char text[SMTPSPLICE_TEXT_MAX + 1];
	int alert = cause == SMTPSPLICE_TLS_CAUSE_VERSION ? ALERT_VERSION :
		    cause == SMTPSPLICE_TLS_CAUSE_HELPER ? ALERT_INTERNAL : ALERT_FAILURE;

	/* Whatever the profile says of bad ones: nothing is known of this one */
	if (intercept->server.refused) {
		fail(intercept, SMTPSPLICE_TLS_CAUSE_VALIDATION_FAILURE, ALERT_BAD_CERTIFICATE,
		     ALERT_BAD_CERTIFICATE, "server's certificate: %s", intercept->server.refused);
		return;
	}
	if (wants_certificate(intercept, error)) {
		/* This session cannot be bypassed any more, the next one can */
		if (intercept->job.profile.client_certificate ==
		    SMTPSPLICE_CLIENT_CERTIFICATE_BYPASS)
			ss_mtls_servers_add(&intercept->ctx->mtls_servers, &intercept->job,
					    intercept->hello.name, now);
		fail(intercept, SMTPSPLICE_TLS_CAUSE_CLIENT_CERTIFICATE, ALERT_FAILURE,
		     ALERT_FAILURE, intercept->server.refuse_asking ?
		     "server: asks for the client's certificate" :
		     "server: does not go on without the client's certificate");
		return;
	}
	/*
	 * unsupported-ssl-version and -cipher say "allow"? The server has seen a
	 * ClientHello that was ours: there is nothing left to be relayed.
	 */
	ss_tls_leg_explain(&intercept->server, error, text, sizeof(text));
	fail(intercept, cause, alert, ss_tls_leg_error_alert(error), "server: %s", text);
}

static int certificate_alert(enum smtpsplice_tls_cause cause)
{
	switch (cause) {
	case SMTPSPLICE_TLS_CAUSE_EXPIRED:
		return ALERT_EXPIRED;
	case SMTPSPLICE_TLS_CAUSE_REVOKED:
		return ALERT_REVOKED;
	case SMTPSPLICE_TLS_CAUSE_UNTRUSTED:
		return ALERT_UNKNOWN_CA;
	case SMTPSPLICE_TLS_CAUSE_VALIDATION_TIMEOUT:
		return ALERT_CERT_UNKNOWN;
	default:
		return ALERT_BAD_CERTIFICATE;
	}
}

static const char *certificate_text(enum smtpsplice_tls_cause cause,
				    const struct ss_verify_result *r)
{
	switch (cause) {
	case SMTPSPLICE_TLS_CAUSE_EXPIRED:
		return "it is not valid now";
	case SMTPSPLICE_TLS_CAUSE_REVOKED:
		return "it was revoked";
	case SMTPSPLICE_TLS_CAUSE_UNTRUSTED:
		return "it is of no trusted CA";
	case SMTPSPLICE_TLS_CAUSE_VALIDATION_TIMEOUT:
		return "nobody says whether it was revoked";
	case SMTPSPLICE_TLS_CAUSE_SERVER_NAME:
		return "it is for another name";
	case SMTPSPLICE_TLS_CAUSE_OWN_CA:
		return "it is of the gateway's own CA";
	default:
		return r->detail ?: "it is not valid";
	}
}

static struct ss_creds *get_creds(struct ss_intercept *intercept, gnutls_x509_crt_t original,
				  enum ss_ca_kind kind)
{
	const struct ss_tls_profile *p = &intercept->job.profile;
	bool tls13 = ss_tls_leg_version(&intercept->server) == SS_TLS_LEG_TLS13 &&
		     usable(&intercept->hello.tls13);
	enum ss_mint_key key = tls13 || intercept->hello.tls12.ecdsa ? SS_MINT_ECDSA : SS_MINT_RSA;

	/* There is no other to take for a server that is not good but allowed */
	if (p->cert_mode == SMTPSPLICE_CERT_MODE_REPLACE)
		return ss_mint_replace(&intercept->ctx->mint, p->cert);
	return ss_mint_re_sign(&intercept->ctx->mint, original, intercept->hello.name, kind, key);
}

static void start_client(struct ss_intercept *intercept)
{
	unsigned int versions = ss_tls_leg_version(&intercept->server);
	unsigned int ciphers = ss_tls_leg_cipher(&intercept->server);
	int ret;

	/* Not above the server's leg */
	if (versions == SS_TLS_LEG_TLS13)
		versions |= SS_TLS_LEG_TLS12;
	if (ciphers == SS_TLS_LEG_STRONG)
		ciphers |= SS_TLS_LEG_AES128;
	ret = ss_tls_leg_serve(&intercept->client, &intercept->ctx->legs, versions, ciphers,
			       intercept->creds, intercept->hello.alpn);
	if (ret)
		fail(intercept, SMTPSPLICE_TLS_CAUSE_HELPER, ALERT_INTERNAL, GNUTLS_A_CLOSE_NOTIFY,
		     "client: %s", gnutls_strerror(ret));
	else
		intercept->stage = STAGE_CLIENT;
}

/*
 * The name that the client asked for is not in the certificate: what is told of the
 * session is the name that is. The client gets to see it as well.
 */
static void take_common_name(struct ss_intercept *intercept, gnutls_x509_crt_t crt)
{
	char name[SMTPSPLICE_PATTERN_MAX + 1];
	size_t size = sizeof(name);

	if (!gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name,
					   &size) && *name)
		ss_text_clean_str(SS_TEXT_PRINT, intercept->result.server_name,
				  sizeof(intercept->result.server_name), name);
}

/* Check the certificate, and get the one that the client is shown for it */
static void judge_server(struct ss_intercept *intercept)
{
	const char *name = intercept->job.profile.sni_check == SMTPSPLICE_SNI_CHECK_DISABLE ?
			   NULL : intercept->hello.name;
	enum smtpsplice_tls_action action;
	struct ss_verify_result result;
	enum smtpsplice_tls_cause cause;
	gnutls_datum_t staple = {};

	if (gnutls_ocsp_status_request_get(intercept->server.session, &staple))
		staple.size = 0;
	ss_verify_chain(&intercept->ctx->verify, intercept->server.chain,
			intercept->server.chain_count, &staple, name, &result);
	action = ss_verify_decide(&intercept->job.profile, &result, &cause);
	if (action == SMTPSPLICE_TLS_ACTION_BLOCK) {
		fail(intercept, cause, certificate_alert(cause), certificate_alert(cause),
		     "server's certificate: %s", certificate_text(cause, &result));
		return;
	}
	if (result.failed & SS_VERIFY_BIT(SMTPSPLICE_TLS_CAUSE_SERVER_NAME))
		take_common_name(intercept, intercept->server.chain[0]);
	intercept->creds = get_creds(intercept, intercept->server.chain[0],
				     action == SMTPSPLICE_TLS_ACTION_ALLOW ?
				     SS_CA_UNTRUSTED : SS_CA_TRUSTED);
	if (intercept->creds)
		start_client(intercept);
	else
		fail(intercept, SMTPSPLICE_TLS_CAUSE_HELPER, ALERT_INTERNAL, GNUTLS_A_CLOSE_NOTIFY,
		     "no certificate to show to the client");
}

static bool step_server(struct ss_intercept *intercept, uint64_t now)
{
	int ret;

	if (intercept->ended[SS_INTERCEPT_CLIENT]) {
		fail(intercept, SMTPSPLICE_TLS_CAUSE_CLIENT, SS_TLS_LEG_NO_ALERT,
		     GNUTLS_A_CLOSE_NOTIFY, "client: closed the connection");
		return true;
	}
	ret = ss_tls_leg_handshake(&intercept->server);
	if (ret == GNUTLS_E_AGAIN)
		return false;
	if (ret) {
		server_failed(intercept, ret, now);
		return true;
	}
	if (!ss_dh_is_sound(intercept->server.session)) {
		fail(intercept, SMTPSPLICE_TLS_CAUSE_CIPHER, ALERT_FAILURE,
		     GNUTLS_A_INSUFFICIENT_SECURITY,
		     "server: its Diffie-Hellman group is not that of a safe prime");
		return true;
	}
	if (intercept->server.chain_count)
		judge_server(intercept);
	else
		fail(intercept, SMTPSPLICE_TLS_CAUSE_NEGOTIATION, ALERT_FAILURE,
		     ALERT_BAD_CERTIFICATE, "server: sent no certificate");
	return true;
}

static void server_left(struct ss_intercept *intercept)
{
	/* TLS 1.3: only now does it say that it wanted the certificate */
	if (intercept->server.asked)
		fail(intercept, SMTPSPLICE_TLS_CAUSE_CLIENT_CERTIFICATE, ALERT_FAILURE,
		     SS_TLS_LEG_NO_ALERT,
		     "server: does not go on without the client's certificate");
	else
		fail(intercept, SMTPSPLICE_TLS_CAUSE_SERVER, ALERT_FAILURE, SS_TLS_LEG_NO_ALERT,
		     "server: closed the connection");
}

/* Once a key is in the kernel, GnuTLS is out: no alert can be made any more. */
static void keys_refused(struct ss_intercept *intercept, int error)
{
	fail(intercept, SMTPSPLICE_TLS_CAUSE_HELPER, SS_TLS_LEG_NO_ALERT, SS_TLS_LEG_NO_ALERT,
	     "the kernel did not take the keys: %s", strerror(-error));
}

/* Both are done. All or nothing. */
static void hand_over(struct ss_intercept *intercept)
{
	gnutls_protocol_t version = gnutls_protocol_get_version(intercept->client.session);
	const char *cipher = gnutls_ciphersuite_get(intercept->client.session);
	int ret;

	if (!ss_tls_leg_is_ready(&intercept->client) || !ss_tls_leg_is_ready(&intercept->server)) {
		fail(intercept, SMTPSPLICE_TLS_CAUSE_NEGOTIATION, ALERT_UNEXPECTED,
		     ALERT_UNEXPECTED, "a peer wants what the kernel's TLS does not have");
		return;
	}
	snprintf(intercept->result.version, sizeof(intercept->result.version), "TLSv1.%d",
		 version == GNUTLS_TLS1_3 ? 3 : 2);
	snprintf(intercept->result.cipher, sizeof(intercept->result.cipher), "%s", cipher ?: "");
	ret = ss_ktls_install(intercept->server.fd, intercept->server.session);
	if (ret == -ENOTCONN) {
		server_left(intercept);
		return;
	}
	if (!ret)
		ret = ss_ktls_install(intercept->client.fd, intercept->client.session);
	if (ret) {
		keys_refused(intercept, ret);
		return;
	}
	intercept->result.client = intercept->client.secrets;
	intercept->result.server = intercept->server.secrets;
	ss_tls_leg_release(&intercept->client);
	ss_tls_leg_release(&intercept->server);
	finish(intercept, SMTPSPLICE_TLS_RESULT_INSPECTED, SMTPSPLICE_TLS_CAUSE_NONE);
}

/*
 * A server of TLS 1.3 that needs a certificate says so behind its handshake: by then
 * the kernel would have the session, and could only end it without a word of why. So
 * wait for a word the first time; a server that has none goes on, and will again.
 */
static bool begin_word(struct ss_intercept *intercept, uint64_t now)
{
	if (!intercept->server.asked ||
	    ss_tls_leg_version(&intercept->server) != SS_TLS_LEG_TLS13 ||
	    ss_mtls_servers_has(&intercept->ctx->mtls_optional, &intercept->job,
				intercept->hello.name, now))
		return false;
	intercept->word = now + WORD_MS;
	if (intercept->word > intercept->deadline)
		intercept->word = intercept->deadline;
	intercept->stage = STAGE_WORD;
	return true;
}

static void end_word(struct ss_intercept *intercept, uint64_t now)
{
	ss_mtls_servers_add(&intercept->ctx->mtls_optional, &intercept->job,
			    intercept->hello.name, now);
	hand_over(intercept);
}

static bool step_word(struct ss_intercept *intercept, uint64_t now)
{
	int ret = ss_tls_leg_listen(&intercept->server);

	if (intercept->ended[SS_INTERCEPT_CLIENT])
		fail(intercept, SMTPSPLICE_TLS_CAUSE_CLIENT, SS_TLS_LEG_NO_ALERT,
		     GNUTLS_A_CLOSE_NOTIFY, "client: closed the connection");
	else if (!ret || (ret == GNUTLS_E_AGAIN && now >= intercept->word))
		end_word(intercept, now);
	else if (ret != GNUTLS_E_AGAIN || intercept->ended[SS_INTERCEPT_SERVER])
		server_left(intercept);
	else
		return false;
	return true;
}

static bool step_client(struct ss_intercept *intercept, uint64_t now)
{
	char text[SMTPSPLICE_TEXT_MAX + 1];
	int ret;

	if (intercept->ended[SS_INTERCEPT_SERVER]) {
		server_left(intercept);
		return true;
	}
	ret = ss_tls_leg_handshake(&intercept->client);
	if (ret == GNUTLS_E_AGAIN)
		return false;
	if (!ret) {
		if (!begin_word(intercept, now))
			hand_over(intercept);
		return true;
	}
	ss_tls_leg_explain(&intercept->client, ret, text, sizeof(text));
	fail(intercept, ss_tls_leg_cause(&intercept->client, ret, SMTPSPLICE_TLS_CAUSE_CLIENT),
	     ss_tls_leg_error_alert(ret), GNUTLS_A_CLOSE_NOTIFY, "client: %s", text);
	return true;
}

struct ss_intercept *ss_intercept_new(struct ss_tls_context *ctx, const struct ss_job *job,
				      const int fds[SS_INTERCEPT_SIDES], uint64_t now)
{
	struct ss_intercept *intercept = calloc(1, sizeof(*intercept));
	uint32_t margin = job->timeout / MARGIN_SHARE;

	if (!intercept)
		return NULL;
	intercept->ctx = ctx;
	intercept->job = *job;
	intercept->client.fd = fds[SS_INTERCEPT_CLIENT];
	intercept->server.fd = fds[SS_INTERCEPT_SERVER];
	intercept->deadline = now + job->timeout - (margin < MARGIN_MS ? margin : MARGIN_MS);
	intercept->result.cookie = job->cookie;
	if (ss_tls_profile_exempts_address(&job->profile, job->server, job->server_size))
		bypass(intercept, SMTPSPLICE_TLS_CAUSE_EXEMPT);
	return intercept;
}

void ss_intercept_close(struct ss_intercept *intercept)
{
	ss_cleanup_fd(&intercept->client.fd);
	ss_cleanup_fd(&intercept->server.fd);
}

void ss_intercept_free(struct ss_intercept *intercept)
{
	if (!intercept)
		return;
	if (intercept->stage != STAGE_DONE) {
		ss_tls_leg_hang_up(&intercept->client);
		ss_tls_leg_hang_up(&intercept->server);
	}
	ss_intercept_close(intercept);
	ss_creds_put(intercept->creds);
	gnutls_memset(&intercept->result, 0, sizeof(intercept->result));
	free(intercept);
}

bool ss_intercept_step(struct ss_intercept *intercept, uint64_t now)
{
	bool go_on = true;

	while (go_on && intercept->stage != STAGE_DONE) {
		switch (intercept->stage) {
		case STAGE_HELLO:
			go_on = step_hello(intercept, now);
			break;
		case STAGE_SERVER:
			go_on = step_server(intercept, now);
			break;
		case STAGE_CLIENT:
			go_on = step_client(intercept, now);
			break;
		case STAGE_WORD:
			go_on = step_word(intercept, now);
			break;
		case STAGE_DONE:
			break;
		}
	}
	return intercept->stage == STAGE_DONE;
}

void ss_intercept_ended(struct ss_intercept *intercept, enum ss_intercept_side side)
{
	intercept->ended[side] = true;
}

void ss_intercept_expire(struct ss_intercept *intercept)
{
	static const char *const waits[] = {
		[STAGE_HELLO] = "client: no ClientHello in time",
		[STAGE_SERVER] = "server: handshake not done in time",
		[STAGE_CLIENT] = "client: handshake not done in time",
	};

	if (intercept->stage == STAGE_WORD)
		end_word(intercept, intercept->word);
	else if (intercept->stage != STAGE_DONE)
		fail(intercept, SMTPSPLICE_TLS_CAUSE_TIMEOUT, ALERT_INTERNAL, GNUTLS_A_CLOSE_NOTIFY,
		     "%s", waits[intercept->stage]);
}

uint64_t ss_intercept_deadline(const struct ss_intercept *intercept)
{
	return intercept->stage == STAGE_WORD ? intercept->word : intercept->deadline;
}

const struct ss_tls_result *ss_intercept_result(const struct ss_intercept *intercept)
{
	return &intercept->result;
}
