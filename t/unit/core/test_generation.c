/* SPDX-License-Identifier: MIT */
/* test_generation.c: reload and recycling stories without a process. */
#include "unit.h"

#include "generation.h"

static void begin(struct generation *gen, int processes)
{
	struct error e;

	assert_int_equal(generation_init(gen, 1, processes, 0, NULL, &e), 0);
}

/* Forks whatever is wanted; returns how many. */
static int fork_all(struct generation *gen, int64_t now_ms)
{
	struct slot *slot;
	int count = 0;

	while ((slot = generation_next_fork(gen, now_ms))) {
		assert_int_equal(generation_step(slot, SLOT_WANTED, now_ms), SLOT_FORK);
		count++;
	}
	return count;
}

static void make_ready(struct generation *gen, int64_t now_ms)
{
	for (size_t i = 0; i < gen->slot_count; i++)
		if (gen->slots[i].state == SLOT_STARTING)
			generation_step(&gen->slots[i], SLOT_READY, now_ms);
}

static void test_nothing_is_forked_before_the_import(void **unused)
{
	struct generation gen;

	(void)unused;
	begin(&gen, 3);
	assert_null(generation_next_fork(&gen, 0));
	gen.imported = true;
	assert_int_equal(fork_all(&gen, 0), 3);
	assert_false(generation_is_ready(&gen));
	make_ready(&gen, 0);
	assert_true(generation_is_ready(&gen));
	assert_null(generation_next_fork(&gen, 0));
	generation_fini(&gen);
}

static void test_a_successor_serves_before_a_worker_leaves(void **unused)
{
	struct generation gen;

	(void)unused;
	begin(&gen, 2);
	gen.imported = true;
	fork_all(&gen, 0);
	make_ready(&gen, 0);
	struct slot *old = &gen.slots[0];
	old->replace = true;
	assert_null(generation_next_replaced(&gen));
	assert_int_equal(fork_all(&gen, 1), 1);
	assert_null(generation_next_replaced(&gen));
	make_ready(&gen, 2);
	assert_ptr_equal(generation_next_replaced(&gen), old);
	assert_int_equal(generation_step(old, SLOT_LEAVE, 3), SLOT_ASK);
	assert_null(generation_next_replaced(&gen));
	assert_int_equal(fork_all(&gen, 4), 0);
	generation_fini(&gen);
}

static void test_mercy_ends(void **unused)
{
	struct generation gen;

	(void)unused;
	begin(&gen, 1);
	gen.imported = true;
	fork_all(&gen, 0);
	make_ready(&gen, 0);
	gen.state = GENERATION_DRAINING;
	generation_step(&gen.slots[0], SLOT_LEAVE, 10);
	gen.slots[0].kill_at_ms = 100;
	assert_int_equal(generation_due_ms(&gen), 100);
	assert_null(generation_next_overdue(&gen, 99));
	assert_ptr_equal(generation_next_overdue(&gen, 100), &gen.slots[0]);
	generation_step(&gen.slots[0], SLOT_OVERDUE, 100);
	assert_null(generation_next_overdue(&gen, 101));
	assert_false(generation_is_vacant(&gen));
	generation_step(&gen.slots[0], SLOT_DIED, 102);
	assert_true(generation_is_vacant(&gen));
	assert_null(generation_next_fork(&gen, 103));
	generation_fini(&gen);
}

static void test_a_worker_that_keeps_dying_young_starts_later_and_later(void **unused)
{
	struct generation gen;
	int64_t now_ms = 1000, last = 0;

	(void)unused;
	begin(&gen, 1);
	gen.imported = true;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(fork_all(&gen, now_ms), 1);
		int64_t delay_ms = generation_note_death(&gen, &gen.slots[0], now_ms + 1);
		generation_step(&gen.slots[0], SLOT_DIED, now_ms + 1);
		assert_true(delay_ms >= last);
		assert_true(delay_ms <= 30000);
		if (i > 0) {
			assert_true(delay_ms > 0);
			assert_null(generation_next_fork(&gen, now_ms + 1));
			assert_int_equal(generation_due_ms(&gen), now_ms + 1 + delay_ms);
		}
		last = delay_ms;
		now_ms += 1 + delay_ms;
	}
	/* One that has lived long enough is forgiven. */
	assert_int_equal(fork_all(&gen, now_ms), 1);
	assert_int_equal(generation_note_death(&gen, &gen.slots[0], now_ms + 60000), 0);
	generation_fini(&gen);
}

static void test_what_a_generation_becomes(void **unused)
{
	static const struct {
		enum generation_state from;
		enum generation_event event;
		enum generation_state to;
		enum generation_action action;
	} cases[] = {
		{ GENERATION_IMPORTING, GENERATION_READY, GENERATION_SERVING,
		  GENERATION_TAKE_OVER },
		{ GENERATION_IMPORTING, GENERATION_FAILED, GENERATION_DRAINING, GENERATION_DROP },
		{ GENERATION_SERVING, GENERATION_REPLACED, GENERATION_DRAINING, GENERATION_DRAIN },
		{ GENERATION_SERVING, GENERATION_FAILED, GENERATION_SERVING, GENERATION_NOTHING },
		{ GENERATION_DRAINING, GENERATION_READY, GENERATION_DRAINING, GENERATION_NOTHING },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum generation_action action;

		assert_int_equal(generation_next(cases[i].from, cases[i].event, &action),
				 cases[i].to);
		assert_int_equal(action, cases[i].action);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_forked_before_the_import),
		cmocka_unit_test(test_a_successor_serves_before_a_worker_leaves),
		cmocka_unit_test(test_mercy_ends),
		cmocka_unit_test(test_a_worker_that_keeps_dying_young_starts_later_and_later),
		cmocka_unit_test(test_what_a_generation_becomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
