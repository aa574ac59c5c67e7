/* SPDX-License-Identifier: MIT */
/* test_logline.c: no bytes of a client break a line of the log, or the words between quotation
 * marks in it, at any room that is left. */
#include "unit.h"

#include "logline.h"

#include <string.h>

enum { ROOM = 64 };

static void expect(struct logline *l, const char *expected)
{
	size_t n = logline_end(l);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(l->p, expected, n);
}

static void test_control_characters_are_escaped(void **unused)
{
	char buffer[ROOM];
	struct logline l;

	(void)unused;
	logline_init(&l, buffer, sizeof buffer);
	logline_untrusted(&l, SLICE("a\nb\x1b[\x7f\"\\\xff"));
	expect(&l, "a\\x0ab\\x1b[\\x7f\"\\\xff\n");
}

static void test_a_quotation_cannot_be_ended(void **unused)
{
	static const struct {
		const char *given, *expected;
	} cases[] = {
		{ "a\"b\\c\nd", "a\\\"b\\\\c\\u000ad\n" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n" },
		{ "\xe9", "\\u00e9\n" },
		{ "\xc3", "\\u00c3\n" },
		{ "\xc0\xaf", "\\u00c0\\u00af\n" },
		{ "\xed\xa0\x80", "\\u00ed\\u00a0\\u0080\n" },
		{ "\xf4\x90\x80\x80", "\\u00f4\\u0090\\u0080\\u0080\n" },
		{ "\x7f", "\\u007f\n" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char buffer[ROOM];
		struct logline l;

		logline_init(&l, buffer, sizeof buffer);
		logline_quoted(&l, (struct slice){ cases[i].given, strlen(cases[i].given) });
		expect(&l, cases[i].expected);
	}
}

static void test_what_does_not_fit_is_cut_and_the_newline_stays(void **unused)
{
	char buffer[ROOM + 1];

	(void)unused;
	for (size_t size = 1; size <= ROOM; size++) {
		struct logline l;

		memset(buffer, '#', sizeof buffer);
		logline_init(&l, buffer, size);
		for (int i = 0; i < ROOM; i++) {
			logline_text(&l, SLICE("text"));
			logline_printf(&l, "%d", i);
			logline_untrusted(&l, SLICE("\n"));
			logline_quoted(&l, SLICE("\"\xff\n"));
			logline_time(&l, "%Y", 0);
		}
		size_t n = logline_end(&l);
		assert_true(n >= 1 && n <= size);
		assert_int_equal(buffer[n - 1], '\n');
		assert_null(memchr(buffer, '\n', n - 1));
		assert_int_equal(buffer[size], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control_characters_are_escaped),
		cmocka_unit_test(test_a_quotation_cannot_be_ended),
		cmocka_unit_test(test_what_does_not_fit_is_cut_and_the_newline_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
