// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <archive.h>
#include <glib.h>

#include "tests/support/mail.h"
#include "tests/support/pack.h"
#include "tests/support/tools.h"
#include "tests/support/wrap.h"

#define LIMIT_MS 60000
#define PADDING (20 << 20)

static struct ss_scan_result result;

static void run_job(const struct ss_scan_job *job, const char *text)
{
	int fd = mail_file(text, job->size);

	ss_scan_message(tools, fd, -1, job, NULL, 0, &result);
	assert_true(ss_scan_result_check(&result));
	close(fd);
}

static void scan_octets(const char *text, size_t len)
{
	struct ss_scan_job job = { .size = len, .limit_ms = LIMIT_MS };

	run_job(&job, text);
}

/* Scan and free, as it came by BDAT */
static void scan_chunked(char *text)
{
	struct ss_scan_job job = { .size = strlen(text), .limit_ms = LIMIT_MS, .chunked = true };

	run_job(&job, text);
	free(text);
}

/* Scan and free */
static void scan(char *text)
{
	scan_octets(text, strlen(text));
	free(text);
}

static void expect(uint32_t verdict, const char *virus, const char *file)
{
	assert_string_equal(result.virus, virus);
	assert_string_equal(result.file, file);
	assert_string_equal(result.detail, "");
	assert_int_equal(result.verdict, verdict);
}

static void passes_clean_mail(void **state)
{
	(void)state;
	scan(mail_format("From: a@example.net\r\n"
			 "To: b@example.org\r\n"
			 "Subject: hi\r\n"
			 "\r\n"
			 "Hello\r\n"));
	expect(SMTPSPLICE_VERDICT_ACCEPT, "", "");
	assert_string_equal(result.head.from, "a@example.net");
	assert_string_equal(result.head.to, "b@example.org");
	assert_string_equal(result.head.subject, "hi");
	assert_false(result.attachment);
	scan(strdup(""));
	expect(SMTPSPLICE_VERDICT_ACCEPT, "", "");
	scan(strdup("\r\n"));
	expect(SMTPSPLICE_VERDICT_ACCEPT, "", "");
}

static void finds_plain_text(void **state)
{
	(void)state;
	scan(mail_format("Subject: x\r\n\r\n%s\r\n", mail_eicar()));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "message");
}

static void names_the_attachment(void **state)
{
	(void)state;
	scan(mail_attachment("", "Content-Type: application/octet-stream\r\n"
			     "Content-Disposition: attachment; filename=\"eicar.com\"\r\n"));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "eicar.com");
	assert_true(result.attachment);
	assert_int_equal(strlen(result.filehash), 64);
	assert_memory_equal(result.filehash, "275a021bbfb6489e", 16);
	assert_string_equal(result.head.subject, "Gr\xc3\xbc\xc3\x9f" "e");
	assert_string_equal(result.head.messageid, "1@example.net");
	assert_string_equal(result.head.from, "Alice <alice@example.net>");
}

static void decodes_names(void **state)
{
	(void)state;
	scan(mail_attachment("", "Content-Type: application/octet-stream; name=\"n.com\"\r\n"));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "n.com");
	scan(mail_attachment("", "Content-Type: application/octet-stream\r\n"
				 "Content-Disposition: attachment;\r\n"
				 " filename*0*=utf-8''%C3%BC; filename*1=\"ber.com\"\r\n"));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "\xc3\xbc" "ber.com");
	scan(mail_attachment("", "Content-Type: application/octet-stream\r\n"
				 "Content-Disposition: attachment;\r\n"
				 " filename=\"=?utf-8?b?w7xiZXIuY29t?=\"\r\n"));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "\xc3\xbc" "ber.com");
	scan(mail_attachment("", "Content-Type: application/octet-stream\r\n"
				 "Content-Disposition: attachment;\r\n"
				 " filename*=utf-8''a%0D%0A250%20ok\r\n"));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "a??250 ok");
	/* No name at all */
	scan(mail_attachment("", "Content-Type: application/octet-stream\r\n"));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "message");
}

static void names_the_one_that_is_infected(void **state)
{
	char *coded = mail_base64(mail_eicar());

	(void)state;
	scan(mail_format("Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\nContent-Type: text/plain; name=first.txt\r\n\r\nharmless\r\n"
		"--b\r\nContent-Type: application/x-a; name=second.com\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n%s\r\n"
		"--b\r\nContent-Type: text/plain; name=third.txt\r\n\r\nharmless\r\n"
		"--b--\r\n", coded));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "second.com");
	free(coded);
}

