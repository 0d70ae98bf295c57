/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_AMBIGUITY_H
#define SS_SCANNER_MIME_AMBIGUITY_H

#include <stddef.h>
#include <stdint.h>

/**
 * ss_ambiguity_check() - Look for what two readers can see different content in.
 * @text: the message, without dot-stuffing
 * @len: its length in bytes
 *
 * Return: flags, see enum ss_ambiguity_flag; 0 where it is plain to all.
 */
uint32_t ss_ambiguity_check(const char *text, size_t len);

/**
 * ss_ambiguity_name() - The word for the log and the reply.
 * @flags: of ss_ambiguity_check()
 *
 * Return: the word for the lowest flag, in a form that will stay; "" for none.
 */
const char *ss_ambiguity_name(uint32_t flags);

#endif /* SS_SCANNER_MIME_AMBIGUITY_H */
