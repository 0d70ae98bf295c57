// SPDX-License-Identifier: GPL-2.0
/*
 * The gate and the readings: what readers differ about is found.
 */
#include "tests/support/ambiguous.h"

#include <errno.h>

#include <gmime/gmime.h>

#include "scanner/mime/ambiguity.h"
#include "scanner/mime/flags.h"
#include "scanner/mime/lenient.h"
#include "tests/support/mail.h"
#include "tests/support/wrap.h"

static void e1_separator(void **state)
{
	static const char *const rows[] = {
		"\r", "\n", "\r\r\n", "\n\r\n", "\n\r", "\r\r", "\n\n", " \r\n", "\t\r\n",
		" \r\n\r\n", "\r \r\n", "@0\r\n", "\f\r\n", "\v\r\n", "\xa0\r\n",
		"junk\r\n", ":\r\n", "--\r\n", "",
	};
	const uint32_t flags = SS_AMBIGUITY_SEPARATOR | SS_AMBIGUITY_HEADER | SS_AMBIGUITY_LINE_END;

	(void)state;
	EXPECT_FLAGGED("@H" MIXED "\r\n" TEXT "--bound\r\n" CODED "@X@B\r\n" LAST, rows, flags);
	EXPECT_FLAGGED("@H" MIXED "@X" TEXT "--bound\r\n@P" LAST, rows, flags);
	EXPECT_FLAGGED("@HContent-Transfer-Encoding: base64\r\n@X@B\r\n", rows, flags);
	EXPECT_FLAGGED(HEAD "@X@E\r\n", rows, flags);
}

static void e1_header_lines(void **state)
{
	static const char *const first[] = {
		" \r\n", "\t\r\n", " x\r\n", " X-Foo: bar\r\n", "junk\r\n", ": x\r\n",
		"\xef\xbb\xbf", "From a Mon Jan  1 00:00:00 2024\r\n", ">From a\r\n", "@0",
		"X: a@0\r\n",
		"X: a\vb\r\n", "X: a\x1c" "b\r\n", "X: a\x1d" "b\r\n",
		"X: a\x1e" "b\r\n", "X Y: z\r\n", "X\xe4: y\r\n", "\r", "\n",
	};
	const uint32_t flags = SS_AMBIGUITY_SEPARATOR | SS_AMBIGUITY_HEADER | SS_AMBIGUITY_LINE_END;

	(void)state;
	EXPECT_FLAGGED("@X@H" MIXED "\r\n" TEXT "--bound\r\n@P" LAST, first, flags);
	EXPECT_FLAGGED("@H" MIXED "\r\n" TEXT "--bound\r\nContent-Type: message/rfc822\r\n\r\n"
		       "@X@H@P" LAST, first, flags);
}

static void e1_line_ends(void **state)
{
	static const char *const rows[] = { "\r", "\n\r", "\r\r\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		GString *mail = expand("@H" MIXED "\r\n" TEXT "--bound\r\n@P" LAST, "");

		g_string_replace(mail, "\r\n", "\x01", 0);
		g_string_replace(mail, "\x01", rows[i], 0);
		assert_int_not_equal(check(mail), 0);
		g_string_free(mail, TRUE);
	}
}

