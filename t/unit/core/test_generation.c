/* SPDX-License-Identifier: MIT */
/* test_generation.c: a generation whose zygote and workers are played by the test, over real
 * channels, with a clock and a kill of the test's own. */
#include "unit.h"

#include "process/generation.h"
#include "work/lane.h"
#include "work/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ZYGOTE = 100, FIRST_WORKER = 200, NOBODY = 999 };

/* What the generation sees of the world. */
static struct world {
	int64_t now_ms;
	int zygote; /* the zygote's end of its channel; -1 */
	bool fork_fails;
	pid_t killed[64];
	size_t killed_count;
	int woken;
	/* The workers that are forked: their ends, and their slots. */
	struct {
		int channel, slot;
	} worker[32];
	int workers;
} world;

static pid_t fork_zygote(const struct generation *g, int channel)
{
	(void)g;
	world.zygote = dup(channel);
	errno = EAGAIN;
	return world.fork_fails ? -1 : ZYGOTE;
}

static pid_t fork_gateway(const struct generation *g, const struct slot *slot, int channel)
{
	(void)g;
	(void)slot;
	(void)channel;
	return -1;
}

static int note_kill(pid_t pid, int number)
{
	assert_int_equal(number, SIGKILL);
	assert_true(world.killed_count < sizeof world.killed / sizeof *world.killed);
	world.killed[world.killed_count++] = pid;
	return 0;
}

static bool is_child(pid_t pid)
{
	return pid != NOBODY;
}

static int64_t now_ms(void)
{
	return world.now_ms;
}

static const struct generation_calls calls = { fork_zygote, fork_gateway, note_kill, is_child,
					       now_ms };

static void wake(void *data)
{
	(void)data;
	world.woken++;
}

static struct totals totals;
static struct generation_host host = { .totals = &totals, .calls = &calls, .wake = wake };

static bool was_killed(pid_t pid)
{
	for (size_t i = 0; i < world.killed_count; i++)
		if (world.killed[i] == pid)
			return true;
	return false;
}

/* ---- the played processes ---- */

static void say(int channel, struct message m)
{
	assert_true(channel_send(channel, &m, -1));
	ev_run(host.loop, EVRUN_NOWAIT);
}

static void import_application(void)
{
	say(world.zygote, (struct message){ .kind = MESSAGE_IMPORTED });
}

/* Takes the next order; the worker's number, counted from 0 as they are forked. */
static int take_order(void)
{
	struct message m;
	int n = world.workers++;

	assert_int_equal(channel_receive(world.zygote, &m, &world.worker[n].channel), 1);
	assert_int_equal(m.kind, MESSAGE_FORK);
	world.worker[n].slot = m.slot;
	return n;
}

static void announce(int n, pid_t pid)
{
	say(world.zygote,
	    (struct message){ .kind = MESSAGE_FORKED, .slot = world.worker[n].slot, .value = pid });
}

static void fork_worker(void)
{
	int n = take_order();

	announce(n, FIRST_WORKER + n);
}

static void worker_says(int n, enum message_kind kind, const char *text)
{
	struct message m = { .kind = kind };

	snprintf(m.text, sizeof m.text, "%s", text);
	say(world.worker[n].channel, m);
}

static bool end_process(struct generation *g, pid_t pid, int code, int status)
{
	siginfo_t info = { 0 };

	info.si_pid = pid;
	info.si_code = code;
	info.si_status = status;
	return generation_ended(g, &info);
}

static bool was_asked_to_leave(int n)
{
	struct message m;

	return channel_receive(world.worker[n].channel, &m, NULL) == 1 && m.kind == MESSAGE_LEAVE;
}

/* ---- generations ---- */

static struct config *load(char *word)
{
	static const struct option_table *const tables[] = { &config_table,     &worker_options,
							     &limits_options,   &lane_options,
							     &harakiri_options, &cheaper_options,
							     &budget_options };
	char *argv[] = { (char[]){ "uwsgi" }, word, NULL };
	char *environ_[] = { NULL };
	struct invocation invocation = {
		.argc = word ? 2 : 1, .argv = argv, .environ_ = environ_, .cwd = "/"
	};
	struct report report;

	report_init(&report);
	struct config *cfg =
		config_load(&invocation, tables, sizeof tables / sizeof *tables, &report);
	report_fini(&report);
	assert_non_null(cfg);
	return cfg;
}

