// SPDX-License-Identifier: GPL-2.0
/*
 * A new message out of an old one: with text in the place of some of its parts,
 * or with one more field in its head. What is not replaced stays as it is, byte
 * by byte; the new message is taken apart again to prove that. Reads what
 * anybody may have sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <gmime/gmime.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/text.h"
#include "scanner/mime/dots.h"
#include "scanner/mime/layout.h"
#include "scanner/mime/rewrite.h"

#define FILE_NAME	"smtpsplice-rewrite"	/* for who looks into /proc */
#define MAX_LINE	998	/* RFC 5322 2.1.1 */
#define BASE64_LINE	76	/* RFC 2045 6.8 */
#define SEALS		(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/**
 * struct splice - The making of a new message.
 * @layout: the old one
 * @skip: bytes in front that are left out
 * @texts: the text for each part, NULL for those that are kept
 * @out: the new one
 * @at: so much of the old one is done with
 */
struct splice {
	const struct ss_layout *layout;
	size_t skip;
	const char **texts;
	FILE *out;
	size_t at;
};

/* -- files ---------------------------------------------------------------- */

static void cleanup_stream(FILE **stream)
{
	if (*stream)
		fclose(*stream);
}

static void cleanup_tree(struct ss_mime_tree **tree)
{
	ss_mime_free(*tree);
}

/* A memory file. Return: a stream to write it by, NULL where there is no memory */
static FILE *create_file(int *fd)
{
	FILE *stream = NULL;
	int copy;

	*fd = memfd_create(FILE_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return NULL;
	copy = fcntl(*fd, F_DUPFD_CLOEXEC, 0);
	if (copy >= 0)
		stream = fdopen(copy, "w");
	if (!stream) {
		if (copy >= 0)
			close(copy);
		ss_cleanup_fd(fd);
	}
	return stream;
}

static int close_stream(FILE **stream)
{
	bool failed = ferror(*stream);

	if (fclose(*stream))
		failed = true;
	*stream = NULL;
	return failed ? -EIO : 0;
}

/* Write the message as on the wire into a file of its own */
static int write_wire(int fd, const struct ss_file_map *message)
{
	bool ends = message->len >= 2 &&
		    !memcmp(message->data + message->len - 2, "\r\n", 2);
	size_t used = ss_dots_stuff(NULL, message->data, message->len);
	size_t len = used + (ends ? 0 : 2);
	char *map;

	if (ftruncate(fd, len))
		return -errno;
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	ss_dots_stuff(map, message->data, message->len);
	if (!ends) {
		map[used] = '\r';
		map[used + 1] = '\n';
	}
	return munmap(map, len) ? -errno : 0;
}

static int seal(int fd)
{
	return lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) ? -errno : 0;
}

