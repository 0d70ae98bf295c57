// SPDX-License-Identifier: GPL-2.0
/*
 * A message as the kernel holds it, and copies of it that are fit for a scan:
 * without the dots that were stuffed, and with a line in front that makes them
 * begin as mail does.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "scanner/message.h"

void ss_message_cleanup(struct ss_message *copy)
{
	if (copy->map)
		munmap(copy->map, copy->len);
	ss_cleanup_fd(&copy->fd);
}

int ss_message_map(struct ss_message *message, int fd, uint64_t size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	/* The kernel seals it: it cannot get shorter behind our back */
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < size)
		return -EINVAL;
	message->len = size;
	if (!size)
		return 0;
	message->map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (message->map == MAP_FAILED) {
		message->map = NULL;
		return -errno;
	}
	return 0;
}

/*
 * A line in front that makes the copy begin as mail does. Without it libclamav
 * goes by the first bytes, and "GIF89a: x" is a valid header field.
 */
static size_t make_received(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	return strftime(buf, size,
			"Received: from x by y; %a, %d %b %Y %H:%M:%S +0000\r\n", &tm);
}

int ss_message_make(struct ss_message *copy, const struct ss_message *message,
		    enum ss_dots_mode mode)
{
	char head[128];
	size_t room, used;

	copy->head = make_received(head, sizeof(head));
	room = copy->head + message->len;
	copy->fd = memfd_create("smtpsplice-scan", MFD_CLOEXEC);
	if (copy->fd < 0 || ftruncate(copy->fd, room))
		return -errno;
	copy->map = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, copy->fd, 0);
	if (copy->map == MAP_FAILED) {
		copy->map = NULL;
		return -errno;
	}
	copy->len = room;
	memcpy(copy->map, head, copy->head);
	used = copy->head + ss_dots_unstuff(mode, copy->map + copy->head,
					    message->map, message->len);
	if (used == room)
		return 0;
	if (mremap(copy->map, room, used, 0) == MAP_FAILED)
		return -errno;
	copy->len = used;
	return ftruncate(copy->fd, used) ? -errno : 0;
}

int ss_message_make_mail(const void *data, size_t len)
{
	char head[128];
	size_t used = make_received(head, sizeof(head));
	int fd = memfd_create("smtpsplice-mail", MFD_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = ss_file_write(fd, head, used);
	if (!ret)
		ret = ss_file_write(fd, data, len);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

int ss_message_put_aside(int fd, const struct ss_message *copy)
{
	int ret = ss_file_write(fd, copy->map + copy->head, copy->len - copy->head);

	return ret || !fsync(fd) ? ret : -errno;
}
