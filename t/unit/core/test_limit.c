/* SPDX-License-Identifier: MIT */
/* test_limit.c: who must go, and what is said of it. */
#include "unit.h"

#include "process/limit.h"

static const struct limits_settings settings = { .reload_on_as_mb = 512, .reload_on_rss_mb = 100 };

static void test_within_limits_nobody_goes(void **unused)
{
	const struct observed o = { .requests = 1,
				    .memory.address_space = 511ull << 20,
				    .memory.resident = 99ull << 20 };
	struct error why;

	(void)unused;
	assert_int_equal(limits_judge(&settings, &o, &why), LIMITS_STAY);
	assert_int_equal(
		limits_judge(&(struct limits_settings){ 0 },
			     &(struct observed){ .requests = 1, .memory.resident = UINT64_MAX },
			     &why),
		LIMITS_STAY);
}

static void test_memory_replaces(void **unused)
{
	struct error why;

	(void)unused;
	assert_int_equal(
		limits_judge(&settings,
			     &(struct observed){ .requests = 1, .memory.resident = 100ull << 20 },
			     &why),
		LIMITS_REPLACE);
	assert_string_equal(why.text, "it holds 100 MB of memory (reload-on-rss 100)");
	assert_int_equal(limits_judge(&settings,
				      &(struct observed){ .requests = 1,
							  .memory.address_space = 600ull << 20 },
				      &why),
			 LIMITS_REPLACE);
	assert_string_equal(why.text, "its address space is 600 MB (reload-on-as 512)");
}

static void test_a_worker_is_not_replaced_before_its_first_request(void **unused)
{
	struct error why;

	(void)unused;
	assert_int_equal(limits_judge(&settings,
				      &(struct observed){ .memory.resident = 999ull << 20 }, &why),
			 LIMITS_STAY);
}

static void test_time_kills_and_names_the_request(void **unused)
{
	const struct observed o = { .overdue_ms = 900,
				    .ran_ms = 60900,
				    .method = SLICE("GET"),
				    .uri = SLICE("/x\nforged\xc2\x9b\xe2\x80\xae"),
				    .memory.resident = 1000ull << 20 };
	struct error why;

	(void)unused;
	assert_int_equal(limits_judge(&settings, &o, &why), LIMITS_KILL);
	assert_string_equal(why.text, "GET /x\\x0aforged\\xc2\\x9b\\xe2\\x80\\xae ran 60 s "
				      "(harakiri 60)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_within_limits_nobody_goes),
		cmocka_unit_test(test_memory_replaces),
		cmocka_unit_test(test_a_worker_is_not_replaced_before_its_first_request),
		cmocka_unit_test(test_time_kills_and_names_the_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
