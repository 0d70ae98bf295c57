/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_PACK_H
#define SS_TESTS_SUPPORT_PACK_H

#include <stddef.h>
#include <stdint.h>

/* Octets of a file, with a name */
struct pack {
	const char *name;
	const void *data;
	size_t len;
};

/* A PE header: nothing else of a program is needed */
extern const char pack_pe[256];
extern const struct pack pack_text, pack_program;

struct pack pack_files(const char *name, int format, int filter, const char *options,
		       const struct pack *files, size_t count);
struct pack pack_zip(const char *name, const struct pack *files, size_t count);
struct pack pack_nested(unsigned int depth);
struct pack pack_prefix(const void *head, size_t len, struct pack pack);
size_t pack_rar(unsigned char *data);
size_t pack_cab(unsigned char *data);
size_t pack_lzh(unsigned char *data);
void pack_drop(struct pack *pack);
char *pack_zeros(size_t len);

unsigned char *pack_place(const struct pack *pack, const char *mark, size_t len, int nth);
void pack_put16(unsigned char *p, unsigned int value);
void pack_put32(unsigned char *p, uint32_t value);
uint32_t pack_crc32(const unsigned char *data, size_t len);

#endif /* SS_TESTS_SUPPORT_PACK_H */
