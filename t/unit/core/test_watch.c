/* SPDX-License-Identifier: MIT */
/* test_watch.c: a descriptor that the kernel could not watch is tried again, until it is not wanted
 * any more. */
#include "unit.h"

#include "wire/watch.h"

#include <unistd.h>

struct bench {
	struct ev_loop *loop;
	int ends[2], count;
	struct watch watch;
};

static void on_ready(struct watch *w)
{
	struct bench *b = w->data;
	char byte;

	assert_int_equal(read(w->io.fd, &byte, 1), 1);
	b->count++;
}

static int begin(void **state)
{
	static struct bench b;

	b = (struct bench){ .loop = ev_loop_new(EVFLAG_AUTO) };
	if (pipe(b.ends))
		return -1;
	watch_init(&b.watch, b.ends[0], EV_READ, on_ready, &b);
	watch_start(&b.watch, b.loop);
	*state = &b;
	return 0;
}

static int end(void **state)
{
	struct bench *b = *state;

	watch_stop(&b->watch, b->loop);
	ev_run(b->loop, 0); /* nothing keeps it */
	ev_loop_destroy(b->loop);
	close(b->ends[0]);
	close(b->ends[1]);
	return 0;
}

/* What libev does when epoll_ctl() fails. */
static void give_it_up(struct bench *b)
{
	ev_io_stop(b->loop, &b->watch.io);
	ev_feed_event(b->loop, &b->watch.io, EV_ERROR | EV_READ | EV_WRITE);
}

static void test_it_is_heard(void **state)
{
	struct bench *b = *state;

	assert_int_equal(write(b->ends[1], "ab", 2), 2);
	while (b->count < 2)
		ev_run(b->loop, EVRUN_ONCE);
	ev_run(b->loop, EVRUN_NOWAIT);
	assert_int_equal(b->count, 2);
}

static void test_it_is_heard_after_a_failure(void **state)
{
	struct bench *b = *state;

	for (int i = 1; i <= 2; i++) {
		give_it_up(b);
		ev_run(b->loop, EVRUN_NOWAIT);
		assert_int_equal(b->count, i - 1);
		assert_true(b->watch.failed);
		assert_int_equal(write(b->ends[1], "a", 1), 1);
		while (b->count < i)
			ev_run(b->loop, EVRUN_ONCE);
		assert_false(b->watch.failed);
	}
}

static void test_it_stays_stopped_after_a_failure(void **state)
{
	struct bench *b = *state;

	give_it_up(b);
	ev_run(b->loop, EVRUN_NOWAIT);
	watch_stop(&b->watch, b->loop);
	assert_int_equal(write(b->ends[1], "a", 1), 1);
	ev_run(b->loop, 0);
	assert_int_equal(b->count, 0);
}

int main(void)
{
#define WITH_PIPE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_PIPE(test_it_is_heard),
		WITH_PIPE(test_it_is_heard_after_a_failure),
		WITH_PIPE(test_it_stays_stopped_after_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
