/* SPDX-License-Identifier: MIT */
/* test_order.c: orders as messages, what the master lets pass, and the worker that carries them out. */
#include "unit.h"

#include "process/relay.h"
#include "work/order.h"

#include <poll.h>
#include <semaphore.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct message profile_message(int64_t seconds, int hz)
{
	return (struct message){ .kind = MESSAGE_ORDER,
				 .value = 7,
				 .slot = ORDER_PROFILE,
				 .worker = hz,
				 .mercy_ms = seconds };
}

static void test_bounds(void **unused)
{
	static const struct {
		int64_t seconds;
		int hz;
		bool fine;
	} rows[] = { { 1, 1, true },    { 60, 250, true },  { 0, 99, false },
		     { 61, 99, false }, { 10, 0, false },   { 10, 251, false },
		     { -1, 99, false }, { 10, -99, false }, { INT64_MAX, 1, false } };
	struct order o;

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct message m = profile_message(rows[i].seconds, rows[i].hz);

		assert_int_equal(order_read(&m, &o), rows[i].fine);
	}
	assert_false(order_read(&(struct message){ .kind = MESSAGE_LEAVE }, &o));
	assert_false(order_read(&(struct message){ .kind = MESSAGE_ORDER, .slot = -1 }, &o));
	assert_false(
		order_read(&(struct message){ .kind = MESSAGE_ORDER, .slot = ORDER_KINDS }, &o));
}

static void test_there_and_back(void **unused)
{
	const struct order o = { ORDER_PROFILE, 10, 99 };
	struct message m = order_message(7, &o);
	struct order got;

	(void)unused;
	assert_int_equal(m.value, 7);
	assert_true(order_read(&m, &got));
	assert_int_equal(got.kind, ORDER_PROFILE);
	assert_int_equal(got.seconds, 10);
	assert_int_equal(got.hz, 99);
}

/* ---- in the worker ---- */

static sem_t begun;

/* Until it is told to end; then it says which order that was. */
static void examine(const struct order *o, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char answer = (char)('0' + o->kind);

	sem_post(&begun);
	poll(&p, 1, -1);
	send(fd, &answer, 1, MSG_NOSIGNAL);
}

static struct app app = { .name = "test", .examine = examine };

/* What comes, until the end: its length. */
static size_t read_all(int fd, char *text, size_t size)
{
	size_t n = 0;
	ssize_t more;

	while ((more = read(fd, text + n, size - 1 - n)) > 0)
		n += (size_t)more;
	text[n] = '\0';
	close(fd);
	return n;
}

static int give(struct orders *all, const struct message *m)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	orders_take(all, m, ends[1]);
	return ends[0];
}

static void test_one_of_each_kind_at_a_time(void **unused)
{
	const struct message stacks = { .kind = MESSAGE_ORDER, .slot = ORDER_STACKS };
	const struct message profile = profile_message(10, 99);
	static struct orders all; /* their threads may use it for a moment longer */
	char text[100];

	(void)unused;
	sem_init(&begun, 0, 0);
	orders_init(&all, &app);
	int first = give(&all, &stacks), second = give(&all, &profile);
	sem_wait(&begun);
	sem_wait(&begun);
	assert_true(read_all(give(&all, &stacks), text, sizeof text) > 0);
	assert_string_equal(text, "!an earlier order is still under way\n\n");
	/* Nobody waits for it any more. */
	shutdown(first, SHUT_WR);
	read_all(first, text, sizeof text);
	assert_string_equal(text, "0");
	orders_end(&all);
	read_all(second, text, sizeof text);
	assert_string_equal(text, "1");
}

