/* SPDX-License-Identifier: MIT */
/* test_deadline.c: who has a request whose time is over: its lane or its watchdog, and never both. */
#include "unit.h"

#include "exchange/deadline.h"

#include <pthread.h>

struct fixture {
	struct deadline d;
	_Atomic int64_t shown_ms;
	int64_t sooner_ms; /* what the watchdog was told last */
};

static void note_sooner(void *data, int64_t at_ms)
{
	((struct fixture *)data)->sooner_ms = at_ms;
}

static void init(struct fixture *f)
{
	f->shown_ms = f->sooner_ms = 0;
	deadline_init(&f->d, &f->shown_ms);
	f->d.sooner = note_sooner;
	f->d.data = f;
}

static void test_it_is_due_when_its_time_is_over(void **unused)
{
	struct fixture f;

	(void)unused;
	init(&f);
	assert_false(deadline_is_set(&f.d));
	deadline_begin(&f.d, 1000, 500);
	assert_int_equal(deadline_look(&f.d), 1500);
	assert_int_equal(f.shown_ms, 1500);
	assert_false(deadline_end(&f.d));
	assert_int_equal(deadline_look(&f.d), 0);
	assert_int_equal(f.shown_ms, 0);
	assert_false(deadline_strike(&f.d, 1500));
}

static void test_who_is_late_has_lost_it(void **unused)
{
	struct fixture f;

	(void)unused;
	init(&f);
	deadline_begin(&f.d, 1000, 500);
	assert_true(deadline_strike(&f.d, 1500));
	deadline_done(&f.d);
	assert_int_equal(deadline_hold(&f.d), HOLD_LOST);
	assert_int_equal(deadline_hold(&f.d), HOLD_LOST);
	assert_int_equal(deadline_look(&f.d), DEADLINE_LOST);
	assert_true(deadline_end(&f.d));
	assert_false(deadline_is_set(&f.d));
	deadline_begin(&f.d, 2000, 500);
	assert_false(deadline_end(&f.d));
}

static void test_what_the_lane_holds_is_not_taken(void **unused)
{
	struct fixture f;

	(void)unused;
	init(&f);
	deadline_begin(&f.d, 1000, 500);
	assert_int_equal(deadline_hold(&f.d), HOLD_TAKEN);
	assert_int_equal(deadline_hold(&f.d), HOLD_OURS);
	assert_int_equal(deadline_look(&f.d), -1500);
	assert_false(deadline_strike(&f.d, 1500));
	deadline_let_go(&f.d);
	assert_true(deadline_strike(&f.d, 1500));
}

static void test_a_wait_for_the_client_does_not_count(void **unused)
{
	struct fixture f;

	(void)unused;
	init(&f);
	deadline_begin(&f.d, 1000, 500);
	deadline_set_user(&f.d, 1000, 400);
	deadline_hold(&f.d);
	deadline_pause(&f.d, 1100);
	assert_int_equal(f.shown_ms, 0);
	assert_int_equal(deadline_look(&f.d), -1);
	deadline_resume(&f.d, 3100);
	assert_int_equal(f.sooner_ms, 3400);
	assert_int_equal(deadline_look(&f.d), -3400);
	deadline_let_go(&f.d);
	assert_int_equal(deadline_look(&f.d), 3400);
	assert_int_equal(f.shown_ms, 3400);
}

static void test_the_earlier_of_two_limits_counts(void **unused)
{
	struct fixture f;

	(void)unused;
	init(&f);
	deadline_begin(&f.d, 1000, 500);
	deadline_set_user(&f.d, 1100, 900);
	assert_int_equal(deadline_look(&f.d), 1500);
	deadline_set_user(&f.d, 1100, 100);
	assert_int_equal(deadline_look(&f.d), 1200);
	assert_int_equal(f.sooner_ms, 1200);
	deadline_set_user(&f.d, 1150, 0);
	assert_int_equal(deadline_look(&f.d), 1500);
	deadline_set_limit(&f.d, 1150, 0);
	assert_false(deadline_is_set(&f.d));
	deadline_set_user(&f.d, 1200, 100);
	assert_int_equal(deadline_look(&f.d), 1300);
	assert_false(deadline_end(&f.d));
	/* It was that request's. */
	deadline_begin(&f.d, 2000, 500);
	assert_int_equal(deadline_look(&f.d), 2500);
}

static void test_one_limit_changes_nothing_for_who_has_lost(void **unused)
{
	struct fixture f;

	(void)unused;
	init(&f);
	deadline_begin(&f.d, 1000, 500);
	assert_true(deadline_strike(&f.d, 1500));
	deadline_done(&f.d);
	deadline_set_user(&f.d, 1600, 100);
	assert_int_equal(deadline_look(&f.d), DEADLINE_LOST);
}

/* ---- two threads ---- */

enum { ROUNDS = 20000 };

struct race {
	struct deadline d;
	int touched; /* by whoever has the request: no lock, and a sanitizer looks */
	int struck;
	atomic_bool over;
};

static void *watch(void *data)
{
	struct race *r = data;

	while (!r->over) {
		int64_t at_ms = deadline_look(&r->d);

		if (at_ms > 0 && deadline_strike(&r->d, at_ms)) {
			r->touched++;
			r->struck++;
			deadline_done(&r->d);
		}
	}
	return NULL;
}

static void test_a_request_is_one_thread_s_at_a_time(void **unused)
{
	struct race r = { .touched = 0 };
	int lost = 0, held = 0;
	pthread_t watchdog;

	(void)unused;
	deadline_init(&r.d, NULL);
	assert_int_equal(pthread_create(&watchdog, NULL, watch, &r), 0);
	for (int i = 0; i < ROUNDS; i++) {
		deadline_begin(&r.d, 1 + i, 1);
		enum hold hold = deadline_hold(&r.d);

		r.touched++;
		held += hold == HOLD_TAKEN;
		if (hold == HOLD_TAKEN)
			deadline_let_go(&r.d);
		lost += deadline_end(&r.d);
		r.touched++;
	}
	r.over = true;
	pthread_join(watchdog, NULL);
	assert_int_equal(lost, r.struck);
	assert_int_equal(r.touched, 2 * ROUNDS + lost);
	assert_true(held > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_due_when_its_time_is_over),
		cmocka_unit_test(test_who_is_late_has_lost_it),
		cmocka_unit_test(test_what_the_lane_holds_is_not_taken),
		cmocka_unit_test(test_a_wait_for_the_client_does_not_count),
		cmocka_unit_test(test_the_earlier_of_two_limits_counts),
		cmocka_unit_test(test_one_limit_changes_nothing_for_who_has_lost),
		cmocka_unit_test(test_a_request_is_one_thread_s_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
