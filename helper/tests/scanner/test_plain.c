// SPDX-License-Identifier: GPL-2.0
/*
 * Mail that all readers read alike, however odd it is, is not ambiguous.
 */
#include "tests/support/ambiguous.h"

#include <gmime/gmime.h>

#include "scanner/mime/ambiguity.h"
#include "tests/support/mail.h"

#define OUTER	"Content-Type: multipart/mixed;\r\n\tboundary=\"----=_NextPart_000_0001_01DA.5F\"\r\n"
#define NEXT	"------=_NextPart_000_0001_01DA.5F"
#define BASE64_76 "QWxsIHdvcmsgYW5kIG5vIHBsYXkgbWFrZXMgSmFjayBhIGR1bGwgYm95LiBBbGwgd29yayBhbmQg\r\n"
#define BASE64_60 "QWxsIHdvcmsgYW5kIG5vIHBsYXkgbWFrZXMgSmFjayBhIGR1bGwgYm95LiBB\r\n"

static void passes_plain_mail(void **state)
{
	static const char *const rows[] = {
		"", "\r\n", "\r\nhello\r\n", "hello\r\n", "hello\r\nworld: x\r\n\r\n", HEAD,
		HEAD "\r\n",
		HEAD "\r\nhello\r\n", HEAD "\r\n\r\n\r\nhello", "Subject: x\n\nhello\nworld\n",
		HEAD "\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n=x\r\n",
		HEAD "\r\n--foo\r\n--foo--\r\nbegin 644 a\r\n=\r\nFrom here\r\n>From x\r\n",
		"Subject: Gr\xc3\xbc\xc3\x9f" "e \xe4\xf6\r\n\r\n\xe4\xf6\r\n",
		"Subject: \x1b$B4A;z\x1b(B\r\n\r\n\x1b$B4A;z\x1b(B\r\n", HEAD "\r\na\nb\rc\r\n",
		"Received: from a (b [192.0.2.1])\r\n\tby c with ESMTPS id 1\r\n\tfor <a@example.net>;"
		"\r\n\tMon, 1 Jan 2024 00:00:00 +0000\r\nReferences: <a@b>\r\n\t<c@d>\r\n\r\nx\r\n",
		"Subject : obsolete\r\nFrom  : x\r\n\r\nhello\r\n",
		"Subject: =?utf-8?q?a?=\r\n =?utf-8?q?b?=\r\nX-Empty:\r\nX-Long: @L@L\r\n\r\n@L@L\r\n",
	};

	(void)state;
	EXPECT_PLAIN("@X", rows);
}

static void passes_types(void **state)
{
	static const char *const rows[] = {
		"text/plain", "text/plain; charset=utf-8;",
		"text/plain; charset=\"utf-8\"; format=flowed; delsp=yes",
		"text/plain; charset = us-ascii", "TEXT/PLAIN;CHARSET=UTF-8",
		"text/html;\r\n\tcharset=\"iso-8859-1\"",
		"text/plain; charset=utf-16; name=x.txt", "\r\n application/pdf; name=x.pdf",
		"application/pdf; name=my file (1).pdf",
		"application/pdf; name=\"=?utf-8?B?w7w=?=.pdf\"",
		"application/pdf; name==?utf-8?B?w7w=?=",
		"application/pdf;\r\n name=\"a\\\"b\xc3\xbc.pdf\"",
		"application/pdf; name*0*=utf-8''%C3%BC; name*1=b.pdf",
		"image/png; x-unix-mode=0644; name=\"a.png\"",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document;\r\n\tname=\"a.docx\"",
		"text/calendar; charset=\"utf-8\"; method=REQUEST",
		"application/ms-tnef; name=\"winmail.dat\"",
		"application/pkcs7-mime; smime-type=enveloped-data; name=\"smime.p7m\"",
		"text/plain ; charset=us-ascii", "text/plain; name=\"unclosed.txt",
		"text/plain; charset=us-ascii; name=",
	};

	(void)state;
	EXPECT_PLAIN("@HContent-Type: @X\r\n\r\nhello\r\n", rows);
	EXPECT_PLAIN("@HContent-Type: @X\r\nContent-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment; filename=\"a.x\"; filename*=utf-8''%C3%BC.x\r\n\r\n"
		     "aGVsbG8K\r\n", rows);
	EXPECT_PLAIN("@H" OUTER "\r\nThis is a multi-part message in MIME format.\r\n\r\n" NEXT "\r\n"
		     "Content-Type: @X\r\n\r\n" NEXT "--\r\n\r\n", rows);
}