static struct generation *begin(char *word, bool is_reload)
{
	struct listeners listeners = { 0 };
	struct error e;

	world = (struct world){ .now_ms = 1000, .zygote = -1 };
	host.loop = ev_loop_new(EVFLAG_AUTO);
	struct generation *g = generation_new(&host, load(word), &listeners, NULL, 1, &e);
	assert_non_null(g);
	g->is_reload = is_reload;
	assert_int_equal(generation_start(g, &e), 0);
	return g;
}

static void finish(struct generation *g)
{
	generation_free(g, NULL, false);
	for (int i = 0; i < world.workers; i++)
		close(world.worker[i].channel);
	close(world.zygote);
	ev_loop_destroy(host.loop);
}

static int64_t expect(struct generation *g, enum generation_news news)
{
	int64_t due_ms;

	assert_int_equal(generation_step(g, &due_ms), news);
	return due_ms;
}

/* One worker that serves. */
static struct generation *serve(char *word)
{
	struct generation *g = begin(word, false);

	import_application();
	expect(g, GENERATION_QUIET);
	fork_worker();
	worker_says(0, MESSAGE_READY, "");
	expect(g, GENERATION_READY);
	return g;
}

static void test_from_the_import_to_the_end(void **unused)
{
	(void)unused;
	struct generation *g = begin((char[]){ "--processes=2" }, false);
	expect(g, GENERATION_QUIET);
	import_application();
	assert_int_equal(world.woken, 1);
	expect(g, GENERATION_QUIET);
	fork_worker();
	fork_worker();
	worker_says(0, MESSAGE_READY, "");
	expect(g, GENERATION_QUIET);
	worker_says(1, MESSAGE_READY, "");
	expect(g, GENERATION_READY);
	generation_drain(g, 60, false);
	assert_true(was_killed(ZYGOTE));
	assert_int_equal(expect(g, GENERATION_QUIET), world.now_ms + 60000);
	assert_true(was_asked_to_leave(0) && was_asked_to_leave(1));
	assert_true(end_process(g, ZYGOTE, CLD_KILLED, SIGKILL));
	assert_true(end_process(g, FIRST_WORKER, CLD_EXITED, 0));
	assert_false(end_process(g, NOBODY, CLD_EXITED, 0));
	expect(g, GENERATION_QUIET);
	assert_true(end_process(g, FIRST_WORKER + 1, CLD_EXITED, 0));
	expect(g, GENERATION_GONE);
	finish(g);
}

static void test_few_orders_are_sent_at_once(void **unused)
{
	struct message m;
	int passed;

	(void)unused;
	struct generation *g = begin((char[]){ "--processes=350" }, false);
	import_application();
	expect(g, GENERATION_QUIET);
	for (int i = 0; i < ROSTER_ORDERS; i++)
		fork_worker();
	assert_int_equal(channel_receive(world.zygote, &m, &passed), 0);
	expect(g, GENERATION_QUIET);
	assert_int_equal(channel_receive(world.zygote, &m, &passed), 1);
	close(passed);
	generation_kill(g);
	finish(g);
}

/* ---- failing ---- */

static void test_what_the_zygote_said_before_its_end_is_the_reason(void **unused)
{
	(void)unused;
	struct generation *g = begin(NULL, false);
	struct message m = { .kind = MESSAGE_FAILED, .text = "no module named shop" };
	/* Nobody has read it when the end is noticed. */
	assert_true(channel_send(world.zygote, &m, -1));
	assert_true(end_process(g, ZYGOTE, CLD_EXITED, 22));
	expect(g, GENERATION_FAILED);
	assert_string_equal(g->why, "no module named shop");
	assert_int_equal(g->exit_code, 22);
	expect(g, GENERATION_GONE);
	finish(g);
}

static void test_what_a_worker_said_before_its_end_is_the_reason(void **unused)
{
	(void)unused;
	struct generation *g = begin(NULL, true);
	import_application();
	expect(g, GENERATION_QUIET);
	fork_worker();
	struct message m = { .kind = MESSAGE_FAILED, .text = "cannot make an event loop" };
	assert_true(channel_send(world.worker[0].channel, &m, -1));
	assert_true(end_process(g, FIRST_WORKER, CLD_EXITED, 1));
	expect(g, GENERATION_FAILED);
	assert_string_equal(g->why, "cannot make an event loop");
	assert_true(was_killed(ZYGOTE));
	finish(g);
}

