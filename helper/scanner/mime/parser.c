// SPDX-License-Identifier: GPL-2.0
/*
 * The MIME structure of a message, by GMime: what the log says of its head, the
 * names of its attachments, and whether it is a fragment. Runs in scan workers
 * alone: GMime reads what anybody may have sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#include <gmime/gmime.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "scanner/mime/parser.h"

#define MAX_HEAD	(64 << 10)	/* bytes of a head that the log looks at */
#define MAX_DEPTH	200		/* a nested message is two levels */
#define MAX_PARTS	10000

/**
 * struct ss_mime_tree - A parsed message.
 * @message: GMime's
 */
struct ss_mime_tree {
	GMimeMessage *message;
};

/**
 * struct ss_mime_part - A part of a message, the whole message included.
 * @object: GMime's
 * @name: file name of the part, or of the nearest one around it that has one
 */
struct ss_mime_part {
	GMimeObject *object;
	const char *name;
};

/**
 * struct walk - A walk over the parts.
 * @fn: takes each one
 * @arg: for @fn
 * @parts: how many have been taken
 * @stop: no more of them
 * @bound: stopped since there are too many, or too deep
 */
struct walk {
	ss_mime_fn fn;
	void *arg;
	unsigned int parts;
	bool stop;
	bool bound;
};

void ss_mime_init(void)
{
	g_mime_init();
}

static void cleanup_object(void *ptr)
{
	if (*(GObject **)ptr)
		g_object_unref(*(GObject **)ptr);
}

static void cleanup_gstring(char **text)
{
	g_free(*text);
}

static GMimeMessage *parse_stream(GMimeStream *stream)
{
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message;

	g_mime_parser_set_persist_stream(parser, TRUE);
	message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	return message;
}

/* Bytes of the head, with the empty line that ends it if that is in reach */
static size_t head_length(const char *text, size_t len)
{
	const char *s = text, *end = text + (len < MAX_HEAD ? len : MAX_HEAD);

	while (s < end) {
		const char *lf = memchr(s, '\n', end - s);

		if (!lf)
			break;
		if (lf == s || (lf == s + 1 && *s == '\r'))
			return lf + 1 - text;
		s = lf + 1;
	}
	return len < MAX_HEAD ? len : (size_t)(s - text);
}

static void read_addresses(char *dst, InternetAddressList *list)
{
	char *text __cleanup(cleanup_gstring) =
		list ? internet_address_list_to_string(list, NULL, FALSE) : NULL;

	ss_text_clean_str(SS_TEXT_JSON, dst, SS_MIME_TEXT_SIZE, text);
}

void ss_mime_read_head(const void *text, size_t len, struct ss_mime_head *head)
{
	GMimeStream *stream __cleanup(cleanup_object) =
		g_mime_stream_mem_new_with_buffer(text, head_length(text, len));
	GMimeMessage *message __cleanup(cleanup_object) = parse_stream(stream);

	memset(head, 0, sizeof(*head));
	if (!message)
		return;
	read_addresses(head->from, g_mime_message_get_from(message));
	read_addresses(head->to, g_mime_message_get_to(message));
	ss_text_clean_str(SS_TEXT_JSON, head->subject, SS_MIME_TEXT_SIZE,
			  g_mime_message_get_subject(message));
	ss_text_clean_str(SS_TEXT_JSON, head->messageid, SS_MIME_TEXT_SIZE,
			  g_mime_message_get_message_id(message));
}

static bool line_is_attachment(const char *s, const char *end)
{
	static const char field[] = "content-disposition:";
	static const char value[] = "attachment";

	if ((size_t)(end - s) < sizeof(field) + sizeof(value) ||
	    strncasecmp(s, field, sizeof(field) - 1))
		return false;
	s += sizeof(field) - 1;
	while (end - s >= (int)sizeof(value) && (*s == ' ' || *s == '\t'))
		s++;
	return end - s >= (int)sizeof(value) &&
	       !strncasecmp(s, value, sizeof(value) - 1);
}