static void e1_content_type(void **state)
{
	static const char *const rows[] = {
		"multipart/mixed boundary=\"bound\"", "multipart/mixed;; boundary=\"bound\"",
		"multipart/mixed, text/plain; boundary=\"bound\"",
		"text/plain, multipart/mixed; boundary=\"bound\"",
		"multipart/mixed (c); boundary=\"bound\"", "multi(c)part/mixed; boundary=bound",
		"(c) multipart/mixed; boundary=bound", "multipart/mixed; boundary=\"bound\" (c)",
		"multipart/mixed; (c) boundary=\"bound\"",
		"=?us-ascii?q?multipart/mixed?=; boundary=bound",
		"multi\r\n part/mixed; boundary=bound", "multipart / mixed; boundary=bound",
		"multipart; boundary=bound", "multipart/; boundary=bound", "/mixed; boundary=bound",
		"; boundary=bound", "", "multipart/mixed; x=y z; boundary=bound",
		"multipart/mixed; x; boundary=bound", "multipart/mixed; =x; boundary=bound",
		"multipart/mixed; boundary=bound; charset=\"",
		"\"multipart/mixed\"; boundary=bound",
		"multipart/mixed/x; boundary=bound", "multipart\\mixed; boundary=bound",
		"multipart/mixed;\r\n \r\n boundary=\"bound\"", "@0multipart/mixed; boundary=bound",
		"multipart/mixed; boundary=bound@0", "multipart/mixed\v; boundary=bound",
		"multipart/mixed; charset=x boundary=bound", "multipart/mixed; boundary=bound;;",
		"multipart/mixed; x=\"@L\"; boundary=bound", "text\r\nX: y",
		"multipart/mixed; boundary=bound\r\nContent-Type: text/plain",
		"text/plain\r\nContent-Type: multipart/mixed; boundary=bound",
		"multipart/mixed; boundary=foo\r\nContent-Type: multipart/mixed; boundary=bound",
		"text/plain; boundary=bound", "application/x-foo; boundary=\"bound\"",
	};

	(void)state;
	EXPECT_FLAGGED("@HContent-Type: @X\r\n\r\n" TEXT "--bound\r\n@P" LAST, rows, ~0u);
}

static void g4_boundary(void **state)
{
	static const char *const rows[] = {
		"; boundary = \"bound\"", "; boundary= bound", "; boundary =bound",
		"; boundary=\"bo\\und\"",
		"; boundary=\"bound", "; boundary=bound\"", "; boundary=bound junk",
		"; boundary=\"bound\"x",
		"; boundary=\"bound\"; boundary=\"foo\"", "; boundary=\"foo\"; BOUNDARY=\"bound\"",
		"; boundary*=us-ascii''bound", "; boundary*0=bo; boundary*1=und",
		"; boundary*0*=us-ascii''bo; boundary*1=und",
		"; boundary=foo; boundary*=us-ascii''bound",
		"; boundary=\"=?us-ascii?q?bound?=\"", "; boundary==?us-ascii?q?bound?=",
		"; boundary=\"bound \"", "; boundary=\" bound\"", "; boundary=\"bo\r\n und\"",
		"; boundary=\"bo\"\"und\"", "; boundary=bo\"und\"", "; boundary@0=bound",
		"; boundary=bound,", "; boundary:bound", "; boundary=<bound>",
		"; \"boundary\"=bound", "",
		"; boundary=", "; boundary=\"\"", "; boundary=\"bo;und\"", "; boundary=\"bo@und\"",
		"; boundary=\"bo\tund\"", "; boundary=\"bo\xc3\xa4und\"", "; boundary=\"bo%6end\"",
		"; boundary=(c)bound", "; boundary=bound(c)", "; xboundary=bound",
		"; boundary=bound123456789012345678901234567890123456789012345678901234567890123456789",
	};

	(void)state;
	EXPECT_FLAGGED("@HContent-Type: multipart/mixed@X\r\n\r\n" TEXT "--bound\r\n@P" LAST, rows,
		       SS_AMBIGUITY_BOUNDARY | SS_AMBIGUITY_TYPE);
}

static void e1_nested_boundaries(void **state)
{
	static const char *const rows[] = { "bound", "BOUND", "bou", "bound--", "bound-x" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *inner = mail_format("Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n"
			"@P--%s--\r\n", rows[i], rows[i], rows[i]);

		expect_flagged("@H" MIXED "\r\n" TEXT "--bound\r\n@X" LAST, inner,
			       SS_AMBIGUITY_BOUNDARY);
		/* with another one between */
		expect_flagged("@H" MIXED "\r\n" TEXT "--bound\r\n"
			       "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
			       "--x\r\n@X--x--\r\n" LAST, inner, SS_AMBIGUITY_BOUNDARY);
		free(inner);
	}
}