static void looks_into_nested_mail(void **state)
{
	char *inner = mail_attachment("", "Content-Type: application/octet-stream\r\n"
				      "Content-Disposition: attachment; filename=inner.com\r\n");

	(void)state;
	scan(mail_format("Subject: fwd\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
		"--o\r\nContent-Type: message/rfc822\r\n"
		"Content-Disposition: attachment; filename=forwarded.eml\r\n\r\n%s\r\n"
		"--o--\r\n", inner));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "inner.com");
	free(inner);

	inner = mail_attachment("", "Content-Type: application/octet-stream\r\n");
	scan(mail_format("Subject: fwd\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
		"--o\r\nContent-Type: message/rfc822\r\n"
		"Content-Disposition: attachment; filename=forwarded.eml\r\n\r\n%s\r\n"
		"--o--\r\n", inner));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "forwarded.eml");
	free(inner);
}

/* A first field that looks like the magic of another file type */
static void E2_is_not_fooled_by_magic(void **state)
{
	static const char *const magic[] = {
		"GIF89a: x\r\n", "%PDF-1.4: x\r\n", "MZ: x\r\n", "PK\x03\x04: x\r\n",
		"Rar!\x1a\x07\x01: x\r\n", "7z\xbc\xaf\x27\x1c: x\r\n", "{\\rtf: x\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(magic) / sizeof(*magic); i++) {
		scan(mail_attachment(magic[i], "Content-Type: application/octet-stream\r\n"
				     "Content-Disposition: attachment; filename=eicar.com\r\n"));
		expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "eicar.com");
	}
}

static void E4_takes_dots_off(void **state)
{
	static const char head[] = "Subject: x\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n";

	(void)state;
	scan(mail_format("%s" MAIL_DOTTED_1 "=\r\n." MAIL_DOTTED_2 "\r\n", head));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_DOTTED, "message");
	/* With both dots it is another text */
	scan(mail_format("%s" MAIL_DOTTED_1 "=\r\n.." MAIL_DOTTED_2 "\r\n", head));
	expect(SMTPSPLICE_VERDICT_ACCEPT, "", "");
}

/* Where bare LF may pass, a server may see a line there, and a dot less */
static void reads_bare_newlines_both_ways(void **state)
{
	static const char head[] = "Subject: x\nMIME-Version: 1.0\n"
		"Content-Type: text/plain\n"
		"Content-Transfer-Encoding: quoted-printable\n\n";

	(void)state;
	scan(mail_format("%s" MAIL_DOTTED_1 "=\n." MAIL_DOTTED_2 "\n", head));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_DOTTED, "message");
	/* whatever the first line with a dot is behind */
	scan(mail_format("%s\r\n..\r\n" MAIL_DOTTED_1 "=\n." MAIL_DOTTED_2 "\n", head));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_DOTTED, "message");
	scan(mail_format("%s" MAIL_DOTTED_1 "=\n" MAIL_DOTTED_2 "\n", head));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_DOTTED, "message");
}

