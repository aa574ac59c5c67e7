/* SPDX-License-Identifier: MIT */
/* test_sendbuf.c: bytes leave in order, whatever amounts the kernel takes, and owners come back
 * exactly when theirs are sent. */
#include "unit.h"

#include "base/sendbuf.h"

#include <stdlib.h>
#include <string.h>

static char big[UWSGI_COPY_MAX + 100];

/* Copies what is at the front, as a kernel that takes at most n bytes would. */
static size_t take(struct sendbuf *o, char *to, size_t n)
{
	struct iovec v[4];
	size_t count = sendbuf_vector(o, v, 4), taken = 0;

	for (size_t i = 0; i < count && taken < n; i++) {
		size_t part = v[i].iov_len < n - taken ? v[i].iov_len : n - taken;

		memcpy(to + taken, v[i].iov_base, part);
		taken += part;
	}
	sendbuf_advance(o, (int64_t)taken);
	return taken;
}

static void lend(struct sendbuf *o, const char *p, size_t n, void *owner)
{
	const struct piece piece = { .bytes = { p, n }, .fd = -1, .length = (int64_t)n };

	uwsgi_sendbuf_piece(o, &piece);
	sendbuf_owner(o, owner);
}

static void test_order_is_kept_for_every_amount_taken(void **unused)
{
	(void)unused;
	memset(big, 'b', sizeof big);
	for (size_t amount = 1; amount < 600; amount = amount * 3 + 1) {
		struct sendbuf o;
		int owner;
		char got[3 * sizeof big];
		size_t at = 0, n;

		sendbuf_init(&o);
		uwsgi_sendbuf_bytes(&o, SLICE("head"));
		uwsgi_sendbuf_printf(&o, "%x", 255);
		lend(&o, big, sizeof big, &owner);
		uwsgi_sendbuf_bytes(&o, SLICE("tail"));
		assert_int_equal(o.pending, 10 + sizeof big);
		while ((n = take(&o, got + at, amount)) > 0) {
			at += n;
			assert_int_equal(o.done_count, at >= 6 + sizeof big);
		}
		assert_int_equal(at, 10 + sizeof big);
		assert_memory_equal(got, "headffb", 7);
		assert_memory_equal(got + 6 + sizeof big, "tail", 4);
		assert_ptr_equal(o.done[0], &owner);
		assert_int_equal(o.pending, 0);
		sendbuf_fini(&o);
	}
}

static void test_an_owner_of_nothing_comes_back_at_once(void **unused)
{
	struct sendbuf o;
	int a, b, c;

	(void)unused;
	sendbuf_init(&o);
	sendbuf_owner(&o, &a);
	assert_int_equal(o.done_count, 1);
	uwsgi_sendbuf_bytes(&o, SLICE("x"));
	sendbuf_owner(&o, &b);
	sendbuf_owner(&o, &c);
	assert_int_equal(o.done_count, 1);
	sendbuf_drop(&o);
	assert_int_equal(o.done_count, 3);
	assert_ptr_equal(o.done[1], &b);
	assert_ptr_equal(o.done[2], &c);
	sendbuf_fini(&o);
}

static void test_a_file_waits_for_its_turn(void **unused)
{
	const struct piece file = { .fd = 7, .at = 100, .length = 50 };
	struct sendbuf o;
	struct iovec v[4];

	(void)unused;
	sendbuf_init(&o);
	uwsgi_sendbuf_bytes(&o, SLICE("abc"));
	uwsgi_sendbuf_piece(&o, &file);
	uwsgi_sendbuf_bytes(&o, SLICE("xyz"));
	assert_null(sendbuf_front_file(&o));
	assert_int_equal(sendbuf_vector(&o, v, 4), 1);
	assert_true(sendbuf_has_file(&o));
	sendbuf_advance(&o, 3);
	assert_int_equal(sendbuf_vector(&o, v, 4), 0);
	assert_int_equal(sendbuf_front_file(&o)->fd, 7);
	sendbuf_advance(&o, 20);
	assert_int_equal(sendbuf_front_file(&o)->at, 120);
	assert_int_equal(sendbuf_front_file(&o)->length, 30);
	sendbuf_advance(&o, 30);
	assert_null(sendbuf_front_file(&o));
	assert_false(sendbuf_has_file(&o));
	assert_int_equal(sendbuf_vector(&o, v, 4), 1);
	assert_memory_equal(v[0].iov_base, "xyz", 3);
	sendbuf_fini(&o);
}

