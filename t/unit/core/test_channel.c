/* SPDX-License-Identifier: MIT */
/* test_channel.c: messages stay whole and in order, carry descriptors, and tell when the other side
 * is gone. */
#include "unit.h"

#include "work/channel.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct ev_loop *loop;
static struct watch channel; /* the master's end */
static int ends[2];          /* [0] the master's */
static int called;

static void ready(struct watch *w)
{
	assert_ptr_equal(w->data, &called);
	called++;
}

static int open_pair(void **unused)
{
	struct error e;

	(void)unused;
	called = 0;
	loop = ev_loop_new(EVFLAG_AUTO);
	ends[1] = channel_open(&channel, loop, ready, &called, &e);
	ends[0] = channel.io.fd;
	return ends[1] < 0;
}

static int close_pair(void **unused)
{
	(void)unused;
	channel_close(&channel, loop);
	channel_close(&channel, loop); /* there is nothing left to close */
	assert_int_equal(channel.io.fd, -1);
	close(ends[1]);
	ev_loop_destroy(loop);
	return 0;
}

static void test_the_masters_end_is_watched(void **unused)
{
	struct message m = { .kind = MESSAGE_READY };

	(void)unused;
	ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(called, 0);
	assert_true(channel_send(ends[1], &m, -1));
	ev_run(loop, EVRUN_NOWAIT);
	assert_int_equal(called, 1);
	assert_true(channel_next(&channel, loop, &m, NULL));
	assert_false(channel_next(&channel, loop, &m, NULL));
	assert_int_equal(channel.io.fd, ends[0]);
	close(ends[1]);
	ends[1] = -1;
	assert_false(channel_next(&channel, loop, &m, NULL));
	assert_int_equal(channel.io.fd, -1);
	assert_false(ev_is_active(&channel.io));
}

static void test_messages_come_whole_and_in_order(void **unused)
{
	struct message sent = { .kind = MESSAGE_FORKED, .slot = 3, .value = 4711 }, got;
	int passed;

	(void)unused;
	assert_int_equal(channel_receive(ends[0], &got, &passed), 0);
	for (sent.worker = 0; sent.worker < 3; sent.worker++)
		assert_true(channel_send(ends[1], &sent, -1));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(channel_receive(ends[0], &got, &passed), 1);
		assert_int_equal(got.worker, i);
		assert_int_equal(got.value, 4711);
		assert_int_equal(passed, -1);
	}
}

static void test_a_descriptor_comes_along_and_is_closed_on_exec(void **unused)
{
	struct message m = { .kind = MESSAGE_FORK }, got;
	int pipe_ends[2], passed;
	char byte = 0;

	(void)unused;
	assert_int_equal(pipe(pipe_ends), 0);
	assert_true(channel_send(ends[0], &m, pipe_ends[1]));
	close(pipe_ends[1]);
	assert_int_equal(channel_wait(ends[1], &got, &passed), 1);
	assert_true(fcntl(passed, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(passed, "x", 1), 1);
	assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
	close(passed);
	close(pipe_ends[0]);
}

/* A child that passes one where none is expected must not fill the master's table. */
static void test_a_descriptor_that_nobody_wants_is_closed(void **unused)
{
	struct message m = { .kind = MESSAGE_READY }, got;
	int pipe_ends[2];
	char byte;

	(void)unused;
	assert_int_equal(pipe(pipe_ends), 0);
	assert_true(channel_send(ends[1], &m, pipe_ends[1]));
	close(pipe_ends[1]);
	assert_int_equal(channel_receive(ends[0], &got, NULL), 1);
	assert_int_equal(read(pipe_ends[0], &byte, 1), 0);
	close(pipe_ends[0]);
}

static void test_the_end_of_the_other_side_is_told(void **unused)
{
	struct message m = { .kind = MESSAGE_LEAVE }, got;

	(void)unused;
	assert_true(channel_send(ends[1], &m, -1));
	close(ends[1]);
	assert_int_equal(channel_receive(ends[0], &got, NULL), 1);
	assert_int_equal(channel_receive(ends[0], &got, NULL), -1);
	assert_false(channel_send(ends[0], &m, -1));
	ends[1] = -1;
}

static void test_the_master_never_waits_for_a_reader(void **unused)
{
	struct message m = { .kind = MESSAGE_FORK };
	int sent = 0;

	(void)unused;
	while (sent < 100000 && channel_send(ends[0], &m, -1))
		sent++;
	assert_in_range(sent, 8, 99999);
}

static void test_what_is_no_message_ends_the_channel(void **unused)
{
	struct message got;

	(void)unused;
	assert_int_equal(write(ends[1], "short", 5), 5);
	assert_int_equal(channel_receive(ends[0], &got, NULL), -1);
}

static void test_a_text_without_an_end_gets_one(void **unused)
{
	struct message m = { .kind = MESSAGE_FAILED }, got;

	(void)unused;
	memset(m.text, 'x', sizeof m.text);
	assert_true(channel_send(ends[1], &m, -1));
	assert_int_equal(channel_receive(ends[0], &got, NULL), 1);
	assert_int_equal(strlen(got.text), sizeof got.text - 1);
}

#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PAIR(test_the_masters_end_is_watched),
		WITH_PAIR(test_messages_come_whole_and_in_order),
		WITH_PAIR(test_a_descriptor_comes_along_and_is_closed_on_exec),
		WITH_PAIR(test_a_descriptor_that_nobody_wants_is_closed),
		WITH_PAIR(test_the_end_of_the_other_side_is_told),
		WITH_PAIR(test_the_master_never_waits_for_a_reader),
		WITH_PAIR(test_what_is_no_message_ends_the_channel),
		WITH_PAIR(test_a_text_without_an_end_gets_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
