// SPDX-License-Identifier: GPL-2.0
/*
 * smtpsplice av: how messages are scanned, and what becomes of those that should
 * not pass. The options are the attributes of the set av-profile; see cli/profile.c
 * for what is done with them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>

#include "cli/args.h"
#include "cli/profile.h"
#include "common/file_types.h"
#include "lib/cleanup.h"
#include "lib/units.h"

#define NEST_MIN	2	/* of uncompressed-nest-limit, as the kernel has it */
#define NEST_MAX	100
#define BAN_MAX		604800	/* seconds of sender-ban, a week */
#define LIST_FILE_MAX	65536	/* bytes of a file of hashes, comments and all */
#define TEXT_FILE_MAX	(2ul * SMTPSPLICE_REPLACEMENT_MAX)	/* with CR at each LF */
#define HASH_DIGITS	(2ul * SMTPSPLICE_SHA256_SIZE)

#define A(name)		SMTPSPLICE_A_AV_PROFILE_##name

static const char av_text[] =
	"NAME is up to 31 characters. What is absent has the value that comes first.\n"
	"\n"
	"  av-scan block|monitor|disable\n"
	"      what the scan finds something in: as \"infected\" says, log it and let it\n"
	"      pass, or do not scan at all\n"
	"  infected reject|replace|discard\n"
	"      a message that is not to pass: refuse it, in hold mode put a text in the\n"
	"      place of the parts that are infected, or tell the client that it was\n"
	"      accepted and drop it\n"
	"  executables default|virus\n"
	"      Windows executables: as other files, or always a virus, in archives as\n"
	"      well; here and below TNEF (winmail.dat), and text with files in it by\n"
	"      uuencode or yEnc, count as archives, and so does S/MIME that is only\n"
	"      signed or compressed\n"
	"  archive-block CONDITION[,CONDITION]...|none      (nested,mailbomb)\n"
	"  archive-log CONDITION[,CONDITION]...|none        (all)\n"
	"      archives that are refused, and that the log tells of, refused or not:\n"
	"      encrypted, corrupted, partiallycorrupted, multipart, nested, mailbomb,\n"
	"      timeout, unhandled; timeout is else as scan-timeout says\n"
	"  oversize-limit SIZE|none                         (none)\n"
	"  oversize block|tempfail|pass\n"
	"      largest message that is scanned, and what becomes of a larger one\n"
	"  uncompressed-limit SIZE|none                     (400M)\n"
	"  uncompressed-nest-limit N                        (12)\n"
	"      more in an archive is a mailbomb, deeper ones (2 to 100) are nested\n"
	"  fragmail block|pass\n"
	"      fragments of messages (message/partial), which nobody can scan\n"
	"  mime-ambiguity block|monitor\n"
	"      MIME that can be read in more than one way: refuse it, or scan each of\n"
	"      its readings\n"
	"  file-name PATTERN[,PATTERN]...|none\n"
	"  file-type TYPE[,TYPE]...|none\n"
	"      names (with *, ? and [...]) and types of files that are refused, in\n"
	"      archives as well; a type is seen from the content:\n"
	"      7z, ace, arj, bat, bmp, bzip2, cab, chm, class, elf, exe, gif, gzip,\n"
	"      html, iso, javascript, jpeg, lnk, lzh, mach-o, mp3, mpeg, msi, msoffice,\n"
	"      msofficex, odf, pdf, png, rar, rtf, script, tar, tiff, tnef, uue, xar,\n"
	"      xz, yenc, zip\n"
	"  hash-block HASH[,HASH]...|@FILE|none\n"
	"  hash-allow HASH[,HASH]...|@FILE|none\n"
	"      SHA-256 of files that are refused, in archives as well, and of\n"
	"      attachments that are clean, whatever a scan says; in FILE one a line\n"
	"  scan-error tempfail|block|pass\n"
	"  scan-timeout tempfail|block|pass\n"
	"  helper-down tempfail|block|pass\n"
	"  over-budget tempfail|block|pass\n"
	"  undecodable block|tempfail|pass\n"
	"      a message that cannot be scanned since the scanner failed, took too\n"
	"      long, is not there, in conserve mode, or since a limit of the scanner was\n"
	"      exceeded: refuse it for now or for good, or let it pass unscanned\n"
	"  encrypted-mail pass|tempfail|block\n"
	"      mail, or a part of it, that is encrypted for its recipient by S/MIME or PGP;\n"
	"      S/MIME that is only signed or compressed is scanned\n"
	"  quarantine enable|disable\n"
	"      put messages that are refused aside\n"
	"  cache enable|disable\n"
	"      do not scan a message again that was scanned with the same signatures\n"
	"  sender-ban TIME|off                              (off)\n"
	"      refuse MAIL of a client that has sent an infected message for so long:\n"
	"      seconds, or with s, m or h behind it, at most 168h\n"
	"  reply-virus, reply-executable, reply-filename, reply-hash, reply-archive,\n"
	"  reply-partial, reply-ambiguous, reply-oversize, reply-failure,\n"
	"  reply-undecodable, reply-encrypted TEXT|none\n"
	"      reply to a message that is refused for it, like \"554 5.7.1 %%FILE%% has\n"
	"      %%VIRUS%%\"; 4yz is used by reply-failure alone, for a message that is\n"
	"      put off; none is the built-in one\n"
	"  replacement TEXT|@FILE|none\n"
	"      what stands in a message for a part that was removed\n"
	"\n"
	"There always is a profile \"default\". A policy names its profile, see\n"
	"\"smtpsplice policy help\".\n";

