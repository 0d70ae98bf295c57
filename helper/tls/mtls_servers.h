/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_MTLS_SERVERS_H
#define SS_TLS_MTLS_SERVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "tls/job.h"

#define SS_MTLS_SERVERS_MAX	1024
#define SS_MTLS_SERVERS_MS	3600000u

/**
 * struct ss_mtls_server - A server that has asked for the client's certificate, or that was
 * seen to do without.
 * @id: hash of its address, port and name
 * @until: when to find out anew, see ss_process_now(); 0 is a free place
 */
struct ss_mtls_server {
	uint8_t id[32];
	uint64_t until;
};

/**
 * struct ss_mtls_servers - All such servers, as far as they are remembered.
 * @place: in no order
 */
struct ss_mtls_servers {
	struct ss_mtls_server place[SS_MTLS_SERVERS_MAX];
};

/**
 * ss_mtls_servers_has() - Look for a server.
 * @servers: those that are remembered
 * @job: has its address and port
 * @name: its name (SNI), or ""
 * @now: see ss_process_now()
 *
 * Return: whether it is known to ask.
 */
bool ss_mtls_servers_has(const struct ss_mtls_servers *servers, const struct ss_job *job,
			 const char *name, uint64_t now);

/**
 * ss_mtls_servers_add() - Remember a server.
 * @servers: those that are remembered
 * @job: has its address and port
 * @name: its name (SNI), or ""
 * @now: see ss_process_now()
 */
void ss_mtls_servers_add(struct ss_mtls_servers *servers, const struct ss_job *job,
			 const char *name, uint64_t now);

#endif /* SS_TLS_MTLS_SERVERS_H */
