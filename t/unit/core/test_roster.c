/* SPDX-License-Identifier: MIT */
/* test_roster.c: reload and recycling stories without a process. */
#include "unit.h"

#include "process/roster.h"

#include <stdlib.h>

enum { MERCY_MS = 1000, START_MS = 5000 };

static void begin(struct roster *r, int workers, int gateways)
{
	const struct roster_row rows[] = { { "worker", workers, true },
					   { "http", gateways, false } };
	const struct roster_setup setup = {
		.rows = rows, .row_count = 2, .mercy_ms = MERCY_MS, .start_ms = START_MS
	};
	struct error e;

	assert_int_equal(roster_init(r, &setup, &e), 0);
	r->open = r->has_zygote = true;
}

static struct roster_action expect(struct roster *r, int64_t now_ms, enum roster_kind kind)
{
	struct roster_action a = roster_next(r, now_ms);

	assert_int_equal(a.kind, kind);
	return a;
}

static struct slot *expect_fork(struct roster *r, int64_t now_ms)
{
	return expect(r, now_ms, ROSTER_FORK).slot;
}

static int64_t expect_wait(struct roster *r, int64_t now_ms)
{
	return expect(r, now_ms, ROSTER_WAIT).due_ms;
}

/* A process that serves, forked at this time. */
static struct slot *serve(struct roster *r, int64_t now_ms)
{
	struct slot *slot = expect_fork(r, now_ms);

	roster_forked(r, slot, 100 + slot->place);
	roster_ready(r, slot, now_ms);
	return slot;
}

static void test_nothing_is_forked_before_the_import(void **unused)
{
	struct roster r;

	(void)unused;
	begin(&r, 2, 1);
	r.open = false;
	assert_int_equal(expect_wait(&r, 1), 0);
	r.open = true;
	assert_string_equal(serve(&r, 1)->name, "worker 1");
	assert_string_equal(serve(&r, 1)->name, "worker 2");
	assert_false(roster_is_ready(&r));
	assert_string_equal(serve(&r, 1)->name, "http 1");
	assert_true(roster_is_ready(&r));
	assert_int_equal(roster_serving(&r, false), 2);
	assert_int_equal(roster_serving(&r, true), 1);
	assert_int_equal(expect_wait(&r, 1), 0);
	roster_fini(&r);
}

static void test_without_a_zygote_only_gateways_are_forked(void **unused)
{
	struct roster r;

	(void)unused;
	begin(&r, 1, 1);
	r.has_zygote = false;
	assert_string_equal(expect_fork(&r, 1)->name, "http 1");
	roster_fini(&r);
}

static void test_few_orders_are_under_way(void **unused)
{
	struct roster r;
	struct slot *first = NULL;

	(void)unused;
	begin(&r, 100, 0);
	for (int i = 0; i < ROSTER_ORDERS; i++) {
		struct slot *slot = expect_fork(&r, 1);

		first = first ? first : slot;
	}
	/* Then it waits for an answer, but not for ever. */
	assert_int_equal(expect_wait(&r, 1), 1 + START_MS);
	roster_forked(&r, first, 7);
	expect_fork(&r, 2);
	expect_wait(&r, 2);
	roster_fini(&r);
}

static void test_a_successor_serves_before_a_worker_leaves(void **unused)
{
	struct roster r;

	(void)unused;
	begin(&r, 2, 0);
	struct slot *old = serve(&r, 1);
	serve(&r, 1);
	old->replace = true;
	struct slot *successor = expect_fork(&r, 2);
	assert_int_equal(successor->place, old->place);
	assert_true(roster_is_replaced(&r, old));
	roster_forked(&r, successor, 7);
	expect_wait(&r, 3);
	assert_int_equal(old->state, SLOT_SERVING);
	roster_ready(&r, successor, 4);
	assert_ptr_equal(expect(&r, 5, ROSTER_ASK).slot, old);
	assert_int_equal(expect_wait(&r, 5), 5 + MERCY_MS);
	roster_fini(&r);
}

/* Whoever is to be replaced itself still serves until its own successor does. */
static void test_of_two_that_are_to_be_replaced_the_younger_stays(void **unused)
{
	struct roster r;

	(void)unused;
	begin(&r, 1, 0);
	struct slot *old = serve(&r, 1);
	old->replace = true;
	struct slot *young = expect_fork(&r, 2);
	roster_forked(&r, young, 7);
	assert_int_equal(expect_wait(&r, 2), 2 + START_MS);
	roster_ready(&r, young, 3);
	young->replace = true;
	assert_ptr_equal(expect(&r, 4, ROSTER_ASK).slot, old);
	assert_int_equal(young->state, SLOT_SERVING);
	/* A third one needs a slot: there are two, so the mercy of the first is waited for. */
	assert_int_equal(expect_wait(&r, 4), 4 + MERCY_MS);
	int64_t delay_ms;
	assert_false(roster_died(&r, old, 5, &delay_ms));
	assert_ptr_equal(expect_fork(&r, 5), old);
	roster_fini(&r);
}

