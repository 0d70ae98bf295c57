// SPDX-License-Identifier: GPL-2.0
/*
 * The next keys of TLS 1.3. The helper has gone when a peer wants new ones, so
 * that it leaves the secrets from which they are derived.
 *
 * The kernel leaves it to the user of its TLS that a key has to change, and to
 * what. setsockopt() takes a second key only from 6.14 on, and none from within
 * the kernel without a complaint of FORTIFY_SOURCE (it copies the key behind the
 * field that it has the address of). So the key is put where setsockopt() would:
 * between two records the context is at rest, and all calls are the session's.
 */
#include <crypto/aead.h>
#include <crypto/hash.h>
#include <net/sock.h>
#include <net/tls.h>

#include "rekey.h"

/* Length of the longest label. */
#define LABEL_MAX	12
#define PREFIX		"tls13 "
#define PREFIX_LEN	6
#define NONCE_LEN	12
#define KEY_MAX		32

int ss_rekey_expand(const u8 *secret, u8 secret_len, const char *label,
		    u8 *out, u8 len)
{
	u8 info[3 + PREFIX_LEN + LABEL_MAX + 2], hash[SS_SECRET_MAX];
	struct crypto_shash *tfm;
	size_t n = strlen(label);
	u8 *p = info;
	int err;

	if (n > LABEL_MAX || len > secret_len || secret_len > sizeof(hash))
		return -EINVAL;
	tfm = crypto_alloc_shash(secret_len == SS_SECRET_MAX ? "hmac(sha384)" :
				 "hmac(sha256)", 0, 0);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	err = -EINVAL;
	if (crypto_shash_digestsize(tfm) != secret_len)
		goto out;
	*p++ = 0;
	*p++ = len;
	*p++ = PREFIX_LEN + n;
	memcpy(p, PREFIX, PREFIX_LEN);
	p += PREFIX_LEN;
	memcpy(p, label, n);
	p += n;
	*p++ = 0;	/* context: empty */
	*p++ = 1;	/* HKDF-Expand (RFC 5869 2.3): the first block is enough */
	err = crypto_shash_setkey(tfm, secret, secret_len) ?:
	      crypto_shash_tfm_digest(tfm, info, p - info, hash);
	if (!err)
		memcpy(out, hash, len);
	memzero_explicit(hash, sizeof(hash));
out:
	crypto_free_shash(tfm);
	return err;
}

/**
 * struct step - what is needed to go on to the next key
 * @secret: the next secret
 * @key: the next key
 * @nonce: nonce of that key, salt and iv as linux/tls.h divides it
 */
struct step {
	u8 secret[SS_SECRET_MAX];
	u8 key[KEY_MAX];
	u8 nonce[NONCE_LEN];
};

/* Length of a cipher's key, 0 where the cipher has no new keys. */
static u8 key_len(const struct tls_crypto_info *info)
{
	switch (info->version == TLS_1_3_VERSION ? info->cipher_type : 0) {
	case TLS_CIPHER_AES_GCM_128:
	case TLS_CIPHER_AES_CCM_128:
		return 16;
	case TLS_CIPHER_AES_GCM_256:
	case TLS_CIPHER_CHACHA20_POLY1305:
		return 32;
	default:
		return 0;
	}
}

static int derive_step(struct step *step, const u8 *secret, u8 len, u8 key_len)
{
	return ss_rekey_expand(secret, len, "traffic upd", step->secret, len) ?:
	       ss_rekey_expand(step->secret, len, "key", step->key, key_len) ?:
	       ss_rekey_expand(step->secret, len, "iv", step->nonce,
			       sizeof(step->nonce));
}

/* Lets what comes behind the KeyUpdate be read, which was seen to. */
static void end_key_update(struct tls_context *ctx)
{
#ifdef SS_HAVE_KEY_UPDATE_PENDING
	WRITE_ONCE(tls_sw_ctx_rx(ctx)->key_update_pending, false);
#endif
}

/* Sets a key. The sequence number begins anew (RFC 8446 5.3). */
static int set_key(struct sock *sk, const struct step *step, u8 key_len,
		   bool send)
{
	struct tls_context *ctx = tls_get_ctx(sk);
	struct cipher_context *cipher = send ? &ctx->tx : &ctx->rx;
	int err;

	lock_sock(sk);
	err = crypto_aead_setkey(send ? tls_sw_ctx_tx(ctx)->aead_send :
					tls_sw_ctx_rx(ctx)->aead_recv,
				 step->key, key_len);
	if (!err) {
		memcpy(cipher->iv, step->nonce, sizeof(step->nonce));
		memset(cipher->rec_seq, 0, sizeof(cipher->rec_seq));
		if (!send)
			end_key_update(ctx);
	}
	release_sock(sk);
	return err;
}

int ss_rekey(struct sock *sk, struct ss_secrets *secrets, bool send)
{
	u8 *secret = send ? secrets->send : secrets->recv;
	u8 n = key_len(&tls_get_ctx(sk)->crypto_send.info);
	struct step step;
	int err;

	might_sleep();
	if (!n || n > secrets->len)
		return -EOPNOTSUPP;
	err = derive_step(&step, secret, secrets->len, n) ?:
	      set_key(sk, &step, n, send);
	if (!err)
		memcpy(secret, step.secret, secrets->len);
	memzero_explicit(&step, sizeof(step));
	return err;
}
