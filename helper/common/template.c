// SPDX-License-Identifier: GPL-2.0
/*
 * Templates: the SMTP reply to a refused message, and the text that stands in a
 * mail for a part that was removed. Their tags are replaced once, by text that
 * peers control. Pure functions.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/template.h"
#include "lib/text.h"

#define VALUE_SIZE	1024	/* the rest of a value is cut off */
#define DOTS		"..."
#define LINE_WANTED	76	/* break after so many octets, if there is a space */
#define LINE_MAX	990	/* and after so many in any case; RFC 5322 has 998 */

enum { FILE_TAG, VIRUS_TAG, FROM_TAG, TO_TAG, PEER_TAGS, TAG_COUNT = 8 };

/**
 * struct tag - What stands for a value in a template.
 * @word: how it is written
 * @offset: of the value in struct ss_template_values
 *
 * The tags of what peers control come first.
 */
static const struct tag {
	const char *word;
	size_t offset;
} tags[TAG_COUNT] = {
	[FILE_TAG] = { "%%FILE%%", offsetof(struct ss_template_values, file) },
	[VIRUS_TAG] = { "%%VIRUS%%", offsetof(struct ss_template_values, virus) },
	[FROM_TAG] = { "%%EMAIL_FROM%%", offsetof(struct ss_template_values, email_from) },
	[TO_TAG] = { "%%EMAIL_TO%%", offsetof(struct ss_template_values, email_to) },
	{ "%%QUARFILENAME%%", offsetof(struct ss_template_values, quarfile) },
	{ "%%SOURCE_IP%%", offsetof(struct ss_template_values, source_ip) },
	{ "%%DEST_IP%%", offsetof(struct ss_template_values, dest_ip) },
	{ "%%PROTOCOL%%", offsetof(struct ss_template_values, protocol) },
};

#define REMOVED		"554 5.7.1 Dangerous Attachment has been Removed.  "
#define QUARANTINED	"File quarantined as: \"%%QUARFILENAME%%\"."

/* The first is the text of the product that this one takes the place of */
static const char *const defaults[SS_CAUSE_COUNT] = {
	[SS_CAUSE_VIRUS] = REMOVED
		"The file \"%%FILE%%\" has been removed because of a virus.  "
		"It was infected with the \"%%VIRUS%%\" virus.  " QUARANTINED,
	[SS_CAUSE_EXECUTABLE] = REMOVED
		"The file \"%%FILE%%\" has been removed because it is an executable.  "
		QUARANTINED,
	[SS_CAUSE_FILENAME] = REMOVED
		"The file \"%%FILE%%\" has been removed because files of this name or "
		"type are blocked.  " QUARANTINED,
	[SS_CAUSE_OVERSIZE] =
		"552 5.3.4 Message has been Blocked.  "
		"It is larger than the configured size limit.",
	[SS_CAUSE_ARCHIVE] = REMOVED
		"The file \"%%FILE%%\" has been removed because it is an archive that "
		"cannot be scanned: \"%%VIRUS%%\".  " QUARANTINED,
	[SS_CAUSE_PARTIAL] =
		"554 5.7.1 Message fragments (message/partial) cannot be scanned "
		"and are not accepted",
	[SS_CAUSE_AMBIGUOUS] =
		"554 5.7.1 Message has been Blocked.  "
		"Its MIME structure is malformed and can be read in more than one way.",
	[SS_CAUSE_HASH] = REMOVED
		"The file \"%%FILE%%\" has been removed because it is on a block list.  "
		"It is listed as \"%%VIRUS%%\".  " QUARANTINED,
	[SS_CAUSE_SCAN_FAILURE] =
		"451 4.3.0 Content scanner failed, try again later",
	[SS_CAUSE_UNDECODABLE] =
		"554 5.7.1 Message has been Blocked.  Not all of it could be scanned: "
		"it exceeds the limit \"%%VIRUS%%\".  " QUARANTINED,
	[SS_CAUSE_ENCRYPTED] =
		"554 5.7.1 Message has been Blocked.  "
		"It is encrypted (S/MIME or PGP) and cannot be scanned.  " QUARANTINED,
};

/**
 * struct texts - The values, made fit to be put in.
 * @text: them, by tag
 */
struct texts {
	char text[TAG_COUNT][VALUE_SIZE];
};