static void G4_refuses_fragments(void **state)
{
	static const char *const type[] = {
		"message/partial; id=\"x\"; number=1; total=2",
		"MESSAGE/Partial; id=x; number=1",
		"message/partial",
		" message (a \\) comment) /\r\n\t(another) partial ; id=x",
	};
	static const char *const nested[] = {
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: %s\r\n\r\nx\r\n--b--\r\n",
		"Content-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: %s\r\n\r\nx\r\n",
		"Subject: x\r\nContent-Type: %s\r\n\r\nSubject: y\r\n\r\nx\r\n",
		"Content-Type: text/plain\r\nContent-Type: %s\r\n\r\nx\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(nested) / sizeof(*nested); i++) {
		for (size_t j = 0; j < sizeof(type) / sizeof(*type); j++) {
			char text[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(text, sizeof(text), nested[i], type[j]);
#pragma GCC diagnostic pop
			scan(strdup(text));
			expect(SMTPSPLICE_VERDICT_REJECT, "Smtpsplice.Partial", "message");
			assert_true(result.cause == SS_CAUSE_PARTIAL);
		}
	}
	/* Text about fragments is none */
	scan(strdup("Subject: x\r\n\r\nContent-Type: message/partial; id=x\r\n"));
	expect(SMTPSPLICE_VERDICT_ACCEPT, "", "");
	scan(strdup("Subject: x\r\nContent-Type: message/partialx\r\n\r\nx\r\n"));
	expect(SMTPSPLICE_VERDICT_ACCEPT, "", "");
}

/* Infected, or too deep to tell: never clean */
static void e3_does_not_pass_what_is_too_deep(void **state)
{
	static const int depths[] = { 10, 18, 30, 60, 150 };

	(void)state;
	for (size_t i = 0; i < sizeof(depths) / sizeof(*depths); i++) {
		char *text = mail_attachment("", "Content-Type: application/octet-stream\r\n"
					     "Content-Disposition: attachment; filename=deep.com\r\n");

		for (int d = 0; d < depths[i]; d++) {
			char *outer = mail_format("Subject: %d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n"
				"--b%d\r\nContent-Type: message/rfc822\r\n\r\n%s\r\n--b%d--\r\n",
				d, d, d, text, d);
			free(text);
			text = outer;
		}
		scan(text);
		assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
		if (strcmp(result.virus, MAIL_EICAR))
			assert_true(depths[i] > 30);
		if (strcmp(result.virus, MAIL_EICAR))
			assert_true(!strncmp(result.virus, "Heuristics.Limits.Exceeded", 26) ||
				    !strncmp(result.virus, "Smtpsplice.Mime.", 16));
		else
			/* deeper than the parts are known, a message around it is infected */
			assert_string_equal(result.file, depths[i] > 60 ? "message" : "deep.com");
	}
}

/* uuencode in lines that end with @eol */
static char *uuencoded(const char *text, const char *eol)
{
	const struct pack file = { "cr.com", text, strlen(text) };
	GString *out = g_string_new(NULL);
	char *copy;

	wrap_uu(out, &file, eol);
	copy = strdup(out->str);
	g_string_free(out, TRUE);
	return copy;
}

/* With BINARYMIME CR may end lines, which libclamav does not know everywhere: E4 */
static void E4_reads_lines_that_end_in_cr(void **state)
{
	static const char * const eols[] = { "\r\n", "\n", "\r" };
	const char *eicar = mail_eicar();

	(void)state;
	for (size_t i = 0; i < sizeof(eols) / sizeof(*eols); i++) {
		const char *eol = eols[i];
		char *coded = uuencoded(eicar, eol);

		scan_chunked(mail_format("Subject: x%s%s%s", eol, eol, coded));
		assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
		free(coded);
	}
}

/* E4, the other way round: what CR alone ends is lines of base64 */
static void e4_reads_parts_that_end_in_cr(void **state)
{
	char *text = mail_attachment("", "Content-Disposition: attachment; filename=cr.com\r\n");
	char *to = text;

	(void)state;
	for (const char *s = text; *s; s++)
		if (*s != '\n')
			*to++ = *s;
	*to = '\0';
	scan_chunked(text);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(result.virus, MAIL_EICAR);
}

/* -- codings -------------------------------------------------------------- */

/* An attachment that is coded by the caller */
static char *with_coding(const char *coding, const char *body)
{
	return mail_format("Subject: x\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\nContent-Type: text/plain\r\n\r\nLook.\r\n"
		"--b\r\nContent-Type: application/octet-stream\r\n"
		"Content-Disposition: attachment; filename=eicar.com\r\n"
		"Content-Transfer-Encoding: %s\r\n\r\n%s\r\n--b--\r\n", coding, body);
}

static void g4_finds_it_in_each_coding(void **state)
{
	const char *eicar = mail_eicar();
	char all[512] = "", soft[512] = "", *coded;

	(void)state;
	for (size_t i = 0; i < strlen(eicar); i++) {
		snprintf(all + 3 * i + 3 * (i / 20), 4, "=%02X", (unsigned char)eicar[i]);
		if (i % 20 == 19)
			strcat(all, "=\r\n");
		snprintf(soft + strlen(soft), 8, i % 8 == 7 ? "%c=\r\n" : "%c", eicar[i]);
	}
	scan(with_coding("quoted-printable", all));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "eicar.com");
	scan(with_coding("quoted-printable", soft));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "eicar.com");
	scan(with_coding("7bit", eicar));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "eicar.com");
	coded = uuencoded(eicar, "\r\n");
	scan(mail_format("Subject: x\r\n\r\nHi\r\n\r\n%s", coded));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(result.virus, MAIL_EICAR);
	free(coded);
}

static char *attach(const void *data, size_t len)
{
	char *coded = g_base64_encode(data, len);
	char *text = with_coding("base64", coded);

	g_free(coded);
	return text;
}

