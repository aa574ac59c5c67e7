/* SPDX-License-Identifier: MIT */
/* test_drain.c: the steps of a stop, on real sockets with a clock that only the test moves: whom they
 * take at each step, and that nobody who was taken is lost. */
#include "unit.h"

#include "process/drain.h"
#include "wire/closing.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TCP, UNIX_, COUNT };

struct world {
	struct listener items[COUNT];
	struct listeners listeners;
	struct drain drain;
	int64_t now_ms;
};

static void listen_at(struct listener *l, int family)
{
	struct sockaddr *sa = (struct sockaddr *)&l->address.sa;
	socklen_t n = sizeof l->address.sa;

	sa->sa_family = (sa_family_t)family;
	l->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (family == AF_INET)
		((struct sockaddr_in *)sa)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* Without a name, Linux chooses one. */
	l->address.length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(sa_family_t);
	assert_int_equal(bind(l->fd, sa, l->address.length), 0);
	assert_int_equal(listen(l->fd, 10), 0);
	assert_int_equal(getsockname(l->fd, sa, &n), 0);
	l->address.length = n;
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	listen_at(&w->items[TCP], AF_INET);
	listen_at(&w->items[UNIX_], AF_UNIX);
	w->listeners = (struct listeners){ w->items, COUNT, NULL };
	w->now_ms = 1000;
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	close(w->items[TCP].fd);
	close(w->items[UNIX_].fd);
	free(w);
	return 0;
}

/* A connection, or -errno; EINPROGRESS: there is no answer. */
static int come(const struct world *w, int where)
{
	const struct address *a = &w->items[where].address;
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* On loopback the handshake, or the refusal, is over when connect() returns. */
	if (connect(fd, (const struct sockaddr *)&a->sa, a->length) == 0)
		return fd;
	int why = errno, said = 0;
	socklen_t n = sizeof said;

	if (why == EINPROGRESS) {
		struct sockaddr_storage peer;
		socklen_t m = sizeof peer;

		if (getpeername(fd, (struct sockaddr *)&peer, &m) == 0)
			return fd;
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &said, &n);
		why = said ? said : why;
	}
	close(fd);
	return -why;
}

static void expect_taken(const struct world *w, int where)
{
	struct sockaddr_storage peer;
	socklen_t n;
	int fd = come(w, where);

	assert_true(fd >= 0);
	int accepted = listener_accept(&w->items[where], &peer, &n);
	assert_true(accepted >= 0);
	close(accepted);
	close(fd);
}

/* When the next step is due. */
static int64_t expect_step(struct world *w, bool leave)
{
	int64_t due_ms = 0;

	assert_int_equal(drain_step(&w->drain, &w->listeners, w->now_ms, &due_ms), leave);
	return due_ms;
}

static void expect_all_refused(const struct world *w)
{
	assert_int_equal(come(w, TCP), -ECONNREFUSED);
	assert_int_equal(come(w, UNIX_), -ECONNREFUSED);
}

static void test_it_accepts_until_the_delay_is_over(void **state)
{
	struct world *w = *state;

	assert_int_equal(expect_step(w, false), 0);
	drain_begin(&w->drain, w->now_ms, 500, false);
	assert_int_equal(expect_step(w, false), 1500);
	w->now_ms = 1499;
	assert_int_equal(expect_step(w, false), 1500);
	expect_taken(w, TCP);
	expect_taken(w, UNIX_);
	w->now_ms = 1500;
	assert_int_equal(expect_step(w, false), 1500 + CLOSING_HANDSHAKE_MS);
	assert_int_equal(come(w, TCP), -EINPROGRESS);
	expect_taken(w, UNIX_);
	w->now_ms += CLOSING_HANDSHAKE_MS;
	assert_int_equal(expect_step(w, true), 0);
	expect_all_refused(w);
	assert_int_equal(expect_step(w, false), 0);
}