/* Hand out the message that is in @plain */
static int hand_out(int plain, bool chunked, int *out)
{
	struct ss_file_map message __cleanup(ss_file_unmap) = SS_FILE_EMPTY;
	int ret = ss_file_map(&message, plain);
	int wire;

	if (ret)
		return ret;
	wire = chunked ? fcntl(plain, F_DUPFD_CLOEXEC, 0) :
	       memfd_create(FILE_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (wire < 0)
		return -errno;
	if (!chunked)
		ret = write_wire(wire, &message);
	if (!ret)
		ret = seal(wire);
	if (ret)
		close(wire);
	else
		*out = wire;
	return ret;
}

/* -- checks --------------------------------------------------------------- */

/* Bytes of a field's name and its colon at @s, or 0 */
static size_t field_length(const char *s, const char *end)
{
	const char *p = s;

	while (p < end && *p > ' ' && *p <= '~' && *p != ':')
		p++;
	if (p == s)
		return 0;
	while (p < end && (*p == ' ' || *p == '\t'))	/* RFC 5322 4.5 */
		p++;
	return p < end && *p == ':' ? (size_t)(p + 1 - s) : 0;
}

/* Does the first line belong there, as a field or as the end of a head without any? */
static bool starts_well(const char *s, const char *end)
{
	if (s == end || *s == '\n' || (*s == '\r' && s + 1 < end && s[1] == '\n'))
		return true;
	return field_length(s, end);
}

/* Does CRLF alone end lines, as it has to be in what is sent by DATA? */
static bool has_wire_lines(const char *text, const char *end)
{
	size_t ends = 0;

	for (const char *s = text; (s = memchr(s, '\n', end - s)); s++, ends++)
		if (s == text || s[-1] != '\r')
			return false;
	/* then there are as many CRs */
	for (const char *s = text; (s = memchr(s, '\r', end - s)); s++)
		if (!ends--)
			return false;
	return true;
}

/* Return: what ends the line in front of @pos */
static const char *line_end(const char *text, size_t pos)
{
	return pos > 1 && text[pos - 2] == '\r' ? "\r\n" : "\n";
}

static int open_message(struct ss_file_map *file, const struct ss_rewrite_message *in)
{
	const char *s, *end;
	int ret = ss_file_map(file, in->fd);

	if (ret)
		return ret;
	if (in->skip > file->len || (in->skip && file->data[in->skip - 1] != '\n'))
		return -EINVAL;
	s = file->data + in->skip;
	end = file->data + file->len;
	if (!starts_well(s, end) || (!in->chunked && !has_wire_lines(s, end)))
		return -ENOTSUP;
	return 0;
}

static bool is_utf8(const char *text)
{
	const char *end = text + strlen(text);

	while (text < end) {
		uint32_t rune;
		int n = ss_text_decode(text, end - text, &rune);

		if (!n)
			return false;
		text += n;
	}
	return true;
}

/* -- replacement texts ---------------------------------------------------- */

/*
 * Can a text go into a message as it is? Peers choose what is in it: where it may be
 * taken for a boundary it is encoded.
 */
static bool is_plain(const char *text)
{
	size_t len;

	for (const char *s = text; *s; s += len + (s[len] == '\n')) {
		len = strcspn(s, "\n");
		if (len > MAX_LINE || !strncmp(s, "--", 2))
			return false;
		for (size_t i = 0; i < len; i++)
			if ((s[i] < ' ' || s[i] > '~') &&
			    !(s[i] == '\r' && i + 1 == len && s[len] == '\n'))
				return false;
	}
	return true;
}

/* Give lines the line end @eol; there is one behind the last line if @last */
static GString *make_lines(const char *text, const char *eol, bool last)
{
	GString *lines = g_string_new(NULL);

	while (*text) {
		size_t len = strcspn(text, "\n");
		bool more = text[len] && text[len + 1];

		g_string_append_len(lines, text,
				    len && text[len] && text[len - 1] == '\r' ? len - 1 : len);
		if (more || last)
			g_string_append(lines, eol);
		text += len + (text[len] == '\n');
	}
	return lines;
}

static void write_base64(FILE *out, const char *text, const char *eol, bool last)
{
	GString *lines = make_lines(text, "\r\n", true);
	char *coded = g_base64_encode((const unsigned char *)lines->str, lines->len);
	size_t len = strlen(coded);

	for (size_t at = 0; at < len; at += BASE64_LINE) {
		bool more = len - at > BASE64_LINE;

		fprintf(out, "%.*s%s", BASE64_LINE, coded + at, more || last ? eol : "");
	}
	g_free(coded);
	g_string_free(lines, TRUE);
}

/* Write the end of a head, and a body; with a line end behind it if @last */
static void write_text(FILE *out, const char *text, const char *eol, bool last)
{
	bool plain = is_plain(text);

	fprintf(out, "Content-Type: text/plain; charset=utf-8%s", eol);
	fprintf(out, "Content-Disposition: inline%s", eol);
	fprintf(out, "Content-Transfer-Encoding: %s%s%s", plain ? "7bit" : "base64",
		eol, eol);
	if (plain) {
		GString *lines = make_lines(text, eol, last);

		fwrite(lines->str, 1, lines->len, out);
		g_string_free(lines, TRUE);
	} else {
		write_base64(out, text, eol, last);
	}
}

/* -- splicing ------------------------------------------------------------- */

static void copy_until(struct splice *s, size_t pos)
{
	if (pos > s->at)
		fwrite(s->layout->text + s->at, 1, pos - s->at, s->out);
	s->at = pos;
}

/* Copy the fields of a message's head but those of its content */
static int copy_fields(struct splice *s, const struct ss_layout_part *part, const char *eol)
{
	static const char content[] = "Content-", version[] = "MIME-Version:";
	const struct ss_layout *l = s->layout;
	bool keep = false, versioned = false;
	size_t body = part->body - strlen(eol);

	while (s->at < body) {
		const char *line = l->text + s->at;
		const char *after = memchr(line, '\n', body - s->at);
		size_t name;

		if (!after++)
			return -ENOTSUP;
		if (*line != ' ' && *line != '\t') {
			name = field_length(line, after);
			if (!name)
				return -ENOTSUP;
			keep = strncasecmp(line, content, sizeof(content) - 1);
			if (!strncasecmp(line, version, sizeof(version) - 1))
				versioned = true;
		} else if (s->at == part->start) {
			return -ENOTSUP;
		}
		if (keep)
			copy_until(s, after - l->text);
		s->at = after - l->text;
	}
	if (!versioned)
		fprintf(s->out, "MIME-Version: 1.0%s", eol);
	return 0;
}

/* Put a text in the place of a part */
static int replace_part(struct splice *s, const struct ss_layout_part *part, const char *text)
{
	const struct ss_layout *l = s->layout;
	const char *eol = line_end(l->text, part->body);
	int ret = 0;

	copy_until(s, part->start > s->skip ? part->start : s->skip);
	if (l->parts[part->parent].kind == SS_LAYOUT_MESSAGE)
		ret = copy_fields(s, part, eol);
	/* In front of a boundary there is a line end already */
	write_text(s->out, text, eol, part->end == l->len);
	s->at = part->end;
	return ret;
}

static int splice_all(struct splice *s)
{
	const struct ss_layout *l = s->layout;
	unsigned int i = 0;

	s->at = s->skip;
	while (i < l->count) {
		const struct ss_layout_part *part = &l->parts[i];
		int ret = s->texts[i] ? replace_part(s, part, s->texts[i]) : 0;

		if (ret)
			return ret;
		i = s->texts[i] ? part->next : i + 1;
	}
	copy_until(s, l->len);
	return 0;
}

/* Note for each part that is to be replaced which text it gets */
static int set_texts(const struct ss_layout *l, const char **texts,
		     const struct ss_rewrite_part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned int index = parts[i].index;

		if (index >= l->count)
			return -ENOTSUP;
		if (!is_utf8(parts[i].text))
			return -EINVAL;
		/* A message keeps its head, which is that of its part */
		if (l->parts[index].kind == SS_LAYOUT_MESSAGE)
			index++;
		texts[index] = parts[i].text;
	}
	return count ? 0 : -EINVAL;
}

