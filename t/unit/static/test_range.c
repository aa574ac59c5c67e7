/* SPDX-License-Identifier: MIT */
/* test_range.c: Range fields as clients send them, and as nobody should. */
#include "unit.h"

#include "static.h"

#include <string.h>

static const struct {
	const char *field;
	int64_t size;
	int count;
	struct range ranges[3];
} cases[] = {
	{ "bytes=0-1", 10, 1, { { 0, 2 } } },
	{ "bytes=0-", 10, 1, { { 0, 10 } } },
	{ "bytes=9-", 10, 1, { { 9, 1 } } },
	{ "bytes=-3", 10, 1, { { 7, 3 } } },
	{ "bytes=-30", 10, 1, { { 0, 10 } } },
	{ "bytes=5-100", 10, 1, { { 5, 5 } } },
	{ "bytes=5-99999999999999999999999", 10, 1, { { 5, 5 } } },
	{ "BYTES=0-0", 10, 1, { { 0, 1 } } },
	{ "bytes=0-0,2-3, -1", 10, 3, { { 0, 1 }, { 2, 2 }, { 9, 1 } } },
	{ "bytes= 0-0 ,\t2-3 ", 10, 2, { { 0, 1 }, { 2, 2 } } },
	{ "bytes=0-0,20-30", 10, 1, { { 0, 1 } } },
	/* none can be satisfied */
	{ "bytes=10-", 10, 0, { { 0 } } },
	{ "bytes=-0", 10, 0, { { 0 } } },
	{ "bytes=0-", 0, 0, { { 0 } } },
	{ "bytes=-5", 0, 0, { { 0 } } },
	{ "bytes=99999999999999999999999-", 10, 0, { { 0 } } },
	/* ignored */
	{ "", 10, -1, { { 0 } } },
	{ "bytes=", 10, -1, { { 0 } } },
	{ "bytes=-", 10, -1, { { 0 } } },
	{ "bytes=3-2", 10, -1, { { 0 } } },
	{ "bytes=30-20", 10, -1, { { 0 } } },
	{ "bytes=a-b", 10, -1, { { 0 } } },
	{ "bytes=0-1x", 10, -1, { { 0 } } },
	{ "bytes=0-1,", 10, -1, { { 0 } } },
	{ "bytes=0-1,,2-3", 10, -1, { { 0 } } },
	{ "bytes =0-1", 10, -1, { { 0 } } },
	{ "lines=0-1", 10, -1, { { 0 } } },
	{ "bytes=0-9,0-9", 10, -1, { { 0 } } },
	{ "bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0",
	  1000,
	  -1,
	  { { 0 } } },
};

static void test_what_is_asked_for(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct range found[RANGES_MAX];
		int count = ranges_parse((struct slice){ cases[i].field, strlen(cases[i].field) },
					 cases[i].size, found);

		if (count != cases[i].count)
			fail_msg("%s: %d", cases[i].field, count);
		for (int k = 0; k < count; k++)
			if (found[k].at != cases[i].ranges[k].at ||
			    found[k].length != cases[i].ranges[k].length)
				fail_msg("%s: range %d is %lld, %lld", cases[i].field, k,
					 (long long)found[k].at, (long long)found[k].length);
	}
}

/* Cut off anywhere, a field stays within its bytes: each is a block of its own. */
static void test_every_truncation(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t n = 0; n < strlen(cases[i].field); n++) {
			struct range found[RANGES_MAX];
			char *copy = test_malloc(n + 1);

			memcpy(copy, cases[i].field, n);
			ranges_parse((struct slice){ copy, n }, cases[i].size, found);
			test_free(copy);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_asked_for),
		cmocka_unit_test(test_every_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