static void e1_field_names(void **state)
{
	static const char *const rows[] = {
		"Content-Type :", "Content-Type\t:", "Content Type:", "Content_Type:",
		" Content-Type:",
		"Content-Type@0:", "@0Content-Type:", "Content-Typ\xe9:", "Content-Type\r\n :",
		"Content\r\n -Type:", "X: y\rContent-Type:", "X: y\nContent-Type:",
		"X y\r\nContent-Type:",
		"Content-Type::", "-Content-Type:", "Content--Type:", "Content-Type\xa0:",
	};

	(void)state;
	EXPECT_FLAGGED("@H@X multipart/mixed; boundary=bound\r\n\r\n" TEXT "--bound\r\n@P" LAST,
		       rows, ~0u);
}

static void e1_encoding_fields(void **state)
{
	static const char *const rows[] = {
		": base64 foo", ": b\\ase64", ": \"base64\"", ": =?us-ascii?q?base64?=",
		": base64 (c)",
		": (c) base64", ": base64;", ": base64; x=y", ": base64, 7bit", ": 7bit, base64",
		": base\r\n 64", ":@0base64", ": base64@0", ": x-base64", ": base-64", ": b64",
		":\r\n \r\n base64", ": base64\r\nContent-Transfer-Encoding: 7bit",
		": 7bit\r\nContent-Transfer-Encoding: base64", ":", ": :base64", ": 'base64'",
		": <base64>",
		": base64\v", " : base64", "\t: base64", " base64", "\r\n : base64",
		": base64\r\n ",
		": base64\r\n junk", ": base64\r\njunk", ": base64\r", ": base64\n",
		": 7bit\r\n (x)\r\nContent-Transfer-Encoding: base64",
		": quoted-printable\r\ncontent-transfer-encoding: base64",
	};

	(void)state;
	EXPECT_FLAGGED("@H" MIXED "\r\n" TEXT "--bound\r\n" BINARY "Content-Transfer-Encoding@X\r\n"
		       "\r\n@B\r\n" LAST, rows, ~0u);
	EXPECT_FLAGGED("@HContent-Transfer-Encoding@X\r\n\r\n@B\r\n", rows, ~0u);
}

static void e1_encoded_structure(void **state)
{
	static const char *const rows[] = { "base64", "quoted-printable", "x-uuencode" };

	(void)state;
	EXPECT_FLAGGED("@H" MIXED "Content-Transfer-Encoding: @X\r\n\r\n" TEXT "--bound\r\n@P" LAST,
		       rows, SS_AMBIGUITY_ENCODING);
	EXPECT_FLAGGED("@HContent-Type: message/rfc822\r\nContent-Transfer-Encoding: @X\r\n\r\n@H@P",
		       rows, SS_AMBIGUITY_ENCODING);
}

static void e1_base64(void **state)
{
	static const char *const rows[] = {
		"@1 @2", "@1\t@2", " @B", "@B ", "@1\r\n @2", "@1!@2", "@1-@2", "@1_@2", "@1@0@2",
		"@1\xe4@2", "@1\n@2", "@1\r@2", "@1\r\r\n@2", "@1\n\r@2", "@1=@2", "@1====@2",
		"@1\r\n=\r\n@2", "=@B", "@B=", "@B==", "@B\r\nfooter text", "@B\r\n@B",
		"@1==\r\n@2",
		"some text!\r\n@B", "begin 644 x\r\n@B", "@1\r\n--boundx\r\n@2",
		"@1\r\n--bound \r\n@2",
		"@1\r\n --bound\r\n@2", "Foo: bar\r\n@B", "@1.\r\n@2", "@1=\r\n@2", "@B@L", "@B@L=",
	};

	(void)state;
	EXPECT_FLAGGED("@H" MIXED "\r\n" TEXT "--bound\r\n" CODED "\r\n@X\r\n" LAST, rows,
		       SS_AMBIGUITY_BASE64);
	EXPECT_FLAGGED("@H" CODED "\r\n@X\r\n", rows, SS_AMBIGUITY_BASE64);
}

