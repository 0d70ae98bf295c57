// SPDX-License-Identifier: GPL-2.0
/*
 * smtpspliced: the helper of the kernel module smtpsplice.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/ca.h"
#include "common/conf.h"
#include "common/template.h"
#include "lib/cleanup.h"
#include "lib/process.h"
#include "lib/units.h"
#include "proto/genl.h"
#include "quarantine/dir.h"
#include "supervisor/supervisor.h"

#define DEFAULT_DATABASE	"/var/lib/clamav"
#define DEFAULT_LOG		"/var/log/smtpsplice/av.log"
#define DEFAULT_TMPDIR		"/tmp"
#define DEFAULT_CERTS		"/etc/smtpsplice/certs"
#define MIN_WORKERS		2
#define MAX_WORKERS		256
#define DEFAULT_RELOAD		600
#define MAX_RELOAD		86400
#define MAX_AGE			87600	/* hours: ten years */

static const char help_text[] =
	"Usage: smtpspliced [OPTION]...\n"
	"Scan the messages that the kernel module smtpsplice holds, and take the TLS off\n"
	"in front of that. Stays in the foreground.\n"
	"\n"
	"  --database DIR     ClamAV databases (" DEFAULT_DATABASE ")\n"
	"  --log FILE         log of verdicts and TLS failures, - is stderr\n"
	"                     (" DEFAULT_LOG ")\n"
	"  --quarantine DIR   keep infected messages there (they are not kept);\n"
	"                     \"smtpsplice quarantine\" looks in\n"
	"                     " SS_QUARANTINE_DIR_DEFAULT "\n"
	"  --quarantine-quota SIZE\n"
	"                     most bytes to keep (1G)\n"
	"  --quarantine-age HOURS\n"
	"                     remove messages that are older (720), 0 is never\n"
	"  --quarantine-max-size SIZE\n"
	"                     do not keep a message that is larger (no limit)\n"
	"  --quarantine-lowspace drop-new|overwrite-old\n"
	"                     what goes where there is no room (drop-new)\n"
	"  --workers N        scan workers (number of CPUs, at least 2)\n"
	"  --tmpdir DIR       for what has to be unpacked (" DEFAULT_TMPDIR ")\n"
	"  --reply TEMPLATE   reply to an infected message, with %%FILE%%, %%VIRUS%%\n"
	"                     and %%QUARFILENAME%%\n"
	"  --ca-dir DIR       the CA of \"smtpsplice ca init\" (" SS_CA_DIR "); without\n"
	"                     one there, TLS is not inspected\n"
	"  --cert-dir DIR     certificates and keys that TLS profiles name\n"
	"                     (" DEFAULT_CERTS ")\n"
	"  --trust FILE       CAs to trust in servers' certificates, PEM (the system's)\n"
	"  --crl FILE         revocation lists for them, PEM (none)\n"
	"  --reload SECONDS   between two looks whether the databases have changed, 0 for\n"
	"                     none (600)\n"
	"  --state FILE       tells of the engine, for \"smtpsplice show engine\"\n"
	"                     (" SS_STATE_FILE ")\n"
	"  --help             print this\n"
	"  --version          print the version\n"
	"\n"
	"SIGHUP reads trusted CAs, revocation lists and the own CA anew, loads databases\n"
	"that have changed, and opens the log anew; SIGUSR1 does only that; SIGTERM ends it.\n"
	"Exit status: 0 ended by a signal, 1 failed, 2 bad options, module not\n"
	"loaded, no rights, already running, or unusable database or CA.\n";

enum {
	OPT_DATABASE = 256,
	OPT_LOG,
	OPT_QUARANTINE,
	OPT_QUARANTINE_QUOTA,
	OPT_QUARANTINE_AGE,
	OPT_QUARANTINE_MAX_SIZE,
	OPT_QUARANTINE_LOWSPACE,
	OPT_WORKERS,
	OPT_TMPDIR,
	OPT_REPLY,
	OPT_CA_DIR,
	OPT_CERT_DIR,
	OPT_TRUST,
	OPT_CRL,
	OPT_RELOAD,
	OPT_STATE,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option options[] = {
	{ "database", required_argument, NULL, OPT_DATABASE },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "quarantine", required_argument, NULL, OPT_QUARANTINE },
	{ "quarantine-quota", required_argument, NULL, OPT_QUARANTINE_QUOTA },
	{ "quarantine-age", required_argument, NULL, OPT_QUARANTINE_AGE },
	{ "quarantine-max-size", required_argument, NULL, OPT_QUARANTINE_MAX_SIZE },
	{ "quarantine-lowspace", required_argument, NULL, OPT_QUARANTINE_LOWSPACE },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "tmpdir", required_argument, NULL, OPT_TMPDIR },
	{ "reply", required_argument, NULL, OPT_REPLY },
	{ "ca-dir", required_argument, NULL, OPT_CA_DIR },
	{ "cert-dir", required_argument, NULL, OPT_CERT_DIR },
	{ "trust", required_argument, NULL, OPT_TRUST },
	{ "crl", required_argument, NULL, OPT_CRL },
	{ "reload", required_argument, NULL, OPT_RELOAD },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{}
};

