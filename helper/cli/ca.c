// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice ca: the CA that makes the certificates which clients see, and the
 * one that no client trusts, for servers which the gateway does not trust.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "common/ca.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define GROUP		"smtpsplice ca"
#define ERROR_SIZE	256
#define PATH_SIZE	4096
#define BEGIN		"-----BEGIN CERTIFICATE-----"
#define END		"-----END CERTIFICATE-----"

/**
 * struct words - What was typed.
 * @dir: folder of the CA
 * @names: subjects
 * @untrusted: the other CA
 */
struct words {
	const char *dir;
	struct ss_ca_names names;
	bool untrusted;
};

static const char ca_text[] =
	"DIR is " SS_CA_DIR " where absent, and what \"smtpspliced --ca-dir\" names.\n"
	"DN is a subject like \"CN=Mail gateway CA,O=Example\".\n"
	"\n"
	"There are two CAs in it. Clients must trust the first, " SS_CA_CERT "; the second,\n"
	SS_CA_UNTRUSTED_CERT ", signs for servers that the gateway does not trust, and no\n"
	"client may trust it.\n";

static int take_subject(const char *word, const char *value, const char **subject)
{
	char clean[sizeof(((struct ss_ca_info *)NULL)->subject)];

	ss_text_clean_str(SS_TEXT_PRINT, clean, sizeof(clean), value);
	if (!*value || strcmp(clean, value))
		return ss_cli_usage("ca: %s \"%s\" is not a subject of up to %zu printable characters",
				    word, ss_cli_quote(value), sizeof(clean) - 1);
	*subject = value;
	return SS_CLI_OK;
}

/* Return: 0, or an exit status with the error printed */
static int take_word(struct words *w, const char *word, const char *value, bool init)
{
	bool dir = !strcmp(word, "dir");
	const char **subject = NULL;

	if (init && !strcmp(word, "subject"))
		subject = &w->names.subject;
	else if (init && !strcmp(word, "untrusted-subject"))
		subject = &w->names.untrusted_subject;
	if (!dir && !subject)
		return ss_cli_usage("ca: unknown word \"%s\", try \"%s help\"",
				    ss_cli_quote(word), GROUP);
	if (!value)
		return ss_cli_usage("ca: \"%s\" needs a value", word);
	if (dir ? w->dir : *subject)
		return ss_cli_usage("ca: \"%s\" given twice", word);
	if (subject)
		return take_subject(word, value, subject);
	if (!*value || strlen(value) > PATH_SIZE / 2)
		return ss_cli_usage("ca: dir \"%s\" is not a folder", ss_cli_quote(value));
	w->dir = value;
	return SS_CLI_OK;
}

static int take_words(struct ss_cli *cli, struct words *w, bool init)
{
	int ret = SS_CLI_OK;

	for (int i = 0; !ret && i < cli->argc; i += 2)
		ret = take_word(w, cli->argv[i], cli->argv[i + 1], init);
	if (!w->dir)
		w->dir = SS_CA_DIR;
	return ret;
}

static int failed(const struct words *w, int error, const char *text)
{
	char clean[ERROR_SIZE];

	ss_text_clean_str(SS_TEXT_PRINT, clean, sizeof(clean),
			  *text ? text : strerror(-error));
	fprintf(stderr, "smtpsplice: CA in %s: %s\n", ss_cli_quote(w->dir), clean);
	return error == -EINVAL ? SS_CLI_USAGE : SS_CLI_FAILED;
}

static int describe_cas(const struct words *w, struct ss_ca_info *ca,
			struct ss_ca_info *untrusted)
{
	char err[ERROR_SIZE] = "";
	int ret = 0;

	if (!ss_ca_present(w->dir))
		snprintf(err, sizeof(err), "there is none, see \"%s init\"", GROUP);
	else
		ret = ss_ca_describe(w->dir, ca, untrusted, err, sizeof(err));
	return ret || *err ? failed(w, ret ?: -ENOENT, err) : SS_CLI_OK;
}

static int run_init(struct ss_cli *cli)
{
	struct ss_ca_info ca = {}, untrusted = {};
	char err[ERROR_SIZE] = "";
	struct words w = {};
	int ret = take_words(cli, &w, true);

	if (ret)
		return ret;
	ret = ss_ca_create(w.dir, &w.names, err, sizeof(err));
	if (ret)
		return failed(&w, ret, err);
	ret = describe_cas(&w, &ca, &untrusted);
	if (ret)
		return ret;
	printf("Made in %s:\n"
	       "  " SS_CA_CERT " (%s)\n"
	       "  " SS_CA_UNTRUSTED_CERT " (%s)\n"
	       "Install " SS_CA_CERT " on the clients as a CA that they trust (\"" GROUP
	       " export\"\n"
	       "prints it), " SS_CA_UNTRUSTED_CERT " nowhere. Then start smtpspliced again.\n",
	       w.dir, ca.subject, untrusted.subject);
	return SS_CLI_OK;
}

