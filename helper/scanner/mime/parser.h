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

void ss_mime_init(void);
void ss_mime_read_head(const void *text, size_t len, struct ss_mime_head *head);
bool ss_mime_has_attachment(const void *text, size_t len);
bool ss_mime_may_be_partial(const void *text, size_t len);

const char *ss_mime_find_message(const void *text, size_t len);

struct ss_mime_tree *ss_mime_parse(int fd);
void ss_mime_free(struct ss_mime_tree *tree);
bool ss_mime_walk(const struct ss_mime_tree *tree, ss_mime_fn fn, void *arg);
struct _GMimeObject *ss_mime_part_object(const struct ss_mime_part *part);
const char *ss_mime_part_name(const struct ss_mime_part *part);
bool ss_mime_part_is_attachment(const struct ss_mime_part *part);
bool ss_mime_part_is_partial(const struct ss_mime_part *part);
bool ss_mime_part_is_encrypted(const struct ss_mime_part *part);
bool ss_mime_part_is_text(const struct ss_mime_part *part);
bool ss_mime_part_is_message(const struct ss_mime_part *part);
int ss_mime_part_message(const struct ss_mime_part *part);
int ss_mime_part_decode(const struct ss_mime_part *part);
int ss_mime_part_uuencoded(const struct ss_mime_part *part);

#endif /* SS_SCANNER_MIME_PARSER_H */
