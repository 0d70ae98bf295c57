/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_COMMON_TEMPLATE_H
#define SS_COMMON_TEMPLATE_H

#include <stdbool.h>

#include <linux/smtpsplice.h>

#include "proto/cause.h"

#define SS_TEMPLATE_REPLY_SIZE	(SMTPSPLICE_REPLY_MAX + 1)
#define SS_TEMPLATE_TEXT_MAX	32768	/* octets of a template for mail */

/**
 * struct ss_template_values - What the tags stand for: any octets, or NULL for
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

const char *ss_template_cause_name(enum ss_cause cause);
const char *ss_template_protocol(bool tls);
const char *ss_template_default(enum ss_cause cause);
const char *ss_template_default_text(enum ss_cause cause);
bool ss_template_valid_reply(enum ss_cause cause, const char *template);
bool ss_template_valid_text(const char *template);
void ss_template_reply(char reply[SS_TEMPLATE_REPLY_SIZE], const char *template,
		       const struct ss_template_values *values);
char *ss_template_text(const char *template, const struct ss_template_values *values);

#endif /* SS_COMMON_TEMPLATE_H */