/* -- the proof ------------------------------------------------------------ */

static bool is_type(GMimeObject *object, const char *type, const char *subtype)
{
	GMimeContentType *is = g_mime_object_get_content_type(object);

	return is && g_mime_content_type_is_type(is, type, subtype);
}

static bool is_same_range(const struct ss_layout *a, size_t a_start, size_t a_end,
			  const struct ss_layout *b, size_t b_start, size_t b_end)
{
	if (a_end < a_start || b_end < b_start)	/* no body at all */
		return a_end < a_start && b_end < b_start;
	return a_end - a_start == b_end - b_start &&
	       !memcmp(a->text + a_start, b->text + b_start, a_end - a_start);
}

/* Is a part in the new message as it was in the old one? */
static bool is_kept(const struct splice *s, const struct ss_layout_part *was,
		    const struct ss_layout *l, const struct ss_layout_part *is)
{
	const struct ss_layout *old = s->layout;
	size_t start = was->start > s->skip ? was->start : s->skip;

	if (was->kind != is->kind)
		return false;
	if (was->kind == SS_LAYOUT_MESSAGE)	/* see its part */
		return true;
	return is_same_range(old, start, was->body, l, is->start, is->body) &&
	       (was->kind != SS_LAYOUT_LEAF ||
		is_same_range(old, was->body, was->end, l, is->body, is->end));
}

