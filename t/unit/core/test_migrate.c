/* SPDX-License-Identifier: MIT */
/* test_migrate.c: what is given comes out again, and two sets of clients between which connections move
 * as they do between two workers. */
#include "wire.h"

#include <poll.h>

/* ---- the queue ---- */

static void test_a_connection_and_what_goes_along_come_out(void **unused)
{
	struct moved given = {
		.listener = 3, .deadline_ms = 7500, .took_s = 0.5, .input = 4, .state = "state"
	};
	struct migrate_queue queue;
	struct moved taken;
	char input[MIGRATE_INPUT_MAX], byte;
	int pair[2], fd;
	struct error e;

	(void)unused;
	assert_int_equal(migrate_open(&queue, &e), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(migrate_take(queue.take, &fd, &taken, input), MIGRATE_LATER);
	assert_int_equal(migrate_give(queue.give, pair[0], &given, "read"), MIGRATE_DONE);
	close(pair[0]);
	assert_int_equal(migrate_take(queue.take, &fd, &taken, input), MIGRATE_DONE);
	assert_memory_equal(&taken, &given, sizeof given);
	assert_memory_equal(input, "read", 4);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(read(fd, &byte, 1), 1);
	close(fd);
	close(pair[1]);
	migrate_close(&queue);
}

static int fill(const struct migrate_queue *queue, const struct moved *moved)
{
	int n = 0;

	while (n < 100000 && migrate_give(queue->give, STDIN_FILENO, moved, NULL) == MIGRATE_DONE)
		n++;
	return n;
}

static int empty(const struct migrate_queue *queue)
{
	char input[MIGRATE_INPUT_MAX];
	struct moved moved;
	int fd, n = 0;

	for (; migrate_take(queue->take, &fd, &moved, input) == MIGRATE_DONE; n++)
		close(fd);
	return n;
}

static void test_a_full_queue_takes_no_more(void **unused)
{
	static const struct moved moved;
	struct migrate_queue queue;
	struct error e;

	(void)unused;
	assert_int_equal(migrate_open(&queue, &e), 0);
	int given = fill(&queue, &moved);
	assert_in_range(given, 1, 99999);
	assert_int_equal(migrate_give(queue.give, STDIN_FILENO, &moved, NULL), MIGRATE_LATER);
	assert_int_equal(empty(&queue), given);
	assert_int_equal(migrate_give(queue.give, STDIN_FILENO, &moved, NULL), MIGRATE_DONE);
	migrate_close(&queue);
}

static void test_an_ended_queue_still_gives_out_what_is_in_it(void **unused)
{
	static const struct moved moved;
	struct migrate_queue queue;
	struct error e;

	(void)unused;
	assert_int_equal(migrate_open(&queue, &e), 0);
	assert_int_equal(migrate_give(queue.give, STDIN_FILENO, &moved, NULL), MIGRATE_DONE);
	migrate_end(&queue);
	assert_int_equal(migrate_give(queue.give, STDIN_FILENO, &moved, NULL), MIGRATE_ENDED);
	assert_int_equal(empty(&queue), 1);
	/* Nor are those who wait for more woken. */
	struct pollfd p = { .fd = queue.take, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 0), 0);
	migrate_close(&queue);
}

/* ---- two workers ---- */

/* Two workers and a client of the first one. */
struct two {
	struct migrate_queue queue;
	struct wire *from, *to;
	int client;
};

static struct wire *open_side(const struct migrate_queue *queue)
{
	void *w;

	wire_open(&w);
	((struct wire *)w)->clients.successors = queue->give;
	((struct wire *)w)->clients.idle_s = 0.05;
	return w;
}

static int open_two(void **state)
{
	struct two *t = calloc(1, sizeof *t);
	struct error e;

	assert_int_equal(migrate_open(&t->queue, &e), 0);
	t->from = open_side(&t->queue);
	t->to = open_side(&t->queue);
	t->client = wire_connect(t->from, "1\n");
	assert_string_equal(wire_hear(t->client), "1\n");
	*state = t;
	return 0;
}

static int close_two(void **state)
{
	struct two *t = *state;

	close(t->client);
	wire_close((void **)&t->from);
	wire_close((void **)&t->to);
	migrate_close(&t->queue);
	free(t);
	return 0;
}

static void take(const struct two *t)
{
	assert_int_equal(t->from->clients.open_count, 0);
	assert_int_equal(clients_take_over(&t->to->clients, t->queue.take), MIGRATE_DONE);
}