/* It serves from the moment when it is ready, while others still start. */
static void test_a_reload_that_fails_lets_those_finish_who_serve_already(void **unused)
{
	(void)unused;
	struct generation *g = begin((char[]){ "--processes=3" }, true);
	import_application();
	expect(g, GENERATION_QUIET);
	fork_worker();
	fork_worker();
	fork_worker();
	worker_says(0, MESSAGE_READY, "");
	expect(g, GENERATION_QUIET);
	assert_true(end_process(g, FIRST_WORKER + 1, CLD_EXITED, 1));
	expect(g, GENERATION_FAILED);
	assert_true(was_killed(ZYGOTE) && was_killed(FIRST_WORKER + 2));
	assert_int_equal(expect(g, GENERATION_QUIET), world.now_ms + 60000);
	assert_true(was_asked_to_leave(0));
	assert_false(was_killed(FIRST_WORKER));
	finish(g);
}

static void test_a_zygote_that_said_nothing_is_described(void **unused)
{
	(void)unused;
	struct generation *g = begin(NULL, false);
	assert_true(end_process(g, ZYGOTE, CLD_KILLED, SIGKILL));
	expect(g, GENERATION_FAILED);
	assert_string_equal(g->why, "the process that imports the application (pid 100) ended: "
				    "killed by signal 9 (Killed)");
	assert_int_equal(g->exit_code, 1);
	finish(g);
}

static void test_a_reload_has_until_reload_timeout(void **unused)
{
	(void)unused;
	struct generation *g = begin((char[]){ "--reload-timeout=5" }, true);
	assert_int_equal(expect(g, GENERATION_QUIET), 6000);
	world.now_ms = 6000;
	expect(g, GENERATION_FAILED);
	assert_string_equal(g->why, "it is not ready after 5 s (reload-timeout)");
	assert_true(was_killed(ZYGOTE));
	finish(g);
}

static void test_a_first_generation_serves_late_with_whom_it_has(void **unused)
{
	(void)unused;
	struct generation *g = begin((char[]){ "--processes=2" }, false);
	import_application();
	expect(g, GENERATION_QUIET);
	fork_worker();
	fork_worker();
	worker_says(1, MESSAGE_READY, "");
	assert_int_equal(expect(g, GENERATION_QUIET), 61000);
	world.now_ms = 61000;
	expect(g, GENERATION_READY);
	finish(g);
}

static void test_a_first_generation_waits_for_a_long_import(void **unused)
{
	(void)unused;
	struct generation *g = begin(NULL, false);
	g->awaited = true;
	world.now_ms = 600000;
	assert_int_equal(expect(g, GENERATION_QUIET), 0);
	import_application();
	expect(g, GENERATION_QUIET);
	fork_worker();
	world.now_ms = 900000;
	assert_int_equal(expect(g, GENERATION_QUIET), 0);
	worker_says(0, MESSAGE_READY, "");
	expect(g, GENERATION_READY);
	finish(g);
}

static void test_a_zygote_that_cannot_be_forked(void **unused)
{
	struct listeners listeners = { 0 };
	struct error e;

	(void)unused;
	world = (struct world){ .now_ms = 1, .zygote = -1, .fork_fails = true };
	host.loop = ev_loop_new(EVFLAG_AUTO);
	struct generation *g = generation_new(&host, load(NULL), &listeners, NULL, 1, &e);
	assert_int_equal(generation_start(g, &e), -1);
	assert_string_equal(e.text, "cannot fork: Resource temporarily unavailable");
	finish(g);
}

static void test_an_import_that_comes_too_late_starts_nothing(void **unused)
{
	struct message m;
	int passed;

	(void)unused;
	struct generation *g = begin((char[]){ "--reload-timeout=5" }, true);
	world.now_ms = 6000;
	expect(g, GENERATION_FAILED);
	import_application();
	expect(g, GENERATION_QUIET);
	assert_int_equal(channel_receive(world.zygote, &m, &passed), 0);
	assert_true(end_process(g, ZYGOTE, CLD_KILLED, SIGKILL));
	expect(g, GENERATION_GONE);
	finish(g);
}

/* ---- who is who ---- */

static void test_a_worker_forked_after_its_slot_was_given_up_is_killed(void **unused)
{
	(void)unused;
	struct generation *g = begin(NULL, false);
	import_application();
	expect(g, GENERATION_QUIET);
	int n = take_order();
	generation_kill(g);
	announce(n, 300);
	assert_true(was_killed(300));
	assert_true(end_process(g, 300, CLD_KILLED, SIGKILL));
	finish(g);
}

