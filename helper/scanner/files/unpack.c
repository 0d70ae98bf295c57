// SPDX-License-Identifier: GPL-2.0
/*
 * The members of an archive, by libarchive, one format and one compression at a
 * time: a stack of compressions within libarchive could grow to any size between
 * two calls. What is no archive, but has files in it, has a reader of its own. Each
 * member goes to a memory file, within the walk's limits.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <archive.h>
#include <archive_entry.h>

#include "common/file_types.h"
#include "lib/cleanup.h"
#include "lib/process.h"
#include "scanner/files/unpack.h"

/* Content of more than so many times the archive is not honest */
#define BOMB_RATIO	200u
#define BOMB_BYTES	(16u << 20)	/* but may be as large as this */
#define FEED_BYTES	4096u		/* of a compressed file, between looks at the clock */
#define BLOCK_BYTES	(64u << 10)	/* of another one: up to the limit by so much */
#define NAME_SIZE	1024u

/**
 * struct reader - An open archive.
 * @walk: the limits
 * @in: libarchive's
 * @open: libarchive has it open, and takes questions about encryption
 * @data: the archive
 * @size: its bytes
 * @fed: those that libarchive has got, of a compressed file
 * @out: bytes that came out of it
 * @found: SS_KIND_BIT() of what is wrong
 * @good: members that were read
 * @bad: members that were not
 */
struct reader {
	struct ss_unpack_walk *walk;
	struct archive *in;
	bool open;
	const uint8_t *data;
	uint64_t size;
	uint64_t fed;
	uint64_t out;
	uint32_t found;
	unsigned int good;
	unsigned int bad;
};

static void cleanup_archive(struct archive **archive)
{
	if (*archive)
		archive_read_free(*archive);
}

static void stop_walk(struct reader *r, enum ss_kind kind)
{
	r->found |= SS_KIND_BIT(kind);
	r->walk->stop = true;
}

static void fail(struct reader *r, int error)
{
	r->walk->error = error;
	r->walk->stop = true;
}

/*
 * Note what an error of libarchive's means. It has hardly any codes, so its words count.
 * An error within what is encrypted is no news, and an archive that takes more memory
 * than there is lies.
 */
static void judge_error(struct reader *r)
{
	const char *text = archive_error_string(r->in);

	if (r->walk->stop || r->found & SS_KIND_BIT(SS_KIND_ENCRYPTED))
		return;
	if ((r->open && archive_read_has_encrypted_entries(r->in) > 0) ||
	    (text && (strcasestr(text, "encrypt") || strcasestr(text, "passphrase"))))
		r->found |= SS_KIND_BIT(SS_KIND_ENCRYPTED);
	else if (archive_errno(r->in) == ENOMEM ||
		 (text && (strcasestr(text, "support") || strcasestr(text, "codec ID"))))
		r->found |= SS_KIND_BIT(SS_KIND_UNHANDLED);
	else
		r->bad++;
}

/* Bytes that may still come out: @fn may have taken some of what is shared */
static uint64_t bytes_left(const struct ss_unpack_walk *walk)
{
	const struct ss_unpack_budget *shared = walk->shared;

	return shared && shared->octets < walk->octets ? shared->octets : walk->octets;
}

/* Take @bytes off what is left. Return: whether there were so many. */
static bool spend_bytes(struct reader *r, uint64_t bytes)
{
	if (ss_process_now() >= r->walk->end) {
		stop_walk(r, SS_KIND_TIMEOUT);
		return false;
	}
	r->out += bytes;
	if (bytes > bytes_left(r->walk) ||
	    (r->out > BOMB_BYTES && r->out / BOMB_RATIO > r->size)) {
		stop_walk(r, SS_KIND_MAILBOMB);
		return false;
	}
	r->walk->octets -= bytes;
	if (r->walk->shared)
		r->walk->shared->octets -= bytes;
	return true;
}

static bool write_at(int fd, const char *data, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= n;
		at += n;
	}
	return true;
}

/* Add a block to a member's file, which is made for the first. A hole counts. */
static bool add_block(struct reader *r, int *fd, uint64_t *used, const void *data,
		      size_t len, int64_t at)
{
	uint64_t hole;

	if (at < 0 || (uint64_t)at < *used) {
		r->bad++;
		return false;
	}
	hole = at - *used;
	if (hole > bytes_left(r->walk) || !spend_bytes(r, hole + len)) {
		if (!r->walk->stop)
			stop_walk(r, SS_KIND_MAILBOMB);
		return false;
	}
	if (*fd < 0)
		*fd = memfd_create("smtpsplice-member", MFD_CLOEXEC);
	if (*fd < 0 || !write_at(*fd, data, len, at)) {
		fail(r, errno ? -errno : -EIO);
		return false;
	}
	*used = at + len;
	return true;
}

