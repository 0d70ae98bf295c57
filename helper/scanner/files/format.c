// SPDX-License-Identifier: GPL-2.0
/*
 * The formats of archives, and of what else has files in it, by their bytes.
 * libarchive's own guess is not asked: it takes one format, where a file made to
 * deceive is several, and it does not say which archives it does not know.
 */
#include <fnmatch.h>
#include <string.h>

#include <archive.h>

#include "common/file_types.h"
#include "lib/cleanup.h"
#include "scanner/files/cms.h"
#include "scanner/files/format.h"
#include "scanner/files/pgp.h"
#include "scanner/files/tnef.h"
#include "scanner/files/uu.h"
#include "scanner/files/uu64.h"
#include "scanner/files/yenc.h"

/* Programs that unpack look for an archive behind others' bytes so far in */
#define SEARCH_BYTES	(2u << 20)
/* The end of a zip's directory, and the longest comment behind it */
#define ZIP_END		22u
#define ZIP_COMMENT	65535u
#define ZIP_GAP		24u		/* what may be behind a member: its sizes */
#define MAX_BLOCKS	10000	/* of a rar, to look at */

static uint16_t get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool has(const uint8_t *data, size_t len, size_t at, const char *magic, size_t size)
{
	return len >= size && at <= len - size && !memcmp(data + at, magic, size);
}

/* A zip begins with a member, maybe behind the mark of a volume */
static bool is_zip_head(const uint8_t *data, size_t len)
{
	return has(data, len, 0, "PK\3\4", 4) || has(data, len, 0, "PK00PK\3\4", 8) ||
	       has(data, len, 0, "PK\7\10PK\3\4", 8);
}

/* Is the end of a zip's directory at @at, by where that says the directory is? */
static bool is_zip_end(const uint8_t *data, size_t len, size_t at)
{
	uint32_t size, offset;

	if (!has(data, len, at, "PK\5\6", 4) || len - at < ZIP_END)
		return false;
	size = get32(data + at + 12);
	offset = get32(data + at + 16);
	/* zip64, with its own end in front */
	if (at >= 20 && has(data, len, at - 20, "PK\6\7", 4))
		return true;
	return (size <= at && has(data, len, at - size, "PK\1\2", 4)) ||
	       has(data, len, offset, "PK\1\2", 4);
}

/* Find the last end of a zip's directory. Return: its place, or @len. */
static size_t find_zip_end(const uint8_t *data, size_t len)
{
	size_t back = 0;

	if (len < ZIP_END)
		return len;
	for (size_t at = len - ZIP_END; back <= ZIP_COMMENT; at--, back++) {
		if (data[at] == 'P' && is_zip_end(data, len, at))
			return at;
		if (!at)
			break;
	}
	return len;
}

static bool is_zip(const uint8_t *data, size_t len)
{
	return is_zip_head(data, len) || find_zip_end(data, len) < len;
}

/* A zip that ends where the file does, as one behind another archive would */
static bool ends_as_zip(const uint8_t *data, size_t len)
{
	size_t at = find_zip_end(data, len);

	return at < len && at + ZIP_END + get16(data + at + 20) == len;
}

/*
 * Has a zip members that its directory does not list in their order, one behind the
 * other? Programs that read the zip from its beginning see them, too.
 */
static bool hides_members(const uint8_t *data, size_t len)
{
	size_t end = find_zip_end(data, len), at, dir, base, next = 0;

	if (end == len || !is_zip_head(data, len))
		return false;
	dir = get32(data + end + 12);
	base = get32(data + end + 16);
	if (dir > end || base > end - dir)
		return true;	/* zip64, or nonsense */
	dir = end - dir;
	base = dir - base;
	for (at = dir; at + 46 <= end && has(data, len, at, "PK\1\2", 4);
	     at += 46 + get16(data + at + 28) + get16(data + at + 30) + get16(data + at + 32)) {
		size_t local = base + get32(data + at + 42);

		if (local < next || local - next > ZIP_GAP || local + 30 > dir)
			return true;
		next = local + 30 + get16(data + local + 26) + get16(data + local + 28) +
		       get32(data + at + 20);
	}
	return at != end || next > dir || dir - next > ZIP_GAP;
}

