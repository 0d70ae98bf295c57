// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include "scanner/cache.h"

#define COUNT 3

static struct ss_cache *cache;

static int setup(void **state)
{
	(void)state;
	cache = ss_cache_new(sizeof(int), COUNT);
	return !cache;
}

static int teardown(void **state)
{
	(void)state;
	ss_cache_free(cache);
	return 0;
}

static const unsigned char *key(int n)
{
	static unsigned char keys[2][SS_CACHE_KEY_SIZE];
	static int turn;
	const struct ss_cache_text text = { &n, sizeof(n) };

	turn = !turn;
	ss_cache_key(keys[turn], &text, 1);
	return keys[turn];
}

static void put(int n, int value)
{
	ss_cache_put(cache, key(n), &value);
}

static void expect(int n, int value)
{
	const int *found = ss_cache_find(cache, key(n));

	assert_non_null(found);
	assert_int_equal(*found, value);
}

static void finds_what_was_put(void **state)
{
	const unsigned char zeros[SS_CACHE_KEY_SIZE] = { 0 };

	(void)state;
	/* An empty place is no value */
	assert_null(ss_cache_find(cache, zeros));
	assert_null(ss_cache_find(cache, key(1)));
	put(1, 10);
	expect(1, 10);
	assert_null(ss_cache_find(cache, key(2)));
	put(1, 11);
	expect(1, 11);
	assert_null(ss_cache_find(cache, zeros));
}

static void oldest_goes_first(void **state)
{
	(void)state;
	for (int n = 0; n < 10 * COUNT + 1; n++) {
		put(n, -n);
		for (int m = 0; m <= n; m++) {
			if (m + COUNT > n)
				expect(m, -m);
			else
				assert_null(ss_cache_find(cache, key(m)));
		}
	}
	/* One that is put anew takes no other's place */
	put(30, 1);
	expect(28, -28);
	expect(29, -29);
	expect(30, 1);
}

static void keys_have_the_lengths(void **state)
{
	static const struct ss_cache_text texts[][3] = {
		{ { "ab", 2 }, { "c", 1 }, { "", 0 } },
		{ { "a", 1 }, { "bc", 2 }, { "", 0 } },
		{ { "abc", 3 }, { NULL, 0 }, { NULL, 0 } },
		{ { NULL, 0 }, { "abc", 3 }, { NULL, 0 } },
		{ { "abd", 3 }, { NULL, 0 }, { NULL, 0 } },
		{ { "abc\0", 4 }, { NULL, 0 }, { NULL, 0 } },
	};
	enum { N = sizeof(texts) / sizeof(*texts) };
	unsigned char keys[N + 1][SS_CACHE_KEY_SIZE];

	(void)state;
	for (int i = 0; i < N; i++)
		ss_cache_key(keys[i], texts[i], 3);
	ss_cache_key(keys[N], texts[2], 1);
	for (int i = 0; i <= N; i++)
		for (int k = 0; k < i; k++)
			assert_memory_not_equal(keys[i], keys[k], SS_CACHE_KEY_SIZE);
	ss_cache_key(keys[0], texts[2], 3);
	assert_memory_equal(keys[0], keys[2], SS_CACHE_KEY_SIZE);
	ss_cache_free(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_what_was_put, setup, teardown),
		cmocka_unit_test_setup_teardown(oldest_goes_first, setup, teardown),
		cmocka_unit_test(keys_have_the_lengths),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
