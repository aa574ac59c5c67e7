/* SPDX-License-Identifier: MIT */
/* test_conditional.c: dates in their three forms, and the order of conditions (RFC 9110 section
 * 13.2.2). */
#include "unit.h"

#include "static.h"

#include <string.h>

static struct slice text(const char *s)
{
	return (struct slice){ s, s ? strlen(s) : 0 };
}

static void test_dates(void **unused)
{
	static const struct {
		const char *date;
		time_t at;
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "Wed, 01 Jan 2020 00:00:00 GMT", 1577836800 },
		{ "Sun, 06 Nov 1994 08:49:37 CET", -1 },
		{ "Sun, 06 Nov 1994 08:49:37", -1 },
		{ "Sun, 06 Nov 1994 24:49:37 GMT", -1 },
		{ "Sun, 32 Nov 1994 08:49:37 GMT", -1 },
		{ "Son, 06 Nor 1994 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 99999 08:49:37 GMT", -1 },
		{ "Sun, 06 Nov 1994 99999999999999999999:49:37 GMT", -1 },
		{ "0", -1 },
		{ "", -1 },
		{ "a b c d e f g h i", -1 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (date_parse(text(cases[i].date)) != cases[i].at)
			fail_msg("%s: %lld", cases[i].date,
				 (long long)date_parse(text(cases[i].date)));
}

#define BEFORE "Tue, 31 Dec 2019 23:59:59 GMT"
#define THEN "Wed, 01 Jan 2020 00:00:00 GMT"
#define AFTER "Wed, 01 Jan 2020 00:00:01 GMT"

static const struct validators file = { { "\"a\"", 3 }, 1577836800 };

static void test_order_of_conditions(void **unused)
{
	static const struct {
		const char *if_match, *if_unmodified_since, *if_none_match, *if_modified_since;
		enum condition is;
	} cases[] = {
		{ NULL, NULL, NULL, NULL, CONDITION_TRUE },
		{ "\"a\"", NULL, NULL, NULL, CONDITION_TRUE },
		{ "\"b\", \"a\"", NULL, NULL, NULL, CONDITION_TRUE },
		{ "*", NULL, NULL, NULL, CONDITION_TRUE },
		{ "\"b\"", NULL, NULL, NULL, PRECONDITION_FAILED },
		{ "W/\"a\"", NULL, NULL, NULL, PRECONDITION_FAILED },
		{ "", NULL, NULL, NULL, PRECONDITION_FAILED },
		{ "\"a\"", BEFORE, NULL, NULL, CONDITION_TRUE }, /* If-Match goes before */
		{ NULL, THEN, NULL, NULL, CONDITION_TRUE },
		{ NULL, BEFORE, NULL, NULL, PRECONDITION_FAILED },
		{ NULL, "rubbish", NULL, NULL, CONDITION_TRUE },
		{ NULL, NULL, "\"a\"", NULL, NOT_MODIFIED },
		{ NULL, NULL, "W/\"a\"", NULL, NOT_MODIFIED },
		{ NULL, NULL, "*", NULL, NOT_MODIFIED },
		{ NULL, NULL, "\"b\"", NULL, CONDITION_TRUE },
		{ NULL, NULL, "\"b\"", AFTER, CONDITION_TRUE }, /* If-None-Match goes before */
		{ NULL, NULL, "a", NULL, CONDITION_TRUE },
		{ NULL, NULL, "\"a", NULL, CONDITION_TRUE },
		{ NULL, NULL, NULL, THEN, NOT_MODIFIED },
		{ NULL, NULL, NULL, AFTER, NOT_MODIFIED },
		{ NULL, NULL, NULL, BEFORE, CONDITION_TRUE },
		{ NULL, NULL, NULL, "rubbish", CONDITION_TRUE },
		{ "\"b\"", NULL, "\"a\"", NULL, PRECONDITION_FAILED },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct conditions c = { text(cases[i].if_match),
					      text(cases[i].if_unmodified_since),
					      text(cases[i].if_none_match),
					      text(cases[i].if_modified_since),
					      { NULL, 0 } };

		if (conditions_judge(&c, &file) != cases[i].is)
			fail_msg("case %zu", i);
	}
}

static void test_if_range(void **unused)
{
	static const struct {
		const char *if_range;
		bool allowed;
	} cases[] = {
		{ NULL, true }, { "\"a\"", true }, { "\"b\"", false }, { "W/\"a\"", false },
		{ THEN, true }, { AFTER, false },  { BEFORE, false },  { "rubbish", false },
		{ "*", false }, { "", false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct conditions c = { .if_range = text(cases[i].if_range) };

		if (conditions_allow_range(&c, &file, 1600000000) != cases[i].allowed)
			fail_msg("case %zu", i);
	}
	/* It might change again within the same second. */
	const struct conditions c = { .if_range = text(THEN) };
	assert_false(conditions_allow_range(&c, &file, file.modified));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_order_of_conditions),
		cmocka_unit_test(test_if_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
