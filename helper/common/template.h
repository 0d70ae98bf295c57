/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_COMMON_TEMPLATE_H
#define SS_COMMON_TEMPLATE_H

#include <stdbool.h>

#include <linux/smtpsplice.h>

#include "proto/cause.h"

#define SS_TEMPLATE_REPLY_SIZE	(SMTPSPLICE_REPLY_MAX + 1)
#define SS_TEMPLATE_TEXT_MAX	32768	/* bytes of a template for mail */

/**
 * struct ss_template_values - Values of the tags: any bytes, or NULL for
 * nothing.
 * @file: %%FILE%%, name of the file that it is about
 * @virus: %%VIRUS%%, what was found
 * @quarfile: %%QUARFILENAME%%, where it was put aside
 * @source_ip: %%SOURCE_IP%%, address of the client
 * @dest_ip: %%DEST_IP%%, address of the server
 * @email_from: %%EMAIL_FROM%%, reverse-path
 * @email_to: %%EMAIL_TO%%, forward-paths
 * @protocol: %%PROTOCOL%%
 */
struct ss_template_values {
	const char *file;
	const char *virus;
	const char *quarfile;
	const char *source_ip;
	const char *dest_ip;
	const char *email_from;
	const char *email_to;
	const char *protocol;
};

/**
 * ss_template_cause_name() - The word for a cause, in notes.
 * @cause: the cause
 *
 * Return: the word.
 */
const char *ss_template_cause_name(enum ss_cause cause);

/**
 * ss_template_protocol() - FortiOS's word for what a message came by.
 * @tls: inside TLS; by STARTTLS, too, which is the same service there
 *
 * Return: the word.
 */
const char *ss_template_protocol(bool tls);

/**
 * ss_template_default() - The built-in template of a cause.
 * @cause: the cause
 *
 * Return: a valid template of a reply.
 */
const char *ss_template_default(enum ss_cause cause);

/**
 * ss_template_default_text() - The built-in template without its codes.
 * @cause: the cause
 *
 * Return: a valid template of a text in a mail.
 */
const char *ss_template_default_text(enum ss_cause cause);

/**
 * ss_template_valid_reply() - Check a template of a reply.
 * @cause: what it is for
 * @template: "5yz ", or "4yz " where @cause is a failure, then printable ASCII;
 *   at most 510 octets besides its tags; the class of an enhanced status code
 *   is the one of the code
 *
 * Return: whether it can be used.
 */
bool ss_template_valid_reply(enum ss_cause cause, const char *template);

/**
 * ss_template_valid_text() - Check a template of a text in a mail.
 * @template: lines of UTF-8 without controls, at most SS_TEMPLATE_TEXT_MAX bytes
 *
 * Return: whether it can be used.
 */
bool ss_template_valid_text(const char *template);

/**
 * ss_template_reply() - Fill in the template of a reply.
 * @reply: the reply without CRLF, printable ASCII, at most 510 octets
 * @template: a valid template
 * @values: what is put in; never expanded again
 *
 * A reply that gets too long loses the end of the file name first, then that of
 * the longest of what else peers control.
 */
void ss_template_reply(char reply[SS_TEMPLATE_REPLY_SIZE], const char *template,
		       const struct ss_template_values *values);

/**
 * ss_template_text() - Fill in the template of a text in a mail.
 * @template: a template
 * @values: what is put in; never expanded again
 *
 * Return: the text, to be freed with free(), or NULL without memory. It is UTF-8
 * without controls, in lines of less than 998 octets that end with LF.
 */
char *ss_template_text(const char *template, const struct ss_template_values *values);

#endif /* SS_COMMON_TEMPLATE_H */