/**
 * struct list - A list that is being taken.
 * @p: the profile
 * @type: the attribute
 * @flags: what is set, for a list of flags
 * @line: number of the line in a file, 0 for a word
 */
struct list {
	struct ss_cmd_profile *p;
	int type;
	uint32_t flags;
	unsigned int line;
};

static int add_flag(void *arg, const char *part, char *why)
{
	struct list *list = arg;
	int n = ss_cmd_profile_value(ss_attrs_av_profile.attr[list->type].names, part, why);

	if (n < 0)
		return n;
	list->flags |= 1u << n;
	return 0;
}

/* None of them is not what there is where the attribute is absent */
static int take_flags(struct list *list, const char *value, char *why)
{
	int ret = 0;

	if (strcmp(value, SS_CMD_PROFILE_NONE))
		ret = ss_args_each(value, add_flag, list, why);
	return ret ?: nla_put_u32(list->p->attrs, list->type, list->flags);
}

static int add_pattern(void *arg, const char *part, char *why)
{
	struct list *list = arg;

	if (!ss_args_is_text(SS_TEXT_PRINT, part, SMTPSPLICE_PATTERN_MAX)) {
		snprintf(why, SS_ARGS_WHY_SIZE,
			 "\"%s\" is not a pattern of up to %d bytes of printable UTF-8",
			 ss_cli_quote(part), SMTPSPLICE_PATTERN_MAX);
		return -EINVAL;
	}
	return ss_cmd_profile_count(list->p, list->type, SMTPSPLICE_LIST_MAX, why) ?:
	       nla_put_string(list->p->attrs, list->type, part);
}

static int add_type(void *arg, const char *part, char *why)
{
	struct list *list = arg;

	if (ss_file_types_find(part) < 0) {
		snprintf(why, SS_ARGS_WHY_SIZE,
			 "\"%s\" is not a type of file, see \"smtpsplice av help\"",
			 ss_cli_quote(part));
		return -EINVAL;
	}
	return ss_cmd_profile_count(list->p, list->type, SMTPSPLICE_LIST_MAX, why) ?:
	       nla_put_string(list->p->attrs, list->type, part);
}

static bool read_hash(const char *text, uint8_t hash[SMTPSPLICE_SHA256_SIZE])
{
	if (strlen(text) != HASH_DIGITS)
		return false;
	for (size_t i = 0; i < HASH_DIGITS; i++) {
		int c = tolower((unsigned char)text[i]);

		if (!isxdigit(c))
			return false;
		c -= isdigit(c) ? '0' : 'a' - 10;
		hash[i / 2] = i % 2 ? hash[i / 2] | c : c << 4;
	}
	return true;
}