static void test_an_idle_connection_goes_on_elsewhere(void **state)
{
	const struct two *t = *state;

	clients_leave(&t->from->clients);
	take(t);
	wire_say(t->client, "2\n");
	wire_turn(t->to);
	assert_string_equal(wire_hear(t->client), "2\n");
	assert_string_equal(t->to->ran, "2");
}

static void test_its_patience_moves_along(void **state)
{
	const struct two *t = *state;
	int64_t before = wire_newest(t->from)->deadline_ms;

	wire_now += 3;
	clients_leave(&t->from->clients);
	take(t);
	assert_true(wire_newest(t->to)->deadline_ms == before);
}

static void test_what_the_protocol_knows_moves_along(void **state)
{
	const struct two *t = *state;

	((struct lines_state *)wire_newest(t->from)->protocol_state)->close = true;
	clients_leave(&t->from->clients);
	take(t);
	assert_true(((struct lines_state *)wire_newest(t->to)->protocol_state)->close);
}

static void test_who_is_known_as_slow_is_so_elsewhere(void **state)
{
	const struct two *t = *state;

	wire_say(t->client, "s\n");
	wire_turn(t->from);
	clients_leave(&t->from->clients);
	take(t);
	assert_true(runqueue_expects_slow(&t->to->clients.queue, &wire_newest(t->to)->runner));
	assert_ptr_equal(TAILQ_FIRST(&t->to->clients.queue.waiting[RUN_SLOW]),
			 &wire_newest(t->to)->runner);
}

static void test_who_has_not_said_anything_is_new_elsewhere(void **state)
{
	const struct two *t = *state;
	int silent = wire_connect(t->from, "");

	clients_leave(&t->from->clients);
	take(t);
	assert_true(wire_newest(t->to)->runner.is_new);
	take(t);
	assert_false(wire_newest(t->to)->runner.is_new);
	close(silent);
}

static void test_a_request_under_way_is_finished_first(void **state)
{
	const struct two *t = *state;

	wire_hear(t->client);
	wire_say(t->client, "hal");
	wire_turn(t->from);
	clients_leave(&t->from->clients);
	wire_turn(t->from);
	assert_int_equal(t->from->clients.open_count, 1);
	wire_say(t->client, "f\n");
	wire_turn(t->from);
	assert_string_equal(wire_hear(t->client), "half\n");
	take(t);
}

static void test_what_was_read_ahead_moves_along(void **state)
{
	const struct two *t = *state;

	wire_say(t->client, "leave\n2\n3\nfo");
	wire_turn(t->from);
	assert_string_equal(wire_hear(t->client), "leave\n");
	take(t);
	wire_turn(t->to);
	assert_string_equal(wire_hear(t->client), "2\n3\n");
	wire_say(t->client, "ur\n");
	wire_turn(t->to);
	assert_string_equal(wire_hear(t->client), "four\n");
}

static void test_a_full_queue_is_tried_again(void **state)
{
	static const struct moved filler;
	const struct two *t = *state;

	fill(&t->queue, &filler);
	clients_leave(&t->from->clients);
	wire_say(t->client, "2\n");
	wire_turn(t->from);
	assert_string_equal(wire_hear(t->client), "2\n");
	empty(&t->queue);
	while (t->from->clients.open_count > 0)
		ev_run(t->from->loop, EVRUN_ONCE);
	take(t);
}

static void test_where_there_is_no_such_listener_it_ends(void **state)
{
	const struct two *t = *state;

	t->to->listeners.count = 0;
	clients_leave(&t->from->clients);
	take(t);
	assert_int_equal(t->to->clients.open_count, 0);
	assert_true(wire_is_closed(t->client));
}

static void stop_loop(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)w;
	(void)events;
	ev_break(loop, EVBREAK_ONE);
}

/* The epoll of its old loop still has a connection that others have open. */
static void test_what_was_given_away_does_not_keep_a_loop_awake(void **state)
{
	const struct two *t = *state;
	unsigned before = ev_iteration(t->from->loop);
	ev_timer timer;

	clients_leave(&t->from->clients);
	wire_say(t->client, "2\n");
	ev_timer_init(&timer, stop_loop, 0.05, 0.);
	ev_timer_start(t->from->loop, &timer);
	ev_run(t->from->loop, 0);
	assert_in_range(ev_iteration(t->from->loop) - before, 1, 9);
}

/* ---- the end of the server ---- */

static void run_out(struct wire *w)
{
	while (w->clients.open_count > 0)
		ev_run(w->loop, EVRUN_ONCE);
}

