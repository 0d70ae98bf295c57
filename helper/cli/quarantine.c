// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice quarantine: look at the messages that smtpspliced has put aside, send
 * them after all, and delete them. Works on the files alone, beside a smtpspliced
 * that runs or without one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "lib/cleanup.h"
#include "lib/text.h"
#include "quarantine/dir.h"
#include "quarantine/note.h"
#include "quarantine/release.h"

#define GROUP		"smtpsplice quarantine"
#define HEAD_SIZE	65536
#define LINE_SIZE	1024
#define SHORT_SIZE	48	/* of text in a table */

enum {
	WORD_RAW	= 1 << 0,
	WORD_SENDER	= 1 << 1,
	WORD_TO		= 1 << 2,
	WORD_SENDMAIL	= 1 << 3,
};

/**
 * struct words - What was typed.
 * @path: the folder
 * @dir: the same, open, or -1
 * @name: the message
 * @entry: the same
 * @all: all messages
 * @raw: print the message as it is
 * @sender: sender to release it with, or NULL
 * @to: recipients to release it to, comma-separated, or NULL
 * @sendmail: program to release it with, or NULL
 */
struct words {
	const char *path;
	int dir;
	const char *name;
	struct ss_quarantine_dir_entry entry;
	bool all;
	bool raw;
	const char *sender;
	const char *to;
	const char *sendmail;
};

static const char quarantine_text[] =
	"NAME is the name in list, in the log and in the reply to the client. DIR is\n"
	SS_QUARANTINE_DIR_DEFAULT " where absent, and what\n"
	"\"smtpspliced --quarantine\" names. With -j, list prints an array, show an\n"
	"object.\n"
	"\n"
	"show prints the head alone, made fit for a terminal; raw prints the message as\n"
	"it is, but not to a terminal. release runs \"PATH -i -f SENDER -- RCPT...\"\n"
	"(" SS_RELEASE_SENDMAIL "), with sender and recipients of the message where\n"
	"absent, and deletes the message if that succeeds. What the gateway itself\n"
	"sends is not scanned.\n";

/* -- words ---------------------------------------------------------------- */

static const char **find_word(struct words *w, const char *word, unsigned int allowed)
{
	if (!strcmp(word, "dir"))
		return &w->path;
	if (allowed & WORD_SENDER && !strcmp(word, "sender"))
		return &w->sender;
	if (allowed & WORD_TO && !strcmp(word, "to"))
		return &w->to;
	if (allowed & WORD_SENDMAIL && !strcmp(word, "sendmail"))
		return &w->sendmail;
	return NULL;
}

/* Return: 0, or an exit status with the error printed */
static int take_words(struct ss_cli *cli, struct words *w, unsigned int allowed)
{
	for (; cli->argc; cli->argc--, cli->argv++) {
		const char *word = cli->argv[0], **value = find_word(w, word, allowed);

		if (allowed & WORD_RAW && !strcmp(word, "raw")) {
			w->raw = true;
			continue;
		}
		if (!value)
			return ss_cli_usage("quarantine: unknown word \"%s\", try \"%s help\"",
					    ss_cli_quote(word), GROUP);
		if (cli->argc < 2)
			return ss_cli_usage("quarantine: \"%s\" needs a value", word);
		if (*value)
			return ss_cli_usage("quarantine: \"%s\" given twice", word);
		if (!*cli->argv[1] && value != &w->sender)
			return ss_cli_usage("quarantine: %s: it is empty", word);
		*value = cli->argv[1];
		cli->argc--;
		cli->argv++;
	}
	return SS_CLI_OK;
}

static int take_name(struct ss_cli *cli, struct words *w, bool all)
{
	if (!cli->argc)
		return ss_cli_usage("quarantine: name missing, try \"%s help\"", GROUP);
	w->name = cli->argv[0];
	w->all = all && !strcmp(w->name, "all");
	if (!w->all && !ss_quarantine_dir_parse(w->name, &w->entry))
		return ss_cli_usage("quarantine: \"%s\" is not a name like 12-0123456789abcdef.eml",
				    ss_cli_quote(w->name));
	cli->argc--;
	cli->argv++;
	return SS_CLI_OK;
}