bool ss_mime_has_attachment(const void *text, size_t len)
{
	const char *s = text, *end = s + len;

	while (s && s < end) {
		if ((*s == 'C' || *s == 'c') && line_is_attachment(s, end))
			return true;
		s = memchr(s, '\n', end - s);
		s = s ? s + 1 : NULL;
	}
	return false;
}

bool ss_mime_may_be_partial(const void *text, size_t len)
{
	static const char word[] = "partial";
	const char *s = text, *end = s + len;

	for (; (size_t)(end - s) >= sizeof(word) - 1; s++)
		if ((*s | 0x20) == 'p' && !strncasecmp(s, word, sizeof(word) - 1))
			return true;
	return false;
}

/* The name of a field, and a colon (RFC 5322 2.2, 4.5); readers allow blanks between */
static bool is_field(const char *s, const char *end)
{
	const char *name = s;

	while (s < end && *s > ' ' && *s < 0x7f && *s != ':')
		s++;
	if (s == name)
		return false;
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	return s < end && *s == ':';
}

/* Does a line begin with a field of MIME, without which a message has but a text? */
static bool has_mime_field(const char *s, const char *end)
{
	static const char field[] = "content-";
	const size_t len = sizeof(field) - 1;

	for (const char *at = s; (size_t)(end - at) > len; at++)
		if ((*at | 0x20) == 'c' && !strncasecmp(at, field, len) &&
		    (at == s || at[-1] == '\n' || at[-1] == '\r'))
			return true;
	return false;
}

const char *ss_mime_find_message(const void *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf";
	const char *s = text, *end = s + len;

	if (len >= sizeof(mark) - 1 && !memcmp(s, mark, sizeof(mark) - 1))
		s += sizeof(mark) - 1;
	if (!has_mime_field(s, end))
		return NULL;
	for (const char *line = s; line < end;) {
		const char *lf = memchr(line, '\n', end - line);

		if (is_field(line, lf ? lf : end))
			return line;
		line = lf ? lf + 1 : end;
	}
	return s;
}

struct ss_mime_tree *ss_mime_parse(int fd)
{
	GMimeStream *stream __cleanup(cleanup_object) = NULL;
	struct ss_mime_tree *tree;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		return NULL;
	/* wherever the caller is in it */
	stream = g_mime_stream_mmap_new_with_bounds(copy, PROT_READ, MAP_PRIVATE, 0, -1);
	if (!stream) {
		close(copy);
		return NULL;
	}
	tree = calloc(1, sizeof(*tree));
	if (!tree)
		return NULL;
	tree->message = parse_stream(stream);
	if (!tree->message) {
		free(tree);
		return NULL;
	}
	return tree;
}

void ss_mime_free(struct ss_mime_tree *tree)
{
	if (!tree)
		return;
	g_object_unref(tree->message);
	free(tree);
}

/* The file name, from Content-Disposition or Content-Type, decoded */
static const char *object_name(GMimeObject *object)
{
	const char *name;

	if (!g_mime_object_get_content_type(object))
		return NULL;	/* a message, which has its fields in its part */
	name = g_mime_object_get_content_disposition_parameter(object, "filename");
	if (!name || !*name)
		name = g_mime_object_get_content_type_parameter(object, "name");
	return name && *name ? name : NULL;
}

static void visit_part(struct walk *walk, GMimeObject *object, const char *name,
		       unsigned int depth)
{
	struct ss_mime_part part = { .object = object };

	if (!object || walk->stop)
		return;
	if (depth > MAX_DEPTH || ++walk->parts > MAX_PARTS) {
		walk->stop = true;
		walk->bound = true;
		return;
	}
	part.name = object_name(object);
	if (!part.name)
		part.name = name;
	if (!walk->fn(&part, walk->arg)) {
		walk->stop = true;
		return;
	}
	if (GMIME_IS_MULTIPART(object)) {
		GMimeMultipart *multipart = GMIME_MULTIPART(object);

		for (int i = 0; i < g_mime_multipart_get_count(multipart); i++)
			visit_part(walk, g_mime_multipart_get_part(multipart, i),
				   part.name, depth + 1);
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessagePart *outer = GMIME_MESSAGE_PART(object);

		visit_part(walk, (GMimeObject *)g_mime_message_part_get_message(outer), part.name,
			   depth + 1);
	} else if (GMIME_IS_MESSAGE(object)) {
		visit_part(walk, g_mime_message_get_mime_part(GMIME_MESSAGE(object)),
			   part.name, depth + 1);
	}
}

