/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_REPLY_H
#define SS_REPLY_H

#include <stdbool.h>

#include <linux/smtpsplice.h>

#define SS_REPLY_SIZE		(SMTPSPLICE_REPLY_MAX + 1)

/* The text of the product that this one takes the place of */
#define SS_REPLY_INFECTED \
	"554 5.7.1 Dangerous Attachment has been Removed.  " \
	"The file \"%%FILE%%\" has been removed because of a virus.  " \
	"It was infected with the \"%%VIRUS%%\" virus.  " \
	"File quarantined as: \"%%QUARFILENAME%%\"."
#define SS_REPLY_PARTIAL \
	"554 5.7.1 Message fragments (message/partial) cannot be scanned " \
	"and are not accepted"
#define SS_REPLY_TEMPFAIL \
	"451 4.3.0 Content scanner failed, try again later"

bool ss_reply_valid(const char *template);
void ss_reply_build(char reply[SS_REPLY_SIZE], const char *template,
		    const char *file, const char *virus, const char *quarfile);

#endif /* SS_REPLY_H */
