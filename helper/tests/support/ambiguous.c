// SPDX-License-Identifier: GPL-2.0
/*
 * Messages from templates, and whether they are ambiguous.
 */
#include "tests/support/ambiguous.h"

#include <stdbool.h>

#include "scanner/mime/ambiguity.h"
#include "scanner/mime/lenient.h"
#include "tests/support/mail.h"

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

GString *expand(const char *template, const char *x)
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

bool has_eicar(const void *data, size_t len, void *arg)
{
	bool *found = arg;

	*found = memmem(data, len, mail_eicar(), strlen(mail_eicar()));
	return !*found;
}

uint32_t check(const GString *mail)
{
	char *copy = malloc(mail->len + !mail->len);
	uint32_t flags;

	memcpy(copy, mail->str, mail->len);
	flags = ss_ambiguity_check(copy, mail->len);
	free(copy);
	return flags;
}

void expect_flagged(const char *template, const char *x, uint32_t flags)
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

void expect_plain(const char *template, const char *x)
{
	GString *mail = expand(template, x);
	uint32_t got = check(mail);

	if (got)
		fail_msg("%s: %s", ss_ambiguity_name(got), mail->str);
	g_string_free(mail, TRUE);
}
