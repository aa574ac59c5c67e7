/* SPDX-License-Identifier: MIT */
/* test_room.c: who has waited longest makes room, the idle first, and nobody whose request is coming
 * in; how many there is room for. */
#include "unit.h"

#include "wire/room.h"

static bool silent(const struct waiter *w)
{
	(void)w;
	return false;
}

static const struct waiter *speaker;

static bool one_has_spoken(const struct waiter *w)
{
	return w == speaker;
}

static bool all_have_spoken(const struct waiter *w)
{
	(void)w;
	return true;
}

/* Of these kinds, in this order, a second after each other from 0 on. */
static void fill(struct room *r, struct waiter *w, const enum wait_kind *kinds, int count)
{
	room_init(r, &(struct room_setup){ 0, 1024, 1, 1 });
	for (int i = 0; i < count; i++) {
		waiter_init(&w[i]);
		room_wait(r, &w[i], kinds[i], i);
	}
}

static void test_the_idle_go_first_and_of_them_the_oldest(void **unused)
{
	static const enum wait_kind kinds[] = { WAIT_BODY, WAIT_LINGER, WAIT_HEAD, WAIT_HEAD,
						WAIT_IDLE, WAIT_NONE,   WAIT_IDLE };
	static const int order[] = { 4, 6, 2, 3, 1, 0 };
	struct room r;
	struct waiter w[7], *chosen;

	(void)unused;
	fill(&r, w, kinds, 7);
	for (int i = 0; i < 6; i++) {
		chosen = room_choose(&r, 100, silent);
		assert_ptr_equal(chosen, &w[order[i]]);
		room_wait(&r, chosen, WAIT_NONE, 100);
	}
	assert_null(room_choose(&r, 100, silent));
}

static void test_who_was_served_again_waits_anew(void **unused)
{
	static const enum wait_kind kinds[] = { WAIT_IDLE, WAIT_IDLE };
	struct room r;
	struct waiter w[2];

	(void)unused;
	fill(&r, w, kinds, 2);
	room_wait(&r, &w[0], WAIT_NONE, 3);
	room_wait(&r, &w[0], WAIT_IDLE, 4);
	assert_ptr_equal(room_choose(&r, 5, silent), &w[1]);
}

static void test_a_request_that_has_come_is_not_cut(void **unused)
{
	static const enum wait_kind kinds[] = { WAIT_IDLE, WAIT_IDLE };
	struct room r;
	struct waiter w[2];

	(void)unused;
	fill(&r, w, kinds, 2);
	speaker = &w[0];
	assert_ptr_equal(room_choose(&r, 5, one_has_spoken), &w[1]);
	assert_null(room_choose(&r, 5, all_have_spoken));
}

static void test_bytes_that_trickle_in_keep_no_head(void **unused)
{
	static const enum wait_kind kinds[] = { WAIT_IDLE, WAIT_HEAD };
	struct room r;
	struct waiter w[2];

	(void)unused;
	fill(&r, w, kinds, 2);
	assert_ptr_equal(room_choose(&r, 5, all_have_spoken), &w[1]);
}

static void test_a_body_that_goes_on_is_not_cut(void **unused)
{
	static const enum wait_kind kinds[] = { WAIT_BODY };
	struct room r;
	struct waiter w;

	(void)unused;
	fill(&r, &w, kinds, 1);
	assert_null(room_choose(&r, ROOM_BODY_SILENT_S - 1, silent));
	assert_null(room_choose(&r, ROOM_BODY_SILENT_S, all_have_spoken));
	assert_ptr_equal(room_choose(&r, ROOM_BODY_SILENT_S, silent), &w);
}

static size_t most(long long said, uint64_t limit, int each, size_t lanes)
{
	struct room r;

	room_init(&r, &(struct room_setup){ said, limit, each, lanes });
	return r.most;
}

static void test_how_many_there_is_room_for(void **unused)
{
	(void)unused;
	assert_int_equal(most(0, 1024, 1, 1), 768);
	assert_int_equal(most(0, 1024, 2, 1), 384);
	assert_int_equal(most(0, 1024, 1, 4), 192);
	assert_int_equal(most(0, 8192, 1, 1), 8192 - 1024);
	/* Containers have limits like these. */
	assert_int_equal(most(0, 1 << 30, 1, 1), 16384);
	assert_int_equal(most(0, UINT64_MAX, 1, 1), 16384);
	assert_int_equal(most(100000, 1 << 30, 2, 1), 100000);
	assert_int_equal(most(10, 1024, 1, 4), 3);
	assert_int_equal(most(1, 1024, 1, 4), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_idle_go_first_and_of_them_the_oldest),
		cmocka_unit_test(test_who_was_served_again_waits_anew),
		cmocka_unit_test(test_a_request_that_has_come_is_not_cut),
		cmocka_unit_test(test_bytes_that_trickle_in_keep_no_head),
		cmocka_unit_test(test_a_body_that_goes_on_is_not_cut),
		cmocka_unit_test(test_how_many_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
