// SPDX-License-Identifier: GPL-2.0
/*
 * Messages in a message whose first line looks like the begin of another file. Of each
 * there are as many as there are first lines, containers and encodings, so that what
 * counts is the structure and no list of what files begin with (THREATS E5).
 */
#include <archive.h>
#include <glib.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "scanner/engine.h"
#include "tests/support/message.h"
#include "tests/support/wrap.h"

#define HEAD	"From: a@example.net\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
#define MIXED	HEAD "Content-Type: multipart/mixed; boundary=\"o\"\r\n\r\n"

static const char *const first_lines[] = {
	"BM: x\r\n", "MZ: x\r\n", "GIF89a: x\r\n", "%PDF-1.4: x\r\n", "{\\rtf1: x\r\n",
	"Rar!: x\r\n", "FWS: x\r\n", "CWS: x\r\n", "xar!: x\r\n", "BZh91AY: x\r\n",
	"ID3: x\r\n", "PK: x\r\n", "7z: x\r\n", "\xef\xbb\xbf", "\r\n", "From a@b Mon\r\n",
	"X-Foo:\r\n", "RIFF:x\r\n", "ITSF : x\r\n", "<html: x\r\n", "#!/bin/sh:\r\n",
	"!<arch>:\r\n",
};

#define ODD	"GIF89a: odd"

typeof(ss_engine_scan) __real_ss_engine_scan, __wrap_ss_engine_scan;

static unsigned int as_mail;	/* scans of what begins with our line and ODD */

enum ss_engine_outcome __wrap_ss_engine_scan(struct ss_engine *engine, int fd, uint32_t ms,
					     struct ss_engine_finding *finding)
{
	char start[256] = "", *odd;

	assert_true(pread(fd, start, sizeof(start) - 1, 0) >= 0);
	odd = strstr(start, "\n" ODD);
	if (!strncmp(start, "Received:", 9) && odd && !memmem(start, odd - start, "From:", 5))
		as_mail++;
	return __real_ss_engine_scan(engine, fd, ms, finding);
}

/* The attachment's fields and octets in each encoding */
static char *infected_part(unsigned int encoding)
{
	char *body, *part;

	switch (encoding) {
	case 0:
		return eicar("a.com");
	case 1:
		/* quoted-printable, each octet by its number */
		body = calloc(1, 4 * strlen(mail_eicar()));
		for (size_t i = 0; i < strlen(mail_eicar()); i++)
			sprintf(body + strlen(body), "=%02X%s", mail_eicar()[i],
				i % 20 == 19 ? "=\r\n" : "");
		part = mail_format("Content-Type: application/x-a; name=a.com\r\n"
			"Content-Transfer-Encoding: quoted-printable\r\n\r\n%s\r\n", body);
		free(body);
		return part;
	default:
		return mail_format("Content-Type: application/x-a; name=a.com\r\n\r\n%s\r\n",
				   mail_eicar());
	}
}

static char *inner_mail(const char *first, unsigned int encoding)
{
	char *part = infected_part(encoding);
	char *text = mail_format("%s" HEAD "Content-Type: multipart/mixed; boundary=\"i\"\r\n\r\n"
		"--i\r\nContent-Type: text/plain\r\n\r\nLook at this.\r\n--i\r\n%s--i--\r\n",
		first, part);

	free(part);
	return text;
}

/* Quoted-printable of a text; only what has to be is quoted */
static char *quoted(const char *text)
{
	GString *out = g_string_new(NULL);
	char *copy;

	for (; *text; text++) {
		if (*text == '=' || (unsigned char)*text > 0x7e)
			g_string_append_printf(out, "=%02X", (unsigned char)*text);
		else
			g_string_append_c(out, *text);
	}
	copy = strdup(out->str);
	g_string_free(out, TRUE);
	return copy;
}

static char *part_with(const char *fields, const char *body)
{
	return mail_format(MIXED "--o\r\nContent-Type: text/plain\r\n\r\nSee.\r\n"
			   "--o\r\n%s\r\n%s\r\n--o--\r\n", fields, body);
}

static char *in_base64(const char *fields, const void *data, size_t len)
{
	char *lines = encoded(data, len);
	char *all = mail_format("%sContent-Transfer-Encoding: base64\r\n", fields);
	char *text = part_with(all, lines);

	free(lines);
	free(all);
	return text;
}

#define EML	"Content-Disposition: attachment; filename=\"a.eml\"\r\n"

static char *in_rfc822(const char *mail)
{
	return part_with("Content-Type: message/rfc822\r\n", mail);
}

static char *in_global(const char *mail)
{
	return part_with("Content-Type: message/global\r\n" EML, mail);
}

static char *in_rfc822_base64(const char *mail)
{
	return in_base64("Content-Type: message/rfc822\r\n", mail, strlen(mail));
}

static char *in_rfc822_quoted(const char *mail)
{
	char *body = quoted(mail);
	char *text = part_with("Content-Type: message/rfc822\r\n"
			       "Content-Transfer-Encoding: quoted-printable\r\n", body);

	free(body);
	return text;
}

