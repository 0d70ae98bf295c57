/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TEMPLATE_H
#define SS_TEMPLATE_H

#include <stdbool.h>

#include <linux/smtpsplice.h>

#define SS_TEMPLATE_REPLY_SIZE	(SMTPSPLICE_REPLY_MAX + 1)
#define SS_TEMPLATE_TEXT_MAX	32768	/* octets of a template for mail */

/**
 * enum ss_template_cause - Why a message is refused, or a part of it removed.
 * @SS_TEMPLATE_VIRUS: a virus was found
 * @SS_TEMPLATE_EXECUTABLE: an executable, and those count as viruses
 * @SS_TEMPLATE_FILENAME: the name or the type of a file is blocked
 * @SS_TEMPLATE_OVERSIZE: too big
 * @SS_TEMPLATE_ARCHIVE: an archive that cannot be looked into
 * @SS_TEMPLATE_PARTIAL: a fragment of a message
 * @SS_TEMPLATE_AMBIGUOUS: MIME that readers do not agree on
 * @SS_TEMPLATE_HASH: the hash of a file is blocked
 * @SS_TEMPLATE_SCAN_FAILURE: it could not be scanned; may be a reply "4yz"
 * @SS_TEMPLATE_UNDECODABLE: a limit of the scanner was exceeded
 * @SS_TEMPLATE_ENCRYPTED: encrypted for its recipient
 * @SS_TEMPLATE_CAUSES: how many there are
 */
enum ss_template_cause {
	SS_TEMPLATE_VIRUS,
	SS_TEMPLATE_EXECUTABLE,
	SS_TEMPLATE_FILENAME,
	SS_TEMPLATE_OVERSIZE,
	SS_TEMPLATE_ARCHIVE,
	SS_TEMPLATE_PARTIAL,
	SS_TEMPLATE_AMBIGUOUS,
	SS_TEMPLATE_HASH,
	SS_TEMPLATE_SCAN_FAILURE,
	SS_TEMPLATE_UNDECODABLE,
	SS_TEMPLATE_ENCRYPTED,
	SS_TEMPLATE_CAUSES,
};

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

const char *ss_template_cause_name(enum ss_template_cause cause);
const char *ss_template_protocol(bool tls);
const char *ss_template_default(enum ss_template_cause cause);
const char *ss_template_default_text(enum ss_template_cause cause);
bool ss_template_valid_reply(enum ss_template_cause cause, const char *template);
bool ss_template_valid_text(const char *template);
void ss_template_reply(char reply[SS_TEMPLATE_REPLY_SIZE], const char *template,
		       const struct ss_template_values *values);
char *ss_template_text(const char *template, const struct ss_template_values *values);

#endif /* SS_TEMPLATE_H */
