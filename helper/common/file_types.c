// SPDX-License-Identifier: GPL-2.0
/*
 * The words for file types and for the conditions of archives. FortiOS's, where
 * it has one. No library is needed for these: the command line tool has them too.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/file_types.h"
#include "lib/cleanup.h"

/* The file types. The number of a type is its place in here: append. */
static const char *const types[] = {
	"7z", "ace", "arj", "bat", "bmp", "bzip2", "cab", "chm", "class", "elf", "exe",
	"gif", "gzip", "html", "iso", "javascript", "jpeg", "lnk", "lzh", "mach-o",
	"mp3", "mpeg", "msi", "msoffice", "msofficex", "odf", "pdf", "png", "rar", "rtf",
	"script", "tar", "tiff", "xar", "xz", "zip", "tnef", "uue", "yenc",
};

static_assert(ARRAY_SIZE(types) <= 64, "types do not fit a mask");

/*
 * Names that libmagic has for some of these types, by how its word begins. It is not
 * asked about the others.
 */
static const struct {
	const char *mime;
	const char *word;
} mimes[] = {
	{ "text/x-msdos-batch", "bat" },
	{ "image/bmp", "bmp" },
	{ "image/x-ms-bmp", "bmp" },
	{ "application/x-java-applet", "class" },
	{ "image/gif", "gif" },
	{ "text/html", "html" },
	{ "application/javascript", "javascript" },
	{ "text/javascript", "javascript" },
	{ "image/jpeg", "jpeg" },
	{ "application/x-mach-binary", "mach-o" },
	{ "audio/mpeg", "mp3" },
	{ "video/mpeg", "mpeg" },
	{ "application/x-msi", "msi" },
	{ "application/msword", "msoffice" },
	{ "application/vnd.ms-office", "msoffice" },
	{ "application/vnd.ms-excel", "msoffice" },
	{ "application/vnd.ms-powerpoint", "msoffice" },
	{ "application/vnd.ms-outlook", "msoffice" },
	{ "application/x-ole-storage", "msoffice" },
	{ "application/CDFV2", "msoffice" },
	{ "application/vnd.openxmlformats-officedocument.", "msofficex" },
	{ "application/vnd.oasis.opendocument.", "odf" },
	{ "application/pdf", "pdf" },
	{ "image/png", "png" },
	{ "text/rtf", "rtf" },
	{ "application/rtf", "rtf" },
	{ "text/x-shellscript", "script" },
	{ "text/x-perl", "script" },
	{ "text/x-script.python", "script" },
	{ "text/x-python", "script" },
	{ "text/x-php", "script" },
	{ "text/x-ruby", "script" },
	{ "image/tiff", "tiff" },
};

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

int ss_file_types_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i], word))
			return (int)i;
	return -ENOENT;
}

const char *ss_file_types_name(int type)
{
	return type >= 0 && (size_t)type < ARRAY_SIZE(types) ? types[type] : NULL;
}

int ss_file_types_of_mime(const char *mime)
{
	for (size_t i = 0; i < ARRAY_SIZE(mimes); i++)
		if (!strncmp(mime, mimes[i].mime, strlen(mimes[i].mime)))
			return ss_file_types_find(mimes[i].word);
	return -ENOENT;
}

int ss_file_types_condition_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		if (!strcmp(conditions[i].word, word))
			return (int)conditions[i].kind;
	return -ENOENT;
}

const char *ss_file_types_condition_name(int kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		if ((int)conditions[i].kind == kind)
			return conditions[i].word;
	return NULL;
}
