// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of rekey.c: the derivation of secrets and keys. That both ends of a
 * connection go on with them, selftests/test_handoff.py shows.
 */
#include <linux/hex.h>
#include <linux/string.h>

#include "../rekey.h"
#include "rig.h"

/**
 * struct vector - what has to come out
 * @name: name of the case
 * @secret: the secret
 * @label: the label
 * @want: result that is expected
 */
struct vector {
	const char *name;
	const char *secret;
	const char *label;
	const char *want;
};

/* RFC 8448 3, "{server} derive write traffic keys for handshake data". */
#define RFC8448_SECRET \
	"b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"

/* Cases that are not of the RFC were made with python3-cryptography. */
static const struct vector vectors[] = {
	{ "rfc8448-key", RFC8448_SECRET, "key",
	  "3fce516009c21727d0f2e4e86ee403bc" },
	{ "rfc8448-iv", RFC8448_SECRET, "iv", "5d313eb2671276ee13000b30" },
	{ "sha256-next", RFC8448_SECRET, "traffic upd",
	  "c5847ffa1bfea2d5c409eee45d2813181327a78a52ee6d02d8a5e10fbf0fface" },
	{ "sha384-key",
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f",
	  "key",
	  "6877d022f1c61d24ebb7487c16752d9a4798e40431c75b39320e537c90e23225" },
	{ "sha384-iv",
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f",
	  "iv", "42822531a0fe88648fc09e9f" },
	{ "sha384-next",
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f",
	  "traffic upd",
	  "401331b63e9d59f202e8f041042d9516f4cd7fa2e2ee14631d3b49fc340d7af37fc2c0c9f252d8036f81ec5b85cbe5db",
	},
};

KUNIT_ARRAY_PARAM_DESC(vectors, vectors, name);

static u8 unhex(struct kunit *test, u8 *out, const char *hex)
{
	size_t n = strlen(hex) / 2;

	KUNIT_ASSERT_LE(test, n, SS_SECRET_MAX);
	KUNIT_ASSERT_EQ(test, hex2bin(out, hex, n), 0);
	return n;
}

static void derives(struct kunit *test)
{
	const struct vector *v = test->param_value;
	u8 secret[SS_SECRET_MAX], want[SS_SECRET_MAX];
	u8 got[SS_SECRET_MAX + 1] = {};
	u8 secret_len = unhex(test, secret, v->secret);
	u8 len = unhex(test, want, v->want);

	KUNIT_ASSERT_EQ(test, ss_rekey_expand(secret, secret_len, v->label, got, len), 0);
	KUNIT_EXPECT_MEMEQ(test, got, want, len);
	/* and not an octet more */
	KUNIT_EXPECT_EQ(test, got[len], 0);
}

static void refuses(struct kunit *test)
{
	u8 secret[SS_SECRET_MAX] = {}, out[SS_SECRET_MAX + 1];

	/* no hash has such secrets */
	KUNIT_EXPECT_NE(test, ss_rekey_expand(secret, 20, "key", out, 16), 0);
	KUNIT_EXPECT_NE(test, ss_rekey_expand(secret, 0, "key", out, 0), 0);
	KUNIT_EXPECT_NE(test, ss_rekey_expand(secret, 255, "key", out, 16), 0);
	/* one block of the hash is all that there is */
	KUNIT_EXPECT_NE(test, ss_rekey_expand(secret, 32, "key", out, 33), 0);
	KUNIT_EXPECT_NE(test, ss_rekey_expand(secret, 32, "a label too long", out, 16), 0);
}

static struct kunit_case rekey_cases[] = {
	KUNIT_CASE_PARAM(derives, vectors_gen_params),
	KUNIT_CASE(refuses),
	{}
};

static struct kunit_suite rekey_suite = {
	.name = "smtpsplice-rekey",
	.test_cases = rekey_cases,
};

kunit_test_suite(rekey_suite);