static void test_what_cannot_be_done(void **unused)
{
	const struct message stacks = { .kind = MESSAGE_ORDER, .slot = ORDER_STACKS };
	const struct message much = profile_message(3600, 99);
	struct app blind = { .name = "blind" };
	struct orders all;
	char text[100];

	(void)unused;
	orders_init(&all, &blind);
	read_all(give(&all, &stacks), text, sizeof text);
	assert_string_equal(text, "!the application's language cannot be looked into\n\n");
	assert_int_equal(read_all(give(&all, &much), text, sizeof text), 0);
}

/* ---- in the master ---- */

enum { WORKER, STARTING, GATEWAY, SLOTS };

static struct slot slots[SLOTS] = {
	[WORKER] = { .state = SLOT_SERVING, .place = 1, .pid = 100 },
	[STARTING] = { .state = SLOT_STARTING, .place = 1, .pid = 101 },
	[GATEWAY] = { .state = SLOT_SERVING, .place = 2, .pid = 102 },
};
static struct watch channels[SLOTS];
static struct generation generation = {
	.roster = { .workers = 1, .places = 2, .slot_count = SLOTS, .slots = slots },
	.slot_channel = channels,
};
static struct succession succession = { .generations = &generation };
static int theirs[SLOTS];

static int open_channels(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < SLOTS; i++) {
		int ends[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
			return -1;
		channels[i].io.fd = ends[0];
		theirs[i] = ends[1];
	}
	return 0;
}

static int close_channels(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < SLOTS; i++) {
		close(channels[i].io.fd);
		close(theirs[i]);
	}
	return 0;
}

static bool reaches(struct relay *r, int pid, size_t slot)
{
	struct message m = profile_message(10, 99), got;
	int fd;

	m.value = pid;
	relay_order(r, &succession, &m, theirs[GATEWAY]);
	if (channel_receive(theirs[slot], &got, &fd) <= 0)
		return false;
	assert_int_equal(got.kind, MESSAGE_ORDER);
	assert_true(fd >= 0);
	close(fd);
	return true;
}

static void test_only_workers_that_serve_are_reached(void **unused)
{
	struct relay r = { 0 };

	(void)unused;
	assert_true(reaches(&r, 100, WORKER));
	slots[WORKER].state = SLOT_LEAVING;
	assert_true(reaches(&r, 100, WORKER));
	slots[WORKER].state = SLOT_SERVING;
	assert_false(reaches(&r, 101, STARTING));
	assert_false(reaches(&r, 102, GATEWAY));
	assert_false(reaches(&r, 0, WORKER));
	assert_false(reaches(&r, -100, WORKER));
	assert_false(reaches(&r, getpid(), WORKER));
}

static void test_no_second_order_for_who_has_not_taken_the_first(void **unused)
{
	struct relay r = { 0 };
	struct message m = profile_message(10, 99), got;

	(void)unused;
	m.value = 100;
	relay_order(&r, &succession, &m, theirs[GATEWAY]);
	relay_order(&r, &succession, &m, theirs[GATEWAY]);
	assert_int_equal(channel_receive(theirs[WORKER], &got, NULL), 1);
	assert_int_equal(channel_receive(theirs[WORKER], &got, NULL), 0);
	assert_true(reaches(&r, 100, WORKER));
}

static void test_too_many(void **unused)
{
	struct relay r = { .second = INT64_MAX, .orders = 5000 };

	(void)unused;
	assert_true(reaches(&r, 100, WORKER)); /* another second */
	r.orders = 5000;
	/* If this one has just passed, another 5000 are asked for. */
	bool passed = reaches(&r, 100, WORKER);
	if (passed)
		r.orders = 5000;
	assert_false(passed && reaches(&r, 100, WORKER));
}

#define WITH_CHANNELS(test) cmocka_unit_test_setup_teardown(test, open_channels, close_channels)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_one_of_each_kind_at_a_time),
		cmocka_unit_test(test_what_cannot_be_done),
		WITH_CHANNELS(test_only_workers_that_serve_are_reached),
		WITH_CHANNELS(test_no_second_order_for_who_has_not_taken_the_first),
		WITH_CHANNELS(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
