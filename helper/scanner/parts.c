// SPDX-License-Identifier: GPL-2.0
/*
 * The parts of a message, one by one: what files they are, which of them are
 * infected, and what they are called.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <glib.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "lib/process.h"
#include "scanner/message.h"
#include "scanner/mime/ambiguity.h"
#include "scanner/mime/flags.h"
#include "scanner/mime/lenient.h"
#include "scanner/nested.h"
#include "scanner/parts.h"

/* Kinds that refuse a message whatever the profile's archive conditions are */
#define REFUSED	(SS_KIND_BIT(SS_KIND_EXECUTABLE) | SS_KIND_BIT(SS_KIND_NAME) | \
		 SS_KIND_BIT(SS_KIND_TYPE) | SS_KIND_BIT(SS_KIND_HASH))

/*
 * Bounds of what one message may cost. As many scans as two archives of the most
 * members; messages in files in messages, which each time are read anew, whatever the
 * profile's limit is; the bytes of nested messages, each of which has all those
 * within it; and bytes and members of all archives, as many as two of them may have,
 * since the looks into mail in S/MIME, as such and as a message, each unpack it.
 */
#define MAX_SCANS	20000u
#define MAX_DEPTH	16u
#define MAX_COPIED	(400ull << 20)
#define MAX_UNPACKED	(800ull << 20)
#define MAX_MEMBERS	20000u

/**
 * struct walk - A walk over the parts.
 * @parts: the caller's
 * @rules: the profile as ss_inspect_look() wants it
 * @names: for @rules
 * @infected: a file in this part is
 * @virus: what was found there
 * @path: where, see ss_inspect_scan_fn()
 * @depth: mail in S/MIME, and messages that are files, that it is in
 * @around: name of the file that the innermost of these is, with those that it is in
 * @outermost: the outermost message was seen, all others are nested in it
 * @within: what is in mail in S/MIME, and in messages that are files, in this part
 * @seen: hashes of the files in this part that were scanned as messages. One that is
 *   S/MIME as well comes again with each way in, and so would those in it: without
 *   this the ways double with each level.
 */
struct walk {
	struct ss_parts *parts;
	struct ss_inspect_rules rules;
	const char *names[SMTPSPLICE_LIST_MAX];
	bool infected;
	struct ss_engine_finding virus;
	char path[SS_INSPECT_NAME_SIZE];
	unsigned int depth;
	const char *around;
	bool outermost;
	struct ss_inspect_finding within;
	GHashTable *seen;
};

static void cleanup_tree(struct ss_mime_tree **tree)
{
	ss_mime_free(*tree);
}

static void cleanup_walk(struct walk **walk)
{
	free(*walk);
}

/**
 * struct mail - A message that is a file.
 * @walk: the walk
 * @path: the file, with those that it is in
 * @outermost: as in struct walk
 */
struct mail {
	struct walk *walk;
	const char *path;
	bool outermost;
};

static void fail(struct ss_parts *parts, const char *why)
{
	parts->failed = true;
	snprintf(parts->why, sizeof(parts->why), "%s", why);
}

static void note_limit(struct ss_parts *parts, const char *limit)
{
	if (!parts->limit[0])
		snprintf(parts->limit, sizeof(parts->limit), "%s", limit);
}

/*
 * Count a scan, since the number of scans is bounded; where there is to be none, the
 * message is told to be over a limit, or late. Return: milliseconds that the scan may
 * take, or 0: there is none.
 */
static uint64_t take_time(struct ss_parts *parts)
{
	uint64_t now = ss_process_now();

	if (now >= parts->end) {
		parts->missed = true;
		return 0;
	}
	if (parts->scans++ < MAX_SCANS)
		return parts->end - now;
	note_limit(parts, "Smtpsplice.Scan.Limit");
	return 0;
}

/* Scan one file, or message. Return: whether it is infected. */
static bool scan_one(struct ss_parts *parts, int fd, struct ss_engine_finding *finding)
{
	uint64_t time = take_time(parts);
	enum ss_engine_outcome outcome;

	if (!time)
		return false;
	outcome = ss_engine_scan(parts->engine, fd, time, finding);
	parts->partial |= finding->partial;
	switch (outcome) {
	case SS_ENGINE_INFECTED:
		if (!parts->virus[0])
			memcpy(parts->virus, finding->text, sizeof(parts->virus));
		return true;
	case SS_ENGINE_LIMITED:
		note_limit(parts, finding->text);
		break;
	case SS_ENGINE_LATE:
		parts->missed = true;
		break;
	case SS_ENGINE_FAILED:
		fail(parts, finding->text);
		break;
	case SS_ENGINE_CLEAN:
		break;
	}
	return false;
}

