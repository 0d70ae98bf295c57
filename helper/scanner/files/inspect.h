/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_INSPECT_H
#define SS_SCANNER_FILES_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/file_types.h"
#include "scanner/files/unpack.h"

#define SS_INSPECT_HASH_SIZE	32	/* SHA-256, bytes */
#define SS_INSPECT_NEST_LIMIT	12	/* the default; FortiOS: 2 to 100 */
#define SS_INSPECT_NEST_MAX	100
#define SS_INSPECT_NAME_SIZE	256
#define SS_INSPECT_WHAT_SIZE	64

/**
 * struct ss_inspect_hashes - A list of SHA-256.
 * @hash: the hashes, sorted as memcmp() does
 * @count: how many
 */
struct ss_inspect_hashes {
	const unsigned char (*hash)[SS_INSPECT_HASH_SIZE];
	size_t count;
};

/**
 * typedef ss_inspect_scan_fn - Scans a file that is in another one.
 * @arg: the caller's
 * @path: its name, with those that it is in
 * @fd: its content
 */
typedef void (*ss_inspect_scan_fn)(void *arg, const char *path, int fd);

/**
 * struct ss_inspect_rules - What to look for, and how far. All is the caller's.
 * @executables: look for executables
 * @patterns: shell wildcards for names, case does not matter; for the attachment
 *   and for members of archives, without folders
 * @pattern_count: how many
 * @types: file types, bit ss_file_types_find() each
 * @allow: attachments (not members) that are fine whatever is in them
 * @block: files that are not, members of archives as well
 * @nest_limit: levels of archives to open, 0: the default; a compressed tar is two
 * @octet_limit: bytes that may come out of archives, over all levels; 0: as many
 *   as there is room for in here (400 MiB)
 * @member_limit: members of archives, over all levels, 0: 10000
 * @budget: what is left for all looks that share it, besides these limits; or NULL
 * @end: when to stop, see ss_process_now()
 * @scan: takes the members of archives, or NULL. The engine opens most of them, too,
 *   but not all that libarchive does, or does not find in them what libarchive finds.
 * @mail: takes what mail may be in S/MIME, behind @scan; or NULL
 * @arg: for @scan and @mail
 */
struct ss_inspect_rules {
	bool executables;
	const char *const *patterns;
	size_t pattern_count;
	uint64_t types;
	struct ss_inspect_hashes allow;
	struct ss_inspect_hashes block;
	unsigned int nest_limit;
	uint64_t octet_limit;
	unsigned int member_limit;
	struct ss_unpack_budget *budget;
	uint64_t end;
	ss_inspect_scan_fn scan;
	ss_inspect_scan_fn mail;
	void *arg;
};

/**
 * struct ss_inspect_detail - Where something was found first. Any bytes.
 * @name: the file, "a.zip/b.exe"; for a condition the archive
 * @what: the pattern or the type, else empty
 */
struct ss_inspect_detail {
	char name[SS_INSPECT_NAME_SIZE];
	char what[SS_INSPECT_WHAT_SIZE];
};

/**
 * struct ss_inspect_finding - What was found.
 * @found: SS_KIND_BIT() of each kind
 * @allowed: the hash is in the allow list: nothing else was looked at
 * @detail: for each kind that was found
 */
struct ss_inspect_finding {
	uint32_t found;
	bool allowed;
	struct ss_inspect_detail detail[SS_KIND_COUNT];
};

struct ss_inspect;

/**
 * ss_inspect_open() - Load libmagic's database.
 *
 * Takes a moment and a few megabytes, which processes forked later share.
 *
 * Return: what ss_inspect_look() needs, to be freed with ss_inspect_close(), or
 * NULL with errno set.
 */
struct ss_inspect *ss_inspect_open(void);

/**
 * ss_inspect_close() - Free what ss_inspect_open() gave.
 * @inspect: that, or NULL
 */
void ss_inspect_close(struct ss_inspect *inspect);

/**
 * ss_inspect_look() - Look at a file, and into it.
 * @inspect: what ss_inspect_open() gave
 * @fd: the file, a regular one that does not change meanwhile; only read from, its
 *   offset does not matter
 * @name: its name, any bytes, or NULL
 * @rules: what to look for
 * @finding: set in any case
 *
 * Return: 0, or a negative errno where it could not be looked at for a reason that
 * is not its own; what is in @finding then is not all.
 */
int ss_inspect_look(const struct ss_inspect *inspect, int fd, const char *name,
		    const struct ss_inspect_rules *rules,
		    struct ss_inspect_finding *finding);

/**
 * ss_inspect_hash() - The SHA-256 of a file.
 * @fd: the file; its offset does not matter
 * @hash: set to the hash
 *
 * Return: 0, or a negative errno.
 */
int ss_inspect_hash(int fd, unsigned char hash[SS_INSPECT_HASH_SIZE]);

#endif /* SS_SCANNER_FILES_INSPECT_H */
