/* SPDX-License-Identifier: MIT */
/* test_arena.c: memory of one request: cut from blocks, aligned, given back all at once. */
#include "unit.h"

#include "base/arena.h"

#include <string.h>

static void test_what_is_given_out_is_aligned_and_apart(void **unused)
{
	struct arena a;
	char *at[200];

	(void)unused;
	arena_init(&a);
	for (int i = 0; i < 200; i++) {
		at[i] = arena_alloc(&a, (size_t)i);
		assert_non_null(at[i]);
		assert_int_equal((uintptr_t)at[i] % _Alignof(max_align_t), 0);
		memset(at[i], i, (size_t)i);
	}
	for (int i = 1; i < 200; i++)
		for (int j = 0; j < i; j++)
			assert_int_equal(at[i][j], (char)i);
	arena_fini(&a);
}

static void test_what_is_larger_than_a_block_has_one_of_its_own(void **unused)
{
	struct arena a;

	(void)unused;
	arena_init(&a);
	char *large = arena_alloc(&a, 1 << 20);
	assert_non_null(large);
	memset(large, 'x', 1 << 20);
	assert_non_null(arena_alloc(&a, 1));
	arena_fini(&a);
}

static void test_a_reset_keeps_one_block_and_uses_it_again(void **unused)
{
	struct arena a;

	(void)unused;
	arena_init(&a);
	void *first = arena_alloc(&a, 100);
	arena_alloc(&a, 1 << 20);
	arena_reset(&a);
	assert_ptr_equal(arena_alloc(&a, 100), first);
	arena_fini(&a);
}

static void test_a_failure_is_remembered_until_the_reset(void **unused)
{
	struct arena a;

	(void)unused;
	arena_init(&a);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_non_null(arena_alloc(&a, 1));
	assert_true(a.failed);
	arena_reset(&a);
	assert_false(a.failed);
	arena_fini(&a);
}

static void test_a_copy_is_one(void **unused)
{
	struct arena a;
	char text[] = "text";

	(void)unused;
	arena_init(&a);
	struct slice copy = arena_copy(&a, (struct slice){ text, 4 });
	text[0] = 'n';
	assert_int_equal(copy.n, 4);
	assert_memory_equal(copy.p, "text", 4);
	arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_given_out_is_aligned_and_apart),
		cmocka_unit_test(test_what_is_larger_than_a_block_has_one_of_its_own),
		cmocka_unit_test(test_a_reset_keeps_one_block_and_uses_it_again),
		cmocka_unit_test(test_a_failure_is_remembered_until_the_reset),
		cmocka_unit_test(test_a_copy_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
