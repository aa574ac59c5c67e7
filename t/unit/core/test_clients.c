/* SPDX-License-Identifier: MIT */
/* test_clients.c: whose turn it is: the quick before the slow, each kind its share, those who pipeline
 * after the others; and who makes room for whom. */
#include "wire.h"

/* A client whose last request was a slow one. */
static int slow_client(struct wire *w)
{
	int client = wire_connect(w, "s\n");

	wire_turn(w);
	assert_string_equal(wire_hear(client), "s\n");
	/* The next new client is not expected to be slow, too. */
	close(wire_connect(w, "q\n"));
	wire_turn(w);
	wire_turn(w);
	w->ran[0] = '\0';
	return client;
}

static void test_a_quick_request_goes_before_a_slow_one(void **state)
{
	struct wire *w = *state;
	int slow = slow_client(w), quick = wire_connect(w, "");

	wire_say(slow, "s2\n");
	wire_say(quick, "q2\n");
	wire_turn(w);
	assert_string_equal(w->ran, "q2 s2");
	close(slow);
	close(quick);
}

static void test_who_was_slow_and_is_quick_again_waits_no_more(void **state)
{
	struct wire *w = *state;
	int client = slow_client(w);

	wire_say(client, "q1\n");
	wire_turn(w);
	assert_false(runqueue_expects_slow(&w->clients.queue, &wire_newest(w)->runner));
	close(client);
}

static void test_of_several_slow_ones_one_runs_each_turn(void **state)
{
	struct wire *w = *state;
	int clients[3];

	for (int i = 0; i < 3; i++)
		clients[i] = slow_client(w);
	for (int i = 0; i < 3; i++)
		wire_say(clients[i], "s\n");
	wire_turn(w);
	assert_string_equal(w->ran, "s");
	wire_turn(w);
	assert_string_equal(w->ran, "s s");
	wire_turn(w);
	assert_string_equal(w->ran, "s s s");
	for (int i = 0; i < 3; i++)
		close(clients[i]);
}

/* 50 quick ones take 50 ms: so do three slow ones. */
static void test_slow_ones_run_as_long_as_the_quick_took(void **state)
{
	struct wire *w = *state;
	int slow[5], quick[50], ran = 0;

	for (int i = 0; i < 5; i++)
		slow[i] = slow_client(w);
	for (int i = 0; i < 50; i++)
		quick[i] = wire_connect(w, "");
	for (int i = 0; i < 5; i++)
		wire_say(slow[i], "s\n");
	for (int i = 0; i < 50; i++)
		wire_say(quick[i], "q\n");
	wire_turn(w);
	for (const char *at = w->ran; (at = strchr(at, 's')); at++)
		ran++;
	assert_int_equal(ran, 3);
	assert_int_equal(strcspn(w->ran, "s"), strlen("q ") * 50);
	for (int i = 0; i < 5; i++)
		close(slow[i]);
	for (int i = 0; i < 50; i++)
		close(quick[i]);
}

static void test_who_pipelines_lets_others_go_first(void **state)
{
	struct wire *w = *state;
	int greedy = wire_connect(w, ""), modest[2] = { wire_connect(w, ""), wire_connect(w, "") };

	wire_say(modest[0], "m\n");
	wire_say(greedy, "g\ng\ng\n");
	wire_say(modest[1], "m\n");
	wire_turn(w);
	const char *first = strchr(w->ran, 'g');
	assert_non_null(first);
	assert_true(strrchr(w->ran, 'm') < strchr(first + 1, 'g'));
	assert_string_equal(wire_hear(greedy), "g\ng\ng\n");
	close(greedy);
	close(modest[0]);
	close(modest[1]);
}

/* Whoever sends without end is served so many a turn, and the others between. */
static void test_what_one_turn_leaves_the_next_one_does(void **state)
{
	struct wire *w = *state;
	int greedy = wire_connect(w, "");
	size_t ran, before = 0;

	for (int i = 0; i < 200; i++)
		wire_say(greedy, "g\n");
	for (int turn = 0; (ran = strlen(w->ran)) < strlen("g ") * 200 - 1; turn++) {
		wire_turn(w);
		assert_true(strlen(w->ran) > before);
		assert_in_range(strlen(w->ran) - before, 1, strlen("g ") * 70);
		before = strlen(w->ran);
	}
	close(greedy);
}

/* Clients of a slow application that come anew for each request: the last one tells. */
static void test_a_new_client_is_taken_to_be_as_slow_as_the_last_new_one(void **state)
{
	struct wire *w = *state;
	int first = wire_connect(w, "s1\n"), quick = wire_connect(w, "");

	wire_turn(w);
	int second = wire_connect(w, "n2\n");
	assert_string_equal(w->ran, "s1");
	wire_say(quick, "q1\n");
	wire_turn(w);
	wire_turn(w);
	/* quick's first request was one of a new client, too. */
	assert_non_null(strstr(w->ran, "n2"));
	int third = wire_connect(w, "n3\n");
	assert_non_null(strstr(w->ran, "n3"));
	close(first);
	close(second);
	close(third);
	close(quick);
}

