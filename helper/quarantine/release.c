// SPDX-License-Identifier: GPL-2.0
/*
 * A message of the quarantine given to the machine's own mail system. No shell has
 * a part in it, and no address can be taken for an option or for a program.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/smtpsplice.h>

#include "lib/text.h"
#include "quarantine/release.h"

#define FIXED_ARGS	6	/* sendmail -i -f SENDER -- and the NULL */

/* Is @s a colon in [IPv6:fd00::1], the last part of @address? */
static bool is_literal(const char *address, const char *s)
{
	const char *open = strrchr(address, '[');

	return *s == ':' && open && open > address && open[-1] == '@' && s > open &&
	       !strchr(open, '"') && strchr(s, ']');
}

/* Does a mail system see one address in it: no list, comment or route? */
static bool is_one(const char *address)
{
	bool quoted = false;

	for (const char *s = address; *s; s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (quoted && *s == '\\' && s[1])
			s++;
		else if (!quoted && strchr(" ,;:<>()\\", *s) && !is_literal(address, s))
			return false;
	}
	return !quoted;
}

bool ss_release_address_valid(const char *address)
{
	char clean[SMTPSPLICE_ADDRESS_MAX + 1];

	if (!*address || strchr("-|/", *address) || !is_one(address))
		return false;
	ss_text_clean_str(SS_TEXT_PRINT, clean, sizeof(clean), address);
	return !strcmp(clean, address);
}

static int spawn_sendmail(const struct ss_release *release, char **argv, int message, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int ret = posix_spawn_file_actions_init(&actions);

	if (ret)
		return -ret;
	ret = posix_spawn_file_actions_adddup2(&actions, message, STDIN_FILENO);
	if (!ret)
		ret = posix_spawnp(pid, release->sendmail, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -ret;
}

int ss_release_run(const struct ss_release *release, int message, int *status)
{
	char *argv[FIXED_ARGS + SS_RELEASE_RCPTS] = {};
	pid_t pid = 0;
	int n = 0, ret;

	argv[n++] = (char *)release->sendmail;
	argv[n++] = "-i";
	argv[n++] = "-f";
	argv[n++] = (char *)(*release->sender ? release->sender : "<>");
	argv[n++] = "--";
	for (unsigned int i = 0; i < release->count; i++)
		argv[n++] = (char *)release->rcpts[i];
	signal(SIGCHLD, SIG_DFL);
	ret = spawn_sendmail(release, argv, message, &pid);
	if (ret)
		return ret;
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}
