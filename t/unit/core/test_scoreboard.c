/* SPDX-License-Identifier: MIT */
/* test_scoreboard.c: what a worker writes the master sees, and rows do not touch each other. */
#include "unit.h"

#include "work/scoreboard.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_what_a_child_writes_is_seen(void **unused)
{
	struct scoreboard sb;
	struct error e;
	int status;

	(void)unused;
	assert_int_equal(scoreboard_init(&sb, 2, 3, &e), 0);
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
	struct error e;
	char *last;

	(void)unused;
	assert_int_equal(scoreboard_init(&sb, 3, 2, &e), 0);
	last = (char *)(sb.slot + 3) - 64;
	for (size_t slot = 0; slot < 3; slot++) {
		for (size_t lane = 0; lane < 2; lane++) {
			char *row = (char *)scoreboard_lane(&sb, slot, lane);

			assert_int_equal((uintptr_t)row % 64, 0);
			assert_true(row >= last + 64);
			last = row;
		}
	}
	assert_true(last + sizeof *sb.lane <= (char *)sb.slot + sb.mapped);
	scoreboard_fini(&sb);
}

static void test_a_new_worker_begins_with_an_empty_row(void **unused)
{
	struct scoreboard sb;
	struct error e;

	(void)unused;
	assert_int_equal(scoreboard_init(&sb, 2, 2, &e), 0);
	for (size_t slot = 0; slot < 2; slot++) {
		sb.slot[slot].requests = 5;
		scoreboard_lane(&sb, slot, 1)->deadline_ms = 9;
	}
	scoreboard_clear(&sb, 1);
	assert_int_equal(sb.slot[1].requests, 0);
	assert_int_equal(scoreboard_lane(&sb, 1, 1)->deadline_ms, 0);
	assert_int_equal(sb.slot[0].requests, 5);
	assert_int_equal(scoreboard_lane(&sb, 0, 1)->deadline_ms, 9);
	scoreboard_fini(&sb);
}

static void test_what_a_process_has_done_stays_its_workers(void **unused)
{
	struct scoreboard sb;
	struct error e;

	(void)unused;
	assert_int_equal(scoreboard_init(&sb, 2, 2, &e), 0);
	for (size_t slot = 0; slot < 2; slot++) {
		scoreboard_begin(&sb, slot, 1);
		scoreboard_lane(&sb, slot, 0)->requests = 3;
		scoreboard_lane(&sb, slot, 1)->requests = 4;
		scoreboard_lane(&sb, slot, 1)->sent = 100;
		scoreboard_retire(&sb, slot);
		scoreboard_retire(&sb, slot); /* once is enough */
	}
	assert_int_equal(sb.worker[0].requests, 14);
	assert_int_equal(sb.worker[0].sent, 200);
	assert_int_equal(sb.worker[0].spawns, 2);
	assert_int_equal(sb.worker[1].spawns, 0);
	assert_int_equal(sb.slot[0].pid, 0);
	scoreboard_fini(&sb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_child_writes_is_seen),
		cmocka_unit_test(test_every_row_lies_on_cache_lines_of_its_own),
		cmocka_unit_test(test_a_new_worker_begins_with_an_empty_row),
		cmocka_unit_test(test_what_a_process_has_done_stays_its_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