static int failed(const struct words *w, int error)
{
	fprintf(stderr, "smtpsplice: quarantine %s", ss_cli_quote(w->path));
	if (w->name && !w->all)
		fprintf(stderr, ": %s", w->name);
	fprintf(stderr, ": %s\n", strerror(-error));
	return SS_CLI_FAILED;
}

/* Return: 0, or an exit status with the error printed */
static int open_dir(struct words *w)
{
	if (!w->path)
		w->path = SS_QUARANTINE_DIR_DEFAULT;
	w->dir = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->dir >= 0)
		return SS_CLI_OK;
	fprintf(stderr, "smtpsplice: quarantine %s: %m\n", ss_cli_quote(w->path));
	return SS_CLI_FAILED;
}

static void cleanup_words(struct words *w)
{
	ss_cleanup_fd(&w->dir);
}

/* -- list ----------------------------------------------------------------- */

static const struct ss_column columns[] = {
	{ "NAME", "name", NULL, "-" },
	{ "TIME", "time", NULL, "-" },
	{ "SIZE", "size", NULL, "-" },
	{ "CLIENT", "client", NULL, "-" },
	{ "SENDER", "sender", NULL, "-" },
	{ "RCPTS", "rcpts", NULL, "-" },
	{ "VIRUS", "virus", NULL, "-" },
	{ "FILE", "file", NULL, "-" },
	{}
};

/* Put together what is known of a message: its file is believed before its note */
static struct json_object *make_row(const struct words *w,
				    const struct ss_quarantine_dir_entry *entry,
				    enum ss_text_mode mode)
{
	struct json_object *row = json_object_new_object();
	char name[SS_QUARANTINE_DIR_NAME_SIZE], time[SS_QUARANTINE_NOTE_TIME_SIZE];

	ss_quarantine_dir_name(entry, name);
	ss_quarantine_note_time(entry->time, time);
	json_object_object_add(row, "name", json_object_new_string(name));
	json_object_object_add(row, "time", json_object_new_string(time));
	/* A message without a note, or with one that is spoilt, is one all the same */
	ss_quarantine_note_read(w->dir, entry, mode, row);
	json_object_object_add(row, "size", json_object_new_uint64(entry->size));
	return row;
}

/* A peer's text must not make the table any width */
static void shorten(struct json_object *row, const char *key)
{
	char text[SHORT_SIZE + 4], clean[SHORT_SIZE];
	struct json_object *value;

	if (!json_object_object_get_ex(row, key, &value) ||
	    json_object_get_string_len(value) < SHORT_SIZE)
		return;
	ss_text_clean_str(SS_TEXT_PRINT, clean, sizeof(clean), json_object_get_string(value));
	snprintf(text, sizeof(text), "%s...", clean);
	json_object_object_add(row, key, json_object_new_string(text));
}

/* The first of them, and how many there are besides */
static void shorten_rcpts(struct json_object *row)
{
	struct json_object *array, *count;
	char text[SS_QUARANTINE_DIR_NAME_SIZE + SHORT_SIZE] = "-";
	int64_t n = 0;

	if (!json_object_object_get_ex(row, "rcpts", &array))
		return;
	if (json_object_object_get_ex(row, "rcpt-count", &count))
		n = json_object_get_int64(count);
	if (json_object_array_length(array))
		ss_text_clean_str(SS_TEXT_PRINT, text, SHORT_SIZE,
				  json_object_get_string(json_object_array_get_idx(array, 0)));
	if (n > 1)
		snprintf(text + strlen(text), SS_QUARANTINE_DIR_NAME_SIZE, " +%lld",
			 (long long)n - 1);
	json_object_object_add(row, "rcpts", json_object_new_string(text));
}