static uint32_t zip_traits(const uint8_t *data, size_t len)
{
	size_t at = find_zip_end(data, len);
	bool part = has(data, len, 0, "PK\7\10", 4);

	if (at < len) {
		uint16_t disk = get16(data + at + 4), first = get16(data + at + 6);

		part |= (disk && disk != 0xffff) || (first && first != 0xffff);
	}
	return part ? SS_KIND_BIT(SS_KIND_MULTIPART) : 0;
}

/* libarchive looks for the end in the last 16 KiB alone: leave out the comment behind it */
static size_t zip_end(const uint8_t *data, size_t len)
{
	size_t at = find_zip_end(data, len);

	return at < len ? at + ZIP_END : len;
}

static bool is_tar(const uint8_t *data, size_t len)
{
	unsigned int sum = 8 * ' ', said = 0;
	const uint8_t *field = data + 148;
	int i = 0;

	if (len < 512)
		return false;
	for (size_t k = 0; k < 512; k++)
		sum += k >= 148 && k < 156 ? 0 : data[k];
	while (i < 8 && field[i] == ' ')
		i++;
	for (; i < 8 && field[i] >= '0' && field[i] <= '7'; i++)
		said = said * 8 + (field[i] - '0');
	return said == sum;
}

static bool is_lha(const uint8_t *data, size_t len)
{
	return len > 21 && data[2] == '-' && data[3] == 'l' && data[6] == '-' &&
	       (data[4] == 'h' || data[4] == 'z' || data[4] == 'x') &&
	       data[20] <= 3;
}

static bool is_bzip2(const uint8_t *data, size_t len)
{
	return len >= 10 && data[3] >= '1' && data[3] <= '9' &&
	       (!memcmp(data + 4, "1AY&SY", 6) || !memcmp(data + 4, "\x17rE8P\x90", 6));
}

static bool is_compress(const uint8_t *data, size_t len)
{
	return len > 3 && (data[2] & 0x1f) >= 9 && (data[2] & 0x1f) <= 16 &&
	       !(data[2] & 0x60);
}

/* Has no magic: properties, size of the dictionary, size of the content */
static bool is_lzma(const uint8_t *data, size_t len)
{
	uint64_t size;

	if (len < 18 || data[0] != 0x5d || data[1] || data[2] || data[13])
		return false;
	size = get64(data + 5);
	return size == UINT64_MAX || size < 1ull << 40;
}

static bool is_arj(const uint8_t *data, size_t len)
{
	return len > 12 && get16(data + 2) >= 30 && get16(data + 2) <= 2600 && data[10] == 2;
}

/* UDF, which hides files from those who read the ISO 9660 tree beside it */
static bool is_udf(const uint8_t *data, size_t len)
{
	for (size_t sector = 16; sector < 64; sector++)
		if (has(data, len, sector * 2048 + 1, "NSR0", 4))
			return true;
	return false;
}

static uint32_t cab_traits(const uint8_t *data, size_t len)
{
	return len > 31 && (get16(data + 30) & 3) ? SS_KIND_BIT(SS_KIND_MULTIPART) : 0;
}

/* rar 4: the main header comes behind the mark */
static uint32_t rar_traits(const uint8_t *data, size_t len)
{
	uint32_t found = 0;

	if (len < 14 || data[9] != 0x73)
		return 0;
	if (get16(data + 10) & 0x0001)
		found |= SS_KIND_BIT(SS_KIND_MULTIPART);
	if (get16(data + 10) & 0x0080)
		found |= SS_KIND_BIT(SS_KIND_ENCRYPTED);
	return found;
}

