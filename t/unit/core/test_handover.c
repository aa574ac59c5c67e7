/* SPDX-License-Identifier: MIT */
/* test_handover.c: what is given comes out again, in order, and a full queue says so. */
#include "unit.h"

#include "handover.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_a_descriptor_and_what_goes_along_come_out(void **unused)
{
	struct parcel given = { .listener = 3, .slow = true, .state = "state" }, taken;
	int ends[2], pair[2], fd;
	struct error e;
	char byte;

	(void)unused;
	assert_int_equal(handover_open(ends, &e), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(handover_take(ends[1], &taken), -1);
	assert_true(handover_give(ends[0], pair[0], &given));
	close(pair[0]);
	fd = handover_take(ends[1], &taken);
	assert_true(fd >= 0);
	assert_int_equal(taken.listener, 3);
	assert_true(taken.slow);
	assert_string_equal(taken.state, "state");
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(read(fd, &byte, 1), 1);
	close(fd);
	close(pair[1]);
	close(ends[0]);
	close(ends[1]);
}

static void test_a_full_queue_takes_no_more(void **unused)
{
	struct parcel parcel = { .listener = 0 };
	int ends[2], given = 0, taken = 0, fd;
	struct error e;

	(void)unused;
	assert_int_equal(handover_open(ends, &e), 0);
	while (given < 100000 && handover_give(ends[0], STDIN_FILENO, &parcel))
		given++;
	assert_in_range(given, 1, 99999);
	for (; (fd = handover_take(ends[1], &parcel)) >= 0; taken++)
		close(fd);
	assert_int_equal(taken, given);
	assert_true(handover_give(ends[0], STDIN_FILENO, &parcel));
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_descriptor_and_what_goes_along_come_out),
		cmocka_unit_test(test_a_full_queue_takes_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
