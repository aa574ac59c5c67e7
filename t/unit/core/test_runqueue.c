/* SPDX-License-Identifier: MIT */
/* test_runqueue.c: quick and slow requests, and who pipelines. */
#include "unit.h"

#include "wire/runqueue.h"

enum { MOST = 100 };

struct fixture {
	struct runqueue queue;
	struct runner runners[MOST];
};

static void begin(struct fixture *f)
{
	runqueue_init(&f->queue);
	for (int i = 0; i < MOST; i++)
		runner_init(&f->runners[i]);
}

/* So many of them wait like this. */
static void wait(struct fixture *f, enum run_kind kind, int first, int count)
{
	for (int i = first; i < first + count; i++)
		runqueue_wait(&f->queue, &f->runners[i], kind);
}

/* The end of a turn in which each that is chosen runs so long.  Returns how many did. */
static int turn(struct fixture *f, double took_s)
{
	struct runner *r;
	int ran = 0;

	for (; (r = runqueue_next(&f->queue)); ran++)
		runqueue_note(&f->queue, r, took_s);
	return ran;
}

static void test_more_than_ten_milliseconds_is_slow(void **unused)
{
	struct fixture f;
	struct runner *r = f.runners;

	(void)unused;
	begin(&f);
	assert_false(runqueue_expects_slow(&f.queue, r));
	runqueue_note(&f.queue, r, 0.010);
	assert_false(runqueue_expects_slow(&f.queue, r));
	runqueue_note(&f.queue, r, 0.011);
	assert_true(runqueue_expects_slow(&f.queue, r));
	assert_true(runqueue_expected_s(&f.queue, r) == 0.011);
	runqueue_note(&f.queue, r, 0.001);
	assert_false(runqueue_expects_slow(&f.queue, r));
}

static void test_a_new_client_is_as_slow_as_the_last_new_one(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	f.runners[0].is_new = f.runners[1].is_new = f.runners[2].is_new = true;
	assert_false(runqueue_expects_slow(&f.queue, &f.runners[0]));
	runqueue_note(&f.queue, &f.runners[0], 0.5);
	assert_true(runqueue_expects_slow(&f.queue, &f.runners[1]));
	/* Later requests of one that is not new say nothing of those who are. */
	runqueue_note(&f.queue, &f.runners[0], 0.001);
	assert_true(runqueue_expects_slow(&f.queue, &f.runners[1]));
	runqueue_note(&f.queue, &f.runners[1], 0.001);
	assert_false(runqueue_expects_slow(&f.queue, &f.runners[2]));
	assert_false(runqueue_expects_slow(&f.queue, &f.runners[1]));
}

static void test_who_pipelines_goes_before_the_slow_and_each_in_its_order(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	wait(&f, RUN_SLOW, 0, 1);
	wait(&f, RUN_PIPELINED, 1, 2);
	assert_ptr_equal(runqueue_next(&f.queue), &f.runners[1]);
	assert_ptr_equal(runqueue_next(&f.queue), &f.runners[2]);
	assert_ptr_equal(runqueue_next(&f.queue), &f.runners[0]);
	assert_int_equal(f.runners[0].waits_as, RUN_NOT_WAITING);
	assert_true(runqueue_is_empty(&f.queue));
	assert_null(runqueue_next(&f.queue));
}

static void test_a_turn_serves_so_many_who_pipeline(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	wait(&f, RUN_PIPELINED, 0, MOST);
	for (int left = MOST; left > 0; left -= 8)
		assert_int_equal(turn(&f, 0), left < 8 ? left : 8);
	assert_true(runqueue_is_empty(&f.queue));
}

/* Who comes while the slow run waits for the next turn. */
static void test_who_pipelines_meanwhile_is_served_in_the_next_turn(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	wait(&f, RUN_SLOW, 0, 1);
	runqueue_note(&f.queue, runqueue_next(&f.queue), 1);
	wait(&f, RUN_PIPELINED, 1, 1);
	assert_null(runqueue_next(&f.queue));
	assert_ptr_equal(runqueue_next(&f.queue), &f.runners[1]);
}

static void test_without_quick_ones_a_slow_one_runs_each_turn(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	wait(&f, RUN_SLOW, 0, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(turn(&f, 0.02), 1);
	assert_int_equal(turn(&f, 0.02), 0);
}

static void test_slow_ones_run_as_long_as_the_quick_took(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	wait(&f, RUN_SLOW, 0, 10);
	for (int i = 20; i < 70; i++)
		runqueue_note(&f.queue, &f.runners[i], 0.001);
	/* 50 ms: the third one begins before they are over. */
	assert_int_equal(turn(&f, 0.02), 3);
	/* What quick ones took in a turn is not counted in the next. */
	assert_int_equal(turn(&f, 0.02), 1);
	/* Nor is what slow ones took. */
	assert_int_equal(turn(&f, 0.02), 1);
}

/* A turn in which nobody waits has no end, and counts for nothing. */
static void test_what_ran_in_turns_before_does_not_count(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	runqueue_note(&f.queue, &f.runners[9], 5);
	runqueue_in_turn(&f.queue, 1);
	runqueue_note(&f.queue, &f.runners[9], 0.001);
	runqueue_in_turn(&f.queue, 1);
	wait(&f, RUN_SLOW, 0, 3);
	assert_int_equal(turn(&f, 0.02), 1);
}

static void test_who_leaves_is_not_served(void **unused)
{
	struct fixture f;

	(void)unused;
	begin(&f);
	wait(&f, RUN_SLOW, 0, 2);
	runqueue_leave(&f.queue, &f.runners[0]);
	runqueue_leave(&f.queue, &f.runners[0]);
	assert_ptr_equal(runqueue_next(&f.queue), &f.runners[1]);
	assert_true(runqueue_is_empty(&f.queue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_than_ten_milliseconds_is_slow),
		cmocka_unit_test(test_a_new_client_is_as_slow_as_the_last_new_one),
		cmocka_unit_test(test_who_pipelines_goes_before_the_slow_and_each_in_its_order),
		cmocka_unit_test(test_a_turn_serves_so_many_who_pipeline),
		cmocka_unit_test(test_who_pipelines_meanwhile_is_served_in_the_next_turn),
		cmocka_unit_test(test_without_quick_ones_a_slow_one_runs_each_turn),
		cmocka_unit_test(test_slow_ones_run_as_long_as_the_quick_took),
		cmocka_unit_test(test_what_ran_in_turns_before_does_not_count),
		cmocka_unit_test(test_who_leaves_is_not_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
