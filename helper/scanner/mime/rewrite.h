/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_REWRITE_H
#define SS_SCANNER_MIME_REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/scan_msg.h"

/**
 * enum ss_rewrite_broken - What a change breaks; flags.
 * @SS_REWRITE_DKIM: DKIM-Signature, DomainKey-Signature
 * @SS_REWRITE_ARC: ARC-Message-Signature, ARC-Seal
 * @SS_REWRITE_SIGNED: multipart/signed, by S/MIME or PGP
 * @SS_REWRITE_PKCS7: application/pkcs7-mime
 * @SS_REWRITE_ENCRYPTED: multipart/encrypted, or enveloped-data of S/MIME
 */
enum ss_rewrite_broken {
	SS_REWRITE_DKIM		= 1,
	SS_REWRITE_ARC		= 2,
	SS_REWRITE_SIGNED	= 4,
	SS_REWRITE_PKCS7	= 8,
	SS_REWRITE_ENCRYPTED	= 16,
};

/**
 * struct ss_rewrite_message - A message that another one is made of.
 * @fd: the message without stuffed dots; only read, must not change meanwhile
 * @skip: bytes in front that are not of the message, in whole lines; parts are
 *   counted with them there, they do not get into what is made
 * @chunked: it came by BDAT: no dot is stuffed, line ends may be any
 */
struct ss_rewrite_message {
	int fd;
	size_t skip;
	bool chunked;
};

/**
 * struct ss_rewrite_part - A part that is to be replaced.
 * @index: its place in the order of ss_mime_walk(), 0 is the whole message
 * @text: what stands for it: UTF-8, lines that end with LF or CRLF
 */
struct ss_rewrite_part {
	unsigned int index;
	const char *text;
};

/**
 * struct ss_rewrite_notes - What is to be said of a change.
 * @broken: of enum ss_rewrite_broken: what the receiver cannot verify or read any more
 * @words: the same as words, separated by spaces, for the log
 */
struct ss_rewrite_notes {
	uint32_t broken;
	char words[SS_REWRITE_WORDS_SIZE];
};

/**
 * ss_rewrite_replace() - Make a message with text in the place of some parts.
 * @in: the message
 * @parts: the parts to be replaced; one inside another goes with that one
 * @count: how many, at least 1
 * @out: gets the new message, a sealed memory file, the caller's: as on the wire,
 *   without the line that ends the data
 * @notes: set to what the change breaks
 *
 * A part that is the whole body of a message leaves it its head, but for the
 * fields on its content. Readers may differ in what they take a message for, so
 * the new one has to be scanned like any other before it is passed on.
 *
 * Return: 0; -ENOTSUP where it cannot be done without doubt, and the message has
 * to be refused; -EINVAL for texts that are not UTF-8, or a negative errno.
 */
int ss_rewrite_replace(const struct ss_rewrite_message *in,
		       const struct ss_rewrite_part *parts, size_t count,
		       int *out, struct ss_rewrite_notes *notes);

/**
 * ss_rewrite_tag() - Make a message with one more field in front.
 * @in: the message
 * @field: "Name: value", printable ASCII of at most 998 octets
 * @out: gets the new message, as of ss_rewrite_replace()
 *
 * Return: 0; -EINVAL for no such field; -ENOTSUP where the message does not begin
 * as one does, or has other line ends than it can have; or a negative errno.
 */
int ss_rewrite_tag(const struct ss_rewrite_message *in, const char *field, int *out);

#endif /* SS_SCANNER_MIME_REWRITE_H */