static void format_date(char *buf, size_t size, time_t t)
{
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(buf, size, "?");
}

static struct json_object *info_json(const struct ss_ca_info *info)
{
	struct json_object *obj = json_object_new_object();
	const struct {
		const char *key;
		time_t t;
	} dates[] = {
		{ "not-before", info->not_before }, { "not-after", info->not_after },
	};
	char text[sizeof(info->subject)];

	ss_text_clean_str(SS_TEXT_PRINT, text, sizeof(text), info->subject);
	json_object_object_add(obj, "subject", json_object_new_string(text));
	json_object_object_add(obj, "fingerprint", json_object_new_string(info->fingerprint));
	for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
		format_date(text, sizeof(text), dates[i].t);
		json_object_object_add(obj, dates[i].key, json_object_new_string(text));
	}
	return obj;
}

static void print_info(const char *name, struct json_object *all)
{
	static const char *const keys[] = { "subject", "fingerprint", "not-before", "not-after" };
	struct json_object *info = json_object_object_get(all, name);

	printf("%s:\n", name);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		printf("  %s %s\n", keys[i],
		       json_object_get_string(json_object_object_get(info, keys[i])));
}

static int run_show(struct ss_cli *cli)
{
	struct ss_ca_info ca = {}, untrusted = {};
	struct json_object *all;
	struct words w = {};
	int ret = take_words(cli, &w, false);

	if (!ret)
		ret = describe_cas(&w, &ca, &untrusted);
	if (ret)
		return ret;
	all = json_object_new_object();
	json_object_object_add(all, "ca", info_json(&ca));
	json_object_object_add(all, "untrusted", info_json(&untrusted));
	if (cli->json) {
		ss_cli_print_json(all);
	} else {
		print_info("ca", all);
		print_info("untrusted", all);
	}
	json_object_put(all);
	return SS_CLI_OK;
}

static void cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* The certificates in a file; a key that somebody put there stays there */
static int print_certs(FILE *f)
{
	char *line __cleanup(ss_cleanup_free) = NULL;
	bool inside = false, any = false;
	size_t size = 0;

	while (getline(&line, &size, f) > 0) {
		inside |= !strncmp(line, BEGIN, strlen(BEGIN));
		if (inside)
			fputs(line, stdout);
		any |= inside;
		if (!strncmp(line, END, strlen(END)))
			inside = false;
	}
	return ferror(f) ? -EIO : any && !inside ? 0 : -EBADMSG;
}

static int run_export(struct ss_cli *cli)
{
	FILE *f __cleanup(cleanup_file) = NULL;
	char path[PATH_SIZE];
	struct words w = {};
	int ret;

	if (cli->argc && !strcmp(cli->argv[0], "untrusted")) {
		w.untrusted = true;
		cli->argc--;
		cli->argv++;
	}
	ret = take_words(cli, &w, false);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/%s", w.dir,
		 w.untrusted ? SS_CA_UNTRUSTED_CERT : SS_CA_CERT);
	f = fopen(path, "re");
	if (!f && errno == ENOENT)
		return failed(&w, -ENOENT, "there is none, see \"" GROUP " init\"");
	ret = f ? print_certs(f) : -errno;
	return ret ? failed(&w, ret, ret == -EBADMSG ? "no certificate in it" : "") : SS_CLI_OK;
}

static const struct ss_cli_command commands[];

static int run_or_help(struct ss_cli *cli, int (*run)(struct ss_cli *cli))
{
	if (!ss_cli_wants_help(cli))
		return run(cli);
	ss_cli_help(GROUP, commands, ca_text);
	return SS_CLI_OK;
}

static int run_init_or_help(struct ss_cli *cli)
{
	return run_or_help(cli, run_init);
}

static int run_show_or_help(struct ss_cli *cli)
{
	return run_or_help(cli, run_show);
}

static int run_export_or_help(struct ss_cli *cli)
{
	return run_or_help(cli, run_export);
}

static const struct ss_cli_command commands[] = {
	{ "init", run_init_or_help, "[dir DIR] [subject DN] [untrusted-subject DN]",
	  "make both CAs; does not overwrite any" },
	{ "show", run_show_or_help, "[dir DIR]",
	  "print their subjects, SHA-256 fingerprints and dates" },
	{ "export", run_export_or_help, "[untrusted] [dir DIR]",
	  "print the certificate, PEM; never a key" },
	{}
};

int ss_cmd_ca(struct ss_cli *cli)
{
	return ss_cli_dispatch(cli, GROUP, commands, ca_text);
}
