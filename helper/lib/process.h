/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LIB_PROCESS_H
#define SS_LIB_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

uint64_t ss_process_now(void);
ssize_t ss_process_write(int fd, const void *data, size_t len);
void ss_process_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
pid_t ss_process_fork(const char *name);
void ss_process_remove_tree(const char *dir);

#endif /* SS_LIB_PROCESS_H */
