// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include "lib/cleanup.h"
#include "tls/client_hello.h"

/* A ClientHello in the making */
static uint8_t ext[SS_CLIENT_HELLO_RAW], body[SS_CLIENT_HELLO_RAW], raw[6 * SS_CLIENT_HELLO_RAW];
static size_t ext_len, body_len, raw_len;
static struct ss_client_hello hello;

static void put(uint8_t *buf, size_t *len, const void *data, size_t n)
{
	if (n)
		memcpy(buf + *len, data, n);
	*len += n;
}

static void put_number(uint8_t *buf, size_t *len, size_t octets, uint32_t n)
{
	while (octets--)
		buf[(*len)++] = n >> (8 * octets);
}

static void add_ext(uint16_t id, const void *data, size_t n)
{
	put_number(ext, &ext_len, 2, id);
	put_number(ext, &ext_len, 2, n);
	put(ext, &ext_len, data, n);
}

static void add_name(const char *name, size_t n)
{
	uint8_t buf[1024];
	size_t len = 0;

	put_number(buf, &len, 2, n + 3);
	put_number(buf, &len, 1, 0);
	put_number(buf, &len, 2, n);
	put(buf, &len, name, n);
	add_ext(0, buf, len);
}

static void add_versions(const uint16_t *versions, size_t count)
{
	uint8_t buf[64];
	size_t len = 0;

	put_number(buf, &len, 1, 2 * count);
	for (size_t i = 0; i < count; i++)
		put_number(buf, &len, 2, versions[i]);
	add_ext(43, buf, len);
}

static void make_body(uint16_t version, const uint16_t *suites, size_t count)
{
	static const uint8_t random[32] = "random";

	body_len = 0;
	put_number(body, &body_len, 2, version);
	put(body, &body_len, random, sizeof(random));
	put_number(body, &body_len, 1, 32);
	put(body, &body_len, random, sizeof(random));
	put_number(body, &body_len, 2, 2 * count);
	for (size_t i = 0; i < count; i++)
		put_number(body, &body_len, 2, suites[i]);
	put_number(body, &body_len, 2, 0x0100);
	if (ext_len) {
		put_number(body, &body_len, 2, ext_len);
		put(body, &body_len, ext, ext_len);
	}
}

/* In records of at most @piece octets */
static void make_raw(size_t piece)
{
	uint8_t message[SS_CLIENT_HELLO_RAW];
	size_t len = 0;

	put_number(message, &len, 1, 1);
	put_number(message, &len, 3, body_len);
	put(message, &len, body, body_len);
	raw_len = 0;
	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;

		put_number(raw, &raw_len, 1, 22);
		put_number(raw, &raw_len, 2, 0x0301);
		put_number(raw, &raw_len, 2, n);
		put(raw, &raw_len, message + at, n);
	}
}

static void make(uint16_t version, const uint16_t *suites, size_t count)
{
	make_body(version, suites, count);
	make_raw(16384);
}

#define MAKE(version, ...) make(version, (uint16_t[]){ __VA_ARGS__ }, \
	sizeof((uint16_t[]){ __VA_ARGS__ }) / 2)

/* An allocation of its own length, for the address sanitizer */
static enum ss_client_hello_status parse(const void *buf, size_t len)
{
	uint8_t *copy = malloc(len ?: 1);
	enum ss_client_hello_status status;

	if (len)
		memcpy(copy, buf, len);
	status = ss_client_hello_parse(&hello, copy, len);
	free(copy);
	return status;
}

static int setup(void **state)
{
	(void)state;
	ext_len = 0;
	return 0;
}

static void reads_all(void **state)
{
	(void)state;
	add_ext(10, "\0\2\0\x17", 4);
	add_name("mx.Example.com", 14);
	add_ext(16, "\0\x08\2h2\4smtp", 10);
	add_versions((uint16_t[]){ 0x0a0a, 0x0304, 0x0303 }, 3);
	MAKE(0x0303, 0x1301, 0x1302, 0xc030, 0xc02b, 0x00ff);
	assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_OK);
	assert_string_equal(hello.name, "mx.Example.com");
	assert_true(hello.alpn && hello.alpn_smtp);
	assert_true(hello.tls13.offered && hello.tls13.aes128 && hello.tls13.aes256);
	assert_true(hello.tls12.offered && hello.tls12.aes128 && hello.tls12.aes256);
	assert_true(hello.tls12.ecdsa);
}