static int add_hash(void *arg, const char *part, char *why)
{
	uint8_t hash[SMTPSPLICE_SHA256_SIZE];
	struct list *list = arg;
	char where[32] = "";

	if (!read_hash(part, hash)) {
		if (list->line)
			snprintf(where, sizeof(where), "line %u: ", list->line);
		snprintf(why, SS_ARGS_WHY_SIZE, "%s\"%s\" is not a SHA-256 (%lu hex digits)",
			 where, ss_cli_quote(part), HASH_DIGITS);
		return -EINVAL;
	}
	return ss_cmd_profile_count(list->p, list->type, SMTPSPLICE_LIST_MAX, why) ?:
	       nla_put(list->p->attrs, list->type, sizeof(hash), hash);
}

static int take_hash_file(struct list *list, const char *path, char *why)
{
	char *text __cleanup(ss_cleanup_free) = NULL;
	static const char blanks[] = " \t\r";
	int ret = ss_args_read_file(path, LIST_FILE_MAX, &text, why);
	char *rest = text, *line;

	while (!ret && (line = strsep(&rest, "\n"))) {
		list->line++;
		line[strcspn(line, "#")] = '\0';
		line += strspn(line, blanks);
		for (size_t len = strlen(line); len && strchr(blanks, line[len - 1]); len--)
			line[len - 1] = '\0';
		if (*line)
			ret = add_hash(list, line, why);
	}
	return ret;
}

/* Take a limit; none is 0, since without the attribute there would be the default */
static int take_size(struct ss_cmd_profile *p, int type, const char *value, char *why)
{
	uint64_t n = 0;

	if (strcmp(value, "0") && strcmp(value, SS_CMD_PROFILE_NONE) &&
	    !ss_units_size(value, INT64_MAX, &n)) {
		snprintf(why, SS_ARGS_WHY_SIZE,
			 "\"%s\" is not a size (like 1000000, 512K, 50M or 2G), nor none",
			 ss_cli_quote(value));
		return -EINVAL;
	}
	return nla_put_u64(p->attrs, type, n);
}

static int take_nest_limit(struct ss_cmd_profile *p, int type, const char *value, char *why)
{
	uint64_t n;

	if (!ss_cli_number(value, NEST_MAX, &n) || n < NEST_MIN) {
		snprintf(why, SS_ARGS_WHY_SIZE, "\"%s\" is not a number from %d to %d",
			 ss_cli_quote(value), NEST_MIN, NEST_MAX);
		return -EINVAL;
	}
	return nla_put_u32(p->attrs, type, n);
}

static int take_ban(struct ss_cmd_profile *p, int type, const char *value, char *why)
{
	uint64_t n = 0;

	if (strcmp(value, "0") && strcmp(value, "off") &&
	    !ss_units_seconds(value, BAN_MAX, &n)) {
		snprintf(why, SS_ARGS_WHY_SIZE,
			 "\"%s\" is not a time up to %dh (like 30s, 10m or 2h), nor off",
			 ss_cli_quote(value), BAN_MAX / 3600);
		return -EINVAL;
	}
	return nla_put_u32(p->attrs, type, n);
}

/*
 * Is it a reply that begins with a code of RFC 5321 4.2.1 that says no? Which code fits
 * which option the helper knows: see find_template() in broker/verdict.c.
 */
