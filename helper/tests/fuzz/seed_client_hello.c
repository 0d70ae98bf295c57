// SPDX-License-Identifier: GPL-2.0
/*
 * seed_hello DIR: ClientHellos of GnuTLS of all kinds, for fuzz_hello to begin
 * with. They are made and not kept, as they are binary.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "lib/cleanup.h"

#define RECORD_HEADER	5
#define HELLO_MAX	4096

static uint8_t hello[HELLO_MAX];
static size_t hello_len;

static void must(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "seed_hello: %s\n", what);
	exit(1);
}

static ssize_t keep(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	(void)ptr;
	must(hello_len + len <= sizeof(hello), "a ClientHello is too long");
	memcpy(hello + hello_len, data, len);
	hello_len += len;
	return len;
}

static ssize_t nothing(gnutls_transport_ptr_t session, void *data, size_t len)
{
	(void)data;
	(void)len;
	gnutls_transport_set_errno(session, EAGAIN);
	return -1;
}

static void make(const char *priority, const char *name, const char *alpn)
{
	gnutls_datum_t protocol = { (unsigned char *)alpn, alpn ? strlen(alpn) : 0 };
	gnutls_certificate_credentials_t cred;
	gnutls_session_t session;

	hello_len = 0;
	must(!gnutls_certificate_allocate_credentials(&cred) &&
	     !gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK) &&
	     !gnutls_priority_set_direct(session, priority, NULL) &&
	     !gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, cred), priority);
	if (name)
		must(!gnutls_server_name_set(session, GNUTLS_NAME_DNS, name, strlen(name)), name);
	if (alpn)
		must(!gnutls_alpn_set_protocols(session, &protocol, 1, 0), alpn);
	gnutls_transport_set_ptr(session, session);
	gnutls_transport_set_push_function(session, keep);
	gnutls_transport_set_pull_function(session, nothing);
	must(gnutls_handshake(session) == GNUTLS_E_AGAIN && hello_len > RECORD_HEADER,
	     "no ClientHello");
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(cred);
}

static void write_record(FILE *f, size_t from, size_t len)
{
	const uint8_t header[] = { 22, 3, 1, len >> 8, len };

	fwrite(header, sizeof(header), 1, f);
	fwrite(hello + from, len, 1, f);
}

/* @cut: where the first record ends, 0 is nowhere */
static void save(const char *dir, int number, size_t cut)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/seed-%d-%zu", dir, number, cut);
	f = fopen(path, "w");
	must(!!f, path);
	if (cut)
		write_record(f, RECORD_HEADER, cut);
	write_record(f, RECORD_HEADER + cut, hello_len - RECORD_HEADER - cut);
	must(!fclose(f), path);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *priority, *name, *alpn;
	} rows[] = {
		{ "NORMAL", "mx.example.com", NULL },
		{ "NORMAL", NULL, "smtp" },
		{ "NORMAL", "_25._tcp.MX-1.example.com", "h2" },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.3", "mx.example.com", "smtp" },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.2", "mx.example.com", "smtp" },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM:%NO_EXTENSIONS", NULL,
		  NULL },
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.1", "mx.example.com", NULL },
	};

	must(argc == 2, "no folder is named");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make(rows[i].priority, rows[i].name, rows[i].alpn);
		save(argv[1], i, 0);
		save(argv[1], i, 1);
		save(argv[1], i, 40);
	}
	return 0;
}