static void finds_it_in_archives(void **state)
{
	const struct pack eicar = { "eicar.com", mail_eicar(), strlen(mail_eicar()) };
	struct pack inner = pack_zip("inner.zip", &eicar, 1);
	struct pack outer = pack_zip("outer.zip", &inner, 1);
	struct pack tar = pack_files("a.tar.gz", ARCHIVE_FORMAT_TAR, ARCHIVE_FILTER_GZIP, NULL,
				     &eicar, 1);

	(void)state;
	scan(attach(outer.data, outer.len));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "eicar.com");
	scan(attach(tar.data, tar.len));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "eicar.com");
	pack_drop(&inner);
	pack_drop(&outer);
	pack_drop(&tar);
}

/* A winmail.dat of Outlook */
static void g4_finds_it_in_tnef(void **state)
{
	const struct pack file = { "eicar.com", mail_eicar(), strlen(mail_eicar()) };
	GString *tnef = wrap_tnef();

	(void)state;
	wrap_file(tnef, &file);
	scan(attach(tnef->str, tnef->len));
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "eicar.com");
	g_string_free(tnef, TRUE);
}

/*
 * Two files with the same MD5 (X. Wang, 2004), of which one is infected: that the
 * other one was clean says nothing of it.
 */
static void finds_what_has_the_hash_of_something_clean(void **state)
{
	static const char pair[] = MAIL_COLLISION
		"\x12\x46\x7e\xab\x40\x04\x58\x3e\xb8\xfb\x7f\x89"
		"\x55\xad\x34\x06\x09\xf4\xb3\x02\x83\xe4\x88\x83\x25\xf1\x41\x5a"
		"\x08\x51\x25\xe8\xf7\xcd\xc9\x9f\xd9\x1d\xbd\x72\x80\x37\x3c\x5b"
		"\xd8\x82\x3e\x31\x56\x34\x8f\x5b\xae\x6d\xac\xd4\x36\xc9\x19\xc6"
		"\xdd\x53\xe2\x34\x87\xda\x03\xfd\x02\x39\x63\x06\xd2\x48\xcd\xa0"
		"\xe9\x9f\x33\x42\x0f\x57\x7e\xe8\xce\x54\xb6\x70\x80\x28\x0d\x1e"
		"\xc6\x98\x21\xbc\xb6\xa8\x83\x93\x96\xf9\x65\xab\x6f\xf7\x2a\x70";
	static const unsigned char differ[] = { 19, 45, 59, 83, 109, 123 };
	enum { SIZE = sizeof(pair) - 1 };
	char *sums[2], clean[SIZE];

	(void)state;
	memcpy(clean, pair, SIZE);
	for (size_t i = 0; i < sizeof(differ); i++)
		clean[differ[i]] ^= 0x80;
	sums[0] = g_compute_checksum_for_data(G_CHECKSUM_MD5, (void *)pair, SIZE);
	sums[1] = g_compute_checksum_for_data(G_CHECKSUM_MD5, (void *)clean, SIZE);
	assert_string_equal(sums[0], sums[1]);
	g_free(sums[0]);
	g_free(sums[1]);
	for (int i = 0; i < 3; i++) {
		scan(attach(clean, SIZE));
		expect(SMTPSPLICE_VERDICT_ACCEPT, "", "");
		scan(attach(pair, SIZE));
		expect(SMTPSPLICE_VERDICT_REJECT, MAIL_COLLIDED, "eicar.com");
	}
}

/* E3: what stands in front is no reason not to look */
static void e3_finds_it_behind_much(void **state)
{
	static const char line[] = "All work and no play makes Jack a dull boy, so they say.\r\n";
	char *mail = with_coding("7bit", mail_eicar()), *at = strstr(mail, "Look."), *text, *to;
	size_t pad = PADDING / (sizeof(line) - 1) * (sizeof(line) - 1);

	(void)state;
	text = malloc(strlen(mail) + pad + 1);
	memcpy(text, mail, at - mail);
	to = text + (at - mail);
	for (; pad; pad -= sizeof(line) - 1, to += sizeof(line) - 1)
		memcpy(to, line, sizeof(line) - 1);
	strcpy(to, at);
	free(mail);
	scan(text);
	expect(SMTPSPLICE_VERDICT_REJECT, MAIL_EICAR, "eicar.com");
}

static void fails_safe(void **state)
{
	struct ss_scan_job job = { .size = 100, .limit_ms = LIMIT_MS };
	int fd = mail_file("short", 5);

	(void)state;
	ss_scan_message(tools, fd, -1, &job, NULL, 0, &result);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	assert_true(result.detail[0]);
	job.size = 5;
	job.limit_ms = 0;
	ss_scan_message(tools, fd, -1, &job, NULL, 0, &result);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	ss_scan_message(tools, -1, -1, &job, NULL, 0, &result);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
	close(fd);
}

