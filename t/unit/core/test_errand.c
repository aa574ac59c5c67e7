/* SPDX-License-Identifier: MIT */
/* test_errand.c: commands one after the other, whatever becomes of each; the test plays the processes. */
#include "unit.h"

#include "process/errand.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct world {
	const char *ran[8];
	int count;
	bool fails;
} world;

/* A process that only waits for its end. */
static pid_t start(void *data, const char *command, const char *name)
{
	(void)data;
	assert_string_equal(name, "on-test");
	if (world.fails) {
		errno = EAGAIN;
		return -1;
	}
	world.ran[world.count++] = command;
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static struct errand errand;

static int set_up(void **state)
{
	static const char *const commands[] = { "one", "two" };
	const struct option_list list = { commands, 2 };

	(void)state;
	world = (struct world){ 0 };
	errand_init(&errand, "on-test");
	errand.fork = start;
	errand_begin(&errand, &list, 1000);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (errand.pid) {
		kill(errand.pid, SIGKILL);
		waitpid(errand.pid, NULL, 0);
	}
	errand_fini(&errand);
	return 0;
}

static int64_t expect(int64_t now_ms, bool done)
{
	int64_t due_ms = 0;

	assert_int_equal(errand_step(&errand, now_ms, &due_ms), done);
	return due_ms;
}

/* As the master does: what has ended is looked at, then reaped. */
static void end_it(void)
{
	siginfo_t info = { 0 };
	pid_t pid = errand.pid;

	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(errand_ended(&errand, &info));
	assert_false(errand_ended(&errand, &info));
	waitpid(pid, NULL, 0);
}

static void test_one_after_the_other(void **state)
{
	(void)state;
	assert_int_equal(expect(5000, false), 6000);
	assert_int_equal(expect(5500, false), 6000);
	end_it();
	assert_int_equal(expect(5600, false), 6600);
	assert_int_equal(world.count, 2);
	assert_string_equal(world.ran[0], "one");
	assert_string_equal(world.ran[1], "two");
	end_it();
	assert_int_equal(expect(5700, true), 0);
	assert_int_equal(expect(5800, false), 0);
}

static void test_one_that_takes_too_long_is_killed(void **state)
{
	siginfo_t info = { 0 };

	(void)state;
	expect(5000, false);
	assert_int_equal(expect(6000, false), 0);
	pid_t pid = errand.pid;
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(info.si_status, SIGKILL);
	assert_true(errand_ended(&errand, &info));
	waitpid(pid, NULL, 0);
	assert_int_equal(expect(6001, false), 7001);
}

static void test_those_that_cannot_be_run_are_done(void **state)
{
	(void)state;
	world.fails = true;
	assert_int_equal(expect(5000, true), 0);
}

static void test_nothing_follows_when_it_is_broken_off(void **state)
{
	siginfo_t info = { 0 };

	(void)state;
	expect(5000, false);
	pid_t pid = errand.pid;
	errand_break_off(&errand);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(errand_ended(&errand, &info));
	waitpid(pid, NULL, 0);
	assert_int_equal(expect(5100, true), 0);
	assert_int_equal(world.count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_one_after_the_other),
		TEST(test_one_that_takes_too_long_is_killed),
		TEST(test_those_that_cannot_be_run_are_done),
		TEST(test_nothing_follows_when_it_is_broken_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
