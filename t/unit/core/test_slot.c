/* SPDX-License-Identifier: MIT */
/* test_slot.c: the life of a process, played through its table. */
#include "unit.h"

#include "process/slot.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void test_the_time_of_a_state_is_that_of_its_beginning(void **unused)
{
	struct slot slot = { 0 };

	(void)unused;
	assert_int_equal(slot_move(&slot, SLOT_WANTED, 5), SLOT_FORK);
	assert_int_equal(slot.since_ms, 5);
	assert_int_equal(slot_move(&slot, SLOT_WANTED, 6), SLOT_NOTHING);
	assert_int_equal(slot.since_ms, 5);
	slot_move(&slot, SLOT_READY, 7);
	assert_string_equal(slot_state_name(slot.state), "serving");
	assert_int_equal(slot.since_ms, 7);
}

/* Nothing that a child says may lead to them: the caller looks before. */
static void test_what_cannot_happen_is_the_caller_s_fault(void **unused)
{
	static const struct {
		enum slot_state state;
		enum slot_event event;
	} bugs[] = { { SLOT_VACANT, SLOT_READY },
		     { SLOT_VACANT, SLOT_DIED },
		     { SLOT_SERVING, SLOT_READY } };

	(void)unused;
	for (size_t i = 0; i < sizeof bugs / sizeof *bugs; i++) {
		enum slot_action action;

		slot_next(bugs[i].state, bugs[i].event, &action);
		assert_int_equal(action, SLOT_BUG);
	}
	pid_t pid = fork();
	if (pid == 0) {
		struct slot slot = { .state = SLOT_VACANT };

		close(STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		slot_move(&slot, SLOT_READY, 1);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_worker_serves_and_leaves),
		cmocka_unit_test(test_one_that_overstays_is_killed_once),
		cmocka_unit_test(test_a_crash_is_reported),
		cmocka_unit_test(test_stop_while_starting_forgives_a_late_ready),
		cmocka_unit_test(test_every_death_leaves_the_slot_vacant),
		cmocka_unit_test(test_the_time_of_a_state_is_that_of_its_beginning),
		cmocka_unit_test(test_what_cannot_happen_is_the_caller_s_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
