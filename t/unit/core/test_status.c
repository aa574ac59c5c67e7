/* SPDX-License-Identifier: MIT */
/* test_status.c: what a service sees of two generations whose processes the test plays, also when what
 * they write is nonsense. */
#include "unit.h"

#include "process/status.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct totals totals;
static struct scoreboard boards[3];
static struct status status;
static struct listeners listeners;

static void begin(void)
{
	struct error e;

	totals = (struct totals){ .generation = 1 };
	assert_int_equal(
		status_init(&status, &listeners, &totals, NULL, (struct ring){ 0 }, (struct ring){ 0 },
			    &e), 0);
}

/* A generation of this number, with two workers of two lanes. */
static struct scoreboard *add(int number)
{
	const struct scoreboard_setup setup = {
		.totals = &totals, .generation = number, .workers = 2, .slots = 4, .lanes = 2
	};
	struct scoreboard *b = &boards[number - 1];
	struct error e;

	assert_int_equal(scoreboard_init(b, &setup, &e), 0);
	status_look_at(&status, b->memory.fd, setup.slots, setup.lanes);
	return b;
}

static void finish(int count)
{
	for (int i = 0; i < count; i++)
		scoreboard_fini(&boards[i]);
	for (size_t i = 0; i < status.count; i++)
		scoreboard_fini(&status.boards[i]);
	free(status.boards);
	free(status.shares);
}

static void serve(const struct scoreboard *b, size_t slot, int worker, unsigned requests)
{
	scoreboard_enter(b, slot, worker);
	scoreboard_begin(b, slot, worker);
	scoreboard_lane(b, slot, 0)->counts.answers[2] = requests;
}

static unsigned long long all_requests(void)
{
	struct server_status s;

	uwsgi_status_server(&status, &s);
	return uwsgi_counts_requests(&s.counts);
}

static struct worker_status first_worker(void)
{
	struct worker_status w;
	size_t i = 0;

	assert_true(uwsgi_status_next_worker(&status, &i, &w));
	return w;
}

static void test_generations_come_the_youngest_first_until_they_are_gone(void **unused)
{
	struct generation_status g;
	size_t i = 0;

	(void)unused;
	begin();
	struct scoreboard *one = add(1);
	scoreboard_show(one, STAGE_SERVING);
	add(2);
	assert_true(uwsgi_status_next_generation(&status, &i, &g));
	assert_int_equal(g.number, 2);
	assert_int_equal(g.stage, STAGE_STARTING);
	assert_true(uwsgi_status_next_generation(&status, &i, &g));
	assert_int_equal(g.number, 1);
	assert_int_equal(g.workers, 2);
	assert_false(uwsgi_status_next_generation(&status, &i, &g));
	scoreboard_show(one, STAGE_GONE);
	i = 0;
	assert_true(uwsgi_status_next_generation(&status, &i, &g));
	assert_false(uwsgi_status_next_generation(&status, &i, &g));
	add(3);
	assert_int_equal(status.count, 2); /* the memory of the first one is let go */
	finish(3);
}

static void test_a_worker_is_who_serves_though_others_have_its_number(void **unused)
{
	struct worker_status w;
	size_t i = 0;

	(void)unused;
	begin();
	struct scoreboard *one = add(1), *two = add(2);
	serve(one, 0, 1, 5);
	serve(one, 1, 2, 7);
	scoreboard_enter(two, 0, 1);
	w = first_worker();
	assert_int_equal(w.stage, STAGE_SERVING);
	assert_int_equal(w.requests, 5);
	scoreboard_begin(two, 0, 1);
	scoreboard_lane(two, 0, 0)->counts.answers[2] = 1;
	scoreboard_leave(one, 0);
	i = 0;
	assert_true(uwsgi_status_next_worker(&status, &i, &w));
	assert_int_equal(w.stage, STAGE_SERVING);
	assert_int_equal(w.own_requests, 1);
	assert_int_equal(w.requests, 6);
	assert_int_equal(w.spawns, 2);
	assert_true(uwsgi_status_next_worker(&status, &i, &w));
	assert_int_equal(w.worker, 2);
	assert_int_equal(w.requests, 7);
	assert_false(uwsgi_status_next_worker(&status, &i, &w));
	assert_int_equal(all_requests(), 13);
	finish(2);
}

