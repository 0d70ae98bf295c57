// SPDX-License-Identifier: GPL-2.0
/*
 * The note beside a message in the quarantine: one JSON object with what is needed
 * to list the message and to release it. The broker makes it; keys are those of
 * uapi/smtpsplice.yaml where it has one.
 *
 * The reader does not trust it: only the keys below are taken, with values of their
 * type, and all text is cleaned once more.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "quarantine/note.h"

#define MAX_SIZE	1048576	/* 64 K of recipients, each byte escaped */
#define TEXT_SIZE	2048
#define FLAGS		(JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static const struct {
	const char *key;
	enum json_type type;
} keys[] = {
	{ "time", json_type_string },
	{ "session", json_type_int },
	{ "policy", json_type_string },
	{ "client", json_type_string },
	{ "client-port", json_type_int },
	{ "server", json_type_string },
	{ "server-port", json_type_int },
	{ "helo", json_type_string },
	{ "sender", json_type_string },
	{ "rcpts", json_type_array },
	{ "rcpt-count", json_type_int },
	{ "size", json_type_int },
	{ "cause", json_type_string },
	{ "virus", json_type_string },
	{ "file", json_type_string },
	{ "subject", json_type_string },
};

void ss_quarantine_note_time(time_t t, char text[SS_QUARANTINE_NOTE_TIME_SIZE])
{
	struct tm tm = {};

	gmtime_r(&t, &tm);
	strftime(text, SS_QUARANTINE_NOTE_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

int ss_quarantine_note_write(struct json_object *note, int fd)
{
	size_t len = 0;
	const char *text = json_object_to_json_string_length(note, FLAGS, &len);

	return text ? ss_file_write(fd, text, len) : -ENOMEM;
}

/* Return: the text, allocated and terminated, or NULL with errno set */
static char *read_text(int dir, const struct ss_quarantine_dir_entry *entry)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	char name[SS_QUARANTINE_DIR_NAME_SIZE], *text;
	size_t len = 0;
	ssize_t n = 0;

	ss_quarantine_dir_note_name(entry, name);
	fd = ss_quarantine_dir_open_file(dir, name);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	text = malloc(MAX_SIZE + 1);
	while (text && len < MAX_SIZE && (n = read(fd, text + len, MAX_SIZE - len)) > 0)
		len += n;
	if (!text || n < 0) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

static struct json_object *clean_string(struct json_object *value, enum ss_text_mode mode)
{
	char clean[TEXT_SIZE];

	ss_text_clean(mode, clean, sizeof(clean), json_object_get_string(value),
		      json_object_get_string_len(value));
	return json_object_new_string(clean);
}

static struct json_object *clean_array(struct json_object *array, enum ss_text_mode mode)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *one = json_object_array_get_idx(array, i);

		if (json_object_is_type(one, json_type_string))
			json_object_array_add(out, clean_string(one, mode));
	}
	return out;
}

static struct json_object *clean_value(struct json_object *value, enum ss_text_mode mode)
{
	switch (json_object_get_type(value)) {
	case json_type_string:
		return clean_string(value, mode);
	case json_type_array:
		return clean_array(value, mode);
	default:
		return json_object_get(value);
	}
}

int ss_quarantine_note_read(int dir, const struct ss_quarantine_dir_entry *entry,
			    enum ss_text_mode mode, struct json_object *row)
{
	char *text __cleanup(ss_cleanup_free) = read_text(dir, entry);
	struct json_object *note, *value;
	int ret = 0;

	if (!text)
		return -errno;
	note = json_tokener_parse(text);
	if (!json_object_is_type(note, json_type_object))
		ret = -EBADMSG;
	for (size_t i = 0; !ret && i < ARRAY_SIZE(keys); i++)
		if (json_object_object_get_ex(note, keys[i].key, &value) &&
		    json_object_is_type(value, keys[i].type))
			json_object_object_add(row, keys[i].key, clean_value(value, mode));
	json_object_put(note);
	return ret;
}
