/* SPDX-License-Identifier: MIT */
/* test_migrate.c: what is given comes out again, and two hubs between which connections move as they
 * do between two workers, over a protocol of one line a request. */
#include "unit.h"

#include "hub.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- the queue ---- */

static void test_a_connection_and_what_goes_along_come_out(void **unused)
{
	struct moved given = {
		.listener = 3, .deadline = 7.5, .slow = true, .input = 4, .state = "state"
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
	migrate_close(&queue);
}

/* ---- two hubs ---- */

/* A request is a line; the answer is the same line. */
struct line_state {
	int lines;
};

static enum parsed parse_line(void *state, struct request *rq, struct slice in, size_t *used,
			      struct out *out)
{
	const char *end = in.n ? memchr(in.p, '\n', in.n) : NULL;
	struct line_state *s = state;

	(void)out;
	*used = 0;
	if (!end)
		return PARSE_MORE;
	*used = (size_t)(end - in.p) + 1;
	s->lines++;
	uwsgi_request_var(rq, SLICE("LINE"), (struct slice){ in.p, *used });
	return PARSE_DONE;
}

static void say_nothing(void *state, const struct head *head, struct out *out)
{
	(void)state;
	(void)head;
	(void)out;
}

static void say_body(void *state, const struct piece *piece, struct out *out)
{
	(void)state;
	uwsgi_out_piece(out, piece);
}

static enum ended stay_open(void *state, bool complete, struct out *out)
{
	(void)state;
	(void)complete;
	(void)out;
	return ENDED_KEEP;
}

static const struct protocol line_protocol = {
	.name = "line",
	.state_size = sizeof(struct line_state),
	.parse = parse_line,
	.head = say_nothing,
	.body = say_body,
	.end = stay_open,
};

struct side {
	struct ev_loop *loop;
	struct hub hub;
	struct migrate_queue queue;
	struct header_rules rules;
	useconds_t takes_us; /* a request */
	bool leaves;         /* in the middle of the next request */
};

static void run(void *host, struct exchange *x)
{
	struct side *side = host;
	struct slice line = uwsgi_request_find(&x->rq, SLICE("LINE"));

	if (side->takes_us)
		usleep(side->takes_us);
	if (side->leaves)
		hub_leave(&side->hub);
	uwsgi_response_start(&x->rs, SLICE("200 OK"));
	uwsgi_response_body(&x->rs, line, NULL);
	uwsgi_response_end(&x->rs);
}

static void note(void *host, struct exchange *x)
{
	(void)host;
	(void)x;
}

static void release(void *host, void *const *owners, size_t count)
{
	(void)host;
	(void)owners;
	(void)count;
}

static const struct hub_host host_functions = {
	.run = run, .refused = note, .unsent = note, .release = release
};

/* Both sides have the listener, each in a set of its own. */
static struct listener listener = {
	.protocol = &line_protocol,
	.address = { .sa.ss_family = AF_UNIX },
	.head_timeout_s = 60,
	.body_timeout_s = 60,
	.idle_timeout_s = 60,
	.write_timeout_s = 60,
	.identity = 5,
};
static const struct listeners here = { .items = &listener, .count = 1 }, nowhere = { 0 };

static void begin(struct side *side, const struct migrate_queue *queue,
		  const struct listeners *listeners)
{
	static const struct option_list none;
	struct hub_setup setup = { .listeners = listeners,
				   .rules = &side->rules,
				   .limits = { .post_buffering = 4096 },
				   .buffer_size = 65536,
				   .neighbours = -1,
				   .successors = queue->give,
				   .idle_s = 0.05 };

	*side = (struct side){ .loop = ev_loop_new(0), .queue = *queue };
	side->rules.remove = &none;
	hub_init(&side->hub, side->loop, &host_functions, side, &setup);
}

static void end(struct side *side)
{
	hub_fini(&side->hub);
	ev_loop_destroy(side->loop);
}

/* What a test has: two workers and a client of the first one. */
struct two {
	struct migrate_queue queue;
	struct side from, to;
	int client;
};

static void connect_client(struct two *t)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	hub_accept(&t->from.hub, &listener, pair[0], &sa, 0);
	t->client = pair[1];
}

static void begin_two(struct two *t, const struct listeners *listeners)
{
	struct error e;

	assert_int_equal(migrate_open(&t->queue, &e), 0);
	begin(&t->from, &t->queue, &here);
	begin(&t->to, &t->queue, listeners);
	connect_client(t);
}

static void end_two(struct two *t)
{
	close(t->client);
	end(&t->from);
	end(&t->to);
	migrate_close(&t->queue);
}

static void turn(struct side *side)
{
	ev_run(side->loop, EVRUN_NOWAIT);
}

static void ask(const struct two *t, const char *line)
{
	assert_int_equal(write(t->client, line, strlen(line)), (ssize_t)strlen(line));
}

static void expect(const struct two *t, const char *answer)
{
	char got[256] = "";

	assert_int_equal(read(t->client, got, sizeof got - 1), (ssize_t)strlen(answer));
	assert_string_equal(got, answer);
}

static void expect_end(const struct two *t)
{
	char byte;

	assert_int_equal(read(t->client, &byte, 1), 0);
}

