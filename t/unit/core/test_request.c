/* SPDX-License-Identifier: MIT */
/* test_request.c: the arena, variables, and bodies in memory and in files. */
#include "unit.h"

#include "exchange/request.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_arena_gives_apart_aligned_memory_and_takes_it_back(void **unused)
{
	struct arena a;

	(void)unused;
	arena_init(&a);
	for (int round = 0; round < 3; round++) {
		char *last = NULL;

		for (size_t n = 0; n < 40000; n = n * 2 + 1) {
			char *p = arena_alloc(&a, n);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % 16, 0);
			memset(p, round, n);
			assert_ptr_not_equal(p, n ? last : NULL);
			last = p;
		}
		arena_reset(&a);
	}
	char *first = arena_alloc(&a, 10);
	arena_reset(&a);
	assert_ptr_equal(arena_alloc(&a, 10), first);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_true(a.failed);
	arena_reset(&a);
	assert_false(a.failed);
	arena_fini(&a);
}

static void test_variables_are_found_and_the_last_one_wins(void **unused)
{
	const struct request_limits limits = { .post_buffering = 100 };
	struct request rq;
	size_t count;

	(void)unused;
	request_init(&rq, &limits);
	assert_true(uwsgi_request_var(&rq, SLICE("A"), SLICE("1")));
	assert_true(uwsgi_request_var(&rq, SLICE("AB"), SLICE("2")));
	assert_true(uwsgi_request_var(&rq, SLICE("A"), SLICE("three")));
	assert_memory_equal(uwsgi_request_find(&rq, SLICE("A")).p, "three", 5);
	assert_null(uwsgi_request_find(&rq, SLICE("B")).p);
	assert_non_null(uwsgi_request_vars(&rq, &count));
	assert_int_equal(count, 3);
	assert_int_equal(rq.vars_size, 6 + 7 + 10);
	request_reset(&rq);
	assert_null(uwsgi_request_find(&rq, SLICE("A")).p);
	request_fini(&rq);
}

static void test_endless_variables_are_refused(void **unused)
{
	const struct request_limits limits = { 0 };
	struct request rq;
	int count = 0;

	(void)unused;
	request_init(&rq, &limits);
	while (count < 100000 && uwsgi_request_var(&rq, SLICE("A"), SLICE("")))
		count++;
	assert_int_equal(count, 4096);
	assert_int_equal(rq.reject_status, 431);
	request_fini(&rq);
}

static void check_body(int64_t in_memory, size_t total, size_t step)
{
	const struct request_limits limits = { .post_buffering = in_memory };
	struct request rq;
	char *sent = malloc(total + 1), *got = malloc(total + 1);

	for (size_t i = 0; i < total; i++)
		sent[i] = (char)(i * 7 + i / 251);
	request_init(&rq, &limits);
	for (size_t at = 0; at < total; at += step) {
		size_t n = total - at < step ? total - at : step;

		assert_true(uwsgi_request_body(&rq, (struct slice){ sent + at, n }));
	}
	assert_true(request_complete(&rq));
	struct body_view view = uwsgi_request_body_view(&rq);
	assert_int_equal(view.length, total);
	assert_int_equal(view.fd >= 0, (int64_t)total > in_memory);
	if (view.fd >= 0)
		assert_int_equal(pread(view.fd, got, total + 1, 0), total);
	else if (total)
		memcpy(got, view.bytes.p, total);
	assert_memory_equal(got, sent, total);
	request_fini(&rq);
	free(sent);
	free(got);
}

static void test_bodies_come_back_as_they_came(void **unused)
{
	(void)unused;
	for (size_t total = 0; total <= 20000; total = total * 3 + 1)
		for (size_t step = 1; step <= 5000; step = step * 10 + 7) {
			check_body(0, total, step);
			check_body(1000, total, step);
			check_body(1 << 20, total, step);
		}
	check_body(1000, 1000, 999);
	check_body(1000, 1001, 1000);
}

/* The CONTENT_LENGTH of a request whose peer has said `declared` and sent three bytes. */
static struct slice length_of(struct request *rq, const char *declared, bool with_body)
{
	static const struct request_limits limits = { .post_buffering = 100 };

	request_init(rq, &limits);
	if (declared)
		uwsgi_request_var(rq, SLICE("CONTENT_LENGTH"),
				  (struct slice){ declared, strlen(declared) });
	if (with_body)
		uwsgi_request_body(rq, SLICE("abc"));
	assert_true(request_complete(rq));
	return uwsgi_request_find(rq, SLICE("CONTENT_LENGTH"));
}

static void test_a_whole_body_has_a_length(void **unused)
{
	static const struct {
		const char *declared;
		bool with_body;
		const char *expected;
	} cases[] = {
		{ NULL, true, "3" },   { "", true, "3" }, { "3", true, "3" },
		{ NULL, false, NULL }, { "", false, "" }, { "0", false, "0" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct request rq;
		struct slice length = length_of(&rq, cases[i].declared, cases[i].with_body);

		assert_int_equal(!length.p, !cases[i].expected);
		if (length.p)
			assert_int_equal(length.n, strlen(cases[i].expected));
		if (length.n)
			assert_memory_equal(length.p, cases[i].expected, length.n);
		request_fini(&rq);
	}
}

static void test_limit_post_refuses_declared_and_actual_lengths(void **unused)
{
	const struct request_limits limits = { .post_buffering = 100, .limit_post = 10 };
	struct request rq;

	(void)unused;
	request_init(&rq, &limits);
	assert_true(uwsgi_request_length(&rq, 10));
	assert_false(uwsgi_request_length(&rq, 11));
	assert_int_equal(rq.reject_status, 413);
	request_reset(&rq);
	assert_true(uwsgi_request_body(&rq, SLICE("0123456789")));
	assert_false(uwsgi_request_body(&rq, SLICE("x")));
	assert_int_equal(rq.reject_status, 413);
	request_fini(&rq);
}

static void test_a_disk_that_fails_refuses_the_request(void **unused)
{
	const struct request_limits limits = { .post_buffering = 0 };
	struct request rq;

	(void)unused;
	setenv("TMPDIR", "/nonexistent", 1);
	request_init(&rq, &limits);
	assert_false(uwsgi_request_body(&rq, SLICE("x")));
	assert_int_equal(rq.reject_status, 500);
	request_fini(&rq);
	unsetenv("TMPDIR");
}

static void test_the_first_refusal_wins(void **unused)
{
	const struct request_limits limits = { 0 };
	struct request rq;

	(void)unused;
	request_init(&rq, &limits);
	uwsgi_request_reject(&rq, 400, "first");
	uwsgi_request_reject(&rq, 500, "second");
	assert_int_equal(rq.reject_status, 400);
	assert_string_equal(rq.reject_why, "first");
	request_fini(&rq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_gives_apart_aligned_memory_and_takes_it_back),
		cmocka_unit_test(test_variables_are_found_and_the_last_one_wins),
		cmocka_unit_test(test_endless_variables_are_refused),
		cmocka_unit_test(test_bodies_come_back_as_they_came),
		cmocka_unit_test(test_a_whole_body_has_a_length),
		cmocka_unit_test(test_limit_post_refuses_declared_and_actual_lengths),
		cmocka_unit_test(test_a_disk_that_fails_refuses_the_request),
		cmocka_unit_test(test_the_first_refusal_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
