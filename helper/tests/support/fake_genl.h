/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_FAKE_GENL_H
#define SS_TESTS_SUPPORT_FAKE_GENL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/smtpsplice.h>

#define FAKE_REQUESTS	64
#define FAKE_AV_SIZE	16384
#define FAKE_MAIL_SIZE	8192
#define FAKE_HANDSHAKES	2048
#define FAKE_SECRETS_SIZE 96
/* Sockets of a client and of a server, in the process that made the fake */
#define FAKE_CLIENT_FD	200
#define FAKE_SERVER_FD	201

enum fake_state { FAKE_NONE, FAKE_QUEUED, FAKE_HANDED, FAKE_ANSWERED };

/**
 * struct fake_request - A scan request of the kernel that is not there.
 * @state: where it is
 * @fd: the message, in the process that made the fake and its children
 * @size: its length
 * @timeout: milliseconds
 * @attempt: how often it was handed out
 * @av: attributes of the AV profile, put in where @av_len is not 0
 * @av_len: octets of them
 * @splice: the server has most of it
 * @refuse: so many verdicts are refused
 * @verdicts: how many came
 * @verdict: the answer, with @reply, @virus, @file, @tag, @unscanned, @infected
 * @replacement: what is to go on instead, with @replacement_len, 0 for nothing
 */
struct fake_request {
	_Atomic int state;
	int fd;
	uint64_t size;
	uint32_t timeout;
	uint32_t attempt;
	uint8_t av[FAKE_AV_SIZE];
	size_t av_len;
	bool splice;
	uint32_t refuse;
	uint32_t verdicts;
	uint32_t verdict;
	uint32_t unscanned;
	bool infected;
	char tag[SMTPSPLICE_REPLY_MAX + 1];
	char replacement[FAKE_MAIL_SIZE];
	ssize_t replacement_len;
	char reply[SMTPSPLICE_REPLY_MAX + 1];
	char virus[SMTPSPLICE_TEXT_MAX + 1];
	char file[SMTPSPLICE_TEXT_MAX + 1];
};

/**
 * struct fake_secrets - The traffic secrets of a leg, as they came.
 * @octets: that of receiving, and that of sending behind it
 * @len: octets of both, 0 where there are none
 */
struct fake_secrets {
	uint8_t octets[FAKE_SECRETS_SIZE];
	int len;
};

/**
 * struct fake_handshake - A pair of handshakes that the kernel that is not there
 * wants done.
 * @state: where it is
 * @timeout: milliseconds
 * @result: the answer, with @cause, @server_name, @version, @cipher, @text
 * @client: traffic secrets of the client's leg
 * @server: traffic secrets of the server's leg
 */
struct fake_handshake {
	_Atomic int state;
	uint32_t timeout;
	uint32_t result;
	uint32_t cause;
	char server_name[SMTPSPLICE_PATTERN_MAX + 1];
	char version[SMTPSPLICE_NAME_MAX + 1];
	char cipher[SMTPSPLICE_TEXT_MAX + 1];
	char text[SMTPSPLICE_TEXT_MAX + 1];
	struct fake_secrets client;
	struct fake_secrets server;
};

/**
 * struct fake_profile - The one profile of a class that the kernel which is not there
 * has.
 * @cmd: the command that brought it, 0 where there is none
 * @name: its name
 * @attrs: what it says
 * @len: octets of @attrs
 */
struct fake_profile {
	int cmd;
	char name[SMTPSPLICE_NAME_MAX + 1];
	char attrs[65536];
	int len;
};

/**
 * struct fake_said - Attributes that were sent, or are to be.
 * @cmd: the command that they belong to, 0 where there are none
 * @attrs: them
 * @len: octets of @attrs
 */
struct fake_said {
	int cmd;
	char attrs[16384];
	int len;
};

/**
 * struct fake - The kernel that is not there, in shared memory.
 * @registered: the helper's pid
 * @roles: what it registered for
 * @busy: another helper is registered
 * @late: verdicts and handshakes come too late
 * @refuse: no handshakes are inspected
 * @bell: rings
 * @tls_bell: the rings are for handshakes as well
 * @handed: handshakes that were handed out
 * @req: the requests
 * @hs: the handshakes
 * @profile: the TLS profile
 * @av: the AV profile
 * @said: the policy or the settings that came last; they are listed as well
 * @changes: so many lists will have changed under way
 * @event: the next ring brings it, and SIGTERM behind it
 */
struct fake {
	_Atomic pid_t registered;
	_Atomic uint32_t roles;
	_Atomic bool busy;
	_Atomic bool late;
	_Atomic bool refuse;
	int bell;
	_Atomic bool tls_bell;
	_Atomic int handed;
	struct fake_request req[FAKE_REQUESTS];
	struct fake_handshake hs[FAKE_HANDSHAKES];
	struct fake_profile profile;
	struct fake_profile av;
	struct fake_said said;
	int changes;
	struct fake_said event;
};

extern struct fake *fake;

void fake_make(void);
void fake_ring(void);

#endif /* SS_TESTS_SUPPORT_FAKE_GENL_H */
