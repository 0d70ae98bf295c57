// SPDX-License-Identifier: GPL-2.0
/*
 * Files with files in them, for fuzz_inner to begin with: seed_inner FOLDER
 */
#include "tests/support/unit.h"

#include "lib/cleanup.h"
#include "tests/support/wrap.h"

static void save(const char *dir, const char *name, GString *octets)
{
	char *path = g_build_filename(dir, name, NULL);

	if (!g_file_set_contents(path, octets->str, (gssize)octets->len, NULL)) {
		fprintf(stderr, "seed_inner: cannot write %s\n", path);
		exit(1);
	}
	g_free(path);
	g_string_free(octets, TRUE);
}

static GString *make_tnef(void)
{
	static const uint32_t names[] = {
		WRAP_LONG_NAME | WRAP_STRING, WRAP_SHORT_NAME | WRAP_STRING,
		WRAP_TRANSPORT_NAME | WRAP_STRING, WRAP_DISPLAY_NAME | WRAP_STRING,
	};
	GString *tnef = wrap_tnef(), *list = wrap_properties();

	wrap_file(tnef, &pack_text);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		wrap_property(list, names[i], "name", 5);
	wrap_property(list, WRAP_LONG_NAME | WRAP_UNICODE, "w\0i\0d\0e\0\0\0", 10);
	wrap_property(list, WRAP_DATA_VALUE | WRAP_OBJECT, "0123456789abcdefx", 17);
	wrap_property(list, WRAP_DATA_VALUE | WRAP_BINARY, "x", 1);
	wrap_put_properties(tnef, list);
	wrap_file(tnef, &pack_program);
	return tnef;
}

/* Signed data with a content in pieces */
static GString *make_cms(void)
{
	static const char octets[] =
		"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80"
		"\x30\x80\x02\x01\x01\x31\x00\x30\x80"
		"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80\x24\x80"
		"\x04\x01x\x24\x05\x04\x81\x02xx\0\0\0\0\0\0\x31\x00\0\0\0\0\0";

	return g_string_new_len(octets, sizeof(octets));
}

/* "x" by zlib, in an octet string */
static GString *make_compressed(void)
{
	static const char octets[] =
		"\x30\x3b\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09\xa0\x2c"
		"\x30\x2a\x02\x01\x00\x30\x0d\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10"
		"\x03\x08\x30\x16\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x0b\x04\x09"
		"\x78\x9c\xab\x00\x00\x00\x79\x00\x79";

	return g_string_new_len(octets, sizeof(octets) - 1);
}

int main(int argc, char **argv)
{
	GString *text = g_string_new("Hello\r\n\r\n");

	if (argc != 2) {
		fprintf(stderr, "seed_inner: no folder is named\n");
		return 1;
	}
	save(argv[1], "seed-tnef", make_tnef());
	wrap_uu(text, &pack_text, "\r\n");
	wrap_uu(text, &pack_program, "\r\n");
	save(argv[1], "seed-uu", text);
	text = g_string_new("Hello\n");
	wrap_yenc(text, &pack_text, "\n");
	wrap_yenc(text, &pack_program, "\n");
	save(argv[1], "seed-yenc", text);
	save(argv[1], "seed-cms", make_cms());
	save(argv[1], "seed-compressed", make_compressed());
	return 0;
}
