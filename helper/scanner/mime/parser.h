/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_PARSER_H
#define SS_SCANNER_MIME_PARSER_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/scan_msg.h"

struct ss_mime_tree;
struct ss_mime_part;
struct _GMimeObject;

/**
 * typedef ss_mime_fn - Takes one part of a message.
 * @part: the part
 * @arg: the caller's
 *
 * Return: whether to go on.
 */
typedef bool (*ss_mime_fn)(const struct ss_mime_part *part, void *arg);

/**
 * ss_mime_init() - Set GMime up, once in a process or before it forks.
 */
void ss_mime_init(void);

/**
 * ss_mime_read_head() - Read the head of a message.
 * @text: the message
 * @len: its length in bytes
 * @head: what is in it
 */
void ss_mime_read_head(const void *text, size_t len, struct ss_mime_head *head);

/**
 * ss_mime_has_attachment() - Guess from the lines whether there is an attachment.
 * @text: the message
 * @len: its length in bytes
 *
 * For the log of clean mail, where parsing it all would be a waste.
 *
 * Return: whether a line looks like the head of an attachment.
 */
bool ss_mime_has_attachment(const void *text, size_t len);

/**
 * ss_mime_may_be_partial() - Look for the word that each fragment has in it.
 * @text: the message
 * @len: its length in bytes
 *
 * Return: false where there can be no message/partial in @text.
 */
bool ss_mime_may_be_partial(const void *text, size_t len);

/**
 * ss_mime_find_message() - Find the message that a file may be to some reader.
 * @text: the file
 * @len: its length in bytes
 *
 * Goes by the structure, not by the first bytes: a message with attachments has
 * a field of MIME on a line somewhere. Lines in front of its first field, a mark
 * of the byte order, empty ones and mbox's "From ", are what readers skip.
 *
 * Return: where its head begins, or NULL where it is none to anybody.
 */
const char *ss_mime_find_message(const void *text, size_t len);

/**
 * ss_mime_parse() - Parse a whole message.
 * @fd: the message; stays the caller's
 *
 * Return: the tree, to be freed with ss_mime_free(), or NULL.
 */
struct ss_mime_tree *ss_mime_parse(int fd);

/**
 * ss_mime_free() - Free a tree.
 * @tree: the tree, or NULL
 */
void ss_mime_free(struct ss_mime_tree *tree);

/**
 * ss_mime_walk() - Go over all parts, outer ones first, in order.
 * @tree: the tree
 * @fn: takes each part
 * @arg: for @fn
 *
 * Return: false where there are too many parts, or too deep ones: the walk has
 * then ended before the last.
 */
bool ss_mime_walk(const struct ss_mime_tree *tree, ss_mime_fn fn, void *arg);

/**
 * ss_mime_part_object() - What a part is to GMime.
 * @part: the part
 *
 * Return: its object, which lives as long as the tree.
 */
struct _GMimeObject *ss_mime_part_object(const struct ss_mime_part *part);

/**
 * ss_mime_part_name() - The file name of a part.
 * @part: the part
 *
 * Return: the name, any bytes, or NULL.
 */
const char *ss_mime_part_name(const struct ss_mime_part *part);

/**
 * ss_mime_part_is_attachment() - Whether a part is an attachment.
 * @part: the part
 *
 * Return: whether it says so, or is a leaf with a name of its own.
 */
bool ss_mime_part_is_attachment(const struct ss_mime_part *part);

/**
 * ss_mime_part_is_partial() - Whether a part is a fragment of a message.
 * @part: the part
 *
 * Return: whether it is message/partial (RFC 2046 5.2.2).
 */
bool ss_mime_part_is_partial(const struct ss_mime_part *part);

/**
 * ss_mime_part_is_encrypted() - Whether a part says that what is in it is encrypted.
 * @part: the part
 *
 * Return: whether it is multipart/encrypted (RFC 1847 2.2), as PGP/MIME is.
 */
bool ss_mime_part_is_encrypted(const struct ss_mime_part *part);

/**
 * ss_mime_part_is_text() - Whether a part is a text to be read where it stands.
 * @part: the part
 *
 * Return: whether it is one that is neither encoded nor an attachment.
 */
bool ss_mime_part_is_text(const struct ss_mime_part *part);

/**
 * ss_mime_part_is_message() - Whether a part is a message, the outermost one included.
 * @part: the part
 *
 * Return: whether it is.
 */
bool ss_mime_part_is_message(const struct ss_mime_part *part);

/**
 * ss_mime_part_message() - The bytes of a nested message.
 * @part: the part
 *
 * Return: a memory file, the caller's, or a negative errno; -ENOENT where the part
 * is no message.
 */
int ss_mime_part_message(const struct ss_mime_part *part);

/**
 * ss_mime_part_decode() - Decode the content of a leaf, or of an encoded message.
 * @part: the part
 *
 * Return: a memory file, the caller's, or a negative errno; -ENOENT where the
 * part is neither or has no content.
 */
int ss_mime_part_decode(const struct ss_mime_part *part);

/**
 * ss_mime_part_uuencoded() - The content of a leaf whose transfer encoding is uuencode.
 * @part: the part
 *
 * Such content has a file name in it, which ss_mime_part_decode() does not show.
 *
 * Return: a memory file with the content as it stands, the caller's, or a negative
 * errno; -ENOENT where it is encoded otherwise.
 */
int ss_mime_part_uuencoded(const struct ss_mime_part *part);

#endif /* SS_SCANNER_MIME_PARSER_H */
