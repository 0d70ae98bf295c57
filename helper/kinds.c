// SPDX-License-Identifier: GPL-2.0
/*
 * The words for file types and for the conditions of archives. FortiOS's, where
 * it has one. No library is needed for these: the command line tool has them too.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "kinds.h"

/**
 * struct type - A file type.
 * @word: its name
 * @mime: what libmagic calls it: beginnings of MIME types, comma-separated; NULL
 *   for those that content.c and format.c know by themselves alone
 *
 * The number of a type is its place in here: append.
 */
static const struct type {
	const char *word;
	const char *mime;
} types[] = {
	{ "7z", NULL },
	{ "ace", NULL },
	{ "arj", NULL },
	{ "bat", "text/x-msdos-batch" },
	{ "bmp", "image/bmp,image/x-ms-bmp" },
	{ "bzip2", NULL },
	{ "cab", NULL },
	{ "chm", NULL },
	{ "class", "application/x-java-applet" },
	{ "elf", NULL },
	{ "exe", NULL },	/* DOS and Windows, whatever its name */
	{ "gif", "image/gif" },
	{ "gzip", NULL },
	{ "html", "text/html" },
	{ "iso", NULL },
	{ "javascript", "application/javascript,text/javascript" },
	{ "jpeg", "image/jpeg" },
	{ "lnk", NULL },
	{ "lzh", NULL },
	{ "mach-o", "application/x-mach-binary" },
	{ "mp3", "audio/mpeg" },
	{ "mpeg", "video/mpeg" },
	{ "msi", "application/x-msi" },
	{ "msoffice", "application/msword,application/vnd.ms-office,application/vnd.ms-excel,"
	  "application/vnd.ms-powerpoint,application/vnd.ms-outlook,"
	  "application/x-ole-storage,application/CDFV2" },
	{ "msofficex", "application/vnd.openxmlformats-officedocument." },
	{ "odf", "application/vnd.oasis.opendocument." },
	{ "pdf", "application/pdf" },
	{ "png", "image/png" },
	{ "rar", NULL },
	{ "rtf", "text/rtf,application/rtf" },
	{ "script", "text/x-shellscript,text/x-perl,text/x-script.python,text/x-python,"
	  "text/x-php,text/x-ruby" },
	{ "tar", NULL },
	{ "tiff", "image/tiff" },
	{ "xar", NULL },
	{ "xz", NULL },
	{ "zip", NULL },	/* but for msofficex and odf */
};

_Static_assert(ARRAY_SIZE(types) <= 64, "types do not fit a mask");

static const struct {
	const char *word;
	enum ss_kind kind;
} conditions[] = {
	{ "encrypted", SS_KIND_ENCRYPTED },
	{ "corrupted", SS_KIND_CORRUPTED },
	{ "partiallycorrupted", SS_KIND_PARTIALLYCORRUPTED },
	{ "multipart", SS_KIND_MULTIPART },
	{ "nested", SS_KIND_NESTED },
	{ "mailbomb", SS_KIND_MAILBOMB },
	{ "timeout", SS_KIND_TIMEOUT },
	{ "unhandled", SS_KIND_UNHANDLED },
};

/**
 * ss_kinds_type_find() - The number of a file type.
 * @word: its name
 *
 * Return: a number below 64, or -ENOENT.
 */
int ss_kinds_type_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].word, word))
			return (int)i;
	return -ENOENT;
}

/**
 * ss_kinds_type_name() - The name of a file type.
 * @type: its number
 *
 * Return: the name, or NULL where there is no such type: count up to that.
 */
const char *ss_kinds_type_name(int type)
{
	return type >= 0 && (size_t)type < ARRAY_SIZE(types) ? types[type].word : NULL;
}

static int begins_with_one(const char *text, const char *list)
{
	while (*list) {
		size_t len = strcspn(list, ",");

		if (!strncmp(text, list, len))
			return 1;
		list += len;
		list += *list == ',';
	}
	return 0;
}

/**
 * ss_kinds_type_of_mime() - The file type that a MIME type stands for.
 * @mime: as libmagic gives it
 *
 * Return: the number of a file type, or -ENOENT.
 */
int ss_kinds_type_of_mime(const char *mime)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].mime && begins_with_one(mime, types[i].mime))
			return (int)i;
	return -ENOENT;
}

/**
 * ss_kinds_condition_find() - The condition of an archive that a word stands for.
 * @word: the word
 *
 * Return: enum ss_kind, or -ENOENT.
 */
int ss_kinds_condition_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		if (!strcmp(conditions[i].word, word))
			return (int)conditions[i].kind;
	return -ENOENT;
}

/**
 * ss_kinds_condition_name() - The word for a condition of an archive.
 * @kind: enum ss_kind
 *
 * Return: the word, or NULL where @kind is none: they are those from
 * SS_KIND_ENCRYPTED to below SS_KIND_COUNT.
 */
const char *ss_kinds_condition_name(int kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		if ((int)conditions[i].kind == kind)
			return conditions[i].word;
	return NULL;
}