static void scan_file(struct walk *walk, const char *path, int fd);

/* A member of an archive, a file in TNEF, or one in a text */
static void scan_inner(void *arg, const char *path, int fd)
{
	scan_file(arg, path, fd);
}

static void look_at_mail(void *arg, const char *path, int fd);

static void make_rules(struct walk *r)
{
	const struct ss_av_profile *p = r->parts->profile;

	for (unsigned int i = 0; i < p->name_count; i++)
		r->names[i] = p->names[i];
	r->rules.executables = p->executables == SMTPSPLICE_EXECUTABLES_VIRUS;
	r->rules.patterns = r->names;
	r->rules.pattern_count = p->name_count;
	for (unsigned int i = 0; i < p->type_count; i++) {
		int type = ss_file_types_find(p->types[i]);

		if (type >= 0)
			r->rules.types |= 1ull << type;
	}
	r->rules.allow.hash = p->allow.hash;
	r->rules.allow.count = p->allow.count;
	r->rules.block.hash = p->block.hash;
	r->rules.block.count = p->block.count;
	r->rules.nest_limit = p->nest_limit;
	r->rules.octet_limit = p->uncompressed_limit;
	r->rules.budget = &r->parts->budget;
	r->rules.end = r->parts->end;
	r->rules.scan = scan_inner;
	r->rules.mail = look_at_mail;
	r->rules.arg = r;
}

/* Add findings to others; of each kind the one that was found first counts */
static void merge_findings(struct ss_inspect_finding *all, const struct ss_inspect_finding *one)
{
	for (int kind = 0; kind < SS_KIND_COUNT; kind++)
		if (one->found & ~all->found & SS_KIND_BIT(kind))
			all->detail[kind] = one->detail[kind];
	all->found |= one->found;
}

/* A text has no name, but a file in it has one */
static const char *find_name(const struct walk *walk, const char *name,
			     const struct ss_inspect_finding *finding)
{
	if (!*name && walk->infected)
		return walk->path;
	for (int kind = 0; !*name && kind < SS_KIND_COUNT; kind++)
		if (finding->found & SS_KIND_BIT(kind))
			name = finding->detail[kind].name;
	return name;
}

static void note_bad(const struct walk *walk, const char *name, int fd,
		     const struct ss_inspect_finding *finding, const char *virus)
{
	struct ss_parts *parts = walk->parts;
	struct ss_parts_bad *bad;

	if (parts->bad_count++ >= SS_PARTS_BAD_MAX)
		return;
	bad = &parts->bad[parts->bad_count - 1];
	bad->index = parts->index - 1;
	bad->found = finding->found;
	bad->infected = virus;
	bad->allowed = finding->allowed;
	snprintf(bad->virus, sizeof(bad->virus), "%s", virus ? virus : "");
	snprintf(bad->name, sizeof(bad->name), "%s", find_name(walk, name, finding));
	if (ss_inspect_hash(fd, bad->hash))
		memset(bad->hash, 0, sizeof(bad->hash));
}

static void note_first(struct ss_inspect_finding *finding, enum ss_kind kind, const char *name)
{
	struct ss_inspect_finding one = { .found = SS_KIND_BIT(kind) };

	snprintf(one.detail[kind].name, sizeof(one.detail[kind].name), "%s", name);
	merge_findings(finding, &one);
}

static bool note_infected(struct walk *walk, const char *path,
			  const struct ss_engine_finding *finding)
{
	walk->infected = true;
	walk->virus = *finding;
	snprintf(walk->path, sizeof(walk->path), "%s", path);
	return true;
}

/* Return: what a message is scanned as, or -1 where it is beyond what it may cost */
static int copy_mail(struct ss_parts *parts, const char *data, size_t len)
{
	int fd;

	parts->copied += len;
	if (parts->copied > MAX_COPIED) {
		note_limit(parts, "Smtpsplice.Scan.Limit");
		return -1;
	}
	fd = ss_message_make_mail(data, len);
	if (fd < 0)
		fail(parts, strerror(-fd));
	return fd;
}

/*
 * A nested message: the engine may take it for something else by its first line.
 * Return: whether it is infected.
 */
