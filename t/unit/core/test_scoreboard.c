/* SPDX-License-Identifier: MIT */
/* test_scoreboard.c: what a worker writes the master sees, and rows do not touch each other. */
#include "unit.h"

#include "work/scoreboard.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct totals totals;

static void begin(struct scoreboard *sb, size_t slots, size_t lanes)
{
	const struct scoreboard_setup setup = {
		.totals = &totals, .generation = 1, .workers = 1, .slots = slots, .lanes = lanes
	};
	struct error e;

	totals = (struct totals){ 0 };
	assert_int_equal(scoreboard_init(sb, &setup, &e), 0);
}

static void test_what_a_child_writes_is_seen(void **unused)
{
	struct scoreboard sb;
	int status;

	(void)unused;
	begin(&sb, 2, 3);
	pid_t pid = fork();
	if (pid == 0) {
		strcpy(scoreboard_lane(&sb, 1, 2)->uri, "/here");
		atomic_store(&sb.slot[1].requests, 7);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_string_equal(scoreboard_lane(&sb, 1, 2)->uri, "/here");
	assert_int_equal(sb.slot[1].requests, 7);
	assert_int_equal(sb.slot[0].requests, 0);
	scoreboard_fini(&sb);
}

static void test_every_row_lies_on_cache_lines_of_its_own(void **unused)
{
	struct scoreboard sb;
	char *last;

	(void)unused;
	begin(&sb, 3, 2);
	last = (char *)(sb.slot + 3) - 64;
	for (size_t slot = 0; slot < 3; slot++) {
		for (size_t lane = 0; lane < 2; lane++) {
			char *row = (char *)scoreboard_lane(&sb, slot, lane);

			assert_int_equal((uintptr_t)row % 64, 0);
			assert_true(row >= last + 64);
			last = row;
		}
	}
	assert_true(last + sizeof *sb.lane <= (char *)sb.memory.p + sb.memory.size);
	scoreboard_fini(&sb);
}

static void test_a_new_worker_begins_with_an_empty_row(void **unused)
{
	struct scoreboard sb;

	(void)unused;
	begin(&sb, 2, 2);
	for (size_t slot = 0; slot < 2; slot++) {
		sb.slot[slot].requests = 5;
		sb.slot[slot].worker = 1;
		scoreboard_lane(&sb, slot, 1)->deadline_ms = 9;
	}
	scoreboard_clear(&sb, 1);
	assert_int_equal(sb.slot[1].requests, 0);
	assert_int_equal(scoreboard_lane(&sb, 1, 1)->deadline_ms, 0);
	assert_int_equal(sb.slot[0].requests, 5);
	assert_int_equal(scoreboard_lane(&sb, 0, 1)->deadline_ms, 9);
	scoreboard_fini(&sb);
}

static void serve(const struct scoreboard *sb, size_t slot, int worker)
{
	scoreboard_enter(sb, slot, worker);
	scoreboard_begin(sb, slot, worker);
	for (size_t i = 0; i < sb->lanes; i++) {
		struct counts *c = &scoreboard_lane(sb, slot, i)->counts;

		c->answers[2] = 3 + i;
		c->answers[5] = 1;
		c->sent = 100;
		counts_took(&c->run, 7);
	}
}

static void test_what_a_process_has_done_stays_its_workers_and_the_servers(void **unused)
{
	struct scoreboard sb;

	(void)unused;
	begin(&sb, 2, 2);
	for (size_t slot = 0; slot < 2; slot++) {
		serve(&sb, slot, 1);
		scoreboard_retire(&sb, slot, 1);
		scoreboard_retire(&sb, slot, 1); /* once is enough */
	}
	assert_int_equal(totals.worker[0].requests, 18);
	assert_int_equal(totals.worker[0].sent, 400);
	assert_int_equal(totals.worker[0].spawns, 2);
	assert_int_equal(totals.worker[0].running_us, 28);
	assert_int_equal(totals.worker[1].spawns, 0);
	assert_int_equal(totals.gone.answers[2], 14);
	assert_int_equal(totals.gone.answers[5], 4);
	assert_int_equal(totals.gone.run.bucket[uwsgi_bucket(7)], 4);
	assert_int_equal(sb.slot[0].pid, 0);
	assert_int_equal(totals.moving % 2, 0);
	scoreboard_fini(&sb);
}

static void test_the_stages_of_a_worker(void **unused)
{
	struct scoreboard sb;

	(void)unused;
	begin(&sb, 1, 1);
	scoreboard_enter(&sb, 0, 1);
	assert_int_equal(sb.slot[0].stage, STAGE_STARTING);
	assert_int_equal(sb.slot[0].serves_since, 0);
	scoreboard_begin(&sb, 0, 1);
	assert_int_equal(sb.slot[0].stage, STAGE_SERVING);
	assert_true(sb.slot[0].serves_since > 0);
	scoreboard_leave(&sb, 0);
	assert_int_equal(sb.slot[0].stage, STAGE_LEAVING);
	scoreboard_fini(&sb);
}

static void test_a_view_cannot_be_written_to(void **unused)
{
	struct scoreboard sb, view;
	int status;

	(void)unused;
	begin(&sb, 1, 1);
	assert_int_equal(scoreboard_view(&view, sb.memory.fd, 1, 1), 0);
	serve(&sb, 0, 1);
	assert_int_equal(uwsgi_counts_requests(&scoreboard_lane(&view, 0, 0)->counts), 4);
	pid_t pid = fork();
	if (pid == 0) {
		bool refused = mprotect(view.memory.p, 4096, PROT_READ | PROT_WRITE) != 0;

		_exit(refused ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	scoreboard_fini(&view);
	scoreboard_fini(&sb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_child_writes_is_seen),
		cmocka_unit_test(test_every_row_lies_on_cache_lines_of_its_own),
		cmocka_unit_test(test_a_new_worker_begins_with_an_empty_row),
		cmocka_unit_test(
			test_what_a_process_has_done_stays_its_workers_and_the_servers),
		cmocka_unit_test(test_the_stages_of_a_worker),
		cmocka_unit_test(test_a_view_cannot_be_written_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