static int run_list(struct ss_cli *cli)
{
	struct json_object *rows __cleanup(ss_cli_cleanup_json) = json_object_new_array();
	struct ss_quarantine_dir_entry *list __cleanup(ss_cleanup_free) = NULL;
	struct words w __cleanup(cleanup_words) = { .dir = -1 };
	size_t count;
	int ret = take_words(cli, &w, 0) ?: open_dir(&w);

	if (ret)
		return ret;
	ret = ss_quarantine_dir_list(w.dir, false, &list, &count);
	if (ret)
		return failed(&w, ret);
	for (size_t i = 0; i < count; i++) {
		struct json_object *row = make_row(&w, &list[i], cli->json ? SS_TEXT_JSON :
						   SS_TEXT_PRINT);

		if (!cli->json) {
			shorten(row, "sender");
			shorten(row, "virus");
			shorten(row, "file");
			shorten_rcpts(row);
		}
		json_object_array_add(rows, row);
	}
	if (cli->json)
		ss_cli_print_json(rows);
	else
		ss_table_print(columns, rows);
	return SS_CLI_OK;
}

/* -- show ----------------------------------------------------------------- */

/* Length of the head of a message, without the empty line */
static size_t head_length(const char *text, size_t len)
{
	const char *s = text, *end = text + len;

	while (s < end && *s != '\n' && (*s != '\r' || s + 1 == end || s[1] != '\n')) {
		s = memchr(s, '\n', end - s);
		s = s ? s + 1 : end;
	}
	return s - text;
}

/* Return: 0 or an errno */
static int read_head(int fd, char head[HEAD_SIZE], size_t *head_len)
{
	size_t len = 0;
	ssize_t n;

	while (len < HEAD_SIZE && (n = read(fd, head + len, HEAD_SIZE - len)))
		if (n > 0)
			len += n;
		else if (errno != EINTR)
			return -errno;
	*head_len = head_length(head, len);
	return 0;
}

static void print_head(char *head, size_t len)
{
	char clean[LINE_SIZE], *s = head, *end = head + len;

	while (s < end) {
		char *eol = memchr(s, '\n', end - s) ?: end, *stop = eol;

		if (stop > s && stop[-1] == '\r')
			stop--;
		for (char *tab = s; (tab = memchr(tab, '\t', stop - tab));)
			*tab = ' ';
		ss_text_clean(SS_TEXT_PRINT, clean, sizeof(clean), s, stop - s);
		printf("  %s\n", clean);
		s = eol < end ? eol + 1 : end;
	}
}

static void print_note(struct json_object *row)
{
	char cell[SS_TABLE_CELL_SIZE];

	json_object_object_foreach(row, key, value) {
		ss_table_format(cell, value);
		printf("%s %s\n", key, cell);
	}
}

static int print_raw(const struct words *w, int fd)
{
	char buf[65536];
	ssize_t n;

	if (isatty(STDOUT_FILENO))
		return ss_cli_usage("quarantine: raw: not to a terminal, redirect it");
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (fwrite(buf, 1, n, stdout) != (size_t)n)
			return SS_CLI_OK;	/* main() tells */
	return n ? failed(w, -errno) : SS_CLI_OK;
}

static int show(struct ss_cli *cli, struct words *w, int fd)
{
	struct json_object *row __cleanup(ss_cli_cleanup_json) = NULL;
	char head[HEAD_SIZE], clean[HEAD_SIZE + 1];
	size_t len = 0;
	int ret = read_head(fd, head, &len);

	if (ret)
		return failed(w, ret);
	row = make_row(w, &w->entry, cli->json ? SS_TEXT_JSON : SS_TEXT_PRINT);
	if (cli->json) {
		ss_text_clean(SS_TEXT_JSON, clean, sizeof(clean), head, len);
		json_object_object_add(row, "head", json_object_new_string(clean));
		ss_cli_print_json(row);
	} else {
		print_note(row);
		printf("head\n");
		print_head(head, len);
	}
	return SS_CLI_OK;
}

/* Open the message. Return: a descriptor or an errno. */
static int open_message(struct words *w)
{
	int fd = ss_quarantine_dir_open_file(w->dir, w->name);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st)) {
		close(fd);
		return -EIO;
	}
	w->entry.time = st.st_mtim.tv_sec;
	w->entry.size = st.st_size;
	return fd;
}

