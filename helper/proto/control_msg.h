/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_PROTO_CONTROL_MSG_H
#define SS_PROTO_CONTROL_MSG_H

#include <stdint.h>

/**
 * enum ss_ipc_type - What the scanner, the broker and the supervisor tell each
 * other.
 * @SS_IPC_READY: scanner: the engine is loaded, in a struct ss_engine_report;
 *   value: signatures
 * @SS_IPC_FAILED: scanner: it cannot be loaded, in a struct ss_engine_report
 * @SS_IPC_SPAWN: broker: I want one more worker
 * @SS_IPC_WORKER: scanner: here it is: its socket and its pidfd
 * @SS_IPC_NO_WORKER: scanner: there is none; value: errno
 * @SS_IPC_RETIRE: broker: you have no worker any more, end
 * @SS_IPC_TLS: supervisor, to the broker: here is a tls process: its socket and
 *   its pidfd
 * @SS_IPC_SCANNER: supervisor, to the broker: here is a scanner that loads what
 *   is new: its socket
 */
enum ss_ipc_type {
	SS_IPC_READY = 1,
	SS_IPC_FAILED,
	SS_IPC_SPAWN,
	SS_IPC_WORKER,
	SS_IPC_NO_WORKER,
	SS_IPC_RETIRE,
	SS_IPC_TLS,
	SS_IPC_SCANNER,
};

/**
 * struct ss_ipc_msg - A message of one of the types above.
 * @type: enum ss_ipc_type
 * @value: by type
 */
struct ss_ipc_msg {
	uint32_t type;
	int32_t value;
};

#endif /* SS_PROTO_CONTROL_MSG_H */
