// SPDX-License-Identifier: GPL-2.0
/*
 * Files in TNEF, by uuencode and by yEnc for the tests, made at run time.
 */
#include "tests/support/unit.h"

#include "tests/support/wrap.h"

#define LINE_OCTETS	45
#define YENC_LINE	128

static void put32(GString *s, uint32_t value)
{
	unsigned char octets[4];

	pack_put32(octets, value);
	g_string_append_len(s, (char *)octets, 4);
}

/* -- TNEF ----------------------------------------------------------------- */

/* A winmail.dat of Outlook, without files */
GString *wrap_tnef(void)
{
	static const unsigned char version[] = { 0, 0, 1, 0 };
	GString *tnef = g_string_new(NULL);

	put32(tnef, 0x223e9f78);
	g_string_append_len(tnef, "\1", 2);
	wrap_attribute(tnef, 1, 0x00089006, version, sizeof(version));
	wrap_attribute(tnef, 1, 0x00078008, "IPM.Microsoft Mail.Note", 24);
	return tnef;
}

/* Its level, number, length, octets and their sum */
void wrap_attribute(GString *tnef, int level, uint32_t id, const void *data, size_t len)
{
	const unsigned char *octets = data;
	unsigned char sum[2];
	unsigned int all = 0;

	for (size_t i = 0; i < len; i++)
		all += octets[i];
	pack_put16(sum, all);
	g_string_append_c(tnef, (char)level);
	put32(tnef, id);
	put32(tnef, len);
	g_string_append_len(tnef, data, (gssize)len);
	g_string_append_len(tnef, (char *)sum, 2);
}

/* Another attachment */
void wrap_begin(GString *tnef)
{
	static const unsigned char rendering[14] = { 1 };

	wrap_attribute(tnef, 2, WRAP_RENDERING, rendering, sizeof(rendering));
}

void wrap_file(GString *tnef, const struct pack *file)
{
	wrap_begin(tnef);
	wrap_attribute(tnef, 2, WRAP_TITLE, file->name, strlen(file->name) + 1);
	wrap_attribute(tnef, 2, WRAP_DATA, file->data, file->len);
}

GString *wrap_properties(void)
{
	return g_string_new_len("\0\0\0\0", 4);
}

/* One with a length in front */
void wrap_property(GString *list, uint32_t tag, const void *data, size_t len)
{
	unsigned char *count = (unsigned char *)list->str;

	pack_put16(count, (count[0] | count[1] << 8) + 1);
	put32(list, tag);
	put32(list, 1);
	put32(list, len);
	g_string_append_len(list, data, (gssize)len);
	while (list->len % 4)
		g_string_append_c(list, '\0');
}

/* The list is freed */
void wrap_put_properties(GString *tnef, GString *list)
{
	wrap_attribute(tnef, 2, WRAP_PROPERTIES, list->str, list->len);
	g_string_free(list, TRUE);
}

/* -- uuencode ------------------------------------------------------------- */

static char digit(uint32_t value)
{
	return value & 63 ? ' ' + (value & 63) : '`';
}

static void put_line(GString *text, const unsigned char *data, size_t len, const char *eol)
{
	g_string_append_c(text, ' ' + (char)len);
	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = 0;

		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (i + k < len ? data[i + k] : 0);
		for (int shift = 18; shift >= 0; shift -= 6)
			g_string_append_c(text, digit(bits >> shift));
	}
	g_string_append(text, eol);
}

void wrap_uu(GString *text, const struct pack *file, const char *eol)
{
	const unsigned char *data = file->data;

	g_string_append_printf(text, "begin 644 %s%s", file->name, eol);
	for (size_t at = 0; at < file->len; at += LINE_OCTETS)
		put_line(text, data + at,
			 file->len - at < LINE_OCTETS ? file->len - at : LINE_OCTETS, eol);
	g_string_append_printf(text, "`%send%s", eol, eol);
}

/* -- yEnc ----------------------------------------------------------------- */

void wrap_yenc(GString *text, const struct pack *file, const char *eol)
{
	const unsigned char *data = file->data;

	g_string_append_printf(text, "=ybegin line=%d size=%zu name=%s%s", YENC_LINE, file->len,
			       file->name, eol);
	for (size_t i = 0; i < file->len; i++) {
		unsigned char c = data[i] + 42;

		if (!c || c == '\r' || c == '\n' || c == '=') {
			g_string_append_c(text, '=');
			c += 64;
		}
		g_string_append_c(text, (char)c);
		if (i % YENC_LINE == YENC_LINE - 1 || i + 1 == file->len)
			g_string_append(text, eol);
	}
	g_string_append_printf(text, "=yend size=%zu%s", file->len, eol);
}

/* The octets are a file now */
struct pack wrap_pack(const char *name, GString *octets)
{
	struct pack file = { .name = name, .len = octets->len };
	char *data = malloc(octets->len + 1);

	assert_non_null(data);
	memcpy(data, octets->str, octets->len);
	file.data = data;
	g_string_free(octets, TRUE);
	return file;
}

/* Replace what is @old in a text, @times */
void wrap_replace(GString *text, const char *old, const char *new, int times)
{
	char *at = text->str;

	while (times-- && (at = strstr(at, old))) {
		size_t place = at - text->str;

		g_string_erase(text, (gssize)place, (gssize)strlen(old));
		g_string_insert(text, (gssize)place, new);
		at = text->str + place + strlen(new);
	}
}
