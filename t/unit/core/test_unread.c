/* SPDX-License-Identifier: MIT */
/* test_unread.c: what answers hold is added up, and whose client is the furthest behind is known. */
#include "unit.h"

#include "wire/unread.h"

#include <stddef.h>

static const struct unread_limits limits = { .memory = 100 };

static void test_what_is_held_is_added_up(void **unused)
{
	struct unread u;
	struct unread_share a = { 0 }, b = { 0 };

	(void)unused;
	unread_init(&u, &limits);
	unread_note(&u, &a, 60, 0);
	unread_note(&u, &b, 40, 0);
	assert_false(unread_is_over(&u, 0));
	assert_true(unread_is_over(&u, 1));
	unread_note(&u, &b, 50, 0);
	assert_true(unread_is_over(&u, 0));
	unread_forget(&u, &a);
	unread_forget(&u, &a);
	assert_int_equal(u.held, 50);
	unread_note(&u, &b, 0, 0);
	assert_int_equal(u.held, 0);
	assert_null(unread_last(&u));
}

static void test_who_takes_something_is_no_longer_the_last(void **unused)
{
	struct unread u;
	struct unread_share a = { 0 }, b = { 0 }, c = { 0 };

	(void)unused;
	unread_init(&u, &limits);
	unread_note(&u, &a, 10, 5);
	unread_note(&u, &b, 10, 5);
	unread_note(&u, &c, 10, 5);
	assert_ptr_equal(unread_last(&u), &a);
	unread_note(&u, &a, 20, 5);
	assert_ptr_equal(unread_last(&u), &a);
	unread_note(&u, &a, 15, 6);
	assert_ptr_equal(unread_last(&u), &b);
	unread_forget(&u, &b);
	unread_note(&u, &c, 5, 7);
	assert_ptr_equal(unread_last(&u), &a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_held_is_added_up),
		cmocka_unit_test(test_who_takes_something_is_no_longer_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
