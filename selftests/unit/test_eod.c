// SPDX-License-Identifier: GPL-2.0
/* Where a message ends, THREATS 1B. */
#include "dialogue.h"
#include "reader.h"

static void in_body(struct ss_smtp *e)
{
	struct rig r;

	rig_greeted(&r);
	rig_exchange(&r, "MAIL FROM:<a>\r\nRCPT TO:<b>\r\nDATA\r\n",
		     "250 ok\r\n250 ok\r\n");
	assert_int_equal(r.e.event, SS_SMTP_NONE);
	*e = r.e;
	rig_free(&r);
}

/* @text and the end-of-data in two parts, split anywhere, and octet by octet. */
static void check_body(const char *text, size_t n, u32 flags)
{
	static const char more[] = "\r\n.\r\nNOOP\r\n";
	u8 all[256];
	struct ss_smtp start, e;
	size_t i, len = n + 2;
	u32 used;

	in_body(&start);
	memcpy(all, text, n);
	memcpy(all + n, more, sizeof(more) - 1);
	for (i = 0; i <= len + 3; i++) {
		e = start;
		used = ss_smtp_body(&e, all, (u32)i);
		assert_int_equal(used, i);
		assert_int_equal(e.event, i == len + 3 ? SS_SMTP_BODY_END :
							 SS_SMTP_NONE);
		used = ss_smtp_body(&e, all + i,
				    (u32)(n + sizeof(more) - 1 - i));
		assert_int_equal(used, len + 3 - i);
		assert_int_equal(e.event, SS_SMTP_BODY_END);
		assert_int_equal(e.body_len, len);
		assert_int_equal(e.body_flags, flags);
	}
	e = start;
	for (i = 0; i < len + 3; i++)
		assert_int_equal(ss_smtp_body(&e, all + i, 1), 1);
	assert_int_equal(ss_smtp_body(&e, all + i, 1), 0);
	assert_int_equal(e.event, SS_SMTP_BODY_END);
	assert_int_equal(e.body_flags, flags);
}

#define CR	SS_EOD_BARE_CR
#define LF	SS_EOD_BARE_LF
#define DOT	SS_EOD_DOT_LINE

static const struct {
	const char *text;
	size_t n;
	u32 flags;
} sequences[] = {
	{ TEXT("\n.\n"), LF | DOT },
	{ TEXT("\n.\r"), CR | LF | DOT },
	{ TEXT("\r.\n"), CR | LF | DOT },
	{ TEXT("\r.\r"), CR | DOT },
	{ TEXT("\n.\r\n"), LF | DOT },
	{ TEXT("\r.\r\n"), CR | DOT },
	{ TEXT("\r\n.\n"), LF | DOT },
	{ TEXT("\r\n.\r"), CR | DOT },
	{ TEXT("\r\n.\r\r\n"), CR | DOT },
	{ TEXT("\r\r\n.\r\r\n"), CR | DOT },
	{ TEXT("\r\n\0.\r\n"), DOT },
	{ TEXT("\r\n.\0\r\n"), DOT },
	{ TEXT("\r\n.\r\0\n"), CR | LF | DOT },
	{ TEXT("\r\0\n.\r\n"), CR | LF | DOT },
	{ TEXT("\r\n\0\0.\0\0\r\n"), DOT },
	{ TEXT("\n\r\n\0.\r\n"), LF | DOT },
	/* at the first octet */
	{ TEXT(".\n"), LF | DOT },
	{ TEXT(".\r"), CR | DOT },
	{ TEXT(".\r\r\n"), CR | DOT },
	{ TEXT("\0.\r\n"), DOT },
	{ TEXT(".\0\r\n"), DOT },
	{ TEXT(".\0\n"), LF | DOT },
	/* no dot alone on a line */
	{ TEXT("\r\n. \r\n"), 0 },
	{ TEXT("\r\n..\r\n"), 0 },
	{ TEXT("\r\n.\x20\r\n"), 0 },
	{ TEXT("\r\n.\x0b\r\n"), 0 },
	{ TEXT("\r\n.\x0c\r\n"), 0 },
	{ TEXT("\r\n.\x85\r\n"), 0 },
	{ TEXT("\r\n.\xc2\x85\r\n"), 0 },
	{ TEXT("\r\n.x\r\n"), 0 },
	{ TEXT("\r\nx.\r\n"), 0 },
	{ TEXT("\r\nx\0.\r\n"), 0 },
	{ TEXT("..\r\n"), 0 },
	{ TEXT("\n..\n"), LF },
	{ TEXT("\r..\r"), CR },
	{ TEXT("a\rb"), CR },
	{ TEXT("a\nb"), LF },
	{ TEXT("a\0b"), 0 },
	{ TEXT("\n\r"), CR | LF },
	{ TEXT(""), 0 },
};