/* All in one millisecond, and whichever slot comes first. */
static void test_a_quick_successor_is_the_younger_one_too(void **unused)
{
	struct roster r;
	int64_t delay_ms;

	(void)unused;
	begin(&r, 1, 0);
	struct slot *old = serve(&r, 1);
	for (int i = 0; i < 3; i++) {
		old->replace = true;
		struct slot *young = serve(&r, 1);
		assert_ptr_equal(expect(&r, 1, ROSTER_ASK).slot, old);
		assert_int_equal(young->state, SLOT_SERVING);
		roster_died(&r, old, 1, &delay_ms);
		old = young;
	}
	roster_fini(&r);
}

static void test_mercy_ends(void **unused)
{
	struct roster r;
	int64_t delay_ms;

	(void)unused;
	begin(&r, 1, 0);
	struct slot *slot = serve(&r, 1);
	roster_drain(&r, 100, false);
	assert_ptr_equal(expect(&r, 10, ROSTER_ASK).slot, slot);
	assert_int_equal(expect_wait(&r, 99), 100);
	struct roster_action a = expect(&r, 100, ROSTER_KILL);
	assert_ptr_equal(a.slot, slot);
	assert_int_equal(a.was, SLOT_LEAVING);
	assert_int_equal(expect_wait(&r, 101), 0);
	assert_false(roster_is_vacant(&r));
	assert_false(roster_died(&r, slot, 102, &delay_ms));
	assert_true(roster_is_vacant(&r));
	assert_int_equal(expect_wait(&r, 103), 0);
	roster_fini(&r);
}

static void test_at_the_end_workers_go_on_until_the_gateways_are_gone(void **unused)
{
	struct roster r;
	int64_t delay_ms;

	(void)unused;
	begin(&r, 1, 1);
	struct slot *worker = serve(&r, 1), *gateway = serve(&r, 1);
	roster_drain(&r, 100, true);
	assert_ptr_equal(expect(&r, 2, ROSTER_ASK).slot, gateway);
	assert_int_equal(expect_wait(&r, 2), 100);
	assert_int_equal(worker->state, SLOT_SERVING);
	roster_died(&r, gateway, 3, &delay_ms);
	assert_ptr_equal(expect(&r, 3, ROSTER_ASK).slot, worker);
	roster_fini(&r);
}

static void test_on_a_reload_workers_and_gateways_leave_at_once(void **unused)
{
	struct roster r;

	(void)unused;
	begin(&r, 1, 1);
	serve(&r, 1);
	serve(&r, 1);
	roster_drain(&r, 100, false);
	expect(&r, 2, ROSTER_ASK);
	expect(&r, 2, ROSTER_ASK);
	assert_int_equal(expect_wait(&r, 2), 100);
	roster_fini(&r);
}

static void test_the_delay_of_a_place_doubles(void **unused)
{
	static const int64_t delays[] = { 0,    100,  200,   400,   800,   1600,
					  3200, 6400, 12800, 25600, 30000, 30000 };
	struct roster r;
	int64_t now_ms = 1000, delay_ms;

	(void)unused;
	begin(&r, 1, 0);
	for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
		struct slot *slot = expect_fork(&r, now_ms);

		assert_true(roster_died(&r, slot, now_ms, &delay_ms));
		assert_int_equal(delay_ms, delays[i]);
		if (delay_ms)
			assert_int_equal(expect_wait(&r, now_ms), now_ms + delay_ms);
		now_ms += delay_ms;
	}
	/* One that has lived long enough is forgiven. */
	struct slot *slot = serve(&r, now_ms);
	assert_true(roster_died(&r, slot, now_ms + 60000, &delay_ms));
	assert_int_equal(delay_ms, 0);
	roster_fini(&r);
}

static void test_a_fork_that_failed_is_tried_again_later_and_later(void **unused)
{
	struct roster r;
	int64_t now_ms = 1, delay_ms = 0, last_ms = 0;

	(void)unused;
	begin(&r, 3, 0);
	for (int i = 0; i < 20; i++) {
		delay_ms = roster_fork_failed(&r, expect_fork(&r, now_ms), now_ms);
		assert_true(delay_ms >= last_ms && delay_ms >= 100 && delay_ms <= 30000);
		/* For all places together. */
		assert_int_equal(expect_wait(&r, now_ms), now_ms + delay_ms);
		last_ms = delay_ms;
		now_ms += delay_ms;
	}
	serve(&r, now_ms);
	assert_int_equal(roster_fork_failed(&r, expect_fork(&r, now_ms), now_ms), 100);
	roster_fini(&r);
}

