/* SPDX-License-Identifier: MIT */
/* test_pattern.c: expressions as uWSGI's users write them. */
#include "unit.h"

#include "base/pattern.h"

#include <string.h>

static void test_what_matches(void **unused)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "{", "a {\"b\"}", true },
		{ "{", "no brace", false },
		{ "a{2}b", "xaab", true },
		{ "a{2}b", "xab", false },
		{ "a{b", "a{b", true },
		{ "a{2,}$", "baaa", true },
		{ "(HTTP/1.\\d 500)", "(HTTP/1.1 500) 3 headers", true },
		{ "(HTTP/1.\\d 500)", "(HTTP/1.d 500) 3 headers", false },
		{ "^\\D+$", "abc", true },
		{ "^\\D+$", "ab1", false },
		{ "\\\\d", "\\d", true },
		{ "(?:a|b)c", "bc", true },
		{ "(?i)ERROR", "an error", true },
		{ "ERROR", "an error", false },
		{ "^((?!\\{).)*$", "no brace", true },
		{ "^((?!\\{).)*$", "one { here", false },
		{ "\\w+ \\w+", "two words", true },
		{ "", "anything", true },
	};
	struct error e;

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pattern *p = pattern_new(cases[i].pattern, &e);

		assert_non_null(p);
		if (pattern_matches(p, cases[i].text) != cases[i].matches)
			fail_msg("%s, %s", cases[i].pattern, cases[i].text);
		pattern_free(p);
	}
}

static void test_what_is_refused(void **unused)
{
	static const char *const patterns[] = { "(", "[a", "*", "(?!a)b", "(?<=a)b" };
	struct error e;

	(void)unused;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		assert_null(pattern_new(patterns[i], &e));
		assert_non_null(strstr(e.text, patterns[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_matches),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
