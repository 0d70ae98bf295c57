// SPDX-License-Identifier: GPL-2.0
/*
 * One message: a copy fit for libclamav, the verdict, and what the log and the
 * reply say of it. Runs in a scan worker; all that it is given is hostile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "content.h"
#include "dots.h"
#include "scan.h"
#include "text.h"

#define DEFAULT_FILE	"message"
/* Leave so much of the time for the search for the infected part's name */
#define NAME_SHARE	5

/**
 * struct copy - A mapped file.
 * @fd: the file
 * @map: its content, NULL where it is empty
 * @len: its length in octets
 * @head: octets in front of the message, of our own making
 */
struct copy {
	int fd;
	char *map;
	size_t len;
	size_t head;
};

/**
 * struct naming - The search for the infected part.
 * @engine: scans each part
 * @end: when it has to end, see now_ms()
 * @result: gets the name
 * @attachments: how many have been seen
 * @attachment: name of the last one
 * @found: the part was found
 */
struct naming {
	struct ss_engine *engine;
	uint64_t end;
	struct ss_scan_result *result;
	unsigned int attachments;
	char attachment[SS_MIME_TEXT_SIZE];
	bool found;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void cleanup_copy(struct copy *copy)
{
	if (copy->map)
		munmap(copy->map, copy->len);
	ss_cleanup_fd(&copy->fd);
}

static void cleanup_tree(struct ss_mime_tree **tree)
{
	ss_mime_free(*tree);
}

/* Map the @size octets of the message that the kernel holds */
static int map_message(struct copy *copy, int fd, uint64_t size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	/* The kernel seals it: it cannot get shorter behind our back */
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < size)
		return -EINVAL;
	copy->len = size;
	if (!size)
		return 0;
	copy->map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (copy->map == MAP_FAILED) {
		copy->map = NULL;
		return -errno;
	}
	return 0;
}

/*
 * A line in front that makes the copy begin as mail does. Without it libclamav
 * goes by the first octets, and "GIF89a: x" is a valid header field.
 */
static size_t make_received(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	return strftime(buf, size,
			"Received: from x by y; %a, %d %b %Y %H:%M:%S +0000\r\n", &tm);
}

/* Make the copy to be scanned, in a memory file */
static int make_copy(struct copy *copy, const struct copy *message,
		     enum ss_dots_mode mode)
{
	char head[128];
	size_t room, used;

	copy->head = make_received(head, sizeof(head));
	room = copy->head + message->len;
	copy->fd = memfd_create("smtpsplice-scan", MFD_CLOEXEC);
	if (copy->fd < 0 || ftruncate(copy->fd, room))
		return -errno;
	copy->map = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, copy->fd, 0);
	if (copy->map == MAP_FAILED) {
		copy->map = NULL;
		return -errno;
	}
	copy->len = room;
	memcpy(copy->map, head, copy->head);
	used = copy->head + ss_dots_unstuff(mode, copy->map + copy->head,
					    message->map, message->len);
	if (used == room)
		return 0;
	if (mremap(copy->map, room, used, 0) == MAP_FAILED)
		return -errno;
	copy->len = used;
	return ftruncate(copy->fd, used) ? -errno : 0;
}

static void failed(struct ss_scan_result *result, const char *why)
{
	result->verdict = SMTPSPLICE_VERDICT_TEMPFAIL;
	snprintf(result->detail, sizeof(result->detail), "%s", why);
}

static void set_name(char *dst, const char *name)
{
	ss_text_clean_str(SS_TEXT_PRINT, dst, SS_MIME_TEXT_SIZE, name);
}

static void set_hash(char hex[SS_SCAN_HASH_SIZE], int fd)
{
	unsigned char hash[SS_CONTENT_HASH_SIZE];

	if (ss_content_hash(fd, hash))
		return;
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

static bool name_part(const struct ss_mime_part *part, void *arg)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	struct naming *n = arg;
	const char *name = ss_mime_part_name(part);
	struct ss_engine_finding finding;
	uint64_t now = now_ms();

	if (ss_mime_part_is_attachment(part)) {
		n->attachments++;
		set_name(n->attachment, name);
	}
	if (n->found || now >= n->end)
		return true;	/* go on counting */
	fd = ss_mime_part_decode(part);
	if (fd < 0 || ss_engine_scan(n->engine, fd, n->end - now, &finding) !=
		      SS_ENGINE_INFECTED)
		return true;
	n->found = true;
	set_name(n->result->file, name);
	set_hash(n->result->filehash, fd);
	return true;
}

