// SPDX-License-Identifier: GPL-2.0
/*
 * Clients and servers to shake hands with, by GnuTLS, in steps.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/abstract.h>

#include "tests/support/peer.h"

#define WAIT_MS	30000	/* for what has to come, or the test has failed */

void peer_connect(int fds[2])
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&addr, len), 0);
	fds[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fds[1] >= 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	close(listener);
}

void peer_wait(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
}

/* Keep what is sent, to have it go in one segment */
static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t len)
{
	struct peer *p = ptr;

	assert_true(p->out_len + len <= sizeof(p->out));
	memcpy(p->out + p->out_len, data, len);
	p->out_len += len;
	return len;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
	struct peer *p = ptr;
	ssize_t n = recv(p->fd, data, len, 0);

	if (n < 0)
		gnutls_transport_set_errno(p->session, errno);
	return n;
}

static void flush(struct peer *p)
{
	size_t at = 0;

	while (at < p->out_len) {
		ssize_t n = send(p->fd, p->out + at, p->out_len - at, MSG_NOSIGNAL);

		if (n > 0)
			at += n;
		else if (errno == EAGAIN)
			peer_wait(p->fd, POLLOUT);
		else
			break;
	}
	p->out_len = 0;
}

static void start(struct peer *p, int fd, unsigned int role, const char *priority)
{
	memset(p, 0, sizeof(*p));
	p->fd = fd;
	assert_int_equal(gnutls_init(&p->session, role | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL), 0);
	assert_int_equal(gnutls_priority_set_direct(p->session, priority, NULL), 0);
	assert_int_equal(gnutls_certificate_allocate_credentials(&p->cred), 0);
	assert_int_equal(gnutls_credentials_set(p->session, GNUTLS_CRD_CERTIFICATE, p->cred), 0);
	gnutls_transport_set_ptr(p->session, p);
	gnutls_transport_set_push_function(p->session, push);
	gnutls_transport_set_pull_function(p->session, pull);
	gnutls_handshake_set_timeout(p->session, 0);
}

void peer_client(struct peer *p, int fd, const char *priority, const char *name)
{
	start(p, fd, GNUTLS_CLIENT, priority);
	if (name)
		assert_int_equal(gnutls_server_name_set(p->session, GNUTLS_NAME_DNS, name,
							strlen(name)), 0);
}

/* The key of a server that has none for what it shows: it signs with what is so long */
static int sign_long(gnutls_privkey_t key, gnutls_sign_algorithm_t algo, void *arg,
		     unsigned int flags, const gnutls_datum_t *data, gnutls_datum_t *signature)
{
	const struct pki *leaf = arg;

	(void)key;
	(void)algo;
	(void)flags;
	(void)data;
	signature->size = leaf->modulus / 8;
	signature->data = gnutls_malloc(signature->size);
	memset(signature->data, 0x55, signature->size);
	return 0;
}

static int get_key_info(gnutls_privkey_t key, unsigned int flags, void *arg)
{
	const struct pki *leaf = arg;

	(void)key;
	if (flags & GNUTLS_PRIVKEY_INFO_HAVE_SIGN_ALGO)
		return 1;
	if (flags & GNUTLS_PRIVKEY_INFO_PK_ALGO_BITS)
		return leaf->modulus;
	return GNUTLS_PK_RSA;
}

static gnutls_privkey_t get_key(const struct pki *leaf)
{
	gnutls_privkey_t key;

	assert_int_equal(gnutls_privkey_init(&key), 0);
	if (leaf->modulus)
		assert_int_equal(gnutls_privkey_import_ext4(key, (void *)leaf, sign_long,
							    sign_long, NULL, NULL,
							    get_key_info, 0), 0);
	else
		assert_int_equal(gnutls_privkey_import_x509(key, leaf->key,
							    GNUTLS_PRIVKEY_IMPORT_COPY), 0);
	return key;
}

/* As they are: gnutls_certificate_set_x509_key() would put them in order, and drop some */
void peer_server(struct peer *p, int fd, const char *priority, const struct pki *chain,
		 unsigned int count)
{
	gnutls_pcert_st shown[PEER_CHAIN_MAX];

	assert_non_null(chain);
	assert_true(count <= PEER_CHAIN_MAX);
	start(p, fd, GNUTLS_SERVER, priority);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(gnutls_pcert_import_x509(&shown[i], chain[i].crt, 0), 0);
	/* Whoever shows a certificate need not have its key */
	gnutls_certificate_set_flags(p->cred, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	assert_true(gnutls_certificate_set_key(p->cred, NULL, 0, shown, count,
					       get_key(&chain[0])) >= 0);
}

void peer_alpn(struct peer *p, const char *const *names, unsigned int count)
{
	gnutls_datum_t list[8];

	for (unsigned int i = 0; i < count; i++)
		list[i] = (gnutls_datum_t){ (unsigned char *)names[i], strlen(names[i]) };
	assert_int_equal(gnutls_alpn_set_protocols(p->session, list, count, 0), 0);
}

void peer_step(struct peer *p)
{
	int ret;

	if (p->done || p->error)
		return;
	do {
		ret = gnutls_handshake(p->session);
	} while (ret < 0 && ret != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(ret));
	p->done = !ret;
	if (ret && ret != GNUTLS_E_AGAIN) {
		gnutls_alert_send_appropriate(p->session, ret);
		p->error = ret;
	}
	if (p->done && p->first)
		gnutls_record_send(p->session, p->first, strlen(p->first));
	flush(p);
}

void peer_send(struct peer *p, const char *text)
{
	assert_int_equal(gnutls_record_send(p->session, text, strlen(text)), strlen(text));
	flush(p);
}

ssize_t peer_receive(struct peer *p, char *text, size_t size)
{
	for (;;) {
		ssize_t n = gnutls_record_recv(p->session, text, size);

		if (n != GNUTLS_E_AGAIN)
			return n;
		peer_wait(p->fd, POLLIN);
	}
}

void peer_free(struct peer *p)
{
	if (p->session)
		gnutls_deinit(p->session);
	if (p->cred)
		gnutls_certificate_free_credentials(p->cred);
	if (p->fd >= 0)
		close(p->fd);
	memset(p, 0, sizeof(*p));
	p->fd = -1;
}

static void read_all(int fd, uint8_t *buf, size_t len)
{
	while (len) {
		ssize_t n = recv(fd, buf, len, 0);

		if (n < 0 && errno == EAGAIN) {
			peer_wait(fd, POLLIN);
			continue;
		}
		assert_true(n > 0);
		buf += n;
		len -= n;
	}
}

size_t peer_read_record(int fd, uint8_t *record, size_t size)
{
	size_t len;

	read_all(fd, record, 5);
	len = record[3] << 8 | record[4];
	assert_true(5 + len <= size);
	read_all(fd, record + 5, len);
	return 5 + len;
}
