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
 * @len: its length in bytes
 * @head: bytes in front of the message, of our own making
 */
struct ss_message {
	int fd;
	char *map;
	size_t len;
	size_t head;
};

#define SS_MESSAGE_NONE	{ .fd = -1 }

/**
 * ss_message_map() - Map the message that the kernel holds.
 * @message: where to
 * @fd: the message; stays the caller's
 * @size: bytes of it
 *
 * Return: 0 or an errno.
 */
int ss_message_map(struct ss_message *message, int fd, uint64_t size);

/**
 * ss_message_make() - Make a copy to be scanned, in a memory file.
 * @copy: where to
 * @message: the message as on the wire
 * @mode: what dots are stuffed
 *
 * Return: 0 or an errno.
 */
int ss_message_make(struct ss_message *copy, const struct ss_message *message,
		    enum ss_dots_mode mode);

/**
 * ss_message_make_mail() - Put the line in front that makes bytes begin as mail does.
 * @data: a message, without any dots stuffed
 * @len: its bytes
 *
 * Return: a memory file, the caller's, or a negative errno.
 */
int ss_message_make_mail(const void *data, size_t len);

/**
 * ss_message_put_aside() - Write the message, without our line in front, to the disk.
 * @fd: where to
 * @copy: a copy of it
 *
 * Waits for the disk.
 *
 * Return: 0 or an errno, also that of a disk that has taken it and could not keep it.
 */
int ss_message_put_aside(int fd, const struct ss_message *copy);

/**
 * ss_message_cleanup() - Unmap, and close the file that is the copy's own.
 * @copy: the copy
 */
void ss_message_cleanup(struct ss_message *copy);

#endif /* SS_SCANNER_MESSAGE_H */
