/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MESSAGE_H
#define SS_SCANNER_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "scanner/mime/dots.h"

/**
 * struct ss_message - A mapped message, or a copy of one.
 * @fd: the file, -1 for one that is somebody else's
 * @map: its content, NULL where it is empty
 * @len: its length in octets
 * @head: octets in front of the message, of our own making
 */
struct ss_message {
	int fd;
	char *map;
	size_t len;
	size_t head;
};

#define SS_MESSAGE_NONE	{ .fd = -1 }

int ss_message_map(struct ss_message *message, int fd, uint64_t size);
int ss_message_make(struct ss_message *copy, const struct ss_message *message,
		    enum ss_dots_mode mode);
int ss_message_make_mail(const void *data, size_t len);
int ss_message_put_aside(int fd, const struct ss_message *copy);
void ss_message_cleanup(struct ss_message *copy);

#endif /* SS_SCANNER_MESSAGE_H */