static void test_what_is_too_long_for_printf_is_a_failure(void **unused)
{
	struct sendbuf o;

	(void)unused;
	sendbuf_init(&o);
	uwsgi_sendbuf_printf(&o, "%*d", 5000, 1);
	assert_true(o.failed);
	assert_int_equal(o.pending, 0);
	sendbuf_fini(&o);
}

/* A peer that is always a little behind: what it has taken is not kept. */
static void test_what_was_sent_makes_room(void **unused)
{
	static char block[4000];
	struct sendbuf o;
	int owner;

	(void)unused;
	sendbuf_init(&o);
	for (int i = 0; i < 16; i++)
		uwsgi_sendbuf_bytes(&o, (struct slice){ block, sizeof block });
	for (int i = 0; i < 25000; i++) {
		uwsgi_sendbuf_bytes(&o, (struct slice){ block, sizeof block });
		sendbuf_advance(&o, sizeof block);
	}
	assert_int_equal(o.pending, 16 * sizeof block);
	assert_in_range(o.copied_capacity, 0, 5 * 16 * sizeof block);
	for (int i = 0; i < 25000; i++) {
		lend(&o, big, sizeof big, &owner);
		sendbuf_advance(&o, sizeof big);
		o.done_count = 0;
	}
	assert_in_range(o.capacity, 0, 128);
	sendbuf_drop(&o);
	sendbuf_fini(&o);
}

/* The same bytes, whenever room was made: copied, lent, and empty segments between them. */
static void test_order_is_kept_where_room_is_made(void **unused)
{
	enum { STEPS = 3000 };
	struct sendbuf o;
	char *sent = malloc(STEPS * 2 * sizeof big), *got = malloc(STEPS * 2 * sizeof big);
	size_t said = 0, at = 0, n;
	unsigned random = 1;
	int owner, given = 0, back = 0;

	(void)unused;
	assert_non_null(sent);
	assert_non_null(got);
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)(i * 31 >> 2);
	sendbuf_init(&o);
	for (int i = 0; i < STEPS; i++) {
		random = random * 1103515245 + 12345;
		n = random >> 16 & 1 ? sizeof big : (random >> 17) % 3000;
		const struct piece piece = { .bytes = { big + sizeof big - n, n },
					     .fd = -1,
					     .length = (int64_t)n };

		uwsgi_sendbuf_piece(&o, &piece);
		memcpy(sent + said, piece.bytes.p, n);
		said += n;
		for (unsigned owners = random >> 20 & 3; owners > 0; owners--, given++)
			sendbuf_owner(&o, &owner);
		/* About as much as is said, so that the queue is seldom empty. */
		if (o.pending > 40000)
			at += take(&o, got + at, (random >> 8) % 6000);
		back += (int)o.done_count;
		o.done_count = 0;
	}
	while ((n = take(&o, got + at, 7777)) > 0)
		at += n;
	assert_int_equal(at, said);
	assert_memory_equal(got, sent, said);
	assert_int_equal(back + (int)o.done_count, given);
	assert_int_equal(o.sent, said);
	sendbuf_fini(&o);
	free(sent);
	free(got);
}

/* Or else a later write would hold up the owner, or move what is lent with it. */
static void test_copied_bytes_do_not_join_those_of_an_owner(void **unused)
{
	struct sendbuf o;
	int owner;

	(void)unused;
	sendbuf_init(&o);
	uwsgi_sendbuf_bytes(&o, SLICE("one"));
	sendbuf_owner(&o, &owner);
	uwsgi_sendbuf_bytes(&o, SLICE("two"));
	sendbuf_advance(&o, 3);
	assert_int_equal(o.done_count, 1);
	assert_ptr_equal(o.done[0], &owner);
	assert_int_equal(o.pending, 3);
	sendbuf_drop(&o);
	sendbuf_fini(&o);
}