static unsigned int default_workers(void)
{
	cpu_set_t cpus;
	int n = 0;

	if (!sched_getaffinity(0, sizeof(cpus), &cpus))
		n = CPU_COUNT(&cpus);
	return n < MIN_WORKERS ? MIN_WORKERS : n > MAX_WORKERS ? MAX_WORKERS : n;
}

/* Return: -1 where it is a number from @min to @max, or an exit status */
static int parse_number(unsigned int *value, const char *option, unsigned int min,
			unsigned int max)
{
	char *end;
	unsigned long n = strtoul(optarg, &end, 10);

	if (*optarg >= '0' && *optarg <= '9' && !*end && n >= min && n <= max) {
		*value = n;
		return -1;
	}
	ss_process_say("%s \"%.40s\": not a number from %u to %u", option, optarg, min,
		       max);
	return SS_EXIT_USAGE;
}

/* Return: -1 where the file can be read, or an exit status */
static int parse_file(const char **value, const char *option)
{
	int fd __cleanup(ss_cleanup_fd) = open(optarg, O_RDONLY | O_CLOEXEC);
	char c;

	*value = optarg;
	if (fd >= 0 && read(fd, &c, 1) >= 0)
		return -1;
	ss_process_say("%s \"%.100s\": %m", option, optarg);
	return SS_EXIT_USAGE;
}

/* These return -1 to go on, or an exit status */
static int parse_size(const char *option, uint64_t *size)
{
	if (ss_units_size(optarg, INT64_MAX, size))
		return -1;
	ss_process_say("%s \"%.40s\": not a size (like 1000000, 512K, 50M or 2G)", option,
		       optarg);
	return SS_EXIT_USAGE;
}

static int parse_age(struct ss_quarantine_limits *limits)
{
	char *end;
	unsigned long hours = strtoul(optarg, &end, 10);

	if (*optarg >= '0' && *optarg <= '9' && !*end && hours <= MAX_AGE) {
		limits->max_age = hours;
		return -1;
	}
	ss_process_say("--quarantine-age \"%.40s\": not a number of hours from 0 to %d",
		       optarg, MAX_AGE);
	return SS_EXIT_USAGE;
}

static int parse_lowspace(struct ss_quarantine_limits *limits)
{
	limits->overwrite = !strcmp(optarg, "overwrite-old");
	if (limits->overwrite || !strcmp(optarg, "drop-new"))
		return -1;
	ss_process_say("--quarantine-lowspace \"%.40s\": not drop-new or overwrite-old",
		       optarg);
	return SS_EXIT_USAGE;
}

static int bad_option(const char *word)
{
	ss_process_say("bad option \"%.100s\", try \"smtpspliced --help\"",
		       word ? word : "");
	return SS_EXIT_USAGE;
}

