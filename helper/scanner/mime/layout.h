/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_LAYOUT_H
#define SS_SCANNER_MIME_LAYOUT_H

#include <stddef.h>

#include "scanner/mime/parser.h"

/**
 * enum ss_layout_kind - What a part is.
 * @SS_LAYOUT_MESSAGE: a message; its only child shares its bytes
 * @SS_LAYOUT_MULTIPART: has children between boundaries
 * @SS_LAYOUT_ENCLOSURE: message/rfc822, its only child is a message
 * @SS_LAYOUT_LEAF: all others
 */
enum ss_layout_kind {
	SS_LAYOUT_MESSAGE,
	SS_LAYOUT_MULTIPART,
	SS_LAYOUT_ENCLOSURE,
	SS_LAYOUT_LEAF,
};

/**
 * struct ss_layout_part - Where a part is, in bytes from the start of the file.
 * @object: the part; lives as long as the tree
 * @kind: what it is
 * @parent: index of the part around it; of itself for the whole message
 * @next: index of the first part behind it that is not inside it
 * @start: its head
 * @body: its body, behind the empty line that ends the head
 * @end: behind its last byte. The line end there belongs to a boundary, or there
 *   is no more. One line end less than @body where a boundary comes right there.
 */
struct ss_layout_part {
	struct _GMimeObject *object;
	enum ss_layout_kind kind;
	unsigned int parent;
	unsigned int next;
	size_t start;
	size_t body;
	size_t end;
};

/**
 * struct ss_layout - Where all parts of a message are.
 * @text: the file
 * @len: its length in bytes
 * @parts: the parts, in the order of ss_mime_walk(); allocated
 * @count: how many
 */
struct ss_layout {
	const char *text;
	size_t len;
	struct ss_layout_part *parts;
	unsigned int count;
};

/**
 * ss_layout_read() - Find out where the parts of a message are.
 * @layout: gets it; to be freed with ss_layout_free() in any case
 * @tree: the message; has to outlive @layout
 * @text: the file that @tree was made of; has to outlive @layout
 * @len: its length in bytes
 *
 * Return: 0, -ENOMEM, or -ENOTSUP where that is not beyond doubt.
 */
int ss_layout_read(struct ss_layout *layout, const struct ss_mime_tree *tree,
		   const char *text, size_t len);

/**
 * ss_layout_free() - Free a layout.
 * @layout: the layout
 */
void ss_layout_free(struct ss_layout *layout);

#endif /* SS_SCANNER_MIME_LAYOUT_H */
