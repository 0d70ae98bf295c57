// SPDX-License-Identifier: GPL-2.0
/*
 * A scan worker: takes a job from its socket, scans, answers, until the socket
 * is closed. It has the engine, the message's descriptor, and nothing else. The
 * broker kills it when it takes too long; a crash costs the one message.
 */
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/ipc.h"
#include "lib/process.h"
#include "scanner/scan.h"
#include "scanner/worker.h"

/* Return: whether to go on */
static bool do_job(struct ss_scan *scan, int sock)
{
	int out __cleanup(ss_cleanup_fd) = -1;
	struct ss_scan_result result;
	int fds[SS_IPC_FDS];
	struct ss_scan_order order;
	ssize_t n = ss_ipc_recv_some(sock, &order, sizeof(order), fds);
	int ret = n < 0 ? (int)n : (size_t)n < SS_SCAN_ORDER_MIN ? -EPROTO : 0;

	if (!ret) {
		out = ss_scan_message(scan, fds[0], order.job.quarantine ? fds[1] : -1,
				      &order.job, order.profile, n - SS_SCAN_ORDER_MIN, &result);
		result.ticket = order.job.ticket;
		/* The message is charged to its client until nobody has it open */
		ss_cleanup_fd(&fds[0]);
		ret = ss_ipc_send(sock, &result, sizeof(result), &out, out >= 0);
	}
	for (int i = 0; i < SS_IPC_FDS; i++)
		ss_cleanup_fd(&fds[i]);
	return !ret;
}

void ss_worker_run(struct ss_engine *engine, int sock)
{
	struct ss_scan *scan = ss_scan_new(engine);
	struct rlimit files;

	/* The engine takes some for each level of what it unpacks */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	while (scan && do_job(scan, sock))
		;
	_exit(scan ? 0 : 1);
}
