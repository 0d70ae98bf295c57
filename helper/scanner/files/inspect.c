// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at a file: what it is by its bytes, its name and its hash, and the same for what
 * is in it if it is an archive. TNEF, and a text with files in it, count as archives.
 * libmagic's database is loaded once, before the workers are forked; the look runs in
 * a worker, and all that it looks at is hostile.
 */
#include <errno.h>
#include <fnmatch.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <glib.h>
#include <magic.h>

#include "lib/cleanup.h"
#include "lib/file.h"
#include "scanner/files/inspect.h"
#include "scanner/files/unpack.h"

/* As many as libclamav may have, see scanner/engine.c */
#define MAX_BYTES	(400ull << 20)
#define MAX_MEMBERS	10000u
/* Bytes of a file that libmagic gets: it needs few, and takes its time for many */
#define MAGIC_BYTES	(128u << 10)
#define MAX_NAME	255u		/* of a file; beyond, its end counts */
#define PDF_BYTES	1024u		/* a reader takes the mark anywhere in these */

/**
 * struct ss_inspect - What is loaded once.
 * @magic: libmagic's
 * @locale: with UTF-8, for libarchive and fnmatch()
 */
struct ss_inspect {
	magic_t magic;
	locale_t locale;
};

/**
 * struct look - A look into one attachment.
 * @inspect: what is loaded
 * @rules: the caller's
 * @finding: the caller's
 * @walk: what is left for archives
 * @nest_limit: levels to open
 */
struct look {
	const struct ss_inspect *inspect;
	const struct ss_inspect_rules *rules;
	struct ss_inspect_finding *finding;
	struct ss_unpack_walk walk;
	unsigned int nest_limit;
};

/**
 * struct file - A file that is being looked at.
 * @look: the look
 * @name: its own name, no folders
 * @path: with the archives that it is in
 * @depth: how many those are
 */
struct file {
	struct look *look;
	char name[MAX_NAME + 1];
	char path[SS_INSPECT_NAME_SIZE];
	unsigned int depth;
};

/**
 * struct opened - An archive while its members are taken.
 * @file: the file that it is
 * @format: as what it is read
 */
struct opened {
	struct file *file;
	const struct ss_format *format;
};

static void look_at(struct file *file, int fd);

static int compare_hashes(const void *a, const void *b)
{
	return memcmp(a, b, SS_INSPECT_HASH_SIZE);
}

static bool has_hash(const struct ss_inspect_hashes *list,
		     const unsigned char hash[SS_INSPECT_HASH_SIZE])
{
	return list->count && bsearch(hash, list->hash, list->count,
				      SS_INSPECT_HASH_SIZE, compare_hashes);
}

/* Note what a file is; of each kind the first file is the one that is named */
static void note_kind(const struct file *file, enum ss_kind kind, const char *what)
{
	struct ss_inspect_finding *finding = file->look->finding;
	struct ss_inspect_detail *detail = &finding->detail[kind];

	if (finding->found & SS_KIND_BIT(kind))
		return;
	finding->found |= SS_KIND_BIT(kind);
	snprintf(detail->name, sizeof(detail->name), "%s", file->path);
	snprintf(detail->what, sizeof(detail->what), "%s", what);
}

static void note_all(const struct file *file, uint32_t found)
{
	for (int kind = 0; kind < SS_KIND_COUNT; kind++)
		if (found & SS_KIND_BIT(kind))
			note_kind(file, kind, "");
}

/*
 * The name without folders. Of one that is too long for a file the end counts,
 * and Windows does without dots and spaces at the end.
 */
static void take_name(char name[MAX_NAME + 1], const char *path)
{
	size_t end = strlen(path), start;

	while (end && strchr("/\\. ", path[end - 1]))
		end--;
	start = end;
	while (start && path[start - 1] != '/' && path[start - 1] != '\\')
		start--;
	if (end - start > MAX_NAME)
		start = end - MAX_NAME;
	memcpy(name, path + start, end - start);
	name[end - start] = '\0';
}

static void look_at_name(const struct file *file, const char *name)
{
	const struct ss_inspect_rules *rules = file->look->rules;

	for (size_t i = 0; i < rules->pattern_count; i++) {
		if (!fnmatch(rules->patterns[i], name, FNM_CASEFOLD)) {
			note_kind(file, SS_KIND_NAME, rules->patterns[i]);
			return;
		}
	}
	if (ss_format_is_volume(name))
		note_kind(file, SS_KIND_MULTIPART, "");
}

/*
 * Is it a program of Windows or DOS? A text may begin with MZ, but has no NUL; nor need
 * the head of a large PE have one.
 */
static bool is_executable(const struct ss_file_map *map)
{
	const uint8_t *data = (const uint8_t *)map->data;
	uint32_t at;

	if (map->len < 2 || memcmp(data, "MZ", 2))
		return false;
	if (memchr(data, '\0', map->len < 64 ? map->len : 64))
		return true;
	if (map->len < 64)
		return false;
	at = data[60] | data[61] << 8 | data[62] << 16 | (uint32_t)data[63] << 24;
	return at <= map->len - 4 && !memcmp(data + at, "PE\0\0", 4);
}