static void test_an_order_that_is_not_carried_out_has_its_time(void **unused)
{
	struct roster r;

	(void)unused;
	begin(&r, 1, 0);
	struct slot *slot = expect_fork(&r, 1);
	assert_int_equal(expect_wait(&r, 1), 1 + START_MS);
	struct roster_action a = expect(&r, 1 + START_MS, ROSTER_KILL);
	assert_ptr_equal(a.slot, slot);
	assert_int_equal(a.was, SLOT_STARTING);
	assert_int_equal(slot->pid, 0);
	roster_fini(&r);
}

/* The application may take what it takes, if each worker imports it for itself; but a worker must
 * not take much longer than another one did. */
static void test_a_start_has_its_time_once_one_has_succeeded(void **unused)
{
	struct roster r;

	(void)unused;
	begin(&r, 2, 0);
	struct slot *one = expect_fork(&r, 1), *two = expect_fork(&r, 1);
	roster_forked(&r, one, 7);
	roster_forked(&r, two, 8);
	assert_int_equal(expect_wait(&r, 1 + 10 * START_MS), 0);
	roster_ready(&r, one, 10000);
	assert_int_equal(expect_wait(&r, 10000), 1 + 2 * 9999);
	assert_ptr_equal(expect(&r, 1 + 2 * 9999, ROSTER_KILL).slot, two);
	roster_fini(&r);
}

/* ---- whatever happens ---- */

static bool is_wanted(const struct roster *r, int place)
{
	return r->open && !r->drained_by_ms && !r->place[place - 1].spared &&
	       (place > r->workers || r->has_zygote);
}

static bool is_filled(const struct roster *r, int place)
{
	for (size_t i = 0; i < r->slot_count; i++) {
		const struct slot *s = &r->slots[i];

		if (s->place == place && !s->replace &&
		    (s->state == SLOT_STARTING || s->state == SLOT_SERVING))
			return true;
	}
	return false;
}

/* SIGKILL is sent: an end is sure to come. */
static bool is_ending(const struct roster *r)
{
	for (size_t i = 0; i < r->slot_count; i++)
		if (r->slots[i].state == SLOT_KILLED)
			return true;
	return false;
}

/* One random thing that may happen to a random slot. */
static void happen(struct roster *r, int64_t now_ms)
{
	struct slot *slot = &r->slots[(size_t)rand() % r->slot_count];
	int64_t delay_ms;

	if (slot->state == SLOT_VACANT)
		return;
	switch (rand() % 6) {
	case 0:
		if (slot->pid)
			roster_died(r, slot, now_ms, &delay_ms);
		break;
	case 1:
		if (slot->pid == 0)
			roster_fork_failed(r, slot, now_ms);
		break;
	case 2:
		slot->goes_first = !slot->replace && slot->state == SLOT_SERVING && rand() % 3 == 0;
		slot->replace = slot->replace || slot->state == SLOT_SERVING;
		break;
	default:
		if (slot->pid == 0)
			roster_forked(r, slot, 7);
		else if (slot->state == SLOT_STARTING)
			roster_ready(r, slot, now_ms);
	}
}

static void do_all(struct roster *r, int64_t now_ms)
{
	for (int i = 0; i < 200; i++) {
		struct roster_action a = roster_next(r, now_ms);

		if (a.kind == ROSTER_FORK && rand() % 8 == 0)
			roster_fork_failed(r, a.slot, now_ms);
		else if (a.kind == ROSTER_FORK && roster_is_gateway(r, a.slot))
			roster_forked(r, a.slot, 7);
		if (a.kind != ROSTER_WAIT)
			continue;
		/* A time that is over would make the master spin. */
		assert_true(a.due_ms == 0 || a.due_ms > now_ms);
		for (int place = 1; place <= r->places; place++)
			if (is_wanted(r, place) && !is_filled(r, place))
				assert_true(a.due_ms > 0 || is_ending(r));
		return;
	}
	fail_msg("it never waits");
}

