/* SPDX-License-Identifier: MIT */
/* test_ring.c: the last entries are there, the youngest first, and one that was not finished is not. */
#include "unit.h"

#include "base/ring.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t a, b;
};

static struct ring make(size_t count)
{
	size_t size = ring_memory_size(count, sizeof(struct entry));
	void *p = aligned_alloc(64, (size + 63) / 64 * 64);

	assert_non_null(p);
	memset(p, 0, size);
	return (struct ring){ p, count, sizeof(struct entry) };
}

static uint64_t put(const struct ring *r, uint64_t a)
{
	const struct entry e = { a, ~a };

	return ring_write(r, &e);
}

static void expect(const struct ring *r, const uint64_t *wanted, size_t count)
{
	struct entry e;
	size_t i = 0;

	for (size_t k = 0; k < count; k++) {
		assert_true(ring_next(r, &i, &e));
		assert_int_equal(e.a, wanted[k]);
		assert_int_equal(e.b, ~wanted[k]);
	}
	assert_false(ring_next(r, &i, &e));
}

static void test_the_youngest_comes_first_and_old_ones_go(void **unused)
{
	struct ring r = make(3);

	(void)unused;
	expect(&r, NULL, 0);
	put(&r, 1);
	put(&r, 2);
	expect(&r, (uint64_t[]){ 2, 1 }, 2);
	put(&r, 3);
	put(&r, 4);
	expect(&r, (uint64_t[]){ 4, 3, 2 }, 3);
	free(r.memory);
}

static void test_an_entry_is_written_again_as_long_as_it_is_there(void **unused)
{
	struct ring r = make(2);
	const struct entry other = { 7, ~7ull };

	(void)unused;
	uint64_t one = put(&r, 1);
	ring_rewrite(&r, one, &other);
	expect(&r, (uint64_t[]){ 7 }, 1);
	put(&r, 2);
	put(&r, 3);
	ring_rewrite(&r, one, &other);
	expect(&r, (uint64_t[]){ 3, 2 }, 2);
	free(r.memory);
}

/* As if its writer had died: the version says that it is being written. */
static void test_one_that_was_not_finished_is_left_out_and_used_again(void **unused)
{
	struct ring r = make(3);

	(void)unused;
	put(&r, 1);
	uint64_t two = put(&r, 2);
	put(&r, 3);
	uint64_t *version = (uint64_t *)((char *)r.memory + 128 - 64 + two * 24);
	assert_int_equal(*version, 2 * two + 2);
	*version -= 1;
	expect(&r, (uint64_t[]){ 3, 1 }, 2);
	put(&r, 4);
	put(&r, 5);
	expect(&r, (uint64_t[]){ 5, 4, 3 }, 3);
	free(r.memory);
}

static void test_without_memory_nothing_is_kept(void **unused)
{
	const struct ring r = { NULL, 3, sizeof(struct entry) };

	(void)unused;
	put(&r, 1);
	expect(&r, NULL, 0);
}

static void *write_many(void *ring)
{
	for (uint64_t i = 0; i < 20000; i++)
		put(ring, i);
	return NULL;
}

static void test_an_entry_that_is_read_is_whole(void **unused)
{
	struct ring r = make(64);
	pthread_t thread[2];
	struct entry e;

	(void)unused;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, write_many, &r), 0);
	for (int n = 0; n < 2000; n++)
		for (size_t i = 0; ring_next(&r, &i, &e);)
			assert_int_equal(e.b, ~e.a);
	for (size_t i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	free(r.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_youngest_comes_first_and_old_ones_go),
		cmocka_unit_test(test_an_entry_is_written_again_as_long_as_it_is_there),
		cmocka_unit_test(test_one_that_was_not_finished_is_left_out_and_used_again),
		cmocka_unit_test(test_without_memory_nothing_is_kept),
		cmocka_unit_test(test_an_entry_that_is_read_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