static void test_a_worker_that_was_reaped_before_it_was_announced_is_started_again(void **unused)
{
	(void)unused;
	struct generation *g = begin(NULL, false);
	import_application();
	expect(g, GENERATION_QUIET);
	int n = take_order();
	assert_false(end_process(g, NOBODY, CLD_KILLED, SIGKILL));
	announce(n, NOBODY);
	assert_false(was_killed(NOBODY));
	expect(g, GENERATION_QUIET);
	fork_worker();
	worker_says(1, MESSAGE_READY, "");
	expect(g, GENERATION_READY);
	finish(g);
}

/* Its announcement is not read yet when its end is noticed. */
static void test_a_worker_that_ends_before_it_is_read_of_is_known(void **unused)
{
	(void)unused;
	struct generation *g = begin(NULL, true);
	import_application();
	expect(g, GENERATION_QUIET);
	int n = take_order();
	const struct message m = { .kind = MESSAGE_FORKED,
				   .slot = world.worker[n].slot,
				   .value = 300 };
	assert_true(channel_send(world.zygote, &m, -1));
	assert_true(end_process(g, 300, CLD_EXITED, 3));
	expect(g, GENERATION_FAILED);
	assert_string_equal(g->why, "worker 1 (pid 300) ended while it started: exit code 3");
	finish(g);
}

static void test_a_forged_announcement_harms_nobody(void **unused)
{
	(void)unused;
	struct generation *g = serve(NULL);
	const int64_t pids[] = { NOBODY, 1LL << 40, -1, 0, INT64_MIN };

	for (size_t i = 0; i < sizeof pids / sizeof *pids; i++)
		for (int slot = -1; slot <= 2; slot++)
			say(world.zygote, (struct message){ .kind = MESSAGE_FORKED,
							    .slot = slot,
							    .value = pids[i] });
	assert_int_equal(world.killed_count, 0);
	/* Nor do words of a worker that are not its own to say. */
	worker_says(0, MESSAGE_READY, "");
	worker_says(0, MESSAGE_IMPORTED, "");
	worker_says(0, MESSAGE_LEAVE, "");
	expect(g, GENERATION_QUIET);
	assert_int_equal(g->roster.slots[0].pid, FIRST_WORKER);
	finish(g);
}

/* ---- while it serves ---- */

static void test_a_lost_zygote_wants_a_reload(void **unused)
{
	(void)unused;
	struct generation *g = serve(NULL);
	assert_true(generation_can_fork(g));
	assert_true(end_process(g, ZYGOTE, CLD_KILLED, SIGKILL));
	assert_false(generation_can_fork(g));
	expect(g, GENERATION_WANTS_RELOAD);
	expect(g, GENERATION_QUIET);
	/* Its worker goes on; when it ends there is nobody to fork another one. */
	assert_true(end_process(g, FIRST_WORKER, CLD_KILLED, SIGKILL));
	expect(g, GENERATION_QUIET);
	assert_true(roster_is_vacant(&g->roster));
	finish(g);
}

static void test_orders_of_a_lost_zygote_are_forgotten(void **unused)
{
	(void)unused;
	struct generation *g = serve(NULL);
	assert_true(end_process(g, FIRST_WORKER, CLD_KILLED, SIGKILL));
	expect(g, GENERATION_QUIET);
	assert_false(roster_is_vacant(&g->roster));
	assert_true(end_process(g, ZYGOTE, CLD_KILLED, SIGKILL));
	assert_true(roster_is_vacant(&g->roster));
	expect(g, GENERATION_WANTS_RELOAD);
	finish(g);
}

static void test_a_zygote_that_does_not_answer_is_killed(void **unused)
{
	(void)unused;
	struct generation *g = serve((char[]){ "--reload-timeout=5" });
	world.now_ms = 10000;
	assert_true(end_process(g, FIRST_WORKER, CLD_KILLED, SIGKILL));
	assert_int_equal(expect(g, GENERATION_QUIET), 15000);
	world.now_ms = 15000;
	expect(g, GENERATION_QUIET);
	assert_true(was_killed(ZYGOTE));
	assert_true(end_process(g, ZYGOTE, CLD_KILLED, SIGKILL));
	expect(g, GENERATION_WANTS_RELOAD);
	finish(g);
}

