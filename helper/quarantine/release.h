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

/**
 * ss_release_address_valid() - Check an address, which a peer may have chosen.
 * @address: the address
 *
 * Return: whether it is printable UTF-8, not too long, one address, and does not
 * begin as an option, a pipe or a file of a mail system does.
 */
bool ss_release_address_valid(const char *address);

/**
 * ss_release_run() - Send a message.
 * @release: who to and how; its addresses are valid
 * @message: the message, at its start
 * @status: what the program ended with, as of waitpid()
 *
 * Return: 0 where the program ran, or an errno.
 */
int ss_release_run(const struct ss_release *release, int message, int *status);

#endif /* SS_QUARANTINE_RELEASE_H */
