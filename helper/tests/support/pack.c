// SPDX-License-Identifier: GPL-2.0
/*
 * Archives for the tests, made at run time: by libarchive where it can write them.
 */
#include "tests/support/unit.h"

#include <archive.h>
#include <archive_entry.h>

#include "tests/support/pack.h"

#define ROOM	(1024 * 1024)

const char pack_pe[256] = {
	[0] = 'M', [1] = 'Z', [60] = (char)0x80, [0x80] = 'P', [0x81] = 'E',
};

const struct pack pack_text = { "readme.txt", "hello\n", 6 };
const struct pack pack_program = { "setup.exe", pack_pe, sizeof(pack_pe) };

/* An archive of @count files; libarchive's words for format, filter and options */
struct pack pack_files(const char *name, int format, int filter, const char *options,
			const struct pack *files, size_t count)
{
	struct archive *a = archive_write_new();
	struct pack out = { .name = name };
	char *data = malloc(ROOM);
	size_t used = 0;

	assert_int_equal(archive_write_set_format(a, format), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
	if (options) {
		assert_int_equal(archive_write_set_options(a, options), ARCHIVE_OK);
		if (strstr(options, "encryption"))
			archive_write_set_passphrase(a, "secret");
	}
	archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open_memory(a, data, ROOM, &used), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		struct archive_entry *e = archive_entry_new();

		archive_entry_set_pathname(e, files[i].name);
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_perm(e, 0644);
		archive_entry_set_size(e, (int64_t)files[i].len);
		assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
		assert_int_equal(archive_write_data(a, files[i].data, files[i].len),
				 files[i].len);
		archive_entry_free(e);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	out.data = data;
	out.len = used;
	return out;
}

struct pack pack_zip(const char *name, const struct pack *files, size_t count)
{
	return pack_files(name, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, NULL, files, count);
}

void pack_drop(struct pack *blob)
{
	free((void *)blob->data);
}

void pack_put16(unsigned char *p, unsigned int value)
{
	p[0] = value;
	p[1] = value >> 8;
}

void pack_put32(unsigned char *p, uint32_t value)
{
	pack_put16(p, value);
	pack_put16(p + 2, value >> 16);
}

uint32_t pack_crc32(const unsigned char *data, size_t len)
{
	uint32_t crc = ~0u;

	while (len--) {
		crc ^= *data++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* The header of a block of a rar 4 has half a checksum. Return: what is behind it. */
static unsigned char *end_rar_block(unsigned char *block, size_t len)
{
	pack_put16(block + 5, len);
	pack_put16(block, pack_crc32(block + 2, len - 2));
	return block + len;
}

/* A program in a rar 4, not compressed. Return: its length. */
size_t pack_rar(unsigned char *data)
{
	unsigned char *p = data;

	memcpy(p, "Rar!\x1a\x07\0", 7);
	p += 7;
	p[2] = 0x73;
	p = end_rar_block(p, 13);
	p[2] = 0x74;
	pack_put16(p + 3, 0x8000);
	pack_put32(p + 7, sizeof(pack_pe));
	pack_put32(p + 11, sizeof(pack_pe));
	p[15] = 2;
	pack_put32(p + 16, pack_crc32((const unsigned char *)pack_pe, sizeof(pack_pe)));
	p[24] = 20;
	p[25] = 0x30;
	pack_put16(p + 26, 9);
	memcpy(p + 32, "setup.exe", 9);
	p = end_rar_block(p, 41);
	memcpy(p, pack_pe, sizeof(pack_pe));
	p += sizeof(pack_pe);
	p[2] = 0x7b;
	pack_put16(p + 3, 0x4000);
	return end_rar_block(p, 7) - data;
}

/* The same as a cabinet: header, folder, file, and a block without checksum */
size_t pack_cab(unsigned char *data)
{
	size_t size = 36 + 8 + 16 + 10 + 8 + sizeof(pack_pe);

	memcpy(data, "MSCF", 4);
	pack_put32(data + 8, size);
	pack_put32(data + 16, 44);
	data[24] = 3;
	data[25] = 1;
	pack_put16(data + 26, 1);
	pack_put16(data + 28, 1);
	pack_put32(data + 36, 70);
	pack_put16(data + 40, 1);
	pack_put32(data + 44, sizeof(pack_pe));
	memcpy(data + 60, "setup.exe", 10);
	pack_put16(data + 74, sizeof(pack_pe));
	pack_put16(data + 76, sizeof(pack_pe));
	memcpy(data + 78, pack_pe, sizeof(pack_pe));
	return size;
}

static uint32_t crc16_of(const unsigned char *data, size_t len)
{
	uint32_t crc = 0;

	while (len--) {
		crc ^= *data++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xa001 : 0);
	}
	return crc;
}

/* The same as an lha of level 0 */
size_t pack_lzh(unsigned char *data)
{
	unsigned int sum = 0;

	data[0] = 22 + 9;
	memcpy(data + 2, "-lh0-", 5);
	pack_put32(data + 7, sizeof(pack_pe));
	pack_put32(data + 11, sizeof(pack_pe));
	data[19] = 0x20;
	data[21] = 9;
	memcpy(data + 22, "setup.exe", 9);
	pack_put16(data + 31, crc16_of((const unsigned char *)pack_pe, sizeof(pack_pe)));
	for (int i = 2; i < 33; i++)
		sum += data[i];
	data[1] = sum;
	memcpy(data + 33, pack_pe, sizeof(pack_pe));
	return 33 + sizeof(pack_pe) + 1;
}

/* @depth zips, one in the other */
struct pack pack_nested(unsigned int depth)
{
	struct pack blob = pack_zip("n.zip", &pack_program, 1);

	while (--depth) {
		struct pack outer = pack_zip("n.zip", &blob, 1);

		pack_drop(&blob);
		blob = outer;
	}
	return blob;
}

/* The @nth place of a mark in a file */
unsigned char *pack_place(const struct pack *blob, const char *mark, size_t len, int nth)
{
	unsigned char *at = (unsigned char *)blob->data, *end = at + blob->len;

	for (;;) {
		at = memmem(at, end - at, mark, len);
		assert_non_null(at);
		if (!nth--)
			return at;
		at++;
	}
}

/* @head in front of @pack, which is freed */
struct pack pack_prefix(const void *head, size_t len, struct pack blob)
{
	char *data = malloc(len + blob.len);

	memcpy(data, head, len);
	memcpy(data + len, blob.data, blob.len);
	pack_drop(&blob);
	blob.data = data;
	blob.len += len;
	return blob;
}

char *pack_zeros(size_t len)
{
	char *data = calloc(1, len);

	assert_non_null(data);
	return data;
}
