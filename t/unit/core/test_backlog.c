/* SPDX-License-Identifier: MIT */
/* test_backlog.c: how many connections wait on a socket, as a term of a sum. */
#include "unit.h"

#include "wire/backlog.h"

#include <sys/socket.h>
#include <unistd.h>

static struct listener listening(void)
{
	struct listener l = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	struct error e;

	assert_true(l.fd >= 0);
	assert_int_equal(address_parse(&l.address, "127.0.0.1:0", &e), 0);
	assert_int_equal(bind(l.fd, (struct sockaddr *)&l.address.sa, l.address.length), 0);
	assert_int_equal(listen(l.fd, 8), 0);
	l.address.length = sizeof l.address.sa;
	assert_int_equal(getsockname(l.fd, (struct sockaddr *)&l.address.sa, &l.address.length), 0);
	return l;
}

static void test_those_that_wait_are_counted(void **unused)
{
	struct listener l = listening();
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)unused;
	assert_int_equal(backlog_waiting(&l), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&l.address.sa, l.address.length), 0);
	assert_int_equal(backlog_waiting(&l), 1);
	close(client);
	close(l.fd);
}

static void test_what_the_kernel_does_not_say_takes_nothing_from_a_sum(void **unused)
{
	const sa_family_t families[] = { AF_INET, AF_INET6, AF_UNIX };
	long long waiting, most;

	(void)unused;
	for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
		const struct listener closed = { .fd = -1, .address.sa.ss_family = families[i] };

		backlog_of(&closed, &waiting, &most);
		assert_int_equal(waiting, -1);
		assert_int_equal(backlog_waiting(&closed), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_those_that_wait_are_counted),
		cmocka_unit_test(test_what_the_kernel_does_not_say_takes_nothing_from_a_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
