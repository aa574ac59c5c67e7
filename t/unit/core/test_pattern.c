/* SPDX-License-Identifier: MIT */
/* test_pattern.c: expressions as uWSGI's users write them. */
#include "unit.h"

#include <uwsgi/plugin.h>

#include <string.h>

static struct slice all_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

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
		{ "ab$", "ab\n", true },
		{ "^(?!GET).*500", "POST / 500", true },
		{ "^(?!GET).*500", "GET / 500", false },
		{ "(?<=status )5\\d\\d\\b", "status 503", true },
		{ "(?<=status )5\\d\\d\\b", "status 5030", false },
		{ "(\\w+) \\1", "twice twice", true },
		{ "^.$", "\303\244", false }, /* bytes, not characters */
		{ "(*UTF)^.$", "\303\244", true },
		{ "(*UTF)^.$", "\303", false },
	};
	struct error e;

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pattern *p = uwsgi_pattern_new(cases[i].pattern, &e);

		assert_non_null(p);
		if (uwsgi_pattern_matches(p, all_of(cases[i].text)) != cases[i].matches)
			fail_msg("%s, %s", cases[i].pattern, cases[i].text);
		uwsgi_pattern_free(p);
	}
}

static void test_what_is_refused(void **unused)
{
	static const char *const patterns[] = { "(", "[a", "*", "(?<=a+)b" };
	struct error e;

	(void)unused;
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		assert_null(uwsgi_pattern_new(patterns[i], &e));
		assert_non_null(strstr(e.text, patterns[i]));
	}
}

/* Neither the size of a text nor an expression that explodes on it holds up who asks. */
static void test_what_it_may_cost(void **unused)
{
	static const struct {
		const char *pattern;
		size_t n; /* of a text "aaa…!" */
		int matches;
	} cases[] = {
		{ "^((?!\\{).)*$", 16000, 1 }, /* too much for the stack of compiled code */
		{ "a!$", 1000000, 1 },         { "(a+)+$", 15, 0 },        { "(a+)+$", 100, -1 },
		{ "^(a|a)*$", 100, -1 },       { "^(.|.)*$", 100000, -1 },
	};
	static char text[1000000];
	struct error e;

	(void)unused;
	memset(text, 'a', sizeof text);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = cases[i].n;
		struct pattern *p = uwsgi_pattern_new(cases[i].pattern, &e);

		assert_non_null(p);
		text[n - 1] = '!';
		if (uwsgi_pattern_matches(p, (struct slice){ text, n }) != cases[i].matches)
			fail_msg("%s, %zu bytes", cases[i].pattern, n);
		text[n - 1] = 'a';
		uwsgi_pattern_free(p);
	}
	struct pattern *p = uwsgi_pattern_new("^$", &e);
	assert_int_equal(uwsgi_pattern_matches(p, (struct slice){ 0 }), 1);
	assert_int_equal(uwsgi_pattern_matches(p, (struct slice){ "\0a", 2 }), 0);
	uwsgi_pattern_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_matches),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_what_it_may_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
