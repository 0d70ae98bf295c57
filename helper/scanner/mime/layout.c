// SPDX-License-Identifier: GPL-2.0
/*
 * Where in its bytes the parts of a message are. GMime says which parts there
 * are; this looks for their boundaries once more, strictly, and both have to
 * agree on each leaf. A message that different readers may take apart in
 * different ways has no layout. Reads what anybody may have sent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gmime/gmime.h>

#include "lib/cleanup.h"
#include "scanner/mime/layout.h"

#define MAX_DEPTH	64	/* of parts; a nested message is two levels */
#define MAX_BOUNDARIES	16	/* around a part: each line is compared with all */
#define MAX_BOUNDARY	200	/* bytes; RFC 2046 has 70, which not all know */

/**
 * struct boundary - A boundary of a multipart that is being read.
 * @text: without the dashes
 * @len: its length
 * @outer: the one around it, or NULL
 */
struct boundary {
	const char *text;
	size_t len;
	const struct boundary *outer;
};

/**
 * struct delimiter - A line that ends a part.
 * @boundary: whose line it is; NULL at the end of the file
 * @close: it ends the multipart as well
 * @line: its first byte
 * @after: the first byte behind it
 */
struct delimiter {
	const struct boundary *boundary;
	bool close;
	size_t line;
	size_t after;
};

/**
 * struct reader - The message that is being read.
 * @layout: gets the places
 * @room: parts that there is room for
 * @at: the next part to be placed
 * @depth: how deep inside it is
 * @failed: no memory
 */
struct reader {
	struct ss_layout *layout;
	unsigned int room;
	unsigned int at;
	unsigned int depth;
	bool failed;
};

static int place_part(struct reader *r, GMimeObject *object, size_t pos,
		      const struct boundary *around, struct delimiter *end);

static bool take_part(const struct ss_mime_part *part, void *arg)
{
	struct reader *r = arg;
	struct ss_layout *l = r->layout;

	if (l->count == r->room) {
		unsigned int room = r->room ? 2 * r->room : 64;
		void *parts = reallocarray(l->parts, room, sizeof(*l->parts));

		if (!parts) {
			r->failed = true;
			return false;
		}
		l->parts = parts;
		r->room = room;
	}
	l->parts[l->count++] = (struct ss_layout_part){
		.object = ss_mime_part_object(part)
	};
	return true;
}

/* The position behind the line at @pos */
static size_t next_line(const struct ss_layout *l, size_t pos)
{
	const char *lf = memchr(l->text + pos, '\n', l->len - pos);

	return lf ? (size_t)(lf + 1 - l->text) : l->len;
}

/* Bytes of the line end in front of @pos */
static size_t line_end(const struct ss_layout *l, size_t pos)
{
	if (!pos || l->text[pos - 1] != '\n')
		return 0;
	return pos > 1 && l->text[pos - 2] == '\r' ? 2 : 1;
}

/* Is the line from @pos to @after a delimiter? @found is set to which. */
static bool match_line(const struct ss_layout *l, size_t pos, size_t after,
		       const struct boundary *around, struct delimiter *found)
{
	const char *s = l->text + pos;
	size_t len = after - pos - line_end(l, after);

	if (len < 2 || s[0] != '-' || s[1] != '-')
		return false;
	while (len > 2 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	s += 2;
	len -= 2;
	for (const struct boundary *b = around; b; b = b->outer) {
		if (len < b->len || memcmp(s, b->text, b->len))
			continue;
		if (len != b->len && (len != b->len + 2 || memcmp(s + b->len, "--", 2)))
			continue;
		*found = (struct delimiter){
			.boundary = b, .close = len != b->len, .line = pos, .after = after,
		};
		return true;
	}
	return false;
}

/* Find the next line that is a boundary's */
static void find_delimiter(const struct ss_layout *l, size_t pos,
			   const struct boundary *around, struct delimiter *found)
{
	while (pos < l->len) {
		size_t after = next_line(l, pos);

		if (match_line(l, pos, after, around, found))
			return;
		pos = after;
	}
	*found = (struct delimiter){ .line = l->len, .after = l->len };
}

/* Go over a head. Return: where the body begins, or 0 */
static size_t skip_head(const struct ss_layout *l, size_t pos,
			const struct boundary *around)
{
	struct delimiter found;

	while (pos < l->len) {
		size_t after = next_line(l, pos), end = line_end(l, after);

		if (end && after - pos == end)
			return after;
		if (match_line(l, pos, after, around, &found))
			return 0;
		pos = after;
	}
	return 0;
}

/* The only field @name of a part, or NULL; @count is set to how many there are */
static GMimeHeader *find_field(GMimeObject *object, const char *name, int *count)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	int fields = list ? g_mime_header_list_get_count(list) : 0;
	GMimeHeader *found = NULL;

	*count = 0;
	for (int i = 0; i < fields; i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);

		if (strcasecmp(g_mime_header_get_name(header), name))
			continue;
		found = header;
		++*count;
	}
	return found;
}