static bool scan_nested(struct ss_parts *parts, const struct ss_mime_part *part,
			struct ss_engine_finding *finding)
{
	struct ss_file_map map __cleanup(ss_file_unmap) = SS_FILE_EMPTY;
	int fd __cleanup(ss_cleanup_fd) = ss_mime_part_message(part);
	int copy __cleanup(ss_cleanup_fd) = -1;
	int ret = fd < 0 ? fd : ss_file_map(&map, fd);

	if (ret) {
		fail(parts, strerror(-ret));
		return false;
	}
	copy = copy_mail(parts, map.data, map.len);
	return copy >= 0 && scan_one(parts, copy, finding);
}

/* A message in mail in S/MIME or in a file. The outermost one there was scanned already. */
static void scan_inner_message(struct walk *walk, const char *path,
			       const struct ss_mime_part *part, bool *outermost)
{
	struct ss_engine_finding finding;

	if (*outermost && !walk->infected && scan_nested(walk->parts, part, &finding))
		note_infected(walk, path, &finding);
	*outermost = true;
}

/* Scan a file by itself. Return: whether nothing is found in it, or in the part. */
static bool scan_plain(struct walk *walk, const char *path, int fd)
{
	struct ss_engine_finding finding;

	if (walk->infected)
		return false;
	return !scan_one(walk->parts, fd, &finding) || !note_infected(walk, path, &finding);
}

/* A leaf of a message that is a file: its rules are those of an archive's member */
static void look_at_leaf(struct walk *walk, const char *path, int fd, bool text)
{
	struct ss_inspect_rules rules = walk->rules;
	struct ss_inspect_finding finding;
	int ret;

	rules.allow.count = 0;
	ret = ss_inspect_look(walk->parts->inspect, fd, path, &rules, &finding);
	merge_findings(&walk->within, &finding);
	if (ret)
		fail(walk->parts, strerror(-ret));
	/* nobody opens that as a message, and each paragraph of a digest looks like one */
	if (text)
		scan_plain(walk, path, fd);
	else
		scan_file(walk, path, fd);
}

static bool look_in_file(const struct ss_mime_part *part, void *arg)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	struct mail *mail = arg;
	struct walk *walk = mail->walk;
	const char *name = ss_mime_part_name(part);
	char path[SS_INSPECT_NAME_SIZE];

	snprintf(path, sizeof(path), "%s%s%s", mail->path, *mail->path && name ? "/" : "",
		 name ?: "");
	if (ss_mime_part_is_message(part))
		scan_inner_message(walk, path, part, &mail->outermost);
	fd = ss_mime_part_decode(part);
	if (fd == -ENOENT)
		return true;
	if (fd < 0) {
		fail(walk->parts, strerror(-fd));
		return true;
	}
	look_at_leaf(walk, path, fd, ss_mime_part_is_text(part));
	return !walk->infected && !walk->parts->missed;
}

/* A file that is a message to some reader, with all that is in it */
static void scan_mail(struct walk *walk, const char *path, const char *data, size_t len)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	struct mail mail = { .walk = walk, .path = path };
	struct ss_parts *parts = walk->parts;
	struct ss_engine_finding finding;
	struct ss_mime_tree *tree;
	char *hash;

	hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)data, len);
	if (!g_hash_table_add(walk->seen, hash))
		return;
	if (walk->depth >= parts->profile->nest_limit) {
		note_first(&walk->within, SS_KIND_NESTED, path);
		return;
	}
	if (walk->depth >= MAX_DEPTH) {
		note_limit(parts, "Smtpsplice.Mime.Limit");
		return;
	}
	fd = copy_mail(parts, data, len);
	if (fd < 0)
		return;
	if (scan_one(parts, fd, &finding)) {
		note_infected(walk, path, &finding);
		return;
	}
	tree = ss_mime_parse(fd);
	if (!tree) {
		fail(parts, "MIME structure cannot be read");
		return;
	}
	walk->depth++;
	if (!ss_mime_walk(tree, look_in_file, &mail))
		note_limit(parts, "Smtpsplice.Mime.Limit");
	walk->depth--;
	ss_mime_free(tree);
}

/* Scan a file by itself, and as a message where it is one to some reader */
static void scan_file(struct walk *walk, const char *path, int fd)
{
	struct ss_file_map map __cleanup(ss_file_unmap) = SS_FILE_EMPTY;
	bool partial = walk->parts->partial;
	const char *message;
	int ret;

	if (!scan_plain(walk, path, fd))
		return;
	ret = ss_file_map(&map, fd);
	if (ret) {
		fail(walk->parts, strerror(-ret));
		return;
	}
	message = ss_mime_find_message(map.data, map.len);
	if (!message)
		return;
	scan_mail(walk, path, message, map.data + map.len - message);
	/* a text about fragments is none */
	walk->parts->partial = partial;
}

