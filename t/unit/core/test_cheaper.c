/* SPDX-License-Identifier: MIT */
/* test_cheaper.c: loads that come and go, a look a second, without a process. */
#include "unit.h"

#include "process/cheaper.h"

#include <string.h>

/* As the rows have them, of eight workers two. */
static const struct cheaper_settings usual = {
	.least = 2,
	.step = 1,
	.overload_s = 3,
	.idle_s = 10,
	.max = 50,
	.min = 25,
	.multiplier = 10,
	.penalty = 2,
	.alert = 33,
	.alert_multiplier = 3,
	.alert_step = 1,
	.nonzero_s = 60,
};

struct story {
	struct cheaper_settings s;
	struct cheaper memory;
	struct cheaper_view v;
	struct error why;
};

static struct story begin(enum cheaper_algo algo)
{
	struct story t = { .s = usual, .v = { .most = 8, .workers = 2 } };

	t.s.algo = algo;
	return t;
}

/* A look while so many of the workers, which have a lane each, run a request. */
static int look(struct story *t, int busy)
{
	int change;

	t->v.serving = t->v.lanes = t->v.workers;
	t->v.free = t->v.idle = t->v.workers - busy;
	t->v.elapsed_us = 1000000;
	t->v.ran_us = busy * 1000000;
	change = cheaper_decide(&t->s, &t->memory, &t->v, &t->why);
	if (change)
		assert_true(t->why.text[0]);
	t->v.workers += change;
	return change;
}

/* After how many looks of the kind there is a change; 0: there is none. */
static int until(struct story *t, int busy, int change)
{
	for (int i = 1; i <= 300; i++) {
		int got = look(t, busy < t->v.workers ? busy : t->v.workers);

		if (got) {
			assert_int_equal(got, change);
			return i;
		}
	}
	return 0;
}

static void test_spare_adds_when_none_is_free_and_keeps_some_free(void **unused)
{
	struct story t = begin(CHEAPER_SPARE);

	(void)unused;
	assert_int_equal(until(&t, 2, 1), 4);
	assert_string_equal(t.why.text, "none was free for 4 s (cheaper-overload 3)");
	/* One of three is free: enough. */
	assert_int_equal(until(&t, 2, 0), 0);
	assert_int_equal(until(&t, 3, 1), 4);
	/* The load is gone: one after the other, down to cheaper. */
	assert_int_equal(look(&t, 0), -1);
	assert_string_equal(t.why.text, "4 ran nothing (cheaper 2)");
	assert_int_equal(look(&t, 0), -1);
	assert_int_equal(until(&t, 0, 0), 0);
	assert_int_equal(t.v.workers, 2);
}

static void test_spare_is_not_misled_by_a_moment(void **unused)
{
	struct story t = begin(CHEAPER_SPARE);

	(void)unused;
	for (int i = 0; i < 50; i++)
		assert_int_equal(look(&t, i % 2 ? 2 : 1), 0);
}

static void test_steps_end_at_processes(void **unused)
{
	struct story t = begin(CHEAPER_SPARE);

	(void)unused;
	t.s.step = 5;
	assert_int_equal(until(&t, 8, 5), 4);
	assert_int_equal(until(&t, 8, 1), 4);
	assert_int_equal(until(&t, 8, 0), 0);
}

static void test_a_worker_with_a_free_lane_is_free(void **unused)
{
	struct story t = begin(CHEAPER_SPARE);

	(void)unused;
	t.v = (struct cheaper_view){ .most = 8, .workers = 2, .serving = 2, .lanes = 8, .free = 1 };
	for (int i = 0; i < 20; i++)
		assert_int_equal(cheaper_decide(&t.s, &t.memory, &t.v, &t.why), 0);
}

static void test_nothing_is_added_while_one_starts(void **unused)
{
	struct story t = begin(CHEAPER_SPARE);

	(void)unused;
	t.v.serving = 1;
	for (int i = 0; i < 20; i++)
		assert_int_equal(cheaper_decide(&t.s, &t.memory, &t.v, &t.why), 0);
}

static void test_spare2_adds_at_once_and_removes_slowly(void **unused)
{
	struct story t = begin(CHEAPER_SPARE2);

	(void)unused;
	t.s.step = 4;
	assert_int_equal(look(&t, 2), 2);
	assert_string_equal(t.why.text, "only 0 ran nothing (cheaper 2)");
	assert_int_equal(look(&t, 2), 0);
	assert_int_equal(until(&t, 1, -1), 10);
	assert_int_equal(look(&t, 2), 1);
	assert_int_equal(until(&t, 0, -1), 10);
	assert_int_equal(until(&t, 0, -1), 10);
	assert_int_equal(until(&t, 0, 0), 0);
}

static void test_backlog_goes_by_what_waits(void **unused)
{
	struct story t = begin(CHEAPER_BACKLOG);

	(void)unused;
	t.v.waiting = 3;
	assert_int_equal(until(&t, 2, 0), 0);
	t.v.waiting = 4;
	assert_int_equal(look(&t, 2), 1);
	assert_string_equal(t.why.text, "4 connections wait (cheaper-overload 3)");
	/* Nobody waits, but all have something to do. */
	t.v.waiting = 0;
	assert_int_equal(look(&t, 3), 0);
	assert_int_equal(look(&t, 2), -1);
}

static void test_busyness_is_measured_over_a_window(void **unused)
{
	struct story t = begin(CHEAPER_BUSYNESS);

	(void)unused;
	assert_int_equal(until(&t, 2, 1), 3);
	assert_string_equal(t.why.text, "busy for 100 % of the last 3 s (cheaper-busyness-max 50)");
	/* A third of the time: between the two. */
	assert_int_equal(until(&t, 1, 0), 0);
	assert_int_equal(until(&t, 0, -1), 30);
	assert_string_equal(t.why.text,
			    "busy for less than 25 % of 10 times 3 s (cheaper-busyness-min)");
	assert_int_equal(until(&t, 0, 0), 0);
}