static void read_values(struct texts *texts, enum ss_text_mode mode,
			const struct ss_template_values *values)
{
	for (int i = 0; i < TAG_COUNT; i++) {
		const char *const *value =
			(const void *)((const char *)values + tags[i].offset);

		ss_text_clean_str(mode, texts->text[i], VALUE_SIZE, *value);
	}
}

/* The tag that starts at @s, or -1 */
static int find_tag(const char *s)
{
	for (int i = 0; *s == '%' && i < TAG_COUNT; i++)
		if (!strncmp(s, tags[i].word, strlen(tags[i].word)))
			return i;
	return -1;
}

/* Length of the template's own text; and how often each tag is in it */
static size_t measure_template(const char *template, size_t count[TAG_COUNT])
{
	size_t own = 0;

	memset(count, 0, TAG_COUNT * sizeof(*count));
	for (const char *s = template; *s;) {
		int tag = find_tag(s);

		if (tag >= 0) {
			count[tag]++;
			s += strlen(tags[tag].word);
		} else {
			own++;
			s++;
		}
	}
	return own;
}

/* Replace the tags; what does not fit is cut off */
static void fill_template(char *dst, size_t size, const char *template,
			  const struct texts *texts)
{
	const char *s = template;
	size_t len = 0;

	dst[0] = '\0';
	while (*s && len + 1 < size) {
		int tag = find_tag(s);

		if (tag >= 0) {
			snprintf(dst + len, size - len, "%s", texts->text[tag]);
			len += strlen(dst + len);
			s += strlen(tags[tag].word);
		} else {
			dst[len++] = *s++;
			dst[len] = '\0';
		}
	}
}

static size_t filled_length(size_t own, const size_t count[TAG_COUNT],
			    const struct texts *texts)
{
	for (int i = 0; i < TAG_COUNT; i++)
		own += count[i] * strlen(texts->text[i]);
	return own;
}

/* Cut @text, which is put in @count times, so that a reply of @total octets fits */
static void clip_text(char *text, size_t count, size_t total)
{
	size_t len = strlen(text), others = total - count * len;
	size_t room = others < SMTPSPLICE_REPLY_MAX ?
		      SMTPSPLICE_REPLY_MAX - others : 0;
	size_t fit = count ? room / count : len;

	if (len <= fit)
		return;
	if (fit < strlen(DOTS))
		fit = strlen(DOTS);
	if (len > fit)
		strcpy(text + fit - strlen(DOTS), DOTS);
}

/* Make a reply fit: the file name goes first, then what is longest */
static void clip_all(struct texts *texts, size_t own, const size_t count[TAG_COUNT])
{
	int tag = FILE_TAG;

	for (int round = 0; round < PEER_TAGS; round++) {
		clip_text(texts->text[tag], count[tag], filled_length(own, count, texts));
		tag = VIRUS_TAG;
		for (int i = VIRUS_TAG; i < PEER_TAGS; i++)
			if (count[i] * strlen(texts->text[i]) >
			    count[tag] * strlen(texts->text[tag]))
				tag = i;
	}
}

/* The length of the enhanced status code at @s (RFC 3463), or 0 */
static size_t enhanced_length(const char *s)
{
	size_t len = 0;

	for (int i = 0; i < 3; i++) {
		size_t digits = strspn(s + len, "0123456789");

		if (digits < 1 || digits > 3)
			return 0;
		len += digits;
		if (i < 2 && s[len++] != '.')
			return 0;
	}
	return s[len] && s[len] != ' ' ? 0 : len;
}

const char *ss_template_cause_name(enum ss_cause cause)
{
	static const char *const names[SS_CAUSE_COUNT] = {
		[SS_CAUSE_VIRUS]	= "virus",
		[SS_CAUSE_EXECUTABLE] = "executable",
		[SS_CAUSE_FILENAME]	= "filename",
		[SS_CAUSE_OVERSIZE]	= "oversize",
		[SS_CAUSE_ARCHIVE]	= "archive",
		[SS_CAUSE_PARTIAL]	= "partial",
		[SS_CAUSE_AMBIGUOUS]	= "ambiguous",
		[SS_CAUSE_HASH]		= "hash",
		[SS_CAUSE_SCAN_FAILURE] = "scan-failure",
		[SS_CAUSE_UNDECODABLE] = "undecodable",
		[SS_CAUSE_ENCRYPTED]	= "encrypted",
	};

	return names[cause];
}

