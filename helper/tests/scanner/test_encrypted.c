// SPDX-License-Identifier: GPL-2.0
/*
 * Mail that cannot be read without a key counts as encrypted, by S/MIME and by PGP.
 */
#include "tests/support/cms.h"

#include "lib/cleanup.h"

static char *pgp_mime(void)
{
	return strdup("Content-Type: multipart/encrypted; boundary=\"enclosed\";\r\n"
		" protocol=\"application/pgp-encrypted\"\r\n\r\n--enclosed\r\n"
		"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--enclosed\r\n"
		"Content-Type: application/octet-stream; name=encrypted.asc\r\n\r\n"
		"-----BEGIN PGP MESSAGE-----\r\n\r\nwcBMA5FkVkPZ\r\n=aaaa\r\n"
		"-----END PGP MESSAGE-----\r\n--enclosed--\r\n");
}

static char *make_encrypted(int kind)
{
	static const char *const hows[] = {
		ENCRYPT, ENCRYPT " -stream", ENCRYPT " -aes-256-gcm",
		"-EncryptedData_encrypt -aes256 -binary -secretkey " SECRET,
	};

	switch (kind) {
	case 4:
		return pgp_mime();
	case 5:	/* the word is enough */
		return strdup("Content-Type: Multipart/Encrypted; boundary=enclosed\r\n\r\n"
			      "--enclosed\r\nContent-Type: a/b\r\n\r\nx\r\n--enclosed--\r\n");
	case 6:
		return strdup("Content-Type: text/plain\r\n\r\nLook:\r\n"
			      "-----BEGIN PGP MESSAGE-----\r\n\r\nwcBM\r\n");
	case 7:
		return strdup("Content-Type: text/html\r\n"
			      "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
			      "<pre>-----BEGIN PGP =\r\n"
			      "MESSAGE, PART 1/2-----<br>\r\n");
	case 8:	/* in what is signed */
		return part(P7M, wrapped(SIGN, cms_of(ENCRYPT, entity())));
	case 9:
		return part(P7M, cms_of(SIGN, pgp_mime()));
	case 10: {
		GString *octets = cms_of(ENCRYPT, entity());
		struct pack file = { "smime.p7m", octets->str, octets->len };

		return packed(pack_zip("a.zip", &file, 1));
	}
	}
	return part(P7M, cms_of(hows[kind], entity()));
}

#define KINDS	11

/* A boundary that nothing in armor looks like */
static char *renamed(char *text)
{
	GString *out = g_string_new(text);

	g_string_replace(out, "boundary=\"b\"", "boundary=\"outer\"", 0);
	g_string_replace(out, "--b\r\n", "--outer\r\n", 0);
	g_string_replace(out, "--b--\r\n", "--outer--\r\n", 0);
	free(text);
	text = strdup(out->str);
	g_string_free(out, TRUE);
	return text;
}

static void M2_encrypted(void **state)
{
	(void)state;
	for (int i = 0; i < KINDS; i++) {
		reset(NULL);
		scan(renamed(MESSAGE(make_encrypted(i))));
		expect_encrypted();
		/* what is beside it is scanned */
		scan(renamed(MESSAGE(make_encrypted(i), eicar("a.com"))));
		expect_virus("a.com");
		scan(renamed(MESSAGE(eicar("a.com"), make_encrypted(i))));
		expect_virus("a.com");
		/* neither its own option nor what is only monitored hides that */
		avattrs_number(&attrs, AV(ENCRYPTED_MAIL), SMTPSPLICE_FAIL_ACTION_BLOCK);
		scan(renamed(MESSAGE(make_encrypted(i))));
		assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
		assert_int_equal(result.cause, SS_CAUSE_ENCRYPTED);
		assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ENCRYPTED);
		assert_string_equal(result.virus, "Smtpsplice.Encrypted");
		assert_true(result.keep);
		reset(NULL);
		avattrs_number(&attrs, AV(ENCRYPTED_MAIL), SMTPSPLICE_FAIL_ACTION_TEMPFAIL);
		avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_MONITOR);
		scan(renamed(MESSAGE(make_encrypted(i))));
		assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
		assert_false(result.keep);
		avattrs_number(&attrs, AV(ENCRYPTED_MAIL), SMTPSPLICE_FAIL_ACTION_PASS);
		scan(renamed(MESSAGE(make_encrypted(i), eicar("a.com"))));
		assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_ACCEPT);
		assert_true(result.monitored);
		assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ENCRYPTED);
	}
	scan(part(HEAD "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n",
		  cms_of(ENCRYPT, entity())));
	expect_encrypted();
}

static void M2_is_about_pgp(void **state)
{
	static const char *const texts[] = {
		"The line -----BEGIN PGP MESSAGE----- is not all.",
		"-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP PUBLIC KEY BLOCK-----",
		"-----BEGIN PGP MESSAGE\r\n-----", "-----BEGIN PGP SIGNATURE-----",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		scan(mail_format("Subject: x\r\n\r\n%s\r\nx\r\n", texts[i]));
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	}
	scan(mail_format("Subject: x\r\n\r\n> -----BEGIN PGP MESSAGE-----\r\n"));
	expect_encrypted();
	scan(mail_format("Subject: x\r\n\r\nIt has -----BEGIN PGP MESSAGE----- in front:\r\n"
			 "-----BEGIN PGP MESSAGE-----\r\n"));
	expect_encrypted();
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(M2_encrypted),
		T(M2_is_about_pgp),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, cms_setup, cms_teardown);
}
