/* SPDX-License-Identifier: MIT */
/* test_logencoder.c: what chains of encoders make of a line. */
#include "unit.h"

#include "log/logencoder.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 4 };

static void expect(const char *const values[], const char *logger, const char *line,
		   const char *expected)
{
	struct logencoder chain[MOST];
	struct text made = { 0 }, scratch[2] = { { 0 } };
	struct error e;
	size_t count = 0;

	for (; count < MOST && values[count]; count++)
		assert_int_equal(logencoder_parse(&chain[count], values[count], &e), 0);
	logencoder_run(chain, count, (struct slice){ logger, strlen(logger) },
		       (struct slice){ line, strlen(line) }, &made, scratch);
	assert_int_equal(made.n, strlen(expected));
	assert_memory_equal(made.p, expected, made.n);
	free(made.p);
	free(scratch[0].p);
	free(scratch[1].p);
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

static void test_what_there_is_not(void **unused)
{
	static const char *const values[] = { "gzip", "msgpack map:1", "", "formats x" };
	struct logencoder encoder;
	struct error e;

	(void)unused;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		assert_int_equal(logencoder_parse(&encoder, values[i], &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_encoder),
		cmocka_unit_test(test_long_lines_keep_their_characters),
		cmocka_unit_test(test_a_chain),
		cmocka_unit_test(test_encoders_of_one_logger),
		cmocka_unit_test(test_what_there_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
