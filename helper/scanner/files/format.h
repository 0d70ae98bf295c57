/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_FORMAT_H
#define SS_SCANNER_FILES_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/files/extract.h"

struct archive;

/* Room for more formats than a file can be of at once */
#define SS_FORMAT_HITS	13

/**
 * struct ss_format - A format of archives. A compressed file is an archive of one.
 * @word: the file type, see ss_file_types_find(), or NULL
 * @magic: bytes that such a file has; NULL: @check alone decides
 * @size: how many they are
 * @offset: where they are
 * @check: looks closer, or NULL
 * @support: makes libarchive read it, or NULL
 * @read: reads it without libarchive, see ss_tnef_read(), or NULL; where there is
 *   neither, nobody can look into it
 * @compression: it is no archive, but one file, compressed or wrapped up, that has no
 *   name of its own
 * @mail: what is in it is the content of a message, as a rule
 * @filter: libarchive's code, for a @compression that it can be told to take off
 *   without asking it whether there is one
 * @traits: SS_KIND_BIT() of what its header says: encrypted, enveloped, multipart; or NULL
 * @end: finds out how long it is without what may be behind it, or NULL
 */
struct ss_format {
	const char *word;
	const char *magic;
	size_t size;
	size_t offset;
	bool (*check)(const uint8_t *data, size_t len);
	int (*support)(struct archive *archive);
	bool (*read)(const uint8_t *data, size_t len, const struct ss_extract_sink *inner);
	bool compression;
	bool mail;
	int filter;
	uint32_t (*traits)(const uint8_t *data, size_t len);
	size_t (*end)(const uint8_t *data, size_t len);
};

/**
 * struct ss_format_hit - An archive that a file is, or has in it.
 * @format: its format
 * @at: where it begins, in bytes
 */
struct ss_format_hit {
	const struct ss_format *format;
	size_t at;
};

/**
 * ss_format_sniff() - Find out what archives a file is.
 * @data: the file
 * @len: its length in bytes
 * @hits: set to what was found
 *
 * A zip counts wherever it begins, since it is read from its end, and twice where
 * those who read it from its beginning see another. A 7z or rar that does not
 * begin the file counts where the file is no other archive; files in a text count
 * anywhere.
 *
 * Return: how many were found.
 */
size_t ss_format_sniff(const uint8_t *data, size_t len,
		       struct ss_format_hit hits[SS_FORMAT_HITS]);

/**
 * ss_format_zip_count() - Count the entries that a zip says it has.
 * @data: the zip
 * @len: its length in bytes
 *
 * Return: the number, or 0 where that is not known.
 */
unsigned int ss_format_zip_count(const uint8_t *data, size_t len);

/**
 * ss_format_is_volume() - Ask whether a name is that of a volume of an archive that
 * has no mark in its bytes.
 * @name: the name
 *
 * Return: whether it is.
 */
bool ss_format_is_volume(const char *name);

#endif /* SS_SCANNER_FILES_FORMAT_H */
