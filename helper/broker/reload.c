// SPDX-License-Identifier: GPL-2.0
/*
 * The scanners, as the broker sees them: one serves, and for a reload there is
 * a second one for a while.
 *
 *   next      it loads. When it is ready it serves, and what served is leaving;
 *             where it fails or dies, nothing changes.
 *   leaving   no worker comes from it any more. When its last one is gone it is
 *             told to end.
 *
 * Should the one that serves die, this broker ends as well, and the kernel gives
 * its messages to the next broker, with whichever scanner is left.
 */
#include <errno.h>

#include "broker/reload.h"
#include "lib/cleanup.h"
#include "lib/ipc.h"
#include "lib/process.h"
#include "proto/control_msg.h"

static int receive_report(int sock, struct ss_engine_report *report)
{
	int fds[SS_IPC_FDS];
	int ret = ss_ipc_recv(sock, report, sizeof(*report), fds);

	for (int i = 0; i < SS_IPC_FDS; i++)
		ss_cleanup_fd(&fds[i]);
	return ret || ss_engine_report_check(report) ? ret : -EBADMSG;
}

int ss_reload_init(struct ss_reload *r, const struct ss_conf *conf, int serving)
{
	struct ss_engine_report report;
	int ret;

	*r = (struct ss_reload){
		.serving = serving, .next = -1, .leaving = -1, .state.conf = conf,
	};
	ret = receive_report(serving, &report);
	if (ret || report.msg.type != SS_IPC_READY)
		return ret ? ret : -ENODATA;
	r->state.engine = report;
	return 0;
}

void ss_reload_offer(struct ss_reload *r, int sock)
{
	ss_cleanup_fd(&r->next);
	r->next = sock;
	ss_state_file_note(&r->state, SS_STATE_FILE_LOADING, NULL);
}

bool ss_reload_next_event(struct ss_reload *r)
{
	struct ss_engine_report report;
	int ret = receive_report(r->next, &report);

	if (ret || report.msg.type != SS_IPC_READY) {
		/* The scanner, or the supervisor, says the same on stderr */
		ss_cleanup_fd(&r->next);
		ss_state_file_note(&r->state, SS_STATE_FILE_FAILED,
				   ret ? "the scanner died while it loaded" : report.error);
		return false;
	}
	ss_reload_retire(r);
	ss_cleanup_fd(&r->leaving);
	r->leaving = r->serving;
	r->serving = r->next;
	r->next = -1;
	r->settling = true;
	r->state.engine = report;
	return true;
}

void ss_reload_leaving_event(struct ss_reload *r)
{
	struct ss_ipc_msg msg;
	int fds[SS_IPC_FDS];

	if (ss_ipc_recv(r->leaving, &msg, sizeof(msg), fds))
		ss_cleanup_fd(&r->leaving);
	for (int i = 0; i < SS_IPC_FDS; i++)
		ss_cleanup_fd(&fds[i]);
}

void ss_reload_settle(struct ss_reload *r)
{
	if (!r->settling)
		return;
	r->settling = false;
	ss_state_file_note(&r->state, SS_STATE_FILE_DONE, NULL);
	ss_process_say("reloaded: %d signatures", r->state.engine.msg.value);
}

void ss_reload_retire(struct ss_reload *r)
{
	const struct ss_ipc_msg msg = { .type = SS_IPC_RETIRE };

	if (r->leaving < 0)
		return;
	/* If it is dead already, so much the better; if it does not read, try again */
	if (ss_ipc_post(r->leaving, &msg, sizeof(msg), NULL, 0) != -EAGAIN)
		ss_cleanup_fd(&r->leaving);
}