static bool is_reply(const char *text)
{
	size_t len = strlen(text);

	if (len > SMTPSPLICE_REPLY_MAX || (text[0] != '4' && text[0] != '5') ||
	    text[1] < '0' || text[1] > '5' || !isdigit((unsigned char)text[2]) ||
	    text[3] != ' ')
		return false;
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static int take_reply(struct ss_cmd_profile *p, int type, const char *value, char *why)
{
	if (!is_reply(value)) {
		snprintf(why, SS_ARGS_WHY_SIZE,
			 "\"%s\" is not \"4yz \" or \"5yz \" and a text, up to %d printable ASCII characters",
			 ss_cli_quote(value), SMTPSPLICE_REPLY_MAX);
		return -EINVAL;
	}
	return nla_put_string(p->attrs, type, value);
}

/* Make line ends LF, and take the last one off: as the text would be typed */
static void fold_lines(char *text)
{
	char *to = text;

	for (const char *s = text; *s; s++)
		if (s[0] != '\r' || s[1] != '\n')
			*to++ = *s;
	if (to > text && to[-1] == '\n')
		to--;
	*to = '\0';
}

static int take_replacement(struct ss_cmd_profile *p, int type, const char *value, char *why)
{
	char *text __cleanup(ss_cleanup_free) = NULL;
	int ret = 0;

	if (*value == '@') {
		ret = ss_args_read_file(value + 1, TEXT_FILE_MAX, &text, why);
		if (ret)
			return ret;
		fold_lines(text);
		value = text;
	}
	if (!ss_args_is_text(SS_TEXT_LINES, value, SMTPSPLICE_REPLACEMENT_MAX)) {
		snprintf(why, SS_ARGS_WHY_SIZE,
			 "\"%s\" is not a text of up to %d bytes of printable UTF-8",
			 ss_cli_quote(value), SMTPSPLICE_REPLACEMENT_MAX);
		return -EINVAL;
	}
	/* A text from a file: shown, it could not be given on the command line again */
	if (*value == '@' || !strcmp(value, SS_CMD_PROFILE_NONE)) {
		snprintf(why, SS_ARGS_WHY_SIZE, "a text cannot be \"%s\" nor begin with \"@\"",
			 SS_CMD_PROFILE_NONE);
		return -EINVAL;
	}
	return nla_put_string(p->attrs, type, value);
}

/* Take a list or a text; with "none" the attribute is left out */
static int take_list_or_text(struct list *list, const char *value, char *why)
{
	if (!strcmp(value, SS_CMD_PROFILE_NONE))
		return 0;
	switch (list->type) {
	case A(FILE_NAME):
		return ss_args_each(value, add_pattern, list, why);
	case A(FILE_TYPE):
		return ss_args_each(value, add_type, list, why);
	case A(HASH_BLOCK):
	case A(HASH_ALLOW):
		if (*value == '@')
			return take_hash_file(list, value + 1, why);
		return ss_args_each(value, add_hash, list, why);
	case A(REPLACEMENT):
		return take_replacement(list->p, list->type, value, why);
	default:
		return take_reply(list->p, list->type, value, why);
	}
}

static int take_value(struct ss_cmd_profile *p, int type, const char *value, char *why)
{
	struct list list = { .p = p, .type = type };

	switch (type) {
	case A(ARCHIVE_BLOCK):
	case A(ARCHIVE_LOG):
		return take_flags(&list, value, why);
	case A(OVERSIZE_LIMIT):
	case A(UNCOMPRESSED_LIMIT):
		return take_size(p, type, value, why);
	case A(UNCOMPRESSED_NEST_LIMIT):
		return take_nest_limit(p, type, value, why);
	case A(SENDER_BAN):
		return take_ban(p, type, value, why);
	default:
		return take_list_or_text(&list, value, why);
	}
}

static const struct ss_cmd_profile_class class = {
	.noun = "av profile",
	.group = "smtpsplice av",
	.help = av_text,
	.off = "a policy always has one; its option \"av-scan disable\" does not scan",
	.options = &ss_attrs_av_profile,
	.cmd_add = SMTPSPLICE_CMD_AV_ADD,
	.cmd_set = SMTPSPLICE_CMD_AV_SET,
	.cmd_del = SMTPSPLICE_CMD_AV_DEL,
	.cmd_get = SMTPSPLICE_CMD_AV_GET,
	.take_value = take_value,
};

int ss_cmd_av(struct ss_cli *cli)
{
	return ss_cmd_profile_main(cli, &class);
}
