/* SPDX-License-Identifier: MIT */
/* test_log.c: no bytes of a client break a line of the log, or the words between quotation
 * marks in it, at any room that is left. */
#include "unit.h"

#include "base/log.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ROOM = 64 };

static void expect(struct logline *l, const char *expected)
{
	size_t n = logline_end(l);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(l->p, expected, n);
}

/* What a client may send, and how it is shown alone and between quotation marks. */
static const struct {
	const char *given, *plain, *quoted;
} escapes[] = {
	{ "a b~", "a b~", "a b~" },
	{ "a\"b\\c", "a\"b\\c", "a\\\"b\\\\c" },
	/* C0, DEL */
	{ "a\nb\rc\td", "a\\x0ab\\x0dc\\x09d", "a\\u000ab\\u000dc\\u0009d" },
	{ "\x1b[31m", "\\x1b[31m", "\\u001b[31m" },
	{ "\x7f", "\\x7f", "\\u007f" },
	/* C1: the first and the last, NEL, CSI; what stands beside them */
	{ "\xc2\x80", "\\xc2\\x80", "\\u0080" },
	{ "\xc2\x85next", "\\xc2\\x85next", "\\u0085next" },
	{ "\xc2\x9b\x33m", "\\xc2\\x9b3m", "\\u009b3m" },
	{ "\xc2\x9f", "\\xc2\\x9f", "\\u009f" },
	{ "\xc2\xa0", "\xc2\xa0", "\xc2\xa0" },
	/* ends of lines and marks of direction; what stands beside them */
	{ "\xe2\x80\xa7", "\xe2\x80\xa7", "\xe2\x80\xa7" },
	{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8", "\\u2028" },
	{ "\xe2\x80\xa9", "\\xe2\\x80\\xa9", "\\u2029" },
	{ "\xe2\x80\xaa", "\\xe2\\x80\\xaa", "\\u202a" },
	{ "\xe2\x80\xae", "\\xe2\\x80\\xae", "\\u202e" },
	{ "\xe2\x80\xaf", "\xe2\x80\xaf", "\xe2\x80\xaf" },
	{ "\xe2\x81\xa5", "\xe2\x81\xa5", "\xe2\x81\xa5" },
	{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6", "\\u2066" },
	{ "\xe2\x81\xa9", "\\xe2\\x81\\xa9", "\\u2069" },
	{ "\xe2\x81\xaa", "\xe2\x81\xaa", "\xe2\x81\xaa" },
	/* letters of people */
	{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
	  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
	/* no UTF-8 */
	{ "\xe9", "\\xe9", "\\u00e9" },
	{ "\x9b", "\\x9b", "\\u009b" },
	{ "\xc3", "\\xc3", "\\u00c3" },
	{ "\xc0\xaf", "\\xc0\\xaf", "\\u00c0\\u00af" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\u00ed\\u00a0\\u0080" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\u00f4\\u0090\\u0080\\u0080" },
};

static void expect_each(void (*add)(struct logline *, struct slice), size_t member)
{
	for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
		const char *given = escapes[i].given;
		const char *expected = *(const char *const *)((const char *)&escapes[i] + member);
		char buffer[ROOM], line[ROOM];
		struct logline l;

		logline_init(&l, buffer, sizeof buffer);
		add(&l, (struct slice){ given, strlen(given) });
		snprintf(line, sizeof line, "%s\n", expected);
		expect(&l, line);
	}
}

static void test_a_client_cannot_forge_a_line(void **unused)
{
	(void)unused;
	expect_each(logline_untrusted, offsetof(typeof(escapes[0]), plain));
}

static void test_a_quotation_cannot_be_ended(void **unused)
{
	(void)unused;
	expect_each(logline_quoted, offsetof(typeof(escapes[0]), quoted));
}

static void test_a_zero_is_escaped(void **unused)
{
	char buffer[ROOM];
	struct logline l;

	(void)unused;
	logline_init(&l, buffer, sizeof buffer);
	logline_untrusted(&l, SLICE("a\0b"));
	logline_quoted(&l, SLICE("\0"));
	expect(&l, "a\\x00b\\u0000\n");
}

static void test_an_escaped_text_ends_with_a_zero_at_any_size(void **unused)
{
	static const char whole[] = "a\\x0a\xc3\xa9";

	(void)unused;
	for (size_t size = 1; size <= sizeof whole; size++) {
		char to[sizeof whole + 1];

		memset(to, '#', sizeof to);
		size_t n = uwsgi_escape(to, size, SLICE("a\n\xc3\xa9"));
		assert_true(n < size);
		assert_int_equal(strlen(to), n);
		assert_int_equal(to[size], '#');
		if (size == sizeof whole)
			assert_string_equal(to, whole);
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

static void add_length(void *data, const char *text, size_t length)
{
	assert_int_equal(text[length - 1], '\n');
	*(size_t *)data += length;
}

static void test_a_message_of_any_length_is_one_line(void **unused)
{
	static const int lengths[] = { 0, 1022, 1023, 1024, 6000, 7000, 100000 };

	(void)unused;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		size_t said = 0;

		log_set_writer(add_length, &said);
		uwsgi_log(UWSGI_WARNING, "%0*d", lengths[i], 0);
		log_set_writer(NULL, NULL);
		assert_int_equal(said,
				 strlen("warning: \n") + (size_t)(lengths[i] ? lengths[i] : 1));
	}
}

static void test_numbers(void **unused)
{
	static const long long numbers[] = { 0, 7, -1, 10, 1764095405, LLONG_MAX, LLONG_MIN };

	(void)unused;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		char buffer[ROOM], expected[ROOM];
		struct logline l;

		logline_init(&l, buffer, sizeof buffer);
		logline_number(&l, numbers[i]);
		assert_int_equal(l.n, snprintf(expected, sizeof expected, "%lld", numbers[i]));
		assert_memory_equal(buffer, expected, l.n);
	}
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
/* Each has to be told apart from the one before: by its second, or by its format. */
static void test_times_are_those_that_were_asked_for(void **unused)
{
	static const char *const formats[] = { "%Y-%m-%d %H:%M:%S", "%S", "", "%%",
					       "%Y %Y %Y %Y %Y %Y %Y %Y %Y %Y %Y" };
	const size_t count = sizeof formats / sizeof *formats;

	(void)unused;
	for (size_t i = 0; i < 4 * count; i++) {
		time_t second = 1764095405 + (time_t)(i % 2);
		char buffer[128], expected[128];
		struct logline l;

		logline_init(&l, buffer, i % 3 ? sizeof buffer : 6);
		logline_time(&l, formats[i / 2 % count], second * 1000000LL + 5);
		logline_init(&l, buffer, sizeof buffer);
		logline_time(&l, formats[i / 2 % count], second * 1000000LL + 999999);
		size_t n = strftime(expected, sizeof expected, formats[i / 2 % count],
				    localtime(&second));
		assert_int_equal(l.n, n);
		assert_memory_equal(buffer, expected, n);
	}
}

static void keep(void *data, const char *text, size_t length)
{
	snprintf(data, 256, "%.*s", (int)length, text);
}

static void test_a_message_keeps_its_newlines_and_nothing_that_deceives(void **unused)
{
	char said[256];

	(void)unused;
	log_set_writer(keep, said);
	uwsgi_log(UWSGI_ERROR, "a:\n\tb \x1b[1m\xc2\x9b\r\n%s\xff", "\xc3\xa9");
	log_set_writer(NULL, NULL);
	assert_string_equal(said, "error: a:\n\tb \\x1b[1m\\xc2\\x9b\\x0d\n\xc3\xa9\\xff\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_client_cannot_forge_a_line),
		cmocka_unit_test(test_a_quotation_cannot_be_ended),
		cmocka_unit_test(test_a_zero_is_escaped),
		cmocka_unit_test(test_an_escaped_text_ends_with_a_zero_at_any_size),
		cmocka_unit_test(test_what_does_not_fit_is_cut_and_the_newline_stays),
		cmocka_unit_test(test_a_message_keeps_its_newlines_and_nothing_that_deceives),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_times_are_those_that_were_asked_for),
		cmocka_unit_test(test_a_message_of_any_length_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
