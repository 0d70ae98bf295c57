/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_QUARANTINE_H
#define SS_QUARANTINE_H

#include <stdint.h>

#define SS_QUARANTINE_NAME_SIZE	64

int ss_quarantine_open(const char *dir);
int ss_quarantine_create(int dir);
int ss_quarantine_keep(int dir, int fd, uint64_t session,
		       char name[SS_QUARANTINE_NAME_SIZE]);

#endif /* SS_QUARANTINE_H */