/* Return: a memory file with as much of the member as there is, or -1 */
static int read_content(struct reader *r)
{
	uint64_t used = 0;
	int fd = -1, ret;

	for (;;) {
		const void *data;
		int64_t at;
		size_t len;

		ret = archive_read_data_block(r->in, &data, &len, &at);
		if (ret != ARCHIVE_OK)
			break;
		if (!len) {
			if (!spend_bytes(r, 0))
				return fd;
		} else if (!add_block(r, &fd, &used, data, len, at)) {
			return fd;
		}
	}
	if (ret == ARCHIVE_EOF)
		r->good++;
	else
		judge_error(r);
	return fd;
}

/* Is it but a mark, or the end of a name, that makes an entry no file in this format? */
static bool marks_types(int format)
{
	return format == ARCHIVE_FORMAT_ZIP || format == ARCHIVE_FORMAT_7ZIP ||
	       format == ARCHIVE_FORMAT_RAR;
}

/*
 * libarchive keeps the content of a link to itself, and in a zip that of all that is
 * marked as no file; a reader that knows no such marks unpacks a file.
 */
static bool hides_content(int format, struct archive_entry *entry)
{
	unsigned int type = archive_entry_filetype(entry);

	if (type == AE_IFLNK)
		return marks_types(format);
	return format == ARCHIVE_FORMAT_ZIP && type && type != AE_IFREG &&
	       archive_entry_size(entry) > 0;
}

/*
 * Folders, links and devices have no content, but a mark does not say so. In a rar 5 the
 * mark is a mode that programs do not go by when they unpack. They go by the flag of a
 * folder, for which libarchive fails to read even no content, and by the record of a
 * link, which leaves the size open.
 */
static bool has_content(int format, struct archive_entry *entry)
{
	unsigned int type = archive_entry_filetype(entry);

	if (!type || type == AE_IFREG)
		return true;
	if (format == ARCHIVE_FORMAT_RAR_V5)
		return !archive_entry_size_is_set(entry) || archive_entry_size(entry) > 0;
	return type != AE_IFLNK && marks_types(format);
}

/* Return: whether there may be one more */
static bool count_member(struct reader *r)
{
	struct ss_unpack_budget *shared = r->walk->shared;

	if (!r->walk->members || (shared && !shared->members)) {
		stop_walk(r, SS_KIND_MAILBOMB);
		return false;
	}
	r->walk->members--;
	if (shared)
		shared->members--;
	return spend_bytes(r, 0);
}

static void read_member(struct reader *r, struct archive_entry *entry, void *arg)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	int format = archive_format(r->in) & ARCHIVE_FORMAT_BASE_MASK;
	const char *name = archive_entry_pathname_utf8(entry);

	if (!name)
		name = archive_entry_pathname(entry);
	if (!count_member(r))
		return;
	if (hides_content(format, entry))
		r->found |= SS_KIND_BIT(SS_KIND_UNHANDLED);
	if (archive_entry_is_encrypted(entry))
		r->found |= SS_KIND_BIT(SS_KIND_ENCRYPTED);
	else if (has_content(format, entry))
		fd = read_content(r);
	if (!r->walk->error)
		r->walk->fn(arg, name ? name : "", fd);
}

/**
 * struct inner - A file that a reader of ours is handing out.
 * @reader: the one that it is in
 * @arg: for the walk's function
 * @begun: there is one
 * @name: its name
 * @fd: a memory file with its bytes, or -1
 * @used: how many
 */
struct inner {
	struct reader *reader;
	void *arg;
	bool begun;
	char name[NAME_SIZE];
	int fd;
	uint64_t used;
};

/* Hand out the file that is complete now */
static void end_inner(struct inner *inner)
{
	struct reader *r = inner->reader;

	if (inner->begun) {
		r->good++;
		if (!r->walk->error)
			r->walk->fn(inner->arg, inner->name, inner->fd);
	}
	ss_cleanup_fd(&inner->fd);
	inner->begun = false;
	inner->used = 0;
}

/* A name may end with a NUL, or be in quotes; of a long one the end counts */
static void set_inner_name(struct inner *inner, const char *name, size_t len)
{
	size_t cut;

	len = strnlen(name, len);
	for (; len && name[len - 1] == '"'; len--)
		;
	for (; len && *name == '"'; len--)
		name++;
	cut = len < NAME_SIZE ? 0 : len - (NAME_SIZE - 1);
	memcpy(inner->name, name + cut, len - cut);
	inner->name[len - cut] = '\0';
}

static bool begin_inner(void *arg, const char *name, size_t len)
{
	struct inner *inner = arg;

	end_inner(inner);
	if (inner->reader->walk->stop || !count_member(inner->reader))
		return false;
	set_inner_name(inner, name, len);
	inner->begun = true;
	return true;
}