static void test_a_place_that_is_vacant_and_wanted_is_filled_or_has_a_time(void **unused)
{
	(void)unused;
	for (unsigned seed = 0; seed < 300; seed++) {
		struct roster r;
		int64_t now_ms = 1;

		srand(seed);
		begin(&r, 1 + rand() % 12, rand() % 3);
		for (int i = 0; i < 300; i++) {
			do_all(&r, now_ms);
			happen(&r, now_ms);
			if (rand() % 50 == 0)
				r.has_zygote = !r.has_zygote;
			if (rand() % 20 == 0)
				roster_want(&r, 1 + rand() % r.workers, rand() % 2);
			now_ms += rand() % 3 ? rand() % 20 : rand() % 8000;
		}
		roster_drain(&r, now_ms + 100, rand() % 2);
		do_all(&r, now_ms);
		do_all(&r, now_ms + 100);
		for (size_t i = 0; i < r.slot_count; i++)
			assert_true(r.slots[i].state == SLOT_VACANT ||
				    r.slots[i].state == SLOT_KILLED);
		roster_fini(&r);
	}
}

static void test_a_place_that_is_not_wanted_is_left_and_filled_again(void **unused)
{
	struct roster r;
	struct roster_action a;
	int64_t delay_ms;

	(void)unused;
	begin(&r, 2, 0);
	roster_want(&r, 2, false);
	assert_int_equal(roster_wanted(&r), 1);
	serve(&r, 1);
	assert_int_equal(expect_wait(&r, 1), 0);
	assert_true(roster_is_ready(&r));
	roster_want(&r, 2, true);
	assert_false(roster_is_ready(&r));
	struct slot *second = serve(&r, 2);
	roster_want(&r, 2, false);
	a = expect(&r, 3, ROSTER_ASK);
	assert_ptr_equal(a.slot, second);
	assert_true(roster_is_replaced(&r, second));
	/* It is busy, and nobody waits for its end. */
	int64_t first_ms = second->kill_at_ms;
	assert_int_equal(expect_wait(&r, 3), first_ms);
	roster_be_patient(&r, second, first_ms - 1);
	assert_true(expect_wait(&r, first_ms) > first_ms);
	/* Another one may work there before it is gone. */
	roster_want(&r, 2, true);
	assert_int_equal(serve(&r, first_ms)->place, 2);
	assert_false(roster_died(&r, second, first_ms, &delay_ms));
	assert_true(roster_is_ready(&r));
	roster_fini(&r);
}

static void test_who_starts_where_nobody_is_wanted_any_more_leaves_when_it_serves(void **unused)
{
	struct roster r;

	(void)unused;
	begin(&r, 1, 0);
	struct slot *slot = expect_fork(&r, 1);
	roster_forked(&r, slot, 7);
	roster_want(&r, 1, false);
	assert_int_equal(expect_wait(&r, 2), 0);
	roster_ready(&r, slot, 3);
	assert_ptr_equal(expect(&r, 3, ROSTER_ASK).slot, slot);
	/* The end of the server is its end, too. */
	roster_drain(&r, 5, false);
	roster_be_patient(&r, slot, 4);
	assert_int_equal(expect_wait(&r, 4), 5);
	roster_fini(&r);
}

static void test_without_room_for_two_one_is_gone_before_the_next(void **unused)
{
	struct roster r;
	int64_t delay_ms;

	(void)unused;
	begin(&r, 1, 0);
	struct slot *slot = serve(&r, 1);
	slot->replace = slot->goes_first = true;
	assert_ptr_equal(expect(&r, 2, ROSTER_ASK).slot, slot);
	assert_int_equal(expect_wait(&r, 2), 2 + MERCY_MS);
	assert_false(roster_died(&r, slot, 3, &delay_ms));
	serve(&r, 3);
	roster_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_forked_before_the_import),
		cmocka_unit_test(test_without_a_zygote_only_gateways_are_forked),
		cmocka_unit_test(test_few_orders_are_under_way),
		cmocka_unit_test(test_a_successor_serves_before_a_worker_leaves),
		cmocka_unit_test(test_of_two_that_are_to_be_replaced_the_younger_stays),
		cmocka_unit_test(test_a_quick_successor_is_the_younger_one_too),
		cmocka_unit_test(test_mercy_ends),
		cmocka_unit_test(test_at_the_end_workers_go_on_until_the_gateways_are_gone),
		cmocka_unit_test(test_on_a_reload_workers_and_gateways_leave_at_once),
		cmocka_unit_test(test_the_delay_of_a_place_doubles),
		cmocka_unit_test(test_a_fork_that_failed_is_tried_again_later_and_later),
		cmocka_unit_test(test_an_order_that_is_not_carried_out_has_its_time),
		cmocka_unit_test(test_a_start_has_its_time_once_one_has_succeeded),
		cmocka_unit_test(test_a_place_that_is_vacant_and_wanted_is_filled_or_has_a_time),
		cmocka_unit_test(test_without_room_for_two_one_is_gone_before_the_next),
		cmocka_unit_test(test_a_place_that_is_not_wanted_is_left_and_filled_again),
		cmocka_unit_test(
			test_who_starts_where_nobody_is_wanted_any_more_leaves_when_it_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
