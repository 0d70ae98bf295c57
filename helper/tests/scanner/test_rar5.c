// SPDX-License-Identifier: GPL-2.0
/*
 * Members of a rar 5 that are marked as no file: folders by a flag or by their mode,
 * links by their mode or by a record of their own.
 */
#include "tests/support/unit.h"

#include "lib/cleanup.h"
#include "tests/support/look.h"
#include "tests/support/pack.h"

#define ROOM	1024
#define FOLDER	1	/* the flag of a file's header */
#define CRC	4	/* another one: there is a checksum */

enum { WINDOWS, UNIX };
enum { NO_LINK, SYMLINK, WINDOWS_SYMLINK, JUNCTION, HARD_LINK };

struct member {
	unsigned int flags;
	unsigned int mode;
	int system;
	int link;
};

/* A number of seven bits a byte. Return: the place behind it. */
static unsigned char *put_number(unsigned char *p, unsigned int value)
{
	for (; value > 0x7f; value >>= 7)
		*p++ = value | 0x80;
	*p++ = value;
	return p;
}

static unsigned char *put_bytes(unsigned char *p, const void *data, size_t len)
{
	memcpy(p, data, len);
	return p + len;
}

/* A header, with its checksum and its length in front. Return: the place behind it. */
static unsigned char *put_header(unsigned char *p, const unsigned char *head, size_t len)
{
	unsigned char *end = put_bytes(put_number(p + 4, len), head, len);

	pack_put32(p, pack_crc32(p + 4, end - p - 4));
	return end;
}

/* The record of a link to "x" */
static size_t put_link(unsigned char *record, int link)
{
	const unsigned char octets[] = { 5, 5, link, 0, 1, 'x' };

	memcpy(record, octets, sizeof(octets));
	return sizeof(octets);
}

static unsigned char *put_member(unsigned char *p, const struct member *member,
				 const struct pack *file)
{
	unsigned char head[128], record[16], *h = head;
	size_t more = member->link ? put_link(record, member->link) : 0;

	h = put_number(h, 2);
	h = put_number(h, more ? 3 : 2);
	if (more)
		h = put_number(h, more);
	h = put_number(h, file->len);
	h = put_number(h, member->flags | CRC);
	h = put_number(h, file->len);
	h = put_number(h, member->mode);
	pack_put32(h, pack_crc32(file->data, file->len));
	h = put_number(h + 4, 0);
	h = put_number(h, member->system);
	h = put_number(h, strlen(file->name));
	h = put_bytes(h, file->name, strlen(file->name));
	h = put_bytes(h, record, more);
	return put_bytes(put_header(p, head, h - head), file->data, file->len);
}

/* A rar 5 with the file as that member, not compressed, and a text behind it */
static uint32_t look_into(const struct member *member, const struct pack *file)
{
	static const struct member text = { .mode = 0100644, .system = UNIX };
	static const unsigned char first[] = { 1, 0, 0 }, last[] = { 5, 0, 0 };
	unsigned char data[ROOM];
	struct pack rar = { .name = "a.rar", .data = data };
	unsigned char *p = put_bytes(data, "Rar!\x1a\x07\1\0", 8);

	p = put_header(p, first, sizeof(first));
	p = put_member(p, member, file);
	p = put_member(p, &text, &pack_text);
	p = put_header(p, last, sizeof(last));
	rar.len = p - data;
	return look_at(&rar);
}

static void looks_at_files(void **state)
{
	static const struct member members[] = {
		{ .mode = 0100644, .system = UNIX }, { .mode = 0x20, .system = WINDOWS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		assert_int_equal(look_into(&members[i], &pack_program), LOOK(EXECUTABLE));
		look_expect(SS_KIND_EXECUTABLE, "a.rar/setup.exe");
	}
}

/* Programs that unpack go by the flag of a folder and by the record of a link */
static void g2_does_not_take_modes_on_trust(void **state)
{
	static const struct member members[] = {
		{ .mode = 0040755, .system = UNIX }, { .mode = 0120777, .system = UNIX },
		{ .mode = 0020644, .system = UNIX }, { .mode = 0010644, .system = UNIX },
		{ .mode = 0x10, .system = WINDOWS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		assert_int_equal(look_into(&members[i], &pack_program), LOOK(EXECUTABLE));
}

static void g2_looks_at_links_with_content(void **state)
{
	static const unsigned int modes[] = { 0120777, 0100644, 0040755 };

	(void)state;
	for (int link = SYMLINK; link <= HARD_LINK; link++) {
		for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
			const struct member member = {
				.mode = modes[i], .system = UNIX, .link = link
			};

			assert_int_equal(look_into(&member, &pack_program), LOOK(EXECUTABLE));
		}
	}
}

/* libarchive reads nothing that has the flag, so that it cannot be looked at */
static void g2_tells_of_folders_with_content(void **state)
{
	static const struct member members[] = {
		{ .flags = FOLDER, .mode = 0040755, .system = UNIX },
		{ .flags = FOLDER, .mode = 0100644, .system = UNIX },
		{ .flags = FOLDER, .mode = 0x10, .system = WINDOWS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		assert_int_equal(look_into(&members[i], &pack_program),
				 LOOK(PARTIALLYCORRUPTED));
}

static void passes_what_has_no_content(void **state)
{
	static const struct pack empty = { "setup", "", 0 };
	static const struct member members[] = {
		{ .flags = FOLDER, .mode = 0040755, .system = UNIX },
		{ .flags = FOLDER, .mode = 0x10, .system = WINDOWS },
		{ .mode = 0120777, .system = UNIX, .link = SYMLINK },
		{ .mode = 0x20, .system = WINDOWS, .link = WINDOWS_SYMLINK },
		{ .mode = 0100644, .system = UNIX, .link = HARD_LINK },
		{ .mode = 0010644, .system = UNIX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		assert_int_equal(look_into(&members[i], &empty), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(looks_at_files, look_reset),
		cmocka_unit_test_setup(g2_does_not_take_modes_on_trust, look_reset),
		cmocka_unit_test_setup(g2_looks_at_links_with_content, look_reset),
		cmocka_unit_test_setup(g2_tells_of_folders_with_content, look_reset),
		cmocka_unit_test_setup(passes_what_has_no_content, look_reset),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, look_setup, look_teardown);
}
