// SPDX-License-Identifier: GPL-2.0
/*
 * Mail and a signature database for the tests, made at run time.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>

#include "lib/process.h"
#include "tests/support/mail.h"

const char *mail_eicar(void)
{
	static char eicar[80];

	snprintf(eicar, sizeof(eicar), "%s%s", "X5O!P%@AP[4\\PZX54(P^)7CC)7}",
		 "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");
	return eicar;
}

char *mail_format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	assert(vasprintf(&text, fmt, args) >= 0);
	va_end(args);
	return text;
}

char *mail_base64(const char *text)
{
	char *coded = g_base64_encode((const unsigned char *)text, strlen(text));
	char *copy = strdup(coded);

	g_free(coded);
	return copy;
}

/* A mail with EICAR attached; @head: more head; @name_field: of the attachment */
char *mail_attachment(const char *head, const char *name_field)
{
	char *coded = mail_base64(mail_eicar());
	char *text = mail_format("%sFrom: Alice <alice@example.net>\r\n"
		"To: Bob <bob@example.org>\r\n"
		"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
		"Message-ID: <1@example.net>\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=\"b\"\r\n"
		"\r\n"
		"--b\r\n"
		"Content-Type: text/plain\r\n"
		"\r\n"
		"Look at this.\r\n"
		"--b\r\n"
		"%sContent-Transfer-Encoding: base64\r\n"
		"\r\n"
		"%s\r\n"
		"--b--\r\n", head, name_field, coded);

	free(coded);
	return text;
}

char *mail_deep(void)
{
	char *text = strdup("Subject: x\r\n\r\nx\r\n");

	for (int i = 0; i < 150; i++) {
		char *outer = mail_format("Content-Type: message/rfc822\r\n\r\n%s", text);

		free(text);
		text = outer;
	}
	return text;
}

int mail_file(const void *text, size_t len)
{
	int fd = memfd_create("test-mail", MFD_CLOEXEC);

	assert(fd >= 0);
	assert(write(fd, text, len) == (ssize_t)len);
	return fd;
}

static void write_signature(FILE *file, const char *name, int offset, const char *text)
{
	fprintf(file, "%s:0:%s:", name, offset ? "*" : "0");
	for (; *text; text++)
		fprintf(file, "%02x", (unsigned char)*text);
	fprintf(file, "\n");
}

char *mail_database(void)
{
	char *dir = strdup("/tmp/smtpsplice-test.XXXXXX"), path[64];
	FILE *file;

	assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/test.ndb", dir);
	file = fopen(path, "w");
	assert(file);
	write_signature(file, "Smtpsplice.Eicar", 0, mail_eicar());
	write_signature(file, "Smtpsplice.Dotted", 1, MAIL_DOTTED_1 MAIL_DOTTED_2);
	write_signature(file, "Smtpsplice.Collided", 0, MAIL_COLLISION);
	fclose(file);
	return dir;
}

void mail_remove_database(char *dir)
{
	ss_process_remove_tree(dir);
	free(dir);
}