/* Find out which part it is that is infected */
static void name_file(struct ss_engine *engine, struct ss_mime_tree *tree,
		      uint64_t end, struct ss_scan_result *result)
{
	struct naming n = { .engine = engine, .end = end, .result = result };

	if (tree)
		ss_mime_walk(tree, name_part, &n);
	result->attachment = n.attachments > 0;
	if (!n.found && n.attachments == 1)
		set_name(result->file, n.attachment);
	if (!result->file[0])
		set_name(result->file, DEFAULT_FILE);
}

static bool find_partial(const struct ss_mime_part *part, void *arg)
{
	bool *found = arg;

	*found = ss_mime_part_is_partial(part);
	return !*found;
}

/* Whether the copy is or has a fragment, which nobody can scan */
static bool is_partial(const struct copy *copy)
{
	struct ss_mime_tree *tree __cleanup(cleanup_tree) = NULL;
	bool found = false;

	if (!ss_mime_may_be_partial(copy->map, copy->len))
		return false;
	tree = ss_mime_parse(copy->fd);
	/* What is too deep to look at is refused as well */
	return !tree || !ss_mime_walk(tree, find_partial, &found) || found;
}

static void scan_copy(struct ss_engine *engine, const struct copy *copy,
		      uint64_t start, uint32_t limit_ms, struct ss_scan_result *result)
{
	struct ss_mime_tree *tree __cleanup(cleanup_tree) = NULL;
	struct ss_engine_finding finding;
	enum ss_engine_outcome outcome;
	uint64_t spent = now_ms() - start;
	uint32_t share = limit_ms / NAME_SHARE;

	if (spent >= limit_ms - share) {
		failed(result, "no time left");
		return;
	}
	outcome = ss_engine_scan(engine, copy->fd, limit_ms - share - spent, &finding);
	if (outcome == SS_ENGINE_INFECTED) {
		result->verdict = SMTPSPLICE_VERDICT_REJECT;
		ss_text_clean_str(SS_TEXT_PRINT, result->virus,
				  sizeof(result->virus), finding.text);
		tree = ss_mime_parse(copy->fd);
		name_file(engine, tree, start + limit_ms, result);
	} else if (finding.partial || is_partial(copy)) {
		result->verdict = SMTPSPLICE_VERDICT_REJECT;
		result->partial = true;
		snprintf(result->virus, sizeof(result->virus), SS_SCAN_PARTIAL);
		set_name(result->file, DEFAULT_FILE);
	} else if (outcome == SS_ENGINE_FAILED) {
		failed(result, finding.text);
	} else {
		result->verdict = SMTPSPLICE_VERDICT_ACCEPT;
	}
}