static void test_busyness_counts_what_ran_between_two_looks(void **unused)
{
	struct story t = begin(CHEAPER_BUSYNESS);

	(void)unused;
	t.v.serving = t.v.lanes = t.v.free = t.v.idle = 2;
	t.v.elapsed_us = 1000000;
	t.v.ran_us = 1800000;
	assert_int_equal(cheaper_decide(&t.s, &t.memory, &t.v, &t.why), 0);
	assert_int_equal(cheaper_decide(&t.s, &t.memory, &t.v, &t.why), 0);
	assert_int_equal(cheaper_decide(&t.s, &t.memory, &t.v, &t.why), 1);
	assert_int_equal(t.memory.busyness, 90);
	assert_true(t.memory.told);
}

static void test_who_comes_back_soon_is_removed_later(void **unused)
{
	struct story t = begin(CHEAPER_BUSYNESS);

	(void)unused;
	until(&t, 2, 1);
	assert_int_equal(until(&t, 0, -1), 30);
	until(&t, 2, 1);
	assert_int_equal(until(&t, 0, -1), 36);
	/* It was not missed for long enough. */
	for (int i = 0; i < 60; i++)
		look(&t, 0);
	until(&t, 2, 1);
	assert_int_equal(until(&t, 0, -1), 30);
}

static void test_connections_that_wait_add_workers_for_a_short_time(void **unused)
{
	struct story t = begin(CHEAPER_BUSYNESS);

	(void)unused;
	t.v.waiting = 34;
	assert_int_equal(look(&t, 1), 1);
	t.v.waiting = 0;
	for (int i = 0; i < 2; i++)
		assert_int_equal(look(&t, 0), 0);
	assert_true(until(&t, 0, -1) <= 9);
	t.v.waiting = 1;
	for (int i = 0; i < 60; i++)
		assert_int_equal(look(&t, 0), 0);
	assert_int_equal(look(&t, 0), 1);
}

static void test_manual_does_nothing_by_itself(void **unused)
{
	struct story t = begin(CHEAPER_MANUAL);

	(void)unused;
	t.v.waiting = 100;
	assert_int_equal(until(&t, 2, 0), 0);
	assert_int_equal(until(&t, 0, 0), 0);
	assert_int_equal(cheaper_bound(&t.s, &t.v, 1), 1);
	assert_int_equal(cheaper_bound(&t.s, &t.v, 100), 6);
	assert_int_equal(cheaper_bound(&t.s, &t.v, -1), 0);
	t.v.workers = 8;
	assert_int_equal(cheaper_bound(&t.s, &t.v, -100), -6);
	t.v.workers = 0;
	assert_int_equal(cheaper_bound(&t.s, &t.v, 1), 2);
	assert_int_equal(cheaper_bound(&t.s, &t.v, -1), 0);
}

static void test_memory_has_the_last_word(void **unused)
{
	struct story t = begin(CHEAPER_SPARE);
	int said = 0;

	(void)unused;
	t.s.rss_soft = 100 << 20;
	t.s.rss_hard = 200 << 20;
	t.v.workers = 4;
	t.v.resident = 150 << 20;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(look(&t, 4), 0);
		said += t.why.text[0] != '\0';
	}
	assert_int_equal(said, 1);
	t.v.resident = 200 << 20;
	assert_int_equal(look(&t, 4), -1);
	assert_string_equal(t.why.text,
			    "they hold 200 MB of memory (cheaper-rss-limit-hard 200 MB)");
	assert_int_equal(look(&t, 3), -1);
	assert_int_equal(look(&t, 2), 0);
	t.v.resident = 99 << 20;
	assert_int_equal(until(&t, 2, 1), 1);
}

static void test_how_many_begin(void **unused)
{
	struct cheaper_settings s = usual;

	(void)unused;
	assert_int_equal(cheaper_initial(&s, 8), 2);
	s.initial = 4;
	assert_int_equal(cheaper_initial(&s, 8), 4);
	s.initial = 1;
	assert_int_equal(cheaper_initial(&s, 8), 2);
	s.initial = 9;
	assert_int_equal(cheaper_initial(&s, 8), 8);
	/* cheaper is not less than processes, or is not set. */
	assert_int_equal(cheaper_initial(&s, 2), 2);
	assert_int_equal(cheaper_initial(&s, 1), 1);
	s.least = 0;
	assert_int_equal(cheaper_initial(&s, 8), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spare_adds_when_none_is_free_and_keeps_some_free),
		cmocka_unit_test(test_spare_is_not_misled_by_a_moment),
		cmocka_unit_test(test_steps_end_at_processes),
		cmocka_unit_test(test_a_worker_with_a_free_lane_is_free),
		cmocka_unit_test(test_nothing_is_added_while_one_starts),
		cmocka_unit_test(test_spare2_adds_at_once_and_removes_slowly),
		cmocka_unit_test(test_backlog_goes_by_what_waits),
		cmocka_unit_test(test_busyness_is_measured_over_a_window),
		cmocka_unit_test(test_busyness_counts_what_ran_between_two_looks),
		cmocka_unit_test(test_who_comes_back_soon_is_removed_later),
		cmocka_unit_test(test_connections_that_wait_add_workers_for_a_short_time),
		cmocka_unit_test(test_manual_does_nothing_by_itself),
		cmocka_unit_test(test_memory_has_the_last_word),
		cmocka_unit_test(test_how_many_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