static void test_a_large_response_s_memory_is_given_back(void **unused)
{
	static char block[UWSGI_COPY_MAX];
	struct sendbuf o;
	int owner;

	(void)unused;
	sendbuf_init(&o);
	for (int i = 0; i < 1000; i++) {
		uwsgi_sendbuf_bytes(&o, (struct slice){ block, sizeof block });
		sendbuf_owner(&o, &owner);
	}
	sendbuf_drop(&o);
	o.done_count = 0;
	sendbuf_trim(&o);
	assert_int_equal(o.copied_capacity + o.capacity + o.done_capacity, 0);
	uwsgi_sendbuf_bytes(&o, SLICE("x"));
	sendbuf_drop(&o);
	sendbuf_trim(&o);
	assert_true(o.copied_capacity > 0); /* small ones are used again */
	sendbuf_fini(&o);
}

static void lend_piece(struct sendbuf *o, void *owner)
{
	const struct piece piece = { .bytes = { big, sizeof big }, .fd = -1, .length = sizeof big };

	uwsgi_sendbuf_bytes(o, SLICE("head"));
	uwsgi_sendbuf_piece(o, &piece);
	if (owner)
		sendbuf_owner(o, owner);
}

/* A protocol may say one block in many pieces, and the block is there until the last is sent. */
static void test_what_is_lent_counts_until_its_owner_has_it_back(void **unused)
{
	const int64_t n = sizeof big;
	struct sendbuf o;
	int owner;

	(void)unused;
	sendbuf_init(&o);
	lend_piece(&o, NULL);
	lend_piece(&o, &owner);
	lend_piece(&o, &owner);
	sendbuf_advance(&o, 4 + n + 1);
	assert_int_equal(o.lent, 3 * n);
	sendbuf_advance(&o, 3 + n);
	assert_int_equal(o.lent, n);
	sendbuf_advance(&o, 4 + n);
	assert_int_equal(o.lent, 0);
	sendbuf_fini(&o);
}

static void test_what_moves_to_a_file_does_not_count(void **unused)
{
	enum { FD = 9 };
	const int64_t n = sizeof big;
	struct sendbuf o;
	int owner;

	(void)unused;
	sendbuf_init(&o);
	for (int i = 0; i < 2; i++) {
		lend_piece(&o, NULL);
		lend_piece(&o, &owner);
	}
	sendbuf_advance(&o, 4 + n + 1);
	sendbuf_moved(&o, sendbuf_movable(&o, 10, FD), o.count, FD, 0);
	assert_int_equal(o.lent, 2 * n);
	assert_int_equal(o.done_count, 1);
	sendbuf_moved(&o, sendbuf_movable(&o, 0, FD), o.count - 1, FD, 2 * n + 8);
	assert_int_equal(o.lent, 0);
	assert_int_equal(o.done_count, 2);
	sendbuf_drop(&o);
	sendbuf_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_is_kept_for_every_amount_taken),
		cmocka_unit_test(test_an_owner_of_nothing_comes_back_at_once),
		cmocka_unit_test(test_a_file_waits_for_its_turn),
		cmocka_unit_test(test_what_is_too_long_for_printf_is_a_failure),
		cmocka_unit_test(test_what_was_sent_makes_room),
		cmocka_unit_test(test_order_is_kept_where_room_is_made),
		cmocka_unit_test(test_copied_bytes_do_not_join_those_of_an_owner),
		cmocka_unit_test(test_a_large_response_s_memory_is_given_back),
		cmocka_unit_test(test_what_is_lent_counts_until_its_owner_has_it_back),
		cmocka_unit_test(test_what_moves_to_a_file_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