static void test_a_zygote_that_closes_its_channel_is_killed(void **unused)
{
	(void)unused;
	struct generation *g = serve(NULL);
	close(world.zygote);
	ev_run(host.loop, EVRUN_NOWAIT);
	assert_true(was_killed(ZYGOTE));
	world.zygote = open("/dev/null", O_RDONLY);
	finish(g);
}

static void test_a_changed_application_wants_a_reload_once(void **unused)
{
	(void)unused;
	struct generation *g = serve(NULL);
	worker_says(0, MESSAGE_CHANGED, "shop");
	expect(g, GENERATION_WANTS_RELOAD);
	assert_string_equal(g->why, "module shop was changed");
	expect(g, GENERATION_QUIET);
	worker_says(0, MESSAGE_CHANGED, "shop");
	generation_drain(g, 60, false);
	expect(g, GENERATION_QUIET);
	finish(g);
}

static void replaces_it(struct generation *g)
{
	expect(g, GENERATION_QUIET);
	fork_worker();
	worker_says(1, MESSAGE_READY, "");
	expect(g, GENERATION_QUIET);
	assert_true(was_asked_to_leave(0));
	assert_false(was_asked_to_leave(1));
}

static void test_a_worker_may_ask_for_a_successor(void **unused)
{
	(void)unused;
	struct generation *g = serve(NULL);
	worker_says(0, MESSAGE_RECYCLE, "max-requests reached");
	replaces_it(g);
	finish(g);
}

static void test_a_worker_may_ask_for_a_successor_before_it_is_ready(void **unused)
{
	(void)unused;
	struct generation *g = begin(NULL, false);
	import_application();
	expect(g, GENERATION_QUIET);
	fork_worker();
	worker_says(0, MESSAGE_RECYCLE, "max-requests reached");
	worker_says(0, MESSAGE_READY, "");
	int64_t due_ms;
	generation_step(g, &due_ms);
	replaces_it(g);
	finish(g);
}

static void test_a_young_worker_is_replaced_when_it_is_old_enough(void **unused)
{
	(void)unused;
	struct generation *g = serve((char[]){ "--min-worker-lifetime=60" });
	worker_says(0, MESSAGE_RECYCLE, "max-requests reached");
	expect(g, GENERATION_QUIET);
	assert_false(g->roster.slots[0].replace);
	world.now_ms += 60000;
	replaces_it(g);
	finish(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_the_import_to_the_end),
		cmocka_unit_test(test_few_orders_are_sent_at_once),
		cmocka_unit_test(test_what_the_zygote_said_before_its_end_is_the_reason),
		cmocka_unit_test(test_what_a_worker_said_before_its_end_is_the_reason),
		cmocka_unit_test(test_a_reload_that_fails_lets_those_finish_who_serve_already),
		cmocka_unit_test(test_a_zygote_that_said_nothing_is_described),
		cmocka_unit_test(test_a_reload_has_until_reload_timeout),
		cmocka_unit_test(test_a_first_generation_serves_late_with_whom_it_has),
		cmocka_unit_test(test_a_first_generation_waits_for_a_long_import),
		cmocka_unit_test(test_a_zygote_that_cannot_be_forked),
		cmocka_unit_test(test_an_import_that_comes_too_late_starts_nothing),
		cmocka_unit_test(test_a_worker_forked_after_its_slot_was_given_up_is_killed),
		cmocka_unit_test(
			test_a_worker_that_was_reaped_before_it_was_announced_is_started_again),
		cmocka_unit_test(test_a_worker_that_ends_before_it_is_read_of_is_known),
		cmocka_unit_test(test_a_forged_announcement_harms_nobody),
		cmocka_unit_test(test_a_lost_zygote_wants_a_reload),
		cmocka_unit_test(test_orders_of_a_lost_zygote_are_forgotten),
		cmocka_unit_test(test_a_zygote_that_does_not_answer_is_killed),
		cmocka_unit_test(test_a_zygote_that_closes_its_channel_is_killed),
		cmocka_unit_test(test_a_changed_application_wants_a_reload_once),
		cmocka_unit_test(test_a_worker_may_ask_for_a_successor),
		cmocka_unit_test(test_a_worker_may_ask_for_a_successor_before_it_is_ready),
		cmocka_unit_test(test_a_young_worker_is_replaced_when_it_is_old_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