/* The types that need no more than a look at their first bytes */
static const char *own_type(const struct ss_file_map *map)
{
	static const struct {
		const char *word;
		const char *magic;
		size_t size;
	} marks[] = {
		{ "elf", "\x7f\x45LF", 4 },
		{ "chm", "ITSF", 4 },
		{ "lnk", "\x4c\0\0\0\x01\x14\x02\0", 8 },
		{ "rtf", "{\\rt", 4 },	/* Word wants no more than that */
	};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (map->len >= marks[i].size &&
		    !memcmp(map->data, marks[i].magic, marks[i].size))
			return marks[i].word;
	if (memmem(map->data, map->len < PDF_BYTES ? map->len : PDF_BYTES, "%PDF-", 5))
		return "pdf";
	return NULL;
}

/* A document that is a zip is not called one: who blocks zips does not mean it */
static const char *zip_type(const struct ss_file_map *map)
{
	static const char odf[] = "mimetypeapplication/vnd.oasis.opendocument.";
	static const char office[] = "[Content_Types].xml";

	if (map->len >= 30 + sizeof(odf) - 1 &&
	    !memcmp(map->data + 30, odf, sizeof(odf) - 1))
		return "odf";
	return memmem(map->data, map->len, office, sizeof(office) - 1) ? "msofficex" : "zip";
}

static uint64_t type_bit(const char *word)
{
	int type = word ? ss_file_types_find(word) : -1;

	return type >= 0 ? 1ull << type : 0;
}

