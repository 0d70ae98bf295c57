/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LIB_IPC_H
#define SS_LIB_IPC_H

#include <stddef.h>
#include <sys/types.h>

#define SS_IPC_FDS	2

int ss_ipc_pair(int fds[2]);
int ss_ipc_send(int sock, const void *buf, size_t len, const int *fds, int count);
int ss_ipc_post(int sock, const void *buf, size_t len, const int *fds, int count);
int ss_ipc_recv(int sock, void *buf, size_t len, int fds[SS_IPC_FDS]);
ssize_t ss_ipc_recv_some(int sock, void *buf, size_t max, int fds[SS_IPC_FDS]);

#endif /* SS_LIB_IPC_H */