static int run_show(struct ss_cli *cli)
{
	struct words w __cleanup(cleanup_words) = { .dir = -1 };
	int fd __cleanup(ss_cleanup_fd) = -1;
	int ret = take_name(cli, &w, false) ?: take_words(cli, &w, WORD_RAW) ?: open_dir(&w);

	if (ret)
		return ret;
	fd = open_message(&w);
	if (fd < 0)
		return failed(&w, fd);
	return w.raw ? print_raw(&w, fd) : show(cli, &w, fd);
}

/* -- release -------------------------------------------------------------- */

/**
 * struct mail - A message that is to be released.
 * @release: how
 * @row: its note, with what was typed put in
 */
struct mail {
	struct ss_release release;
	struct json_object *row;
};

static void cleanup_mail(struct mail *mail)
{
	json_object_put(mail->row);
}

static int tell_missing(const struct words *w, const char *what, const char *word)
{
	fprintf(stderr, "smtpsplice: quarantine %s: %s: %s, give \"%s\"\n",
		ss_cli_quote(w->path), w->name, what, word);
	return SS_CLI_FAILED;
}

static bool take_rcpts(struct ss_release *release, struct json_object *array)
{
	size_t n = json_object_array_length(array);

	for (size_t i = 0; i < n; i++) {
		const char *rcpt = json_object_get_string(json_object_array_get_idx(array, i));

		if (!ss_release_address_valid(rcpt))
			return false;
		release->rcpts[release->count++] = rcpt;
	}
	return true;
}

/* Return: 0, or an exit status with the error printed */
static int check_to(const char *to, struct json_object *row)
{
	struct json_object *array = json_object_new_array(), *one;
	size_t len;

	json_object_object_add(row, "to", array);
	for (;; to += len + 1) {
		len = strcspn(to, ",");
		one = json_object_new_string_len(to, len);
		json_object_array_add(array, one);
		if (!ss_release_address_valid(json_object_get_string(one)))
			return ss_cli_usage("quarantine: \"%s\" is not an address to send to",
					    ss_cli_quote(json_object_get_string(one)));
		if (json_object_array_length(array) > SS_RELEASE_RCPTS)
			return ss_cli_usage("quarantine: too many recipients (at most %d)",
					    SS_RELEASE_RCPTS);
		if (!to[len])
			return SS_CLI_OK;
	}
}

static int check_typed(struct mail *mail, const struct words *w)
{
	mail->row = json_object_new_object();
	if (w->sender && *w->sender && !ss_release_address_valid(w->sender))
		return ss_cli_usage("quarantine: \"%s\" is not an address to send from",
				    ss_cli_quote(w->sender));
	return w->to ? check_to(w->to, mail->row) : SS_CLI_OK;
}

/* Take all of the recipients or none; a peer has chosen them */
static int complete_rcpts(struct mail *mail, const struct words *w)
{
	struct json_object *array, *count;
	size_t n;

	if (json_object_object_get_ex(mail->row, "to", &array)) {
		take_rcpts(&mail->release, array);
		return SS_CLI_OK;
	}
	if (!json_object_object_get_ex(mail->row, "rcpts", &array) ||
	    !json_object_object_get_ex(mail->row, "rcpt-count", &count))
		return tell_missing(w, "its recipients are not known", "to");
	n = json_object_array_length(array);
	if (!n || json_object_get_uint64(count) != n || n > SS_RELEASE_RCPTS)
		return tell_missing(w, "not all of its recipients are known", "to");
	if (!take_rcpts(&mail->release, array))
		return tell_missing(w, "it has a recipient that cannot be sent to", "to");
	return SS_CLI_OK;
}

static int complete_sender(struct mail *mail, const struct words *w)
{
	struct json_object *noted;
	const char *sender = w->sender;

	if (!sender) {
		if (!json_object_object_get_ex(mail->row, "sender", &noted))
			return tell_missing(w, "its sender is not known", "sender");
		sender = json_object_get_string(noted);
		if (*sender && !ss_release_address_valid(sender))
			return tell_missing(w, "it has a sender that cannot be sent from",
					    "sender");
	}
	mail->release.sender = sender;
	return SS_CLI_OK;
}