bool ss_mime_walk(const struct ss_mime_tree *tree, ss_mime_fn fn, void *arg)
{
	struct walk walk = { .fn = fn, .arg = arg };

	visit_part(&walk, GMIME_OBJECT(tree->message), NULL, 0);
	return !walk.bound;
}

GMimeObject *ss_mime_part_object(const struct ss_mime_part *part)
{
	return part->object;
}

const char *ss_mime_part_name(const struct ss_mime_part *part)
{
	return part->name;
}

bool ss_mime_part_is_attachment(const struct ss_mime_part *part)
{
	const char *disposition = g_mime_object_get_disposition(part->object);

	if (GMIME_IS_MESSAGE(part->object) || GMIME_IS_MULTIPART(part->object))
		return false;
	return (disposition && !strcasecmp(disposition, "attachment")) ||
	       object_name(part->object);
}

/* Skip white space and comments (RFC 5322 3.2.2) */
static const char *skip_cfws(const char *s)
{
	unsigned int depth = 0;

	for (; *s; s++) {
		if (*s == '(')
			depth++;
		else if (*s == ')' && depth)
			depth--;
		else if (depth && *s == '\\' && s[1])
			s++;
		else if (!depth && !strchr(" \t\r\n", *s))
			break;
	}
	return s;
}

/* Go behind a word of a Content-Type field. Return: where, or NULL if it is another. */
static const char *skip_word(const char *s, const char *word)
{
	size_t len = strlen(word);

	s = skip_cfws(s);
	return strncasecmp(s, word, len) ? NULL : s + len;
}

/* Is the raw value of a Content-Type field that type? */
static bool type_is(const char *raw, const char *type, const char *subtype)
{
	const char *s = skip_word(raw, type);

	s = s ? skip_word(s, "/") : NULL;
	s = s ? skip_word(s, subtype) : NULL;
	return s && !g_ascii_isalnum(*s) && !strchr("!#$%&'*+-.^_`{|}~", *s ? *s : ';');
}

/* Any of several Content-Type fields counts: receivers choose differently */
static bool part_is(const struct ss_mime_part *part, const char *type, const char *subtype)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(part->object);
	int count = list ? g_mime_header_list_get_count(list) : 0;

	for (int i = 0; i < count; i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		const char *raw = g_mime_header_get_raw_value(header);

		if (raw && !strcasecmp(g_mime_header_get_name(header), "content-type") &&
		    type_is(raw, type, subtype))
			return true;
	}
	return false;
}

bool ss_mime_part_is_partial(const struct ss_mime_part *part)
{
	return GMIME_IS_MESSAGE_PARTIAL(part->object) || part_is(part, "message", "partial");
}

bool ss_mime_part_is_encrypted(const struct ss_mime_part *part)
{
	return part_is(part, "multipart", "encrypted");
}

bool ss_mime_part_is_text(const struct ss_mime_part *part)
{
	if (!GMIME_IS_TEXT_PART(part->object) || ss_mime_part_is_attachment(part))
		return false;
	switch (g_mime_part_get_content_encoding(GMIME_PART(part->object))) {
	case GMIME_CONTENT_ENCODING_DEFAULT:
	case GMIME_CONTENT_ENCODING_7BIT:
	case GMIME_CONTENT_ENCODING_8BIT:
	case GMIME_CONTENT_ENCODING_BINARY:
		return true;
	default:
		return false;
	}
}

