/* SPDX-License-Identifier: MIT */
/* test_cause.c: what is said of who has sent a signal. */
#include "unit.h"

#include "process/cause.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void expect(const struct signalfd_siginfo *info, const char *text)
{
	const struct cause c = cause_of_signal(info);

	assert_string_equal(c.text, text);
}

static void test_a_process_is_named(void **unused)
{
	char text[256];
	struct signalfd_siginfo info = { .ssi_signo = SIGHUP,
					 .ssi_code = SI_USER,
					 .ssi_pid = (uint32_t)getpid() };

	(void)unused;
	prctl(PR_SET_NAME, "deploy\tit");
	snprintf(text, sizeof text, "SIGHUP from pid %d (deploy?it), user root", getpid());
	expect(&info, text);
	info.ssi_signo = SIGTERM;
	info.ssi_uid = 4000000000;
	snprintf(text, sizeof text, "SIGTERM from pid %d (deploy?it), user 4000000000", getpid());
	expect(&info, text);
}

static void test_a_process_that_is_gone_has_a_pid(void **unused)
{
	/* More than the kernel gives. */
	const struct signalfd_siginfo info = { .ssi_signo = SIGQUIT,
					       .ssi_code = SI_USER,
					       .ssi_pid = 1 << 30 };

	(void)unused;
	expect(&info, "SIGQUIT from pid 1073741824, user root");
}

static void test_the_terminal_and_the_outside_have_none(void **unused)
{
	const struct signalfd_siginfo terminal = { .ssi_signo = SIGINT, .ssi_code = SI_KERNEL },
				      outside = { .ssi_signo = SIGTERM, .ssi_code = SI_USER };

	(void)unused;
	expect(&terminal, "SIGINT from the terminal");
	expect(&outside, "SIGTERM from outside of this container");
}

static void test_only_a_queued_signal_has_a_ticket(void **unused)
{
	struct signalfd_siginfo info = { .ssi_signo = SIGHUP,
					 .ssi_code = SI_QUEUE,
					 .ssi_pid = 1 << 30,
					 .ssi_ptr = 0xfedcba9876543210 };

	(void)unused;
	assert_true(cause_of_signal(&info).ticket == 0xfedcba9876543210);
	info.ssi_code = SI_USER;
	assert_true(cause_of_signal(&info).ticket == 0);
	assert_true(cause_of("a file was touched").ticket == 0);
}

static void test_an_end_is_described(void **unused)
{
	siginfo_t info = { .si_code = CLD_EXITED };
	char text[64];

	(void)unused;
	info.si_status = 3;
	cause_of_end(&info, text, sizeof text);
	assert_string_equal(text, "exit code 3");
	info.si_code = CLD_KILLED;
	info.si_status = SIGKILL;
	cause_of_end(&info, text, sizeof text);
	assert_string_equal(text, "killed by signal 9 (Killed)");
	info.si_code = CLD_DUMPED;
	info.si_status = SIGSEGV;
	cause_of_end(&info, text, sizeof text);
	assert_string_equal(text, "killed by signal 11 (Segmentation fault), core dumped");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_process_is_named),
		cmocka_unit_test(test_a_process_that_is_gone_has_a_pid),
		cmocka_unit_test(test_the_terminal_and_the_outside_have_none),
		cmocka_unit_test(test_only_a_queued_signal_has_a_ticket),
		cmocka_unit_test(test_an_end_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