/* Write the message, without our line in front. Return: 0 or an errno. */
static int put_aside(int fd, const struct copy *copy)
{
	size_t at = copy->head;

	while (at < copy->len) {
		ssize_t n = write(fd, copy->map + at, copy->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		at += n;
	}
	return 0;
}

/* A server that takes bare LF for a line end sees other dots as stuffed */
static void scan_lax(struct ss_engine *engine, const struct copy *message,
		     size_t strict_len, uint64_t start, uint32_t limit_ms,
		     struct ss_scan_result *result)
{
	struct copy lax __cleanup(cleanup_copy) = { .fd = -1 };
	int ret = make_copy(&lax, message, SS_DOTS_LAX);

	if (ret)
		failed(result, strerror(-ret));
	else if (lax.len != strict_len)
		scan_copy(engine, &lax, start, limit_ms, result);
}

static bool has_bare_cr(const struct copy *message)
{
	const char *s = message->map, *end = s + message->len;

	while (s && s < end && (s = memchr(s, '\r', end - s))) {
		if (++s == end || *s != '\n')
			return true;
	}
	return false;
}

/*
 * libclamav knows CRLF and LF. A message that is lines for a reader who takes
 * CR for a line end would be one long line for it (THREATS E4).
 */
static void scan_bare_cr(struct ss_engine *engine, const struct copy *message,
			 uint64_t start, uint32_t limit_ms,
			 struct ss_scan_result *result)
{
	struct copy lines __cleanup(cleanup_copy) = { .fd = -1 };
	int ret = make_copy(&lines, message, SS_DOTS_NONE);

	if (ret) {
		failed(result, strerror(-ret));
		return;
	}
	ss_dots_bare_cr(lines.map + lines.head, lines.len - lines.head);
	scan_copy(engine, &lines, start, limit_ms, result);
}

static bool has_bare_dot(const struct copy *message)
{
	const char *s = message->map, *end = s + message->len;

	while (s && s < end) {
		s = memchr(s, '\n', end - s);
		if (!s)
			break;
		if (s + 1 < end && s[1] == '.' &&
		    (s == message->map || s[-1] != '\r'))
			return true;
		s++;
	}
	return false;
}

/**
 * ss_scan_message() - Scan a message.
 * @engine: the engine
 * @fd: the message as on the wire; only read from
 * @quarantine: where an infected message is written to, or -1
 * @job: size of the message, how it came, and how long it may take
 * @result: set in any case; a failure of any kind is a tempfail
 */
void ss_scan_message(struct ss_engine *engine, int fd, int quarantine,
		     const struct ss_scan_job *job, struct ss_scan_result *result)
{
	struct copy message __cleanup(cleanup_copy) = { .fd = -1 };
	struct copy copy __cleanup(cleanup_copy) = { .fd = -1 };
	uint64_t start = now_ms();
	int ret;

	memset(result, 0, sizeof(*result));
	ret = map_message(&message, fd, job->size);
	if (!ret)
		ret = make_copy(&copy, &message, job->chunked ?
				SS_DOTS_NONE : SS_DOTS_STRICT);
	if (ret) {
		failed(result, strerror(-ret));
		return;
	}
	scan_copy(engine, &copy, start, job->limit_ms, result);
	/* bare CRs come by BDAT alone, and there all dots are of the message */
	if (result->verdict == SMTPSPLICE_VERDICT_ACCEPT && job->chunked &&
	    has_bare_cr(&message))
		scan_bare_cr(engine, &message, start, job->limit_ms, result);
	if (result->verdict == SMTPSPLICE_VERDICT_ACCEPT && !job->chunked &&
	    has_bare_dot(&message))
		scan_lax(engine, &message, copy.len, start, job->limit_ms, result);
	if (result->verdict == SMTPSPLICE_VERDICT_REJECT && quarantine >= 0) {
		ret = put_aside(quarantine, &copy);
		result->quarantined = !ret;
		result->quarantine_error = -ret;
	}
	ss_mime_read_head(copy.map, copy.len, &result->head);
	if (!result->attachment)
		result->attachment = ss_mime_has_attachment(copy.map, copy.len);
}

/**
 * ss_scan_result_check() - Check a result that came from a worker, which may
 * have been taken over by what it scanned.
 * @result: the result; strings are terminated and made harmless
 *
 * Return: whether it can be used.
 */
bool ss_scan_result_check(struct ss_scan_result *result)
{
	struct {
		char *text;
		size_t size;
	} texts[] = {
		{ result->virus, sizeof(result->virus) },
		{ result->detail, sizeof(result->detail) },
		{ result->file, sizeof(result->file) },
		{ result->filehash, sizeof(result->filehash) },
		{ result->head.from, sizeof(result->head.from) },
		{ result->head.to, sizeof(result->head.to) },
		{ result->head.subject, sizeof(result->head.subject) },
		{ result->head.messageid, sizeof(result->head.messageid) },
	};

	if (result->verdict > SMTPSPLICE_VERDICT_TEMPFAIL)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char copy[SS_MIME_TEXT_SIZE];

		texts[i].text[texts[i].size - 1] = '\0';
		snprintf(copy, sizeof(copy), "%s", texts[i].text);
		ss_text_clean_str(SS_TEXT_JSON, texts[i].text, texts[i].size, copy);
	}
	return true;
}
