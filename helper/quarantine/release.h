/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_QUARANTINE_RELEASE_H
#define SS_QUARANTINE_RELEASE_H

#include <stdbool.h>

#define SS_RELEASE_SENDMAIL	"/usr/sbin/sendmail"
#define SS_RELEASE_RCPTS	1000

/**
 * struct ss_release - A message that is to be sent after all.
 * @sendmail: the program
 * @sender: reverse-path, empty for the null one
 * @rcpts: forward-paths
 * @count: how many there are
 */
struct ss_release {
	const char *sendmail;
	const char *sender;
	const char *rcpts[SS_RELEASE_RCPTS];
	unsigned int count;
};

bool ss_release_address_valid(const char *address);
int ss_release_run(const struct ss_release *release, int message, int *status);

#endif /* SS_QUARANTINE_RELEASE_H */
