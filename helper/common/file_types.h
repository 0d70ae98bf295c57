/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_COMMON_FILE_TYPES_H
#define SS_COMMON_FILE_TYPES_H

/**
 * enum ss_kind - What can be found in a file; those from @SS_KIND_ENCRYPTED on
 * are conditions of an archive.
 * @SS_KIND_EXECUTABLE: a DOS or Windows executable, by its header
 * @SS_KIND_NAME: a name that a pattern matches
 * @SS_KIND_TYPE: one of the types
 * @SS_KIND_HASH: its hash is in the block list
 * @SS_KIND_ENVELOPED: mail, or a file, that is encrypted for its recipient: S/MIME, PGP
 * @SS_KIND_ENCRYPTED: a member, or the list of them, cannot be read without a
 *   password
 * @SS_KIND_CORRUPTED: no member could be read
 * @SS_KIND_PARTIALLYCORRUPTED: a member could not be read, others could
 * @SS_KIND_MULTIPART: one volume of several
 * @SS_KIND_NESTED: deeper than the limit
 * @SS_KIND_MAILBOMB: more bytes or members than the limits, or far more than an
 *   archive of its size should have
 * @SS_KIND_TIMEOUT: out of time
 * @SS_KIND_UNHANDLED: an archive, or a member, that cannot be looked into
 * @SS_KIND_COUNT: how many there are
 */
enum ss_kind {
	SS_KIND_EXECUTABLE,
	SS_KIND_NAME,
	SS_KIND_TYPE,
	SS_KIND_HASH,
	SS_KIND_ENVELOPED,
	SS_KIND_ENCRYPTED,
	SS_KIND_CORRUPTED,
	SS_KIND_PARTIALLYCORRUPTED,
	SS_KIND_MULTIPART,
	SS_KIND_NESTED,
	SS_KIND_MAILBOMB,
	SS_KIND_TIMEOUT,
	SS_KIND_UNHANDLED,
	SS_KIND_COUNT,
};

#define SS_KIND_BIT(kind)	(1u << (kind))

/**
 * ss_file_types_find() - The number of a file type.
 * @word: its name
 *
 * Return: a number below 64, or -ENOENT.
 */
int ss_file_types_find(const char *word);

/**
 * ss_file_types_name() - The name of a file type.
 * @type: its number
 *
 * Return: the name, or NULL where there is no such type: count up to that.
 */
const char *ss_file_types_name(int type);

/**
 * ss_file_types_of_mime() - The file type that a MIME type stands for.
 * @mime: as libmagic gives it
 *
 * Return: the number of a file type, or -ENOENT.
 */
int ss_file_types_of_mime(const char *mime);

/**
 * ss_file_types_condition_find() - The condition of an archive that a word stands for.
 * @word: the word
 *
 * Return: enum ss_kind, or -ENOENT.
 */
int ss_file_types_condition_find(const char *word);

/**
 * ss_file_types_condition_name() - The word for a condition of an archive.
 * @kind: enum ss_kind
 *
 * Return: the word, or NULL where @kind is none: they are those from
 * SS_KIND_ENCRYPTED to below SS_KIND_COUNT.
 */
const char *ss_file_types_condition_name(int kind);

#endif /* SS_COMMON_FILE_TYPES_H */
