// SPDX-License-Identifier: GPL-2.0
/*
 * Messages with descriptors between the processes of the helper, over
 * SOCK_SEQPACKET: one send is one receive, and the end of the other process is
 * an end of file.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "lib/cleanup.h"
#include "lib/ipc.h"

/* Descriptors to take: more than are ever sent, so that none is left with the kernel */
#define MAX_RECEIVED	8

int ss_ipc_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) ? -errno : 0;
}

static int send_message(int sock, const void *buf, size_t len, const int *fds, int count,
			int flags)
{
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(SS_IPC_FDS * sizeof(int))];
	} control = {};
	struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (count) {
		struct cmsghdr *cmsg;

		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
	}
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL | flags);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int ss_ipc_send(int sock, const void *buf, size_t len, const int *fds, int count)
{
	return send_message(sock, buf, len, fds, count, 0);
}

int ss_ipc_post(int sock, const void *buf, size_t len, const int *fds, int count)
{
	return send_message(sock, buf, len, fds, count, MSG_DONTWAIT);
}

/* Hand over SS_IPC_FDS descriptors, close any more */
static void take_fds(struct msghdr *msg, int fds[SS_IPC_FDS])
{
	struct cmsghdr *cmsg;
	int taken = 0;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t bytes = cmsg->cmsg_len - CMSG_LEN(0);

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < bytes / sizeof(int); i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			if (taken < SS_IPC_FDS)
				fds[taken++] = fd;
			else
				close(fd);
		}
	}
}

int ss_ipc_recv(int sock, void *buf, size_t len, int fds[SS_IPC_FDS])
{
	ssize_t n = ss_ipc_recv_some(sock, buf, len, fds);

	if (n < 0)
		return n;
	return (size_t)n == len ? 0 : -EMSGSIZE;
}

ssize_t ss_ipc_recv_some(int sock, void *buf, size_t max, int fds[SS_IPC_FDS])
{
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(MAX_RECEIVED * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = max };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t n;

	for (int i = 0; i < SS_IPC_FDS; i++)
		fds[i] = -1;
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	take_fds(&msg, fds);
	if (!n)
		return -EPIPE;
	return msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EMSGSIZE : n;
}