static void passes_encodings(void **state)
{
	static const char *const rows[] = {
		"7bit\r\n\r\nhello\r\n", "8bit\r\n\r\ngr\xc3\xbc\xc3\x9f" "e\r\n",
		" 7BIT \r\n\r\nhello\r\n",
		"binary\r\n\r\na\x01\x02\nb\r\n", "\r\n base64\r\n\r\naGVsbG8K\r\n",
		"Base64\r\n\r\naGVsbG8K",
		"base64\r\n\r\n", "base64\r\n\r\n" BASE64_76 BASE64_76 "aGVsbG8=\r\n\r\n\r\n",
		"base64\r\n\r\n" BASE64_60 BASE64_60 "aGVsbA==\r\n",
		"base64\r\n\r\n\r\n" BASE64_60 "\r\n",
		"base64\r\n\r\n" BASE64_76 "\r\n" BASE64_76, "base64\r\n\r\naG\r\nVsbG8K\r\n",
		"base64\r\n\r\n@B",
		"quoted-printable\r\n\r\n<a href=3D\"x\">gr=C3=BC=c3=9fe</a>=20\r\n=\r\n=3D=\r\n",
		"quoted-printable\r\n\r\nblanks at the end  \r\n\tx\t\r\n.\r\n\xc3\xbc@L@L\r\n",
		"Quoted-Printable\r\n\r\n", "quoted-printable\r\n\r\nends softly=\r\n",
		"7bit\r\n\r\n=zz begin 644 x\r\n--\r\nfoo\r\n=\r\n-- \r\nsignature\r\n",
		"8-bit\r\n\r\nx\r\n",
	};

	(void)state;
	EXPECT_PLAIN("@HContent-Type: text/plain; charset=utf-8\r\n"
		     "Content-Transfer-Encoding: @X", rows);
	EXPECT_PLAIN("@HContent-Transfer-Encoding: @X", rows);
	EXPECT_PLAIN("@H" OUTER "\r\n" NEXT "\r\nContent-Transfer-Encoding: @X\r\n"
		     NEXT "--\r\n", rows);
	EXPECT_PLAIN("@HContent-Type: message/rfc822\r\n\r\n@HContent-Transfer-Encoding: @X", rows);
}

static void passes_multiparts(void **state)
{
	static const char *const rows[] = {
		"mixed; boundary=bound", "mixed; boundary=\"bound\";",
		"alternative; boundary=bound; charset=utf-8",
		"related;\r\n\ttype=\"multipart/alternative\";\r\n\tboundary=\"bound\"",
		"related; type=text/html; boundary=bound",
		"report; report-type=delivery-status; boundary=bound",
		"signed; micalg=pgp-sha256;\r\n protocol=\"application/pgp-signature\";\r\n boundary=\"bound\"",
		"signed; protocol=application/pkcs7-signature; micalg=sha-256; boundary=bound",
		"encrypted; protocol=\"application/pgp-encrypted\"; boundary=\"bound\"",
		"MIXED; BOUNDARY=\"bound\"", "mixed ; boundary=bound",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		expect_plain("@HContent-Type: multipart/@X\r\n\r\n" TEXT
			     "--bound\r\n@P" LAST, rows[i]);
		expect_plain("@HContent-Type: multipart/@X\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
			     "This is an OpenPGP/MIME message\r\n" TEXT "\r\n" LAST "\r\n_____\r\n"
			     "list mailing list\r\nhttps://example.org/list\r\n", rows[i]);
	}
}