static void test_who_is_served_while_the_server_ends_is_told_so(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "");

	clients_end(&w->clients, 5);
	wire_say(client, "last\n");
	wire_turn(w);
	assert_string_equal(wire_hear(client), "last\n");
	assert_true(wire_is_closed(client));
	assert_int_equal(w->clients.open_count, 0);
	close(client);
}

/* ---- room ---- */

/* Two clients fill it; they have said this, one after the other. */
static void fill(struct wire *w, const char *first, const char *second, int clients[2])
{
	w->clients.room.most = 2;
	clients[0] = wire_connect(w, first);
	wire_now++;
	clients[1] = wire_connect(w, second);
	wire_turn(w);
	wire_now++;
}

static void close_all(const int clients[2], int third)
{
	close(clients[0]);
	close(clients[1]);
	close(third);
}

static void test_who_is_idle_makes_room_before_half_a_head(void **state)
{
	struct wire *w = *state;
	int clients[2], third;

	fill(w, "hal", "q\n", clients);
	assert_string_equal(wire_hear(clients[1]), "q\n");
	third = wire_connect(w, "n\n");
	assert_string_equal(wire_hear(third), "n\n");
	assert_true(wire_is_closed(clients[1]));
	wire_say(clients[0], "f\n");
	wire_turn(w);
	assert_string_equal(wire_hear(clients[0]), "half\n");
	close_all(clients, third);
}

static void test_of_half_heads_the_oldest_makes_room(void **state)
{
	struct wire *w = *state;
	int clients[2], third;

	fill(w, "one", "two", clients);
	/* A little more does not make it younger. */
	wire_say(clients[0], "more");
	wire_turn(w);
	third = wire_connect(w, "n\n");
	assert_true(wire_is_closed(clients[0]));
	assert_false(wire_is_closed(clients[1]));
	close_all(clients, third);
}

static void test_who_lingers_makes_room(void **state)
{
	struct wire *w = *state;
	int clients[2], third;

	fill(w, "!\n", "!\n", clients);
	assert_int_equal(w->clients.open_count, 2);
	third = wire_connect(w, "n\n");
	assert_int_equal(w->clients.open_count, 2);
	close_all(clients, third);
}

static void test_a_request_that_was_not_read_yet_is_not_cut(void **state)
{
	struct wire *w = *state;
	int clients[2], third;

	fill(w, "one\n", "two\n", clients);
	wire_hear(clients[0]);
	wire_say(clients[0], "again\n");
	third = wire_connect(w, "n\n");
	wire_turn(w);
	assert_string_equal(wire_hear(clients[0]), "again\n");
	assert_string_equal(wire_hear(third), "n\n");
	close_all(clients, third);
}

static void test_with_answers_under_way_it_is_full(void **state)
{
	struct wire *w = *state;
	int clients[2];

	fill(w, "b\nb\n", "b\nb\n", clients);
	assert_true(clients_are_full(&w->clients, clients[0]));
	assert_false(clients_make_room(&w->clients));
	close(clients[0]);
	close(clients[1]);
	wire_turn(w);
	assert_false(clients_are_full(&w->clients, 0));
}

static void test_numbers_tell_that_descriptors_run_out(void **state)
{
	struct wire *w = *state;
	int clients[2], third;

	fill(w, "one\n", "two\n", clients);
	w->clients.room.most = 100;
	w->clients.room.descriptors = clients[1] + 1;
	third = wire_connect(w, "n\n");
	assert_int_equal(w->clients.open_count, 2);
	/* It has the number of who made room. */
	assert_true(wire_newest(w)->io.fd < w->clients.room.descriptors);
	close_all(clients, third);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(test_a_quick_request_goes_before_a_slow_one),
		WIRE_TEST(test_who_was_slow_and_is_quick_again_waits_no_more),
		WIRE_TEST(test_of_several_slow_ones_one_runs_each_turn),
		WIRE_TEST(test_slow_ones_run_as_long_as_the_quick_took),
		WIRE_TEST(test_who_pipelines_lets_others_go_first),
		WIRE_TEST(test_what_one_turn_leaves_the_next_one_does),
		WIRE_TEST(test_a_new_client_is_taken_to_be_as_slow_as_the_last_new_one),
		WIRE_TEST(test_who_is_served_while_the_server_ends_is_told_so),
		WIRE_TEST(test_who_is_idle_makes_room_before_half_a_head),
		WIRE_TEST(test_of_half_heads_the_oldest_makes_room),
		WIRE_TEST(test_who_lingers_makes_room),
		WIRE_TEST(test_a_request_that_was_not_read_yet_is_not_cut),
		WIRE_TEST(test_with_answers_under_way_it_is_full),
		WIRE_TEST(test_numbers_tell_that_descriptors_run_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
