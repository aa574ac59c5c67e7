/* SPDX-License-Identifier: MIT */
/* test_slot.c: the life of a worker, played through its table. */
#include "unit.h"

#include "slot.h"

struct beat {
	enum slot_event event;
	enum slot_state state;
	enum slot_action action;
};

static void play(const struct beat *beats, size_t count)
{
	enum slot_state state = SLOT_VACANT;

	for (size_t i = 0; i < count; i++) {
		enum slot_action action;

		state = slot_next(state, beats[i].event, &action);
		assert_int_equal(state, beats[i].state);
		assert_int_equal(action, beats[i].action);
	}
}
#define PLAY(...)                                                                                  \
	do {                                                                                       \
		const struct beat beats[] = { __VA_ARGS__ };                                       \
		play(beats, sizeof beats / sizeof *beats);                                         \
	} while (0)

static void test_a_worker_serves_and_leaves(void **unused)
{
	(void)unused;
	PLAY({ SLOT_WANTED, SLOT_STARTING, SLOT_FORK }, { SLOT_READY, SLOT_SERVING, SLOT_NOTHING },
	     { SLOT_LEAVE, SLOT_LEAVING, SLOT_ASK }, { SLOT_LEAVE, SLOT_LEAVING, SLOT_NOTHING },
	     { SLOT_DIED, SLOT_VACANT, SLOT_NOTHING });
}

static void test_one_that_overstays_is_killed_once(void **unused)
{
	(void)unused;
	PLAY({ SLOT_WANTED, SLOT_STARTING, SLOT_FORK }, { SLOT_READY, SLOT_SERVING, SLOT_NOTHING },
	     { SLOT_LEAVE, SLOT_LEAVING, SLOT_ASK }, { SLOT_OVERDUE, SLOT_KILLED, SLOT_KILL },
	     { SLOT_OVERDUE, SLOT_KILLED, SLOT_NOTHING }, { SLOT_DIED, SLOT_VACANT, SLOT_NOTHING });
}

static void test_a_crash_is_reported(void **unused)
{
	(void)unused;
	PLAY({ SLOT_WANTED, SLOT_STARTING, SLOT_FORK }, { SLOT_READY, SLOT_SERVING, SLOT_NOTHING },
	     { SLOT_DIED, SLOT_VACANT, SLOT_REPORT });
	PLAY({ SLOT_WANTED, SLOT_STARTING, SLOT_FORK }, { SLOT_DIED, SLOT_VACANT, SLOT_REPORT });
}

static void test_stop_while_starting_forgives_a_late_ready(void **unused)
{
	(void)unused;
	PLAY({ SLOT_WANTED, SLOT_STARTING, SLOT_FORK }, { SLOT_LEAVE, SLOT_LEAVING, SLOT_ASK },
	     { SLOT_READY, SLOT_LEAVING, SLOT_NOTHING }, { SLOT_DIED, SLOT_VACANT, SLOT_NOTHING });
}

static void test_every_death_leaves_the_slot_vacant(void **unused)
{
	(void)unused;
	for (int s = 0; s < SLOT_STATES; s++) {
		enum slot_action action;

		assert_int_equal(slot_next((enum slot_state)s, SLOT_DIED, &action), SLOT_VACANT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_worker_serves_and_leaves),
		cmocka_unit_test(test_one_that_overstays_is_killed_once),
		cmocka_unit_test(test_a_crash_is_reported),
		cmocka_unit_test(test_stop_while_starting_forgives_a_late_ready),
		cmocka_unit_test(test_every_death_leaves_the_slot_vacant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