static void passes_boundaries(void **state)
{
	static const char *const rows[] = {
		"----=_NextPart_000_0001_01DA5F00.12345678", "00000000000012a34b05f1b2c3d4",
		"Apple-Mail=_0A1B-2C",
		"------------0123456789abcdef", "===============1234567890==",
		"=_alternative 0044AB_=", "b1_abc",
		"----=_Part_1_2.3", "=-YandexBoundary", "_000_AM0PR01MB1234AM0_",
		"--boundary_0_a-b", "+/=?:,'()x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *mail = mail_format("@HContent-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n"
			"Content-Type: multipart/alternative; boundary=\"%s_alt\"\r\n\r\n--%s_alt\r\n@P--%s_alt--\r\n"
			"\r\n--%s--\r\n", rows[i], rows[i], rows[i], rows[i], rows[i], rows[i]);

		expect_plain(mail, "");
		free(mail);
	}
}

static void passes_returned_mail(void **state)
{
	static const char *const rows[] = {
		"Content-Type: message/rfc822\r\n\r\n@H" OUTER "\r\n" NEXT "\r\n@P",
		"--bound\r\n\r\n",
		"Content-Type: message/rfc822\r\n\r\n@H" OUTER "\r\n",
		"Content-Type: message/rfc822\r\n\r\n@H",
		"Content-Type: message/rfc822\r\n\r\n@H" CODED "\r\n@1x\r\n",
		"Content-Type: text/rfc822-headers\r\n\r\n@H" OUTER,
		"Content-Type: message/rfc822\r\n\r\n@H@P",
		"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; a\r\n\r\nAction: failed\r\n",
	};

	(void)state;
	EXPECT_PLAIN("@HContent-Type: multipart/report; boundary=bound;\r\n report-type=delivery-status\r\n"
		     "\r\n" TEXT "--bound\r\n@X\r\n" LAST, rows);
	expect_plain("@HContent-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\n@H@P--d\r\n\r\n"
		     HEAD "\r\nx\r\n--d--\r\n", "");
}

static GMimeObject *make_object(GRand *rand, int depth)
{
	static const GMimeContentEncoding encodings[] = {
		GMIME_CONTENT_ENCODING_7BIT, GMIME_CONTENT_ENCODING_BASE64,
		GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE,
	};
	GMimeTextPart *text;

	if (depth < 4 && g_rand_int_range(rand, 0, 3)) {
		GMimeMultipart *multipart = g_mime_multipart_new_with_subtype("mixed");

		for (int i = g_rand_int_range(rand, 1, 4); i; i--) {
			GMimeObject *part = make_object(rand, depth + 1);

			g_mime_multipart_add(multipart, part);
			g_object_unref(part);
		}
		return GMIME_OBJECT(multipart);
	}
	text = g_mime_text_part_new_with_subtype("plain");
	g_mime_text_part_set_text(text, "Gr\xc3\xbc\xc3\x9f" "e =\n-- \n  x  \n\n");
	g_mime_part_set_content_encoding(GMIME_PART(text),
					 encodings[g_rand_int_range(rand, 1, 3)]);
	g_mime_part_set_filename(GMIME_PART(text), "gr\xc3\xbc\xc3\x9f" "e (1); a long name indeed.txt");
	return GMIME_OBJECT(text);
}

static void passes_what_gmime_makes(void **state)
{
	GRand *rand = g_rand_new_with_seed(1);
	GMimeFormatOptions *format = g_mime_format_options_new();

	(void)state;
	g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
	for (int i = 0; i < 200; i++) {
		GMimeMessage *message = g_mime_message_new(TRUE);
		GMimeObject *part = make_object(rand, 0);
		uint32_t found;
		char *text;

		g_mime_message_set_subject(message, "Gr\xc3\xbc\xc3\x9f" "e", NULL);
		g_mime_message_set_mime_part(message, part);
		text = g_mime_object_to_string(GMIME_OBJECT(message), format);
		found = ss_ambiguity_check(text, strlen(text));
		if (found)
			fail_msg("%s: %s", ss_ambiguity_name(found), text);
		g_free(text);
		g_object_unref(part);
		g_object_unref(message);
	}
	g_mime_format_options_free(format);
	g_rand_free(rand);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_plain_mail),
		cmocka_unit_test(passes_types),
		cmocka_unit_test(passes_encodings),
		cmocka_unit_test(passes_multiparts),
		cmocka_unit_test(passes_boundaries),
		cmocka_unit_test(passes_returned_mail),
		cmocka_unit_test(passes_what_gmime_makes),
	};

	g_mime_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
