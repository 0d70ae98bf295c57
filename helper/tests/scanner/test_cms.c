// SPDX-License-Identifier: GPL-2.0
/*
 * CMS and PKCS#7: what is in them is found whatever they are made of.
 */
#include "tests/support/cms.h"

#include "lib/cleanup.h"
#include "scanner/files/cms.h"
#include "scanner/files/pgp.h"
#include "scanner/nested.h"

static void M2_other_readable_types(void **state)
{
	static const char *const hows[] = { "-digest_create -binary", "-data_create -binary" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
		scan(whole(cms_of(hows[i], good_entity())));
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
		scan(whole(cms_of(hows[i], entity())));
		expect_virus("smime.p7m");
	}
	scan(whole(compressed_text(good_entity())));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(whole(compressed_text(entity())));
	expect_virus("smime.p7m");
	scan(whole(authenticated(good_entity())));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(whole(authenticated(entity())));
	expect_virus("smime.p7m");
}

/* Each piece has an octet, so that nothing is left of EICAR in a row */
static void M2_pieces(void **state)
{
	static const struct {
		size_t some;
		int depth;
	} sizes[] = { { 1, 0 }, { 1, 3 }, { 7, 60 }, { 1000, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *text = entity();

		scan(whole(MADE(DIGEST_OID, "\x06\x01\x2a", DATA_OID,
				pieces(text, strlen(text), sizes[i].some, sizes[i].depth))));
		expect_virus("smime.p7m");
		free(text);
	}
	/* deeper than it is looked: that is told */
	scan(whole(MADE(DIGEST_OID, "\x06\x01\x2a", DATA_OID,
			pieces("x", 1, 1, 70))));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
}

/* Strings are told as unscanned that hold a piece of another type, or one behind their end */
static void M2_pieces_that_are_none(void **state)
{
	static const struct {
		const char *string;
		size_t len;
	} odd[] = {
#define STRING(x)	{ x, sizeof(x) - 1 }
		STRING("\x24\x04\x0c\x02hi"), STRING("\x24\x80\x0c\x02hi\x00\x00"),
		STRING("\x24\x06\x04\x01h\x16\x01i"),
		STRING("\x24\x06\x2c\x04\x04\x02hi"),
		STRING("\x24\x03\x04\x02hi"),
		STRING("\x24\x08\x24\x02\x04\x04hihi"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		scan(whole(MADE(DIGEST_OID, "\x06\x01\x2a", DATA_OID,
				octets_of(odd[i].string, odd[i].len))));
		if (result.unscanned != SMTPSPLICE_UNSCANNED_ARCHIVE)
			printf("# number %zu\n", i);
		expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	}
	scan(whole(MADE(DIGEST_OID, "\x06\x01\x2a", DATA_OID,
			octets_of("\x24\x06\x24\x04\x04\x02hi", 8))));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
}

/* CMS in CMS without mail between: there is a type around it alone, in CMS as in PKCS#7 */
static void M2_cms_in_cms(void **state)
{
	GString *octets, *inner;

	(void)state;
	for (int i = 0; i < 2; i++) {
		/* signed data without its type */
		inner = cms_of(SIGN, entity());
		assert_int_equal((unsigned char)inner->str[1], 0x82);
		assert_int_equal((unsigned char)inner->str[15], 0xa0);
		g_string_erase(inner, 0, 19);
		octets = MADE(DIGEST_OID, "\x06\x01\x2a", SIGNED_OID,
			      i ? element(0x04, 4, inner) : inner);
		scan(whole(octets));
		expect_virus("smime.p7m");
	}
}

/* An algorithm has no content, whatever its parameters look like: what is in them is no
 * reason to take the content's compressed octets for ended
 */
static void M2_algorithm_is_no_content(void **state)
{
	char *text = entity();

	(void)state;
	for (int cut = 0; cut < 2; cut++) {
		GString *decoy = deflated("hello", 5), *octets;

		g_string_truncate(decoy, decoy->len - 3 * cut);
		decoy = element(0xa0, 1, element(0x04, 1, decoy));
		decoy = joined(octets_of(ZLIB_OID, sizeof(ZLIB_OID) - 1), decoy);
		octets = made(COMPRESSED_OID, sizeof(COMPRESSED_OID) - 1, decoy->str, decoy->len,
			      DATA_OID, sizeof(DATA_OID) - 1,
			      element(0x04, 4, deflated(text, strlen(text))));
		g_string_free(decoy, TRUE);
		scan(whole(octets));
		expect_virus("smime.p7m");
	}
	free(text);
}

static void M2_bombs(void **state)
{
	const size_t size = 64 << 20;
	char *zeros = calloc(1, size);
	GString *octets = compressed(zeros, size);

	(void)state;
	free(zeros);
	scan(whole(octets));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(result.virus, "Smtpsplice.Archive.mailbomb");
}

/* There may be more than was read: it is told, and what was read is scanned */
static void M2_damaged(void **state)
{
	char *text = entity();
	GString *octets = cms_of(SIGN, strdup(text));
	size_t len = octets->len;

	(void)state;
	/* the signature is missing, which nobody reads here */
	g_string_truncate(octets, len - 20);
	scan(whole(octets));
	expect_virus("smime.p7m");
	octets = cms_of(SIGN, mail_format("Content-Type: text/plain\r\n\r\n%09999d\r\n", 0));
	g_string_truncate(octets, 5000);
	scan(whole(octets));
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ARCHIVE);
	/* the end of the compressed octets is missing: EICAR is in what is there */
	octets = deflated(text, strlen(text));
	g_string_truncate(octets, octets->len - 5);
	scan(whole(MADE(COMPRESSED_OID, ZLIB_OID, DATA_OID,
			element(0x04, 4, octets))));
	assert_string_equal(result.virus, MAIL_EICAR);
	/* which it need not be: that it is missing is told */
	octets = deflated("Content-Type: text/plain\r\n\r\nx\r\n", 31);
	g_string_truncate(octets, octets->len - 1);
	scan(whole(MADE(COMPRESSED_OID, ZLIB_OID, DATA_OID,
			element(0x04, 4, octets))));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	scan(whole(MADE(COMPRESSED_OID, ZLIB_OID, DATA_OID,
			element(0x04, 4, octets_of("no zlib", 7)))));
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ARCHIVE);
	free(text);
}

