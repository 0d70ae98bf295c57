/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LIB_IPC_H
#define SS_LIB_IPC_H

#include <stddef.h>
#include <sys/types.h>

#define SS_IPC_FDS	2

/**
 * ss_ipc_pair() - Make a pair of sockets.
 * @fds: the two; closed on exec, blocking
 *
 * Return: 0 or an errno.
 */
int ss_ipc_pair(int fds[2]);

/**
 * ss_ipc_send() - Send a message, once there is room for it.
 * @sock: the socket
 * @buf: the message
 * @len: its length, at least 1
 * @fds: descriptors to go with it; stay the caller's
 * @count: how many, at most SS_IPC_FDS
 *
 * Return: 0 or an errno; -EPIPE where the other process is gone, -EAGAIN where
 * the socket is non-blocking and has no room.
 */
int ss_ipc_send(int sock, const void *buf, size_t len, const int *fds, int count);

/**
 * ss_ipc_post() - Send a message now or not at all.
 * @sock: the socket
 * @buf: the message
 * @len: its length, at least 1
 * @fds: descriptors to go with it; stay the caller's
 * @count: how many, at most SS_IPC_FDS
 *
 * For who must not wait for the other process, which may not read at all.
 *
 * Return: as ss_ipc_send(); -EAGAIN where there is no room.
 */
int ss_ipc_post(int sock, const void *buf, size_t len, const int *fds, int count);

/**
 * ss_ipc_recv() - Receive a message of a known length.
 * @sock: the socket
 * @buf: where to
 * @len: the length that it must have
 * @fds: the descriptors that came with it, the caller's, also after an error;
 *   -1 where there is none
 *
 * Return: 0, -EPIPE where the other process is gone, -EMSGSIZE for a message of
 * another length, -EAGAIN where the socket is non-blocking and nothing has come,
 * or another errno.
 */
int ss_ipc_recv(int sock, void *buf, size_t len, int fds[SS_IPC_FDS]);

/**
 * ss_ipc_recv_some() - Receive a message of any length.
 * @sock: the socket
 * @buf: where to
 * @max: the longest that it may be
 * @fds: as for ss_ipc_recv()
 *
 * Return: its length, -EPIPE where the other process is gone, -EMSGSIZE for a
 * longer message, or another errno.
 */
ssize_t ss_ipc_recv_some(int sock, void *buf, size_t max, int fds[SS_IPC_FDS]);

#endif /* SS_LIB_IPC_H */