static void reads_the_least(void **state)
{
	(void)state;
	MAKE(0x0303, 0xc02f);
	assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_OK);
	assert_string_equal(hello.name, "");
	assert_false(hello.alpn || hello.tls13.offered || hello.tls12.ecdsa);
	assert_true(hello.tls12.offered && hello.tls12.aes128 && !hello.tls12.aes256);
}

static void knows_versions(void **state)
{
	(void)state;
	MAKE(0x0302, 0xc02f);
	assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_OK);
	assert_false(hello.tls12.offered || hello.tls13.offered);
	/* Only supported_versions counts, where it is there */
	add_versions((uint16_t[]){ 0x0304 }, 1);
	MAKE(0x0303, 0x1303);
	assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_OK);
	assert_true(hello.tls13.offered && !hello.tls12.offered);
	assert_true(hello.tls13.aes256 && !hello.tls13.aes128);
}

static void knows_no_old_suites(void **state)
{
	(void)state;
	MAKE(0x0303, 0xc013, 0x002f, 0x009c, 0x000a, 0xc0a8);
	assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_OK);
	assert_false(hello.tls12.aes128 || hello.tls12.aes256);
}

static void makes_do_with_pieces(void **state)
{
	static const size_t pieces[] = { 1, 2, 3, 4, 5, 100, 16384 };

	(void)state;
	add_name("mx.example.com", 14);
	make_body(0x0303, (uint16_t[]){ 0xc02f }, 1);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		make_raw(pieces[i]);
		for (size_t len = 0; len < raw_len; len++)
			assert_int_equal(parse(raw, len), SS_CLIENT_HELLO_MORE);
		assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_OK);
		assert_string_equal(hello.name, "mx.example.com");
	}
}

static void takes_the_longest(void **state)
{
	static uint8_t pad[SS_CLIENT_HELLO_MAX];
	size_t left;

	(void)state;
	MAKE(0x0303, 0x1301);
	left = SS_CLIENT_HELLO_MAX - 4 - body_len - 2 - 4;
	add_ext(21, pad, left);
	MAKE(0x0303, 0x1301);
	assert_int_equal(body_len + 4, SS_CLIENT_HELLO_MAX);
	assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_OK);
	ext_len = 0;
	add_ext(21, pad, left + 1);
	make_body(0x0303, (uint16_t[]){ 0x1301 }, 1);
	make_raw(16384);
	assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_BROKEN);
	/* Its length alone is enough */
	assert_int_equal(parse("\x16\3\1\0\4\1\xff\xff\xff", 9), SS_CLIENT_HELLO_BROKEN);
	/* As many octets as we look at, and still no end in sight */
	ext_len = 0;
	add_ext(21, pad, left);
	make_body(0x0303, (uint16_t[]){ 0x1301 }, 1);
	make_raw(1);
	assert_int_equal(parse(raw, SS_CLIENT_HELLO_RAW), SS_CLIENT_HELLO_BROKEN);
}

static void tells_what_is_not_tls(void **state)
{
	static const char sslv2[] = "\x80\x2e\1\0\2\0\x15\0\0\0\x10";

	(void)state;
	assert_int_equal(parse("", 0), SS_CLIENT_HELLO_MORE);
	assert_int_equal(parse("E", 1), SS_CLIENT_HELLO_ALIEN);
	assert_int_equal(parse("EHLO client\r\n", 13), SS_CLIENT_HELLO_ALIEN);
	assert_int_equal(parse("\x16GET", 4), SS_CLIENT_HELLO_ALIEN);
	assert_int_equal(parse(sslv2, sizeof(sslv2) - 1), SS_CLIENT_HELLO_ALIEN);
	assert_int_equal(parse("\x17\3\3\0\1x", 6), SS_CLIENT_HELLO_ALIEN);
	assert_int_equal(parse("\x16\3\3\0\0", 5), SS_CLIENT_HELLO_BROKEN);
	assert_int_equal(parse("\x16\3\3\x40\1", 5), SS_CLIENT_HELLO_BROKEN);
	assert_int_equal(parse("\x16\3\3\0\4\2\0\0\0", 9), SS_CLIENT_HELLO_BROKEN);
	assert_int_equal(parse("\x16\3\3\0\4\1\0\0\0", 9), SS_CLIENT_HELLO_BROKEN);
	/* Another record in the middle */
	MAKE(0x0303, 0xc02f);
	make_raw(10);
	raw[15] = 21;
	assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_BROKEN);
}

