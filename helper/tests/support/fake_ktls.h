/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_FAKE_KTLS_H
#define SS_TESTS_SUPPORT_FAKE_KTLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tls/ktls.h"

#define FAKE_KTLS_MAX	4096

/* A socket that was given keys, by its TCP ports */
struct fake_ktls_sock {
	uint16_t port, peer_port;
	bool ulp;
	unsigned int times[2];		/* that keys were set: sending, receiving */
	struct ss_ktls_keys keys[2];
};

/* Shared with children */
struct fake_ktls {
	atomic_uint count;
	atomic_uint calls;
	atomic_uint fail_at;		/* the call that fails, from 1 on; 0 is none */
	atomic_uint looks;		/* for what GnuTLS holds back */
	atomic_uint pending_at;		/* the look that finds something, as fail_at */
	struct fake_ktls_sock sock[FAKE_KTLS_MAX];
};

extern struct fake_ktls *fake_ktls;

void fake_ktls_reset(void);
/* The keys of the socket, as it is seen from here, or NULL */
struct fake_ktls_sock *fake_ktls_find(int fd);
/* By the linker: --wrap=setsockopt */
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
/* By the linker as well: no peer can have GnuTLS hold something back, so far */
size_t __real_gnutls_record_check_pending(gnutls_session_t session);
size_t __wrap_gnutls_record_check_pending(gnutls_session_t session);

/* Seal and open a record of one connection by hand. Return: octets. */
size_t fake_ktls_seal(struct ss_ktls_keys *keys, uint8_t *record, uint8_t type,
		      const void *text, size_t len);
size_t fake_ktls_open(struct ss_ktls_keys *keys, const uint8_t *record, size_t len,
		      uint8_t *type, void *text);

#endif /* SS_TESTS_SUPPORT_FAKE_KTLS_H */
