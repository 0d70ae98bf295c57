/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_WRAP_H
#define SS_TESTS_SUPPORT_WRAP_H

#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "tests/support/pack.h"

enum {
	WRAP_DATA = 0x0006800f,
	WRAP_TITLE = 0x00018010,
	WRAP_RENDERING = 0x00069002,
	WRAP_PROPERTIES = 0x00069005,
};

/* Properties: the type is below, the number above */
enum {
	WRAP_STRING = 0x001e,
	WRAP_UNICODE = 0x001f,
	WRAP_OBJECT = 0x000d,
	WRAP_BINARY = 0x0102,
	WRAP_DISPLAY_NAME = 0x30010000,
	WRAP_DATA_VALUE = 0x37010000,
	WRAP_SHORT_NAME = 0x37040000,
	WRAP_LONG_NAME = 0x37070000,
	WRAP_TRANSPORT_NAME = 0x370c0000,
};

GString *wrap_tnef(void);
void wrap_attribute(GString *tnef, int level, uint32_t id, const void *data, size_t len);
void wrap_begin(GString *tnef);
void wrap_file(GString *tnef, const struct pack *file);
GString *wrap_properties(void);
void wrap_property(GString *list, uint32_t tag, const void *data, size_t len);
void wrap_put_properties(GString *tnef, GString *list);
void wrap_uu(GString *text, const struct pack *file, const char *eol);
void wrap_yenc(GString *text, const struct pack *file, const char *eol);
struct pack wrap_pack(const char *name, GString *octets);
void wrap_replace(GString *text, const char *old, const char *new, int times);

#endif /* SS_TESTS_SUPPORT_WRAP_H */