static int complete_mail(struct mail *mail, const struct words *w)
{
	mail->release.sendmail = w->sendmail ?: SS_RELEASE_SENDMAIL;
	/* Not SS_TEXT_PRINT: what is not fit to be sent must not become so */
	ss_quarantine_note_read(w->dir, &w->entry, SS_TEXT_JSON, mail->row);
	return complete_rcpts(mail, w) ?: complete_sender(mail, w);
}

static int send_it(struct mail *mail, const struct words *w, int fd)
{
	const char *sendmail = mail->release.sendmail;
	int status = 0, ret = ss_release_run(&mail->release, fd, &status);

	if (ret) {
		fprintf(stderr, "smtpsplice: %s: %s\n", ss_cli_quote(sendmail), strerror(-ret));
		return SS_CLI_FAILED;
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		ret = ss_quarantine_dir_remove(w->dir, &w->entry);
		/* smtpspliced may have needed the room meanwhile */
		return ret && ret != -ENOENT ? failed(w, ret) : SS_CLI_OK;
	}
	fprintf(stderr, "smtpsplice: %s %s %d, %s is kept\n", ss_cli_quote(sendmail),
		WIFSIGNALED(status) ? "was ended by signal" : "ended with status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), w->name);
	return SS_CLI_FAILED;
}

static int run_release(struct ss_cli *cli)
{
	struct words w __cleanup(cleanup_words) = { .dir = -1 };
	struct mail mail __cleanup(cleanup_mail) = {};
	int fd __cleanup(ss_cleanup_fd) = -1;
	int ret = take_name(cli, &w, false) ?:
		  take_words(cli, &w, WORD_SENDER | WORD_TO | WORD_SENDMAIL) ?:
		  check_typed(&mail, &w) ?: open_dir(&w);

	if (ret)
		return ret;
	fd = open_message(&w);
	if (fd < 0)
		return failed(&w, fd);
	return complete_mail(&mail, &w) ?: send_it(&mail, &w, fd);
}

/* -- delete --------------------------------------------------------------- */

static int delete_all(const struct words *w)
{
	struct ss_quarantine_dir_entry *list __cleanup(ss_cleanup_free) = NULL;
	size_t count;
	int ret = ss_quarantine_dir_list(w->dir, false, &list, &count);

	for (size_t i = 0; !ret && i < count; i++) {
		ret = ss_quarantine_dir_remove(w->dir, &list[i]);
		if (ret == -ENOENT)	/* smtpspliced was faster */
			ret = 0;
	}
	return ret;
}

static int run_delete(struct ss_cli *cli)
{
	struct words w __cleanup(cleanup_words) = { .dir = -1 };
	int ret = take_name(cli, &w, true) ?: take_words(cli, &w, 0) ?: open_dir(&w);

	if (ret)
		return ret;
	ret = w.all ? delete_all(&w) : ss_quarantine_dir_remove(w.dir, &w.entry);
	return ret ? failed(&w, ret) : SS_CLI_OK;
}

static const struct ss_cli_command commands[] = {
	{ "list", run_list, "[dir DIR]",
	  "print what is there, the newest last" },
	{ "show", run_show, "NAME [raw] [dir DIR]",
	  "print what is known of a message, and its head" },
	{ "release", run_release,
	  "NAME [sender ADDR] [to ADDR[,ADDR]...] [sendmail PATH] [dir DIR]",
	  "send a message after all, and delete it" },
	{ "delete", run_delete, "NAME|all [dir DIR]",
	  "delete a message, or all" },
	{}
};

int ss_cmd_quarantine(struct ss_cli *cli)
{
	if (cli->argc > 1 && !strcmp(cli->argv[1], "help")) {
		cli->argv++;
		cli->argc--;
	}
	return ss_cli_dispatch(cli, GROUP, commands, quarantine_text);
}