/* Has the new message the parts of the old one, and texts for those replaced? */
static bool is_proven(const struct splice *s, const struct ss_layout *l)
{
	const struct ss_layout *old = s->layout;
	unsigned int i = 0, j = 0;

	while (i < old->count && j < l->count) {
		const struct ss_layout_part *was = &old->parts[i], *is = &l->parts[j++];

		if (s->texts[i]) {
			if (is->kind != SS_LAYOUT_LEAF || !is_type(is->object, "text", "plain"))
				return false;
			i = was->next;
		} else {
			if (!is_kept(s, was, l, is))
				return false;
			i++;
		}
	}
	return i == old->count && j == l->count;
}

static int prove_message(const struct splice *s, int fd)
{
	struct ss_mime_tree *tree __cleanup(cleanup_tree) = ss_mime_parse(fd);
	struct ss_layout layout __cleanup(ss_layout_free) = {};
	struct ss_file_map file __cleanup(ss_file_unmap) = SS_FILE_EMPTY;
	int ret = ss_file_map(&file, fd);

	if (ret)
		return ret;
	if (!tree)
		return -ENOTSUP;
	ret = ss_layout_read(&layout, tree, file.data, file.len);
	if (ret)
		return ret;
	return is_proven(s, &layout) ? 0 : -ENOTSUP;
}

/* -- notes ---------------------------------------------------------------- */

static uint32_t find_seals(GMimeObject *message)
{
	static const struct {
		const char *field;
		uint32_t flag;
	} fields[] = {
		{ "DKIM-Signature", SS_REWRITE_DKIM },
		{ "DomainKey-Signature", SS_REWRITE_DKIM },
		{ "ARC-Message-Signature", SS_REWRITE_ARC },
		{ "ARC-Seal", SS_REWRITE_ARC },
	};
	GMimeHeaderList *list = g_mime_object_get_header_list(message);
	uint32_t broken = 0;

	for (size_t i = 0; list && i < ARRAY_SIZE(fields); i++)
		if (g_mime_header_list_contains(list, fields[i].field))
			broken |= fields[i].flag;
	return broken;
}

static uint32_t find_crypto(GMimeObject *object)
{
	const char *type;

	if (is_type(object, "multipart", "signed"))
		return SS_REWRITE_SIGNED;
	if (is_type(object, "multipart", "encrypted"))
		return SS_REWRITE_ENCRYPTED;
	if (!is_type(object, "application", "pkcs7-mime") &&
	    !is_type(object, "application", "x-pkcs7-mime"))
		return 0;
	type = g_mime_object_get_content_type_parameter(object, "smime-type");
	return SS_REWRITE_PKCS7 | (type && strcasestr(type, "enveloped") ?
				   SS_REWRITE_ENCRYPTED : 0);
}

/* Find what is broken where the part @index is replaced */
static uint32_t find_broken(const struct ss_layout *l, unsigned int index)
{
	uint32_t broken = 0;

	for (;; index = l->parts[index].parent) {
		GMimeObject *object = l->parts[index].object;

		broken |= l->parts[index].kind == SS_LAYOUT_MESSAGE ?
			  find_seals(object) : find_crypto(object);
		if (!index)
			return broken;
	}
}