static void test_the_delay_begins_when_others_were_told(void **state)
{
	struct world *w = *state;

	drain_begin(&w->drain, w->now_ms, 500, true);
	w->now_ms = 60000;
	assert_int_equal(expect_step(w, false), 0);
	expect_taken(w, TCP);
	drain_told(&w->drain, w->now_ms);
	assert_int_equal(expect_step(w, false), 60500);
	drain_told(&w->drain, 60100);
	assert_int_equal(expect_step(w, false), 60500);
}

static void test_who_is_silent_is_there_too(void **state)
{
	struct world *w = *state;
	struct sockaddr_storage peer;
	const int seconds = 1;
	socklen_t n;

	assert_int_equal(setsockopt(w->items[TCP].fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
				    sizeof seconds),
			 0);
	int client = come(w, TCP);
	assert_true(client >= 0);
	assert_int_equal(listener_accept(&w->items[TCP], &peer, &n), -1);
	drain_begin(&w->drain, w->now_ms, 1000, false);
	expect_step(w, false);
	expect_taken(w, TCP);
	close(client);
}

static void test_who_waits_is_taken_before_a_port_is_closed(void **state)
{
	struct world *w = *state;
	struct sockaddr_storage peer;
	socklen_t n;
	char byte;

	int client = come(w, TCP), other = come(w, UNIX_);
	drain_begin(&w->drain, w->now_ms, 0, false);
	w->now_ms = expect_step(w, false);
	w->now_ms = expect_step(w, true);
	assert_true(w->now_ms > 0);
	assert_int_equal(come(w, TCP), -EINPROGRESS);
	assert_int_equal(come(w, UNIX_), -ECONNREFUSED);
	int server = listener_accept(&w->items[TCP], &peer, &n);
	assert_true(server >= 0);
	w->now_ms = expect_step(w, false);
	assert_int_equal(w->now_ms, 0);
	expect_all_refused(w);
	assert_int_equal(write(client, "x", 1), 1);
	assert_int_equal(read(server, &byte, 1), 1);
	close(server);
	server = listener_accept(&w->items[UNIX_], &peer, &n);
	assert_true(server >= 0);
	close(server);
	assert_int_equal(listener_accept(&w->items[UNIX_], &peer, &n), -1);
	close(client);
	close(other);
}

static void test_a_stop_at_once_waits_for_no_handshake(void **state)
{
	struct world *w = *state;

	drain_hurry(&w->drain, w->now_ms);
	assert_int_equal(expect_step(w, true), 0);
	expect_all_refused(w);
}

static void test_sockets_of_others_stay_open(void **state)
{
	struct world *w = *state;
	struct listeners newest = { NULL, 0, &w->listeners };
	int64_t due_ms = 0;

	w->items[TCP].passed = true;
	w->items[UNIX_].internal = true;
	drain_begin(&w->drain, w->now_ms, 0, false);
	/* There is no handshake to wait for. */
	assert_true(drain_step(&w->drain, &newest, w->now_ms, &due_ms));
	assert_int_equal(due_ms, 0);
	expect_taken(w, TCP);
	expect_taken(w, UNIX_);
}

static void test_those_of_older_generations_are_closed_too(void **state)
{
	struct world *w = *state;
	struct listeners newest = { NULL, 0, &w->listeners };
	int64_t due_ms = 0;

	drain_hurry(&w->drain, w->now_ms);
	assert_true(drain_step(&w->drain, &newest, w->now_ms, &due_ms));
	expect_all_refused(w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_it_accepts_until_the_delay_is_over),
		TEST(test_the_delay_begins_when_others_were_told),
		TEST(test_who_is_silent_is_there_too),
		TEST(test_who_waits_is_taken_before_a_port_is_closed),
		TEST(test_a_stop_at_once_waits_for_no_handshake),
		TEST(test_sockets_of_others_stay_open),
		TEST(test_those_of_older_generations_are_closed_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
