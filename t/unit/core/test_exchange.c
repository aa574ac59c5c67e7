/* SPDX-License-Identifier: MIT */
/* test_exchange.c: what the pool keeps for the next connections, and what it does not. */
#include "unit.h"

#include "exchange/exchange.h"

#include <string.h>

static const struct request_limits limits = { .post_buffering = 1 << 20 };
static const struct option_list none;
static const struct header_rules rules = { .remove = &none };

static void test_big_buffers_are_not_kept(void **unused)
{
	static char block[UWSGI_COPY_MAX];
	struct exchange_pool pool = { .limits = &limits, .rules = &rules };
	struct exchange *x = exchange_take(&pool, NULL, NULL);

	(void)unused;
	assert_non_null(x);
	assert_true(buffer_reserve(&x->in, BODY_BUFFER + 1));
	for (int i = 0; i < 100; i++)
		uwsgi_sendbuf_bytes(&x->out, (struct slice){ block, sizeof block });
	sendbuf_drop(&x->out);
	exchange_return(&pool, x);
	assert_ptr_equal(pool.spare, x);
	assert_int_equal(x->in.capacity, 0);
	assert_int_equal(x->out.copied_capacity, 0);
	exchange_pool_fini(&pool);
}

static void test_what_most_requests_need_is_used_again(void **unused)
{
	struct exchange_pool pool = { .limits = &limits, .rules = &rules };
	struct exchange *x = exchange_take(&pool, NULL, NULL);

	(void)unused;
	assert_non_null(x);
	const char *in = x->in.p;
	uwsgi_sendbuf_bytes(&x->out, SLICE("hello"));
	const char *copied = x->out.copied;
	sendbuf_drop(&x->out);
	exchange_return(&pool, x);
	assert_ptr_equal(exchange_take(&pool, NULL, NULL), x);
	assert_ptr_equal(x->in.p, in);
	assert_ptr_equal(x->out.copied, copied);
	exchange_return(&pool, x);
	exchange_pool_fini(&pool);
}

static void test_only_so_many_are_kept(void **unused)
{
	enum { MANY = 200 };
	struct exchange_pool pool = { .limits = &limits, .rules = &rules };
	struct exchange *taken[MANY];

	(void)unused;
	for (int i = 0; i < MANY; i++)
		assert_non_null(taken[i] = exchange_take(&pool, NULL, NULL));
	for (int i = 0; i < MANY; i++)
		exchange_return(&pool, taken[i]);
	assert_in_range(pool.count, 1, MANY / 2);
	exchange_pool_fini(&pool);
}

/* What a client has sent beyond its request is the beginning of the next one. */
static void test_renewing_keeps_what_was_not_read(void **unused)
{
	struct exchange_pool pool = { .limits = &limits, .rules = &rules };
	struct exchange *x = exchange_take(&pool, NULL, NULL);

	(void)unused;
	memcpy(x->in.p, "first second", 12);
	x->in.begin = 6;
	x->in.end = 12;
	assert_true(uwsgi_request_var(&x->rq, SLICE("A"), SLICE("first")));
	exchange_renew(x);
	assert_int_equal(x->in.end - x->in.begin, 6);
	assert_memory_equal(x->in.p + x->in.begin, "second", 6);
	assert_null(uwsgi_request_find(&x->rq, SLICE("A")).p);
	exchange_return(&pool, x);
	exchange_pool_fini(&pool);
}

/* Handlers stand in the protocol's place during a request. */
static void test_the_next_request_is_the_protocol_s_again(void **unused)
{
	static const struct protocol protocol, handlers;
	struct exchange_pool pool = { .limits = &limits, .rules = &rules };
	int state, other;
	struct exchange *x = exchange_take(&pool, &protocol, &state);

	(void)unused;
	assert_ptr_equal(x->rs.protocol, &protocol);
	assert_ptr_equal(x->rs.state, &state);
	x->rs.protocol = &handlers;
	x->rs.state = &other;
	exchange_renew(x);
	assert_ptr_equal(x->rs.protocol, &protocol);
	assert_ptr_equal(x->rs.state, &state);
	exchange_return(&pool, x);
	exchange_pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_big_buffers_are_not_kept),
		cmocka_unit_test(test_what_most_requests_need_is_used_again),
		cmocka_unit_test(test_only_so_many_are_kept),
		cmocka_unit_test(test_renewing_keeps_what_was_not_read),
		cmocka_unit_test(test_the_next_request_is_the_protocol_s_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
