// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of parts, scanned one at a time as an AV profile says.
 */
#include "tests/support/message.h"

#include <fcntl.h>
#include <unistd.h>

#include <archive.h>
#include <glib.h>

#define LINE		76

struct avattrs attrs;
struct ss_scan_job job;
struct ss_scan_result result;
char *replacement;

/* -- mail ----------------------------------------------------------------- */

char *encoded(const void *data, size_t len)
{
	char *text = g_base64_encode(data, len);
	GString *lines = g_string_new(NULL);
	char *out;

	for (size_t at = 0; at < strlen(text); at += LINE)
		g_string_append_printf(lines, "%.*s\r\n", LINE, text + at);
	out = strdup(lines->str);
	g_free(text);
	g_string_free(lines, TRUE);
	return out;
}

char *attached(const char *name, const void *data, size_t len)
{
	char *body = encoded(data, len);
	char *part = mail_format("Content-Type: application/octet-stream\r\n"
		"Content-Disposition: attachment; filename=\"%s\"\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n%s", name, body);

	free(body);
	return part;
}

char *eicar(const char *name)
{
	return attached(name, mail_eicar(), strlen(mail_eicar()));
}

char *harmless(const char *name)
{
	return attached(name, "Harmless.\r\n", 11);
}

char *packed(struct pack pack)
{
	char *part = attached(pack.name, pack.data, pack.len);

	pack_drop(&pack);
	return part;
}

char *part_of(const struct pack *file)
{
	return attached(file->name, file->data, file->len);
}

char *ambiguous(void)
{
	char *body = encoded(mail_eicar(), strlen(mail_eicar()));
	char *part = mail_format("Content-Type: application/octet-stream\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"Content-Transfer-Encoding: 7bit\r\n\r\n%s", body);

	free(body);
	return part;
}

char *encrypted_zip(void)
{
	return packed(pack_files("secret.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
				 "zip:encryption=zipcrypt", &pack_text, 1));
}

char *message_with(const char *head, const char *behind, char *const *parts)
{
	GString *text = g_string_new(head);
	char *out;

	g_string_append(text, "From: a@example.net\r\nTo: b@example.org\r\nSubject: x\r\n"
			"MIME-Version: 1.0\r\n"
			"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n"
			"--b\r\nContent-Type: text/plain\r\n\r\nLook at this.\r\n");
	for (; *parts; parts++) {
		g_string_append_printf(text, "--b\r\n%s", *parts);
		free(*parts);
	}
	g_string_append_printf(text, "--b--\r\n%s", behind);
	out = strdup(text->str);
	g_string_free(text, TRUE);
	return out;
}

/* -- scans ---------------------------------------------------------------- */

int reset(void **state)
{
	(void)state;
	attrs.len = 0;
	job = (struct ss_scan_job){
		.limit_ms = LIMIT_MS, .source = "10.0.1.2", .dest = "10.0.2.2",
		.from = "a@example.net", .to = "b@example.org",
	};
	memset(&result, 0, sizeof(result));
	free(replacement);
	replacement = NULL;
	return 0;
}

int teardown(void **state)
{
	reset(NULL);
	return tools_teardown(state);
}

void replace_all(void)
{
	avattrs_number(&attrs, AV(INFECTED), SMTPSPLICE_INFECTED_REPLACE);
}

static void take_replacement(int fd)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	off_t size = lseek(fd, 0, SEEK_END);

	assert_int_equal(fcntl(fd, F_GET_SEALS) & seals, seals);
	replacement = calloc(1, size + 1);
	assert_int_equal(pread(fd, replacement, size, 0), size);
	close(fd);
}

void scan_to(const char *text, int aside)
{
	int fd = mail_file(text, strlen(text)), out;

	free(replacement);
	replacement = NULL;
	job.size = strlen(text);
	out = ss_scan_message(tools, fd, aside, &job, attrs.octets, attrs.len, &result);
	assert_true(ss_scan_result_check(&result));
	assert_int_equal(result.replaced, out >= 0);
	if (out >= 0)
		take_replacement(out);
	close(fd);
}

void scan(char *text)
{
	scan_to(text, -1);
	free(text);
}

void expect(uint32_t verdict, enum ss_cause cause, const char *virus,
	    const char *file)
{
	assert_string_equal(result.virus, virus);
	assert_string_equal(result.file, file);
	assert_int_equal(result.verdict, verdict);
	assert_int_equal(result.cause, cause);
	assert_true(result.found);
	assert_string_equal(result.detail, "");
}

void expect_refused(enum ss_cause cause, const char *virus, const char *file)
{
	expect(SMTPSPLICE_VERDICT_REJECT, cause, virus, file);
	assert_null(replacement);
}

void expect_clean(uint32_t unscanned)
{
	assert_string_equal(result.virus, "");
	assert_string_equal(result.file, "");
	assert_string_equal(result.detail, "");
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_int_equal(result.unscanned, unscanned);
	assert_false(result.found || result.monitored || result.keep || result.replaced);
}

void expect_hash(const void *data, size_t len)
{
	char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, len);

	assert_string_equal(result.filehash, hash);
	g_free(hash);
}

bool has(const char *what)
{
	return replacement && strstr(replacement, what);
}

bool says(const char *what)
{
	char *flat = replacement ? strdup(replacement) : NULL;
	bool is;

	for (char *s = flat; s && (s = strstr(s, "\r\n")); *s = ' ')
		memmove(s, s + 1, strlen(s));
	is = flat && strstr(flat, what);
	free(flat);
	return is;
}