static void expect_nothing_yet(const struct two *t)
{
	char byte;

	assert_int_equal(read(t->client, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

/* The first request, served where the client came to. */
static void serve_one(struct two *t)
{
	ask(t, "one\n");
	turn(&t->from);
	expect(t, "one\n");
}

static void take(struct two *t)
{
	assert_int_equal(t->from.hub.open_count, 0);
	assert_int_equal(hub_take_over(&t->to.hub, t->queue.take), MIGRATE_DONE);
}

static void test_an_idle_connection_goes_on_elsewhere(void **unused)
{
	struct two t;

	(void)unused;
	begin_two(&t, &here);
	serve_one(&t);
	hub_leave(&t.from.hub);
	take(&t);
	ask(&t, "two\n");
	turn(&t.to);
	expect(&t, "two\n");
	const struct connection *c = LIST_FIRST(&t.to.hub.open);
	assert_int_equal(((const struct line_state *)c->protocol_state)->lines, 2);
	end_two(&t);
}

static void test_its_patience_moves_along(void **unused)
{
	struct two t;

	(void)unused;
	begin_two(&t, &here);
	serve_one(&t);
	double before = LIST_FIRST(&t.from.hub.open)->deadline;
	hub_leave(&t.from.hub);
	take(&t);
	assert_true(LIST_FIRST(&t.to.hub.open)->deadline == before);
	end_two(&t);
}

static void test_a_request_under_way_is_finished_first(void **unused)
{
	struct two t;

	(void)unused;
	begin_two(&t, &here);
	ask(&t, "on");
	turn(&t.from);
	hub_leave(&t.from.hub);
	turn(&t.from);
	assert_int_equal(t.from.hub.open_count, 1);
	ask(&t, "e\n");
	turn(&t.from);
	expect(&t, "one\n");
	take(&t);
	end_two(&t);
}

static void test_what_was_read_ahead_moves_along(void **unused)
{
	struct two t;

	(void)unused;
	begin_two(&t, &here);
	t.from.leaves = true;
	ask(&t, "one\ntwo\nthree\nfo");
	turn(&t.from);
	turn(&t.from);
	expect(&t, "one\n");
	take(&t);
	turn(&t.to);
	expect(&t, "two\nthree\n");
	ask(&t, "ur\n");
	turn(&t.to);
	expect(&t, "four\n");
	end_two(&t);
}

static void test_who_is_known_as_slow_is_so_elsewhere(void **unused)
{
	struct two t;

	(void)unused;
	begin_two(&t, &here);
	t.from.takes_us = 20000;
	serve_one(&t);
	hub_leave(&t.from.hub);
	take(&t);
	assert_true(connection_expects_slow(LIST_FIRST(&t.to.hub.open)));
	assert_false(TAILQ_EMPTY(&t.to.hub.slow));
	end_two(&t);
}

static void test_a_full_queue_is_tried_again(void **unused)
{
	static const struct moved filler;
	struct two t;

	(void)unused;
	begin_two(&t, &here);
	serve_one(&t);
	fill(&t.queue, &filler);
	hub_leave(&t.from.hub);
	ask(&t, "two\n");
	turn(&t.from);
	expect(&t, "two\n");
	empty(&t.queue);
	while (t.from.hub.open_count > 0)
		ev_run(t.from.loop, EVRUN_ONCE);
	take(&t);
	end_two(&t);
}

static void test_a_listener_that_is_no_more(void **unused)
{
	struct two t;

	(void)unused;
	begin_two(&t, &nowhere);
	serve_one(&t);
	hub_leave(&t.from.hub);
	take(&t);
	assert_int_equal(t.to.hub.open_count, 0);
	expect_end(&t);
	end_two(&t);
}

static void stop_loop(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)w;
	(void)events;
	ev_break(loop, EVBREAK_ONE);
}

/* The epoll of its old loop still has a connection that others have open. */
static void test_what_was_given_away_does_not_keep_a_loop_awake(void **unused)
{
	ev_timer timer;
	struct two t;

	(void)unused;
	begin_two(&t, &here);
	serve_one(&t);
	hub_leave(&t.from.hub);
	ask(&t, "two\n");
	unsigned before = ev_iteration(t.from.loop);
	ev_timer_init(&timer, stop_loop, 0.05, 0.);
	ev_timer_start(t.from.loop, &timer);
	ev_run(t.from.loop, 0);
	assert_in_range(ev_iteration(t.from.loop) - before, 1, 9);
	end_two(&t);
}

/* ---- the end of the server ---- */

static void test_the_server_ends_while_a_hub_leaves(void **unused)
{
	struct two t;

	(void)unused;
	begin_two(&t, &here);
	ask(&t, "on");
	turn(&t.from);
	hub_leave(&t.from.hub);
	migrate_end(&t.queue);
	ask(&t, "e\n");
	turn(&t.from);
	expect(&t, "one\n");
	expect_nothing_yet(&t);
	assert_true(t.from.hub.ending);
	while (t.from.hub.open_count > 0)
		ev_run(t.from.loop, EVRUN_ONCE);
	expect_end(&t);
	end_two(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_connection_and_what_goes_along_come_out),
		cmocka_unit_test(test_a_full_queue_takes_no_more),
		cmocka_unit_test(test_an_ended_queue_still_gives_out_what_is_in_it),
		cmocka_unit_test(test_an_idle_connection_goes_on_elsewhere),
		cmocka_unit_test(test_its_patience_moves_along),
		cmocka_unit_test(test_a_request_under_way_is_finished_first),
		cmocka_unit_test(test_what_was_read_ahead_moves_along),
		cmocka_unit_test(test_who_is_known_as_slow_is_so_elsewhere),
		cmocka_unit_test(test_a_full_queue_is_tried_again),
		cmocka_unit_test(test_a_listener_that_is_no_more),
		cmocka_unit_test(test_what_was_given_away_does_not_keep_a_loop_awake),
		cmocka_unit_test(test_the_server_ends_while_a_hub_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