/* Less than an octet is too much: to some none of it is base64 then */
static void e1_base64_and_a_digit(void **state)
{
	char *text = mail_format("%sx", mail_eicar()), *coded = mail_base64(text);
	char *more = mail_format("%sA", coded);

	(void)state;
	expect_plain("@H" CODED "\r\n@X\r\n", coded);
	expect_flagged("@H" CODED "\r\n@X\r\n", more, SS_AMBIGUITY_BASE64);
	free(more);
	free(coded);
	free(text);
}

static void g5_concatenated_base64(void **state)
{
	char *a = mail_base64("MZ concatenated"), *b = mail_base64("x");
	char *both = mail_format("%s%s\r\n@B", b, a);

	(void)state;
	expect_flagged("@H" CODED "\r\n@X\r\n", both, SS_AMBIGUITY_BASE64);
	free(both);
	free(a);
	free(b);
}

static void e1_quoted_printable(void **state)
{
	static const char *const rows[] = {
		"@3= \r\n@4", "@3=\t\r\n@4", "@3=   \r\n@4", "@3=\n@4", "@3=\r@4", "@3=\r\r\n@4",
		"@3=\n\r@4", "@3=zz@4", "@3==@4", "@3=4\r\n@4", "@3@0@4", "@3= 58@4", "@3=\v\r\n@4",
		"@3=5=\r\n@4@Q", "@Q\r\n=x", "@Q\n", "@Q\r",
	};

	(void)state;
	EXPECT_FLAGGED("@H" MIXED "\r\n" TEXT "--bound\r\n" QUOTED "\r\n@X\r\n" LAST, rows,
		       SS_AMBIGUITY_QUOTED);
	EXPECT_FLAGGED("@H" QUOTED "\r\n@X\r\n", rows, SS_AMBIGUITY_QUOTED);
	expect_flagged("@H" QUOTED "\r\n@Q=", "", SS_AMBIGUITY_QUOTED);
}

static void e1_delimiters(void **state)
{
	static const char *const rows[] = {
		"--bound \r\n", "--bound\t\r\n", " --bound\r\n", "--boundx\r\n", "--bound junk\r\n",
		"---bound\r\n", "----bound\r\n", "--BOUND\r\n", "--bound\r", "--bound\n",
		"--bound-\r\n",
		"--bound@0\r\n", "--bound\r\r\n", "--bound--x\r\n", "--bound--\r\n--bound\r\n",
		"--bound--\r\n\r\n--bound\r\n", "--bound-- \r\n--bound\r\n", "\n--bound\r\n",
		"\r--bound\r\n",
	};

	(void)state;
	EXPECT_FLAGGED("@H" MIXED "\r\n" TEXT "@X@P" LAST, rows, SS_AMBIGUITY_DELIMITER);
	EXPECT_FLAGGED("@H" MIXED "\r\n@X@P" LAST, rows, SS_AMBIGUITY_DELIMITER);
	EXPECT_FLAGGED("@H" MIXED "\r\n@X@P", rows, SS_AMBIGUITY_DELIMITER);
}

static void e1_unclosed(void **state)
{
	static const char *const rows[] = { "", "--bound\r\n", "--bound-\r\n", "--bound -- \r\n",
					    "--bound-- \r\n", "--bound--x\r\n", " --bound--\r\n",
					    "--boun--\r\n" };

	(void)state;
	EXPECT_FLAGGED("@H" MIXED "\r\n" TEXT "--bound\r\n@P@X", rows, SS_AMBIGUITY_UNCLOSED);
	expect_flagged("@H" MIXED "\r\n" TEXT "--bound\r\nContent-Type: multipart/mixed; boundary=in\r\n"
		       "\r\n--in\r\n@P" LAST, "", SS_AMBIGUITY_UNCLOSED);
	expect_flagged("@H" MIXED "\r\n" TEXT "--bound\r\n"
		       "Content-Type: multipart/mixed; boundary=in\r\n\r\n"
		       "--in\r\n@P--in--\r\n", "", SS_AMBIGUITY_UNCLOSED);
	expect_flagged("@H" MIXED "\r\n@P", "", SS_AMBIGUITY_UNCLOSED);
}