static void test_B1_every_sequence_at_every_split(void **state)
{
	static const char mail[] = "mail FROM:<smuggled@x>\r\ndata\r\n";
	char text[128];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(sequences) / sizeof(*sequences); i++) {
		const char *s = sequences[i].text;
		size_t n = sequences[i].n;

		/* at the start; what ends in CR needs more behind it */
		memcpy(text, s, n);
		memcpy(text + n, mail, sizeof(mail) - 1);
		check_body(text, n + sizeof(mail) - 1, sequences[i].flags);
		if (n && (*s == '\r' || *s == '\n')) {
			memcpy(text, "text", 4);
			memcpy(text + 4, s, n);
			memcpy(text + 4 + n, mail, sizeof(mail) - 1);
			check_body(text, 4 + n + sizeof(mail) - 1,
				   sequences[i].flags);
		}
	}
}

static void test_B1_empty_message(void **state)
{
	struct ss_smtp e;

	(void)state;
	in_body(&e);
	assert_int_equal(ss_smtp_body(&e, (const u8 *)".\r\nQ", 4), 3);
	assert_int_equal(e.event, SS_SMTP_BODY_END);
	assert_int_equal(e.body_len, 0);
	in_body(&e);
	assert_int_equal(ss_smtp_body(&e, (const u8 *)".", 1), 1);
	assert_int_equal(ss_smtp_body(&e, (const u8 *)"\r", 1), 1);
	assert_int_equal(ss_smtp_body(&e, (const u8 *)"\n\n", 2), 1);
	assert_int_equal(e.event, SS_SMTP_BODY_END);
	assert_int_equal(e.body_len, 0);
}

static void test_B1_real_end_behind_bare_cr(void **state)
{
	struct ss_smtp e;

	(void)state;
	in_body(&e);
	assert_int_equal(ss_smtp_body(&e, (const u8 *)"x\r\r\n.\r\ny", 8), 7);
	assert_int_equal(e.event, SS_SMTP_BODY_END);
	assert_int_equal(e.body_len, 4);
	assert_int_equal(e.body_flags, CR);
}

static int reply_one_message(void *ctx, const char *line, size_t n)
{
	(void)ctx;
	(void)line;
	return n == 4 ? 354 : 250;
}

/* The first message that a server reads from @p, its length or -1. */
static long first_message(bool lax, const u8 *p, size_t n)
{
	struct reader r = { .lax = lax, .reply = reply_one_message };
	size_t len;

	reader_feed(&r, "DATA\r\n", 6);
	reader_feed(&r, p, n);
	if (!r.messages.n) {
		reader_free(&r);
		return -1;
	}
	memcpy(&len, r.messages.p, sizeof(len));
	reader_free(&r);
	return (long)len;
}

/*
 * Every text of up to seven octets out of those that matter. A strict server
 * must see the end where the engine does; a lax one too, unless DOT_LINE warns.
 */
static void test_B1_all_short_bodies(void **state)
{
	static const u8 octets[] = { '\r', '\n', '.', '\0', 'a' };
	struct ss_smtp start;
	u32 n, i, k, count = 1;

	(void)state;
	in_body(&start);
	for (n = 0; n <= 7; n++, count *= 5) {
		for (i = 0; i < count; i++) {
			struct ss_smtp e = start;
			u8 text[16], bare[16];
			u32 rest = i, used, nuls = 0;

			for (k = 0; k < n; k++, rest /= 5)
				text[k] = octets[rest % 5];
			memcpy(text + n, "\r\n.\r\n", 5);
			used = ss_smtp_body(&e, text, n + 5);
			assert_int_equal(e.event, SS_SMTP_BODY_END);
			assert_int_equal(first_message(false, text, n + 5),
					 e.body_len);
			assert_int_equal(used, e.body_len + 3);
			for (k = 0; k < used; k++) {
				bare[k - nuls] = text[k];
				nuls += !text[k];
			}
			if (first_message(true, bare, used - nuls) !=
			    (long)(e.body_len - nuls))
				assert_true(e.body_flags & DOT);
			else
				assert_false(e.body_flags & DOT);
		}
	}
}

static void test_B4_long_lines(void **state)
{
	static u8 text[1 << 20];
	struct ss_smtp e;
	u32 at;

	(void)state;
	memset(text, 'x', sizeof(text));
	in_body(&e);
	assert_int_equal(ss_smtp_body(&e, text, sizeof(text)), sizeof(text));
	memcpy(text, "\r\n.\r\n", 5);
	assert_int_equal(ss_smtp_body(&e, text, sizeof(text)), 5);
	assert_int_equal(e.body_len, sizeof(text) + 2);
	assert_int_equal(e.body_flags, 0);
	/* the end at every alignment of the fast path */
	memset(text, 'x', 64);
	for (at = 0; at < 40; at++) {
		memset(text, at & 1 ? '\t' : 0xff, 64);
		memcpy(text + at, "\r\n.\r\n", 5);
		in_body(&e);
		assert_int_equal(ss_smtp_body(&e, text, 64), at + 5);
		assert_int_equal(e.body_len, at + 2);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_B1_every_sequence_at_every_split),
		cmocka_unit_test(test_B1_empty_message),
		cmocka_unit_test(test_B1_real_end_behind_bare_cr),
		cmocka_unit_test(test_B1_all_short_bodies),
		cmocka_unit_test(test_B4_long_lines),
	};

	return cmocka_run_group_tests_name("end-of-data", tests, NULL, NULL);
}