/* Scan a leaf, unless it would be neither news nor named, nor taken out */
static void scan_leaf(struct walk *walk, const char *name, int fd)
{
	struct ss_parts *parts = walk->parts;

	if (parts->each && parts->bad_count > SS_PARTS_BAD_MAX)
		return;
	scan_file(walk, name, fd);
	parts->late |= parts->missed;
}

/* Return: 0, or an errno where it is not the part's fault */
static int look_into(const struct walk *walk, const struct ss_mime_part *part, int fd,
		     const char *name, struct ss_inspect_finding *finding)
{
	int coded __cleanup(ss_cleanup_fd) = -1;
	const struct ss_inspect *inspect = walk->parts->inspect;
	struct ss_inspect_finding other;
	int ret = ss_inspect_look(inspect, fd, name, &walk->rules, finding);

	if (ret || finding->allowed)
		return ret;
	/* the name that is in uuencode counts as well */
	coded = ss_mime_part_uuencoded(part);
	if (coded < 0)
		return coded == -ENOENT ? 0 : coded;
	ret = ss_inspect_look(inspect, coded, name, &walk->rules, &other);
	if (*name) {
		merge_findings(finding, &other);
	} else {
		merge_findings(&other, finding);
		*finding = other;
	}
	return ret;
}

/* A part of mail in S/MIME: as one of the message, but that is replaced as a whole */
static bool look_within(const struct ss_mime_part *part, void *arg)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	struct walk *walk = arg;
	struct ss_parts *parts = walk->parts;
	const char *name = ss_mime_part_name(part) ?: "";
	struct ss_inspect_finding finding = {};
	char path[SS_INSPECT_NAME_SIZE];
	int ret;

	snprintf(path, sizeof(path), "%s%s%s", walk->around,
		 *walk->around && *name ? "/" : "", name);
	parts->partial |= ss_mime_part_is_partial(part);
	if (ss_mime_part_is_encrypted(part))
		note_first(&walk->within, SS_KIND_ENVELOPED, path);
	if (ss_mime_part_is_message(part))
		scan_inner_message(walk, path, part, &walk->outermost);
	fd = ss_mime_part_decode(part);
	if (fd == -ENOENT)
		return true;
	if (fd < 0) {
		fail(parts, strerror(-fd));
		return true;
	}
	scan_inner(walk, path, fd);
	ret = look_into(walk, part, fd, path, &finding);
	if (ret)
		fail(parts, strerror(-ret));
	merge_findings(&walk->within, &finding);
	return true;
}

/* Scan what another reader may take for the content of a part */
static bool scan_reading(const void *data, size_t len, void *arg)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	struct walk *walk = arg;

	fd = memfd_create("smtpsplice-reading", MFD_CLOEXEC);
	if (fd < 0 || ss_file_write(fd, data, len)) {
		fail(walk->parts, strerror(EIO));
		return false;
	}
	scan_inner(walk, walk->around, fd);
	return !walk->infected && !walk->parts->missed;
}

/* Scan all that readers may see in mail, as scanner/scan.c does it (THREATS E1, E4) */
static void scan_readings(struct walk *walk, struct ss_message *copy)
{
	struct ss_parts *parts = walk->parts;
	const char *text = copy->map + copy->head;
	size_t len = copy->len - copy->head;
	uint32_t flags = ss_ambiguity_check(text, len);
	int ret = 0;

	scan_plain(walk, walk->around, copy->fd);
	if (flags & ~(uint32_t)SS_AMBIGUITY_LIMIT &&
	    parts->profile->ambiguity == SMTPSPLICE_AMBIGUITY_MONITOR)
		ret = ss_lenient_all(text, len, scan_reading, walk);
	if ((flags & SS_AMBIGUITY_LIMIT || ret == -E2BIG) && !parts->limit[0])
		snprintf(parts->limit, sizeof(parts->limit), "Smtpsplice.Mime.Limit");
	else if (ret && ret != -E2BIG)
		fail(parts, strerror(-ret));
	parts->ambiguous |= flags & ~(uint32_t)SS_AMBIGUITY_LIMIT;
}