/* Only the message that comes back may be cut off, and nothing behind it */
static void e1_cut_behind_returned_mail(void **state)
{
	(void)state;
	expect_flagged("@HContent-Type: multipart/report; boundary=bound;\r\n"
		       " report-type=delivery-status\r\n\r\n" TEXT "--bound\r\nContent-Type: message/rfc822\r\n\r\n@H\r\nx\r\n"
		       "--bound\r\n" CODED "\r\n@1xx\r\n--bound\r\n@P" LAST, "",
		       SS_AMBIGUITY_BASE64);
}

static void e1_margins(void **state)
{
	static const char *const rows[] = {
		"@P", "content-type: text/plain\r\n\r\n@E\r\n", "MIME-Version: 1.0\r\n@P", "@H@P",
		"Content-Transfer-Encoding : base64\r\n\r\n@B\r\n", " Content-Type: x\r\n@P",
	};

	(void)state;
	EXPECT_FLAGGED("@H" MIXED "\r\n@X" TEXT LAST, rows, SS_AMBIGUITY_MARGIN);
	EXPECT_FLAGGED("@H" MIXED "\r\n" TEXT LAST "@X", rows, SS_AMBIGUITY_MARGIN);
}

static void e1_uuencoded_margin(void **state)
{
	GString *mail = expand("@H" MIXED "\r\n" TEXT LAST
			       "begin 644 a.com\r\n#86)C\r\n`\r\nend\r\n", "");

	(void)state;
	assert_int_equal(check(mail), SS_AMBIGUITY_MARGIN);
	g_string_free(mail, TRUE);
}

/* The end of the message ends it to many */
static void e1_uuencode_without_an_end(void **state)
{
	const struct pack file = { "a.com", mail_eicar(), strlen(mail_eicar()) };
	GString *mail = expand("@H" MIXED "\r\n" TEXT LAST, "");
	bool found = false;

	(void)state;
	wrap_uu(mail, &file, "\r\n");
	g_string_truncate(mail, mail->len - strlen("`\r\nend\r\n"));
	assert_int_equal(check(mail), SS_AMBIGUITY_MARGIN);
	assert_int_equal(ss_lenient_all(mail->str, mail->len, has_eicar, &found), 0);
	assert_true(found);
	g_string_free(mail, TRUE);
}

static void g4_split_names(void **state)
{
	static const char *const rows[] = {
		"Disposition: attachment; filename=a.txt; filename=b.exe",
		"Disposition: attachment; filename=\"a.txt\"; FileName=\"b.exe\"",
		"Disposition: attachment; filename*0=a; filename*0=b; filename*1=.exe",
		"Type: application/x-y; name=a.txt; name=b.exe",
	};

	(void)state;
	EXPECT_FLAGGED("@HContent-@X\r\nContent-Transfer-Encoding: base64\r\n\r\n@B\r\n", rows,
		       SS_AMBIGUITY_NAME);
}

static void e1_duplicates(void **state)
{
	static const char *const rows[] = {
		"Content-Type: text/plain\r\ncontent-type: text/plain",
		"Content-Disposition: inline\r\nContent-Disposition: attachment",
		"Content-Transfer-Encoding: base64",
	};

	(void)state;
	EXPECT_FLAGGED("@H@X\r\nContent-Transfer-Encoding: base64\r\n\r\n@B\r\n", rows,
		       SS_AMBIGUITY_DUPLICATE);
	expect_flagged("@HMIME-Version: 2.0\r\n@P", "", SS_AMBIGUITY_TYPE);
}

static void e1_charset(void **state)
{
	static const char *const rows[] = { "utf-7", "UTF-16", "\"utf-16le\"", "utf-32be" };

	(void)state;
	EXPECT_FLAGGED("@HContent-Type: text/html; charset=@X\r\nContent-Transfer-Encoding: base64\r\n"
		       "\r\n@B\r\n", rows, SS_AMBIGUITY_CHARSET);
}

