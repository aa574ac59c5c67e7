/* SPDX-License-Identifier: MIT */
/* test_progress.c: a peer that takes a little all the time is waited for, however long; one that
 * takes nothing, or next to nothing, is not. */
#include "unit.h"

#include "exchange/progress.h"

enum { TIMEOUT = 60000, LOOK = 15000, FULL = 4 << 20 };

/* How long a peer is waited for that takes `step` bytes from a full buffer at each look, into which
 * we put what `refill` says; up to an hour. */
static int64_t waited_ms(bool tcp, int step, bool refill)
{
	struct progress p;
	struct progress_view v = { .now_ms = 1000, .queued = FULL, .tcp = tcp };

	progress_begin(&p, v.now_ms, v.sent);
	do {
		v.now_ms += LOOK;
		if (refill)
			v.sent += step;
		else
			v.queued -= v.queued > step ? step : 0;
	} while (progress_goes_on(&p, &v, TIMEOUT) && v.now_ms < 3600000);
	return v.now_ms - 1000;
}

static void test_who_takes_nothing_is_waited_for_a_timeout(void **unused)
{
	(void)unused;
	assert_int_equal(waited_ms(true, 0, false), TIMEOUT);
	assert_int_equal(waited_ms(false, 0, false), TIMEOUT);
}

static void test_who_takes_enough_is_waited_for(void **unused)
{
	(void)unused;
	for (int tcp = 0; tcp < 2; tcp++) {
		assert_in_range(waited_ms(tcp, 16 * 1024, true), 3600000 - 1000, 3700000);
		/* Though nothing more fits into the buffer. */
		assert_in_range(waited_ms(tcp, 16 * 1024, false), 3600000 - 1000, 3700000);
	}
}

static void test_next_to_nothing_is_cut_where_bytes_are_known(void **unused)
{
	(void)unused;
	for (int refill = 0; refill < 2; refill++) {
		assert_in_range(waited_ms(true, 5 * 1024, refill), TIMEOUT, 2 * TIMEOUT);
		assert_in_range(waited_ms(true, 1, refill), TIMEOUT, 2 * TIMEOUT);
		assert_in_range(waited_ms(false, 1, refill), 3600000 - 1000, 3700000);
	}
}

static void test_who_stops_is_waited_for_a_timeout_from_then(void **unused)
{
	struct progress p;
	struct progress_view v = { .tcp = true, .queued = FULL };
	int looks = 0;

	(void)unused;
	progress_begin(&p, 0, 0);
	for (int i = 0; i < 9; i++) {
		v.now_ms += LOOK;
		v.queued -= 100000;
		assert_true(progress_goes_on(&p, &v, TIMEOUT));
	}
	do {
		v.now_ms += LOOK;
		looks++;
	} while (progress_goes_on(&p, &v, TIMEOUT));
	assert_int_equal(looks, 4);
}

static void test_what_is_said_meanwhile_is_not_taken_yet(void **unused)
{
	struct progress p;
	struct progress_view v = { .tcp = true, .queued = 1000 };

	(void)unused;
	progress_begin(&p, 0, 0);
	for (int i = 0; i < 5; i++) {
		v.now_ms += LOOK;
		v.sent += 50000;
		v.queued += 50000;
		/* The first look cannot know what was queued before. */
		assert_int_equal(progress_goes_on(&p, &v, TIMEOUT), i < 4);
	}
}

static void test_looks_may_come_a_little_early_or_late(void **unused)
{
	static const int skew[] = { -5, 5, -5, -5 };
	struct progress p;
	struct progress_view v = { .tcp = true, .queued = 1000 };

	(void)unused;
	progress_begin(&p, 0, 0);
	for (int i = 0; i < 4; i++) {
		v.now_ms = (i + 1) * LOOK + skew[i];
		assert_int_equal(progress_goes_on(&p, &v, TIMEOUT), i < 3);
	}
	assert_int_equal(progress_look_ms(TIMEOUT), LOOK);
}

/* An application had the thread meanwhile. */
static void test_nobody_is_blamed_for_looks_that_come_late(void **unused)
{
	struct progress p;
	struct progress_view v = { .now_ms = 10 * TIMEOUT, .tcp = true, .queued = FULL };

	(void)unused;
	progress_begin(&p, 0, 0);
	assert_true(progress_goes_on(&p, &v, TIMEOUT));
	v.now_ms += 10 * TIMEOUT;
	assert_true(progress_goes_on(&p, &v, TIMEOUT));
}

static void test_nobody_is_blamed_when_nothing_is_queued(void **unused)
{
	struct progress p;
	struct progress_view v = { .queued = 0 };

	(void)unused;
	for (int tcp = 0; tcp < 2; tcp++) {
		v.tcp = tcp;
		progress_begin(&p, v.now_ms, 0);
		for (int i = 0; i < 20; i++) {
			v.now_ms += LOOK;
			assert_true(progress_goes_on(&p, &v, TIMEOUT));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_takes_nothing_is_waited_for_a_timeout),
		cmocka_unit_test(test_who_takes_enough_is_waited_for),
		cmocka_unit_test(test_next_to_nothing_is_cut_where_bytes_are_known),
		cmocka_unit_test(test_who_stops_is_waited_for_a_timeout_from_then),
		cmocka_unit_test(test_what_is_said_meanwhile_is_not_taken_yet),
		cmocka_unit_test(test_looks_may_come_a_little_early_or_late),
		cmocka_unit_test(test_nobody_is_blamed_for_looks_that_come_late),
		cmocka_unit_test(test_nobody_is_blamed_when_nothing_is_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