static void puts_aside_what_is_infected(void **state)
{
	char *text = mail_format("Subject: x\r\n\r\n%s\r\n..dot\r\n", mail_eicar());
	struct ss_scan_job job = { .size = strlen(text), .limit_ms = LIMIT_MS, .quarantine = 1 };
	int fd = mail_file(text, strlen(text)), aside = mail_file("", 0);
	char *want = mail_format("Subject: x\r\n\r\n%s\r\n.dot\r\n", mail_eicar());
	char got[256];

	(void)state;
	ss_scan_message(tools, fd, aside, &job, NULL, 0, &result);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_true(result.quarantined);
	assert_int_equal(pread(aside, got, sizeof(got), 0), strlen(want));
	assert_memory_equal(got, want, strlen(want));
	close(aside);
	/* Refused as well where that cannot be done */
	aside = open("/dev/full", O_WRONLY);
	ss_scan_message(tools, fd, aside, &job, NULL, 0, &result);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_false(result.quarantined);
	assert_int_equal(result.quarantine_error, ENOSPC);
	close(aside);
	/* It takes all octets, but does not keep them */
	aside = open("/dev/null", O_WRONLY);
	ss_scan_message(tools, fd, aside, &job, NULL, 0, &result);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_false(result.quarantined);
	assert_int_equal(result.quarantine_error, EINVAL);
	close(fd);
	close(aside);
	free(text);
	free(want);
}

static void survives_octets(void **state)
{
	char text[4096];

	(void)state;
	srandom(1);
	for (int i = 0; i < 30; i++) {
		for (size_t j = 0; j < sizeof(text); j++)
			text[j] = i % 2 ? random() : "\r\n.:;=\"a-"[random() % 9];
		memcpy(text, "Content-Type: multipart/mixed; boundary=\"", 41);
		scan_octets(text, sizeof(text));
		assert_true(ss_scan_result_check(&result));
	}
}

static void i4_checks_results(void **state)
{
	(void)state;
	memset(&result, 'x', sizeof(result));
	assert_false(ss_scan_result_check(&result));
	result.verdict = SMTPSPLICE_VERDICT_REJECT;
	result.cause = SS_CAUSE_VIRUS;
	result.unscanned = SMTPSPLICE_UNSCANNED_NONE;
	result.conditions = 0xff;
	memset(result.virus, 0xff, sizeof(result.virus));
	assert_true(ss_scan_result_check(&result));
	/* it is counted through for the log */
	result.conditions = 0x80000000;
	assert_false(ss_scan_result_check(&result));
	result.conditions = 0;
	memset(result.virus, 0xff, sizeof(result.virus));
	assert_true(ss_scan_result_check(&result));
	assert_int_equal(strlen(result.file), sizeof(result.file) - 1);
	assert_int_equal(strlen(result.broken), sizeof(result.broken) - 1);
	assert_memory_equal(result.virus, "????", 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_clean_mail),
		cmocka_unit_test(finds_plain_text),
		cmocka_unit_test(names_the_attachment),
		cmocka_unit_test(decodes_names),
		cmocka_unit_test(names_the_one_that_is_infected),
		cmocka_unit_test(looks_into_nested_mail),
		cmocka_unit_test(E2_is_not_fooled_by_magic),
		cmocka_unit_test(E4_takes_dots_off),
		cmocka_unit_test(reads_bare_newlines_both_ways),
		cmocka_unit_test(G4_refuses_fragments),
		cmocka_unit_test(e3_does_not_pass_what_is_too_deep),
		cmocka_unit_test(E4_reads_lines_that_end_in_cr),
		cmocka_unit_test(e4_reads_parts_that_end_in_cr),
		cmocka_unit_test(g4_finds_it_in_each_coding),
		cmocka_unit_test(finds_it_in_archives),
		cmocka_unit_test(g4_finds_it_in_tnef),
		cmocka_unit_test(finds_what_has_the_hash_of_something_clean),
		cmocka_unit_test(e3_finds_it_behind_much),
		cmocka_unit_test(fails_safe),
		cmocka_unit_test(puts_aside_what_is_infected),
		cmocka_unit_test(survives_octets),
		cmocka_unit_test(i4_checks_results),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, tools_setup, tools_teardown);
}