static void make_notes(struct ss_rewrite_notes *notes, const struct splice *s)
{
	static const char *const words[] = {
		"dkim", "arc", "multipart/signed", "pkcs7-mime", "encrypted",
	};

	*notes = (struct ss_rewrite_notes){};
	for (unsigned int i = 0; i < s->layout->count; i++)
		if (s->texts[i])
			notes->broken |= find_broken(s->layout, i);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(notes->words);

		if (notes->broken & 1u << i)
			snprintf(notes->words + len, sizeof(notes->words) - len, "%s%s",
				 len ? " " : "", words[i]);
	}
}

/* -- the interface -------------------------------------------------------- */

static int make_message(struct splice *s, int *plain)
{
	FILE *out __cleanup(cleanup_stream) = create_file(plain);
	int ret;

	if (!out)
		return -ENOMEM;
	s->out = out;
	ret = splice_all(s);
	if (!ret)
		ret = close_stream(&out);
	return ret ?: prove_message(s, *plain);
}

static int replace_parts(const struct ss_layout *layout, const struct ss_rewrite_message *in,
			 const struct ss_rewrite_part *parts, size_t count,
			 int *out, struct ss_rewrite_notes *notes)
{
	int plain __cleanup(ss_cleanup_fd) = -1;
	struct splice s = { .layout = layout, .skip = in->skip };
	int ret;

	s.texts = calloc(layout->count, sizeof(*s.texts));
	if (!s.texts)
		return -ENOMEM;
	ret = set_texts(layout, s.texts, parts, count);
	if (!ret)
		ret = make_message(&s, &plain);
	if (!ret)
		make_notes(notes, &s);
	free(s.texts);
	return ret ?: hand_out(plain, in->chunked, out);
}

int ss_rewrite_replace(const struct ss_rewrite_message *in,
		       const struct ss_rewrite_part *parts, size_t count,
		       int *out, struct ss_rewrite_notes *notes)
{
	struct ss_file_map file __cleanup(ss_file_unmap) = SS_FILE_EMPTY;
	struct ss_mime_tree *tree __cleanup(cleanup_tree) = NULL;
	struct ss_layout layout __cleanup(ss_layout_free) = {};
	int ret = open_message(&file, in);

	if (ret)
		return ret;
	if (file.len == in->skip)
		return -ENOTSUP;
	tree = ss_mime_parse(in->fd);
	if (!tree)
		return -ENOTSUP;
	ret = ss_layout_read(&layout, tree, file.data, file.len);
	return ret ?: replace_parts(&layout, in, parts, count, out, notes);
}

static bool is_field(const char *field)
{
	const char *end = field + strlen(field), *colon = strchr(field, ':');
	size_t name = field_length(field, end);

	if (!name || colon != field + name - 1 || colon[-1] == ' ' || end - field > MAX_LINE)
		return false;
	for (const char *s = field; s < end; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return colon[1] == ' ' && strspn(colon + 1, " ") < strlen(colon + 1);
}

int ss_rewrite_tag(const struct ss_rewrite_message *in, const char *field, int *out)
{
	struct ss_file_map file __cleanup(ss_file_unmap) = SS_FILE_EMPTY;
	FILE *stream __cleanup(cleanup_stream) = NULL;
	int plain __cleanup(ss_cleanup_fd) = -1;
	const char *text, *lf;
	size_t len;
	int ret;

	if (!is_field(field))
		return -EINVAL;
	ret = open_message(&file, in);
	if (ret)
		return ret;
	stream = create_file(&plain);
	if (!stream)
		return -ENOMEM;
	len = file.len - in->skip;
	text = file.data + in->skip;
	lf = memchr(text, '\n', len);
	fprintf(stream, "%s%s", field, lf ? line_end(text, lf + 1 - text) : "\r\n");
	fwrite(text, 1, len, stream);
	ret = close_stream(&stream);
	if (ret)
		return ret;
	return hand_out(plain, in->chunked, out);
}
