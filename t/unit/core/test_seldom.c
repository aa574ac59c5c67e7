/* SPDX-License-Identifier: MIT */
/* test_seldom.c: once a minute, with how often it has happened. */
#include "unit.h"

#include "base/log.h"
#include "base/seldom.h"

#include <stdio.h>
#include <string.h>

static void test_the_first_time_is_said_then_nothing_for_a_minute(void **unused)
{
	struct seldom s = { 0 };

	(void)unused;
	assert_int_equal(seldom_happened(&s, 1), 1);
	assert_int_equal(seldom_happened(&s, 2), 0);
	assert_int_equal(seldom_happened(&s, 60000), 0);
	assert_int_equal(seldom_happened(&s, 60001), 3);
	assert_int_equal(seldom_happened(&s, 120000), 0);
}

static char last[2048];

static void keep(void *unused, const char *line, size_t n)
{
	(void)unused;
	snprintf(last, sizeof last, "%.*s", (int)n, line);
}

static void test_a_line_says_how_often_it_happened(void **unused)
{
	struct seldom s = { 0 };

	(void)unused;
	log_set_writer(keep, NULL);
	seldom_log(&s, UWSGI_ERROR, "no %s", "room");
	assert_non_null(strstr(last, "no room"));
	assert_null(strstr(last, "times"));
	last[0] = '\0';
	seldom_log(&s, UWSGI_ERROR, "no room");
	assert_string_equal(last, "");
	s.said_ms -= 60000;
	seldom_log(&s, UWSGI_ERROR, "no room");
	assert_non_null(strstr(last, "no room; 2 times since this was said last"));
	log_set_writer(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_time_is_said_then_nothing_for_a_minute),
		cmocka_unit_test(test_a_line_says_how_often_it_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
