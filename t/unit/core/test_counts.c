/* SPDX-License-Identifier: MIT */
/* test_counts.c: where a time is counted, how wrong that can be, and sums. */
#include "unit.h"

#include "base/counts.h"

#include <string.h>

static void test_a_time_lies_in_its_bucket(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < UWSGI_BUCKETS; i++) {
		unsigned long long end = uwsgi_bucket_end_us(i);

		assert_int_equal(uwsgi_bucket(end - 1), i);
		assert_int_equal(uwsgi_bucket(end), i + 1 < UWSGI_BUCKETS ? i + 1 : i);
	}
	assert_int_equal(uwsgi_bucket(0), 0);
	assert_int_equal(uwsgi_bucket(UINT64_MAX), UWSGI_BUCKETS - 1);
	assert_true(uwsgi_bucket_end_us(UWSGI_BUCKETS - 1) > 3600ull * 1000000);
}

static void test_a_bucket_is_at_most_a_quarter_wide(void **unused)
{
	(void)unused;
	for (size_t i = 4; i < UWSGI_BUCKETS; i++) {
		unsigned long long begin = uwsgi_bucket_end_us(i - 1);

		assert_true((uwsgi_bucket_end_us(i) - begin) * 4 <= begin);
	}
}

static void test_quantiles(void **unused)
{
	struct histogram h = { 0 };

	(void)unused;
	assert_int_equal(uwsgi_histogram_quantile_us(&h, 0.5), 0);
	for (unsigned us = 1; us <= 1000; us++)
		counts_took(&h, us);
	assert_int_equal(uwsgi_histogram_count(&h), 1000);
	assert_int_equal(h.sum_us, 500500);
	assert_in_range(uwsgi_histogram_quantile_us(&h, 0.5), 500, 625);
	assert_in_range(uwsgi_histogram_quantile_us(&h, 0.99), 990, 1237);
	assert_in_range(uwsgi_histogram_quantile_us(&h, 1), 1000, 1250);
	assert_in_range(uwsgi_histogram_quantile_us(&h, 0), 1, 2);
}

static void test_all_members_are_added_up(void **unused)
{
	struct counts a, b;

	(void)unused;
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	b.answers[2] = 5;
	b.routed = 2;
	b.send.bucket[UWSGI_BUCKETS - 1] = 1;
	counts_add_all(&a, &b);
	counts_add_all(&a, &b);
	assert_int_equal(a.answers[2], 10);
	assert_int_equal(a.routed, 4);
	assert_int_equal(a.send.bucket[UWSGI_BUCKETS - 1], 2);
	assert_int_equal(a.wait.sum_us, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_time_lies_in_its_bucket),
		cmocka_unit_test(test_a_bucket_is_at_most_a_quarter_wide),
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_all_members_are_added_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