static void refuses_what_follows(void **state)
{
	(void)state;
	MAKE(0x0303, 0xc02f);
	raw[4]++;
	raw[raw_len++] = 1;
	/* That it will, the record's header says: it was never whole */
	assert_int_equal(parse(raw, 8), SS_CLIENT_HELLO_MORE);
	for (size_t len = 9; len <= raw_len; len++)
		assert_int_equal(parse(raw, len), SS_CLIENT_HELLO_BROKEN);
}

static void expect_name(const char *name, size_t len, enum ss_client_hello_status status)
{
	ext_len = 0;
	add_name(name, len);
	MAKE(0x0303, 0xc02f);
	assert_int_equal(parse(raw, raw_len), status);
	assert_true(strlen(hello.name) <= SMTPSPLICE_PATTERN_MAX);
}

static void checks_names(void **state)
{
	char longest[257];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	expect_name(longest, 255, SS_CLIENT_HELLO_OK);
	assert_int_equal(strlen(hello.name), 255);
	expect_name(longest, 256, SS_CLIENT_HELLO_BROKEN);
	expect_name("_25._tcp.mx-1.example.com.", 26, SS_CLIENT_HELLO_OK);
	expect_name("", 0, SS_CLIENT_HELLO_BROKEN);
	expect_name("a\0b", 3, SS_CLIENT_HELLO_BROKEN);
	expect_name("a\r\nb", 4, SS_CLIENT_HELLO_BROKEN);
	expect_name("a b", 3, SS_CLIENT_HELLO_BROKEN);
	expect_name("a/b", 3, SS_CLIENT_HELLO_BROKEN);
	expect_name("\xc3\xa4.de", 5, SS_CLIENT_HELLO_BROKEN);
	expect_name(".example", 8, SS_CLIENT_HELLO_BROKEN);
	expect_name("a..b", 4, SS_CLIENT_HELLO_BROKEN);
}

static void expect_broken(uint16_t id, const void *data, size_t len)
{
	ext_len = 0;
	add_ext(id, data, len);
	MAKE(0x0303, 0xc02f);
	assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_BROKEN);
}

static void refuses_broken_extensions(void **state)
{
	(void)state;
	expect_broken(0, "", 0);
	expect_broken(0, "\0\0", 2);
	expect_broken(0, "\0\4\1\0\1a", 6);			/* no host_name */
	expect_broken(0, "\0\4\0\0\2a", 6);			/* too long */
	expect_broken(0, "\0\x08\0\0\1a\0\0\1b", 10);		/* two */
	expect_broken(0, "\0\4\0\0\1ab", 7);			/* more */
	expect_broken(16, "\0\0", 2);
	expect_broken(16, "\0\1\0", 3);				/* an empty name */
	expect_broken(16, "\0\5\5smtp", 7);
	expect_broken(43, "", 0);
	expect_broken(43, "\0", 1);
	expect_broken(43, "\3\3\3\3", 4);
	/* Twice */
	ext_len = 0;
	add_name("a", 1);
	add_name("b", 1);
	MAKE(0x0303, 0xc02f);
	assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_BROKEN);
	/* Lengths that do not add up */
	ext_len = 0;
	add_ext(10, "abcd", 4);
	ext[3] = 5;
	MAKE(0x0303, 0xc02f);
	assert_int_equal(parse(raw, raw_len), SS_CLIENT_HELLO_BROKEN);
}

/* What a name may be wherever an octet is changed: nothing that does harm */
static void stands_any_octet(void **state)
{
	(void)state;
	add_name("mx.example.com", 14);
	add_ext(16, "\0\x08\2h2\4smtp", 10);
	add_versions((uint16_t[]){ 0x0304, 0x0303 }, 2);
	MAKE(0x0303, 0x1301, 0xc02f);
	for (size_t at = 0; at < raw_len; at++)
		for (int bit = 0; bit < 8; bit++) {
			raw[at] ^= 1 << bit;
			parse(raw, raw_len);
			assert_non_null(memchr(hello.name, 0, sizeof(hello.name)));
			raw[at] ^= 1 << bit;
		}
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(reads_all),
		T(reads_the_least),
		T(knows_versions),
		T(knows_no_old_suites),
		T(makes_do_with_pieces),
		T(takes_the_longest),
		T(tells_what_is_not_tls),
		T(refuses_what_follows),
		T(checks_names),
		T(refuses_broken_extensions),
		T(stands_any_octet),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
