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

void ss_verdict_put_text(struct nl_msg *msg, int type, const char *text);
void ss_verdict_wrote_log(struct ss_verdicts *v, int ret);
struct json_object *ss_verdict_note(const struct ss_scan_request *req,
				    const struct ss_scan_result *result);
int ss_verdict_give(struct ss_verdicts *v, struct ss_scan_request *req,
		    const struct ss_scan_result *result, int quarantine, int replacement);
int ss_verdict_fail(struct ss_verdicts *v, struct ss_scan_request *req, bool late,
		    const char *why);

#endif /* SS_BROKER_VERDICT_H */
