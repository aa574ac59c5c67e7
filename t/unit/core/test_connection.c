/* SPDX-License-Identifier: MIT */
/* test_connection.c: from bytes of a peer to a request and back, and the ways in which a connection
 * ends. */
#include "wire.h"

#include <linux/magic.h>
#include <sys/statfs.h>

/* ---- requests ---- */

static void test_a_request_runs_when_it_is_whole(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "in ");

	wire_turn(w);
	assert_string_equal(w->ran, "");
	wire_say(client, "pieces\n");
	wire_turn(w);
	assert_string_equal(w->ran, "in pieces");
	assert_string_equal(wire_hear(client), "in pieces\n");
	close(client);
}

static void test_a_connection_serves_one_request_after_the_other(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "1\n");

	wire_turn(w);
	wire_say(client, "2\n3");
	wire_turn(w);
	wire_say(client, "\n");
	wire_turn(w);
	assert_string_equal(w->ran, "1 2 3");
	assert_string_equal(wire_hear(client), "1\n2\n3\n");
	close(client);
}

/* Thousands of clients may be connected and silent. */
static void test_an_idle_connection_owns_no_buffer(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "1\n");

	wire_turn(w);
	assert_null(wire_newest(w)->x);
	assert_int_equal(w->clients.pool.count, 1);
	close(client);
}

static void test_a_malformed_request_is_answered_and_the_connection_ended(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "!\nmore");

	wire_turn(w);
	assert_int_equal(w->refused, 400);
	assert_int_equal(strncmp(wire_hear(client), "400 ", 4), 0);
	/* It stays to read what the client still sends: a reset would take the answer away. */
	assert_true(wire_is_closed(client));
	wire_say(client, "and more");
	wire_turn(w);
	assert_int_equal(w->clients.open_count, 1);
	close(client);
	wire_turn(w);
	assert_int_equal(w->clients.open_count, 0);
}

static void test_a_head_may_not_outgrow_its_buffer(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "");
	char most[WIRE_BUFFER_SIZE + 1] = "";

	memset(most, 'x', WIRE_BUFFER_SIZE - 1);
	wire_say(client, most);
	wire_say(client, "\n");
	wire_turn(w);
	assert_int_equal(w->refused, 0);
	wire_say(client, most);
	wire_turn(w);
	assert_int_equal(w->refused, 0);
	wire_say(client, "x");
	wire_turn(w);
	assert_int_equal(w->refused, 431);
	close(client);
}

static void test_setting_the_clock_closes_nobody_and_keeps_nobody(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "hal");

	wire_turn(w);
	wire_step = 3600;
	wire_pass(w, wire_newest(w), 3);
	assert_int_equal(w->refused, 0);
	wire_step = -3600;
	wire_pass(w, wire_newest(w), 1.1);
	assert_int_equal(w->refused, 408);
	wire_step = 0;
	close(client);
}

/* What came in time is not late because nobody had time to read it. */
static void test_a_lane_that_was_busy_reads_before_it_refuses(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "hal");

	wire_turn(w);
	wire_say(client, "f\n");
	wire_pass(w, wire_newest(w), 60);
	assert_int_equal(w->refused, 0);
	assert_string_equal(w->ran, "half");
	wire_say(client, "idle\n");
	wire_pass(w, wire_newest(w), 60);
	assert_string_equal(w->ran, "half idle");
	close(client);
}

/* ---- long answers ---- */

static void test_what_the_peer_does_not_take_yet_is_sent_later(void **state)
{
	struct wire *w = *state;
	char bytes[65536];
	ssize_t n, got = 0;
	int client = wire_connect(w, "");

	setsockopt(wire_newest(w)->io.fd, SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int));
	wire_say(client, "b\n");
	wire_turn(w);
	assert_int_equal(wire_newest(w)->state, WRITING);
	assert_int_equal(w->released, 0);
	for (int turn = 0; turn < 1000 && got < WIRE_LONG; turn++) {
		while ((n = recv(client, bytes, sizeof bytes, 0)) > 0)
			got += n;
		wire_turn(w);
	}
	assert_int_equal(got, WIRE_LONG);
	assert_int_equal(w->released, 1);
	assert_null(wire_newest(w)->x);
	close(client);
}

static void test_a_peer_that_goes_away_gives_back_what_was_lent(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "");

	setsockopt(wire_newest(w)->io.fd, SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int));
	wire_say(client, "b\n");
	wire_turn(w);
	close(client);
	wire_turn(w);
	assert_int_equal(w->unsent, 1);
	assert_int_equal(w->released, 1);
	assert_int_equal(w->clients.open_count, 0);
}

static int ask_for_much(struct wire *w)
{
	int client = wire_connect(w, "");

	setsockopt(wire_newest(w)->io.fd, SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int));
	wire_say(client, "b\n");
	wire_turn(w);
	return client;
}

static void test_over_the_memory_for_answers_who_is_the_furthest_behind_is_reset(void **state)
{
	struct wire *w = *state;
	char bytes[16384];

	w->clients.unread.limits.memory = 2 * WIRE_LONG + 1000;
	int a = ask_for_much(w), b = ask_for_much(w);
	assert_int_equal(w->clients.unread.held, 2 * WIRE_LONG);
	assert_true(recv(a, bytes, sizeof bytes, 0) > 0);
	wire_turn(w);
	int c = ask_for_much(w);
	assert_int_equal(w->unsent, 1);
	assert_int_equal(w->clients.unread.held, 2 * WIRE_LONG);
	while (recv(b, bytes, sizeof bytes, 0) > 0)
		;
	assert_true(wire_is_closed(b));
	close(a);
	wire_turn(w);
	assert_int_equal(w->clients.unread.held, WIRE_LONG);
	close(b);
	close(c);
}