static uint64_t magic_type(const struct ss_inspect *inspect, const struct ss_file_map *map)
{
	static const char mark[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
	bool ole = map->len >= sizeof(mark) - 1 && !memcmp(map->data, mark, sizeof(mark) - 1);
	const char *mime;
	int type;

	/* The folder of an OLE file, which tells what it is, may be at its end */
	mime = magic_buffer(inspect->magic, map->data,
			    ole || map->len < MAGIC_BYTES ? map->len : MAGIC_BYTES);
	type = mime ? ss_file_types_of_mime(mime) : -1;
	if (type < 0 && ole)
		return type_bit("msoffice");
	return type >= 0 ? 1ull << type : 0;
}

static void look_at_types(const struct file *file, const struct ss_file_map *map, bool executable,
			  const struct ss_format_hit *hits, size_t count)
{
	const struct look *look = file->look;
	uint64_t zip = type_bit("zip"), types = type_bit(own_type(map));

	if (executable)
		types |= type_bit("exe");
	for (size_t i = 0; i < count; i++)
		types |= type_bit(hits[i].format->word);
	if (types & zip)
		types = (types & ~zip) | type_bit(zip_type(map));
	else
		types |= magic_type(look->inspect, map);
	types &= look->rules->types;
	if (types)
		note_kind(file, SS_KIND_TYPE, ss_file_types_name(__builtin_ctzll(types)));
}

/* Add a name to the path. A file without one, as the text of a message, adds no step. */
static void set_path(struct file *member, const struct file *file, const char *name)
{
	size_t len = strlen(file->path);

	memcpy(member->path, file->path, len);
	if (len && *name && len < sizeof(member->path) - 1)
		member->path[len++] = '/';
	snprintf(member->path + len, sizeof(member->path) - len, "%s", name);
}

/* Name what was compressed: gzip and its like make "setup.exe.gz" of "setup.exe" */
static void name_uncompressed(struct file *member, const struct file *file,
			      const char *stored)
{
	const char *dot = strrchr(file->name, '.');
	size_t len = dot && dot != file->name ? (size_t)(dot - file->name) :
						strlen(file->name);

	memcpy(member->name, file->name, len);
	set_path(member, file, member->name);
	if (strcmp(stored, "data")) {	/* libarchive's word for none */
		char name[MAX_NAME + 1];

		take_name(name, stored);
		look_at_name(member, name);
	}
}

static void look_at_member(void *arg, const char *name, int fd)
{
	const struct opened *opened = arg;
	const struct file *file = opened->file;
	const struct ss_inspect_rules *rules = file->look->rules;
	struct file member = { .look = file->look, .depth = file->depth + 1 };

	if (opened->format->compression) {
		name_uncompressed(&member, file, name);
	} else {
		take_name(member.name, name);
		set_path(&member, file, name);
	}
	if (fd >= 0 && rules->scan)
		rules->scan(rules->arg, member.path, fd);
	if (fd >= 0 && rules->mail && opened->format->mail)
		rules->mail(rules->arg, member.path, fd);
	look_at(&member, fd);
}

static void look_into(struct file *file, const struct ss_file_map *map,
		      const struct ss_format_hit *hits, size_t count)
{
	struct look *look = file->look;

	if (count && file->depth >= look->nest_limit) {
		note_kind(file, SS_KIND_NESTED, "");
		return;
	}
	for (size_t i = 0; i < count && !look->walk.stop; i++) {
		struct opened opened = { .file = file, .format = hits[i].format };
		uint32_t found = ss_unpack_read(&look->walk, &hits[i],
						(const uint8_t *)map->data, map->len,
						&opened);

		note_all(file, found);
	}
}

static void look_at_hash(const struct file *file, int fd)
{
	unsigned char hash[SS_INSPECT_HASH_SIZE];
	struct look *look = file->look;

	if (!look->rules->block.count)
		return;
	look->walk.error = ss_inspect_hash(fd, hash);
	if (!look->walk.error && has_hash(&look->rules->block, hash))
		note_kind(file, SS_KIND_HASH, "");
}

/* Look at a file, of which there is nothing but the name if @fd is -1 */
static void look_at(struct file *file, int fd)
{
	struct ss_format_hit hits[SS_FORMAT_HITS];
	struct ss_file_map map __cleanup(ss_file_unmap) = SS_FILE_EMPTY;
	struct look *look = file->look;
	bool executable;
	size_t count;

	look_at_name(file, file->name);
	if (fd < 0)
		return;
	look->walk.error = ss_file_map(&map, fd);
	if (!look->walk.error)
		look_at_hash(file, fd);
	if (look->walk.error) {
		look->walk.stop = true;
		return;
	}
	if (!map.len)
		return;
	executable = is_executable(&map);
	if (executable && look->rules->executables)
		note_kind(file, SS_KIND_EXECUTABLE, "");
	count = ss_format_sniff((const uint8_t *)map.data, map.len, hits);
	if (look->rules->types)
		look_at_types(file, &map, executable, hits, count);
	look_into(file, &map, hits, count);
}

/* Is the file in the list of those to let alone? Return: 1, 0, or a negative errno. */
static int is_allowed(const struct ss_inspect_rules *rules, int fd)
{
	unsigned char hash[SS_INSPECT_HASH_SIZE];
	int ret;

	if (!rules->allow.count)
		return 0;
	ret = ss_inspect_hash(fd, hash);
	return ret ? ret : has_hash(&rules->allow, hash);
}

static void set_limits(struct look *look, const struct ss_inspect_rules *rules)
{
	look->nest_limit = rules->nest_limit ? rules->nest_limit : SS_INSPECT_NEST_LIMIT;
	if (look->nest_limit > SS_INSPECT_NEST_MAX)
		look->nest_limit = SS_INSPECT_NEST_MAX;
	look->walk.octets = rules->octet_limit && rules->octet_limit < MAX_BYTES ?
			    rules->octet_limit : MAX_BYTES;
	look->walk.members = rules->member_limit ? rules->member_limit : MAX_MEMBERS;
	look->walk.shared = rules->budget;
	look->walk.end = rules->end;
}

static int look_whole(struct look *look, int fd, const char *name)
{
	struct file file = { .look = look };
	int ret = is_allowed(look->rules, fd);

	if (ret) {
		look->finding->allowed = ret > 0;
		return ret > 0 ? 0 : ret;
	}
	set_limits(look, look->rules);
	take_name(file.name, name);
	snprintf(file.path, sizeof(file.path), "%s", name);
	look_at(&file, fd);
	return look->walk.error;
}

int ss_inspect_look(const struct ss_inspect *inspect, int fd, const char *name,
		    const struct ss_inspect_rules *rules,
		    struct ss_inspect_finding *finding)
{
	struct look look = {
		.inspect = inspect, .rules = rules, .finding = finding,
		.walk = { .fn = look_at_member },
	};
	locale_t old;
	int ret;

	memset(finding, 0, sizeof(*finding));
	if (fd < 0)
		return -EBADF;
	old = uselocale(inspect->locale);
	ret = look_whole(&look, fd, name ? name : "");
	uselocale(old);
	return ret;
}

int ss_inspect_hash(int fd, unsigned char hash[SS_INSPECT_HASH_SIZE])
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize size = SS_INSPECT_HASH_SIZE;
	unsigned char buf[16384];
	off_t at = 0;
	ssize_t n;
	int ret;

	while ((n = pread(fd, buf, sizeof(buf), at)) > 0) {
		g_checksum_update(sum, buf, n);
		at += n;
	}
	ret = n < 0 ? -errno : 0;
	g_checksum_get_digest(sum, hash, &size);
	g_checksum_free(sum);
	return ret;
}

struct ss_inspect *ss_inspect_open(void)
{
	struct ss_inspect *inspect = calloc(1, sizeof(*inspect));

	if (!inspect)
		return NULL;
	/* Archives are scanner/files/format.c's; of texts only what the database knows counts */
	inspect->magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS |
				    MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_ELF |
				    MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_JSON);
	inspect->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!inspect->magic || !inspect->locale || magic_load(inspect->magic, NULL)) {
		int error = inspect->magic ? magic_errno(inspect->magic) : 0;

		ss_inspect_close(inspect);
		errno = error ? error : ENOENT;
		return NULL;
	}
	return inspect;
}

void ss_inspect_close(struct ss_inspect *inspect)
{
	if (!inspect)
		return;
	if (inspect->magic)
		magic_close(inspect->magic);
	if (inspect->locale)
		freelocale(inspect->locale);
	free(inspect);
}
