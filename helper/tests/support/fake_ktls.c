// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel with a tls module that only notes down the keys, and what the real
 * one does with them to a record (RFC 8446 5.2, RFC 5246 6.2.3.3, RFC 5288,
 * RFC 6655, RFC 7905), written from what linux/tls.h calls the fields.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <gnutls/crypto.h>

#include "tests/support/fake_ktls.h"

#define SOL_TLS_	282
#define TAG		16

struct fake_ktls *fake_ktls;

void fake_ktls_reset(void)
{
	if (!fake_ktls)
		fake_ktls = mmap(NULL, sizeof(*fake_ktls), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(fake_ktls, 0, sizeof(*fake_ktls));
}

size_t __wrap_gnutls_record_check_pending(gnutls_session_t session)
{
	if (fake_ktls && atomic_fetch_add(&fake_ktls->looks, 1) + 1 ==
			 atomic_load(&fake_ktls->pending_at))
		return 1;
	return __real_gnutls_record_check_pending(session);
}

static void read_ports(int fd, uint16_t *port, uint16_t *peer_port)
{
	struct sockaddr_in a = {};
	socklen_t len = sizeof(a);

	getsockname(fd, (struct sockaddr *)&a, &len);
	*port = ntohs(a.sin_port);
	len = sizeof(a);
	getpeername(fd, (struct sockaddr *)&a, &len);
	*peer_port = ntohs(a.sin_port);
}

struct fake_ktls_sock *fake_ktls_find(int fd)
{
	uint16_t port, peer_port;

	read_ports(fd, &port, &peer_port);
	for (unsigned int i = atomic_load(&fake_ktls->count); i-- > 0;)
		if (fake_ktls->sock[i].port == port &&
		    fake_ktls->sock[i].peer_port == peer_port)
			return &fake_ktls->sock[i];
	return NULL;
}

static bool is_established(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state == TCP_ESTABLISHED;
}

static int note_keys(int fd, int dir, const void *value, socklen_t len)
{
	struct fake_ktls_sock *sock = fake_ktls_find(fd);

	if (!sock || !sock->ulp || len > sizeof(sock->keys[dir].info)) {
		errno = EINVAL;
		return -1;
	}
	if (sock->times[dir]++) {
		errno = EBUSY;
		return -1;
	}
	memcpy(&sock->keys[dir].info, value, len);
	sock->keys[dir].len = len;
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	struct fake_ktls_sock *sock;

	if (!fake_ktls || ((level != SOL_TCP || name != TCP_ULP) && level != SOL_TLS_))
		return __real_setsockopt(fd, level, name, value, len);
	if (atomic_fetch_add(&fake_ktls->calls, 1) + 1 == atomic_load(&fake_ktls->fail_at)) {
		errno = ENOPROTOOPT;
		return -1;
	}
	if (level == SOL_TLS_)
		return note_keys(fd, name == TLS_RX, value, len);
	assert_true(len >= 3 && !memcmp(value, "tls", 3));
	if (!is_established(fd)) {
		errno = ENOTCONN;
		return -1;
	}
	sock = &fake_ktls->sock[atomic_load(&fake_ktls->count)];
	read_ports(fd, &sock->port, &sock->peer_port);
	sock->ulp = true;
	atomic_fetch_add(&fake_ktls->count, 1);
	return 0;
}

/* The fields of the structure */
struct fields {
	gnutls_cipher_algorithm_t cipher;
	uint8_t *key, *iv, *salt, *seq;
	size_t key_size, iv_size, salt_size;
};

static struct fields gcm_fields(gnutls_cipher_algorithm_t cipher, uint8_t *iv, size_t key_size)
{
	/* iv, key, salt and rec_seq follow each other in all that have a salt */
	return (struct fields){
		.cipher = cipher, .iv = iv, .iv_size = 8, .key = iv + 8,
		.key_size = key_size, .salt = iv + 8 + key_size, .salt_size = 4,
		.seq = iv + 8 + key_size + 4,
	};
}

static struct fields get_fields(struct ss_ktls_keys *k)
{
	switch (k->info.head.cipher_type) {
	case TLS_CIPHER_AES_GCM_128:
		return gcm_fields(GNUTLS_CIPHER_AES_128_GCM, k->info.gcm128.iv, 16);
	case TLS_CIPHER_AES_GCM_256:
		return gcm_fields(GNUTLS_CIPHER_AES_256_GCM, k->info.gcm256.iv, 32);
	case TLS_CIPHER_AES_CCM_128:
		return gcm_fields(GNUTLS_CIPHER_AES_128_CCM, k->info.ccm128.iv, 16);
	}
	assert_int_equal(k->info.head.cipher_type, TLS_CIPHER_CHACHA20_POLY1305);
	return (struct fields){
		.cipher = GNUTLS_CIPHER_CHACHA20_POLY1305, .iv = k->info.chacha.iv,
		.iv_size = 12, .key = k->info.chacha.key, .key_size = 32,
		.seq = k->info.chacha.rec_seq,
	};
}

static bool is_tls13(const struct ss_ktls_keys *k)
{
	return k->info.head.version == TLS_1_3_VERSION;
}

/* Whether the nonce's second part goes with each record */
static bool is_explicit(const struct ss_ktls_keys *k, const struct fields *f)
{
	return !is_tls13(k) && f->salt;
}

static void make_nonce(const struct ss_ktls_keys *k, const struct fields *f,
		       uint8_t nonce[12])
{
	if (f->salt)
		memcpy(nonce, f->salt, f->salt_size);
	memcpy(nonce + f->salt_size, f->iv, f->iv_size);
	if (!is_explicit(k, f))
		for (int i = 0; i < 8; i++)
			nonce[4 + i] ^= f->seq[i];
}

static void count_up(uint8_t n[8])
{
	for (int i = 7; i >= 0 && !++n[i]; i--)
		;
}

static size_t make_aad(const struct ss_ktls_keys *k, const struct fields *f,
		       const uint8_t *record, size_t text_len, uint8_t aad[13])
{
	if (is_tls13(k)) {
		memcpy(aad, record, 5);
		return 5;
	}
	memcpy(aad, f->seq, 8);
	memcpy(aad + 8, record, 3);
	aad[11] = text_len >> 8;
	aad[12] = text_len;
	return 13;
}

size_t fake_ktls_seal(struct ss_ktls_keys *k, uint8_t *record, uint8_t type,
		      const void *text, size_t len)
{
	struct fields f = get_fields(k);
	gnutls_datum_t key = { f.key, f.key_size };
	uint8_t nonce[12], aad[13], plain[2048];
	size_t head = is_explicit(k, &f) ? 8 : 0, plain_len = len, out, aad_len;
	gnutls_aead_cipher_hd_t cipher;

	memcpy(plain, text, len);
	if (is_tls13(k))
		plain[plain_len++] = type;
	record[0] = is_tls13(k) ? 23 : type;
	record[1] = 3;
	record[2] = 3;
	record[3] = (head + plain_len + TAG) >> 8;
	record[4] = head + plain_len + TAG;
	make_nonce(k, &f, nonce);
	memcpy(record + 5, f.iv, head);
	aad_len = make_aad(k, &f, record, plain_len, aad);
	assert_int_equal(gnutls_aead_cipher_init(&cipher, f.cipher, &key), 0);
	out = plain_len + TAG;
	assert_int_equal(gnutls_aead_cipher_encrypt(cipher, nonce, 12, aad, aad_len, TAG,
						    plain, plain_len, record + 5 + head,
						    &out), 0);
	gnutls_aead_cipher_deinit(cipher);
	count_up(f.seq);
	if (head)
		count_up(f.iv);
	return 5 + head + out;
}

size_t fake_ktls_open(struct ss_ktls_keys *k, const uint8_t *record, size_t len,
		      uint8_t *type, void *text)
{
	struct fields f = get_fields(k);
	gnutls_datum_t key = { f.key, f.key_size };
	size_t head = is_explicit(k, &f) ? 8 : 0, out = len, aad_len;
	gnutls_aead_cipher_hd_t cipher;
	uint8_t nonce[12], aad[13], *plain = text;

	make_nonce(k, &f, nonce);
	if (head)
		memcpy(nonce + 4, record + 5, 8);
	aad_len = make_aad(k, &f, record, len - 5 - head - TAG, aad);
	assert_int_equal(gnutls_aead_cipher_init(&cipher, f.cipher, &key), 0);
	assert_int_equal(gnutls_aead_cipher_decrypt(cipher, nonce, 12, aad, aad_len, TAG,
						    record + 5 + head, len - 5 - head,
						    plain, &out), 0);
	gnutls_aead_cipher_deinit(cipher);
	count_up(f.seq);
	*type = record[0];
	if (!is_tls13(k))
		return out;
	while (out && !plain[out - 1])
		out--;
	*type = plain[--out];
	return out;
}
