// SPDX-License-Identifier: GPL-2.0
/*
 * Mail that is the content of a file, as in S/MIME: is it some, and copies of it that
 * are fit for a scan. See scanner/message.c for those of the message itself.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "scanner/nested.h"

#define FIELD	"content-"

static bool is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

bool ss_nested_is_mail(const char *text, size_t len)
{
	const char *s = text, *end = text + len;

	while ((size_t)(end - s) >= strlen(FIELD)) {
		if (!strncasecmp(s, FIELD, strlen(FIELD)))
			return true;
		if (is_line_end(*s)) {
			s++;
			continue;
		}
		while (s < end && !is_line_end(*s))
			s++;
		s += end - s >= 2 && s[0] == '\r' && s[1] == '\n' ? 2 : s < end;
		/* the first empty line ends the fields; one in front of them does not */
		if (s < end && is_line_end(*s))
			return false;
	}
	return false;
}

/* Make all lines end with CRLF. Return: bytes of the result. */
static size_t set_line_ends(char *dst, const char *src, size_t len)
{
	const char *end = src + len;
	char *to = dst;

	for (const char *s = src; s < end; s++) {
		if (*s == '\n' && (s == src || s[-1] != '\r'))
			*to++ = '\r';
		*to++ = *s;
	}
	return to - dst;
}

static size_t count_bare_lf(const struct ss_file_map *map)
{
	const char *s = map->data, *end = map->data + map->len;
	size_t count = 0;

	for (; s < end && (s = memchr(s, '\n', end - s)); s++)
		count += s == map->data || s[-1] != '\r';
	return count;
}

int ss_nested_make(struct ss_message *copy, int fd)
{
	struct ss_file_map map __cleanup(ss_file_unmap) = SS_FILE_EMPTY;
	int ret = ss_file_map(&map, fd);
	struct ss_message text = SS_MESSAGE_NONE;
	size_t bare;

	if (ret)
		return ret;
	if (!map.len || !ss_nested_is_mail(map.data, map.len))
		return -ENOENT;
	text.map = (char *)map.data;
	text.len = map.len;
	bare = count_bare_lf(&map);
	if (!bare)
		return ss_message_make(copy, &text, SS_DOTS_NONE);
	text.map = malloc(map.len + bare);
	if (!text.map)
		return -ENOMEM;
	text.len = set_line_ends(text.map, map.data, map.len);
	ret = ss_message_make(copy, &text, SS_DOTS_NONE);
	free(text.map);
	return ret;
}

bool ss_nested_has_bare_cr(const struct ss_message *copy)
{
	const char *s = copy->map, *end = s + copy->len;

	while (s < end && (s = memchr(s, '\r', end - s)))
		if (++s == end || *s != '\n')
			return true;
	return false;
}
