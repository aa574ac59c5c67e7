/* SPDX-License-Identifier: MIT */
/* test_shell.c: commands that end, that are killed, and that find the world as any program does. */
#include "unit.h"

#include "base/clock.h"
#include "base/shell.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_ends(void **state)
{
	int64_t later_ms = clock_monotonic_ms() + 60000;
	struct error e;

	(void)state;
	assert_int_equal(shell_run("true", 0, &e), 0);
	assert_int_equal(shell_run("true", later_ms, &e), 0);
	assert_int_equal(shell_run("exit 5", later_ms, &e), -1);
	assert_string_equal(e.text, "the command ended with exit code 5");
	assert_int_equal(shell_run("kill -TERM $$", 0, &e), -1);
	assert_string_equal(e.text, "the command was ended by SIGTERM");
}

static void test_what_takes_too_long_is_killed(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(shell_run("sleep 60; true", clock_monotonic_ms() + 1, &e), -1);
	assert_string_equal(e.text, "the command did not end in time");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_a_signal_ends_the_wait(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(shell_run("kill -INT $PPID; sleep 60", clock_monotonic_ms() + 60000, &e),
			 -1);
	assert_string_equal(e.text, "the command did not end in time");
}

static void test_signals_and_descriptors_are_not_passed_on(void **state)
{
	static const char command[] = "grep -q '^SigBlk:.0*$' /proc/self/status && kill -PIPE $$";
	int ends[2];
	struct error e;
	sigset_t set;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	assert_int_equal(shell_run(command, 0, &e), -1);
	assert_string_equal(e.text, "the command was ended by SIGPIPE");
	assert_ptr_equal(signal(SIGCHLD, SIG_DFL), SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], 9), 9);
	assert_int_equal(shell_run("test ! -e /proc/self/fd/9", 0, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_what_takes_too_long_is_killed),
		cmocka_unit_test(test_a_signal_ends_the_wait),
		cmocka_unit_test(test_signals_and_descriptors_are_not_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