static void test_sums_stay_when_processes_go(void **unused)
{
	struct process_status p;
	struct lane_status l;
	size_t i = 0;

	(void)unused;
	begin();
	struct scoreboard *one = add(1);
	serve(one, 0, 1, 5);
	scoreboard_retire(one, 0, 1);
	assert_int_equal(all_requests(), 5);
	assert_false(uwsgi_status_next_process(&status, &i, &p));
	i = 0;
	assert_false(uwsgi_status_next(&status, &i, &l));
	struct worker_status w = first_worker();
	assert_int_equal(w.pid, 0);
	assert_int_equal(w.requests, 5);
	assert_int_equal(w.own_requests, 0);
	finish(1);
}

static void test_lanes_are_those_that_serve(void **unused)
{
	struct lane_status l;
	size_t i = 0;
	int seen = 0;

	(void)unused;
	begin();
	struct scoreboard *one = add(1);
	scoreboard_enter(one, 0, 1);
	serve(one, 3, 2, 1);
	strcpy(scoreboard_lane(one, 3, 1)->uri, "/x");
	while (uwsgi_status_next(&status, &i, &l)) {
		assert_int_equal(l.worker, 2);
		assert_int_equal(l.lane, seen++);
		assert_int_equal(l.pid, getpid());
	}
	assert_int_equal(seen, 2);
	assert_string_equal(l.uri, "/x");
	finish(1);
}

static void test_nonsense_of_a_worker_does_no_harm(void **unused)
{
	struct worker_status w;
	struct process_status p;
	struct lane_status l;
	size_t i = 0;

	(void)unused;
	begin();
	struct scoreboard *one = add(1);
	serve(one, 0, 1, 5);
	one->slot[0].worker = -7;
	one->slot[0].stage = 99;
	memset(scoreboard_lane(one, 0, 0)->uri, 'x', SCORE_URI);
	one->slot[1].pid = -1;
	assert_true(uwsgi_status_next_process(&status, &i, &p));
	assert_int_equal(p.stage, STAGE_GONE);
	i = 0;
	assert_true(uwsgi_status_next(&status, &i, &l));
	assert_int_equal(strlen(l.uri), sizeof l.uri - 1);
	for (i = 0; uwsgi_status_next_worker(&status, &i, &w);)
		assert_int_equal(w.pid, 0);
	finish(1);
}

static void test_memory_is_what_the_worker_says_where_it_cannot_be_seen(void **unused)
{
	(void)unused;
	begin();
	struct scoreboard *one = add(1);
	serve(one, 0, 1, 1);
	one->slot[0].address_space = 4;
	one->slot[0].resident = 3;
	one->slot[0].share = 2;
	one->slot[0].own = 1;
	struct worker_status w = first_worker();
	assert_int_equal(w.share, 2);
	assert_true(w.resident > 3); /* this process can be seen */
	one->slot[0].pid = INT_MAX;  /* that one cannot */
	w = first_worker();
	assert_int_equal(w.address_space, 4);
	assert_int_equal(w.resident, 3);
	assert_int_equal(w.own, 1);
	finish(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generations_come_the_youngest_first_until_they_are_gone),
		cmocka_unit_test(test_a_worker_is_who_serves_though_others_have_its_number),
		cmocka_unit_test(test_sums_stay_when_processes_go),
		cmocka_unit_test(test_lanes_are_those_that_serve),
		cmocka_unit_test(test_nonsense_of_a_worker_does_no_harm),
		cmocka_unit_test(test_memory_is_what_the_worker_says_where_it_cannot_be_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
