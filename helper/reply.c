// SPDX-License-Identifier: GPL-2.0
/*
 * The SMTP reply to a refused message: a template whose tags are replaced once,
 * by text that peers control. Pure functions.
 */
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "reply.h"
#include "text.h"

#define TEXT_SIZE	(SMTPSPLICE_REPLY_MAX + 1)
#define DOTS		"..."

enum { TAG_FILE, TAG_VIRUS, TAG_QUAR, TAG_COUNT };

static const char *const tags[TAG_COUNT] = {
	[TAG_FILE]	= "%%FILE%%",
	[TAG_VIRUS]	= "%%VIRUS%%",
	[TAG_QUAR]	= "%%QUARFILENAME%%",
};

/* The tag that starts at @s, or -1 */
static int find_tag(const char *s)
{
	for (int i = 0; i < TAG_COUNT; i++)
		if (!strncmp(s, tags[i], strlen(tags[i])))
			return i;
	return -1;
}

/* Length of the template's own text; and how often each tag is in it */
static size_t measure(const char *template, size_t count[TAG_COUNT])
{
	size_t own = 0;

	memset(count, 0, TAG_COUNT * sizeof(*count));
	for (const char *s = template; *s;) {
		int tag = find_tag(s);

		if (tag >= 0) {
			count[tag]++;
			s += strlen(tags[tag]);
		} else {
			own++;
			s++;
		}
	}
	return own;
}

/**
 * ss_reply_valid() - Check a template from the command line.
 * @template: "5yz ", then printable ASCII; at most 510 octets besides its tags
 *
 * Return: whether it can be used.
 */
bool ss_reply_valid(const char *template)
{
	size_t count[TAG_COUNT];
	const char *s = template;

	if (s[0] != '5' || s[1] < '0' || s[1] > '5' || s[2] < '0' ||
	    s[2] > '9' || s[3] != ' ')
		return false;
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return measure(template, count) <= SMTPSPLICE_REPLY_MAX;
}

/* Cut @text down so that @count of it fit where all others take @others octets */
static void clip(char *text, size_t count, size_t others)
{
	size_t room = others < SMTPSPLICE_REPLY_MAX ?
		      SMTPSPLICE_REPLY_MAX - others : 0;
	size_t len = strlen(text), fit = count ? room / count : len;

	if (len <= fit)
		return;
	if (fit < strlen(DOTS))
		fit = strlen(DOTS);
	if (len > fit)
		strcpy(text + fit - strlen(DOTS), DOTS);
}

/**
 * ss_reply_build() - Fill in a template.
 * @reply: the reply without CRLF, printable ASCII, at most 510 octets
 * @template: a valid template
 * @file: name of the infected file, any octets, or NULL
 * @virus: what was found, any octets, or NULL
 * @quarfile: where it was put aside, or NULL
 *
 * What is put in is never expanded again. A reply that gets too long loses the
 * end of the file name first, then that of the virus name.
 */
void ss_reply_build(char reply[SS_REPLY_SIZE], const char *template,
		    const char *file, const char *virus, const char *quarfile)
{
	char text[TAG_COUNT][TEXT_SIZE];
	size_t count[TAG_COUNT];
	size_t own = measure(template, count), len = 0;

	ss_text_clean_str(SS_TEXT_REPLY, text[TAG_FILE], TEXT_SIZE, file);
	ss_text_clean_str(SS_TEXT_REPLY, text[TAG_VIRUS], TEXT_SIZE, virus);
	ss_text_clean_str(SS_TEXT_REPLY, text[TAG_QUAR], TEXT_SIZE, quarfile);

	own += count[TAG_QUAR] * strlen(text[TAG_QUAR]);
	clip(text[TAG_FILE], count[TAG_FILE],
	     own + count[TAG_VIRUS] * strlen(text[TAG_VIRUS]));
	clip(text[TAG_VIRUS], count[TAG_VIRUS],
	     own + count[TAG_FILE] * strlen(text[TAG_FILE]));

	reply[0] = '\0';
	for (const char *s = template; *s && len < SMTPSPLICE_REPLY_MAX;) {
		int tag = find_tag(s);

		if (tag >= 0)
			snprintf(reply + len, SS_REPLY_SIZE - len, "%s", text[tag]);
		else
			snprintf(reply + len, SS_REPLY_SIZE - len, "%c", *s);
		s += tag >= 0 ? strlen(tags[tag]) : 1;
		len += strlen(reply + len);
	}
}