/* Do all readers agree that this part is a container, and take it for what it says? */
static bool is_plain_container(GMimeObject *object)
{
	GMimeHeader *encoding;
	const char *value;
	int count;

	find_field(object, "Content-Type", &count);
	if (count > 1)
		return false;
	encoding = find_field(object, "Content-Transfer-Encoding", &count);
	if (!count)
		return true;
	value = g_mime_header_get_value(encoding);
	return count == 1 && value && (!strcasecmp(value, "7bit") ||
				       !strcasecmp(value, "8bit") ||
				       !strcasecmp(value, "binary"));
}

/* How often a parameter "boundary" is in a Content-Type; -1 for other forms of it */
static int count_boundaries(const char *raw)
{
	static const char word[] = "boundary";
	int count = 0;

	while ((raw = strcasestr(raw, word))) {
		raw += sizeof(word) - 1;
		raw += strspn(raw, " \t\r\n");
		if (*raw == '*')
			return -1;
		count += *raw == '=';
	}
	return count;
}

/* May @text be taken for one of the boundaries around it, or are there too many of them? */
static bool have_boundary(const struct boundary *around, const char *text, size_t len)
{
	unsigned int count = 0;

	for (const struct boundary *b = around; b; b = b->outer) {
		size_t least = len < b->len ? len : b->len;
		size_t most = len < b->len ? b->len : len;
		const char *longer = len < b->len ? b->text : text;

		if (++count >= MAX_BOUNDARIES)
			return true;
		/* "b--" would be the end of "b" */
		if (!memcmp(text, b->text, least) &&
		    (most == least || (most == least + 2 && !strcmp(longer + least, "--"))))
			return true;
	}
	return false;
}

/* Get a multipart's boundary, if all readers get the same */
static bool read_boundary(GMimeObject *object, const struct boundary *around,
			  struct boundary *own)
{
	const char *text, *raw;
	GMimeHeader *type;
	int count;

	text = g_mime_object_get_content_type_parameter(object, "boundary");
	type = find_field(object, "Content-Type", &count);
	raw = type ? g_mime_header_get_raw_value(type) : NULL;
	if (!text || !raw || count_boundaries(raw) != 1 || !strstr(raw, text))
		return false;
	own->text = text;
	own->len = strlen(text);
	own->outer = around;
	if (!own->len || own->len > MAX_BOUNDARY || text[own->len - 1] == ' ' ||
	    have_boundary(around, text, own->len))
		return false;
	for (const char *s = text; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* Has GMime the content of a leaf at the same place? */
static bool gmime_agrees(GMimeObject *object, size_t body, size_t end)
{
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(object));
	GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;

	return stream && stream->bound_start == (gint64)body &&
	       stream->bound_end == (gint64)(end > body ? end : body);
}

static int place_multipart(struct reader *r, GMimeObject *object, size_t body,
			   const struct boundary *around, struct delimiter *end)
{
	GMimeMultipart *multipart = GMIME_MULTIPART(object);
	int count = g_mime_multipart_get_count(multipart);
	struct boundary own;
	int ret;

	if (!count || !read_boundary(object, around, &own))
		return -ENOTSUP;
	find_delimiter(r->layout, body, &own, end);
	for (int i = 0; i < count; i++) {
		if (end->boundary != &own || end->close)
			return -ENOTSUP;
		ret = place_part(r, g_mime_multipart_get_part(multipart, i), end->after,
				 &own, end);
		if (ret)
			return ret;
	}
	if (end->boundary != &own || !end->close)
		return -ENOTSUP;
	find_delimiter(r->layout, end->after, around, end);
	return 0;
}

/* Place what is inside of a part, and find its end */
static int place_inside(struct reader *r, GMimeObject *object,
			struct ss_layout_part *part, const struct boundary *around,
			struct delimiter *end)
{
	switch (part->kind) {
	case SS_LAYOUT_MESSAGE:
		return place_part(r, g_mime_message_get_mime_part(GMIME_MESSAGE(object)),
				  part->start, around, end);
	case SS_LAYOUT_ENCLOSURE:
		return place_part(r, (GMimeObject *)
				  g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)),
				  part->body, around, end);
	case SS_LAYOUT_MULTIPART:
		return place_multipart(r, object, part->body, around, end);
	case SS_LAYOUT_LEAF:
		find_delimiter(r->layout, part->body, around, end);
		return 0;
	}
	return -ENOTSUP;
}

