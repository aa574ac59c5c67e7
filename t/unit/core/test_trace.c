/* SPDX-License-Identifier: MIT */
/* test_trace.c: which fields traceparent are valid (W3C Trace Context, level 1), and those that are made. */
#include "unit.h"

#include "exchange/trace.h"

#include <string.h>

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static struct slice text(const char *words)
{
	return (struct slice){ words, strlen(words) };
}

static void test_valid_ones(void **unused)
{
	static const struct {
		const char *field;
		bool is_sampled;
	} rows[] = {
		{ "00-" ID "-" PARENT "-01", true },
		{ "00-" ID "-" PARENT "-00", false },
		{ "00-" ID "-" PARENT "-ff", true },
		{ "00-" ID "-" PARENT "-02", false },
		{ "01-" ID "-" PARENT "-01", true },
		{ "cc-" ID "-" PARENT "-01-what-will-come", true },
		{ "01-" ID "-" PARENT "-01-", true },
	};
	struct trace t;

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(trace_parse(text(rows[i].field), &t));
		assert_true(uwsgi_same(t.id, SLICE(ID)));
		assert_true(uwsgi_same(t.parent, SLICE(PARENT)));
		assert_int_equal(t.is_sampled, rows[i].is_sampled);
	}
}

static void test_invalid_ones(void **unused)
{
	static const char *const rows[] = {
		"",
		"00",
		"00-" ID "-" PARENT "-0",
		"00-" ID "-" PARENT "-01-",
		"00-" ID "-" PARENT "-011",
		"01-" ID "-" PARENT "-01x",
		"ff-" ID "-" PARENT "-01",
		"0-" ID "-" PARENT "-001",
		"0G-" ID "-" PARENT "-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
		"00-" ID "-00F067AA0BA902B7-01",
		"00-" ID "-" PARENT "-0A",
		"00-00000000000000000000000000000000-" PARENT "-01",
		"00-" ID "-0000000000000000-01",
		"00_" ID "-" PARENT "-01",
		"00-" ID "_" PARENT "-01",
		"00-" ID "-" PARENT "_01",
		" 00-" ID "-" PARENT "-01",
		"00-" ID "-" PARENT "-01 ",
		"00-" ID "-" PARENT "-01,00-" ID "-" PARENT "-01",
		"00-4bf92f3577b34da6a3ce929d0e0e473-6" PARENT "-01",
	};
	struct trace t;

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_false(trace_parse(text(rows[i]), &t));
}

/* With the state of a source that is wanted. */
static struct trace_source source = { .is_wanted = true,
				      .makes_ids = true,
				      .state = { 1, 2, 3, 4 } };
static const struct request_limits limits;

static void test_a_request_without_one_gets_one(void **unused)
{
	struct request rq;
	char before[32] = "";

	(void)unused;
	request_init(&rq, &limits);
	for (int i = 0; i < 100; i++) {
		request_reset(&rq);
		assert_true(uwsgi_request_var(&rq, SLICE("HTTP_TRACEPARENT"), SLICE("nonsense")));
		assert_null(uwsgi_request_trace_id(&rq).p);
		trace_begin(&source, &rq);
		struct slice id = uwsgi_request_trace_id(&rq);

		assert_int_equal(id.n, 32);
		assert_memory_not_equal(id.p, before, 32);
		memcpy(before, id.p, 32);
		struct slice field = uwsgi_request_find(&rq, SLICE("HTTP_TRACEPARENT"));
		struct trace t;
		assert_true(trace_parse(field, &t) && t.is_sampled);
		/* Once is enough. */
		trace_begin(&source, &rq);
		assert_memory_equal(uwsgi_request_trace_id(&rq).p, before, 32);
	}
	request_fini(&rq);
}

static void test_what_came_is_kept(void **unused)
{
	struct request rq;

	(void)unused;
	request_init(&rq, &limits);
	assert_true(uwsgi_request_var(&rq, SLICE("HTTP_TRACEPARENT"),
				      SLICE("00-" ID "-" PARENT "-00")));
	trace_begin(&source, &rq);
	assert_int_equal(rq.count, 1);
	assert_true(uwsgi_same(uwsgi_request_trace_id(&rq), SLICE(ID)));
	request_reset(&rq);
	assert_null(uwsgi_request_trace_id(&rq).p);
	request_fini(&rq);
}

/* Its own span stands between whoever called and the application. */
static void test_a_recorded_request_is_a_span(void **unused)
{
	struct trace_source records = { .is_wanted = true,
					.percent = 100,
					.state = { 5, 6, 7, 8 } };
	struct request rq;
	struct trace t;

	(void)unused;
	request_init(&rq, &limits);
	uwsgi_request_var(&rq, SLICE("HTTP_TRACEPARENT"), SLICE("00-" ID "-" PARENT "-01"));
	struct span span = trace_begin(&records, &rq);
	assert_true(span.is_recorded);
	assert_int_equal(span.trace[0], 0x4b);
	assert_int_equal(span.parent[7], 0xb7);
	assert_true(trace_parse(uwsgi_request_find(&rq, SLICE("HTTP_TRACEPARENT")), &t));
	assert_true(uwsgi_same(t.id, SLICE(ID)) && !uwsgi_same(t.parent, SLICE(PARENT)));
	assert_true(t.is_sampled);

	/* Whoever called has decided. */
	request_reset(&rq);
	uwsgi_request_var(&rq, SLICE("HTTP_TRACEPARENT"), SLICE("00-" ID "-" PARENT "-00"));
	span = trace_begin(&records, &rq);
	assert_false(span.is_recorded);
	assert_int_equal(rq.count, 1);

	request_reset(&rq);
	span = trace_begin(&records, &rq);
	assert_true(span.is_recorded);
	assert_memory_equal(span.parent, "\0\0\0\0\0\0\0\0", 8);
	request_fini(&rq);
}

static void test_a_share_of_the_others_is_recorded(void **unused)
{
	struct trace_source records = { .is_wanted = true, .percent = 10, .state = { 5, 6, 7, 8 } };
	struct request rq;
	int recorded = 0;

	(void)unused;
	request_init(&rq, &limits);
	for (int i = 0; i < 1000; i++) {
		request_reset(&rq);
		struct span span = trace_begin(&records, &rq);

		recorded += span.is_recorded;
		assert_int_equal(rq.count, span.is_recorded);
	}
	assert_in_range(recorded, 60, 140);
	request_fini(&rq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_ones),
		cmocka_unit_test(test_invalid_ones),
		cmocka_unit_test(test_a_request_without_one_gets_one),
		cmocka_unit_test(test_what_came_is_kept),
		cmocka_unit_test(test_a_recorded_request_is_a_span),
		cmocka_unit_test(test_a_share_of_the_others_is_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
