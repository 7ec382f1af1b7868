/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/slab_internal.h"

/* Filled with a byte of its own, each block keeps it while others come and go. */
static void blocks_of_all_sizes_are_zeroed_and_apart(void **state)
{
	enum { BLOCKS = 4000 };
	static unsigned char *blocks[BLOCKS];
	static size_t sizes[BLOCKS];
	struct kt_random random;

	(void)state;
	kt_random_init(&random, 1);
	for (int round = 0; round < 20000; round++) {
		size_t i = kt_random_below(&random, BLOCKS);

		for (size_t j = 0; blocks[i] && j < sizes[i]; j++)
			assert_int_equal(blocks[i][j], (unsigned char)i);
		kt_free(blocks[i]);
		sizes[i] = kt_random_below(&random, 700);
		blocks[i] = kt_alloc(sizes[i]);
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(blocks[i][j], 0);
		memset(blocks[i], (unsigned char)i, sizes[i]);
		if (sizes[i] && sizes[i] % 16 == 0)
			assert_int_equal((uintptr_t)blocks[i] % 16, 0);
		assert_int_equal((uintptr_t)blocks[i] % 8, 0);
	}
	for (size_t i = 0; i < BLOCKS; i++) {
		kt_free(blocks[i]);
		blocks[i] = NULL;
	}
}

static void a_block_keeps_what_is_in_it_when_it_grows_and_shrinks(void **state)
{
	static const size_t sizes[] = {1, 8, 9, 24, 130, 129, 511, 512, 513, 4000, 600, 512, 300, 40, 0, 7};
	unsigned char *p = NULL;
	size_t before = 0;

	(void)state;
	for (size_t i = 0; i < KT_COUNT(sizes); i++) {
		p = kt_realloc(p, sizes[i]);
		for (size_t j = 0; j < KT_MIN(before, sizes[i]); j++)
			assert_int_equal(p[j], (unsigned char)(j * 7));
		for (size_t j = 0; j < sizes[i]; j++)
			p[j] = (unsigned char)(j * 7);
		before = sizes[i];
	}
	kt_free(p);
}

static void what_is_freed_is_used_again_for_any_size(void **state)
{
	enum { BLOCKS = 50000 };
	void **blocks = kt_alloc(BLOCKS * sizeof(*blocks));
	size_t before = kt_slab_held(), most = 0;

	(void)state;
	for (size_t size = 16; size <= 512; size += 16) {
		for (size_t i = 0; i < BLOCKS; i++)
			blocks[i] = kt_alloc(size);
		most = KT_MAX(most, kt_slab_held() - before);
		for (size_t i = 0; i < BLOCKS; i++)
			kt_free(blocks[i]);
		/* one slab of each size may stay */
		assert_true(kt_slab_held() - before <= 32 * ((size_t)16 << 10));
	}
	assert_true(most == 0 || most < (size_t)BLOCKS * 560);
	kt_free(blocks);
}

/* What another library made with malloc may be given to kt_free, too. */
static void blocks_of_the_c_library_are_freed_and_grown(void **state)
{
	char *text = strdup("hello");

	(void)state;
	text = kt_realloc(text, 100);
	assert_string_equal(text, "hello");
	kt_free(text);
	kt_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(blocks_of_all_sizes_are_zeroed_and_apart),
	        cmocka_unit_test(a_block_keeps_what_is_in_it_when_it_grows_and_shrinks),
	        cmocka_unit_test(what_is_freed_is_used_again_for_any_size),
	        cmocka_unit_test(blocks_of_the_c_library_are_freed_and_grown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