static void e3_limits(void **state)
{
	GString *mail = expand("@H", "");

	(void)state;
	for (int i = 100; i < 210; i++)
		g_string_append_printf(mail, "Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n",
				       i, i);
	assert_true(check(mail) & SS_AMBIGUITY_LIMIT);
	g_string_truncate(mail, 0);
	for (int i = 0; i < 110; i++)
		g_string_append(mail, "Content-Type: message/rfc822\r\n\r\n");
	assert_true(check(mail) & SS_AMBIGUITY_LIMIT);
	g_string_assign(mail, MIXED "\r\n");
	for (int i = 0; i < 10001; i++)
		g_string_append(mail, "--bound\r\n\r\n");
	assert_int_equal(check(mail), SS_AMBIGUITY_LIMIT | SS_AMBIGUITY_UNCLOSED);
	g_string_free(mail, TRUE);
}

static bool count_output(const void *data, size_t len, void *arg)
{
	(void)data;
	*(size_t *)arg += len;
	return true;
}

static void g7_readings_are_bounded(void **state)
{
	GString *mail = expand("@H\r\n", "");
	size_t output = 0;

	(void)state;
	for (int i = 0; i < 20000; i++)
		g_string_append_printf(mail, "--\r\n\r\nQUJDREVGR0hJSktMTU5PUA%06d==x\r\n", i);
	assert_int_equal(ss_lenient_all(mail->str, mail->len, count_output, &output), -E2BIG);
	assert_true(output <= mail->len * 8 + (256 << 10));
	g_string_free(mail, TRUE);
}

/* Few of them, but long ones */
static void g7_octets_of_readings_are_bounded(void **state)
{
	GString *mail = expand("@H\r\na\r\n\r\nb\r\n\r\nc\r\n\r\n", "");
	size_t output = 0;

	(void)state;
	for (int i = 0; i < 20000; i++)
		g_string_append_printf(mail, "%060d =zz =4\r\n", i);
	assert_int_equal(ss_lenient_all(mail->str, mail->len, count_output, &output), -E2BIG);
	assert_true(output > mail->len * 4);
	g_string_free(mail, TRUE);
}

static void names_are_stable(void **state)
{
	(void)state;
	assert_string_equal(ss_ambiguity_name(0), "");
	assert_string_equal(ss_ambiguity_name(SS_AMBIGUITY_BASE64 | SS_AMBIGUITY_LIMIT),
			    "Mime.Ambiguous.Base64");
	assert_string_equal(ss_ambiguity_name(SS_AMBIGUITY_SEPARATOR), "Mime.Ambiguous.Separator");
	assert_string_equal(ss_ambiguity_name(SS_AMBIGUITY_LIMIT), "Mime.Ambiguous.Limit");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(e1_separator),
		cmocka_unit_test(e1_header_lines),
		cmocka_unit_test(e1_line_ends),
		cmocka_unit_test(e1_content_type),
		cmocka_unit_test(g4_boundary),
		cmocka_unit_test(e1_nested_boundaries),
		cmocka_unit_test(e1_field_names),
		cmocka_unit_test(e1_encoding_fields),
		cmocka_unit_test(e1_encoded_structure),
		cmocka_unit_test(e1_base64),
		cmocka_unit_test(e1_base64_and_a_digit),
		cmocka_unit_test(g5_concatenated_base64),
		cmocka_unit_test(e1_quoted_printable),
		cmocka_unit_test(e1_delimiters),
		cmocka_unit_test(e1_unclosed),
		cmocka_unit_test(e1_cut_behind_returned_mail),
		cmocka_unit_test(e1_margins),
		cmocka_unit_test(e1_uuencoded_margin),
		cmocka_unit_test(e1_uuencode_without_an_end),
		cmocka_unit_test(g4_split_names),
		cmocka_unit_test(e1_duplicates),
		cmocka_unit_test(e1_charset),
		cmocka_unit_test(e3_limits),
		cmocka_unit_test(g7_readings_are_bounded),
		cmocka_unit_test(g7_octets_of_readings_are_bounded),
		cmocka_unit_test(names_are_stable),
	};

	g_mime_init();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