bool ss_mime_part_is_message(const struct ss_mime_part *part)
{
	return GMIME_IS_MESSAGE(part->object);
}

static bool write_content(GMimeDataWrapper *content, GMimeStream *stream, bool coded)
{
	GMimeStream *in = g_mime_data_wrapper_get_stream(content);

	if (!coded)
		return g_mime_data_wrapper_write_to_stream(content, stream) >= 0;
	return !g_mime_stream_reset(in) && g_mime_stream_write_to_stream(in, stream) >= 0;
}

/* Return: a memory file with the content, decoded or not; or a negative errno */
static int save_content(GMimeDataWrapper *content, bool coded)
{
	GMimeStream *stream __cleanup(cleanup_object) = NULL;
	int fd = memfd_create("smtpsplice-part", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	stream = g_mime_stream_fs_new(fd);
	g_mime_stream_fs_set_owner(GMIME_STREAM_FS(stream), FALSE);
	if (!write_content(content, stream, coded) || g_mime_stream_flush(stream) < 0) {
		close(fd);
		return -EIO;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* NULL where the part is no leaf or has none */
static GMimeDataWrapper *find_content(const struct ss_mime_part *part)
{
	return GMIME_IS_PART(part->object) ? g_mime_part_get_content(GMIME_PART(part->object)) :
					     NULL;
}

/* Return: a memory file with an object as it stands, decoded; or a negative errno */
static int save_object(GMimeObject *object, GMimeContentEncoding encoding)
{
	GMimeStream *stream __cleanup(cleanup_object) = NULL;
	GMimeStream *decoder __cleanup(cleanup_object) = NULL;
	int fd = memfd_create("smtpsplice-message", MFD_CLOEXEC);
	GMimeFilter *filter;

	if (fd < 0)
		return -errno;
	stream = g_mime_stream_fs_new(fd);
	g_mime_stream_fs_set_owner(GMIME_STREAM_FS(stream), FALSE);
	decoder = g_mime_stream_filter_new(stream);
	filter = g_mime_filter_basic_new(encoding, FALSE);
	g_mime_stream_filter_add(GMIME_STREAM_FILTER(decoder), filter);
	g_object_unref(filter);
	if (g_mime_object_write_to_stream(object, NULL, decoder) < 0 ||
	    g_mime_stream_flush(decoder) < 0) {
		close(fd);
		return -EIO;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

int ss_mime_part_message(const struct ss_mime_part *part)
{
	return GMIME_IS_MESSAGE(part->object) ?
	       save_object(part->object, GMIME_CONTENT_ENCODING_DEFAULT) : -ENOENT;
}

/* A message may not be encoded (RFC 2046 5.2.1), but readers decode it */
static int decode_message(GMimeMessagePart *part)
{
	const char *word = g_mime_object_get_header(GMIME_OBJECT(part),
						    "Content-Transfer-Encoding");
	GMimeContentEncoding encoding = word ? g_mime_content_encoding_from_string(word) :
					GMIME_CONTENT_ENCODING_DEFAULT;
	GMimeMessage *message = g_mime_message_part_get_message(part);

	if (!message || (encoding != GMIME_CONTENT_ENCODING_BASE64 &&
			 encoding != GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE &&
			 encoding != GMIME_CONTENT_ENCODING_UUENCODE))
		return -ENOENT;
	return save_object(GMIME_OBJECT(message), encoding);
}

int ss_mime_part_decode(const struct ss_mime_part *part)
{
	GMimeDataWrapper *content = find_content(part);

	if (GMIME_IS_MESSAGE_PART(part->object))
		return decode_message(GMIME_MESSAGE_PART(part->object));
	return content ? save_content(content, false) : -ENOENT;
}

int ss_mime_part_uuencoded(const struct ss_mime_part *part)
{
	GMimeDataWrapper *content = find_content(part);

	if (!content ||
	    g_mime_data_wrapper_get_encoding(content) != GMIME_CONTENT_ENCODING_UUENCODE)
		return -ENOENT;
	return save_content(content, true);
}