static char *in_octets(const char *mail)
{
	return in_base64("Content-Type: application/octet-stream\r\n" EML, mail, strlen(mail));
}

static char *in_text(const char *mail)
{
	return part_with("Content-Type: text/plain\r\n" EML, mail);
}

static char *in_text_base64(const char *mail)
{
	return in_base64("Content-Type: text/plain\r\n", mail, strlen(mail));
}

static char *in_digest(const char *mail)
{
	return mail_format(HEAD "Content-Type: multipart/digest; boundary=\"o\"\r\n\r\n"
			   "--o\r\n\r\nSubject: y\r\n\r\nHello\r\n"
			   "--o\r\n\r\n%s\r\n--o--\r\n", mail);
}

static char *in_whole(const char *mail)
{
	return mail_format(HEAD "Content-Type: message/rfc822\r\n\r\n%s", mail);
}

/* The same boundary twice would end the outer one */
static char *in_twice(const char *mail)
{
	char *inner = in_whole(mail), *text = in_rfc822(inner);

	free(inner);
	return text;
}

static char *in_eml_in_rfc822(const char *mail)
{
	char *inner = in_octets(mail);
	char *text = mail_format("BM: x\r\n" HEAD "Content-Type: message/rfc822\r\n\r\n%s", inner);

	free(inner);
	return text;
}

static char *in_eml_in_eml(const char *mail)
{
	char *inner = in_octets(mail), *odd = mail_format("GIF89a: x\r\n%s", inner);
	char *text = in_octets(odd);

	free(inner);
	free(odd);
	return text;
}

static char *in_zip(const char *mail)
{
	const struct pack file = { "a.eml", mail, strlen(mail) };

	return MESSAGE(packed(pack_zip("a.zip", &file, 1)));
}

static char *in_tnef(const char *mail)
{
	const struct pack file = { "a.eml", mail, strlen(mail) };
	GString *tnef = wrap_tnef();
	char *text;

	wrap_file(tnef, &file);
	text = in_base64("Content-Type: application/ms-tnef; name=\"winmail.dat\"\r\n",
			 tnef->str, tnef->len);
	g_string_free(tnef, TRUE);
	return text;
}

static const struct {
	const char *name;
	char *(*put)(const char *mail);
} containers[] = {
	{ "rfc822", in_rfc822 }, { "rfc822-base64", in_rfc822_base64 },
	{ "rfc822-quoted", in_rfc822_quoted }, { "global", in_global },
	{ "octets", in_octets }, { "text", in_text }, { "text-base64", in_text_base64 },
	{ "digest", in_digest }, { "whole", in_whole }, { "twice", in_twice },
	{ "eml-in-rfc822", in_eml_in_rfc822 }, { "eml-in-eml", in_eml_in_eml },
	{ "zip", in_zip }, { "tnef", in_tnef },
};

static void M1_nested_mail_is_scanned_by_itself(void **state)
{
	unsigned int count = 0, passed = 0;

	(void)state;
	/* not for its ambiguity either, which an option lets pass */
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	for (size_t i = 0; i < ARRAY_SIZE(first_lines); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(containers); j++) {
			for (unsigned int encoding = 0; encoding < 3; encoding++, count++) {
				char *mail = inner_mail(first_lines[i], encoding);

				scan(containers[j].put(mail));
				free(mail);
				if (result.verdict == SMTPSPLICE_VERDICT_REJECT &&
				    result.cause == SS_CAUSE_VIRUS)
					continue;
				passed++;
				printf("# passes: first line %zu in %s, encoding %u: %s\n", i,
				       containers[j].name, encoding, result.detail);
			}
		}
	}
	printf("# %u of %u pass\n", passed, count);
	assert_true(count >= 200);
	assert_int_equal(passed, 0);
}

/* Nor is what is harmless refused, or flagged, for where it is */
static void M1_harmless_nested_mail_passes(void **state)
{
	(void)state;
	for (size_t j = 0; j < ARRAY_SIZE(containers); j++) {
		char *mail = mail_format(HEAD "\r\nHello\r\n");

		scan(containers[j].put(mail));
		free(mail);
		if (result.verdict != SMTPSPLICE_VERDICT_ACCEPT)
			printf("# %s: %s %s\n", containers[j].name, result.virus, result.detail);
		/* an encoded message/rfc822 is ambiguous, whatever is in it */
		if (strstr(containers[j].name, "822-"))
			continue;
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	}
}

/* Mail in CMS, as plain data */
static char *in_cms(const char *mail)
{
	static const char fields[] = "Content-Type: message/rfc822\r\n\r\n";
	size_t len = strlen(fields) + strlen(mail), all = len + 20, rest = len + 4;
	const char head[] = {
		0x30, 0x83, 0, all >> 8, all,
		0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01,
		0xa0, 0x83, 0, rest >> 8, rest, 0x04, 0x82, len >> 8, len,
	};
	GString *octets = g_string_new_len(head, sizeof(head));
	char *text;

	g_string_append_printf(octets, "%s%s", fields, mail);
	text = in_base64("Content-Type: application/pkcs7-mime; name=smime.p7m\r\n",
			 octets->str, octets->len);
	g_string_free(octets, TRUE);
	return text;
}