static void look_at_copy(struct walk *walk, struct ss_message *copy)
{
	struct ss_mime_tree *tree __cleanup(cleanup_tree) = ss_mime_parse(copy->fd);
	struct ss_parts *parts = walk->parts;

	/* the parts first, since each has a name to be told */
	if (!tree)
		fail(parts, strerror(EIO));
	else if (!ss_mime_walk(tree, look_within, walk) && !parts->limit[0])
		snprintf(parts->limit, sizeof(parts->limit), "Smtpsplice.Mime.Limit");
	scan_readings(walk, copy);
	if (!ss_nested_has_bare_cr(copy))
		return;
	/* last, since the tree is read from the same file */
	ss_dots_bare_cr(copy->map + copy->head, copy->len - copy->head);
	scan_plain(walk, walk->around, copy->fd);
}

/* Look at mail that was signed, or compressed, by S/MIME */
static void look_at_mail(void *arg, const char *path, int fd)
{
	struct ss_message copy __cleanup(ss_message_cleanup) = SS_MESSAGE_NONE;
	struct walk *inner __cleanup(cleanup_walk) = NULL;
	struct walk *walk = arg;
	struct ss_parts *parts = walk->parts;
	int ret;

	/* there is no time for it, which is told already */
	if (parts->missed)
		return;
	ret = ss_nested_make(&copy, fd);
	if (ret == -ENOENT)
		return;
	if (walk->depth >= parts->profile->nest_limit) {
		note_first(&walk->within, SS_KIND_NESTED, path);
		return;
	}
	inner = ret ? NULL : calloc(1, sizeof(*inner));
	if (!inner) {
		fail(parts, strerror(-(ret ? ret : -ENOMEM)));
		return;
	}
	inner->parts = parts;
	inner->depth = walk->depth + 1;
	inner->around = path;
	inner->seen = walk->seen;
	make_rules(inner);
	/* what is allowed by its hash is an attachment */
	inner->rules.allow.count = 0;
	look_at_copy(inner, &copy);
	merge_findings(&walk->within, &inner->within);
	/* the mail as a whole has no name, a part of it may have one */
	if (!inner->infected || (walk->infected && *walk->path))
		return;
	walk->infected = true;
	walk->virus = inner->virus;
	memcpy(walk->path, inner->path, sizeof(walk->path));
}

static bool look_at_part(const struct ss_mime_part *part, void *arg)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	struct walk *walk = arg;
	struct ss_parts *parts = walk->parts;
	struct ss_inspect_finding finding = {};
	const char *name = ss_mime_part_name(part) ?: "", *found;
	struct ss_engine_finding nested;
	int ret;

	walk->infected = false;
	memset(&walk->within, 0, sizeof(walk->within));
	g_hash_table_remove_all(walk->seen);
	/* the outermost one was scanned already */
	if (parts->index++ && ss_mime_part_is_message(part) && !parts->each)
		scan_nested(parts, part, &nested);
	if (ss_mime_part_is_encrypted(part))
		note_first(&parts->found, SS_KIND_ENVELOPED, name);
	if (ss_mime_part_is_attachment(part)) {
		parts->attachments++;
		snprintf(parts->name, sizeof(parts->name), "%s", name);
	}
	fd = ss_mime_part_decode(part);
	if (fd == -ENOENT)
		return true;
	if (fd < 0) {
		fail(parts, strerror(-fd));
		return true;
	}
	ret = look_into(walk, part, fd, name, &finding);
	if (ret) {
		fail(parts, strerror(-ret));
		return true;
	}
	scan_leaf(walk, name, fd);
	if (!finding.allowed)
		merge_findings(&finding, &walk->within);
	merge_findings(&parts->found, &finding);
	found = walk->infected ? walk->virus.text : NULL;
	if (found || finding.found & (REFUSED | parts->profile->archive_block <<
				      SS_KIND_ENCRYPTED))
		note_bad(walk, name, fd, &finding, found);
	return true;
}

bool ss_parts_walk(struct ss_parts *parts, const struct ss_mime_tree *tree)
{
	struct walk walk = { .parts = parts, .around = "" };
	bool all;

	parts->budget.octets = MAX_UNPACKED;
	parts->budget.members = MAX_MEMBERS;
	walk.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	make_rules(&walk);
	all = ss_mime_walk(tree, look_at_part, &walk);
	g_hash_table_destroy(walk.seen);
	return all;
}

bool ss_parts_all_allowed(const struct ss_parts *parts)
{
	bool some = false;

	if (parts->late || parts->missed || parts->failed || parts->bad_count > SS_PARTS_BAD_MAX)
		return false;
	for (unsigned int i = 0; i < parts->bad_count; i++) {
		if (!parts->bad[i].infected)
			continue;
		if (!parts->bad[i].allowed)
			return false;
		some = true;
	}
	return some;
}
