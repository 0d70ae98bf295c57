// SPDX-License-Identifier: GPL-2.0
/*
 * The gate and the readings. Messages are made from templates. In these @B is the
 * EICAR file in base64, @1 and @2 its halves, @Q in quoted-printable, @3 and @4 its
 * halves, @E as it is, @P a part that holds it, @H the head of a mail, @0 a NUL, @L a
 * text of 1000 octets, and @X what the row puts in.
 */
#include "tests/support/unit.h"

#include <errno.h>

#include <gmime/gmime.h>

#include "lib/cleanup.h"
#include "scanner/mime/ambiguity.h"
#include "scanner/mime/flags.h"
#include "scanner/mime/lenient.h"
#include "tests/support/mail.h"
#include "tests/support/wrap.h"

#define HEAD	"From: a@example.net\r\nTo: b@example.org\r\nSubject: x\r\n"
#define MIXED	"Content-Type: multipart/mixed; boundary=\"bound\"\r\n"
#define TEXT	"--bound\r\nContent-Type: text/plain\r\n\r\nhi\r\n"
#define BINARY	"Content-Type: application/octet-stream\r\n"
#define CODED	BINARY "Content-Transfer-Encoding: base64\r\n"
#define QUOTED	BINARY "Content-Transfer-Encoding: quoted-printable\r\n"
#define LAST	"--bound--\r\n"

static GString *expand(const char *template, const char *x);

static void append_quoted(GString *out, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		g_string_append_printf(out, "=%02X", (unsigned char)mail_eicar()[i]);
}

static void append_text(GString *out, char *text, size_t from, size_t len)
{
	size_t left = strlen(text) - from;

	g_string_append_len(out, text + from, len < left ? len : left);
	free(text);
}

static void append_template(GString *out, const char *template)
{
	GString *more = expand(template, "");

	g_string_append_len(out, more->str, more->len);
	g_string_free(more, TRUE);
}

/* Return: false where @c is no name of anything */
static bool append_named(GString *out, char c, const char *x)
{
	GString *more;

	switch (c) {
	case 'B':
		append_text(out, mail_base64(mail_eicar()), 0, SIZE_MAX);
		break;
	case '1':
		append_text(out, mail_base64(mail_eicar()), 0, 40);
		break;
	case '2':
		append_text(out, mail_base64(mail_eicar()), 40, SIZE_MAX);
		break;
	case 'Q':
		append_quoted(out, 0, strlen(mail_eicar()));
		break;
	case '3':
		append_quoted(out, 0, 20);
		break;
	case '4':
		append_quoted(out, 20, strlen(mail_eicar()));
		break;
	case 'E':
		g_string_append(out, mail_eicar());
		break;
	case 'P':
		append_template(out, CODED "\r\n@B\r\n");
		break;
	case 'H':
		append_template(out, HEAD "MIME-Version: 1.0\r\n");
		break;
	case '0':
		g_string_append_c(out, '\0');
		break;
	case 'L':
		g_string_append_printf(out, "%01000d", 0);
		break;
	case 'X':
		more = expand(x, "");
		g_string_append_len(out, more->str, more->len);
		g_string_free(more, TRUE);
		break;
	default:
		return false;
	}
	return true;
}

static GString *expand(const char *template, const char *x)
{
	GString *out = g_string_new(NULL);

	for (const char *s = template; *s; s++) {
		if (*s == '@' && append_named(out, s[1], x))
			s++;
		else
			g_string_append_c(out, *s);
	}
	return out;
}

static bool has_eicar(const void *data, size_t len, void *arg)
{
	bool *found = arg;

	*found = memmem(data, len, mail_eicar(), strlen(mail_eicar()));
	return !*found;
}

/* A copy of its own size, for the sanitizer to see what is read behind it */
static uint32_t check(const GString *mail)
{
	char *copy = malloc(mail->len + !mail->len);
	uint32_t flags;

	memcpy(copy, mail->str, mail->len);
	flags = ss_ambiguity_check(copy, mail->len);
	free(copy);
	return flags;
}

static void expect_flagged(const char *template, const char *x, uint32_t flags)
{
	GString *mail = expand(template, x);
	uint32_t got = check(mail);
	bool found = false;

	if (!(got & flags))
		fail_msg("flags 0x%x, not of 0x%x: %s", got, flags, mail->str);
	assert_int_equal(ss_lenient_all(mail->str, mail->len, has_eicar, &found), 0);
	if (!found)
		fail_msg("no reading has the file: %s", mail->str);
	g_string_free(mail, TRUE);
}

static void expect_plain(const char *template, const char *x)
{
	GString *mail = expand(template, x);
	uint32_t got = check(mail);

	if (got)
		fail_msg("%s: %s", ss_ambiguity_name(got), mail->str);
	g_string_free(mail, TRUE);
}

#define EXPECT_FLAGGED(template, rows, flags)				\
	do {								\
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)		\
			expect_flagged(template, (rows)[i], flags);	\
	} while (0)

#define EXPECT_PLAIN(template, rows)					\
	do {								\
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)		\
			expect_plain(template, (rows)[i]);		\
	} while (0)

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
	const struct CMUnitTest tests[] = {
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
		cmocka_unit_test(passes_plain_mail),
		cmocka_unit_test(passes_types),
		cmocka_unit_test(passes_encodings),
		cmocka_unit_test(passes_multiparts),
		cmocka_unit_test(passes_boundaries),
		cmocka_unit_test(passes_returned_mail),
		cmocka_unit_test(passes_what_gmime_makes),
		cmocka_unit_test(g7_readings_are_bounded),
		cmocka_unit_test(g7_octets_of_readings_are_bounded),
		cmocka_unit_test(names_are_stable),
	};

	g_mime_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
