// SPDX-License-Identifier: GPL-2.0
/*
 * Servers that have asked for the client's certificate. That cannot be given to
 * them from the middle, so where the profile says so, later sessions with them
 * are bypassed. It can only be found out by a handshake, hence the memory.
 */
#include <ctype.h>
#include <string.h>

#include <gnutls/crypto.h>

#include "tls/mtls_servers.h"

static bool make_id(uint8_t id[32], const struct ss_job *job, const char *name)
{
	uint8_t buf[sizeof(job->server) + 3 + SMTPSPLICE_PATTERN_MAX] = {};
	size_t len = 0;

	memcpy(buf, job->server, job->server_size);
	len += sizeof(job->server);
	buf[len++] = job->server_size;
	buf[len++] = job->server_port >> 8;
	buf[len++] = job->server_port;
	while (*name && len < sizeof(buf))
		buf[len++] = tolower((unsigned char)*name++);
	return !gnutls_hash_fast(GNUTLS_DIG_SHA256, buf, len, id);
}

bool ss_mtls_servers_has(const struct ss_mtls_servers *servers, const struct ss_job *job,
			 const char *name, uint64_t now)
{
	uint8_t id[32];

	if (!make_id(id, job, name))
		return false;
	for (int i = 0; i < SS_MTLS_SERVERS_MAX; i++)
		if (servers->place[i].until > now &&
		    !memcmp(servers->place[i].id, id, sizeof(id)))
			return true;
	return false;
}

void ss_mtls_servers_add(struct ss_mtls_servers *servers, const struct ss_job *job,
			 const char *name, uint64_t now)
{
	struct ss_mtls_server *at = servers->place;
	uint8_t id[32];

	if (!make_id(id, job, name))
		return;
	/* The server's own place, or the one that ends first */
	for (int i = 0; i < SS_MTLS_SERVERS_MAX; i++) {
		struct ss_mtls_server *a = &servers->place[i];

		if (a->until && !memcmp(a->id, id, sizeof(id))) {
			at = a;
			break;
		}
		if (a->until < at->until)
			at = a;
	}
	memcpy(at->id, id, sizeof(id));
	at->until = now + SS_MTLS_SERVERS_MS;
}
