// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at files and at what is in them.
 */
#include "tests/support/unit.h"

#include <unistd.h>

#include "lib/process.h"
#include "tests/support/look.h"
#include "tests/support/mail.h"
#include "tests/support/wrap.h"

#define LIMIT_MS	60000

struct ss_inspect_rules look_rules;
struct ss_inspect_finding look_finding;

const struct pack look_script = { "run.scr", "x", 1 };

static struct ss_inspect *content;

int look_setup(void **state)
{
	(void)state;
	content = ss_inspect_open();
	return content ? 0 : -1;
}

int look_teardown(void **state)
{
	(void)state;
	ss_inspect_close(content);
	return 0;
}

int look_reset(void **state)
{
	static const char *const patterns[] = { "*.scr" };

	(void)state;
	look_rules = (struct ss_inspect_rules){
		.executables = true, .patterns = patterns, .pattern_count = 1,
		.end = ss_process_now() + LIMIT_MS,
	};
	return 0;
}

/* Executables alone */
void look_clear(void)
{
	look_rules = (struct ss_inspect_rules){
		.executables = true, .end = ss_process_now() + LIMIT_MS,
	};
}

/* As ss_inspect_look() */
int look_fd(int fd, const char *name)
{
	return ss_inspect_look(content, fd, name, &look_rules, &look_finding);
}

uint32_t look_at(const struct pack *file)
{
	int fd = mail_file(file->data, file->len);

	assert_int_equal(look_fd(fd, file->name), 0);
	close(fd);
	return look_finding.found;
}

/* And free it */
uint32_t look_drop(struct pack file)
{
	uint32_t found = look_at(&file);

	pack_drop(&file);
	return found;
}

uint32_t look_octets(const char *name, GString *octets)
{
	return look_drop(wrap_pack(name, octets));
}

/* Whether there is a file of that type */
bool look_type(const struct pack *file, const char *word)
{
	assert_true(ss_file_types_find(word) >= 0);
	look_rules.types = 1ull << ss_file_types_find(word);
	return look_at(file) & LOOK(TYPE);
}

/* It was found in there */
void look_expect(enum ss_kind kind, const char *name)
{
	assert_true(look_finding.found & SS_KIND_BIT(kind));
	assert_string_equal(look_finding.detail[kind].name, name);
}

/* In what it was found */
const char *look_name(enum ss_kind kind)
{
	return look_finding.detail[kind].name;
}

bool look_corrupted(void)
{
	return look_finding.found & (LOOK(CORRUPTED) | LOOK(PARTIALLYCORRUPTED));
}

/* The rules have the hash of this file */
void look_for_hash(const void *data, size_t len)
{
	static unsigned char hash[1][SS_INSPECT_HASH_SIZE];
	int fd = mail_file(data, len);

	assert_int_equal(ss_inspect_hash(fd, hash[0]), 0);
	close(fd);
	look_rules.block.hash = hash;
	look_rules.block.count = 1;
}

/* Check a finding of damaged files: texts are terminated, only kinds that were found have a name */
void look_check(const struct ss_inspect_finding *finding)
{
	assert_int_equal(finding->found & ~((1u << SS_KIND_COUNT) - 1), 0);
	for (int kind = 0; kind < SS_KIND_COUNT; kind++) {
		const struct ss_inspect_detail *detail = &finding->detail[kind];

		assert_non_null(memchr(detail->name, '\0', sizeof(detail->name)));
		assert_non_null(memchr(detail->what, '\0', sizeof(detail->what)));
		if (!(finding->found & SS_KIND_BIT(kind)))
			assert_string_equal(detail->name, "");
	}
}

/* A file of @make, which has a program in it, with octets that are others or missing */
void look_damaged(const char *name, GString *(*make)(void))
{
	int seen = 0;

	srandom(1);
	look_rules.types = ~0ull;
	for (int i = 0; i < 1000; i++) {
		GString *octets = make();

		for (int k = 0; k <= i % 7; k++)
			octets->str[random() % octets->len] = random();
		if (i % 3 == 0)
			g_string_truncate(octets, random() % octets->len);
		seen += !!(look_octets(name, octets) & LOOK(EXECUTABLE));
		look_check(&look_finding);
	}
	/* most are as good as before */
	assert_in_range(seen, 500, 999);
}
