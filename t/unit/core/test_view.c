/* SPDX-License-Identifier: MIT */
/* test_view.c: what a command sees of a server, both played by this process. */
#include "unit.h"

#include "base/log.h"
#include "process/vassals.h"
#include "process/view.h"

#include <unistd.h>

struct server {
	struct shared totals, slow, warnings, vassals;
	struct scoreboard boards[2];
	size_t board_count;
};

static void begin(struct server *s)
{
	struct error e;

	*s = (struct server){ .board_count = 2 };
	assert_int_equal(shared_make(&s->totals, "totals", sizeof(struct totals), &e), 0);
	assert_int_equal(shared_make(&s->slow, "slow", slow_memory_size(), &e), 0);
	assert_int_equal(shared_make(&s->warnings, "warnings", log_warnings_size(), &e), 0);
	assert_int_equal(shared_make(&s->vassals, "vassals", vassals_memory_size(), &e), 0);
	for (int i = 0; i < 2; i++) {
		const struct scoreboard_setup setup = { .totals = s->totals.p,
							.generation = 2 - i,
							.workers = 1,
							.slots = 2,
							.lanes = 3 };

		assert_int_equal(scoreboard_init(&s->boards[i], &setup, &e), 0);
		scoreboard_show(&s->boards[i], i == 0 ? STAGE_SERVING : STAGE_LEAVING);
	}
}

static void finish(struct server *s)
{
	for (size_t i = 0; i < 2; i++)
		scoreboard_fini(&s->boards[i]);
	shared_free(&s->totals);
	shared_free(&s->slow);
	shared_free(&s->warnings);
	shared_free(&s->vassals);
}

static const struct scoreboard *board(void *data, size_t i)
{
	const struct server *s = data;

	return i < s->board_count ? &s->boards[i] : NULL;
}

static void tell(struct server *s, uint64_t ticket)
{
	const struct view_source source = { .totals = &s->totals,
					    .slow = &s->slow,
					    .warnings = &s->warnings,
					    .vassals = &s->vassals,
					    .board = board,
					    .data = s };

	view_tell(ticket, &source);
}

static void test_generations_and_counters_are_seen_while_they_change(void **unused)
{
	struct generation_status g;
	struct server_status server;
	struct server s;
	struct view v;
	struct error e;
	uint64_t ticket;
	size_t i = 0;
	int fd = view_listen(&ticket, &e);

	(void)unused;
	begin(&s);
	assert_true(fd >= 0);
	assert_int_equal(view_init(&v, getpid(), &e), 0);
	assert_int_equal(view_receive(&v, fd, &e), 0);
	tell(&s, ticket);
	assert_int_equal(view_receive(&v, fd, &e), 1);
	assert_true(uwsgi_status_next_generation(&v.status, &i, &g));
	assert_int_equal(g.number, 2);
	assert_int_equal(g.stage, STAGE_SERVING);
	assert_true(uwsgi_status_next_generation(&v.status, &i, &g));
	assert_int_equal(g.stage, STAGE_LEAVING);
	assert_int_equal(g.lanes, 3);
	assert_false(uwsgi_status_next_generation(&v.status, &i, &g));
	((struct totals *)s.totals.p)->reloads = 7;
	uwsgi_status_server(&v.status, &server);
	assert_int_equal(server.reloads, 7);
	assert_int_equal(server.master, getpid());
	s.board_count = 1;
	tell(&s, ticket);
	assert_int_equal(view_receive(&v, fd, &e), 1);
	assert_int_equal(v.status.count, 1);
	view_fini(&v);
	close(fd);
	finish(&s);
}

static void test_only_the_master_is_believed(void **unused)
{
	struct server s;
	struct view v;
	struct error e;
	uint64_t ticket;
	int fd = view_listen(&ticket, &e);

	(void)unused;
	begin(&s);
	assert_int_equal(view_init(&v, getppid(), &e), 0);
	tell(&s, ticket);
	assert_int_equal(view_receive(&v, fd, &e), 0);
	view_fini(&v);
	close(fd);
	finish(&s);
}

static void test_nobody_listens(void **unused)
{
	struct server s;

	(void)unused;
	begin(&s);
	tell(&s, 4711);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generations_and_counters_are_seen_while_they_change),
		cmocka_unit_test(test_only_the_master_is_believed),
		cmocka_unit_test(test_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
