// SPDX-License-Identifier: GPL-2.0
/*
 * A scan worker: takes a job from its socket, scans, answers, until the socket
 * is closed. It has the engine, the message's descriptor, and nothing else. The
 * broker kills it when it takes too long; a crash costs the one message.
 */
#include <errno.h>
#include <unistd.h>

#include "cleanup.h"
#include "ipc.h"
#include "process.h"
#include "scan.h"
#include "worker.h"

/* Return: whether to go on */
static bool do_job(struct ss_engine *engine, int sock)
{
	struct ss_scan_result result;
	struct ss_scan_job job;
	int fds[SS_IPC_FDS];
	int ret = ss_ipc_recv(sock, &job, sizeof(job), fds);

	if (!ret) {
		ss_scan_message(engine, fds[0], job.quarantine ? fds[1] : -1, &job,
				&result);
		ret = ss_ipc_send(sock, &result, sizeof(result), NULL, 0);
	}
	for (int i = 0; i < SS_IPC_FDS; i++)
		ss_cleanup_fd(&fds[i]);
	return !ret;
}

/**
 * ss_worker_run() - Be a worker. Does not return.
 * @engine: the engine
 * @sock: the socket that jobs come in by
 */
void ss_worker_run(struct ss_engine *engine, int sock)
{
	while (do_job(engine, sock))
		;
	_exit(0);
}
