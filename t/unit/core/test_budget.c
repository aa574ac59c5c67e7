/* SPDX-License-Identifier: MIT */
/* test_budget.c: who is replaced when memory runs short. */
#include "unit.h"

#include "process/budget.h"

#include <string.h>

#define MB(n) ((uint64_t)(n) << 20)

static void test_within_the_budget_nobody_goes(void **unused)
{
	const struct budget_worker workers[] = { { MB(900), true } };
	const struct budget_view v = { .budget = MB(1000),
				       .held = MB(1000),
				       .fresh = MB(10),
				       .workers = workers,
				       .count = 1 };
	struct error why;
	bool first;

	(void)unused;
	assert_int_equal(budget_judge(&v, &first, &why), -1);
	assert_string_equal(why.text, "");
}

static void test_the_largest_goes(void **unused)
{
	const struct budget_worker workers[] = {
		{ MB(200), true }, { MB(500), true }, { 0, false }, { MB(700), false }
	};
	struct budget_view v = { .budget = MB(1000),
				 .held = MB(1400),
				 .room = MB(100),
				 .fresh = MB(100),
				 .workers = workers,
				 .count = 4 };
	struct error why;
	bool first;

	(void)unused;
	assert_int_equal(budget_judge(&v, &first, &why), 1);
	assert_false(first);
	assert_string_equal(why.text,
			    "all processes hold 1400 MB of memory (memory-budget 1000 MB), "
			    "this one 500 MB");
	v.room = MB(99);
	assert_int_equal(budget_judge(&v, &first, &why), 1);
	assert_true(first);
}

static void test_who_has_not_grown_is_not_replaced_for_ever(void **unused)
{
	const struct budget_worker workers[] = { { MB(105), true }, { MB(100), true } };
	const struct budget_view v = {
		.budget = MB(100), .held = MB(205), .fresh = MB(100), .workers = workers, .count = 2
	};
	struct error why;
	bool first;

	(void)unused;
	assert_int_equal(budget_judge(&v, &first, &why), -1);
	assert_non_null(strstr(why.text, "fewer processes would help"));
}

static void test_what_others_hold_of_the_limit_is_theirs(void **unused)
{
	(void)unused;
	assert_int_equal(budget_auto(1000, 600, 600), 900);
	assert_int_equal(budget_auto(1000, 600, 400), 720);
	assert_int_equal(budget_auto(1000, 600, 700), 900);
	assert_int_equal(budget_auto(100, 600, 400), 0);
}

static void test_words(void **unused)
{
	(void)unused;
	assert_int_equal(budget_bytes("1000"), 1000);
	assert_int_equal(budget_bytes("2k"), 2048);
	assert_int_equal(budget_bytes("512M"), MB(512));
	assert_int_equal(budget_bytes("1g"), MB(1024));
	assert_int_equal(budget_bytes("16777217t"), 0); /* 2^64 and more */
	assert_int_equal(budget_bytes(""), 0);
	assert_int_equal(budget_bytes("-1"), 0);
	assert_int_equal(budget_bytes("1x"), 0);
	assert_int_equal(budget_bytes("1 GB"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_within_the_budget_nobody_goes),
		cmocka_unit_test(test_the_largest_goes),
		cmocka_unit_test(test_who_has_not_grown_is_not_replaced_for_ever),
		cmocka_unit_test(test_what_others_hold_of_the_limit_is_theirs),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