static bool add_inner(void *arg, const uint8_t *data, size_t len)
{
	struct inner *inner = arg;

	while (len) {
		size_t some = len < BLOCK_BYTES ? len : BLOCK_BYTES;

		if (!add_block(inner->reader, &inner->fd, &inner->used, data, some,
			       (int64_t)inner->used))
			return false;
		data += some;
		len -= some;
	}
	return true;
}

static void read_inner(struct reader *r, const struct ss_format *format, void *arg)
{
	struct inner inner = { .reader = r, .arg = arg, .fd = -1 };
	const struct ss_extract_sink take = {
		.file = begin_inner, .octets = add_inner, .arg = &inner,
	};
	bool sound = format->read(r->data, r->size, &take);

	end_inner(&inner);
	if (!sound && !r->walk->stop)
		r->bad++;
}

/* Compare counts: libarchive leaves entries out of which several share their bytes */
static void check_count(struct reader *r)
{
	int format = archive_format(r->in) & ARCHIVE_FORMAT_BASE_MASK;
	unsigned int count;

	if (format != ARCHIVE_FORMAT_ZIP)
		return;
	count = ss_format_zip_count(r->data, r->size);
	if (count && count != (unsigned int)archive_file_count(r->in))
		r->bad++;
}

static void read_members(struct reader *r, void *arg)
{
	struct archive_entry *entry;
	int ret = ARCHIVE_OK;

	while (!r->walk->stop) {
		ret = archive_read_next_header(r->in, &entry);
		if (ret != ARCHIVE_OK && ret != ARCHIVE_WARN)
			break;
		read_member(r, entry, arg);
	}
	if (ret == ARCHIVE_EOF)
		check_count(r);
	else if (ret != ARCHIVE_OK && ret != ARCHIVE_WARN)
		judge_error(r);
}

/* Give libarchive the next bytes: one that goes on without any output ends here */
static la_ssize_t feed_archive(struct archive *in, void *arg, const void **data)
{
	struct reader *r = arg;
	uint64_t room = r->size - r->fed;

	if (!spend_bytes(r, 0)) {
		archive_set_error(in, ETIMEDOUT, "out of time");
		return ARCHIVE_FATAL;
	}
	*data = r->data + r->fed;
	if (room > FEED_BYTES)
		room = FEED_BYTES;
	r->fed += room;
	return (la_ssize_t)room;
}

static int open_compressed(struct reader *r, const struct ss_format *format)
{
	int ret = format->filter ? archive_read_append_filter(r->in, format->filter) :
				   format->support(r->in);

	/* A warning: by a program, which is not to be started */
	if (ret == ARCHIVE_OK)
		ret = archive_read_support_format_raw(r->in);
	if (ret == ARCHIVE_OK)
		ret = archive_read_open(r->in, r, NULL, feed_archive, NULL);
	if (ret == ARCHIVE_OK && archive_filter_count(r->in) > 2) {
		archive_set_error(r->in, EINVAL, "unsupported: compressed twice");
		ret = ARCHIVE_FATAL;
	}
	return ret;
}

static int open_archive(struct reader *r, const struct ss_format *format)
{
	size_t size = format->end ? format->end(r->data, r->size) : r->size;
	int ret;

	if (format->compression)
		return open_compressed(r, format);
	ret = format->support(r->in);
	return ret == ARCHIVE_OK ? archive_read_open_memory(r->in, r->data, size) : ret;
}

static void read_archive(struct reader *r, const struct ss_format *format, void *arg)
{
	struct archive *in __cleanup(cleanup_archive) = archive_read_new();

	if (!in) {
		fail(r, -ENOMEM);
		return;
	}
	r->in = in;
	r->open = open_archive(r, format) == ARCHIVE_OK;
	if (r->open)
		read_members(r, arg);
	else
		judge_error(r);
}

uint32_t ss_unpack_read(struct ss_unpack_walk *walk, const struct ss_format_hit *hit,
			const uint8_t *data, size_t len, void *arg)
{
	const struct ss_format *format = hit->format;
	struct reader r = {
		.walk = walk, .data = data + hit->at, .size = len - hit->at,
	};

	if (format->traits)
		r.found |= format->traits(r.data, r.size);
	if (format->read)
		read_inner(&r, format, arg);
	else if (format->support)
		read_archive(&r, format, arg);
	else
		r.found |= SS_KIND_BIT(SS_KIND_UNHANDLED);
	if (r.bad)
		r.found |= SS_KIND_BIT(r.good ? SS_KIND_PARTIALLYCORRUPTED :
				       SS_KIND_CORRUPTED);
	return r.found;
}