const char *ss_template_protocol(bool tls)
{
	return tls ? "SMTPS" : "SMTP";
}

const char *ss_template_default(enum ss_cause cause)
{
	return defaults[cause];
}

const char *ss_template_default_text(enum ss_cause cause)
{
	const char *s = defaults[cause] + strlen("5yz ");

	s += enhanced_length(s);
	return s + strspn(s, " ");
}

bool ss_template_valid_reply(enum ss_cause cause, const char *template)
{
	size_t count[TAG_COUNT];
	const char *s = template;

	if (s[0] != '5' && (s[0] != '4' || cause != SS_CAUSE_SCAN_FAILURE))
		return false;
	if (s[1] < '0' || s[1] > '5' || s[2] < '0' || s[2] > '9' || s[3] != ' ')
		return false;
	if (enhanced_length(s + 4) && (s[4] != s[0] || s[5] != '.'))
		return false;
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return measure_template(template, count) <= SMTPSPLICE_REPLY_MAX;
}

bool ss_template_valid_text(const char *template)
{
	size_t len = strnlen(template, SS_TEMPLATE_TEXT_MAX + 1);
	const char *s = template, *end = s + len;

	if (len > SS_TEMPLATE_TEXT_MAX)
		return false;
	while (s < end) {
		uint32_t rune;
		char clean[8];
		int n = ss_text_decode(s, end - s, &rune);

		if (!n)
			return false;
		if (*s == '\r' && s[1] == '\n')
			n = 2;
		else if (*s != '\n' &&
			 (ss_text_clean(SS_TEXT_PRINT, clean, sizeof(clean), s, n) !=
			  (size_t)n || memcmp(clean, s, n)))
			return false;
		s += n;
	}
	return true;
}

void ss_template_reply(char reply[SS_TEMPLATE_REPLY_SIZE], const char *template,
		       const struct ss_template_values *values)
{
	size_t count[TAG_COUNT], own = measure_template(template, count);
	struct texts texts = {};

	read_values(&texts, SS_TEXT_REPLY, values);
	clip_all(&texts, own, count);
	fill_template(reply, SS_TEMPLATE_REPLY_SIZE, template, &texts);
}

/* How much of @line goes into a line of its own */
static size_t find_break(const char *line, size_t len)
{
	size_t n;
	const char *space;

	if (len <= LINE_WANTED)
		return len;
	space = memrchr(line, ' ', LINE_WANTED + 1);
	if (!space || space == line)
		space = memchr(line + LINE_WANTED, ' ',
			       (len < LINE_MAX ? len : LINE_MAX) - LINE_WANTED);
	if (space)
		return space - line;
	if (len <= LINE_MAX)
		return len;
	for (n = LINE_MAX; n > LINE_MAX - 4 && (line[n] & 0xc0) == 0x80; n--)
		;
	return n;
}

/* Copy lines to @dst, broken where they are too long and without controls */
static void wrap_lines(char *dst, const char *src)
{
	while (*src) {
		size_t len = strcspn(src, "\n");
		const char *next = src + len + (src[len] == '\n');

		if (len && src[len - 1] == '\r')
			len--;
		do {
			size_t n = find_break(src, len);

			/* never longer than before */
			dst += ss_text_clean(SS_TEXT_PRINT, dst, n + 1, src, n);
			*dst++ = '\n';
			if (n < len && src[n] == ' ')
				n++;
			src += n;
			len -= n;
		} while (len);
		src = next;
	}
	*dst = '\0';
}

char *ss_template_text(const char *template, const struct ss_template_values *values)
{
	size_t count[TAG_COUNT], size = measure_template(template, count);
	struct texts texts = {};
	char *filled, *text;

	read_values(&texts, SS_TEXT_PRINT, values);
	size = filled_length(size, count, &texts) + 1;
	filled = calloc(1, size);
	/* Each line but the last loses an octet or more, or is very long */
	text = calloc(1, size + size / (LINE_MAX - 4) + 2);
	if (filled && text) {
		fill_template(filled, size, template, &texts);
		wrap_lines(text, filled);
	} else {
		free(text);
		text = NULL;
	}
	free(filled);
	return text;
}
