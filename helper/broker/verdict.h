/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_VERDICT_H
#define SS_BROKER_VERDICT_H

#include <stdbool.h>

#include "broker/avlog.h"
#include "broker/scan_request.h"
#include "common/av_profile.h"
#include "common/conf.h"
#include "proto/genl.h"
#include "proto/scan_msg.h"
#include "quarantine/store.h"

struct json_object;

/**
 * struct ss_verdicts - What gives verdicts.
 * @conf: the command line
 * @work: the socket that is registered; the broker's
 * @log: the log
 * @log_failed: the last record could not be written
 * @quarantine: where infected messages are kept
 * @profile: of the message that is being answered
 */
struct ss_verdicts {
	const struct ss_conf *conf;
	struct ss_genl *work;
	struct ss_avlog log;
	bool log_failed;
	struct ss_quarantine quarantine;
	struct ss_av_profile profile;
};

/**
 * ss_verdict_put_text() - Put a text of a peer or a worker into a message.
 * @msg: the message
 * @type: the attribute
 * @text: the text; an empty one is left out
 */
void ss_verdict_put_text(struct nl_msg *msg, int type, const char *text);

/**
 * ss_verdict_wrote_log() - A record was written, or not.
 * @v: whose log it is
 * @ret: what ss_avlog_write() or the like has said; told once
 */
void ss_verdict_wrote_log(struct ss_verdicts *v, int ret);

/**
 * ss_verdict_note() - Make the note about a message that is kept.
 * @req: the message
 * @result: what was found
 *
 * Return: the note, the caller's.
 */
struct json_object *ss_verdict_note(const struct ss_scan_request *req,
				    const struct ss_scan_result *result);

/**
 * ss_verdict_give() - Answer a scan request, and log it.
 * @v: what answers
 * @req: the request, freed
 * @result: what the worker found, or what stands for it
 * @quarantine: file that the worker has put the message into, -1, or an errno why
 *   there is none; stays the caller's
 * @replacement: message that is to go to the server instead, or -1; likewise
 *
 * Return: 0, or -EPERM where the kernel does not know this helper any more.
 */
int ss_verdict_give(struct ss_verdicts *v, struct ss_scan_request *req,
		    const struct ss_scan_result *result, int quarantine, int replacement);

/**
 * ss_verdict_fail() - Answer a scan request for which there is no result.
 * @v: what answers
 * @req: the request, freed
 * @late: for want of time
 * @why: the reason
 *
 * The AV profile says what that means for the message. Return: as
 * ss_verdict_give().
 */
int ss_verdict_fail(struct ss_verdicts *v, struct ss_scan_request *req, bool late,
		    const char *why);

#endif /* SS_BROKER_VERDICT_H */
