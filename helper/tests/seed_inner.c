// SPDX-License-Identifier: GPL-2.0
/*
 * Files with files in them, for fuzz_inner to begin with: seed_inner FOLDER
 */
#include "unit.h"

#include "cleanup.h"
#include "wrap.h"

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
	return 0;
}