static char *in_rfc822_in_octets(const char *mail)
{
	char *inner = in_rfc822(mail), *text = in_octets(inner);

	free(inner);
	return text;
}

/* The engine knows mail by our line: what it makes of a message is more than its leaves */
static void M1_nested_mail_has_a_first_line(void **state)
{
	static char *(*const puts[])(const char *mail) = {
		in_rfc822, in_twice, in_digest, in_cms, in_octets, in_rfc822_in_octets,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(puts); i++) {
		as_mail = 0;
		scan(puts[i](ODD "\r\n" HEAD "Content-Type: text/plain\r\n\r\nHello\r\n"));
		if (!as_mail)
			printf("# not as mail: %zu\n", i);
		assert_true(as_mail);
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	}
}

/* What was seen in another part is in this one nevertheless */
static void M1_each_copy_is_taken_out(void **state)
{
	char *mail = inner_mail("BM: x\r\n", 0), *body = encoded(mail, strlen(mail));

	(void)state;
	replace_all();
	scan(MESSAGE(attached("a.eml", mail, strlen(mail)), harmless("a.txt"),
		     attached("b.eml", mail, strlen(mail))));
	body[60] = '\0';
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_VIRUS, MAIL_EICAR, "a.eml");
	assert_true(result.replaced && has("a.txt"));
	assert_false(has(body));
	free(mail);
	free(body);
}

/* A digest as a text, and the like: each paragraph may be the head of a message */
static void M1_texts_about_mail_pass(void **state)
{
	GString *text = g_string_new(HEAD "\r\n");

	(void)state;
	for (int i = 0; i < 40; i++)
		g_string_append_printf(text, "Message: %d\r\nFrom: a%d@example.net\r\n"
			"Content-Type: text/plain; charset=utf-8\r\n\r\nNote: this is all.\r\n\r\n"
			"------------------------------\r\n\r\n", i, i);
	scan(strdup(text->str));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(in_octets(text->str));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	g_string_free(text, TRUE);
}

static void M1_nested_files_follow_the_rules(void **state)
{
	char *mail = MESSAGE(harmless("run.js")), *text = in_octets(mail);

	(void)state;
	scan(strdup(text));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	avattrs_text(&attrs, AV(FILE_NAME), "*.js");
	scan(strdup(text));
	expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filename", "a.eml/run.js");
	/* what is allowed by its hash is an attachment of the message itself */
	avattrs_hash(&attrs, AV(HASH_ALLOW), "Harmless.\r\n", 11);
	scan(text);
	expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filename", "a.eml/run.js");
	free(mail);
}

/* A file in a file, so many times */
static char *deep(const char *innermost, int count)
{
	char *mail = mail_format("BM: x\r\n%s", innermost);

	for (int i = 0; i < count; i++) {
		char *body = encoded(mail, strlen(mail));

		free(mail);
		mail = mail_format("BM: x\r\n" HEAD "Content-Type: application/octet-stream\r\n"
				   "Content-Transfer-Encoding: base64\r\n\r\n%s", body);
		free(body);
	}
	return mail;
}

/* Deeper than anybody looks is a limit, and so no silence */
static void M1_bound_is_a_limit(void **state)
{
	char *mail = mail_format(HEAD "Content-Type: text/plain\r\n\r\nHello\r\n");

	(void)state;
	scan(deep(mail, 12));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(deep(mail, 13));
	expect_refused(SS_CAUSE_ARCHIVE, "Smtpsplice.Archive.nested", "message");
	avattrs_number(&attrs, AV(ARCHIVE_BLOCK), 0);
	scan(deep(mail, 13));
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ARCHIVE);
	reset(NULL);
	avattrs_number(&attrs, AV(UNCOMPRESSED_NEST_LIMIT), 2);
	scan(deep(mail, 2));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(deep(mail, 3));
	expect_refused(SS_CAUSE_ARCHIVE, "Smtpsplice.Archive.nested", "message");
	/* however deep the profile lets look */
	avattrs_number(&attrs, AV(UNCOMPRESSED_NEST_LIMIT), 100);
	scan(deep(mail, 16));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(deep(mail, 17));
	expect_refused(SS_CAUSE_UNDECODABLE, "Smtpsplice.Mime.Limit", "message");
	free(mail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(M1_nested_mail_is_scanned_by_itself, reset),
		cmocka_unit_test_setup(M1_harmless_nested_mail_passes, reset),
		cmocka_unit_test_setup(M1_nested_mail_has_a_first_line, reset),
		cmocka_unit_test_setup(M1_each_copy_is_taken_out, reset),
		cmocka_unit_test_setup(M1_texts_about_mail_pass, reset),
		cmocka_unit_test_setup(M1_nested_files_follow_the_rules, reset),
		cmocka_unit_test_setup(M1_bound_is_a_limit, reset),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, tools_setup, teardown);
}