static void test_with_a_file_nobody_is_reset(void **state)
{
	struct wire *w = *state;

	w->clients.unread.limits.memory = WIRE_LONG;
	w->clients.unread.limits.file = 1 << 20;
	int a = ask_for_much(w), b = ask_for_much(w);
	assert_int_equal(w->unsent, 0);
	assert_int_equal(w->released, 1);
	assert_int_equal(w->clients.unread.held, WIRE_LONG);
	close(a);
	close(b);
}

/* A file on a tmpfs saves no memory. */
static void test_a_file_in_memory_counts(void **state)
{
	struct wire *w = *state;
	const char *folder = getenv("TMPDIR");
	char *before = folder ? strdup(folder) : NULL;
	struct statfs fs;

	if (statfs("/dev/shm", &fs) || fs.f_type != TMPFS_MAGIC)
		skip();
	setenv("TMPDIR", "/dev/shm", 1);
	w->clients.unread.limits.memory = WIRE_LONG;
	w->clients.unread.limits.file = 1 << 20;
	int a = ask_for_much(w), b = ask_for_much(w);
	assert_int_equal(w->unsent, 1);
	assert_int_equal(w->clients.unread.held, WIRE_LONG);
	if (before)
		setenv("TMPDIR", before, 1);
	else
		unsetenv("TMPDIR");
	free(before);
	close(a);
	close(b);
}

/* ---- time ---- */

static void test_a_head_that_does_not_come_in_time_is_refused(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "half a ");

	wire_turn(w);
	wire_pass(w, wire_newest(w), 3.9);
	assert_int_equal(w->refused, 0);
	wire_pass(w, wire_newest(w), 0.2);
	assert_int_equal(w->refused, 408);
	assert_int_equal(strncmp(wire_hear(client), "408 ", 4), 0);
	assert_true(wire_is_closed(client));
	close(client);
}

/* Byte after byte does not buy more time. */
static void test_a_head_has_its_time_from_its_first_byte(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "s");
	struct connection *c = wire_newest(w);

	for (int i = 0; i < 5 && w->refused == 0; i++) {
		wire_say(client, "l");
		wire_turn(w);
		wire_pass(w, c, 1);
	}
	assert_int_equal(w->refused, 408);
	close(client);
}

static void test_an_idle_connection_is_closed_without_a_word(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "1\n");

	wire_turn(w);
	wire_hear(client);
	wire_pass(w, wire_newest(w), 9.9);
	assert_int_equal(w->clients.open_count, 1);
	wire_pass(w, wire_newest(w), 0.2);
	assert_int_equal(w->clients.open_count, 0);
	assert_int_equal(w->refused, 0);
	assert_true(wire_is_closed(client));
	close(client);
}

/* Its tail is a part of the answer, too. */
static void test_who_takes_nothing_of_an_answer_is_given_up(void **state)
{
	struct wire *w = *state;
	int client = ask_for_much(w);
	struct connection *c = wire_newest(w);

	for (int i = 0; i < 3; i++)
		wire_pass(w, c, 1);
	assert_int_equal(w->unsent, 0);
	for (int i = 0; i < 2 && w->unsent == 0; i++)
		wire_pass(w, c, 1);
	assert_int_equal(w->unsent, 1);
	assert_int_equal(w->clients.open_count, 0);
	close(client);
}

static void test_who_is_told_that_all_is_said_has_so_long_to_close(void **state)
{
	struct wire *w = *state;
	int client = wire_connect(w, "!\n");

	wire_turn(w);
	wire_pass(w, wire_newest(w), 4.9);
	assert_int_equal(w->clients.open_count, 1);
	wire_pass(w, wire_newest(w), 0.2);
	assert_int_equal(w->clients.open_count, 0);
	close(client);
}

static void test_who_is_closed_is_freed_in_the_same_turn(void **state)
{
	struct wire *w = *state;

	close(wire_connect(w, "1\n"));
	wire_turn(w);
	assert_int_equal(w->clients.open_count, 0);
	assert_true(LIST_EMPTY(&w->clients.closed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(test_a_request_runs_when_it_is_whole),
		WIRE_TEST(test_a_connection_serves_one_request_after_the_other),
		WIRE_TEST(test_an_idle_connection_owns_no_buffer),
		WIRE_TEST(test_a_malformed_request_is_answered_and_the_connection_ended),
		WIRE_TEST(test_a_head_may_not_outgrow_its_buffer),
		WIRE_TEST(test_setting_the_clock_closes_nobody_and_keeps_nobody),
		WIRE_TEST(test_a_lane_that_was_busy_reads_before_it_refuses),
		WIRE_TEST(test_what_the_peer_does_not_take_yet_is_sent_later),
		WIRE_TEST(test_a_peer_that_goes_away_gives_back_what_was_lent),
		WIRE_TEST(test_over_the_memory_for_answers_who_is_the_furthest_behind_is_reset),
		WIRE_TEST(test_with_a_file_nobody_is_reset),
		WIRE_TEST(test_a_file_in_memory_counts),
		WIRE_TEST(test_a_head_that_does_not_come_in_time_is_refused),
		WIRE_TEST(test_a_head_has_its_time_from_its_first_byte),
		WIRE_TEST(test_an_idle_connection_is_closed_without_a_word),
		WIRE_TEST(test_who_takes_nothing_of_an_answer_is_given_up),
		WIRE_TEST(test_who_is_told_that_all_is_said_has_so_long_to_close),
		WIRE_TEST(test_who_is_closed_is_freed_in_the_same_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
