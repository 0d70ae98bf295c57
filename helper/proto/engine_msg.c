// SPDX-License-Identifier: GPL-2.0
/*
 * Checks the report that a scanner sends to the broker once it has loaded its engine,
 * or has failed to.
 */
#include "proto/engine_msg.h"

bool ss_engine_report_check(struct ss_engine_report *report)
{
	report->version[sizeof(report->version) - 1] = '\0';
	report->error[sizeof(report->error) - 1] = '\0';
	if (report->db.count > SS_DATABASE_FILES)
		return false;
	for (uint32_t i = 0; i < report->db.count; i++)
		report->db.files[i].name[SS_DATABASE_NAME - 1] = '\0';
	return report->msg.type == SS_IPC_READY || report->msg.type == SS_IPC_FAILED;
}
