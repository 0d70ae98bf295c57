// SPDX-License-Identifier: GPL-2.0
/*
 * CMS, as openssl(1) makes it and as it does not, and mail of it.
 */
#include "tests/support/cms.h"

#include <zlib.h>

#include "lib/process.h"

char *dir;

void run(const char *command)
{
	char *line = mail_format("cd %s && { %s; } 2>err", dir, command);

	if (system(line)) {
		free(line);
		line = mail_format("cat %s/err >&2", dir);
		fail_msg("%s (%d)", command, system(line));
	}
	free(line);
}

GString *make_cms(const char *how, const char *data, size_t len)
{
	char *in = mail_format("%s/in", dir), *out = mail_format("%s/out", dir);
	char *command = mail_format("openssl cms %s -in in -out out -outform %s cert.pem", how,
				    strstr(how, "-PEM") ? "PEM" : "DER");
	char *option = strstr(command, "-PEM");
	GString *octets;
	gchar *text;
	gsize size;

	if (option)
		memset(option, ' ', 4);
	/* the certificate is that of a recipient */
	if (!strstr(how, ENCRYPT))
		command[strlen(command) - strlen("cert.pem")] = '\0';
	assert_true(g_file_set_contents(in, data, len, NULL));
	run(command);
	assert_true(g_file_get_contents(out, &text, &size, NULL));
	free(in);
	free(out);
	free(command);
	octets = g_string_new_len(text, size);
	g_free(text);
	return octets;
}

GString *cms_of(const char *how, char *text)
{
	GString *octets = make_cms(how, text, strlen(text));

	free(text);
	return octets;
}

GString *element(int tag, int size, GString *content)
{
	GString *out = g_string_new(NULL);

	g_string_append_c(out, tag);
	g_string_append_c(out, 0x80 | size);
	for (int i = size - 1; i >= 0; i--)
		g_string_append_c(out, i < 8 ? content->len >> 8 * i : 0);
	g_string_append_len(out, content->str, content->len);
	if (!size)
		g_string_append_len(out, "\0\0", 2);
	g_string_free(content, TRUE);
	return out;
}

GString *octets_of(const void *data, size_t len)
{
	return g_string_new_len(data, len);
}

GString *pieces(const char *data, size_t len, size_t some, int depth)
{
	GString *out = g_string_new(NULL);

	for (size_t at = 0; at < len; at += some) {
		GString *piece = element(0x04, 1 + at % 3,
					 octets_of(data + at, some < len - at ? some : len - at));

		for (int i = 0; i < depth; i++)
			piece = element(0x24, i % 2 ? 4 : 0, piece);
		g_string_append_len(out, piece->str, piece->len);
		g_string_free(piece, TRUE);
	}
	return element(0x24, 0, out);
}

GString *joined(GString *a, GString *b)
{
	g_string_append_len(a, b->str, b->len);
	g_string_free(b, TRUE);
	return a;
}

GString *made(const char *type, size_t type_len, const char *algorithm, size_t algorithm_len,
	      const char *oid, size_t oid_len, GString *content)
{
	GString *inner = joined(octets_of("\x02\x01\x00", 3),
				element(0x30, 1, octets_of(algorithm, algorithm_len)));

	content = joined(octets_of(oid, oid_len), element(0xa0, 0, content));
	inner = element(0x30, 0, joined(inner, element(0x30, 0, content)));
	return element(0x30, 0, joined(octets_of(type, type_len), element(0xa0, 0, inner)));
}

GString *deflated(const void *data, size_t len)
{
	uLongf size = compressBound(len);
	unsigned char *out = malloc(size);
	GString *octets;

	assert_int_equal(compress(out, &size, data, len), Z_OK);
	octets = octets_of(out, size);
	free(out);
	return octets;
}

GString *compressed(const void *data, size_t len)
{
	return MADE(COMPRESSED_OID, ZLIB_OID, DATA_OID,
		    element(0x04, 4, deflated(data, len)));
}

GString *authenticated(char *text)
{
	GString *octets = MADE(AUTH_OID, "\x06\x01\x2a", DATA_OID,
			       pieces(text, strlen(text), 1, 0));

	free(text);
	return octets;
}

GString *compressed_text(char *text)
{
	GString *octets = compressed(text, strlen(text));

	free(text);
	return octets;
}

char *part(const char *fields, GString *octets)
{
	char *lines = encoded(octets->str, octets->len);
	char *text = mail_format("%s" ENCODED "%s", fields, lines);

	g_string_free(octets, TRUE);
	free(lines);
	return text;
}

char *whole(GString *octets)
{
	return part(HEAD P7M, octets);
}

char *entity(void)
{
	return MESSAGE(eicar("eicar.com"));
}

char *good_entity(void)
{
	return MESSAGE(harmless("a.txt"));
}

void expect_virus(const char *file)
{
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, file);
}

void expect_encrypted(void)
{
	expect_clean(SMTPSPLICE_UNSCANNED_ENCRYPTED);
	assert_true(result.tag);
	assert_int_equal(result.cause, SS_CAUSE_ENCRYPTED);
}

GString *wrapped(const char *how, GString *octets)
{
	return cms_of(how, part(P7M, octets));
}

int cms_setup(void **state)
{
	dir = strdup("/tmp/smtpsplice-test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	run(NEW_KEY " -days 30 -subj /CN=a@example.net");
	return tools_setup(state);
}

int cms_teardown(void **state)
{
	ss_process_remove_tree(dir);
	free(dir);
	return teardown(state);
}
