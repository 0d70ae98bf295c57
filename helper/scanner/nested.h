/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_NESTED_H
#define SS_SCANNER_NESTED_H

#include <stdbool.h>
#include <stddef.h>

#include "scanner/message.h"

/**
 * ss_nested_is_mail() - Whether readers of mail may see parts in a content.
 * @text: the content
 * @len: its length in bytes
 *
 * Without a field of MIME it is a text to all of them, whatever else it is.
 *
 * Return: whether there is such a field in front of the first empty line.
 */
bool ss_nested_is_mail(const char *text, size_t len);

/**
 * ss_nested_make() - Make a copy of mail, as a message is copied for a scan.
 * @copy: where to; to be freed with ss_message_cleanup() in any case
 * @fd: the mail; no dots are stuffed in it, and its lines end with CRLF or LF
 *
 * Return: 0, or an errno; -ENOENT where it is no mail, see ss_nested_is_mail().
 */
int ss_nested_make(struct ss_message *copy, int fd);

/**
 * ss_nested_has_bare_cr() - Whether some readers see other lines in it.
 * @copy: the mail
 *
 * Return: whether there is a CR that is not part of CRLF.
 */
bool ss_nested_has_bare_cr(const struct ss_message *copy);

#endif /* SS_SCANNER_NESTED_H */