/* What this client has said is answered, and that ends its connection. */
static void expect_last_answer(const struct two *t, int client, const char *answer)
{
	wire_turn(t->from);
	assert_string_equal(wire_hear(client), answer);
	assert_true(wire_is_closed(client));
}

static void test_when_nobody_takes_any_more_silence_ends_it(void **state)
{
	const struct two *t = *state;

	wire_say(t->client, "hal");
	wire_turn(t->from);
	clients_leave(&t->from->clients);
	migrate_end(&t->queue);
	wire_say(t->client, "f\n");
	wire_turn(t->from);
	assert_string_equal(wire_hear(t->client), "half\n");
	assert_int_equal(t->from->clients.open_count, 1);
	run_out(t->from);
	assert_true(wire_is_closed(t->client));
}

static void test_silence_before_the_end_counts(void **state)
{
	const struct two *t = *state;
	int other = wire_connect(t->from, "2\n");

	wire_newest(t->from)->deadline_ms += 5000; /* it has spoken 5 s later than the first one */
	wire_now += 5;
	clients_end(&t->from->clients, 4);
	wire_turn(t->from);
	assert_int_equal(t->from->clients.open_count, 1);
	assert_true(wire_is_closed(t->client));
	wire_hear(other);
	wire_say(other, "3\n");
	expect_last_answer(t, other, "3\n");
	assert_int_equal(t->from->clients.cut_off, 0);
	close(other);
}

static void test_who_has_said_nothing_yet_is_waited_for_as_long(void **state)
{
	const struct two *t = *state;
	int silent = wire_connect(t->from, "");
	struct connection *c = wire_newest(t->from);

	wire_turn(t->from);
	clients_end(&t->from->clients, 3);
	wire_pass(t->from, c, 2.9);
	assert_false(wire_is_closed(silent));
	wire_pass(t->from, c, 0.2);
	assert_true(wire_is_closed(silent));
	close(silent);
}

/* A protocol that cannot tell the peer that its connection ends. */
static void head_untold(void *state, const struct head *head, struct sendbuf *out)
{
	struct head kept = *head;

	kept.close = false;
	lines_head(state, &kept, out);
}

static enum ended end_once(void *state, bool complete, struct sendbuf *out)
{
	lines_end(state, complete, out);
	return ENDED_CLOSE;
}

static void speak(const struct two *t, struct protocol *untold)
{
	*untold = lines;
	untold->head = head_untold;
	t->from->listener.protocol = untold;
	t->from->listener.address.sa.ss_family = AF_UNIX;
}

static void test_who_asks_once_a_connection_is_not_counted(void **state)
{
	const struct two *t = *state;
	struct protocol once;

	speak(t, &once);
	once.end = end_once;
	clients_end(&t->from->clients, 4);
	wire_say(t->client, "2\n");
	expect_last_answer(t, t->client, "2\n");
	assert_int_equal(t->from->clients.cut_off, 0);
}

static void test_who_cannot_be_told_is_counted(void **state)
{
	const struct two *t = *state;
	struct protocol untold;

	speak(t, &untold);
	clients_end(&t->from->clients, 0.05);
	wire_say(t->client, "2\n");
	expect_last_answer(t, t->client, "2\n");
	assert_int_equal(t->from->clients.cut_off, 1);
}

static void test_who_was_silent_is_not_counted(void **state)
{
	const struct two *t = *state;

	clients_end(&t->from->clients, 4);
	wire_now += 5;
	ev_invoke(t->from->loop, &t->from->clients.grace, EV_TIMER);
	assert_true(wire_is_closed(t->client));
	assert_int_equal(t->from->clients.cut_off, 0);
}

static void test_a_request_that_is_there_already_is_answered(void **state)
{
	const struct two *t = *state;

	clients_end(&t->from->clients, 4);
	wire_say(t->client, "2\n");
	ev_invoke(t->from->loop, &t->from->clients.grace, EV_TIMER);
	expect_last_answer(t, t->client, "2\n");
	assert_int_equal(t->from->clients.cut_off, 0);
}

