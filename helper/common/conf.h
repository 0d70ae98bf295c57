/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_COMMON_CONF_H
#define SS_COMMON_CONF_H

#include <stdbool.h>
#include <stdint.h>

#define SS_STATE_FILE	"/run/smtpsplice/engine.json"

/* The default limits of the quarantine */
#define SS_QUARANTINE_QUOTA	(1024ull << 20)
#define SS_QUARANTINE_AGE	720

/**
 * struct ss_quarantine_limits - How much is kept. Read-only once parsed.
 * @quota: bytes of all files, each in whole blocks; 0 is no limit
 * @max_size: bytes of a message; 0 is no limit
 * @max_age: hours until a message is removed; 0 is never
 * @keep_free: bytes of the file system that have to stay free; 0 is the default,
 *   the lesser of 64 MB and 5 %
 * @overwrite: where there is no room the oldest go, not the new one
 */
struct ss_quarantine_limits {
	uint64_t quota;
	uint64_t max_size;
	uint32_t max_age;
	uint64_t keep_free;
	bool overwrite;
};

/**
 * struct ss_conf - What the command line says. Read-only once parsed.
 * @database: folder of signatures
 * @log: log file, "-" is stderr
 * @quarantine: folder for infected messages, or NULL
 * @quarantine_limits: how much of them is kept
 * @tmpdir: folder for what libclamav unpacks; the supervisor's own
 * @reply: template of the reply to an infected message
 * @workers: number of scan workers
 * @ca_dir: folder of the CAs that sign what clients see
 * @cert_dir: folder of certificates and keys for the mode replace
 * @trust: PEM bundle of CAs that servers' certificates may come from, or NULL
 *   for those that the system trusts
 * @crl: PEM file of CRLs, or NULL
 * @state: file that tells of the engine, or NULL for none
 * @reload: seconds between two looks whether the database has changed, 0 for
 *   none
 */
struct ss_conf {
	const char *database;
	const char *log;
	const char *quarantine;
	struct ss_quarantine_limits quarantine_limits;
	const char *tmpdir;
	const char *reply;
	unsigned int workers;
	const char *ca_dir;
	const char *cert_dir;
	const char *trust;
	const char *crl;
	const char *state;
	unsigned int reload;
};

/* Exit statuses of smtpspliced and of its processes */
enum {
	SS_EXIT_OK	= 0,
	SS_EXIT_USAGE	= 2,	/* told in one line; trying again is no use */
	SS_EXIT_AGAIN	= 3,	/* between processes: start me again */
};

#endif /* SS_COMMON_CONF_H */
