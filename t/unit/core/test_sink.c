/* SPDX-License-Identifier: MIT */
/* test_sink.c: what encoders and routes make of a line, and where it goes. */
#include "unit.h"

#include "base/log.h"
#include "base/slice.h"
#include "log/sink.h"

#include <stdio.h>
#include <stdlib.h>

static struct option_list list_of(const char *const items[])
{
	size_t count = 0;

	while (items && items[count])
		count++;
	return (struct option_list){ items, count };
}

/* What standard error gets of the line. */
static void expect_sinks(const struct sink_options *o, const char *line, const char *expected)
{
	struct sinks *sinks = sinks_new(o, false, 1024, false);
	struct text passed = { 0 };

	assert_non_null(sinks);
	sinks_write(sinks, slice_of(line), &passed);
	assert_int_equal(passed.n, strlen(expected));
	assert_memory_equal(passed.p, expected, passed.n);
	free(passed.p);
	sinks_free(sinks);
}

/* The logger, if it has a name, gets all lines by a route. */
static void expect(const char *const encoders[], const char *logger, const char *line,
		   const char *expected)
{
	char stdio[64], route[64];
	struct sink_options o = { .encoders = list_of(encoders) };

	snprintf(stdio, sizeof stdio, "%s stdio", logger);
	snprintf(route, sizeof route, "%s .", logger);
	const char *const loggers[] = { stdio, NULL }, *const routes[] = { route, NULL };
	if (*logger) {
		o.loggers = list_of(loggers);
		o.routes = list_of(routes);
	}
	expect_sinks(&o, line, expected);
}

#define CHAIN(...)                                                                                 \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void test_each_encoder(void **unused)
{
	(void)unused;
	expect(CHAIN("prefix a b"), "", "line\n", "a bline\n");
	expect(CHAIN("suffix  x"), "", "line\n", "line\n x");
	expect(CHAIN("nl"), "", "line", "line\n");
	expect(CHAIN("format <${msg}|${msgnl}>"), "", "line\n", "<line|line\n>");
	expect(CHAIN("format ${nothing}$ {msg} ${"), "", "line\n", "$ {msg} ${");
	expect(CHAIN("json {\"m\": \"${msg}\"}"), "", "a \"b\"\\\t\xc3\xa9\n",
	       "{\"m\": \"a \\\"b\\\"\\\\\\u0009\xc3\xa9\"}");
	expect(CHAIN("format ${strftime:no %% time}"), "", "line\n", "no % time");
}

static void test_long_lines_keep_their_characters(void **unused)
{
	char line[4097];

	(void)unused;
	/* Two bytes each, at every offset from the parts that json is made of. */
	for (size_t before = 0; before < 3; before++) {
		memset(line, 'x', before);
		for (size_t i = before; i + 1 < sizeof line - 1; i += 2)
			memcpy(line + i, "\xc3\xa9", 2);
		line[sizeof line - 1 - ((sizeof line - 1 - before) & 1)] = '\0';
		expect(CHAIN("json ${msg}"), "", line, line);
	}
}

static void test_a_chain(void **unused)
{
	(void)unused;
	expect(CHAIN("prefix P:", "suffix :S", "nl", "format <${msg}>"), "", "line\n",
	       "<P:line\n:S>");
}

static void test_encoders_of_one_logger(void **unused)
{
	(void)unused;
	expect(CHAIN("prefix:one 1", "prefix:two 2", "suffix s"), "one", "x", "1xs");
	expect(CHAIN("prefix:one 1", "prefix:two 2", "suffix s"), "", "x", "xs");
}

static void test_routes(void **unused)
{
	const char *const loggers[] = { "a stdio", "b stdio", "stdio", NULL };
	const char *const routes[] = { "a ^x", "b y$", NULL };
	const char *const encoders[] = { "prefix:a A", "prefix:b B", NULL };
	const struct sink_options o = { .loggers = list_of(loggers),
					.routes = list_of(routes),
					.encoders = list_of(encoders) };

	(void)unused;
	expect_sinks(&o, "x\n", "Ax\n");
	expect_sinks(&o, "x y\n", "Ax y\nBx y\n");
	expect_sinks(&o, "z\n", "z\n");
}

static void test_a_line_that_becomes_too_long_spoils_no_other(void **unused)
{
	const char *ten = "format ${msg}${msg}${msg}${msg}${msg}${msg}${msg}${msg}${msg}${msg}";
	const struct sink_options o = { .encoders = { &ten, 1 } };
	struct sinks *sinks = sinks_new(&o, false, 1024, false);
	struct text passed = { 0 };
	static char line[TEXT_MAX / 10 + 10];

	(void)unused;
	memset(line, 'x', sizeof line - 1);
	sinks_write(sinks, slice_of(line), &passed);
	passed = (struct text){ .p = passed.p, .capacity = passed.capacity };
	sinks_write(sinks, SLICE("y\n"), &passed);
	assert_int_equal(passed.n, 10);
	assert_memory_equal(passed.p, "yyyyyyyyyy", 10);
	free(passed.p);
	sinks_free(sinks);
}

static void test_nothing_is_wanted(void **unused)
{
	const struct sink_options none = { .syslog = NULL };

	(void)unused;
	assert_null(sinks_new(&none, false, 1024, false));
	sinks_reopen(NULL);
	sinks_free(NULL);
}

static void count(void *data, const char *text, size_t length)
{
	(void)text;
	(void)length;
	++*(int *)data;
}

static void test_what_there_is_not_is_said_and_left_out(void **unused)
{
	const char *const encoders[] = { "gzip", "msgpack map:1", "", "formats x", NULL };
	const char *const loggers[] = { "redislog", "file:/none/x", "syslog:a,none", NULL };
	const char *const routes[] = { "nobody x", NULL };
	const struct sink_options o = { .loggers = list_of(loggers),
					.routes = list_of(routes),
					.encoders = list_of(encoders) };
	int said = 0;

	(void)unused;
	log_set_writer(count, &said);
	expect_sinks(&o, "x\n", "x\n");
	log_set_writer(NULL, NULL);
	assert_int_equal(said, 4 + 3 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_encoder),
		cmocka_unit_test(test_long_lines_keep_their_characters),
		cmocka_unit_test(test_a_chain),
		cmocka_unit_test(test_encoders_of_one_logger),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_a_line_that_becomes_too_long_spoils_no_other),
		cmocka_unit_test(test_nothing_is_wanted),
		cmocka_unit_test(test_what_there_is_not_is_said_and_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