/* Read a number of seven bits a byte. Return: whether there is one. */
static bool get_vint(const uint8_t *data, size_t len, size_t *at, uint64_t *value)
{
	*value = 0;
	for (unsigned int shift = 0; shift < 63 && *at < len; shift += 7) {
		uint8_t byte = data[(*at)++];

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* Is a record of encryption among those at the end of a file's header? */
static bool rar5_is_encrypted(const uint8_t *data, size_t end, size_t at)
{
	uint64_t size, type;

	while (get_vint(data, end, &at, &size) && size <= end - at) {
		size_t next = at + size;

		if (get_vint(data, next, &at, &type) && type == 1)
			return true;
		if (!size)
			break;
		at = next;
	}
	return false;
}

/* Look at a block of a rar 5. Return: whether there is another behind it, at *@at. */
static bool rar5_block(const uint8_t *data, size_t len, size_t *at, uint32_t *found)
{
	uint64_t size, type, flags, extra = 0, body = 0, more;
	size_t pos = *at + 4, end;

	if (pos > len || !get_vint(data, len, &pos, &size) || size > len - pos)
		return false;
	end = pos + size;
	if (!get_vint(data, end, &pos, &type) || !get_vint(data, end, &pos, &flags) ||
	    ((flags & 1) && !get_vint(data, end, &pos, &extra)) ||
	    ((flags & 2) && !get_vint(data, end, &pos, &body)))
		return false;
	if (type == 4)
		*found |= SS_KIND_BIT(SS_KIND_ENCRYPTED);
	if (type == 1 && get_vint(data, end, &pos, &more) && (more & 1))
		*found |= SS_KIND_BIT(SS_KIND_MULTIPART);
	if (type == 2 && extra <= end - pos && rar5_is_encrypted(data, end, end - extra))
		*found |= SS_KIND_BIT(SS_KIND_ENCRYPTED);
	if (type == 4 || type == 5 || body > len - end)
		return false;
	*at = end + body;
	return true;
}

/* libarchive 3.6 does not tell what is encrypted in a rar 5 from garbage */
static uint32_t rar5_traits(const uint8_t *data, size_t len)
{
	uint32_t found = 0;
	size_t at = 8;

	for (int i = 0; i < MAX_BLOCKS && rar5_block(data, len, &at, &found); i++)
		;
	return found;
}

static uint32_t cms_traits(const uint8_t *data, size_t len)
{
	return ss_cms_is_enveloped(data, len) ? SS_KIND_BIT(SS_KIND_ENVELOPED) : 0;
}

static uint32_t pgp_traits(const uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	return SS_KIND_BIT(SS_KIND_ENVELOPED);
}

#define MAGIC(text)	.magic = (text), .size = sizeof(text) - 1
#define COMPRESSION(name) \
	.support = archive_read_support_filter_##name, .compression = true

static const struct ss_format zip_format = {
	.word = "zip", .support = archive_read_support_format_zip, .traits = zip_traits,
	.end = zip_end,
};

/* A zip read from its beginning, without regard to the directory at its end */
static const struct ss_format zip_stream_format = {
	.word = "zip", .support = archive_read_support_format_zip_streamable,
};

/* A text with files in it, whatever else it is */
static const struct ss_format text_formats[] = {
	{ .word = "uue", .check = ss_uu_is, .read = ss_uu_read },
	{ .word = "uue", .check = ss_uu64_is, .read = ss_uu64_read },
	{ .word = "yenc", .check = ss_yenc_is, .read = ss_yenc_read },
	{ .check = ss_cms_text_is, .read = ss_cms_text_read, .compression = true },
	{ .check = ss_pgp_is, .read = ss_pgp_read, .traits = pgp_traits },
};

static const struct ss_format formats[] = {
	{ .word = "7z", MAGIC("7z\xbc\xaf\x27\x1c"),
	  .support = archive_read_support_format_7zip },
	{ .word = "rar", MAGIC("Rar!\x1a\x07\0"), .traits = rar_traits,
	  .support = archive_read_support_format_rar },
	{ .word = "rar", MAGIC("Rar!\x1a\x07\1\0"), .traits = rar5_traits,
	  .support = archive_read_support_format_rar5 },
	{ .word = "tar", .check = is_tar, .support = archive_read_support_format_tar },
	{ .word = "cab", MAGIC("MSCF\0\0\0\0"), .traits = cab_traits,
	  .support = archive_read_support_format_cab },
	{ .word = "iso", MAGIC("CD001"), .offset = 32769,
	  .support = archive_read_support_format_iso9660 },
	{ .word = "lzh", .check = is_lha, .support = archive_read_support_format_lha },
	{ .word = "gzip", MAGIC("\x1f\x8b\x08"),
	  COMPRESSION(gzip), .filter = ARCHIVE_FILTER_GZIP },
	{ .word = "bzip2", MAGIC("BZh"), .check = is_bzip2,
	  COMPRESSION(bzip2), .filter = ARCHIVE_FILTER_BZIP2 },
	{ .word = "xz", MAGIC("\xfd\x37zXZ\0"),
	  COMPRESSION(xz), .filter = ARCHIVE_FILTER_XZ },
	{ .check = is_lzma, COMPRESSION(lzma), .filter = ARCHIVE_FILTER_LZMA },
	{ MAGIC("LZIP\1"), COMPRESSION(lzip), .filter = ARCHIVE_FILTER_LZIP },
	{ MAGIC("\x28\xb5\x2f\xfd"), COMPRESSION(zstd) },
	{ MAGIC("\x04\x22\x4d\x18"), COMPRESSION(lz4) },
	{ MAGIC("\x1f\x9d"), .check = is_compress, COMPRESSION(compress) },
	{ .check = ss_cms_is, .read = ss_cms_read, .traits = cms_traits, .compression = true,
	  .mail = true },
	{ .word = "tnef", MAGIC("\x78\x9f\x3e\x22"), .read = ss_tnef_read },
	/* Formats without a reader in here, so that nobody looks into them */
	{ .word = "arj", MAGIC("\x60\xea"), .check = is_arj },
	{ .word = "ace", MAGIC("**ACE**"), .offset = 7 },
	{ .word = "iso", .check = is_udf },
	{ .word = "xar", MAGIC("xar!\0\x1c") },		/* an XML parser more */
	{ MAGIC("\xdc\xa7\xc4\xfd"), .offset = 20 },	/* zoo */
	{ .word = "rar", MAGIC("RE~^") },		/* before 1.5 */
	{ MAGIC("MSWIM\0\0\0") },
	{ MAGIC("vhdxfile") },
	{ MAGIC("conectix") },				/* VHD */
	{ MAGIC("rLau"), .offset = 10 },		/* StuffIt */
	{ MAGIC("StuffIt (c)1997") },
	{ MAGIC("ALZ\1") },
	{ MAGIC("EGGA\0\1") },
	{ MAGIC("LRZI\0") },
	{ MAGIC("RZIP\2") },
	{ MAGIC("\x89LZO\0\r\n\x1a\n") },
	{ MAGIC("zPQ\1") },
	{ MAGIC("zPQ\2") },
};

static bool matches(const struct ss_format *format, const uint8_t *data, size_t len)
{
	if (format->magic &&
	    !has(data, len, format->offset, format->magic, format->size))
		return false;
	return !format->check || format->check(data, len);
}

/* Look for an archive behind other bytes, as in a self-extracting one */
static size_t find_inside(const uint8_t *data, size_t len, struct ss_format_hit *hit)
{
	size_t room = len < SEARCH_BYTES ? len : SEARCH_BYTES;

	for (size_t i = 0; i < 3; i++) {	/* 7z and both rar */
		const uint8_t *at = memmem(data, room, formats[i].magic, formats[i].size);

		if (at) {
			hit->format = &formats[i];
			hit->at = at - data;
			return 1;
		}
	}
	return 0;
}

size_t ss_format_sniff(const uint8_t *data, size_t len,
		       struct ss_format_hit hits[SS_FORMAT_HITS])
{
	size_t count = 0;
	bool archive = false;

	for (size_t i = 0; i < ARRAY_SIZE(formats) && count < SS_FORMAT_HITS - 7; i++) {
		if (!matches(&formats[i], data, len))
			continue;
		hits[count++] = (struct ss_format_hit){ .format = &formats[i] };
		/* CMS is easily put in front, and who opens an archive passes it by */
		archive |= !formats[i].mail;
	}
	/* The last member of another archive, not compressed, is no zip of its own */
	if (archive ? ends_as_zip(data, len) : is_zip(data, len)) {
		hits[count++] = (struct ss_format_hit){ .format = &zip_format };
		archive = true;
	}
	if (hides_members(data, len)) {
		hits[count++] = (struct ss_format_hit){ .format = &zip_stream_format };
		archive = true;
	}
	if (!archive)
		count += find_inside(data, len, hits + count);
	for (size_t i = 0; i < ARRAY_SIZE(text_formats); i++)
		if (matches(&text_formats[i], data, len))
			hits[count++] = (struct ss_format_hit){ .format = &text_formats[i] };
	return count;
}

unsigned int ss_format_zip_count(const uint8_t *data, size_t len)
{
	size_t at = find_zip_end(data, len);
	uint16_t count = at < len ? get16(data + at + 10) : 0;

	return count == 0xffff ? 0 : count;
}

bool ss_format_is_volume(const char *name)
{
	static const char *const patterns[] = {
		"*.7z.[0-9][0-9][0-9]", "*.zip.[0-9][0-9][0-9]", "*.z[0-9][0-9]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (!fnmatch(patterns[i], name, FNM_CASEFOLD))
			return true;
	return false;
}