static void test_a_request_that_takes_longer_is_finished_and_counted(void **state)
{
	const struct two *t = *state;
	struct protocol untold;

	speak(t, &untold);
	wire_say(t->client, "hal");
	wire_turn(t->from);
	clients_end(&t->from->clients, 0.01);
	while (ev_is_active(&t->from->clients.grace))
		ev_run(t->from->loop, EVRUN_ONCE);
	wire_say(t->client, "f\n");
	expect_last_answer(t, t->client, "half\n");
	assert_int_equal(t->from->clients.cut_off, 1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_two, close_two)

/* ---- to a lane that is free ---- */

enum { CLIENTS = 15 };

/* Clients of the first worker, each idle half a second longer than the next one; then the oldest of
 * all runs a request that is expected to take so long. */
static void run_slow_before(const struct two *t, int clients[CLIENTS], double expected_s)
{
	struct connection *slow = wire_newest(t->from);

	t->from->clients.neighbours = t->queue.give;
	for (int i = 0; i < CLIENTS; i++) {
		wire_now += 0.5;
		clients[i] = wire_connect(t->from, "q\n");
		wire_turn(t->from);
	}
	slow->runner.took_s = expected_s;
	wire_say(t->client, "slow\n");
	wire_turn(t->from);
}

static void close_clients(const int clients[CLIENTS])
{
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i]);
}

static void test_a_short_request_moves_few_and_the_most_recent_first(void **state)
{
	const struct two *t = *state;
	int clients[CLIENTS];
	size_t before = CLIENTS + 1;

	run_slow_before(t, clients, 0.0105);
	size_t moved = before - t->from->clients.open_count;

	/* The first of those that are silent for at most a second. */
	assert_in_range(moved, 1, 3);
	assert_int_equal(clients_take_over(&t->to->clients, t->queue.take), MIGRATE_DONE);
	wire_say(clients[CLIENTS - 1], "new\n");
	wire_turn(t->to);
	assert_non_null(strstr(t->to->ran, "new"));
	wire_say(clients[0], "old\n");
	wire_turn(t->from);
	assert_non_null(strstr(t->from->ran, "old"));
	close_clients(clients);
}

static void test_before_a_long_request_as_many_move_as_the_queue_takes(void **state)
{
	const struct two *t = *state;
	int clients[CLIENTS], moved = 0;

	run_slow_before(t, clients, 5);
	while (clients_take_over(&t->to->clients, t->queue.take) == MIGRATE_DONE)
		moved++;
	/* max_dgram_qlen is at least 10. */
	assert_in_range(moved, 10, CLIENTS);
	close_clients(clients);
}

static void test_who_has_spoken_moves_before_who_is_idle(void **state)
{
	const struct two *t = *state;
	int clients[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		clients[i] = wire_connect(t->from, "q\n");
	struct connection *last = wire_newest(t->from);
	int slow = wire_connect(t->from, "q\n");
	wire_turn(t->from);
	t->from->clients.neighbours = t->queue.give;
	/* Each expects 10.5 ms, and so ten may move. */
	last->runner.took_s = wire_newest(t->from)->runner.took_s = 0.0105;
	wire_say(slow, "1\n");
	wire_hear(clients[CLIENTS - 1]);
	wire_say(clients[CLIENTS - 1], "1\n");
	wire_turn(t->from);
	while (clients_take_over(&t->to->clients, t->queue.take) == MIGRATE_DONE)
		;
	wire_turn(t->to);
	assert_string_equal(t->to->ran, "1");
	close(slow);
	close_clients(clients);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_connection_and_what_goes_along_come_out),
		cmocka_unit_test(test_a_full_queue_takes_no_more),
		cmocka_unit_test(test_an_ended_queue_still_gives_out_what_is_in_it),
		TEST(test_an_idle_connection_goes_on_elsewhere),
		TEST(test_its_patience_moves_along),
		TEST(test_what_the_protocol_knows_moves_along),
		TEST(test_who_is_known_as_slow_is_so_elsewhere),
		TEST(test_who_has_not_said_anything_is_new_elsewhere),
		TEST(test_a_request_under_way_is_finished_first),
		TEST(test_what_was_read_ahead_moves_along),
		TEST(test_a_full_queue_is_tried_again),
		TEST(test_where_there_is_no_such_listener_it_ends),
		TEST(test_what_was_given_away_does_not_keep_a_loop_awake),
		TEST(test_when_nobody_takes_any_more_silence_ends_it),
		TEST(test_silence_before_the_end_counts),
		TEST(test_a_short_request_moves_few_and_the_most_recent_first),
		TEST(test_who_has_spoken_moves_before_who_is_idle),
		TEST(test_before_a_long_request_as_many_move_as_the_queue_takes),
		TEST(test_who_has_said_nothing_yet_is_waited_for_as_long),
		TEST(test_who_asks_once_a_connection_is_not_counted),
		TEST(test_who_cannot_be_told_is_counted),
		TEST(test_who_was_silent_is_not_counted),
		TEST(test_a_request_that_is_there_already_is_answered),
		TEST(test_a_request_that_takes_longer_is_finished_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