static bool take_file(void *arg, const char *name, size_t len)
{
	(void)name;
	(void)len;
	++*(size_t *)arg;
	return true;
}

static bool take_octets(void *arg, const uint8_t *data, size_t len)
{
	/* a sanitizer sees what is read */
	*(size_t *)arg += len ? data[0] & data[len - 1] & 0 : 0;
	return true;
}

static void read_all(const uint8_t *data, size_t len)
{
	size_t count = 0;
	const struct ss_extract_sink inner = {
		.file = take_file, .octets = take_octets, .arg = &count,
	};
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, data, len);
	ss_cms_is_enveloped(copy, len);
	ss_cms_read(copy, len, &inner);
	ss_cms_text_is(copy, len);
	ss_cms_text_read(copy, len, &inner);
	ss_pgp_is(copy, len);
	ss_nested_is_mail((const char *)copy, len);
	free(copy);
}

static void read_text(const char *text)
{
	read_all((const uint8_t *)text, strlen(text));
}

/* Cut off anywhere, and with any octet of the structure another one */
static void M2_no_octet_is_read_twice_over(void **state)
{
	GString *octets = MADE(DIGEST_OID, "\x06\x01\x2a", DATA_OID,
			       pieces("Content-Type: a/b", 17, 3, 2));

	(void)state;
	for (size_t i = 0; i <= octets->len; i++)
		read_all((uint8_t *)octets->str, i);
	for (size_t i = 0; i < octets->len; i++) {
		for (int c = 0; c < 256; c++) {
			char old = octets->str[i];

			octets->str[i] = c;
			read_all((uint8_t *)octets->str, octets->len);
			octets->str[i] = old;
		}
	}
	g_string_free(octets, TRUE);
	octets = compressed("Content-Type: a/b\r\n\r\nx", 22);
	for (size_t i = 0; i < octets->len; i++) {
		octets->str[i] ^= 0x80;
		read_all((uint8_t *)octets->str, octets->len);
		octets->str[i] ^= 0x80;
		read_all((uint8_t *)octets->str, i);
	}
	g_string_free(octets, TRUE);
	read_text("-----BEGIN PGP MESSAGE");
	read_text("-----BEGIN ");
	read_text("\r\n");
	read_text("content-");
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(M2_other_readable_types),
		T(M2_pieces),
		T(M2_pieces_that_are_none),
		T(M2_cms_in_cms),
		T(M2_algorithm_is_no_content),
		T(M2_bombs),
		T(M2_damaged),
		T(M2_no_octet_is_read_twice_over),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, cms_setup, cms_teardown);
}
