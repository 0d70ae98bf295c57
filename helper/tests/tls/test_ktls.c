// SPDX-License-Identifier: GPL-2.0
/*
 * Where the keys go. That they are the right ones, test_pair shows by what can be
 * read with them.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "tests/support/fake_ktls.h"
#include "tests/support/peer.h"

static struct peer client, server;
static struct pki leaf;

static void shake(const char *priority)
{
	int fds[2];

	peer_connect(fds);
	peer_client(&client, fds[0], priority, NULL);
	peer_server(&server, fds[1], priority, &leaf, 1);
	while (!client.done || !server.done) {
		peer_step(&client);
		peer_step(&server);
		assert_false(client.error || server.error);
	}
}

static void finish(void)
{
	peer_free(&client);
	peer_free(&server);
}

struct row {
	const char *priority;
	uint16_t version, type;
	size_t len, iv, iv_size, key, key_size, salt, seq;
};

#define V12 "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+"
#define V13 "NORMAL:-VERS-ALL:+VERS-TLS1.3:%NO_TICKETS:-CIPHER-ALL:+"

static const struct row rows[] = {
	{ V12 "AES-128-GCM", 0x303, 51, 40, 4, 8, 12, 16, 28, 32 },
	{ V12 "AES-256-GCM", 0x303, 52, 56, 4, 8, 12, 32, 44, 48 },
	{ V12 "AES-128-CCM", 0x303, 53, 40, 4, 8, 12, 16, 28, 32 },
	{ V12 "CHACHA20-POLY1305", 0x303, 54, 56, 4, 12, 16, 32, 0, 48 },
	{ V13 "AES-128-GCM", 0x304, 51, 40, 4, 8, 12, 16, 28, 32 },
	{ V13 "AES-256-GCM", 0x304, 52, 56, 4, 8, 12, 32, 44, 48 },
	{ V13 "AES-128-CCM", 0x304, 53, 40, 4, 8, 12, 16, 28, 32 },
	{ V13 "CHACHA20-POLY1305", 0x304, 54, 56, 4, 12, 16, 32, 0, 48 },
};

static void check_row(const struct row *row, gnutls_session_t session, bool receive)
{
	gnutls_datum_t mac, iv, key;
	struct ss_ktls_keys keys;
	uint8_t *at = (uint8_t *)&keys.info;
	unsigned char seq[8];

	assert_int_equal(gnutls_record_get_state(session, receive, &mac, &iv, &key, seq), 0);
	assert_int_equal(ss_ktls_export(&keys, session, receive), 0);
	assert_int_equal(keys.len, row->len);
	assert_memory_equal(at, &row->version, 2);
	assert_memory_equal(at + 2, &row->type, 2);
	assert_int_equal(key.size, row->key_size);
	assert_memory_equal(at + row->key, key.data, key.size);
	assert_memory_equal(at + row->seq, seq, 8);
	/* One record, Finished, in TLS 1.2; none under these keys in TLS 1.3 */
	assert_memory_equal(seq, row->version == 0x303 ? "\0\0\0\0\0\0\0\1" :
			    "\0\0\0\0\0\0\0\0", 8);
	if (!row->salt) {
		assert_memory_equal(at + row->iv, iv.data, 12);
		return;
	}
	assert_memory_equal(at + row->salt, iv.data, 4);
	if (row->version == 0x303)
		assert_memory_equal(at + row->iv, seq, 8);
	else
		assert_memory_equal(at + row->iv, iv.data + 4, 8);
}

static void lays_out_the_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ss_ktls_keys a, b;

		shake(rows[i].priority);
		for (int receive = 0; receive < 2; receive++) {
			check_row(&rows[i], client.session, receive);
			check_row(&rows[i], server.session, receive);
			/* What one sends with, the other receives with */
			ss_ktls_export(&a, client.session, receive);
			ss_ktls_export(&b, server.session, !receive);
			assert_memory_equal(&a, &b, sizeof(a));
		}
		finish();
	}
}

static void refuses_what_the_kernel_has_not(void **state)
{
	static const char *const priorities[] = {
		V12 "AES-128-CBC", V12 "AES-128-CCM-8", V13 "AES-128-CCM-8",
	};
	struct ss_ktls_keys keys;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(priorities); i++) {
		shake(priorities[i]);
		assert_int_equal(ss_ktls_export(&keys, client.session, false), -EOPNOTSUPP);
		assert_int_equal(ss_ktls_install(client.fd, client.session), -EOPNOTSUPP);
		finish();
	}
}

static void installs_once_each(void **state)
{
	struct fake_ktls_sock *sock;

	(void)state;
	shake(V13 "AES-128-GCM");
	assert_int_equal(ss_ktls_install(client.fd, client.session), 0);
	sock = fake_ktls_find(client.fd);
	assert_non_null(sock);
	assert_int_equal(sock->times[0], 1);
	assert_int_equal(sock->times[1], 1);
	assert_int_equal(atomic_load(&fake_ktls->calls), 3);
	for (int i = 1; i <= 3; i++) {
		fake_ktls_reset();
		atomic_store(&fake_ktls->fail_at, i);
		assert_int_equal(ss_ktls_install(client.fd, client.session), -ENOPROTOOPT);
		assert_int_equal(atomic_load(&fake_ktls->calls), i);
	}
	finish();
}

static int setup(void **state)
{
	(void)state;
	fake_ktls_reset();
	return 0;
}

static int group_setup(void **state)
{
	(void)state;
	pki_make(&leaf, &(struct pki_spec){}, NULL);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	pki_free(&leaf);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lays_out_the_keys, setup),
		cmocka_unit_test_setup(refuses_what_the_kernel_has_not, setup),
		cmocka_unit_test_setup(installs_once_each, setup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