/* Return: -1 to go on, or an exit status */
static int parse_option(struct ss_conf *conf, int opt, char **argv)
{
	switch (opt) {
	case OPT_DATABASE:
		conf->database = optarg;
		return -1;
	case OPT_LOG:
		conf->log = optarg;
		return -1;
	case OPT_QUARANTINE:
		conf->quarantine = optarg;
		return -1;
	case OPT_QUARANTINE_QUOTA:
		return parse_size("--quarantine-quota", &conf->quarantine_limits.quota);
	case OPT_QUARANTINE_MAX_SIZE:
		return parse_size("--quarantine-max-size", &conf->quarantine_limits.max_size);
	case OPT_QUARANTINE_AGE:
		return parse_age(&conf->quarantine_limits);
	case OPT_QUARANTINE_LOWSPACE:
		return parse_lowspace(&conf->quarantine_limits);
	case OPT_TMPDIR:
		conf->tmpdir = optarg;
		return -1;
	case OPT_CA_DIR:
		conf->ca_dir = optarg;
		return -1;
	case OPT_CERT_DIR:
		conf->cert_dir = optarg;
		return -1;
	case OPT_TRUST:
		return parse_file(&conf->trust, "--trust");
	case OPT_CRL:
		return parse_file(&conf->crl, "--crl");
	case OPT_WORKERS:
		return parse_number(&conf->workers, "--workers", 1, MAX_WORKERS);
	case OPT_RELOAD:
		return parse_number(&conf->reload, "--reload", 0, MAX_RELOAD);
	case OPT_STATE:
		conf->state = optarg;
		return -1;
	case OPT_REPLY:
		conf->reply = optarg;
		if (ss_template_valid_reply(SS_CAUSE_VIRUS, optarg))
			return -1;
		ss_process_say("--reply: must be one line of ASCII like \"554 5.7.1 text\", at most %d characters",
			       SMTPSPLICE_REPLY_MAX);
		return SS_EXIT_USAGE;
	case OPT_HELP:
		printf("%s", help_text);
		return fflush(stdout) ? 1 : SS_EXIT_OK;
	case OPT_VERSION:
		printf("smtpspliced %s\n", SS_VERSION);
		return fflush(stdout) ? 1 : SS_EXIT_OK;
	default:
		return bad_option(argv[optind - 1]);
	}
}

static int parse_options(struct ss_conf *conf, int argc, char **argv)
{
	int opt, ret;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		ret = parse_option(conf, opt, argv);
		if (ret >= 0)
			return ret;
	}
	return optind < argc ? bad_option(argv[optind]) : -1;
}

/*
 * Fail at once where there is no module or no right to use it, not after the
 * signatures are loaded. What else is wrong the broker will find.
 */
static int check_module(void)
{
	struct ss_genl genl __cleanup(ss_genl_close) = {};
	int ret = ss_genl_open(&genl);

	if (ret == -ENOENT) {
		ss_process_say("kernel module smtpsplice is not loaded (family \"%s\" not found)",
			       SMTPSPLICE_FAMILY_NAME);
		return SS_EXIT_USAGE;
	}
	if (!ret)
		ret = ss_genl_call(&genl, ss_genl_message(&genl, SMTPSPLICE_CMD_STATS_GET, 0),
				   NULL, NULL);
	if (ret != -EPERM)
		return 0;
	ss_process_say("no right to use the kernel module (CAP_NET_ADMIN is needed)");
	return SS_EXIT_USAGE;
}

/*
 * Make a folder of our own in @conf's for temporary files. Cleaners of such files
 * leave a folder alone that has a BSD lock (tmpfiles.d(5)); all our processes keep it.
 * Return: its name, the caller's, or NULL.
 */
static char *make_tmpdir(const struct ss_conf *conf)
{
	char *dir;
	int fd;

	if (asprintf(&dir, "%s/smtpspliced.XXXXXX", conf->tmpdir) < 0)
		return NULL;
	if (!mkdtemp(dir)) {
		free(dir);
		return NULL;
	}
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_SH))
		ss_process_say("lock of %s: %m", dir);
	return dir;
}

int main(int argc, char **argv)
{
	struct ss_conf conf = {
		.database = DEFAULT_DATABASE,
		.log = DEFAULT_LOG,
		.tmpdir = DEFAULT_TMPDIR,
		.reply = ss_template_default(SS_CAUSE_VIRUS),
		.workers = default_workers(),
		.quarantine_limits = {
			.quota = SS_QUARANTINE_QUOTA, .max_age = SS_QUARANTINE_AGE,
		},
		.ca_dir = SS_CA_DIR,
		.cert_dir = DEFAULT_CERTS,
		.state = SS_STATE_FILE,
		.reload = DEFAULT_RELOAD,
	};
	char *tmpdir __cleanup(ss_cleanup_free) = NULL;
	int ret = parse_options(&conf, argc, argv);

	if (ret < 0)
		ret = check_module() ?: -1;
	if (ret >= 0)
		return ret;
	tmpdir = make_tmpdir(&conf);
	if (!tmpdir) {
		ss_process_say("folder for temporary files %s: %m", conf.tmpdir);
		return SS_EXIT_USAGE;
	}
	conf.tmpdir = tmpdir;
	ret = ss_supervisor_run(&conf);
	ss_process_remove_tree(tmpdir);
	return ret;
}