static bool get_kind(GMimeObject *object, enum ss_layout_kind *kind)
{
	if (GMIME_IS_MESSAGE(object))
		*kind = SS_LAYOUT_MESSAGE;
	else if (GMIME_IS_MULTIPART(object))
		*kind = SS_LAYOUT_MULTIPART;
	else if (GMIME_IS_MESSAGE_PART(object))
		*kind = SS_LAYOUT_ENCLOSURE;
	else if (GMIME_IS_PART(object))
		*kind = SS_LAYOUT_LEAF;
	else
		return false;
	return true;
}

/*
 * Place the part that begins at @pos, and all that are inside of it. @end gets
 * what ended it. Each part takes @at in turn, so that an order other than that
 * of ss_mime_walk() is noticed.
 */
static int place_part(struct reader *r, GMimeObject *object, size_t pos,
		      const struct boundary *around, struct delimiter *end)
{
	struct ss_layout *l = r->layout;
	struct ss_layout_part *part = &l->parts[r->at];
	unsigned int index = r->at++;
	int ret;

	if (!object || index >= l->count || part->object != object ||
	    r->depth >= MAX_DEPTH || !get_kind(object, &part->kind))
		return -ENOTSUP;
	part->start = pos;
	part->body = skip_head(l, pos, around);
	if (!part->body || ((part->kind == SS_LAYOUT_MULTIPART ||
			     part->kind == SS_LAYOUT_ENCLOSURE) &&
			    !is_plain_container(object)))
		return -ENOTSUP;
	r->depth++;
	ret = place_inside(r, object, part, around, end);
	r->depth--;
	if (ret)
		return ret;
	part->next = r->at;
	part->end = end->line - (end->boundary ? line_end(l, end->line) : 0);
	if (part->kind == SS_LAYOUT_LEAF && !gmime_agrees(object, part->body, part->end))
		return -ENOTSUP;
	return 0;
}

/* Tell each part which one it is in */
static void set_parents(struct ss_layout *l)
{
	for (unsigned int i = 0; i < l->count; i++)
		for (unsigned int j = i + 1; j < l->parts[i].next; j = l->parts[j].next)
			l->parts[j].parent = i;
}

int ss_layout_read(struct ss_layout *layout, const struct ss_mime_tree *tree,
		   const char *text, size_t len)
{
	struct reader r = { .layout = layout };
	struct delimiter end;
	int ret;

	*layout = (struct ss_layout){ .text = text, .len = len };
	if (!ss_mime_walk(tree, take_part, &r) || !layout->count)
		return -ENOTSUP;
	if (r.failed)
		return -ENOMEM;
	ret = place_part(&r, layout->parts[0].object, 0, NULL, &end);
	if (ret)
		return ret;
	if (r.at != layout->count || end.line != len)
		return -ENOTSUP;
	set_parents(layout);
	return 0;
}

void ss_layout_free(struct ss_layout *layout)
{
	free(layout->parts);
	layout->parts = NULL;
	layout->count = 0;
}
