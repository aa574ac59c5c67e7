/* SPDX-License-Identifier: MIT */
/* test_waited.c: what X-Request-Start may say, and what counts without it. */
#include "unit.h"

#include "exchange/waited.h"

#include <string.h>

/* 2017-12-04 09:19:28.000 */
#define BEGAN 1512379168000000ll

static void test_the_rule(void **unused)
{
	static const struct {
		const char *start;
		int64_t silent_us, woke_ago_us;
		uint64_t us;
		int64_t taken_ago_us;
	} cases[] = {
		/* Seconds with milliseconds, milliseconds, microseconds; with and without t=. */
		{ "t=1512379167.574", -1, 0, 426000, 0 },
		{ "1512379167.574", -1, 0, 426000, 0 },
		{ "t=1512379167574", -1, 0, 426000, 0 },
		{ "1512379167574", -1, 0, 426000, 0 },
		{ "t=1512379167574001", -1, 0, 425999, 0 },
		{ "1512379167.5740012", -1, 0, 425999, 0 },
		{ "t=1512379167", -1, 0, 1000000, 0 },
		{ "t=1512379167.", -1, 0, 1000000, 0 },
		{ "t=1512379168000", -1, 0, 0, 0 },
		/* It comes before what this server knows, even when that is more. */
		{ "t=1512379167.574", 900000, 800000, 426000, 0 },
		/* In the future, and over an hour old. */
		{ "t=1512379168.001", -1, 7, 7, 0 },
		{ "t=1512375568.000", -1, 7, 3600000000, 0 },
		{ "t=1512375567.999", -1, 7, 7, 0 },
		/* No times. */
		{ "t=", -1, 7, 7, 0 },
		{ "t=0", -1, 7, 7, 0 },
		{ "t=1512379167x", -1, 7, 7, 0 },
		{ "t=1512379167.5.1", -1, 7, 7, 0 },
		{ "t=-1512379167", -1, 7, 7, 0 },
		{ "t=99999999999999999999999999", -1, 7, 7, 0 },
		{ "t= 1512379167.574", -1, 7, 7, 0 },
		{ "u=1512379167.574", -1, 7, 7, 0 },
		{ "t=1512379167574000000", -1, 7, 7, 0 },
		/* Without it: the longer one. */
		{ "", -1, 0, 0, 0 },
		{ "", -1, 250, 250, 0 },
		{ "", 4000, 250, 4000, 0 },
		{ "", 0, 250, 250, 0 },
		{ "", 3600000001, 250, 250, 0 },
		{ "", -1, -500, 0, 0 },
		/* The router knows better, if it can be true. */
		{ "", 4000, 250, 90, .taken_ago_us = 90 },
		{ "t=1512379167.574", -1, 0, 426000, .taken_ago_us = 90 },
		{ "", -1, 250, 250, .taken_ago_us = -90 },
		{ "", -1, 250, 250, .taken_ago_us = 3600000001 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct waited_since w = {
			.start = { cases[i].start, strlen(cases[i].start) },
			.taken_us = cases[i].taken_ago_us ? BEGAN - cases[i].taken_ago_us : 0,
			.silent_us = cases[i].silent_us,
			.woke_us = BEGAN - cases[i].woke_ago_us,
			.began_us = BEGAN,
		};

		if (waited_us(&w) != cases[i].us)
			print_error("case %zu: %s\n", i, cases[i].start);
		assert_int_equal(waited_us(&w), cases[i].us);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
